//! Ranges of a file's blocks.

use std::ops::Range;

use digest::BLOCK;

/// Some blocks of a file, by their numbers: at least one range, none empty, each beginning where the one before ends, or later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges(Vec<Range<u64>>);

impl Ranges {
    /// `None` if they are not as said.
    pub fn new(ranges: Vec<Range<u64>>) -> Option<Ranges> {
        let ordered = ranges.iter().flat_map(|range| [range.start, range.end]).is_sorted();
        (ordered && !ranges.is_empty() && ranges.iter().all(|range| !range.is_empty()))
            .then_some(Ranges(ranges))
    }

    /// How many bytes they have in a file of `size` bytes; `None` if they go beyond its end.
    pub fn bytes_in(&self, size: u64) -> Option<u64> {
        self.bytes_of(size).map(|ranges| ranges.iter().map(|range| range.end - range.start).sum())
    }

    /// Where their bytes lie in such a file.
    pub(crate) fn bytes_of(&self, size: u64) -> Option<Vec<Range<u64>>> {
        let end = self.0.last()?.end;
        (end <= size.div_ceil(BLOCK as u64))
            .then(|| self.0.iter().map(|blocks| bytes(blocks, size)).collect())
    }

    pub(crate) fn blocks(&self) -> &[Range<u64>] {
        &self.0
    }
}

/// Where the bytes of `blocks` lie in a file of `size` bytes, which has them.
pub(crate) fn bytes(blocks: &Range<u64>, size: u64) -> Range<u64> {
    let start = blocks.start.saturating_mul(BLOCK as u64).min(size);
    start..blocks.end.saturating_mul(BLOCK as u64).min(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    const B: u64 = BLOCK as u64;

    #[test]
    #[allow(clippy::reversed_empty_ranges, clippy::single_range_in_vec_init, reason = "what is refused")]
    fn they_ascend_and_none_is_empty() {
        for wrong in [vec![], vec![3..3], vec![0..2, 1..3], vec![4..5, 0..1], vec![2..1], vec![0..1, 1..1]] {
            assert_eq!(Ranges::new(wrong.clone()), None, "{wrong:?}");
        }
        for right in [vec![0..1], vec![0..1, 1..2], vec![7..u64::MAX - 1, u64::MAX - 1..u64::MAX]] {
            assert!(Ranges::new(right).is_some());
        }
    }

    #[test]
    #[allow(clippy::single_range_in_vec_init, reason = "one range")]
    fn their_bytes_end_with_the_file() {
        let ranges = |ranges| Ranges::new(ranges).unwrap();
        assert_eq!(ranges(vec![0..1]).bytes_in(0), None);
        assert_eq!(ranges(vec![0..1]).bytes_in(1), Some(1));
        assert_eq!(ranges(vec![0..1, 2..3]).bytes_in(2 * B), None);
        assert_eq!(ranges(vec![0..1, 2..3]).bytes_in(2 * B + 5), Some(B + 5));
        assert_eq!(ranges(vec![0..1, 2..3]).bytes_in(9 * B), Some(2 * B));
        assert_eq!(ranges(vec![0..u64::MAX]).bytes_in(u64::MAX), None);
        let all = u64::MAX.div_ceil(B);
        assert_eq!(ranges(vec![0..all]).bytes_in(u64::MAX), Some(u64::MAX));
    }
}
