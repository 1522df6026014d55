//! A server under a supervisor: what it tells (sd_notify(3)), and sockets that are passed on to it (sd_listen_fds(3)).

use std::net::{SocketAddr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as Address, UnixDatagram};
use std::process::Command;

use e2e::{ALICE, DEADLINE, Server};
use rustix::process::Signal;

/// The next word to the supervisor, as its lines.
fn told(supervisor: &UnixDatagram) -> Vec<String> {
    supervisor.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut word = [0; 4096];
    let length = supervisor.recv(&mut word).unwrap();
    std::str::from_utf8(&word[..length]).unwrap().lines().map(String::from).collect()
}

/// From the start over a reload, one that is refused among them, to the end.
fn a_life(supervisor: &UnixDatagram, name: &str) {
    let mut server = Server::builder().variable("NOTIFY_SOCKET", name).start();
    let ready = told(supervisor);
    assert_eq!(ready[0], "READY=1");
    assert!(ready[1].starts_with("STATUS=4 users, listening on "), "{ready:?}");
    server.ftp(&["pwd"]).ok();
    for (bad, status) in [("", "STATUS=4 users"), ("\nnobody = \"knows\"\n", "STATUS=not reloaded: ")] {
        server.edit_config(|text| text + bad);
        server.signal(Signal::HUP);
        let reloading = told(supervisor);
        assert_eq!(reloading[0], "RELOADING=1");
        let now: u64 = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap().parse().unwrap();
        assert!(now > 0);
        let ready = told(supervisor);
        assert!(ready[0] == "READY=1" && ready[1].starts_with(status), "{ready:?}");
    }
    assert!(server.terminate().success());
    assert_eq!(told(supervisor)[0], "STOPPING=1");
}

#[test]
fn a_supervisor_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    a_life(&UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap());
}

#[test]
fn a_supervisor_under_an_abstract_name_is_told_too() {
    // Behind the second wall, no abstract socket can be reached that was not reached before.
    let name = format!("ftpd-e2e-{}", std::process::id());
    let address = Address::from_abstract_name(&name).unwrap();
    a_life(&UnixDatagram::bind_addr(&address).unwrap(), &format!("@{name}"));
}

#[test]
fn a_supervisor_that_is_not_there_stops_nothing() {
    let server = Server::builder().variable("NOTIFY_SOCKET", "/nowhere/notify").start();
    server.log().wait_for_all(&["WARN", "NOTIFY_SOCKET does not answer"]);
    server.ftp(&["pwd"]).ok();
}

/// A shell that gives the server the socket `address` as descriptor 3, as systemd does.
const PASS_ON: &str = r#"
import os, socket, sys
address, command = sys.argv[1], sys.argv[2:]
host, port = address.rsplit(":", 1)
kind = socket.SOCK_DGRAM if host.startswith("udp/") else socket.SOCK_STREAM
passed = socket.socket(socket.AF_INET, kind)
passed.bind((host.removeprefix("udp/"), int(port)))
if kind == socket.SOCK_STREAM:
    passed.listen()
if passed.fileno() != 3:
    os.dup2(passed.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(command[0], command)
"#;

/// An address that was free just now.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_socket_that_is_passed_on_is_listened_on() {
    let address = free();
    let mut server = Server::builder()
        .launched_by(&["python3", "-c", PASS_ON, &address.to_string()])
        .listen(address)
        .start();
    assert_eq!(server.address(), address);
    server.ftp(&["pwd"]).ok();
    server.client(ALICE).args(["pwd"]).run().ok();
    assert!(server.terminate().success());
}

#[test]
fn a_socket_that_nobody_asked_for_is_an_error() {
    let model = Server::start();
    for (passed, words) in [
        (free().to_string(), "and users.toml does not. add \""),
        (format!("udp/{}", free()), "is no listening TCP socket"),
    ] {
        let mut command = Command::new("python3");
        command.args(["-c", PASS_ON, &passed]).arg(e2e::ftpd()).arg("--config").arg(model.config());
        let ended = command.env_remove("RUST_LOG").output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(1) && told.contains(words), "{told}");
    }
}

#[test]
fn sockets_for_another_process_are_left_alone() {
    let server = Server::builder().variable("LISTEN_FDS", "1").variable("LISTEN_PID", "1").start();
    server.ftp(&["pwd"]).ok();
}
