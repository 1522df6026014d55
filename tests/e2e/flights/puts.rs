//! Puts in one flight.

use std::fs;

use e2e::{ALICE, CAROL, Heard, QUINN, Raw, Server, Watch, bytes, data_frame, end, frame, stages};
use proto::{Command, End, Kind, Message, Reply, Time};

const BLOCK: usize = 64 * 1024;
const SMALL: usize = proto::SMALL as usize;

/// A put with all that belongs to it.
fn put(path: &str, content: &[u8]) -> Vec<u8> {
    let command = Command::Put { path: path.into(), size: content.len() as u64 };
    let data = content.chunks(BLOCK).flat_map(data_frame);
    let modified = Some(Time { seconds: 1_400_000_000, nanoseconds: 5 });
    let end = Message::End(End { modified, mode: Some(0o640), ..end(content) });
    frame(&Message::Command(command)).into_iter().chain(data).chain(frame(&end)).collect()
}

fn content(number: usize) -> Vec<u8> {
    let size = match number % 100 {
        7 => 0,
        20 => BLOCK,
        21 => BLOCK + 1,
        49 => 3 * BLOCK + 5,
        50 => SMALL,
        51 => SMALL + 1,
        other => other * 97,
    };
    bytes(size, number as u64)
}

/// Sends all at once, from another thread.
fn say(raw: &Raw, said: Vec<u8>) -> std::thread::JoinHandle<()> {
    let mut hand = raw.hand();
    std::thread::spawn(move || hand.say(&said))
}

