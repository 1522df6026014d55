//! The prompt at classic servers: questions, Ctrl-C, servers that go and fall silent.

use std::fs;

use e2e::{Client, Terminal, Watch};
use tempfile::TempDir;

use super::GUEST;
use super::scripted::{Script, Scripted};
use super::servers::{Foreign, Tls};

fn client(server: &Scripted, work: &TempDir) -> Client {
    super::client(format!("ftp://ftp@{}", server.address), work.path()).option("--plain")
}

#[test]
fn the_key_is_asked_about_before_the_password() {
    let server = Foreign::vsftpd(Tls::Explicit);
    fs::write(server.home().join("file"), "x").unwrap();
    let mut at = Terminal::start(&server.client().password(None).command());
    let asked = at.expect("(yes, no, or the fingerprint)? ");
    assert!(asked.contains(&server.identity.fingerprint().to_string()), "{asked}");
    assert_eq!(server.heard("USER"), 0);
    at.line("yes");
    at.expect("Password of ftp at 127.0.0.1: ");
    at.hidden_line(GUEST.password);
    at.expect("> ");
    at.line("ls");
    at.expect("file");
    at.line("quit");
    assert_eq!(at.end().0, 0);
    assert!(server.known_hosts().exists());
}

#[test]
fn control_c_breaks_off_a_transfer_and_the_next_command_is_done() {
    let work = tempfile::tempdir().unwrap();
    let server = Scripted::start(Script { size: "213 100000000", stalls: true, ..Script::default() });
    let mut at = Terminal::start(&client(&server, &work).command());
    at.expect("ftp 127.0.0.1:/> ");
    let here = Watch::new(work.path());
    at.line("get file");
    here.wait_for_stage();
    at.control('c');
    here.wait_for_no_stage();
    at.expect("ftp 127.0.0.1:/> ");
    at.line("pwd");
    at.expect("/\r\n");
    at.line("quit");
    assert_eq!(at.end().0, 0);
    assert!(!work.path().join("file").exists());
}

#[test]
fn a_server_that_hung_up_is_called_again() {
    let work = tempfile::tempdir().unwrap();
    let server = Scripted::start(Script { tires: true, ..Script::default() });
    let mut at = Terminal::start(&client(&server, &work).command());
    at.expect("ftp 127.0.0.1:/> "); // for which PWD was asked
    at.line("pwd");
    at.expect("/\r\n");
    at.line("quit");
    assert_eq!(at.end().0, 0);
    assert_eq!(server.heard().iter().filter(|line| line.starts_with("PASS")).count(), 2);
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    for data in [&b"da"[..], b""] {
        let work = tempfile::tempdir().unwrap();
        let server = Scripted::start(Script { data: data.into(), stalls: true, ..Script::default() });
        let ran = client(&server, &work).option("--timeout=1").args(["get", "file"]).run();
        ran.fails(3).told("nothing moved for 1 s");
        assert!(!work.path().join("file").exists());
    }
}
