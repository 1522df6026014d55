//! Addresses to listen on: whether they can be had now.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::Finding;

/// A finding for each address. All are held until the last is tested, since one can be in the way of another.
pub(super) fn all(addresses: &[SocketAddr], tls: bool) -> Vec<Finding> {
    let bound: Vec<_> = addresses.iter().map(|address| (address, TcpListener::bind(address))).collect();
    bound.iter().map(|(address, bound)| finding(address, tls, bound.as_ref().err())).collect()
}

fn finding(address: &SocketAddr, tls: bool, error: Option<&io::Error>) -> Finding {
    let Some(error) = error else {
        return match address.ip().is_loopback() {
            _ if tls => Finding::ok(format!("native: {address}, TLS")),
            true => Finding::ok(format!("native: {address}, plain, from this machine only")),
            false => Finding::warning(format!(
                "native: {address} is plain: passwords and files can be read on the way. \
                 keep it to a wire that you trust, or listen on 127.0.0.1:{}",
                address.port()
            )),
        };
    };
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "end what listens there (a running ftpd, perhaps), or choose another port".into()
        }
        io::ErrorKind::AddrNotAvailable => "choose an address of this machine: ip address".into(),
        io::ErrorKind::PermissionDenied => "choose a port from 1024 on".into(),
        _ => format!("choose another address than {}", address.ip()),
    };
    Finding::problem(format!("native: {address}: {error}. {remedy}"))
}
