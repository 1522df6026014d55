//! Many small files in one stream: blocks are gathered in a buffer of the caller's, and much is heard at once.

use std::time::Duration;

use digest::Digest;
use tokio::time::timeout;

use super::{Broken, Wire};
use crate::HEAD;
use crate::data::block_frame;
use crate::frame::{Decoded, Fault, Frame, Head, Message, Type};

/// Bytes that are taken at once when they are there.
const GULP: usize = 256 * 1024;

/// What comes next of a stream of files.
#[derive(Debug)]
pub enum Next {
    /// A message.
    Message(Message),
    /// A block of the file under way, with the digest that its sender states; not yet verified.
    Block(Digest),
}

impl Wire {
    /// Whether something is in line to be sent.
    pub fn has_line(&self) -> bool {
        !self.output.is_empty()
    }

    /// The next message, which may begin up to `wait` from now; or the next block of a file of which `left` bytes are still to come:
    /// its bytes are appended to `into`. For files that end soon; [`arrive`](Wire::arrive) copies nothing.
    pub async fn next_or_block(
        &mut self,
        into: &mut Vec<u8>,
        left: u64,
        wait: Duration,
    ) -> Result<Next, Broken> {
        if self.input.bytes().is_empty() {
            timeout(wait, self.read_until(1, GULP)).await.map_err(|_| Broken::Silent(wait))??;
        }
        loop {
            let need = match self.head() {
                Decoded::Malformed(fault) => return Err(fault.into()),
                Decoded::NeedMore(need) => need,
                Decoded::Message(Head { kind: Type::Data, .. }, _) if left == 0 => {
                    return Err(Fault::MoreThanAnnounced.into());
                }
                Decoded::Message(Head { kind: Type::Data, len }, _) => {
                    let data = block_frame(len, self.algorithm, left)?;
                    let (bytes, whole) = (self.input.bytes(), HEAD + len);
                    if bytes.len() >= whole {
                        let digest = Digest::new(self.algorithm, &bytes[HEAD + data..whole]);
                        into.extend_from_slice(&bytes[HEAD..HEAD + data]);
                        self.input.pass(whole);
                        self.busy = None;
                        return Ok(Next::Block(digest.expect("block_frame has measured the digest")));
                    }
                    whole
                }
                Decoded::Message(..) => match Frame::decode(self.input.bytes(), self.peer, self.algorithm) {
                    Decoded::Message(Frame::Message(message), used) => {
                        self.input.pass(used);
                        match message {
                            Message::Busy => self.still_busy()?,
                            _ => self.busy = None,
                        }
                        return Ok(Next::Message(message));
                    }
                    Decoded::Message(Frame::Data(_), _) => return Err(Fault::Turn.into()),
                    Decoded::Malformed(fault) => return Err(fault.into()),
                    Decoded::NeedMore(need) => need,
                },
            };
            let stall = self.stall;
            timeout(stall, self.read_until(need, GULP.max(need)))
                .await
                .map_err(|_| Broken::Stalled(stall))??;
        }
    }
}
