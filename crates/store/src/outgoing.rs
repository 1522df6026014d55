//! A file going out: read in blocks, hashed, its root taken.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use digest::{Algorithm, BATCH, BLOCK, Blocks, Digest, Gap, PlainMd5, Root};

use crate::ahead::ReadAhead;
use crate::beneath::Base;
use crate::entry::Attributes;
use crate::error::{Error, Kind};
use crate::kept::{NOT_KEPT, Prefix, bytes_in, root_of};
use crate::ranges::Ranges;
use crate::roots::{Roots, Seen, Watch, What};
use crate::source::Source;
use crate::version::Version;

/// From this size on, a peer that verifies nothing is sent a file by the kernel: below, one read and one write are as fast.
const SENT: u64 = 64 * 1024;

/// A file on its way to a peer that verifies nothing.
#[derive(Debug)]
pub enum Going {
    /// Read here: it is small, or somebody needs the bytes.
    Read(ReadAhead),
    /// For [`Outgoing::send`].
    Sent(Outgoing),
}

impl Going {
    /// Begins. `touched` says whether the bytes are needed, to be encrypted or changed.
    pub(crate) fn begin(outgoing: Outgoing, touched: bool) -> Result<Going, Error> {
        if touched || outgoing.remaining() <= SENT {
            Ok(Going::Read(ReadAhead::begin(outgoing, Gap::default())?))
        } else {
            Ok(Going::Sent(outgoing))
        }
    }

    /// As [`Outgoing::size`].
    pub fn size(&self) -> u64 {
        match self {
            Going::Read(file) => file.size(),
            Going::Sent(file) => file.size(),
        }
    }
}

/// A regular file being read, its size fixed when it was opened.
#[derive(Debug)]
pub struct Outgoing {
    source: Source,
    /// Where a digest is wanted.
    hashing: Option<(Algorithm, Root)>,
    /// The root of the whole file, where the blocks before those that are sent were read, too.
    whole: Option<Box<Root>>,
    /// Where the root of the whole file is to be remembered.
    watch: Option<Box<Watch>>,
}

impl Outgoing {
    /// Opens a file of the user who runs this process; a FIFO or a device is refused without waiting for it.
    ///
    /// # Errors
    /// As [`from_file`](Outgoing::from_file), and what opening reports.
    pub fn local(path: &Path, algorithm: Algorithm) -> Result<Outgoing, Error> {
        Outgoing::from_file(Base::Ambient.file(path)?, algorithm)
    }

    /// The same from block number `blocks` on. Those before are read here, and their root told.
    ///
    /// # Errors
    /// As [`local`](Outgoing::local); [`Kind::Changed`] if it has not so many whole blocks.
    pub fn local_behind(path: &Path, algorithm: Algorithm, blocks: u64) -> Result<(Outgoing, Prefix), Error> {
        let file = Base::Ambient.file(path)?;
        let again = file.try_clone()?;
        let mut outgoing = Outgoing::from_block(file, algorithm, blocks)?;
        bytes_in(blocks, outgoing.size()).ok_or(NOT_KEPT)?;
        let root = root_of(&again, blocks, algorithm, &mut || true)?;
        let prefix = Prefix { blocks, root: root.value() };
        outgoing.whole = Some(Box::new(root));
        Ok((outgoing, prefix))
    }

