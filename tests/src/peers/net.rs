//! What lies between servers and clients.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use super::link::{Given, Link, Tried};
use super::{Outcome, Over};

/// The wire of a measurement.
#[derive(Debug)]
pub(super) enum Net {
    /// This machine's own.
    Loopback,
    Link(Box<Link>),
}

impl Net {
    /// As the command line has it.
    pub(super) fn make(given: Option<Given>) -> Outcome<Net> {
        Ok(match given {
            None => Net::Loopback,
            Some(given) => Net::Link(Box::new(Link::up(given)?)),
        })
    }

    /// Where servers listen.
    pub(super) fn host(&self) -> IpAddr {
        match self {
            Net::Loopback => Ipv4Addr::LOCALHOST.into(),
            Net::Link(link) => link.host().into(),
        }
    }

    /// What a link is like before anybody uses it.
    pub(super) fn tried(&self) -> Outcome<Option<Tried>> {
        match self {
            Net::Loopback => Ok(None),
            Net::Link(link) => link.tried().map(Some),
        }
    }

    /// What there is to be told of a link in the end.
    pub(super) fn over(&self, tried: Option<Tried>) -> Outcome<Option<Over>> {
        match (self, tried) {
            (Net::Link(link), Some(tried)) => {
                Ok(Some(Over { given: link.given, tried, carried: link.carried()? }))
            }
            _ => Ok(None),
        }
    }

    /// Starts something that serves.
    pub(super) fn serve<T>(&self, start: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        match self {
            Net::Loopback => start(),
            Net::Link(link) => link.at_servers(start)?,
        }
    }

    /// Runs something that asks.
    pub(super) fn ask<T>(&self, run: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        match self {
            Net::Loopback => run(),
            Net::Link(link) => link.at_clients(run)?,
        }
    }
}

/// A port of `host` that nobody listens at, below those that the system gives to whoever connects (ip(7),
/// `ip_local_port_range`); another one each time.
pub(super) fn free_port(host: IpAddr) -> Outcome<u16> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    for _ in 0..20_000 {
        let number = std::process::id().wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + (number % 20_000) as u16;
        if TcpListener::bind((host, port)).is_ok() {
            return Ok(port);
        }
    }
    Err("no port from 10000 to 29999 is free".into())
}
