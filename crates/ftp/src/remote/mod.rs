//! A server, whatever it speaks: the one face that commands see.

mod native;

use std::path::Path;
use std::time::Duration;

use digest::{Algorithm, Digest};
use secrecy::SecretString;
use store::{Attributes, Entry};

use crate::failure::Failure;
use crate::progress::Progress;

pub(crate) use native::Door;

/// Where a server is, as its user wrote it: `[USER@]HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The account, if named.
    pub user: Option<String>,
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    pub host: String,
    /// The port, if named.
    pub port: Option<u16>,
}

/// Who logs in.
#[derive(Debug)]
pub struct Login {
    /// The account.
    pub user: String,
    /// Its password; never shown.
    pub password: SecretString,
}

/// What the command line decides about a connection.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The digest that verifies every transfer.
    pub digest: Algorithm,
    /// How long nothing may move before the connection counts as lost.
    pub timeout: Duration,
}

/// Where a downloaded file goes.
#[derive(Clone, Copy, Debug)]
pub enum Into<'a> {
    /// Into this file, which appears when it is verified.
    File(&'a Path),
    /// To standard output, block by verified block.
    Output,
}

/// What a finished, verified transfer was.
#[derive(Clone, Copy, Debug)]
pub struct Receipt {
    /// Bytes of the file.
    pub size: u64,
    /// The root of its blocks.
    pub root: Digest,
    /// How many blocks the root stands for; at up to one, it is the plain digest of the file.
    pub blocks: u64,
    /// From the command to the end.
    pub elapsed: Duration,
}

/// A connection to a server.
#[derive(Debug)]
pub enum Remote {
    /// One that speaks `ftpd/1`.
    Native(Box<native::Native>),
}

impl Remote {
    /// Begins a session. The login is sent together with the first command, or by [`ready`](Remote::ready).
    pub(crate) fn log_in(door: Door, login: Login) -> Result<Remote, Failure> {
        Ok(Remote::Native(Box::new(native::Native::log_in(door, login)?)))
    }

    /// Notes whether the server ended the session meanwhile.
    pub fn notice(&mut self) {
        match self {
            Remote::Native(native) => native.notice(),
        }
    }

    /// Whether the connection is of no more use.
    pub fn is_lost(&self) -> bool {
        match self {
            Remote::Native(native) => native.is_lost(),
        }
    }

    /// Waits until the server has answered the login.
    pub async fn ready(&mut self) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.ready().await,
        }
    }

    /// The current directory there.
    pub async fn pwd(&mut self) -> Result<String, Failure> {
        match self {
            Remote::Native(native) => native.pwd().await,
        }
    }

    /// Changes the current directory, and tells the new one.
    pub async fn cd(&mut self, path: &str) -> Result<String, Failure> {
        match self {
            Remote::Native(native) => native.cd(path).await,
        }
    }

    /// Changes to the directory above, and tells it.
    pub async fn cd_up(&mut self) -> Result<String, Failure> {
        match self {
            Remote::Native(native) => native.cd_up().await,
        }
    }

    /// Begins a listing, whose pages [`next_page`](Remote::next_page) gives.
    pub async fn list(&mut self, path: &str) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.list(path).await,
        }
    }

    /// The next entries of the listing; `None` at its end.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Entry>>, Failure> {
        match self {
            Remote::Native(native) => native.next_page().await,
        }
    }

    /// Describes a file or directory.
    pub async fn stat(&mut self, path: &str) -> Result<Entry, Failure> {
        match self {
            Remote::Native(native) => native.stat(path).await,
        }
    }

    /// Size and plain MD5 of a whole file.
    pub async fn md5(&mut self, path: &str) -> Result<(u64, Digest), Failure> {
        match self {
            Remote::Native(native) => native.md5(path).await,
        }
    }

    /// Makes a directory.
    pub async fn mkdir(&mut self, path: &str) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.mkdir(path).await,
        }
    }

    /// Removes an empty directory.
    pub async fn rmdir(&mut self, path: &str) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.rmdir(path).await,
        }
    }

    /// Removes a file or a link.
    pub async fn remove(&mut self, path: &str) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.remove(path).await,
        }
    }

    /// Renames.
    pub async fn rename(&mut self, from: &str, to: &str) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.rename(from, to).await,
        }
    }

    /// Sets times and permission bits.
    pub async fn set_attributes(&mut self, path: &str, attributes: Attributes) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.set_attributes(path, attributes).await,
        }
    }

    /// Fetches a file; it appears when it is verified.
    pub async fn get(&mut self, path: &str, into: Into<'_>, progress: &Progress) -> Result<Receipt, Failure> {
        match self {
            Remote::Native(native) => native.get(path, into, progress).await,
        }
    }

    /// Brings a file; when this returns, the server has it verified and on disk.
    pub async fn put(&mut self, local: &Path, path: &str, progress: &Progress) -> Result<Receipt, Failure> {
        match self {
            Remote::Native(native) => native.put(local, path, progress).await,
        }
    }

    /// Ends the session.
    pub async fn quit(&mut self) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.quit().await,
        }
    }

    /// Ends the session without a word and without waiting.
    pub async fn hang_up(self) {
        match self {
            Remote::Native(native) => native.hang_up().await,
        }
    }

    /// Brings the connection back in step after the future of a command was dropped.
    pub async fn recover(&mut self) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.recover().await,
        }
    }
}
