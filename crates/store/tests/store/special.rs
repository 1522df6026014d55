//! What is no regular file, and names at the border of what a file system takes.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;

use digest::Algorithm;
use rustix::fs::{CWD, Mode, mkfifoat};
use store::{Attributes, EntryKind, Home, Kind, Options, Outgoing, Replace};

use crate::ground::{Ground, at, kind, local};

#[test]
fn fifos_and_sockets_are_refused_at_once() {
    let ground = Ground::new();
    mkfifoat(CWD, ground.at("fifo"), Mode::RWXU).unwrap();
    let _socket = UnixListener::bind(ground.at("socket")).unwrap();
    for name in ["fifo", "socket"] {
        let (home, path) = (&ground.home, at(name));
        assert_eq!(kind(home.open(&path, Algorithm::Md5, 0)), Err(Kind::Special));
        assert_eq!(kind(home.read(&path, 0..9, &mut |_| true)), Err(Kind::Special));
        assert_eq!(kind(home.create(&path, 0, Algorithm::Md5, Replace::Yes)), Err(Kind::Special));
        assert_eq!(
            kind(home.set_attributes(&path, &Attributes { mode: Some(0), modified: None })),
            Err(Kind::Special)
        );
        assert_eq!(kind(home.check_directory(&path)), Err(Kind::NotDirectory));
        assert_eq!(kind(Outgoing::local(&ground.at(name), Algorithm::Md5)), Err(Kind::Special));
        assert_eq!(kind(local(&ground.at(name), 0)), Err(Kind::Special));
        assert_eq!(home.stat(&path).unwrap().kind, EntryKind::Other);
        assert_eq!(ground.list(name).unwrap(), [name]);
    }
    assert_eq!(ground.names(), ["fifo", "socket"]);
    ground.home.remove(&at("fifo")).unwrap();
}

#[test]
fn a_file_that_tells_no_size_is_not_taken_for_an_empty_one() {
    let made_up = Outgoing::local(Path::new("/proc/cpuinfo"), Algorithm::Md5).unwrap_err();
    assert_eq!(made_up.kind(), Kind::Changed);
    assert!(made_up.sentence().contains("no fixed size"));
    let ground = Ground::new();
    ground.write("empty", b"");
    assert_eq!(Outgoing::local(&ground.at("empty"), Algorithm::Md5).unwrap().size(), 0);
}

#[test]
fn devices_are_refused() {
    let devices = Home::at(Path::new("/dev"), &Options::default()).unwrap();
    for device in ["null", "zero", "full"] {
        assert_eq!(kind(devices.open(&at(device), Algorithm::Md5, 0)), Err(Kind::Special), "{device}");
        assert_eq!(kind(devices.create(&at(device), 0, Algorithm::Md5, Replace::Yes)), Err(Kind::Special));
    }
}

#[test]
fn directories_are_no_files_and_files_no_directories() {
    let ground = Ground::new();
    fs::create_dir(ground.at("directory")).unwrap();
    ground.write("file", b"");
    for directory in ["/", "directory"] {
        let path = at(directory);
        assert_eq!(kind(ground.home.open(&path, Algorithm::Md5, 0)), Err(Kind::IsDirectory));
        assert_eq!(kind(ground.put(directory, b"")), Err(Kind::IsDirectory));
        assert_eq!(kind(ground.home.check_directory(&path)), Ok(()));
        assert_eq!(ground.home.stat(&path).unwrap().kind, EntryKind::Directory);
    }
    assert_eq!(kind(local(&ground.at("directory"), 0)), Err(Kind::IsDirectory));
    assert_eq!(kind(local(&ground.at("directory/."), 0)), Err(Kind::IsDirectory));
    assert_eq!(kind(local(&ground.at("new/"), 0)), Err(Kind::NotFound));
    assert_eq!(kind(local(&ground.at("file/"), 0)), Err(Kind::NotDirectory));
    assert_eq!(kind(local(&ground.at("none/new"), 0)), Err(Kind::NotFound));
    assert_eq!(kind(ground.home.check_directory(&at("file"))), Err(Kind::NotDirectory));
    assert_eq!(kind(ground.put("file/below", b"")), Err(Kind::NotDirectory));
    assert_eq!(kind(ground.get("file/below")), Err(Kind::NotDirectory));
    assert_eq!(kind(ground.home.check_directory(&at("none"))), Err(Kind::NotFound));
    assert_eq!(kind(ground.put("none/below", b"")), Err(Kind::NotFound));
}

#[test]
fn the_longest_names_and_the_strangest_can_be_stored() {
    let ground = Ground::new();
    let longest = "\u{1f980}".repeat(63) + "abc";
    assert_eq!(longest.len(), 255);
    for name in [&longest, "a b", "-rf", "new\nline", "\\", "*", "...", "~", ".hidden", "con"] {
        ground.put(name, name.as_bytes()).unwrap();
        assert_eq!(ground.get(name).unwrap(), name.as_bytes());
        assert_eq!(ground.list("/").unwrap(), [name]);
        ground.home.remove(&at(name)).unwrap();
    }
}

#[test]
fn the_longest_path_can_be_stored() {
    let ground = Ground::new();
    let deep = vec!["d".repeat(255); 15].join("/");
    let mut path = store::HomePath::root();
    for part in deep.split('/') {
        path = path.join(&store::Name::parse(part.as_bytes()).unwrap());
        ground.home.mkdir(&path).unwrap();
    }
    let file = format!("/{deep}/{}", "f".repeat(255));
    assert_eq!(file.len(), 4096);
    ground.put(&file, b"deep").unwrap();
    assert_eq!(ground.get(&file).unwrap(), b"deep");
}

#[test]
fn bytes_that_are_no_name_here_are_listed_all_the_same() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let ground = Ground::new();
    fs::write(ground.at("").join(OsStr::from_bytes(b"latin\xe9")), b"").unwrap();
    let page = ground.home.list(&at("/")).unwrap().next_page(10).unwrap().unwrap();
    assert_eq!(page[0].name, b"latin\xe9");
}
