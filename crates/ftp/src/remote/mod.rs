//! A server, whatever it speaks: the one face that commands see.

mod classic;
mod course;
mod disk;
mod door;
mod native;
mod outcome;
mod several;
mod sync;
mod tree;

use std::path::Path;
use std::time::Duration;

use digest::{Algorithm, Digest};
use secrecy::SecretString;
use store::{Attributes, Entry, Home, HomePath};

use crate::failure::Failure;
use crate::progress::Progress;

pub(crate) use classic::Learnt;
pub(crate) use course::{Course, LARGE};
pub(crate) use disk::on_disk;
pub(crate) use door::Door;
pub(crate) use native::let_go;
pub use outcome::{Branch, Missed, Receipt, Verified};
pub(crate) use several::WIDE;
pub(crate) use sync::{Changed, Settle, no_sync};
pub use tree::Links;
pub(crate) use tree::{
    Account, Bring, Chain, Deed, Fetch, Inside, Item, Paths, Place, Source, Step, Steps, Sum, below, groups,
    join, leads_back, leads_out, misformed, note, noted, place_in, set_root, shown, stays,
};

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `ftpd/1`.
    Native,
    /// Classic FTP (RFC 959), under TLS if the server can (RFC 4217).
    Ftp,
    /// Classic FTP inside TLS from the first byte on.
    Ftps,
}

/// Where a server is, as its user wrote it: `[USER@]HOST[:PORT]` or a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What is spoken there.
    pub scheme: Scheme,
    /// The account, if named.
    pub user: Option<String>,
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    pub host: String,
    /// The port, if named.
    pub port: Option<u16>,
    /// The directory to begin in, if one is named.
    pub path: Option<String>,
}

/// Who logs in.
#[derive(Debug)]
pub struct Login {
    /// The account.
    pub user: String,
    /// Its password; never shown.
    pub password: SecretString,
}

/// What is decided about a connection: by the command line, and by what an earlier one to the same server has taught.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The digest that verifies every transfer.
    pub digest: Algorithm,
    /// How long nothing may move before the connection counts as lost.
    pub timeout: Duration,
    /// How often to connect again in a transfer, with nothing gained meanwhile.
    pub retries: u32,
    /// Over how many connections to move what is worth it, if its user says.
    pub parallel: Option<usize>,
    /// What is known of a classic server.
    pub(crate) learnt: Learnt,
}

/// Where a downloaded file goes.
#[derive(Clone, Copy, Debug)]
pub enum Into<'a> {
    /// Into this file, which appears when it is whole.
    File(&'a Path),
    /// Into this file beneath an opened directory, which appears when it is whole.
    Beneath(&'a Home, &'a HomePath),
    /// To standard output, block by verified block.
    Output,
}

/// A connection to a server.
#[derive(Debug)]
pub enum Remote {
    /// One that speaks `ftpd/1`.
    Native(Box<native::Native>),
    /// One that speaks classic FTP.
    Classic(Box<classic::Classic>),
}

impl Remote {
    /// Begins a session. The login is sent together with the first command, or by [`ready`](Remote::ready).
    pub(crate) fn log_in(door: Door, login: Login) -> Result<Remote, Failure> {
        Ok(match door {
            Door::Native(door) => Remote::Native(Box::new(native::Native::log_in(*door, login)?)),
            Door::Classic(door) => Remote::Classic(Box::new(classic::Classic::log_in(*door, login))),
        })
    }

    /// Notes whether the server ended the session meanwhile.
    pub fn notice(&mut self) {
        match self {
            Remote::Native(native) => native.notice(),
            Remote::Classic(classic) => classic.notice(),
        }
    }

    /// Whether the connection is of no more use.
    pub fn is_lost(&self) -> bool {
        match self {
            Remote::Native(native) => native.is_lost(),
            Remote::Classic(classic) => classic.is_lost(),
        }
    }

