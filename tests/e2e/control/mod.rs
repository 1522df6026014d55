//! The classic door, line by line: what no client should say, and every order in which clients say what they may.

mod data;
mod lines;
mod names;
mod orders;
mod parity;
mod secured;
mod uploads;

use std::net::SocketAddr;

use e2e::{Builder, Control, Server, User};

/// A server with both doors, and where the classic one is; `more` is added to its section.
fn server_with(builder: Builder, more: &str) -> (Server, SocketAddr) {
    let section = format!("[classic]\nlisten = [\"127.0.0.1:0\"]\n{more}");
    let server = builder.top(&section).start();
    let line = server.log().wait_for_nth(2, &["listening"]);
    let address = line.split_once("address=").unwrap().1.trim();
    let address = address.parse().unwrap();
    (server, address)
}

fn server() -> (Server, SocketAddr) {
    server_with(Server::builder(), "")
}

fn logged_in(address: SocketAddr, user: User) -> Control {
    Control::connect(address).log_in(user)
}
