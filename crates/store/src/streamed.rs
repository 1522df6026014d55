//! A file that comes in as a stream of bytes: nobody announces its length, and its end is where the stream ends.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use digest::{BATCH, BLOCK, Blocks, Gap};
use rustix::io::{Errno, read, retry_on_intr};

use crate::behind::WriteBehind;
use crate::entry::Attributes;
use crate::error::{Error, Kind};
use crate::home::STOPPED;
use crate::incoming::{Incoming, Proof, Receipt};
use crate::patience::Patient;
use crate::source::Source;

/// Blocks that are read from a socket before they are written: they stay in the cache of the core that does both.
const PULLED: usize = 1;

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

/// Bytes on their way into an [`Incoming`], in blocks. Dropped, it leaves no trace.
///
/// They are handed in by [`room`](Streamed::room) and [`came`](Streamed::came) and written behind, or
/// [`pull`](Streamed::pull)ed out of a socket by a thread that also writes them.
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

    /// Takes note that the first `count` bytes of [`room`](Streamed::room) have come, and writes when that is full. Not to be
    /// dropped while it waits, unless the file is dropped too.
    ///
    /// # Errors
    /// As [`Incoming::write`], of these bytes or those before. After an error nothing can be written or committed.
    ///
    /// # Panics
    /// If there is no room for so many; outside of a tokio runtime.
    pub async fn came(&mut self, count: usize) -> Result<(), Error> {
        if self.took(count) {
            let full = std::mem::take(&mut self.blocks);
            self.blocks = self.file.write(full).await?;
            self.blocks.lay_out(self.next * BLOCK, Gap::default());
            self.next = (self.next * 4).min(BATCH);
            self.filled = 0;
        }
        Ok(())
    }

    /// Takes note that the first `count` bytes of [`room`](Streamed::room) have come; whether that is full, and to be written by
    /// [`pull`](Streamed::pull) before anything else.
    ///
    /// # Panics
    /// If there is no room for so many.
    pub fn took(&mut self, count: usize) -> bool {
        assert!(count <= self.blocks.buffer().len() - self.filled, "no more than there was room for");
        self.filled += count;
        self.filled == self.blocks.buffer().len()
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

    /// Reads from a socket that does not block, and writes, until nothing comes for a moment, `most` bytes have come or the stream
    /// is at its end. How many came, 0 at the end; or what is wrong with the socket, which may be no more than that nothing came.
    /// Blocks.
    ///
    /// # Errors
    /// As [`Incoming::write`]. After an error nothing can be written or committed.
    pub fn pull(&mut self, socket: impl AsFd, most: usize) -> Result<io::Result<usize>, Error> {
        let socket = match Patient::new(&socket) {
            Ok(socket) => socket,
            Err(errno) => return Ok(Err(errno.into())),
        };
        let mut came = 0;
        loop {
            if self.filled == self.blocks.buffer().len() {
                self.file.write_here(&self.blocks)?;
                self.blocks.lay_out(PULLED * BLOCK, Gap::default());
                self.filled = 0;
            }
            if came >= most {
                return Ok(Ok(came));
            }
            match retry_on_intr(|| read(&socket, &mut self.blocks.buffer_mut()[self.filled..])) {
                Ok(0) => return Ok(Ok(came)),
                Ok(more) => {
                    came += more;
                    self.filled += more;
                }
                Err(Errno::AGAIN) if came > 0 => return Ok(Ok(came)),
                Err(errno) => return Ok(Err(errno.into())),
            }
        }
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
