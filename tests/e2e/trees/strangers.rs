//! Servers that lie about trees: nothing is written outside of the destination, and nothing of what they say is believed.

use std::fs;
use std::io;

use e2e::{ALICE, Fake, Peer, Ran, Server, bytes, data_frame, end};
use proto::{Abort, Branch, Command, Entry, EntryKind, Failure, Found, Kind, Message, Reply, Time};

fn found(path: &[u8], kind: EntryKind, target: Option<&[u8]>) -> Found {
    Found {
        path: path.to_vec(),
        kind,
        size: 1,
        modified: Time { seconds: 1_000_000_000, nanoseconds: 0 },
        mode: if kind == EntryKind::Directory { 0o755 } else { 0o644 },
        target: target.map(<[u8]>::to_vec),
    }
}

fn file(path: &str) -> Found {
    found(path.as_bytes(), EntryKind::File, None)
}

fn directory(path: &str) -> Found {
    found(path.as_bytes(), EntryKind::Directory, None)
}

fn link(path: &str, target: &str) -> Found {
    found(path.as_bytes(), EntryKind::Link, Some(target.as_bytes()))
}

fn tell(peer: &mut Peer, found: Vec<Found>, last: bool) -> io::Result<()> {
    peer.tell(&Message::Branch(Branch { found, missed: Vec::new(), last }))
}

fn evil(peer: &mut Peer) -> io::Result<()> {
    peer.reply(Reply::Sending { size: 4 })?;
    peer.say(&data_frame(b"evil"))?;
    peer.tell(&Message::End(end(b"evil")))
}

/// A get of a tree of which a made-up server tells `tree`, and sends whatever is asked for.
fn get(server: &Server, tree: Vec<Found>) -> Ran {
    let fake = Fake::answering(move |peer, command| match command {
        Command::GetTree { .. } => {
            peer.reply(Reply::Listing)?;
            tell(peer, vec![directory("")], false)?;
            for part in tree.chunks(100) {
                tell(peer, part.to_vec(), false)?;
                let mut files =
                    part.iter().filter(|found| found.kind == EntryKind::File && !found.path.is_empty());
                files.try_for_each(|_| evil(peer))?;
            }
            tell(peer, Vec::new(), true)
        }
        Command::Get { .. } => evil(peer),
        _ => peer.reply(Reply::Refused(Failure::new(Kind::Internal, "not this one"))),
    });
    server
        .client(ALICE)
        .target(format!("alice@{}", fake.address()))
        .args(["get", "-r", "tree", "in/tree"])
        .run()
}

fn fresh(server: &Server) {
    drop(fs::remove_dir_all(server.work().join("in")));
    fs::create_dir(server.work().join("in")).unwrap();
    server.write_work("precious", "precious");
    server.write_work("outside/precious", "precious");
}

/// What lies where nothing may come.
fn check_untouched(server: &Server, lie: &str) {
    let mut names: Vec<String> = fs::read_dir(server.work())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    assert_eq!(names, ["in", "outside", "precious"], "{lie}");
    let names: Vec<_> = fs::read_dir(server.work().join("outside")).unwrap().collect();
    assert_eq!(names.len(), 1, "{lie}");
    assert_eq!(fs::read_dir(server.work().join("in")).unwrap().count(), 1, "{lie}");
    assert_eq!(server.read_work("precious"), b"precious", "{lie}");
    assert_eq!(server.read_work("outside/precious"), b"precious", "{lie}");
    assert!(e2e::stages(server.work()).is_empty(), "{lie}");
}

#[test]
fn paths_that_climb_are_no_paths() {
    let server = Server::start();
    let long = "x".repeat(256);
    for path in ["../x", "/x", "a/../../x", "a/./x", "a//x", "a/", ".", "..", "a\0b", &long] {
        fresh(&server);
        let ran = get(&server, vec![directory("a"), file("before"), file(path)]);
        assert_eq!(ran.code, 3, "{path}: {}", ran.stderr);
        ran.told("broke the protocol");
        check_untouched(&server, path);
    }
}

#[test]
fn names_that_are_none_here_are_told_and_the_rest_comes() {
    let server = Server::start();
    fresh(&server);
    let tree = vec![
        found(b"caf\xe9", EntryKind::File, None),
        file(".ftpd~abcdefghijkl"),
        directory(".ftpd~d"),
        file("\x1b[31mred\nftp: all is well"),
        found(b"device", EntryKind::Other, None),
        file("good"),
    ];
    let ran = get(&server, tree).fails(9);
    assert_eq!(server.read_work("in/tree/good"), b"evil");
    assert_eq!(ran.stderr.matches("it cannot be a name here").count(), 3, "{}", ran.stderr);
    assert!(!ran.stderr.contains('\x1b'));
    check_untouched(&server, "names");
}

