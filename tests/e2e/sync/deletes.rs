//! What the source does not have: removed when its user says so, and only then.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;

use e2e::{ALICE, QUINN, Server, Terminal, bytes, snapshot};
use rustix::fs::{FlockOperation, flock};

use super::sync;
use crate::trees::tree;

/// Two trees, of which each has what the other does not.
fn plant(server: &Server) {
    for root in ["tree", "back"] {
        server.write_work(&format!("{root}/same"), "same");
    }
    server.write_work("tree/mine", "mine");
    sync(server, "put tree").ok();
    sync(server, "get tree back").ok();
    for root in [server.home(ALICE).join("tree"), server.work().join("back")] {
        fs::create_dir_all(root.join("extra/deep")).unwrap();
        fs::write(root.join("extra/deep/x"), "x").unwrap();
        fs::write(root.join("y"), "y").unwrap();
    }
}

#[test]
fn without_a_word_nothing_is_deleted_and_with_it_the_places_are_the_same() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    plant(&server);
    sync(&server, "put tree").ok().told("0 deleted");
    assert!(home.join("tree/extra/deep/x").exists());
    sync(&server, "put --delete --yes tree").ok().told("4 deleted");
    assert_eq!(tree(&home.join("tree")), tree(&work.join("tree")));
    sync(&server, "get --delete --yes tree back").ok().told("4 deleted");
    assert_eq!(tree(&home.join("tree")), tree(&work.join("back")));
    for words in ["put --delete --yes tree", "get --delete --yes tree back"] {
        sync(&server, words).ok().told("0 new, 0 changed, 0 deleted, 2 unchanged; 0 B moved");
    }
}

#[test]
fn a_terminal_is_asked_and_a_script_has_to_say_so() {
    let server = Server::start();
    let home = server.home(ALICE);
    plant(&server);
    let before = snapshot(&home);
    server.write_work("tree/new", "new");
    let client = || server.client(ALICE).args(["sync", "put", "--delete", "tree"]);
    client().run_without_terminal().fails(2).told("--yes deletes without asking");
    assert_eq!(snapshot(&home), before, "nothing moved");
    for answer in ["", "n", "nonsense"] {
        let mut at = Terminal::start(&client().command());
        at.expect("delete 2 files and 2 directories at tree? [y/N]");
        at.line(answer);
        let (code, _) = at.end();
        assert_eq!((code, snapshot(&home)), (1, before.clone()), "{answer}");
    }
    let mut at = Terminal::start(&client().command());
    at.expect("delete 2 files and 2 directories at tree? [y/N]");
    at.line("y");
    at.expect("1 new, 0 changed, 4 deleted, 2 unchanged");
    assert_eq!(at.end().0, 0);
    assert_eq!(tree(&home.join("tree")), tree(&server.work().join("tree")));
    // Where there is nothing to delete, there is nothing to ask.
    let mut at = Terminal::start(&client().command());
    at.expect("3 unchanged");
    assert_eq!(at.end().0, 0);
}

#[test]
fn what_is_excluded_and_stages_stay() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    plant(&server);
    for root in [home.join("tree"), work.join("back")] {
        fs::write(root.join("extra/deep/x.keep"), "x").unwrap();
        fs::write(root.join(".ftpd~abcdefghijkl"), "a stage").unwrap();
    }
    // Somebody is at the one here; nobody sweeps the other before the server starts anew.
    let held = fs::File::open(work.join("back/.ftpd~abcdefghijkl")).unwrap();
    flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
    for (words, root) in [
        ("put --delete --yes --exclude *.keep tree", home.join("tree")),
        ("get --delete --yes --exclude *.keep tree back", work.join("back")),
    ] {
        sync(&server, words).ok().told("2 deleted");
        assert!(root.join("extra/deep/x.keep").exists() && !root.join("extra/deep/x").exists());
        assert!(root.join(".ftpd~abcdefghijkl").exists() && !root.join("y").exists());
    }
}

#[test]
fn a_directory_and_a_file_of_one_name_are_replaced_only_by_a_word() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    let here = |root: &Path| {
        fs::create_dir_all(root.join("d/sub")).unwrap();
        fs::write(root.join("d/sub/x"), "x").unwrap();
        fs::write(root.join("f"), "f").unwrap();
        fs::write(root.join("other"), "other").unwrap();
    };
    let there = |root: &Path| {
        fs::create_dir_all(root.join("f/sub")).unwrap();
        fs::write(root.join("f/sub/y"), "y").unwrap();
        fs::write(root.join("d"), "d").unwrap();
    };
    here(&work.join("tree"));
    here(&home.join("there"));
    there(&home.join("tree"));
    there(&work.join("there"));
    for (words, to) in [("put tree", home.join("tree")), ("get there", work.join("there"))] {
        let ran = sync(&server, words).fails(9).told("1 new, 0 changed, 0 deleted, 0 unchanged, 2 failed");
        ran.told("a directory stands where it should be. --delete lets it be replaced")
            .told("a file stands where it should be");
        assert!(to.join("f/sub/y").exists() && to.join("d").is_file());
        let words = format!("{words} --delete --yes");
        sync(&server, &words).ok().told("2 new, 0 changed, 4 deleted, 1 unchanged");
        assert_eq!(fs::read(to.join("f")).unwrap(), b"f");
        assert_eq!(fs::read(to.join("d/sub/x")).unwrap(), b"x");
        sync(&server, &words).ok().told("3 unchanged; 0 B moved");
    }
}

