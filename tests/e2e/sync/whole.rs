//! Trees and files that are made alike, with what needs no blocks.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use e2e::{ALICE, Server, snapshot};

use super::sync;
use crate::trees::{plant, set_mode, set_time, tree};

#[test]
fn the_second_time_nothing_is_done() {
    for server in [Server::start(), Server::builder().tls().start()] {
        let (home, work) = (server.home(ALICE), server.work());
        plant(&work.join("tree"));
        symlink("sub/deep", work.join("tree/link")).unwrap();
        sync(&server, "put tree")
            .ok()
            .told("312 files looked at: 312 new, 0 changed, 0 deleted, 0 unchanged; ");
        assert_eq!(tree(&work.join("tree")), tree(&home.join("tree")), "sent");
        let before = snapshot(home.join("tree"));
        sync(&server, "put tree").ok().told("0 new, 0 changed, 0 deleted, 312 unchanged; 0 B moved");
        assert_eq!(snapshot(home.join("tree")), before);
        sync(&server, "get tree back").ok().told("312 files looked at: 312 new, 0 changed, 0 deleted");
        assert_eq!(tree(&work.join("tree")), tree(&work.join("back")), "fetched");
        let before = snapshot(work.join("back"));
        sync(&server, "get tree back").ok().told("0 new, 0 changed, 0 deleted, 312 unchanged; 0 B moved");
        assert_eq!(snapshot(work.join("back")), before);
        assert!(e2e::stages(server.homes()).is_empty() && e2e::stages(&work).is_empty());
    }
}

/// Makes changes in a tree, some files of which are in one place at the other end as well.
fn change(root: &Path) {
    fs::write(root.join("sub/deep/file 7"), "this is no file\n").unwrap();
    fs::write(root.join("one"), "12345").unwrap();
    fs::create_dir_all(root.join("fresh/deep")).unwrap();
    fs::write(root.join("fresh/deep/file"), "new").unwrap();
    set_mode(&root.join("some"), 0o600);
    set_mode(&root.join("empty"), 0o750);
    fs::write(root.join("zero"), "no more").unwrap();
    set_time(&root.join("fresh/deep"), 77);
}

#[test]
fn only_what_differs_is_moved() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    plant(&work.join("tree"));
    sync(&server, "put tree").ok();
    sync(&server, "get tree back").ok();
    change(&work.join("tree"));
    let inode = |path: &str| fs::metadata(home.join("tree").join(path)).unwrap().ino();
    let (some, big) = (inode("some"), inode("big"));
    sync(&server, "put tree").ok().told(
        "312 files looked at: 1 new, 3 changed, 1 with another time or mode, 0 deleted, 307 unchanged; 31 B moved",
    );
    assert_eq!(tree(&work.join("tree")), tree(&home.join("tree")));
    assert_eq!((inode("some"), inode("big")), (some, big), "their contents were not touched");

    sync(&server, "get tree back").ok().told(
        "312 files looked at: 1 new, 3 changed, 1 with another time or mode, 0 deleted, 307 unchanged; 31 B moved",
    );
    assert_eq!(tree(&work.join("back")), tree(&home.join("tree")));
}

#[test]
fn a_dry_run_tells_and_does_nothing() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    for file in ["tree/same", "tree/d/a"] {
        server.write_work(file, file);
    }
    sync(&server, "put tree").ok();
    server.write("alice/tree/extra/x", "x");
    server.write_work("tree/new", "new");
    server.write_work("tree/d/a", "changed");
    symlink("same", work.join("tree/link")).unwrap();
    let (there, here) = (snapshot(&home), snapshot(&work));
    let ran = sync(&server, "put --delete -n tree").ok();
    let mut lines: Vec<String> = ran.text().lines().map(str::to_owned).collect();
    lines.sort();
    let wanted = [
        "delete extra",
        "delete extra/x",
        "link   link",
        "put    d/a",
        "put    new",
        "set    d",
        "set    tree",
    ];
    assert_eq!(lines, wanted);
    ran.told("4 files looked at: 2 new, 1 changed, 2 deleted, 1 unchanged; nothing was done (dry run)");
    sync(&server, "put --dry-run tree nowhere").ok().told("4 new");
    sync(&server, "get --dry-run tree nowhere").ok().told("3 new");
    assert_eq!((snapshot(&home), snapshot(&work)), (there, here));
}

