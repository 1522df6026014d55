//! What nobody means well with.

use std::fs;
use std::ops::Range;

use e2e::{ALICE, BOB, CAROL, Raw, Server, bytes};
use proto::{Command, Kind, Message, Part, Reply};

use super::{BLOCK, assemble, begin, bring, kept, publish, stored};

#[test]
fn a_session_has_eight_at_a_time() {
    let server = Server::start();
    let mut raw = server.logged_in(ALICE);
    let begun: Vec<[u8; 16]> = (0..8)
        .map(|number| match raw.ask(assemble(&format!("file-{number}"), BLOCK, None)) {
            Reply::Assembling { assembly } => assembly,
            other => panic!("{other:?}"),
        })
        .collect();
    for _ in 0..3 {
        for number in 0..1000 {
            raw.tell(&Message::Command(assemble(&format!("more-{number}"), BLOCK, None)));
        }
        (0..1000).for_each(|_| assert_eq!(raw.refusal().kind, Kind::Denied));
    }
    assert_eq!(e2e::stages(server.homes()).len(), 8);
    assert_eq!(raw.ask(Command::Leave { assembly: begun[3] }), Reply::Done);
    let ninth = begin(&mut raw, 3, None);
    bring(&mut raw, ninth, b"abc", &[0..1]);
    assert_eq!(raw.ask(publish(ninth, b"abc")), stored(b"abc"));
    assert!(begun.iter().all(|name| *name != ninth));
}

#[test]
fn no_number_is_too_large_to_be_refused() {
    let server = Server::start();
    let mut raw = server.logged_in(ALICE);
    for size in [u64::MAX, u64::MAX - 65_535, i64::MAX as u64 + 1, i64::MAX as u64] {
        raw.tell(&Message::Command(Command::Assemble { path: b"file".to_vec(), size, onto: None }));
        let kind = raw.refusal().kind;
        assert!(matches!(kind, Kind::NoSpace | Kind::TooLarge), "{size}: {kind:?}");
    }
    assert!(e2e::stages(server.homes()).is_empty());
}

/// What is malformed, whatever the file.
fn no_lists() -> Vec<Vec<Part>> {
    let part = |first_block, blocks| Part { first_block, blocks };
    vec![
        vec![],
        vec![part(0, 0)],
        vec![part(0, 1), part(1, 0)],
        vec![part(1, 1), part(0, 1)],
        vec![part(0, 2), part(1, 1)],
        vec![part(0, 1), part(0, 1)],
        vec![part(u64::MAX, 1)],
        vec![part(1, u64::MAX)],
        vec![part(0, u64::MAX), part(u64::MAX, u64::MAX)],
        (0..700).map(|at| part(u64::MAX - at, u64::MAX)).collect(),
    ]
}

#[test]
fn lists_of_parts_that_are_none_end_the_session() {
    let server = Server::start();
    server.write("alice/file", bytes(3 * BLOCK, 1));
    let mut owner = server.logged_in(ALICE);
    let assembly = begin(&mut owner, 3 * BLOCK, None);
    let part = |first_block, blocks| Part { first_block, blocks };
    let put = |size: usize, parts| Command::PutParts { assembly, size: size as u64, parts };
    let beyond = [
        put(3 * BLOCK, vec![part(3, 1)]),
        put(3 * BLOCK, vec![part(0, u64::MAX)]),
        put(0, vec![part(0, 1)]),
        put(4 * BLOCK, vec![part(0, 1)]), // not as it was begun
        put(2 * BLOCK, vec![part(0, 1)]),
        Command::Publish { assembly, root: vec![], modified: None, mode: None },
        Command::Publish { assembly, root: vec![0; 32], modified: None, mode: None },
    ];
    let lists = no_lists().into_iter().flat_map(|parts| {
        let get = Command::GetParts { path: b"file".to_vec(), version: None, parts: parts.clone() };
        [put(3 * BLOCK, parts), get]
    });
    for command in beyond.into_iter().chain(lists) {
        let mut raw = server.logged_in(ALICE);
        raw.tell(&Message::Command(command.clone()));
        assert_eq!(raw.refusal().kind, Kind::Protocol, "{command:?}");
        raw.ends();
    }
    let content = bytes(3 * BLOCK, 2);
    bring(&mut owner, assembly, &content, &[0..3]);
    assert_eq!(owner.ask(publish(assembly, &content)), stored(&content));
}

