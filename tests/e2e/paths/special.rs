//! Devices, FIFOs and sockets: listed, never opened, and nobody waits for them.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;

use e2e::{ALICE, Server, snapshot};
use rustix::fs::{CWD, FileType, Mode, makedev, mkfifoat, mknodat};
use rustix::process::geteuid;

/// A home with a FIFO, a socket and a device in it, and a link to each.
fn furnished() -> (Server, UnixListener) {
    assert!(
        geteuid().is_root(),
        "only root can make a device: run the tests as root, in a container for example"
    );
    let server = Server::start();
    let home = server.home(ALICE);
    mkfifoat(CWD, home.join("fifo"), Mode::from_raw_mode(0o666)).unwrap();
    let socket = UnixListener::bind(home.join("socket")).unwrap();
    for (name, major, minor) in [("null", 1, 3), ("zero", 1, 5), ("tty", 5, 0)] {
        let mode = Mode::from_raw_mode(0o666);
        mknodat(CWD, home.join(name), FileType::CharacterDevice, mode, makedev(major, minor)).unwrap();
    }
    mknodat(CWD, home.join("disk"), FileType::BlockDevice, Mode::from_raw_mode(0o600), makedev(7, 0))
        .unwrap();
    SPECIAL.iter().for_each(|name| symlink(name, home.join(format!("to-{name}"))).unwrap());
    (server, socket)
}

const SPECIAL: [&str; 6] = ["fifo", "socket", "null", "zero", "tty", "disk"];

#[test]
fn none_is_ever_opened() {
    let (server, _socket) = furnished();
    server.write_work("local", b"new");
    let before = snapshot(server.homes());
    for name in SPECIAL {
        for path in [name.to_owned(), format!("to-{name}")] {
            for words in
                [&["cat", &path][..], &["get", &path, "fetched"], &["md5", &path], &["put", "local", &path]]
            {
                let ran = server.ftp(words);
                assert_eq!(ran.code, 7, "{words:?}: {ran:?}");
                assert_eq!(ran.stdout, b"");
                ran.told("it is a device, a FIFO or a socket");
            }
            server.ftp(&["cd", &path]).fails(1).told("it is not a directory");
            server.ftp(&["ls", &format!("{path}/x")]).fails(1).told("not a directory");
        }
    }
    assert_eq!(snapshot(server.homes()), before);
    assert!(!server.work().join("fetched").exists());
}

#[test]
fn each_is_listed_and_can_be_removed() {
    let (server, _socket) = furnished();
    for name in SPECIAL {
        let line = server.ftp(&["ls", "-l", name]).ok().text();
        assert!(line.starts_with('?') && line.ends_with(&format!(" {name}\n")), "{line}");
        let stat = server.ftp(&["stat", name]).ok().text();
        assert!(stat.contains("kind      special file\n"), "{stat}");
        server.ftp(&["mv", name, "moved"]).ok();
        server.ftp(&["rm", "moved"]).ok();
    }
    assert!(
        !fs::read_dir(server.home(ALICE))
            .unwrap()
            .flatten()
            .any(|entry| entry.file_type().unwrap().is_fifo())
    );
}

#[test]
fn a_special_file_of_ones_own_is_not_sent() {
    let server = Server::start();
    mkfifoat(CWD, server.work().join("fifo"), Mode::from_raw_mode(0o666)).unwrap();
    let _socket = UnixListener::bind(server.work().join("socket")).unwrap();
    for name in ["fifo", "socket"] {
        server.ftp(&["put", name]).fails(7).told("it is a device, a FIFO or a socket");
    }
    server.write("alice/file", b"content");
    server.ftp(&["get", "file", "fifo"]).fails(7);
    assert_eq!(snapshot(server.home(ALICE)).len(), 2);
}