#[track_caller]
fn stored(raw: &mut Raw, content: &[u8]) {
    match raw.reply() {
        Reply::Stored { size, root } => assert!((size, root) == (content.len() as u64, end(content).root)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_thousand_puts_in_one_flight_are_stored_and_those_that_fail_fail_alone() {
    let server = Server::start();
    fs::create_dir_all(server.home(ALICE).join("directory")).unwrap();
    let mut raw = server.logged_in(ALICE);
    let mut said = Vec::new();
    for number in 0..3 {
        said.extend(frame(&Message::Command(Command::Mkdir { path: format!("{number}").into() })));
    }
    for number in 0..1000 {
        said.extend(put(&format!("{}/{number}", number % 3), &content(number)));
        match number % 50 {
            3 => said.extend(put("gone/file", &content(1))),
            13 => said.extend(put("directory", &content(2))),
            23 => said.extend(put("a\0b", &content(3))),
            33 => said.extend(put("same", &content(number))),
            34 => said.extend(frame(&Message::Command(Command::Remove { path: b"same".to_vec() }))),
            43 => said.extend(frame(&Message::Command(Command::Pwd))),
            _ => {}
        }
    }
    let sent = say(&raw, said);
    (0..3).for_each(|_| assert_eq!(raw.reply(), Reply::Done));
    for number in 0..1000 {
        stored(&mut raw, &content(number));
        match number % 50 {
            3 => assert_eq!(raw.refusal().kind, Kind::NotFound),
            13 => assert_eq!(raw.refusal().kind, Kind::IsDirectory),
            23 => assert_eq!(raw.refusal().kind, Kind::InvalidName),
            33 => stored(&mut raw, &content(number)),
            34 => assert_eq!(raw.reply(), Reply::Done),
            43 => assert!(matches!(raw.reply(), Reply::Directory { .. })),
            _ => {}
        }
    }
    sent.join().unwrap();
    for number in 0..1000 {
        assert!(server.read(&format!("alice/{}/{number}", number % 3)) == content(number), "{number}");
    }
    let stat = raw.ask(Command::Stat { path: b"1/1".to_vec() });
    let Reply::Entry(entry) = stat else { panic!("{stat:?}") };
    assert_eq!((entry.mode, entry.modified.seconds, entry.modified.nanoseconds), (0o640, 1_400_000_000, 5));
    assert_eq!(stages(server.home(ALICE)).len() + stages(server.home(ALICE).join("1")).len(), 0);
    for number in [0, 7, 20, 21, 999] {
        let size = format!("bytes={} ", content(number).len());
        let path = format!("path=\"{}/{number}\"", number % 3);
        server.log().wait_for_all(&["verb=\"put\"", &path, &size, "result=\"ok\""]);
    }
}

#[test]
fn the_last_of_one_name_stays() {
    let server = Server::start();
    let mut raw = server.logged_in(ALICE);
    let mut said = Vec::new();
    for number in 0..100 {
        said.extend(put(["one", "./two/../one", "/other"][number % 3], &content(number)));
    }
    fs::create_dir(server.home(ALICE).join("two")).unwrap();
    raw.say(&said);
    (0..100).for_each(|number| stored(&mut raw, &content(number)));
    assert!(server.read("alice/one") == content(99) && server.read("alice/other") == content(98));
    // Who may not replace anything gets to store the first alone.
    let mut raw = server.logged_in(CAROL);
    raw.say(&[put("gift", b"first"), put("gift", b"second"), put("gift", b"third")].concat());
    stored(&mut raw, b"first");
    assert_eq!(raw.refusal().kind, Kind::Exists);
    assert_eq!(raw.refusal().kind, Kind::Exists);
    assert_eq!(server.read("carol/gift"), b"first");
}

#[test]
fn a_quota_ends_what_it_does_not_suffice_for() {
    let server = Server::builder().quota(QUINN, "100 KiB").start();
    let mut raw = server.logged_in(QUINN);
    let said: Vec<u8> =
        (0..30).flat_map(|number| put(&format!("{number}"), &bytes(10 * 1024, number))).collect();
    raw.say(&said);
    for number in 0..30 {
        match raw.reply() {
            Reply::Stored { .. } => assert!(number < 10, "{number}"),
            Reply::Refused(failure) => assert_eq!((failure.kind, number >= 10), (Kind::Quota, true)),
            other => panic!("{other:?}"),
        }
    }
    let remove = frame(&Message::Command(Command::Remove { path: b"3".to_vec() }));
    raw.say(&[remove, put("3", b"smaller"), put("more", &bytes(10 * 1000, 1))].concat());
    assert_eq!(raw.reply(), Reply::Done);
    stored(&mut raw, b"smaller");
    stored(&mut raw, &bytes(10 * 1000, 1));
}

#[test]
fn what_is_damaged_ends_the_session_after_what_came_before_it() {
    let server = Server::start();
    let watch = Watch::new(server.home(ALICE));
    let mut wrong_root = frame(&Message::Command(Command::Put { path: b"bad".to_vec(), size: 3 }));
    wrong_root.extend(data_frame(b"abc"));
    wrong_root.extend(frame(&Message::End(end(b"abd"))));
    let mut wrong_data = put("bad", b"abc");
    let at = wrong_data.windows(3).position(|window| window == b"abc").unwrap();
    wrong_data[at] ^= 1;
    let mut wrong_size = frame(&Message::Command(Command::Put { path: b"bad".to_vec(), size: 3 }));
    wrong_size.extend(data_frame(b"abc"));
    wrong_size.extend(frame(&Message::End(End { size: 4, ..end(b"abc") })));
    let mut wrong_block = put("bad", &bytes(5 * BLOCK, 1));
    wrong_block[4 * BLOCK] ^= 1;
    let swapped = [&bytes(BLOCK, 2)[..], &bytes(BLOCK, 1)].concat();
    let mut wrong_order =
        frame(&Message::Command(Command::Put { path: b"bad".to_vec(), size: 2 * BLOCK as u64 }));
    wrong_order.extend(swapped.chunks(BLOCK).flat_map(data_frame));
    let content = [&bytes(BLOCK, 1)[..], &bytes(BLOCK, 2)].concat();
    wrong_order.extend(frame(&Message::End(end(&content))));
    let all = [wrong_root, wrong_data, wrong_size, wrong_block, wrong_order];
    for (round, bad) in all.into_iter().enumerate() {
        let mut raw = server.logged_in(ALICE);
        let before: Vec<u8> = (0..20).flat_map(|number| put(&format!("{round}-{number}"), b"good")).collect();
        raw.say(&[before, bad, put("after", b"good")].concat());
        (0..20).for_each(|_| stored(&mut raw, b"good"));
        assert_eq!(raw.refusal().kind, Kind::NotVerified);
        assert_eq!(raw.hear(), Heard::End);
        watch.wait_for_no_stage();
        for gone in ["bad", "after"] {
            assert!(!server.home(ALICE).join(gone).exists(), "{gone}");
        }
        assert_eq!(server.read(&format!("alice/{round}-19")), b"good");
    }
}

#[test]
fn a_cut_in_the_middle_leaves_whole_files_and_no_stage() {
    let server = Server::start();
    let watch = Watch::new(server.home(ALICE));
    let rounds = [(1000, 1000), (1000, 70_000), (1000, 333_333), (1000, 800_001)];
    let rounds = rounds.into_iter().chain([100_000, 400_000, 777_777].map(|cut| (300_000, cut)));
    for (round, (size, cut)) in rounds.enumerate() {
        let mut raw = server.logged_in(ALICE);
        let all: Vec<u8> = (0..1_000_000 / size as u64)
            .flat_map(|number| put(&format!("{number}"), &bytes(size, number)))
            .collect();
        raw.say(&all[..cut]);
        drop(raw);
        server.log().wait_for_nth(round + 1, &["session ended"]);
        watch.wait_for_no_stage();
        for number in 0..1000 {
            let path = server.home(ALICE).join(format!("{number}"));
            if path.exists() {
                assert!(fs::read(&path).unwrap() == bytes(size, number), "{number}");
                fs::remove_file(path).unwrap();
            }
        }
    }
}
