//! users.toml: what the server is told, read once, checked whole, with each mistake told by its line.

mod classic;
mod mistake;
mod quantity;
pub(crate) mod read;
pub(crate) mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use digest::Algorithm;
use store::Durability;

pub use classic::{Classic, Demand};
pub use mistake::{Mistake, Problem};
pub use quantity::Size;

use crate::password::Hash;

/// The user who needs no password: everybody.
pub(crate) const ANONYMOUS: &str = "anonymous";

/// All that users.toml says, with its defaults filled in. Paths are as the server opens them.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file itself, as the user named it.
    pub file: PathBuf,
    /// `state`: the directory of what the server makes for itself; `state` beside the file by default.
    pub state: PathBuf,
    /// `roots`: directories beneath which a reload may add homes; none by default, made when missing.
    pub roots: Vec<PathBuf>,
    /// `durability`: whether a reply waits until the disk has the bytes; `"full"` by default.
    pub durability: Durability,
    /// `[native]`: the native door.
    pub native: Native,
    /// `[classic]`: the classic door, if there is one.
    pub classic: Option<Classic>,
    /// What the doors that speak TLS prove themselves with, one for all; `None` if there are none.
    pub tls: Option<Tls>,
    /// `[limits]`: what holds a small machine up.
    pub limits: Limits,
    /// `[users.NAME]`: who may log in, by name.
    pub users: BTreeMap<String, User>,
}

/// The native door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Native {
    /// Where it listens, none twice; port 0 lets the system choose. Nowhere, if there is only `[classic]`.
    pub listen: Vec<SocketAddr>,
    /// What it offers, the first being preferred: one digest or more, none twice.
    pub digests: Vec<Algorithm>,
    /// `tls`: true by default; false is plain, for a trusted wire.
    pub tls: bool,
}

/// Whom the server proves to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// `certificate` and `key` in `[native]`: files in PEM. `None`: the server's own, in the state directory.
    pub files: Option<(PathBuf, PathBuf)>,
}

/// What the server never exceeds. No number is zero, no time but `keep_uploads` is zero or longer than a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sessions in all; 1000 by default.
    pub sessions: usize,
    /// Sessions from one address; 50 by default.
    pub sessions_per_address: usize,
    /// Connections on which nobody is logged in, in all; 256 by default.
    pub half_open: usize,
    /// From the connection to a successful login, whatever happens between; 30 s by default.
    pub login_deadline: Duration,
    /// Between one command and the next; 10 min by default.
    pub idle: Duration,
    /// For a frame, once begun, and for each 64 KiB of data, to move; 60 s by default.
    pub stall: Duration,
    /// Password hashes computed at once; 2 by default.
    pub password_hashes: usize,
    /// For transfers to finish once the server is asked to end; 10 s by default.
    pub drain: Duration,
    /// How long what came of an upload is kept that was cut; 24 h by default, zero is not at all.
    pub keep_uploads: Duration,
}

/// Somebody who may log in.
#[derive(Clone, Debug)]
pub struct User {
    /// What the password is verified against. `None` for `anonymous`, and nobody else: any will do.
    pub password: Option<Hash>,
    /// The directory that holds all this user sees; made when missing.
    pub home: PathBuf,
    /// The line that says so, counted from 1.
    pub home_line: usize,
    /// What may be done there.
    pub access: Access,
    /// The bytes that the home may hold; `None` is no bound.
    pub quota: Option<u64>,
}

/// What a user may do in the home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// See and fetch, change nothing.
    #[default]
    Read,
    /// Everything.
    Write,
    /// Upload new files, see nothing.
    Drop,
}

impl Access {
    /// Every access, from the one that is taken by default.
    pub const ALL: [Access; 3] = [Access::Read, Access::Write, Access::Drop];

    /// The name in users.toml and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
            Access::Drop => "drop",
        }
    }
}

impl Config {
    /// Reads and checks a file; relative paths in it are relative to its directory.
    ///
    /// # Errors
    /// The first mistake found, with its line and its remedy.
    pub fn load(file: &Path) -> Result<Config, Problem> {
        Config::parse(file, &read::text(file)?)
    }

    /// Checks `text` as though `file` held it.
    ///
    /// # Errors
    /// The first mistake found, with its line and its remedy.
    pub fn parse(file: &Path, text: &str) -> Result<Config, Problem> {
        read::config(file, text, None)
    }

    /// Every address that a door listens on: the native one's, then `listen` and `implicit` of the classic one.
    pub fn listeners(&self) -> impl Iterator<Item = SocketAddr> {
        let classic = self.classic.iter().flat_map(|classic| classic.listen.iter().chain(&classic.implicit));
        self.native.listen.iter().chain(classic).copied()
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            sessions: 1000,
            sessions_per_address: 50,
            half_open: 256,
            login_deadline: Duration::from_secs(30),
            idle: Duration::from_secs(600),
            stall: Duration::from_secs(60),
            password_hashes: 2,
            drain: Duration::from_secs(10),
            keep_uploads: Duration::from_secs(86_400),
        }
    }
}
