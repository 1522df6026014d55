//! Campaign: SIGKILL of the server, or of the client, at random moments of a put over an existing file. What is there
//! afterwards must be the whole old file or the whole new one, and after a restart no stage.

#![allow(clippy::unwrap_used, reason = "in a campaign, whatever goes wrong ends it")]

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use clap::{Parser, ValueEnum};
use e2e::{ALICE, Chance, Running, Server, bytes, stages};
use rustix::process::Signal;

/// Kills a program in the middle of uploads, and looks at what is left.
#[derive(Debug, Parser)]
struct Args {
    /// How often.
    #[arg(long, default_value_t = 1000)]
    rounds: u64,
    /// Which program.
    #[arg(long, value_enum, default_value_t = Who::Server)]
    who: Who,
    /// Through which door: by `ftp`, or by `curl`.
    #[arg(long, value_enum, default_value_t = Door::Native)]
    door: Door,
    /// Repeats the moments of an earlier campaign.
    #[arg(long)]
    seed: Option<u64>,
    /// Where server and client have their files; on a disk, most of a put is its syncs.
    #[arg(long, default_value = "/dev/shm")]
    dir: PathBuf,
    /// MiB in the file.
    #[arg(long, default_value_t = 64)]
    size: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Who {
    Server,
    Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Door {
    Native,
    Classic,
}

/// A put that runs.
enum Put {
    Native(Running),
    Classic(Child),
}

impl Put {
    fn kill(&mut self) {
        match self {
            Put::Native(ftp) => ftp.signal(Signal::KILL),
            Put::Classic(curl) => curl.kill().unwrap(),
        }
    }

    /// Whether it said that all went well.
    fn wait(self) -> bool {
        match self {
            Put::Native(ftp) => ftp.wait().code == 0,
            Put::Classic(mut curl) => curl.wait().unwrap().success(),
        }
    }
}

/// The file that is put again and again; not in the home itself, so that the sweep has to go down.
const FILE: &str = "deep/er/file";

/// What is put by turns.
const SOURCES: [&str; 2] = ["one", "two"];

/// Moments are drawn from the time that a put takes, and so much more that some come after it.
const BEYOND: f64 = 1.2;

/// How a round ended.
#[derive(Clone, Copy)]
enum Fate {
    BeforeStart,
    OldKept,
    NewPublished,
    Finished,
}

struct Campaign {
    server: Server,
    door: Door,
    contents: [Vec<u8>; 2],
    /// Which of them the file holds.
    present: usize,
    buffer: Vec<u8>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(Chance::seed);
    tempfile::env::override_temp_dir(&args.dir).unwrap();
    let mut campaign = Campaign::begin(args.size * 1024 * 1024, args.door);
    let usual = campaign.undisturbed();
    let Args { rounds, who, door, size, .. } = args;
    println!(
        "kill: {rounds} × SIGKILL of the {who:?} at a random moment of a {door:?} put of {size} MiB that takes {usual:.0?}; seed {seed}"
    );

    let began = Instant::now();
    let mut fates = [0; 4];
    for round in 0..rounds {
        let moment = usual.mul_f64(BEYOND * Chance::of_round(seed, round).fraction());
        match campaign.round(who, moment) {
            Ok(fate) => fates[fate as usize] += 1,
            Err(violation) => {
                return campaign
                    .give_up(&format!("round {round}, killed after {moment:?}: {violation}"), seed);
            }
        }
        if io::stderr().is_terminal() {
            eprint!("\r{}/{rounds} ", round + 1);
        }
    }
    let [before, old, new, finished] = fates;
    println!("  {before:>5}  killed before the put began: the old file");
    println!("  {old:>5}  killed in the middle: the old file");
    println!("  {new:>5}  killed after it was published, before that was told: the new file");
    println!("  {finished:>5}  the put had finished: the new file");
    println!("always the whole old or the whole new file, and no stage left; {:.0?}", began.elapsed());
    ExitCode::SUCCESS
}

impl Campaign {
    fn begin(size: usize, door: Door) -> Campaign {
        // What can be gone on with would be left on purpose.
        let server = Server::builder().classic().limit("keep_uploads = \"0\"").start();
        let contents = [bytes(size, 1), bytes(size, 2)];
        for (name, content) in SOURCES.iter().zip(&contents) {
            server.write_work(name, content);
        }
        server.write(&format!("alice/{FILE}"), &contents[0]);
        Campaign { server, door, contents, present: 0, buffer: Vec::new() }
    }

    /// How long a put takes that nothing disturbs.
    fn undisturbed(&mut self) -> Duration {
        let mut times = [1, 0, 1, 0, 1].map(|source| {
            let began = Instant::now();
            assert!(self.put(SOURCES[source]).wait());
            began.elapsed()
        });
        self.present = 1;
        times.sort();
        times[times.len() / 2]
    }

    fn put(&self, source: &str) -> Put {
        match self.door {
            Door::Native => Put::Native(
                self.server.client(ALICE).option("--retries").option("0").args(["put", source, FILE]).spawn(),
            ),
            Door::Classic => {
                let url = format!("ftp://{}/{FILE}", self.server.classic_address());
                let user = format!("{}:{}", ALICE.name, ALICE.password);
                let mut curl = Command::new("curl");
                curl.args(["--silent", "--user", &user, "--upload-file", source, &url]);
                Put::Classic(curl.current_dir(self.server.work()).spawn().unwrap())
            }
        }
    }

    fn round(&mut self, who: Who, moment: Duration) -> Result<Fate, String> {
        let (next, told) = (1 - self.present, self.told());
        let mut put = self.put(SOURCES[next]);
        thread::sleep(moment); // the moment is what this is about
        let ran = match who {
            Who::Server => {
                self.server.kill();
                put.wait()
            }
            Who::Client => {
                put.kill();
                let ran = put.wait();
                // It ends when the session has, which may have had the whole file.
                self.server.terminate();
                ran
            }
        };
        let stages_left = stages(self.server.homes());
        if who == Who::Client && !stages_left.is_empty() {
            return Err(format!("a server that was not killed left {stages_left:?}"));
        }
        let begun = !stages_left.is_empty() || self.told() > told;
        self.server.restart();
        self.server.log().wait_for("homes swept");
        let stages_left = stages(self.server.homes());
        if !stages_left.is_empty() {
            return Err(format!("after the restart there still is {stages_left:?}"));
        }
        let found = self.look()?;
        let fate = match (ran, found == next) {
            (true, true) => Fate::Finished,
            (true, false) => return Err("the put succeeded, and the file is the old one".into()),
            (false, true) => Fate::NewPublished,
            (false, false) if begun => Fate::OldKept,
            (false, false) => Fate::BeforeStart,
        };
        self.present = found;
        Ok(fate)
    }

    /// Which content the file has.
    fn look(&mut self) -> Result<usize, String> {
        self.buffer.clear();
        let file = self.server.home(ALICE).join(FILE);
        File::open(&file)
            .and_then(|mut file| file.read_to_end(&mut self.buffer))
            .map_err(|error| error.to_string())?;
        let found = self.contents.iter().position(|content| *content == self.buffer);
        found.ok_or_else(|| {
            format!("the file is neither the old nor the new one, but {} other bytes", self.buffer.len())
        })
    }

    /// Puts that came to an end which the server lived to tell.
    fn told(&self) -> usize {
        self.server.log().count(&["verb=\"put\""])
    }

    /// Keeps what is there as evidence.
    fn give_up(self, violation: &str, seed: u64) -> ExitCode {
        let directory = self.server.homes().parent().unwrap().to_owned();
        let evidence = directory.with_extension("evidence");
        fs::rename(&directory, &evidence).unwrap();
        fs::write(evidence.join("log"), self.server.log().text()).unwrap();
        eprintln!("VIOLATION: {violation}\nseed {seed}; the evidence is in {}", evidence.display());
        ExitCode::FAILURE
    }
}
