//! The chunks of a file, who has which, and the digests of their blocks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use digest::{Algorithm, BLOCK, Blocks, Digest, Root};
use proto::Part;

use super::super::crew::fewer;
use super::super::parts::AHEAD;
use crate::failure::Failure;
use crate::progress::Progress;

/// Blocks of a chunk, at least and at the most: so many that a command each costs nothing, so few that all sessions end together.
const BLOCKS: (u64, u64) = (16, 256);

/// Chunks for each session.
const EACH: u64 = 32;

/// What the sessions share.
#[derive(Debug)]
pub(super) struct Chunks {
    size: u64,
    /// Blocks of a chunk.
    each: u64,
    algorithm: Algorithm,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    /// The first block that nobody has been given.
    next: u64,
    /// Chunks that came back, by their first block.
    again: BTreeMap<u64, Part>,
    /// Chunks that are out, by their first block.
    out: BTreeMap<u64, Part>,
    /// Digests of all blocks, end to end.
    digests: Vec<u8>,
    failure: Option<Failure>,
    notes: Vec<String>,
}

/// What one session has been given. What it has not done when this is dropped is for others.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    chunks: &'a Chunks,
    progress: &'a Progress,
    given: Mutex<Given>,
    /// Chunks whose data went and of which nobody has said that they came.
    unsure: usize,
}

#[derive(Debug, Default)]
struct Given {
    /// Chunks in their order, those that are certainly done left out.
    chunks: VecDeque<Part>,
    /// How many of these have been moved whole.
    whole: usize,
    /// Blocks that have been moved of the one behind.
    blocks: u64,
}

impl Chunks {
    /// Those of a file of `size` bytes for so many sessions.
    pub(super) fn new(size: u64, sessions: usize, algorithm: Algorithm) -> Chunks {
        let blocks = size.div_ceil(BLOCK as u64);
        let each = (blocks / (sessions as u64 * EACH)).clamp(BLOCKS.0, BLOCKS.1);
        let bytes = usize::try_from(blocks).expect("a digest for each fits in memory") * algorithm.len();
        let inside = Inside { digests: vec![0; bytes], ..Inside::default() };
        Chunks { size, each, algorithm, inside: Mutex::new(inside) }
    }

    /// The chunks of one session. Of one that brings them, some are unsure until others went behind them.
    pub(super) fn lane<'a>(&'a self, brings: bool, progress: &'a Progress) -> Lane<'a> {
        let unsure = if brings { AHEAD + 1 } else { 1 };
        Lane { chunks: self, progress, given: Mutex::default(), unsure }
    }

    /// Nobody goes on.
    pub(super) fn fail(&self, failure: Failure) {
        self.inside().failure.get_or_insert(failure);
    }

    /// Why nobody goes on.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.inside().failure.clone()
    }

    /// There is one session less. The user is told of the first.
    pub(super) fn is_missing(&self, why: &Failure) {
        let mut inside = self.inside();
        if inside.notes.is_empty() {
            inside.notes.push(fewer(why));
        }
    }

    /// What the user is to be told.
    pub(super) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.inside().notes)
    }

    /// Whether all have been moved.
    pub(super) fn are_done(&self) -> bool {
        let inside = self.inside();
        inside.next == self.blocks() && inside.again.is_empty() && inside.out.is_empty()
    }

    /// Bytes from the first on that have been moved without a gap.
    pub(super) fn there(&self) -> u64 {
        let inside = self.inside();
        let first = |parts: &BTreeMap<u64, Part>| parts.keys().next().copied();
        let gap = [first(&inside.again), first(&inside.out)].into_iter().flatten().min();
        (gap.unwrap_or(inside.next) * BLOCK as u64).min(self.size)
    }

    /// The root of the whole.
    pub(super) fn root(&self) -> Digest {
        let (inside, mut root) = (self.inside(), Root::new(self.algorithm));
        for digest in inside.digests.chunks_exact(self.algorithm.len()) {
            root.push(&Digest::new(self.algorithm, digest).expect("as long as one is"));
        }
        root.value()
    }

    fn blocks(&self) -> u64 {
        self.size.div_ceil(BLOCK as u64)
    }

    fn bytes(&self, part: Part) -> u64 {
        let end = ((part.first_block + part.blocks) * BLOCK as u64).min(self.size);
        end - part.first_block * BLOCK as u64
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane<'_> {
    /// Takes a chunk.
    pub(super) fn take(&self) -> Option<Vec<Part>> {
        let mut inside = self.chunks.inside();
        if inside.failure.is_some() {
            return None;
        }
        let part = match inside.again.pop_first() {
            Some((_, part)) => part,
            None => {
                let first_block = inside.next;
                let blocks = self.chunks.each.min(self.chunks.blocks() - first_block);
                inside.next += blocks;
                Part { first_block, blocks }
            }
        };
        if part.blocks == 0 {
            return None;
        }
        inside.out.insert(part.first_block, part);
        drop(inside);
        self.given().chunks.push_back(part);
        Some(vec![part])
    }

    /// Takes note of blocks that come next.
    pub(super) fn moved(&self, blocks: &Blocks) {
        let mut given = self.given();
        let mut inside = self.chunks.inside();
        let len = self.chunks.algorithm.len();
        for digest in blocks.digests() {
            let Some(part) = given.chunks.get(given.whole).copied() else { return };
            let at = usize::try_from(part.first_block + given.blocks).expect("its digest is in memory") * len;
            inside.digests[at..at + len].copy_from_slice(digest.as_bytes());
            given.blocks += 1;
            if given.blocks == part.blocks {
                (given.whole, given.blocks) = (given.whole + 1, 0);
            }
        }
        while given.whole > self.unsure
            && let Some(part) = given.chunks.pop_front()
        {
            given.whole -= 1;
            inside.out.remove(&part.first_block);
        }
    }

    /// All that was taken is done.
    pub(super) fn done(&self) {
        let mut inside = self.chunks.inside();
        for part in self.given().chunks.drain(..) {
            inside.out.remove(&part.first_block);
        }
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        let Given { chunks, whole, blocks } = std::mem::take(&mut *self.given());
        let mut inside = self.chunks.inside();
        for (number, part) in chunks.into_iter().enumerate() {
            inside.out.remove(&part.first_block);
            inside.again.insert(part.first_block, part);
            let again = match number {
                _ if number < whole => self.chunks.bytes(part),
                _ if number == whole => self.chunks.bytes(Part { blocks, ..part }),
                _ => 0,
            };
            self.progress.expect(again);
        }
    }
}