    /// The same from byte `from` on, for a peer that verifies nothing, and the plain MD5 of what is before. Blocks.
    ///
    /// # Errors
    /// As [`local`](Outgoing::local); [`Kind::BeyondTheEnd`] if it is shorter.
    pub fn local_from(path: &Path, from: u64) -> Result<(Outgoing, PlainMd5), Error> {
        let file = Base::Ambient.file(path)?;
        let before = Source::new(file.try_clone()?, 0)?.up_to(from).md5(&mut || true)?;
        Ok((Outgoing::plain(file, from..u64::MAX)?, before))
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
            return Err(Kind::BeyondTheEnd.into());
        }
        Ok(Outgoing { source, hashing: Some((algorithm, Root::new(algorithm))), whole: None, watch: None })
    }

    /// As [`from_block`](Outgoing::from_block), of which `roots` get to know the root, if it is read from its first block to its end.
    pub(crate) fn known_to(
        roots: &Arc<Roots>,
        file: File,
        algorithm: Algorithm,
        first: u64,
    ) -> Result<Outgoing, Error> {
        let watch = if first == 0 { Watch::begin(roots, &file) } else { None };
        let watch = watch.map(Box::new);
        Ok(Outgoing { watch, ..Outgoing::from_block(file, algorithm, first)? })
    }

    /// The root of the whole file, if `roots` know it.
    pub(crate) fn known(&self, roots: &Roots) -> Option<Digest> {
        let (algorithm, _) = self.hashing.as_ref()?;
        self.source.known(roots, What::Root(*algorithm))
    }

    /// The blocks of `parts` of a file of the user who runs this process.
    ///
    /// # Errors
    /// As [`local`](Outgoing::local); [`Kind::Changed`] if it is of another version than asked for, or ends before they do.
    pub fn local_parts(
        path: &Path,
        algorithm: Algorithm,
        version: Option<Version>,
        parts: &Ranges,
    ) -> Result<Outgoing, Error> {
        Outgoing::in_parts(Base::Ambient.file(path)?, algorithm, version, parts)
    }

    pub(crate) fn in_parts(
        file: File,
        algorithm: Algorithm,
        version: Option<Version>,
        parts: &Ranges,
    ) -> Result<Outgoing, Error> {
        let source = Source::new(file, 0)?.of(version)?;
        let bytes = parts.bytes_of(source.size()).ok_or(SHORTER)?;
        let hashing = Some((algorithm, Root::new(algorithm)));
        Ok(Outgoing { source: source.in_ranges(bytes), hashing, whole: None, watch: None })
    }

    /// The bytes of `range`, as far as there are any, for a peer that verifies nothing: without digests.
    pub(crate) fn plain(file: File, range: Range<u64>) -> Result<Outgoing, Error> {
        let source = Source::new(file, range.start)?;
        if range.start > source.size() {
            return Err(Kind::BeyondTheEnd.into());
        }
        Ok(Outgoing { source: source.up_to(range.end), hashing: None, whole: None, watch: None })
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.source.size()
    }

    /// Which file it is, as of when it was opened.
    pub fn version(&self) -> Version {
        self.source.version()
    }

    /// Bytes not yet read.
    pub fn remaining(&self) -> u64 {
        self.source.remaining()
    }

    /// Time and permission bits when it was opened.
    pub fn attributes(&self) -> Attributes {
        self.source.attributes()
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
            if let Some((algorithm, root)) = &mut self.hashing {
                blocks.hash(*algorithm);
                for root in [root].into_iter().chain(self.whole.as_deref_mut()) {
                    blocks.digests().iter().for_each(|digest| root.push(digest));
                }
            }
            if self.remaining() == 0
                && let Some((watch, root)) = self.watch.take().zip(self.root())
            {
                self.source.seen(*watch).inspect(|seen| seen.has_root(root));
            }
        }
        Ok(data)
    }

    /// Reads all that is left to the end of `out`, for who hashes it with others, and tells then what root it has if that may be
    /// remembered.
    ///
    /// # Errors
    /// As [`read`](Outgoing::read); `out` is then as it was.
    pub fn read_to(self, out: &mut Vec<u8>) -> Result<Option<Seen>, Error> {
        let start = out.len();
        let left = usize::try_from(self.remaining()).map_err(|_| Kind::TooLarge)?;
        out.resize(start + left, 0);
        let read = self.read_into(vec![&mut out[start..]]);
        if read.is_err() {
            out.truncate(start);
        }
        read
    }

    /// The same to slices, in which there is room for just as many bytes.
    ///
    /// # Errors
    /// As [`read`](Outgoing::read).
    ///
    /// # Panics
    /// If there is room for more.
    pub fn read_into(mut self, slices: Vec<&mut [u8]>) -> Result<Option<Seen>, Error> {
        self.source.fill(slices)?;
        Ok(self.watch.take().and_then(|watch| self.source.seen(*watch)))
    }

    /// Has the kernel copy the next bytes to a socket that does not block, until that is full or `most` bytes are gone. How many
    /// went, 0 if it was full; or what is wrong with the socket. No digest covers them.
    ///
    /// # Errors
    /// As [`read`](Outgoing::read).
    pub fn send(&mut self, socket: impl AsFd, most: usize) -> Result<io::Result<usize>, Error> {
        self.source.send(socket, most)
    }

    /// The root of the blocks read so far: of the whole file, if it was read from its first block to its end. `None` where no
    /// digest was wanted.
    pub fn root(&self) -> Option<Digest> {
        self.hashing.as_ref().map(|(_, root)| root.value())
    }

    /// The root of the whole file, once it is read to its end.
    pub fn whole(&self) -> Option<Digest> {
        self.whole.as_deref().map(Root::value).or_else(|| self.root())
    }
}

const SHORTER: Error = Error::new(
    Kind::Changed,
    "the file ends before the parts that are asked for",
    "It became shorter, perhaps; look at it again.",
);
