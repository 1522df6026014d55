//! `cargo peers` with very little to do: everybody works, everything is told, nothing is left behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Ours both ways, and somebody else.
const PEERS: [&str; 3] = ["ours", "ours-plain", "rsync"];

/// A run in `place`. It looks for cargo as this one does.
fn peers(place: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peers")).args(words).current_dir(place).output().unwrap()
}

/// What is told of a run in which each peer must be in each of `titles`.
#[track_caller]
fn told(words: &[&str], titles: &[&str]) {
    let place = tempfile::tempdir().unwrap();
    let more = ["--runs", "1", "--json", "json", "--plot", "svg", "--peers", &PEERS.join(",")];
    let ran = peers(place.path(), &[words, &more].concat());
    let (text, stderr) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert!(ran.status.success(), "{text}{stderr}");
    let tables: Vec<&str> = text.split("\n\n").filter(|table| !table.trim().is_empty()).collect();
    assert_eq!(tables.len(), titles.len(), "{text}");
    for (table, title) in tables.iter().zip(titles) {
        assert_eq!(table.lines().next().unwrap(), format!("{title}, 1 run"), "{text}");
        let rows: Vec<Vec<&str>> =
            table.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), PEERS.len(), "{text}");
        for peer in PEERS {
            assert!(rows.iter().any(|row| row[0] == peer && row.len() == 7), "no row of {peer}:\n{text}");
        }
        assert_eq!(rows[0][6], "1.00", "the fastest is the first:\n{text}");
    }
    let read = |name: &str| fs::read_to_string(place.path().join(name)).unwrap();
    let (json, svg) = (read("json"), read("svg"));
    for title in titles {
        assert!(json.contains(&format!("\"title\": \"{title}\"")), "{json}");
    }
    assert_eq!(json.matches("\"seconds\": [").count(), titles.len() * PEERS.len(), "{json}");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("ours (TLS)"), "{svg}");
    let root = stderr.split_once("peers: in ").unwrap().1.split_once(", with").unwrap().0;
    assert!(root.contains("ftpd-peers-") && !Path::new(root).exists(), "{root} is still there");
}

#[test]
fn one_file_both_ways() {
    told(&["big", "--mib", "1"], &["get big, 1 MiB", "put big, 1 MiB"]);
}

#[test]
fn a_small_file_both_ways() {
    told(&["small"], &["get small, 4 KiB", "put small, 4 KiB"]);
}

#[test]
fn growth() {
    let words = ["growth", "--largest", "64KiB", "--clients", "4"];
    let clients = ["get 64 KiB", "4 clients at once, each get 64 KiB"];
    told(&words, &[&clients[..], &["get 1 KiB", "get 64 KiB"]].concat());
}

#[test]
fn who_cannot_take_part_is_named() {
    let place = tempfile::tempdir().unwrap();
    // curl moves no trees, and a user other than root has no vsftpd.
    let ran = peers(place.path(), &["tree", "--files", "3", "--runs", "1", "--peers", "vsftpd+curl,rsync"]);
    let text = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{text}");
    assert!(text.contains("\nleft out: vsftpd+curl: "), "{text}");
    for way in ["get", "put"] {
        assert!(text.contains(&format!("{way} tree, 3 files of 4 KiB, 1 run\n")), "{text}");
    }
    assert_eq!(text.matches("\n  rsync ").count(), 2, "{text}");
}

#[test]
fn nobody_of_that_name() {
    let ran = peers(Path::new("."), &["small", "--peers", "nobody"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("[possible values: ours, ours-plain, "));
}
