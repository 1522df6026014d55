//! What was heard and not yet used.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BufMut;
use tokio_util::io::poll_read_buf;
use zeroize::Zeroize;

use super::Stream;

/// The least to make room for: a burst of commands, and little to hold for a session that idles.
const SMALL: usize = 1024;

/// Bytes in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
}

impl Input {
    /// What was not used yet.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Marks the first `used` bytes as used, and forgets them: they may have held a password.
    pub(super) fn consume(&mut self, used: usize) {
        self.buffer[self.start..self.start + used].zeroize();
        self.start += used;
    }

    /// Marks the first `used` bytes as used, which hold no secret.
    pub(super) fn pass(&mut self, used: usize) {
        self.start += used;
    }

    /// Lets go of memory that an idle session need not hold.
    pub(super) fn rest(&mut self) {
        if self.buffer.capacity() > SMALL {
            *self = Input::default();
        }
    }

    /// Bytes of memory held.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Hands over the buffer with the used `len` bytes at its start, and goes on in `next` with what lies behind them.
    pub(super) fn take(&mut self, len: usize, mut next: Vec<u8>) -> Vec<u8> {
        debug_assert_eq!(self.start, 0, "made level before");
        next.clear();
        next.extend_from_slice(&self.buffer[len..]);
        std::mem::replace(&mut self.buffer, next)
    }

    /// Moves what is unused to the start, with room for `total` bytes in all.
    pub(super) fn level(&mut self, total: usize) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.reserve_exact(total.saturating_sub(self.buffer.len()));
    }

    /// Reads once, so that at most `limit` bytes are held; 0 at the end of the stream, or when there is no room.
    pub(super) fn poll_fill(
        &mut self,
        stream: &mut Stream,
        limit: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let held = self.bytes().len();
        if held >= limit {
            return Poll::Ready(Ok(0));
        }
        if self.start > 0 && (held == 0 || self.buffer.capacity() - self.start < limit) {
            self.level(0);
        }
        if self.buffer.capacity() - self.buffer.len() < SMALL.min(limit - held) {
            self.buffer.reserve((limit - held).clamp(SMALL, self.buffer.len().max(SMALL)));
        }
        let room = (self.buffer.capacity() - self.buffer.len()).min(limit.max(SMALL) - held);
        poll_read_buf(Pin::new(stream), cx, &mut (&mut self.buffer).limit(room))
    }
}
