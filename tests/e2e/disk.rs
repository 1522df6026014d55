//! Disks and quotas that do not suffice, and files that change while they are read.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use e2e::{ALICE, Client, QUINN, Raw, Server, Watch, Way, bytes, stages};
use proto::{Abort, Command, Failure, Kind, Message, Reply};
use rustix::process::Signal;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A run by way of `way`.
fn by(way: &Way, client: Client, user: e2e::User) -> Client {
    client.target(format!("{}@{}", user.name, way.address()))
}

#[test]
fn more_than_the_quota_is_refused_before_it_comes() {
    let server = Server::start();
    server.write_work("large", bytes(MIB + 1, 1));
    server.write_work("fits", bytes(MIB, 2));
    let put = |name: &str, place: &str| server.client(QUINN).args(["put", name, place]).run();
    put("large", "file").fails(10).told("the quota does not suffice");
    assert!(stages(server.homes()).is_empty() && !server.home(QUINN).join("file").exists());
    put("fits", "file").ok();
    put("large", "file").fails(10);
    assert!(server.read("quinn/file") == bytes(MIB, 2), "the old file");
    put("fits", "second").fails(10);
    server.client(QUINN).args(["rm", "file"]).run().ok();
    put("fits", "second").ok();
    server.log().wait_for_all(&["who=\"quinn\"", "verb=\"put\"", "the quota does not suffice"]);
}

#[test]
fn what_is_stored_counts_after_a_restart() {
    let mut server = Server::start();
    server.write_work("file", bytes(600 * KIB, 1));
    server.client(QUINN).args(["put", "file"]).run().ok();
    server.terminate();
    server.restart();
    server.client(QUINN).args(["put", "file", "second"]).run().fails(10);
    server.client(QUINN).args(["mv", "file", "moved"]).run().ok();
    server.client(QUINN).args(["put", "file", "second"]).run().fails(10);
}

#[test]
fn a_reload_tells_the_quota_what_the_owner_removed() {
    let server = Server::start();
    server.write_work("file", bytes(600 * KIB, 1));
    server.client(QUINN).args(["put", "file"]).run().ok();
    fs::remove_file(server.home(QUINN).join("file")).unwrap();
    server.client(QUINN).args(["put", "file"]).run().fails(10);
    server.signal(Signal::HUP);
    server.log().wait_for_nth(2, &["counted what homes with a quota hold", "homes=1"]);
    server.client(QUINN).args(["put", "file"]).run().ok();
}

