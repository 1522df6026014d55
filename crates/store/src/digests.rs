//! The digests of a file's blocks: read and computed by two threads, told in their order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use digest::{Algorithm, BATCH, BLOCK, Blocks, Digest, Gap};
use rustix::io::{Errno, preadv};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::beneath::Base;
use crate::entry::Attributes;
use crate::error::{Error, Kind};
use crate::home::STOPPED;
use crate::ranges::bytes;
use crate::source::Source;
use crate::version::Version;

/// Bytes that a thread takes at once.
const PIECE: u64 = (BATCH * BLOCK) as u64;

/// Bytes that are hashed before who asks for digests hears of them: a thread never waits for somebody to take them.
const JOB: u64 = 1024 * BLOCK as u64;

/// Pieces that one thread may be ahead of the other.
const AHEAD: usize = 64;

/// From so many pieces on, a second thread is worth its start.
const MANY: u64 = 4;

/// The digests of some blocks of a file that must not change meanwhile, for an async task: while it makes use of some, the next are
/// computed, and nobody waits for it. Dropped, it stops after the pieces under way.
#[derive(Debug)]
pub struct Digests {
    source: Arc<Source>,
    algorithm: Algorithm,
    /// Bytes of blocks that nobody has begun with.
    left: Range<u64>,
    ahead: Option<JoinHandle<Result<Vec<Digest>, Error>>>,
    failed: bool,
    /// Gone when this is.
    wanted: Arc<()>,
}

impl Digests {
    /// Begins with `blocks` of a file of the user who runs this process, as far as it has them.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::IsDirectory`], [`Kind::Special`], and what the system reports.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn local(path: &Path, algorithm: Algorithm, blocks: Range<u64>) -> Result<Digests, Error> {
        Ok(Digests::begin(Source::new(Base::Ambient.file(path)?, 0)?, algorithm, blocks))
    }

    pub(crate) fn begin(source: Source, algorithm: Algorithm, blocks: Range<u64>) -> Digests {
        let left = bytes(&blocks, source.size());
        let (source, wanted) = (Arc::new(source), Arc::new(()));
        let mut digests = Digests { source, algorithm, left, ahead: None, failed: false, wanted };
        digests.go_ahead();
        digests
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.source.size()
    }

    /// Which file it is, as of when it was opened.
    pub fn version(&self) -> Version {
        self.source.version()
    }

    /// Its time and permission bits then.
    pub fn attributes(&self) -> Attributes {
        self.source.attributes()
    }

    /// The next digests, at most 1024; `None` at the end. Dropped while it waits, it loses nothing.
    ///
    /// # Errors
    /// [`Kind::Changed`] if the file has another size or time than when it was opened; and what reading reports. After an error,
    /// errors.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn next(&mut self) -> Result<Option<Vec<Digest>>, Error> {
        let Some(ahead) = &mut self.ahead else { return if self.failed { Err(STOPPED) } else { Ok(None) } };
        let done = ahead.await;
        self.ahead = None;
        self.failed = !matches!(done, Ok(Ok(_)));
        let digests = done.map_err(io::Error::from)??;
        self.go_ahead();
        Ok(Some(digests))
    }

    /// Begins with the next blocks, where blocking is allowed.
    fn go_ahead(&mut self) {
        if self.left.is_empty() {
            return;
        }
        let now = self.left.start..self.left.end.min(self.left.start.saturating_add(JOB));
        self.left.start = now.end;
        let (source, algorithm, asked) = (self.source.clone(), self.algorithm, Arc::downgrade(&self.wanted));
        self.ahead = Some(spawn_blocking(move || {
            let mut computed = Vec::new();
            digests_of(source.file(), now, algorithm, &|_| Ok(()), &mut |digests| {
                computed.extend_from_slice(digests);
                asked.strong_count() > 0
            })?;
            source.check()?;
            Ok(computed)
        }));
    }
}

