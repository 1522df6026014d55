//! A stage: the file beside its target, shown by nobody, in which an incoming file grows until it is published.

use std::ffi::OsStr;
use std::fs::File;
use std::sync::Arc;

use cap_std::fs::Dir;
use rustix::fs::{
    AtFlags, FlockOperation, Mode, OFlags, RenameFlags, Stat, flock, fstat, fsync, openat, renameat,
    renameat_with, unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::entry::{self, EntryKind};
use crate::error::{Error, Kind};
use crate::name::RESERVED;
use crate::place::entry_at;

/// Whether a file is on disk once it is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// It survives a power cut: file and directory are synced.
    #[default]
    Full,
    /// The system writes it when it pleases.
    None,
}

/// A file under a reserved name, locked as long as it lives, removed when dropped.
///
/// It lies in its target's own directory, so that it has that directory's group, access list and file system. The lock
/// (flock(2)) tells every sweep that somebody still writes.
#[derive(Debug)]
pub(crate) struct Stage {
    directory: Arc<Dir>,
    /// `None` once published.
    name: Option<String>,
    file: File,
    /// It stays where it is when dropped.
    leave: bool,
}

/// What came of reaching for a stage that another may have left.
#[derive(Debug)]
pub(crate) enum Hold {
    /// It is there, and locked; it stays as it is unless told otherwise.
    Held(Stage),
    /// There is none.
    Nothing,
    /// Somebody has it who lives, or something else has its name.
    Taken,
}

impl Stage {
    /// The stage called `name`, which whoever left it can be gone on with; with `make`, an empty one where there is none.
    pub(crate) fn hold(directory: &Arc<Dir>, name: &str, make: bool) -> Result<Hold, Error> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let flags = if make { flags | OFlags::CREATE } else { flags };
        loop {
            let file: File = match openat(directory, name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => file.into(),
                Err(Errno::NOENT) if !make => return Ok(Hold::Nothing),
                Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR | Errno::ACCESS) => return Ok(Hold::Taken),
                Err(errno) => return Err(errno.into()),
            };
            // Where there are no locks, there is no sweep that would take it away either.
            if let Err(Errno::WOULDBLOCK) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
                return Ok(Hold::Taken);
            }
            let opened = fstat(&file)?;
            let named = entry_at(directory, OsStr::new(name))?;
            if named.is_none_or(|named| (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino)) {
                continue; // swept or published before it was locked
            }
            if !is_ours(&opened) {
                return Ok(Hold::Taken);
            }
            return Ok(Hold::Held(Stage {
                directory: directory.clone(),
                name: Some(name.into()),
                file,
                leave: true,
            }));
        }
    }

    /// Whether it stays where it is when dropped.
    pub(crate) fn set_left(&mut self, leave: bool) {
        self.leave = leave;
    }

    /// Its name, until it is published.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// An empty stage with the permission bits that `mode` leaves after umask or the directory's default access list.
    pub(crate) fn create(directory: Arc<Dir>, mode: Mode) -> Result<Stage, Error> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let name = fresh_name()?;
            let file = match openat(&directory, &name, flags, mode) {
                Ok(file) => file.into(),
                Err(Errno::EXIST) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let stage = Stage { directory: directory.clone(), name: Some(name), file, leave: false };
            match flock(&stage.file, FlockOperation::NonBlockingLockExclusive) {
                // A sweep was faster and is about to remove it.
                Err(Errno::WOULDBLOCK) => {}
                // Where there are no locks, no sweep gets one either, and so removes nothing.
                _ if fstat(&stage.file)?.st_nlink > 0 => return Ok(stage),
                // A sweep was faster and has removed it. From the lock on, none does.
                _ => {}
            }
        }
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn directory(&self) -> &Arc<Dir> {
        &self.directory
    }

    /// Gives the stage its name for good, atomically; with `replace`, whatever file or link had it is gone.
    pub(crate) fn publish(&mut self, name: &OsStr, replace: bool) -> Result<(), Error> {
        let Some(stage) = &self.name else { return Ok(()) };
        let directory = &self.directory;
        let renamed = if replace {
            renameat(directory, stage, directory, name)
        } else {
            renameat_with(directory, stage, directory, name, RenameFlags::NOREPLACE)
        };
        match renamed {
            Ok(()) => self.name = None,
            Err(Errno::NOENT) => return Err(VANISHED),
            Err(errno) => return Err(errno.into()),
        }
        Ok(())
    }

    /// Puts what was written on disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        Ok(fsync(&self.file)?)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(name) = self.name.as_ref().filter(|_| !self.leave) {
            // Nobody is left to be told; the next sweep tries again.
            let _ = unlinkat(&self.directory, name, AtFlags::empty());
        }
    }
}

/// Whether nobody but this user can have written what is in a stage, or can write to it still.
fn is_ours(stat: &Stat) -> bool {
    entry::kind(stat) == EntryKind::File
        && stat.st_uid == geteuid().as_raw()
        && stat.st_nlink == 1
        && entry::mode(stat).trailing_zeros() >= 6
}

const VANISHED: Error = Error::new(
    Kind::Io,
    "the file's temporary name vanished before it was complete",
    "Something else removes files there; send it again.",
);

/// The reserved beginning and 12 random letters and digits: 62 bits, so that no two stages meet and nobody guesses one.
fn fresh_name() -> Result<String, Error> {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = [0; 12];
    getrandom::fill(&mut random).map_err(|_| Kind::Io)?;
    Ok(RESERVED.chars().chain(random.iter().map(|&byte| LETTERS[usize::from(byte) % 36] as char)).collect())
}
