//! Ports for passive data connections: a small range that a firewall can let through, or any that is free.

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
    range: Option<RangeInclusive<u16>>,
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
    /// Of the ports in `range`; without one, of all.
    pub(super) fn new(range: Option<RangeInclusive<u16>>) -> Arc<Pool> {
        let next = range.as_ref().map_or(0, |range| *range.start());
        Arc::new(Pool { range, table: Mutex::new(Table { taken: BTreeSet::new(), next }) })
    }

    /// Listens at `address`; at most once at each port.
    pub(super) fn listen(self: &Arc<Pool>, address: IpAddr) -> io::Result<(TcpListener, Option<Lease>)> {
        let Some(range) = &self.range else { return Ok((listen(SocketAddr::new(address, 0))?, None)) };
        let mut failure = io::Error::other("every passive port is in use");
        for _ in range.clone() {
            let Some(lease) = self.lease(range) else { break };
            match listen(SocketAddr::new(address, lease.port)) {
                Ok(listener) => return Ok((listener, Some(lease))),
                Err(error) => failure = error, // somebody else has it
            }
        }
        Err(failure)
    }

    /// The next port that nobody has.
    fn lease(self: &Arc<Pool>, range: &RangeInclusive<u16>) -> Option<Lease> {
        let mut table = self.table();
        let (low, high) = (*range.start(), *range.end());
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
        let pool = Pool::new(Some(range.clone()));
        let mut leases: Vec<Lease> = (0..3).map(|_| pool.lease(&range).unwrap()).collect();
        assert_eq!(leases.iter().map(|lease| lease.port).collect::<Vec<_>>(), [40_001, 40_002, 40_003]);
        assert!(pool.lease(&range).is_none());
        drop(leases.remove(1));
        assert_eq!(pool.lease(&range).unwrap().port, 40_002);
    }

    #[tokio::test]
    async fn a_port_that_another_program_has_is_passed_over() {
        let other = std::net::TcpListener::bind((LOOPBACK, 0)).unwrap();
        let port = other.local_addr().unwrap().port();
        assert!(Pool::new(Some(port..=port)).listen(LOOPBACK).is_err());
        let (free, lease) = Pool::new(None).listen(LOOPBACK).unwrap();
        assert!(free.local_addr().unwrap().port() > 0 && lease.is_none());
    }
}
