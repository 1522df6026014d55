//! Campaign: mutated sessions against a real server, which must outlive them all, in bounded memory, and keep serving others.

#![allow(clippy::unwrap_used, reason = "in a campaign, whatever goes wrong ends it")]

mod mutate;
mod script;
mod talk;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use std::{fs, io};

use clap::Parser;
use e2e::{ALICE, BOB, Chance, QUINN, Raw, Seen, Server, bytes, memory, snapshot};
use proto::Reply;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use talk::{End, SECRET};

/// Sends mutated sessions to a server.
#[derive(Debug, Parser)]
struct Args {
    /// How many.
    #[arg(long, default_value_t = 100_000)]
    rounds: u64,
    /// Repeats an earlier campaign.
    #[arg(long)]
    seed: Option<u64>,
    /// Begins with this round.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

/// One session in so many is left as it is, and must come to its `quit`: else the others would test nothing.
const LEFT_ALONE: usize = 10;

/// Another session is asked for something after each so many.
const OTHER: u64 = 50;

/// After so many rounds, what they left in the home is removed.
const TIDY: u64 = 500;

/// What the server may grow by, whatever happens: sessions come one after the other, but its allocator gives back late.
const GROWTH: u64 = 128 * 1024 * 1024;

fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(Chance::seed);
    let rounds = args.from..args.from + args.rounds;
    tempfile::env::override_temp_dir(Path::new("/dev/shm")).unwrap();
    let mut campaign = Campaign::begin(seed);
    println!("frames: {} mutated sessions; seed {seed}", args.rounds);

    let began = Instant::now();
    for round in rounds {
        if let Err(violation) = campaign.round(round) {
            eprintln!(
                "VIOLATION: round {round}: {violation}\nto see it again: --seed {seed} --from {round} --rounds 1"
            );
            eprintln!("{}", campaign.server.log().text());
            return ExitCode::FAILURE;
        }
        if io::stderr().is_terminal() && round.is_multiple_of(100) {
            eprint!("\r{round} ");
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
    println!("the server lives, nothing outside of the homes was touched or told; {:.0?}", began.elapsed());
    ExitCode::SUCCESS
}

struct Campaign {
    server: Server,
    seed: u64,
    /// A session of somebody else, from the first round to the last.
    other: Raw,
    /// What lies beside the homes, and must stay as it is.
    outside: (PathBuf, BTreeMap<PathBuf, Seen>),
    /// Bytes that the server had in use at first.
    before: u64,
    whole: u64,
    asked: u64,
}

impl Campaign {
    fn begin(seed: u64) -> Campaign {
        let server = Server::start();
        let outside = server.work();
        server.write_work("secret", SECRET);
        furnish(&server);
        server.write("bob/a", bytes(100_000, 1));
        server.ftp(&["ls"]).ok();
        let other = server.logged_in(QUINN);
        let before = memory(server.pid(), "VmRSS").unwrap();
        let seen = snapshot(&outside);
        Campaign { server, seed, other, outside: (outside, seen), before, whole: 0, asked: 0 }
    }

    fn round(&mut self, round: u64) -> Result<(), String> {
        let mut chance = Chance::of_round(self.seed, round);
        let mut script = script::session(&mut chance);
        let mutated = !chance.one_in(LEFT_ALONE);
        if mutated {
            mutate::mutate(&mut script, &mut chance);
        }
        let end = talk::talk(self.server.address(), &script, mutated, &mut chance)?;
        if !mutated {
            self.whole += 1;
            if end != End::Goodbye {
                return Err("a session that kept to the protocol did not come to its end".into());
            }
        }
        if round.is_multiple_of(OTHER) {
            self.look(round)?;
        }
        if round % TIDY == TIDY - 1 {
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
        let (outside, seen) = &self.outside;
        if snapshot(outside) != *seen {
            return Err("something outside of the homes changed".into());
        }
        let in_use = memory(self.server.pid(), "VmRSS").ok_or("the server has died")?;
        let grown = in_use.saturating_sub(self.before);
        if grown > GROWTH {
            return Err(format!("the server grew by {} KiB", grown / 1024));
        }
        match self.server.log().count(&["panicked"]) {
            0 => Ok(()),
            _ => Err("a panic, in this round or some before it".into()),
        }
    }
}

/// Empties alice's home, as far as sessions that are not over yet let it, and puts in it what sessions may stumble over: a link
/// that leads out, and a FIFO.
fn furnish(server: &Server) {
    let (alice, bob) = (server.home(ALICE), server.home(BOB));
    for entry in fs::read_dir(&alice).unwrap().flatten() {
        let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        drop(if directory { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) });
    }
    for home in [&alice, &bob] {
        drop(symlink(server.work(), home.join("out")));
    }
    let _ = mknodat(CWD, alice.join("fifo"), FileType::Fifo, Mode::RUSR, 0);
}
