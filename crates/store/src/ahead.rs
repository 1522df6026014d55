//! Reading ahead: while the caller sends blocks, the next ones are read and hashed on a thread that may block.

use std::io;

use digest::{Blocks, Gap};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::error::{Error, Kind};
use crate::outgoing::Outgoing;

/// An [`Outgoing`] read from an async task, one read ahead, with two buffers that take turns. Dropped, it stops after the
/// read under way.
#[derive(Debug)]
pub struct ReadAhead {
    gap: Gap,
    /// Here between two reads.
    idle: Option<Outgoing>,
    reading: Option<JoinHandle<Result<(Outgoing, Blocks), Error>>>,
    /// Read before this began.
    first: Option<Blocks>,
}

impl ReadAhead {
    /// Reads `outgoing` to its end, with `gap` around each block.
    pub fn new(outgoing: Outgoing, gap: Gap) -> ReadAhead {
        ReadAhead { gap, idle: Some(outgoing), reading: None, first: None }
    }

    /// The same where `first` was read from `outgoing` already: on the blocking thread that opened it, so that a file of one
    /// read needs no further one.
    pub fn begun(outgoing: Outgoing, gap: Gap, first: Blocks) -> ReadAhead {
        ReadAhead { first: Some(first), ..ReadAhead::new(outgoing, gap) }
    }

    /// The next blocks, hashed; `None` at the end. Their successors are being read by then, into `spare`. Dropped while it
    /// waits, it loses nothing but the spare.
    ///
    /// # Errors
    /// As [`Outgoing::read`]; after an error, errors.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn next(&mut self, spare: Blocks) -> Result<Option<Blocks>, Error> {
        let mut spare = Some(spare);
        let blocks = match self.first.take() {
            Some(first) if !first.is_empty() => first,
            _ => {
                if self.reading.is_none() {
                    self.start(&mut spare);
                }
                let Some(reading) = &mut self.reading else {
                    return self.idle.as_ref().map(|_| None).ok_or(FAILED);
                };
                let read = reading.await;
                self.reading = None;
                let (outgoing, blocks) = read.map_err(io::Error::from)??;
                self.idle = Some(outgoing);
                blocks
            }
        };
        self.start(&mut spare);
        Ok(Some(blocks))
    }

    /// The file, once [`next`](ReadAhead::next) told its end.
    ///
    /// # Panics
    /// If it did not, or failed.
    pub fn finish(self) -> Outgoing {
        self.idle.expect("the file was read to its end")
    }

    /// Starts the next read, if there is something left to read.
    fn start(&mut self, spare: &mut Option<Blocks>) {
        let Some(mut outgoing) = self.idle.take_if(|outgoing| outgoing.remaining() > 0) else { return };
        let (gap, mut blocks) = (self.gap, spare.take().unwrap_or_default());
        self.reading = Some(spawn_blocking(move || {
            outgoing.read(&mut blocks, gap)?;
            Ok((outgoing, blocks))
        }));
    }
}

const FAILED: Error = Error::new(Kind::Io, "an earlier part of the file could not be read", "Try again.");
