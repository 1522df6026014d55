//! Carries packets from one end of the link to the other, each at its time.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::process::setpriority_process;
use tun_rs::SyncDevice;

use super::lane::{Fate, Lane};
use super::space::MTU;
use crate::peers::Outcome;

/// A packet that arrives this much after its time is told of.
const LATE: Duration = Duration::from_millis(1);

/// What became of all packets, both ways.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) carried: AtomicU64,
    pub(super) full: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) late: AtomicU64,
}

/// Those who carry, until dropped.
#[derive(Debug)]
pub(super) struct Carriers {
    stop: Arc<OwnedFd>,
    threads: Vec<JoinHandle<()>>,
    pub(super) counts: Arc<Counts>,
}

type Packet = (Instant, Vec<u8>);

impl Carriers {
    /// Carries from each of both ends to the other, on a lane for each way.
    pub(super) fn start(ends: [SyncDevice; 2], lanes: [Lane; 2]) -> Outcome<Carriers> {
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let counts = Arc::new(Counts::default());
        let mut threads = Vec::new();
        let [one, other] = ends.map(Arc::new);
        let ways = [(one.clone(), other.clone()), (other, one)];
        for ((from, to), lane) in ways.into_iter().zip(lanes) {
            let (sender, receiver) = channel();
            let taking = (stop.clone(), counts.clone());
            threads.push(thread::spawn(move || {
                hurry();
                // A device that cannot be read any more is a link that is cut: whoever uses it sees that.
                drop(take(&from, lane, &sender, &taking.0, &taking.1));
            }));
            let counts = counts.clone();
            threads.push(thread::spawn(move || {
                hurry();
                give(&to, &receiver, &counts);
            }));
        }
        Ok(Carriers { stop, threads, counts })
    }
}

impl Drop for Carriers {
    fn drop(&mut self) {
        rustix::io::write(&*self.stop, &1u64.to_ne_bytes()).expect("a counter of 0 takes a 1");
        for thread in self.threads.drain(..) {
            drop(thread.join()); // what it might have panicked with was told
        }
    }
}

/// The wire does not wait for those who use it.
fn hurry() {
    setpriority_process(None, -20).ok(); // of this thread alone, on Linux; without, it is only less exact
}

fn take(
    from: &SyncDevice,
    mut lane: Lane,
    to: &Sender<Packet>,
    stop: &OwnedFd,
    counts: &Counts,
) -> io::Result<()> {
    let mut buffer = [0; MTU];
    loop {
        let len = match from.recv(&mut buffer) {
            Ok(len) => len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let mut awaited = [PollFd::new(from, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
                match poll(&mut awaited, None) {
                    Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                    Ok(_) if !awaited[1].revents().is_empty() => return Ok(()),
                    Ok(_) => {}
                }
                continue;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let count = match lane.take(Instant::now(), len) {
            Fate::Arrives(due) => {
                if to.send((due, buffer[..len].to_vec())).is_err() {
                    return Ok(());
                }
                continue;
            }
            Fate::Full => &counts.full,
            Fate::Lost => &counts.lost,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn give(to: &SyncDevice, from: &Receiver<Packet>, counts: &Counts) {
    while let Ok((due, packet)) = from.recv() {
        let now = Instant::now();
        match due.checked_duration_since(now) {
            Some(early) => thread::sleep(early), // the delay is what this is for
            None if now - due > LATE => drop(counts.late.fetch_add(1, Ordering::Relaxed)),
            None => {}
        }
        match to.send(&packet) {
            Ok(_) => &counts.carried,
            Err(_) => &counts.lost, // the far end has no memory for it
        }
        .fetch_add(1, Ordering::Relaxed);
    }
}
