//! Campaign: mutated sessions against a real server, which must outlive them all, in bounded memory, and keep serving others.

#![allow(clippy::unwrap_used, reason = "in a campaign, whatever goes wrong ends it")]

mod classic;
mod mutate;
mod script;
mod talk;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use std::{fs, io, thread};

use clap::{Parser, ValueEnum};
use e2e::{ALICE, BOB, CAROL, Chance, QUINN, Raw, Seen, Server, Watch, bytes, descriptors, memory, snapshot};
use proto::{Command, Failure, Kind, Reply};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use talk::{End, SECRET};

/// Sends mutated sessions to a server.
#[derive(Debug, Parser)]
struct Args {
    /// How many.
    #[arg(long, default_value_t = 100_000)]
    rounds: u64,
    /// To which door: frames, or lines.
    #[arg(long, value_enum, default_value_t = Door::Native)]
    door: Door,
    /// How many at once: 1 at the native door and 48 at the classic one, unless told.
    #[arg(long)]
    jobs: Option<usize>,
    /// Repeats an earlier campaign.
    #[arg(long)]
    seed: Option<u64>,
    /// Begins with this round.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Door {
    Native,
    Classic,
}

impl Door {
    /// Sessions at once.
    fn jobs(self) -> usize {
        match self {
            Door::Native => 1,
            Door::Classic => 48, // most of them wait for something
        }
    }

    /// Rounds after which everything is looked at.
    fn batch(self) -> u64 {
        match self {
            Door::Native => 50,
            Door::Classic => 1000,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Door::Native => "native",
            Door::Classic => "classic",
        }
    }
}

/// One session in so many is left as it is, and must come to its `quit`: else the others would test nothing.
const LEFT_ALONE: usize = 10;

/// After so many rounds, what they left in the homes is removed.
const TIDY: u64 = 500;

/// What the server may grow by, whatever happens: sessions at once are few, but its allocator gives back late.
const GROWTH: u64 = 128 * 1024 * 1024;

/// Descriptors that it may have open between batches: its own, and those of sessions that are not quite over.
const DESCRIPTORS: usize = 500;

fn main() -> ExitCode {
    let args = Args::parse();
    let Args { door, rounds, .. } = args;
    let seed = args.seed.unwrap_or_else(Chance::seed);
    let jobs = args.jobs.unwrap_or(door.jobs());
    tempfile::env::override_temp_dir(Path::new("/dev/shm")).unwrap();
    let mut campaign =
        Campaign::begin(Target { door, seed, address: SocketAddr::from(([0; 4], 0)), assembly: [0; 16] });
    println!("frames: {rounds} mutated sessions at the {} door, {jobs} at once; seed {seed}", door.word());

    let (began, end) = (Instant::now(), args.from + rounds);
    for first in (args.from..end).step_by(door.batch() as usize) {
        let batch = first..end.min(first + door.batch());
        if let Err(Violation { rounds, what }) = campaign.batch(batch, jobs) {
            eprintln!(
                "VIOLATION: round {}: {what}\nto see it again: --door {} --seed {seed} --from {} --rounds {} --jobs {jobs}",
                rounds.end - 1,
                door.word(),
                rounds.start,
                rounds.end - rounds.start
            );
            eprintln!("{}", campaign.server.log().text());
            return ExitCode::FAILURE;
        }
        if io::stderr().is_terminal() {
            eprint!("\r{first} ");
        }
    }
    let memory = |line| memory(campaign.server.pid(), line).unwrap() / 1024;
    println!("  {:>6}  left as they were, each to its end", campaign.whole);
    println!("  {:>6}  commands of another session between them, each answered", campaign.asked);
    println!(
        "  {:>6}  KiB in use by the server before, {} after, {} at the most",
        campaign.before / 1024,
        memory("VmRSS"),
        memory("VmHWM")
    );
    println!(
        "the server lives, nothing outside of the homes was touched or told, no stage is left; {:.0?}",
        began.elapsed()
    );
    ExitCode::SUCCESS
}

/// What went wrong, and in which rounds: one, or those since all was well.
struct Violation {
    rounds: Range<u64>,
    what: String,
}

/// Where the rounds go.
#[derive(Clone, Copy)]
struct Target {
    door: Door,
    address: SocketAddr,
    seed: u64,
    /// A file that is being assembled, of which sessions may bring parts.
    assembly: [u8; 16],
}

impl Target {
    /// One round; whether it was left as it is.
    fn round(self, round: u64) -> Result<bool, String> {
        let mut chance = Chance::of_round(self.seed, round);
        let mutated = !chance.one_in(LEFT_ALONE);
        let end = match self.door {
            Door::Classic => classic::round(self.address, mutated, &mut chance)?,
            Door::Native => {
                let mut script = script::session(&mut chance, self.assembly, mutated);
                if mutated {
                    mutate::mutate(&mut script, mutate::frames, &mut chance);
                }
                talk::talk(self.address, &script, mutated, &mut chance)?
            }
        };
        if !mutated && end != End::Goodbye {
            return Err("a session that kept to the protocol did not come to its end".into());
        }
        Ok(!mutated)
    }
}

struct Campaign {
    server: Server,
    target: Target,
    /// A session of somebody else, from the first round to the last.
    other: Raw,
    /// A session of alice, who assembles a file.
    owner: Option<Raw>,
    /// What lies beside the homes, and must stay as it is.
    outside: (PathBuf, BTreeMap<PathBuf, Seen>),
    /// Bytes that the server had in use at first.
    before: u64,
    whole: u64,
    asked: u64,
}

