//! A file coming in: staged, verified block by block, published whole or not at all.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::File;
use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

use digest::{Algorithm, BLOCK, Blocks, Digest, Root};
use rustix::fs::{Mode, Stat, fstat};
use rustix::io::{Errno, pwritev};

use crate::alongside::Alongside;
use crate::attributes::set_new;
use crate::beneath::Base;
use crate::complete::{Complete, sync_directory};
use crate::entry::{self, Attributes};
use crate::error::{Error, Kind};
use crate::parcels::Contents;
use crate::place::Place;
use crate::quota::{Reservation, check_space};
use crate::roots::Roots;
use crate::stage::{Durability, Stage};

/// Whether a file of that name may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// It may; its permission bits stay where none come with the new one.
    Yes,
    /// It is [`Kind::Exists`], also if it appears while the new one comes in.
    No,
}

/// What shows that a file arrived whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// What its sender read.
    Root {
        /// Bytes of the file.
        size: u64,
        /// The root of its blocks.
        root: Digest,
    },
    /// No more than that the connection ended as it should. The size announced, if one was, is then an upper bound.
    CleanEnd,
}

/// What was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Bytes of the file.
    pub size: u64,
    /// The root of its blocks, computed here; `None` where no digest was wanted.
    pub root: Option<Digest>,
    /// Its plain MD5, where it was asked for and held nothing up.
    pub md5: Option<Digest>,
}

/// A file that is being received. Dropped without [`commit`](Incoming::commit), it leaves no trace, unless it was begun as one of
/// which is kept what came.
#[derive(Debug)]
pub struct Incoming {
    pub(crate) stage: Stage,
    pub(crate) name: OsString,
    pub(crate) replace: Replace,
    old_mode: Option<u32>,
    /// The file that this goes on with, as it was.
    pub(crate) onto: Option<Stat>,
    pub(crate) reservation: Option<Reservation>,
    pub(crate) durability: Durability,
    pub(crate) size: u64,
    pub(crate) written: u64,
    /// Where a digest is wanted.
    pub(crate) hashing: Option<(Algorithm, Root)>,
    /// The root of what came behind the blocks that were kept, where some were.
    pub(crate) rest: Option<Root>,
    /// Dropped before it is whole, its blocks stay, to be gone on with.
    pub(crate) kept: bool,
    md5: Option<Alongside>,
    /// Where its digests are to be remembered.
    pub(crate) roots: Option<Arc<Roots>>,
    /// A write failed: what the stage holds now is nobody's file.
    pub(crate) failed: bool,
}

impl Incoming {
    /// Begins a file of the user who runs this process: `path` may lead anywhere, through links, too. Its directory exists;
    /// a file of that name is replaced at [`commit`](Incoming::commit).
    ///
    /// # Errors
    /// [`Kind::IsDirectory`], [`Kind::Special`], [`Kind::NotFound`] of the directory, [`Kind::NoSpace`],
    /// [`Kind::InvalidName`] for the name of a stage, and what the system reports.
    pub fn local(
        path: &Path,
        size: u64,
        algorithm: Algorithm,
        durability: Durability,
    ) -> Result<Incoming, Error> {
        let place = Place::find(Base::Ambient, path.to_owned())?;
        Incoming::begin(place, Some(size), Some(algorithm), Replace::Yes, None, durability)
    }

    /// The same for a file of which nobody knows the size before its end.
    ///
    /// # Errors
    /// As [`local`](Incoming::local).
    pub fn local_of_any_size(
        path: &Path,
        algorithm: Algorithm,
        durability: Durability,
    ) -> Result<Incoming, Error> {
        let place = Place::find(Base::Ambient, path.to_owned())?;
        Incoming::begin(place, None, Some(algorithm), Replace::Yes, None, durability)
    }

    pub(crate) fn begin(
        place: Place,
        size: Option<u64>,            // where the sender announced one
        algorithm: Option<Algorithm>, // where a digest is wanted
        replace: Replace,
        reservation: Option<Reservation>,
        durability: Durability,
    ) -> Result<Incoming, Error> {
        place.check_replace(replace)?;
        size.map_or(Ok(()), |size| check_space(&place.directory, size))?;
        Incoming::staged(place, size, algorithm, replace, reservation, durability)
    }

    fn staged(
        Place { directory, name, old }: Place,
        size: Option<u64>,
        algorithm: Option<Algorithm>,
        replace: Replace,
        reservation: Option<Reservation>,
        durability: Durability,
    ) -> Result<Incoming, Error> {
        let stage = Stage::create(directory, Mode::RUSR | Mode::WUSR)?;
        Ok(Incoming::on(stage, (name, old), size, algorithm, replace, reservation, durability))
    }

