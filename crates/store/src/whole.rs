//! Digests of whole files at a home: read, unless they are known from before.

use std::time::{Duration, Instant};

use digest::{Algorithm, BLOCK, Blocks, Digest, Gap};

use crate::error::Error;
use crate::home::{Home, STOPPED};
use crate::outgoing::Outgoing;
use crate::path::HomePath;
use crate::roots::{Seen, Watch, What};
use crate::source::Source;
use crate::version::Version;

/// Bytes of files of a block each, from which on no further one is read with them.
const MUCH: usize = 512 * 1024;

/// How long such files are read before the first of them are told of.
const LONG: Duration = Duration::from_millis(20);

/// A file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Its bytes.
    pub size: u64,
    /// Which file it is, as of when it was opened.
    pub version: Version,
    /// The root of its blocks.
    pub root: Digest,
}

/// A file of which everything is known but perhaps its root.
enum Opened {
    Known(Whole),
    /// Read; its data are the next.
    Read(u64, Version, Option<Seen>, usize),
}

impl Home {
    /// The root of a file. It is read here, while `go_on` says so, unless the root is known.
    ///
    /// # Errors
    /// As [`open`](Home::open); [`Kind::Changed`](crate::Kind::Changed) if the file changed meanwhile;
    /// [`Kind::Io`](crate::Kind::Io) if it was not to go on; and what reading reports.
    pub fn root(
        &self,
        path: &HomePath,
        algorithm: Algorithm,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Whole, Error> {
        let mut outgoing = self.open(path, algorithm, 0)?;
        let (size, version) = (outgoing.size(), outgoing.version());
        if let Some(root) = outgoing.known(&self.roots) {
            return Ok(Whole { size, version, root });
        }
        let mut blocks = Blocks::default();
        while outgoing.read(&mut blocks, Gap::default())? > 0 {
            if !go_on() {
                return Err(STOPPED);
            }
        }
        let root = outgoing.root().expect("opened with a digest");
        Ok(Whole { size, version, root })
    }

    /// The roots of the first of `paths`, in their order, up to one that is neither known nor to be had at once: of at least one,
    /// if the first is not such a one. Small files are read and hashed together.
    pub fn roots(&self, paths: &[HomePath], algorithm: Algorithm) -> Vec<Result<Whole, Error>> {
        let began = Instant::now();
        let (mut opened, mut data) = (Vec::new(), Vec::new());
        for path in paths {
            match self.open(path, algorithm, 0).map(|file| self.look(file, &mut data)) {
                Ok(Ok(None)) => break,
                Ok(Ok(Some(file))) => opened.push(Ok(file)),
                Ok(Err(error)) | Err(error) => opened.push(Err(error)),
            }
            if data.len() >= MUCH || began.elapsed() >= LONG {
                break;
            }
        }
        let mut rest = &data[..];
        let read = opened.iter().flatten().filter_map(|file| match file {
            Opened::Read(.., len) => rest.split_off(..*len),
            Opened::Known(_) => None,
        });
        let blocks: Vec<&[u8]> = read.collect();
        let mut digests = digest::of_blocks(algorithm, &blocks).into_iter();
        let told = opened.into_iter().map(|file| {
            Ok(match file? {
                Opened::Known(whole) => whole,
                Opened::Read(size, version, seen, _) => {
                    let root = digests.next().expect("of each that was read");
                    seen.inspect(|seen| seen.has_root(root));
                    Whole { size, version, root }
                }
            })
        });
        told.collect()
    }

    /// What is known of a file, or its data, to the end of `data`; nothing if it is unknown and large.
    fn look(&self, file: Outgoing, data: &mut Vec<u8>) -> Result<Option<Opened>, Error> {
        let (size, version, start) = (file.size(), file.version(), data.len());
        if let Some(root) = file.known(&self.roots) {
            return Ok(Some(Opened::Known(Whole { size, version, root })));
        }
        if size > BLOCK as u64 {
            return Ok(None);
        }
        let seen = file.read_to(data)?;
        Ok(Some(Opened::Read(size, version, seen, data.len() - start)))
    }

    /// The plain MD5 of a file, and its size; as [`root`](Home::root).
    ///
    /// # Errors
    /// As [`root`](Home::root).
    pub fn md5(&self, path: &HomePath, go_on: &mut dyn FnMut() -> bool) -> Result<(u64, Digest), Error> {
        let file = self.base().file(&path.relative())?;
        let watch = Watch::begin(&self.roots, &file);
        let mut source = Source::new(file, 0)?;
        if let Some(md5) = source.known(&self.roots, What::Md5) {
            return Ok((source.size(), md5));
        }
        let md5 = source.md5(go_on)?.finish();
        watch.and_then(|watch| source.seen(watch)).inspect(|seen| seen.has(What::Md5, md5));
        Ok((source.size(), md5))
    }
}
