//! Trees: whole directories both ways, through both doors.

mod breaks;
mod links;
mod modes;
mod objects;
mod patterns;
mod portions;
mod strangers;
mod target;
mod unsaid;

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use e2e::{ALICE, Client, Server, bytes, snapshot};

/// Everything beneath a directory by its path from there: mode, time and content.
pub(crate) fn tree(directory: &Path) -> BTreeMap<PathBuf, (u32, (i64, i64), String)> {
    let all = snapshot(directory).into_iter();
    let told = |(path, seen): (PathBuf, e2e::Seen)| {
        let modified = if seen.mode & 0o170_000 == 0o120_000 { (0, 0) } else { seen.modified };
        (path.strip_prefix(directory).unwrap().to_owned(), (seen.mode, modified, seen.content))
    };
    all.map(told).collect()
}

/// The same without times and modes, for servers that tell none.
fn contents(directory: &Path) -> BTreeMap<PathBuf, String> {
    tree(directory).into_iter().map(|(path, (.., content))| (path, content)).collect()
}

/// Gives something a time to the nanosecond.
pub(crate) fn set_time(path: &Path, seed: u64) {
    let time = UNIX_EPOCH + Duration::new(1_000_000_000 + seed * 86_400, 123_456_789 + seed as u32);
    File::open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Makes a tree with something of everything that both sides can hold, but for links.
pub(crate) fn plant(root: &Path) {
    let long = "l".repeat(255);
    for directory in ["sub/deep", "empty", "with blank", "gr\u{fc}n/\u{65e5}\u{672c}"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    let big = bytes((3 << 20) + 12_345, 1);
    let files: [(&str, &[u8]); 11] = [
        ("zero", b""),
        ("one", b"1"),
        ("block", &big[..64 * 1024]),
        ("more", &big[..64 * 1024 + 1]),
        ("some", &big[..300_000]),
        ("big", &big),
        ("sub/deep/-dash", b"dash"),
        ("sub/new\nline", b"a name of two lines"),
        ("with blank/a b", b"a b"),
        ("gr\u{fc}n/\u{65e5}\u{672c}/\u{1f980}", b"crab"),
        (&long, b"long"),
    ];
    for (seed, (name, content)) in (0..).zip(files) {
        fs::write(root.join(name), content).unwrap();
        set_mode(&root.join(name), if seed % 2 == 0 { 0o640 } else { 0o751 });
        set_time(&root.join(name), seed);
    }
    for number in 0..300 {
        fs::write(root.join(format!("sub/deep/file {number}")), format!("this is file {number}\n")).unwrap();
    }
    set_mode(&root.join("sub/deep"), 0o511);
    set_mode(&root.join("empty"), 0o700);
    for (seed, directory) in (20..).zip(["sub/deep", "sub", "empty", "with blank", "gr\u{fc}n", ""]) {
        set_time(&root.join(directory), seed);
    }
}

fn classic(server: &Server) -> Client {
    let target = format!("ftp://alice@{}/", server.classic_address());
    server.client(ALICE).tls(true).target(target)
}

#[test]
fn a_tree_comes_and_goes_as_it_is() {
    for server in [Server::start(), Server::builder().tls().start()] {
        let (home, work) = (server.home(ALICE), server.work());
        plant(&work.join("tree"));
        let put = server.ftp(&["put", "-r", "tree"]).ok();
        put.told("tree  311 files  ").told("  verified\n");
        assert_eq!(tree(&work.join("tree")), tree(&home.join("tree")), "sent");
        server.ftp(&["get", "-r", "tree", "back"]).ok().told("back  311 files  ").told("  verified\n");
        assert_eq!(tree(&home.join("tree")), tree(&work.join("back")), "fetched");
        assert!(e2e::stages(server.homes()).is_empty() && e2e::stages(&work).is_empty());
    }
}

#[test]
fn blake3_verifies_a_tree_as_well() {
    let server = Server::start();
    plant(&server.work().join("tree"));
    let run = |words: &[&str]| server.client(ALICE).option("--digest").option("blake3").args(words).run();
    run(&["put", "-r", "tree"]).ok();
    run(&["get", "-r", "tree", "back"]).ok();
    assert_eq!(tree(&server.work().join("tree")), tree(&server.work().join("back")));
}

#[test]
fn a_tree_comes_again_over_what_is_there() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    plant(&work.join("tree"));
    for words in [&["put", "-r", "tree"][..], &["get", "-r", "tree", "there"]] {
        server.ftp(words).ok();
    }
    fs::write(work.join("tree/one"), "another one").unwrap();
    fs::write(home.join("tree/others"), "stays").unwrap();
    fs::create_dir(work.join("in")).unwrap();
    server.ftp(&["put", "-r", "tree"]).ok();
    assert_eq!(server.read("alice/tree/one"), b"another one");
    assert_eq!(server.read("alice/tree/others"), b"stays");
    server.ftp(&["get", "-r", "tree", "in"]).ok();
    assert_eq!(tree(&home.join("tree")), tree(&work.join("in/tree")), "into a directory that is there");
    server.ftp(&["put", "-r", "tree", "tree"]).ok();
    assert_eq!(contents(&work.join("tree")), contents(&home.join("tree/tree")), "as on the server");
    server.ftp(&["put", "-r", "tree", "fresh/"]).ok();
    assert_eq!(tree(&work.join("tree")), tree(&home.join("fresh")), "made, as on the client");
    server.ftp(&["put", "-r", "tree", "fresh/"]).ok();
    assert_eq!(contents(&work.join("tree")), contents(&home.join("fresh/tree")));
}

#[test]
fn where_no_tree_can_be_one_failure_says_so() {
    let server = Server::builder().classic().start();
    plant(&server.work().join("tree"));
    fs::create_dir(server.work().join("single")).unwrap();
    server.write_work("single/file", "data");
    server.write("alice/file", "a file");
    let before = snapshot(server.home(ALICE));
    for from in ["tree", "single"] {
        for to in ["none/new", "none/new/", "file", "file/", "file/new"] {
            for parallel in ["1", "3"] {
                let put = server.client(ALICE).option("--parallel").option(parallel);
                let ran = put.args(["put", "-r", from, to]).run();
                let (code, told) = match to {
                    "none/new" | "none/new/" => (6, "the server has no directory to make it in. Make that"),
                    "file/new" => (1, "not a directory"),
                    _ => (1, "the server has something else of that name. Remove it there first: it is file"),
                };
                let ran = ran.fails(code).told(told);
                assert_eq!(ran.stderr.lines().count(), 1, "{from} {to} {parallel}: {}", ran.stderr);
            }
            let ran = classic(&server).args(["put", "-r", from, to]).run();
            assert!(ran.code == 1 || ran.code == 6, "{} {}", ran.code, ran.stderr);
            let failures = ran.stderr.lines().filter(|line| line.starts_with("ftp: ")).count();
            assert_eq!(failures, 1, "{from} {to} classic: {}", ran.stderr);
        }
    }
    assert_eq!(snapshot(server.home(ALICE)), before);
    server.write("alice/tree", "a file");
    let named = server.ftp(&["put", "-r", "tree"]).fails(1).told("something else of that name");
    assert_eq!(named.stderr.lines().count(), 1, "{}", named.stderr);
    let bob = server.client(e2e::BOB).args(["put", "-r", "tree"]).run().fails(7);
    assert_eq!(bob.stderr.lines().count(), 1, "{}", bob.stderr);
}

#[test]
fn a_file_is_a_tree_of_one() {
    let server = Server::start();
    server.write_work("file", "data");
    server.ftp(&["put", "-r", "file"]).ok().told("verified md5");
    server.ftp(&["get", "-r", "file", "copy"]).ok().told("verified md5");
    assert_eq!(server.read_work("copy"), b"data");
    server.ftp(&["ls", "-r", "file"]).ok().wrote("file\n");
    server.ftp(&["rm", "-r", "file"]).ok();
    assert!(!server.home(ALICE).join("file").exists());
    for words in
        [&["get", "-r", "file"][..], &["put", "-r", "none"], &["ls", "-r", "file"], &["rm", "-r", "file"]]
    {
        server.ftp(words).fails(6);
    }
    assert!(!server.work().join("none").exists());
}

#[test]
fn all_that_is_in_the_home_comes_into_a_directory_that_is_there() {
    let server = Server::start();
    server.write("alice/sub/file", "data");
    fs::create_dir(server.work().join("in")).unwrap();
    server.ftp(&["get", "-r", "/", "in"]).ok();
    assert_eq!(server.read_work("in/sub/file"), b"data");
    server.ftp(&["get", "-r", "/"]).fails(2).told("get -r / LOCAL");
    let client = server.client(ALICE).directory(&server.work().join("in"));
    client.args(["put", "-r", ".", "there"]).run().ok();
    assert_eq!(server.read("alice/there/sub/file"), b"data");
    server.client(ALICE).stdin("cd there\nget -r sub\nmkdir x\ncd x\nput -r sub\n").run().ok();
    assert_eq!(server.read("alice/there/x/sub/file"), b"data");
}

#[test]
fn a_directory_that_is_named_by_a_dot_needs_a_name_at_the_other_end() {
    let server = Server::start();
    server.write_work("in/sub/file", "data");
    let run = |words: &[&str]| {
        let client = server.client(ALICE).directory(&server.work().join("in/sub"));
        client.variable("HOME", server.work()).args(words).run()
    };
    for (words, remedy) in [
        (&["put", "-r", "."][..], "put -r . REMOTE"),
        (&["put", "-r", "./"], "put -r ./ REMOTE"),
        (&["put", "-r", ".."], "put -r .. REMOTE"),
        (&["sync", "put", "."], "sync put . REMOTE"),
        (&["sync", "get", "."], "sync get . LOCAL"),
        (&["get", "-r", "."], "get -r . LOCAL"),
    ] {
        run(words).fails(2).told("says no name").told(remedy);
    }
    assert_eq!(fs::read_dir(server.home(ALICE)).unwrap().count(), 0);
    fs::create_dir(server.home(ALICE).join("there")).unwrap();
    for (from, to, file) in [
        (".", "new", "new/file"),
        ("./", "there", "there/file"),
        ("..", "up", "up/sub/file"),
        (".", ".", "file"),
    ] {
        run(&["put", "-r", from, to]).ok();
        assert_eq!(server.read(&format!("alice/{file}")), b"data", "{from} {to}");
    }
    run(&["sync", "put", ".", "synced"]).ok();
    run(&["sync", "get", ".", "back"]).ok();
    assert_eq!(server.read_work("in/sub/back/synced/file"), b"data");
}

#[test]
fn a_tree_is_listed_and_removed() {
    let server = Server::builder().classic().start();
    for client in [server.client(ALICE), classic(&server)] {
        let text = format!("{client:?}");
        drop(client);
        let native = !text.contains("ftp://");
        let run =
            |words: &[&str]| if native { server.ftp(words) } else { classic(&server).args(words).run() };
        server.write("alice/top/a/b/file", "12345");
        server.write("alice/top/one", "1");
        fs::create_dir_all(server.home(ALICE).join("top/empty")).unwrap();
        std::os::unix::fs::symlink("one", server.home(ALICE).join("top/link")).unwrap();
        server.write("alice/kept/file", "kept");
        std::os::unix::fs::symlink("../kept", server.home(ALICE).join("top/away")).unwrap();
        let mut lines: Vec<String> =
            run(&["ls", "-r", "top"]).ok().text().lines().map(str::to_owned).collect();
        lines.sort();
        assert_eq!(lines, ["a", "a/b", "a/b/file", "away", "empty", "link", "one"]);
        let long = run(&["ls", "-lr", "top"]).ok().text();
        assert!(long.lines().any(|line| line.starts_with("-rw-") && line.ends_with(" a/b/file")), "{long}");
        run(&["rm", "-r", "top"]).ok();
        assert!(!server.home(ALICE).join("top").exists());
        assert_eq!(server.read("alice/kept/file"), b"kept", "what a link leads to stays");
    }
}

#[test]
fn a_link_is_removed_and_not_what_it_leads_to() {
    let server = Server::builder().classic().start();
    server.write("alice/kept/file", "kept");
    for native in [true, false] {
        std::os::unix::fs::symlink("kept", server.home(ALICE).join("link")).unwrap();
        let words = ["rm", "-r", "link"];
        if native {
            server.ftp(&words).ok()
        } else {
            classic(&server).args(words).run().ok()
        };
        assert!(server.home(ALICE).join("link").symlink_metadata().is_err());
        assert_eq!(server.read("alice/kept/file"), b"kept");
    }
}

#[test]
fn neither_the_home_nor_where_one_is_is_removed() {
    let server = Server::builder().classic().start();
    server.write("alice/sub/file", "");
    for directory in ["sub/deep", "subway/in"] {
        fs::create_dir_all(server.home(ALICE).join(directory)).unwrap();
    }
    for path in ["/", ".", "..", "sub/..", "sub/.", "//", "/."] {
        server.ftp(&["rm", "-r", path]).fails(2).told("rm -r NAME");
    }
    for path in ["../sub", "/sub", "/sub/", "../../sub", "deep/../../sub", "/sub/deep/../../sub", "/./sub"] {
        for place in ["sub", "sub/deep"] {
            let batch = |path: &str| format!("cd {place}\nrm -r '{path}'\n");
            let path = if place == "sub" { path.to_owned() } else { path.replace("../sub", "../../sub") };
            for target in [None, Some(format!("ftp://alice@{}/", server.classic_address()))] {
                let client = server.client(ALICE).stdin(batch(&path)).option("-b").option("-");
                let client = match target {
                    Some(target) => client.tls(true).target(target),
                    None => client,
                };
                client.run().fails(2).told("nor one above it");
            }
        }
    }
    assert!(server.home(ALICE).join("sub/file").exists());
    server.client(ALICE).stdin("cd sub\nrm -r /subway/in\nrm -r ../subway\nrm -r ../sub/deep\n").run().ok();
    assert!(!server.home(ALICE).join("subway").exists() && !server.home(ALICE).join("sub/deep").exists());
}

#[test]
fn a_tree_comes_and_goes_at_the_classic_door() {
    let server = Server::builder().classic().start();
    let (home, work) = (server.home(ALICE), server.work());
    plant(&work.join("tree"));
    fs::remove_file(work.join("tree/sub/new\nline")).unwrap(); // a line ends there
    classic(&server).args(["put", "-r", "tree"]).run().ok().told("tree  310 files");
    assert_eq!(contents(&work.join("tree")), contents(&home.join("tree")));
    classic(&server).args(["get", "-r", "tree", "back"]).run().ok().told("back  310 files");
    assert_eq!(contents(&home.join("tree")), contents(&work.join("back")));
    assert!(e2e::stages(&work).is_empty());
}
