//! A directory and all that lies beneath it, told part by part while it is walked through.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Dir, Mode, OFlags, fstat, openat, readlinkat};
use rustix::io::Errno;

use crate::beneath::Base;
use crate::count::Id;
use crate::entry::{Entry, EntryKind, Time};
use crate::error::{Error, Kind};
use crate::home::Home;
use crate::listing::describe;
use crate::path::{self, HomePath};

/// Directories that are held open above the one that is read. Of those further up only what they are is kept, and how far they
/// were read: a tree may be deeper than a process may have files open.
const HELD: usize = 4;

/// What each thing found counts for, beside its path and what it says as a link.
const FOUND: usize = 64;

/// What each thing missed counts for, beside its path.
const MISSED: usize = 512;

/// A thing in a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its names from where the walk began, with a `/` between each two; empty for that itself.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file.
    pub size: u64,
    /// When its contents last changed.
    pub modified: Time,
    /// Permission bits, `0o777`.
    pub mode: u32,
    /// What a link says.
    pub target: Option<Vec<u8>>,
}

/// Where a walk could not look.
#[derive(Debug)]
pub struct Missed {
    /// As of [`Found`].
    pub path: Vec<u8>,
    /// Why.
    pub error: Error,
}

/// A part of what a walk tells.
#[derive(Debug, Default)]
pub struct Branch {
    /// What was found, each directory before what is in it.
    pub found: Vec<Found>,
    /// Where it could not look: directories that cannot be read, which are found all the same, and what has too long a path.
    pub missed: Vec<Missed>,
    /// What all that counts for.
    weight: usize,
}

impl Branch {
    fn find(&mut self, path: Vec<u8>, entry: &Entry, target: Option<Vec<u8>>) {
        self.weight += FOUND + path.len() + target.as_ref().map_or(0, Vec::len);
        let &Entry { kind, size, modified, mode, .. } = entry;
        self.found.push(Found { path, kind, size, modified, mode, target });
    }

    fn miss(&mut self, path: Vec<u8>, error: impl Into<Error>) {
        self.weight += MISSED + path.len();
        self.missed.push(Missed { path, error: error.into() });
    }
}

/// A walk under way. However large and deep the tree is, it holds a few open directories and the path to where it is.
#[derive(Debug)]
pub struct Walk {
    /// Where it began, until that is told.
    first: Option<Entry>,
    /// The directory where it began; paths are found again from there.
    root: Arc<cap_std::fs::Dir>,
    /// The directory that is read; `None` at the end.
    here: Option<Dir>,
    /// Its path.
    path: Vec<u8>,
    above: Vec<Above>,
}

/// A directory above the one that is read.
#[derive(Debug)]
struct Above {
    place: Place,
    /// How far it was read.
    offset: i64,
    /// Bytes of its path.
    path: usize,
}

/// What is left of a directory above.
#[derive(Debug)]
enum Place {
    Held(Dir),
    /// What it is.
    Left(Id),
}

impl Home {
    /// Begins to walk through the directory `path` and all beneath it, following no link there; of anything else, there is one
    /// thing to tell.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::Denied`], and what the system reports of `path`.
    pub fn walk(&self, path: &HomePath) -> Result<Walk, Error> {
        let first = self.stat(path)?;
        let (root, here) = if first.kind == EntryKind::Directory {
            let root = self.base().directory(&path.relative())?;
            let here = Dir::read_from(&root)?;
            (root, Some(here))
        } else {
            (self.base().directory(Path::new("."))?, None)
        };
        Ok(Walk { first: Some(first), root, here, path: Vec::new(), above: Vec::new() })
    }
}

