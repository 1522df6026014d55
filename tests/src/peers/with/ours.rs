//! Ours: `ftpd` with everything as it is by default (blocks verified, uploads durable), and `ftp`.

use std::net::{IpAddr, SocketAddr};
use std::process::Command;

use super::{ENDS_WITH_US, Job, Peer, Started};
use crate::peers::place::Place;
use crate::peers::{Outcome, Way};
use crate::{ALICE, Server};

#[derive(Debug)]
struct Ours {
    server: Server,
    tls: bool,
}

pub(super) fn start(place: &Place, host: IpAddr, tls: bool) -> Outcome<Started> {
    let builder = Server::builder().beneath(place.root()).home(ALICE, &place.served()).dear();
    let builder = builder.launched_by(&ENDS_WITH_US).listen(SocketAddr::new(host, 0));
    // More come from one address than usual.
    let builder = builder.limit("sessions_per_address = 1000");
    let server = if tls { builder.tls() } else { builder }.start();
    Ok(Started::Peer(Box::new(Ours { server, tls })))
}

impl Peer for Ours {
    fn command(&self, job: Job) -> Option<Command> {
        let local = job.local.to_str()?;
        let (verb, from, to) = match job.way {
            Way::Get => ("get", job.remote, local),
            Way::Put => ("put", local, job.remote),
        };
        let mut client = self.server.client(ALICE).option("--quiet");
        if self.tls {
            client = client.option("--trust").option("new"); // nobody is asked about a key that was made just now
        }
        let client = client.args([verb].into_iter().chain(job.tree.then_some("-r")).chain([from, to]));
        Some(client.command())
    }
}
