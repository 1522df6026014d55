//! Tickets, by hand: what they let in, and what they do not.

use std::thread;

use digest::Algorithm;
use e2e::{ALICE, BOB, CAROL, Heard, Raw, Server, User, frame};
use proto::{Access, Command, Kind, Message, Preamble, Reply, Ticket};
use rustix::process::Signal;

/// A ticket for one more session of whoever is in.
fn ticket(raw: &mut Raw) -> Ticket {
    match raw.ask(Command::Ticket) {
        Reply::Ticket { ticket, seconds: 30..=60 } => ticket,
        other => panic!("no ticket but {other:?}"),
    }
}

fn enter(ticket: &Ticket) -> Command {
    Command::Enter { ticket: ticket.clone() }
}

fn directory(path: &str) -> Reply {
    Reply::Directory { path: path.into() }
}

/// Preamble, hello and these, as they are sent ahead.
fn ahead(commands: &[Command]) -> Vec<u8> {
    let mut bytes = Preamble::new(&[Algorithm::Md5]).encode().to_vec();
    let hello = Command::Hello { client: "e2e".into() };
    for command in [hello].iter().chain(commands) {
        bytes.extend(frame(&Message::Command(command.clone())));
    }
    bytes
}

/// Somebody who knows the ticket does not get in.
#[track_caller]
fn is_refused(mut raw: Raw, ticket: &Ticket) {
    raw.tell(&Message::Command(enter(ticket)));
    assert_eq!(raw.refusal().kind, Kind::Login);
}

#[test]
fn a_ticket_is_a_session_more_of_the_same_account_in_the_same_directory() {
    for tls in [false, true] {
        let server = if tls { Server::builder().tls() } else { Server::builder() }.start();
        server.write("alice/sub/file", "here");
        let mut first = server.logged_in(ALICE);
        assert_eq!(first.ask(Command::Cd { path: b"sub".to_vec() }), directory("/sub"));
        let ticket = ticket(&mut first);
        // All in one flight: neither hello nor welcome is waited for.
        let mut second = server.connect();
        let get = Command::Get { path: b"file".to_vec(), first_block: 0 };
        second.say(&ahead(&[enter(&ticket), get, Command::Pwd]));
        second.preamble();
        assert!(matches!(second.reply(), Reply::Hello { .. }));
        assert_eq!(second.reply(), Reply::Welcome { access: Access::Write });
        assert_eq!(second.file().unwrap(), b"here");
        assert_eq!(second.reply(), directory("/sub"));
        // It is no part of the first.
        assert_eq!(first.ask(Command::Quit), Reply::Goodbye);
        first.ends();
        assert_eq!(second.ask(Command::CdUp), directory("/"));
        second.send_put("put", b"by ticket");
        assert!(matches!(second.reply(), Reply::Stored { .. }));
        assert_eq!(server.log().count(&["verb=\"login\"", "who=\"alice\"", "result=\"ok\""]), 2);
    }
}

#[test]
fn each_account_has_by_ticket_what_it_has_by_password() {
    let server = Server::start();
    let access = |user: User| match user {
        BOB => Access::Read,
        CAROL => Access::Drop,
        _ => Access::Write,
    };
    for user in [ALICE, BOB, CAROL] {
        let mut first = server.logged_in(user);
        let ticket = ticket(&mut first);
        assert_eq!(server.connect().greet().ask(enter(&ticket)), Reply::Welcome { access: access(user) });
    }
}

#[test]
fn who_was_not_given_it_does_not_get_in_with_it() {
    let server = Server::start();
    let mut first = server.logged_in(ALICE);

    let used = ticket(&mut first);
    let _second = server.connect().greet().ask(enter(&used));
    is_refused(server.connect().greet(), &used);

    let stolen = ticket(&mut first);
    is_refused(Raw::connect_from(7, server.address()).greet(), &stolen);
    is_refused(server.connect().greet(), &stolen);

    let mut changed = *ticket(&mut first).expose();
    changed[31] ^= 1;
    is_refused(server.connect().greet(), &Ticket::new(changed));

    let orphan = ticket(&mut first);
    assert_eq!(first.ask(Command::Quit), Reply::Goodbye);
    first.ends();
    is_refused(server.connect().greet(), &orphan);

    let mut cut = server.logged_in(ALICE);
    let orphan = ticket(&mut cut);
    drop(cut);
    server.log().wait_for_nth(2, &["session ended", "user=\"alice\"", "the connection"]);
    is_refused(server.connect().greet(), &orphan);
    server.log().wait_for_nth(6, &["verb=\"login\"", "result=\"bad ticket\""]);
}

