//! Contents and attributes, there and back.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use digest::Algorithm;
use e2e::{ALICE, BOB, Seen, Server, bytes, root, snapshot, stages};

use super::{MOMENT, dress};

const BLOCK: usize = 64 * 1024;
const MIB: usize = 1024 * 1024;

/// Mode and time of a file.
fn attributes(path: &Path) -> (u32, i64, i64) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.mode() & 0o777, metadata.mtime(), metadata.mtime_nsec())
}

fn wanted(mode: u32) -> (u32, i64, i64) {
    (mode, MOMENT.as_secs().cast_signed(), MOMENT.subsec_nanos().into())
}

/// What md5sum(1) prints for a file.
fn md5sum(path: &Path) -> String {
    let sum = Command::new("md5sum").arg(path).output().unwrap();
    String::from_utf8(sum.stdout).unwrap()[..32].to_owned()
}

/// Puts a file, gets it back under another name, and holds everything about it together.
fn round_trip(size: usize, algorithm: Algorithm) {
    let server = Server::start();
    let content = bytes(size, size as u64 + 1);
    let local = server.write_work("there", &content);
    dress(&local, 0o604);
    let run = |words: &[&str]| {
        server.client(ALICE).option("--digest").option(algorithm.name()).args(words).run().ok()
    };

    let kind = if size <= BLOCK { "" } else { "root " };
    let verified = format!("verified {algorithm} {kind}{}\n", root(algorithm, &content));
    let put = run(&["put", "there", "stored"]).wrote("").told(&verified);
    assert!(put.stderr.starts_with("stored  "), "{}", put.stderr);
    assert!(server.read("alice/stored") == content);
    assert_eq!(attributes(&server.home(ALICE).join("stored")), wanted(0o604));

    let get = run(&["get", "stored", "back"]).wrote("").told(&verified);
    assert!(get.stderr.starts_with("back  "), "{}", get.stderr);
    assert!(server.read_work("back") == content);
    assert_eq!(attributes(&server.work().join("back")), wanted(0o604));

    assert!(run(&["cat", "stored"]).stdout == content);
    run(&["md5", "stored"]).wrote(&format!("{}  stored\n", md5sum(&local)));
    assert_eq!(stages(server.homes()), stages(server.work()));
    assert!(stages(server.homes()).is_empty());
}

#[test]
fn files_of_every_telling_size_come_back_the_same() {
    for size in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 16 * BLOCK, MIB + 1] {
        for algorithm in Algorithm::ALL {
            round_trip(size, algorithm);
        }
    }
}

#[test]
fn a_large_file_comes_back_the_same_by_md5() {
    round_trip(20 * MIB, Algorithm::Md5);
}

#[test]
fn a_large_file_comes_back_the_same_by_blake3() {
    round_trip(20 * MIB, Algorithm::Blake3);
}

#[test]
fn permission_bits_are_kept_both_ways() {
    let server = Server::start();
    for mode in [0o400, 0o444, 0o600, 0o644, 0o755, 0o777] {
        dress(&server.write_work("file", b"x"), mode);
        server.ftp(&["put", "file"]).ok();
        assert_eq!(attributes(&server.home(ALICE).join("file")), wanted(mode));
        server.ftp(&["get", "file", "back"]).ok();
        assert_eq!(attributes(&server.work().join("back")), wanted(mode));
        fs::remove_file(server.work().join("file")).unwrap();
    }
}

#[test]
fn bits_beyond_permissions_are_not_taken_over() {
    let server = Server::start();
    let file = server.write_work("file", b"x");
    fs::set_permissions(&file, Permissions::from_mode(0o6755)).unwrap();
    server.ftp(&["put", "file"]).ok();
    assert_eq!(fs::metadata(server.home(ALICE).join("file")).unwrap().mode() & 0o7777, 0o755);
}

