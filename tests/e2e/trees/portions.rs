//! Trees of which a part cannot be moved: the rest is, and what is not is told.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;

use e2e::{ALICE, BOB, CAROL, QUINN, Server, bytes};

use super::set_mode;

/// Runs without the privileges that would read everything.
fn unprivileged() -> &'static [&'static str] {
    if rustix::process::geteuid().is_root() {
        &["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    } else {
        &["env"]
    }
}

#[test]
fn what_cannot_be_read_here_is_told_and_the_rest_goes() {
    let server = Server::start();
    let tree = server.work().join("tree");
    for name in ["a", "b", "c", "shut/inner"] {
        server.write_work(&format!("tree/{name}"), name);
    }
    set_mode(&tree.join("b"), 0o000);
    set_mode(&tree.join("shut"), 0o000);
    fs::write(tree.join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "latin").unwrap();
    let _socket = UnixListener::bind(tree.join("socket")).unwrap();
    let ran = server.client(ALICE).args(["put", "-r", "tree"]).run_by(unprivileged()).fails(9);
    set_mode(&tree.join("shut"), 0o755);
    for line in [
        "ftp: tree/b: permission denied",
        "ftp: tree/shut: permission denied",
        "ftp: tree/caf\\xef\\xbf\\xbd: it cannot be a name here",
        "ftp: tree/socket: it is a device, a FIFO or a socket",
        "ftp: put -r tree: 4 of 6 could not be sent",
    ] {
        let line = line.replace("\\xef\\xbf\\xbd", "\u{fffd}");
        assert!(ran.stderr.contains(&line), "{line}\n{}", ran.stderr);
    }
    for name in ["a", "c"] {
        assert_eq!(server.read(&format!("alice/tree/{name}")), name.as_bytes());
    }
    assert!(server.home(ALICE).join("tree/shut").is_dir());
}

#[test]
fn what_cannot_be_read_there_is_told_and_the_rest_comes() {
    let server = Server::builder().launched_by(unprivileged()).start();
    let tree = server.home(ALICE).join("tree");
    for name in ["a", "b", "c", "shut/inner", "sub/d"] {
        server.write(&format!("alice/tree/{name}"), name);
    }
    set_mode(&tree.join("b"), 0o000);
    set_mode(&tree.join("shut"), 0o000);
    fs::write(tree.join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "latin").unwrap();
    let ran = server.ftp(&["get", "-r", "tree"]).fails(9);
    set_mode(&tree.join("shut"), 0o755);
    for line in
        ["ftp: tree/b: permission denied", "ftp: tree/shut: permission denied", "it cannot be a name here"]
    {
        assert!(ran.stderr.contains(line), "{line}\n{}", ran.stderr);
    }
    ran.told("3 of 6 could not be fetched");
    for name in ["a", "c", "sub/d"] {
        assert_eq!(server.read_work(&format!("tree/{name}")), name.as_bytes());
    }
}

#[test]
fn a_quota_in_the_middle_leaves_whole_files() {
    let server = Server::start();
    let content = bytes(10_000, 1);
    for number in 0..200 {
        server.write_work(&format!("tree/{number:03}"), &content);
    }
    server.write_work("tree/large", bytes(700_000, 2));
    let ran =
        server.client(QUINN).args(["put", "-r", "tree"]).run().fails(9).told("the quota does not suffice");
    let stored = fs::read_dir(server.home(QUINN).join("tree")).unwrap().count();
    assert!((30..=105).contains(&stored), "{stored} files");
    ran.told(&format!("{} of 201 could not be sent", 201 - stored));
    for entry in fs::read_dir(server.home(QUINN).join("tree")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "large" {
            assert!(fs::read(path).unwrap() == content);
        }
    }
    assert!(e2e::stages(server.homes()).is_empty());
}

#[test]
fn something_else_in_the_way_is_told_on_either_side() {
    let server = Server::start();
    for root in ["alice/there", "work"] {
        let write = |name: &str| match root {
            "work" => server.write_work(&format!("here/{name}"), name),
            root => server.write(&format!("{root}/{name}"), name),
        };
        for name in ["dir/file", "dir/more", "plain", "fine"] {
            write(name);
        }
    }
    server.write("alice/here/dir", "a file where a directory would be");
    fs::create_dir_all(server.home(ALICE).join("here/plain/full")).unwrap();
    server.write_work("there/dir", "a file where a directory would be");
    fs::create_dir_all(server.work().join("there/plain/full")).unwrap();
    let put = server.ftp(&["put", "-r", "here", "/"]).fails(9);
    let got = server.client(ALICE).args(["get", "-r", "there", "."]).run().fails(9);
    for (ran, name) in [(put, "here"), (got, "there")] {
        ran.told(&format!("{name}/plain: it is a directory"))
            .told("/dir: ")
            .told("/dir/file: ")
            .told("/dir/more: ");
    }
    assert_eq!(server.read("alice/here/fine"), b"fine");
    assert_eq!(server.read_work("there/fine"), b"fine");
    assert_eq!(server.read("alice/here/dir"), b"a file where a directory would be");
}

#[test]
fn who_may_not_is_told_so() {
    let server = Server::start();
    server.write("bob/tree/file", "data");
    server.write_work("mine/file", "data");
    server.client(BOB).args(["get", "-r", "tree"]).run().ok();
    server.client(BOB).args(["put", "-r", "mine"]).run().fails(7).told("put -r mine: this account may not ");
    server.client(BOB).args(["rm", "-r", "tree"]).run().fails(7);
    assert!(!server.home(BOB).join("mine").exists());
    server.client(CAROL).args(["put", "-r", "mine", "dropped"]).run();
    assert_eq!(server.read("carol/dropped/file"), b"data");
    server.client(CAROL).args(["get", "-r", "dropped"]).run().fails(7);
    server.client(CAROL).args(["ls", "-r", "dropped"]).run().fails(7);
}

#[test]
fn five_thousand_files_and_a_thousand_directories_one_in_the_other() {
    let server = Server::start();
    for number in 0..5000 {
        server.write_work(&format!("tree/d{}/f{number}", number % 50), format!("{number}"));
    }
    let deep = "d/".repeat(1000);
    server.write_work(&format!("tree/{deep}bottom"), "bottom");
    server.ftp(&["put", "-r", "tree"]).ok().told("5001 files");
    server.ftp(&["get", "-r", "tree", "back"]).ok().told("5001 files");
    assert_eq!(server.read_work(&format!("back/{deep}bottom")), b"bottom");
    assert_eq!(super::tree(&server.work().join("tree")), super::tree(&server.work().join("back")));
    server.ftp(&["rm", "-r", "tree"]).ok();
    assert!(!server.home(ALICE).join("tree").exists());
}
