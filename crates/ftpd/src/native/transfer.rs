//! Files going out and coming in.

use digest::{Blocks, Digest};
use proto::io::{Arrived, Broken};
use proto::{Abort, End, Failure, Fault, Kind, Message, Reply};
use store::{Incoming, Proof, ReadAhead, Receipt, Work, WriteBehind};

use super::{Connection, Ended, Outcome, words};
use crate::core::{Refusal, Session, Upload};

impl Connection {
    /// Sends a file of any size.
    pub(super) async fn send(&mut self, file: ReadAhead) -> Result<Outcome, Ended> {
        self.send_as(Reply::Sending { size: file.size() }, file).await
    }

    /// Sends what is to be read of a file, behind a reply that says so.
    pub(super) async fn send_as(&mut self, reply: Reply, file: ReadAhead) -> Result<Outcome, Ended> {
        self.wire.queue(&Message::Reply(reply));
        let mut ending = self.door.ending.clone();
        let sent = tokio::select! {
            sent = self.send_file(file) => sent?,
            () = ending.breaks_off() => Err(Unmoved::by_the_end()),
        };
        self.sent(sent).await
    }

    /// Ends what was sent of a file: with its end, or with why there is none.
    pub(super) async fn sent(&mut self, sent: Result<End, Unmoved>) -> Result<Outcome, Ended> {
        match sent {
            Ok(end) => {
                self.wire.queue(&Message::End(end));
                Ok(Outcome::Done)
            }
            Err(unmoved) if unmoved.failure.kind == Kind::Ending => {
                self.wire
                    .queue(&Message::Abort(Abort { command: self.number, failure: unmoved.failure.clone() }));
                Err(Ended::Failure(unmoved.failure))
            }
            Err(unmoved) => {
                self.abort(unmoved.failure).await?;
                Ok(Outcome::Refused(unmoved.detail))
            }
        }
    }

    /// Sends a file's blocks; the frame that ends it is the caller's to send.
    async fn send_file(&mut self, mut file: ReadAhead) -> Result<Result<End, Unmoved>, Broken> {
        let (size, attributes) = (file.size(), file.attributes());
        let mut spare = Blocks::default();
        loop {
            match file.next(spare).await {
                Ok(Some(blocks)) => {
                    let bytes = blocks.data_len() as u64;
                    spare = self.wire.send_blocks(blocks).await?;
                    self.moved += bytes;
                }
                Ok(None) => break,
                Err(error) => return Ok(Err(Unmoved::new(error, true))),
            }
            if let Some(abort) = self.wire.aborted(self.number) {
                return Ok(Err(Unmoved::by_client(abort.failure)));
            }
        }
        let root = match file.finish().await {
            Ok(outgoing) => outgoing.root().expect("opened with a digest").as_bytes().to_vec(),
            Err(error) => return Ok(Err(Unmoved::new(error, true))),
        };
        Ok(Ok(End { size, root, modified: attributes.modified.map(words::time), mode: attributes.mode }))
    }

    pub(super) async fn put(&mut self, session: &Session, path: &[u8], size: u64) -> Result<Outcome, Ended> {
        let incoming = match session.create(path, size, self.wire.algorithm()).await {
            Ok(incoming) => incoming,
            Err(refusal) => {
                let refused = self.refused(&refusal).await?;
                self.wire.pass_over(size).await?;
                return Ok(refused);
            }
        };
        match self.receive_file(incoming, size).await? {
            Ok(receipt) => Ok(self.stored(&receipt)),
            Err(unmoved) => self.unmoved(unmoved, size).await,
        }
    }

    /// Says that a file is stored.
    pub(super) fn stored(&mut self, receipt: &Receipt) -> Outcome {
        let root = receipt.root.expect("its blocks are hashed").as_bytes().to_vec();
        self.wire.queue(&Message::Reply(Reply::Stored { size: receipt.size, root }));
        Outcome::Done
    }

    /// Says why data of `left` bytes did not get through, and passes over those that still come.
    pub(super) async fn unmoved(&mut self, unmoved: Unmoved, left: u64) -> Result<Outcome, Ended> {
        // A peer or a wire that damages data is not trusted with another frame, one that is silent has none, and an end has no time.
        if matches!(unmoved.failure.kind, Kind::NotVerified | Kind::Ending | Kind::TimedOut) {
            return Err(Ended::Failure(unmoved.failure));
        }
        self.refuse(unmoved.failure).await?;
        if !unmoved.over {
            self.wire.pass_over(left - self.moved).await?;
        }
        Ok(Outcome::Refused(unmoved.detail))
    }

    /// Receives a file and publishes it. When this returns, there is the file or no trace of it.
    async fn receive_file(
        &mut self,
        incoming: Incoming,
        size: u64,
    ) -> Result<Result<Receipt, Unmoved>, Broken> {
        let mut file = WriteBehind::new(incoming);
        let mut ending = self.door.ending.clone();
        let received = tokio::select! {
            received = self.receive_blocks(&mut file, size, None) => received,
            () = ending.breaks_off() => Ok(Err(Unmoved::by_the_end())),
        };
        let fallen = match received {
            Ok(Ok(End { size, root, modified, mode })) => match Digest::new(self.wire.algorithm(), &root) {
                Some(root) => {
                    let commit = file.commit(Proof::Root { size, root }, words::attributes(modified, mode));
                    return Ok(self
                        .wire
                        .busy_while(commit)
                        .await?
                        .map_err(|error| Unmoved::new(error, true)));
                }
                None => Err(Broken::Malformed(Fault::Body)),
            },
            Ok(Err(unmoved)) => Ok(Err(unmoved)),
            Err(broken) => Err(broken),
        };
        file.discard().await;
        fallen
    }

    /// Receives blocks, up to the frame that ends them.
    pub(super) async fn receive_blocks<W: Work>(
        &mut self,
        file: &mut WriteBehind<W>,
        size: u64,
        upload: Option<&Upload>,
    ) -> Result<Result<End, Unmoved>, Broken> {
        let mut spare = Blocks::default();
        loop {
            match self.wire.arrive(spare, size - self.moved).await? {
                Arrived::Blocks(blocks) => {
                    self.moved += blocks.data_len() as u64;
                    upload.inspect(|upload| upload.moves());
                    match file.write(blocks).await {
                        Ok(next) => spare = next,
                        Err(error) => return Ok(Err(Unmoved::new(error, false))),
                    }
                }
                Arrived::End(end) => return Ok(Ok(end)),
                Arrived::Abort(abort) => return Ok(Err(Unmoved::by_client(abort.failure))),
            }
        }
    }
}

/// Why a file did not get through.
pub(super) struct Unmoved {
    pub(super) failure: Failure,
    /// For the log.
    pub(super) detail: String,
    /// Whether its last frame came already.
    pub(super) over: bool,
}

impl Unmoved {
    pub(super) fn new(error: store::Error, over: bool) -> Unmoved {
        Unmoved::refused(&Refusal::from(error), over)
    }

    pub(super) fn refused(refusal: &Refusal, over: bool) -> Unmoved {
        Unmoved { failure: words::failure(refusal), detail: refusal.detail(), over }
    }

    pub(super) fn by_the_end() -> Unmoved {
        Unmoved::refused(&Refusal::Ending, true)
    }

    pub(super) fn by_client(why: Failure) -> Unmoved {
        let detail = format!("broken off by the client: {}", why.message);
        Unmoved { failure: words::broken_off(), detail, over: true }
    }
}
