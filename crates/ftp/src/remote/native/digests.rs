//! The digests of a remote file's blocks, fetched piece by piece so that little memory holds them.

use digest::{BLOCK, Digest, Root};
use proto::io::Broken;
use proto::{Abort, Command, Failure as Refused, Fault, Kind, Message, Part, Reply};
use store::Attributes;

use super::parts::Remote;
use super::{Native, words};
use crate::failure::Failure;

/// Blocks whose digests are asked for at once: those of 1 GiB.
const PIECE: u64 = (1 << 30) / BLOCK as u64;

/// What came of a command among many: that the session goes on, and what was wrong with what it was for.
type Whole<T> = Result<Result<T, Failure>, Failure>;

/// The digests of a file's blocks, on their way piece by piece.
#[derive(Debug)]
pub(in crate::remote) struct RemoteDigests {
    pub(in crate::remote) file: Remote,
    /// The file's time and mode, once the first piece has come.
    pub(in crate::remote) attributes: Attributes,
    /// The block at which the piece that comes ends.
    end: u64,
    /// Blocks of it whose digests did not come yet.
    due: u64,
    /// Of those that came.
    root: Root,
    /// The piece behind it was asked for.
    ahead: bool,
}

impl Native {
    /// Begins to fetch the digests of a file's blocks, after [`begin_many`](Native::begin_many).
    pub(in crate::remote) async fn begin_digests(&mut self, path: &[u8]) -> Whole<RemoteDigests> {
        let part = Part { first_block: 0, blocks: PIECE };
        self.ask(&Command::Digests { path: path.to_vec(), part, version: None });
        self.flush_many().await?;
        match self.answer().await? {
            Message::Reply(Reply::Reading { size, version }) => {
                let file = Remote { path: path.to_vec(), size, version };
                let root = Root::new(self.settings.digest);
                let attributes = Attributes::default();
                let mut coming = RemoteDigests { file, attributes, end: 0, due: 0, root, ahead: false };
                self.next_piece(&mut coming);
                Ok(Ok(coming))
            }
            Message::Reply(Reply::Refused(refused)) => self.refused_many(refused).map(Err),
            _ => self.out_of_turn(),
        }
    }

    /// The piece behind the one that has come begins; the next is asked for before it comes.
    fn next_piece(&mut self, coming: &mut RemoteDigests) {
        let blocks = coming.file.size.div_ceil(BLOCK as u64);
        coming.due = (blocks - coming.end).min(PIECE);
        coming.end += coming.due;
        coming.root = Root::new(self.settings.digest);
        coming.ahead = coming.end < blocks;
        if coming.ahead {
            let part = Part { first_block: coming.end, blocks: PIECE };
            let Remote { path, version, .. } = coming.file.clone();
            self.ask(&Command::Digests { path, part, version: Some(version) });
        }
    }

    /// The next digests, end to end; `None` when all have come.
    pub(in crate::remote) async fn next_digests(
        &mut self,
        coming: &mut RemoteDigests,
    ) -> Whole<Option<Vec<u8>>> {
        loop {
            self.flush_many().await?;
            match self.answer().await? {
                Message::Digests(digests) => {
                    let algorithm = self.settings.digest;
                    let count = (digests.len() / algorithm.len()) as u64;
                    let Some(due) = coming.due.checked_sub(count) else {
                        return Err(self.broken(Broken::Malformed(Fault::MoreThanAnnounced)));
                    };
                    coming.due = due;
                    for digest in digests.chunks_exact(algorithm.len()) {
                        coming.root.push(&Digest::new(algorithm, digest).expect("as long as one is"));
                    }
                    return Ok(Ok(Some(digests)));
                }
                Message::End(_) if coming.due > 0 => {
                    return Err(self.broken(Broken::Malformed(Fault::FewerThanAnnounced)));
                }
                Message::End(end) => {
                    if end.size != coming.file.size || end.root != coming.root.value().as_bytes() {
                        return Err(self.broken(Broken::Malformed(Fault::Body)));
                    }
                    coming.attributes = words::attributes(&end);
                    if !coming.ahead {
                        return Ok(Ok(None));
                    }
                    match self.answer().await? {
                        Message::Reply(Reply::Reading { size, version })
                            if (size, version) == (coming.file.size, coming.file.version) =>
                        {
                            self.next_piece(coming);
                        }
                        Message::Reply(Reply::Refused(refused)) => {
                            return self.refused_many(refused).map(Err);
                        }
                        _ => return self.out_of_turn(),
                    }
                }
                Message::Abort(abort) => {
                    let failure = self.refused_many(abort.failure)?;
                    self.stop_next_piece(coming).await?;
                    return Ok(Err(failure));
                }
                _ => return self.out_of_turn(),
            }
        }
    }

    /// Ends to fetch digests before all have come.
    pub(in crate::remote) async fn stop_digests(&mut self, coming: &RemoteDigests) -> Result<(), Failure> {
        let now = self.sent - 1 - u64::from(coming.ahead);
        self.pass_over_digests(now, coming.due).await?;
        self.stop_next_piece(coming).await
    }

    async fn stop_next_piece(&mut self, coming: &RemoteDigests) -> Result<(), Failure> {
        if coming.ahead { self.pass_over_digests(self.sent - 1, PIECE).await } else { Ok(()) }
    }

    /// Breaks off a command that asked for digests, and passes over what still comes of it: no more than `left`.
    async fn pass_over_digests(&mut self, command: u64, mut left: u64) -> Result<(), Failure> {
        let failure = Refused::new(Kind::Aborted, "the client broke it off");
        self.wire.queue(&Message::Abort(Abort { command, failure }));
        self.flush_many().await?;
        loop {
            match self.answer().await? {
                Message::Reply(Reply::Reading { .. }) => {}
                Message::Digests(digests) => {
                    let count = (digests.len() / self.settings.digest.len()) as u64;
                    let rest = left.checked_sub(count);
                    left = rest.ok_or_else(|| self.broken(Broken::Malformed(Fault::MoreThanAnnounced)))?;
                }
                Message::Reply(Reply::Refused(_)) | Message::End(_) | Message::Abort(_) => return Ok(()),
                _ => return self.out_of_turn(),
            }
        }
    }
}
