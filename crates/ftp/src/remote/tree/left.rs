//! What a try leaves to the next one, should the connection be lost in the middle of a tree: what needs no more, and files that
//! were under way.

use std::sync::Arc;

use digest::{Algorithm, of_block};
use store::Incoming;

use crate::remote::{Course, LARGE};

/// By what a path is known again, in few bytes: nobody finds two of one mark.
pub(crate) type Mark = u128;

/// The mark of a path.
pub(crate) fn mark(path: &[u8]) -> Mark {
    let digest = of_block(Algorithm::Blake3, path);
    let (half, _) = digest.as_bytes().split_first_chunk().expect("it has twice as many bytes");
    u128::from_le_bytes(*half)
}

/// Paths of which nobody needs to know more than whether they are among those of earlier tries.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Those of earlier tries, in their order.
    before: Arc<Vec<Mark>>,
    /// Those of this one.
    since: Vec<Mark>,
}

impl Marks {
    fn push(&mut self, mark: Mark) {
        self.since.push(mark);
    }

    /// Whether it was there when the last try ended.
    pub(crate) fn has(&self, mark: Mark) -> bool {
        self.before.binary_search(&mark).is_ok()
    }

    /// Has it count as one of an earlier try.
    fn backdate(&mut self, mark: Mark) {
        if let Err(place) = self.before.binary_search(&mark) {
            Arc::make_mut(&mut self.before).insert(place, mark);
        }
    }

    /// Those of earlier tries, for another thread.
    pub(crate) fn known(&self) -> Marks {
        Marks { before: self.before.clone(), since: Vec::new() }
    }

    fn add(&mut self, mut others: Marks) {
        self.since.append(&mut others.since);
    }

    /// The next try begins.
    fn turn(&mut self) {
        let before = Arc::make_mut(&mut self.before);
        before.append(&mut self.since);
        before.sort_unstable();
    }
}

/// A large file that was under way.
#[derive(Debug)]
pub(crate) struct Half {
    /// From the top of the tree on.
    pub(crate) path: Vec<u8>,
    /// What has come of it, if it was coming. It is gone when this is.
    pub(crate) came: Option<Incoming>,
    pub(crate) course: Course,
}

/// Where a tree goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nobody has asked.
    #[default]
    Unasked,
    /// The server was asked, and the answer has not come.
    Asked,
    /// There.
    Known {
        /// As its user calls it.
        path: String,
        /// Whether it was made for the tree.
        made: bool,
    },
}

impl Place {
    /// What its user calls it, who asked for `asked`.
    pub(crate) fn named<'a>(&'a self, asked: &'a str) -> &'a str {
        match self {
            Place::Known { path, .. } => path,
            Place::Unasked | Place::Asked => asked,
        }
    }
}

/// All that is left.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Whether there was a try before.
    pub(crate) again: bool,
    /// What is in its place, or cannot be brought there.
    pub(crate) settled: Marks,
    /// The names of failures that their user knows.
    told: Marks,
    halves: Vec<Half>,
    /// Where a tree goes whose place depended on what the server has.
    pub(crate) place: Place,
    /// Links that were left out before all this began.
    pub(super) skipped: u64,
}

impl Left {
    /// Nothing more is to be done for a path.
    pub(crate) fn settle(&mut self, mark: Mark) {
        self.settled.push(mark);
    }

    /// The same before the tree is met again.
    pub(crate) fn settle_beforehand(&mut self, path: &[u8]) {
        self.settled.backdate(mark(path));
    }

    /// Whether a failure of that name is new.
    pub(super) fn is_news(&mut self, name: &str) -> bool {
        let mark = mark(name.as_bytes());
        let news = !self.told.has(mark);
        if news {
            self.told.push(mark);
        }
        news
    }

    /// A file was coming when the connection was lost.
    pub(crate) fn came(&mut self, path: Vec<u8>, file: Incoming) {
        let (there, size) = (file.written(), file.written() + file.remaining());
        if size >= LARGE {
            let mut course = Course::new(Vec::new(), true);
            course.begin(size, there);
            self.halves.push(Half { path, came: Some(file), course });
        }
    }

    /// A file was going then.
    pub(crate) fn went(&mut self, path: Vec<u8>, size: u64) {
        if size >= LARGE && !self.halves.iter().any(|half| half.path == path) {
            self.halves.push(Half { path, came: None, course: Course::new(Vec::new(), true) });
        }
    }

    /// A file is under way still.
    pub(crate) fn keep(&mut self, half: Half) {
        self.halves.push(half);
    }

    /// A file to go on with, once each; none that somebody else has brought to its end.
    pub(crate) fn next_half(&mut self) -> Option<Half> {
        while let Some(half) = self.halves.pop() {
            if !self.settled.has(mark(&half.path)) {
                self.halves.retain(|other| other.path != half.path);
                return Some(half);
            }
        }
        None
    }

    /// All is in its place: what others had begun of it goes, before directories get their times.
    pub(crate) fn forget_halves(&mut self) {
        self.halves.clear();
    }

    /// Bytes that need not be moved again.
    pub(crate) fn kept(&self) -> u64 {
        self.halves.iter().map(|half| half.course.kept).sum()
    }

    /// Adds what somebody else leaves.
    pub(super) fn add(&mut self, others: Left) {
        self.settled.add(others.settled);
        self.told.add(others.told);
        self.halves.extend(others.halves);
    }

    /// What was done may have to be done once more.
    pub(super) fn forget_settled(&mut self) {
        let settled = std::mem::take(&mut self.settled);
        self.halves.retain(|half| !settled.has(mark(&half.path)));
    }

    /// The next try begins.
    pub(super) fn turn(&mut self) {
        self.again = true;
        self.settled.turn();
        self.told.turn();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_settled_is_known_to_the_next_try() {
        let mut left = Left::default();
        for path in [&b"b"[..], b"a", b"c/d"] {
            left.settle(mark(path));
        }
        assert!(!left.settled.has(mark(b"a")));
        left.turn();
        let known = left.settled.known();
        assert!(left.settled.has(mark(b"a")) && known.has(mark(b"c/d")) && !known.has(mark(b"c")));
        let mut other = Left::default();
        other.settle(mark(b"e"));
        left.add(other);
        left.turn();
        assert!(left.settled.has(mark(b"e")) && left.settled.has(mark(b"b")));
    }

    #[test]
    fn a_failure_is_told_again_within_a_try_and_not_by_the_next() {
        let mut left = Left::default();
        assert!(left.is_news("a") && left.is_news("a"));
        left.turn();
        assert!(!left.is_news("a") && left.is_news("b"));
    }

    #[test]
    fn small_files_are_no_halves_and_finished_ones_no_more() {
        let mut left = Left::default();
        left.went(b"small".to_vec(), LARGE - 1);
        left.went(b"done".to_vec(), LARGE);
        left.went(b"large".to_vec(), LARGE);
        left.went(b"large".to_vec(), LARGE);
        left.settle(mark(b"done"));
        left.turn();
        assert_eq!(left.next_half().unwrap().path, b"large");
        assert!(left.next_half().is_none());
    }
}
