//! Lines that are too long, hold what no line holds, come ten thousand at once, or come when they should not.

use std::thread;

use e2e::{ALICE, BOB, CAROL, Control, Server, forget_peak, memory};

use super::{logged_in, server, server_with};

const MIB: u64 = 1 << 20;

#[test]
fn a_line_of_64_mib_before_the_login_costs_nothing_and_ends_only_its_session() {
    let (server, address) = server();
    let mut bystander = logged_in(address, ALICE);
    Control::connect(address).told("NOOP", 200); // once as it should be
    forget_peak(server.pid());
    let before = memory(server.pid(), "VmHWM").unwrap();
    let mut control = Control::connect(address);
    let piece = vec![b'x'; MIB as usize];
    let said = (0..64).take_while(|_| control.try_say(&piece).is_ok()).count();
    assert!(said < 64, "it is not heard to its end");
    server.log().wait_for_all(&["session ended", "That line has no end"]);
    let peak = memory(server.pid(), "VmHWM").unwrap();
    assert!(peak < before + 8 * MIB, "memory grew from {before} to {peak} bytes");
    bystander.told("NOOP", 200);
}

#[test]
fn who_ends_lines_with_cr_alone_has_no_password_in_the_log() {
    let (server, address) = server();
    let mut control = Control::connect(address);
    control.say_bytes(format!("USER alice\rPASS {}\rQUIT\r\n", ALICE.password).as_bytes());
    control.hears(500);
    control.told("QUIT", 221);
    server.log().wait_for("session ended");
    server.log().check();
}

#[test]
fn lines_that_cannot_be_commands_are_told_and_the_session_goes_on() {
    let (_server, address) = server();
    let mut control = logged_in(address, ALICE);
    control.say_bytes(&[&b"MKD "[..], &[b'x'; 9000], b"\r\n"].concat());
    control.hears(500);
    control.say_bytes(b"MKD a\0b\r\n");
    control.hears(500);
    control.say_bytes(b"MKD a\rb\r\n");
    control.hears(500);
    control.say_bytes(b"MKD \xe9\r\n"); // Latin-1
    control.hears(553);
    control.say_bytes(b"\r\n");
    control.hears(500);
    control.say_bytes(b"noop\nNOOP\n\xff\xf1NOOP\r\n"); // LF alone, telnet's NOP
    (0..3).for_each(|_| drop(control.hears(200)));
    for line in [
        "REST -1",
        "REST 99999999999999999999",
        "PORT 1,2,3",
        "TYPE X Y",
        "ALLO x",
        "MFMT 1 x",
        "SITE CHMOD x y",
    ] {
        let (code, text) = control.ask(line);
        assert!((501..=504).contains(&code), "{line}: {text}");
    }
    control.told("RNTO x", 503);
    control.told("REST 9223372036854775808", 350);
    control.told("RETR missing", 425);
    control.told("NOOP", 200);
}

#[test]
fn ten_thousand_commands_sent_ahead_are_all_answered_in_order() {
    let (server, address) = server();
    server.write("alice/there", b"1234567");
    let mut control = logged_in(address, ALICE);
    let mut ahead = Control::connect(address).log_in(ALICE);
    forget_peak(server.pid());
    let before = memory(server.pid(), "VmHWM").unwrap();
    // One that reads nothing: the server stops listening to it, and keeps no more than it can send.
    let flood = thread::spawn(move || drop(ahead.try_say(&b"HELP\r\n".repeat(200_000))));
    control.say_bytes(&b"SIZE there\r\nSIZE away\r\nNOOP\r\n".repeat(3_334));
    for number in 0..3_334 {
        assert_eq!(control.hears(213), "213 7", "{number}");
        control.hears(550);
        control.hears(200);
    }
    let peak = memory(server.pid(), "VmHWM").unwrap();
    assert!(peak < before + 8 * MIB, "memory grew from {before} to {peak} bytes");
    drop(server); // ends the session of the flood
    flood.join().unwrap();
}

