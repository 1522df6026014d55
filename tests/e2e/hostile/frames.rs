//! Strangers, and frames that are none.

use digest::Algorithm;
use e2e::{ALICE, Heard, Raw, Server, frame};
use proto::{Abort, Command, End, Failure, Kind, Message, Page, Preamble, REFUSAL, Reply, Secret};

use super::{Bystander, last_words};

/// How far a session has come when the violation comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Preambled,
    Greeted,
    LoggedIn,
}

fn session(server: &Server, state: State) -> Raw {
    match state {
        State::Preambled => {
            let mut raw = server.connect();
            raw.say(&Preamble::new(&[Algorithm::Md5]).encode());
            raw.preamble();
            raw
        }
        State::Greeted => Raw::greeted(server.address()),
        State::LoggedIn => server.logged_in(ALICE),
    }
}

/// A head that announces `len` bytes of type `kind`, and what follows it.
fn raw_frame(len: u32, kind: u8, body: &[u8]) -> Vec<u8> {
    [&len.to_le_bytes()[..], &[kind], body].concat()
}

fn command(command: Command) -> Vec<u8> {
    frame(&Message::Command(command))
}

/// A command with a byte more, which its head tells truly.
fn with_trailing_byte(whole: Command) -> Vec<u8> {
    let body = [&command(whole)[5..], &[0]].concat();
    raw_frame(u32::try_from(body.len()).unwrap(), 1, &body)
}

fn hello() -> Command {
    Command::Hello { client: "e2e".into() }
}

fn login() -> Command {
    Command::Login { user: ALICE.name.into(), password: Secret::new(ALICE.password.into()) }
}

fn violations() -> Vec<(&'static str, State, Vec<u8>, Kind)> {
    use State::{Greeted, LoggedIn, Preambled};
    let failure = || Failure::new(Kind::Aborted, "no");
    let stat = || Command::Stat { path: b"file".to_vec() };
    let mut all = vec![
        ("the longest length", LoggedIn, raw_frame(u32::MAX, 1, b""), Kind::Protocol),
        ("a command a byte too long", LoggedIn, raw_frame(16_385, 1, b""), Kind::Protocol),
        ("a data frame a byte too long", LoggedIn, raw_frame(65_553, 4, b""), Kind::Protocol),
        ("an end a byte too long", LoggedIn, raw_frame(257, 5, b""), Kind::Protocol),
        ("an oversized frame before the hello", Preambled, raw_frame(1 << 30, 1, b""), Kind::Protocol),
        ("type 0", LoggedIn, raw_frame(0, 0, b""), Kind::Protocol),
        ("type 8", LoggedIn, raw_frame(4, 8, b"abcd"), Kind::Protocol),
        ("type 255", Greeted, raw_frame(4, 255, b"abcd"), Kind::Protocol),
        ("a reply", LoggedIn, frame(&Message::Reply(Reply::Done)), Kind::Protocol),
        ("a page", LoggedIn, frame(&Message::Page(Page { entries: Vec::new(), last: true })), Kind::Protocol),
        ("a sign of life", LoggedIn, frame(&Message::Busy), Kind::Protocol),
        ("a trailing byte", LoggedIn, with_trailing_byte(stat()), Kind::Protocol),
        ("a trailing byte behind a login", Greeted, with_trailing_byte(login()), Kind::Protocol),
        ("a command of no bytes", LoggedIn, raw_frame(0, 1, b""), Kind::Protocol),
        ("command 200", LoggedIn, raw_frame(1, 1, b"\xc8"), Kind::Protocol),
        (
            "a path that claims to be endless",
            LoggedIn,
            raw_frame(11, 1, b"\x06\xfd\xff\xff\xff\xff\xff\xff\xff\x7f\0"),
            Kind::Protocol,
        ),
        ("a path longer than its frame", LoggedIn, raw_frame(3, 1, b"\x06\x05a"), Kind::Protocol),
        ("a name that is no text", Greeted, raw_frame(5, 1, b"\x01\x01\xff\x01x"), Kind::Protocol),
        ("half a number", LoggedIn, raw_frame(3, 1, b"\x06\xfb\x00"), Kind::Protocol),
        ("a login first", Preambled, command(login()), Kind::Protocol),
        ("a command first", Preambled, command(stat()), Kind::Protocol),
        ("a second hello", Greeted, command(hello()), Kind::Protocol),
        ("a late hello", LoggedIn, command(hello()), Kind::Protocol),
        ("a second login", LoggedIn, command(login()), Kind::Protocol),
        ("an end without a file", LoggedIn, frame(&Message::End(e2e::end(b""))), Kind::Protocol),
        ("data without a put", LoggedIn, e2e::data_frame(b"abc"), Kind::Protocol),
        ("data before the login", Greeted, e2e::data_frame(b"abc"), Kind::Protocol),
        ("data before the hello", Preambled, e2e::data_frame(&[7; 65_536]), Kind::Protocol),
        ("an end that is no end", LoggedIn, raw_frame(2, 5, b"\xff\xff"), Kind::Protocol),
        (
            "a time beyond its second",
            LoggedIn,
            raw_frame(11, 1, b"\x0d\x01x\x01\0\xfc\0\xca\x9a\x3b\0"),
            Kind::Protocol,
        ),
    ];
    let before_login = [
        Command::Pwd,
        stat(),
        Command::Put { path: b"x".to_vec(), size: 1 },
        Command::Md5 { path: b"file".to_vec() },
        Command::Root { path: b"file".to_vec() },
    ];
    all.extend(
        before_login.map(|early| ("a command before the login", Greeted, command(early), Kind::NotLoggedIn)),
    );
    let aborted = Message::Abort(Abort { command: 9, failure: failure() });
    all.push((
        "garbage behind an abort of nothing",
        LoggedIn,
        [frame(&aborted), vec![0; 5]].concat(),
        Kind::Protocol,
    ));
    let root = End { root: vec![0; 300], ..e2e::end(b"") };
    all.push(("an end with a root of 300 bytes", LoggedIn, frame(&Message::End(root)), Kind::Protocol));
    all
}

