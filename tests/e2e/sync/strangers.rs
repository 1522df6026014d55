//! Servers that lie about what they have: nothing is believed that was not verified, and nothing is deleted because of it.

use std::fs;
use std::io;

use e2e::{ALICE, Fake, Peer, Ran, Server, bytes, data_frame, end};
use proto::{Branch, Command, Entry, EntryKind, Failure, Found, Kind, Message, Missed, Reply, Time};

const THEN: Time = Time { seconds: 1_000_000_000, nanoseconds: 0 };

fn found(path: &str, kind: EntryKind, size: u64) -> Found {
    let mode = if kind == EntryKind::Directory { 0o755 } else { 0o644 };
    Found { path: path.into(), kind, size, modified: THEN, mode, target: None }
}

fn file(path: &str, size: u64) -> Found {
    found(path, EntryKind::File, size)
}

fn directory(path: &str) -> Found {
    found(path, EntryKind::Directory, 0)
}

fn entry(kind: EntryKind, size: u64) -> Reply {
    let mode = if kind == EntryKind::Directory { 0o755 } else { 0o644 };
    Reply::Entry(Entry { name: b"tree".to_vec(), kind, size, modified: THEN, mode })
}

fn walk(peer: &mut Peer, found: Vec<Found>, missed: Vec<Missed>) -> io::Result<()> {
    peer.reply(Reply::Listing)?;
    peer.tell(&Message::Branch(Branch { found, missed, last: true }))
}

/// A `sync` at a server that has `tree`, and answers whatever else is asked by `answer`.
fn at(
    server: &Server,
    words: &str,
    tree: Vec<Found>,
    missed: Vec<Missed>,
    mut answer: impl FnMut(&mut Peer, Command) -> io::Result<()> + Send + 'static,
) -> Ran {
    let fake = Fake::answering(move |peer, command| match command {
        Command::Stat { .. } => peer.reply(entry(EntryKind::Directory, 0)),
        Command::Walk { .. } => walk(peer, tree.clone(), missed.clone()),
        command => answer(peer, command),
    });
    server
        .client(ALICE)
        .target(format!("alice@{}", fake.address()))
        .option("--timeout")
        .option("5")
        .args(["sync"])
        .args(words.split(' '))
        .run()
}

fn nothing_else(peer: &mut Peer, command: Command) -> io::Result<()> {
    panic!("not to be asked: {command:?} of {peer:?}")
}

fn send(peer: &mut Peer, data: &[u8]) -> io::Result<()> {
    peer.reply(Reply::Sending { size: data.len() as u64 })?;
    peer.say(&data_frame(data))?;
    peer.tell(&Message::End(end(data)))
}

#[test]
fn names_that_climb_are_none() {
    let server = Server::start();
    server.write_work("precious", "precious");
    fs::create_dir(server.work().join("in")).unwrap();
    for path in ["../precious", "/precious", "a/../../precious", "a//x", "a/", "..", "."] {
        let tree = vec![directory(""), directory("a"), file(path, 4)];
        at(&server, "get tree in/tree", tree, vec![], |peer, _| send(peer, b"evil"))
            .fails(3)
            .told("broke the protocol");
        assert_eq!(server.read_work("precious"), b"precious", "{path}");
    }
    // No link that was there before leads out either.
    std::os::unix::fs::symlink("..", server.work().join("in/l")).unwrap();
    let tree = vec![directory(""), directory("l"), file("l/precious", 4), file("good", 4)];
    at(&server, "get tree in", tree.clone(), vec![], |peer, _| send(peer, b"evil")).fails(9);
    assert_eq!(server.read_work("in/good"), b"evil");
    at(&server, "get --delete --yes tree in", tree, vec![], |peer, _| send(peer, b"evil")).ok();
    assert_eq!(server.read_work("in/l/precious"), b"evil", "a directory by now");
    assert_eq!(server.read_work("precious"), b"precious");
    let odd = vec![directory(""), file(".ftpd~abcdefghijkl", 4), file("\x1b[2Jftp: done", 4)];
    let ran = at(&server, "get tree in", odd, vec![], |peer, _| send(peer, b"evil")).fails(9);
    assert!(!ran.stderr.contains('\x1b'), "{}", ran.stderr);
}

