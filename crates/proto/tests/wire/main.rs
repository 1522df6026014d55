//! `io::Wire` over real TCP on loopback.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod ahead;
mod dropped;
mod files;
mod hostile;
mod landing;
mod patience;
mod transfers;

use std::net::Ipv4Addr;
use std::time::Duration;

use proto::io::{Broken, Stream, Wire};
use proto::{Message, Side};
use tokio::net::{TcpSocket, TcpStream};

/// Longer than any test lasts, unless its clock is paused.
const STALL: Duration = Duration::from_secs(60);

/// What the kernel is asked to hold in each direction of a narrow connection; it takes the least that it can.
const NARROW: u32 = 1;

/// The client's and the server's end of a connection; of a narrow one the kernel holds a few KiB at the most.
async fn sockets(narrow: bool) -> (TcpStream, TcpStream) {
    let socket = || {
        let socket = TcpSocket::new_v4().unwrap();
        if narrow {
            socket.set_send_buffer_size(NARROW).unwrap();
            socket.set_recv_buffer_size(NARROW).unwrap();
        }
        socket
    };
    let listening = socket();
    listening.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = listening.listen(1).unwrap();
    let connecting = socket().connect(listener.local_addr().unwrap());
    let (client, server) = tokio::join!(connecting, listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// A raw client and the server's wire.
async fn raw_client() -> (TcpStream, Wire) {
    let (client, server) = sockets(false).await;
    (client, wire(server, Side::Client, STALL))
}

/// The client's wire and the server's.
async fn pair() -> (Wire, Wire) {
    let (client, server) = sockets(false).await;
    (wire(client, Side::Server, STALL), wire(server, Side::Client, STALL))
}

fn wire(tcp: TcpStream, peer: Side, stall: Duration) -> Wire {
    tcp.set_nodelay(true).unwrap();
    Wire::new(Stream::Plain(tcp), peer, stall)
}

/// The frames that say `messages`, end to end.
fn frames(messages: &[Message]) -> Vec<u8> {
    let mut bytes = Vec::new();
    messages.iter().for_each(|message| message.encode(&mut bytes));
    bytes
}

/// How a connection broke, for a comparison.
fn how<T>(result: Result<T, Broken>) -> String {
    match result {
        Ok(_) => "it did not break".into(),
        Err(Broken::Io(error)) => format!("{:?}", error.kind()),
        Err(broken) => format!("{broken:?}"),
    }
}
