//! Small files that come whole, many at a time.

use std::future::Future;
use std::ops::Range;
use std::time::Duration;

use digest::{BLOCK, Digest};
use tokio::time::{Instant, timeout_at};

use super::{Broken, Wire};
use crate::frame::{Decoded, End, Frame, HEAD, Head, Message, Type};
use crate::{Command, block_frame};

/// Bytes of input that are held for files that land: more than the window, so that many land at once.
const FIELD: usize = 320 * 1024;

/// How long a small file that has begun to come is waited for, before it is received piece by piece.
const APPROACH: Duration = Duration::from_millis(50);

/// Puts that came with all that belongs to them.
#[derive(Debug, Default)]
pub struct Landing {
    /// In the order of their commands.
    pub files: Vec<Landed>,
    /// Where their data lie.
    pub bytes: Vec<u8>,
}

/// A file of at most a block, as its sender states it; not yet verified.
#[derive(Debug)]
pub struct Landed {
    /// Where it should go.
    pub path: Vec<u8>,
    /// Where its data lie.
    pub data: Range<usize>,
    /// The digest of its block, if it has one.
    pub digest: Option<Digest>,
    /// What its end tells,
    pub end: End,
    /// and the root therein.
    pub root: Digest,
}

/// What follows a put of at most a block.
struct Rest {
    data: Range<usize>,
    digest: Option<Digest>,
    end: End,
    root: Digest,
}

impl Wire {
    /// Waits for a moment until a file of `size` bytes, which is next, has come with its end. Whether it has, in the plain way that a
    /// [`Landing`] knows; in any other, [`arrive`](Wire::arrive) tells more.
    pub async fn approaches(&mut self, size: u64) -> bool {
        if size > BLOCK as u64 {
            return false;
        }
        let deadline = Instant::now() + APPROACH;
        loop {
            match self.rest_of(size, 0) {
                Decoded::Message(..) => return true,
                Decoded::Malformed(_) => return false,
                Decoded::NeedMore(need) => match timeout_at(deadline, self.read_until(need, FIELD)).await {
                    Ok(Ok(())) => {}
                    // An end shows again to whoever reads next.
                    Ok(Err(_)) | Err(_) => return false,
                },
            }
        }
    }

    /// Takes the files that are next and whole in what was heard, at most so many: of the `first`, the command was read already. For
    /// what was `bytes` of another landing, there is a use.
    pub fn land(&mut self, first: Option<(Vec<u8>, u64)>, most: usize, bytes: Vec<u8>) -> Landing {
        self.hear_now_up_to(FIELD);
        self.input.level(0);
        let (mut files, mut at, mut next) = (Vec::new(), 0, first);
        while files.len() < most {
            let Some((path, size, start)) =
                next.take().map(|(path, size)| (path, size, at)).or_else(|| self.put_at(at))
            else {
                break;
            };
            let Decoded::Message(Rest { data, digest, end, root }, used) = self.rest_of(size, start) else {
                break;
            };
            files.push(Landed { path, data, digest, end, root });
            at = start + used;
        }
        if files.is_empty() {
            return Landing { files, bytes };
        }
        Landing { files, bytes: self.input.take(at, bytes) }
    }

    /// As [`busy_while`](Wire::busy_while), hearing more files meanwhile than the window holds.
    pub async fn busy_while_landing<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Broken> {
        self.busy(None, FIELD, work).await.map(|done| done.expect("only an abort drops the work"))
    }

    /// The put of a small file whose command begins at `at`, and where that ends.
    fn put_at(&self, at: usize) -> Option<(Vec<u8>, u64, usize)> {
        match Frame::decode(&self.input.bytes()[at..], self.peer, self.algorithm) {
            Decoded::Message(Frame::Message(Message::Command(Command::Put { path, size })), used)
                if size <= BLOCK as u64 =>
            {
                Some((path, size, at + used))
            }
            _ => None,
        }
    }

    /// What belongs to a put of `size` bytes from `start` on; malformed is here whatever is not plain.
    fn rest_of(&self, size: u64, start: usize) -> Decoded<Rest> {
        let bytes = &self.input.bytes()[start..];
        let (mut block, mut digest, mut used) = (0..0, None, 0);
        if size > 0 {
            match Head::decode(bytes, self.peer, self.algorithm) {
                Decoded::Message(Head { kind: Type::Data, len }, _) => {
                    match block_frame(len, self.algorithm, size) {
                        Ok(data) => block = HEAD..HEAD + data,
                        Err(fault) => return Decoded::Malformed(fault),
                    }
                    used = HEAD + len;
                }
                Decoded::Message(..) => return Decoded::Malformed(crate::Fault::Turn),
                Decoded::NeedMore(need) => return Decoded::NeedMore(start + need),
                Decoded::Malformed(fault) => return Decoded::Malformed(fault),
            }
            if bytes.len() < used {
                return Decoded::NeedMore(start + used + HEAD);
            }
            digest = Digest::new(self.algorithm, &bytes[block.end..used]);
        }
        match Frame::decode(&bytes[used..], self.peer, self.algorithm) {
            Decoded::Message(Frame::Message(Message::End(end)), length) => {
                match Digest::new(self.algorithm, &end.root) {
                    Some(root) => {
                        let data = start + block.start..start + block.end;
                        Decoded::Message(Rest { data, digest, end, root }, used + length)
                    }
                    None => Decoded::Malformed(crate::Fault::Body),
                }
            }
            Decoded::Message(..) => Decoded::Malformed(crate::Fault::Turn),
            Decoded::NeedMore(need) => Decoded::NeedMore(start + used + need),
            Decoded::Malformed(fault) => Decoded::Malformed(fault),
        }
    }
}
