//! Files that are gone on with: what came of them stays under a name that is found again, and nothing is added to it before its
//! root has been compared with that of the other side.
//!
//! What is kept is believed by nobody: whoever goes on reads it again, so that damage, a torn write or a trick shows.

use std::ffi::OsStr;
use std::fs::File;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use digest::{Algorithm, BLOCK, Digest, PlainMd5, Root};
use rustix::fs::{copy_file_range, fstat, ftruncate};
use rustix::io::{Errno, pread, retry_on_intr};

use crate::beneath::Base;
use crate::digests::digests_of;
use crate::entry;
use crate::error::{Error, Kind};
use crate::incoming::{Incoming, Replace};
use crate::name::KEPT;
use crate::place::Place;
use crate::quota::check_space;
use crate::source::Source;
use crate::stage::{Durability, Hold, Stage};

/// Blocks, and their root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// How many.
    pub blocks: u64,
    /// Of all of them.
    pub root: Digest,
}

/// The name of the stage in which a file that will be called `name` is kept for `whom`.
pub(crate) fn stage_name(name: &OsStr, whom: &[u8]) -> String {
    // A name has no NUL, so that no two pairs are one text; and nobody finds a second pair with the digest of a first.
    let text = [name.as_bytes(), b"\0", whom].concat();
    format!("{KEPT}{}", digest::of_block(Algorithm::Blake3, &text))
}

/// Bytes in `blocks`, if `size` has so many.
pub(crate) fn bytes_in(blocks: u64, size: u64) -> Option<u64> {
    blocks.checked_mul(BLOCK as u64).filter(|bytes| *bytes <= size)
}

