//! Who moves the files.

mod nginx;
mod ours;
mod rsync;
mod ssh;
mod vsftpd;

use std::fmt::Debug;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

use super::place::Place;
use super::{Outcome, Way};

/// A server with a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Name {
    /// Ours under TLS 1.3.
    #[value(name = "ours")]
    Ours,
    /// Ours without TLS.
    #[value(name = "ours-plain")]
    OursPlain,
    /// vsftpd with lftp, which moves eight files of a tree at once.
    #[value(name = "vsftpd+lftp")]
    VsftpdLftp,
    /// vsftpd with curl.
    #[value(name = "vsftpd+curl")]
    VsftpdCurl,
    /// rsync with its own server.
    #[value(name = "rsync")]
    Rsync,
    /// rsync over ssh.
    #[value(name = "rsync+ssh")]
    RsyncSsh,
    /// scp.
    #[value(name = "scp")]
    Scp,
    /// nginx with curl, without TLS.
    #[value(name = "nginx+curl")]
    Nginx,
    /// nginx with curl, under TLS 1.3.
    #[value(name = "nginx+curl+tls")]
    NginxTls,
}

impl Name {
    pub(super) fn name(self) -> &'static str {
        match self {
            Name::Ours => "ours",
            Name::OursPlain => "ours-plain",
            Name::VsftpdLftp => "vsftpd+lftp",
            Name::VsftpdCurl => "vsftpd+curl",
            Name::Rsync => "rsync",
            Name::RsyncSsh => "rsync+ssh",
            Name::Scp => "scp",
            Name::Nginx => "nginx+curl",
            Name::NginxTls => "nginx+curl+tls",
        }
    }

    /// How it goes over the wire.
    pub(super) fn wire(self) -> &'static str {
        match self {
            Name::Ours | Name::NginxTls => "TLS",
            Name::RsyncSsh | Name::Scp => "SSH",
            Name::OursPlain | Name::VsftpdLftp | Name::VsftpdCurl | Name::Rsync | Name::Nginx => "plain",
        }
    }

    /// Both, as in a drawing: `ours (TLS)`.
    pub(super) fn with_wire(self) -> String {
        let name = self.name().trim_end_matches("-plain").trim_end_matches("+tls");
        format!("{name} ({})", self.wire())
    }

    /// Whether it is ours.
    pub(super) fn is_ours(self) -> bool {
        matches!(self, Name::Ours | Name::OursPlain)
    }

    /// Whether `growth` measures it unless told otherwise.
    pub(super) fn grows(self) -> bool {
        matches!(self, Name::Ours | Name::OursPlain | Name::Rsync | Name::RsyncSsh)
    }

    /// Programs that must be installed.
    pub(super) fn needs(self) -> &'static [&'static str] {
        match self {
            Name::Ours | Name::OursPlain => &["setpriv"],
            Name::VsftpdLftp => &["vsftpd", "lftp", "setpriv"],
            Name::VsftpdCurl => &["vsftpd", "curl", "setpriv"],
            Name::Rsync => &["rsync", "setpriv"],
            Name::RsyncSsh => &["rsync", "ssh", "sshd", "ssh-keygen", "setpriv"],
            Name::Scp => &["scp", "ssh", "sshd", "ssh-keygen", "setpriv"],
            Name::Nginx | Name::NginxTls => &["nginx", "curl", "setpriv"],
        }
    }
}

/// One run of a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    pub(super) way: Way,
    /// A directory, not a file.
    pub(super) tree: bool,
    /// Beneath what is served.
    pub(super) remote: &'a str,
    /// An absolute path.
    pub(super) local: &'a Path,
}

/// A server that runs, and its client.
pub(super) trait Peer: Debug {
    /// The client's command line; `None` if it does no such thing.
    fn command(&self, job: Job) -> Option<Command>;
}

/// What came of an attempt to start a server.
pub(super) enum Started {
    Peer(Box<dyn Peer>),
    /// It cannot be had here, for this reason.
    LeftOut(String),
}

/// Starts a server that listens at `host`, and waits until it does.
pub(super) fn start(name: Name, place: &Place, host: IpAddr) -> Outcome<Started> {
    let missing: Vec<&str> = name.needs().iter().copied().filter(|need| program(need).is_none()).collect();
    if !missing.is_empty() {
        return Ok(Started::LeftOut(format!("not installed: {}", missing.join(", "))));
    }
    match name {
        Name::Ours => ours::start(place, host, true),
        Name::OursPlain => ours::start(place, host, false),
        Name::VsftpdLftp => vsftpd::start(place, host, vsftpd::Client::Lftp),
        Name::VsftpdCurl => vsftpd::start(place, host, vsftpd::Client::Curl),
        Name::Rsync => rsync::start(place, host),
        Name::RsyncSsh => ssh::start(place, host, ssh::Client::Rsync),
        Name::Scp => ssh::start(place, host, ssh::Client::Scp),
        Name::Nginx => nginx::start(place, host, false),
        Name::NginxTls => nginx::start(place, host, true),
    }
}

/// Where a program is installed. Servers lie where only root looks for them.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|place| place.join(name)).find(|path| path.is_file())
}

/// Starts what follows so that it is ended (SIGTERM) when who started it has ended, however that was: nothing is left behind.
const ENDS_WITH_US: [&str; 3] = ["setpriv", "--pdeathsig", "TERM"];

/// A program of somebody else.
#[derive(Debug)]
struct Program {
    path: PathBuf,
    home: PathBuf,
}

impl Program {
    fn find(name: &str, place: &Place) -> Outcome<Program> {
        let path = program(name).ok_or_else(|| format!("not installed: {name}"))?;
        Ok(Program { path, home: place.told() })
    }

    /// A run of it, in an environment that knows nothing of who measures.
    fn command(&self) -> Command {
        self.alone(Command::new(&self.path))
    }

    /// One that does not outlive who measures.
    fn server(&self) -> Command {
        let [first, more @ ..] = ENDS_WITH_US;
        let mut command = Command::new(first);
        command.args(more).arg(&self.path);
        self.alone(command)
    }

    fn alone(&self, mut command: Command) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.current_dir(&self.home).env_clear().env("HOME", &self.home);
        command.env("PATH", path).env("LC_ALL", "C.UTF-8");
        command
    }
}