impl Walk {
    /// The next part: things are added until they count for `most` bytes. A thing found counts for 64 more than its path and target
    /// have, one missed for 512 more than its path. `None` at the end.
    pub fn next_branch(&mut self, most: usize) -> Option<Branch> {
        let mut branch = Branch::default();
        if let Some(first) = self.first.take() {
            branch.find(Vec::new(), &first, None);
        }
        while branch.weight < most {
            let Some(here) = &mut self.here else { break };
            match here.read() {
                Some(Ok(read)) => match describe(here, &read) {
                    Ok(Some(entry)) => self.meet(entry, read.offset(), &mut branch),
                    Ok(None) => {}
                    Err(error) => branch.miss(self.path.clone(), error),
                },
                Some(Err(errno)) => {
                    branch.miss(self.path.clone(), errno);
                    self.climb(&mut branch);
                }
                None => self.climb(&mut branch),
            }
        }
        Some(branch).filter(|branch| branch.weight > 0)
    }

    /// Tells of what is in the directory that is read, and goes on in it if it is one.
    fn meet(&mut self, entry: Entry, offset: i64, branch: &mut Branch) {
        let Some(here) = &self.here else { return };
        let separator = if self.path.is_empty() { &b""[..] } else { b"/" };
        let path = [&self.path, separator, &entry.name].concat();
        if path.len() > path::MAX {
            return branch.miss(path, TOO_DEEP);
        }
        let name = OsStr::from_bytes(&entry.name);
        match entry.kind {
            EntryKind::File | EntryKind::Other => branch.find(path, &entry, None),
            EntryKind::Link => match here.fd().and_then(|fd| readlinkat(fd, name, Vec::new())) {
                Ok(target) => branch.find(path, &entry, Some(target.into_bytes())),
                Err(Errno::NOENT | Errno::INVAL) => {} // gone meanwhile, or something else by now
                Err(errno) => branch.miss(path, errno),
            },
            EntryKind::Directory => {
                branch.find(path.clone(), &entry, None);
                match enter(here, name) {
                    Ok(below) => self.descend(below, offset, path),
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                    Err(errno) => branch.miss(path, errno),
                }
            }
        }
    }

    /// Goes on in `below`, at `path`.
    fn descend(&mut self, below: Dir, offset: i64, path: Vec<u8>) {
        let Some(left) = self.here.replace(below) else { return };
        self.above.push(Above { place: Place::Held(left), offset, path: self.path.len() });
        self.path = path;
        // Where one cannot be told apart from others later, it stays open.
        if let Some(far) = self.above.len().checked_sub(HELD + 1).map(|far| &mut self.above[far].place)
            && let Place::Held(directory) = far
            && let Ok(id) = id_of(directory)
        {
            *far = Place::Left(id);
        }
    }

    /// Goes on in the directory above, or in the next above that can be found again.
    fn climb(&mut self, branch: &mut Branch) {
        self.here = None;
        while let Some(Above { place, offset, path }) = self.above.pop() {
            self.path.truncate(path);
            let found = match place {
                Place::Held(directory) => Ok(directory),
                Place::Left(id) => self.again(id, offset),
            };
            match found {
                Ok(directory) => {
                    self.here = Some(directory);
                    return;
                }
                Err(error) => branch.miss(self.path.clone(), error),
            }
        }
    }

    /// The directory at the path, if it is the one it was, from where it was read to.
    fn again(&self, id: Id, offset: i64) -> Result<Dir, Error> {
        let path = if self.path.is_empty() { b"." } else { &self.path[..] };
        let mut directory = Base::Home(&self.root).entries(Path::new(OsStr::from_bytes(path)), false)?;
        if id_of(&directory)? != id {
            return Err(MOVED);
        }
        directory.seek(offset)?;
        Ok(directory)
    }
}

/// Opens the directory `name`; no link is followed.
fn enter(directory: &Dir, name: &OsStr) -> Result<Dir, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Dir::new(openat(directory.fd()?, name, flags, Mode::empty())?)
}

fn id_of(directory: &Dir) -> Result<Id, Errno> {
    fstat(directory.fd()?).map(|stat| (stat.st_dev, stat.st_ino))
}

const TOO_DEEP: Error = Error::new(
    Kind::InvalidName,
    "it lies too deep: its path has more than 4096 bytes",
    "Ask for a directory further down.",
);

const MOVED: Error = Error::new(
    Kind::Changed,
    "the directory was moved while it was walked through",
    "Try again when nothing moves it.",
);
