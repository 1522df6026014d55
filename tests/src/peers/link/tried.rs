//! What a link is like, measured on it before anybody else uses it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use super::{CLIENTS, Link, SERVERS};
use crate::peers::Outcome;

/// Datagrams that go there and back, one after the other, as those of ping(8) do.
const PINGS: u8 = 11;
/// Bytes of each, as ping(8) has them.
const PING: usize = 56;
/// More than any link may take, the processor's time included.
const PATIENCE: Duration = Duration::from_secs(25);
/// A connection is at its speed after as many round trips, or after this, and is measured for as long again, several times: what
/// waited behind a lost packet is read all at once, and makes some of them too fast.
const START: (u32, Duration) = (12, Duration::from_millis(400));
const TIMES: usize = 5;

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Tried {
    /// The median of several.
    pub(in super::super) round_trip: Duration,
    /// Mbit/s of what a TCP connection carries, the median of several times: from servers to clients and from clients to servers.
    pub(in super::super) down: f64,
    pub(in super::super) up: f64,
}

impl Tried {
    pub(super) fn on(link: &Link) -> Outcome<Tried> {
        let round_trip = round_trip(link)?;
        let start = START.1.max(round_trip * START.0);
        Ok(Tried { round_trip, down: rate(link, true, start)?, up: rate(link, false, start)? })
    }
}

fn round_trip(link: &Link) -> Outcome<Duration> {
    let there = link.servers.within(|| UdpSocket::bind((SERVERS, 0)))??;
    let here = link.clients.within(|| UdpSocket::bind((CLIENTS, 0)))??;
    here.connect(there.local_addr()?)?;
    // A datagram that is lost is waited for as long as it could take, and no longer.
    here.set_read_timeout(Some(link.given.delay * 2 + Duration::from_secs(1)))?;
    there.set_read_timeout(Some(PATIENCE))?;
    let echo = thread::spawn(move || {
        let mut buffer = [0; PING];
        while let Ok((_, from)) = there.recv_from(&mut buffer) {
            if buffer[0] == PINGS || there.send_to(&buffer, from).is_err() {
                break;
            }
        }
    });
    let mut took = Vec::new();
    for number in 0..PINGS {
        let (began, mut answer) = (Instant::now(), [0; PING]);
        here.send(&[number; PING])?;
        while here.recv(&mut answer).is_ok() {
            if answer[0] == number {
                took.push(began.elapsed());
                break;
            }
        }
    }
    here.send(&[PINGS; PING])?; // the last one, which has the other side stop; should it be lost, its patience ends
    if took.is_empty() {
        return Err(format!("nothing comes through the link of {}", link.given).into());
    }
    drop(echo); // it ends by itself
    took.sort();
    Ok(took[took.len() / 2])
}

/// Mbit/s of one connection from servers (`down`) or to them.
fn rate(link: &Link, down: bool, start: Duration) -> Outcome<f64> {
    let listener = link.servers.within(|| TcpListener::bind((SERVERS, 0)))??;
    let port = listener.local_addr()?.port();
    let here = link
        .clients
        .within(|| TcpStream::connect_timeout(&SocketAddr::new(SERVERS.into(), port), PATIENCE))??;
    let (there, _) = listener.accept()?;
    let (mut sends, mut takes) = if down { (there, here) } else { (here, there) };
    takes.set_read_timeout(Some(PATIENCE))?;
    sends.set_write_timeout(Some(PATIENCE))?;
    let sending = thread::spawn(move || {
        let piece = vec![0; 64 * 1024];
        while sends.write_all(&piece).is_ok() {} // until nobody takes it any more
    });
    let mut buffer = vec![0; 256 * 1024];
    let mut read_for = |time: Duration| -> Outcome<f64> {
        let (began, mut bytes) = (Instant::now(), 0);
        while began.elapsed() < time {
            bytes += takes.read(&mut buffer)?;
        }
        Ok(bytes as f64 * 8.0 / 1e6 / began.elapsed().as_secs_f64())
    };
    read_for(start)?;
    let mut rates = (0..TIMES).map(|_| read_for(start)).collect::<Outcome<Vec<f64>>>()?;
    drop(takes);
    drop(sending.join());
    rates.sort_by(f64::total_cmp);
    Ok(rates[TIMES / 2])
}
