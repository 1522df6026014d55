//! Measures many clients at once, each a process of its own, beside one client that moves the same bytes: how fast they are
//! together, how fairly they are served, and what the server needs for them. Every file is compared with what it should be.

#![allow(clippy::unwrap_used, reason = "in a measurement, whatever goes wrong ends it")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use e2e::{ALICE, Client, DEADLINE, Running, Server, bytes, forget_peak, memory};
use rustix::fs::{CWD, FileType, Mode, mknodat};

const MIB: usize = 1024 * 1024;

/// Measures many clients at once beside one that moves the same bytes.
#[derive(Debug, Parser)]
struct Args {
    /// Clients at once.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1000))]
    clients: u64,
    /// MiB of the file that each gets, and then puts.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..))]
    mib: u64,
    /// How often, one client and all of them by turns.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Without TLS.
    #[arg(long)]
    plain: bool,
    /// Where server and clients have their files: twice as many bytes as are moved one way.
    #[arg(long, default_value = "/dev/shm")]
    dir: PathBuf,
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Get,
    Put,
}

/// What a number of clients took for all files, one way.
#[derive(Debug, Default)]
struct Taken {
    /// From the start, of many from when all have started and wait for their passwords, to the last end; of each round.
    whole: Vec<Duration>,
    /// The slowest client and the fastest, of each round: those of different rounds have not met.
    extremes: Vec<(Duration, Duration)>,
    /// The most that the server's memory was, of each round.
    peaks: Vec<u64>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    tempfile::env::override_temp_dir(&args.dir).unwrap();
    let Args { clients, mib, rounds, plain, .. } = args;
    let most = clients + 1;
    let builder = if plain { Server::builder() } else { Server::builder().tls() };
    let builder = builder.dear().limit(&format!("sessions = {most}"));
    let server = builder.limit(&format!("sessions_per_address = {most}")).start();
    let (home, work) = (server.home(ALICE), server.work());
    for number in 0..clients {
        // One copy is enough: neither side changes what it sends.
        write(&work.join(own(number)), number, mib);
        fs::hard_link(work.join(own(number)), home.join(own(number))).unwrap();
    }
    // The first of all may trust the server, and its password is hashed; that is nothing to be measured.
    client(&server, plain).args(["pwd"]).run().ok();

    let on = if plain { "plain" } else { "TLS" };
    println!("crowd: {clients} clients, {mib} MiB each, {on}; {rounds} rounds, one client and all by turns");
    let (mut before, mut after) = (None, 0);
    for (way, said) in [(Way::Get, "get"), (Way::Put, "put")] {
        let (mut one, mut all) = (Taken::default(), Taken::default());
        for _ in 0..rounds {
            for (taken, crowd) in [(&mut one, false), (&mut all, true)] {
                measure(&server, &args, way, crowd, taken);
                if let Err(wrong) = compare(&home, &work, way, clients) {
                    eprintln!("VIOLATION: {said}: {wrong}");
                    return ExitCode::FAILURE;
                }
            }
        }
        let rate =
            |taken: &Taken| (clients * mib) as f64 * MIB as f64 / 1e6 / median(&taken.whole).as_secs_f64();
        let (alone, together) = (rate(&one), rate(&all));
        let ratio =
            |&(slowest, fastest): &(Duration, Duration)| slowest.as_secs_f64() / fastest.as_secs_f64();
        let worst = all.extremes.iter().max_by(|a, b| ratio(a).total_cmp(&ratio(b))).unwrap();
        println!(
            "  {said}  one client {alone:>6.0} MB/s   all {together:>6.0} MB/s, {:.2} ×",
            together / alone
        );
        println!(
            "       slowest of them {:.3} s, fastest {:.3} s, {:.2} ×, in the round where they were furthest apart",
            worst.0.as_secs_f64(),
            worst.1.as_secs_f64(),
            ratio(worst)
        );
        after = all.peaks.iter().copied().fold(after, u64::max);
        before = before.or(one.peaks.first().copied());
    }
    let mib = |bytes: u64| bytes as f64 / MIB as f64;
    let (before, after) = (mib(before.unwrap_or_default()), mib(after));
    println!(
        "  the server's peak memory: {before:.1} MiB with one client, before all came; {after:.1} MiB with all (VmHWM)"
    );
    ExitCode::SUCCESS
}

