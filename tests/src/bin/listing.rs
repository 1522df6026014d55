//! Measures the listing of a large directory: time to its first line and to its last, and the memory of both ends.

#![allow(clippy::unwrap_used, reason = "in a measurement, whatever goes wrong ends it")]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use clap::Parser;
use e2e::{ALICE, Server, forget_peak, memory};

/// Measures `ls` of a large directory.
#[derive(Debug, Parser)]
struct Args {
    /// Files in the directory.
    #[arg(long, default_value_t = 1_000_000)]
    entries: usize,
    /// The long listing, `ls -l`.
    #[arg(short)]
    long: bool,
    /// Where the directory is.
    #[arg(long, default_value = "/dev/shm")]
    dir: PathBuf,
}

/// How often memory is looked at.
const SAMPLE: Duration = Duration::from_millis(10);

/// Lines of the client's output after which its memory is looked at.
const LINES: usize = 10_000;

fn main() -> ExitCode {
    let Args { entries, long, dir } = Args::parse();
    tempfile::env::override_temp_dir(&dir).unwrap();
    let server = Server::start();
    server.ftp(&["ls"]).ok(); // what the first listing costs is not what a large one costs
    fill(&server.home(ALICE).join("large"), entries);
    let before = memory(server.pid(), "VmRSS").unwrap();
    forget_peak(server.pid());

    let words: &[&str] = if long { &["ls", "-l", "large"] } else { &["ls", "large"] };
    let done = AtomicBool::new(false);
    let (listed, highest) = thread::scope(|scope| {
        let sampled = scope.spawn(|| sample(server.pid(), &done));
        let listed = list(&server, words);
        done.store(true, Ordering::Relaxed);
        (listed, sampled.join().unwrap())
    });
    let peak = memory(server.pid(), "VmHWM").unwrap();

    let mib = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
    println!("listing: {} of {entries} entries", words.join(" "));
    println!("  {:>8.3}  s to the first line", listed.first.as_secs_f64());
    println!("  {:>8.3}  s to the last", listed.last.as_secs_f64());
    println!(
        "  {:>8.1}  MiB that the server grew by at its peak (VmHWM; {:.1} as sampled)",
        mib(peak.saturating_sub(before)),
        mib(highest.saturating_sub(before))
    );
    println!("  {:>8.1}  MiB in use by the client at its peak", mib(listed.client));
    if listed.lines != entries {
        eprintln!("but {} entries were listed", listed.lines);
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn fill(directory: &Path, entries: usize) {
    fs::create_dir(directory).unwrap();
    for number in 0..entries {
        File::create(directory.join(format!("file-{number:07}"))).unwrap();
    }
}

struct Listed {
    first: Duration,
    last: Duration,
    lines: usize,
    /// Bytes that the client had in use at its peak.
    client: u64,
}

fn list(server: &Server, words: &[&str]) -> Listed {
    let began = Instant::now();
    let mut command = server.client(ALICE).args(words).command();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut listed = Listed { first: Duration::ZERO, last: Duration::ZERO, lines: 0, client: 0 };
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).unwrap() > 0 {
        if listed.lines == 0 {
            listed.first = began.elapsed();
        }
        listed.lines += 1;
        if listed.lines.is_multiple_of(LINES) {
            listed.client = memory(child.id(), "VmHWM").unwrap_or(listed.client);
        }
        line.clear();
    }
    assert!(child.wait().unwrap().success());
    listed.last = began.elapsed();
    listed
}

/// The most that a process has in use until all is done.
fn sample(pid: u32, done: &AtomicBool) -> u64 {
    let mut highest = 0;
    while !done.load(Ordering::Relaxed) {
        highest = highest.max(memory(pid, "VmRSS").unwrap_or(0));
        thread::sleep(SAMPLE);
    }
    highest
}
