//! vsftpd, which lets everybody in, with lftp or curl.

use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::{fs, io};

use rustix::process::geteuid;

use super::{Job, Peer, Program, Started};
use crate::peers::net::free_port;
use crate::peers::place::Place;
use crate::peers::run::Daemon;
use crate::peers::{Outcome, Way};

/// Files of a tree that lftp moves at once.
const PARALLEL: u32 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Lftp,
    Curl,
}

#[derive(Debug)]
struct Vsftpd {
    _server: Daemon,
    address: SocketAddr,
    client: Client,
    program: Program,
}

pub(super) fn start(place: &Place, host: IpAddr, client: Client) -> Outcome<Started> {
    if !geteuid().is_root() {
        return Ok(Started::LeftOut("vsftpd changes its user: measure as root to have it".into()));
    }
    let port = free_port(host)?;
    let empty = place.told().join("empty"); // where its processes without rights are confined to
    match fs::create_dir(&empty) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let configuration = place.told().join(format!("vsftpd-{port}.conf"));
    let lines = format!(
        "listen=YES\nlisten_address={}\nlisten_port={port}\nbackground=NO\nanonymous_enable=YES\nno_anon_password=YES\n\
         anon_root={}\nwrite_enable=YES\nanon_upload_enable=YES\nanon_mkdir_write_enable=YES\n\
         anon_other_write_enable=YES\nanon_umask=022\nsecure_chroot_dir={}\nseccomp_sandbox=NO\nuse_sendfile=YES\n\
         xferlog_enable=NO\nmax_clients=0\nmax_per_ip=0\n",
        host,
        place.served().display(),
        empty.display()
    );
    fs::write(&configuration, lines)?;
    let mut server = Program::find("vsftpd", place)?.server();
    server.arg(configuration);
    let server = Daemon::start("vsftpd", server, port, &place.told())?;
    let program = match client {
        Client::Lftp => Program::find("lftp", place)?,
        Client::Curl => Program::find("curl", place)?,
    };
    let address = SocketAddr::new(host, port);
    Ok(Started::Peer(Box::new(Vsftpd { _server: server, address, client, program })))
}

impl Peer for Vsftpd {
    fn command(&self, job: Job) -> Option<Command> {
        let (address, remote, local) = (self.address, job.remote, job.local.display());
        let mut command = self.program.command();
        match (self.client, job.way, job.tree) {
            (Client::Curl, _, true) => return None,
            (Client::Curl, Way::Get, false) => {
                command.args(["-sSf", "-o"]).arg(job.local).arg(format!("ftp://{address}/{remote}"));
            }
            (Client::Curl, Way::Put, false) => {
                command.args(["-sSf", "-T"]).arg(job.local).arg(format!("ftp://{address}/{remote}"));
            }
            (Client::Lftp, way, tree) => {
                let mirror = format!("mirror --parallel={PARALLEL} --no-perms");
                let order = match (way, tree) {
                    (Way::Get, false) => format!("get -e /{remote} -o {local}"),
                    (Way::Put, false) => format!("put -e {local} -o /{remote}"),
                    (Way::Get, true) => format!("{mirror} /{remote} {local}"),
                    (Way::Put, true) => format!("{mirror} -R {local} /{remote}"),
                };
                // Commands go ahead of replies, which lftp does not do unless it knows the server.
                let settings = "set ftp:ssl-allow no; set ftp:sync-mode off; set net:max-retries 1; set cmd:fail-exit yes";
                command.arg("-c").arg(format!("{settings}; open -u anonymous,a@b ftp://{address}; {order}"));
            }
        }
        Some(command)
    }
}
