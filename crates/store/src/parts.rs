//! A file that comes in parts, in any order and from several threads at once.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::IoSlice;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use digest::{Algorithm, BLOCK, Blocks, Digest, Root};

use crate::beneath::Base;
use crate::covered::Covered;
use crate::digests::digests_of;
use crate::entry::Attributes;
use crate::error::{Error, Kind};
use crate::home::Home;
use crate::incoming::{Incoming, Proof, Receipt, Replace, write_at};
use crate::kept::copy;
use crate::path::HomePath;
use crate::ranges::{Ranges, bytes};
use crate::source::Source;
use crate::stage::Durability;
use crate::upload::Upload;
use crate::version::Version;

/// Which file is to come in parts.
#[derive(Clone, Copy, Debug)]
pub struct Assembly<'a> {
    /// For whom is kept what came, if it is given up; nothing is without.
    pub whom: Option<&'a str>,
    /// Bytes of the whole file.
    pub size: u64,
    /// Of which version the file is that has the name, from which is taken what no part brings.
    pub onto: Option<Version>,
}

/// A file that is being received in parts. Given up or dropped, of one that keeps what came stay the blocks that came without a gap
/// from the first on, to be gone on with.
#[derive(Debug)]
pub struct Parts {
    size: u64,
    /// What no part brings is taken from here.
    onto: Option<Source>,
    /// `None` once it is published or given up. Held shared by whoever writes, so that nothing is written once it is taken.
    incoming: RwLock<Option<Incoming>>,
    covered: Mutex<Covered>,
    /// Bytes that came.
    brought: AtomicU64,
}

impl Parts {
    /// Begins a file of the user who runs this process, for whom `whom` stands as in [`local_to_keep`](Incoming::local_to_keep).
    ///
    /// # Errors
    /// As that; [`Kind::Changed`] if what has the name is not of the version that is asked for.
    pub fn local(
        path: &Path,
        whom: &[u8],
        size: u64,
        onto: Option<Version>,
        algorithm: Algorithm,
        durability: Durability,
    ) -> Result<Parts, Error> {
        let onto = onto.map(|version| old(Base::Ambient, path, version)).transpose()?;
        let incoming = Incoming::local_to_keep(path, whom, Some(size), algorithm, durability)?;
        Parts::begin(incoming, size, onto)
    }

