//! A regular file that is read from one end to the other and must not change meanwhile.

use std::fs::File;
use std::io::IoSliceMut;

use rustix::fs::{Advice, Stat, fadvise, fstat};
use rustix::io::{Errno, preadv};

use crate::entry::{self, EntryKind, Time};
use crate::error::{Error, Kind};

/// From this size on the system is told to read ahead further than it does unasked.
const BIG: u64 = 1024 * 1024;

/// An opened file and how far it is read.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    opened: Stat,
    at: u64,
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
        let source = Source { at: from.min(entry::size(&opened)), file, opened };
        if source.remaining() > BIG {
            // Only advice: without it, reading is slower and nothing else.
            let _ = fadvise(&source.file, 0, None, Advice::Sequential);
        }
        Ok(source)
    }

    pub(crate) fn size(&self) -> u64 {
        entry::size(&self.opened)
    }

    pub(crate) fn remaining(&self) -> u64 {
        self.size() - self.at
    }

    pub(crate) fn modified(&self) -> Time {
        entry::modified(&self.opened)
    }

    pub(crate) fn mode(&self) -> u32 {
        entry::mode(&self.opened)
    }

    /// Fills `slices`, in all at most [`remaining`](Source::remaining) bytes. The last of them are handed out only if the file
    /// is still as it was when it was opened; that it has another name by now, or none, is no change.
    pub(crate) fn fill(&mut self, slices: Vec<&mut [u8]>) -> Result<(), Error> {
        let mut slices: Vec<IoSliceMut<'_>> = slices.into_iter().map(IoSliceMut::new).collect();
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            match preadv(&self.file, rest, self.at) {
                Ok(0) => return Err(Kind::Changed.into()),
                Ok(read) => {
                    self.at += read as u64;
                    IoSliceMut::advance_slices(&mut rest, read);
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        if self.remaining() == 0 {
            let now = fstat(&self.file)?;
            if entry::size(&now) != self.size() || entry::modified(&now) != self.modified() {
                return Err(Kind::Changed.into());
            }
        }
        Ok(())
    }
}
