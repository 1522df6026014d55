//! Parts of files: parts of a remote file fetched, and a file there assembled from parts.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use digest::{Blocks, Digest};
use proto::io::Arrived;
use proto::{Abort, Command, End, Failure as Refused, Kind, Message, Part, Reply, gap};
use store::{Attributes, Outgoing, Parts, Ranges, ReadAhead, Version, WriteBehind};

use super::{Native, words};
use crate::failure::{Code, Failure};
use crate::remote::disk::on_disk;

/// Parts in a command: fewer than its frame could hold, so that some commands fit in what a server takes while it sends.
pub(in crate::remote) const PARTS: usize = 400;

/// Bytes of the parts in a command, so that what is wrong with them is heard of before long.
pub(in crate::remote) const BYTES: u64 = 64 * 1024 * 1024;

/// Commands that bring or ask for parts and are not answered yet.
pub(super) const AHEAD: usize = 4;

/// A file of the server, as it was when it was looked at.
#[derive(Clone, Debug)]
pub(in crate::remote) struct Remote {
    pub(in crate::remote) path: Vec<u8>,
    pub(in crate::remote) size: u64,
    pub(in crate::remote) version: [u8; 16],
}

/// A file that the server assembles.
#[derive(Clone, Copy, Debug)]
pub(in crate::remote) struct Assembling {
    pub(in crate::remote) assembly: [u8; 16],
    pub(in crate::remote) size: u64,
}

/// Lists of parts, each for one command: ascending, apart, not empty.
pub(in crate::remote) type Lists<'a> = &'a mut (dyn Iterator<Item = Vec<Part>> + Send);

/// Told of blocks that go, or came and are not yet verified.
pub(in crate::remote) type Moved<'a> = &'a mut (dyn FnMut(&Blocks) + Send);

/// What came of many commands: that the session goes on, and what was wrong with what they were for.
type Whole = Result<Result<(), Failure>, Failure>;

impl Native {
    /// Begins a file whose parts come in any order; what no part brings is that of the file of version `onto`.
    pub(in crate::remote) async fn assemble(
        &mut self,
        path: &[u8],
        size: u64,
        onto: Option<[u8; 16]>,
    ) -> Result<Assembling, Failure> {
        match self.request(Command::Assemble { path: path.to_vec(), size, onto }).await? {
            Reply::Assembling { assembly } => Ok(Assembling { assembly, size }),
            _ => Err(self.unexpected()),
        }
    }

    /// Publishes such a file, if its root is `root`.
    pub(in crate::remote) async fn publish(
        &mut self,
        Assembling { assembly, size }: Assembling,
        root: Digest,
        Attributes { modified, mode }: Attributes,
    ) -> Result<(), Failure> {
        let modified = modified.map(words::to_wire);
        let asked = Command::Publish { assembly, root: root.as_bytes().to_vec(), modified, mode };
        match self.request(asked).await? {
            Reply::Stored { size: stored, root: theirs } if stored == size && theirs == root.as_bytes() => {
                Ok(())
            }
            Reply::Stored { .. } => Err(Failure::new(Code::NotVerified, "the server stored something else")
                .with_remedy("Put the file again.")),
            _ => Err(self.unexpected()),
        }
    }

