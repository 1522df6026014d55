//! How many bytes a home's files may have, and have.

use std::ffi::OsStr;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cap_std::fs::Dir;
use rustix::fs::fstatvfs;

use crate::entry::{self, EntryKind};
use crate::error::{Error, Kind};
use crate::place::entry_at;

/// The account of a home: bytes of its files, and bytes promised to files that are coming in.
///
/// Every name counts with its file's size. Without a limit nothing is counted.
#[derive(Debug)]
pub(crate) struct Ledger {
    limit: Option<u64>,
    bytes: Mutex<Bytes>,
}

#[derive(Debug, Default)]
struct Bytes {
    stored: u64,
    reserved: u64,
}

/// The bytes that `name` in `directory` counts for.
pub(crate) fn size_at(directory: &Dir, name: &OsStr) -> u64 {
    let file = entry_at(directory, name).ok().flatten().filter(|stat| entry::kind(stat) == EntryKind::File);
    file.as_ref().map_or(0, entry::size)
}

/// Bytes promised to one incoming file, given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    ledger: Arc<Ledger>,
    bytes: u64,
}

impl Ledger {
    pub(crate) fn new(limit: Option<u64>) -> Arc<Ledger> {
        Arc::new(Ledger { limit, bytes: Mutex::default() })
    }

    /// Whether anything is counted.
    pub(crate) fn counts(&self) -> bool {
        self.limit.is_some()
    }

    /// Takes what a walk through the home found for what is stored.
    pub(crate) fn set_stored(&self, stored: u64) {
        self.bytes().stored = stored;
    }

    /// Promises `bytes`; `None` where nothing is counted.
    pub(crate) fn reserve(self: &Arc<Ledger>, bytes: u64) -> Result<Option<Reservation>, Error> {
        let Some(limit) = self.limit else { return Ok(None) };
        let mut counted = self.bytes();
        let after = counted.stored.checked_add(counted.reserved).and_then(|sum| sum.checked_add(bytes));
        if after.is_none_or(|after| after > limit) {
            return Err(Kind::Quota.into());
        }
        counted.reserved += bytes;
        Ok(Some(Reservation { ledger: self.clone(), bytes }))
    }

    /// Carries out `change`, after which the bytes that `freed` tells before it are no longer stored.
    pub(crate) fn free(
        &self,
        freed: impl FnOnce() -> u64,
        change: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.change(0, 0, freed, change)
    }

    /// Changes come one after the other, each with its count, so that no two take the same file for the one they replace.
    fn change(
        &self,
        stored: u64,
        reserved: u64,
        freed: impl FnOnce() -> u64,
        change: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.counts() {
            return change();
        }
        let mut counted = self.bytes();
        let freed = freed();
        change()?;
        counted.stored = counted.stored.saturating_add(stored).saturating_sub(freed);
        counted.reserved = counted.reserved.saturating_sub(reserved);
        Ok(())
    }

    /// Bytes that may still come; `None` where nothing is counted.
    pub(crate) fn left(&self) -> Option<u64> {
        let limit = self.limit?;
        let counted = self.bytes();
        Some(limit.saturating_sub(counted.stored).saturating_sub(counted.reserved))
    }

    fn bytes(&self) -> MutexGuard<'_, Bytes> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes free for this process where `directory` is; `None` where the file system does not tell.
pub(crate) fn free_space(directory: &Dir) -> Result<Option<u64>, Error> {
    let space = fstatvfs(directory)?;
    // One that tells no size at all (some of those in memory or on a network) tells no free space either.
    Ok((space.f_blocks > 0).then(|| space.f_bavail.saturating_mul(space.f_frsize)))
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

    /// Carries out `publish`, after which `bytes` of the promised ones are stored, and those that `freed` tells before it are
    /// not. If it fails, everything is given back.
    pub(crate) fn spend(
        mut self,
        bytes: u64,
        freed: impl FnOnce() -> u64,
        publish: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.ledger.change(bytes, self.bytes, freed, publish)?;
        self.bytes = 0;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut counted = self.ledger.bytes();
        counted.reserved = counted.reserved.saturating_sub(self.bytes);
    }
}
