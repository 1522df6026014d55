//! FTPS (RFC 4217): what goes in the clear and what does not, and how a protected upload must end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use e2e::{ALICE, Control, Server, outside_address};
use proto::io::tls::client_config;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::{server, server_with};

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn tls(tcp: TcpStream) -> Tls {
    let name = ServerName::from(tcp.peer_addr().unwrap().ip());
    StreamOwned::new(ClientConnection::new(Arc::new(client_config()), name).unwrap(), tcp)
}

/// A handshake that is over before anything is sent.
fn shaken(tcp: TcpStream) -> Tls {
    let mut tls = tls(tcp);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock).unwrap();
    }
    tls
}

#[test]
fn the_handshake_of_a_data_connection_may_come_at_once_or_after_150() {
    let (server, address) = server();
    server.write("alice/file", b"content");
    let mut control = Control::connect(address).secure().log_in(ALICE);
    for early in [true, false] {
        let tcp = control.data();
        let mut data = if early {
            let data = shaken(tcp);
            control.told("RETR file", 150);
            data
        } else {
            control.told("RETR file", 150);
            shaken(tcp)
        };
        let mut heard = String::new();
        data.read_to_string(&mut heard).unwrap(); // fails without close_notify
        assert_eq!(heard, "content");
        control.hears(226);
        let mut data = tls(control.data());
        control.told("STOR new", 150);
        data.write_all(b"brought").unwrap();
        data.conn.send_close_notify();
        data.flush().unwrap();
        drop(data);
        control.hears(226);
        assert_eq!(server.read("alice/new"), b"brought");
    }
}

#[test]
fn an_upload_without_close_notify_is_not_whole_unless_that_is_allowed() {
    for lenient in [false, true] {
        let more = if lenient { "lenient_eof = true\n" } else { "" };
        let (server, address) = server_with(Server::builder(), more);
        server.write("alice/file", b"old");
        let mut control = Control::connect(address).secure().log_in(ALICE);
        let mut data = shaken(control.data());
        control.told("STOR file", 150);
        data.write_all(b"new").unwrap();
        data.flush().unwrap();
        data.sock.shutdown(std::net::Shutdown::Write).unwrap();
        if lenient {
            control.hears(226);
            server.log().wait_for("lenient_eof");
            assert_eq!(server.read("alice/file"), b"new");
        } else {
            assert!(control.hears(426).contains("close_notify"));
            assert_eq!(server.read("alice/file"), b"old");
        }
        control.told("NOOP", 200);
    }
}

#[test]
fn what_is_said_in_the_clear_behind_auth_is_heard_by_nobody() {
    let (server, address) = server();
    server.write("alice/file", b"x");
    let mut control = Control::connect(address);
    control.say_bytes(b"AUTH TLS\r\nUSER alice\r\n");
    control.hears(234);
    assert!(control.ends());
    server.log().wait_for("something was said in the clear behind AUTH");
}

#[test]
fn from_elsewhere_passwords_and_files_go_under_tls_or_not_at_all() {
    let builder = Server::builder();
    let section = format!("[classic]\nlisten = [\"{}:0\"]\n", outside_address());
    let server = builder.top(&section).start();
    server.write("alice/file", b"x");
    let line = server.log().wait_for_nth(2, &["listening"]);
    let address = line.split_once("address=").unwrap().1.trim().parse().unwrap();
    let mut control = Control::connect(address);
    assert!(control.told("USER alice", 530).contains("AUTH TLS"));
    control.told("PASS x", 503);
    let mut control = control.secure().log_in(ALICE);
    control.told("PROT C", 534);
    let mut data = tls(control.data());
    control.told("RETR file", 150);
    let mut heard = String::new();
    data.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "x");
    control.hears(226);
}

#[test]
fn an_implicit_listener_begins_with_the_handshake() {
    let (server, _) = server_with(Server::builder(), "implicit = [\"127.0.0.1:0\"]\n");
    server.write("alice/file", b"content");
    let line = server.log().wait_for_nth(3, &["listening"]);
    let address: std::net::SocketAddr = line.split_once("address=").unwrap().1.trim().parse().unwrap();
    let mut control = Control::connect_tls(address).log_in(ALICE);
    let mut data = tls(control.data()); // protected from the first one on
    control.told("RETR file", 150);
    let mut heard = String::new();
    data.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "content");
    control.hears(226);
}
