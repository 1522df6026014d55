//! Removing stages whose writers died, and counting what is stored.

use std::ffi::{CStr, CString, OsStr};
use std::mem;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{
    AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, flock, fstat, openat, statat, unlinkat,
};
use rustix::io::Errno;

use crate::beneath::Base;
use crate::book::Book;
use crate::count::Id;
use crate::entry::{self, EntryKind, Time};
use crate::error::Error;
use crate::home::Home;
use crate::name::{KEPT, RESERVED};
use crate::path::HomePath;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Stale stages removed.
    pub stages: u64,
    /// Bytes of all files, as the quota knows them; 0 in a home without one, where nobody counts.
    pub used: u64,
    /// Directories that could not be read, nor what is in them.
    pub unreadable: u64,
}

/// Directories above the one visited that are held open, so that a walk finds back whatever is moved meanwhile. Of those further
/// down only what they are is kept: a tree may be deeper than a process may have files open.
const HELD: usize = 32;

/// How long what came of a file of this computer is kept.
const KEPT_HERE: Duration = Duration::from_secs(7 * 86_400);

/// Removes the stale stages that lie in `directory` itself, not those below it. Returns how many.
///
/// # Errors
/// If the directory cannot be read.
pub fn sweep_directory(directory: &Path) -> Result<u64, Error> {
    sweep_one(Base::Ambient, directory)
}

impl Home {
    /// The same of one of this computer's directories that is used as a home, and counts nothing.
    ///
    /// # Errors
    /// As [`sweep_directory`].
    pub fn sweep_directory(&self, path: &HomePath) -> Result<u64, Error> {
        sweep_one(self.base(), &path.relative())
    }
}

fn sweep_one(base: Base<'_>, directory: &Path) -> Result<u64, Error> {
    let mut sweep = Sweep::new(None, KEPT_HERE);
    sweep.visit(&mut base.entries(directory, true)?)?;
    Ok(sweep.swept.stages)
}

/// Sweeps everything beneath `base`, following no link, however deep it is, but for what is to be kept for so long. With a book, the
/// files are counted there. Tells, too, whether something is kept.
pub(crate) fn sweep_tree(
    base: Base<'_>,
    book: Option<&Book>,
    keep: Duration,
) -> Result<(Swept, bool), Error> {
    let mut sweep = Sweep::new(book, keep);
    let mut here = base.entries(Path::new("."), true)?;
    let mut left = sweep.visit(&mut here)?;
    let mut above: Vec<Above> = Vec::new();
    loop {
        if let Some(name) = left.pop() {
            let below = below(&here, &name).and_then(|mut below| Ok((sweep.visit(&mut below)?, below)));
            match below {
                Ok((found, below)) => {
                    let id = id(&here)?;
                    let directory = Some(mem::replace(&mut here, below)).filter(|_| above.len() < HELD);
                    above.push(Above { directory, id, left: mem::replace(&mut left, found) });
                }
                // Gone meanwhile, or something else by now.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(_) => sweep.swept.unreadable += 1,
            }
        } else {
            let Some(next) = above.pop() else { return Ok((sweep.swept, sweep.kept)) };
            match next.directory.map_or_else(|| parent(&here, next.id), Ok) {
                Ok(directory) => (here, left) = (directory, next.left),
                Err(_) => sweep.swept.unreadable += next.left.len() as u64, // moved away
            }
        }
    }
}

/// A directory above the one visited.
struct Above {
    directory: Option<Dir>,
    id: Id,
    /// What is in it and not yet visited.
    left: Vec<CString>,
}

fn below(directory: &Dir, name: &CStr) -> Result<Dir, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Dir::new(openat(directory.fd()?, name, flags, Mode::empty())?)
}

/// What `directory` lies in, if that is the one it lay in.
fn parent(directory: &Dir, expected: Id) -> Result<Dir, Errno> {
    let parent = below(directory, c"..")?;
    if id(&parent)? == expected { Ok(parent) } else { Err(Errno::XDEV) }
}

fn id(directory: &Dir) -> Result<Id, Errno> {
    fstat(directory.fd()?).map(|stat| (stat.st_dev, stat.st_ino))
}

struct Sweep<'a> {
    began: Time,
    book: Option<&'a Book>,
    /// How long what can be gone on with is kept.
    keep: Duration,
    /// Whether something is.
    kept: bool,
    swept: Swept,
}

impl<'a> Sweep<'a> {
    fn new(book: Option<&'a Book>, keep: Duration) -> Sweep<'a> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let began = Time { seconds: now.as_secs().cast_signed(), nanoseconds: now.subsec_nanos() };
        Sweep { began, book, keep, kept: false, swept: Swept::default() }
    }

    /// Sweeps a directory itself. Returns those in it.
    fn visit(&mut self, directory: &mut Dir) -> Result<Vec<CString>, Errno> {
        let id = id(directory)?;
        let mut found = Vec::new();
        while let Some(read) = directory.read() {
            let read = read?;
            let name = read.file_name();
            if name != c"." && name != c".." && self.meet((directory.fd()?, id), name, read.file_type()) {
                found.push(name.to_owned());
            }
        }
        if let Some(book) = self.book {
            book.with_count(|count| count.end(id));
        }
        Ok(found)
    }

