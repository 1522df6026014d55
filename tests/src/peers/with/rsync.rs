//! rsync with its own server, which asks nobody for a password.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;

use rustix::process::geteuid;

use super::{Job, Peer, Program, Started};
use crate::peers::net::free_port;
use crate::peers::place::Place;
use crate::peers::run::Daemon;
use crate::peers::{Outcome, Way};

/// Whole files: there is nothing to compare them with.
pub(super) const OPTIONS: &str = "-rW";

#[derive(Debug)]
struct Rsync {
    _server: Daemon,
    address: SocketAddr,
    program: Program,
}

pub(super) fn start(place: &Place, host: IpAddr) -> Outcome<Started> {
    let port = free_port(host)?;
    let configuration = place.told().join(format!("rsyncd-{port}.conf"));
    let user = if geteuid().is_root() { "uid = root\ngid = root\n" } else { "" };
    let lines = format!(
        "address = {}\nport = {port}\nuse chroot = no\nreverse lookup = no\nlog file = {}\n[served]\npath = {}\nread only = no\n{user}",
        host,
        place.told().join(format!("rsyncd-{port}.log")).display(),
        place.served().display()
    );
    fs::write(&configuration, lines)?;
    let mut server = Program::find("rsync", place)?.server();
    server.args(["--daemon", "--no-detach", "--config"]).arg(configuration);
    let server = Daemon::start("rsync", server, port, &place.told())?;
    let program = Program::find("rsync", place)?;
    Ok(Started::Peer(Box::new(Rsync { _server: server, address: SocketAddr::new(host, port), program })))
}

impl Peer for Rsync {
    fn command(&self, job: Job) -> Option<Command> {
        let url = format!("rsync://{}/served/{}", self.address, job.remote);
        let mut command = self.program.command();
        command.arg(OPTIONS).args(ends(job, &url));
        Some(command)
    }
}

/// From where to where; of a tree, what lies in it and not the tree itself.
pub(super) fn ends(job: Job, remote: &str) -> [String; 2] {
    let local = job.local.display().to_string();
    let inside = if job.tree { "/" } else { "" };
    match job.way {
        Way::Get => [format!("{remote}{inside}"), local],
        Way::Put => [format!("{local}{inside}"), remote.to_owned()],
    }
}
