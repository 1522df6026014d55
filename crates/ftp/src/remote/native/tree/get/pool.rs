//! The files of a tree that are still to be asked for, by whichever session comes to it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::super::COMMANDS;
use crate::remote::tree::{Chain, Made, Paths};

/// Bytes that one of several sessions has asked for: enough for a long link, and few enough to leave the others work.
const BYTES: u64 = 8 * 1024 * 1024;

/// Files that one of several sessions may ask for, however few are left: less would wait for each answer.
const FEW: usize = 8;

/// A file that is to be asked for.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) path: Vec<u8>,
    /// Where it is behind a link, how that was come to.
    pub(super) link: Option<Chain>,
    /// Bytes, as far as is known.
    pub(super) size: u64,
}

/// What the first session has to do that has asked for nothing.
pub(super) enum Next {
    /// To walk through a directory.
    Walk(Vec<u8>, Chain),
    /// To ask for files.
    Files,
    /// To wait for what others have asked for.
    Wait,
    Over,
}

/// What one session may have asked for at a time.
#[derive(Clone, Copy)]
pub(super) struct Share {
    pub(super) files: usize,
    pub(super) bytes: u64,
}

/// What the sessions of a tree share.
#[derive(Default)]
pub(super) struct Pool {
    inside: Mutex<Inside>,
    stirred: Notify,
}

#[derive(Default)]
struct Inside {
    files: Paths,
    /// How many these are.
    count: usize,
    /// Links that are to be followed.
    follow: VecDeque<(Vec<u8>, Chain)>,
    /// Bytes of memory that links take which are to be followed, and what lies behind them.
    linked: usize,
    /// Files that a session had asked for that was lost.
    again: Vec<Wanted>,
    /// Directories behind links that are to be walked through.
    later: Vec<(Vec<u8>, Chain)>,
    /// Files that helpers have asked for.
    out: usize,
    helpers: usize,
    /// Jobs that must be done before a file is put in its place.
    needs: (u64, Option<Arc<Made>>),
    over: bool,
    /// Its user knows that there are fewer sessions.
    told: bool,
    /// It has failed, and nobody goes on.
    cut: bool,
}

impl Pool {
    /// Adds files, for which so many jobs make room.
    pub(super) fn add(&self, found: Vec<Wanted>, jobs: u64, made: Option<Arc<Made>>) {
        let mut inside = self.inside();
        inside.needs = (jobs, made);
        for Wanted { path, link, size } in found {
            match link {
                Some(chain) => {
                    inside.linked += weight(&path, &chain);
                    inside.follow.push_back((path, chain));
                }
                None => {
                    inside.files.push(&path, &short(size));
                    inside.count += 1;
                }
            }
        }
        drop(inside);
        self.stirred.notify_waiters();
    }

    /// Takes a file, as a `helper` or not.
    pub(super) fn take(&self, helper: bool) -> Option<Wanted> {
        let mut inside = self.inside();
        let wanted = inside.take()?;
        inside.out += usize::from(helper);
        Some(wanted)
    }

    /// Jobs that must be done before what was taken so far is put in its place, and who does them.
    pub(super) fn needs(&self) -> (u64, Option<Arc<Made>>) {
        self.inside().needs.clone()
    }

    /// All of a file that a helper took has been heard.
    pub(super) fn heard(&self) {
        let mut inside = self.inside();
        inside.out -= 1;
        if inside.out == 0 {
            drop(inside);
            self.stirred.notify_waiters();
        }
    }

    /// A helper is called for.
    pub(super) fn join(&self) {
        self.inside().helpers += 1;
    }

    /// A helper goes; what it has taken and not heard is for others.
    pub(super) fn leave(&self, rest: Vec<Wanted>) {
        let mut inside = self.inside();
        inside.helpers -= 1;
        inside.out -= rest.len();
        inside.again.extend(rest);
        drop(inside);
        self.stirred.notify_waiters();
    }

    /// Has a directory behind a link walked through.
    pub(super) fn walk_later(&self, path: Vec<u8>, chain: Chain) {
        let mut inside = self.inside();
        inside.linked += weight(&path, &chain);
        inside.later.push((path, chain));
        drop(inside);
        self.stirred.notify_waiters();
    }

    /// What is to be done once nothing is asked for.
    pub(super) fn next_walk(&self) -> Next {
        let mut inside = self.inside();
        if inside.has_files() {
            return Next::Files;
        }
        match inside.later.pop() {
            Some((prefix, chain)) => {
                inside.linked -= weight(&prefix, &chain);
                Next::Walk(prefix, chain)
            }
            None if inside.out > 0 => Next::Wait,
            None => Next::Over,
        }
    }

    /// What one session may have asked for.
    pub(super) fn share(&self) -> Share {
        let inside = self.inside();
        match inside.helpers {
            0 => Share { files: COMMANDS, bytes: u64::MAX },
            helpers => Share { files: (inside.count / (helpers + 1)).clamp(FEW, COMMANDS), bytes: BYTES },
        }
    }

    /// Waits, as the first session, until there is something to do, or nothing any more.
    pub(super) async fn stirred(&self) {
        self.wait(|inside| inside.has_files() || !inside.later.is_empty() || inside.out == 0).await;
    }

