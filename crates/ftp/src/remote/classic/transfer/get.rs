//! Files coming: to their end, of the size that was told, with the digest that the server has.

use std::io::{self, Write};

use digest::{BATCH, BLOCK, Blocks, Digest, Gap, PlainMd5};
use store::{Attributes, Proof, WriteBehind};
use suppaftp::FtpError;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::{CHUNK, Classic, Stream, Trouble, Way, steadily};
use crate::failure::{Code, Failure};
use crate::progress::Progress;
use crate::remote::classic::listing::Told;
use crate::remote::classic::look::Needed;
use crate::remote::classic::words;
use crate::remote::disk::{on_disk, receive_beneath};
use crate::remote::{Into, Receipt, Verified};

/// Where received bytes go.
pub(in crate::remote::classic) enum Sink {
    File(Box<WriteBehind>),
    Output,
    Nowhere,
}

/// What was here of a file before it came, and then, how far it has come.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) bytes: u64,
    pub(super) md5: PlainMd5,
}

/// A file that came to its end.
pub(in crate::remote::classic) struct Received {
    pub(in crate::remote::classic) size: u64,
    pub(in crate::remote::classic) md5: Digest,
}

impl Classic {
    /// Fetches a file.
    pub(in crate::remote) async fn get(
        &mut self,
        path: &str,
        into: Into<'_>,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        self.get_listed(path, into, None, progress).await
    }

    /// The same, where a listing has told the mode, which counts if the server does not tell it now.
    pub(in crate::remote::classic) async fn get_listed(
        &mut self,
        path: &str,
        into: Into<'_>,
        mode: Option<u32>,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        let began = Instant::now();
        self.ready().await?;
        self.check(path)?;
        let told = self.told_of(path).await?;
        let size = told.size;
        let mut sink = match into {
            Into::File(place) => {
                Sink::File(Box::new(self.disk.receive(place, size, self.settings.digest).await?))
            }
            Into::Beneath(home, place) => {
                Sink::File(Box::new(receive_beneath(home, place, size, self.settings.digest)?))
            }
            Into::Output => Sink::Output,
        };
        let (verified, Received { size, .. }) =
            self.receive_whole(path, &mut sink, &mut Before::default(), size, progress).await?;
        if let Sink::File(file) = sink {
            let told = Told { mode: told.mode.or(mode), ..told };
            let attributes = self.attributes_of(path, told).await?;
            file.commit(Proof::CleanEnd, attributes).await?;
        }
        Ok(Receipt { size, moved: size, verified, elapsed: began.elapsed() })
    }

    /// What a file that has come is to have.
    pub(super) async fn attributes_of(&mut self, path: &str, told: Told) -> Result<Attributes, Failure> {
        let modified = match told.modified {
            None => self.modified(path).await?,
            modified => modified,
        };
        Ok(Attributes { modified, mode: told.mode })
    }

    /// Receives what is not here of a file, and compares the whole.
    pub(super) async fn receive_whole(
        &mut self,
        path: &str,
        sink: &mut Sink,
        before: &mut Before,
        size: Option<u64>,
        progress: &Progress,
    ) -> Result<(Verified, Received), Failure> {
        progress.begin(path, size.unwrap_or_default());
        progress.there(before.bytes);
        let received = self.receive_sized(path, sink, before, size, progress).await;
        progress.end();
        let received = received?;
        match self.digest(path).await? {
            Some(theirs) if theirs == received.md5 => Ok((Verified::File(theirs), received)),
            Some(_) => Err(Failure::new(Code::NotVerified, "what arrived is not what the server has")
                .with_remedy("Nothing was kept. Try again.")),
            None => Ok((Verified::No, received)),
        }
    }

    /// Receives a file to its end.
    pub(in crate::remote::classic) async fn receive(
        &mut self,
        path: &str,
        mut sink: Sink,
        progress: &Progress,
    ) -> Result<Received, Failure> {
        let size = self.size(path).await?;
        self.receive_sized(path, &mut sink, &mut Before::default(), size, progress).await
    }