    fn begin(incoming: Incoming, size: u64, onto: Option<Source>) -> Result<Parts, Error> {
        if i64::try_from(size).is_err() {
            return Err(Kind::TooLarge.into()); // off_t
        }
        Ok(Parts {
            size,
            onto,
            incoming: RwLock::new(Some(incoming)),
            covered: Mutex::default(),
            brought: AtomicU64::new(0),
        })
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes that parts brought, each as often as it came.
    pub fn brought(&self) -> u64 {
        self.brought.load(Ordering::Relaxed)
    }

    /// Begins to bring the blocks of `parts`; `None` if they go beyond the end.
    pub fn bring(self: &Arc<Parts>, parts: &Ranges, algorithm: Algorithm) -> Option<Bringing> {
        Some(Bringing {
            left: parts.bytes_in(self.size)?,
            due: parts.blocks().iter().cloned().collect(),
            ranges: parts.clone(),
            root: Root::new(algorithm),
            algorithm,
            parts: self.clone(),
        })
    }

    /// Publishes the file, once each block has come or is taken from the old file, if the root of what lies on the disk is `root`. It is
    /// read here, while `go_on` says so. Whatever comes of it, no part can be brought any more.
    ///
    /// # Errors
    /// [`Kind::Changed`] if something is missing, or the old file changed meanwhile; [`Kind::NotVerified`], and what came is gone, if the
    /// root is another; [`Kind::NotFound`] if it was published or given up before; [`Kind::Io`] if it was not to go on; and otherwise
    /// as [`Incoming::commit`].
    pub fn publish(
        &self,
        root: Digest,
        attributes: Attributes,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Receipt, Error> {
        let mut incoming = self.take().ok_or(ENDED)?;
        let missing = self.covered().gaps(&(0..self.size.div_ceil(BLOCK as u64)));
        if let Some(last) = missing.last() {
            let end = bytes(last, self.size).end;
            if self.onto.as_ref().is_none_or(|old| old.size() < end) {
                return Err(MISSING);
            }
        }
        if let Some(reservation) = &mut incoming.reservation {
            reservation.grow_to(self.size)?;
        }
        let whole = self.read_back(&incoming, root.algorithm(), go_on)?;
        if let (Some(old), false) = (&self.onto, missing.is_empty()) {
            old.check()?;
        }
        incoming.kept = false;
        if whole.value() != root {
            return Err(Kind::NotVerified.into());
        }
        incoming.written = self.size;
        incoming.hashing = Some((root.algorithm(), whole));
        incoming.commit(Proof::Root { size: self.size, root }, attributes)
    }

    /// The root of what lies on the disk, into which is copied what is missing: piece by piece, so that it is still at hand when it is
    /// read.
    fn read_back(
        &self,
        incoming: &Incoming,
        algorithm: Algorithm,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Root, Error> {
        let (stage, mut root) = (incoming.stage.file(), Root::new(algorithm));
        let fill = |piece: Range<u64>| {
            let blocks = piece.start / BLOCK as u64..piece.end.div_ceil(BLOCK as u64);
            let missing = self.covered().gaps(&blocks);
            let Some(old) = &self.onto else { return Ok(()) };
            missing.iter().try_for_each(|blocks| copy(old.file(), stage, bytes(blocks, self.size)))
        };
        digests_of(stage, 0..self.size, algorithm, &fill, &mut |digests| {
            digests.iter().for_each(|digest| root.push(digest));
            go_on()
        })?;
        Ok(root)
    }

    /// Gives the file up. Later, no part can be brought.
    pub fn leave(&self) {
        drop(self.take());
    }

    /// Leaves nothing when it is given up.
    pub fn forget(&self) {
        let mut incoming = self.incoming.write().unwrap_or_else(PoisonError::into_inner);
        incoming.iter_mut().for_each(Incoming::forget);
    }

    /// The file, once nobody writes to it any more; dropped, it leaves what came from the first block on.
    fn take(&self) -> Option<Incoming> {
        let mut incoming = self.incoming.write().unwrap_or_else(PoisonError::into_inner).take()?;
        incoming.written = bytes(&(0..self.covered().prefix()), self.size).end;
        Some(incoming)
    }

    /// Writes `slices` to where `blocks` lie.
    fn write(&self, blocks: &[Range<u64>], mut slices: &mut [IoSlice<'_>]) -> Result<(), Error> {
        let incoming = self.incoming.read().unwrap_or_else(PoisonError::into_inner);
        let stage = incoming.as_ref().ok_or(ENDED)?.stage.file();
        // A write that fails may have destroyed what came before.
        self.uncover(blocks);
        for range in blocks {
            let (now, later) = std::mem::take(&mut slices).split_at_mut(count(range));
            write_at(stage, now, range.start * BLOCK as u64)?;
            slices = later;
        }
        let mut covered = self.covered();
        blocks.iter().for_each(|range| covered.add(range.clone()));
        Ok(())
    }

    fn uncover(&self, blocks: &[Range<u64>]) {
        let mut covered = self.covered();
        blocks.iter().for_each(|range| covered.remove(range));
    }

    fn covered(&self) -> MutexGuard<'_, Covered> {
        self.covered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Home {
    /// Begins to receive in parts a file at `path`; otherwise as [`create_kept`](Home::create_kept) does from its first block on.
    ///
    /// # Errors
    /// As that; [`Kind::Changed`] if what has the name is not of the version that is asked for.
    pub fn assemble(
        &self,
        path: &HomePath,
        assembly: &Assembly<'_>,
        algorithm: Algorithm,
        replace: Replace,
    ) -> Result<Parts, Error> {
        let Assembly { whom, size, onto } = *assembly;
        let onto = onto.map(|version| old(self.base(), &path.relative(), version)).transpose()?;
        let incoming = match whom {
            Some(whom) => {
                let upload = Upload { whom, size, first_block: 0, proof: Root::new(algorithm).value() };
                self.create_kept(path, &upload, algorithm, replace, &mut || true)?
            }
            None => self.create(path, size, algorithm, replace)?,
        };
        Parts::begin(incoming, size, onto)
    }
}

/// What has the name, if it is of that version.
fn old(base: Base<'_>, path: &Path, version: Version) -> Result<Source, Error> {
    match base.file(path) {
        Ok(file) => Source::new(file, 0)?.of(Some(version)),
        Err(error) if error.kind() == Kind::NotFound => Err(Kind::Changed.into()),
        Err(error) => Err(error),
    }
}

/// Parts on their way into a file, one after the other. What came of them counts, also if the rest does not come.
#[derive(Debug)]
pub struct Bringing {
    parts: Arc<Parts>,
    ranges: Ranges,
    /// Blocks that did not come yet.
    due: VecDeque<Range<u64>>,
    /// Bytes of them.
    left: u64,
    algorithm: Algorithm,
    /// Of the blocks that came.
    root: Root,
}

impl Bringing {
    /// Bytes that are still to come.
    pub fn remaining(&self) -> u64 {
        self.left
    }

    /// Writes the next blocks, once each has the digest that its sender stated; where none were stated, they are computed.
    ///
    /// # Errors
    /// [`Kind::NotVerified`], with nothing written, for a wrong digest, more blocks than were due, or one that is not full and not the
    /// last of the file; [`Kind::NotFound`] if the file was published or given up meanwhile; and what writing reports.
    pub fn write(&mut self, blocks: &Blocks) -> Result<(), Error> {
        let mut slices: Vec<IoSlice<'_>> = blocks.slices().map(IoSlice::new).collect();
        let places = self.places(&slices).ok_or(Kind::NotVerified)?;
        let algorithm = self.algorithm;
        let digests = match blocks.digests() {
            [] => Cow::Owned(digest::of_blocks(algorithm, &blocks.slices().collect::<Vec<_>>())),
            stated if blocks.verify(algorithm) => Cow::Borrowed(stated),
            _ => return Err(Kind::NotVerified.into()),
        };
        self.parts.write(&places, &mut slices)?;
        digests.iter().for_each(|digest| self.root.push(digest));
        let bytes = blocks.data_len() as u64;
        self.parts.brought.fetch_add(bytes, Ordering::Relaxed);
        self.left -= bytes;
        for place in places {
            let next = &mut self.due[0];
            next.start = place.end;
            if next.is_empty() {
                self.due.pop_front();
            }
        }
        Ok(())
    }

    /// Ends it: all has come, and its root is `root`.
    ///
    /// # Errors
    /// [`Kind::NotVerified`] if not; then nothing of these parts counts.
    pub fn finish(self, root: Digest) -> Result<(), Error> {
        if self.left > 0 || self.root.value() != root {
            self.parts.uncover(self.ranges.blocks());
            return Err(Kind::NotVerified.into());
        }
        Ok(())
    }

    /// Where `slices` go; `None` if they are not the next blocks.
    fn places(&self, slices: &[IoSlice<'_>]) -> Option<Vec<Range<u64>>> {
        let (mut places, mut rest) = (Vec::new(), slices);
        for due in &self.due {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(rest.len().min(count(due)));
            let place = due.start..due.start + now.len() as u64;
            let fit = |(slice, block): (&IoSlice<'_>, u64)| {
                let Range { start, end } = bytes(&(block..block + 1), self.parts.size);
                slice.len() as u64 == end - start
            };
            if !now.iter().zip(place.clone()).all(fit) {
                return None;
            }
            places.push(place);
            rest = later;
        }
        rest.is_empty().then_some(places)
    }
}

/// How many blocks; as many as can be counted here, at least.
fn count(blocks: &Range<u64>) -> usize {
    usize::try_from(blocks.end - blocks.start).unwrap_or(usize::MAX)
}

const ENDED: Error = Error::new(
    Kind::NotFound,
    "this file is not being assembled any more",
    "It was published or given up; begin it anew.",
);

const MISSING: Error = Error::new(
    Kind::Changed,
    "parts of the file are missing, and no older file has them",
    "Bring all parts before it is published.",
);