    /// Waits, as a helper, until there is something to do: false, if nothing will be.
    pub(super) async fn work(&self) -> bool {
        self.wait(|inside| inside.has_files() || inside.over).await;
        !self.inside().over
    }

    /// Waits until all is in vain.
    pub(super) async fn is_cut(&self) {
        self.wait(|inside| inside.cut).await;
    }

    /// Nothing will come any more; and if it is not `whole`, what is under way is of no use.
    pub(super) fn end(&self, whole: bool) {
        let mut inside = self.inside();
        (inside.over, inside.cut) = (true, !whole);
        drop(inside);
        self.stirred.notify_waiters();
    }

    /// Nothing can be expected of helpers any more.
    pub(super) fn give_up(&self) {
        self.inside().out = 0;
        self.end(false);
    }

    /// Takes note that its user is told of a session that is missing; whether for the first time.
    pub(super) fn tell(&self) -> bool {
        !std::mem::replace(&mut self.inside().told, true)
    }

    /// Whether there are links that are still to be followed.
    pub(super) fn has_links(&self) -> bool {
        let inside = self.inside();
        !inside.later.is_empty() || !inside.follow.is_empty()
    }

    /// Bytes of memory that the list takes.
    pub(super) fn bytes(&self) -> usize {
        let inside = self.inside();
        inside.files.bytes() + inside.linked
    }

    async fn wait(&self, ready: impl Fn(&Inside) -> bool) {
        loop {
            let stirred = self.stirred.notified(); // counts from here on
            if ready(&self.inside()) {
                return;
            }
            stirred.await;
        }
    }

    /// No invariant is broken where it is left in the middle: a panic ends the program.
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn has_files(&self) -> bool {
        self.count > 0 || !self.follow.is_empty() || !self.again.is_empty()
    }

    fn take(&mut self) -> Option<Wanted> {
        if let Some(wanted) = self.again.pop() {
            return Some(wanted);
        }
        if let Some((path, note)) = self.files.pop_front() {
            self.count -= 1;
            return Some(Wanted { path, link: None, size: long(&note) });
        }
        let (path, chain) = self.follow.pop_front()?;
        self.linked -= weight(&path, &chain);
        Some(Wanted { path, link: Some(chain), size: 0 })
    }
}

/// Bytes of memory that a path behind a link takes.
fn weight(path: &[u8], chain: &Chain) -> usize {
    size_of::<(Vec<u8>, Chain)>() + path.len() + chain.bytes()
}

/// A size in few bytes: a tree has many files, most of them small.
fn short(size: u64) -> Vec<u8> {
    let bytes = size.to_le_bytes();
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    bytes[..end].to_vec()
}

/// What [`short`] noted.
fn long(note: &[u8]) -> u64 {
    note.iter().rev().fold(0, |size, &byte| size << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size: u64) -> Wanted {
        Wanted { path: path.into(), link: None, size }
    }

    #[test]
    fn links_that_wait_have_their_weight() {
        let pool = Pool::default();
        let chain = Chain::default().enter(b"a/link", b"../elsewhere").unwrap();
        let behind = |path: &str| Wanted { link: Some(chain.clone()), ..file(path, 0) };
        let empty = pool.bytes();
        pool.add(vec![behind("a/link"), behind("b/link")], 0, None);
        pool.walk_later(b"a/link".to_vec(), chain.clone());
        let full = pool.bytes();
        assert!(full >= empty + 3 * ("a/link".len() + "elsewhere".len()), "{full}");
        assert!(pool.take(false).is_some() && pool.take(false).is_some());
        assert!(pool.bytes() < full && matches!(pool.next_walk(), Next::Walk(..)));
        assert_eq!(pool.bytes(), empty);
    }

    #[test]
    fn sizes_come_out_as_they_went_in() {
        for size in [0, 1, 255, 256, 65_536, 1 << 40, u64::MAX] {
            assert_eq!(long(&short(size)), size);
        }
        assert!(short(0).is_empty() && short(4096).len() == 2);
    }

    #[test]
    fn what_a_lost_session_had_asked_for_is_for_others_and_awaited() {
        let pool = Pool::default();
        pool.walk_later(Vec::new(), Chain::default());
        assert!(matches!(pool.next_walk(), Next::Walk(..)));
        pool.add(vec![file("a", 1), file("b", 2)], 0, None);
        pool.join();
        let lost = pool.take(true).unwrap();
        let mine = pool.take(false).unwrap();
        assert_eq!((&lost.path[..], &mine.path[..]), (&b"a"[..], &b"b"[..]));
        assert!(matches!(pool.next_walk(), Next::Wait));
        pool.leave(vec![lost]);
        assert!(matches!(pool.next_walk(), Next::Files));
        assert_eq!(pool.take(false).unwrap().path, b"a");
        assert!(matches!(pool.next_walk(), Next::Over));
    }

    #[test]
    fn who_is_alone_takes_all_and_who_is_not_leaves_the_others_work() {
        let pool = Pool::default();
        pool.add((0..100).map(|number| file(&number.to_string(), 1)).collect(), 0, None);
        assert_eq!((pool.share().files, pool.share().bytes), (COMMANDS, u64::MAX));
        (0..3).for_each(|_| pool.join());
        assert_eq!((pool.share().files, pool.share().bytes), (25, BYTES));
        while pool.take(false).is_some() {}
        assert_eq!(pool.share().files, FEW);
    }
}
