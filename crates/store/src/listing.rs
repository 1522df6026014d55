//! A directory, told page by page.

use rustix::fs::{AtFlags, Dir, DirEntry, FileType, statat};
use rustix::io::Errno;

use crate::entry::{Entry, EntryKind, Time};
use crate::error::Error;
use crate::name::RESERVED;

/// The entries of a directory in the order of its file system, read while they are asked for.
#[derive(Debug)]
pub struct Listing(Source);

#[derive(Debug)]
enum Source {
    Directory(Dir),
    /// The path led to something else, which is listed itself.
    Single(Option<Entry>),
}

impl Listing {
    pub(crate) fn of_directory(directory: Dir) -> Listing {
        Listing(Source::Directory(directory))
    }

    pub(crate) fn of_entry(entry: Entry) -> Listing {
        Listing(Source::Single(Some(entry)))
    }

    /// The next entries, 1 to `max` of them; `None` at the end. Links are told as links. `.`, `..` and stages are left out.
    ///
    /// # Errors
    /// What the system reports of the directory. Of an entry that it cannot tell about, only the kind is told.
    pub fn next_page(&mut self, max: usize) -> Result<Option<Vec<Entry>>, Error> {
        let directory = match &mut self.0 {
            Source::Directory(directory) => directory,
            Source::Single(entry) => return Ok(entry.take().map(|entry| vec![entry])),
        };
        let mut page = Vec::new();
        while page.len() < max.max(1) {
            let Some(read) = directory.read() else { break };
            page.extend(describe(directory, &read?)?);
        }
        Ok(Some(page).filter(|page| !page.is_empty()))
    }
}

/// The entry; `None` if it is none of the user's, or vanished meanwhile.
pub(crate) fn describe(directory: &Dir, read: &DirEntry) -> Result<Option<Entry>, Error> {
    let name = read.file_name().to_bytes();
    if name == b"." || name == b".." || name.starts_with(RESERVED.as_bytes()) {
        return Ok(None);
    }
    match statat(directory.fd()?, read.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(Entry::new(name.to_vec(), &stat))),
        Err(Errno::NOENT) => Ok(None),
        Err(_) => {
            let kind = match read.file_type() {
                FileType::RegularFile => EntryKind::File,
                FileType::Directory => EntryKind::Directory,
                FileType::Symlink => EntryKind::Link,
                _ => EntryKind::Other,
            };
            let modified = Time { seconds: 0, nanoseconds: 0 };
            Ok(Some(Entry { name: name.to_vec(), kind, size: 0, modified, mode: 0 }))
        }
    }
}
