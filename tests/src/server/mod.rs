//! A real server on a directory of its own.

mod builder;
mod classic;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub use builder::Builder;

use crate::{ALICE, Client, Log, Ran, Raw, User};

/// A running server with its directory, gone when dropped.
#[derive(Debug)]
pub struct Server {
    builder: Builder,
    directory: TempDir,
    address: SocketAddr,
    child: Option<Child>,
    log: Log,
}

impl Server {
    /// Starts one with nothing special, and waits until it listens.
    #[track_caller]
    pub fn start() -> Server {
        Server::builder().start()
    }

    /// One to be prepared.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Its users.toml.
    pub fn config(&self) -> PathBuf {
        self.directory.path().join("users.toml")
    }

    /// The directory of all homes; nothing else of the server's lies beneath it.
    pub fn homes(&self) -> PathBuf {
        self.directory.path().join("homes")
    }

    /// The home of a user, seen as the server sees it.
    pub fn home(&self, user: User) -> PathBuf {
        let home = self.homes().join(user.name);
        match &self.builder.mount {
            Some((mounted, _)) if *mounted == user => {
                let root = PathBuf::from(format!("/proc/{}/root", self.pid()));
                root.join(home.strip_prefix("/").unwrap())
            }
            _ => home,
        }
    }

    /// The directory in which clients start.
    pub fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    /// Writes a file beneath the homes: `alice/dir/file`. Directories on the way are made.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        write(&self.homes().join(path), content.as_ref())
    }

    /// Writes a file where clients start.
    pub fn write_work(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        write(&self.work().join(path), content.as_ref())
    }

    /// Reads a file beneath the homes.
    #[track_caller]
    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.homes().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Reads a file where clients start.
    #[track_caller]
    pub fn read_work(&self, path: &str) -> Vec<u8> {
        fs::read(self.work().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A run of the client by `user`.
    pub fn client(&self, user: User) -> Client {
        Client::new(user, &self.address.to_string(), &self.work()).tls(self.builder.tls)
    }

    /// A whole run of the client by alice.
    #[track_caller]
    pub fn ftp(&self, words: &[&str]) -> Ran {
        self.client(ALICE).args(words).run()
    }

    /// A connection on which nothing was said.
    #[track_caller]
    pub fn connect(&self) -> Raw {
        if self.builder.tls { Raw::connect_tls(self.address) } else { Raw::connect(self.address) }
    }

    /// A connection on which `user` is logged in.
    #[track_caller]
    pub fn logged_in(&self, user: User) -> Raw {
        self.connect().greet().log_in(user)
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Kills it, without a last word.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
        self.log.wait_for_end();
    }

    /// Asks it to end: SIGTERM.
    pub fn signal_end(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().expect("it runs")), signal).unwrap();
    }

    /// Changes its users.toml, another file taking the place of the old one, as editors do.
    #[track_caller]
    pub fn edit_config(&self, edit: impl FnOnce(String) -> String) {
        let (file, new) = (self.config(), self.config().with_extension("new"));
        fs::write(&new, edit(fs::read_to_string(&file).unwrap())).unwrap();
        fs::rename(new, file).unwrap();
    }

    /// Asks it to end, and waits until it has.
    #[track_caller]
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal_end();
        self.wait_for_end()
    }

    /// Waits until it has ended.
    #[track_caller]
    pub fn wait_for_end(&mut self) -> ExitStatus {
        self.log.wait_for_end();
        self.child.take().expect("it runs").wait().unwrap()
    }

    /// Starts it again, with its users.toml as it is now, but at the same address, and waits until it listens.
    #[track_caller]
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "end it first");
        let told = fs::read_to_string(self.config()).unwrap();
        let free = SocketAddr::new(self.address.ip(), 0).to_string();
        let (free, taken) = (format!("\"{free}\""), format!("\"{}\"", self.address));
        // The native door's comes first in the file; that of the classic one may change.
        if !told.contains(&taken) {
            fs::write(self.config(), told.replacen(&free, &taken, 1)).unwrap();
        }
        self.child = Some(self.builder.spawn(self.directory.path(), &self.log));
        self.listening();
    }

    #[track_caller]
    fn listening(&mut self) {
        self.address = self.listens(1);
    }

    /// The address of its `n`-th listener, counted from 1.
    #[track_caller]
    fn listens(&self, n: usize) -> SocketAddr {
        let line = self.log.wait_for_nth(n, &["listening"]);
        let told = line.split_once("address").unwrap().1;
        let told = told.trim_start_matches(|letter: char| !letter.is_ascii_digit() && letter != '[');
        let end = told
            .find(|letter: char| !letter.is_ascii_hexdigit() && !".:[]".contains(letter))
            .unwrap_or(told.len());
        told[..end].parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            if let Some(child) = &mut self.child {
                drop((child.kill(), child.wait()));
            }
            eprintln!("the log of the server at {}:\n{}", self.address, self.log.text());
            return;
        }
        if self.child.is_some() {
            let status = self.terminate();
            assert!(status.success(), "the server ended with {status}:\n{}", self.log.text());
        }
        self.log.check();
    }
}

/// An address of this machine that is no loopback address, as the kernel lists them (proc(5), `fib_trie`).
///
/// # Panics
/// If there is none.
#[track_caller]
pub fn outside_address() -> IpAddr {
    let routes = fs::read_to_string("/proc/net/fib_trie").unwrap();
    let mut last = None;
    for line in routes.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse::<Ipv4Addr>().ok();
        } else if line.ends_with("host LOCAL")
            && let Some(address) = last.filter(|address| !address.is_loopback())
        {
            return address.into();
        }
    }
    panic!("this machine has loopback addresses only; give it one: ip addr add 10.254.254.1/32 dev lo")
}

/// An address of the loopback network that no other server of this run has: the port of a server that is down cannot be taken
/// by another one before it is up again.
fn own_ip() -> IpAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let [low, high, _, _] = number.to_le_bytes();
    let run = std::process::id() % 200 + 1; // nor most likely one of another run
    IpAddr::V4(Ipv4Addr::new(127, run as u8, high, low))
}

fn write(path: &Path, content: &[u8]) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    path.to_owned()
}
