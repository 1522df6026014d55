//! What a reply means, as strace(1) sees it: the file was written, synced and renamed, and its directory synced, before it
//! was told.

use std::collections::HashMap;
use std::fs;

use digest::Algorithm;
use e2e::{Server, bytes, frame, root};
use proto::{Message, Reply};

/// Whichever the server chooses.
const WRITES: [&str; 5] = ["write", "writev", "pwrite64", "pwritev", "pwritev2"];
const SYNCS: [&str; 4] = ["fsync", "fdatasync", "sync", "syncfs"];
const RENAMES: [&str; 3] = ["rename", "renameat", "renameat2"];
const SENDS: [&str; 4] = ["sendto", "sendmsg", "write", "writev"];
const MAKES: [&str; 2] = ["mkdir", "mkdirat"];

/// A system call of some thread of the server: what it was, and on which lines of the trace it began and ended.
struct Call {
    text: Vec<u8>,
    begin: usize,
    end: usize,
}

/// The calls of a server while `session` was held with it.
fn trace(durability: &str, session: impl FnOnce(&Server)) -> Vec<Call> {
    let trace = tempfile::NamedTempFile::new().unwrap();
    // `?`: not every machine has every one.
    let watched = [&WRITES[..], &SYNCS, &RENAMES, &SENDS, &MAKES].concat().join(",?");
    let mut server = Server::builder()
        .top(&format!("durability = \"{durability}\""))
        .traced(&format!("?{watched}"), trace.path())
        .start();
    session(&server);
    assert!(server.terminate().success());
    calls(&fs::read_to_string(trace.path()).unwrap())
}

/// Each line is `THREAD CALL(…) = RESULT`, unless another thread's comes between: then it ends in `<unfinished ...>`, and a later
/// one of its thread begins with `<... CALL resumed>`.
fn calls(trace: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut unfinished = HashMap::new();
    for (at, line) in trace.lines().enumerate() {
        let (thread, text) = line.split_once(' ').unwrap();
        let text = text.trim_start();
        if text.starts_with("<... ") {
            if let Some(call) = unfinished.remove(thread).and_then(|call: usize| calls.get_mut(call)) {
                call.end = at;
                call.text.extend(unescaped(text));
            }
        } else {
            if text.ends_with("<unfinished ...>") {
                unfinished.insert(thread, calls.len());
            }
            calls.push(Call { text: unescaped(text), begin: at, end: at });
        }
    }
    calls
}

/// Strings and paths as they are: strace writes each byte as `\x2f`.
fn unescaped(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (byte, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(byte, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    bytes
}

impl Call {
    fn is(&self, names: &[&str], about: &[u8]) -> bool {
        let name = self.text.split(|byte| *byte == b'(').next().unwrap();
        names.iter().any(|other| other.as_bytes() == name)
            && self.text.windows(about.len()).any(|window| window == about)
    }
}

/// The one call of these that is about this.
#[track_caller]
fn only<'c>(calls: &'c [Call], names: &[&str], about: &[u8]) -> &'c Call {
    let found: Vec<&Call> = calls.iter().filter(|call| call.is(names, about)).collect();
    assert_eq!(found.len(), 1, "{names:?} about {}:\n{}", String::from_utf8_lossy(about), shown(calls));
    found[0]
}

#[track_caller]
fn in_order(calls: &[Call], order: &[&Call]) {
    for pair in order.windows(2) {
        let texts = pair.iter().map(|call| String::from_utf8_lossy(&call.text)).collect::<Vec<_>>();
        assert!(pair[0].end < pair[1].begin, "{} is not before {} in:\n{}", texts[0], texts[1], shown(calls));
    }
}

fn shown(calls: &[Call]) -> String {
    calls
        .iter()
        .map(|call| String::from_utf8_lossy(&call.text).chars().take(200).collect::<String>() + "\n")
        .collect()
}

/// The directory, as the descriptor of a call names it.
const HOME: &[u8] = b"/homes/alice>";

#[test]
fn a_put_is_told_when_it_is_on_disk_and_not_before() {
    let content = bytes(2_500_000, 1);
    let calls = trace("full", |server| {
        server.write("alice/file", b"the old one");
        server.write_work("file", &content);
        server.ftp(&["put", "file"]).ok();
    });
    let stored = Reply::Stored {
        size: content.len() as u64,
        root: root(Algorithm::Md5, &content).as_bytes().to_vec(),
    };
    let synced = only(&calls, &SYNCS, b"/homes/alice/.ftpd~");
    let renamed = only(&calls, &RENAMES, b"\"file\"");
    let directory = only(&calls, &SYNCS, HOME);
    let told = only(&calls, &SENDS, &frame(&Message::Reply(stored)));
    let writes: Vec<&Call> = calls.iter().filter(|call| call.is(&WRITES, b"/homes/alice/.ftpd~")).collect();
    assert!(!writes.is_empty());
    for write in writes {
        in_order(&calls, &[write, synced, renamed, directory, told]);
    }
}

#[test]
fn a_directory_is_told_when_it_is_on_disk() {
    let calls = trace("full", |server| drop(server.ftp(&["mkdir", "new"]).ok()));
    let made = only(&calls, &MAKES, b"\"new\"");
    let told = only(&calls, &SENDS, &frame(&Message::Reply(Reply::Done)));
    in_order(&calls, &[made, only(&calls, &SYNCS, HOME), told]);
}

#[test]
fn nothing_is_synced_where_that_is_switched_off() {
    let calls = trace("none", |server| {
        server.write_work("file", bytes(2_500_000, 1));
        server.ftp(&["put", "file"]).ok();
        server.ftp(&["mkdir", "new"]).ok();
    });
    only(&calls, &RENAMES, b"\"file\"");
    only(&calls, &MAKES, b"\"new\"");
    let syncs = calls.iter().filter(|call| call.is(&SYNCS, b"")).count();
    assert_eq!(syncs, 0, "{}", shown(&calls));
}
