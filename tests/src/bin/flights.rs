//! Measures what small files cost the server, when a client asks for them, or brings them, in one flight.

#![allow(clippy::unwrap_used, reason = "in a measurement, whatever goes wrong ends it")]

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{fs, thread};

use clap::Parser;
use digest::Algorithm;
use e2e::{ALICE, Server, bytes, data_frame, end, frame};
use proto::{Command, Decoded, End, Frame, HEAD, Head, Message, Reply, Side, Time, Type};

/// Measures gets and puts of many small files on one connection.
#[derive(Debug, Parser)]
struct Args {
    /// Files.
    #[arg(long, default_value_t = 10_000)]
    files: usize,
    /// Bytes of each.
    #[arg(long, default_value_t = 4096)]
    size: usize,
    /// How often.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where the homes are.
    #[arg(long, default_value = "/dev/shm")]
    dir: PathBuf,
    /// Under TLS.
    #[arg(long)]
    tls: bool,
    /// Leaves the log out.
    #[arg(long)]
    silent: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    tempfile::env::override_temp_dir(&args.dir).unwrap();
    let mut builder = Server::builder();
    if args.tls {
        builder = builder.tls();
    }
    if args.silent {
        builder = builder.variable("RUST_LOG", "warn");
    }
    let server = builder.start();
    let content = bytes(args.size, 1);
    let path = |number: usize| format!("tree/{}/file-{number:05}", number % 10).into_bytes();
    for round in 0..args.rounds {
        fs::remove_dir_all(server.home(ALICE).join("tree")).ok();
        for number in 0..10 {
            fs::create_dir_all(server.home(ALICE).join(format!("tree/{number}"))).unwrap();
        }
        let mut said = Vec::new();
        for number in 0..args.files {
            said.extend(frame(&Message::Command(Command::Put {
                path: path(number),
                size: args.size as u64,
            })));
            content.chunks(65_536).for_each(|block| said.extend(data_frame(block)));
            let modified = Some(Time { seconds: 1_400_000_000, nanoseconds: 0 });
            said.extend(frame(&Message::End(End { modified, mode: Some(0o644), ..end(&content) })));
        }
        measure(&server, &format!("put {round}"), &said, args.files, Type::Reply);
        let mut said = Vec::new();
        for number in 0..args.files {
            said.extend(frame(&Message::Command(Command::Get { path: path(number), first_block: 0 })));
        }
        measure(&server, &format!("get {round}"), &said, args.files, Type::End);
    }
    ExitCode::SUCCESS
}

/// Says all, and hears until so many frames of a type have come.
fn measure(server: &Server, what: &str, said: &[u8], count: usize, awaited: Type) {
    let mut raw = server.logged_in(ALICE);
    let mut hand = raw.hand();
    let (began, before) = (Instant::now(), used(server.pid()));
    thread::scope(|scope| {
        scope.spawn(move || said.chunks(256 * 1024).for_each(|piece| hand.say(piece)));
        let (mut came, mut heard) = (0, Vec::new());
        while came < count {
            raw.hear_some(&mut heard);
            let mut at = 0;
            while let Decoded::Message(head, HEAD) = Head::decode(&heard[at..], Side::Server, Algorithm::Md5)
            {
                let Some(bytes) = heard.get(at..at + HEAD + head.len) else { break };
                if head.kind == Type::Reply {
                    let decoded = Frame::decode(bytes, Side::Server, Algorithm::Md5);
                    let refused = matches!(
                        decoded,
                        Decoded::Message(Frame::Message(Message::Reply(Reply::Refused(_))), _)
                    );
                    assert!(!refused, "{decoded:?}");
                }
                came += usize::from(head.kind == awaited);
                at += HEAD + head.len;
            }
            heard.drain(..at);
        }
    });
    let (took, used) = (began.elapsed(), used(server.pid()) - before);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{what}: {:.3} s, {:.1} µs a file; the server's processors {:.1} µs a file",
        took.as_secs_f64(),
        each(took),
        each(used)
    )
    .unwrap();
}

/// Processor time of a process so far.
fn used(pid: u32) -> Duration {
    let mut total = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let Ok(stat) = fs::read_to_string(task.unwrap().path().join("schedstat")) else { continue };
        total += stat.split(' ').next().unwrap().parse::<u64>().unwrap();
    }
    Duration::from_nanos(total)
}
