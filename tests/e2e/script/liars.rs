//! Servers that lie: what they say is not believed, and nothing of it is kept.

use std::io;

use e2e::{ALICE, Fake, Peer, Server, bytes, data_frame, end, frame};
use proto::{Abort, Command, End, Entry, EntryKind, Failure, Kind, Message, Page, Reply, Time};

const BLOCK: usize = 64 * 1024;

/// What the file really is, of which they tell.
fn content() -> Vec<u8> {
    bytes(2 * BLOCK + 1000, 1)
}

fn sending(peer: &mut Peer, size: usize) -> io::Result<()> {
    peer.reply(Reply::Sending { size: size as u64 })
}

/// A lie about a file, the exit code that it earns, and words that are told of it.
type Lie = (&'static str, fn(&mut Peer) -> io::Result<()>, i32, &'static str);

const LIES: &[Lie] = &[
    (
        "a damaged block",
        |peer| {
            sending(peer, content().len())?;
            let mut first = data_frame(&content()[..BLOCK]);
            first[1000] ^= 1;
            peer.say(&first)?;
            peer.say(&data_frame(&content()[BLOCK..2 * BLOCK]))?;
            peer.say(&data_frame(&content()[2 * BLOCK..]))?;
            peer.tell(&Message::End(end(&content())))
        },
        8,
        "what arrived is not what was sent",
    ),
    (
        "a wrong digest of the last block",
        |peer| {
            sending(peer, 3)?;
            let mut only = data_frame(b"abc");
            *only.last_mut().unwrap() ^= 1;
            peer.say(&only)?;
            peer.tell(&Message::End(end(b"abc")))
        },
        8,
        "what arrived is not what was sent",
    ),
    (
        "a wrong root",
        |peer| {
            sending(peer, 3)?;
            peer.say(&data_frame(b"abc"))?;
            peer.tell(&Message::End(end(b"abd")))
        },
        8,
        "what arrived is not what was sent",
    ),
    (
        "a wrong size at the end",
        |peer| {
            sending(peer, 3)?;
            peer.say(&data_frame(b"abc"))?;
            peer.tell(&Message::End(End { size: 4, ..end(b"abc") }))
        },
        8,
        "what arrived is not what was sent",
    ),
    (
        "blocks in another order",
        |peer| {
            sending(peer, 2 * BLOCK)?;
            peer.say(&data_frame(&content()[BLOCK..2 * BLOCK]))?;
            peer.say(&data_frame(&content()[..BLOCK]))?;
            peer.tell(&Message::End(end(&content()[..2 * BLOCK])))
        },
        8,
        "what arrived is not what was sent",
    ),
    (
        "an end before the end",
        |peer| {
            sending(peer, content().len())?;
            peer.say(&data_frame(&content()[..BLOCK]))?;
            peer.tell(&Message::End(end(&content()[..BLOCK])))
        },
        8,
        "fewer bytes came than were announced",
    ),
    (
        "more than was announced",
        |peer| {
            sending(peer, BLOCK)?;
            peer.say(&data_frame(&content()[..BLOCK]))?;
            peer.say(&data_frame(&content()[BLOCK..2 * BLOCK]))
        },
        8,
        "more bytes came than were announced",
    ),
    (
        "a block that is cut short",
        |peer| {
            sending(peer, 2 * BLOCK)?;
            peer.say(&data_frame(&content()[..1000]))
        },
        8,
        "a data frame does not hold a whole block",
    ),
    (
        "a root of another length",
        |peer| {
            sending(peer, 0)?;
            peer.tell(&Message::End(End { root: vec![0; 32], ..end(b"") }))
        },
        3,
        "broke the protocol",
    ),
    (
        "a hang-up in the middle",
        |peer| {
            sending(peer, content().len())?;
            peer.say(&data_frame(&content()[..BLOCK]))?;
            Err(io::ErrorKind::Other.into())
        },
        3,
        "the connection was cut",
    ),
    (
        "an abort",
        |peer| {
            sending(peer, content().len())?;
            peer.say(&data_frame(&content()[..BLOCK]))?;
            let failure = Failure::new(Kind::Changed, "it changed\x1b[2J").with_remedy("Again.");
            peer.tell(&Message::Abort(Abort { command: 2, failure }))
        },
        8,
        "it changed\\x1b[2J. Again.",
    ),
    ("another reply", |peer| peer.reply(Reply::Done), 3, "broke the protocol"),
    (
        "a page",
        |peer| {
            sending(peer, 3)?;
            peer.tell(&Message::Page(Page { entries: Vec::new(), last: true }))
        },
        3,
        "broke the protocol",
    ),
    (
        "more than fits on any disk",
        |peer| {
            sending(peer, usize::MAX)?;
            peer.tell(&Message::Abort(Abort { command: 2, failure: Failure::new(Kind::Aborted, "") }))
        },
        10,
        "the disk is full",
    ),
    (
        "a frame longer than any",
        |peer| {
            sending(peer, content().len())?;
            peer.say(&[0xff, 0xff, 0xff, 0xff, 4])
        },
        3,
        "longer than its type allows",
    ),
];

