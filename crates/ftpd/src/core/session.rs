//! A session that is logged in: an account, a current directory, and the one place where permission is asked.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use store::{Attributes, Branch, Entry, Home, HomePath, Kind, Listing, Name, Replace, Walk};

use super::accounts::Account;
use super::admission::Permit;
use super::assemblies::Own;
use super::tickets::{self, Giver};
use super::uploads::Uploads;
use super::{Core, Refusal};
use crate::config::Access;

/// What a request needs of its account.
#[derive(Clone, Copy)]
pub(super) enum Right {
    /// To go to a directory. It tells that the directory is there, no more.
    Move,
    /// To list and to describe.
    See,
    /// To fetch contents.
    Fetch,
    /// To bring a new file or make a directory.
    Add,
    /// To replace, rename, remove, change.
    Change,
}

impl Right {
    /// What an account without it may not do.
    fn refused(self) -> &'static str {
        match self {
            Right::Move => "change directory",
            Right::See => "list files",
            Right::Fetch => "read files",
            Right::Add => "upload files",
            Right::Change => "change files",
        }
    }

    pub(super) fn of(self, access: Access) -> bool {
        match access {
            Access::Read => matches!(self, Right::Move | Right::See | Right::Fetch),
            Access::Write => true,
            Access::Drop => matches!(self, Right::Move | Right::Add),
        }
    }
}

/// A logged-in session. Whatever touches the disk runs where blocking is allowed.
#[derive(Debug)]
pub struct Session {
    pub(super) account: Arc<Account>,
    /// None after a target was refused.
    directory: Option<HomePath>,
    pub(super) uploads: Arc<Uploads>,
    pub(super) assemblies: Own,
    giver: Giver,
    _permit: Permit,
}

impl Session {
    /// Of an account that is let in from `address`, where it stands in `directory`.
    pub(super) fn new(
        core: &Core,
        account: Arc<Account>,
        directory: HomePath,
        permit: Permit,
        address: IpAddr,
    ) -> Session {
        let (uploads, assemblies) = (core.uploads.clone(), Own::new(core.assemblies.clone()));
        let giver = Giver::new(core.tickets.clone(), address);
        Session { account, directory: Some(directory), uploads, assemblies, giver, _permit: permit }
    }

    /// The account's name.
    pub fn user(&self) -> &str {
        &self.account.name
    }

    /// A word that begins one more session of this account in this directory, while this one lives; and for how long it does.
    ///
    /// # Errors
    /// [`Refusal::TooManyTickets`].
    pub fn ticket(&mut self) -> Result<([u8; 32], Duration), Refusal> {
        let word = self.giver.give(&self.account, self.directory.as_ref().ok_or(Refusal::Nowhere)?)?;
        Ok((word, tickets::LASTS))
    }

    /// What the account may do.
    pub fn access(&self) -> Access {
        self.account.access
    }

    /// The current directory.
    ///
    /// # Errors
    /// [`Refusal::Nowhere`].
    pub fn directory(&self) -> Result<&HomePath, Refusal> {
        self.directory.as_ref().ok_or(Refusal::Nowhere)
    }

    /// Changes the current directory.
    pub async fn cd(&mut self, path: &[u8]) -> Result<(), Refusal> {
        let path = self.path(Right::Move, path)?;
        self.directory = Some(self.on_disk(move |home| home.check_directory(&path).map(|()| path)).await?);
        Ok(())
    }

    /// Goes to where a tree is to come: to `name` in the directory `path`, or to `path` if it is none, or no name is given; made if it
    /// is missing. Whether it was. After a refusal, the session is nowhere: what was sent behind it finds no other place.
    pub async fn target(&mut self, path: &[u8], name: &[u8]) -> Result<bool, Refusal> {
        let path = self.permit(Right::Add).and_then(|()| self.path(Right::Move, path));
        self.directory = None;
        let path = path?;
        let inside =
            if name.is_empty() { None } else { Some(path.resolve(Name::parse(name)?.as_str().as_bytes())?) };
        let (directory, made) = self
            .on_disk(move |home| match make(home, path)? {
                (path, true) => Ok((path, true)),
                (path, false) => inside.map_or(Ok((path, false)), |inside| make(home, inside)),
            })
            .await?;
        self.directory = Some(directory);
        Ok(made)
    }

    /// Describes what `path` leads to.
    pub async fn stat(&self, path: &[u8]) -> Result<Entry, Refusal> {
        let path = self.path(Right::See, path)?;
        self.on_disk(move |home| home.stat(&path)).await
    }

    /// Begins a listing; its pages are read where blocking is allowed.
    pub async fn list(&self, path: &[u8]) -> Result<Listing, Refusal> {
        let path = self.path(Right::See, path)?;
        self.on_disk(move |home| home.list(&path)).await
    }

    /// The next entries of a listing, at most `most`; none at its end.
    pub async fn page(mut listing: Listing, most: usize) -> Result<(Option<Vec<Entry>>, Listing), Refusal> {
        let read = tokio::task::spawn_blocking(move || (listing.next_page(most), listing)).await;
        let (page, listing) = read.map_err(|_| Refusal::Failed)?;
        Ok((page?, listing))
    }

