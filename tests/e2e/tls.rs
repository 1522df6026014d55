//! The native door under TLS: what strangers, scanners and other programs get, and what the key is known by.

use std::process::{Command, Output, Stdio};

use e2e::{ALICE, Raw, Server, bytes};
use proto::{Command as Ask, Kind, Reply};

fn server() -> Server {
    Server::builder().tls().start()
}

/// Runs a program that says nothing and hears all.
fn run(program: &str, words: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null());
    command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// What openssl tells of a handshake with `server`; standard input ends at once.
fn openssl(server: &Server, words: &[&str]) -> (String, String) {
    let address = server.address().to_string();
    let output = run("openssl", &[&["s_client", "-connect", &address, "-ign_eof"], words].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The fingerprint that the server logs when it starts.
fn logged_fingerprint(server: &Server) -> String {
    let line = server.log().wait_for("fingerprint=");
    line.split("fingerprint=").nth(1).unwrap().split_whitespace().next().unwrap().into()
}

#[test]
fn a_session_goes_on_as_without() {
    let server = server();
    let content = bytes(3_000_000, 5);
    let mut raw = server.logged_in(ALICE);
    raw.send_put("file", &content);
    assert!(matches!(raw.reply(), Reply::Stored { .. }));
    assert_eq!(raw.get("file").unwrap(), content);
    assert_eq!(server.read("alice/file"), content);
    assert_eq!(raw.ask(Ask::Quit), Reply::Goodbye);
    raw.ends();
}

#[test]
fn tls_1_3_and_this_protocol_alone() {
    let server = server();
    let (_, told) = openssl(&server, &["-tls1_2", "-alpn", "ftpd/1"]);
    assert!(told.contains("alert protocol version"), "{told}");
    for other in ["h2", "ftpd/2,http/1.1"] {
        let (_, told) = openssl(&server, &["-alpn", other]);
        assert!(told.contains("alert no application protocol"), "{told}");
    }
    let (told, _) = openssl(&server, &["-quiet"]);
    assert_eq!(told.as_bytes(), proto::REFUSAL, "without a name the refusal comes through TLS");
    server.log().wait_for("not ftpd/1 in it");
    server.logged_in(ALICE);
}

#[test]
fn the_fingerprint_is_that_of_the_public_key_as_curl_pins_it() {
    let server = server();
    let fingerprint = logged_fingerprint(&server);
    let pinned = fingerprint.replace("SHA256:", "sha256//");
    let url = format!("https://{}/", server.address());
    let curl = |pin: &str| {
        let words = ["--silent", "--insecure", "--no-alpn", "--max-time", "60", "--pinnedpubkey", pin, &url];
        run("curl", &words).status.code().unwrap()
    };
    const WRONG_KEY: i32 = 90; // CURLE_SSL_PINNEDPUBKEYNOTMATCH
    assert_ne!(curl(&pinned), WRONG_KEY);
    assert_eq!(curl("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), WRONG_KEY);
}

#[test]
fn the_key_is_the_same_after_a_restart() {
    let mut server = server();
    let before = logged_fingerprint(&server);
    server.terminate();
    server.restart();
    assert_eq!(logged_fingerprint(&server), before);
}

#[test]
fn a_key_that_is_gone_stops_the_start() {
    let mut server = server();
    server.terminate();
    let state = server.config().with_file_name("state");
    std::fs::remove_file(state.join("key.pem")).unwrap();
    let output = run(e2e::ftpd().to_str().unwrap(), &["--config", server.config().to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("bring the key back from a backup"), "{told}");
    assert!(!state.join("key.pem").exists());
}

#[test]
fn a_client_without_tls_is_told_in_its_own_way() {
    let server = server();
    let mut plain = Raw::connect(server.address());
    plain.say(&proto::Preamble::new(&[digest::Algorithm::Md5]).encode());
    plain.preamble();
    let refusal = plain.refusal();
    assert_eq!(refusal.kind, Kind::Protocol);
    assert_eq!(refusal.remedy.as_deref(), Some("Leave --plain away."));
    plain.ends();
    server.log().wait_for("the peer speaks without TLS");
}

#[test]
fn a_client_with_tls_is_told_by_a_plain_server() {
    let server = Server::start();
    let (_, told) = openssl(&server, &["-alpn", "ftpd/1"]);
    assert!(told.contains("wrong version number") || told.contains("packet length"), "{told}");
    server.log().wait_for("the peer does not speak ftpd/1");
}

#[test]
fn what_is_no_handshake_ends_that_connection_alone() {
    let server = server();
    let hello_without_end = [&[0x16, 3, 1, 0x40, 0][..], &[1; 200]].concat();
    let record_of_nothing = [0x17, 3, 3, 0, 0].repeat(100);
    let table: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"USER alice\r\n",
        b"\x16\x03",
        &hello_without_end,
        &record_of_nothing,
        &[0; 70_000],
    ];
    for bytes in table {
        let mut stranger = Raw::connect(server.address());
        _ = stranger.try_say(bytes); // it may have heard enough before all is said
        stranger.finish();
        stranger.rest();
    }
    server.log().wait_for_nth(table.len(), &["no session"]);
    server.logged_in(ALICE);
}

#[test]
fn the_login_deadline_is_over_the_handshake_too() {
    let server = Server::builder().tls().limit("login_deadline = \"300ms\"").start();
    let mut silent = Raw::connect(server.address());
    let mut slow = Raw::connect(server.address());
    slow.say(&[0x16, 3, 1, 2, 0, 1]);
    silent.rest();
    slow.rest();
    server.log().wait_for_nth(2, &["the handshake took too long"]);
    let mut shaken = server.connect().greet();
    assert_eq!(shaken.refusal().kind, Kind::TimedOut);
    shaken.ends();
}
