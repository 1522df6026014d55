//! What a home holds, counted for its quota, and swept of what writers left that died.

use std::sync::atomic::Ordering;

use super::Home;
use crate::book::Book;
use crate::error::Error;
use crate::sweep::{Swept, sweep_tree};

/// How often a count is taken anew when directories are moved meanwhile.
const COUNTS: usize = 5;

impl Home {
    /// Whether it has a quota.
    pub fn has_quota(&self) -> bool {
        self.ledger.to_count().is_some()
    }

    /// Whether it is the directory that `other` is, with the same books.
    pub fn shares(&self, other: &Home) -> bool {
        self.ledger.shares(&other.ledger)
    }

    /// Whether its quota, if it has one, knows what is stored: [`sweep`](Home::sweep) has counted in that directory before.
    pub fn is_counted(&self) -> bool {
        self.ledger.to_count().is_none_or(Book::is_counted)
    }

    /// Walks through the home, removes the stages whose writers died, and counts for the quota. What comes or goes through homes
    /// of the same books meanwhile counts as it should; what others change there may be counted or not. Where users move
    /// directories all the while, what is known already stays.
    ///
    /// # Errors
    /// If the home itself cannot be read; directories below that cannot are counted and left out.
    pub fn sweep(&self) -> Result<Swept, Error> {
        let sweep = |book| {
            let (swept, kept) = sweep_tree(self.base(), book, self.keep)?;
            self.holds.store(kept, Ordering::Relaxed);
            Ok(swept)
        };
        let Some(book) = self.ledger.to_count() else { return sweep(None) };
        let mut all = Swept::default();
        for _ in 0..COUNTS {
            let (swept, right) = book.count(|| sweep(Some(book)))?;
            all = Swept { stages: all.stages + swept.stages, ..swept };
            if right {
                break;
            }
        }
        Ok(Swept { used: book.bytes().stored, ..all })
    }
}