    async fn receive_sized(
        &mut self,
        path: &str,
        sink: &mut Sink,
        before: &mut Before,
        told: Option<u64>,
        progress: &Progress,
    ) -> Result<Received, Failure> {
        let mut stream = match self.open(Way::From(path, before.bytes)).await {
            Ok(stream) => stream,
            Err(Trouble::Failed(failure)) => return Err(failure),
            Err(Trouble::Refused(answer)) => return Err(self.explain(&answer, path, Needed::File).await),
        };
        let (mut md5, mut spare) = (std::mem::take(&mut before.md5), Blocks::default());
        let size = &mut before.bytes;
        let mut end = End::Due;
        while end == End::Due {
            (spare, end) = self.fill(&mut stream, spare, progress).await?;
            *size += spare.data_len() as u64;
            if told.is_some_and(|told| *size > told) {
                return Err(Failure::new(
                    Code::NotVerified,
                    "more arrives than the server said that there is",
                )
                .with_remedy("Nothing was kept. Try again."));
            }
            spare.slices().for_each(|block| md5.update(block));
            spare = sink.write(spare).await?;
        }
        match self.finish(stream).await {
            Ok(()) => {}
            Err(Trouble::Failed(failure)) => return Err(failure),
            Err(Trouble::Refused(answer)) => {
                let code = words::meaning(&answer, path).unwrap_or(Code::Other);
                return Err(words::refused(&answer, code));
            }
        }
        let size = *size;
        match told {
            Some(told) if told != size => {
                let what = format!("{size} bytes arrived, and the server said that there are {told}");
                return Err(Failure::new(Code::NotVerified, what).with_remedy("Nothing was kept. Try again."));
            }
            None if end == End::Cut => {
                return Err(Failure::new(Code::NotVerified, "the data connection was cut")
                    .with_remedy("Nothing was kept. Try again."));
            }
            _ => {}
        }
        Ok(Received { size, md5: md5.finish() })
    }

    /// Fills blocks with what comes next.
    async fn fill(
        &mut self,
        stream: &mut Stream,
        mut blocks: Blocks,
        progress: &Progress,
    ) -> Result<(Blocks, End), Failure> {
        blocks.lay_out(BATCH * BLOCK, Gap::default());
        let (mut filled, mut end) = (0, End::Due);
        while end == End::Due && filled < BATCH * BLOCK {
            let until = (filled + CHUNK).min(BATCH * BLOCK);
            let into = &mut blocks.buffer_mut()[filled..until];
            match steadily(&mut self.busy, self.settings.timeout, stream.read(into)).await {
                Ok(Ok(0)) => end = End::Clean,
                // TLS without its farewell: whether that is all, its size must tell.
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => end = End::Cut,
                Ok(Ok(read)) => {
                    filled += read;
                    progress.advance(read as u64);
                }
                Ok(Err(error)) => return Err(self.broken(&FtpError::ConnectionError(error))),
                Err(_) => return Err(self.silent()),
            }
        }
        blocks.lay_out(filled, Gap::default());
        Ok((blocks, end))
    }
}

/// How far a data connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// More may come.
    Due,
    /// It ended as it should.
    Clean,
    /// It ended without the farewell of TLS (RFC 8446, section 6.1).
    Cut,
}

impl Sink {
    /// Writes blocks; gives the buffer back.
    async fn write(&mut self, blocks: Blocks) -> Result<Blocks, Failure> {
        match self {
            Sink::File(file) if !blocks.is_empty() => Ok(file.write(blocks).await?),
            Sink::Output => {
                on_disk(move || {
                    let mut out = io::stdout().lock();
                    let wrote = out.write_all(blocks.buffer()).and_then(|()| out.flush());
                    wrote.map(|()| blocks).map_err(|error| Failure::of_output(&error))
                })
                .await
            }
            Sink::File(_) | Sink::Nowhere => Ok(blocks),
        }
    }
}
