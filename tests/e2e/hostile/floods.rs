//! More than is meet: commands sent ahead without end, sessions without number.

use std::thread;

use e2e::{ALICE, BOB, Heard, Raw, Server, bytes, dear_hash, forget_peak, frame, memory, more_users};
use proto::{Command, Kind, Message, Reply};

use super::{Bystander, last_words};

const MIB: u64 = 1 << 20;

fn list() -> Vec<u8> {
    frame(&Message::Command(Command::List { path: b"many".to_vec() }))
}

#[test]
fn ten_thousand_commands_whose_replies_nobody_reads_cost_little() {
    let server = Server::builder().limit("stall = \"2s\"").start();
    (0..2000).for_each(|number| drop(server.write(&format!("alice/many/{number:0>100}"), b"")));
    let mut bystander = Bystander::of(&server);
    let raw = server.logged_in(ALICE);
    // Once as it should be, so that what the program itself takes for it is there before.
    server.ftp(&["ls", "many"]).ok();
    bystander.goes_on();
    forget_peak(server.pid());
    let before = memory(server.pid(), "VmHWM").unwrap();
    let ahead = list().repeat(10_000);
    let mut hand = raw.hand();
    let flood = thread::spawn(move || drop(hand.try_say(&ahead)));
    bystander.goes_on();
    // The replies, 250 KiB each, are read by nobody. When no more fits on the way, the server gives up.
    server.log().wait_for_all(&["verb=\"list\"", "nothing moved for 2 s"]);
    let peak = memory(server.pid(), "VmHWM").unwrap();
    assert!(peak < before + 16 * MIB, "memory grew from {before} to {peak} bytes");
    bystander.goes_on();
    drop(raw);
    flood.join().unwrap();
}

#[test]
fn ten_thousand_commands_sent_ahead_are_all_answered_in_order() {
    let server = Server::start();
    server.write("alice/file", b"");
    let mut raw = server.logged_in(ALICE);
    let (there, away) =
        (Command::Stat { path: b"file".to_vec() }, Command::Stat { path: b"missing".to_vec() });
    let pair = [
        frame(&Message::Command(there)),
        frame(&Message::Command(away)),
        frame(&Message::Command(Command::Pwd)),
    ]
    .concat();
    let mut hand = raw.hand();
    let ahead = thread::spawn(move || hand.say(&pair.repeat(3_334)));
    for number in 0..3_334 {
        let replies = (raw.reply(), raw.reply(), raw.reply());
        let right = matches!(&replies, (Reply::Entry(_), Reply::Refused(away), Reply::Directory { .. }) if away.kind == Kind::NotFound);
        assert!(right, "{number}: {replies:?}");
    }
    ahead.join().unwrap();
    assert_eq!(raw.ask(Command::Quit), Reply::Goodbye);
    assert_eq!(raw.hear(), Heard::End);
}

#[test]
fn a_thousand_files_asked_for_ahead_come_in_order() {
    let server = Server::start();
    (0..10).for_each(|number| {
        drop(server.write(&format!("alice/{number}"), bytes(number * 9_000, number as u64)))
    });
    let mut raw = server.logged_in(ALICE);
    let get = |number: usize| {
        let path = if number.is_multiple_of(7) { "missing".to_owned() } else { (number % 10).to_string() };
        frame(&Message::Command(Command::Get { path: path.into(), first_block: 0 }))
    };
    let ahead: Vec<u8> = (0..1_000).flat_map(get).collect();
    raw.say(&ahead);
    for number in 0..1_000_usize {
        let wanted = if number.is_multiple_of(7) {
            Err(Kind::NotFound)
        } else {
            Ok(bytes(number % 10 * 9_000, (number % 10) as u64))
        };
        assert!(raw.file().map_err(|failure| failure.kind) == wanted, "file {number}");
    }
}

#[test]
fn wrong_logins_by_the_dozen_take_the_memory_of_two() {
    const MOST: u64 = 128 * MIB; // two hashes of 19 MiB, and what the allocator keeps; forty of them are 760
    let server = Server::builder().top(&more_users(10, &dear_hash("x"))).start();
    let mut bystander = Bystander::of(&server);
    forget_peak(server.pid());
    let before = memory(server.pid(), "VmHWM").unwrap();
    // From addresses of their own: one address would wait longer and longer between its attempts.
    let greeted = |number| Raw::connect_from(number, server.address()).greet();
    let mut strangers: Vec<Raw> = (0..40).map(greeted).collect();
    strangers.iter_mut().for_each(|stranger| stranger.send_login("nobody", "wrong"));
    bystander.goes_on();
    server.ftp(&["pwd"]).ok(); // who knows the password gets in, in turn
    for mut stranger in strangers {
        assert_eq!(stranger.refusal().kind, Kind::Login);
    }
    let peak = memory(server.pid(), "VmHWM").unwrap();
    assert!(peak < before + MOST, "memory grew from {before} to {peak} bytes");
}

#[test]
fn a_session_too_many_is_refused_by_kind_and_the_others_go_on() {
    let server = Server::builder().limit("sessions_per_address = 2").start();
    let mut bystander = Bystander::of(&server);
    let mut second = server.logged_in(ALICE);
    for _ in 0..3 {
        let mut third = server.connect();
        assert_eq!(third.preamble().digests, 0);
        last_words(&mut third, Kind::Limit, "a third session");
    }
    server.log().wait_for_nth(3, &["turned away", "too many sessions"]);
    server.client(BOB).args(["ls"]).run().fails(3).told("too many sessions are open");
    bystander.goes_on();
    assert_eq!(second.ask(Command::Quit), Reply::Goodbye);
    drop(second);
    // Its place is free once the server has heard its end.
    while server.client(BOB).args(["ls"]).run().code == 3 {}
    bystander.goes_on();
}

#[test]
fn sessions_in_all_are_bounded_too() {
    let server = Server::builder().limit("sessions = 1").start();
    let mut bystander = Bystander::of(&server);
    server.client(ALICE).args(["ls"]).run().fails(3).told("too many sessions are open");
    bystander.goes_on();
}
