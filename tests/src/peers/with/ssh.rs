//! A sshd of one's own, with keys that are thrown away, and what goes through it.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

use super::{Job, Peer, Program, Started, rsync};
use crate::peers::net::free_port;
use crate::peers::place::Place;
use crate::peers::run::Daemon;
use crate::peers::{Outcome, Way};

/// The fastest that it has where the processor helps, and the one that ours takes.
const CIPHER: &str = "aes128-gcm@openssh.com";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Rsync,
    Scp,
}

#[derive(Debug)]
struct Ssh {
    _server: Daemon,
    client: Client,
    program: Program,
    /// For ssh and for scp alike.
    options: Vec<String>,
    port: u16,
    /// `USER@host:DIRECTORY`
    served: String,
}

pub(super) fn start(place: &Place, host: IpAddr, client: Client) -> Outcome<Started> {
    let port = free_port(host)?;
    let path = |name: &str| place.told().join(format!("{name}-{port}")).display().to_string();
    for key in ["host", "user"] {
        let mut keygen = Program::find("ssh-keygen", place)?.command();
        let made = keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", &path(key)]).output()?;
        if !made.status.success() {
            return Err(format!("ssh-keygen: {}", String::from_utf8_lossy(&made.stderr).trim()).into());
        }
    }
    if geteuid().is_root() {
        fs::create_dir_all("/run/sshd")?; // it does not start as root without
    }
    let lines = format!(
        "ListenAddress {}\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}.pub\nStrictModes no\nPermitRootLogin yes\n\
         UsePAM no\nPidFile none\nMaxStartups 1000\nSubsystem sftp internal-sftp\n",
        host,
        path("host"),
        path("user")
    );
    fs::write(path("sshd"), lines)?;
    let mut server = Program::find("sshd", place)?.server();
    server.args(["-D", "-e", "-f", &path("sshd")]);
    let server = Daemon::start("sshd", server, port, &place.told())?;

    let known = format!("[{}]:{port} {}", host, fs::read_to_string(path("host") + ".pub")?);
    fs::write(path("known"), known)?;
    let settings = [
        format!("UserKnownHostsFile={}", path("known")),
        format!("IdentityFile={}", path("user")),
        format!("Ciphers={CIPHER}"),
        "IdentitiesOnly=yes".into(),
        "BatchMode=yes".into(),
        "LogLevel=ERROR".into(),
    ];
    let mut options = vec!["-F".to_owned(), "none".to_owned()];
    options.extend(settings.into_iter().flat_map(|setting| ["-o".to_owned(), setting]));
    let at = format!("{}@{}", user()?, host);
    let mut tried = Program::find("ssh", place)?.command();
    let tried = tried.args(&options).args(["-p", &port.to_string(), &at, "true"]).output()?;
    if !tried.status.success() {
        let why = String::from_utf8_lossy(&tried.stderr).trim().replace('\n', "; ");
        return Ok(Started::LeftOut(format!("a sshd of our own does not let us in: {why}")));
    }
    let program = match client {
        Client::Rsync => Program::find("rsync", place)?,
        Client::Scp => Program::find("scp", place)?,
    };
    let served = served(&at, &place.served());
    Ok(Started::Peer(Box::new(Ssh { _server: server, client, program, options, port, served })))
}

impl Peer for Ssh {
    fn command(&self, job: Job) -> Option<Command> {
        let remote = format!("{}/{}", self.served, job.remote);
        let mut command = self.program.command();
        match self.client {
            Client::Rsync => {
                let shell = format!("ssh -p {} {}", self.port, self.options.join(" "));
                command.args([rsync::OPTIONS, "-e", &shell]).args(rsync::ends(job, &remote));
            }
            Client::Scp => {
                let local = job.local.display().to_string();
                command.args(&self.options).args(["-q", "-r", "-P", &self.port.to_string()]);
                match job.way {
                    Way::Get => command.args([remote, local]),
                    Way::Put => command.args([local, remote]),
                };
            }
        }
        Some(command)
    }
}

fn served(at: &str, directory: &Path) -> String {
    format!("{at}:{}", directory.display())
}

/// Who runs this.
fn user() -> Outcome<String> {
    let told = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8(told.stdout)?.trim().to_owned())
}
