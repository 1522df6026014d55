//! Names that are no trouble to a file system: blanks, quotes, dashes, every script, control characters, 255 bytes.

use std::fs;

use e2e::{ALICE, Server, bytes};

/// Names, and how a pipe is shown them when that is another way.
fn names() -> Vec<(String, Option<String>)> {
    let plain = [
        "a b",
        " lead and trail ",
        "it's",
        "\"quoted\"",
        "-dash",
        "--",
        "-la",
        "~",
        "$HOME",
        "*",
        "a;b#c",
        "...",
        "ünï",
        "日本語.txt",
        "🦀",
        "\u{202e}txt.exe",
        ".hidden",
        ".ftpd",
        "%2e%2e",
    ];
    let long = "x".repeat(255);
    let wide = "é".repeat(127);
    let as_they_are =
        plain.into_iter().chain([long.as_str(), wide.as_str()]).map(|name| (name.to_owned(), None));
    let escaped = [
        ("a\nb", "a\\nb"),
        ("a\\nb", "a\\\\nb"),
        ("tab\there", "tab\\there"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("\u{9b}31m", "\\u{9b}31m"),
    ];
    as_they_are.chain(escaped.map(|(name, shown)| (name.into(), Some(shown.into())))).collect()
}

#[test]
fn every_name_makes_its_way() {
    let server = Server::start();
    for (name, shown) in names() {
        let content = bytes(100, name.len() as u64);
        server.write_work(&name, &content);
        server.ftp(&["put", "--", &name]).ok();
        assert_eq!(server.read(&format!("alice/{name}")), content, "{name:?}");
        fs::remove_file(server.work().join(&name)).unwrap();

        server.ftp(&["get", "--", &name]).ok();
        assert_eq!(server.read_work(&name), content, "{name:?}");
        fs::remove_file(server.work().join(&name)).unwrap();

        let shown = shown.as_deref().unwrap_or(&name);
        server.ftp(&["ls"]).ok().wrote(&format!("{shown}\n"));
        let stat = server.ftp(&["stat", "--", &name]).ok();
        assert!(stat.text().starts_with(&format!("name      {shown}\n")), "{}", stat.text());
        server.ftp(&["mv", "--", &name, "plain"]).ok();
        server.ftp(&["mv", "--", "plain", &name]).ok();
        server.ftp(&["rm", "--", &name]).ok();
        server.ftp(&["ls"]).ok().wrote("");
        server.ftp(&["mkdir", "--", &name]).ok();
        server.ftp(&["rmdir", "--", &name]).ok();
    }
}

#[test]
fn every_name_can_be_written_in_a_batch() {
    let server = Server::start();
    for (line, name) in [
        ("put local 'a b'", "a b"),
        ("put local a\\ b", "a b"),
        ("put local \"it's\"", "it's"),
        ("put local 'say \"x\"'", "say \"x\""),
        ("put -- local -dash", "-dash"),
        ("put local 'a\\b'", "a\\b"),
        ("put local 日本", "日本"),
        ("put local '#1'", "#1"),
    ] {
        server.write_work("local", line);
        server.client(ALICE).option("-b").option("-").stdin(line).run().ok();
        assert_eq!(server.read(&format!("alice/{name}")), line.as_bytes());
        fs::remove_file(server.home(ALICE).join(name)).unwrap();
    }
}

#[test]
fn what_cannot_be_a_name_is_refused_with_what_can() {
    let server = Server::start();
    server.write_work("local", b"");
    for name in
        ["x".repeat(256), ".ftpd~0123456789ab".into(), format!("a/{}", "é".repeat(128)), "a/".repeat(2049)]
    {
        for words in [["put", "local", &name], ["mv", "local", &name]] {
            let ran = server.ftp(&words).fails(2);
            assert!(ran.stderr.lines().count() == 1 && ran.stderr.len() < 10_000, "{}", ran.stderr);
        }
    }
    assert_eq!(fs::read_dir(server.home(ALICE)).unwrap().count(), 0);
}

#[test]
fn a_name_on_the_disk_that_is_no_text_is_listed_escaped() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let server = Server::start();
    fs::write(server.home(ALICE).join(OsStr::from_bytes(b"caf\xe9")), b"x").unwrap();
    fs::write(server.home(ALICE).join(".ftpd~abcdefghijkl"), b"x").unwrap();
    server.ftp(&["ls"]).ok().wrote("caf\\xe9\n");
}

#[test]
fn what_is_missing_on_this_computer_is_said_to_be_missing_there() {
    let server = Server::start();
    server.write("alice/file", "");
    let client = || server.client(ALICE);
    for words in [&["lcd", "none"][..], &["lls", "none"], &["put", "none"], &["sync", "put", "none"]] {
        client().args(words).run().fails(6).told(" on this computer. lls");
    }
    client()
        .option("-b")
        .option("none")
        .run()
        .fails(6)
        .told("none: no such file or directory on this computer");
    let password = client().password(None).option("--password-file").option("none").args(["pwd"]);
    password.run().fails(6).told("none: no such file or directory on this computer");
    client().args(["cat", "none"]).run().fails(6).told("no such file or directory. List the directory");
}
