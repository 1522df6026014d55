//! What a server is started with: its users.toml, its command line, what stands around it.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::geteuid;

use super::classic::Classic;
use super::{Server, own_ip};
use crate::{ALL, Log, User, dear_hash, hash, programs};

/// A server that is being prepared.
#[derive(Debug, Default)]
pub struct Builder {
    top: String,
    native: String,
    pub(super) tls: bool,
    pub(super) classic: Option<Classic>,
    limits: String,
    quotas: Vec<(User, String)>,
    options: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    launcher: Vec<OsString>,
    listen: Option<SocketAddr>,
    program: Option<PathBuf>,
    beneath: Option<PathBuf>,
    homes: Vec<(User, PathBuf)>,
    dear: bool,
    pub(super) mount: Option<(User, String)>,
    trace: Option<(String, PathBuf)>,
}

impl Builder {
    /// Adds a line to the top of users.toml: `durability = "none"`.
    pub fn top(mut self, line: &str) -> Builder {
        writeln!(self.top, "{line}").unwrap();
        self
    }

    /// Adds a line to `[native]`: `digests = ["blake3"]`.
    pub fn native(mut self, line: &str) -> Builder {
        writeln!(self.native, "{line}").unwrap();
        self
    }

    /// Has it speak TLS, as it does outside of tests; without, tests see and say each byte.
    pub fn tls(mut self) -> Builder {
        self.tls = true;
        self
    }

    /// Adds a line to `[limits]`: `stall = "2s"`.
    pub fn limit(mut self, line: &str) -> Builder {
        writeln!(self.limits, "{line}").unwrap();
        self
    }

    /// Gives a user a quota.
    pub fn quota(mut self, user: User, quota: &str) -> Builder {
        self.quotas.push((user, quota.into()));
        self
    }

    /// Adds an option of the command line.
    pub fn option(mut self, option: &str) -> Builder {
        self.options.push(option.into());
        self
    }

    /// Has its directory made in this one, instead of that for temporary files.
    pub fn beneath(mut self, directory: &Path) -> Builder {
        self.beneath = Some(directory.to_owned());
        self
    }

    /// Gives a user another home, which [`Server::home`] does not know.
    pub fn home(mut self, user: User, home: &Path) -> Builder {
        self.homes.push((user, home.to_owned()));
        self
    }

    /// Has passwords cost what they cost outside of tests.
    pub fn dear(mut self) -> Builder {
        self.dear = true;
        self
    }

    /// Starts another program than the `ftpd` under test.
    pub fn program(mut self, program: &Path) -> Builder {
        self.program = Some(program.to_owned());
        self
    }

    /// Has it listen there; without, at an address of the loopback network that no other server has.
    pub fn listen(mut self, address: SocketAddr) -> Builder {
        self.listen = Some(address);
        self
    }

    /// Sets a variable of its environment.
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Builder {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Has it started by a program that is given its command line after `words`, and becomes it (execve(2)).
    pub fn launched_by(mut self, words: &[&str]) -> Builder {
        self.launcher = words.iter().map(OsString::from).collect();
        self
    }

    /// Puts the home of `user` on a file system in memory of `size` (tmpfs(5): `4m`), which this server alone sees.
    ///
    /// Needs root, or user namespaces.
    pub fn tmpfs(mut self, user: User, size: &str) -> Builder {
        self.mount = Some((user, size.into()));
        self
    }

    /// Has strace(1) write these system calls into `trace`, strings and paths in hexadecimal; it is whole when the server has ended.
    pub fn traced(mut self, calls: &str, trace: &Path) -> Builder {
        self.trace = Some((calls.into(), trace.into()));
        self
    }

    /// Starts it, and waits until it listens.
    #[track_caller]
    pub fn start(self) -> Server {
        let beneath = self.beneath.clone().unwrap_or_else(std::env::temp_dir);
        let directory = tempfile::tempdir_in(beneath).unwrap();
        for part in ["work", "homes"] {
            fs::create_dir(directory.path().join(part)).unwrap();
        }
        for user in ALL {
            fs::create_dir(directory.path().join("homes").join(user.name)).unwrap();
        }
        let address = self.listen.unwrap_or_else(|| SocketAddr::new(own_ip(), 0));
        fs::write(directory.path().join("users.toml"), self.users_toml(address)).unwrap();
        let log = Log::default();
        let child = self.spawn(directory.path(), &log);
        let mut server = Server { builder: self, directory, address, child: Some(child), log };
        server.listening();
        server
    }

    pub(super) fn spawn(&self, directory: &Path, log: &Log) -> Child {
        let ftpd = self.program.as_deref().unwrap_or_else(|| programs::ftpd());
        let mut command = match (&self.mount, &self.trace) {
            (None, None) => match self.launcher.split_first() {
                Some((program, words)) => {
                    let mut command = Command::new(program);
                    command.args(words).arg(ftpd);
                    command
                }
                None => Command::new(ftpd),
            },
            (None, Some((calls, trace))) => {
                // The server's memory is for nobody of its own user: strace needs to be root, if only here.
                let mut command =
                    if geteuid().is_root() { Command::new("env") } else { Command::new("unshare") };
                if !geteuid().is_root() {
                    command.arg("-r");
                }
                // -D: the process that starts is the server, and strace is beside it.
                command.arg("strace");
                command.args([
                    "-D",
                    "-f",
                    "-y",
                    "-xx",
                    "-s",
                    "4096",
                    "-qq",
                    "-e",
                    &format!("trace={calls}"),
                    "-o",
                ]);
                command.arg(trace).arg(programs::ftpd());
                command
            }
            (Some((user, size)), _) => {
                let home = directory.join("homes").join(user.name);
                let script = format!(
                    "mount -t tmpfs -o size={size},mode=755 tmpfs '{}' && exec \"$@\"",
                    home.display()
                );
                let flags = if geteuid().is_root() { "-m" } else { "-rm" };
                let mut command = Command::new("unshare");
                command.args([flags, "sh", "-c", &script, "sh"]).arg(programs::ftpd());
                command
            }
        };
        command.arg("--config").arg(directory.join("users.toml")).args(&self.options);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(directory).env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        log.follow(child.stderr.take().unwrap());
        child
    }

    fn users_toml(&self, address: SocketAddr) -> String {
        let Builder { top, native, tls, limits, .. } = self;
        let mut text =
            format!("{top}[native]\nlisten = [\"{address}\"]\ntls = {tls}\n{native}\n[limits]\n{limits}");
        if let Some(classic) = &self.classic {
            text += &classic.users_toml(address);
        }
        for user in ALL {
            let User { name, access, password, .. } = user;
            let other =
                self.homes.iter().find(|(of, _)| *of == user).map(|(_, home)| home.display().to_string());
            let home = other.unwrap_or_else(|| format!("homes/{name}"));
            let hash = if self.dear { dear_hash(password) } else { hash(user).to_owned() };
            write!(
                text,
                "\n[users.{name}]\npassword = \"{hash}\"\nhome = \"{home}\"\naccess = \"{access}\"\n"
            )
            .unwrap();
            let told = self.quotas.iter().find(|(of, _)| *of == user).map(|(_, quota)| quota.as_str());
            if let Some(quota) = told.or(user.quota) {
                writeln!(text, "quota = \"{quota}\"").unwrap();
            }
        }
        text
    }
}
