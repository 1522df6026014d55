//! Where a tree arrives: one thread that may block makes directories and files in the order in which they are given.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use digest::{Algorithm, BLOCK, Blocks};
use store::{Attributes, Error, Home, HomePath, Incoming, Parcel, Proof, Receipt, Replace};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Account, Mark, Small, mark};
use crate::failure::Failure;
use crate::remote::Verified;

/// Jobs that wait. Of the largest, each holds 2 MiB.
const WAITING: usize = 3;

/// Something to be done there. Paths are from the top of the tree on.
pub(crate) enum Job {
    /// Make directories, those above first.
    Directories(Vec<Vec<u8>>),
    /// Wait until another thread has done so many jobs that make room for what follows.
    After(Arc<Made>, u64),
    /// Make a link.
    Link { path: Vec<u8>, target: Vec<u8> },
    /// Publish files that have come whole.
    Small(Small),
    /// Begin a file of so many bytes.
    Begin { path: Vec<u8>, size: u64 },
    /// Append to it.
    Write(Blocks),
    /// Publish it, if this proves it whole.
    Commit { proof: Proof, attributes: Attributes },
    /// Give it up.
    Drop,
    /// Remove it; a directory is empty by then.
    Remove { path: Vec<u8>, directory: bool },
    /// Set what directories are to have.
    Attributes(Vec<(Vec<u8>, Attributes)>),
}

impl Job {
    /// Whether files may be put where it has made room for them.
    pub(crate) fn makes_room(&self) -> bool {
        matches!(self, Job::Directories(_) | Job::Remove { .. })
    }
}

/// What became of it.
enum Told {
    Stored(Mark, u64),
    /// The same of a file of which somebody wants to know.
    File {
        path: Vec<u8>,
        receipt: Receipt,
    },
    Linked(Mark),
    Removed,
    Failed(Vec<u8>, Failure),
    Spare(Blocks),
    Emptied(Small),
}

/// How many jobs are done that make room, for those whose files go there.
#[derive(Debug, Default)]
pub(crate) struct Made {
    jobs: Mutex<u64>,
    more: Condvar,
}

impl Made {
    fn change(&self, change: impl FnOnce(&mut u64)) {
        change(&mut self.jobs.lock().unwrap_or_else(PoisonError::into_inner));
        self.more.notify_all();
    }

    /// Blocks until so many are done, or nobody makes any more.
    fn wait_for(&self, count: u64) {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.more.wait_while(jobs, |jobs| *jobs < count));
    }
}

/// A file that is written, and where.
type Begun = Option<(Vec<u8>, Incoming)>;

/// A directory in which a tree grows.
pub(crate) struct Ground {
    jobs: Option<Sender<Job>>,
    told: UnboundedReceiver<Told>,
    thread: Option<JoinHandle<Begun>>,
    spare: Vec<Blocks>,
    emptied: Vec<Small>,
    made: Arc<Made>,
    /// As its user calls it.
    name: String,
}

impl Ground {
    /// Begins in `home`, which its user calls `name`, with blocks whose digests are of `algorithm`.
    pub(crate) fn new(name: String, home: Home, algorithm: Algorithm, each: bool) -> Ground {
        let (jobs, given) = channel(WAITING);
        let (teller, told) = unbounded_channel();
        let made = Arc::<Made>::default();
        let (begun, none) = (None, HashSet::new());
        let worker = Worker { home, algorithm, teller, begun, none, each, made: made.clone() };
        let thread = Some(spawn_blocking(move || worker.work(given)));
        Ground { jobs: Some(jobs), told, thread, spare: Vec::new(), emptied: Vec::new(), made, name }
    }

    /// What tells others how many directories are made.
    pub(crate) fn made(&self) -> Arc<Made> {
        self.made.clone()
    }

