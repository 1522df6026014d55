//! Parts of files: their digests and their contents going out, and files that are assembled from what comes in.

use std::ops::Range;

use digest::{Digest, Root};
use proto::io::Broken;
use proto::{End, Fault, Kind, Message, Part, Reply};
use store::{Bringing, Digests, Ranges, Version, WriteBehind};

use super::rest::taken_over;
use super::transfer::Unmoved;
use super::{Connection, Ended, Outcome, words};
use crate::core::{Assembled, Refusal, Session};

/// The blocks of `parts`, if they are in order.
fn ranges(parts: &[Part]) -> Result<Ranges, Broken> {
    let range = |part: &Part| Some(part.first_block..part.first_block.checked_add(part.blocks)?);
    let ranges: Option<Vec<Range<u64>>> = parts.iter().map(range).collect();
    ranges.and_then(Ranges::new).ok_or(Broken::Malformed(Fault::Body))
}

impl Connection {
    /// Tells the digests of a file's blocks.
    pub(super) async fn digests(
        &mut self,
        session: &Session,
        path: &[u8],
        part: Part,
        version: Option<[u8; 16]>,
    ) -> Result<Outcome, Ended> {
        let blocks = part.first_block..part.first_block.saturating_add(part.blocks);
        let opening = session.digests(path, self.wire.algorithm(), version.map(Version), blocks);
        let digests = match self.unless_aborted(opening).await? {
            Ok(digests) => digests,
            Err(refused) => return Ok(refused),
        };
        self.wire
            .queue(&Message::Reply(Reply::Reading { size: digests.size(), version: digests.version().0 }));
        let mut ending = self.door.ending.clone();
        let sent = tokio::select! {
            sent = self.send_digests(digests) => sent?,
            () = ending.breaks_off() => Err(Unmoved::by_the_end()),
        };
        self.sent(sent).await
    }

    /// Sends digests as they are computed; the frame that ends them is the caller's to send.
    async fn send_digests(&mut self, mut digests: Digests) -> Result<Result<End, Unmoved>, Broken> {
        let (size, attributes) = (digests.size(), digests.attributes());
        let mut root = Root::new(self.wire.algorithm());
        loop {
            match self.wire.busy_unless_aborted(self.number, digests.next()).await? {
                Some(Ok(Some(next))) => {
                    next.iter().for_each(|digest| root.push(digest));
                    let together =
                        next.iter().flat_map(|digest| digest.as_bytes()).copied().collect::<Vec<u8>>();
                    self.moved += together.len() as u64;
                    self.wire.send(&Message::Digests(together)).await?;
                }
                Some(Ok(None)) => break,
                Some(Err(error)) => return Ok(Err(Unmoved::new(error, true))),
                None => return Ok(Err(Unmoved::by_client(words::broken_off()))),
            }
        }
        let root = root.value().as_bytes().to_vec();
        Ok(Ok(End { size, root, modified: attributes.modified.map(words::time), mode: attributes.mode }))
    }

    /// Sends parts of a file.
    pub(super) async fn get_parts(
        &mut self,
        session: &Session,
        path: &[u8],
        version: Option<[u8; 16]>,
        parts: &[Part],
    ) -> Result<Outcome, Ended> {
        let (algorithm, parts) = (self.wire.algorithm(), ranges(parts)?);
        let opening = session.open_parts(path, algorithm, version.map(Version), parts, proto::gap(algorithm));
        match self.unless_aborted(opening).await? {
            Ok(file) => {
                let reading = Reply::Reading { size: file.size(), version: file.version().0 };
                self.send_as(reading, file).await
            }
            Err(refused) => Ok(refused),
        }
    }

    /// Begins a file that comes in parts.
    pub(super) async fn assemble(
        &mut self,
        session: &mut Session,
        path: &[u8],
        size: u64,
        onto: Option<[u8; 16]>,
    ) -> Result<Outcome, Ended> {
        let beginning = session.assemble(path, size, self.wire.algorithm(), onto.map(Version));
        match self.wire.busy_while(beginning).await? {
            Ok(assembly) => {
                self.wire.queue(&Message::Reply(Reply::Assembling { assembly }));
                Ok(Outcome::Done)
            }
            Err(refusal) => self.refused(&refusal).await,
        }
    }

