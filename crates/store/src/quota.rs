//! How many bytes a home's files may have, and have.

use std::ffi::OsStr;
use std::mem;
use std::sync::{Arc, MutexGuard};

use cap_std::fs::Dir;
use rustix::fs::{fstat, fstatvfs};

use crate::book::{Book, Bytes, Change};
use crate::count::Id;
use crate::entry::{self, EntryKind};
use crate::error::{Error, Kind};
use crate::place::entry_at;

/// The account of a home: its limit, and the book of its directory, where bytes of files and bytes promised to files that are
/// coming in are written down.
///
/// Every name counts with its file's size. While no home of a directory has a limit, nothing is counted.
#[derive(Debug)]
pub(crate) struct Ledger {
    limit: Option<u64>,
    book: Arc<Book>,
}

/// A name in an opened directory.
pub(crate) type Named<'a> = (&'a Dir, &'a OsStr);

/// The bytes that `name` in `directory` counts for.
fn size_at((directory, name): Named<'_>) -> u64 {
    let file = entry_at(directory, name).ok().flatten().filter(|stat| entry::kind(stat) == EntryKind::File);
    file.as_ref().map_or(0, entry::size)
}

fn id(directory: &Dir) -> Option<Id> {
    fstat(directory).ok().map(|stat| (stat.st_dev, stat.st_ino))
}

/// Bytes promised to one incoming file, given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    ledger: Arc<Ledger>,
    bytes: u64,
}

impl Ledger {
    pub(crate) fn new(limit: Option<u64>, book: Arc<Book>) -> Arc<Ledger> {
        if limit.is_some() {
            book.open();
        }
        Arc::new(Ledger { limit, book })
    }

    /// The book to count for; `None` without a limit.
    pub(crate) fn to_count(&self) -> Option<&Book> {
        self.limit.map(|_| &*self.book)
    }

    /// Whether both have one book.
    pub(crate) fn shares(&self, other: &Ledger) -> bool {
        Arc::ptr_eq(&self.book, &other.book)
    }

    /// Promises `bytes`, as far as the limit goes; none where nothing is counted.
    pub(crate) fn reserve(self: &Arc<Ledger>, bytes: u64) -> Result<Option<Reservation>, Error> {
        let Change::Counted(mut counted) = self.book.begin() else {
            return Ok(Some(Reservation { ledger: self.clone(), bytes: 0 }));
        };
        let promised = counted.reserved.checked_add(bytes);
        let after = promised.and_then(|promised| counted.stored.checked_add(promised));
        let (Some(promised), Some(after)) = (promised, after) else { return Err(Kind::Quota.into()) };
        if self.limit.is_some_and(|limit| after > limit) {
            return Err(Kind::Quota.into());
        }
        counted.reserved = promised;
        Ok(Some(Reservation { ledger: self.clone(), bytes }))
    }

    /// Carries out `take`, which says whether it has the stage that has the name. What that counted for is then part of the
    /// `bytes` promised.
    pub(crate) fn take_over<T>(
        self: &Arc<Ledger>,
        named: Named<'_>,
        bytes: u64,
        take: impl FnOnce() -> Result<(T, bool), Error>,
    ) -> Result<(T, Option<Reservation>), Error> {
        let Change::Counted(mut counted) = self.book.begin() else {
            return Ok((take()?.0, Some(Reservation { ledger: self.clone(), bytes: 0 })));
        };
        let promised = counted.reserved.checked_add(bytes).ok_or(Kind::Quota)?;
        let fits = |stored: u64| {
            let after = promised.checked_add(stored);
            after.is_some_and(|after| self.limit.is_none_or(|limit| after <= limit))
        };
        let freed = size_at(named);
        let left = counted.stored.saturating_sub(freed);
        if !fits(left) {
            return Err(Kind::Quota.into());
        }
        let (taken, has) = take()?;
        if has {
            counted.stored = left;
            counted.with_count(|count| match id(named.0) {
                Some(directory) => count.went((directory, named.1), freed),
                None => count.lose(),
            });
        } else if !fits(counted.stored) {
            return Err(Kind::Quota.into());
        }
        counted.reserved = promised;
        drop(counted);
        Ok((taken, Some(Reservation { ledger: self.clone(), bytes })))
    }

    /// Carries out `remove`, after which the name is gone, and no longer counts.
    pub(crate) fn free(
        &self,
        named: Named<'_>,
        remove: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Change::Counted(mut counted) = self.book.begin() else { return remove() };
        let freed = size_at(named);
        remove()?;
        counted.stored = counted.stored.saturating_sub(freed);
        counted.with_count(|count| match id(named.0) {
            Some(directory) => count.went((directory, named.1), freed),
            None => count.lose(),
        });
        Ok(())
    }

