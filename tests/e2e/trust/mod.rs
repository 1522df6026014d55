//! Whether the server is the one that is meant: first contact, keys that changed, certificates, and the wrong kind of server.

mod changed;
mod first;
mod kinds;
mod public;

use std::fs;
use std::path::PathBuf;

use e2e::{ALICE, Builder, Client, Server, outside_address};

/// A server that speaks TLS.
fn tls() -> Builder {
    Server::builder().tls()
}

/// One at an address beyond loopback.
fn outside() -> Server {
    tls().listen((outside_address(), 0).into()).start()
}

/// The file of keys that are known to clients of `server`.
fn known_hosts(server: &Server) -> PathBuf {
    server.work().join(".local/share/ftp/known_hosts")
}

/// What it says; nothing, if it is not there.
fn known(server: &Server) -> String {
    fs::read_to_string(known_hosts(server)).unwrap_or_default()
}

/// The fingerprint that a server logs when it starts.
fn fingerprint(server: &Server) -> String {
    let line = server.log().wait_for("fingerprint=");
    line.split("fingerprint=").nth(1).unwrap().split_whitespace().next().unwrap().into()
}

/// The line by which it is known.
fn line(server: &Server) -> String {
    format!("{} {}\n", server.address(), fingerprint(server))
}

/// A client of another place, in the directory of `server`.
fn client_of(server: &Server, place: impl std::fmt::Display) -> Client {
    server.client(ALICE).tls(true).target(format!("alice@{place}"))
}
