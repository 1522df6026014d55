//! The program itself: its commands, its exit codes, and what it says where.

#![expect(clippy::unwrap_used, reason = "in a test, an unwrap is an assertion")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// Starts `ftpd ARGS` in a directory and gives it `input`.
fn start(directory: &Path, args: &[&str], input: &str) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftpd"))
        .args(args)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails early leaves its input unread: that is its right.
    _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child
}

/// Exit code, standard output, standard error.
fn run(directory: &Path, args: &[&str], input: &str) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = start(directory, args, input).wait_with_output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn text(text: &str) -> String {
    text.to_owned()
}

const ADD_ALICE: [&str; 8] =
    ["user", "add", "alice", "--home", "homes/alice", "--access", "write", "--password-stdin"];

#[test]
fn from_nothing_to_a_file_that_is_well() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let added = "users.toml has a new user alice: write access to homes/alice\nnext, to serve it:\n  ftpd\n";
    assert_eq!(run(here, &ADD_ALICE, "secret\n"), (Some(0), text(added), text("")));
    let add_bob = ["user", "add", "bob", "--home", "/srv/bob", "--quota", "10GiB", "--password-stdin"];
    assert_eq!(run(here, &add_bob, "hidden\n").0, Some(0));
    let before = fs::read_to_string(here.join("users.toml")).unwrap();
    assert!(!before.contains("secret") && !before.contains("hidden"));

    let table = "NAME   ACCESS  HOME         QUOTA\nalice  write   homes/alice  -\nbob    read    /srv/bob     10 GiB\n";
    assert_eq!(run(here, &["user", "list"], ""), (Some(0), text(table), text("")));

    assert_eq!(run(here, &["user", "passwd", "alice", "--password-stdin"], "other\r\n").0, Some(0));
    let after = fs::read_to_string(here.join("users.toml")).unwrap();
    let changed: Vec<_> = before.lines().zip(after.lines()).filter(|(old, new)| old != new).collect();
    assert!(
        matches!(changed[..], [(old, new)] if old.starts_with("password") && new.starts_with("password"))
    );

    assert_eq!(run(here, &["user", "remove", "bob"], "").0, Some(0));
    assert!(!run(here, &["user", "list"], "").1.contains("bob"));

    // The port of the fresh file may be somebody's on this machine, so let the system choose.
    fs::write(here.join("users.toml"), after.replace(":10600\"]", ":0\"]")).unwrap();
    let (code, findings, _) = run(here, &["check"], "");
    assert_eq!(code, Some(0), "{findings}");
}

#[test]
fn a_mistake_in_the_file_is_code_2_whatever_was_asked() {
    let directory = tempfile::tempdir().unwrap();
    let mistake = "[native]\nlisten = [\"127.0.0.1:0\"]\ntls = false\nport = 1\n";
    fs::write(directory.path().join("users.toml"), mistake).unwrap();
    let said = "users.toml:4: unknown key \"port\" in [native]. known here: listen, tls, certificate, key, digests\n";
    for args in [&[][..], &["check"], &["user", "list"], &["user", "remove", "alice"], &ADD_ALICE] {
        assert_eq!(run(directory.path(), args, "secret\n"), (Some(2), text(""), text(said)), "{args:?}");
    }
    assert_eq!(fs::read_to_string(directory.path().join("users.toml")).unwrap(), mistake);
}

#[test]
fn without_a_file_it_says_how_to_make_one() {
    let directory = tempfile::tempdir().unwrap();
    let (code, _, said) = run(directory.path(), &["--config", "my users.toml"], "");
    assert_eq!(code, Some(2));
    assert!(
        said.ends_with("ftpd --config 'my users.toml' user add NAME --home DIR --access write\n"),
        "{said}"
    );
}

#[test]
fn other_failures_are_code_1_and_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    assert_eq!(run(here, &ADD_ALICE, "\n").0, Some(1), "an empty password");
    assert!(!here.join("users.toml").exists());
    assert_eq!(run(here, &ADD_ALICE, "secret\n").0, Some(0));
    let before = fs::read(here.join("users.toml")).unwrap();
    let (code, _, said) = run(here, &ADD_ALICE, "secret\n");
    assert_eq!(
        (code, said),
        (Some(1), text("there is a user alice already. to change the password: ftpd user passwd alice\n"))
    );
    assert_eq!(run(here, &["user", "remove", "bob"], "").0, Some(1));
    assert_eq!(
        run(here, &["--config", "no/users.toml", "user", "add", "a", "--home", "h", "--password-stdin"], "x")
            .0,
        Some(1)
    );
    assert_eq!(fs::read(here.join("users.toml")).unwrap(), before);
}

#[test]
fn a_mistake_on_the_command_line_is_code_2() {
    let directory = tempfile::tempdir().unwrap();
    for args in [&["serve"][..], &["user", "add"], &["--log-format", "xml"]] {
        assert_eq!(run(directory.path(), args, "").0, Some(2), "{args:?}");
    }
    assert_eq!(run(directory.path(), &["--version"], "").0, Some(0));
}

#[test]
fn commands_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let names = ["ann", "bob", "carol", "dave"];
    let add =
        |name| start(directory.path(), &["user", "add", name, "--home", "h", "--password-stdin"], "secret\n");
    for child in names.map(add) {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let (_, table, _) = run(directory.path(), &["user", "list"], "");
    let listed: Vec<_> = table.lines().skip(1).filter_map(|row| row.split(' ').next()).collect();
    assert_eq!(listed, names);
}

#[test]
fn nobody_is_told_when_the_reader_has_gone() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(run(directory.path(), &ADD_ALICE, "secret\n").0, Some(0));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut list = Command::new(env!("CARGO_BIN_EXE_ftpd"));
    list.args(["user", "list"]).current_dir(directory.path()).stdout(writer).stderr(Stdio::piped());
    let Output { status, stderr, .. } = list.output().unwrap();
    assert_eq!((status.code(), &stderr[..]), (Some(1), &b""[..]));
}

#[test]
fn a_fifo_is_refused_with_a_word_and_waited_for_by_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    assert_eq!(run(here, &ADD_ALICE, "secret\n").0, Some(0));
    let fifo = here.join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    let commands: [&[&str]; 5] = [
        &["--config", "fifo"],
        &["--config", "fifo", "check"],
        &["--config", "fifo", "user", "list"],
        &["--config", "fifo", "user", "remove", "alice"],
        &["--log-file", "fifo"],
    ];
    for command in commands {
        let (code, out, told) = run(here, command, "");
        assert!(matches!(code, Some(1 | 2)), "{command:?}");
        assert!((out + &told).contains("it is a FIFO, not a file"), "{command:?}: {told}");
    }
}
