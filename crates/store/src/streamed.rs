//! A file that comes in as a stream of bytes: nobody announces its length, and its end is where the stream ends.

use std::fs::File;

use digest::{Algorithm, BATCH, BLOCK, Blocks, Gap};

use crate::behind::WriteBehind;
use crate::entry::Attributes;
use crate::error::{Error, Kind};
use crate::home::STOPPED;
use crate::incoming::{Incoming, Proof, Receipt};
use crate::source::Source;

/// What is kept of the file that has the name, in front of what comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: another file takes its place.
    Nothing,
    /// Its first bytes, of which it must have so many.
    First(u64),
    /// All of it, if it is there.
    All,
}

/// Bytes on their way into an [`Incoming`], written behind in blocks. Dropped, it leaves no trace.
#[derive(Debug)]
pub struct Streamed {
    file: WriteBehind,
    blocks: Blocks,
    filled: usize,
    /// Blocks in the next buffer: a short file needs no large one.
    next: usize,
}

impl Streamed {
    /// Begins with what is kept of `old`. Blocks.
    pub(crate) fn begin(
        mut incoming: Incoming,
        old: Option<&mut Source>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Streamed, Error> {
        let (mut blocks, mut filled) = (Blocks::default(), 0);
        if let Some(old) = old {
            while old.remaining() > 0 {
                if !go_on() {
                    return Err(STOPPED);
                }
                let data =
                    usize::try_from(old.remaining()).map_or(BATCH * BLOCK, |left| left.min(BATCH * BLOCK));
                blocks.lay_out(data, Gap::default());
                old.fill(blocks.slices_mut())?;
                if data.is_multiple_of(BLOCK) {
                    incoming.write(&blocks)?;
                    continue;
                }
                // The last block is to be gone on with.
                let last = data % BLOCK;
                let tail = blocks.buffer()[data - last..].to_vec();
                incoming.write(&whole(blocks, data - last))?;
                blocks = Blocks::default();
                blocks.lay_out(BLOCK, Gap::default());
                blocks.buffer_mut()[..last].copy_from_slice(&tail);
                filled = last;
            }
        }
        if filled == 0 {
            blocks.lay_out(BLOCK, Gap::default());
        }
        Ok(Streamed { file: WriteBehind::new(incoming), blocks, filled, next: 4 })
    }

    /// Where the next bytes go; never empty.
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.blocks.buffer_mut()[self.filled..]
    }

    /// Takes note that the first `count` bytes of [`room`](Streamed::room) have come. Not to be dropped while it waits, unless
    /// the file is dropped too.
    ///
    /// # Errors
    /// As [`Incoming::write`], of these bytes or those before. After an error nothing can be written or committed.
    ///
    /// # Panics
    /// If there is no room for so many; outside of a tokio runtime.
    pub async fn came(&mut self, count: usize) -> Result<(), Error> {
        assert!(count <= self.blocks.buffer().len() - self.filled, "no more than there was room for");
        self.filled += count;
        if self.filled == self.blocks.buffer().len() {
            let full = std::mem::take(&mut self.blocks);
            self.blocks = self.file.write(full).await?;
            self.blocks.lay_out(self.next * BLOCK, Gap::default());
            self.next = (self.next * 4).min(BATCH);
            self.filled = 0;
        }
        Ok(())
    }

    /// Takes bytes that lie elsewhere.
    ///
    /// # Errors
    /// As [`came`](Streamed::came).
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn push(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let room = self.room();
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            self.came(count).await?;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// Writes what is left, and publishes the file: the stream came to a clean end.
    ///
    /// # Errors
    /// As [`Incoming::write`] and [`Incoming::commit`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn commit(mut self, attributes: Attributes) -> Result<Receipt, Error> {
        if self.filled > 0 {
            drop(self.file.write(whole(self.blocks, self.filled)).await?);
        }
        self.file.commit(Proof::CleanEnd, attributes).await
    }

    /// Gives the file up: when this returns, its stage is gone.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn discard(self) {
        self.file.discard().await;
    }
}

/// The first `data` bytes of `blocks`, which lie without gaps.
fn whole(mut blocks: Blocks, data: usize) -> Blocks {
    blocks.lay_out(data, Gap::default()); // keeps the bytes: the buffer is only cut
    blocks
}

impl Keep {
    /// What is kept of the file that `open` opens, if there is one.
    pub(crate) fn of(self, open: impl FnOnce() -> Result<File, Error>) -> Result<Option<Source>, Error> {
        let old = || match open() {
            Ok(file) => Source::new(file, 0).map(Some),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        match self {
            Keep::Nothing | Keep::First(0) => Ok(None),
            Keep::All => old(),
            Keep::First(count) => match old()? {
                Some(old) if old.size() >= count => Ok(Some(old.up_to(count))),
                _ => Err(Kind::BeyondTheEnd.into()),
            },
        }
    }
}

/// The digest by which the blocks of a stream are known; nobody is told.
pub(crate) const ALGORITHM: Algorithm = Algorithm::Md5;
