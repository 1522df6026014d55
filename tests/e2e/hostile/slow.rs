//! Peers that take their time. The limits are short here, so that they are met; how short is not measured.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use digest::Algorithm;
use e2e::{ALICE, Raw, Server, Watch, bytes, data_frame, frame};
use proto::{Command, Kind, Message, Preamble, Reply};

use super::{Bystander, last_words};

/// Runs `attack`, while a session that was there before goes on asking all the time, and holds that it is served.
fn beside_a_bystander(server: &Server, attack: impl FnOnce()) {
    let mut bystander = Bystander::of(server);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let served = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                bystander.goes_on();
            }
        });
        let _over = Over(&over);
        attack();
        over.store(true, Ordering::Relaxed);
        served.join().unwrap();
    });
}

/// Ends the bystander's work also when the attack panics.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends a byte every tenth of a second until the server hangs up: the pace is the attack.
fn dribble(server: &Server, mut raw: Raw, bytes: &'static [u8]) {
    let (stop, stopped) = channel::<()>();
    let mut hand = raw.hand();
    let dribbling = thread::spawn(move || {
        for byte in bytes.iter().cycle() {
            if stopped.recv_timeout(Duration::from_millis(100))
                != Err(std::sync::mpsc::RecvTimeoutError::Timeout)
                || hand.try_say(&[*byte]).is_err()
            {
                return;
            }
        }
    });
    last_words(&mut raw, Kind::TimedOut, "a byte at a time");
    drop(stop);
    dribbling.join().unwrap();
    server.log().wait_for_all(&["session ended", "nothing moved for 1 s"]);
}

#[test]
fn a_frame_that_comes_byte_by_byte_is_given_up() {
    let server = Server::builder().limit("stall = \"1s\"").start();
    beside_a_bystander(&server, || {
        let mut raw = server.logged_in(ALICE);
        raw.say(&[100, 0, 0, 0, 1]);
        dribble(&server, raw, b"\x06\x60x");
    });
}

#[test]
fn a_put_that_comes_byte_by_byte_is_given_up_and_leaves_nothing() {
    let server = Server::builder().limit("stall = \"1s\"").start();
    server.write("alice/file", b"old");
    beside_a_bystander(&server, || {
        let watch = Watch::new(server.home(ALICE));
        let mut raw = server.logged_in(ALICE);
        raw.tell(&Message::Command(Command::Put { path: b"file".to_vec(), size: 1 << 20 }));
        watch.wait_for_stage();
        raw.say(&data_frame(&[7; 65_536])[..10]);
        dribble(&server, raw, b"x");
        watch.wait_for_no_stage();
    });
    assert_eq!(server.read("alice/file"), b"old");
}

#[test]
fn a_put_without_data_is_given_up() {
    let server = Server::builder().limit("stall = \"1s\"").start();
    beside_a_bystander(&server, || {
        let mut raw = server.logged_in(ALICE);
        raw.tell(&Message::Command(Command::Put { path: b"file".to_vec(), size: 3 }));
        last_words(&mut raw, Kind::TimedOut, "no data");
        Watch::new(server.home(ALICE)).wait_for_no_stage();
    });
}

#[test]
fn a_preamble_that_does_not_come_is_given_up() {
    let server = Server::builder().limit("stall = \"1s\"").start();
    beside_a_bystander(&server, || {
        for begun in [&b""[..], b"f", b"ftpd/1\r\n\x01\0"] {
            let mut raw = server.connect();
            raw.say(begun);
            let said = raw.rest();
            assert!(!said.is_empty(), "it hangs up without a word");
        }
        server.log().wait_for_nth(3, &["session ended", "nothing moved for 1 s"]);
    });
}

#[test]
fn a_login_that_does_not_come_is_given_up_whatever_comes_instead() {
    let server = Server::builder().limit("login_deadline = \"2s\"").start();
    beside_a_bystander(&server, || {
        let mut silent = Raw::greeted(server.address());
        last_words(&mut silent, Kind::TimedOut, "no login");
        let mut half = server.connect();
        half.say(&Preamble::new(&[Algorithm::Md5]).encode());
        half.preamble();
        last_words(&mut half, Kind::TimedOut, "no hello");
        server.log().wait_for_nth(2, &["session ended", "nobody logged in within the time for it"]);
    });
}

#[test]
fn a_session_that_idles_is_ended() {
    let server = Server::builder().limit("idle = \"3s\"").start();
    beside_a_bystander(&server, || {
        let mut raw = server.logged_in(ALICE);
        assert_eq!(raw.ask(Command::Pwd), Reply::Directory { path: b"/".to_vec() });
        last_words(&mut raw, Kind::TimedOut, "idle");
        server.log().wait_for_all(&["session ended", "nothing was heard for 3 s"]);
    });
}

#[test]
fn a_get_that_nobody_reads_is_given_up() {
    let server = Server::builder().limit("stall = \"1s\"").start();
    server.write("alice/big", bytes(64 << 20, 1)); // fits into no buffer
    beside_a_bystander(&server, || {
        let mut raw = server.logged_in(ALICE);
        raw.say(&frame(&Message::Command(Command::Get { path: b"big".to_vec(), first_block: 0 })));
        server.log().wait_for_all(&["verb=\"get\"", "path=\"big\"", "nothing moved for 1 s"]);
        drop(raw);
    });
}
