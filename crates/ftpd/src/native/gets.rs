//! Gets that follow one another: small files are opened, read and hashed together, and while they are on their way, the next are.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::time::Duration;

use digest::Algorithm;
use proto::io::Broken;
use proto::{Command, End, Message, Pack, Reply, SMALL, gap};
use store::{Outgoing, ReadAhead, Seen};
use tokio::time::Instant;

use super::{Connection, Ended, Outcome, words};
use crate::core::{Refusal, Session};

/// Gets that are answered together at the most.
const MANY: usize = 128;

/// Bytes of their paths, from which on no further one is taken up.
const LONG_PATHS: usize = 64 * 1024;

/// Bytes of their frames, from which on no further file is added.
const MUCH: usize = 512 * 1024;

/// How long files are opened before the first of them are sent.
const LONG: Duration = Duration::from_millis(20);

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
        let mut reading = self.read(session, &wanted);
        loop {
            let Batch { outcomes, frames, large } = reading.await.unwrap_or_else(|refusal| {
                Batch::of_one(&refusal, Pack::new(self.wire.algorithm(), Vec::new()))
            });
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
                reading = self.read(session, &wanted);
                continue;
            }
            self.gather(&mut wanted, &mut more);
            if wanted.is_empty() || self.is_given_up(&more) {
                self.settle(answered, outcomes, &Ok(()), &more);
                return Ok(());
            }
            reading = self.read(session, &wanted); // begins now, while the others are sent
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
    ) -> impl Future<Output = Result<Batch, Refusal>> + use<> {
        let algorithm = self.wire.algorithm();
        let spare = self.wire.spent();
        let wanted: Vec<_> = wanted.iter().map(|one| (&one.path[..], one.first_block)).collect();
        session.open_many(&wanted, algorithm, move |opened| Batch::read(opened, algorithm, spare))
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

impl Batch {
    /// Reads files up to a large one, or until they are much. Blocks.
    fn read(
        opened: &mut dyn Iterator<Item = Result<Outgoing, Refusal>>,
        algorithm: Algorithm,
        spare: Vec<u8>,
    ) -> Batch {
        let began = Instant::now();
        let mut pack = Pack::new(algorithm, spare);
        let mut batch = Batch::default();
        let mut watched: Vec<(usize, Seen)> = Vec::new();
        for file in opened {
            let sent = file.and_then(|file| {
                if file.remaining() > SMALL {
                    batch.large = Some(ReadAhead::begin(file, gap(algorithm))?);
                    return Ok(None);
                }
                let (bytes, opens, end) = (file.remaining(), opening(&file), ending(&file));
                let data = usize::try_from(bytes).map_err(|_| Refusal::Failed)?;
                let seen = pack.file(&opens, data, end, |slices| file.read_into(slices))?;
                watched.extend(seen.map(|seen| (pack.files() - 1, seen)));
                Ok(Some(bytes))
            });
            match sent {
                Ok(Some(bytes)) => batch.outcomes.push(Ok(bytes)),
                Ok(None) => break,
                Err(refusal) => batch.refuse(&refusal, &mut pack),
            }
            if pack.len() >= MUCH || began.elapsed() >= LONG {
                break;
            }
        }
        let (frames, roots) = pack.seal();
        for (file, seen) in watched {
            seen.has_root(roots[file]);
        }
        Batch { frames, ..batch }
    }

    fn refuse(&mut self, refusal: &Refusal, pack: &mut Pack) {
        pack.message(&Message::Reply(Reply::Refused(words::failure(refusal))));
        self.outcomes.push(Err(refusal.detail()));
    }

    /// The first is refused, and the others are still to be answered.
    fn of_one(refusal: &Refusal, mut pack: Pack) -> Batch {
        let mut batch = Batch::default();
        batch.refuse(refusal, &mut pack);
        Batch { frames: pack.seal().0, ..batch }
    }
}

/// What is said before a file.
fn opening(file: &Outgoing) -> Message {
    Message::Reply(Reply::Sending { size: file.size() })
}

/// What is said behind it, but for the root.
fn ending(file: &Outgoing) -> End {
    let attributes = file.attributes();
    let modified = attributes.modified.map(words::time);
    End { size: file.size(), root: Vec::new(), modified, mode: attributes.mode }
}
