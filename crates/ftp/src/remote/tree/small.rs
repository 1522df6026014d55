//! Small files that have come and are to go to the disk together.

use std::ops::Range;

use digest::{Blocks, Digest};
use store::{Attributes, HomePath, Parcel};

/// Small files that have come, side by side in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Small {
    bytes: Vec<u8>,
    spans: Vec<Range<usize>>,
    stated: Vec<Digest>,
    parcels: Vec<Parcel<HomePath>>,
}

impl Small {
    /// How many files there are.
    pub(crate) fn len(&self) -> usize {
        self.parcels.len()
    }

    /// How many bytes they have.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Where the bytes of the next block are appended.
    pub(crate) fn room(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Takes note that the bytes that were appended are a block of the next file, and what digest is stated for it.
    pub(crate) fn block(&mut self, stated: Digest) {
        let start = self.spans.last().map_or(0, |last| last.end);
        self.spans.push(start..self.bytes.len());
        self.stated.push(stated);
    }

    /// Takes note that the blocks that no file has yet are one.
    pub(crate) fn end(&mut self, path: HomePath, whole: Whole) {
        let blocks = self.taken()..self.spans.len();
        let Whole { size, root, attributes } = whole;
        self.parcels.push(Parcel { path, blocks, size, root, attributes });
    }

    /// Forgets the blocks that no file has yet.
    pub(crate) fn forget(&mut self) {
        let taken = self.taken();
        self.spans.truncate(taken);
        self.stated.truncate(taken);
        self.bytes.truncate(self.spans.last().map_or(0, |last| last.end));
    }

    /// The files, and the blocks that they are of.
    pub(super) fn into_parts(self) -> (Vec<Parcel<HomePath>>, Blocks) {
        (self.parcels, Blocks::received(self.bytes, self.spans, self.stated))
    }

    /// None any more, in the memory of what they were.
    pub(super) fn emptied(mut parcels: Vec<Parcel<HomePath>>, blocks: Blocks) -> Small {
        let (mut bytes, mut spans, mut stated) = blocks.into_parts();
        bytes.clear();
        spans.clear();
        stated.clear();
        parcels.clear();
        Small { bytes, spans, stated, parcels }
    }

    /// How many blocks belong to files.
    fn taken(&self) -> usize {
        self.parcels.last().map_or(0, |last| last.blocks.end)
    }
}

/// What a sender states of a small file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    pub(crate) size: u64,
    pub(crate) root: Digest,
    pub(crate) attributes: Attributes,
}
