//! What a stranger hears who guesses.

use digest::Algorithm;
use e2e::{ALICE, BOB, CAROL, Heard, Raw, Server, frame};
use proto::{Command, Kind, Message, Preamble, Reply, Secret};

fn login(user: &str, password: &str) -> Vec<u8> {
    frame(&Message::Command(Command::Login { user: user.into(), password: Secret::new(password.into()) }))
}

/// Everything that a server says to these logins, sent ahead by somebody at an address of his own.
fn heard(server: &Server, from: u32, logins: &[Vec<u8>]) -> Vec<u8> {
    let mut raw = Raw::connect_from(from, server.address());
    let hello = frame(&Message::Command(Command::Hello { client: "e2e".into() }));
    raw.say(&[Preamble::new(&[Algorithm::Md5]).encode().to_vec(), hello, logins.concat()].concat());
    raw.rest()
}

#[test]
fn a_wrong_name_is_told_as_a_wrong_password_byte_by_byte() {
    let server = Server::start();
    let quit = frame(&Message::Command(Command::Quit));
    let tries = |user: &str| [login(user, "wrong"), login(user, ""), quit.clone()];
    let known = heard(&server, 1, &tries(ALICE.name));
    let strange = ["nobody", "", "alice ", "Alice", "alice\0", "../alice", "\u{1f600}", &"x".repeat(10_000)];
    for (number, user) in strange.into_iter().enumerate() {
        assert_eq!(heard(&server, 2 + number as u32, &tries(user)), known, "{user:?}");
    }
    assert_eq!(server.log().count(&["verb=\"login\"", "result=\"bad login\""]), 2 * (1 + strange.len()));
    // After three failures of a name there is a delay, and still the same words.
    let third = [login("nobody", "wrong"), login("nobody", "wrong"), quit.clone()];
    assert_eq!(heard(&server, 20, &third), known);
    assert_eq!(heard(&server, 21, &[login(ALICE.name, "1"), login(ALICE.name, "2"), quit]), known);
}

#[test]
fn a_session_has_three_tries() {
    let server = Server::start();
    for name in ["nobody", ALICE.name] {
        let mut raw = server.connect().greet();
        for _ in 0..3 {
            raw.send_login(name, "wrong");
            assert_eq!(raw.refusal().kind, Kind::Login);
        }
        assert_eq!(raw.hear(), Heard::End, "{name}: no fourth");
    }
    // What is sent ahead after the third is not looked at, the right password neither.
    let wrong = [login(BOB.name, "1"), login(BOB.name, "2"), login(BOB.name, "3")];
    let ahead = [&wrong[..], &[login(BOB.name, BOB.password)]].concat();
    assert_eq!(heard(&server, 1, &ahead), heard(&server, 2, &wrong));
    assert_eq!(server.log().count(&["who=\"bob\"", "result=\"ok\""]), 0);
    // The third may be the right one.
    let mut raw = Raw::connect_from(3, server.address()).greet();
    for _ in 0..2 {
        raw.send_login(CAROL.name, "wrong");
        raw.refusal();
    }
    raw.log_in(CAROL);
}

#[test]
fn a_password_that_is_too_long_is_wrong_and_nothing_else() {
    let server = Server::start();
    let quit = frame(&Message::Command(Command::Quit));
    let said = |from, password: &str| heard(&server, from, &[login(ALICE.name, password), quit.clone()]);
    let wrong = said(1, "wrong");
    for (from, len) in [(2, 1024), (3, 1025), (4, 15_000)] {
        assert_eq!(said(from, &"x".repeat(len)), wrong, "{len} bytes");
    }
    let longest = format!("{}{}", ALICE.password, "\0".repeat(1025 - ALICE.password.len()));
    assert_eq!(said(5, &longest), wrong);
}

#[test]
fn who_is_let_in_is_told_when_there_is_no_place() {
    for limit in ["sessions = 1", "sessions_per_address = 1"] {
        let server = Server::builder().limit(limit).start();
        // Both are before their login: neither takes a place.
        let (first, mut second) = (server.connect().greet(), server.connect().greet());
        let mut stranger = server.connect().greet();
        let mut first = first.log_in(ALICE);
        second.send_login(BOB.name, BOB.password);
        let refusal = second.refusal();
        assert_eq!(refusal.kind, Kind::Limit, "{refusal}");
        assert_eq!(second.hear(), Heard::End);
        // Who does not know the password does not learn that there is no place for it.
        stranger.send_login(BOB.name, "wrong");
        assert_eq!(stranger.refusal().kind, Kind::Login);
        assert_eq!(first.ask(Command::Quit), Reply::Goodbye);
        first.ends();
        stranger.log_in(BOB);
    }
}
