//! What is known of a file or directory.

use rustix::fs::{FileType, Stat};

/// An instant, since the epoch in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time {
    /// Whole seconds; before 1970 negative.
    pub seconds: i64,
    /// Nanoseconds after them, below 1,000,000,000.
    pub nanoseconds: u32,
}

/// What a transfer carries along with a file's bytes; `None` leaves it to the receiving side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// When the contents last changed.
    pub modified: Option<Time>,
    /// Permission bits; only the lower nine (`0o777`) count.
    pub mode: Option<u32>,
}

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a FIFO or a socket.
    Other,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last part of its path as the disk has it: never empty, most often UTF-8; of a home itself `/`.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes; of interest for files alone.
    pub size: u64,
    /// When its contents last changed.
    pub modified: Time,
    /// Permission bits, `0o777`.
    pub mode: u32,
}

impl Entry {
    pub(crate) fn new(name: Vec<u8>, stat: &Stat) -> Entry {
        Entry { name, kind: kind(stat), size: size(stat), modified: modified(stat), mode: mode(stat) }
    }
}

/// Whether `now` is the same file as `then`, with the same contents as far as its size and time tell.
pub(crate) fn is_unchanged(then: &Stat, now: &Stat) -> bool {
    (then.st_dev, then.st_ino) == (now.st_dev, now.st_ino)
        && (size(then), modified(then)) == (size(now), modified(now))
}

pub(crate) fn kind(stat: &Stat) -> EntryKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    }
}

pub(crate) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

pub(crate) fn modified(stat: &Stat) -> Time {
    #[expect(clippy::cast_possible_truncation, reason = "below 1,000,000,000")]
    Time { seconds: stat.st_mtime, nanoseconds: stat.st_mtime_nsec as u32 }
}

pub(crate) fn mode(stat: &Stat) -> u32 {
    stat.st_mode & 0o777
}
