//! The wrong kind of server: neither side steps down, and each says what it met.

use e2e::{ALICE, Fake, FakeTls, Identity, Server, Shaken, bytes};

use super::{client_of, known_hosts, tls};

#[test]
fn with_tls_all_is_as_without() {
    let server = tls().start();
    let content = bytes(3_000_001, 1);
    server.write_work("big", &content);
    let client = || server.client(ALICE).option("--trust").option("new");
    client().args(["put", "big", "there"]).run_without_terminal().ok().told("verified md5");
    assert_eq!(server.read("alice/there"), content);
    client().args(["get", "there", "back"]).run_without_terminal().ok().told("verified md5");
    assert_eq!(server.read_work("back"), content);
    let batch = "mkdir a\nput big a/one\n-get missing\nmd5 a/one\n";
    let ran =
        client().option("--digest").option("blake3").args(["-b", "-"]).stdin(batch).run_without_terminal();
    ran.fails(9).told("get missing: no such file");
    client().password(Some("wrong")).args(["pwd"]).run_without_terminal().fails(4);
}

#[test]
fn a_plain_server_is_not_stepped_down_to() {
    let server = Server::start();
    let ran = server.client(ALICE).tls(true).args(["pwd"]).run_without_terminal().fails(3).wrote("");
    ran.told("speaks without TLS").told("--plain for a plain server that you trust");
    assert_eq!(server.log().count(&["verb=\"login\""]), 0);
    for greeting in
        [&b"220 an old server\r\n"[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.9\r\n"]
    {
        let fake = Fake::saying(greeting);
        let ran = client_of(&server, fake.address()).args(["pwd"]).run_without_terminal();
        ran.fails(3).told("speaks without TLS");
    }
    assert!(!known_hosts(&server).exists());
}

#[test]
fn a_server_with_tls_is_told_from_a_plain_one() {
    let server = tls().start();
    let ran = server.client(ALICE).tls(false).args(["pwd"]).run_without_terminal().fails(3).wrote("");
    ran.told("this server speaks TLS, and nothing without it. Leave --plain away.");
    assert_eq!(server.log().count(&["verb=\"login\""]), 0);
    let batch = server.client(ALICE).tls(false).args(["-b", "-"]).stdin("pwd\nls\n");
    batch.run_without_terminal().fails(3).told("Leave --plain away.");
}

#[test]
fn another_protocol_in_tls_is_told_and_heard_nothing() {
    let server = Server::start();
    let identity = Identity::own("nas");
    for (protocols, shaken) in [(&[b"h2".as_slice(), b"http/1.1"][..], false), (&[], true)] {
        let fake = FakeTls::start(&identity, protocols);
        let client = client_of(&server, fake.address()).option("--trust").option("new").args(["pwd"]);
        client.run_without_terminal().fails(3).told("speaks TLS, but not ftpd/1 in it");
        assert_eq!(fake.heard(), if shaken { Shaken::Yes(Vec::new()) } else { Shaken::No });
    }
    assert!(!known_hosts(&server).exists(), "nobody is known who speaks something else");
}

#[test]
fn what_is_no_handshake_is_no_connection() {
    let server = Server::start();
    // An alert: protocol_version (RFC 8446, section 6), and what is cut off within a record.
    for said in [&[21, 3, 3, 0, 2, 2, 70][..], &[22, 3, 3, 64, 0, 2], b""] {
        let fake = Fake::saying(said);
        let ran = client_of(&server, fake.address()).args(["pwd"]).run_without_terminal();
        ran.fails(3).wrote("").told("no TLS with the server at");
    }
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let server = Server::start();
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let client = client_of(&server, silent.local_addr().unwrap()).option("--timeout").option("1");
    client.args(["pwd"]).run_without_terminal().fails(3).told("nothing was heard for 1 s");
}

#[test]
fn plain_and_trust_do_not_go_together() {
    let server = Server::start();
    for trust in ["new", "ask"] {
        server
            .client(ALICE)
            .option("--trust")
            .option(trust)
            .args(["pwd"])
            .run()
            .fails(2)
            .told("cannot be used with");
    }
    server
        .client(ALICE)
        .tls(true)
        .option("--trust")
        .option("yes")
        .args(["pwd"])
        .run()
        .fails(2)
        .told("ask nor new");
}