    /// Gives a job, once there is room for it, and takes note of what became of those before.
    pub(crate) async fn give(&mut self, job: Job, account: &mut Account<'_>) {
        if let Some(jobs) = &self.jobs
            && jobs.send(job).await.is_err()
        {
            drop(self.rejoin().await);
        }
        while let Ok(told) = self.told.try_recv() {
            self.note(told, account);
        }
    }

    /// Waits until all is done. A file of which there is more to come is left for another try.
    pub(crate) async fn finish(mut self, account: &mut Account<'_>) {
        self.jobs = None;
        while let Some(told) = self.told.recv().await {
            self.note(told, account);
        }
        if let Some((path, file)) = self.rejoin().await {
            account.left.came(path, file);
        }
    }

    /// A buffer to read into.
    pub(crate) fn spare(&mut self) -> Blocks {
        self.spare.pop().unwrap_or_default()
    }

    /// A buffer for small files.
    pub(crate) fn small(&mut self) -> Small {
        self.emptied.pop().unwrap_or_default()
    }

    fn note(&mut self, told: Told, account: &mut Account<'_>) {
        match told {
            Told::Stored(mark, bytes) => {
                account.left.settle(mark);
                account.done(bytes);
            }
            Told::File { path, receipt } => {
                account.settle(&path);
                account.file(|| super::shown(&self.name, &path), receipt.size, verified(&receipt));
            }
            Told::Linked(mark) => {
                account.left.settle(mark);
                account.linked += 1;
            }
            Told::Removed => account.done(0),
            Told::Failed(path, failure) => {
                account.settle(&path);
                account.failed(&super::shown(&self.name, &path), failure);
            }
            Told::Spare(blocks) => self.spare.push(blocks),
            Told::Emptied(small) => self.emptied.push(small),
        }
    }

    /// What it was at when it ended. A panic there is one here.
    async fn rejoin(&mut self) -> Begun {
        let ended = self.thread.take()?.await;
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }
}

/// The thread.
struct Worker {
    home: Home,
    algorithm: Algorithm,
    teller: UnboundedSender<Told>,
    /// The file that is written, and where; none after a failure.
    begun: Begun,
    /// Directories that could not be made.
    none: HashSet<Vec<u8>>,
    /// Whether somebody wants to know of each file.
    each: bool,
    made: Arc<Made>,
}

/// Nobody waits for who makes no room any more.
impl Drop for Worker {
    fn drop(&mut self) {
        self.made.change(|jobs| *jobs = u64::MAX);
    }
}

impl Worker {
    fn work(mut self, mut jobs: Receiver<Job>) -> Begun {
        while let Some(job) = jobs.blocking_recv() {
            match job {
                Job::Directories(paths) => {
                    for path in paths {
                        if let Err(error) = self.directory(&path) {
                            self.none.insert(path.clone());
                            self.fail(path, error);
                        }
                    }
                    self.made.change(|jobs| *jobs += 1);
                }
                Job::After(made, count) => made.wait_for(count),
                Job::Link { path, target } => match self.link(&path, &target) {
                    Ok(()) => self.tell(Told::Linked(mark(&path))),
                    Err(error) => self.fail(path, error),
                },
                Job::Small(small) => {
                    let emptied = self.publish(small);
                    self.tell(Told::Emptied(emptied));
                }
                Job::Begin { path, size } => {
                    let begun = resolve(&path)
                        .and_then(|at| self.home.create(&at, size, self.algorithm, Replace::Yes));
                    match begun {
                        Ok(incoming) => self.begun = Some((path, incoming)),
                        Err(error) => self.fail(path, error),
                    }
                }
                Job::Write(blocks) => {
                    if let Some((path, mut incoming)) = self.begun.take() {
                        match incoming.write(&blocks) {
                            Ok(()) => self.begun = Some((path, incoming)),
                            Err(error) => self.fail(path, error),
                        }
                    }
                    self.tell(Told::Spare(blocks));
                }
                Job::Commit { proof, attributes } => {
                    if let Some((path, incoming)) = self.begun.take() {
                        match incoming.commit(proof, attributes) {
                            Ok(receipt) => self.stored(path, receipt),
                            Err(error) => self.fail(path, error),
                        }
                    }
                }
                Job::Drop => self.begun = None,
                Job::Remove { path, directory } => {
                    let gone = resolve(&path).and_then(|at| match directory {
                        true => self.home.rmdir(&at),
                        false => self.home.remove(&at),
                    });
                    match gone {
                        Ok(()) => self.tell(Told::Removed),
                        Err(error) if error.kind() == store::Kind::NotFound => {}
                        Err(error) => self.fail(path, error),
                    }
                    self.made.change(|jobs| *jobs += 1);
                }
                Job::Attributes(all) => {
                    for (path, attributes) in all {
                        if self.none.contains(&path) {
                            continue;
                        }
                        let set = resolve(&path).and_then(|at| self.home.set_attributes(&at, &attributes));
                        self.judge(path, set);
                    }
                }
            }
        }
        self.begun.take()
    }

