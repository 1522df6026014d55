//! Gets that follow one another: small files are opened, read and hashed together, and while they are on their way, the next are.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::ops::Range;
use std::time::Duration;

use digest::{Algorithm, BLOCK, Digest};
use proto::io::Broken;
use proto::{Command, End, Message, Reply, block_to, gap};
use store::{Attributes, Outgoing, ReadAhead, Seen};
use tokio::time::Instant;

use super::{Connection, Ended, Outcome, words};
use crate::core::{Refusal, Session};

/// Gets that are answered together at the most.
const MANY: usize = 128;

/// Bytes of their paths, from which on no further one is taken up.
const LONG_PATHS: usize = 64 * 1024;

/// Bytes of their data, from which on no further file is added.
const MUCH: usize = 512 * 1024;

/// How long files are opened before the first of them are sent.
const LONG: Duration = Duration::from_millis(20);

/// Room for the frames around the data of a small file.
const AROUND: usize = 128;

/// A file that is to be sent.
pub(super) struct Wanted {
    path: Vec<u8>,
    first_block: u64,
    began: Instant,
}

impl Wanted {
    /// All of it, from now on.
    pub(super) fn whole(path: Vec<u8>) -> Wanted {
        Wanted { path, first_block: 0, began: Instant::now() }
    }
}

/// Where more of them come from.
pub(super) enum More {
    /// The peer, each by a command of its own.
    Commands,
    /// The directories of a tree, all for one command.
    Tree(VecDeque<Wanted>),
}

/// What was made of the first of some gets.
#[derive(Default)]
struct Batch {
    /// Of each its bytes, or why it was refused.
    outcomes: Vec<Result<u64, String>>,
    /// All that they get.
    frames: Vec<u8>,
    /// What the next one gets: a file too large to be read as a whole.
    large: Option<ReadAhead>,
    /// A buffer to read the next ones into.
    spare: Vec<u8>,
}

impl Connection {
    /// Answers a get and those that follow it.
    pub(super) async fn gets(
        &mut self,
        session: &Session,
        path: Vec<u8>,
        first_block: u64,
    ) -> Result<(), Ended> {
        let first = Wanted { path, first_block, began: Instant::now() };
        self.send_all(session, VecDeque::from([first]), More::Commands).await
    }

    /// Sends what is wanted, and whatever more is meanwhile; an abort of a tree's command ends it early.
    pub(super) async fn send_all(
        &mut self,
        session: &Session,
        mut wanted: VecDeque<Wanted>,
        mut more: More,
    ) -> Result<(), Ended> {
        self.gather(&mut wanted, &mut more);
        if wanted.is_empty() {
            return Ok(());
        }
        let mut reading = self.read(session, &wanted, Vec::new());
        loop {
            let Batch { outcomes, frames, large, spare } =
                reading.await.unwrap_or_else(|refusal| Batch::of_one(&refusal));
            let rest = wanted.split_off(outcomes.len());
            let answered = mem::replace(&mut wanted, rest);
            self.wire.queue_frames(frames);
            if let Some((file, one)) = large.and_then(|file| Some((file, wanted.pop_front()?))) {
                self.settle(answered, outcomes, &Ok(()), &more);
                self.moved = 0;
                let sent = self.send(file).await;
                self.log("get", &one.path, one.began, &sent);
                sent?;
                if matches!(more, More::Commands) {
                    self.number += 1;
                }
                self.gather(&mut wanted, &mut more);
                if wanted.is_empty() || self.is_given_up(&more) {
                    return Ok(());
                }
                reading = self.read(session, &wanted, spare);
                continue;
            }
            self.gather(&mut wanted, &mut more);
            if wanted.is_empty() || self.is_given_up(&more) {
                self.settle(answered, outcomes, &Ok(()), &more);
                return Ok(());
            }
            reading = self.read(session, &wanted, spare); // begins now, while the others are sent
            let sent = self.wire.flush().await;
            self.settle(answered, outcomes, &sent, &more);
            sent?;
            if self.door.ending.is_breaking_off() {
                return Err(Ended::Failure(words::failure(&Refusal::Ending)));
            }
        }
    }

    /// Takes up the gets that were heard already, or files of the tree.
    fn gather(&mut self, wanted: &mut VecDeque<Wanted>, more: &mut More) {
        self.wire.hear_now();
        if let More::Tree(files) = more {
            let some = files.len().min(MANY.saturating_sub(wanted.len()));
            wanted.extend(files.drain(..some));
            return;
        }
        let mut held: usize = wanted.iter().map(|one| one.path.len()).sum();
        while wanted.len() < MANY && held < LONG_PATHS {
            match self.wire.next_command_if(|command| matches!(command, Command::Get { .. })) {
                Some(Command::Get { path, first_block }) => {
                    held += path.len();
                    wanted.push_back(Wanted { path, first_block, began: Instant::now() });
                }
                _ => return,
            }
        }
    }