#[test]
fn a_link_or_a_special_file_stays_until_the_file_is_there_that_takes_its_place() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    for root in [work.join("tree"), home.join("there")] {
        fs::create_dir_all(root.join("d")).unwrap();
        for (name, size) in [("empty", 0), ("d/small", 5), ("large", 3 << 20), ("special", 70_000)] {
            fs::write(root.join(name), bytes(size, 1)).unwrap();
        }
    }
    for (words, from, to) in [
        ("put tree", work.join("tree"), home.join("tree")),
        ("get there", home.join("there"), work.join("there")),
    ] {
        fs::create_dir_all(to.join("d")).unwrap();
        for (name, target) in [("empty", "nowhere"), ("d/small", "../kept"), ("large", "kept")] {
            symlink(target, to.join(name)).unwrap();
        }
        fs::write(to.join("kept"), "kept").unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, to.join("special"), mode).unwrap();
        let before = tree(&to);
        let dry = format!("-n {words}");
        sync(&server, &dry).ok().told("0 new, 4 changed, 0 deleted, 0 unchanged");
        assert_eq!(tree(&to), before);
        sync(&server, words).ok().told("0 new, 4 changed, 0 deleted, 0 unchanged");
        assert_eq!(fs::read(to.join("kept")).unwrap(), b"kept", "what a link leads to is not touched");
        for name in ["empty", "d/small", "large", "special"] {
            assert!(fs::symlink_metadata(to.join(name)).unwrap().is_file(), "{name}");
            assert_eq!(fs::read(to.join(name)).unwrap(), fs::read(from.join(name)).unwrap(), "{name}");
        }
        assert_eq!(fs::read_dir(&to).unwrap().count(), 5, "nothing is left beside them");
        sync(&server, words).ok().told("4 unchanged; 0 B moved");
    }
}

#[test]
fn a_file_that_cannot_come_leaves_the_link_that_has_its_name() {
    let server = Server::start();
    let (home, work) = (server.home(QUINN).join("tree"), server.work());
    for (root, size) in [(work.join("tree"), 2 << 20), (server.home(ALICE).join("there"), 8 << 40)] {
        fs::create_dir_all(&root).unwrap();
        for name in ["x", "y"] {
            fs::File::create(root.join(name)).unwrap().set_len(size).unwrap();
        }
    }
    for (user, words, to) in [(QUINN, ["put", "tree"], home), (ALICE, ["get", "there"], work.join("there"))] {
        fs::create_dir(&to).unwrap();
        symlink("target", to.join("x")).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, to.join("y"), mode).unwrap();
        let ran = server.client(user).args(["sync"]).args(words).run().fails(9);
        ran.told("0 new, 0 changed, 0 deleted, 0 unchanged, 2 failed");
        assert_eq!(fs::read_link(to.join("x")).unwrap(), Path::new("target"));
        assert!(fs::symlink_metadata(to.join("y")).unwrap().file_type().is_fifo());
        assert_eq!(fs::read_dir(&to).unwrap().count(), 2, "nothing is left beside them");
    }
}

#[test]
fn where_the_source_could_not_be_listed_nothing_is_deleted() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    plant(&server);
    server.write_work("tree/new", "new");
    // A path of more than 4,096 bytes can be made, but not told.
    let mut deep = fs::File::open(work.join("tree")).unwrap();
    for _ in 0..17 {
        let name = "d".repeat(250);
        rustix::fs::mkdirat(&deep, &name, rustix::fs::Mode::from_raw_mode(0o700)).unwrap();
        let flags = rustix::fs::OFlags::DIRECTORY;
        deep = rustix::fs::openat(&deep, &name, flags, rustix::fs::Mode::empty()).unwrap().into();
    }
    let ran = sync(&server, "put --delete --yes tree").fails(9);
    ran.told("nothing was deleted, since not everything could be listed").told("0 deleted");
    assert!(home.join("tree/extra/deep/x").exists(), "kept");
    assert_eq!(fs::read(home.join("tree/new")).unwrap(), b"new", "the rest went on");
}
