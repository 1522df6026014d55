//! Whether a tree can come at all: nothing can, if its own directory is none, which is known only after more was sent.

use proto::EntryKind;

use super::Putting;
use crate::failure::{Code, Failure};

impl Putting<'_, '_> {
    /// Takes note of what has the name of a directory.
    pub(super) fn what_is_there(&mut self, path: Vec<u8>, kind: EntryKind) {
        let top = path.is_empty();
        if kind == EntryKind::Directory {
            self.account.settle(&path);
        } else {
            let other = something_else();
            if top {
                self.nowhere = Some(other);
            } else {
                self.failed(&path, other);
            }
            self.none.insert(path);
        }
        if top {
            self.end_doubt();
        }
    }

    /// Tells what could not be sent, unless nothing can.
    pub(super) fn failed(&mut self, path: &[u8], failure: Failure) {
        match &mut self.doubtful {
            _ if self.nowhere.is_some() => {}
            Some(doubtful) => doubtful.push((path.to_vec(), failure)),
            None => self.account.failed(&self.shown(path), failure),
        }
    }

    /// As much is known of the directory that all is to come into as will be.
    pub(super) fn end_doubt(&mut self) {
        for (path, failure) in self.doubtful.take().unwrap_or_default() {
            self.failed(&path, failure);
        }
    }
}

/// The failure of a directory whose name something has that is none.
pub(super) fn something_else() -> Failure {
    Failure::new(Code::Other, "the server has something else of that name")
        .with_remedy("Remove it there first.")
}
