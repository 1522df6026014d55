//! MD5 of many messages, sixteen at once.
//!
//! A message takes a lane, and where it ends the next one takes its place, so messages of any lengths keep the lanes busy.
//! All lanes advance together, as far as each has chunks that lie in one piece. Blocks of one length, the usual case, thus
//! take two calls of the kernel: one for their data, one for their ends. Too few lanes to be worth it finish alone.

mod dispatch;
mod kernel;
mod message;
#[cfg(test)]
mod tests;

use std::array;

pub use dispatch::Lanes;
use kernel::INITIAL;
use message::Message;

use crate::{Digest, LANES};

/// A message on its way, and where in the answer its digest belongs.
struct Lane<'a> {
    index: usize,
    message: Message<'a>,
}

impl Lanes {
    /// The MD5 of each message, in their order: any number of messages, of any lengths.
    pub fn md5(&self, messages: &[&[u8]]) -> Vec<Digest> {
        let mut digests = vec![Digest::md5([0; 16]); messages.len()];
        let mut waiting =
            messages.iter().enumerate().map(|(index, data)| Lane { index, message: Message::new(data) });
        let mut lanes: [Option<Lane>; LANES] = array::from_fn(|_| waiting.next());
        let mut state = INITIAL.map(|word| [word; LANES]);

        loop {
            let busy = || lanes.iter().flatten().map(|lane| lane.message.chunks());
            if busy().count() < self.worth {
                break;
            }
            let Some(shortest) = busy().min_by_key(|chunks| chunks.len()) else { break };
            let together = shortest.len();
            // A lane with nothing to do goes where another goes, for nothing.
            let chunks = array::from_fn(|at| match &lanes[at] {
                Some(lane) => &lane.message.chunks()[..together],
                None => shortest,
            });
            (self.compress)(&mut state, &chunks);
            for (at, slot) in lanes.iter_mut().enumerate() {
                let Some(lane) = slot else { continue };
                lane.message.advance(together);
                if lane.message.chunks().is_empty() {
                    digests[lane.index] = Digest::md5(bytes(state.map(|word| word[at])));
                    (0..4).for_each(|word| state[word][at] = INITIAL[word]);
                    *slot = waiting.next();
                }
            }
        }

        for (at, lane) in lanes.into_iter().enumerate() {
            let Some(Lane { index, message }) = lane else { continue };
            digests[index] = Digest::md5(bytes(finished(state.map(|word| word[at]), message)));
        }
        digests
    }
}

/// Goes through the rest of a message alone.
fn finished(mut state: [u32; 4], mut message: Message) -> [u32; 4] {
    while let left @ 1.. = message.chunks().len() {
        md5::block_api::compress(&mut state, message.chunks());
        message.advance(left);
    }
    state
}

/// A final state as the digest that it is (RFC 1321, section 3.5).
fn bytes(state: [u32; 4]) -> [u8; 16] {
    array::from_fn(|at| state[at / 4].to_le_bytes()[at % 4])
}
