//! TCP, prepared for what it is to carry: replies that do not wait, little that waits unsent, and a start without pacing.

use std::io;
use std::os::fd::AsFd;
use std::sync::OnceLock;

use rustix::net::sockopt::{set_tcp_congestion, tcp_congestion};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream, ToSocketAddrs, lookup_host};

/// Bytes that may wait in the system before the network takes them: what a link of 200 Mbit/s takes in 20 ms, so that one that was
/// held up by a loss finds something to send. Without a bound they grow to many megabytes, and an abort waits behind them all.
const UNSENT: u32 = 512 * 1024;

/// Bytes that a connection sends in slow start before it is left to BBR.
const START: usize = 512 * 1024;

/// Slow start and nothing else (RFC 5681, section 3.1): every Linux has it, and lets everybody use it.
const SLOW_START: &str = "reno";

/// What the system uses where nobody asks for something else, if it is of the family that paces from the first byte on.
static PACING: OnceLock<Option<String>> = OnceLock::new();

/// Connects to the first of `addresses` that answers.
///
/// # Errors
/// What came of the last of them.
pub async fn connect(addresses: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let mut fault = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host(addresses).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        begin_slowly(&socket);
        match socket.connect(address).await {
            Ok(tcp) => return prepare(&tcp).map(|()| tcp),
            Err(error) => fault = error,
        }
    }
    Err(fault)
}

/// Prepares a listener for what is accepted from it.
pub fn listen(listener: &std::net::TcpListener) {
    begin_slowly(listener);
}

/// Prepares a connection: a small message does not wait for the acknowledgement of the one before (Nagle), and little waits
/// unsent.
///
/// # Errors
/// Of a connection that is gone.
pub fn prepare(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    SockRef::from(tcp).set_tcp_notsent_lowat(UNSENT)
}

/// Has connections begin in slow start where the system prefers BBR. That one spreads the first window, 14 KiB, over a third of
/// the round trip, and the next ones likewise; what is over in a few windows would be late by a whole round trip. It has to be said
/// before the connection stands: a socket that was once paced remains so.
fn begin_slowly(socket: impl AsFd) {
    let pacing = PACING.get_or_init(|| tcp_congestion(&socket).ok().filter(|name| name.starts_with("bbr")));
    if pacing.is_some() {
        // Where it cannot be had, a start is late, and all else is as it was.
        let _kept = set_tcp_congestion(&socket, SLOW_START);
    }
}

/// The start of a connection, which ends after [`START`] bytes.
#[derive(Debug)]
pub(super) struct Start {
    left: usize,
}

impl Start {
    /// Of a new connection. One that did not begin slowly, as a route may have it, has its start behind it.
    pub(super) fn of(tcp: &TcpStream) -> Start {
        let slow = pacing().is_some() && tcp_congestion(tcp).is_ok_and(|name| name == SLOW_START);
        Start { left: if slow { START } else { 0 } }
    }

    /// Counts what was sent, and leaves the connection to what the system prefers when it was enough: that one keeps its pace where
    /// packets are lost, and slow start's heir does not.
    pub(super) fn sent(&mut self, bytes: usize, tcp: &TcpStream) {
        if self.left == 0 {
            return;
        }
        self.left = self.left.saturating_sub(bytes);
        if self.left == 0
            && let Some(pacing) = pacing()
        {
            let _kept = set_tcp_congestion(tcp, pacing);
        }
    }
}

fn pacing() -> Option<&'static str> {
    PACING.get()?.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the system prefers.
    fn preferred() -> String {
        tcp_congestion(TcpSocket::new_v4().unwrap()).unwrap()
    }

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        listen(&listener);
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let (ours, accepted) = tokio::join!(connect(listener.local_addr().unwrap()), listener.accept());
        (ours.unwrap(), accepted.unwrap().0)
    }

    #[tokio::test]
    async fn little_waits_unsent() {
        let (ours, theirs) = pair().await;
        prepare(&theirs).unwrap();
        for tcp in [ours, theirs] {
            assert!(tcp.nodelay().unwrap());
            assert_eq!(SockRef::from(&tcp).tcp_notsent_lowat().unwrap(), UNSENT);
        }
    }

    #[tokio::test]
    async fn only_the_start_is_slow() {
        let preferred = preferred();
        let paced = preferred.starts_with("bbr");
        let (ours, theirs) = pair().await;
        for tcp in [ours, theirs] {
            let begun = if paced { SLOW_START } else { &preferred };
            assert_eq!(tcp_congestion(&tcp).unwrap(), begun);
            let mut start = Start::of(&tcp);
            start.sent(START - 1, &tcp);
            assert_eq!(tcp_congestion(&tcp).unwrap(), begun);
            start.sent(1, &tcp);
            assert_eq!(tcp_congestion(&tcp).unwrap(), preferred);
        }
    }

    #[tokio::test]
    async fn a_start_that_is_over_is_left_alone() {
        let (tcp, _theirs) = pair().await;
        let mut start = Start { left: 1 };
        start.sent(2, &tcp);
        set_tcp_congestion(&tcp, SLOW_START).unwrap();
        start.sent(START, &tcp);
        assert_eq!(tcp_congestion(&tcp).unwrap(), SLOW_START);
    }

    #[tokio::test]
    async fn who_does_not_answer_is_told_or_passed_over() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let gone = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(connect(gone).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let there = listener.local_addr().unwrap();
        let tcp = connect(&[gone, there][..]).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), there, "the next address is tried");
    }
}
