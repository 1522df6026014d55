//! Sessions with a server that a test plays.

use std::net::Ipv4Addr;
use std::time::Duration;

use digest::Algorithm;
use proto::io::{Stream, Wire};
use proto::{Command, Message, Reply, Side};
use tokio::net::{TcpListener, TcpStream};

use super::connect::Origin;
use super::{Disk, Native, Owed};
use crate::remote::{Learnt, Settings};
use crate::trust::Place;

/// How long the client waits for an answer, and the server for a command, as one that is idle.
const TIMEOUT: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_secs(100);

/// A session to which its user was let in, and the server's end of the connection.
pub(super) async fn session() -> (Native, Wire) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (client, server) = (Stream::Plain(client.unwrap()), Stream::Plain(server.unwrap().0));
    let host = address.ip().to_string();
    let native = Native {
        wire: Wire::new(client, Side::Server, TIMEOUT),
        settings: Settings {
            digest: Algorithm::Md5,
            timeout: TIMEOUT,
            retries: 0,
            parallel: None,
            learnt: Learnt::default(),
        },
        origin: Origin { place: Place::new(&host, address.port()), host, address, key: None },
        sent: 2,
        opening: false,
        owed: Owed::Nothing,
        lost: false,
        cut: false,
        access: None,
        disk: Disk::default(),
    };
    (native, Wire::new(server, Side::Client, TIMEOUT))
}

/// Answers commands, until the session ends or is idle.
pub(super) async fn answer_in_order(server: &mut Wire, mut answer: impl FnMut(Command) -> Reply) {
    while let Ok(Message::Command(command)) = server.next(IDLE).await {
        server.send(&Message::Reply(answer(command))).await.unwrap();
    }
}
