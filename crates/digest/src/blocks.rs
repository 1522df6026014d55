//! Blocks in one buffer: the unit in which file data is read, hashed, framed and written, without a copy.

use std::ops::Range;

use crate::{Algorithm, BATCH, BLOCK, Digest};

/// Room around each block, for whatever frames it on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// Bytes before a block.
    pub before: usize,
    /// Bytes after a block.
    pub after: usize,
}

impl Gap {
    /// Bytes that `data` bytes of blocks take with their gaps.
    pub fn room(self, data: usize) -> usize {
        data + data.div_ceil(BLOCK) * (self.before + self.after)
    }
}

/// Blocks lying in one buffer, and a digest of each.
///
/// Going out: [`lay_out`](Blocks::lay_out) at most [`BATCH`], fill [`slices_mut`](Blocks::slices_mut), [`hash`](Blocks::hash), then
/// frame each block in its gap. Coming in: [`received`](Blocks::received) says where blocks lie and what digests their sender stated;
/// [`verify`](Blocks::verify) compares.
#[derive(Debug, Default)]
pub struct Blocks {
    bytes: Vec<u8>,
    spans: Vec<Range<usize>>,
    digests: Vec<Digest>,
}

impl Blocks {
    /// Lays out `data` bytes as blocks with a gap around each; the buffer is reused.
    ///
    /// # Panics
    ///
    /// If `data` is more than `BATCH * BLOCK`.
    pub fn lay_out(&mut self, data: usize, gap: Gap) {
        assert!(data <= BATCH * BLOCK, "at most {BATCH} blocks are laid out at once");
        self.digests.clear();
        self.spans.clear();
        let mut at = 0;
        let mut left = data;
        while left > 0 {
            let len = left.min(BLOCK);
            self.spans.push(at + gap.before..at + gap.before + len);
            at += gap.before + len + gap.after;
            left -= len;
        }
        self.bytes.resize(at, 0);
    }

    /// Blocks that lie in `bytes` at `spans`, ascending and apart, with the digests that their sender stated.
    ///
    /// # Panics
    ///
    /// If the spans are not as said, or not as many as the digests.
    pub fn received(bytes: Vec<u8>, spans: Vec<Range<usize>>, stated: Vec<Digest>) -> Blocks {
        assert_eq!(spans.len(), stated.len(), "a digest for each block");
        let edges = spans.iter().flat_map(|span| [span.start, span.end]).chain([bytes.len()]);
        assert!(edges.is_sorted(), "blocks ascend, lie apart, and end with the bytes at the latest");
        Blocks { bytes, spans, digests: stated }
    }

    /// The three buffers, to be used again.
    pub fn into_parts(self) -> (Vec<u8>, Vec<Range<usize>>, Vec<Digest>) {
        (self.bytes, self.spans, self.digests)
    }

    /// The whole buffer, gaps included.
    pub fn buffer(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole buffer, gaps included, to frame the blocks in.
    pub fn buffer_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Where in the buffer each block lies.
    pub fn spans(&self) -> &[Range<usize>] {
        &self.spans
    }

    /// The digest of each block: computed by [`hash`](Blocks::hash), or stated by its sender.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Bytes of data, without the gaps.
    pub fn data_len(&self) -> usize {
        self.spans.iter().map(Range::len).sum()
    }

    /// Whether there is no block.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Each block's data.
    pub fn slices(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.spans.iter().map(|span| &self.bytes[span.clone()])
    }

    /// Each block's data, to be filled.
    pub fn slices_mut(&mut self) -> Vec<&mut [u8]> {
        let mut rest = &mut self.bytes[..];
        let mut at = 0;
        let mut slices = Vec::with_capacity(self.spans.len());
        for span in &self.spans {
            let (block, after) = rest[span.start - at..].split_at_mut(span.len());
            slices.push(block);
            rest = after;
            at = span.end;
        }
        slices
    }

    /// Computes the digest of each block.
    pub fn hash(&mut self, algorithm: Algorithm) {
        self.digests = self.computed(algorithm);
    }

    /// Whether each block has the digest that was stated for it.
    pub fn verify(&self, algorithm: Algorithm) -> bool {
        self.computed(algorithm) == self.digests
    }

    fn computed(&self, algorithm: Algorithm) -> Vec<Digest> {
        let slices: Vec<&[u8]> = self.slices().collect();
        crate::of_blocks(algorithm, &slices)
    }
}

#[cfg(test)]
mod tests;
