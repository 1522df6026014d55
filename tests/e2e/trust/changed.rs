//! A key that changed always stops, before any password is sent or asked for.

use std::fs;

use e2e::{ALICE, FakeTls, Identity, Server, Shaken, Terminal};

use super::{client_of, fingerprint, known, known_hosts, line, tls};

const OURS: &[&[u8]] = &[b"ftpd/1"];

/// Has the clients of `server` know these lines.
fn knows(server: &Server, lines: &str) {
    fs::create_dir_all(known_hosts(server).parent().unwrap()).unwrap();
    fs::write(known_hosts(server), lines).unwrap();
}

#[test]
fn it_stops_whatever_is_trusted_and_nothing_but_a_handshake_came() {
    let server = Server::start();
    let (before, now) = (Identity::own("nas"), Identity::own("nas"));
    for trust in ["ask", "new"] {
        let fake = FakeTls::start(&now, OURS);
        let line = format!("# mine\n{} {}\n", fake.address(), before.fingerprint());
        knows(&server, &line);
        let ran = client_of(&server, fake.address()).option("--trust").option(trust).args(["get", "file"]);
        let ran = ran.run_without_terminal().fails(5).wrote("").told("HAS CHANGED");
        let ran = ran.told(&before.fingerprint().to_string()).told(&now.fingerprint().to_string());
        ran.told(&format!("remove line 2 of {}", known_hosts(&server).display()));
        assert_eq!(fake.heard(), Shaken::Yes(Vec::new()), "{trust}");
        assert_eq!(known(&server), line);
    }
}

#[test]
fn at_a_terminal_nothing_is_asked() {
    let server = Server::start();
    let (before, now) = (Identity::own("nas"), Identity::own("nas"));
    let fake = FakeTls::start(&now, OURS);
    knows(&server, &format!("{} {}\n", fake.address(), before.fingerprint()));
    let client = client_of(&server, fake.address()).password(None);
    let (code, shown) = Terminal::start(&client.command()).end();
    assert_eq!(code, 5, "{shown}");
    assert!(
        shown.contains("HAS CHANGED") && !shown.contains("Password") && !shown.contains("yes"),
        "{shown}"
    );
    assert_eq!(fake.heard(), Shaken::Yes(Vec::new()));
}

#[test]
fn a_wrong_pin_hears_nothing_either_and_the_right_one_goes_before_what_is_known() {
    let server = Server::start();
    let (before, now) = (Identity::own("nas"), Identity::own("nas"));
    for (pin, heard) in [(&before, false), (&now, true)] {
        let fake = FakeTls::start(&now, OURS);
        let line = format!("{} {}\n", fake.address(), before.fingerprint());
        knows(&server, &line);
        let client =
            client_of(&server, fake.address()).option("--trust").option(pin.fingerprint().to_string());
        let ran = client.args(["pwd"]).run_without_terminal().fails(if heard { 3 } else { 5 });
        let Shaken::Yes(bytes) = fake.heard() else { panic!("no handshake: {}", ran.stderr) };
        assert_eq!(!bytes.is_empty(), heard, "{}", ran.stderr);
        assert_eq!(bytes.starts_with(&proto::MAGIC), heard);
        assert_eq!(known(&server), line, "a pin writes nothing");
    }
}

#[test]
fn one_of_several_known_keys_is_enough() {
    let server = tls().start();
    let other = Identity::own("nas").fingerprint();
    knows(&server, &format!("{} {other}\n{}", server.address(), line(&server)));
    server.client(ALICE).args(["pwd"]).run_without_terminal().ok();
}

#[test]
fn a_server_that_shows_the_known_certificate_without_its_key_gets_nothing() {
    let server = Server::start();
    let known = Identity::own("nas");
    for trust in ["ask", "new", &known.fingerprint().to_string()] {
        let fake = FakeTls::start(&known.without_its_key(), OURS);
        knows(&server, &format!("{} {}\n", fake.address(), known.fingerprint()));
        let client = client_of(&server, fake.address()).option("--trust").option(trust);
        client.args(["pwd"]).run_without_terminal().fails(3).told("no TLS with the server");
        assert!(matches!(fake.heard(), Shaken::No), "{trust}");
    }
}

#[test]
fn an_unproved_key_is_never_recorded() {
    let server = Server::start();
    let fake = FakeTls::start(&Identity::own("nas").without_its_key(), OURS);
    let client = client_of(&server, fake.address()).option("--trust").option("new");
    client.args(["pwd"]).run_without_terminal().fails(3);
    assert!(!known_hosts(&server).exists());
}

#[test]
fn a_server_that_comes_back_with_another_key_stops_the_prompt_and_the_remedy_is_one() {
    let mut server = tls().start();
    server.client(ALICE).args(["pwd"]).run_without_terminal().ok();
    let before = fingerprint(&server);
    let mut at = Terminal::start(&server.client(ALICE).command());
    let prompt = format!("ftp {}:/> ", server.address().ip());
    at.expect(&prompt);
    server.terminate();
    fs::remove_dir_all(server.config().with_file_name("state")).unwrap();
    server.restart();
    let logins = server.log().count(&["verb=\"login\""]);
    for _ in 0..2 {
        at.line("ls");
        let shown = at.expect(&prompt);
        assert!(shown.contains("HAS CHANGED") && shown.contains(&before), "{shown}");
        assert!(shown.contains(&fingerprint(&server)), "{shown}");
    }
    assert_eq!(server.log().count(&["verb=\"login\""]), logins);
    at.line("quit");
    assert_eq!(at.end().0, 0);

    server.client(ALICE).args(["pwd"]).run_without_terminal().fails(5).told("remove line 1 of");
    let lines: String = known(&server).lines().skip(1).collect();
    fs::write(known_hosts(&server), lines).unwrap();
    server.client(ALICE).args(["pwd"]).run_without_terminal().ok();
    assert_eq!(known(&server), line(&server));
}
