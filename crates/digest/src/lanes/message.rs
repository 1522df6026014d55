//! A message as MD5 takes it: chunks of 64 bytes, padded at the end.

use super::kernel::Chunk;

/// What is left of a message: whole chunks of its own, then its end with the padding.
pub(super) struct Message<'a> {
    whole: &'a [Chunk],
    end: [Chunk; 2],
    ended: usize, // chunks of `end` that are past, or never were
}

impl<'a> Message<'a> {
    /// Pads `data` (RFC 1321, sections 3.1 and 3.2): a bit, zeros, and the length in bits as 64 bits.
    pub(super) fn new(data: &'a [u8]) -> Message<'a> {
        let (whole, rest) = data.as_chunks();
        let mut end = [[0; 64]; 2];
        let ended = usize::from(rest.len() < 64 - 8); // then one chunk is enough, the second
        let padded = &mut end.as_flattened_mut()[64 * ended..];
        padded[..rest.len()].copy_from_slice(rest);
        padded[rest.len()] = 0x80;
        end[1][64 - 8..].copy_from_slice(&(data.len() as u64).wrapping_mul(8).to_le_bytes());
        Message { whole, end, ended }
    }

    /// The next chunks that lie together; empty only when none is left.
    pub(super) fn chunks(&self) -> &[Chunk] {
        if self.whole.is_empty() { &self.end[self.ended..] } else { self.whole }
    }

    /// Goes past as many of [`chunks`](Message::chunks).
    pub(super) fn advance(&mut self, chunks: usize) {
        if self.whole.is_empty() { self.ended += chunks } else { self.whole = &self.whole[chunks..] }
    }
}
