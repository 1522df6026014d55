//! `[classic]`: the door for clients of RFC 959, and how it is read.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

use super::table::{Key, Table, Value};
use super::{Mistake, Native, Problem};

const LISTEN: Key = Key(r#"listen = ["127.0.0.1:2121"]"#);
const IMPLICIT: Key = Key(r#"implicit = ["127.0.0.1:2990"]"#);
const PASSIVE_PORTS: Key = Key(r#"passive_ports = "2122-2141""#);
const EXTERNAL: Key = Key(r#"external = "203.0.113.7""#);
const TLS: Key = Key(r#"tls = "required""#);
const RESUMPTION: Key = Key(r#"resumption = "offered""#);
const LENIENT_EOF: Key = Key("lenient_eof = false");

/// Where passive data connections arrive unless something else is said: not any port that is free, for which the system looks the
/// longer the more connections have just ended, and above those that Linux gives to connections that ask for none
/// (ip_local_port_range).
const FREE: RangeInclusive<u16> = 61_000..=61_199;

/// The classic door: FTP (RFC 959) and FTPS (RFC 4217). It listens somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classic {
    /// `listen`: where sessions begin in the clear, none twice; port 0 lets the system choose.
    pub listen: Vec<SocketAddr>,
    /// `implicit`: where they begin with a handshake; none by default.
    pub implicit: Vec<SocketAddr>,
    /// `passive_ports`: where passive data connections arrive, none of them a port that a door listens on; 61000 to 61199
    /// by default.
    pub passive_ports: RangeInclusive<u16>,
    /// `external`: the address that PASV tells, where clients know the server by another than its own (NAT).
    pub external: Option<Ipv4Addr>,
    /// `tls`: whether passwords are taken only in TLS, loopback aside; required by default.
    pub tls: Demand,
    /// `resumption`: whether data connections must resume the TLS session of their control connection, which is one of TLS 1.2
    /// then, because clients cannot do so more than a few times in TLS 1.3; offered by default.
    pub resumption: Demand,
    /// `lenient_eof`: whether an upload is whole though its TLS connection ended without close_notify; false by default.
    pub lenient_eof: bool,
}

/// How much the server insists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Peers do it or are refused.
    Required,
    /// Peers do as they like.
    Offered,
}

/// The section, if it is there; `native` says what is listened on already.
pub(super) fn read(top: &Table<'_>, native: &Native) -> Result<Option<Classic>, Problem> {
    let Some(section) = top.section("classic") else { return Ok(None) };
    let table = section.table("[classic]".into(), "[classic]")?;
    table.knows(&[LISTEN, IMPLICIT, PASSIVE_PORTS, EXTERNAL, TLS, RESUMPTION, LENIENT_EOF], &[])?;
    let mut taken = native.listen.clone();
    let mut listen = Vec::new();
    if table.get(IMPLICIT).is_none() || table.get(LISTEN).is_some() {
        listen = addresses(table.require(LISTEN)?, &taken)?;
        taken.extend(&listen);
    }
    let implicit = table.get(IMPLICIT).map_or(Ok(Vec::new()), |value| addresses(value, &taken))?;
    taken.extend(&implicit);
    let passive_ports = table.get(PASSIVE_PORTS).map_or(Ok(FREE), |value| ports(value, &taken))?;
    let external = |text: &str| text.parse().ok().filter(is_somebodys);
    let demand = |key, default| {
        table.get(key).map_or(Ok(default), |value| value.parse("\"required\" or \"offered\"", named))
    };
    Ok(Some(Classic {
        listen,
        implicit,
        passive_ports,
        external: table
            .get(EXTERNAL)
            .map(|value| value.parse("the IPv4 address that clients connect to", external))
            .transpose()?,
        tls: demand(TLS, Demand::Required)?,
        resumption: demand(RESUMPTION, Demand::Offered)?,
        lenient_eof: table.get(LENIENT_EOF).map_or(Ok(false), Value::flag)?,
    }))
}

/// Addresses to listen on, none of them `taken`.
pub(super) fn addresses(value: Value<'_>, taken: &[SocketAddr]) -> Result<Vec<SocketAddr>, Problem> {
    let any = |address: &SocketAddr| address.port() == 0; // each of these is another port
    value.list("addresses with ports", |text| text.parse().ok(), taken, any)
}

/// One port, or a range of them, in which nobody listens.
fn ports(value: Value<'_>, listeners: &[SocketAddr]) -> Result<RangeInclusive<u16>, Problem> {
    let port = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()); // a number's parser takes a sign, too
        text.parse::<u16>().ok().filter(|port| plain && *port > 0)
    };
    let range = |text: &str| {
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        Some(port(low)?..=port(high)?).filter(|range| !range.is_empty())
    };
    let range = value.parse("a port or a range of ports, in quotes, the lowest first", range)?;
    match listeners.iter().find(|listener| range.contains(&listener.port())) {
        Some(listener) => Err(value.problem(Mistake::Listener(*listener))),
        None => Ok(range),
    }
}

/// Whether a client could connect to it at all.
fn is_somebodys(address: &Ipv4Addr) -> bool {
    !(address.is_unspecified() || address.is_broadcast() || address.is_multicast())
}

fn named(name: &str) -> Option<Demand> {
    match name {
        "required" => Some(Demand::Required),
        "offered" => Some(Demand::Offered),
        _ => None,
    }
}