impl Campaign {
    fn begin(target: Target) -> Campaign {
        let server = match target.door {
            Door::Native => Server::start(),
            Door::Classic => {
                let builder = Server::builder().classic().passive_ports("20000-31999");
                // A data connection that does not come holds its round up for no longer.
                builder
                    .limit("stall = \"500ms\"")
                    .limit("sessions = 10_000")
                    .limit("half_open = 1000")
                    .start()
            }
        };
        let address = match target.door {
            Door::Native => server.address(),
            Door::Classic => server.classic_address(),
        };
        let outside = server.work();
        server.write_work("secret", SECRET);
        furnish(&server);
        server.write("bob/a", bytes(100_000, 1));
        server.ftp(&["ls"]).ok();
        let other = server.logged_in(QUINN);
        let owner = (target.door == Door::Native).then(|| server.logged_in(ALICE));
        let before = memory(server.pid(), "VmRSS").unwrap();
        let seen = snapshot(&outside);
        let target = Target { address, ..target };
        Campaign { server, target, other, owner, outside: (outside, seen), before, whole: 0, asked: 0 }
    }

    /// So many rounds, `jobs` of them at once, and then a look at everything.
    fn batch(&mut self, rounds: Range<u64>, jobs: usize) -> Result<(), Violation> {
        self.target.assembly = self.owner.as_mut().map_or([0; 16], assemble);
        let (next, target) = (AtomicU64::new(rounds.start), self.target);
        let work = || {
            let mut whole = 0;
            loop {
                let round = next.fetch_add(1, Ordering::Relaxed);
                if !rounds.contains(&round) {
                    return Ok(whole);
                }
                match catch_unwind(|| target.round(round))
                    .unwrap_or(Err("a panic of the campaign's own".into()))
                {
                    Ok(left_alone) => whole += u64::from(left_alone),
                    Err(what) => return Err(Violation { rounds: round..round + 1, what }),
                }
            }
        };
        let done: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        for whole in done {
            self.whole += whole?;
        }
        // The harness panics at what it does not expect.
        catch_unwind(AssertUnwindSafe(|| self.look(rounds.start)))
            .unwrap_or(Err("what must hold at any time does not, as told above".into()))
            .map_err(|what| Violation { rounds: rounds.clone(), what })?;
        if rounds.end.is_multiple_of(TIDY) {
            furnish(&self.server);
        }
        Ok(())
    }

    /// What must hold at any time.
    fn look(&mut self, round: u64) -> Result<(), String> {
        let content = bytes(100_000, round);
        self.other.send_put("mine", &content);
        let stored = self.other.reply();
        if !matches!(stored, Reply::Stored { .. }) || self.other.get("mine").as_ref() != Ok(&content) {
            return Err(format!("another session suffers: {stored:?}"));
        }
        self.asked += 2;
        if self.target.door == Door::Classic {
            self.asked += classic::sane(self.target.address, round);
        }
        if let Some(owner) = &mut self.owner {
            let left = owner.ask(Command::Leave { assembly: self.target.assembly });
            let ended = |failure: &Failure| failure.kind == Kind::NotFound; // by one of the others
            if left != Reply::Done && !matches!(&left, Reply::Refused(failure) if ended(failure)) {
                return Err(format!("who assembles a file suffers: {left:?}"));
            }
            self.asked += 2;
        }
        for user in [ALICE, CAROL] {
            Watch::new(self.server.home(user)).wait_for_no_stage();
        }
        let (outside, seen) = &self.outside;
        if snapshot(outside) != *seen {
            return Err("something outside of the homes changed".into());
        }
        let in_use = memory(self.server.pid(), "VmRSS").ok_or("the server has died")?;
        let grown = in_use.saturating_sub(self.before);
        if grown > GROWTH {
            return Err(format!("the server grew by {} KiB", grown / 1024));
        }
        if let Some(open) = descriptors(self.server.pid()).filter(|open| *open > DESCRIPTORS) {
            return Err(format!("the server has {open} descriptors open"));
        }
        self.server.log().forget();
        Ok(())
    }
}

/// Begins to assemble a file.
fn assemble(owner: &mut Raw) -> [u8; 16] {
    let (path, size) = (b"assembled".to_vec(), script::ASSEMBLED as u64);
    match owner.ask(Command::Assemble { path, size, onto: None }) {
        Reply::Assembling { assembly } => assembly,
        other => panic!("{other:?}"),
    }
}

/// Empties the homes that may be written to, as far as sessions that are not over yet let it, and puts in them what sessions may
/// find, and stumble over: a link that leads out, and a FIFO.
fn furnish(server: &Server) {
    let (alice, bob) = (server.home(ALICE), server.home(BOB));
    let entries = |home| fs::read_dir(home).unwrap().flatten();
    for entry in entries(&alice).chain(entries(&server.home(CAROL))) {
        let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        drop(if directory { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) });
    }
    for (name, size) in [("a", 3), ("b", 100_000), ("dir/a", 1000)] {
        server.write(&format!("alice/{name}"), bytes(size, 1));
    }
    for home in [&alice, &bob] {
        drop(symlink(server.work(), home.join("out")));
    }
    let _ = mknodat(CWD, alice.join("fifo"), FileType::Fifo, Mode::RUSR, 0);
}