#[test]
fn a_single_file_goes_the_same_ways() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    server.write_work("a file", "one");
    set_time(&work.join("a file"), 3);
    let run = |words: &[&str]| server.client(ALICE).args(["sync"]).args(words).run();
    run(&["put", "a file"])
        .ok()
        .told("1 file looked at: 1 new, 0 changed, 0 deleted, 0 unchanged; 3 B moved");
    run(&["put", "a file"]).ok().told("1 unchanged; 0 B moved");
    run(&["put", "a file", "other"]).ok().told("1 new");
    fs::create_dir(home.join("d")).unwrap();
    run(&["put", "a file", "d"]).ok();
    run(&["get", "d/a file", "back"]).ok().told("1 new");
    run(&["get", "d/a file", "back"]).ok().told("1 unchanged; 0 B moved");
    set_mode(&work.join("back"), 0o600);
    run(&["get", "d/a file", "back"]).ok().told("1 with another time or mode");
    let modified =
        |path: &Path| fs::metadata(path).map(|seen| (seen.mtime(), seen.mtime_nsec(), seen.mode())).unwrap();
    let first = modified(&work.join("a file"));
    for path in [work.join("back"), home.join("d/a file"), home.join("other"), home.join("a file")] {
        assert_eq!((modified(&path), fs::read(&path).unwrap()), (first, b"one".to_vec()));
    }
    run(&["put", "missing"]).fails(6);
    run(&["get", "missing"]).fails(6);
    run(&["put", "a file", "nowhere/a"]).fails(9);
}

#[test]
fn names_that_the_other_end_cannot_hold_are_told_and_the_rest_goes_on() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9");
    for root in [work.join("tree"), home.join("there")] {
        fs::create_dir_all(root.join(odd).join("in it")).unwrap();
        fs::write(root.join("good"), "good").unwrap();
        fs::write(root.join("new\nline"), "good").unwrap();
        fs::write(root.join("a \\ b"), "good").unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
    }
    let put = sync(&server, "put tree").fails(9).told("3 new, 0 changed, 0 deleted, 0 unchanged, 2 failed");
    let get = sync(&server, "get there").fails(9).told("3 new, 0 changed, 0 deleted, 0 unchanged, 2 failed");
    for ran in [put, get] {
        assert_eq!(ran.stderr.matches("it cannot be a name here").count(), 1, "{}", ran.stderr);
    }
    for root in [home.join("tree"), work.join("there")] {
        assert_eq!(fs::read_dir(&root).unwrap().count(), 3);
        assert_eq!(fs::read(root.join("new\nline")).unwrap(), b"good");
    }
}

#[test]
fn links_are_copied_followed_or_left_out_as_trees_do() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    for root in [work.join("tree"), home.join("there")] {
        fs::create_dir_all(root.join("d")).unwrap();
        fs::write(root.join("d/a"), "a").unwrap();
        symlink("d", root.join("l")).unwrap();
        symlink("d/a", root.join("f")).unwrap();
        symlink("..", root.join("d/loop")).unwrap();
    }
    let run = |links: &str, words: &[&str]| {
        server.client(ALICE).option("--links").option(links).args(["sync"]).args(words).run()
    };
    run("copy", &["put", "tree", "copied"]).ok().told("4 new");
    run("copy", &["put", "tree", "copied"]).ok().told("4 unchanged");
    run("copy", &["get", "there", "copied"]).ok().told("4 new");
    assert_eq!(tree(&work.join("tree")), tree(&home.join("copied")));
    assert_eq!(tree(&home.join("there")), tree(&work.join("copied")));

    run("skip", &["put", "tree", "skipped"]).ok().told("1 new").told("3 links left out");
    run("skip", &["get", "there", "skipped"]).ok().told("1 new").told("3 links left out");
    run("skip", &["put", "--delete", "--yes", "tree", "copied"]).ok().told("0 deleted");

    for words in [["put", "tree", "followed"], ["get", "there", "followed"]] {
        let ran = run("follow", &words).fails(9).told("leads back to a directory that it lies in");
        assert!(ran.stderr.contains("3 new"), "{}", ran.stderr);
        run("follow", &words).fails(9).told("0 new").told("0 changed");
    }
    for root in [home.join("followed"), work.join("followed")] {
        assert_eq!(fs::read(root.join("l/a")).unwrap(), b"a");
        assert!(fs::symlink_metadata(root.join("f")).unwrap().is_file());
        assert!(!root.join("d/loop").exists());
    }
    // What was followed before becomes a link, and a link that leads elsewhere is made anew.
    symlink("nowhere", home.join("copied/new")).unwrap();
    symlink("d", work.join("tree/new")).unwrap();
    run("copy", &["put", "tree", "copied"]).ok().told("0 new, 1 changed");
    assert_eq!(fs::read_link(home.join("copied/new")).unwrap(), Path::new("d"));
}

