//! Digests of whole files that were read before, so that nobody need read them again: never of what a file was.
//!
//! They are found by what [`fstat`](rustix::fs::fstat) tells of an opened file: device, inode, size, and the times of modification
//! and change to the nanosecond, none of it condensed. Whoever asks has opened the file, so may read it.
//!
//! # Why no digest is stale
//!
//! Every call that changes a file has the kernel stamp its time of change (`st_ctime`) by the kernel's own coarse clock, and no call
//! sets that time to a chosen value. A *name* here, all that fstat told, must never again be that of the file with other contents. So
//! a digest is remembered only if (see [`Watch`]):
//!
//! 1. *The file lies on a file system that is known to stamp so*: ext2 to ext4, XFS, Btrfs, F2FS, tmpfs. Those on a network, FUSE
//!    and overlays stamp by another's clock, pass on times that another system made up, or tell what they remember of them; which of
//!    this, nobody can tell from outside. Nothing is remembered there.
//! 2. *The clock had moved past the time of change before the reading began.* A change that begins later is stamped with a later
//!    time, and its name is another. That holds for a rewrite in the same tick as the last one, too: while that tick lasts, nothing
//!    is remembered. Kernels with finer stamps (Linux 6.13) stamp no lower than the coarse clock. No span of time is waited for in
//!    addition, save where the time has no fraction: it may be in whole seconds, and two seconds have to go by. (Inodes of 32-bit
//!    times stop in the year 2038. That very second is never past.)
//! 3. *Whatever was stamped before that has been carried out.* A write(2) is stamped when it begins and may copy for long. But these
//!    file systems hold the inode's lock meanwhile, or let nobody read meanwhile (XFS), and to seek in the data takes that lock: so
//!    after 2, and before the file is described, one seeks.
//! 4. *It is described alike before and after it was read*, and between the reading and that, one seeks again: what is stamped at
//!    its end (such as FICLONE on Btrfs) has been, then.
//! 5. *The clock was not set back* from 2 until it is remembered; and when it is found to be set back later, everything is
//!    forgotten. This is told by a second clock that nobody sets, see [`Moment`]. Back and forth between two looks remains unseen;
//!    then a change would have to hit the old time to the nanosecond.
//!
//! A file that has just come was not read here, but written, into a stage that only this process knows of, and its time of change is
//! that of the rename a moment ago. [`Fresh`] holds it open until its directory is on disk too, and then asks 2 and 3 of it; so a
//! new file on the same inode cannot take its place. What others wrote between the rename and the end of that tick would not show in
//! the time of change. It shows in the time of modification, which must be as it was before the rename, and past by then. Only a
//! program on this machine that rewrites the file in its very first tick, with the same size, and then sets the time of
//! modification back to the nanosecond, is not seen. Skipped are: files whose directory was on disk within the tick of their
//! rename (nearly all where `durability` is `"none"`), those whose time of modification is new, those that were gone on with, and
//! those of which no digest was computed. Whoever asks first reads them.
//!
//! # What cannot be told
//!
//! Programs on this machine, not clients, can change a file and leave no trace in its times:
//!
//! - Through a writable shared mapping (mmap(2)): the kernel stamps the first store to each page, and no further one until the page
//!   has been written to disk, half a minute or so; on tmpfs it stamps none. Only a lease (fcntl(2)) would tell that somebody has the
//!   file open to write. That needs calls without a safe form, and the owner's or root's identity.
//! - By one call with `O_DIRECT` that began before the reading and goes on after it.
//! - By writing to the disk beneath a file system, or by setting the clock back as root.
//!
//! Also a plain reading may then find half of the old and half of the new; but the next one finds the new, and a digest that is
//! remembered stays until the file's times change, or the server ends. Files that are written like this, as data bases and virtual
//! disks are, should be copied to where they are served.
//!
//! # Memory
//!
//! At most [`MOST`] digests in two tables, 5 to 7 MiB when full, nothing when nobody asks. A digest that is not asked for while half
//! as many others come is forgotten.

mod watch;

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use digest::{Algorithm, BLOCK, Digest};
use rustix::fs::Stat;

use crate::entry;
use crate::moment::Moment;
use crate::version::{self, Parts};

pub use watch::Seen;
pub(crate) use watch::{Fresh, Watch};

/// Digests in each of two tables: as many as a table of 32 Ki slots takes.
const HALF: usize = 28 * 1024;

/// Digests that are remembered.
#[cfg(test)]
const MOST: usize = 2 * HALF;

/// Digests of whole files that were read before: for all homes of a process, by what is in the files and not where they lie.
#[derive(Debug, Default)]
pub struct Roots(Mutex<Table>);

/// Which digest of which file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Name {
    file: Parts,
    what: What,
}

/// Which digest of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// The root of its blocks.
    Root(Algorithm),
    /// The plain MD5 of the whole.
    Md5,
}

#[derive(Debug, Default)]
struct Table {
    /// The latest moment that was seen.
    latest: Option<Moment>,
    /// What was asked for lately.
    young: HashMap<Name, Digest>,
    /// What will be forgotten next.
    old: HashMap<Name, Digest>,
}

impl Roots {
    /// The digest of an opened file of which fstat tells `stat` now.
    pub(crate) fn find(&self, stat: &Stat, what: What) -> Option<Digest> {
        self.find_at(&Moment::now()?, &Name::new(stat, what))
    }

    fn find_at(&self, now: &Moment, name: &Name) -> Option<Digest> {
        let mut table = self.lock();
        table.see(now);
        if let Some(digest) = table.young.get(name) {
            return Some(*digest);
        }
        let digest = table.old.remove(name)?;
        table.add(*name, digest);
        Some(digest)
    }

    /// Takes note of a digest, unless the clock was set back after the moment `since`.
    fn learn(&self, now: &Moment, since: &Moment, name: Name, digest: Digest) {
        let mut table = self.lock();
        table.see(now);
        if table.latest.is_some_and(|latest| !latest.is_set_back_since(since)) {
            table.old.remove(&name);
            table.add(name, digest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Name {
    fn new(stat: &Stat, what: What) -> Name {
        let what = match what {
            // Of one block, the plain MD5 is the root.
            What::Md5 if entry::size(stat) <= BLOCK as u64 => What::Root(Algorithm::Md5),
            what => what,
        };
        Name { file: version::parts(stat), what }
    }
}

impl Table {
    /// Takes note of a moment, and forgets everything if the clock was set back before it.
    fn see(&mut self, now: &Moment) {
        match &mut self.latest {
            Some(latest) if now.is_set_back_since(latest) => {
                *self = Table { latest: Some(*now), ..Table::default() }
            }
            // Of what bounds the difference from below, the highest bounds it best.
            Some(latest) if now.ahead.0 <= latest.ahead.0 => {}
            latest => *latest = Some(*now),
        }
    }

    fn add(&mut self, name: Name, digest: Digest) {
        if self.young.len() >= HALF && !self.young.contains_key(&name) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(name, digest);
    }
}

#[cfg(test)]
mod tests;