    /// Makes a directory; one that is there is as good, without what an earlier run may have left in it.
    fn directory(&self, path: &[u8]) -> Result<(), Error> {
        let at = resolve(path)?;
        match self.home.mkdir(&at) {
            Err(exists) if exists.kind() == store::Kind::Exists => {
                self.home.check_directory(&at)?;
                let _unread = self.home.sweep_directory(&at); // where that is in the way, it shows
                Ok(())
            }
            made => made,
        }
    }

    /// Makes a link; one that is there, or a file, makes room for it.
    fn link(&self, path: &[u8], target: &[u8]) -> Result<(), Error> {
        let at = resolve(path)?;
        match self.home.link(&at, target) {
            Err(exists) if exists.kind() == store::Kind::Exists => {
                self.home.remove(&at)?;
                self.home.link(&at, target)
            }
            made => made,
        }
    }

    /// Publishes small files together. One that is not what its sender says is told of, and the rest goes on behind it.
    /// What they were in is empty then.
    fn publish(&self, small: Small) -> Small {
        let (parcels, blocks) = small.into_parts();
        let mut rest = &parcels[..];
        while !rest.is_empty() {
            let outcomes = self.home.store(rest, &blocks, self.algorithm, Replace::Yes);
            for (parcel, outcome) in rest.iter().zip(&outcomes) {
                match outcome {
                    Ok(receipt) => self.stored(path_of(parcel), *receipt),
                    Err(error) => self.fail(path_of(parcel), error.kind().into()),
                }
            }
            rest = &rest[outcomes.len().max(1)..];
        }
        Small::emptied(parcels, blocks)
    }

    fn stored(&self, path: Vec<u8>, receipt: Receipt) {
        self.tell(if self.each {
            Told::File { path, receipt }
        } else {
            Told::Stored(mark(&path), receipt.size)
        });
    }

    fn judge(&self, path: Vec<u8>, done: Result<(), Error>) {
        if let Err(error) = done {
            self.fail(path, error);
        }
    }

    fn fail(&self, path: Vec<u8>, error: Error) {
        self.tell(Told::Failed(path, error.into()));
    }

    /// Nobody hears any more once the tree is given up.
    fn tell(&self, told: Told) {
        let _gone = self.teller.send(told);
    }
}

/// Where a small file goes, from the top of the tree on.
fn path_of(parcel: &Parcel<HomePath>) -> Vec<u8> {
    let path = parcel.path.to_string();
    path.strip_prefix('/').unwrap_or(&path).as_bytes().to_vec()
}

/// What a commit by the root of its blocks has proven.
fn verified(receipt: &Receipt) -> Verified {
    match receipt.root {
        Some(root) => Verified::Blocks { root, count: receipt.size.div_ceil(BLOCK as u64) },
        None => Verified::No,
    }
}

/// A path of a tree as one beneath its top.
pub(crate) fn resolve(path: &[u8]) -> Result<HomePath, Error> {
    HomePath::root().resolve(path)
}
