//! Reading ahead: while the caller sends blocks, the next ones are read and hashed on a thread that may block.

use digest::{BATCH, BLOCK, Blocks, Gap};

use crate::error::Error;
use crate::outgoing::Outgoing;
use crate::round::{DEPTH, Round, Work};

/// An [`Outgoing`] read from an async task, some buffers ahead, which take turns. Dropped, it stops after the read under way.
#[derive(Debug)]
pub struct ReadAhead {
    round: Round<Reader>,
    /// Bytes that no buffer was given for yet.
    left: u64,
    /// Read before this began.
    first: Option<Blocks>,
}

#[derive(Debug)]
struct Reader {
    outgoing: Outgoing,
    gap: Gap,
}

impl Work for Reader {
    fn work(&mut self, blocks: &mut Blocks) -> Result<(), Error> {
        self.outgoing.read(blocks, self.gap).map(drop)
    }
}

impl ReadAhead {
    /// Reads `outgoing` to its end, with `gap` around each block.
    pub fn new(outgoing: Outgoing, gap: Gap) -> ReadAhead {
        ReadAhead { left: outgoing.remaining(), round: Round::new(Reader { outgoing, gap }), first: None }
    }

    /// The same where `first` was read from `outgoing` already: on the blocking thread that opened it, so that a file of one
    /// read needs no further one.
    pub fn begun(outgoing: Outgoing, gap: Gap, first: Blocks) -> ReadAhead {
        ReadAhead { first: Some(first), ..ReadAhead::new(outgoing, gap) }
    }

    /// The next blocks, hashed; `None` at the end. Their successors are being read by then, into `spare` and others. Dropped
    /// while it waits, it loses nothing.
    ///
    /// # Errors
    /// As [`Outgoing::read`]; after an error, errors.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn next(&mut self, spare: Blocks) -> Result<Option<Blocks>, Error> {
        let first = self.first.take_if(|first| !first.is_empty());
        let mut spare = Some(spare);
        let ahead = if first.is_some() { DEPTH } else { DEPTH + 1 };
        while self.left > 0 && self.round.away() < ahead {
            self.round.give(spare.take().unwrap_or_default());
            self.left = self.left.saturating_sub((BATCH * BLOCK) as u64);
        }
        match first {
            Some(first) => Ok(Some(first)),
            None if self.round.away() == 0 => Ok(None),
            None => self.round.take().await.map(Some),
        }
    }

    /// The file, once [`next`](ReadAhead::next) told its end.
    ///
    /// # Errors
    /// If that failed.
    pub async fn finish(mut self) -> Result<Outgoing, Error> {
        Ok(self.round.finish().await?.outgoing)
    }
}
