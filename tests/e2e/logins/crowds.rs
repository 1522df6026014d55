//! Floods of connections and of logins, while somebody logs in.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use digest::Algorithm;
use e2e::{ALICE, BOB, Heard, Raw, Server, dear_hash, forget_peak, frame, memory, more_users};
use proto::{Command, Kind, Message, Preamble, Reply, Secret};

const MIB: u64 = 1 << 20;

/// Somebody's address, from which no flood comes.
const HOME: u32 = 1_000_000;

/// Ends an attack, also when a test fails: else it would never end.
struct Over<'a>(&'a Server, &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.1.store(true, Ordering::Relaxed);
        self.0.signal_end(); // and all who wait
    }
}

/// Somebody who knows the password gets in.
fn enters(server: &Server) -> Raw {
    Raw::connect_from(HOME, server.address()).greet().log_in(BOB)
}

#[test]
fn silent_connections_keep_nobody_out() {
    let server = Server::builder().limit("half_open = 20").start();
    let mut before = enters(&server);
    for addresses in [1, 500] {
        let mut flood = Vec::new();
        for number in 0..500_u32 {
            flood.push(Raw::connect_from(number % addresses, server.address()));
            if number % 100 == 50 {
                enters(&server);
            }
        }
        // Of the 20 that are left all others are older.
        for closed in &mut flood[..480] {
            closed.preamble();
            let Heard::Message(Message::Reply(Reply::Refused(words))) = closed.hear() else {
                panic!("no last words")
            };
            assert_eq!(words.kind, Kind::Limit, "{words}");
            assert_eq!(closed.hear(), Heard::End);
        }
        enters(&server);
        flood.pop().unwrap().greet();
    }
    assert_eq!(before.ask(Command::Pwd), Reply::Directory { path: b"/".to_vec() });
    server.log().wait_for_all(&["too many connections that are not logged in", "most_from=127.128.0.1"]);
    let told = server.log().count(&["too many connections that are not logged in"]);
    assert!(told < 50, "{told} lines tell of a thousand connections");
}

#[test]
fn connections_without_end_cost_no_descriptors_without_end() {
    let server = Server::builder().limit("half_open = 100").start();
    let mut flood: Vec<Raw> = (0..1000).map(|_| server.connect()).collect();
    flood.last_mut().unwrap().say(b"f");
    enters(&server); // in order: all that came before were accepted
    for closed in &mut flood[..900] {
        closed.rest();
    }
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count();
    assert!(open < 100 + 50, "{open} descriptors");
}

#[test]
fn without_descriptors_the_silent_make_room() {
    let server = Server::builder().limit("half_open = 1000").start();
    let mut bystander = enters(&server);
    let status = std::process::Command::new("prlimit")
        .args(["--nofile=60:60", "--pid", &server.pid().to_string()])
        .status();
    assert!(status.unwrap().success());
    let flood: Vec<Raw> = (0..300).map(|_| server.connect()).collect();
    enters(&server);
    assert_eq!(bystander.ask(Command::Pwd), Reply::Directory { path: b"/".to_vec() });
    drop(flood);
}

#[test]
fn bad_logins_in_parallel_keep_nobody_out() {
    const AT_ONCE: u32 = 100;
    let server = Server::builder().top(&more_users(10, &dear_hash("x"))).start();
    drop(enters(&server));
    forget_peak(server.pid());
    let before = memory(server.pid(), "VmHWM").unwrap();
    let over = AtomicBool::new(false);
    let refused = AtomicUsize::new(0);
    let hello = frame(&Message::Command(Command::Hello { client: "e2e".into() }));
    // The name that logs in, whose hash is cheap here, and one that nobody has, which takes 19 MiB.
    let ahead = [BOB.name, "nobody"].map(|user| {
        let login = Command::Login { user: user.into(), password: Secret::new("wrong".into()) };
        let three = frame(&Message::Command(login)).repeat(3);
        [Preamble::new(&[Algorithm::Md5]).encode().to_vec(), hello.clone(), three].concat()
    });
    thread::scope(|scope| {
        for number in 0..AT_ONCE {
            let (server, over, refused, ahead) = (&server, &over, &refused, &ahead);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let Ok(mut raw) = Raw::try_connect_from(number % 10, server.address()) else { return };
                    if raw.try_say(&ahead[number as usize / 10 % 2]).is_ok() && !raw.rest().is_empty() {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let _over = Over(&server, &over);
        // The name that is guessed at, from another address, while all of them wait.
        for _ in 0..5 {
            drop(enters(&server));
        }
        // And from one of theirs, but under a name that is not guessed at.
        drop(Raw::connect_from(3, server.address()).greet().log_in(ALICE));
        let peak = memory(server.pid(), "VmHWM").unwrap();
        // Two hashes of 19 MiB, and what the allocator keeps; a hundred of them are 1900.
        assert!(peak < before + 128 * MIB, "memory grew from {before} to {peak} bytes");
    });
    assert!(refused.into_inner() > 0, "nobody was attacking");
}

#[test]
fn a_byte_a_second_is_no_way_to_stay() {
    let server = Server::builder().limit("login_deadline = \"3s\"").limit("half_open = 50").start();
    let hello = frame(&Message::Command(Command::Hello { client: "e2e".into() }));
    let all = [Preamble::new(&[Algorithm::Md5]).encode().to_vec(), hello.repeat(100)].concat();
    let mut raw = server.connect();
    let (stop, stopped) = channel::<()>();
    let mut hand = raw.hand();
    let dribbling = thread::spawn(move || {
        for byte in all {
            // The pace is the attack: never silent for long, never done.
            if stopped.recv_timeout(Duration::from_millis(500)) != Err(RecvTimeoutError::Timeout)
                || hand.try_say(&[byte]).is_err()
            {
                return;
            }
        }
    });
    let said = raw.rest();
    drop(stop);
    dribbling.join().unwrap();
    let words = b"nobody logged in within the time for it";
    assert!(said.windows(words.len()).any(|part| part == words), "{:?}", String::from_utf8_lossy(&said));
    enters(&server);
}
