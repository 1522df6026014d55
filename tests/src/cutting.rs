//! A way to a server that is cut again and again by a reset, and counts what goes by.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::net::sockopt::{set_socket_linger, set_socket_send_buffer_size};

use crate::DEADLINE;

/// A way for any number of connections.
#[derive(Debug)]
pub struct Cutting {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    server: Mutex<SocketAddr>,
    /// Bytes after which each of the next connections is cut.
    cuts: Mutex<VecDeque<u64>>,
    connections: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
    /// More went by.
    stirred: (Mutex<()>, Condvar),
}

impl Cutting {
    /// A way on which each of the next connections is reset after one of `cuts`, bytes of both directions together; those after
    /// them are not cut.
    pub fn new(server: SocketAddr, cuts: impl IntoIterator<Item = u64>) -> Cutting {
        Cutting::once_heard(server, cuts, 0)
    }

    /// The same, but the first one is not cut before the server has said `heard` bytes on it.
    pub fn once_heard(server: SocketAddr, cuts: impl IntoIterator<Item = u64>, heard: u64) -> Cutting {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let cuts = Mutex::new(cuts.into_iter().collect());
        let (connections, up, down, stirred) = Default::default();
        let state = Arc::new(State { server: Mutex::new(server), cuts, connections, up, down, stirred });
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, state) = (client.unwrap(), shared.clone());
                let first = state.connections.fetch_add(1, Ordering::Relaxed) == 0;
                let heard = if first { heard } else { 0 };
                let left = state.cuts.lock().unwrap().pop_front().unwrap_or(u64::MAX);
                thread::spawn(move || {
                    prepare(&client);
                    let server = *state.server.lock().unwrap();
                    if let Ok(server) = TcpStream::connect(server) {
                        prepare(&server);
                        carry(client, server, (left, heard), &state);
                    }
                });
            }
        });
        Cutting { address, state }
    }

    /// Has the next connections lead elsewhere.
    pub fn lead_to(&self, server: SocketAddr) {
        *self.state.server.lock().unwrap() = server;
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until so many bytes of both directions have gone by. Whether they have.
    pub fn wait_until_carried(&self, bytes: u64) -> bool {
        let (lock, stirred) = &self.state.stirred;
        let few = |(): &mut ()| self.up() + self.down() < bytes;
        let (_guard, waited) = stirred.wait_timeout_while(lock.lock().unwrap(), DEADLINE, few).unwrap();
        !waited.timed_out()
    }

    /// How many connections there were.
    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Bytes that went to the server.
    pub fn up(&self) -> u64 {
        self.state.up.load(Ordering::Relaxed)
    }

    /// Bytes that went to the client.
    pub fn down(&self) -> u64 {
        self.state.down.load(Ordering::Relaxed)
    }
}

/// Has a connection end by a reset, and little be on the way to it that would be lost then though it is counted.
fn prepare(side: &TcpStream) {
    set_socket_linger(side, Some(Duration::ZERO)).unwrap();
    set_socket_send_buffer_size(side, 64 * 1024).unwrap();
}

/// Carries bytes until a side is closed or `left` went by. What is still unsent or unread then is lost: both sides are reset.
fn carry(mut client: TcpStream, mut server: TcpStream, (mut left, mut unheard): (u64, u64), state: &State) {
    let mut piece = vec![0; 64 * 1024];
    while left > 0 || unheard > 0 {
        if left == 0 {
            let (mut room, before) = (unheard, unheard);
            if !pass(&mut server, &mut client, (state, &state.down), &mut piece, &mut room) {
                return;
            }
            unheard -= before - room;
            continue;
        }
        let ready = {
            let sides = &mut [PollFd::new(&client, PollFlags::IN), PollFd::new(&server, PollFlags::IN)];
            retry_on_intr(|| poll(sides, None)).unwrap();
            [!sides[0].revents().is_empty(), !sides[1].revents().is_empty()]
        };
        if ready[0] && !pass(&mut client, &mut server, (state, &state.up), &mut piece, &mut left) {
            return;
        }
        let before = left;
        if ready[1] && left > 0 {
            if !pass(&mut server, &mut client, (state, &state.down), &mut piece, &mut left) {
                return;
            }
            unheard = unheard.saturating_sub(before - left);
        }
    }
}

/// Carries one piece; whether the connection goes on.
fn pass(
    from: &mut TcpStream,
    to: &mut TcpStream,
    (state, count): (&State, &AtomicU64),
    piece: &mut [u8],
    left: &mut u64,
) -> bool {
    let room = usize::try_from(*left).map_or(piece.len(), |left| left.min(piece.len()));
    match from.read(&mut piece[..room]) {
        Ok(read @ 1..) if to.write_all(&piece[..read]).is_ok() => {
            *left -= read as u64;
            count.fetch_add(read as u64, Ordering::Relaxed);
            let (lock, stirred) = &state.stirred;
            drop(lock.lock().unwrap()); // who waits has looked, or sees it
            stirred.notify_all();
            true
        }
        _ => false,
    }
}
