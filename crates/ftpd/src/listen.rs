//! Listening: addresses bound, connections accepted, each admitted or turned away.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::native::{self, Door};

/// Connections that hear at the same time that there is no place for them; others beyond are just closed.
const TURNED_AWAY: usize = 64;

/// How long to leave the system alone when it cannot accept: it lacks descriptors or memory, which sessions that end give back.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Connections that make room when the system has no more descriptors, if nobody is logged in on them.
const ROOM: usize = 16;

/// How long to leave them for it.
const CLOSING: Duration = Duration::from_millis(5);

/// Binds one address, for a runtime that starts later to listen on.
pub(crate) fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let bound = std::net::TcpListener::bind(address)?;
    bound.set_nonblocking(true)?;
    Ok(bound)
}

/// Accepts connections until the server ends; their sessions are counted by `sessions`.
pub(crate) async fn accept(listener: TcpListener, door: Arc<Door>, sessions: TaskTracker) {
    let turning_away = Arc::new(Semaphore::new(TURNED_AWAY));
    let mut ending = door.ending.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ending.begins() => return,
        };
        match accepted {
            Ok((tcp, peer)) => begin(tcp, peer, &door, &sessions, &turning_away),
            Err(error) => {
                let exhausted = matches!(Errno::from_io_error(&error), Some(Errno::MFILE | Errno::NFILE));
                if exhausted && door.core.make_room(ROOM) > 0 {
                    sleep(CLOSING).await;
                } else {
                    warn!(%error, "cannot accept a connection");
                    sleep(EXHAUSTED).await;
                }
            }
        }
    }
}

fn begin(
    tcp: TcpStream,
    peer: SocketAddr,
    door: &Arc<Door>,
    sessions: &TaskTracker,
    turning_away: &Arc<Semaphore>,
) {
    // A reply must not wait for the acknowledgement of the one before (Nagle).
    if tcp.set_nodelay(true).is_err() {
        return; // gone already
    }
    match door.core.arrive(peer.ip()) {
        Ok(guest) => {
            sessions.spawn(native::serve(tcp, peer, door.clone(), guest));
        }
        Err(refusal) => {
            info!(from = %peer, reason = %refusal, "turned away");
            if let Ok(place) = turning_away.clone().try_acquire_owned() {
                let door = door.clone();
                sessions.spawn(async move {
                    native::turn_away(tcp, peer, &door, &refusal).await;
                    drop(place);
                });
            }
        }
    }
}
