//! A link with delay, a rate and loss between servers and clients, made of what every kernel has: two networks, a TUN device in
//! each, and threads that carry packets from one to the other.
//!
//! [`given`] says what it is to be like, [`lane`] is the model of one direction, [`carry`] does what the model says, and
//! [`tried`] measures whether it is so.

mod carry;
mod given;
mod lane;
mod space;
mod tried;

use std::fmt::{self, Display, Formatter};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::Ordering;

use rustix::process::geteuid;

use super::Outcome;
use super::with::program;
use carry::Carriers;
pub(super) use given::Given;
use lane::Lane;
use space::Space;
pub(super) use tried::Tried;

/// Of the range that is set aside for measurements (RFC 2544, appendix C.2.2).
const SERVERS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const CLIENTS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
/// The same packets are lost in every run, as far as they are the same packets.
const SEEDS: [u64; 2] = [1, 2];
/// Programs that it needs beside those that are measured.
const PROGRAMS: [(&str, &str); 2] = [("ip", "iproute2"), ("unshare", "util-linux")];

/// A link with a network at each end, gone when dropped.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) given: Given,
    carriers: Carriers,
    servers: Space,
    clients: Space,
}

impl Link {
    /// Makes one, where that is [`possible`].
    pub(super) fn up(given: Given) -> Outcome<Link> {
        let (servers, clients) = (Space::fresh()?, Space::fresh()?);
        let ends = [servers.device(SERVERS)?, clients.device(CLIENTS)?];
        let carriers = Carriers::start(ends, SEEDS.map(|seed| Lane::new(given, seed)))?;
        Ok(Link { given, carriers, servers, clients })
    }

    /// Where servers listen.
    pub(super) fn host(&self) -> Ipv4Addr {
        SERVERS
    }

    /// Does something among the servers.
    pub(super) fn at_servers<T>(&self, work: impl FnOnce() -> T) -> Outcome<T> {
        self.servers.within(work)
    }

    /// Does something among the clients.
    pub(super) fn at_clients<T>(&self, work: impl FnOnce() -> T) -> Outcome<T> {
        self.clients.within(work)
    }

    /// What it is like.
    pub(super) fn tried(&self) -> Outcome<Tried> {
        Tried::on(self)
    }

    /// What became of packets so far.
    pub(super) fn carried(&self) -> Outcome<Carried> {
        let counts = &self.carriers.counts;
        let [carried, full, lost, late] = [&counts.carried, &counts.full, &counts.lost, &counts.late]
            .map(|count| count.load(Ordering::Relaxed));
        let overrun = self.servers.overrun()? + self.clients.overrun()?;
        Ok(Carried { carried, full, lost, late, overrun })
    }
}

/// What became of all packets, both ways.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried {
    pub(super) carried: u64,
    /// Found the queue full.
    pub(super) full: u64,
    /// Were lost on the wire.
    pub(super) lost: u64,
    /// Arrived more than a millisecond after their time, because this machine had other things to do.
    pub(super) late: u64,
    /// Were not even taken: the machine is too slow for such a link.
    pub(super) overrun: u64,
}

impl Display for Carried {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Carried { carried, full, lost, late, overrun } = self;
        write!(
            f,
            "{carried} packets carried ({late} over 1 ms late), {lost} lost, {full} found the queue full"
        )?;
        if *overrun > 0 {
            write!(f, ", {overrun} came faster than this machine could take them: take a lower rate")?;
        }
        Ok(())
    }
}

/// Whether this user can make one here; if not, what to do.
pub(super) fn possible() -> Outcome<()> {
    const TUN: &str = "/dev/net/tun";
    if !geteuid().is_root() {
        return Err("--link makes networks and devices of its own, which only root may. Run it as root: \
                    sudo env \"PATH=$PATH\" cargo peers …"
            .into());
    }
    if !Path::new(TUN).exists() {
        return Err(format!(
            "--link needs {TUN}, which is not there. Load the module (modprobe tun), or give it to the container \
             (--device {TUN} --cap-add NET_ADMIN --cap-add SYS_ADMIN)."
        )
        .into());
    }
    for (name, package) in PROGRAMS {
        if program(name).is_none() {
            return Err(format!("--link needs {name}, which is not installed: it is in {package}").into());
        }
    }
    Ok(())
}
