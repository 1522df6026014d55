//! Roots of whole files: many in one flight, read once, and never those of what a file was.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, symlink};

use digest::Algorithm;
use e2e::{ALICE, Control, Raw, Server, bytes, frame, root};
use proto::{Command, Kind, Message, Reply};
use rustix::fs::{Timespec, Timestamps, futimens};
use rustix::time::{ClockId, clock_gettime};

use super::abort;

const BLOCK: usize = 64 * 1024;
const LARGE: usize = 16 << 20;

fn ask(path: impl Into<Vec<u8>>) -> Message {
    Message::Command(Command::Root { path: path.into() })
}

/// Size, version and root.
#[track_caller]
fn heard(raw: &mut Raw) -> (u64, [u8; 16], Vec<u8>) {
    match raw.reply() {
        Reply::Root { size, version, root } => (size, version, root),
        other => panic!("no root but {other:?}"),
    }
}

/// The root that the server tells, which must be that of `content`; and the version.
#[track_caller]
fn tells(raw: &mut Raw, path: &str, content: &[u8]) -> [u8; 16] {
    raw.tell(&ask(path));
    let (size, version, told) = heard(raw);
    assert_eq!((size, &told[..]), (content.len() as u64, root(Algorithm::Md5, content).as_bytes()), "{path}");
    version
}

/// The kernel's clock moves on: what was changed before is past then.
fn tick() {
    let told = |clock| {
        let now = clock_gettime(clock);
        (now.tv_sec, now.tv_nsec)
    };
    let now = told(ClockId::Realtime);
    while told(ClockId::RealtimeCoarse) <= now {} // a tick that comes late tells the time when it was due
}

/// Whether the server may remember what it reads there, and tells how much that is.
fn remembers(server: &Server) -> bool {
    let system = rustix::fs::statfs(server.home(ALICE)).unwrap().f_type as u32;
    let listed = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x0102_1994].contains(&system);
    listed && e2e::bytes_read(server.pid()).is_some()
}

/// Bytes that the server reads while it does `work`.
fn reads(server: &Server, work: impl FnOnce()) -> u64 {
    let read = || e2e::bytes_read(server.pid()).unwrap();
    let before = read();
    work();
    read() - before
}

#[test]
fn a_thousand_roots_in_one_flight_are_told_in_their_order() {
    let server = Server::start();
    let content =
        |number: usize| bytes(if number % 100 == 7 { 3 * BLOCK + 5 } else { number * 97 }, number as u64);
    for number in 0..1000 {
        server.write(&format!("alice/{}/{number}", number % 3), content(number));
    }
    fs::create_dir(server.home(ALICE).join("directory")).unwrap();
    symlink("/etc/passwd", server.home(ALICE).join("out")).unwrap();
    let mut raw = server.logged_in(ALICE);
    for round in 0..2 {
        let mut said = Vec::new();
        for number in 0..1000 {
            said.extend(frame(&ask(format!("{}/{number}", number % 3))));
            match number % 50 {
                3 => said.extend(frame(&ask("gone"))),
                13 => said.extend(frame(&ask("directory"))),
                23 => said.extend(frame(&ask("out"))),
                33 => said.extend(frame(&ask("a\0b"))),
                43 => said.extend(frame(&Message::Command(Command::Pwd))),
                _ => {}
            }
        }
        let mut hand = raw.hand();
        let sent = std::thread::spawn(move || hand.say(&said));
        for number in 0..1000 {
            let (size, _, told) = heard(&mut raw);
            let content = content(number);
            assert_eq!(size, content.len() as u64, "{round} {number}");
            assert_eq!(told, root(Algorithm::Md5, &content).as_bytes(), "{round} {number}");
            let wanted = match number % 50 {
                3 => Kind::NotFound,
                13 => Kind::IsDirectory,
                23 => Kind::Denied,
                33 => Kind::InvalidName,
                43 => {
                    assert!(matches!(raw.reply(), Reply::Directory { .. }));
                    continue;
                }
                _ => continue,
            };
            assert_eq!(raw.refusal().kind, wanted);
        }
        sent.join().unwrap();
        tick();
    }
    assert!(matches!(raw.ask(Command::Pwd), Reply::Directory { .. }));
    server.log().wait_for_nth(40, &["verb=\"root\"", "no such file"]);
    server.log().wait_for_nth(2, &["verb=\"root\"", "path=\"0/999\"", "result=\"ok\""]);
}