/// Tells `each` the digests of the blocks in `bytes`, which begin with a block, in their order and at most [`BATCH`] at a time, as long
/// as it says so. Before bytes are read, on whichever thread, `prepare` is called for them.
///
/// # Errors
/// [`Kind::Changed`] if the file ends before; [`Kind::Io`] if it was not to go on; what reading and `prepare` report.
pub(crate) fn digests_of(
    file: &File,
    bytes: Range<u64>,
    algorithm: Algorithm,
    prepare: &(dyn Fn(Range<u64>) -> Result<(), Error> + Sync),
    each: &mut dyn FnMut(&[Digest]) -> bool,
) -> Result<(), Error> {
    let pieces = bytes.end.saturating_sub(bytes.start).div_ceil(PIECE);
    let work = Work { file, bytes, algorithm, prepare, pieces, next: AtomicU64::new(0) };
    let (give, taken) = sync_channel(AHEAD);
    thread::scope(|scope| {
        let taken = taken; // gone before the other thread is waited for, which may wait to give
        if pieces >= MANY {
            let other = || {
                let (give, mut blocks) = (give, Blocks::default());
                while let Some(done) = work.next(&mut blocks) {
                    let failed = done.is_err();
                    if give.send(done).is_err() || failed {
                        break;
                    }
                }
            };
            // Where there can be no other thread, this one does all.
            let _ = thread::Builder::new().name("digests".into()).spawn_scoped(scope, other);
        }
        let told = work.tell(&taken, each);
        work.next.store(pieces, Ordering::Relaxed);
        told
    })
}

/// What two threads share.
struct Work<'a> {
    file: &'a File,
    bytes: Range<u64>,
    algorithm: Algorithm,
    prepare: &'a (dyn Fn(Range<u64>) -> Result<(), Error> + Sync),
    pieces: u64,
    /// The next piece that nobody has taken yet.
    next: AtomicU64,
}

/// The number of a piece, and the digests of its blocks.
type Done = (u64, Vec<Digest>);

impl Work<'_> {
    /// Does pieces, and tells of those and of what the other thread has `taken`.
    fn tell(
        &self,
        taken: &Receiver<Result<Done, Error>>,
        each: &mut dyn FnMut(&[Digest]) -> bool,
    ) -> Result<(), Error> {
        let (mut early, mut due, mut blocks) = (BTreeMap::new(), 0, Blocks::default());
        while due < self.pieces {
            let done = if early.len() < AHEAD { self.next(&mut blocks) } else { None };
            // What is neither done nor to be taken up is with the other thread.
            let (number, digests) = done.unwrap_or_else(|| taken.recv().map_err(|_| STOPPED)?)?;
            early.insert(number, digests);
            while let Ok(done) = taken.try_recv() {
                let (number, digests) = done?;
                early.insert(number, digests);
            }
            while let Some(digests) = early.remove(&due) {
                due += 1;
                if !each(&digests) {
                    return Err(STOPPED);
                }
            }
        }
        Ok(())
    }

    /// Takes a piece and does it; `None` if all are taken.
    fn next(&self, blocks: &mut Blocks) -> Option<Result<Done, Error>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.pieces).then(|| {
            let start = self.bytes.start + number * PIECE;
            let bytes = start..self.bytes.end.min(start.saturating_add(PIECE));
            (self.prepare)(bytes.clone())?;
            #[expect(clippy::cast_possible_truncation, reason = "at most a piece")]
            blocks.lay_out((bytes.end - bytes.start) as usize, Gap::default());
            read_at(self.file, blocks.slices_mut(), start)?;
            blocks.hash(self.algorithm);
            Ok((number, blocks.digests().to_vec()))
        })
    }
}

/// Fills `slices` from byte `at` on.
fn read_at(file: &File, slices: Vec<&mut [u8]>, mut at: u64) -> Result<(), Error> {
    let mut slices: Vec<IoSliceMut<'_>> = slices.into_iter().map(IoSliceMut::new).collect();
    let mut rest = &mut slices[..];
    while !rest.is_empty() {
        match preadv(file, rest, at) {
            Ok(0) => return Err(Kind::Changed.into()),
            Ok(read) => {
                at += read as u64;
                IoSliceMut::advance_slices(&mut rest, read);
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
