//! Files coming and going.

use std::path::Path;

use digest::{BLOCK, Blocks, Digest};
use proto::io::Arrived;
use proto::{Command, End, Failure as Refused, Kind, Message, Reply, gap};
use store::{Outgoing, Proof, ReadAhead, WriteBehind};
use tokio::time::Instant;

use super::{Native, Owed, words};
use crate::failure::{Code, Failure};
use crate::progress::Progress;
use crate::remote::disk::{on_disk, receive_beneath};
use crate::remote::{Into, Receipt, Verified};

mod output;

use output::Output;

/// Where received blocks go.
enum Sink {
    File(Box<WriteBehind>),
    Output(Output),
}

impl Native {
    /// Fetches a file.
    pub(in crate::remote) async fn get(
        &mut self,
        path: &str,
        into: Into<'_>,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        let began = Instant::now();
        let Reply::Sending { size } =
            self.request(Command::Get { path: path.into(), first_block: 0 }).await?
        else {
            return Err(self.unexpected());
        };
        progress.begin(path, size);
        let received = match self.sink(into, size).await {
            Ok(sink) => self.receive(sink, size, progress).await,
            Err(failure) => Err(failure),
        };
        progress.end();
        match received {
            Ok(root) => Ok(receipt(size, root, began)),
            Err(failure) => {
                // Should that fail, too, the connection is lost and the next command says so; this failure came first.
                let _lost = self.recover().await;
                Err(failure)
            }
        }
    }

    async fn sink(&mut self, into: Into<'_>, size: u64) -> Result<Sink, Failure> {
        let algorithm = self.settings.digest;
        match into {
            Into::Output => Ok(Sink::Output(Output::new(algorithm))),
            Into::Beneath(home, path) => {
                Ok(Sink::File(Box::new(receive_beneath(home, path, Some(size), algorithm)?)))
            }
            Into::File(path) => {
                Ok(Sink::File(Box::new(self.disk.receive(path, Some(size), algorithm).await?)))
            }
        }
    }

    /// Receives a file to its end, and publishes it when its root is right.
    async fn receive(&mut self, mut sink: Sink, size: u64, progress: &Progress) -> Result<Digest, Failure> {
        let mut spare = Blocks::default();
        let mut left = size;
        loop {
            let arrived = self.wire.arrive(spare, left).await;
            match self.told(arrived)? {
                Arrived::Blocks(blocks) => {
                    let bytes = blocks.data_len() as u64;
                    left -= bytes;
                    self.owed = Owed::File(left);
                    spare = match &mut sink {
                        Sink::File(file) => file.write(blocks).await?,
                        Sink::Output(output) => output.write(blocks).await?,
                    };
                    progress.advance(bytes);
                }
                Arrived::End(end) => {
                    self.owed = Owed::Nothing;
                    let Some(root) = Digest::new(self.settings.digest, &end.root) else {
                        return Err(self.unexpected());
                    };
                    let attributes = words::attributes(&end);
                    return match sink {
                        Sink::File(file) => Ok(file
                            .commit(Proof::Root { size: end.size, root }, attributes)
                            .await?
                            .root
                            .expect("of hashed blocks")),
                        Sink::Output(output) => output.finish((end.size == size).then_some(root)),
                    };
                }
                Arrived::Abort(abort) => {
                    self.owed = Owed::Nothing;
                    return Err(self.refused(abort.failure));
                }
            }
        }
    }

    /// Passes over what is left of a file that nobody wants any more.
    pub(super) async fn pass_over(&mut self, left: u64) -> Result<(), Failure> {
        let arrived = self.wire.arrive(Blocks::default(), left).await;
        self.owed = match self.told(arrived)? {
            Arrived::Blocks(blocks) => Owed::File(left - blocks.data_len() as u64),
            Arrived::End(_) | Arrived::Abort(_) => Owed::Nothing,
        };
        Ok(())
    }

    /// Brings a file.
    pub(in crate::remote) async fn put(
        &mut self,
        local: &Path,
        path: &str,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        let began = Instant::now();
        let (source, algorithm) = (local.to_owned(), self.settings.digest);
        let file =
            on_disk(move || Ok(ReadAhead::begin(Outgoing::local(&source, algorithm)?, gap(algorithm))?))
                .await?;
        let asked = Command::Put { path: path.into(), size: file.size() };
        self.bring(asked, file, 0, &mut 0, progress, began).await
    }

    /// Brings a file, or what is behind the first `there` bytes of it, as `asked` says.
    pub(super) async fn bring(
        &mut self,
        asked: Command,
        file: ReadAhead,
        there: u64,
        moved: &mut u64,
        progress: &Progress,
        began: Instant,
    ) -> Result<Receipt, Failure> {
        let (path, size) = (String::from_utf8_lossy(asked.path()).into_owned(), file.size());
        self.queue(asked).await?;
        progress.begin(&path, size);
        progress.there(there);
        let sent = self.send_file(file, moved, progress).await;
        progress.end();
        match sent {
            Ok(root) => match self.reply().await? {
                Reply::Stored { size: stored, root: theirs }
                    if stored == size && theirs == root.as_bytes() =>
                {
                    Ok(receipt(size, root, began))
                }
                Reply::Stored { .. } => {
                    Err(Failure::new(Code::NotVerified, "the server stored something else")
                        .with_remedy("Put the file again."))
                }
                _ => Err(self.unexpected()),
            },
            Err(failure) => {
                // Should that fail, too, the connection is lost and the next command says so; this failure came first.
                let _lost = self.recover().await;
                Err(failure)
            }
        }
    }

    /// Sends blocks and the end, unless the server refuses meanwhile, counting the bytes that went. Returns the root of the whole.
    async fn send_file(
        &mut self,
        mut file: ReadAhead,
        moved: &mut u64,
        progress: &Progress,
    ) -> Result<Digest, Failure> {
        let (size, attributes) = (file.size(), file.attributes());
        let mut spare = Blocks::default();
        while let Some(blocks) = file.next(spare).await? {
            let bytes = blocks.data_len() as u64;
            let sent = self.wire.send_blocks(blocks).await;
            spare = self.told(sent)?;
            progress.advance(bytes);
            *moved += bytes;
            if self.wire.has_message() {
                self.opened().await?;
            }
            if self.wire.has_message() {
                return Err(self.refused_early().await);
            }
        }
        let file = file.finish().await?;
        let (root, whole) = (file.root().expect("opened with a digest"), file.whole().expect("as the other"));
        let end = End {
            size,
            root: root.as_bytes().to_vec(),
            modified: attributes.modified.map(words::to_wire),
            mode: attributes.mode,
        };
        let sent = self.wire.send(&Message::End(end)).await;
        self.told(sent)?;
        Ok(whole)
    }
}

impl Native {
    /// The refusal that came while data was still being sent; the server passes over the rest.
    async fn refused_early(&mut self) -> Failure {
        match self.reply().await {
            Ok(_) => self.unexpected(),
            Err(refusal) if self.lost => refusal,
            Err(refusal) => match self.abort(Refused::new(Kind::Aborted, "refused")).await {
                Ok(()) => refusal,
                Err(broken) => broken,
            },
        }
    }
}

pub(super) fn receipt(size: u64, root: Digest, began: Instant) -> Receipt {
    let verified = Verified::Blocks { root, count: size.div_ceil(BLOCK as u64) };
    Receipt { size, moved: size, verified, elapsed: began.elapsed() }
}
