//! Measures what a stranger gets who guesses: whether time or words tell a wrong name from a wrong password, and whether floods
//! of logins or of silent connections keep somebody out who knows the password.

#![allow(clippy::unwrap_used, reason = "in a measurement, whatever goes wrong ends it")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use digest::Algorithm;
use e2e::{Raw, Server, User, dear_hash, forget_peak, frame, memory, more_users};
use proto::{Command, Message, Preamble, Reply, Secret};

/// Measures what a stranger gets who guesses.
#[derive(Debug, Parser)]
struct Args {
    /// Wrong names and wrong passwords to try, of each so many.
    #[arg(long, default_value_t = 200)]
    tries: u32,
    /// Bad logins at the same time, while somebody logs in.
    #[arg(long, default_value_t = 0)]
    flood: u32,
    /// Connections that say nothing, while somebody logs in.
    #[arg(long, default_value_t = 0)]
    half_open: u32,
    /// Addresses from which a flood comes.
    #[arg(long, default_value_t = 1)]
    addresses: u32,
    /// Logins of somebody who knows the password.
    #[arg(long, default_value_t = 10)]
    logins: u32,
}

/// Who knows the password.
const REAL: User = User { name: "real", password: "marble-8812-real", access: "write", quota: None };

/// Where from, by number: no flood comes from there.
const HOME: u32 = 4_000_000;

const MIB: f64 = 1024.0 * 1024.0;

