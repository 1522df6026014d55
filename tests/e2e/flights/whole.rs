//! Trees in one answer.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use e2e::{ALICE, Heard, Raw, Server, bytes};
use proto::{Command, EntryKind, Kind, Message, Reply};

use super::abort;

fn ask(raw: &mut Raw, path: &str) {
    raw.tell(&Message::Command(Command::GetTree { path: path.into() }));
}

/// A file's path, and what it holds, or why it was refused.
type Came = (Vec<u8>, Result<Vec<u8>, Kind>);

/// Hears a whole tree.
#[track_caller]
fn heard(raw: &mut Raw) -> Vec<Came> {
    assert_eq!(raw.reply(), Reply::Listing);
    let mut all = Vec::new();
    loop {
        let Heard::Message(Message::Branch(branch)) = raw.hear() else { panic!("no branch") };
        for found in branch.found {
            if found.kind == EntryKind::File && !found.path.is_empty() {
                all.push((found.path, raw.file().map_err(|failure| failure.kind)));
            }
        }
        if branch.last {
            return all;
        }
    }
}

#[test]
fn a_tree_comes_with_its_files_and_the_session_goes_on() {
    let server = Server::start();
    let content =
        |number: usize| bytes(if number == 1234 { 3_000_000 } else { number % 70_000 }, number as u64);
    for number in 0..1500 {
        server.write(&format!("alice/tree/{}/{number}", number % 7), content(number));
    }
    fs::create_dir(server.home(ALICE).join("tree/empty")).unwrap();
    symlink("3/3", server.home(ALICE).join("tree/link")).unwrap();
    fs::write(server.home(ALICE).join("tree").join(OsStr::from_bytes(b"no\xfftext")), "x").unwrap();
    let mut raw = server.logged_in(ALICE);
    for path in ["tree", "tree/", "tree/3/3", "tree/link", "nothing"] {
        ask(&mut raw, path);
    }
    raw.tell(&Message::Command(Command::Pwd));
    for _ in 0..2 {
        let tree = heard(&mut raw);
        assert_eq!(tree.len(), 1501);
        for (path, came) in tree {
            match String::from_utf8(path) {
                Ok(path) => {
                    let number: usize = path.rsplit('/').next().unwrap().parse().unwrap();
                    assert!(came.unwrap() == content(number), "{path}");
                }
                Err(_) => assert_eq!(came, Err(Kind::InvalidName)),
            }
        }
    }
    assert!(heard(&mut raw).is_empty(), "a file is no tree");
    assert!(heard(&mut raw).is_empty());
    assert_eq!(raw.refusal().kind, Kind::NotFound);
    assert!(matches!(raw.reply(), Reply::Directory { .. }));
    let log = server.log();
    log.wait_for_all(&["verb=\"get-tree\"", "path=\"tree\"", "result=\"ok\""]);
    log.wait_for_all(&["verb=\"get\"", "path=\"tree/3/1200\"", "bytes=1200"]);
}

#[test]
fn a_tree_can_be_broken_off_and_no_other_number_does_it() {
    let server = Server::start();
    for number in 0..300 {
        server.write(&format!("alice/tree/{number}"), bytes(200_000, number)); // more than any buffer takes
    }
    let mut raw = server.logged_in(ALICE);
    raw.tell(&Message::Command(Command::Pwd));
    ask(&mut raw, "tree");
    raw.tell(&abort(4));
    raw.tell(&abort(3));
    assert!(matches!(raw.reply(), Reply::Directory { .. }));
    assert_eq!(raw.reply(), Reply::Listing);
    let mut seen = 0;
    loop {
        match raw.hear() {
            Heard::Message(Message::Abort(abort)) => {
                assert_eq!(abort.command, 3);
                seen += 1;
            }
            Heard::Message(Message::Branch(_) | Message::Reply(Reply::Sending { .. })) => seen = 0,
            Heard::Message(Message::Reply(Reply::Goodbye)) => break,
            Heard::Message(Message::End(_)) | Heard::Data(..) => {}
            other => panic!("{other:?}"),
        }
        if seen == 1 {
            raw.tell(&Message::Command(Command::Quit));
        }
    }
    assert!((1..=2).contains(&seen), "one for the file that was on its way, one for the tree");
    server.log().wait_for_all(&["verb=\"get-tree\"", "broken off by the client"]);
}
