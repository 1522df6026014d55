//! A transfer from its command to its end, over as many connections as it takes.

use std::time::Duration;

use super::Receipt;

/// Files from this size on are worth going on with: those that are not small.
pub(crate) const LARGE: u64 = proto::SMALL + 1;

/// How far a transfer is.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// For whom what came is kept: the server, the user and the path there.
    pub(crate) mark: Vec<u8>,
    /// Whether it goes on with what an earlier try left.
    pub(crate) go_on: bool,
    /// Whether it has begun, with a file that is large enough to be gone on with.
    pub(crate) begun: bool,
    /// Bytes of the file.
    pub(crate) size: u64,
    /// Those that have been moved, perhaps in vain.
    pub(crate) moved: u64,
    /// Those that need not be moved again.
    pub(crate) kept: u64,
    /// Those that had been when this try began, or was counted.
    counted: u64,
    /// Those that were there before its first try, if it has begun.
    before: Option<u64>,
    /// What its user should know.
    notes: Vec<String>,
}

impl Course {
    /// A transfer that has not begun; with `go_on`, what an earlier run left is taken.
    pub(crate) fn new(mark: Vec<u8>, go_on: bool) -> Course {
        Course { mark, go_on, ..Course::default() }
    }

    /// A transfer begins, of which so many bytes are there already.
    pub(crate) fn begin(&mut self, size: u64, there: u64) {
        self.begun |= size >= LARGE;
        // What an earlier try has brought was not there before; and what turns out to be something else never was.
        self.before = Some(self.before.map_or(there, |before| before.min(there)));
        (self.size, self.moved, self.kept, self.counted) = (size, there, there, there);
    }

    /// Bytes that have been moved since this was asked last.
    pub(crate) fn count(&mut self) -> u64 {
        let moved = self.moved.saturating_sub(self.counted);
        self.counted = self.moved;
        moved
    }

    /// What the tries came to together.
    pub(crate) fn receipt(&self, last: Receipt, elapsed: Duration) -> Receipt {
        let moved = self.before.map_or(last.moved, |before| last.size.saturating_sub(before));
        Receipt { moved, elapsed, ..last }
    }

    /// How much of it has been moved.
    pub(crate) fn percent(&self) -> u64 {
        (u128::from(self.moved) * 100 / u128::from(self.size.max(1))) as u64
    }

    /// Has its user told something.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// What its user is to be told.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Verified;

    #[test]
    fn what_was_moved_is_counted_once_and_what_was_there_never() {
        let mut course = Course::default();
        assert_eq!(course.count(), 0);
        course.begin(LARGE, 100);
        course.moved += 50;
        assert_eq!((course.count(), course.count()), (50, 0));
        course.begin(LARGE, 120);
        course.moved += 7;
        assert_eq!(course.count(), 7);
    }

    #[test]
    fn all_tries_count_and_what_was_there_before_them_does_not() {
        let elapsed = Duration::from_secs(9);
        let last = Receipt { size: 100, moved: 100, verified: Verified::No, elapsed: Duration::from_secs(1) };
        for (begins, moved) in [
            (&[][..], 100),  // too small to be gone on with
            (&[0, 90], 100), // cut, and gone on with
            (&[60, 90], 40), // gone on with from the first
            (&[60, 0], 100), // what was there was something else
            (&[100], 0),
        ] {
            let mut course = Course::default();
            begins.iter().for_each(|there| course.begin(100, *there));
            let receipt = course.receipt(last, elapsed);
            assert_eq!((receipt.moved, receipt.elapsed), (moved, elapsed), "{begins:?}");
        }
    }
}
