//! Files going: the server says that it has all, and what it says of size and digest must fit.

use std::path::Path;

use digest::{Blocks, Digest, Gap, PlainMd5};
use store::{EntryKind, Outgoing, ReadAhead};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use super::get::Before;
use super::{CHUNK, Classic, Stream, Trouble, Way, steadily};
use crate::failure::{Code, Failure};
use crate::progress::Progress;
use crate::remote::classic::look::Needed;
use crate::remote::classic::words;
use crate::remote::disk::on_disk;
use crate::remote::{Receipt, Verified};

impl Classic {
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
        let stream = match self.open(Way::Up(path)).await {
            Ok(stream) => stream,
            Err(Trouble::Failed(failure)) => return Err(failure),
            Err(Trouble::Refused(answer)) => {
                return Err(self.explain(&answer, path, Needed::PlaceForFile).await);
            }
        };
        self.bring(path, file, stream, Before::default(), began, progress).await
    }

    /// Sends a file, or what is missing there, and compares the whole.
    pub(super) async fn bring(
        &mut self,
        path: &str,
        file: ReadAhead,
        stream: Stream,
        before: Before,
        began: Instant,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        let (size, attributes) = (file.size(), file.attributes());
        let there = before.bytes;
        progress.begin(path, size);
        progress.there(there);
        let sent = self.send(stream, file, before.md5, progress).await;
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
        self.keep(path, EntryKind::File, attributes).await?;
        Ok(Receipt { size, moved: size.saturating_sub(there), verified, elapsed: began.elapsed() })
    }

    /// Sends a file to its end.
    async fn send(
        &mut self,
        mut stream: Stream,
        mut file: ReadAhead,
        mut md5: PlainMd5,
        progress: &Progress,
    ) -> Result<Digest, Trouble> {
        let mut spare = Blocks::default();
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
}

/// A failure of this computer's disk in the middle of a file: classic FTP has no way to take back what was sent.
fn broken_off(error: store::Error) -> Failure {
    let failure = Failure::from(error);
    Failure { message: format!("{}; the server has a part of it now", failure.message), ..failure }
}

fn stored_otherwise() -> Failure {
    Failure::new(Code::NotVerified, "the server stored something else").with_remedy("Put the file again.")
}
