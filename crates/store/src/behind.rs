//! Writing behind: while the caller receives blocks, those before are verified and written on a thread that may block.

use std::io;

use digest::Blocks;
use tokio::task::spawn_blocking;

use crate::entry::Attributes;
use crate::error::Error;
use crate::incoming::{Incoming, Proof, Receipt};
use crate::parts::Bringing;
use crate::round::{DEPTH, Round, Work};

/// An [`Incoming`], or parts of one, written from an async task, some buffers behind, which take turns.
///
/// The blocks that complete the announced size wait for [`commit`](WriteBehind::commit), which writes and publishes in one
/// go, so that a file of one write crosses to a blocking thread once. Dropped at any time, it leaves no stage behind.
#[derive(Debug)]
pub struct WriteBehind<W: Work = Incoming> {
    round: Round<W>,
    /// Bytes of the announced size that did not come yet.
    left: u64,
    /// The blocks that complete it.
    last: Option<Blocks>,
}

impl Work for Incoming {
    fn work(&mut self, blocks: &mut Blocks) -> Result<(), Error> {
        self.write(blocks)
    }
}

impl Work for Bringing {
    fn work(&mut self, blocks: &mut Blocks) -> Result<(), Error> {
        self.write(blocks)
    }
}

impl WriteBehind<Bringing> {
    /// Writes the parts that `bringing` brings.
    pub fn of_parts(bringing: Bringing) -> WriteBehind<Bringing> {
        WriteBehind { left: bringing.remaining(), round: Round::new(bringing), last: None }
    }
}

impl WriteBehind {
    /// Writes to `incoming`, from where it is.
    pub fn new(incoming: Incoming) -> WriteBehind {
        WriteBehind { left: incoming.remaining(), round: Round::new(incoming), last: None }
    }

    /// Appends blocks on this thread, which may block, once those before are written.
    ///
    /// # Errors
    /// As [`write`](WriteBehind::write).
    pub(crate) fn write_here(&mut self, blocks: &Blocks) -> Result<(), Error> {
        self.left = self.left.saturating_sub(blocks.data_len() as u64);
        self.round.here(|incoming| incoming.write(blocks))
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

    /// Writes what is left, as far as it can be, and lets the file go: one that keeps what came has all of it then.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn leave(mut self) {
        let last = self.last.take();
        if let Ok(mut incoming) = self.round.finish().await {
            // Neither has anybody to be told of a failure.
            let _ = spawn_blocking(move || {
                let _ = incoming.write(&last.unwrap_or_default());
                drop(incoming);
            })
            .await;
        }
    }
}

impl<W: Work> WriteBehind<W> {
    /// Appends blocks, and returns a buffer for later ones. Dropped while it waits, it loses nothing.
    ///
    /// # Errors
    /// As [`Incoming::write`], of these blocks or those before. After an error nothing can be written or committed.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn write(&mut self, blocks: Blocks) -> Result<Blocks, Error> {
        let bytes = blocks.data_len() as u64;
        if self.left == bytes && self.last.is_none() {
            self.left = 0;
            self.last = Some(blocks);
            // Nothing more may come that would bring a failure of those before to light.
            let mut spare = Blocks::default();
            while self.round.away() > 0 {
                spare = self.round.take().await?;
            }
            return Ok(spare);
        }
        // More than was announced is the thread's to refuse, and so are blocks that come after the last.
        self.last.take().into_iter().for_each(|last| self.round.give(last));
        self.left = self.left.saturating_sub(bytes);
        self.round.give(blocks);
        match self.round.take_done()? {
            Some(spare) => Ok(spare),
            None if self.round.away() > DEPTH => self.round.take().await,
            None => Ok(Blocks::default()),
        }
    }

    /// Writes what is left, and returns the file.
    ///
    /// # Errors
    /// As [`Incoming::write`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn finish(self) -> Result<W, Error> {
        self.complete(Ok).await
    }

    /// Gives the file up: when this returns, its stage is gone.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn discard(self) {
        self.round.discard().await;
    }

    async fn complete<T: Send + 'static>(
        mut self,
        end: impl FnOnce(W) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let mut file = self.round.finish().await?;
        let last = self.last.take();
        let done = spawn_blocking(move || {
            file.work(&mut last.unwrap_or_default())?;
            end(file)
        });
        done.await.map_err(io::Error::from)?
    }
}
