//! Transfers that go on where they stopped: what the peer has is proven before anything is added to it.

use std::future::Future;

use digest::{Algorithm, BLOCK, Digest};
use proto::io::Broken;
use proto::{End, Failure, Fault, Kind, Message, Reply};
use store::{Incoming, Prefix, Proof, Receipt, WriteBehind};

use super::transfer::Unmoved;
use super::{Connection, Ended, Outcome, words};
use crate::core::{Refusal, Session, Upload};

/// Blocks of a file that a peer names, and their root as it states it.
#[derive(Clone, Copy)]
pub(super) struct Stated<'a> {
    pub(super) blocks: u64,
    pub(super) proof: &'a [u8],
}

impl Stated<'_> {
    /// The root must have the length that roots have.
    fn prefix(self, algorithm: Algorithm) -> Result<Prefix, Ended> {
        let root = Digest::new(algorithm, self.proof).ok_or(Broken::Malformed(Fault::Body))?;
        Ok(Prefix { blocks: self.blocks, root })
    }
}

impl Connection {
    /// Sends what a peer does not have of a file.
    pub(super) async fn resume(
        &mut self,
        session: &Session,
        path: &[u8],
        stated: Stated<'_>,
    ) -> Result<Outcome, Ended> {
        let algorithm = self.wire.algorithm();
        let prefix = stated.prefix(algorithm)?;
        let opening = session.resume(path, algorithm, prefix, proto::gap(algorithm));
        match self.unless_aborted(opening).await? {
            Ok(file) => self.send(file).await,
            Err(refused) => Ok(refused),
        }
    }

    /// Waits for `work`, with signs of life. Where it does not come to an end, the client is told so; here is told what came of the
    /// command.
    pub(super) async fn unless_aborted<T>(
        &mut self,
        work: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<Result<T, Outcome>, Ended> {
        let mut ending = self.door.ending.clone();
        let done = tokio::select! {
            done = self.wire.busy_unless_aborted(self.number, work) => done?,
            () = ending.breaks_off() => return Err(Ended::Failure(words::failure(&Refusal::Ending))),
        };
        match done {
            Some(Ok(done)) => Ok(Ok(done)),
            Some(Err(refusal)) => Ok(Err(self.refused(&refusal).await?)),
            None => {
                self.refuse(words::broken_off()).await?;
                Ok(Err(Outcome::Refused("broken off by the client".into())))
            }
        }
    }

    /// Tells what is kept of an upload.
    pub(super) async fn kept(&mut self, session: &Session, path: &[u8]) -> Result<Outcome, Ended> {
        let looking = session.kept(path, self.wire.algorithm());
        match self.unless_aborted(looking).await? {
            Ok(Prefix { blocks, root }) => {
                self.wire.queue(&Message::Reply(Reply::Kept { blocks, root: root.as_bytes().to_vec() }));
                Ok(Outcome::Done)
            }
            Err(refused) => Ok(refused),
        }
    }

    /// Receives what is not here of a file.
    pub(super) async fn put_rest(
        &mut self,
        session: &Session,
        path: &[u8],
        size: u64,
        stated: Stated<'_>,
    ) -> Result<Outcome, Ended> {
        let algorithm = self.wire.algorithm();
        let prefix = stated.prefix(algorithm)?;
        let left = size.saturating_sub(prefix.blocks.saturating_mul(BLOCK as u64));
        let begun = self.wire.busy_while(session.create_kept(path, size, algorithm, prefix)).await?;
        let (incoming, upload) = match begun {
            Ok(begun) => begun,
            Err(refusal) => {
                let refused = self.refused(&refusal).await?;
                self.wire.pass_over(left).await?;
                return Ok(refused);
            }
        };
        match self.receive_rest(incoming, left, &upload).await? {
            Ok(receipt) => Ok(self.stored(&receipt)),
            Err(unmoved) => self.unmoved(unmoved, left).await,
        }
    }

    /// Receives the rest of a file and publishes the whole. When this returns, there is the file, or what came of it is kept.
    async fn receive_rest(
        &mut self,
        incoming: Incoming,
        left: u64,
        upload: &Upload,
    ) -> Result<Result<Receipt, Unmoved>, Broken> {
        let mut file = WriteBehind::new(incoming);
        let mut ending = self.door.ending.clone();
        let algorithm = self.wire.algorithm();
        self.wire.gather_less(true);
        let received = tokio::select! {
            received = self.receive_blocks(&mut file, left, Some(upload)) => received,
            () = ending.breaks_off() => Ok(Err(Unmoved::by_the_end())),
            () = upload.is_to_leave() => Ok(Err(taken_over())),
        };
        self.wire.gather_less(false);
        let fallen = match received {
            Ok(Ok(End { size, root, modified, mode })) => match Digest::new(algorithm, &root) {
                Some(root) => {
                    let commit = file.commit(Proof::Root { size, root }, words::attributes(modified, mode));
                    let committed = self.wire.busy_while(commit).await?;
                    return Ok(committed.map_err(|error| Unmoved::new(error, true)));
                }
                None => Err(Broken::Malformed(Fault::Body)),
            },
            Ok(Err(unmoved)) => Ok(Err(unmoved)),
            Err(broken) => Err(broken),
        };
        file.leave().await;
        fallen
    }
}

/// What a session is told that was silent for too long.
pub(super) fn taken_over() -> Unmoved {
    let why = "nothing came, and another session goes on with this upload";
    Unmoved { failure: Failure::new(Kind::TimedOut, why), detail: why.into(), over: true }
}
