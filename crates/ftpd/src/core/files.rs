//! What a session asks of whole files: to be sent, described by their digests, and stored.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;

use digest::{Algorithm, Blocks, Digest, Gap, Root};
use store::{Going, Incoming, Keep, Outgoing, Parcel, Prefix, ReadAhead, Receipt, Replace, Streamed, Whole};

use super::Refusal;
use super::session::{Right, Session};
use super::uploads::Upload;

impl Session {
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

    /// The roots of the first of some files, as [`store::Home::roots`] tells them. It begins at once, where blocking is allowed.
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
        let replace = self.replace();
        let path = self.path(Right::Add, path)?;
        self.on_disk(move |home| home.create(&path, size, algorithm, replace)).await
    }

    /// Stores files that came whole, as [`store::Home::store`] does: what came of each, and their blocks back. It begins at once, where
    /// blocking is allowed.
    pub fn store(
        &self,
        parcels: Vec<Parcel<Vec<u8>>>,
        blocks: Blocks,
        algorithm: Algorithm,
    ) -> impl Future<Output = (Vec<Result<Receipt, Refusal>>, Blocks)> + use<> {
        let replace = self.replace();
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
            let stored = account.home.store(&permitted, &blocks, algorithm, replace);
            (stored, blocks)
        });
        async move {
            let Ok((stored, blocks)) = working.await else {
                return ((0..count).map(|_| Err(Refusal::Failed)).collect(), Blocks::default());
            };
            let mut stored = stored.into_iter();
            let outcomes = refused.into_iter().map_while(|permitted| match permitted {
                Ok(()) => stored.next().map(|stored| stored.map_err(Refusal::from)),
                Err(refusal) => Some(Err(refusal)),
            });
            (outcomes.collect(), blocks)
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
        let replace = self.replace();
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
        let replace = if new { Replace::No } else { self.replace() };
        let path = self.path(right, path)?;
        self.while_wanted(move |home, go_on| home.receive(&path, keep, expected, replace, go_on)).await
    }
}
