//! Writing behind: while the caller receives blocks, those before are verified and written on a thread that may block.

use std::{io, mem};

use digest::Blocks;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::entry::Attributes;
use crate::error::{Error, Kind};
use crate::incoming::{Incoming, Proof, Receipt};

/// An [`Incoming`] written from an async task, one write behind, with two buffers that take turns.
///
/// The blocks that complete the announced size wait for [`commit`](WriteBehind::commit), which writes and publishes in one
/// go, so that a file of one write crosses to a blocking thread once. Dropped at any time, it leaves no stage behind.
#[derive(Debug)]
pub struct WriteBehind {
    state: State,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each transfer, most of the time the largest")]
enum State {
    /// Nothing under way; the blocks that complete the file are held here when they have come.
    Idle(Incoming, Option<Blocks>),
    Writing(Writing),
    Failed,
}

/// A write under way, which ends in the file and the buffer; `None` once it is awaited.
#[derive(Debug)]
struct Writing(Option<JoinHandle<Result<(Incoming, Blocks), Error>>>);

impl WriteBehind {
    /// Writes to `incoming`, from where it is.
    pub fn new(incoming: Incoming) -> WriteBehind {
        WriteBehind { state: State::Idle(incoming, None) }
    }

    /// Appends blocks once those before are written, and returns the buffer of those. Dropped while it waits, it has lost the
    /// blocks, and with them the file.
    ///
    /// # Errors
    /// As [`Incoming::write`], of these blocks or those before. After an error nothing can be written or committed.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn write(&mut self, blocks: Blocks) -> Result<Blocks, Error> {
        let (mut incoming, held, spare) = self.settle().await?;
        if held.is_some() {
            discard(incoming);
            return Err(Kind::NotVerified.into());
        }
        self.state = if incoming.remaining() == blocks.data_len() as u64 {
            State::Idle(incoming, Some(blocks))
        } else {
            State::Writing(Writing::start(move || incoming.write(&blocks).map(|()| (incoming, blocks))))
        };
        Ok(spare)
    }

    /// Writes what is left, and publishes the file.
    ///
    /// # Errors
    /// As [`Incoming::write`] and [`Incoming::commit`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn commit(self, proof: Proof, attributes: Attributes) -> Result<Receipt, Error> {
        self.complete(move |incoming| incoming.commit(proof, attributes)).await
    }

    /// Writes what is left, and returns the file.
    ///
    /// # Errors
    /// As [`Incoming::write`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn finish(self) -> Result<Incoming, Error> {
        self.complete(Ok).await
    }

    /// Gives the file up: when this returns, its stage is gone.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn discard(mut self) {
        if let Ok((incoming, ..)) = self.settle().await {
            // Its drop has nobody to tell of a failure either.
            let _ = spawn_blocking(move || drop(incoming)).await;
        }
    }

    async fn complete<T: Send + 'static>(
        mut self,
        last: impl FnOnce(Incoming) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (mut incoming, held, _) = self.settle().await?;
        let done = spawn_blocking(move || {
            incoming.write(&held.unwrap_or_default())?;
            last(incoming)
        });
        done.await.map_err(io::Error::from)?
    }

    /// Waits for the write under way; returns the file, the blocks that are held, and the buffer of those just written.
    /// Until its caller says otherwise, the file is lost.
    async fn settle(&mut self) -> Result<(Incoming, Option<Blocks>, Blocks), Error> {
        match mem::replace(&mut self.state, State::Failed) {
            State::Idle(incoming, held) => Ok((incoming, held, Blocks::default())),
            State::Writing(mut writing) => {
                let (incoming, spare) = writing.end().await?;
                Ok((incoming, None, spare))
            }
            State::Failed => Err(FAILED),
        }
    }
}

impl Drop for WriteBehind {
    fn drop(&mut self) {
        if let State::Idle(incoming, _) = mem::replace(&mut self.state, State::Failed) {
            discard(incoming);
        }
    }
}

impl Writing {
    fn start(write: impl FnOnce() -> Result<(Incoming, Blocks), Error> + Send + 'static) -> Writing {
        Writing(Some(spawn_blocking(write)))
    }

    async fn end(&mut self) -> Result<(Incoming, Blocks), Error> {
        let Some(thread) = &mut self.0 else { return Err(FAILED) };
        let ended = thread.await;
        self.0 = None;
        ended.map_err(io::Error::from)?
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let (Some(thread), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async {
                if let Ok(Ok((incoming, _))) = thread.await {
                    discard(incoming);
                }
            });
        }
    }
}

/// Removes the stage where blocking is allowed, if there is such a place: to free a large file takes its time.
fn discard(incoming: Incoming) {
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(incoming))),
        Err(_) => drop(incoming),
    }
}

const FAILED: Error =
    Error::new(Kind::Io, "an earlier part of the file could not be written", "Send it again.");
