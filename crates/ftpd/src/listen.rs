//! Listening: addresses bound, connections accepted, each admitted to its door or turned away.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proto::io::tcp;
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::core::{Core, Guest, Refusal};
use crate::ending::Ending;
use crate::{classic, native};

/// Connections that hear at the same time that there is no place for them; others beyond are just closed.
const TURNED_AWAY: usize = 64;

/// How long to leave the system alone when it cannot accept: it lacks descriptors or memory, which sessions that end give back.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Connections that make room when the system has no more descriptors, if nobody is logged in on them.
const ROOM: usize = 16;

/// How long to leave them for it.
const CLOSING: Duration = Duration::from_millis(5);

/// What is behind a listener.
#[derive(Clone, Debug)]
pub(crate) enum Door {
    Native(Arc<native::Door>),
    Classic(Arc<classic::Door>),
    /// The classic one, where connections begin with a handshake.
    Implicit(Arc<classic::Door>),
}

impl Door {
    fn core(&self) -> &Arc<Core> {
        match self {
            Door::Native(door) => &door.core,
            Door::Classic(door) | Door::Implicit(door) => door.core(),
        }
    }

    fn ending(&self) -> Ending {
        match self {
            Door::Native(door) => door.ending.clone(),
            Door::Classic(door) | Door::Implicit(door) => door.ending().clone(),
        }
    }

    async fn serve(self, tcp: TcpStream, peer: SocketAddr, guest: Guest) {
        match self {
            Door::Native(door) => native::serve(tcp, peer, door, guest).await,
            Door::Classic(door) => classic::serve(tcp, peer, door, guest, false).await,
            Door::Implicit(door) => classic::serve(tcp, peer, door, guest, true).await,
        }
    }

    async fn turn_away(&self, tcp: TcpStream, peer: SocketAddr, refusal: &Refusal) {
        match self {
            Door::Native(door) => native::turn_away(tcp, peer, door, refusal).await,
            Door::Classic(door) => classic::turn_away(tcp, peer, door, refusal, false).await,
            Door::Implicit(door) => classic::turn_away(tcp, peer, door, refusal, true).await,
        }
    }
}

/// Binds one address, for a runtime that starts later to listen on.
pub(crate) fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let bound = std::net::TcpListener::bind(address)?;
    bound.set_nonblocking(true)?;
    Ok(bound)
}

/// Accepts connections until the server ends; their sessions are counted by `sessions`.
pub(crate) async fn accept(listener: TcpListener, door: Door, sessions: TaskTracker) {
    let turning_away = Arc::new(Semaphore::new(TURNED_AWAY));
    let mut ending = door.ending();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ending.begins() => return,
        };
        match accepted {
            Ok((tcp, peer)) => begin(tcp, peer, &door, &sessions, &turning_away),
            Err(error) => {
                let exhausted = matches!(Errno::from_io_error(&error), Some(Errno::MFILE | Errno::NFILE));
                if exhausted && door.core().make_room(ROOM) > 0 {
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
    stream: TcpStream,
    peer: SocketAddr,
    door: &Door,
    sessions: &TaskTracker,
    turning_away: &Arc<Semaphore>,
) {
    if tcp::prepare(&stream).is_err() {
        return; // gone already
    }
    match door.core().arrive(peer.ip()) {
        Ok(guest) => {
            sessions.spawn(door.clone().serve(stream, peer, guest));
        }
        Err(refusal) => {
            info!(from = %peer, reason = %refusal, "turned away");
            if let Ok(place) = turning_away.clone().try_acquire_owned() {
                let door = door.clone();
                sessions.spawn(async move {
                    door.turn_away(stream, peer, &refusal).await;
                    drop(place);
                });
            }
        }
    }
}
