//! The walls between the rooms of the house, held by reading what the sources import.
//!
//! Floors: `digest` ← `proto`, `store` ← `ftpd`, `ftp`. Rooms on one floor do not know each other. In ftpd, a door owns framing
//! and order, `core` owns permission and meaning, `store` owns bytes and names.

mod read;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use read::{Source, read};

/// Each crate of ours, and those of ours that it may use.
const FLOORS: [(&str, &[&str]); 5] = [
    ("digest", &[]),
    ("proto", &["digest"]),
    ("store", &["digest"]),
    ("ftpd", &["digest", "proto", "store"]),
    ("ftp", &["digest", "proto", "store"]),
];

/// The doors of ftpd: modules that speak a protocol.
const DOORS: [&str; 2] = ["native", "classic"];

/// Words of protocols. Rooms that hold bytes and digests have no use for them, in whatever they name.
const PROTOCOL_WORDS: [&str; 14] = [
    "frame",
    "preamble",
    "wire",
    "packet",
    "command",
    "reply",
    "handshake",
    "protocol",
    "ftp",
    "ftpd",
    "native",
    "classic",
    "session",
    "login",
];

/// What is wrong with a source, in one sentence each.
fn violations(source: &Source) -> Vec<String> {
    let Source { krate, file, paths, names } = source;
    let mut wrong = Vec::new();
    let mut forbid = |rule: &str, forbidden: &dyn Fn(&[String]) -> bool| {
        let found = paths.iter().filter(|path| forbidden(path));
        wrong.extend(found.map(|path| format!("{krate}/{file}: {} — {rule}", path.join("::"))));
    };
    let (_, allowed) = FLOORS.iter().find(|(name, _)| name == krate).unwrap();
    forbid("a crate uses those on lower floors only", &|path| {
        FLOORS.iter().any(|(name, _)| path[0] == *name && name != krate && !allowed.contains(name))
    });
    let room =
        |path: &[String]| (path[0] == "crate").then(|| path.get(1).cloned()).flatten().unwrap_or_default();
    match krate.as_str() {
        "proto" if !file.starts_with("src/io/") && !file.starts_with("src/io.rs") => {
            forbid("of proto, only io knows tokio", &|path| path[0].starts_with("tokio"));
        }
        "store" | "digest" => {
            forbid("bytes on a disk know no network", &|path| {
                ["std", "tokio"].contains(&path[0].as_str())
                    && path[1..].iter().take(1).any(|part| part == "net")
            });
        }
        "ftpd" if in_room(file, "core") => {
            forbid("core knows no protocol", &|path| path[0] == "proto");
            forbid("core knows no door", &|path| DOORS.contains(&room(path).as_str()));
            forbid("core does not know who starts it", &|path| {
                ["listen", "serve", "args"].contains(&room(path).as_str())
            });
        }
        "ftpd" => {
            for door in DOORS.into_iter().filter(|door| in_room(file, door)) {
                forbid("doors do not know each other", &|path| {
                    DOORS.contains(&room(path).as_str()) && room(path) != door
                });
            }
        }
        _ => {}
    }
    if ["store", "digest"].contains(&krate.as_str()) {
        let spoken =
            names.iter().filter(|name| words(name).any(|word| PROTOCOL_WORDS.contains(&word.as_str())));
        wrong.extend(spoken.map(|name| format!("{krate}/{file}: {name} — this room speaks no protocol")));
    }
    wrong
}

/// Whether a file is a room's own, or lies in it.
fn in_room(file: &str, room: &str) -> bool {
    file == format!("src/{room}.rs") || file.starts_with(&format!("src/{room}/"))
}

/// The words in a name: `SendAhead`, `send_ahead` and `SEND_AHEAD` are send and ahead.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut above = true;
    for letter in name.chars() {
        if letter == '_' || (letter.is_uppercase() && !above) {
            words.push(String::new());
        }
        above = letter.is_uppercase() || letter == '_';
        words.last_mut().unwrap().extend(letter.to_lowercase().filter(|letter| *letter != '_'));
    }
    words.into_iter().filter(|word| !word.is_empty())
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("crates")
}