    /// Carries out `rename`, after which what `from` was is `to`, and no longer what that was.
    pub(crate) fn rename(
        &self,
        from: Named<'_>,
        to: Named<'_>,
        rename: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Change::Counted(mut counted) = self.book.begin() else { return rename() };
        let old = entry_at(from.0, from.1)?;
        let new = entry_at(to.0, to.1).ok().flatten();
        // Of two names of one file, rename(2) does nothing.
        let same = |(a, b): (&rustix::fs::Stat, _)| (a.st_dev, a.st_ino) == b;
        if old.as_ref().zip(new.as_ref().map(|new| (new.st_dev, new.st_ino))).is_some_and(same) {
            return rename();
        }
        let freed = size_at(to);
        rename()?;
        counted.stored = counted.stored.saturating_sub(freed);
        counted.with_count(|count| {
            let ids = id(from.0).zip(id(to.0)).map(|(above, below)| ((above, from.1), (below, to.1)));
            match (old.as_ref().map(|old| (entry::kind(old), entry::size(old))), ids) {
                (Some((EntryKind::File, bytes)), Some((from, to))) => count.moved(from, to, bytes, freed),
                (Some((EntryKind::Link | EntryKind::Other, _)), Some((_, to))) => count.went(to, freed),
                _ => count.lose(),
            }
        });
        Ok(())
    }

    /// Bytes that may still come; `None` where nothing is counted.
    pub(crate) fn left(&self) -> Option<u64> {
        let limit = self.limit?;
        let counted = self.bytes();
        Some(limit.saturating_sub(counted.stored).saturating_sub(counted.reserved))
    }

    fn bytes(&self) -> MutexGuard<'_, Bytes> {
        self.book.bytes()
    }
}

/// Bytes free for this process where `directory` is; `None` where the file system does not tell.
pub(crate) fn free_space(directory: &Dir) -> Result<Option<u64>, Error> {
    let space = fstatvfs(directory)?;
    // One that tells no size at all (some of those in memory or on a network) tells no free space either.
    Ok((space.f_blocks > 0).then(|| space.f_bavail.saturating_mul(space.f_frsize)))
}

/// Whether `size` bytes fit on the disk, as far as anybody knows.
pub(crate) fn check_space(directory: &Dir, size: u64) -> Result<(), Error> {
    match free_space(directory)? {
        Some(free) if free < size => Err(Kind::NoSpace.into()),
        _ => Ok(()),
    }
}

impl Reservation {
    /// Has at least `bytes` promised.
    pub(crate) fn grow_to(&mut self, bytes: u64) -> Result<(), Error> {
        if bytes > self.bytes
            && let Some(mut more) = self.ledger.reserve(bytes - self.bytes)?
        {
            self.bytes += mem::take(&mut more.bytes);
        }
        Ok(())
    }

    /// Carries out `publish`, after which `bytes` of the promised ones are stored under the name, and what had it is not. If it
    /// fails, everything is given back.
    pub(crate) fn spend(
        mut self,
        bytes: u64,
        named: Named<'_>,
        publish: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Change::Counted(mut counted) = self.ledger.book.begin() else { return publish() };
        let freed = size_at(named);
        publish()?;
        counted.stored = counted.stored.saturating_add(bytes).saturating_sub(freed);
        counted.reserved = counted.reserved.saturating_sub(self.bytes);
        counted.with_count(|count| match id(named.0) {
            Some(directory) => count.came((directory, named.1), bytes, freed),
            None => count.lose(),
        });
        drop(counted);
        self.bytes = 0;
        Ok(())
    }
}

impl Reservation {
    /// Has `bytes` of the promised ones count as stored under the name of a stage that is left there; the others are given back.
    pub(crate) fn leave(self, bytes: u64, named: Named<'_>) {
        let Change::Counted(mut counted) = self.ledger.book.begin() else { return };
        counted.stored = counted.stored.saturating_add(bytes);
        counted.with_count(|count| match id(named.0) {
            Some(directory) => count.came((directory, named.1), bytes, 0),
            None => count.lose(),
        });
        drop(counted); // before what was promised is given back
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.bytes > 0 {
            let mut counted = self.ledger.bytes();
            counted.reserved = counted.reserved.saturating_sub(self.bytes);
        }
    }
}
