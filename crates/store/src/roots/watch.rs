//! How a digest comes to be remembered: the file was watched while it was read, or has just come.

use std::fs::File;
use std::sync::Arc;

use digest::Digest;
use rustix::fs::{SeekFrom, Stat, fstat, fstatfs, seek};
use rustix::io::Errno;

use super::{Name, Roots, What};
use crate::entry;
use crate::moment::{self, Moment};
use crate::version;

/// File systems that stamp every change by the clock of this kernel (statfs(2)).
const KEEPING: [u32; 5] = [
    0xEF53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683E, // Btrfs
    0xF2F5_2010, // F2FS
    0x0102_1994, // tmpfs
];

/// A file that is about to be described, and then read from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Watch {
    roots: Arc<Roots>,
    since: Moment,
}

impl Watch {
    /// Begins, before the file is described. Waits until a write to it that is under way has ended.
    pub(crate) fn begin(roots: &Arc<Roots>, file: &File) -> Option<Watch> {
        Watch::since(Moment::now()?, roots, file)
    }

    pub(super) fn since(since: Moment, roots: &Arc<Roots>, file: &File) -> Option<Watch> {
        is_at_rest(file).then(|| Watch { roots: roots.clone(), since })
    }

    /// The file was described as `stat`, then read: whether its digest may be remembered.
    pub(crate) fn end(self, file: &File, stat: &Stat) -> Option<Seen> {
        let Watch { roots, since } = self;
        let settled = since.is_past(moment::changed(stat)) && keeps_times(file);
        let same =
            || is_at_rest(file) && fstat(file).is_ok_and(|now| version::parts(stat) == version::parts(&now));
        (settled && same()).then_some(Seen { roots, since, stat: *stat })
    }
}

/// A file that was read, and whose digest may be remembered.
#[derive(Debug)]
pub struct Seen {
    roots: Arc<Roots>,
    since: Moment,
    stat: Stat,
}

impl Seen {
    /// Remembers the root of its blocks.
    pub fn has_root(&self, root: Digest) {
        self.has(What::Root(root.algorithm()), root);
    }

    pub(crate) fn has(&self, what: What, digest: Digest) {
        if let Some(now) = Moment::now() {
            self.roots.learn(&now, &self.since, Name::new(&self.stat, what), digest);
        }
    }
}

/// A file that has come, and is about to get its name.
#[derive(Debug)]
pub(crate) struct Fresh {
    roots: Arc<Roots>,
    before: Stat,
    since: Moment,
}

impl Fresh {
    /// `file` is whole, and nobody but this process has written to it.
    pub(crate) fn new(roots: &Arc<Roots>, file: &File) -> Option<Fresh> {
        let before = fstat(file).ok()?;
        let since = Moment::now()?;
        since.is_past(moment::modified(&before)).then(|| Fresh { roots: roots.clone(), before, since })
    }

    /// It has its name: whether what was written is what it has, and shall be found by what it is called by from now on.
    pub(crate) fn named(self, file: &File) -> Option<Seen> {
        self.named_at(Moment::now()?, file)
    }

    pub(super) fn named_at(self, now: Moment, file: &File) -> Option<Seen> {
        let watch = Watch::since(now, &self.roots, file)?;
        let after = fstat(file).ok()?;
        let told = |stat: &Stat| (entry::size(stat), moment::modified(stat));
        if told(&self.before) != told(&after) || now.is_set_back_since(&self.since) {
            return None;
        }
        watch.end(file, &after)
    }
}

/// Waits until a change that is under way has ended, by asking for what its lock is needed; whether that can be asked.
fn is_at_rest(file: &File) -> bool {
    // Where there are no data, it has looked for them.
    matches!(seek(file, SeekFrom::Data(0)), Ok(_) | Err(Errno::NXIO))
}

pub(super) fn keeps_times(file: &File) -> bool {
    #[expect(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        reason = "32 bits, in a word of either sign"
    )]
    fstatfs(file).is_ok_and(|system| KEEPING.contains(&(system.f_type as u32)))
}
