//! Removing stages whose writers died, and counting what is stored.

use std::ffi::{CStr, OsStr};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{
    AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, flock, fstat, openat, statat, unlinkat,
};
use rustix::io::Errno;

use crate::beneath::Base;
use crate::entry::{self, EntryKind, Time};
use crate::error::Error;
use crate::name::RESERVED;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Stale stages removed.
    pub stages: u64,
    /// Bytes of all files; 0 in a home without a quota, where nobody counts.
    pub used: u64,
    /// Directories that could not be read.
    pub unreadable: u64,
}

/// Removes the stale stages that lie in `directory` itself, not those below it. Returns how many.
///
/// # Errors
/// If the directory cannot be read.
pub fn sweep_directory(directory: &Path) -> Result<u64, Error> {
    let mut sweep = Sweep::new(Base::Ambient, false);
    sweep.visit(directory, true)?;
    Ok(sweep.swept.stages)
}

/// Sweeps everything beneath `base`, following no link; with `counts`, the sizes of files are summed up.
pub(crate) fn sweep_tree(base: Base<'_>, counts: bool) -> Result<Swept, Error> {
    let mut sweep = Sweep::new(base, counts);
    sweep.visit(Path::new("."), true)?;
    while let Some(directory) = sweep.left.pop() {
        if sweep.visit(&directory, false).is_err() {
            sweep.swept.unreadable += 1;
        }
    }
    Ok(sweep.swept)
}

struct Sweep<'a> {
    base: Base<'a>,
    began: Time,
    counts: bool,
    swept: Swept,
    /// Directories found and not yet visited: as paths, since a tree may be deeper than a process may have files open.
    left: Vec<PathBuf>,
}

impl<'a> Sweep<'a> {
    fn new(base: Base<'a>, counts: bool) -> Sweep<'a> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let began = Time { seconds: now.as_secs().cast_signed(), nanoseconds: now.subsec_nanos() };
        Sweep { base, began, counts, swept: Swept::default(), left: Vec::new() }
    }

    fn visit(&mut self, path: &Path, follow: bool) -> Result<(), Error> {
        let mut directory = self.base.entries(path, follow)?;
        while let Some(read) = directory.read() {
            let read = read?;
            let name = read.file_name();
            if name != c"." && name != c".." {
                self.meet(path, &directory, name, read.file_type());
            }
        }
        Ok(())
    }

    /// What cannot be told of an entry, or cannot be removed, is left for the next sweep.
    fn meet(&mut self, path: &Path, directory: &Dir, name: &CStr, told: FileType) {
        let Ok(fd) = directory.fd() else { return };
        let stat = || statat(fd, name, AtFlags::SYMLINK_NOFOLLOW);
        let kind = match told {
            FileType::Unknown => {
                stat().map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
            }
            told => told,
        };
        match kind {
            FileType::Directory => self.left.push(path.join(OsStr::from_bytes(name.to_bytes()))),
            FileType::RegularFile if name.to_bytes().starts_with(RESERVED.as_bytes()) => {
                self.swept.stages += u64::from(remove_stale(fd, name, self.began).is_ok());
            }
            FileType::RegularFile if self.counts => {
                self.swept.used = self.swept.used.saturating_add(stat().as_ref().map_or(0, entry::size));
            }
            _ => {}
        }
    }
}

/// Removes the stage if nobody holds its lock. One made after the sweep began has a living writer, who may not have come to
/// lock it yet.
fn remove_stale(directory: BorrowedFd<'_>, name: &CStr, began: Time) -> Result<(), Errno> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(directory, name, flags, Mode::empty())?;
    let stat = fstat(&file)?;
    if entry::kind(&stat) != EntryKind::File || entry::modified(&stat) >= began {
        return Err(Errno::BUSY);
    }
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    unlinkat(directory, name, AtFlags::empty())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::{fs, thread};

    use super::*;
    use crate::stage::Stage;

    #[test]
    fn a_stage_made_after_the_sweep_began_is_left_though_nobody_locked_it_yet() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(".ftpd~abcdefghijkl"), b"").unwrap();
        let mut sweep = Sweep::new(Base::Ambient, false);
        sweep.began = Time { seconds: 1, nanoseconds: 0 };
        sweep.visit(home.path(), true).unwrap();
        assert_eq!(sweep.swept.stages, 0);
        sweep.began = Time { seconds: i64::MAX, nanoseconds: 0 };
        sweep.visit(home.path(), true).unwrap();
        assert_eq!(sweep.swept.stages, 1);
    }

    #[test]
    fn a_directory_that_became_a_link_is_not_visited() {
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink(".", &link).unwrap();
        assert!(Sweep::new(Base::Ambient, false).visit(&link, false).is_err());
        assert!(Sweep::new(Base::Ambient, false).visit(&link, true).is_ok());
    }

    #[test]
    fn a_stage_is_its_makers_from_the_moment_it_is_made() {
        let home = tempfile::tempdir().unwrap();
        let directory = Base::Ambient.directory(home.path()).unwrap();
        let done = AtomicBool::new(false);
        let made = thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let mut sweep = Sweep::new(Base::Ambient, false);
                    sweep.began = Time { seconds: i64::MAX, nanoseconds: 0 };
                    sweep.visit(home.path(), true).unwrap();
                }
            });
            let made = (0..5000).try_for_each(|_| {
                let mut stage = Stage::create(directory.clone(), Mode::RUSR | Mode::WUSR)?;
                stage.publish(OsStr::new("file"), true)
            });
            done.store(true, Ordering::Relaxed);
            made
        });
        made.unwrap();
    }
}