fn own(number: u64) -> String {
    format!("own-{number}")
}

fn moved(number: u64) -> String {
    format!("moved-{number}")
}

fn client(server: &Server, plain: bool) -> Client {
    let client = server.client(ALICE).option("--quiet");
    if plain { client } else { client.option("--trust").option("new") }
}

/// Has all clients at once, or one of them, move all files.
fn measure(server: &Server, args: &Args, way: Way, crowd: bool, taken: &mut Taken) {
    let verb = if way == Way::Get { "get" } else { "put" };
    let line = |number: u64| [verb.to_owned(), own(number), moved(number)];
    forget_peak(server.pid());
    let mut began = Instant::now();
    if crowd {
        let gates = tempfile::tempdir().unwrap();
        let waiting: Vec<_> = (0..args.clients)
            .map(|number| {
                let gate = gates.path().join(number.to_string());
                mknodat(CWD, &gate, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
                let client =
                    client(server, args.plain).password(None).option("--password-file").option(&gate);
                (client.args(line(number)).spawn(), gate)
            })
            .collect();
        // What one of them gains while others are still being started would say nothing of the server.
        let ready: Vec<(Running, File)> =
            waiting.into_iter().map(|(client, gate)| (client, open(gate))).collect();
        began = Instant::now();
        let each = thread::scope(|scope| {
            let let_in = |(client, mut gate): (Running, File)| {
                writeln!(gate, "{}", ALICE.password).unwrap();
                scope.spawn(move || {
                    client.wait().ok();
                    began.elapsed()
                })
            };
            let all: Vec<_> = ready.into_iter().map(let_in).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        taken.extremes.push((*each.iter().max().unwrap(), *each.iter().min().unwrap()));
    } else {
        let batch: String = (0..args.clients).map(|number| line(number).join(" ") + "\n").collect();
        client(server, args.plain).option("-b").option("-").stdin(batch).run().ok();
    }
    taken.whole.push(began.elapsed());
    taken.peaks.push(memory(server.pid(), "VmHWM").unwrap());
}

/// The pipe `gate`, once its reader has opened it.
fn open(gate: PathBuf) -> File {
    let (opened, gates) = channel();
    thread::spawn(move || opened.send(File::options().write(true).open(gate).unwrap()));
    gates.recv_timeout(DEADLINE).expect("a client reads its password")
}

/// Of an even number the later one of the two in the middle.
fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

/// Writes a file that is like no other one's, in any of its MiB.
fn write(path: &Path, number: u64, mib: u64) {
    let mut piece = bytes(MIB, number);
    let mut file = File::create(path).unwrap();
    for at in 0..mib {
        piece[..8].copy_from_slice(&at.to_le_bytes());
        file.write_all(&piece).unwrap();
    }
}

/// Holds what arrived against what was sent, and removes it.
fn compare(home: &Path, work: &Path, way: Way, clients: u64) -> Result<(), String> {
    let there = if way == Way::Get { work } else { home };
    for number in 0..clients {
        let (sent, arrived) = (work.join(own(number)), there.join(moved(number)));
        if !same(&sent, &arrived) {
            return Err(format!("{} is not {}", arrived.display(), sent.display()));
        }
        fs::remove_file(arrived).unwrap();
    }
    Ok(())
}

fn same(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(|path| File::open(path).unwrap());
    if one.metadata().unwrap().len() != other.metadata().unwrap().len() {
        return false;
    }
    let (mut here, mut there) = (Vec::new(), Vec::new());
    let (mut one, mut other) = (one, other);
    loop {
        for (file, into) in [(&mut one, &mut here), (&mut other, &mut there)] {
            into.clear();
            file.take(MIB as u64).read_to_end(into).unwrap();
        }
        if here != there {
            return false;
        }
        if here.is_empty() {
            return true;
        }
    }
}
