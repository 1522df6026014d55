//! Small files framed one behind the other, among other messages, in one buffer: each is read to where it goes, and all are hashed
//! together.

use std::ops::Range;

use digest::{Algorithm, BLOCK, Digest, Root, of_blocks};

use crate::data::{gap, head_of_block};
use crate::frame::{End, HEAD, Message};

/// The most bytes of a small file, which is one of less than a mebibyte: it is read, sent, heard, verified and stored together with
/// others. A larger one goes by itself, batch after batch.
pub const SMALL: u64 = 16 * BLOCK as u64 - 1;

/// Frames in the making.
#[derive(Debug)]
pub struct Pack {
    algorithm: Algorithm,
    bytes: Vec<u8>,
    /// Where the blocks lie that are still to be hashed.
    blocks: Vec<Range<usize>>,
    files: Vec<Unhashed>,
}

/// A file whose digests are still to be written.
#[derive(Debug)]
struct Unhashed {
    /// Its blocks among all.
    blocks: Range<usize>,
    /// Where its end frame lies,
    at: usize,
    /// and what that is but for the root.
    end: End,
}

impl Pack {
    /// Nothing yet. The memory of `spare` is used again.
    pub fn new(algorithm: Algorithm, mut spare: Vec<u8>) -> Pack {
        spare.clear();
        Pack { algorithm, bytes: spare, blocks: Vec::new(), files: Vec::new() }
    }

    /// How many bytes the frames have.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many files there are.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Appends a message.
    pub fn message(&mut self, message: &Message) {
        message.encode(&mut self.bytes);
    }

    /// Appends a file behind the message that `opens` it: `fill` reads its `data` bytes, block by block, and `end` is told behind
    /// them, with the root that will be known then. Of a file that cannot be read, nothing is appended.
    ///
    /// # Errors
    /// What `fill` fails with.
    pub fn file<T, E>(
        &mut self,
        opens: &Message,
        data: usize,
        end: End,
        fill: impl FnOnce(Vec<&mut [u8]>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (start, first) = (self.bytes.len(), self.blocks.len());
        opens.encode(&mut self.bytes);
        let base = self.bytes.len();
        let gap = gap(self.algorithm);
        self.bytes.resize(base + gap.room(data), 0);
        let (mut at, mut left, mut rest) = (base, data, &mut self.bytes[base..]);
        let mut slices = Vec::with_capacity(data.div_ceil(BLOCK));
        while left > 0 {
            let len = left.min(BLOCK);
            let (framed, behind) = rest.split_at_mut(gap.room(len));
            let (head, body) = framed.split_at_mut(HEAD);
            head.copy_from_slice(&head_of_block(self.algorithm, len));
            slices.push(&mut body[..len]);
            self.blocks.push(at + HEAD..at + HEAD + len);
            (at, left, rest) = (at + gap.room(len), left - len, behind);
        }
        match fill(slices) {
            Ok(filled) => {
                let end = End { root: vec![0; self.algorithm.len()], ..end };
                let at = self.bytes.len();
                Message::End(end.clone()).encode(&mut self.bytes);
                self.files.push(Unhashed { blocks: first..self.blocks.len(), at, end });
                Ok(filled)
            }
            Err(error) => {
                self.bytes.truncate(start);
                self.blocks.truncate(first);
                Err(error)
            }
        }
    }

    /// Hashes all blocks and writes each digest to its place: the frames to be sent, and the root of each file.
    pub fn seal(self) -> (Vec<u8>, Vec<Digest>) {
        let Pack { algorithm, mut bytes, blocks, files } = self;
        let data: Vec<&[u8]> = blocks.iter().map(|block| &bytes[block.clone()]).collect();
        let digests = of_blocks(algorithm, &data);
        for (block, digest) in blocks.iter().zip(&digests) {
            bytes[block.end..block.end + algorithm.len()].copy_from_slice(digest.as_bytes());
        }
        let mut frame = Vec::new();
        let mut roots = Vec::with_capacity(files.len());
        for Unhashed { blocks, at, end } in files {
            let root = Root::of(algorithm, &digests[blocks]);
            frame.clear();
            Message::End(End { root: root.as_bytes().to_vec(), ..end }).encode(&mut frame);
            bytes[at..at + frame.len()].copy_from_slice(&frame);
            roots.push(root);
        }
        (bytes, roots)
    }
}

#[cfg(test)]
mod tests {
    use digest::of_block;

    use super::*;
    use crate::{Command, Decoded, Frame, Side};

    fn put(len: usize) -> Message {
        Message::Command(Command::Put { path: b"file".to_vec(), size: len as u64 })
    }

    fn end(len: usize) -> End {
        End { size: len as u64, root: Vec::new(), modified: None, mode: Some(0o644) }
    }

    #[test]
    fn what_is_packed_is_what_a_peer_decodes() {
        for algorithm in Algorithm::ALL {
            let files: Vec<Vec<u8>> = [0, 1, BLOCK, BLOCK + 1, SMALL as usize]
                .into_iter()
                .map(|len| (0..len).map(|at| (at * len / 251) as u8).collect())
                .collect();
            let mut pack = Pack::new(algorithm, b"what was there".to_vec());
            assert!(pack.is_empty());
            for data in &files {
                let read = |slices: Vec<&mut [u8]>| {
                    slices
                        .into_iter()
                        .zip(data.chunks(BLOCK))
                        .for_each(|(to, from)| to.copy_from_slice(from));
                    Ok::<_, ()>(data.len())
                };
                assert_eq!(pack.file(&put(data.len()), data.len(), end(data.len()), read), Ok(data.len()));
                pack.message(&Message::Command(Command::Pwd));
            }
            assert_eq!(pack.files(), files.len());
            let (frames, roots) = pack.seal();
            let mut at = 0;
            let mut next = || match Frame::decode(&frames[at..], Side::Client, algorithm) {
                Decoded::Message(frame, used) => {
                    let told = match frame {
                        Frame::Message(message) => Ok(message),
                        Frame::Data(block) => Err(&frames[at + block.start..at + used]),
                    };
                    at += used;
                    told
                }
                other => panic!("{other:?}"),
            };
            for (data, root) in files.iter().zip(&roots) {
                let digests: Vec<Digest> =
                    data.chunks(BLOCK).map(|block| of_block(algorithm, block)).collect();
                assert_eq!(*root, Root::of(algorithm, &digests));
                assert_eq!(next(), Ok(put(data.len())));
                for (block, digest) in data.chunks(BLOCK).zip(&digests) {
                    assert_eq!(next(), Err(&[block, digest.as_bytes()].concat()[..]));
                }
                let told = End { root: root.as_bytes().to_vec(), ..end(data.len()) };
                assert_eq!(next(), Ok(Message::End(told)));
                assert_eq!(next(), Ok(Message::Command(Command::Pwd)));
            }
            assert_eq!(at, frames.len());
        }
    }

    #[test]
    fn of_what_cannot_be_read_nothing_is_packed() {
        let mut pack = Pack::new(Algorithm::Md5, Vec::new());
        let fails = |_: Vec<&mut [u8]>| Err::<(), _>("no");
        assert_eq!(pack.file(&put(BLOCK + 1), BLOCK + 1, end(BLOCK + 1), fails), Err("no"));
        assert!(pack.is_empty() && pack.files() == 0);
        let reads = |slices: Vec<&mut [u8]>| {
            slices.into_iter().for_each(|block| block.fill(7));
            Ok::<_, ()>(())
        };
        pack.file(&put(1), 1, end(1), reads).unwrap();
        assert_eq!(pack.seal().1, [of_block(Algorithm::Md5, &[7])]);
    }
}