#[test]
fn what_is_known_is_not_read_again() {
    let server = Server::start();
    if !remembers(&server) {
        return;
    }
    let content = bytes(LARGE, 1);
    let mut raw = server.logged_in(ALICE);
    let little = LARGE as u64 / 16;
    let knows = |raw: &mut Raw, path: &str, content: &[u8]| {
        let read = reads(&server, || _ = tells(raw, path, content));
        assert!(read < little, "{path}: {read} bytes");
    };

    server.write("alice/asked", &content);
    tick();
    let read = reads(&server, || _ = tells(&mut raw, "asked", &content));
    assert!(read >= LARGE as u64, "{read} bytes tell nothing: the rest of this test is worth nothing");
    knows(&mut raw, "asked", &content);
    fs::rename(server.home(ALICE).join("asked"), server.home(ALICE).join("moved")).unwrap();
    tick();
    tells(&mut raw, "moved", &content);
    knows(&mut raw, "moved", &content);

    server.write("alice/got", &content);
    tick();
    assert!(raw.get("got").unwrap() == content);
    knows(&mut raw, "got", &content);

    let md5 = |raw: &mut Raw| drop(raw.ask(Command::Md5 { path: b"got".to_vec() }));
    assert!(reads(&server, || md5(&mut raw)) >= LARGE as u64, "its plain MD5 is another digest");
    assert!(reads(&server, || md5(&mut raw)) < little);

    // Many small ones, got in one flight.
    for number in 0..100 {
        server.write(&format!("alice/small/{number}"), bytes(60_000, number));
    }
    tick();
    let flight = |command: fn(Vec<u8>) -> Command| -> Vec<u8> {
        let path = |number: u64| format!("small/{number}").into_bytes();
        (0..100).flat_map(|number| frame(&Message::Command(command(path(number))))).collect()
    };
    raw.say(&flight(|path| Command::Get { path, first_block: 0 }));
    (0..100).for_each(|number| assert!(raw.file().unwrap() == bytes(60_000, number)));
    let read = reads(&server, || {
        raw.say(&flight(|path| Command::Root { path }));
        for number in 0..100 {
            assert_eq!(heard(&mut raw).2, root(Algorithm::Md5, &bytes(60_000, number)).as_bytes());
        }
        raw.say(&flight(|path| Command::Md5 { path }));
        (0..100).for_each(|_| assert!(matches!(raw.reply(), Reply::Md5 { .. })));
    });
    assert!(read < little, "{read} bytes");
}

#[test]
fn one_door_knows_what_was_read_at_the_other() {
    let server = Server::builder().classic().start();
    let content = bytes(LARGE, 2);
    let hex = |content: &[u8]| digest::of_block(Algorithm::Md5, content).to_string();
    server.write("alice/file", &content);
    tick();
    let mut raw = server.logged_in(ALICE);
    assert!(matches!(raw.ask(Command::Md5 { path: b"file".to_vec() }), Reply::Md5 { .. }));
    let mut control = Control::connect(server.classic_address()).log_in(ALICE);
    control.told("OPTS HASH MD5", 200);
    let hashed = |control: &mut Control, content: &[u8]| {
        assert!(control.told("XMD5 file", 250).to_lowercase().contains(&hex(content)));
        assert!(control.told("HASH file", 213).to_lowercase().contains(&hex(content)));
    };
    if remembers(&server) {
        let read = reads(&server, || hashed(&mut control, &content));
        assert!(read < LARGE as u64 / 16, "{read} bytes");
    }
    control.told("RANG 0 99", 350);
    assert!(
        control.told("HASH file", 213).to_lowercase().contains(&hex(&content[..100])),
        "only its beginning"
    );
    hashed(&mut control, &content);
    let other = bytes(LARGE, 3);
    File::options()
        .write(true)
        .open(server.home(ALICE).join("file"))
        .unwrap()
        .write_all_at(&other, 0)
        .unwrap();
    hashed(&mut control, &other);
}

#[test]
fn after_every_kind_of_change_it_is_the_new_root() {
    let server = Server::start();
    let path = server.home(ALICE).join("file");
    let mut raw = server.logged_in(ALICE);
    let mut other = server.logged_in(ALICE);
    let set_back = |file: &File| {
        let time = Timespec { tv_sec: 1_000, tv_nsec: 9 };
        futimens(file, &Timestamps { last_access: time, last_modification: time }).unwrap();
    };
    let open = || File::options().write(true).open(&path).unwrap();
    let mut content = bytes(5 * BLOCK, 0);
    server.write("alice/file", &content);
    set_back(&open());
    let mut version = tells(&mut raw, "file", &content);
    for round in 0..60 {
        content = bytes(5 * BLOCK, round + 1);
        match round % 6 {
            0 => open().write_all_at(&content, 0).unwrap(),
            1 => {
                open().set_len(0).unwrap();
                open().write_all_at(&content, 0).unwrap();
            }
            2 => {
                let aside = server.write("alice/aside", &content);
                set_back(&File::options().write(true).open(&aside).unwrap());
                fs::rename(aside, &path).unwrap();
            }
            3 => {
                raw.send_put("file", &content);
                assert!(matches!(raw.reply(), Reply::Stored { .. }));
            }
            4 => {
                other.send_put("aside", &content);
                assert!(matches!(other.reply(), Reply::Stored { .. }));
                let (from, to) = (b"aside".to_vec(), b"file".to_vec());
                assert_eq!(other.ask(Command::Rename { from, to }), Reply::Done);
            }
            _ => {
                assert_eq!(raw.ask(Command::Remove { path: b"file".to_vec() }), Reply::Done);
                raw.send_put("file", &content);
                assert!(matches!(raw.reply(), Reply::Stored { .. }));
            }
        }
        set_back(&open());
        let now = tells(&mut raw, "file", &content);
        assert_ne!(now, version, "{round}");
        version = now;
        if round % 4 > 0 {
            tick();
            assert_eq!(tells(&mut other, "file", &content), version);
            tells(&mut raw, "file", &content);
        }
    }
}

#[test]
fn one_that_is_broken_off_is_refused_and_the_session_goes_on() {
    let server = Server::start();
    File::create(server.home(ALICE).join("large")).unwrap().set_len(4 << 30).unwrap();
    server.write("alice/small", b"content");
    let mut raw = server.logged_in(ALICE);
    // Commands 0 and 1 let it in.
    raw.say(&[frame(&ask("large")), frame(&abort(2)), frame(&ask("small"))].concat());
    assert_eq!(raw.refusal().kind, Kind::Aborted);
    assert_eq!(heard(&mut raw).0, 7);
    server.log().wait_for_all(&["verb=\"root\"", "path=\"large\"", "broken off by the client"]);
}