    /// Whether the peer wants no more of the tree.
    fn is_given_up(&self, more: &More) -> bool {
        matches!(more, More::Tree(_)) && self.wire.aborted(self.number).is_some()
    }

    /// Begins to read what is wanted.
    fn read(
        &mut self,
        session: &Session,
        wanted: &VecDeque<Wanted>,
        data: Vec<u8>,
    ) -> impl Future<Output = Result<Batch, Refusal>> + use<> {
        let algorithm = self.wire.algorithm();
        let spares = (data, self.wire.spent());
        let wanted: Vec<_> = wanted.iter().map(|one| (&one.path[..], one.first_block)).collect();
        session.open_many(&wanted, algorithm, move |opened| Batch::read(opened, algorithm, spares))
    }

    /// Takes note of files that were sent or refused, and of whether that was `sent`.
    fn settle(
        &mut self,
        answered: VecDeque<Wanted>,
        outcomes: Vec<Result<u64, String>>,
        sent: &Result<(), Broken>,
        more: &More,
    ) {
        for (one, outcome) in answered.into_iter().zip(outcomes) {
            let outcome = match sent {
                Ok(()) => outcome,
                Err(broken) => Err(broken.to_string()),
            };
            self.moved = outcome.as_ref().map_or(0, |bytes| *bytes);
            let outcome = outcome.map_or_else(Outcome::Refused, |_| Outcome::Done);
            self.log("get", &one.path, one.began, &Ok(outcome));
            if matches!(more, More::Commands) {
                self.number += 1;
            }
        }
    }
}

/// A small file that was read.
struct Small {
    size: u64,
    attributes: Attributes,
    data: Range<usize>,
    seen: Option<Seen>,
}

impl Batch {
    /// Reads files up to a large one, or until they are much. Blocks.
    fn read(
        opened: &mut dyn Iterator<Item = Result<Outgoing, Refusal>>,
        algorithm: Algorithm,
        (mut data, frames): (Vec<u8>, Vec<u8>),
    ) -> Batch {
        let began = Instant::now();
        let (mut files, mut large) = (Vec::new(), None);
        data.clear();
        for outgoing in opened {
            let read = outgoing.and_then(|file| {
                let start = data.len();
                let (size, attributes) = (file.size(), file.attributes());
                if file.remaining() > BLOCK as u64 {
                    return Ok(Err(ReadAhead::begin(file, gap(algorithm))?));
                }
                let seen = file.read_to(&mut data)?;
                Ok(Ok(Small { size, attributes, data: start..data.len(), seen }))
            });
            match read {
                Ok(Ok(small)) => files.push(Ok(small)),
                Ok(Err(ahead)) => {
                    large = Some(ahead);
                    break;
                }
                Err(refusal) => files.push(Err(refusal)),
            }
            if data.len() >= MUCH || began.elapsed() >= LONG {
                break;
            }
        }
        let batch = Batch::framed(files, &data, algorithm, frames);
        Batch { large, spare: data, ..batch }
    }

    /// Hashes small files all at once, and lays out what their gets are answered.
    fn framed(
        files: Vec<Result<Small, Refusal>>,
        data: &[u8],
        algorithm: Algorithm,
        mut frames: Vec<u8>,
    ) -> Batch {
        frames.clear();
        frames.reserve(data.len() + files.len() * AROUND);
        let blocks: Vec<&[u8]> = files.iter().flatten().map(|file| &data[file.data.clone()]).collect();
        let mut digests = digest::of_blocks(algorithm, &blocks).into_iter();
        let mut batch = Batch { frames, ..Batch::default() };
        for file in files {
            match file.and_then(|file| Ok((file, digests.next().ok_or(Refusal::Failed)?))) {
                Ok((file, digest)) => {
                    batch.send(&file, &data[file.data.clone()], digest);
                    file.seen.inspect(|seen| seen.has_root(digest));
                }
                Err(refusal) => batch.refuse(&refusal),
            }
        }
        batch
    }

    /// Of at most one block, the root is its digest, and of none the digest of nothing.
    fn send(&mut self, file: &Small, block: &[u8], digest: Digest) {
        let &Small { size, attributes, .. } = file;
        Message::Reply(Reply::Sending { size }).encode(&mut self.frames);
        if !block.is_empty() {
            block_to(&mut self.frames, block, &digest);
        }
        let root = digest.as_bytes().to_vec();
        let end = End { size, root, modified: attributes.modified.map(words::time), mode: attributes.mode };
        Message::End(end).encode(&mut self.frames);
        self.outcomes.push(Ok(block.len() as u64));
    }

    fn refuse(&mut self, refusal: &Refusal) {
        Message::Reply(Reply::Refused(words::failure(refusal))).encode(&mut self.frames);
        self.outcomes.push(Err(refusal.detail()));
    }

    /// The first is refused, and the others are still to be answered.
    fn of_one(refusal: &Refusal) -> Batch {
        let mut batch = Batch::default();
        batch.refuse(refusal);
        batch
    }
}