    /// Waits until the server has answered the login.
    pub async fn ready(&mut self) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.ready().await,
            Remote::Classic(classic) => classic.ready().await,
        }
    }

    /// The current directory there.
    pub async fn pwd(&mut self) -> Result<String, Failure> {
        match self {
            Remote::Native(native) => native.pwd().await,
            Remote::Classic(classic) => classic.pwd().await,
        }
    }

    /// Changes the current directory, and tells the new one.
    pub async fn cd(&mut self, path: &str) -> Result<String, Failure> {
        match self {
            Remote::Native(native) => native.cd(path).await,
            Remote::Classic(classic) => classic.cd(path).await,
        }
    }

    /// Changes to the directory above, and tells it.
    pub async fn cd_up(&mut self) -> Result<String, Failure> {
        match self {
            Remote::Native(native) => native.cd_up().await,
            Remote::Classic(classic) => classic.cd_up().await,
        }
    }

    /// Begins a listing, whose pages [`next_page`](Remote::next_page) gives.
    pub async fn list(&mut self, path: &str) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.list(path).await,
            Remote::Classic(classic) => classic.list(path).await,
        }
    }

    /// The next entries of the listing; `None` at its end.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Entry>>, Failure> {
        match self {
            Remote::Native(native) => native.next_page().await,
            Remote::Classic(classic) => classic.next_page().await,
        }
    }

    /// That the listing that has ended lacks something, if it does.
    pub fn unsaid(&mut self) -> Option<Failure> {
        match self {
            Remote::Native(_) => None,
            Remote::Classic(classic) => classic.unsaid(),
        }
    }

    /// Begins a walk through a directory and all beneath it, whose branches [`next_branch`](Remote::next_branch) gives.
    pub async fn walk(&mut self, path: &str) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.walk(path).await,
            Remote::Classic(classic) => classic.walk(path).await,
        }
    }

    /// The next part of the walk; `None` at its end.
    pub async fn next_branch(&mut self) -> Result<Option<Branch>, Failure> {
        match self {
            Remote::Native(native) => native.next_branch().await,
            Remote::Classic(classic) => classic.next_branch().await,
        }
    }

    /// Fetches a tree. Whether it is no tree but a file, which is not fetched.
    pub(crate) async fn get_tree(
        &mut self,
        fetch: &Fetch,
        links: Links,
        account: &mut Account<'_>,
    ) -> Result<bool, Failure> {
        match self {
            Remote::Native(native) => native.get_tree(fetch, links, account).await,
            Remote::Classic(classic) => classic.get_tree(fetch, links, account).await,
        }
    }

    /// Brings a tree.
    pub(crate) async fn put_tree(
        &mut self,
        bring: &Bring,
        links: Links,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.put_tree(bring, links, account).await,
            Remote::Classic(classic) => classic.put_tree(bring, links, account).await,
        }
    }

    /// Removes a file, a link itself, or a directory with all that is in it.
    pub(crate) async fn remove_tree(&mut self, path: &str, account: &mut Account<'_>) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.remove_tree(path, account).await,
            Remote::Classic(classic) => classic.remove_tree(path, account).await,
        }
    }

    /// Describes a file or directory.
    pub async fn stat(&mut self, path: &str) -> Result<Entry, Failure> {
        match self {
            Remote::Native(native) => native.stat(path).await,
            Remote::Classic(classic) => classic.stat(path).await,
        }
    }

    /// Size and plain MD5 of a whole file.
    pub async fn md5(&mut self, path: &str) -> Result<(u64, Digest), Failure> {
        match self {
            Remote::Native(native) => native.md5(path).await,
            Remote::Classic(classic) => classic.md5(path).await,
        }
    }

    /// Makes a directory.
    pub async fn mkdir(&mut self, path: &str) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.mkdir(path).await,
            Remote::Classic(classic) => classic.mkdir(path).await,
        }
    }

    /// Removes an empty directory.
    pub async fn rmdir(&mut self, path: &str) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.rmdir(path).await,
            Remote::Classic(classic) => classic.rmdir(path).await,
        }
    }

    /// Removes a file or a link.
    pub async fn remove(&mut self, path: &str) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.remove(path).await,
            Remote::Classic(classic) => classic.remove(path).await,
        }
    }

    /// Renames.
    pub async fn rename(&mut self, from: &str, to: &str) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.rename(from, to).await,
            Remote::Classic(classic) => classic.rename(from, to).await,
        }
    }

    /// Sets times and permission bits.
    pub async fn set_attributes(&mut self, path: &str, attributes: Attributes) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.set_attributes(path, attributes).await,
            Remote::Classic(classic) => classic.set_attributes(path, attributes).await,
        }
    }

    /// Fetches a file; it appears when it is whole, and verified if the server can.
    pub async fn get(&mut self, path: &str, into: Into<'_>, progress: &Progress) -> Result<Receipt, Failure> {
        match self {
            Remote::Native(native) => native.get(path, into, progress).await,
            Remote::Classic(classic) => classic.get(path, into, progress).await,
        }
    }

    /// Brings a file; when this returns, the server has it whole.
    pub async fn put(&mut self, local: &Path, path: &str, progress: &Progress) -> Result<Receipt, Failure> {
        match self {
            Remote::Native(native) => native.put(local, path, progress).await,
            Remote::Classic(classic) => classic.put(local, path, progress).await,
        }
    }

    /// Whether the connection was lost by chance: another one may fare better.
    pub(crate) fn was_cut(&self) -> bool {
        match self {
            Remote::Native(native) => native.was_cut(),
            Remote::Classic(classic) => classic.is_lost(),
        }
    }

    /// Whether the server has let its user in, as far as is known.
    pub(crate) fn was_entered(&self) -> bool {
        match self {
            Remote::Native(native) => native.was_entered(),
            Remote::Classic(classic) => classic.was_entered(),
        }
    }

    /// Fetches a file as [`get`](Remote::get) does, or the rest of it; what comes is kept if it is cut, as `course` says.
    pub(crate) async fn get_on(
        &mut self,
        path: &str,
        place: &Path,
        course: &mut Course,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        match self {
            Remote::Native(native) => native.get_on(path, place, course, progress).await,
            Remote::Classic(classic) => classic.get_on(path, place, course, progress).await,
        }
    }

    /// Brings a file as [`put`](Remote::put) does, or the rest of it.
    pub(crate) async fn put_on(
        &mut self,
        local: &Path,
        path: &str,
        course: &mut Course,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        match self {
            Remote::Native(native) => native.put_on(local, path, course, progress).await,
            Remote::Classic(classic) => classic.put_on(local, path, course, progress).await,
        }
    }

    /// Ends the session.
    pub async fn quit(&mut self) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.quit().await,
            Remote::Classic(classic) => classic.quit().await,
        }
    }

    /// Ends the session without a word and without waiting.
    pub async fn hang_up(self) {
        match self {
            Remote::Native(native) => native.hang_up().await,
            Remote::Classic(classic) => classic.hang_up().await,
        }
    }

    /// Brings the connection back in step after the future of a command was dropped.
    pub async fn recover(&mut self) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.recover().await,
            Remote::Classic(classic) => classic.recover().await,
        }
    }
}

/// Whether a directory can hold that name (POSIX, 3.170). It need not be text.
fn can_be_a_name(name: &[u8]) -> bool {
    (1..=255).contains(&name.len())
        && name != b"."
        && name != b".."
        && !name.contains(&b'/')
        && !name.contains(&0)
}
