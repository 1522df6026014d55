//! A regular file that is read from one end to the other and must not change meanwhile.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::os::fd::AsFd;

use digest::{Digest, PlainMd5};
use rustix::fs::{Advice, Stat, fadvise, fstat, sendfile};
use rustix::io::{Errno, pread, preadv, retry_on_intr};

use crate::entry::{self, Attributes, EntryKind, Time};
use crate::error::{Error, Kind};
use crate::home::STOPPED;
use crate::patience::Patient;
use crate::roots::{Roots, Seen, Watch, What};
use crate::version::Version;

/// From this size on the system is told to read ahead further than it does unasked.
const BIG: u64 = 1024 * 1024;

/// An opened file and how far it is read.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    opened: Stat,
    at: u64,
    end: u64,
    /// What is read behind that end.
    later: Option<Box<Later>>,
}

/// Ranges of bytes, ascending and apart.
#[derive(Debug)]
struct Later {
    ranges: VecDeque<Range<u64>>,
    /// How many in all.
    bytes: u64,
}

impl Source {
    /// Takes `file` as it is now, to be read from byte `from` on; anything but a regular file is refused.
    pub(crate) fn new(file: File, from: u64) -> Result<Source, Error> {
        let opened = fstat(&file)?;
        match entry::kind(&opened) {
            EntryKind::File => {}
            EntryKind::Directory => return Err(Kind::IsDirectory.into()),
            EntryKind::Link | EntryKind::Other => return Err(Kind::Special.into()),
        }
        let end = entry::size(&opened);
        // A file that the kernel makes up while it is read, as in /proc, tells no size.
        if end == 0 && retry_on_intr(|| pread(&file, &mut [0; 1], 0))? > 0 {
            return Err(NO_FIXED_SIZE);
        }
        let source = Source { at: from.min(end), end, file, opened, later: None };
        if source.remaining() > BIG {
            // Only advice: without it, reading is slower and nothing else.
            let _ = fadvise(&source.file, 0, None, Advice::Sequential);
        }
        Ok(source)
    }

    pub(crate) fn size(&self) -> u64 {
        entry::size(&self.opened)
    }

    /// To be read no further than byte `end`.
    pub(crate) fn up_to(mut self, end: u64) -> Source {
        self.end = end.clamp(self.at, self.size());
        self
    }

    /// To be read in these ranges and nowhere else; they are within its size, ascending and apart.
    pub(crate) fn in_ranges(mut self, ranges: Vec<Range<u64>>) -> Source {
        (self.at, self.end) = (0, 0);
        let bytes = ranges.iter().map(|range| range.end - range.start).sum();
        self.later = Some(Box::new(Later { ranges: ranges.into(), bytes }));
        self.go_on();
        self
    }

    /// At the end of a range, goes to the next one.
    fn go_on(&mut self) {
        while self.at == self.end
            && let Some(later) = &mut self.later
            && let Some(next) = later.ranges.pop_front()
        {
            later.bytes -= next.end - next.start;
            (self.at, self.end) = (next.start, next.end);
        }
    }