/// The root of the first `blocks` blocks of `file`, which has so many; `go_on` is asked now and then.
pub(crate) fn root_of(
    file: &File,
    blocks: u64,
    algorithm: Algorithm,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Root, Error> {
    let mut root = Root::new(algorithm);
    digests_of(file, 0..blocks * BLOCK as u64, algorithm, &|_| Ok(()), &mut |digests| {
        digests.iter().for_each(|digest| root.push(digest));
        go_on()
    })?;
    Ok(root)
}

impl Stage {
    /// Whole blocks in it.
    pub(crate) fn blocks(&self) -> Result<u64, Error> {
        Ok(entry::size(&fstat(self.file())?) / BLOCK as u64)
    }
}

impl Incoming {
    /// What is kept of a file of the user who runs this process, for `whom`; `None` if that is not a whole block.
    ///
    /// # Errors
    /// As [`local`](Incoming::local), and what reading reports.
    pub fn local_kept(
        path: &Path,
        whom: &[u8],
        algorithm: Algorithm,
        durability: Durability,
    ) -> Result<Option<(Incoming, Prefix)>, Error> {
        let place = Place::find(Base::Ambient, path.to_owned())?;
        let stage = stage_name(&place.name, whom);
        let Hold::Held(held) = Stage::hold(&place.directory, &stage, false)? else { return Ok(None) };
        let mut incoming = Incoming::onto_held(held, place, algorithm, durability)?;
        let blocks = incoming.stage.blocks()?;
        if blocks == 0 {
            return Ok(None);
        }
        let prefix = incoming.take_up(blocks, None, &mut || true)?;
        Ok(Some((incoming, prefix)))
    }

    /// A beginning with a copy of what has the name: its whole blocks. `None` if it has none, or somebody is at it.
    ///
    /// # Errors
    /// As [`local`](Incoming::local); [`Kind::NoSpace`], and what reading reports.
    pub fn local_copied(
        path: &Path,
        whom: &[u8],
        algorithm: Algorithm,
        durability: Durability,
    ) -> Result<Option<(Incoming, Prefix)>, Error> {
        let place = Place::find(Base::Ambient, path.to_owned())?;
        let blocks = place.old.as_ref().map_or(0, entry::size) / BLOCK as u64;
        if blocks == 0 {
            return Ok(None);
        }
        let bytes = blocks * BLOCK as u64;
        check_space(&place.directory, bytes)?;
        let (source, stage) = (Base::Ambient.file(path)?, stage_name(&place.name, whom));
        let Hold::Held(held) = Stage::hold(&place.directory, &stage, true)? else { return Ok(None) };
        let mut incoming = Incoming::onto_held(held, place, algorithm, durability)?;
        ftruncate(incoming.stage.file(), 0)?;
        copy(&source, incoming.stage.file(), 0..bytes)?;
        let prefix = incoming.take_up(blocks, None, &mut || true)?;
        Ok(Some((incoming, prefix)))
    }

    /// A new beginning of a file of the user who runs this process, of `size` bytes if that is known. What comes is kept for `whom`
    /// if this is dropped too early; what was kept before is gone.
    ///
    /// # Errors
    /// As [`local`](Incoming::local).
    pub fn local_to_keep(
        path: &Path,
        whom: &[u8],
        size: Option<u64>,
        algorithm: Algorithm,
        durability: Durability,
    ) -> Result<Incoming, Error> {
        let place = Place::find(Base::Ambient, path.to_owned())?;
        let stage = stage_name(&place.name, whom);
        match Stage::hold(&place.directory, &stage, true)? {
            Hold::Held(mut held) => {
                held.set_left(false);
                ftruncate(held.file(), 0)?;
                check_space(&place.directory, size.unwrap_or_default())?;
                let mut incoming = Incoming::onto_held(held, place, algorithm, durability)?;
                incoming.size = size.unwrap_or(u64::MAX);
                Ok(incoming)
            }
            Hold::Nothing | Hold::Taken => {
                Incoming::begin(place, size, Some(algorithm), Replace::Yes, None, durability)
            }
        }
    }

    fn onto_held(
        held: Stage,
        place: Place,
        algorithm: Algorithm,
        durability: Durability,
    ) -> Result<Incoming, Error> {
        let target = (place.name, place.old);
        let incoming = Incoming::on(held, target, None, Some(algorithm), Replace::Yes, None, durability);
        incoming.keeping()
    }

    /// Has its blocks stay when it is dropped, those in its stage among them.
    pub(crate) fn keeping(mut self) -> Result<Incoming, Error> {
        self.written = self.stage.blocks()? * BLOCK as u64;
        self.stage.set_left(false);
        self.kept = true;
        Ok(self)
    }

    /// Goes on behind the first `blocks` blocks of its stage; what is beyond is cut off. With a `proof`, their root must be that.
    ///
    /// # Errors
    /// [`Kind::Changed`] if it has not so many, or their root is another; and what reading reports.
    pub(crate) fn take_up(
        &mut self,
        blocks: u64,
        proof: Option<&Digest>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Prefix, Error> {
        let (algorithm, _) = self.hashing.as_ref().ok_or(NOT_KEPT)?;
        let algorithm = *algorithm;
        if self.stage.blocks()? < blocks {
            return Err(NOT_KEPT);
        }
        let root = root_of(self.stage.file(), blocks, algorithm, go_on)?;
        let prefix = Prefix { blocks, root: root.value() };
        if proof.is_some_and(|proof| *proof != prefix.root) {
            return Err(NOT_KEPT);
        }
        self.written = blocks * BLOCK as u64;
        ftruncate(self.stage.file(), self.written)?;
        self.hashing = Some((algorithm, root));
        self.rest = (blocks > 0).then(|| Root::new(algorithm));
        Ok(prefix)
    }

    /// Goes on where it stopped, with all that has come in whole blocks: these are read again, and a rest is to follow whose root
    /// is its own. Blocks.
    ///
    /// # Errors
    /// [`Kind::NotVerified`] after a write that failed; [`Kind::Changed`] if its blocks are not there any more, and what reading
    /// reports.
    pub fn again(&mut self) -> Result<Prefix, Error> {
        if self.failed {
            return Err(Kind::NotVerified.into());
        }
        self.take_up(self.written / BLOCK as u64, None, &mut || true)
    }

    /// Settles how many bytes the whole file has.
    ///
    /// # Errors
    /// [`Kind::Changed`] if it has more already; [`Kind::NoSpace`].
    pub fn announce(&mut self, size: u64) -> Result<(), Error> {
        let left = size.checked_sub(self.written).ok_or(Kind::Changed)?;
        check_space(self.stage.directory(), left)?;
        self.size = size;
        Ok(())
    }

    /// The plain MD5 of what is there so far, to be gone on with. Blocks.
    ///
    /// # Errors
    /// What reading reports.
    pub fn md5_so_far(&self) -> Result<PlainMd5, Error> {
        let mut source = Source::new(self.stage.file().try_clone()?, 0)?.up_to(self.written);
        source.md5(&mut || true)
    }

    /// Leaves nothing when it is dropped.
    pub fn forget(&mut self) {
        self.kept = false;
    }

    /// Leaves whole blocks where the next one finds them, if there are any.
    pub(crate) fn leave(&mut self) {
        let whole = self.written - self.written % BLOCK as u64;
        // A stage that cannot be cut to what is right goes, as one does that has nothing.
        if whole == 0 || ftruncate(self.stage.file(), whole).is_err() {
            return;
        }
        self.stage.set_left(true);
        if let (Some(reservation), Some(name)) = (self.reservation.take(), self.stage.name()) {
            reservation.leave(whole, (self.stage.directory(), OsStr::new(name)));
        }
    }
}

/// Copies bytes of a file to the same place in another: by reference where the file system can, in the kernel where it can.
pub(crate) fn copy(from: &File, to: &File, Range { start, end }: Range<u64>) -> Result<(), Error> {
    let (mut read, mut wrote) = (start, start);
    while wrote < end {
        let piece = usize::try_from(end - wrote).unwrap_or(usize::MAX).min(1 << 30);
        match copy_file_range(from, Some(&mut read), to, Some(&mut wrote), piece) {
            Ok(0) => return Err(Kind::Changed.into()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM)
                if wrote == start =>
            {
                return copy_here(from, to, start..end);
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// The same where the kernel does not.
fn copy_here(from: &File, to: &File, Range { mut start, end }: Range<u64>) -> Result<(), Error> {
    let mut buffer = vec![0; 256 * 1024];
    while start < end {
        let piece = usize::try_from(end - start).map_or(buffer.len(), |left| left.min(buffer.len()));
        match retry_on_intr(|| pread(from, &mut buffer[..piece], start))? {
            0 => return Err(Kind::Changed.into()),
            read => {
                to.write_all_at(&buffer[..read], start)?;
                start += read as u64;
            }
        }
    }
    Ok(())
}

/// What the other side has is not what is here.
pub(crate) const NOT_KEPT: Error = Error::new(
    Kind::Changed,
    "what is here of the file is not what it is to be gone on with",
    "Transfer it from its beginning.",
);