#[test]
fn what_could_not_be_listed_keeps_what_is_there() {
    let server = Server::start();
    for name in ["here/kept", "here/d/kept", "there/new"] {
        server.write_work(name, "kept");
    }
    let missed = || {
        let failure = Failure::new(Kind::Denied, "it cannot be read");
        vec![Missed { path: b"d".to_vec(), failure }]
    };
    let tree = vec![directory(""), directory("d"), file("f", 4)];
    let ran =
        at(&server, "get --delete --yes tree here", tree.clone(), missed(), |peer, _| send(peer, b"data"));
    ran.fails(9).told("nothing was deleted").told("it cannot be read");
    assert_eq!(
        (server.read_work("here/kept"), server.read_work("here/f")),
        (b"kept".to_vec(), b"data".to_vec())
    );
    // The same of the destination.
    let ran = at(&server, "put --delete --yes there", tree, missed(), |peer, command| match command {
        Command::Put { .. } => {
            peer.pass_over()?;
            peer.reply(Reply::Stored { size: 4, root: end(b"kept").root })
        }
        Command::SetAttributes { .. } => peer.reply(Reply::Done),
        command => nothing_else(peer, command),
    });
    ran.fails(9).told("nothing was deleted");
}

#[test]
fn a_walk_that_finds_nothing_is_no_empty_directory() {
    let server = Server::start();
    server.write_work("here/kept", "kept");
    at(&server, "get --delete --yes tree here", vec![], vec![], nothing_else).fails(1).told("tells nothing");
    assert_eq!(server.read_work("here/kept"), b"kept");
}

#[test]
fn a_walk_of_something_else_is_none() {
    let server = Server::start();
    server.write_work("here/kept", "kept");
    at(&server, "get --delete --yes tree here", vec![file("", 3)], vec![], nothing_else)
        .fails(1)
        .told("it is no directory any more");
    at(&server, "get --delete --yes tree here", vec![file("x", 3)], vec![], nothing_else).fails(1);
    assert_eq!(server.read_work("here/kept"), b"kept");
}

/// A root is answered with something else, or never.
#[test]
fn roots_that_are_none_end_it_and_other_ones_fetch_anew() {
    let server = Server::start();
    server.write_work("here/a", "mine");
    let tree = || vec![directory(""), file("a", 4)];
    let answers: [fn(&mut Peer) -> io::Result<()>; 3] = [
        |peer| peer.reply(Reply::Root { size: 4, version: [0; 16], root: vec![7; 15] }),
        |peer| peer.reply(Reply::Done),
        |peer| peer.tell(&Message::Digests(vec![0; 16])),
    ];
    for answer in answers {
        at(&server, "get --checksum tree here", tree(), vec![], move |peer, command| match command {
            Command::Root { .. } => answer(peer),
            command => nothing_else(peer, command),
        })
        .fails(3)
        .told("broke the protocol");
        assert_eq!(server.read_work("here/a"), b"mine");
    }
    let other = |peer: &mut Peer, command| match command {
        Command::Root { .. } => peer.reply(Reply::Root { size: 4, version: [0; 16], root: vec![7; 16] }),
        _ => send(peer, b"hers"),
    };
    at(&server, "get --checksum tree here", tree(), vec![], other).ok().told("1 changed");
    assert_eq!(server.read_work("here/a"), b"hers");
}

