//! Servers that lie, and wires that are cut: nothing unproved is kept, and no word of a server reaches further than it should.

use std::fs;

use e2e::{Client, stages};
use tempfile::TempDir;

use super::scripted::{Script, Scripted};
use super::servers::{Foreign, Tls};

fn client(server: &Scripted, work: &TempDir) -> Client {
    super::client(format!("ftp://ftp@{}", server.address), work.path()).option("--plain")
}

#[test]
fn the_address_in_an_answer_to_pasv_is_not_called() {
    let work = tempfile::tempdir().unwrap();
    // A port of 192.0.2.1 (RFC 5737) that nobody could reach.
    let server = Scripted::start(Script {
        extended: false,
        named: "192,0,2,1",
        other: "500 What?",
        ..Script::default()
    });
    client(&server, &work).args(["cat", "file"]).run().ok().wrote("data");
    let heard = server.heard();
    assert!(heard.contains(&"EPSV".to_owned()) && heard.contains(&"PASV".to_owned()), "{heard:?}");
}

#[test]
fn what_does_not_end_as_it_should_is_not_kept() {
    for (script, code) in [
        (Script { size: "213 5", ..Script::default() }, 8),
        (Script { size: "213 3", ..Script::default() }, 8),
        (Script { end: "426 Broken off", ..Script::default() }, 1),
        (Script { end: "451 Trouble", size: "502 What?", ..Script::default() }, 1),
        (Script { end: "552 Full", ..Script::default() }, 10),
        (Script { end: "421 Goodbye", ..Script::default() }, 3),
    ] {
        let work = tempfile::tempdir().unwrap();
        let server = Scripted::start(script.clone());
        let ran = client(&server, &work).args(["get", "file"]).run();
        assert_eq!(ran.code, code, "{script:?}: {}", ran.stderr);
        assert!(!work.path().join("file").exists() && stages(work.path()).is_empty(), "{script:?}");
    }
}

#[test]
fn a_server_that_wants_a_new_session_for_more_data_gets_one() {
    let work = tempfile::tempdir().unwrap();
    let server = Scripted::start(Script { shy: true, ..Script::default() });
    let batch = client(&server, &work).option("-b").option("-").stdin("pwd\nget file\n");
    batch.run().ok().wrote("/\n").told("connecting again");
    assert_eq!(fs::read(work.path().join("file")).unwrap(), b"data");
    assert_eq!(server.heard().iter().filter(|line| line.starts_with("PASS")).count(), 2);
}

#[test]
fn a_file_of_a_size_that_nobody_told_is_taken_when_it_ends_well() {
    let work = tempfile::tempdir().unwrap();
    let data = e2e::bytes(5 << 20, 3);
    let server =
        Scripted::start(Script { size: "502 What?", features: "", data: data.clone(), ..Script::default() });
    client(&server, &work).args(["get", "file"]).run().ok().told("not verified");
    assert_eq!(fs::read(work.path().join("file")).unwrap(), data);
}

#[test]
fn a_name_that_cannot_be_one_ends_a_listing() {
    for (features, line) in [
        (" MLST type*;\r\n", "type=file; ../../etc/passwd\r\n"),
        (" MLST type*;\r\n", "type=file; ..\r\n"),
        ("", "-rw-r--r-- 1 a b 1 Jan 30 2020 /etc/passwd\r\n"),
    ] {
        let work = tempfile::tempdir().unwrap();
        let server = Scripted::start(Script { features, data: line.into(), ..Script::default() });
        client(&server, &work).args(["ls"]).run().fails(3).wrote("").told("cannot be a name");
    }
}

#[test]
fn a_listing_that_is_one_endless_line_ends() {
    let work = tempfile::tempdir().unwrap();
    let server = Scripted::start(Script { data: vec![b'x'; 1 << 20], ..Script::default() });
    client(&server, &work).args(["ls"]).run().fails(3).told("a line without an end");
}

#[test]
fn a_line_that_cannot_be_read_is_told_and_not_passed_over() {
    let work = tempfile::tempdir().unwrap();
    let server =
        Scripted::start(Script { data: b"total 1\r\nwhat is this?\r\n".to_vec(), ..Script::default() });
    client(&server, &work).args(["ls"]).run().fails(1).told("what is this?");
}

#[test]
fn names_and_words_of_a_server_are_escaped() {
    let work = tempfile::tempdir().unwrap();
    let line = "type=file;size=1; a\x1b[2Jb\r\n";
    let server = Scripted::start(Script {
        features: " MLST type*;\r\n",
        data: line.into(),
        other: "550 \x1b[2Jno such thing",
        ..Script::default()
    });
    client(&server, &work).args(["ls"]).run().ok().wrote("a\\x1b[2Jb\n");
    let ran = client(&server, &work).args(["rm", "x"]).run().fails(6);
    assert!(ran.stderr.contains("\\x1b[2J") && !ran.stderr.contains('\x1b'), "{}", ran.stderr);
}

#[test]
fn no_end_of_line_gets_into_a_command() {
    let work = tempfile::tempdir().unwrap();
    let server = Scripted::start(Script::default());
    for words in [&["rm", "a\nDELE b"][..], &["cd", "a\r"], &["get", "a\r\nQUIT", "x"], &["mv", "a", "b\nc"]]
    {
        client(&server, &work).args(words).run().fails(2);
    }
    let heard = server.heard();
    assert!(
        !heard.iter().any(|line| ["DELE", "CWD", "RNFR", "SIZE"].iter().any(|verb| line.contains(verb))),
        "{heard:?}"
    );
}

#[test]
fn tls_without_its_farewell_is_made_up_for_by_the_size_alone() {
    for (words, code) in [(&["abrupt"][..], 0), (&["abrupt", "sizeless"], 8), (&["sizeless"], 0)] {
        let server = Foreign::pyftpdlib(Tls::Explicit, words);
        fs::write(server.home().join("there"), "data").unwrap();
        server.client().args(["get", "there"]).run().fails(code);
        assert_eq!(server.work().join("there").exists(), code == 0, "{words:?}");
    }
}
