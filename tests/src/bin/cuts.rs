//! Campaign: a get and a put of a large file that are cut again and again at random places. Each must come through, by itself or
//! by `-c`; the file must be right, and little may have gone twice.

#![allow(clippy::unwrap_used, reason = "in a campaign, whatever goes wrong ends it")]

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use e2e::{ALICE, Chance, Client, Cutting, Server, bytes, stages};

/// Cuts transfers in their middle, and sees that they go on.
#[derive(Debug, Parser)]
struct Args {
    /// MiB in the file.
    #[arg(long, default_value_t = 1024)]
    mib: usize,
    /// How often each transfer is cut.
    #[arg(long, default_value_t = 20)]
    cuts: u64,
    /// What breaks.
    #[arg(long, value_enum, default_value_t = Who::Connection)]
    who: Who,
    /// Repeats the places of an earlier campaign.
    #[arg(long)]
    seed: Option<u64>,
    /// Where server and client have their files.
    #[arg(long, default_value = "/dev/shm")]
    dir: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Who {
    /// The connection is reset, and the client goes on by itself.
    Connection,
    /// The server is killed and started again, and the client goes on by itself.
    Server,
    /// The client is killed, and another one goes on with `-c`.
    Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Get,
    Put,
}

/// Bytes that may go twice for each cut of a connection. With a process that is killed goes, beside what it had not written yet, what
/// the system held for it.
const TWICE: u64 = 1024 * 1024;
const TWICE_WHEN_KILLED: u64 = 2 * TWICE;

/// What goes by beside the data: the head and the digest of each block, and what a session says before.
const BLOCK: u64 = 64 * 1024;
const OF_BLOCK: u64 = 5 + 16;
const OF_SESSION: u64 = 500;

/// Cuts are drawn from so much of each part of the file, so that none comes after its end.
const WITHIN: f64 = 0.9;

fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(Chance::seed);
    tempfile::env::override_temp_dir(&args.dir).unwrap();
    println!(
        "cuts: {} × the {:?} in a get and in a put of {} MiB; seed {seed}",
        args.cuts, args.who, args.mib
    );
    let content = bytes(args.mib * 1024 * 1024 + 12_345, 1);
    for (round, way) in [Way::Get, Way::Put].into_iter().enumerate() {
        let mut chance = Chance::of_round(seed, round as u64);
        if let Err(violation) = transfer(&content, way, &args, &mut chance) {
            eprintln!("VIOLATION in the {way:?}: {violation}\nseed {seed}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn client(server: &Server, cutting: &Cutting, way: Way, go_on: bool) -> Client {
    let client = server.client(ALICE).target(format!("alice@{}", cutting.address()));
    let verb = if way == Way::Get { "get" } else { "put" };
    client.args([verb]).args(go_on.then_some("-c")).args(["big"])
}

fn transfer(content: &[u8], way: Way, args: &Args, chance: &mut Chance) -> Result<(), String> {
    let mut server = Server::builder().top("durability = \"none\"").start();
    match way {
        Way::Get => server.write("alice/big", content),
        Way::Put => server.write_work("big", content),
    };
    let part = content.len() as f64 / (args.cuts + 1) as f64;
    let places = (0..args.cuts).map(|n| (part * (n as f64 + WITHIN * chance.fraction()) + part * 0.1) as u64);
    let places: Vec<u64> = places.collect();
    let after = places.iter().zip([0].iter().chain(&places)).map(|(place, before)| place - before);
    let resets = after.filter(|_| args.who == Who::Connection);
    let cutting = Cutting::new(server.address(), resets);

    let began = Instant::now();
    let mut running = client(&server, &cutting, way, false).spawn();
    for place in places.iter().filter(|_| args.who != Who::Connection) {
        if !cutting.wait_until_carried(*place) {
            return Err(format!("nothing came by before byte {place}: {}", running.wait().stderr));
        }
        if args.who == Who::Server {
            server.kill();
            server.restart();
        } else {
            running.kill();
            running = client(&server, &cutting, way, true).spawn();
        }
    }
    let ran = running.wait();
    let took = began.elapsed();
    if ran.code != 0 {
        return Err(format!("exit code {}: {}", ran.code, ran.stderr));
    }
    let there = if way == Way::Get { server.work() } else { server.home(ALICE) }.join("big");
    if fs::read(there).unwrap() != content {
        return Err("the file is another one".into());
    }
    let left = [stages(server.homes()), stages(server.work())].concat();
    if !left.is_empty() {
        return Err(format!("there still is {left:?}"));
    }
    let size = content.len() as u64;
    let went = if way == Way::Get { cutting.down() } else { cutting.up() };
    let once = size + size.div_ceil(BLOCK) * OF_BLOCK + cutting.connections() * OF_SESSION;
    let twice = went.saturating_sub(once);
    println!(
        "  {way:?}: {} connections, whole and right after {took:.1?}; {twice} bytes went twice, {} for each cut",
        cutting.connections(),
        twice / args.cuts.max(1),
    );
    let most = if args.who == Who::Connection { TWICE } else { TWICE_WHEN_KILLED };
    if twice > args.cuts * most {
        return Err(format!("that is more than {most} for each"));
    }
    Ok(())
}
