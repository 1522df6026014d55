//! Campaign: SIGHUP and SIGTERM while transfers run. Each must finish, whole, and afterwards there is no stage; with a `--drain`
//! that is too short for them, each file is the whole old one, the whole new one, or not there.

#![allow(clippy::unwrap_used, reason = "in a campaign, whatever goes wrong ends it")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, thread};

use clap::Parser;
use e2e::{ALICE, Chance, Server, bytes, stages};
use rustix::process::Signal;

/// Asks servers to end in the middle of transfers, and looks at what is left.
#[derive(Debug, Parser)]
struct Args {
    /// Transfers at once: puts and gets by turns.
    #[arg(long, default_value_t = 100)]
    transfers: usize,
    /// How often.
    #[arg(long, default_value_t = 10)]
    rounds: u64,
    /// MiB in a file.
    #[arg(long, default_value_t = 8)]
    size: usize,
    /// How long the server waits for them, as users.toml writes it.
    #[arg(long, default_value = "300s")]
    drain: String,
    /// Repeats the moments of an earlier campaign.
    #[arg(long)]
    seed: Option<u64>,
    /// Where server and clients have their files.
    #[arg(long, default_value = "/dev/shm")]
    dir: PathBuf,
}

/// SIGHUPs in each round, before and after SIGTERM.
const HANGUPS: usize = 5;

fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(Chance::seed);
    tempfile::env::override_temp_dir(&args.dir).unwrap();
    let Args { transfers, rounds, size, drain, .. } = &args;
    println!(
        "drain: {rounds} × SIGHUP and SIGTERM while {transfers} transfers of {size} MiB run; drain {drain}; seed {seed}"
    );
    let (mut finished, mut broken_off) = (0, 0);
    for number in 0..*rounds {
        match round(&args, &mut Chance::of_round(seed, number)) {
            Ok(done) => {
                finished += done;
                broken_off += transfers - done;
            }
            Err(violation) => {
                eprintln!("VIOLATION in round {number}, seed {seed}: {violation}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!(
        "  {finished:>6}  finished, whole\n  {broken_off:>6}  came too late or were broken off, and left nothing"
    );
    ExitCode::SUCCESS
}

/// How many transfers finished.
fn round(args: &Args, chance: &mut Chance) -> Result<usize, String> {
    let builder = Server::builder().limit(&format!("drain = \"{}\"", args.drain));
    let mut server = builder.limit(&format!("sessions_per_address = {}", args.transfers + 1)).start();
    let (old, new) = (bytes(args.size << 20, 1), bytes(args.size << 20, 2));
    server.write("alice/source", &new);
    server.write_work("source", &new);
    let runs: Vec<_> = (0..args.transfers)
        .map(|number| {
            let (name, put) = (format!("file-{number}"), number % 2 == 0);
            match put {
                true => server.write(&format!("alice/{name}"), &old),
                false => server.write_work(&name, &old),
            };
            let client = server.client(ALICE).args([if put { "put" } else { "get" }, "source", &name]);
            (name, put, client.spawn())
        })
        .collect();
    // All are in before the end is asked for: who comes later is turned away, and that is no loss.
    server.log().wait_for_nth(args.transfers, &["verb=\"login\"", "result=\"ok\""]);
    for _ in 0..HANGUPS {
        server.signal(Signal::HUP);
        thread::sleep(Duration::from_millis(20).mul_f64(chance.fraction())); // the moment is what this is about
    }
    server.signal_end();
    server.signal(Signal::HUP);
    let mut finished = 0;
    for (name, put, run) in runs {
        let ran = run.wait();
        let file = if put { server.home(ALICE).join(&name) } else { server.work().join(&name) };
        let content = fs::read(file).unwrap();
        match (ran.code, content == new, content == old) {
            (0, true, _) => finished += 1,
            (0, false, _) => return Err(format!("{name}: told as done, and is not")),
            (_, false, false) => return Err(format!("{name}: {} bytes, neither old nor new", content.len())),
            // Its command had not come when the server ended, or the time was up.
            (3, ..) => {}
            (code, ..) => return Err(format!("{name}: code {code}: {}", ran.stderr)),
        }
    }
    let status = server.wait_for_end();
    let left = [stages(server.homes()), stages(server.work())].concat();
    match (status.success(), left.is_empty()) {
        (true, true) => Ok(finished),
        (false, _) => Err(format!("the server ended with {status}")),
        (_, false) => Err(format!("stages are left: {left:?}")),
    }
}
