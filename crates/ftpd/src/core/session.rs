//! A session that is logged in: an account, a current directory, and the one place where permission is asked.

use std::future::Future;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use digest::{Algorithm, Digest, Gap, Root};
use store::{
    Attributes, Branch, Entry, Going, Home, HomePath, Incoming, Keep, Listing, Outgoing, Parcel, Prefix,
    ReadAhead, Receipt, Replace, Streamed, Walk, Whole,
};

use super::accounts::Account;
use super::admission::Permit;
use super::assemblies::Own;
use super::tickets::{self, Giver};
use super::uploads::{Upload, Uploads};
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
    directory: HomePath,
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
        Session { account, directory, uploads, assemblies, giver, _permit: permit }
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
        let word = self.giver.give(&self.account, &self.directory)?;
        Ok((word, tickets::LASTS))
    }

    /// What the account may do.
    pub fn access(&self) -> Access {
        self.account.access
    }

    /// The current directory.
    pub fn directory(&self) -> &HomePath {
        &self.directory
    }

    /// Changes the current directory.
    pub async fn cd(&mut self, path: &[u8]) -> Result<(), Refusal> {
        let path = self.path(Right::Move, path)?;
        self.directory = self.on_disk(move |home| home.check_directory(&path).map(|()| path)).await?;
        Ok(())
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

    /// Has `work` open files to send them, each from a block on, in their order and as many as it likes. It begins at once, where
    /// blocking is allowed.
    pub fn open_many<T, W>(
        &self,
        wanted: &[(&[u8], u64)],
        algorithm: Algorithm,
        work: W,
    ) -> impl Future<Output = Result<T, Refusal>> + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&mut dyn Iterator<Item = Result<Outgoing, Refusal>>) -> T + Send + 'static,
    {
        let resolved =
            |&(path, first): &(&[u8], u64)| self.path(Right::Fetch, path).map(|path| (path, first));
        let paths: Vec<_> = wanted.iter().map(resolved).collect();
        let account = self.account.clone();
        let working = tokio::task::spawn_blocking(move || {
            let mut opened = paths.into_iter().map(|path| {
                let (path, first_block) = path?;
                Ok(account.home.open(&path, algorithm, first_block)?)
            });
            work(&mut opened)
        });
        async move { working.await.map_err(|_| Refusal::Failed) }
    }

    /// The plain MD5 of a whole file, and its size. Dropped, it reads no further.
    pub async fn md5(&self, path: &[u8]) -> Result<(u64, Digest), Refusal> {
        let path = self.path(Right::Fetch, path)?;
        self.while_wanted(move |home, go_on| home.md5(&path, go_on)).await
    }

    /// The root of a file. Dropped, it reads no further.
    pub async fn root(&self, path: &[u8], algorithm: Algorithm) -> Result<Whole, Refusal> {
        let path = self.path(Right::Fetch, path)?;
        self.while_wanted(move |home, go_on| home.root(&path, algorithm, go_on)).await
    }

    /// The roots of the first of some files, as [`Home::roots`] tells them. It begins at once, where blocking is allowed.
    pub fn roots(
        &self,
        paths: &[&[u8]],
        algorithm: Algorithm,
    ) -> impl Future<Output = Vec<Result<Whole, Refusal>>> + use<> {
        let (mut resolved, mut refused) = (Vec::new(), None);
        for path in paths {
            match self.path(Right::Fetch, path) {
                Ok(path) => resolved.push(path),
                Err(refusal) => {
                    refused = Some(Err(refusal));
                    break;
                }
            }
        }
        let account = self.account.clone();
        let working = (!resolved.is_empty()).then(|| {
            tokio::task::spawn_blocking(move || {
                let roots = account.home.roots(&resolved, algorithm);
                (roots.len() == resolved.len(), roots)
            })
        });
        async move {
            let (all, roots) = match working {
                Some(working) => match working.await {
                    Ok(done) => done,
                    Err(_) => return vec![Err(Refusal::Failed)],
                },
                None => (true, Vec::new()),
            };
            let roots = roots.into_iter().map(|root| root.map_err(Refusal::from));
            roots.chain(refused.filter(|_| all)).collect()
        }
    }

    /// The size of a whole file, and what `each` has made of `state` with the bytes of `range`, piece by piece. Dropped, it reads no
    /// further.
    pub async fn read<T: Send + 'static>(
        &self,
        path: &[u8],
        range: Range<u64>,
        mut state: T,
        each: fn(&mut T, &[u8]),
    ) -> Result<(u64, T), Refusal> {
        let path = self.path(Right::Fetch, path)?;
        let wanted = Arc::new(());
        let asked = Arc::downgrade(&wanted);
        let read = self.on_disk(move |home| {
            let size = home.read(&path, range, &mut |piece| {
                each(&mut state, piece);
                asked.strong_count() > 0
            })?;
            Ok((size, state))
        });
        let read = read.await;
        drop(wanted);
        read
    }

    /// Begins to receive a file of `size` bytes. An account that may not change files replaces none.
    pub async fn create(&self, path: &[u8], size: u64, algorithm: Algorithm) -> Result<Incoming, Refusal> {
        let replace = if Right::Change.of(self.access()) { Replace::Yes } else { Replace::No };
        let path = self.path(Right::Add, path)?;
        self.on_disk(move |home| home.create(&path, size, algorithm, replace)).await
    }

    /// Stores files that came whole, as [`Home::store`] does: what came of each, and their bytes back. It begins at once, where
    /// blocking is allowed.
    pub fn store(
        &self,
        parcels: Vec<Parcel<Vec<u8>>>,
        bytes: Vec<u8>,
        algorithm: Algorithm,
    ) -> impl Future<Output = (Vec<Result<Receipt, Refusal>>, Vec<u8>)> + use<> {
        let replace = if Right::Change.of(self.access()) { Replace::Yes } else { Replace::No };
        let count = parcels.len();
        let mut permitted = Vec::with_capacity(count);
        let paths = parcels.into_iter().map(|parcel| {
            let path = self.path(Right::Add, &parcel.path)?;
            permitted.push(parcel.to(path));
            Ok(())
        });
        let refused: Vec<Result<(), Refusal>> = paths.collect();
        let account = self.account.clone();
        let working = tokio::task::spawn_blocking(move || {
            let stored = account.home.store(&permitted, &bytes, algorithm, replace);
            (stored, bytes)
        });
        async move {
            let Ok((stored, bytes)) = working.await else {
                return ((0..count).map(|_| Err(Refusal::Failed)).collect(), Vec::new());
            };
            let mut stored = stored.into_iter();
            let outcomes = refused.into_iter().map_while(|permitted| match permitted {
                Ok(()) => stored.next().map(|stored| stored.map_err(Refusal::from)),
                Err(refusal) => Some(Err(refusal)),
            });
            (outcomes.collect(), bytes)
        }
    }

    /// Opens a file to send it to a peer who has the blocks before, if their root is as stated.
    pub async fn resume(
        &self,
        path: &[u8],
        algorithm: Algorithm,
        prefix: Prefix,
        gap: Gap,
    ) -> Result<ReadAhead, Refusal> {
        let path = self.path(Right::Fetch, path)?;
        self.while_wanted(move |home, go_on| {
            ReadAhead::begin(home.resume(&path, algorithm, prefix, go_on)?, gap)
        })
        .await
    }

    /// What is kept of this user's upload to `path`.
    pub async fn kept(&self, path: &[u8], algorithm: Algorithm) -> Result<Prefix, Refusal> {
        let path = self.path(Right::Add, path)?;
        let Some(owner) = self.account.owner().map(str::to_owned) else {
            return Ok(Prefix { blocks: 0, root: Root::new(algorithm).value() });
        };
        if !self.uploads.free(&owner, &path).await {
            return Err(Refusal::Taken);
        }
        self.while_wanted(move |home, go_on| home.kept(&path, &owner, algorithm, go_on)).await
    }

    /// As [`create`](Session::create), behind what is kept of an upload that was cut, if that is as stated; and what comes is kept
    /// if this is cut.
    pub async fn create_kept(
        &self,
        path: &[u8],
        size: u64,
        algorithm: Algorithm,
        prefix: Prefix,
    ) -> Result<(Incoming, Upload), Refusal> {
        let replace = if Right::Change.of(self.access()) { Replace::Yes } else { Replace::No };
        let path = self.path(Right::Add, path)?;
        let owner = self.account.owner().map(str::to_owned);
        let whom = owner.clone().unwrap_or_default();
        if prefix.blocks > 0 && owner.is_some() && !self.uploads.free(&whom, &path).await {
            return Err(Refusal::Taken);
        }
        let upload = self.uploads.begin(&whom, path.clone());
        let begun = self.while_wanted(move |home, go_on| {
            let Some(whom) = owner else {
                // Of what everybody brings, nothing is kept.
                return if prefix.blocks == 0 {
                    home.create(&path, size, algorithm, replace)
                } else {
                    Err(store::Kind::Changed.into())
                };
            };
            let Prefix { blocks: first_block, root: proof } = prefix;
            let upload = store::Upload { whom: &whom, size, first_block, proof };
            home.create_kept(&path, &upload, algorithm, replace, go_on)
        });
        Ok((begun.await?, upload))
    }

    /// Opens a file to send the bytes of `range` to a peer that verifies nothing; `touched` says whether they are needed on the
    /// way.
    pub async fn open_plain(&self, path: &[u8], range: Range<u64>, touched: bool) -> Result<Going, Refusal> {
        let path = self.path(Right::Fetch, path)?;
        self.on_disk(move |home| home.open_plain(&path, range, touched)).await
    }

    /// Begins to receive a file whose length nobody knows; at least `expected` bytes must fit in. What is kept of the one that is
    /// there makes it a change of that; where it must be `new`, nothing is replaced.
    pub async fn receive(
        &self,
        path: &[u8],
        keep: Keep,
        expected: u64,
        new: bool,
    ) -> Result<Streamed, Refusal> {
        let right = if keep == Keep::Nothing { Right::Add } else { Right::Change };
        let replace = if Right::Change.of(self.access()) && !new { Replace::Yes } else { Replace::No };
        let path = self.path(right, path)?;
        self.while_wanted(move |home, go_on| home.receive(&path, keep, expected, replace, go_on)).await
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

    /// The path that `text` names from the current directory, for an account that has the right: asked here and nowhere else.
    pub(super) fn path(&self, right: Right, text: &[u8]) -> Result<HomePath, Refusal> {
        if !right.of(self.access()) {
            return Err(Refusal::NotPermitted(right.refused()));
        }
        Ok(self.directory.resolve(text)?)
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
