//! Connections that are lost before it is known where a tree goes, and after.

use std::fs;
use std::io;

use e2e::{ALICE, Cutting, Fake, Peer, Ran, Server, bytes, frame};
use proto::{Access, Command, Failure, Kind, Message, Preamble, Reply};

use super::{reply, stored};
use crate::trees::tree;

/// What the server has where a tree is to go whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Nothing,
    /// What was asked first is done late, and makes it.
    NothingYet,
    File,
    Directory,
}

/// Puts a tree to `to` from `origin` by a server that is cut before it has answered, and has `there` when it is asked again.
fn lost(to: &str, origin: &'static str, there: There) -> Ran {
    let server = Server::start();
    server.write_work("tree/file", vec![7; 100_000]);
    let refused = |kind| Reply::Refused(Failure::new(kind, "no"));
    let fake = Fake::answering_several(2, move |number, peer, command| match (number, command) {
        (_, Command::Pwd) => peer.reply(Reply::Directory { path: origin.into() }),
        (0, Command::Target { .. }) => Ok(()),
        (0, Command::Put { .. }) => {
            peer.pass_over()?;
            Err(io::ErrorKind::ConnectionReset.into())
        }
        (1, Command::Cd { path }) if path != origin.as_bytes() => peer.reply(match there {
            There::Nothing | There::NothingYet => refused(Kind::NotFound),
            There::File => refused(Kind::NotDirectory),
            There::Directory => Reply::Directory { path },
        }),
        (1, Command::Cd { path }) => peer.reply(Reply::Directory { path }),
        (1, Command::Target { .. }) => peer.reply(match there {
            There::Nothing => reply("/new", true),
            There::NothingYet => reply("/new/tree", true),
            There::File => refused(Kind::Exists),
            There::Directory => reply("/tree", false),
        }),
        (1, Command::Put { path, .. }) => {
            assert!(path.ends_with(b"/file"), "{}", path.escape_ascii());
            peer.pass_over()?;
            peer.reply(stored(&[7; 100_000]))
        }
        (1, Command::SetAttributes { .. }) => peer.reply(Reply::Done),
        (1, Command::Quit) => peer.reply(Reply::Goodbye),
        (_, other) => panic!("{other:?}"),
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    client.args(["put", "-r", "tree", to]).run()
}

#[test]
fn a_connection_that_is_lost_before_the_answer_puts_no_tree_where_nobody_looks_for_it() {
    lost("new", "/", There::Nothing).ok().told("new  1 file");
    lost("new", "/", There::File).fails(1).told("something else of that name");
    for there in [There::NothingYet, There::Directory] {
        let ran = lost("new", "/", there).fails(3).told("before the server said where the tree goes");
        ran.told("where new is there, it goes to new/tree");
    }
    // What the session was in was there before.
    for (to, origin) in [("/", "/"), (".", "/"), ("..", "/a"), ("/a", "/a/b")] {
        lost(to, origin, There::Directory).ok();
    }
}

#[test]
fn what_was_refused_for_want_of_a_place_is_sent_where_there_is_one() {
    let server = Server::start();
    server.write_work("tree/file", b"data");
    server.write_work("tree/sub/file", b"data");
    let fake = Fake::answering_several(2, move |number, peer, command| match (number, command) {
        (_, Command::Pwd) => peer.reply(Reply::Directory { path: b"/".to_vec() }),
        (0, Command::Target { .. } | Command::Mkdir { .. }) => refuse(peer),
        (0, Command::Put { .. }) => {
            peer.pass_over()?;
            refuse(peer)
        }
        (0, _) => Err(io::ErrorKind::ConnectionReset.into()), // instead of the way back
        (1, Command::Cd { path }) => peer.reply(Reply::Directory { path }),
        (1, Command::Target { .. }) => peer.reply(reply("/new", true)),
        (1, Command::Mkdir { path }) => {
            assert_eq!(path, b"sub");
            peer.reply(Reply::Done)
        }
        (1, Command::Put { .. }) => {
            peer.pass_over()?;
            peer.reply(stored(b"data"))
        }
        (1, Command::SetAttributes { .. }) => peer.reply(Reply::Done),
        (1, Command::Quit) => peer.reply(Reply::Goodbye),
        (_, other) => panic!("{other:?}"),
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    client.args(["put", "-r", "tree", "new"]).run().ok().told("new  2 files");
}

fn refuse(peer: &mut Peer) -> io::Result<()> {
    peer.reply(Reply::Refused(Failure::new(Kind::NotFound, "no")))
}

#[test]
fn a_doubt_is_told_where_there_is_no_other_try() {
    let server = Server::start();
    server.write_work("tree/file", b"data");
    let fake = Fake::answering(|peer, command| match command {
        Command::Pwd => peer.reply(Reply::Directory { path: b"/".to_vec() }),
        _ => Err(io::ErrorKind::ConnectionReset.into()),
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    let ran = client.option("--retries").option("0").args(["put", "-r", "tree", "new"]).run();
    ran.fails(3).told("If new was not there before, remove it with rm -r.");
}

#[test]
fn a_tree_whose_connection_is_cut_goes_on_where_the_server_said() {
    for (parallel, there) in [("1", false), ("1", true), ("3", false), ("3", true)] {
        let server = Server::start();
        for number in 0..200 {
            server.write_work(&format!("tree/d{}/f{number}", number % 7), bytes(3000, number));
        }
        server.write_work("tree/large", bytes(6 * 1024 * 1024, 1));
        fs::create_dir(server.home(ALICE).join("at")).unwrap();
        if there {
            fs::create_dir(server.home(ALICE).join("at/new")).unwrap();
        }
        // Not before it said where.
        let said = [
            Reply::Hello { server: concat!("ftpd ", env!("CARGO_PKG_VERSION")).into() },
            Reply::Welcome { access: Access::Write },
            Reply::Directory { path: b"/at".to_vec() },
            Reply::Directory { path: b"/at".to_vec() },
            Reply::Target {
                path: if there { b"/at/new/tree".to_vec() } else { b"/at/new".to_vec() },
                made: true,
            },
        ];
        let said = said.into_iter().map(|reply| frame(&Message::Reply(reply)).len()).sum::<usize>();
        let heard = (Preamble::new(&[digest::Algorithm::Md5]).encode().len() + said) as u64;
        let cutting = Cutting::once_heard(server.address(), [400_000, 3_000_000, 2_000_000], heard);
        let client = server.client(ALICE).target(format!("alice@{}", cutting.address()));
        let client = client.option("--parallel").option(parallel).option("-b").option("-");
        let ran = client.stdin("cd at\nput -r tree new\npwd\n").run().ok();
        assert_eq!(ran.text(), "/at\n", "{parallel} {there} {}", ran.stderr);
        let place = server.home(ALICE).join(if there { "at/new/tree" } else { "at/new" });
        assert_eq!(tree(&place), tree(&server.work().join("tree")), "{parallel} {there}");
        assert_eq!(
            fs::read_dir(server.home(ALICE).join("at/new")).unwrap().count(),
            if there { 1 } else { 8 }
        );
        assert!(cutting.connections() > 1);
    }
}