#[test]
fn a_destination_inside_of_the_source_does_not_grow_into_itself() {
    let server = Server::start();
    let home = server.home(ALICE);
    server.write("alice/a", "a");
    server.write("alice/d/b", "b");
    let run = || server.client(ALICE).directory(&home).args(["sync", "put", ".", "copy"]).run();
    run().ok().told("2 new");
    assert_eq!(fs::read_dir(home.join("copy")).unwrap().count(), 2);
    assert_eq!(fs::read(home.join("copy/d/b")).unwrap(), b"b");
}

#[test]
fn patterns_say_what_takes_part() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    for file in ["a.c", "a.o", "keep.o", "build/x", "src/b.c", "src/b.o", "src/build/y", "docs/src/b.c"] {
        server.write_work(&format!("tree/{file}"), file);
    }
    let words = "put --include keep.o --exclude *.o --exclude /build --exclude src/build tree";
    sync(&server, words).ok().told("4 files looked at: 4 new");
    let names = |root: &Path| {
        let all = snapshot(root).into_iter().filter(|(path, _)| path.is_file());
        all.map(|(path, _)| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&home.join("tree")), ["a.c", "docs/src/b.c", "keep.o", "src/b.c"]);
    assert!(!home.join("tree/build").exists());
    sync(&server, "get --include */ --include *.c --exclude * tree back")
        .ok()
        .told("3 files looked at: 3 new");
    assert_eq!(names(&work.join("back")), ["a.c", "docs/src/b.c", "src/b.c"]);
    sync(&server, "put --exclude a[ tree").fails(2).told("a[ is no pattern");
}

#[test]
fn a_program_gets_the_summary_as_the_last_object() {
    let server = Server::start();
    server.write_work("tree/a", "abc");
    let run = |words: &[&str]| {
        let client = server.client(ALICE).option("--quiet").option("--json");
        client.args(["sync", "put"]).args(words).run().ok()
    };
    let dry = run(&["-n", "tree"]).text();
    let would = "{\"would\":\"mkdir\",\"path\":\"tree\"}\n{\"would\":\"put\",\"path\":\"a\"}\n";
    assert!(dry.starts_with(would) && dry.contains("\"dry_run\":true"), "{dry}");
    let ran = run(&["tree"]);
    let text = ran.text();
    let [file, summary] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(file.starts_with("{\"file\":\"tree/a\",\"size\":3,\"verified\":\"md5\""), "{file}");
    let begins = "{\"dry_run\":false,\"looked_at\":1,\"new\":1,\"changed\":0,\"blocks_moved\":0,\"blocks\":0,\
                  \"attributes\":0,\"deleted\":0,\"unchanged\":0,\"not_done\":0,\"links_left_out\":0,\"bytes_moved\":3,\"seconds\":";
    assert!(summary.starts_with(begins) && summary.ends_with('}'), "{summary}");
    assert_eq!(ran.stderr, "");
}

#[test]
fn it_is_a_command_of_batches_and_misuse_is_told() {
    let server = Server::start();
    server.write_work("a tree/a", "abc");
    let batch = "sync put 'a tree' there\nsync get there back\n";
    server.client(ALICE).option("-b").option("-").stdin(batch).run().ok();
    assert_eq!(server.read_work("back/a"), b"abc");
    sync(&server, "there back").fails(2).told("sync put LOCAL [REMOTE]").told("sync get REMOTE [LOCAL]");
    server.client(ALICE).args(["help", "sync"]).run().ok();
    server.client(ALICE).args(["sync", "put", "a tree", "there/a"]).run().fails(1).told("is no directory");
    server.client(ALICE).args(["sync", "get", "there", "back/a"]).run().fails(1).told("is no directory");
}

#[test]
fn a_classic_server_is_refused_with_what_to_do_instead() {
    let server = Server::builder().classic().start();
    server.write_work("tree/a", "abc");
    let target = format!("ftp://alice@{}/", server.classic_address());
    let client = server.client(ALICE).tls(true).target(target);
    client.args(["sync", "put", "tree"]).run().fails(2).told("put -r and get -r move whole trees");
}
