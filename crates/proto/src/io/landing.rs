//! Small files that come whole, many at a time.

use std::future::Future;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use digest::{Blocks, Digest};
use tokio::time::{Instant, timeout_at};

use super::{Broken, Wire};
use crate::frame::{Decoded, End, Frame, HEAD, Head, Message, Type};
use crate::{Command, SMALL, block_frame};

/// Bytes of input that are held for files that land, at least and at most: more than the window, so that many land at once, and no
/// more than will, since the others are moved about.
const FIELD: RangeInclusive<usize> = 320 * 1024..=1280 * 1024;

/// How long a small file that has begun to come is waited for, before it is received piece by piece.
const APPROACH: Duration = Duration::from_millis(50);

/// Puts that came with all that belongs to them.
#[derive(Debug, Default)]
pub struct Landing {
    /// In the order of their commands.
    pub files: Vec<Landed>,
    /// Their data, one behind the other, with the digests that their senders state; not yet verified.
    pub blocks: Blocks,
    /// Bytes of the next ones that are to be heard while these are at work.
    pub field: usize,
}

/// A small file, as its sender states it; not yet verified.
#[derive(Debug)]
pub struct Landed {
    /// Where it should go.
    pub path: Vec<u8>,
    /// Which blocks are its own.
    pub blocks: Range<usize>,
    /// What its end tells,
    pub end: End,
    /// and the root therein.
    pub root: Digest,
}

/// Where blocks lie in what was heard, and what is stated for each.
#[derive(Default)]
struct Found {
    spans: Vec<Range<usize>>,
    digests: Vec<Digest>,
}

impl Found {
    fn truncate(&mut self, len: usize) {
        self.spans.truncate(len);
        self.digests.truncate(len);
    }
}

impl Wire {
    /// Waits for a moment until a file of `size` bytes, which is next, has come with its end. Whether it has, in the plain way that a
    /// [`Landing`] knows; in any other, [`arrive`](Wire::arrive) tells more.
    pub async fn approaches(&mut self, size: u64) -> bool {
        if size > SMALL {
            return false;
        }
        let deadline = Instant::now() + APPROACH;
        let mut found = Found::default();
        loop {
            found.truncate(0);
            match self.rest_of(size, 0, &mut found) {
                Decoded::Message(..) => return true,
                Decoded::Malformed(_) => return false,
                Decoded::NeedMore(need) => {
                    match timeout_at(deadline, self.read_until(need, need.max(*FIELD.start()))).await {
                        Ok(Ok(())) => {}
                        // An end shows again to whoever reads next.
                        Ok(Err(_)) | Err(_) => return false,
                    }
                }
            }
        }
    }

    /// Takes the files that are next and whole in what was heard, at most so many: of the `first`, the command was read already. For
    /// what were `blocks` of another landing, there is a use.
    pub fn land(&mut self, first: Option<(Vec<u8>, u64)>, most: usize, blocks: Blocks) -> Landing {
        self.hear_now_up_to(*FIELD.start());
        self.input.level(0);
        let (bytes, spans, digests) = blocks.into_parts();
        let mut found = Found { spans, digests };
        found.truncate(0);
        let (mut files, mut at, mut next) = (Vec::new(), 0, first);
        while files.len() < most {
            let Some((path, size, start)) =
                next.take().map(|(path, size)| (path, size, at)).or_else(|| self.put_at(at))
            else {
                break;
            };
            let before = found.spans.len();
            let Decoded::Message((end, root), used) = self.rest_of(size, start, &mut found) else {
                found.truncate(before);
                break;
            };
            files.push(Landed { path, blocks: before..found.spans.len(), end, root });
            at = start + used;
        }
        let bytes = if files.is_empty() { bytes } else { self.input.take(at, bytes) };
        let of_each = at.checked_div(files.len()).unwrap_or(0);
        let field = of_each.saturating_mul(most).clamp(*FIELD.start(), *FIELD.end());
        Landing { files, blocks: Blocks::received(bytes, found.spans, found.digests), field }
    }

    /// As [`busy_while`](Wire::busy_while), hearing more files meanwhile than the window holds: as many bytes of them as a
    /// [`Landing`] tells.
    pub async fn busy_while_landing<T>(
        &mut self,
        field: usize,
        work: impl Future<Output = T>,
    ) -> Result<T, Broken> {
        self.busy(None, field, work).await.map(|done| done.expect("only an abort drops the work"))
    }

    /// The put of a small file whose command begins at `at`, and where that ends.
    fn put_at(&self, at: usize) -> Option<(Vec<u8>, u64, usize)> {
        match Frame::decode(&self.input.bytes()[at..], self.peer, self.algorithm) {
            Decoded::Message(Frame::Message(Message::Command(Command::Put { path, size })), used)
                if size <= SMALL =>
            {
                Some((path, size, at + used))
            }
            _ => None,
        }
    }

    /// What belongs to a put of `size` bytes from `start` on: blocks are added to those `found`, also before it turns out that more is
    /// needed. Malformed is here whatever is not plain.
    fn rest_of(&self, size: u64, start: usize, found: &mut Found) -> Decoded<(End, Digest)> {
        let bytes = self.input.bytes();
        let (mut at, mut left) = (start, size);
        while left > 0 {
            match Head::decode(&bytes[at..], self.peer, self.algorithm) {
                Decoded::Message(Head { kind: Type::Data, len }, _) => {
                    let (block, whole) = match block_frame(len, self.algorithm, left) {
                        Ok(data) => (at + HEAD..at + HEAD + data, at + HEAD + len),
                        Err(fault) => return Decoded::Malformed(fault),
                    };
                    if bytes.len() < whole {
                        return Decoded::NeedMore(whole + HEAD);
                    }
                    let digest = Digest::new(self.algorithm, &bytes[block.end..whole]);
                    found.digests.push(digest.expect("block_frame has measured the digest"));
                    left -= block.len() as u64;
                    found.spans.push(block);
                    at = whole;
                }
                Decoded::Message(..) => return Decoded::Malformed(crate::Fault::Turn),
                Decoded::NeedMore(need) => return Decoded::NeedMore(at + need),
                Decoded::Malformed(fault) => return Decoded::Malformed(fault),
            }
        }
        match Frame::decode(&bytes[at..], self.peer, self.algorithm) {
            Decoded::Message(Frame::Message(Message::End(end)), length) => {
                match Digest::new(self.algorithm, &end.root) {
                    Some(root) => Decoded::Message((end, root), at + length - start),
                    None => Decoded::Malformed(crate::Fault::Body),
                }
            }
            Decoded::Message(..) => Decoded::Malformed(crate::Fault::Turn),
            Decoded::NeedMore(need) => Decoded::NeedMore(at + need),
            Decoded::Malformed(fault) => Decoded::Malformed(fault),
        }
    }
}