#[test]
fn every_violation_ends_its_session_alone_with_its_kind() {
    let server = Server::start();
    server.write("alice/file", b"content");
    let mut bystander = Bystander::of(&server);
    for (number, (what, state, bytes, kind)) in violations().into_iter().enumerate() {
        let mut raw = session(&server, state);
        raw.say(&bytes);
        last_words(&mut raw, kind, what);
        bystander.goes_on();
        server.log().wait_for_nth(number + 1, &["session ended", "reason="]);
    }
    assert_eq!(server.read("alice/file"), b"content");
}

#[test]
fn strangers_get_a_line_of_text() {
    let server = Server::start();
    let mut bystander = Bystander::of(&server);
    let strangers: [&[u8]; 7] = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"USER anonymous\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", // a TLS ClientHello
        b"\0",
        b"ftpd/2\r\n\x01\0\0\0\x01\0\0\0",
        b"\xff\xfb\x1f\xff\xfb\x20", // telnet
    ];
    for (number, stranger) in strangers.into_iter().enumerate() {
        let mut raw = server.connect();
        raw.say(stranger); // and waits: nothing is finished
        assert_eq!(raw.rest(), REFUSAL, "{stranger:?}");
        bystander.goes_on();
        server.log().wait_for_nth(number + 1, &["session ended", "does not speak ftpd/1"]);
    }
}

#[test]
fn a_preamble_that_cannot_be_served_is_refused() {
    let server = Server::builder().native("digests = [\"md5\"]").start();
    let mut bystander = Bystander::of(&server);
    for digests in [0, 2, 4, u32::MAX - 1] {
        let mut raw = server.connect();
        raw.say(&Preamble { digests, ..Preamble::new(&[]) }.encode());
        assert_eq!(raw.preamble().digests, 0, "it offers {digests:b}");
        last_words(&mut raw, Kind::Protocol, "no digest in common");
    }
    let mut raw = server.connect();
    raw.say(&Preamble { version: 0, ..Preamble::new(&[Algorithm::Md5]) }.encode());
    assert_eq!(raw.preamble().digests, 0);
    last_words(&mut raw, Kind::Protocol, "version 0");
    server.log().wait_for("a version of the protocol that does not exist");
    let mut raw = server.connect();
    let future = Preamble { version: 7, features: u16::MAX, digests: u32::MAX };
    raw.say(&future.encode());
    assert_eq!(raw.preamble().version, 1, "the lower version counts");
    assert!(matches!(raw.ask(hello()), Reply::Hello { .. }));
    bystander.goes_on();
}

#[test]
fn a_connection_that_ends_anywhere_is_only_logged() {
    let server = Server::start();
    server.write("alice/file", vec![7; 300_000]);
    let mut bystander = Bystander::of(&server);
    let whole = [
        &Preamble::new(&[Algorithm::Md5]).encode()[..],
        &command(hello()),
        &command(login()),
        &command(Command::Get { path: b"file".to_vec(), first_block: 0 }),
        &command(Command::Put { path: b"new".to_vec(), size: 3 }),
        &e2e::data_frame(b"abc"),
        &frame(&Message::End(e2e::end(b"abc"))),
    ]
    .concat();
    for cut in 0..whole.len() {
        let mut raw = server.connect();
        raw.say(&whole[..cut]);
        raw.finish();
        raw.rest();
    }
    server.log().wait_for_nth(whole.len(), &["session ended", "reason="]);
    assert!(!server.home(ALICE).join("new").exists());
    assert!(e2e::stages(server.homes()).is_empty());
    bystander.goes_on();
    let mut raw = server.connect();
    raw.say(&whole);
    raw.finish();
    raw.rest();
    assert_eq!(server.read("alice/new"), b"abc", "who says all is served, though nothing follows");
}

#[test]
fn after_some_wrong_logins_the_session_ends() {
    let server = Server::start();
    let mut bystander = Bystander::of(&server);
    let mut raw = Raw::greeted(server.address());
    for _ in 0..2 {
        raw.send_login("alice", "wrong");
        assert_eq!(raw.refusal().kind, Kind::Login);
    }
    raw.send_login("alice", ALICE.password);
    assert!(matches!(raw.reply(), Reply::Welcome { .. }), "two wrong ones do no harm");
    let mut raw = Raw::greeted(server.address());
    for _ in 0..3 {
        raw.send_login("nobody", "wrong");
        assert_eq!(raw.refusal().kind, Kind::Login);
    }
    assert_eq!(raw.hear(), Heard::End);
    bystander.goes_on();
}

#[test]
fn an_abort_of_what_has_ended_means_nothing() {
    let server = Server::start();
    server.write("alice/file", b"content");
    let mut raw = server.logged_in(ALICE);
    for command in [0, 1, 2, 3, u64::MAX] {
        raw.tell(&Message::Abort(Abort { command, failure: Failure::new(Kind::Aborted, "no") }));
        assert_eq!(raw.get("file").unwrap(), b"content");
    }
}