/// The `.rs` files beneath a directory.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn every_source_keeps_to_its_room() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (krate, _) in FLOORS {
        let directory = crates().join(krate);
        for path in rust_files(&directory.join("src")) {
            let file = path.strip_prefix(&directory).unwrap().to_str().unwrap();
            wrong.extend(violations(&read(krate, file, &fs::read_to_string(&path).unwrap())));
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen} files were found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_crate_depends_on_lower_floors_only() {
    let found: BTreeSet<String> = fs::read_dir(crates())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, FLOORS.map(|(name, _)| name.to_owned()).into(), "a crate without a floor");
    for (krate, allowed) in FLOORS {
        let manifest: toml::Table =
            fs::read_to_string(crates().join(krate).join("Cargo.toml")).unwrap().parse().unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(section) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
            for name in section.keys().filter(|name| FLOORS.iter().any(|(ours, _)| ours == name)) {
                assert!(allowed.contains(&name.as_str()), "{krate} depends on {name}");
            }
        }
    }
}

#[test]
fn a_violation_is_found_however_it_is_written() {
    for (krate, file, text) in [
        ("store", "src/home.rs", "use proto::Command;"),
        ("store", "src/home.rs", "use {std::fs, proto::{self, Frame}};"),
        ("store", "src/home.rs", "fn f() { let x = proto::limits::PATH; }"),
        ("store", "src/home.rs", "fn f() { println!(\"{}\", proto::limits::PATH); }"),
        ("store", "src/home.rs", "pub use ::proto as p;"),
        ("store", "src/home.rs", "extern crate proto;"),
        ("store", "src/home.rs", "use std::net::TcpStream;"),
        ("store", "src/home.rs", "use tokio::{net::TcpStream, task};"),
        ("store", "src/home.rs", "fn send_reply() {}"),
        ("store", "src/home.rs", "struct FrameHead;"),
        ("store", "src/home.rs", "enum Kind { BadLogin }"),
        ("digest", "src/lib.rs", "use store::Home;"),
        ("digest", "src/lib.rs", "const PREAMBLE: u8 = 1;"),
        ("proto", "src/frame.rs", "use store::Name;"),
        ("proto", "src/frame.rs", "use tokio::io::AsyncRead;"),
        ("proto", "src/frame.rs", "fn f() { tokio_util::io::poll_read_buf(); }"),
        ("ftp", "src/remote/mod.rs", "use ftpd::core::Core;"),
        ("ftpd", "src/core/session.rs", "use proto::Kind;"),
        ("ftpd", "src/core/session.rs", "use crate::native::Door;"),
        ("ftpd", "src/core/session.rs", "use super::super::native;"),
        ("ftpd", "src/core/mod.rs", "use super::native::Door;"),
        ("ftpd", "src/core/mod.rs", "use crate::{config::Config, classic::{Door}};"),
        ("ftpd", "src/core/mod.rs", "mod tests { use super::super::native; }"),
        ("ftpd", "src/core/mod.rs", "type T = crate::listen::X;"),
        ("ftpd", "src/native/mod.rs", "use crate::classic::Door;"),
        ("ftpd", "src/native/gate.rs", "fn f() { super::super::classic::f() }"),
        ("ftpd", "src/classic/mod.rs", "macro_rules! m { () => { $crate::native::f() } }"),
        ("ftpd", "src/classic.rs", "use super::native;"),
    ] {
        assert!(!violations(&read(krate, file, text)).is_empty(), "{krate}/{file} may: {text}");
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    for (krate, file, text) in [
        (
            "store",
            "src/home.rs",
            "//! Knows no proto::Command.\nuse digest::Digest; fn f() { \"proto::x\"; /* use proto; */ }",
        ),
        ("store", "src/ahead.rs", "use tokio::task::spawn_blocking;"),
        ("proto", "src/io/mod.rs", "use tokio::io::AsyncRead; use crate::frame::Head;"),
        ("ftpd", "src/core/session.rs", "use super::Refusal; use crate::config::Access; use store::Home;"),
        (
            "ftpd",
            "src/native/mod.rs",
            "use crate::core::Core; use proto::Command; mod gate; use self::gate::State;",
        ),
        ("ftpd", "src/native/transfer.rs", "use super::{Connection, words}; use crate::native::Door;"),
        ("ftpd", "src/listen.rs", "use crate::native; use crate::classic;"),
        ("ftp", "src/remote/native/mod.rs", "use proto::io::Wire; use store::Incoming;"),
    ] {
        assert_eq!(violations(&read(krate, file, text)), Vec::<String>::new(), "{text}");
    }
    assert_eq!(words("SendAhead").collect::<Vec<_>>(), ["send", "ahead"]);
    assert_eq!(words("SEND_AHEAD").collect::<Vec<_>>(), ["send", "ahead"]);
}