#[test]
fn thousands_of_parts_in_one_list_are_parts() {
    let server = Server::start();
    let content = bytes(2800 * BLOCK, 1);
    server.write("alice/old", &content);
    let mut raw = server.logged_in(ALICE);
    let ranges: Vec<Range<u64>> = (0..1400).map(|at| 2 * at..2 * at + 1).collect();
    let parts = super::list(&ranges);
    let wanted = super::of(&content, &ranges);
    let reading = raw.ask(Command::GetParts { path: b"old".to_vec(), version: None, parts });
    assert!(matches!(reading, Reply::Reading { .. }));
    let mut came = Vec::new();
    let end = loop {
        match raw.hear() {
            e2e::Heard::Data(block, _) => came.extend(block),
            e2e::Heard::Message(Message::End(end)) => break end,
            other => panic!("{other:?}"),
        }
    };
    assert!(came == wanted && end.root == super::root(&wanted));
    let assembly = begin(&mut raw, content.len(), None);
    bring(&mut raw, assembly, &content, &ranges);
    let others: Vec<Range<u64>> = ranges.iter().map(|range| range.start + 1..range.end + 1).collect();
    bring(&mut raw, assembly, &content, &others);
    assert_eq!(raw.ask(publish(assembly, &content)), stored(&content));
    assert!(server.read("alice/file") == content);
}

/// Tries everything on an assembly that is not one for this session, and finds that the session goes on.
fn finds_nothing(raw: &mut Raw, assembly: [u8; 16]) {
    is_refused(raw, assembly, Kind::NotFound);
}

fn is_refused(raw: &mut Raw, assembly: [u8; 16], kind: Kind) {
    let content = bytes(2 * BLOCK, 3);
    super::send(raw, assembly, &content, &[0..2]);
    raw.tell(&Message::Command(publish(assembly, &content)));
    raw.tell(&Message::Command(Command::Leave { assembly }));
    (0..3).for_each(|_| assert_eq!(raw.refusal().kind, kind));
    assert!(matches!(raw.ask(Command::Pwd), Reply::Directory { .. }));
}

#[test]
fn an_assembly_is_of_its_account_alone() {
    let mut server = Server::start();
    server.terminate();
    server.edit_config(|told| told.replace("\"homes/carol\"", "\"homes/alice\""));
    server.restart();
    let content = bytes(2 * BLOCK, 1);
    let mut alice = server.logged_in(ALICE);
    let assembly = begin(&mut alice, content.len(), None);
    is_refused(&mut server.logged_in(BOB), assembly, Kind::Denied); // he may not upload
    finds_nothing(&mut server.logged_in(CAROL), assembly);
    finds_nothing(&mut server.logged_in(ALICE), [7; 16]);
    bring(&mut alice, assembly, &content, &[0..2]);
    assert_eq!(alice.ask(publish(assembly, &content)), stored(&content));
    finds_nothing(&mut alice, assembly);
}

#[test]
fn many_sessions_that_publish_one_at_once_publish_it_once() {
    let server = Server::start();
    let content = bytes(100 * BLOCK, 1);
    let mut owner = server.logged_in(ALICE);
    for _ in 0..5 {
        let assembly = begin(&mut owner, content.len(), None);
        bring(&mut owner, assembly, &content, &[0..100]);
        let mut others: Vec<Raw> = (0..6).map(|_| server.logged_in(ALICE)).collect();
        for (number, raw) in others.iter_mut().enumerate() {
            match number {
                0 => super::send(raw, assembly, &content, &[40..41]),
                1 => raw.tell(&Message::Command(Command::Leave { assembly })),
                _ => raw.tell(&Message::Command(publish(assembly, &content))),
            }
        }
        let replies: Vec<Reply> = others.iter_mut().map(Raw::reply).collect();
        let published = replies.iter().filter(|reply| **reply == stored(&content)).count();
        assert_eq!(published, usize::from(replies[1] != Reply::Done), "{replies:?}");
        let others = replies
            .iter()
            .filter(|reply| matches!(reply, Reply::Refused(failure) if failure.kind == Kind::NotFound));
        assert!(others.count() >= 4, "{replies:?}");
        if published == 0 {
            assert_eq!(kept(&mut owner), 100);
        } else {
            assert!(server.read("alice/file") == content);
        }
    }
}

#[test]
fn paths_keep_to_the_home() {
    let server = Server::start();
    let home = server.home(ALICE);
    let outside = server.work().join("outside");
    fs::write(&outside, b"of somebody else").unwrap();
    std::os::unix::fs::symlink(&outside, home.join("out")).unwrap();
    std::os::unix::fs::symlink(server.work(), home.join("dir-out")).unwrap();
    fs::create_dir(home.join("dir")).unwrap();
    let mut raw = server.logged_in(ALICE);
    for (path, kind) in [
        ("out", Kind::Denied),
        ("dir-out/outside", Kind::Denied),
        ("../../outside/none", Kind::NotFound),
        ("dir", Kind::IsDirectory),
        ("none/file", Kind::NotFound),
        (".ftpd~keep~file", Kind::InvalidName),
        ("", Kind::IsDirectory),
    ] {
        raw.tell(&Message::Command(assemble(path, 3, None)));
        assert_eq!(raw.refusal().kind, kind, "{path}");
    }
    assert_eq!(fs::read(&outside).unwrap(), b"of somebody else");
}
