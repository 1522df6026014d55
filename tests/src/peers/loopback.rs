//! Where servers listen.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use super::Outcome;

/// This machine.
pub(super) const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A port that nobody listens at, below those that the system gives to whoever connects (ip(7), `ip_local_port_range`);
/// another one each time.
pub(super) fn free_port() -> Outcome<u16> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    for _ in 0..20_000 {
        let number = std::process::id().wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + (number % 20_000) as u16;
        if TcpListener::bind((HOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err("no port from 10000 to 29999 is free".into())
}
