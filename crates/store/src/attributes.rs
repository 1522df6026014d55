//! Setting times and permission bits.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Mode, Timespec, Timestamps, UTIME_OMIT, chmod, fchmod, fstat, futimens, utimensat,
};
use rustix::io::Errno;

use crate::beneath::Base;
use crate::entry::{self, Attributes, EntryKind, Time};
use crate::error::{Error, Kind};

/// Permission bits that count: neither set-user-ID, set-group-ID nor sticky.
const BITS: u32 = 0o777;

/// Sets `mode` and time of a new file. File systems that have none of their own (FAT, some of those on a network) still take
/// the file.
pub(crate) fn set_new(file: &File, mode: u32, modified: Option<Time>) -> Result<(), Error> {
    tolerate(fchmod(file, Mode::from_raw_mode(mode & BITS)))?;
    modified.map_or(Ok(()), |time| tolerate(futimens(file, &timestamps(time))))
}

/// Sets what `attributes` give of the directory `path`, wherever it is.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::NotDirectory`], [`Kind::Denied`], and what the system reports.
pub fn set_directory(path: &Path, attributes: &Attributes) -> Result<(), Error> {
    set(&Base::Ambient.handle(&path.join("."))?, attributes)
}

/// Sets what `attributes` give of the file or directory behind `handle`, which need not be opened for reading.
pub(crate) fn set(handle: &File, attributes: &Attributes) -> Result<(), Error> {
    let stat = fstat(handle)?;
    let kept = match entry::kind(&stat) {
        EntryKind::File => 0,
        EntryKind::Directory => stat.st_mode & !BITS, // a shared directory passes its group on
        EntryKind::Link | EntryKind::Other => return Err(Kind::Special.into()),
    };
    // The only name of the very thing that was opened; neither fchmod nor futimens takes a handle without read permission.
    let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
    if let Some(mode) = attributes.mode {
        chmod(&path, Mode::from_raw_mode(mode & BITS | kept))?;
    }
    if let Some(modified) = attributes.modified {
        utimensat(CWD, &path, &timestamps(modified), AtFlags::empty())?;
    }
    Ok(())
}

fn tolerate(set: Result<(), Errno>) -> Result<(), Error> {
    match set {
        Ok(()) | Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// `modified` for the kernel, the time of last access left alone. Nanoseconds that are none would be commands to it.
fn timestamps(modified: Time) -> Timestamps {
    let omitted = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let tv_nsec = modified.nanoseconds.min(999_999_999).into();
    Timestamps { last_access: omitted, last_modification: Timespec { tv_sec: modified.seconds, tv_nsec } }
}
