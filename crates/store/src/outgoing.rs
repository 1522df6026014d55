//! A file going out: read in blocks, hashed, its root taken.

use std::fs::File;
use std::path::Path;

use digest::{Algorithm, BATCH, BLOCK, Blocks, Digest, Gap, Root};

use crate::beneath::Base;
use crate::entry::Attributes;
use crate::error::{Error, Kind};
use crate::source::Source;

/// A regular file being read, its size fixed when it was opened.
#[derive(Debug)]
pub struct Outgoing {
    source: Source,
    algorithm: Algorithm,
    root: Root,
}

impl Outgoing {
    /// Opens a file of the user who runs this process; a FIFO or a device is refused without waiting for it.
    ///
    /// # Errors
    /// As [`from_file`](Outgoing::from_file), and what opening reports.
    pub fn local(path: &Path, algorithm: Algorithm) -> Result<Outgoing, Error> {
        Outgoing::from_file(Base::Ambient.file(path)?, algorithm)
    }

    /// Takes a file opened for reading, whatever its own offset is.
    ///
    /// # Errors
    /// [`Kind::IsDirectory`] and [`Kind::Special`] for anything but a regular file.
    pub fn from_file(file: File, algorithm: Algorithm) -> Result<Outgoing, Error> {
        Outgoing::from_block(file, algorithm, 0)
    }

    pub(crate) fn from_block(file: File, algorithm: Algorithm, first: u64) -> Result<Outgoing, Error> {
        let source = Source::new(file, first.saturating_mul(BLOCK as u64))?;
        if first > source.size().div_ceil(BLOCK as u64) {
            return Err(BEYOND_THE_END);
        }
        Ok(Outgoing { source, algorithm, root: Root::new(algorithm) })
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.source.size()
    }

    /// Bytes not yet read.
    pub fn remaining(&self) -> u64 {
        self.source.remaining()
    }

    /// Time and permission bits when it was opened.
    pub fn attributes(&self) -> Attributes {
        Attributes { modified: Some(self.source.modified()), mode: Some(self.source.mode()) }
    }

    /// Lays out the next blocks, at most [`BATCH`], in `blocks` with `gap` around each, and hashes them. Returns how many bytes
    /// they have; 0 at the end.
    ///
    /// # Errors
    /// [`Kind::Changed`], at the latest with the last block, if the file has another size or time than when it was opened;
    /// and what reading reports. After an error nothing read from this file may be called verified.
    pub fn read(&mut self, blocks: &mut Blocks, gap: Gap) -> Result<usize, Error> {
        let data = usize::try_from(self.remaining()).map_or(BATCH * BLOCK, |left| left.min(BATCH * BLOCK));
        blocks.lay_out(data, gap);
        if data > 0 {
            self.source.fill(blocks.slices_mut())?;
            blocks.hash(self.algorithm);
            blocks.digests().iter().for_each(|digest| self.root.push(digest));
        }
        Ok(data)
    }

    /// The root of the blocks read so far: of the whole file, if it was read from its first block to its end.
    pub fn root(&self) -> Digest {
        self.root.value()
    }
}

const BEYOND_THE_END: Error = Error::new(
    Kind::Changed,
    "the file has fewer blocks than the first one asked for",
    "It became shorter; get it from its beginning.",
);
