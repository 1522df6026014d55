//! Data connections: to whom, from whom, and none at all.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use e2e::{ALICE, Control, Server};

use super::{logged_in, server, server_with};

#[test]
fn data_goes_to_the_client_and_to_nobody_else() {
    let (_server, address) = server();
    let mut control = logged_in(address, ALICE);
    let third = TcpListener::bind("127.77.77.77:0").unwrap();
    third.set_nonblocking(true).unwrap();
    let port = third.local_addr().unwrap().port();
    control.told(&format!("PORT 127,77,77,77,{},{}", port >> 8, port & 255), 501);
    control.told(&format!("EPRT |1|127.77.77.77|{port}|"), 501);
    control.told("PORT 127,0,0,1,0,22", 501);
    control.told("LIST", 425);
    assert!(third.accept().is_err(), "nobody was called");
}

#[test]
fn a_stranger_at_a_data_port_gets_nothing() {
    let (server, address) = server();
    server.write("alice/file", b"alice's own");
    let mut control = logged_in(address, ALICE);
    let port = control.epsv();
    let from = |ip: &str| {
        let socket =
            rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None)
                .unwrap();
        rustix::net::bind(&socket, &std::net::SocketAddr::new(ip.parse().unwrap(), 0)).unwrap();
        rustix::net::connect(&socket, &port).unwrap();
        TcpStream::from(socket)
    };
    let mut stranger = from("127.66.66.66");
    assert_eq!(stranger.read(&mut [0; 9]).unwrap_or(0), 0);
    server.log().wait_for("a stranger at a data port is turned away");
    let mut data = from("127.0.0.1");
    control.told("RETR file", 150);
    let mut heard = String::new();
    data.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "alice's own");
    control.hears(226);
}

#[test]
fn a_data_connection_that_does_not_come_is_told_and_the_session_goes_on() {
    let (server, address) = server_with(Server::builder().limit("stall = \"3s\""), "");
    server.write("alice/file", b"x");
    let mut control = logged_in(address, ALICE);
    control.epsv();
    control.told("RETR file", 150);
    control.hears(425);
    control.epsv();
    control.told("STOR new", 150);
    control.hears(425);
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    control.told(&format!("EPRT |1|127.0.0.1|{gone}|"), 200);
    control.told("RETR file", 150);
    control.hears(425);
    assert_eq!(control.fetch("RETR file"), b"x");
    assert!(!server.home(ALICE).join("new").exists());
}

#[test]
fn one_data_connection_serves_one_transfer() {
    let (server, address) = server();
    server.write("alice/file", b"x");
    let mut control = logged_in(address, ALICE);
    assert_eq!(control.fetch("RETR file"), b"x");
    control.told("RETR file", 425);
    let old = control.epsv();
    let new = control.epsv();
    assert_ne!(old, new);
    let mut data = TcpStream::connect(new).unwrap();
    control.told("RETR file", 150);
    let mut heard = Vec::new();
    data.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"x");
    control.hears(226);
}

#[test]
fn when_all_ports_are_taken_there_is_an_answer_and_they_come_back() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (server, address) = server_with(Server::builder(), &format!("passive_ports = \"{free}\"\n"));
    server.write("alice/file", b"x");
    let mut first = logged_in(address, ALICE);
    let mut second = logged_in(address, ALICE);
    let port = first.epsv();
    assert_eq!(port.port(), free);
    second.told("EPSV", 425);
    second.told("PASV", 425);
    drop(TcpStream::connect(port).unwrap());
    first.told("QUIT", 221);
    assert!(first.ends());
    // The port is given back once the first session has let go of it.
    while second.ask("EPSV").0 != 229 {}
    let mut data = TcpStream::connect(port).unwrap();
    second.told("RETR file", 150);
    assert_eq!(data.read(&mut [0; 9]).unwrap(), 1);
    second.hears(226);
}

#[test]
fn one_session_takes_no_more_than_one_port() {
    // Below those that the system gives to anybody who connects (ip(7), ip_local_port_range).
    let all = (10_000..30_000).cycle().skip(std::process::id() as usize % 20_000);
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let free = all.take(20_000).find(|&port| is_free(port) && is_free(port + 1)).unwrap();
    let (_server, address) =
        server_with(Server::builder(), &format!("passive_ports = \"{free}-{}\"\n", free + 1));
    let mut greedy = logged_in(address, ALICE);
    for _ in 0..50 {
        greedy.told("EPSV", 229);
    }
    logged_in(address, ALICE).told("EPSV", 229);
}

#[test]
fn rubbish_instead_of_a_handshake_ends_that_data_connection_alone() {
    let (server, address) = server_with(Server::builder().limit("stall = \"2s\""), "");
    server.write("alice/file", b"x");
    let mut control = Control::connect(address).secure().log_in(ALICE);
    let mut data = control.data();
    data.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    control.told("RETR file", 150);
    control.hears(425);
    control.told("NOOP", 200);
    let silent = control.data();
    control.told("STOR new", 150);
    control.hears(425);
    drop(silent);
    control.told("NOOP", 200);
    assert!(!server.home(ALICE).join("new").exists());
}
