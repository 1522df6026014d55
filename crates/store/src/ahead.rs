//! Reading ahead: while the caller sends blocks, the next ones are read and hashed on a thread that may block.

use digest::{BATCH, BLOCK, Blocks, Gap};

use crate::entry::Attributes;
use crate::error::Error;
use crate::outgoing::Outgoing;
use crate::round::{DEPTH, Round, Work};
use crate::version::Version;

/// An [`Outgoing`] read from an async task, some buffers ahead, which take turns. Dropped, it stops after the read under way.
#[derive(Debug)]
pub struct ReadAhead {
    round: Round<Reader>,
    size: u64,
    version: Version,
    attributes: Attributes,
    /// Bytes that no buffer was given for yet.
    left: u64,
    /// What was read at once.
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
    /// Begins to read `outgoing`, with `gap` around each block. The first blocks are read here, on the thread that opened the
    /// file and may block, so that a small file needs no other.
    ///
    /// # Errors
    /// As [`Outgoing::read`].
    pub fn begin(mut outgoing: Outgoing, gap: Gap) -> Result<ReadAhead, Error> {
        let mut first = Blocks::default();
        outgoing.read(&mut first, gap)?;
        Ok(ReadAhead {
            size: outgoing.size(),
            version: outgoing.version(),
            attributes: outgoing.attributes(),
            left: outgoing.remaining(),
            first: Some(first),
            round: Round::new(Reader { outgoing, gap }),
        })
    }

    /// As [`Outgoing::size`].
    pub fn size(&self) -> u64 {
        self.size
    }

    /// As [`Outgoing::version`].
    pub fn version(&self) -> Version {
        self.version
    }

    /// As [`Outgoing::attributes`].
    pub fn attributes(&self) -> Attributes {
        self.attributes
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