#[test]
fn no_link_leads_out_whoever_made_it() {
    let server = Server::start();
    let lies: [(&str, Vec<Found>); 7] = [
        ("absolute", vec![link("l", "/etc"), file("l/x")]),
        ("climbing", vec![link("l", "../../outside"), file("l/precious")]),
        ("from below", vec![directory("d"), link("d/l", "../../../outside"), file("d/l/precious")]),
        ("through another", vec![link("a", "."), link("b", "a/../../../outside"), file("b/precious")]),
        ("a file that becomes one", vec![file("l"), link("l", "../../outside/precious"), file("l")]),
        (
            "a directory that becomes one",
            vec![directory("l"), link("l", "../../outside"), file("l/precious")],
        ),
        ("the top that becomes one", vec![link("l", "../tree/../../outside"), file("l/precious")]),
    ];
    for (lie, tree) in lies {
        fresh(&server);
        let ran = get(&server, tree);
        assert_eq!(ran.code, 9, "{lie}: {}", ran.stderr);
        ran.told("leads out");
        check_untouched(&server, lie);
    }
}

#[test]
fn links_that_were_there_before_lead_nowhere_either() {
    let server = Server::start();
    fresh(&server);
    fs::create_dir(server.work().join("in/tree")).unwrap();
    std::os::unix::fs::symlink("../../outside", server.work().join("in/tree/l")).unwrap();
    std::os::unix::fs::symlink("../../outside/precious", server.work().join("in/tree/f")).unwrap();
    let fake = Fake::answering(|peer, command| match command {
        Command::GetTree { .. } => {
            peer.reply(Reply::Listing)?;
            let tree = vec![directory(""), directory("l"), file("l/precious"), file("f"), file("good")];
            tell(peer, tree, true)?;
            (0..3).try_for_each(|_| evil(peer))
        }
        _ => peer.reply(Reply::Done),
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    client.directory(&server.work().join("in")).args(["get", "-r", "tree", "."]).run().fails(9);
    assert_eq!(server.read_work("in/tree/good"), b"evil");
    let names: Vec<_> = fs::read_dir(server.work().join("outside")).unwrap().collect();
    assert_eq!((names.len(), server.read_work("outside/precious")), (1, b"precious".to_vec()));
}

#[test]
fn what_is_told_twice_or_as_two_things_does_no_harm() {
    let server = Server::start();
    fresh(&server);
    let tree = vec![
        directory("d"),
        directory("d"),
        file("d/a"),
        file("d/a"),
        file("e"),
        directory("e"),
        file("e/inner"),
        file("nowhere/a"),
        directory("late"),
        file("late"),
    ];
    get(&server, tree).fails(9);
    assert_eq!(server.read_work("in/tree/d/a"), b"evil");
    check_untouched(&server, "twice");
}

#[test]
fn a_tree_of_a_hundred_thousand_lies_is_borne() {
    let server = Server::start();
    fresh(&server);
    let tree =
        (0..100_000).map(|number| found(format!("{number}").as_bytes(), EntryKind::Other, None)).collect();
    let ran = get(&server, tree).fails(9);
    ran.told("100000 of 100000 could not be fetched");
    check_untouched(&server, "many");
}

#[test]
fn a_walk_that_begins_with_anything_else_than_its_top_is_none() {
    let server = Server::start();
    fresh(&server);
    let fake = Fake::answering(|peer, _| {
        peer.reply(Reply::Listing)?;
        tell(peer, vec![file("x")], true)
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    client.args(["get", "-r", "tree", "in/tree"]).run().fails(3);
    assert!(!server.work().join("in/tree").exists());
}

#[test]
fn a_damaged_file_of_a_tree_is_told_and_not_kept() {
    let server = Server::start();
    fresh(&server);
    let fake = Fake::answering(|peer, command| match command {
        Command::GetTree { .. } => {
            let names = ["a", "damaged", "root", "size", "z"];
            peer.reply(Reply::Listing)?;
            tell(peer, [vec![directory("")], names.map(file).to_vec()].concat(), true)?;
            names.into_iter().try_for_each(|name| {
                peer.reply(Reply::Sending { size: 4 })?;
                let (mut data, mut end) = (data_frame(b"data"), end(b"data"));
                match name {
                    "damaged" => data[6] ^= 1,
                    "root" => end.root[0] ^= 1,
                    "size" => end.size = 5,
                    _ => {}
                }
                peer.say(&data)?;
                peer.tell(&Message::End(end))
            })
        }
        _ => peer.reply(Reply::Done),
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    let ran =
        client.args(["get", "-r", "tree", "in/tree"]).run().fails(9).told("3 of 5 could not be fetched");
    assert_eq!(ran.stderr.matches("what arrived is not what was sent").count(), 3);
    for name in ["a", "z"] {
        assert_eq!(server.read_work(&format!("in/tree/{name}")), b"data");
    }
    assert_eq!(fs::read_dir(server.work().join("in/tree")).unwrap().count(), 2);
    check_untouched(&server, "damage");
}

#[test]
fn a_damaged_file_of_several_blocks_is_told_and_those_around_it_are_kept() {
    const BLOCK: usize = 64 * 1024;
    let content = bytes(3 * BLOCK + 5, 1);
    let (server, sent) = (Server::start(), content.clone());
    fresh(&server);
    let fake = Fake::answering(move |peer, command| match command {
        Command::GetTree { .. } => {
            let names = ["a", "aborted", "b", "damaged", "root", "size", "swapped", "z"];
            peer.reply(Reply::Listing)?;
            tell(peer, [vec![directory("")], names.map(file).to_vec()].concat(), true)?;
            names.into_iter().try_for_each(|name| {
                peer.reply(Reply::Sending { size: sent.len() as u64 })?;
                let mut blocks: Vec<Vec<u8>> = sent.chunks(BLOCK).map(data_frame).collect();
                let mut end = end(&sent);
                match name {
                    "aborted" => {
                        peer.say(&blocks[..2].concat())?;
                        let failure = Failure::new(Kind::Changed, "it has changed");
                        return peer.tell(&Message::Abort(Abort { command: 2, failure }));
                    }
                    "damaged" => blocks[2][7] ^= 1,
                    "root" => end.root[0] ^= 1,
                    "size" => end.size += 1,
                    "swapped" => blocks.swap(0, 1),
                    _ => {}
                }
                peer.say(&blocks.concat())?;
                peer.tell(&Message::End(end))
            })
        }
        Command::Pwd => peer.reply(Reply::Directory { path: b"/".to_vec() }),
        other => panic!("{other:?}"),
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    let ran = client.stdin("get -r tree in/tree\npwd\n").run().fails(9);
    assert!(ran.text().ends_with("/\n"), "{}", ran.text());
    let ran = ran.told("5 of 8 could not be fetched").told("tree/aborted: it has changed");
    assert_eq!(ran.stderr.matches("what arrived is not what was sent").count(), 4);
    for name in ["a", "b", "z"] {
        assert!(server.read_work(&format!("in/tree/{name}")) == content);
    }
    assert_eq!(fs::read_dir(server.work().join("in/tree")).unwrap().count(), 3);
    check_untouched(&server, "damage");
}

#[test]
fn a_put_that_was_stored_otherwise_is_told() {
    let server = Server::start();
    server.write_work("tree/a", "abc");
    server.write_work("tree/b", "abc");
    let fake = Fake::answering(|peer, command| match command {
        Command::Put { path, .. } => {
            peer.pass_over()?;
            let told = if path.ends_with(b"a") { end(b"abc") } else { end(b"abd") };
            peer.reply(Reply::Stored { size: 3, root: told.root })
        }
        _ => peer.reply(Reply::Done),
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    let ran = client.args(["put", "-r", "tree"]).run().fails(9);
    ran.told("tree/b: the server stored something else").told("1 of 2 could not be sent");
}

#[test]
fn what_comes_to_light_in_the_middle_of_a_file_is_asked_about_behind_it() {
    let server = Server::start();
    fs::create_dir(server.work().join("tree")).unwrap();
    fs::File::create(server.work().join("tree/large")).unwrap().set_len(64 << 20).unwrap();
    let mut unanswered = 0;
    let there = |kind| Reply::Refused(Failure::new(kind, "as it is"));
    let fake = Fake::answering(move |peer, command| match command {
        Command::Mkdir { .. } => {
            unanswered += 1;
            Ok(())
        }
        Command::PutRest { .. } => {
            for _ in 0..std::mem::take(&mut unanswered) {
                peer.reply(there(Kind::Exists))?;
            }
            peer.pass_over()?;
            peer.reply(there(Kind::Denied))
        }
        Command::Stat { .. } => peer.reply(Reply::Entry(Entry {
            name: b"tree".to_vec(),
            kind: EntryKind::Directory,
            size: 0,
            modified: Time { seconds: 0, nanoseconds: 0 },
            mode: 0o755,
        })),
        _ => peer.reply(Reply::Done),
    });
    let put = server.client(ALICE).target(format!("alice@{}", fake.address())).args(["put", "-r", "tree"]);
    put.run().fails(9);
}

#[test]
fn a_tree_that_is_broken_off_before_a_file_is_told_and_the_session_goes_on() {
    for last in [false, true] {
        let server = Server::start();
        fresh(&server);
        let fake = Fake::answering(move |peer, command| match command {
            Command::GetTree { .. } => {
                peer.reply(Reply::Listing)?;
                tell(peer, vec![directory(""), file("a"), file("b"), file("c")], last)?;
                evil(peer)?;
                let failure = Failure::new(Kind::Internal, "the disk is gone");
                peer.tell(&Message::Abort(Abort { command: 2, failure }))
            }
            Command::Pwd => peer.reply(Reply::Directory { path: b"/".to_vec() }),
            other => panic!("{other:?}"),
        });
        let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
        let ran = client.stdin("get -r tree in/tree\npwd\n").run().fails(9);
        assert!(ran.text().ends_with("/\n"), "{}", ran.text());
        ran.told("tree/b: the disk is gone").told("tree/c: the disk is gone");
        assert_eq!(server.read_work("in/tree/a"), b"evil");
    }
}
