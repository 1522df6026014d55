//! Walks and links.

use std::fs;
use std::os::unix::fs::symlink;

use e2e::{ALICE, Heard, Raw, Server};
use proto::{Branch, Command, EntryKind, Found, Kind, Message, Reply};

use super::abort;

fn ask(raw: &mut Raw, path: &str) {
    raw.tell(&Message::Command(Command::Walk { path: path.into() }));
}

/// Hears a whole walk.
#[track_caller]
fn heard(raw: &mut Raw) -> Branch {
    assert_eq!(raw.reply(), Reply::Listing);
    let mut all = Branch { found: vec![], missed: vec![], last: false };
    while !all.last {
        let Heard::Message(Message::Branch(branch)) = raw.hear() else { panic!("no branch") };
        all.found.extend(branch.found);
        all.missed.extend(branch.missed);
        all.last = branch.last;
    }
    all
}

fn found<'a>(branch: &'a Branch, path: &str) -> &'a Found {
    branch.found.iter().find(|found| found.path == path.as_bytes()).unwrap()
}

#[test]
fn a_tree_is_told_and_the_session_goes_on() {
    let server = Server::start();
    for number in 0..3000 {
        server.write(&format!("alice/tree/{}/{number}", number % 10), vec![b'x'; number % 7]);
    }
    symlink("3/3", server.home(ALICE).join("tree/link")).unwrap();
    let mut raw = server.logged_in(ALICE);
    ask(&mut raw, "tree");
    ask(&mut raw, "tree/3/3");
    ask(&mut raw, "tree/link");
    ask(&mut raw, "nothing");
    raw.tell(&Message::Command(Command::Pwd));
    let tree = heard(&mut raw);
    assert_eq!((tree.found.len(), tree.missed.len()), (1 + 10 + 3000 + 1, 0));
    assert_eq!(found(&tree, "3/13").size, 6);
    assert_eq!(found(&tree, "link").target.as_deref(), Some(&b"3/3"[..]));
    for _ in 0..2 {
        let file = heard(&mut raw);
        assert_eq!((file.found.len(), file.found[0].kind, file.found[0].size), (1, EntryKind::File, 3));
    }
    assert_eq!(raw.refusal().kind, Kind::NotFound);
    assert!(matches!(raw.reply(), Reply::Directory { .. }));
    server.log().wait_for_all(&["verb=\"walk\"", "path=\"tree\"", "result=\"ok\""]);
}

#[test]
fn a_walk_can_be_broken_off() {
    let server = Server::start();
    let name = "n".repeat(200);
    for number in 0..40_000 {
        server.write(&format!("alice/{}/{number}{name}", number % 4), b""); // as much as fits into no buffer
    }
    let mut raw = server.logged_in(ALICE);
    ask(&mut raw, "");
    raw.tell(&abort(2));
    assert_eq!(raw.reply(), Reply::Listing);
    let mut seen = 0;
    let broken_off = loop {
        match raw.hear() {
            Heard::Message(Message::Branch(branch)) if !branch.last => seen += branch.found.len(),
            Heard::Message(Message::Abort(abort)) => break abort,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(broken_off.command, 2);
    assert!(seen < 40_000);
    assert!(matches!(raw.ask(Command::Pwd), Reply::Directory { .. }));
    server.log().wait_for_all(&["verb=\"walk\"", "broken off by the client"]);
}

#[test]
fn links_are_made_within_the_home_alone() {
    let server = Server::start();
    server.write("alice/sub/file", b"inside");
    let mut raw = server.logged_in(ALICE);
    let link = |path: &str, target: &str| Command::Link { path: path.into(), target: target.into() };
    assert_eq!(raw.ask(link("to", "sub/file")), Reply::Done);
    assert_eq!(raw.ask(link("sub/up", "../to")), Reply::Done);
    assert_eq!(raw.get("sub/up").unwrap(), b"inside");
    let refused = [
        ("to", "sub", Kind::Exists),
        ("out", "/etc", Kind::Denied),
        ("out", "..", Kind::Denied),
        ("sub/out", "../../bob/file", Kind::Denied),
        ("out", "sub/../../bob", Kind::Denied),
        ("out", "a\0b", Kind::InvalidName),
        ("no/out", "a", Kind::NotFound),
    ];
    for (path, target, kind) in refused {
        raw.tell(&Message::Command(link(path, target)));
        let failure = raw.refusal();
        assert_eq!(failure.kind, kind, "{path} → {target:?}");
        assert!(failure.remedy.is_some());
    }
    assert!(fs::symlink_metadata(server.home(ALICE).join("out")).is_err());
}
