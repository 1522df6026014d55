//! Whom a password is sent to.

use std::fs;

use e2e::{Identity, outside_address};

use super::servers::{Foreign, Tls};

#[test]
fn a_key_that_changed_stops_before_a_name_is_sent() {
    for tls in [Tls::Explicit, Tls::Implicit] {
        let server = Foreign::vsftpd(tls);
        server.client().args(["pwd"]).run_without_terminal().ok();
        let known = fs::read_to_string(server.known_hosts()).unwrap();
        assert_eq!(known, format!("{} {}\n", server.address(), server.identity.fingerprint()));
        assert_eq!(server.heard("USER"), 1, "{}", server.log());
        let before = Identity::own("localhost").fingerprint();
        fs::write(server.known_hosts(), format!("{} {before}\n", server.address())).unwrap();
        for trust in ["ask", "new"] {
            let ran = server.client().option("--trust").option(trust).args(["pwd"]).run_without_terminal();
            ran.fails(5).told("HAS CHANGED").told(&before.to_string());
        }
        assert_eq!(server.heard("USER"), 1, "{}", server.log());
        assert_eq!(server.heard("PASS"), 1, "{}", server.log());
    }
}

#[test]
fn whoever_shows_a_key_is_known_by_it() {
    for server in [
        Foreign::proftpd(Tls::Explicit),
        Foreign::proftpd(Tls::Implicit),
        Foreign::pure_ftpd(Tls::Explicit),
        Foreign::pyftpdlib(Tls::Explicit, &[]),
    ] {
        server.client().args(["ls"]).run_without_terminal().ok();
        let known = fs::read_to_string(server.known_hosts()).unwrap();
        assert_eq!(known, format!("{} {}\n", server.address(), server.identity.fingerprint()));
        server.client().args(["ls"]).run_without_terminal().ok();
        let before = Identity::own("localhost").fingerprint();
        fs::write(server.known_hosts(), format!("{} {before}\n", server.address())).unwrap();
        server.client().args(["ls"]).run_without_terminal().fails(5).told("HAS CHANGED");
    }
}

#[test]
fn an_unknown_key_off_loopback_is_refused_with_the_line_to_add() {
    let server = Foreign::vsftpd_at(outside_address(), Tls::Explicit, "");
    let line = format!("{} {}", server.address(), server.identity.fingerprint());
    server.client().args(["pwd"]).run_without_terminal().fails(5).told(&line);
    assert_eq!(server.heard("USER"), 0, "{}", server.log());
    let pinned = server.client().option("--trust").option(server.identity.fingerprint().to_string());
    pinned.args(["pwd"]).run_without_terminal().ok();
}

#[test]
fn without_tls_nobody_logs_in_off_loopback_unless_told_to() {
    let server = Foreign::vsftpd_at(outside_address(), Tls::No, "");
    fs::write(server.home().join("file"), "data").unwrap();
    server.client().args(["cat", "file"]).run_without_terminal().fails(3).told("--plain");
    assert_eq!(server.heard("USER"), 0, "{}", server.log());
    server.client().option("--plain").args(["cat", "file"]).run_without_terminal().ok().wrote("data");
}

#[test]
fn a_server_that_had_a_key_does_not_get_a_password_without_it() {
    let server = Foreign::vsftpd(Tls::No);
    fs::create_dir_all(server.known_hosts().parent().unwrap()).unwrap();
    let key = server.identity.fingerprint();
    fs::write(server.known_hosts(), format!("{} {key}\n", server.address())).unwrap();
    server.client().args(["pwd"]).run_without_terminal().fails(3).told("speaks without TLS");
    fs::remove_file(server.known_hosts()).unwrap();
    let pinned = server.client().option("--trust").option(key.to_string());
    pinned.args(["pwd"]).run_without_terminal().fails(3).told("speaks without TLS");
    assert_eq!(server.heard("USER"), 0, "{}", server.log());
}

#[test]
fn a_data_connection_with_another_key_is_code_5_and_carries_nothing() {
    let server = Foreign::pyftpdlib(Tls::Explicit, &["other"]);
    fs::write(server.home().join("there"), "data").unwrap();
    fs::write(server.work().join("mine"), "mine").unwrap();
    for words in [&["get", "there"][..], &["put", "mine"], &["ls"]] {
        server.client().args(words).run().fails(5).told("another key");
    }
    assert!(!server.work().join("there").exists());
    assert!(fs::read(server.home().join("mine")).unwrap_or_default().is_empty());
}

#[test]
fn implicit_tls_at_a_plain_server_and_the_reverse_end_with_code_3() {
    let plain = Foreign::vsftpd(Tls::No);
    let url = format!("ftps://ftp@{}", plain.address());
    super::client(url, &plain.work()).args(["pwd"]).run().fails(3).told("no TLS with the server");
    let url = format!("ftps://ftp@{}", plain.address());
    super::client(url, &plain.work()).option("--plain").args(["pwd"]).run().fails(2);
    let inside = Foreign::vsftpd(Tls::Implicit);
    let url = format!("ftp://ftp@{}", inside.address());
    super::client(url, &inside.work()).option("--timeout=2").args(["pwd"]).run().fails(3);
}
