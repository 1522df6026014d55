//! The last steps of a file that came: on disk, under its name, and the name on disk. One file takes them by itself, a group takes each
//! together.

use std::sync::Arc;

use cap_std::fs::Dir;
use rustix::fs::fsync;

use crate::entry;
use crate::error::{Error, Kind};
use crate::incoming::{Incoming, Receipt, Replace};
use crate::place::entry_at;
use crate::roots::{Fresh, What};
use crate::stage::Durability;

/// A file that came whole and is as it shall be, but for its name. Dropped, it leaves no trace.
#[derive(Debug)]
pub(crate) struct Complete {
    pub(crate) incoming: Incoming,
    pub(crate) receipt: Receipt,
}

impl Complete {
    /// The second step: has the file on disk, where that is wanted.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        if self.incoming.durability == Durability::Full { self.incoming.stage.sync() } else { Ok(()) }
    }

    /// The third step: gives the file its name. What remains is to [`sync_directory`].
    pub(crate) fn publish(mut self) -> Result<Published, Error> {
        let receipt = self.receipt;
        let Incoming { stage, name, replace, onto, reservation, roots, rest, .. } = &mut self.incoming;
        // What was gone on with has been in other hands.
        let roots = roots.take().filter(|_| rest.is_none());
        let fresh = roots.and_then(|roots| Fresh::new(&roots, stage.file()));
        let directory = stage.directory().clone();
        if let Some(onto) = onto
            && !entry_at(&directory, name)?.is_some_and(|now| entry::is_unchanged(onto, &now))
        {
            return Err(OTHERWISE);
        }
        let mut publish = || stage.publish(name, *replace == Replace::Yes);
        match reservation.take() {
            Some(reservation) => reservation.spend(receipt.size, (&directory, name), publish)?,
            None => publish()?,
        }
        Ok(Published { complete: self, fresh })
    }
}

/// A file that has its name, held open until that is on disk.
#[derive(Debug)]
pub(crate) struct Published {
    complete: Complete,
    fresh: Option<Fresh>,
}

impl Published {
    pub(crate) fn directory(&self) -> &Arc<Dir> {
        self.complete.incoming.stage.directory()
    }

    /// All is done: remembers its digests, where they are safe to remember.
    pub(crate) fn finish(self) -> Receipt {
        let Complete { incoming, receipt } = &self.complete;
        if let Some(seen) = self.fresh.and_then(|fresh| fresh.named(incoming.stage.file())) {
            receipt.root.inspect(|root| seen.has_root(*root));
            receipt.md5.inspect(|md5| seen.has(What::Md5, *md5));
        }
        *receipt
    }
}

/// The last step: has the names in a directory on disk, where that is wanted.
pub(crate) fn sync_directory(directory: &Dir, durability: Durability) -> Result<(), Error> {
    match durability {
        Durability::Full => Ok(fsync(directory)?),
        Durability::None => Ok(()),
    }
}

const OTHERWISE: Error = Error::new(
    Kind::Changed,
    "the file that this was to go on with has changed meanwhile",
    "It is as it was left; send the rest again.",
);