fn main() -> ExitCode {
    let args = Args::parse();
    let good = match (args.flood, args.half_open) {
        (0, 0) => guess(args.tries),
        (0, many) => half_open(&args, many),
        (many, _) => flood(&args, many),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A server with REAL and `users` others, whose passwords are hashed at the usual cost.
fn server(users: u32) -> Server {
    let hash = dear_hash(REAL.password);
    let real = format!("[users.real]\npassword = \"{hash}\"\nhome = \"homes/alice\"\naccess = \"write\"\n");
    // At least as many as the harness has of its own, or a password of nobody would cost what theirs cost.
    Server::builder().top(&(more_users(users.max(10), &hash) + &real)).start()
}

/// Wrong names and wrong passwords in turn, each by another stranger: nothing but the hash takes time.
fn guess(tries: u32) -> bool {
    let server = server(tries);
    let (mut names, mut passwords) = (Vec::new(), Vec::new());
    let mut words = Vec::new();
    for number in 0..tries {
        for (times, name, from) in [(&mut names, "nobody", 0), (&mut passwords, "user", 1)] {
            let mut stranger = Raw::connect_from(2 * number + from, server.address()).greet();
            let began = Instant::now();
            stranger.send_login(&format!("{name}-{number}"), "wrong");
            let refusal = stranger.refusal();
            times.push(began.elapsed());
            words.push(frame(&Message::Reply(Reply::Refused(refusal))));
        }
    }
    let (name, password) = (median(&mut names), median(&mut passwords));
    let apart = (name.as_secs_f64() / password.as_secs_f64() - 1.0) * 100.0;
    words.dedup();
    println!("guesses: {tries} wrong names, {tries} wrong passwords");
    println!("  {name:>10.2?}  a wrong name takes (median)");
    println!("  {password:>10.2?}  a wrong password takes (median): {apart:+.1} %");
    println!("  {:>10}  reply, byte by byte, to all of them", words.len());
    words.len() == 1
}

/// Bad logins without end, while REAL logs in.
fn flood(args: &Args, many: u32) -> bool {
    let server = server(0);
    drop(Raw::connect_from(HOME, server.address()).greet().log_in(REAL));
    let rest = memory(server.pid(), "VmRSS").unwrap();
    forget_peak(server.pid());
    let over = AtomicBool::new(false);
    let (answered, closed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let bad = logins_of(REAL.name, "no", 3);
    let attack = |number: u32| {
        while !over.load(Ordering::Relaxed) {
            let Ok(mut raw) = Raw::try_connect_from(number % args.addresses, server.address()) else {
                return;
            };
            if raw.try_say(&bad).is_ok() {
                // The server's preamble, its greeting, three refusals; or the words of one that had to go.
                let whole = raw.rest().windows(5).filter(|part| *part == b"wrong").count();
                if whole > 0 { &answered } else { &closed }.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let (times, peak) = thread::scope(|scope| {
        for number in 0..many {
            let attack = &attack;
            scope.spawn(move || attack(number));
        }
        let times = logins(args, &server);
        let peak = memory(server.pid(), "VmHWM").unwrap();
        over.store(true, Ordering::Relaxed);
        server.signal_end(); // and the strangers with it
        (times, peak)
    });
    let from = args.addresses;
    println!("guesses: {many} bad logins at a time from {from} addresses, for the name that really logs in");
    told(times);
    println!("  {:>7.0} MiB  of the server at its peak, {:.0} before", peak as f64 / MIB, rest as f64 / MIB);
    println!("  {answered:?} sessions of bad logins answered, {closed:?} closed or unanswered");
    true
}

/// All that leads to a login, and so many tries of it.
fn logins_of(name: &str, password: &str, tries: usize) -> Vec<u8> {
    let login = Command::Login { user: name.into(), password: Secret::new(password.into()) };
    let mut bytes = Preamble::new(&[Algorithm::Md5]).encode().to_vec();
    bytes.extend(frame(&Message::Command(Command::Hello { client: "guesses".into() })));
    bytes.extend(frame(&Message::Command(login)).repeat(tries));
    bytes
}

/// Connections that say nothing, while REAL logs in.
fn half_open(args: &Args, many: u32) -> bool {
    let server = server(0);
    drop(Raw::connect_from(HOME, server.address()).greet().log_in(REAL));
    let rest = memory(server.pid(), "VmRSS").unwrap();
    forget_peak(server.pid());
    let opened = AtomicUsize::new(0);
    let (times, held) = thread::scope(|scope| {
        let opening = (0..4).map(|part| {
            let (server, opened) = (&server, &opened);
            scope.spawn(move || {
                let open = |number| {
                    opened.fetch_add(1, Ordering::Relaxed);
                    Raw::connect_from(number % args.addresses, server.address())
                };
                (part..many).step_by(4).map(open).collect::<Vec<_>>()
            })
        });
        let opening: Vec<_> = opening.collect();
        let mut times = logins(args, &server);
        let meanwhile = opened.load(Ordering::Relaxed);
        let held: Vec<Raw> = opening.into_iter().flat_map(|opening| opening.join().unwrap()).collect();
        times.extend(logins(args, &server));
        ((times, meanwhile), held)
    });
    let (times, meanwhile) = times;
    println!("guesses: {} connections that say nothing, from {} addresses", held.len(), args.addresses);
    println!("  {meanwhile:>7}  of them were opened during the first half of the logins");
    told(times);
    let peak = memory(server.pid(), "VmHWM").unwrap();
    println!("  {:>7.0} MiB  of the server at its peak, {:.0} before", peak as f64 / MIB, rest as f64 / MIB);
    true
}

/// How long REAL's logins take, from the connection to the last word; who has to go comes again, and that takes time, too.
fn logins(args: &Args, server: &Server) -> Vec<Duration> {
    let ahead = [logins_of(REAL.name, REAL.password, 1), frame(&Message::Command(Command::Quit))].concat();
    let goodbye = frame(&Message::Reply(Reply::Goodbye));
    let login = |_| {
        let began = Instant::now();
        loop {
            let mut raw = Raw::connect_from(HOME, server.address());
            if raw.try_say(&ahead).is_ok() && raw.rest().ends_with(&goodbye) {
                return began.elapsed();
            }
            println!("  a real login had to come again");
            thread::sleep(Duration::from_millis(500)); // no flood, but somebody who tries once more
        }
    };
    (0..args.logins).map(login).collect()
}

fn told(mut times: Vec<Duration>) {
    let middle = median(&mut times);
    println!("  {middle:>10.2?}  a real login takes (median), {:.2?} the longest", times.last().unwrap());
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