#[test]
fn a_server_that_says_nothing_is_left() {
    let server = Server::start();
    server.write_work("here/a", "mine");
    let tree = vec![directory(""), file("a", 4), file("b", 4)];
    let fake = Fake::answering(move |peer, command| match command {
        Command::Stat { .. } => peer.reply(entry(EntryKind::Directory, 0)),
        Command::Walk { .. } => walk(peer, tree.clone(), vec![]),
        _ => Ok(()), // and never again
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    client
        .option("--timeout")
        .option("1")
        .args(["sync", "get", "--delete", "--yes", "tree", "here"])
        .run()
        .fails(3)
        .told("What is done is not done again");
    assert_eq!(server.read_work("here/a"), b"mine");
}

/// How digests of blocks are told.
#[derive(Clone, Copy, Debug)]
enum Lie {
    TooMany,
    TooFew,
    Root,
    Size,
    Length,
    AnotherVersion,
    Data,
}

#[test]
fn lies_about_blocks_change_nothing() {
    let server = Server::start();
    let mine = bytes(3 << 20, 1);
    let mut hers = mine.clone();
    hers[70_000] ^= 1;
    for lie in [Lie::TooMany, Lie::TooFew, Lie::Root, Lie::Length, Lie::AnotherVersion] {
        server.write_work("here/a", &mine);
        // It is left; and there is no other one.
        lying(&server, lie, hers.clone()).fails(3);
        assert_eq!(server.read_work("here/a"), mine, "{lie:?}");
        assert!(e2e::stages(server.work()).is_empty(), "{lie:?}");
    }
    for lie in [Lie::Size, Lie::Data] {
        server.write_work("here/a", &mine);
        lying(&server, lie, hers.clone()).ok().told("it is moved as a whole").told("1 changed");
        assert_eq!(server.read_work("here/a"), hers, "{lie:?}");
    }
}

/// A `sync get` of a file at a server that lies about its blocks, and not about the whole.
fn lying(server: &Server, lie: Lie, hers: Vec<u8>) -> Ran {
    let size = hers.len() as u64;
    let tree = vec![directory(""), file("a", size)];
    at(server, "get tree here", tree, vec![], move |peer, command| {
        let digests: Vec<u8> = hers
            .chunks(digest::BLOCK)
            .flat_map(|block| digest::of_block(digest::Algorithm::Md5, block).as_bytes().to_vec())
            .collect();
        let mut ends = end(&hers);
        match command {
            Command::Digests { .. } => {
                let told = if matches!(lie, Lie::Size) { size + 1 } else { size };
                peer.reply(Reply::Reading { size: told, version: [1; 16] })?;
                let mut bytes = digests.clone();
                match lie {
                    Lie::TooMany => bytes.extend([0; 16]),
                    Lie::TooFew => bytes.truncate(16 * 5),
                    Lie::Size => bytes.extend([0; 16]),
                    Lie::Root => ends.root[0] ^= 1,
                    Lie::Length => {
                        return peer
                            .say(&[15, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
                    }
                    Lie::AnotherVersion | Lie::Data => {}
                }
                if matches!(lie, Lie::Size) {
                    ends = proto::End { size: size + 1, root: root_of(&bytes), ..ends };
                }
                peer.tell(&Message::Digests(bytes))?;
                peer.tell(&Message::End(ends))
            }
            Command::GetParts { .. } => {
                let version = if matches!(lie, Lie::AnotherVersion) { [2; 16] } else { [1; 16] };
                peer.reply(Reply::Reading { size, version })?;
                let mut block = hers[digest::BLOCK..2 * digest::BLOCK].to_vec();
                if matches!(lie, Lie::Data) {
                    block[0] ^= 1; // a digest and a root of its own
                }
                peer.say(&data_frame(&block))?;
                peer.tell(&Message::End(proto::End { size, ..end(&block) }))
            }
            Command::Get { .. } => {
                peer.reply(Reply::Sending { size })?;
                hers.chunks(digest::BLOCK).try_for_each(|block| peer.say(&data_frame(block)))?;
                peer.tell(&Message::End(ends))
            }
            command => nothing_else(peer, command),
        }
    })
}

fn root_of(digests: &[u8]) -> Vec<u8> {
    let mut root = digest::Root::new(digest::Algorithm::Md5);
    for digest in digests.chunks(16) {
        root.push(&digest::Digest::new(digest::Algorithm::Md5, digest).unwrap());
    }
    root.value().as_bytes().to_vec()
}
