//! What changes meanwhile, contents behind equal times, and connections that are lost.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;

use e2e::{ALICE, Cutting, Fake, Server, Way, bytes, end};
use proto::{Command, Entry, EntryKind, Failure, Kind, Message, Reply, Time};

use super::sync;
use crate::trees::{plant, set_mode, set_time, tree};

#[test]
fn contents_behind_equal_times_are_seen_by_their_roots_alone() {
    for digest in ["md5", "blake3"] {
        let server = Server::start();
        let (home, work) = (server.home(ALICE), server.work());
        plant(&work.join("tree"));
        sync(&server, "put tree").ok();
        sync(&server, "get tree back").ok();
        for root in [work.join("tree"), work.join("back")] {
            for (name, place) in [("sub/deep/file 7", 0), ("big", 100_000), ("one", 0)] {
                let file = File::options().write(true).open(root.join(name)).unwrap();
                let then = file.metadata().unwrap().modified().unwrap();
                file.write_all_at(b"#", place).unwrap();
                file.set_modified(then).unwrap();
            }
            set_mode(&root.join("some"), 0o600);
        }
        let run = |words: &[&str]| {
            server.client(ALICE).option("--digest").option(digest).args(["sync"]).args(words).run().ok()
        };
        run(&["put", "-n", "tree"]).told("0 new, 0 changed, 1 with another time or mode");
        run(&["get", "--checksum", "tree", "back"])
            .told("311 files looked at: 0 new, 3 changed (1 of 49 blocks), 1 with another time or mode")
            .told("307 unchanged");
        assert_eq!(tree(&home.join("tree")), tree(&work.join("back")));
        run(&["put", "--checksum", "tree"])
            .told("311 files looked at: 0 new, 3 changed (1 of 49 blocks), 1 with another time or mode")
            .told("307 unchanged");
        assert_eq!(tree(&home.join("tree")), tree(&work.join("tree")));
        // Where only the time differs, only that is set.
        set_time(&work.join("tree/sub/deep/file 9"), 99);
        run(&["put", "--checksum", "tree"]).told("0 changed, 1 with another time or mode");
        assert_eq!(tree(&home.join("tree")), tree(&work.join("tree")));
    }
}

fn entry(kind: EntryKind, size: u64) -> Reply {
    let modified = Time { seconds: 1_000_000_000, nanoseconds: 0 };
    Reply::Entry(Entry { name: b"a".to_vec(), kind, size, modified, mode: 0o644 })
}

