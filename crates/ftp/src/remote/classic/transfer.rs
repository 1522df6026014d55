//! Files coming and going, on data connections to the host of the control connection and under its key.

use std::io::{self, Write};
use std::path::Path;

use digest::{BATCH, BLOCK, Blocks, Digest, Gap, PlainMd5};
use store::{Attributes, Outgoing, Proof, ReadAhead, Time, WriteBehind};
use suppaftp::tokio::TransferStream;
use suppaftp::{FtpError, Mode, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::look::Needed;
use super::stream::Tls;
use super::{Classic, Trouble, listing, steadily, words};
use crate::failure::{Code, Failure};
use crate::progress::Progress;
use crate::remote::disk::on_disk;
use crate::remote::{Into, Receipt, Verified};

/// A data connection and the answer that comes at its end.
pub(super) type Stream = TransferStream<Tls>;

/// What is said when data is about to come or go.
const OPENING: [Status; 2] = [Status::AboutToSend, Status::AlreadyOpen];

/// Bytes that are offered to the system at once.
const CHUNK: usize = 256 * 1024;

/// What a data connection is for.
pub(super) enum Way<'a> {
    /// A command whose answer comes on it.
    Down(String),
    /// A file to this path.
    Up(&'a str),
}

/// Where received bytes go.
pub(super) enum Sink {
    File(Box<WriteBehind>),
    Output,
    Nowhere,
}

/// A file that came to its end.
pub(super) struct Received {
    sink: Sink,
    pub(super) size: u64,
    pub(super) md5: Digest,
    modified: Option<Time>,
}

impl Classic {
    /// Fetches a file.
    pub(in crate::remote) async fn get(
        &mut self,
        path: &str,
        into: Into<'_>,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        let began = Instant::now();
        self.ready().await?;
        self.check(path)?;
        let size = self.size(path).await?;
        let sink = match into {
            Into::File(place) => {
                Sink::File(Box::new(self.disk.receive(place, size, self.settings.digest).await?))
            }
            Into::Output => Sink::Output,
        };
        progress.begin(path, size.unwrap_or_default());
        let received = self.receive_sized(path, sink, size, progress).await;
        progress.end();
        let Received { sink, size, md5, modified } = received?;
        let verified = match self.digest(path).await? {
            Some(theirs) if theirs == md5 => Verified::File(md5),
            Some(_) => {
                return Err(Failure::new(Code::NotVerified, "what arrived is not what the server has")
                    .with_remedy("Nothing was kept. Try again."));
            }
            None => Verified::No,
        };
        if let Sink::File(file) = sink {
            file.commit(Proof::CleanEnd, Attributes { modified, mode: None }).await?;
        }
        Ok(Receipt { size, verified, elapsed: began.elapsed() })
    }

    /// Receives a file to its end.
    pub(super) async fn receive(
        &mut self,
        path: &str,
        sink: Sink,
        progress: &Progress,
    ) -> Result<Received, Failure> {
        let size = self.size(path).await?;
        self.receive_sized(path, sink, size, progress).await
    }

    async fn receive_sized(
        &mut self,
        path: &str,
        mut sink: Sink,
        told: Option<u64>,
        progress: &Progress,
    ) -> Result<Received, Failure> {
        let mut stream = match self.open(Way::Down(format!("RETR {path}"))).await {
            Ok(stream) => stream,
            Err(Trouble::Failed(failure)) => return Err(failure),
            Err(Trouble::Refused(answer)) => return Err(self.explain(&answer, path, Needed::File).await),
        };
        let (mut md5, mut size, mut spare) = (PlainMd5::new(), 0, Blocks::default());
        let mut end = End::Due;
        while end == End::Due {
            (spare, end) = self.fill(&mut stream, spare, progress).await?;
            size += spare.data_len() as u64;
            if told.is_some_and(|told| size > told) {
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
        let modified = self.modified(path).await?;
        Ok(Received { sink, size, md5: md5.finish(), modified })
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

    /// Brings a file.
    pub(in crate::remote) async fn put(
        &mut self,
        local: &Path,
        path: &str,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        let began = Instant::now();
        self.ready().await?;
        self.check(path)?;
        let (source, algorithm) = (local.to_owned(), self.settings.digest);
        let file =
            on_disk(move || Ok(ReadAhead::begin(Outgoing::local(&source, algorithm)?, Gap::default())?));
        let file = file.await?;
        let (size, modified) = (file.size(), file.attributes().modified);
        let stream = match self.open(Way::Up(path)).await {
            Ok(stream) => stream,
            Err(Trouble::Failed(failure)) => return Err(failure),
            Err(Trouble::Refused(answer)) => {
                return Err(self.explain(&answer, path, Needed::PlaceForFile).await);
            }
        };
        progress.begin(path, size);
        let sent = self.send(stream, file, progress).await;
        progress.end();
        let md5 = match sent {
            Ok(md5) => md5,
            Err(Trouble::Failed(failure)) => return Err(failure),
            Err(Trouble::Refused(answer)) => {
                let code = words::meaning(&answer, path).unwrap_or(Code::Other);
                return Err(words::refused(&answer, code));
            }
        };
        let verified = match self.digest(path).await? {
            Some(theirs) if theirs == md5 => Verified::File(md5),
            Some(_) => return Err(stored_otherwise()),
            None if self.size(path).await?.is_some_and(|stored| stored != size) => {
                return Err(stored_otherwise());
            }
            None => Verified::No,
        };
        if let Some(time) = modified.and_then(listing::time_text).filter(|_| self.offers.set_times) {
            let _kept_or_not = self.ask(&format!("MFMT {time} {path}")).await?;
        }
        Ok(Receipt { size, verified, elapsed: began.elapsed() })
    }

    /// Sends a file to its end.
    async fn send(
        &mut self,
        mut stream: Stream,
        mut file: ReadAhead,
        progress: &Progress,
    ) -> Result<Digest, Trouble> {
        let (mut md5, mut spare) = (PlainMd5::new(), Blocks::default());
        let hashed = self.offers.digester.is_some();
        while let Some(blocks) = file.next(spare).await.map_err(broken_off)? {
            for chunk in blocks.buffer().chunks(CHUNK) {
                if hashed {
                    md5.update(chunk);
                }
                let mut left = chunk;
                while !left.is_empty() {
                    match steadily(&mut self.busy, self.settings.timeout, stream.write(left)).await {
                        Ok(Ok(wrote)) if wrote > 0 => {
                            left = &left[wrote..];
                            progress.advance(wrote as u64);
                        }
                        Err(_) => return Err(self.silent().into()),
                        // The server takes no more, and mostly says why.
                        Ok(_) => {
                            self.finish(stream).await?;
                            return Err(words::lost(&self.host, "the server took only a part").into());
                        }
                    }
                }
            }
            spare = blocks;
        }
        self.finish(stream).await?;
        Ok(md5.finish())
    }

    /// Opens a data connection: by EPSV, or by PASV where the server does not know that. Either leads to the host of the control
    /// connection, whatever address the server names.
    pub(super) async fn open(&mut self, way: Way<'_>) -> Result<Stream, Trouble> {
        match &way {
            Way::Down(command) => self.check(command)?,
            Way::Up(path) => self.check(path)?,
        }
        loop {
            let patience = self.settings.timeout;
            let opened = match &way {
                Way::Down(command) => {
                    let opened = self.ftp.custom_data_command(command, &OPENING);
                    steadily(&mut self.busy, patience, opened)
                        .await
                        .map(|done| done.map(|(_, stream)| stream))
                }
                Way::Up(path) => steadily(&mut self.busy, patience, self.ftp.put_with_stream(path)).await,
            };
            match self.told(opened) {
                Err(Trouble::Refused(answer)) if !self.settled && answer.is_unknown() => {
                    self.settled = true;
                    self.ftp.set_mode(Mode::Passive);
                }
                opened => {
                    self.settled |= opened.is_ok();
                    return opened;
                }
            }
        }
    }

    /// Ends a data connection, and hears what the server says of it.
    pub(super) async fn finish(&mut self, stream: Stream) -> Result<(), Trouble> {
        let finished = steadily(&mut self.busy, self.settings.timeout, stream.finish()).await;
        self.told(finished)
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

/// A failure of this computer's disk in the middle of a file: classic FTP has no way to take back what was sent.
fn broken_off(error: store::Error) -> Failure {
    let failure = Failure::from(error);
    Failure { message: format!("{}; the server has a part of it now", failure.message), ..failure }
}

fn stored_otherwise() -> Failure {
    Failure::new(Code::NotVerified, "the server stored something else").with_remedy("Put the file again.")
}