#[cfg(test)]
mod tests {
    use digest::{BATCH, Gap};

    use super::*;

    const ALGORITHM: Algorithm = Algorithm::Md5;

    fn blocks(first: u64, count: u64) -> Blocks {
        let mut blocks = Blocks::default();
        blocks.lay_out(count as usize * BLOCK, Gap::default());
        for (number, span) in blocks.spans().to_vec().into_iter().enumerate() {
            blocks.buffer_mut()[span][..8].copy_from_slice(&(first + number as u64).to_le_bytes());
        }
        blocks.hash(ALGORITHM);
        blocks
    }

    /// Moves the first `count` blocks that a lane was given last.
    fn move_all(lane: &Lane<'_>, part: Part, count: u64) {
        let mut first = part.first_block;
        let end = first + count;
        while first < end {
            let some = (end - first).min(BATCH as u64);
            lane.moved(&blocks(first, some));
            first += some;
        }
    }

    fn one(lane: &Lane<'_>) -> Option<Part> {
        lane.take().map(|parts| parts[0])
    }

    #[test]
    fn chunks_come_in_order_and_those_of_who_is_lost_once_more() {
        let (size, progress) = ((4 * 16 * BLOCK - 100) as u64, Progress::hidden());
        let chunks = Chunks::new(size, 2, ALGORITHM);
        let (first, second) = (chunks.lane(false, &progress), chunks.lane(false, &progress));
        let [a, b, c] = [one(&first), one(&second), one(&first)].map(Option::unwrap);
        assert_eq!([a.first_block, b.first_block, c.first_block], [0, 16, 32]);
        move_all(&first, a, 16);
        assert_eq!(chunks.there(), 0, "it may not be written yet");
        move_all(&first, c, 16);
        move_all(&second, b, 3);
        drop(second);
        assert_eq!(one(&first), Some(b), "what came back goes before what is new");
        move_all(&first, b, 16);
        assert_eq!(chunks.there(), 16 * BLOCK as u64, "one is unsure");
        let last = one(&first).unwrap();
        assert!(one(&first).is_none() && !chunks.are_done());
        move_all(&first, last, 15);
        first.moved(&blocks(63, 1));
        first.done();
        assert!(chunks.are_done() && chunks.there() == size);
        let mut root = Root::new(ALGORITHM);
        (0..64).for_each(|block| root.push(&blocks(block, 1).digests()[0]));
        assert_eq!(chunks.root(), root.value());
    }

    #[test]
    fn what_is_sent_is_done_when_it_is_answered() {
        let progress = Progress::hidden();
        let chunks = Chunks::new((64 * 16 * BLOCK) as u64, 2, ALGORITHM);
        let lane = chunks.lane(true, &progress);
        for _ in 0..AHEAD + 1 {
            let part = one(&lane).unwrap();
            move_all(&lane, part, 16);
        }
        assert_eq!(chunks.there(), 0, "none is certainly answered");
        let part = one(&lane).unwrap();
        move_all(&lane, part, 16);
        assert_eq!(chunks.there(), 16 * BLOCK as u64);
        drop(lane);
        let other = chunks.lane(true, &progress);
        assert_eq!(one(&other).unwrap().first_block, 16);
    }

    #[test]
    fn after_a_failure_nobody_is_given_anything() {
        let progress = Progress::hidden();
        let chunks = Chunks::new(1 << 30, 4, ALGORITHM);
        let lane = chunks.lane(false, &progress);
        assert_eq!(one(&lane).unwrap().blocks, 128, "a thirty-second of each session's part");
        chunks.fail(Failure::new(crate::failure::Code::Storage, "full"));
        assert!(one(&lane).is_none() && chunks.failure().is_some());
    }
}
