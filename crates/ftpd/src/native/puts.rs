//! Puts of small files that came whole: they are stored together, and meanwhile the next ones come.

use digest::Blocks;
use proto::io::Landing;
use proto::{Kind, Message, Reply};
use store::Parcel;
use tokio::time::Instant;

use super::{Connection, Ended, Outcome, words};
use crate::core::{Refusal, Session};

/// Puts that are carried out together at the most: for each, a file is open until all are on disk.
const MANY: usize = 64;

impl Connection {
    /// Answers a put that came whole, and those that follow it.
    pub(super) async fn puts(&mut self, session: &Session, path: Vec<u8>, size: u64) -> Result<(), Ended> {
        let algorithm = self.wire.algorithm();
        let mut landing = self.wire.land(Some((path, size)), MANY, Blocks::default());
        while !landing.files.is_empty() {
            let began = Instant::now();
            let Landing { files, blocks, field } = landing;
            let (paths, parcels): (Vec<_>, Vec<_>) = files
                .into_iter()
                .map(|file| {
                    let attributes = words::attributes(file.end.modified, file.end.mode);
                    let parcel = Parcel {
                        path: file.path.clone(),
                        blocks: file.blocks,
                        size: file.end.size,
                        root: file.root,
                        attributes,
                    };
                    (file.path, parcel)
                })
                .unzip();
            let storing = session.store(parcels, blocks, algorithm); // begins now, while the others are answered
            let answered = match self.wire.flush().await {
                Ok(()) => self.wire.busy_while_landing(field, storing).await,
                Err(broken) => Err(broken),
            };
            let (outcomes, spare) = match answered {
                Ok(stored) => stored,
                Err(broken) => {
                    let why = broken.to_string();
                    self.moved = 0;
                    paths
                        .iter()
                        .for_each(|path| self.log("put", path, began, &Ok(Outcome::Refused(why.clone()))));
                    return Err(broken.into());
                }
            };
            for (path, outcome) in paths.iter().zip(outcomes) {
                let answered = self.answer_put(outcome);
                self.log("put", path, began, &answered);
                answered?;
                self.number += 1;
            }
            if self.door.ending.is_breaking_off() {
                return Err(Ended::Failure(words::failure(&Refusal::Ending)));
            }
            landing = self.wire.land(None, MANY, spare);
        }
        Ok(())
    }

    /// Answers a put.
    fn answer_put(&mut self, outcome: Result<store::Receipt, Refusal>) -> Result<Outcome, Ended> {
        self.moved = outcome.as_ref().map_or(0, |receipt| receipt.size);
        match outcome {
            Ok(receipt) => Ok(self.stored(&receipt)),
            Err(refusal) => {
                let failure = words::failure(&refusal);
                if failure.kind == Kind::NotVerified {
                    return Err(Ended::Failure(failure));
                }
                self.wire.queue(&Message::Reply(Reply::Refused(failure)));
                Ok(Outcome::Refused(refusal.detail()))
            }
        }
    }
}