#[test]
fn a_get_from_a_liar_keeps_nothing() {
    let server = Server::start();
    for (lie, tell, code, words) in LIES {
        server.write_work("file", b"old");
        let fake = Fake::answering(|peer, _| tell(peer));
        let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
        let ran = client.args(["get", "file"]).run();
        assert_eq!(ran.code, *code, "{lie}: {}", ran.stderr);
        ran.told(words);
        assert_eq!(server.read_work("file"), b"old", "{lie}");
        assert!(e2e::stages(server.work()).is_empty(), "{lie}");
    }
}

#[test]
fn a_cat_from_a_liar_shows_no_block_that_is_not_verified() {
    let server = Server::start();
    for (lie, tell, code, _) in LIES.iter().filter(|(_, _, code, _)| *code == 8) {
        let fake = Fake::answering(|peer, _| tell(peer));
        let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
        let ran = client.args(["cat", "file"]).run();
        assert_eq!(ran.code, *code, "{lie}: {}", ran.stderr);
        let (shown, real) = (ran.stdout, content());
        let known = shown.is_empty()
            || shown == b"abc"
            || real.starts_with(&shown)
            || real[BLOCK..].starts_with(&shown[..BLOCK]);
        assert!(known, "{lie}: what no digest vouches for was shown");
    }
}

#[test]
fn a_put_that_was_stored_otherwise_is_not_verified() {
    let server = Server::start();
    server.write_work("file", b"abc");
    for (size, root) in [(3, end(b"abd").root), (4, end(b"abc").root), (3, Vec::new())] {
        let fake = Fake::answering(move |peer, _| {
            peer.pass_over()?;
            peer.reply(Reply::Stored { size, root: root.clone() })
        });
        let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
        client.args(["put", "file"]).run().fails(8).told("the server stored something else");
    }
}

fn entry(name: &[u8]) -> Entry {
    Entry {
        name: name.to_vec(),
        kind: EntryKind::File,
        size: 1,
        modified: Time { seconds: 0, nanoseconds: 0 },
        mode: 0o644,
    }
}

/// `ls` at a server that lists `names`.
fn listed(server: &Server, words: &[&str], names: &'static [&'static [u8]]) -> e2e::Ran {
    let fake = Fake::answering(|peer, command| match command {
        Command::List { .. } => {
            let entries = names.iter().map(|name| entry(name)).collect();
            peer.reply(Reply::Listing)?;
            peer.tell(&Message::Page(Page { entries, last: true }))
        }
        _ => peer.say(&frame(&Message::Reply(Reply::Done))),
    });
    server.client(ALICE).target(format!("alice@{}", fake.address())).args(words).run()
}

#[test]
fn names_that_would_steer_a_terminal_are_shown_escaped() {
    let server = Server::start();
    const NAMES: &[&[u8]] = &[b"\x1b[31mred", b"bell\x07", b"two\nlines", b"caf\xe9"];
    let shown = "\\x1b[31mred\nbell\\x07\ncaf\\xe9\ntwo\\nlines\n";
    listed(&server, &["ls"], NAMES).ok().wrote(shown);
    let long = listed(&server, &["ls", "-l"], NAMES).ok().text();
    assert_eq!(long.lines().count(), 4, "{long}");
    assert!(!long.contains('\x1b'), "{long}");
}

#[test]
fn names_that_would_leave_a_directory_are_not_believed() {
    let server = Server::start();
    const LISTINGS: &[&[&[u8]]] =
        &[&[b"../evil"], &[b"/etc/passwd"], &[b"good", b"a/b"], &[b".."], &[b"."], &[b""], &[b"a\0b"]];
    for names in LISTINGS {
        let ran = listed(&server, &["ls"], names);
        assert_eq!((ran.code, ran.text().as_str()), (3, ""), "{names:?}: {}", ran.stderr);
        ran.told("broke the protocol");
    }
}

#[test]
fn words_of_a_server_are_shown_escaped() {
    let server = Server::start();
    let fake = Fake::answering(|peer, _| {
        let failure = Failure::new(Kind::Denied, "no\x1b]0;owned\x07\nftp: all is well")
            .with_remedy("\u{202e}ti fo daetsni");
        peer.reply(Reply::Refused(failure))
    });
    let ran =
        server.client(ALICE).target(format!("alice@{}", fake.address())).args(["cat", "x"]).run().fails(7);
    assert_eq!(ran.stderr.lines().count(), 1, "{:?}", ran.stderr);
    assert!(
        !ran.stderr.trim_end().contains(char::is_control) && !ran.stderr.contains('\u{202e}'),
        "{:?}",
        ran.stderr
    );
}

#[test]
fn a_directory_that_is_told_is_shown_escaped() {
    let server = Server::start();
    let fake = Fake::answering(|peer, _| peer.reply(Reply::Directory { path: b"/\x1b[2J\n/x".to_vec() }));
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    client.args(["pwd"]).run().ok().wrote("/\\x1b[2J\\n/x\n");
}
