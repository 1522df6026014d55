//! MD5 of many messages, up to 32 at once.
//!
//! A message takes a lane, and where it ends the next one takes its place, so messages of any lengths keep the lanes busy.
//! All lanes advance together, as far as each has chunks that lie in one piece. Blocks of one length, the usual case, thus
//! take two calls of the kernel: one for their data, one for their ends. Lanes stand in ranks; while the first rank is enough,
//! it goes alone, and too few lanes to be worth it finish one by one.

mod dispatch;
mod kernel;
mod message;
#[cfg(test)]
mod tests;

use std::array;

pub use dispatch::Lanes;
use kernel::{Chunks, INITIAL, RANK, State};
use message::Message;

use crate::{Digest, LANES};

/// Ranks of lanes.
const RANKS: usize = LANES / RANK;

/// A message on its way, and where in the answer its digest belongs.
struct Lane<'a> {
    index: usize,
    message: Message<'a>,
}

/// Free lanes have nothing to do.
type Slots<'a> = [Option<Lane<'a>>; LANES];

impl Lanes {
    /// The MD5 of each message, in their order: any number of messages, of any lengths.
    pub fn md5(&self, messages: &[&[u8]]) -> Vec<Digest> {
        let mut digests = vec![Digest::md5([0; 16]); messages.len()];
        let mut waiting =
            messages.iter().enumerate().map(|(index, data)| Lane { index, message: Message::new(data) });
        let mut lanes: Slots<'_> = array::from_fn(|_| waiting.next());
        let mut states: [State; RANKS] = [INITIAL.map(|word| [word; RANK]); RANKS];

        while let Some(together) = self.together(&lanes) {
            self.compress(&mut states, &lanes, together);
            for (at, slot) in lanes.iter_mut().enumerate() {
                let Some(lane) = slot else { continue };
                lane.message.advance(together);
                if lane.message.chunks().is_empty() {
                    let state = &mut states[at / RANK];
                    digests[lane.index] = Digest::md5(bytes(state.map(|word| word[at % RANK])));
                    (0..4).for_each(|word| state[word][at % RANK] = INITIAL[word]);
                    *slot = waiting.next();
                }
            }
        }

        for (at, lane) in lanes.into_iter().enumerate() {
            let Some(Lane { index, message }) = lane else { continue };
            let state = states[at / RANK].map(|word| word[at % RANK]);
            digests[index] = Digest::md5(bytes(finished(state, message)));
        }
        digests
    }

    /// How many chunks all busy lanes can go together; `None` when there are too few lanes to be worth it.
    fn together(&self, lanes: &Slots<'_>) -> Option<usize> {
        let busy = || lanes.iter().flatten().map(|lane| lane.message.chunks().len());
        busy().min().filter(|_| busy().count() >= self.worth)
    }

    /// Takes the lanes `together` chunks further.
    fn compress(&self, states: &mut [State; RANKS], lanes: &Slots<'_>, together: usize) {
        // A lane with nothing to do goes where another goes, for nothing.
        let some = lanes.iter().flatten().next().map_or(&[][..], |lane| lane.message.chunks());
        let chunks = |rank: usize| -> Chunks<'_> {
            array::from_fn(|at| match &lanes[rank * RANK + at] {
                Some(lane) => &lane.message.chunks()[..together],
                None => &some[..together],
            })
        };
        if lanes[RANK..].iter().any(Option::is_some) {
            (self.all)(states, &array::from_fn(chunks));
        } else {
            (self.one)(&mut states[0], &chunks(0));
        }
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
