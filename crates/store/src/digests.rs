//! The digests of a file's blocks: read and computed by two threads, told in their order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::IoSliceMut;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use digest::{Algorithm, BATCH, BLOCK, Blocks, Digest, Gap};
use rustix::io::{Errno, preadv};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::spawn_blocking;

use crate::beneath::Base;
use crate::entry::Attributes;
use crate::error::{Error, Kind};
use crate::home::STOPPED;
use crate::ranges::bytes;
use crate::source::Source;
use crate::version::Version;

/// Bytes that a thread takes at once.
const PIECE: u64 = (BATCH * BLOCK) as u64;

/// Pieces that one thread may be ahead of the other, and both of who hears of them.
const AHEAD: usize = 64;

/// From so many pieces on, a second thread is worth its start.
const MANY: u64 = 4;

/// The digests of some blocks of a file that must not change meanwhile, from an async task. Dropped, it stops after the pieces under
/// way.
#[derive(Debug)]
pub struct Digests {
    size: u64,
    version: Version,
    attributes: Attributes,
    /// Blocks whose digests did not come yet.
    left: u64,
    coming: Receiver<Result<Vec<Digest>, Error>>,
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
        let (size, version, attributes) = (source.size(), source.version(), source.attributes());
        let bytes = bytes(&blocks, size);
        let left = bytes.end.saturating_sub(bytes.start).div_ceil(BLOCK as u64);
        let (tell, coming) = channel(AHEAD);
        drop(spawn_blocking(move || {
            let told = digests_of(source.file(), bytes, algorithm, &|_| Ok(()), &mut |digests| {
                tell.blocking_send(Ok(digests.to_vec())).is_ok()
            });
            if let Err(error) = told.and_then(|()| source.check()) {
                // Who does not hear it asked for no more.
                let _ = tell.blocking_send(Err(error));
            }
        }));
        Digests { size, version, attributes, left, coming }
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Which file it is, as of when it was opened.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Its time and permission bits then.
    pub fn attributes(&self) -> Attributes {
        self.attributes
    }

    /// The next digests, at most [`BATCH`]; `None` at the end. Dropped while it waits, it loses nothing.
    ///
    /// # Errors
    /// [`Kind::Changed`], at the latest at the end, if the file has another size or time than when it was opened; and what reading
    /// reports.
    pub async fn next(&mut self) -> Result<Option<Vec<Digest>>, Error> {
        match self.coming.recv().await {
            Some(Ok(digests)) => {
                self.left = self.left.saturating_sub(digests.len() as u64);
                Ok(Some(digests))
            }
            Some(Err(error)) => Err(error),
            None if self.left > 0 => Err(STOPPED), // after an error, or a panic there
            None => Ok(None),
        }
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
        taken: &std::sync::mpsc::Receiver<Result<Done, Error>>,
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
