//! Ports for passive data connections: a small range, which a firewall can let through.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait at a port: its client's, and strangers'.
const BACKLOG: u32 = 8;

/// The ports of a door.
#[derive(Debug)]
pub(super) struct Pool {
    range: RangeInclusive<u16>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    taken: BTreeSet<u16>,
    /// Where to look first: a port rests for as long as the others last.
    next: u16,
}

/// A port that is in use; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    port: u16,
}

impl Pool {
    /// Of the ports in `range`.
    pub(super) fn new(range: RangeInclusive<u16>) -> Arc<Pool> {
        let table = Mutex::new(Table { taken: BTreeSet::new(), next: *range.start() });
        Arc::new(Pool { range, table })
    }

    /// Listens at `address`; at most once at each port.
    pub(super) fn listen(self: &Arc<Pool>, address: IpAddr) -> io::Result<(TcpListener, Lease)> {
        let mut failure = io::Error::other("every passive port is in use");
        for _ in self.range.clone() {
            let Some(lease) = self.lease() else { break };
            match listen(SocketAddr::new(address, lease.port)) {
                Ok(listener) => return Ok((listener, lease)),
                Err(error) => failure = error, // somebody else has it
            }
        }
        Err(failure)
    }

    /// The next port that nobody has.
    fn lease(self: &Arc<Pool>) -> Option<Lease> {
        let mut table = self.table();
        let (low, high) = (*self.range.start(), *self.range.end());
        let port = (table.next..=high).chain(low..table.next).find(|port| !table.taken.contains(port))?;
        table.taken.insert(port);
        table.next = if port == high { low } else { port + 1 };
        Some(Lease { pool: self.clone(), port })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.table().taken.remove(&self.port);
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?; // connections of before may linger
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn each_port_is_given_once_and_comes_back() {
        let range = 40_001..=40_003;
        let pool = Pool::new(range);
        let mut leases: Vec<Lease> = (0..3).map(|_| pool.lease().unwrap()).collect();
        assert_eq!(leases.iter().map(|lease| lease.port).collect::<Vec<_>>(), [40_001, 40_002, 40_003]);
        assert!(pool.lease().is_none());
        drop(leases.remove(1));
        assert_eq!(pool.lease().unwrap().port, 40_002);
    }

    #[tokio::test]
    async fn a_port_that_another_program_has_is_passed_over() {
        let other = std::net::TcpListener::bind((LOOPBACK, 0)).unwrap();
        let port = other.local_addr().unwrap().port();
        assert!(Pool::new(port..=port).listen(LOOPBACK).is_err());
        let (listener, _lease) = Pool::new(port..=port + 9).listen(LOOPBACK).unwrap();
        assert!((port + 1..=port + 9).contains(&listener.local_addr().unwrap().port()));
    }
}