    /// Whether it is a directory. What cannot be told of an entry, or cannot be removed, is left for the next sweep.
    fn meet(&mut self, (fd, id): (BorrowedFd<'_>, Id), name: &CStr, told: FileType) -> bool {
        let stat = || statat(fd, name, AtFlags::SYMLINK_NOFOLLOW);
        let kind = match told {
            FileType::Unknown => {
                stat().map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
            }
            told => told,
        };
        match (kind, self.book) {
            (FileType::Directory, _) => return true,
            (FileType::RegularFile, _) if name.to_bytes().starts_with(KEPT.as_bytes()) => {
                // What cannot be told is left for the next sweep.
                let _untold = self.meet_kept((fd, id), name);
            }
            (FileType::RegularFile, _) if name.to_bytes().starts_with(RESERVED.as_bytes()) => {
                self.swept.stages += u64::from(remove_stale(fd, name, self.began).is_ok());
            }
            (FileType::RegularFile, Some(book)) => {
                let spot = (id, OsStr::from_bytes(name.to_bytes()));
                book.with_count(|count| count.meet(spot, || stat().as_ref().map_or(0, entry::size)));
            }
            _ => {}
        }
        false
    }
}

impl Sweep<'_> {
    /// Removes a stage that was kept for long enough. Another counts like any file, unless it has a writer: then what that was
    /// promised counts.
    fn meet_kept(&mut self, (fd, id): (BorrowedFd<'_>, Id), name: &CStr) -> Result<(), Errno> {
        let file = openat(fd, name, OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
        let stat = fstat(&file)?;
        if entry::kind(&stat) != EntryKind::File {
            return Ok(());
        }
        let spot = (id, OsStr::from_bytes(name.to_bytes()));
        let lock = || flock(&file, FlockOperation::NonBlockingLockExclusive);
        let until = entry::modified(&stat).seconds.saturating_add_unsigned(self.keep.as_secs());
        let stale = if self.keep.is_zero() {
            entry::modified(&stat) < self.began
        } else {
            until < self.began.seconds
        };
        if stale {
            lock()?;
            unlinkat(fd, name, AtFlags::empty())?;
            if let Some(book) = self.book {
                book.swept(spot, entry::size(&stat));
            }
            self.swept.stages += 1;
            return Ok(());
        }
        self.kept = true;
        if let Some(book) = self.book {
            // Nobody takes it up meanwhile: for that, the book is needed.
            book.with_count(|count| {
                if lock().is_ok() {
                    count.meet(spot, || fstat(&file).as_ref().map_or(0, entry::size));
                    let _ = flock(&file, FlockOperation::Unlock);
                }
            });
        }
        Ok(())
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

    fn opened(path: &Path) -> Dir {
        Base::Ambient.entries(path, true).unwrap()
    }

    #[test]
    fn a_stage_made_after_the_sweep_began_is_left_though_nobody_locked_it_yet() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(".ftpd~abcdefghijkl"), b"").unwrap();
        let mut sweep = Sweep::new(None, Duration::ZERO);
        sweep.began = Time { seconds: 1, nanoseconds: 0 };
        sweep.visit(&mut opened(home.path())).unwrap();
        assert_eq!(sweep.swept.stages, 0);
        sweep.began = Time { seconds: i64::MAX, nanoseconds: 0 };
        sweep.visit(&mut opened(home.path())).unwrap();
        assert_eq!(sweep.swept.stages, 1);
    }

    #[test]
    fn a_directory_that_became_a_link_is_not_entered() {
        let home = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(".", home.path().join("link")).unwrap();
        fs::create_dir(home.path().join("directory")).unwrap();
        assert!(below(&opened(home.path()), c"link").is_err());
        assert!(below(&opened(home.path()), c"directory").is_ok());
    }

    #[test]
    fn what_was_moved_away_is_not_followed_up() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("a/b")).unwrap();
        let (a, b) = (opened(&home.path().join("a")), opened(&home.path().join("a/b")));
        assert_eq!(id(&parent(&b, id(&a).unwrap()).unwrap()), id(&a));
        fs::rename(home.path().join("a/b"), home.path().join("b")).unwrap();
        assert!(parent(&b, id(&a).unwrap()).is_err());
    }

    #[test]
    fn a_stage_is_its_makers_from_the_moment_it_is_made() {
        let home = tempfile::tempdir().unwrap();
        let directory = Base::Ambient.directory(home.path()).unwrap();
        let done = AtomicBool::new(false);
        let made = thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let mut sweep = Sweep::new(None, Duration::ZERO);
                    sweep.began = Time { seconds: i64::MAX, nanoseconds: 0 };
                    sweep.visit(&mut opened(home.path())).unwrap();
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
