//! The book of a directory: what is stored in it and promised, whoever has it for a home, and from one reload to the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, Weak};

use crate::count::{Count, Id, Spot};
use crate::error::Error;

/// The books of all directories that are homes, by device and inode: homes of one directory have one book.
#[derive(Debug, Default)]
pub struct Books(Mutex<HashMap<Id, Weak<Book>>>);

/// What is stored and promised in one directory.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Whether anything is counted: from the first home with a quota on.
    open: RwLock<bool>,
    bytes: Mutex<Bytes>,
    /// Held by who counts: one at a time.
    counting: Mutex<()>,
}

#[derive(Debug, Default)]
pub(crate) struct Bytes {
    pub(crate) stored: u64,
    pub(crate) reserved: u64,
    /// Whether `stored` is what a walk found, and all that changed since.
    counted: bool,
    /// The count under way.
    count: Option<Count>,
}

/// The right to change something.
pub(crate) enum Change<'a> {
    /// It has to be counted.
    Counted(MutexGuard<'a, Bytes>),
    /// Nobody counts.
    Free(#[expect(dead_code, reason = "held")] RwLockReadGuard<'a, bool>),
}

impl Books {
    /// The book of a directory: the one it has, as long as somebody holds that.
    pub(crate) fn of(&self, directory: Id) -> Arc<Book> {
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        books.retain(|_, book| book.strong_count() > 0);
        if let Some(book) = books.get(&directory).and_then(Weak::upgrade) {
            return book;
        }
        let book = Arc::default();
        books.insert(directory, Arc::downgrade(&book));
        book
    }
}

impl Book {
    /// From now on everything counts.
    pub(crate) fn open(&self) {
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = true;
    }

    pub(crate) fn is_counted(&self) -> bool {
        self.bytes().counted
    }

    pub(crate) fn bytes(&self) -> MutexGuard<'_, Bytes> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a change. Where there is a book, one comes after the other, so that no two take the same file for the one they
    /// replace; where there is none yet, the first count waits for it.
    pub(crate) fn begin(&self) -> Change<'_> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if *open { Change::Counted(self.bytes()) } else { Change::Free(open) }
    }

    /// Has `walk` count, and takes what it found for what is stored, unless that cannot be told for what went on meanwhile.
    /// Whether it could.
    pub(crate) fn count<T>(&self, walk: impl FnOnce() -> Result<T, Error>) -> Result<(T, bool), Error> {
        let _one_by_one = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        self.bytes().count = Some(Count::default());
        let walked = walk();
        let mut bytes = self.bytes();
        let (stored, right) = bytes.count.take().unwrap_or_default().outcome();
        let walked = walked?;
        if right || !bytes.counted {
            (bytes.stored, bytes.counted) = (stored, true);
        }
        Ok((walked, right))
    }

    /// A stage that was kept, and counted, is gone.
    pub(crate) fn swept(&self, spot: Spot<'_>, bytes: u64) {
        let mut counted = self.bytes();
        counted.stored = counted.stored.saturating_sub(bytes);
        counted.with_count(|count| count.went(spot, bytes));
    }

    /// The count under way, for who walks.
    pub(crate) fn with_count(&self, step: impl FnOnce(&mut Count)) {
        self.bytes().with_count(step);
    }
}

impl Bytes {
    pub(crate) fn with_count(&mut self, step: impl FnOnce(&mut Count)) {
        if let Some(count) = &mut self.count {
            step(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_count_that_lost_its_way_is_taken_for_want_of_a_better_and_never_in_place_of_one() {
        let book = Book::default();
        book.open();
        let count = |bytes: u64, lost: bool| {
            let (directory, name) = ((0, 1), "name".as_ref());
            book.count(|| {
                book.with_count(|count| count.meet((directory, name), || bytes));
                book.with_count(|count| {
                    if lost {
                        count.lose()
                    }
                });
                Ok(())
            })
            .unwrap()
            .1
        };
        assert!(!book.is_counted());
        assert!(!count(1, true));
        assert!((book.is_counted(), book.bytes().stored) == (true, 1));
        assert!(!count(2, true));
        assert_eq!(book.bytes().stored, 1);
        assert!(count(3, false));
        assert!(book.count(|| Err::<(), _>(Kind::Io.into())).is_err());
        assert_eq!(book.bytes().stored, 3);
    }
}
