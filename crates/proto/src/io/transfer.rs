//! File data on the wire, a batch of blocks at a time.

use std::time::Duration;

use digest::{BATCH, BLOCK, Blocks, Digest};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Broken, Wire};
use crate::data::{block_frame, gap, seal};
use crate::frame::{Abort, Decoded, End, Fault, Head, Message, Type};
use crate::{HEAD, limits};

/// How long blocks that are there wait for more, so that many are hashed and written at once.
const GATHER: Duration = Duration::from_millis(50);

/// Blocks that wait for others where what comes is kept if it is cut: as many as are hashed at once by 512-bit vectors.
const KEPT_AT_ONCE: usize = 16;

/// What came of a transfer.
#[derive(Debug)]
pub enum Arrived {
    /// Blocks with the digests that their sender states; not yet verified.
    Blocks(Blocks),
    /// All that was announced came before; this tells the root.
    End(End),
    /// The peer broke the transfer off.
    Abort(Abort),
}

impl Wire {
    /// Whether fewer blocks than [`BATCH`], of those that [`arrive`](Wire::arrive) gives, wait in memory for others: what waits is
    /// lost if this process is killed.
    pub fn gather_less(&mut self, less: bool) {
        self.batch = if less { KEPT_AT_ONCE } else { BATCH };
    }

    /// Sends hashed blocks, laid out with [`gap`], as data frames; less than one block waits for the end frame to go with it.
    /// Gives a buffer back to lay out the next ones in.
    pub async fn send_blocks(&mut self, mut blocks: Blocks) -> Result<Blocks, Broken> {
        seal(&mut blocks);
        if blocks.data_len() < BLOCK {
            // The end frame follows: one packet is better than two.
            self.output.control().extend_from_slice(blocks.buffer());
            return Ok(blocks);
        }
        self.output.data(blocks);
        self.flush().await?;
        Ok(self.output.reclaim())
    }

    /// What comes next of a file of which `left` bytes are still to come; `spare` becomes the next buffer to read into.
    pub async fn arrive(&mut self, spare: Blocks, left: u64) -> Result<Arrived, Broken> {
        let (spare, mut spans, mut digests) = spare.into_parts();
        spans.clear();
        digests.clear();
        let most = self.batch * BLOCK;
        let expected = usize::try_from(left).map_or(most, |left| left.min(most));
        // Never beyond these blocks, so that nothing has to be moved to the next buffer; the last ones may bring the end along.
        let room =
            gap(self.algorithm).room(expected) + if left <= expected as u64 { HEAD + limits::END } else { 0 };
        self.input.level(room);
        let mut used = 0;
        let mut gathered: Option<Instant> = None;
        let mut due = left;
        loop {
            let bytes = &self.input.bytes()[used..];
            let need = match Head::decode(bytes, self.peer, self.algorithm) {
                Decoded::Malformed(fault) => return Err(fault.into()),
                Decoded::NeedMore(need) => need,
                Decoded::Message(Head { kind: Type::Data, len }, _) => {
                    let data = block_frame(len, self.algorithm, due)?;
                    let whole = HEAD + len;
                    if bytes.len() >= whole {
                        let digest = Digest::new(self.algorithm, &bytes[HEAD + data..whole]);
                        digests.push(digest.expect("block_frame has measured the digest"));
                        spans.push(used + HEAD..used + HEAD + data);
                        due -= data as u64;
                        used += whole;
                        if spans.len() == self.batch {
                            break;
                        }
                        continue;
                    }
                    whole
                }
                Decoded::Message(Head { kind: Type::Busy, .. }, _) if spans.is_empty() => {
                    self.still_busy()?;
                    self.input.consume(HEAD);
                    self.input.level(room);
                    continue;
                }
                Decoded::Message(..) if spans.is_empty() => return self.ending(left).await,
                Decoded::Message(..) => break,
            };
            if spans.is_empty() {
                self.hear_up_to(used + need, room).await?;
                continue;
            }
            if due == 0 {
                break;
            }
            let deadline = *gathered.get_or_insert_with(|| Instant::now() + GATHER);
            match timeout_at(deadline, self.hear_up_to(used + need, room)).await {
                Ok(Ok(())) => {}
                // What came before an end is handed out; who asks for more meets it again.
                Ok(Err(_)) | Err(_) => break,
            }
        }
        self.busy = None;
        Ok(Arrived::Blocks(Blocks::received(self.input.take(used, spare), spans, digests)))
    }

    /// Reads until `need` bytes, at most a frame, are there, within the stall time; takes up to `room` as they come.
    async fn hear_up_to(&mut self, need: usize, room: usize) -> Result<(), Broken> {
        let stall = self.stall;
        match timeout(stall, self.read_until(need, room.max(need))).await {
            Ok(Err(Broken::Closed)) => Err(Broken::Cut),
            Ok(heard) => heard,
            Err(_) => Err(Broken::Stalled(stall)),
        }
    }

    /// The message that ends a transfer of which `left` bytes did not come.
    async fn ending(&mut self, left: u64) -> Result<Arrived, Broken> {
        match self.next(self.stall).await? {
            Message::End(_) if left > 0 => Err(Fault::FewerThanAnnounced.into()),
            Message::End(end) => Ok(Arrived::End(end)),
            Message::Abort(abort) => Ok(Arrived::Abort(abort)),
            _ => Err(Fault::Turn.into()),
        }
    }

    /// Passes over what is left of a transfer that is refused, to its end or abort, as long as it keeps to what it announced.
    pub async fn pass_over(&mut self, mut left: u64) -> Result<(), Broken> {
        let mut spare = Blocks::default();
        loop {
            match self.arrive(spare, left).await? {
                Arrived::Blocks(blocks) => {
                    left -= blocks.data_len() as u64;
                    spare = blocks;
                }
                Arrived::End(_) | Arrived::Abort(_) => return Ok(()),
            }
        }
    }
}