#[test]
fn who_does_not_read_replies_is_given_up() {
    let (server, address) = server_with(Server::builder().limit("stall = \"1s\""), "");
    let mut control = logged_in(address, ALICE);
    _ = control.try_say(&b"HELP\r\n".repeat(1_000_000));
    server.log().wait_for_all(&["session ended", "replies were not read for 1 s"]);
}

#[test]
fn what_has_no_place_there_is_refused() {
    let (server, address) = server();
    server.write("alice/dir/file", b"x");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        server.home(ALICE).join("pipe"),
        rustix::fs::FileType::Fifo,
        0o644.into(),
        0,
    )
    .unwrap();
    let mut control = logged_in(address, ALICE);
    for command in [
        "STOR dir",
        "RETR dir",
        "RETR pipe",
        "STOR pipe",
        "STOR no/where",
        "RETR ..",
        "STOR .ftpd~x",
        "LIST no",
    ] {
        let mut data = control.data();
        let (code, text) = control.ask(command);
        assert!([550, 553].contains(&code), "{command}: {text}");
        // The connection that waits ends in peace.
        assert_eq!(std::io::Read::read(&mut data, &mut [0]).unwrap(), 0, "{command}");
    }
    control.told("CWD dir/file", 550);
    control.told("CWD /../../..", 250);
    assert!(control.told("PWD", 257).starts_with("257 \"/\""));
    control.told("DELE dir", 550);
    control.told("RMD dir", 550);
    control.told("SIZE dir", 550);
    control.told("RNFR missing", 550);
    control.told("RNTO x", 503);
    control.told("SITE CHMOD 777 /", 550);
    control.told("MFMT 19700101000000 dir/..", 550);
    control.told("PASS again", 503);
    assert_eq!(server.read("alice/dir/file"), b"x");
}

#[test]
fn each_account_may_what_it_may() {
    let (server, address) = server();
    server.write("bob/file", b"x");
    server.write("carol/file", b"x");
    let mut bob = logged_in(address, BOB);
    for command in
        ["DELE file", "MKD d", "RMD d", "RNFR file", "SITE CHMOD 600 file", "MFMT 19700101000000 file"]
    {
        assert!(bob.told(command, 550).contains("may not"), "{command}");
    }
    drop(bob.data());
    bob.told("STOR new", 550);
    let mut carol = logged_in(address, CAROL);
    for command in ["SIZE file", "MDTM file", "MLST file", "HASH file", "DELE file", "RNFR file", "STAT file"]
    {
        assert!(carol.told(command, 550).contains("may not"), "{command}");
    }
    for command in ["LIST", "NLST", "MLSD", "RETR file", "APPE file", "STOR file"] {
        drop(carol.data());
        carol.told(command, 550);
    }
    assert_eq!(carol.store("STOR new", b"brought").0, 226);
    assert_eq!(server.read("carol/new"), b"brought");
    assert_eq!(server.read("carol/file"), b"x");
}

#[test]
fn a_session_has_three_tries_and_one_deadline() {
    let (_server, address) = server();
    let mut control = Control::connect(address);
    for code in [530, 530, 421] {
        control.told("USER nobody", 331);
        control.told("PASS wrong", code);
    }
    assert!(control.ends());

    let (server, address) = server_with(Server::builder().limit("login_deadline = \"2s\""), "");
    let mut slow = Control::connect(address);
    while slow.try_say(b"NOOP\r\n").is_ok() {}
    server.log().wait_for_all(&["session ended", "Nobody logged in within the time for it"]);
}

#[test]
fn after_rein_somebody_else_may_come() {
    let (server, address) = server();
    server.write("bob/file", b"bob's");
    let mut control = logged_in(address, ALICE);
    control.told("REIN", 220);
    control.told("PWD", 530);
    let mut control = control.log_in(BOB);
    assert_eq!(control.fetch("RETR file"), b"bob's");
    control.told("QUIT", 221);
    assert!(control.ends());
}