    /// Begins to walk through a directory; its parts are read where blocking is allowed.
    pub async fn walk(&self, path: &[u8]) -> Result<Walk, Refusal> {
        let path = self.path(Right::See, path)?;
        self.on_disk(move |home| home.walk(&path)).await
    }

    /// The next part of a walk, as long as [`Walk::next_branch`] says; none at its end.
    pub async fn branch(mut walk: Walk, most: usize) -> Result<(Option<Branch>, Walk), Refusal> {
        let read = tokio::task::spawn_blocking(move || (walk.next_branch(most), walk)).await;
        read.map_err(|_| Refusal::Failed)
    }

    /// Describes what has the name that is to be changed: of a link, the link.
    pub async fn describe(&self, path: &[u8]) -> Result<Entry, Refusal> {
        let path = self.path(Right::Change, path)?;
        self.on_disk(move |home| home.describe(&path)).await
    }

    /// Bytes that may still be stored in a directory; `None` where nobody knows.
    pub async fn available(&self, path: &[u8]) -> Result<Option<u64>, Refusal> {
        let path = self.path(Right::Add, path)?;
        self.on_disk(move |home| home.available(&path)).await
    }

    /// Makes a directory.
    pub async fn mkdir(&self, path: &[u8]) -> Result<(), Refusal> {
        let path = self.path(Right::Add, path)?;
        self.on_disk(move |home| home.mkdir(&path)).await
    }

    /// Makes a link, where nothing has its name.
    pub async fn link(&self, path: &[u8], target: Vec<u8>) -> Result<(), Refusal> {
        let path = self.path(Right::Add, path)?;
        self.on_disk(move |home| home.link(&path, &target)).await
    }

    /// Removes an empty directory.
    pub async fn rmdir(&self, path: &[u8]) -> Result<(), Refusal> {
        let path = self.path(Right::Change, path)?;
        self.on_disk(move |home| home.rmdir(&path)).await
    }

    /// Removes a file or a link.
    pub async fn remove(&self, path: &[u8]) -> Result<(), Refusal> {
        let path = self.path(Right::Change, path)?;
        self.on_disk(move |home| home.remove(&path)).await
    }

    /// Renames a file or directory.
    pub async fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), Refusal> {
        let (from, to) = (self.path(Right::Change, from)?, self.path(Right::Change, to)?);
        self.on_disk(move |home| home.rename(&from, &to)).await
    }

    /// Sets times and permission bits.
    pub async fn set_attributes(&self, path: &[u8], attributes: Attributes) -> Result<(), Refusal> {
        let path = self.path(Right::Change, path)?;
        self.on_disk(move |home| home.set_attributes(&path, &attributes)).await
    }

    /// The path that `text` names from the current directory, for an account that has the right.
    pub(super) fn path(&self, right: Right, text: &[u8]) -> Result<HomePath, Refusal> {
        self.permit(right)?;
        self.resolve(text)
    }

    /// The path that `text` names from the current directory.
    pub fn resolve(&self, text: &[u8]) -> Result<HomePath, Refusal> {
        Ok(match &self.directory {
            Some(directory) => directory.resolve(text)?,
            None if text.starts_with(b"/") => HomePath::root().resolve(text)?,
            None => return Err(Refusal::Nowhere),
        })
    }

    /// Whether the account has the right, for what is known by another name than a path.
    pub(super) fn permit(&self, right: Right) -> Result<(), Refusal> {
        if right.of(self.access()) { Ok(()) } else { Err(Refusal::NotPermitted(right.refused())) }
    }

    /// Whether what comes may replace a file.
    pub(super) fn replace(&self) -> Replace {
        if Right::Change.of(self.access()) { Replace::Yes } else { Replace::No }
    }

    /// As [`on_disk`](Session::on_disk), for work that takes long and asks whether to go on: not once this is dropped.
    pub(super) async fn while_wanted<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Home, &mut dyn FnMut() -> bool) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        let wanted = Arc::new(());
        let asked = Arc::downgrade(&wanted);
        let done = self.on_disk(move |home| work(home, &mut || asked.strong_count() > 0)).await;
        drop(wanted);
        done
    }

    pub(super) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Home) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        let account = self.account.clone();
        match tokio::task::spawn_blocking(move || work(&account.home)).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(Refusal::Failed),
        }
    }
}

/// A directory, which is made if it is not there; whether it was.
fn make(home: &Home, path: HomePath) -> Result<(HomePath, bool), store::Error> {
    match home.check_directory(&path) {
        Ok(()) => return Ok((path, false)),
        // What is in the way says why when nothing can be made there.
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::NotDirectory) => {}
        Err(error) => return Err(error),
    }
    match home.mkdir(&path) {
        Ok(()) => Ok((path, true)),
        // Somebody else has made it meanwhile.
        Err(error) if error.kind() == Kind::Exists && home.check_directory(&path).is_ok() => {
            Ok((path, false))
        }
        Err(error) => Err(error),
    }
}