#[test]
fn what_cannot_be_read_is_told_by_its_user() {
    let mut server = Server::builder();
    if rustix::process::geteuid().is_root() {
        server = server.launched_by(&["setpriv", "--bounding-set=-all", "--inh-caps=-all"]); // or it reads everything
    }
    let mut server = server.start();
    let shut = server.home(QUINN).join("shut");
    fs::create_dir(&shut).unwrap();
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
    server.terminate();
    server.restart();
    server.log().wait_for_all(&["WARN", "user=\"quinn\"", "unreadable=1"]);
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn of_two_puts_at_once_the_quota_takes_one() {
    let server = Server::start();
    server.write("quinn/second", b"old");
    server.write_work("file", bytes(700 * KIB, 1));
    let way = Way::hold_up(server.address(), 300 * KIB as u64);
    let watch = Watch::new(server.home(QUINN));
    let first = by(&way, server.client(QUINN), QUINN).args(["put", "file", "first"]).spawn();
    way.wait_until_held();
    watch.wait_for_stage();
    server.client(QUINN).args(["put", "file", "second"]).run().fails(10).told("the quota does not suffice");
    assert_eq!(server.read("quinn/second"), b"old");
    way.release();
    first.wait().ok();
    watch.wait_for_no_stage();
    assert!(server.read("quinn/first") == bytes(700 * KIB, 1));
}

#[test]
fn what_a_broken_put_was_promised_is_given_back() {
    let server = Server::start();
    let watch = Watch::new(server.home(QUINN));
    let mut raw = server.logged_in(QUINN);
    for number in 0..5 {
        raw.tell(&Message::Command(Command::Put { path: b"file".to_vec(), size: 900 * KIB as u64 }));
        raw.say(&e2e::data_frame(&[7; 64 * KIB]));
        raw.tell(&Message::Abort(Abort { command: 2 + number, failure: Failure::new(Kind::Aborted, "no") }));
        assert_eq!(raw.refusal().kind, Kind::Aborted);
        watch.wait_for_no_stage();
    }
    let mut gone = server.logged_in(QUINN);
    gone.tell(&Message::Command(Command::Put { path: b"file".to_vec(), size: 900 * KIB as u64 }));
    watch.wait_for_stage();
    drop(gone);
    watch.wait_for_no_stage();
    server.write_work("file", bytes(900 * KIB, 1));
    server.client(QUINN).args(["put", "file"]).run().ok();
}

#[test]
fn a_full_disk_is_refused_before_anything_comes() {
    let server = Server::builder().tmpfs(ALICE, "4m").start();
    fs::write(server.home(ALICE).join("file"), b"old").unwrap();
    server.write_work("large", bytes(8 * MIB, 1));
    server.ftp(&["put", "large", "file"]).fails(10).told("the disk is full");
    assert_eq!(fs::read(server.home(ALICE).join("file")).unwrap(), b"old");
    assert!(stages(server.home(ALICE)).is_empty());
    server.write_work("fits", bytes(3 * MIB, 1));
    server.ftp(&["put", "fits", "file"]).ok();
}

/// Writes zeros to a file until its disk is full.
fn fill(path: &Path) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    loop {
        match file.write(&[0; 4096]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => return,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_disk_that_fills_up_in_the_middle_of_a_put_leaves_the_old_file() {
    let server = Server::builder().tmpfs(ALICE, "8m").start();
    let home = server.home(ALICE);
    fs::write(home.join("file"), b"old").unwrap();
    server.write_work("file", bytes(6 * MIB, 1));
    let watch = Watch::new(&home);
    let way = Way::hold_up(server.address(), 2 * MIB as u64);
    let put = by(&way, server.client(ALICE), ALICE).args(["put", "file"]).spawn();
    way.wait_until_held();
    watch.wait_for_stage();
    fill(&home.join("filler"));
    way.release();
    put.wait().fails(10).told("the disk is full");
    watch.wait_for_no_stage();
    assert_eq!(fs::read(home.join("file")).unwrap(), b"old");
    fs::remove_file(home.join("filler")).unwrap();
    server.ftp(&["put", "file"]).ok();
    assert!(fs::read(home.join("file")).unwrap() == bytes(6 * MIB, 1));
    server.log().wait_for_all(&["verb=\"put\"", "the disk is full"]);
}

#[test]
fn after_a_full_disk_the_session_goes_on() {
    let server = Server::builder().tmpfs(ALICE, "4m").start();
    let home = server.home(ALICE);
    let mut raw = server.logged_in(ALICE);
    let content = bytes(3 * MIB, 1);
    let watch = Watch::new(&home);
    raw.tell(&Message::Command(Command::Put { path: b"file".to_vec(), size: content.len() as u64 }));
    watch.wait_for_stage();
    fill(&home.join("filler"));
    let frames: Vec<u8> = content.chunks(64 * KIB).flat_map(e2e::data_frame).collect();
    raw.say(&frames);
    raw.tell(&Message::End(e2e::end(&content)));
    assert_eq!(raw.refusal().kind, Kind::NoSpace);
    fs::remove_file(home.join("filler")).unwrap();
    raw.send_put("file", &content);
    assert!(matches!(raw.reply(), Reply::Stored { .. }), "on the same session");
}

#[test]
fn a_full_disk_of_ones_own_is_code_10_and_the_old_file_stays() {
    let server = Server::start();
    server.write("alice/file", bytes(4 * MIB, 1));
    let namespace = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    let script = "mount -t tmpfs -o size=2m tmpfs . && cd \"$PWD\" && printf old >file && \"$@\"; code=$?; cat file; ls -A; exit $code";
    let get = server.client(ALICE).args(["get", "file"]);
    let ran = get.run_by(&["unshare", namespace, "sh", "-c", script, "sh"]);
    ran.fails(10).wrote("oldfile\n").told("the disk is full");
}

/// What happens to a file while it is read.
type Change = (&'static str, fn(&Path));

const CHANGES: [Change; 4] = [
    ("it grows", |path| OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap()),
    ("it shrinks", |path| {
        OpenOptions::new().write(true).open(path).unwrap().set_len(20 * MIB as u64).unwrap()
    }),
    ("it is emptied", |path| drop(fs::File::create(path).unwrap())),
    ("it is written over", |path| {
        OpenOptions::new().write(true).open(path).unwrap().write_all(b"other").unwrap()
    }),
];

/// Bytes that fit into no buffer between the two programs.
const MUCH: usize = 64 * MIB;

#[test]
fn a_file_that_changes_while_it_is_fetched_is_not_kept() {
    for (what, change) in CHANGES {
        let server = Server::start();
        let file = server.write("alice/file", bytes(MUCH, 1));
        for (verb, place) in [("get", Some("old")), ("cat", None)] {
            server.write_work("old", b"old");
            let way = Way::hold_down(server.address(), 2 * MIB as u64);
            let words = [verb, "file"].into_iter().chain(place);
            let run = by(&way, server.client(ALICE), ALICE).args(words).spawn();
            way.wait_until_held();
            change(&file);
            way.release();
            let ran = run.wait().fails(8);
            assert!(ran.stderr.contains("the file changed while it was read"), "{what}: {}", ran.stderr);
            assert_eq!(server.read_work("old"), b"old", "{what}");
            assert!(stages(server.work()).iter().all(|stage| e2e::is_kept(stage)));
            fs::write(&file, bytes(MUCH, 1)).unwrap();
        }
        server.log().wait_for_nth(2, &["verb=\"get\"", "the file changed while it was read"]);
        server.ftp(&["cat", "file"]).ok();
    }
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_not_stored() {
    for (what, change) in CHANGES {
        let server = Server::start();
        server.write("alice/file", b"old");
        let file = server.write_work("file", bytes(MUCH, 1));
        let watch = Watch::new(server.home(ALICE));
        let way = Way::hold_up(server.address(), 2 * MIB as u64);
        let put = by(&way, server.client(ALICE), ALICE).args(["put", "file"]).spawn();
        way.wait_until_held();
        watch.wait_for_stage();
        change(&file);
        way.release();
        put.wait().fails(8).told("the file changed while it was read");
        watch.wait_for_no_stage();
        assert_eq!(server.read("alice/file"), b"old", "{what}");
    }
}

#[test]
fn a_file_that_tells_no_size_is_not_stored_as_an_empty_one() {
    let server = Server::start();
    server.ftp(&["put", "/proc/cpuinfo", "file"]).fails(8).told("the file has no fixed size");
    assert!(!server.home(ALICE).join("file").exists());
}

#[test]
fn a_file_that_is_replaced_while_it_is_fetched_comes_whole_as_it_was() {
    let server = Server::start();
    let old = bytes(MUCH, 1);
    server.write("alice/file", &old);
    server.write_work("new", b"new");
    let way = Way::hold_down(server.address(), 2 * MIB as u64);
    let get = by(&way, server.client(ALICE), ALICE).args(["get", "file"]).spawn();
    way.wait_until_held();
    server.ftp(&["put", "new", "file"]).ok();
    way.release();
    get.wait().ok();
    assert!(server.read_work("file") == old);
    assert_eq!(server.read("alice/file"), b"new");
    let mut raw = Raw::logged_in(server.address(), ALICE);
    assert_eq!(raw.get("file").unwrap(), b"new");
}