#[test]
fn a_file_that_changes_while_it_is_compared_is_moved_as_a_whole() {
    let server = Server::start();
    let mine = bytes(3 << 20, 1);
    let path = server.write_work("a", &mine);
    let mut put = Vec::new();
    let fake = Fake::answering(move |peer, command| match command {
        Command::Stat { .. } => peer.reply(entry(EntryKind::File, 2 << 20)),
        Command::Digests { .. } => {
            File::options().append(true).open(&path).unwrap().write_all(b"more").unwrap();
            peer.reply(Reply::Reading { size: 2 << 20, version: [1; 16] })?;
            let digests = [7; 16 * 32];
            peer.tell(&Message::Digests(digests.to_vec()))?;
            let mut root = digest::Root::new(digest::Algorithm::Md5);
            for digest in digests.chunks(16) {
                root.push(&digest::Digest::new(digest::Algorithm::Md5, digest).unwrap());
            }
            let root = root.value().as_bytes().to_vec();
            peer.tell(&Message::End(proto::End { size: 2 << 20, root, modified: None, mode: None }))
        }
        Command::Assemble { .. } => peer.reply(Reply::Assembling { assembly: [1; 16] }),
        Command::Leave { .. } => peer.reply(Reply::Done),
        Command::PutRest { size, first_block: 0, .. } => {
            assert_eq!(size, (3 << 20) + 4);
            put.extend(mine.iter().chain(b"more"));
            peer.pass_over()?;
            peer.reply(Reply::Stored { size, root: end(&put).root })
        }
        other => panic!("{other:?}"),
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    client.args(["sync", "put", "a"]).run().ok().told("it is moved as a whole").told("1 changed, 0 deleted");
}

#[test]
fn what_changes_at_the_server_is_moved_as_a_whole_once() {
    let server = Server::start();
    server.write_work("a", bytes(3 << 20, 1));
    let fake = Fake::answering(move |peer, command| match command {
        Command::Stat { .. } => peer.reply(entry(EntryKind::File, 3 << 20)),
        Command::Digests { .. } => peer.reply(Reply::Refused(Failure::new(Kind::Changed, "it changed"))),
        Command::PutRest { .. } => {
            peer.pass_over()?;
            peer.reply(Reply::Refused(Failure::new(Kind::Changed, "it changed again")))
        }
        other => panic!("{other:?}"),
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    let ran = client.args(["sync", "put", "a"]).run().fails(9).told("it is moved as a whole");
    ran.told("it changed again").told("0 changed, 0 deleted, 0 unchanged, 1 failed");
}

#[test]
fn after_a_cut_what_is_left_is_done() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    for number in 0..300 {
        server.write_work(&format!("tree/{number}"), bytes(30_000, number));
    }
    server.write_work("tree/large", bytes(5 << 20, 1));
    let at = |way: &Way| server.client(ALICE).target(format!("alice@{}", way.address()));
    let way = Way::cut_up(server.address(), 3 << 20);
    let ran = at(&way).args(["sync", "put", "tree"]).run();
    ran.fails(3).told("What is done is not done again: run it once more");
    sync(&server, "put tree").ok();
    assert_eq!(tree(&home.join("tree")), tree(&work.join("tree")));
    sync(&server, "put tree").ok().told("301 unchanged; 0 B moved");
    let way = Way::cut_down(server.address(), 3 << 20);
    at(&way).args(["sync", "get", "tree", "back"]).run().fails(3);
    assert!(e2e::stages(&work).is_empty());
    sync(&server, "get tree back").ok();
    assert_eq!(tree(&home.join("tree")), tree(&work.join("back")));
    // In the middle of digests, and of blocks.
    let image = home.join("tree/large");
    fs::write(&image, bytes(5 << 20, 2)).unwrap();
    for bytes in [1500, 2 << 20] {
        let way = Way::cut_down(server.address(), bytes);
        at(&way).args(["sync", "get", "tree/large", "back/large"]).run().fails(3);
        assert!(e2e::stages(&work).is_empty());
    }
    sync(&server, "get tree/large back/large").ok().told("(80 of 80 blocks)");
    assert_eq!(tree(&home.join("tree")).len(), tree(&work.join("back")).len());
    assert_eq!(fs::read(&image).unwrap(), server.read_work("back/large"));
}

#[test]
fn a_large_new_file_goes_on_where_it_was_cut() {
    const MIB: usize = 1 << 20;
    let server = Server::builder().top("durability = \"none\"").start();
    let (home, work) = (server.home(ALICE), server.work());
    let content = bytes(64 * MIB + 5, 1);
    server.write_work("tree/sub/large", &content);
    server.write_work("tree/small", "small");
    let client = |cutting: &Cutting| {
        let target = format!("alice@{}", cutting.address());
        server.client(ALICE).target(target).option("--parallel").option("1")
    };
    // By itself, when the connection is lost.
    let cutting = Cutting::new(server.address(), [30, 20].map(|mib| mib * MIB as u64));
    client(&cutting).args(["sync", "put", "tree"]).run().ok().told("trying again at").told("2 new");
    assert!(cutting.up() < 80 * MIB as u64, "{} bytes went up", cutting.up());
    assert_eq!(tree(&home.join("tree")), tree(&work.join("tree")));
    // And in the next run, after it was given up; the same for a single file, the other way, too.
    server.write_work("one", &content[..9 * MIB]);
    server.write("alice/other", &content[..9 * MIB]);
    for (words, size) in [
        (["sync", "put", "tree", "again"], 64 * MIB),
        (["sync", "put", "one", "one"], 9 * MIB),
        (["sync", "get", "other", "other"], 9 * MIB),
    ] {
        let cutting = Cutting::new(server.address(), [size as u64 / 3 * 2]);
        let ran = client(&cutting).option("--retries").option("0").args(words).run();
        ran.fails(3).told("What is done is not done again: run it once more");
        let before = cutting.up() + cutting.down();
        client(&cutting).args(words).run().ok().told("1 new");
        let went = cutting.up() + cutting.down() - before;
        assert!(went < size as u64 / 3 * 2, "{words:?}: {went} bytes went again");
    }
    assert_eq!(tree(&home.join("again")), tree(&work.join("tree")));
    assert!(server.read("alice/one") == server.read_work("one"));
    assert!(server.read("alice/other") == server.read_work("other"));
    assert!(e2e::stages(server.homes()).is_empty() && e2e::stages(&work).is_empty());
}
