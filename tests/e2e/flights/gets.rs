//! Gets in one flight.

use std::fs;
use std::os::unix::fs::symlink;

use e2e::{ALICE, Heard, Raw, Server, bytes, frame};
use proto::{Command, Kind, Message, Reply};

use super::abort;

const BLOCK: usize = 64 * 1024;
const SMALL: usize = proto::SMALL as usize;

fn get(path: impl Into<Vec<u8>>) -> Message {
    Message::Command(Command::Get { path: path.into(), first_block: 0 })
}

/// What is got at a number.
fn size(number: usize) -> usize {
    match number % 100 {
        7 => 0,
        20 => BLOCK,
        21 => BLOCK + 1,
        49 => 3 * BLOCK + 5,
        50 => SMALL,
        51 => SMALL + 1,
        other => other * 97,
    }
}

/// Sends all at once, from another thread.
fn say(raw: &Raw, said: Vec<u8>) -> std::thread::JoinHandle<()> {
    let mut hand = raw.hand();
    std::thread::spawn(move || hand.say(&said))
}

#[test]
fn a_thousand_gets_in_one_flight_are_answered_in_their_order() {
    let server = Server::start();
    for number in 0..1000 {
        server.write(&format!("alice/{}/{number}", number % 3), bytes(size(number), number as u64));
    }
    fs::create_dir(server.home(ALICE).join("directory")).unwrap();
    symlink("/etc/passwd", server.home(ALICE).join("out")).unwrap();
    let mut raw = server.logged_in(ALICE);
    let mut said = Vec::new();
    for number in 0..1000 {
        said.extend(frame(&get(format!("{}/{number}", number % 3))));
        match number % 50 {
            3 => said.extend(frame(&get("gone"))),
            13 => said.extend(frame(&get("directory"))),
            23 => said.extend(frame(&get("out"))),
            33 => said.extend(frame(&get("a\0b"))),
            43 => said.extend(frame(&Message::Command(Command::Pwd))),
            _ => {}
        }
    }
    let sent = say(&raw, said);
    for number in 0..1000 {
        assert!(raw.file().unwrap() == bytes(size(number), number as u64), "{number}");
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
    assert!(matches!(raw.ask(Command::Pwd), Reply::Directory { .. }));
    server.log().wait_for_all(&["verb=\"pwd\"", "result=\"ok\""]);
    for number in 0..1000 {
        let (path, size) = (format!("path=\"{}/{number}\"", number % 3), format!("bytes={} ", size(number)));
        server.log().wait_for_all(&["verb=\"get\"", &path, &size, "result=\"ok\""]);
    }
    server.log().wait_for_nth(20, &["verb=\"get\"", "bytes=0 ", "no such file"]);
}

#[test]
fn gets_from_a_block_on_go_in_a_flight_too() {
    let server = Server::start();
    let content = bytes(2 * BLOCK + 9, 1);
    server.write("alice/file", &content);
    let mut raw = server.logged_in(ALICE);
    let firsts = [2, 0, 1, 3, 4, 2, u64::MAX, 2];
    let said: Vec<u8> = firsts
        .iter()
        .flat_map(|&first_block| {
            frame(&Message::Command(Command::Get { path: b"file".to_vec(), first_block }))
        })
        .collect();
    raw.say(&said);
    for first in firsts {
        let from = usize::try_from(first).unwrap_or(usize::MAX).saturating_mul(BLOCK);
        match raw.file() {
            Ok(got) => assert!(got == content.get(from..).unwrap_or_default(), "from block {first}"),
            Err(failure) => assert_eq!((failure.kind, first > 3), (Kind::Changed, true)),
        }
    }
}

#[test]
fn gets_are_broken_off_by_their_numbers() {
    let server = Server::start();
    let small = bytes(1000, 1);
    server.write("alice/big", bytes(64 << 20, 2)); // fits into no buffer
    server.write("alice/small", &small);
    let mut raw = server.logged_in(ALICE);
    let said = ["small", "big", "small", "big", "small"].map(|path| frame(&get(path))).concat();
    // Commands 2 to 6, and the aborts of all but the last.
    raw.say(&[said, (2..6).flat_map(|number| frame(&abort(number))).collect()].concat());
    for number in 2..6 {
        match raw.file() {
            Ok(got) => assert!(got == small && number % 2 == 0, "a small one may have been on its way"),
            Err(failure) => assert_eq!(failure.kind, Kind::Aborted, "{number}"),
        }
    }
    assert!(raw.file().unwrap() == small, "nobody broke that off");
    assert!(matches!(raw.ask(Command::Pwd), Reply::Directory { .. }));
}

#[test]
fn who_does_not_read_holds_up_nobody_and_little_memory() {
    let server = Server::start();
    let content = bytes(BLOCK, 1);
    for number in 0..200 {
        server.write(&format!("alice/{number}"), &content);
    }
    let (mut raw, mut bystander) = (server.logged_in(ALICE), server.logged_in(ALICE));
    assert!(raw.get("0").unwrap() == content);
    e2e::forget_peak(server.pid());
    let before = e2e::memory(server.pid(), "VmRSS").unwrap();
    let said: Vec<u8> = (0..4000).flat_map(|number| frame(&get(format!("{}", number % 200)))).collect();
    let sent = say(&raw, said);
    assert!(bystander.get("7").unwrap() == content);
    for _ in 0..4000 {
        assert!(raw.file().unwrap() == content);
    }
    sent.join().unwrap();
    let peak = e2e::memory(server.pid(), "VmHWM").unwrap();
    assert!(peak - before < 32 << 20, "{} MiB for 250 MiB of files", (peak - before) >> 20);
    raw.finish();
    assert_eq!(raw.hear(), Heard::End);
}
