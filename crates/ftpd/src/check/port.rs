//! Addresses to listen on: whether they can be had now.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::ops::RangeInclusive;

use super::Finding;
use crate::config::{Config, Demand};

/// Passive ports that a few clients at once use up, since each of their connections keeps one for a while.
const FEW: usize = 4;

/// One address and what speaks there.
struct Listener {
    address: SocketAddr,
    door: &'static str,
    tls: Security,
}

/// What protects passwords and files on the way.
#[derive(Clone, Copy)]
enum Security {
    /// TLS, as said here.
    Tls(&'static str),
    /// TLS for those who like.
    Offered,
    Plain,
}

/// A finding for each address, and for too few ports. All are held until the last is tested, since one can be in the way of
/// another.
pub(super) fn all(config: &Config) -> Vec<Finding> {
    let native = if config.native.tls { Security::Tls("TLS") } else { Security::Plain };
    let listener = |door, tls| move |&address: &SocketAddr| Listener { address, door, tls };
    let mut listeners: Vec<Listener> = config.native.listen.iter().map(listener("native", native)).collect();
    if let Some(classic) = &config.classic {
        let explicit = match classic.tls {
            Demand::Required => Security::Tls("TLS required"),
            Demand::Offered => Security::Offered,
        };
        listeners.extend(classic.listen.iter().map(listener("classic", explicit)));
        listeners.extend(
            classic.implicit.iter().map(listener("classic", Security::Tls("TLS from the first byte"))),
        );
    }
    let bound: Vec<_> =
        listeners.iter().map(|listener| (listener, TcpListener::bind(listener.address))).collect();
    let ports = config.classic.as_ref().map(|classic| &classic.passive_ports);
    bound
        .iter()
        .map(|(listener, bound)| finding(listener, bound.as_ref().err()))
        .chain(ports.and_then(few))
        .collect()
}

fn few(ports: &RangeInclusive<u16>) -> Option<Finding> {
    let clients = match ports.len() {
        1 => "one client uses it".into(),
        ports if ports < FEW => format!("{ports} clients use them"),
        _ => return None,
    };
    Some(Finding::warning(format!(
        "classic: passive_ports: {clients} up, and others have to wait. name {FEW} or more, such as \"2122-2141\""
    )))
}

fn finding(listener: &Listener, error: Option<&io::Error>) -> Finding {
    let Listener { address, door, tls } = listener;
    let Some(error) = error else {
        let loopback = address.ip().is_loopback();
        return match tls {
            Security::Tls(how) => Finding::ok(format!("{door}: {address}, {how}")),
            Security::Plain if loopback => {
                Finding::ok(format!("{door}: {address}, plain, from this machine only"))
            }
            Security::Plain => Finding::warning(format!(
                "{door}: {address} is plain: passwords and files can be read on the way. \
                 keep it to a wire that you trust, or listen on 127.0.0.1:{}",
                address.port()
            )),
            Security::Offered if loopback => {
                Finding::ok(format!("{door}: {address}, TLS offered, from this machine only"))
            }
            Security::Offered => Finding::warning(format!(
                "{door}: {address} only offers TLS: passwords and files of who goes without can be read on the way. \
                 write tls = \"required\", or keep it to a wire that you trust"
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
    Finding::problem(format!("{door}: {address}: {error}. {remedy}"))
}
