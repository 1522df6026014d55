//! Certificates that the system's roots vouch for: accepted without a question, unless another key is known.

use std::fs;

use e2e::{ALICE, Authority, Client, Identity, Server, outside_address};
use tempfile::TempDir;

use super::{fingerprint, known, known_hosts, line, tls};

/// A server with this certificate at an address beyond loopback, and the directory in which it lies.
fn server(identity: &Identity) -> (Server, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| directory.path().join(name));
    identity.write(&certificate, &key);
    let [certificate, key] = [certificate, key].map(|path| path.to_str().unwrap().to_owned());
    let builder =
        tls().listen((outside_address(), 0).into()).native(&format!("certificate = {certificate:?}"));
    (builder.native(&format!("key = {key:?}")).start(), directory)
}

/// A client on a system that knows these roots.
fn client(server: &Server, roots: &Authority) -> Client {
    let file = server.work().join("roots.pem");
    roots.write(&file);
    server.client(ALICE).variable("SSL_CERT_FILE", file).args(["pwd"])
}

fn host() -> String {
    outside_address().to_string()
}

#[test]
fn a_valid_one_is_accepted_and_not_recorded() {
    let authority = Authority::new();
    let (server, _files) = server(&authority.sign(&host(), false));
    for trust in ["ask", "new"] {
        let ran = client(&server, &authority).option("--trust").option(trust).run_without_terminal();
        assert_eq!(ran.ok().wrote("/\n").stderr, "");
    }
    assert!(!known_hosts(&server).exists());
    client(&server, &Authority::new()).run_without_terminal().fails(5).told("is not known");
}

#[test]
fn one_for_another_host_or_of_another_time_is_only_a_key() {
    let authority = Authority::new();
    for identity in
        [authority.sign("192.0.2.254", false), authority.sign(&host(), true), Identity::own(&host())]
    {
        let (server, _files) = server(&identity);
        client(&server, &authority).run_without_terminal().fails(5).told("is not known");
        assert_eq!(server.log().count(&["verb=\"login\""]), 0);
        client(&server, &authority).option("--trust").option("new").run_without_terminal().ok();
        assert_eq!(known(&server), line(&server));
    }
}

#[test]
fn a_known_key_rules_over_a_valid_certificate() {
    let authority = Authority::new();
    let (server, _files) = server(&authority.sign(&host(), false));
    fs::create_dir_all(known_hosts(&server).parent().unwrap()).unwrap();
    let before = Identity::own(&host()).fingerprint();
    fs::write(known_hosts(&server), format!("{} {before}\n", server.address())).unwrap();
    let ran = client(&server, &authority).run_without_terminal().fails(5).told("HAS CHANGED");
    ran.told(&before.to_string()).told(&fingerprint(&server));
}