    /// On an empty stage, to get that name.
    pub(crate) fn on(
        stage: Stage,
        (name, old): (OsString, Option<Stat>),
        size: Option<u64>,
        algorithm: Option<Algorithm>,
        replace: Replace,
        reservation: Option<Reservation>,
        durability: Durability,
    ) -> Incoming {
        Incoming {
            stage,
            name,
            replace,
            old_mode: old.as_ref().map(entry::mode),
            onto: None,
            reservation,
            durability,
            size: size.unwrap_or(u64::MAX),
            written: 0,
            hashing: algorithm.map(|algorithm| (algorithm, Root::new(algorithm))),
            rest: None,
            kept: false,
            md5: None,
            roots: None,
            failed: false,
        }
    }

    /// Has it replace `old` as that is now, and no other file.
    pub(crate) fn onto(mut self, old: Option<Stat>) -> Incoming {
        self.onto = old;
        self
    }

    /// Has the plain MD5 computed on the way, as long as that does not hold up the rest.
    pub(crate) fn with_md5(mut self) -> Incoming {
        self.md5 = Some(Alongside::new());
        self
    }

    /// Has its digests remembered once it is published.
    pub(crate) fn known_to(mut self, roots: &Arc<Roots>) -> Incoming {
        self.roots = Some(roots.clone());
        self
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Bytes that may still come: the announced size less what is [`written`](Incoming::written).
    pub fn remaining(&self) -> u64 {
        self.size - self.written
    }

    /// The same where the whole file has come and its blocks have the digests that they should have. Whether there is space for it
    /// was looked at before, with others.
    pub(crate) fn whole(
        place: Place,
        file: &Contents<'_>,
        replace: Replace,
        reservation: Option<Reservation>,
        durability: Durability,
    ) -> Result<Incoming, Error> {
        place.check_replace(replace)?;
        let (size, algorithm) = (file.size(), file.algorithm);
        let mut incoming =
            Incoming::staged(place, Some(size), Some(algorithm), replace, reservation, durability)?;
        let mut slices: Vec<IoSlice<'_>> = file.blocks.iter().map(|block| IoSlice::new(block)).collect();
        write_at(incoming.stage.file(), &mut slices, 0)?;
        incoming.written = size;
        if let Some((_, root)) = &mut incoming.hashing {
            file.digests.iter().for_each(|digest| root.push(digest));
        }
        Ok(incoming)
    }

    /// The root of what is there so far.
    pub fn root(&self) -> Option<Digest> {
        self.hashing.as_ref().map(|(_, root)| root.value())
    }

    /// Appends blocks, once each has the digest that its sender stated. Where none were stated, they are computed for the root,
    /// if one is wanted.
    ///
    /// # Errors
    /// [`Kind::NotVerified`], with nothing written, for a wrong digest, more bytes than announced, or a block that is not
    /// full and not the last; [`Kind::NoSpace`], [`Kind::Quota`] and whatever else writing reports. After an error the file
    /// can only be dropped.
    pub fn write(&mut self, blocks: &Blocks) -> Result<(), Error> {
        let appended = self.append(blocks);
        self.failed |= appended.is_err();
        appended
    }

    fn append(&mut self, blocks: &Blocks) -> Result<(), Error> {
        let end = self.end_after(blocks).ok_or(Kind::NotVerified)?;
        if let Some(reservation) = &mut self.reservation {
            reservation.grow_to(end)?;
        }
        let digests = match (&self.hashing, blocks.digests()) {
            (None, []) => Cow::Borrowed(&[][..]),
            (Some((algorithm, _)), []) => {
                Cow::Owned(digest::of_blocks(*algorithm, &blocks.slices().collect::<Vec<_>>()))
            }
            (Some((algorithm, _)), stated) if blocks.verify(*algorithm) => Cow::Borrowed(stated),
            _ => return Err(Kind::NotVerified.into()),
        };
        write_at(
            self.stage.file(),
            &mut blocks.slices().map(IoSlice::new).collect::<Vec<_>>(),
            self.written,
        )?;
        for root in self.hashing.iter_mut().map(|(_, root)| root).chain(&mut self.rest) {
            digests.iter().for_each(|digest| root.push(digest));
        }
        if let Some(md5) = &mut self.md5 {
            blocks.slices().for_each(|block| md5.update(block));
            if md5.holds_up() {
                self.md5 = None;
            }
        }
        self.written = end;
        Ok(())
    }

    /// Where the file ends with `blocks` appended; `None` if they cannot be its next ones.
    fn end_after(&self, blocks: &Blocks) -> Option<u64> {
        let mut end = self.written;
        for block in blocks.slices() {
            let follows_full = end.is_multiple_of(BLOCK as u64);
            let fits = (1..=BLOCK).contains(&block.len());
            end = end.checked_add(block.len() as u64).filter(|_| follows_full && fits)?;
        }
        (end <= self.size).then_some(end)
    }

    /// Compares the proof, sets the attributes, and publishes the file: atomically, and with [`Durability::Full`] on disk
    /// when this returns. Bits of `mode` that are not given are those of the file replaced, or what the directory gives a new
    /// file.
    ///
    /// # Errors
    /// [`Kind::NotVerified`] if the proof does not hold; [`Kind::Exists`] where nothing may be replaced;
    /// [`Kind::IsDirectory`] if a directory took the name meanwhile; and what the system reports. The stage is gone then; where no
    /// more than the last sync of the directory failed, the file has its name already.
    pub fn commit(self, proof: Proof, attributes: Attributes) -> Result<Receipt, Error> {
        let durability = self.durability;
        let complete = self.complete(proof, attributes)?;
        complete.sync()?;
        let published = complete.publish()?;
        sync_directory(published.directory(), durability)?;
        Ok(published.finish())
    }

    /// The first step of [`commit`](Incoming::commit): compares the proof, and sets the attributes.
    pub(crate) fn complete(mut self, proof: Proof, attributes: Attributes) -> Result<Complete, Error> {
        self.kept = false;
        let md5 = self.md5.take().map(Alongside::finish);
        let root = self.root();
        let sent = self.rest.as_ref().map(Root::value).or(root);
        let receipt = Receipt { size: self.written, root, md5 };
        if self.failed {
            return Err(Kind::NotVerified.into());
        }
        if let Proof::Root { size, root } = proof
            && (size != self.size || (receipt.size, sent) != (size, Some(root)))
        {
            return Err(Kind::NotVerified.into());
        }
        let mode = attributes.mode.or(self.old_mode).map_or_else(|| self.default_mode(), Ok)?;
        set_new(self.stage.file(), mode, attributes.modified)?;
        Ok(Complete { incoming: self, receipt })
    }

    /// The permission bits of a new file there. Umask and default access lists are the kernel's to apply, so it is asked by
    /// making one: the stage itself was made for its owner alone.
    fn default_mode(&self) -> Result<u32, Error> {
        let probe = Stage::create(self.stage.directory().clone(), Mode::from_raw_mode(0o666))?;
        Ok(entry::mode(&fstat(probe.file())?))
    }
}

/// Writes `slices` from byte `at` on.
pub(crate) fn write_at(file: &File, mut slices: &mut [IoSlice<'_>], mut at: u64) -> Result<(), Error> {
    IoSlice::advance_slices(&mut slices, 0); // empty ones are none
    while !slices.is_empty() {
        match pwritev(file, slices, at) {
            Ok(0) => return Err(Errno::IO.into()),
            Ok(wrote) => {
                at += wrote as u64;
                IoSlice::advance_slices(&mut slices, wrote);
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.kept {
            self.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn beyond_four_gibibytes_bytes_go_to_their_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut incoming = Incoming::local(&path, (5 << 30) + 4, Algorithm::Md5, Durability::None).unwrap();
        incoming.written = 5 << 30; // the blocks before are a hole
        let mut blocks = Blocks::default();
        blocks.lay_out(4, digest::Gap::default());
        blocks.slices_mut()[0].copy_from_slice(b"data");
        incoming.write(&blocks).unwrap();
        assert_eq!(incoming.remaining(), 0);
        incoming.commit(Proof::CleanEnd, Attributes::default()).unwrap();
        let (file, mut end) = (File::open(path).unwrap(), [0; 5]);
        assert_eq!(file.read_at(&mut end, (5 << 30) - 1).unwrap(), 5);
        assert_eq!(&end, b"\0data");
    }

    #[test]
    fn the_end_of_all_numbers_is_an_end() {
        let directory = tempfile::tempdir().unwrap();
        let mut incoming =
            Incoming::local(&directory.path().join("file"), 0, Algorithm::Md5, Durability::None).unwrap();
        incoming.size = u64::MAX;
        incoming.written = u64::MAX - 65535;
        let mut blocks = Blocks::default();
        blocks.lay_out(BLOCK, digest::Gap::default());
        assert_eq!(incoming.end_after(&blocks), None);
    }
}