    pub(crate) fn remaining(&self) -> u64 {
        self.end - self.at + self.later.as_ref().map_or(0, |later| later.bytes)
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// The same, if it is of that version or none is asked for.
    pub(crate) fn of(self, version: Option<Version>) -> Result<Source, Error> {
        match version {
            Some(version) if version != self.version() => Err(OTHER_VERSION),
            _ => Ok(self),
        }
    }

    pub(crate) fn version(&self) -> Version {
        Version::of(&self.opened)
    }

    fn modified(&self) -> Time {
        entry::modified(&self.opened)
    }

    pub(crate) fn attributes(&self) -> Attributes {
        Attributes { modified: Some(self.modified()), mode: Some(entry::mode(&self.opened)) }
    }

    /// Fills `slices`, in all at most [`remaining`](Source::remaining) bytes. The last of them are handed out only if the file
    /// is still as it was when it was opened; that it has another name by now, or none, is no change.
    pub(crate) fn fill(&mut self, slices: Vec<&mut [u8]>) -> Result<(), Error> {
        let mut slices: Vec<IoSliceMut<'_>> = slices.into_iter().map(IoSliceMut::new).collect();
        let mut rest = &mut slices[..];
        IoSliceMut::advance_slices(&mut rest, 0); // empty ones are none
        while !rest.is_empty() {
            let here = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            let ends = rest.iter().scan(0, |sum, slice| {
                *sum += slice.len();
                Some(*sum)
            });
            let read = match ends.take_while(|end| *end <= here).count() {
                0 => pread(&self.file, &mut rest[0][..here], self.at),
                whole => preadv(&self.file, &mut rest[..whole], self.at),
            };
            match read {
                Ok(0) => return Err(Kind::Changed.into()),
                Ok(read) => {
                    self.at += read as u64;
                    IoSliceMut::advance_slices(&mut rest, read);
                    self.go_on();
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        self.check_end()
    }

    /// Reads what is left: `each` is given it piece by piece, and says whether to go on.
    pub(crate) fn pieces(&mut self, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Error> {
        let mut buffer = vec![0; 256 * 1024];
        while self.remaining() > 0 {
            let piece = usize::try_from(self.remaining()).map_or(buffer.len(), |left| left.min(buffer.len()));
            self.fill(vec![&mut buffer[..piece]])?;
            if !each(&buffer[..piece]) {
                return Err(STOPPED);
            }
        }
        Ok(())
    }

    /// The plain MD5 of what is left.
    pub(crate) fn md5(&mut self, go_on: &mut dyn FnMut() -> bool) -> Result<PlainMd5, Error> {
        let mut md5 = PlainMd5::new();
        self.pieces(&mut |piece| {
            md5.update(piece);
            go_on()
        })?;
        Ok(md5)
    }

    /// Its digest, if `roots` have it.
    pub(crate) fn known(&self, roots: &Roots, what: What) -> Option<Digest> {
        roots.find(&self.opened, what)
    }

    /// Whether its digest may be remembered: it was watched from before it was opened here, and is read from its beginning to its end.
    pub(crate) fn seen(&self, watch: Watch) -> Option<Seen> {
        watch.end(&self.file, &self.opened)
    }

    /// Has the kernel copy what is left to a socket that does not block (sendfile(2)), until that stays full or `most` bytes are
    /// gone. How many went, 0 when it is full; or what is wrong with the socket.
    pub(crate) fn send(&mut self, socket: impl AsFd, most: usize) -> Result<io::Result<usize>, Error> {
        let socket = match Patient::new(&socket) {
            Ok(socket) => socket,
            Err(errno) => return Ok(Err(errno.into())),
        };
        let (mut sent, mut at) = (0, self.at);
        while sent < most && self.remaining() > 0 {
            let piece = usize::try_from(self.remaining()).map_or(most - sent, |left| left.min(most - sent));
            match sendfile(&socket, &self.file, Some(&mut at), piece) {
                Ok(0) => return Err(Kind::Changed.into()),
                Ok(more) => {
                    sent += more;
                    self.at = at;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(errno @ (Errno::IO | Errno::NOMEM | Errno::STALE)) => return Err(errno.into()),
                Err(errno) => return Ok(Err(errno.into())),
            }
        }
        self.check_end()?;
        Ok(Ok(sent))
    }

    /// At the end, whether it is the end of what was opened.
    fn check_end(&self) -> Result<(), Error> {
        if self.remaining() > 0 { Ok(()) } else { self.check() }
    }

    /// Whether the file is as it was when it was opened; that it has another name by now, or none, is no change.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let now = fstat(&self.file)?;
        if entry::size(&now) != self.size() || entry::modified(&now) != self.modified() {
            return Err(Kind::Changed.into());
        }
        Ok(())
    }
}

const NO_FIXED_SIZE: Error = Error::new(
    Kind::Changed,
    "the file has no fixed size: it is made up while it is read",
    "Copy it to a file of its own, and take that.",
);

const OTHER_VERSION: Error = Error::new(
    Kind::Changed,
    "the file is not of that version any more",
    "It was changed or replaced; look at it again.",
);