    /// Gives such a file up.
    pub(in crate::remote) async fn leave(&mut self, assembling: Assembling) -> Result<(), Failure> {
        match self.request(Command::Leave { assembly: assembling.assembly }).await? {
            Reply::Done => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    /// Brings parts of the file `from`, which is of `version`, to where they are assembled. Whoever drops this gives the connection
    /// up.
    pub(in crate::remote) async fn put_parts(
        &mut self,
        to: Assembling,
        (from, version): (&Path, Version),
        lists: Lists<'_>,
        moved: Moved<'_>,
    ) -> Result<(), Failure> {
        self.begin_many().await?;
        let whole = self.put_lists(to, (from, version), lists, moved).await;
        self.end_many(whole)
    }

    async fn put_lists(
        &mut self,
        to: Assembling,
        (from, version): (&Path, Version),
        lists: Lists<'_>,
        moved: Moved<'_>,
    ) -> Whole {
        if self.opening {
            self.flush_many().await?;
            self.opened().await?;
        }
        let (mut due, mut wrong) = (0, None);
        while wrong.is_none()
            && let Some(parts) = lists.next()
        {
            let (path, algorithm, ranges) = (from.to_owned(), self.settings.digest, ranges(&parts));
            let opened = on_disk(move || {
                let file = Outgoing::local_parts(&path, algorithm, Some(version), &ranges)?;
                Ok(ReadAhead::begin(file, gap(algorithm))?)
            });
            let file = match opened.await {
                Ok(file) => file,
                Err(failure) => {
                    wrong = Some(failure);
                    break;
                }
            };
            self.ask(&Command::PutParts { assembly: to.assembly, size: to.size, parts });
            match self.send_parts(file, &mut due, &mut wrong, moved).await? {
                Ok(()) => due += 1,
                Err(why) => {
                    // The answer to it says no more than that.
                    let said = self.break_off(&mut due, &mut wrong).await?;
                    wrong.get_or_insert(why.unwrap_or(said));
                }
            }
            while due > AHEAD {
                self.hear_done(&mut due, &mut wrong).await?;
            }
        }
        while due > 0 {
            self.hear_done(&mut due, &mut wrong).await?;
        }
        Ok(wrong.map_or(Ok(()), Err))
    }

    /// Sends the data and the end of a command that is in line. It is to be broken off for a reason, or because the server refuses it
    /// already.
    async fn send_parts(
        &mut self,
        mut file: ReadAhead,
        due: &mut usize,
        wrong: &mut Option<Failure>,
        moved: Moved<'_>,
    ) -> Result<Result<(), Option<Failure>>, Failure> {
        let (size, mut spare) = (file.size(), Blocks::default());
        loop {
            match file.next(spare).await {
                Ok(Some(blocks)) => {
                    moved(&blocks);
                    let sent = self.wire.send_blocks(blocks).await;
                    spare = self.told(sent)?;
                }
                Ok(None) => break,
                Err(error) => return Ok(Err(Some(error.into()))),
            }
            while *due > 0 && self.has_answer()? {
                self.hear_done(due, wrong).await?;
            }
            if wrong.is_some() || self.has_answer()? {
                return Ok(Err(None));
            }
        }
        let root = match file.finish().await {
            Ok(file) => file.root().expect("opened with a digest"),
            Err(error) => return Ok(Err(Some(error.into()))),
        };
        let end = End { size, root: root.as_bytes().to_vec(), modified: None, mode: None };
        self.wire.queue(&Message::End(end));
        self.flush_many().await.map(Ok)
    }

    /// Breaks off the parts under way, and hears what the server says of that.
    async fn break_off(&mut self, due: &mut usize, wrong: &mut Option<Failure>) -> Result<Failure, Failure> {
        let failure = Refused::new(Kind::Aborted, "the client broke it off");
        self.wire.queue(&Message::Abort(Abort { command: self.sent - 1, failure }));
        while *due > 0 {
            self.hear_done(due, wrong).await?;
        }
        self.flush_many().await?;
        match self.answer().await? {
            Message::Reply(Reply::Refused(refused)) => self.refused_many(refused),
            _ => self.out_of_turn(),
        }
    }

    /// Hears that parts have come. What is wrong with the first that have not is kept in mind.
    async fn hear_done(&mut self, due: &mut usize, wrong: &mut Option<Failure>) -> Result<(), Failure> {
        self.flush_many().await?;
        *due -= 1;
        match self.answer().await? {
            Message::Reply(Reply::Done) => Ok(()),
            Message::Reply(Reply::Refused(refused)) => {
                let failure = self.refused_many(refused)?;
                wrong.get_or_insert(failure);
                Ok(())
            }
            _ => self.out_of_turn(),
        }
    }

    /// Whether the server has said more than that it is at work.
    fn has_answer(&mut self) -> Result<bool, Failure> {
        let passed = self.wire.pass_busy();
        self.told(passed)?;
        Ok(self.wire.has_message())
    }

    /// Fetches parts of a file. Whoever drops this gives the connection up.
    pub(in crate::remote) async fn get_parts(
        &mut self,
        of: &Remote,
        lists: Lists<'_>,
        into: &Arc<Parts>,
        moved: Moved<'_>,
    ) -> Result<(), Failure> {
        self.begin_many().await?;
        let whole = self.get_lists(of, lists, into, moved).await;
        self.end_many(whole)
    }

    async fn get_lists(
        &mut self,
        of: &Remote,
        lists: Lists<'_>,
        into: &Arc<Parts>,
        moved: Moved<'_>,
    ) -> Whole {
        let (mut asked, mut wrong) = (VecDeque::new(), None);
        loop {
            while wrong.is_none()
                && asked.len() < AHEAD
                && let Some(parts) = lists.next()
            {
                asked.push_back(ranges(&parts));
                let (path, version) = (of.path.clone(), Some(of.version));
                self.ask(&Command::GetParts { path, version, parts });
            }
            let Some(ranges) = asked.pop_front() else { return Ok(wrong.map_or(Ok(()), Err)) };
            let failed = match self.hear_parts(of, &ranges, into, moved, wrong.is_none()).await {
                Ok(heard) => heard.err(),
                // What was wrong before is the reason.
                Err(broken) => return Err(wrong.unwrap_or(broken)),
            };
            wrong = wrong.or(failed);
        }
    }

    /// Hears the answer to a command. Once something was wrong nothing `counts` as moved: who counts blocks would take those behind what
    /// is missing for it.
    async fn hear_parts(
        &mut self,
        of: &Remote,
        ranges: &Ranges,
        into: &Arc<Parts>,
        moved: Moved<'_>,
        counts: bool,
    ) -> Whole {
        self.flush_many().await?;
        match self.answer().await? {
            Message::Reply(Reply::Reading { size, version }) if (size, version) == (of.size, of.version) => {
                self.receive_parts(ranges, into, &mut |blocks| {
                    if counts {
                        moved(blocks);
                    }
                })
                .await
            }
            Message::Reply(Reply::Refused(refused)) => self.refused_many(refused).map(Err),
            _ => self.out_of_turn(),
        }
    }

    /// Receives the data of a command to its end, whatever comes of it here.
    async fn receive_parts(&mut self, ranges: &Ranges, into: &Arc<Parts>, moved: Moved<'_>) -> Whole {
        let Some(bringing) = into.bring(ranges, self.settings.digest) else { return self.out_of_turn() };
        let (mut left, mut spare) = (bringing.remaining(), Blocks::default());
        let mut file = Ok(WriteBehind::of_parts(bringing));
        loop {
            let arrived = self.wire.arrive(spare, left).await;
            match self.told(arrived)? {
                Arrived::Blocks(blocks) => {
                    left -= blocks.data_len() as u64;
                    if file.is_ok() {
                        moved(&blocks);
                    }
                    spare = match &mut file {
                        Ok(writing) => match writing.write(blocks).await {
                            Ok(spare) => spare,
                            Err(error) => {
                                file = Err(error.into());
                                Blocks::default()
                            }
                        },
                        Err(_) => blocks,
                    };
                }
                Arrived::End(end) => {
                    let root = self.root(&end.root)?;
                    let done = match file {
                        Ok(writing) => writing.finish().await.and_then(|bringing| bringing.finish(root)),
                        Err(failure) => return Ok(Err(failure)),
                    };
                    return Ok(done.map_err(Failure::from));
                }
                Arrived::Abort(abort) => return self.refused_many(abort.failure).map(Err),
            }
        }
    }
}

/// A list of parts as ranges of blocks.
///
/// # Panics
/// If it is none.
fn ranges(parts: &[Part]) -> Ranges {
    let range = |part: &Part| part.first_block..part.first_block + part.blocks;
    Ranges::new(parts.iter().map(range).collect()).expect("parts ascend, lie apart and are not empty")
}
