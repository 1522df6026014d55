//! Digests and parts of files that go out.

use std::ops::Range;

use digest::Algorithm;
use e2e::{ALICE, Heard, Raw, Server, bytes};
use proto::{Abort, Command, End, Failure, Kind, Message, Part, Reply};

use super::{BLOCK, list, of, root, version};

fn digests(first_block: u64, blocks: u64, version: Option<[u8; 16]>) -> Command {
    Command::Digests { path: b"file".to_vec(), part: Part { first_block, blocks }, version }
}

fn get_parts(ranges: &[Range<u64>], version: Option<[u8; 16]>) -> Command {
    Command::GetParts { path: b"file".to_vec(), version, parts: list(ranges) }
}

/// What comes up to the end: digests, data, and the end.
fn rest(raw: &mut Raw) -> Result<(Vec<u8>, Vec<u8>, End), Failure> {
    let (mut digests, mut data) = (Vec::new(), Vec::new());
    loop {
        match raw.hear() {
            Heard::Message(Message::Digests(more)) => digests.extend(more),
            Heard::Data(block, stated) => {
                assert_eq!(digest::of_block(Algorithm::Md5, &block).as_bytes(), stated);
                data.extend(block);
            }
            Heard::Message(Message::End(end)) => return Ok((digests, data, end)),
            Heard::Message(Message::Abort(abort)) => return Err(abort.failure),
            other => panic!("{other:?}"),
        }
    }
}

fn computed(content: &[u8]) -> Vec<u8> {
    content
        .chunks(BLOCK)
        .flat_map(|block| digest::of_block(Algorithm::Md5, block).as_bytes().to_vec())
        .collect()
}

#[test]
fn digests_of_blocks_are_told_as_far_as_there_are_any() {
    let server = Server::start();
    let mut raw = server.logged_in(ALICE);
    for size in [0, 1, BLOCK, BLOCK + 1, 40 * BLOCK + 9, 1100 * BLOCK] {
        let content = bytes(size, 1);
        server.write("alice/file", &content);
        let total = size.div_ceil(BLOCK) as u64;
        for (first, blocks) in
            [(0, u64::MAX), (0, 1), (0, 0), (1, 3), (30, 600), (total, 1), (u64::MAX, u64::MAX)]
        {
            let Reply::Reading { size: told, .. } = raw.ask(digests(first, blocks, None)) else { panic!() };
            assert_eq!(told, size as u64);
            let (came, data, end) = rest(&mut raw).unwrap();
            let first = first.min(total);
            let wanted = of(&content, &[first..first.saturating_add(blocks).min(total)]);
            assert!(came == computed(&wanted) && data.is_empty(), "{size} {first} {blocks}");
            assert_eq!((end.size, end.root), (size as u64, root(&wanted)));
            assert!(end.modified.is_some() && end.mode.is_some());
        }
    }
    server.log().wait_for_all(&["verb=\"digests\"", "path=\"file\"", "result=\"ok\""]);
}

#[test]
fn parts_come_one_behind_the_other() {
    let server = Server::start();
    let mut raw = server.logged_in(ALICE);
    let content = bytes(200 * BLOCK + 77, 1);
    server.write("alice/file", &content);
    let version = version(&mut raw, "file");
    let every_third: Vec<Range<u64>> = (0..67).map(|at| 3 * at..3 * at + 1).collect();
    for ranges in [vec![0..1], vec![0..201], vec![200..201], vec![3..5, 5..6, 199..201], every_third] {
        let reading = raw.ask(get_parts(&ranges, Some(version)));
        assert_eq!(reading, Reply::Reading { size: content.len() as u64, version });
        let (_, data, end) = rest(&mut raw).unwrap();
        let wanted = of(&content, &ranges);
        assert!(data == wanted, "{ranges:?}");
        assert_eq!((end.size, end.root), (content.len() as u64, root(&wanted)));
        assert!(end.modified.is_some() && end.mode.is_some());
    }
    let bytes = format!("bytes={}", 2 * BLOCK);
    raw.ask(get_parts(&[7..9], None));
    rest(&mut raw).unwrap();
    server.log().wait_for_all(&["verb=\"get-parts\"", "path=\"file\"", &bytes, "result=\"ok\""]);
}

#[test]
fn what_is_of_another_version_or_shorter_has_changed() {
    let server = Server::start();
    let mut raw = server.logged_in(ALICE);
    server.write("alice/file", bytes(3 * BLOCK, 1));
    let old = version(&mut raw, "file");
    server.write("alice/file", bytes(3 * BLOCK + 1, 2));
    let new = version(&mut raw, "file");
    assert_ne!(old, new);
    for command in [
        digests(0, 1, Some(old)),
        get_parts(&[0..1], Some(old)),
        get_parts(&[4..5], None),
        get_parts(&[0..5], Some(new)),
        get_parts(&[u64::MAX - 1..u64::MAX], None),
    ] {
        raw.tell(&Message::Command(command.clone()));
        let refusal = raw.refusal();
        assert_eq!(refusal.kind, Kind::Changed, "{command:?}");
        assert!(refusal.remedy.is_some());
    }
    assert!(matches!(raw.ask(digests(0, 1, Some(new))), Reply::Reading { .. }));
}

#[test]
fn only_files_of_the_home_have_parts() {
    let server = Server::start();
    let mut raw = server.logged_in(ALICE);
    let home = server.home(ALICE);
    std::fs::create_dir(home.join("dir")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", home.join("out")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        home.join("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let part = Part { first_block: 0, blocks: 1 };
    for (path, kind) in [
        ("dir", Kind::IsDirectory),
        ("out", Kind::Denied),
        ("fifo", Kind::Special),
        ("none", Kind::NotFound),
        (".ftpd~000000000000", Kind::InvalidName),
    ] {
        for command in [
            Command::Digests { path: path.into(), part, version: None },
            Command::GetParts { path: path.into(), version: None, parts: vec![part] },
        ] {
            raw.tell(&Message::Command(command));
            assert_eq!(raw.refusal().kind, kind, "{path}");
        }
        // Whether something is there, no version tells either.
        let onto = Command::Assemble { path: path.into(), size: 1, onto: Some([0; 16]) };
        raw.tell(&Message::Command(onto));
        let kind = if kind == Kind::NotFound { Kind::Changed } else { kind };
        assert_eq!(raw.refusal().kind, kind, "{path}");
    }
}

#[test]
fn they_can_be_broken_off() {
    let server = Server::start();
    let content = bytes(64 << 20, 1);
    server.write("alice/file", &content);
    let mut raw = server.logged_in(ALICE);
    for (number, command) in [digests(0, u64::MAX, None), get_parts(&[1..900], None)].into_iter().enumerate()
    {
        raw.tell(&Message::Command(command));
        let failure = Failure::new(Kind::Aborted, "never mind");
        raw.tell(&Message::Abort(Abort { command: 2 + number as u64, failure }));
        loop {
            match raw.hear() {
                Heard::Data(..)
                | Heard::Message(Message::Digests(_) | Message::Reply(Reply::Reading { .. })) => {}
                Heard::Message(Message::Abort(_) | Message::Reply(Reply::Refused(_))) => break,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(matches!(raw.ask(Command::Pwd), Reply::Directory { .. }));
}
