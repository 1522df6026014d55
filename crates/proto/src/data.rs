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
        let head = Head { kind: Type::Data, len: span.len() + trailer.len() };
        buffer[span.start - HEAD..span.start].copy_from_slice(&head.encode());
        buffer[span.end..span.end + trailer.len()].copy_from_slice(trailer);
    }
}

/// Appends a block and its digest to `out` as a data frame.
pub fn block_to(out: &mut Vec<u8>, block: &[u8], digest: &Digest) {
    let digest = digest.as_bytes();
    out.extend_from_slice(&Head { kind: Type::Data, len: block.len() + digest.len() }.encode());
    out.extend_from_slice(block);
    out.extend_from_slice(digest);
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