    /// Receives parts of such a file.
    pub(super) async fn put_parts(
        &mut self,
        session: &Session,
        assembly: &[u8; 16],
        size: u64,
        parts: &[Part],
    ) -> Result<Outcome, Ended> {
        let parts = ranges(parts)?;
        let left = parts.bytes_in(size).ok_or(Broken::Malformed(Fault::Body))?;
        let assembled = match session.assembled(assembly) {
            Ok(assembled) => assembled,
            Err(refusal) => {
                let refused = self.refused(&refusal).await?;
                self.wire.pass_over(left).await?;
                return Ok(refused);
            }
        };
        let bringing = assembled.bring(&parts, self.wire.algorithm()).filter(|_| assembled.size() == size);
        let bringing = bringing.ok_or(Broken::Malformed(Fault::Body))?;
        match self.receive_parts(bringing, &assembled, size).await? {
            Ok(()) => {
                self.wire.queue(&Message::Reply(Reply::Done));
                Ok(Outcome::Part)
            }
            Err(unmoved) => self.unmoved(unmoved, left).await,
        }
    }

    /// Receives parts, up to the frame that ends them. When this returns, what came of them is written.
    async fn receive_parts(
        &mut self,
        bringing: Bringing,
        assembled: &Assembled,
        size: u64,
    ) -> Result<Result<(), Unmoved>, Broken> {
        let left = bringing.remaining();
        let mut file = WriteBehind::of_parts(bringing);
        let mut ending = self.door.ending.clone();
        let algorithm = self.wire.algorithm();
        self.wire.gather_less(true);
        let received = tokio::select! {
            biased; // one that somebody takes over is closed, too
            received = self.receive_blocks(&mut file, left, Some(assembled.upload())) => received,
            () = ending.breaks_off() => Ok(Err(Unmoved::by_the_end())),
            () = assembled.upload().is_to_leave() => Ok(Err(taken_over())),
            () = assembled.is_closed() => Ok(Err(Unmoved::refused(&Refusal::NotAssembling, false))),
        };
        self.wire.gather_less(false);
        let fallen = match received {
            Ok(Ok(end)) => match Digest::new(algorithm, &end.root) {
                Some(root) => {
                    let finished = self.wire.busy_while(file.finish()).await?;
                    let right = |bringing: Bringing| match end.size == size {
                        true => bringing.finish(root),
                        false => Err(store::Kind::NotVerified.into()),
                    };
                    return Ok(finished.and_then(right).map_err(|error| Unmoved::new(error, true)));
                }
                None => Err(Broken::Malformed(Fault::Body)),
            },
            Ok(Err(unmoved)) => Ok(Err(unmoved)),
            Err(broken) => Err(broken),
        };
        // What came counts, as far as it can be written.
        let _ = file.finish().await;
        fallen
    }

    /// Gives such a file its name.
    pub(super) async fn publish(
        &mut self,
        session: &Session,
        assembly: &[u8; 16],
        root: &[u8],
        attributes: store::Attributes,
    ) -> Result<Outcome, Ended> {
        let root = Digest::new(self.wire.algorithm(), root).ok_or(Broken::Malformed(Fault::Body))?;
        self.moved = session.assembled(assembly).map_or(0, |assembled| assembled.brought());
        let publishing = session.publish(assembly, root, attributes);
        let mut ending = self.door.ending.clone();
        let published = tokio::select! {
            published = self.wire.busy_while(publishing) => published?,
            () = ending.breaks_off() => return Err(Ended::Failure(words::failure(&Refusal::Ending))),
        };
        match published {
            Ok(receipt) => Ok(self.stored(&receipt)),
            Err(refusal) => {
                let failure = words::failure(&refusal);
                if failure.kind == Kind::NotVerified {
                    return Err(Ended::Failure(failure));
                }
                self.refused(&refusal).await
            }
        }
    }
}