#[test]
fn a_file_that_is_there_is_replaced_by_another() {
    let server = Server::start();
    server.write("alice/file", bytes(300_000, 1));
    server.write_work("file", b"new");
    let before = fs::metadata(server.home(ALICE).join("file")).unwrap().ino();
    server.ftp(&["put", "file"]).ok();
    assert_eq!(server.read("alice/file"), b"new");
    assert_ne!(fs::metadata(server.home(ALICE).join("file")).unwrap().ino(), before, "written over in place");

    server.write_work("file", bytes(300_000, 2));
    server.ftp(&["get", "file"]).ok();
    assert_eq!(server.read_work("file"), b"new");
}

#[test]
fn a_get_goes_where_its_user_says() {
    let server = Server::start();
    server.write("alice/sub/file", b"content");
    server.write_work("directory/keep", b"");
    for (words, place) in [
        (&["get", "sub/file"][..], "file"),
        (&["get", "sub/file", "other"], "other"),
        (&["get", "sub/file", "directory"], "directory/file"),
        (&["get", "/sub/file", "directory/"], "directory/file"),
        (&["get", "sub/file", "directory/third"], "directory/third"),
    ] {
        server.ftp(words).ok();
        assert_eq!(server.read_work(place), b"content", "{words:?}");
        fs::remove_file(server.work().join(place)).unwrap();
    }
}

#[test]
fn a_get_without_a_place_is_refused_before_anything_is_fetched() {
    let server = Server::start();
    server.write("alice/file", b"content");
    server.write_work("taken/file/keep", b"");
    let before: Vec<(_, Seen)> = snapshot(server.work()).into_iter().collect();
    server.ftp(&["get", "file", "missing/"]).fails(6).told("there is no directory missing/ on this computer");
    server.ftp(&["get", "file", "missing/file"]).fails(6).told("mkdir -p missing");
    server.ftp(&["get", "file", "taken"]).fails(1).told("taken/file is a directory on this computer");
    server.ftp(&["get", "missing"]).fails(6).told("get missing: no such file or directory");
    server.ftp(&["get", "/"]).fails(2).told("get REMOTE LOCAL");
    assert_eq!(snapshot(server.work()).into_iter().collect::<Vec<_>>(), before);
    assert_eq!(server.log().count(&["verb=\"get\"", "result=\"ok\""]), 0);
}

#[test]
fn a_put_goes_where_its_user_says() {
    let server = Server::start();
    server.write("alice/directory/keep", b"");
    server.write_work("file", b"content");
    for (words, place) in [
        (&["put", "file"][..], "alice/file"),
        (&["put", "./file", "other"], "alice/other"),
        (&["put", "file", "directory"], "alice/directory/file"),
        (&["put", "file", "directory/"], "alice/directory/file"),
        (&["put", "file", "/directory/third"], "alice/directory/third"),
    ] {
        server.ftp(words).ok();
        assert_eq!(server.read(place), b"content", "{words:?}");
        fs::remove_file(server.homes().join(place)).unwrap();
    }
    server.ftp(&["put", "file", "missing/file"]).fails(6);
    server.ftp(&["put", "file", "missing/"]).fails(6);
    server.ftp(&["put", "missing"]).fails(6).told("there is no such file on this computer");
    server.ftp(&["put", "."]).fails(1).told("it is a directory");
}

#[test]
fn a_server_picks_the_first_of_its_digests_that_the_client_offers() {
    let server = Server::builder().native("digests = [\"blake3\"]").start();
    server.write("bob/file", b"content");
    let blake3 = server.client(BOB).option("--digest").option("blake3").args(["get", "file"]).run();
    blake3.ok().told("verified blake3 ");
    let md5 = server.client(BOB).args(["get", "file", "other"]).run();
    assert_ne!(md5.code, 0, "a silent step to another digest");
    md5.told("--digest blake3");
    assert!(!server.work().join("other").exists());
}

#[test]
fn without_durability_all_is_the_same() {
    let server = Server::builder().top("durability = \"none\"").start();
    let content = bytes(MIB + 1, 1);
    dress(&server.write_work("file", &content), 0o640);
    server.ftp(&["put", "file"]).ok();
    assert!(server.read("alice/file") == content);
    assert_eq!(attributes(&server.home(ALICE).join("file")), wanted(0o640));
    server.ftp(&["get", "file", "back"]).ok();
    assert!(server.read_work("back") == content);
    assert!(stages(server.homes()).is_empty());
}
