//! A way to a server that can be cut or held up after so many bytes: what a bad wire does by chance, at a place that a test
//! chooses.

use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::{DEADLINE, read_once};

/// A way to a server: for one connection that is cut; or for any number, of which the first ones are held up.
#[derive(Debug)]
pub struct Way {
    address: SocketAddr,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Running,
    Held,
    Released,
}

/// What happens after so many bytes in one direction.
#[derive(Clone, Copy, Debug)]
enum Then {
    Cut,
    Hold,
}

/// A direction, and where in it something happens.
#[derive(Clone, Copy, Debug)]
struct Plan {
    up: u64,
    down: u64,
    then: Then,
}

impl Way {
    /// A way that is cut once `bytes` went to the client.
    pub fn cut_down(server: SocketAddr, bytes: u64) -> Way {
        Way::new(server, vec![Plan::cut(u64::MAX, bytes)], 1)
    }

    /// A way that is cut once `bytes` went to the server.
    pub fn cut_up(server: SocketAddr, bytes: u64) -> Way {
        Way::new(server, vec![Plan::cut(bytes, u64::MAX)], 1)
    }

    /// A way on whose first connection nothing more goes to the client after `bytes`, until [`release`](Way::release).
    pub fn hold_down(server: SocketAddr, bytes: u64) -> Way {
        Way::hold_each_down(server, [bytes])
    }

    /// A way on whose first connection nothing more goes to the server after `bytes`, until [`release`](Way::release).
    pub fn hold_up(server: SocketAddr, bytes: u64) -> Way {
        Way::hold_each_up(server, [bytes])
    }

    /// As [`hold_down`](Way::hold_down), with so many bytes for each of the first connections.
    pub fn hold_each_down(server: SocketAddr, bytes: impl IntoIterator<Item = u64>) -> Way {
        Way::new(server, bytes.into_iter().map(|bytes| Plan::hold(u64::MAX, bytes)).collect(), usize::MAX)
    }

    /// As [`hold_up`](Way::hold_up), with so many bytes for each of the first connections.
    pub fn hold_each_up(server: SocketAddr, bytes: impl IntoIterator<Item = u64>) -> Way {
        Way::new(server, bytes.into_iter().map(|bytes| Plan::hold(bytes, u64::MAX)).collect(), usize::MAX)
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until so many bytes went by that the rest is held up.
    #[track_caller]
    pub fn wait_until_held(&self) {
        let state = self.gate.state.lock().unwrap();
        let running = |state: &mut State| *state == State::Running;
        let (state, waited) = self.gate.changed.wait_timeout_while(state, DEADLINE, running).unwrap();
        drop(state);
        assert!(!waited.timed_out(), "fewer bytes than that came by");
    }

    /// Lets the rest go by.
    pub fn release(&self) {
        self.gate.set(State::Released);
    }

    /// A way for at most so many connections.
    fn new(server: SocketAddr, plans: Vec<Plan>, most: usize) -> Way {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Arc::new(Gate::default());
        let kept = gate.clone();
        thread::spawn(move || {
            let mut plans = plans.into_iter();
            for client in listener.incoming().take(most) {
                let plan = plans.next().unwrap_or(Plan::hold(u64::MAX, u64::MAX));
                let client = client.unwrap();
                // It may be down at the moment; then the client hears that.
                let Ok(server) = TcpStream::connect(server) else { continue };
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                for (sides, left, down) in [((from, to), plan.up, false), ((server, client), plan.down, true)]
                {
                    let gate = kept.clone();
                    thread::spawn(move || carry(sides, left, down, plan.then, &gate));
                }
            }
        });
        Way { address, gate }
    }
}

impl Plan {
    fn cut(up: u64, down: u64) -> Plan {
        Plan { up, down, then: Then::Cut }
    }

    fn hold(up: u64, down: u64) -> Plan {
        Plan { up, down, then: Then::Hold }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.release();
    }
}

impl Gate {
    fn set(&self, state: State) {
        *self.state.lock().unwrap() = state;
        self.changed.notify_all();
    }

    fn hold(&self) {
        let mut state = self.state.lock().unwrap();
        if *state == State::Running {
            *state = State::Held;
            self.changed.notify_all();
        }
        drop(self.changed.wait_while(state, |state| *state != State::Released));
    }
}

/// Carries bytes until either side is closed, then closes both, but for a server that has said its last word `down`: it still hears
/// the client. After the first `left`, something happens.
fn carry((mut from, mut to): (TcpStream, TcpStream), mut left: u64, down: bool, then: Then, gate: &Gate) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        if left == 0 {
            match then {
                Then::Cut => break,
                Then::Hold => gate.hold(),
            }
            left = u64::MAX;
        }
        let room = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
        match read_once(&mut from, &mut piece[..room]) {
            Ok(0) if down => return drop(to.shutdown(Shutdown::Write)),
            Ok(read @ 1..) if to.write_all(&piece[..read]).is_ok() => left -= read as u64,
            _ => break,
        }
    }
    for side in [from, to] {
        drop(side.shutdown(Shutdown::Both)); // it may be closed already
    }
}
