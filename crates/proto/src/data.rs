//! Blocks framed where they lie: a head written before each, its digest after it, nothing copied.

use std::ops::Range;

use digest::{Algorithm, BLOCK, Blocks, Digest, Gap};

use crate::frame::{Fault, HEAD, Head, Type};

/// The room that a data frame takes around its block.
pub const fn gap(algorithm: Algorithm) -> Gap {
    Gap { before: HEAD, after: algorithm.len() }
}

/// Turns hashed blocks, laid out with [`gap`], into data frames: afterwards the whole buffer is what to send.
pub fn seal(blocks: &mut Blocks) {
    let framed: Vec<(Range<usize>, Digest)> =
        blocks.spans().iter().cloned().zip(blocks.digests().iter().copied()).collect();
    let buffer = blocks.buffer_mut();
    for (span, digest) in framed {
        let trailer = digest.as_bytes();
        let head = head_of_block(digest.algorithm(), span.len());
        buffer[span.start - HEAD..span.start].copy_from_slice(&head);
        buffer[span.end..span.end + trailer.len()].copy_from_slice(trailer);
    }
}

/// The head of a data frame whose block has `len` bytes.
pub(crate) fn head_of_block(algorithm: Algorithm, len: usize) -> [u8; HEAD] {
    Head { kind: Type::Data, len: len + algorithm.len() }.encode()
}

/// Where the block of a data frame lies within its body, when `left` bytes of the file are still to come.
///
/// A block is as long as it can be: [`BLOCK`] bytes, or all that is left.
pub fn block_frame(body: usize, algorithm: Algorithm, left: u64) -> Result<usize, Fault> {
    let due = usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK));
    match body.checked_sub(algorithm.len()) {
        _ if due == 0 => Err(Fault::MoreThanAnnounced),
        Some(data) if data == due => Ok(data),
        _ => Err(Fault::BlockLength),
    }
}
