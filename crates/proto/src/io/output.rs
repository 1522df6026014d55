//! What is in line to be sent: control frames first, then at most one run of data frames.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use digest::Blocks;
use tokio::io::AsyncWrite;

use super::Stream;

/// The most that an idle session holds.
const SMALL: usize = 1024;

/// Bytes in line.
#[derive(Debug, Default)]
pub(super) struct Output {
    control: Vec<u8>,
    control_sent: usize,
    data: Option<Blocks>,
    data_sent: usize,
    /// A buffer of frames that were sent, until somebody wants it or rests.
    spent: Vec<u8>,
}

impl Output {
    /// Where the next control frame goes. Only between runs of data.
    pub(super) fn control(&mut self) -> &mut Vec<u8> {
        if let Some(blocks) = self.data.take() {
            // Dropped half-way through its data: the rest goes before whatever follows.
            self.control.extend_from_slice(&blocks.buffer()[self.data_sent..]);
        }
        &mut self.control
    }

    /// Puts control frames in line that are encoded already.
    pub(super) fn append(&mut self, frames: Vec<u8>) {
        let control = self.control();
        if control.is_empty() {
            *control = frames;
        } else {
            control.extend_from_slice(&frames);
        }
    }

    /// A buffer that [`append`](Output::append) was given, once all in it is sent; or an empty one.
    pub(super) fn spent(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.spent)
    }

    /// Puts sealed blocks in line.
    pub(super) fn data(&mut self, blocks: Blocks) {
        self.control();
        self.data_sent = 0;
        self.data = Some(blocks);
    }

    /// The blocks in line, once all is sent.
    pub(super) fn reclaim(&mut self) -> Blocks {
        self.data.take().unwrap_or_default()
    }

    /// Bytes in line.
    pub(super) fn len(&self) -> usize {
        let data = self.data.as_ref().map_or(0, |data| data.buffer().len() - self.data_sent);
        self.control.len() - self.control_sent + data
    }

    /// Bytes of memory held for control frames.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.control.capacity() + self.spent.capacity()
    }

    /// Whether nothing is in line.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes once.
    pub(super) fn poll_drain(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let control = self.control_sent < self.control.len();
        let next = match &self.data {
            _ if control => &self.control[self.control_sent..],
            Some(blocks) => &blocks.buffer()[self.data_sent..],
            None => return Poll::Ready(Ok(0)),
        };
        let written = match Pin::new(stream).poll_write(cx, next) {
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(written)) => written,
            other => return other,
        };
        if !control {
            self.data_sent += written;
            return Poll::Ready(Ok(written));
        }
        self.control_sent += written;
        if self.control_sent == self.control.len() {
            self.control_sent = 0;
            self.control.clear();
            if self.control.capacity() > SMALL {
                self.spent = std::mem::take(&mut self.control);
            }
        }
        Poll::Ready(Ok(written))
    }
}