#[test]
fn guesses_end_a_session_as_wrong_passwords_do_and_all_hear_the_same() {
    let server = Server::start();
    let mut first = server.logged_in(ALICE);
    let spent = ticket(&mut first);
    let _second = server.connect().greet().ask(enter(&spent));
    let right = ticket(&mut first);
    let heard = |from: u32, ticket: &Ticket| {
        let mut raw = Raw::connect_from(from, server.address());
        raw.say(&ahead(&[enter(ticket), enter(ticket), enter(ticket), enter(&right)]));
        raw.rest()
    };
    let guessed = heard(1, &Ticket::new([0; 32]));
    assert_eq!(heard(2, &spent), guessed);
    assert!(guessed.len() > 3 * 40 && !guessed.windows(5).any(|part| part == b"alice"));
    let entered = server.connect().greet().ask(enter(&right));
    assert!(matches!(entered, Reply::Welcome { .. }), "the fourth was not looked at");
    // Passwords and tickets are tries of one session.
    let mut raw = server.connect().greet();
    is_refused_here(&mut raw, &spent);
    raw.send_login(ALICE.name, "wrong");
    assert_eq!(raw.refusal().kind, Kind::Login);
    is_refused_here(&mut raw, &spent);
    assert_eq!(raw.hear(), Heard::End);
    // And who is refused by ticket may still know the password.
    let mut raw = server.connect().greet();
    is_refused_here(&mut raw, &spent);
    raw.log_in(ALICE);
}

#[track_caller]
fn is_refused_here(raw: &mut Raw, ticket: &Ticket) {
    raw.tell(&Message::Command(enter(ticket)));
    assert_eq!(raw.refusal().kind, Kind::Login);
}

#[test]
fn tickets_have_their_place() {
    let server = Server::start();
    let refused_as = |commands: &[Command]| {
        let mut raw = server.connect();
        raw.say(&ahead(commands));
        raw.preamble();
        raw.reply();
        let kind = loop {
            match raw.reply() {
                Reply::Refused(failure) => break failure.kind,
                _ => continue,
            }
        };
        raw.ends();
        kind
    };
    assert_eq!(refused_as(&[Command::Ticket]), Kind::NotLoggedIn);
    let mut first = server.logged_in(ALICE);
    let [a, b] = [ticket(&mut first), ticket(&mut first)];
    assert_eq!(refused_as(&[enter(&a), enter(&b)]), Kind::Protocol, "who is in, is in");
    assert!(matches!(server.connect().greet().ask(enter(&b)), Reply::Welcome { .. }), "it was not looked at");
}

#[test]
fn thousands_of_tickets_are_refused_and_cost_nobody_anything() {
    let server = Server::start();
    let mut greedy = server.logged_in(ALICE);
    let mut hand = greedy.hand();
    let asking = thread::spawn(move || {
        let many = frame(&Message::Command(Command::Ticket)).repeat(5000);
        hand.say(&many);
    });
    let mut given = Vec::new();
    for _ in 0..5000 {
        match greedy.reply() {
            Reply::Ticket { ticket, .. } => given.push(ticket),
            Reply::Refused(failure) => assert_eq!(failure.kind, Kind::Denied, "{failure}"),
            other => panic!("{other:?}"),
        }
    }
    asking.join().unwrap();
    assert_eq!(given.len(), 32);
    assert_eq!(greedy.ask(Command::Pwd), directory("/"));
    let mut other = server.logged_in(BOB);
    let ticket = ticket(&mut other);
    assert!(matches!(server.connect().greet().ask(enter(&ticket)), Reply::Welcome { .. }));
    assert!(matches!(server.connect().greet().ask(enter(&given[31])), Reply::Welcome { .. }));
}

#[test]
fn the_limits_of_sessions_hold() {
    let server = Server::builder().limit("sessions_per_address = 2").start();
    let mut first = server.logged_in(ALICE);
    let [a, b] = [ticket(&mut first), ticket(&mut first)];
    // Both are there before either enters.
    let [mut second, mut third] = [server.connect().greet(), server.connect().greet()];
    assert!(matches!(second.ask(enter(&a)), Reply::Welcome { .. }));
    third.tell(&Message::Command(enter(&b)));
    assert_eq!(third.refusal().kind, Kind::Limit);
    third.ends();
}

#[test]
fn an_account_that_is_removed_takes_its_tickets_along() {
    let server = Server::start();
    let mut first = server.logged_in(BOB);
    let [a, b] = [ticket(&mut first), ticket(&mut first)];
    server.signal(Signal::HUP);
    server.log().wait_for_nth(1, &["reloaded"]);
    assert!(matches!(server.connect().greet().ask(enter(&a)), Reply::Welcome { .. }), "nothing has changed");
    server.edit_config(|text| text.replace("[users.bob]", "[users.rob]"));
    server.signal(Signal::HUP);
    server.log().wait_for_nth(2, &["reloaded"]);
    is_refused(server.connect().greet(), &b);
    assert_eq!(first.ask(Command::Pwd), directory("/"), "who is in, stays");
}
