//! What is told part by part: listings and walks.

use proto::{Message, Page, Reply, limits};
use store::{Listing, Walk};

use super::{Connection, Ended, Outcome, words};
use crate::core::{Refusal, Session};

/// Something that is told in many frames, and how far it is told.
pub(super) enum Told {
    Listing(Listing),
    Walk(Walk),
}

impl Told {
    pub(super) async fn list(session: &Session, path: &[u8]) -> Result<Told, Refusal> {
        session.list(path).await.map(Told::Listing)
    }

    pub(super) async fn walk(session: &Session, path: &[u8]) -> Result<Told, Refusal> {
        session.walk(path).await.map(Told::Walk)
    }

    /// The next part, and the rest; without it, that was the last.
    async fn next(self) -> Result<(Message, Option<Told>), Refusal> {
        match self {
            Told::Listing(listing) => {
                let (entries, rest) = Session::page(listing, limits::PAGE_ENTRIES).await?;
                let last = entries.is_none();
                let entries = entries.into_iter().flatten().map(words::entry).collect();
                Ok((Message::Page(Page { entries, last }), (!last).then_some(Told::Listing(rest))))
            }
            Told::Walk(walk) => {
                let (branch, rest) = Session::branch(walk, limits::BRANCH).await?;
                let last = branch.is_none();
                Ok((Message::Branch(words::branch(branch)), (!last).then_some(Told::Walk(rest))))
            }
        }
    }
}

impl Connection {
    /// Tells it all. While one part is on its way, the next one is read.
    pub(super) async fn tell(&mut self, told: Result<Told, Refusal>) -> Result<Outcome, Ended> {
        let mut next = match told {
            Ok(told) => {
                self.wire.queue(&Message::Reply(Reply::Listing));
                told.next().await
            }
            Err(refusal) => return self.refused(&refusal).await,
        };
        loop {
            match next {
                Ok((part, Some(rest))) => {
                    let (sent, read) = tokio::join!(self.wire.send(&part), rest.next());
                    sent?;
                    next = read;
                }
                Ok((last, None)) => {
                    self.wire.queue(&last);
                    return Ok(Outcome::Done);
                }
                Err(refusal) => {
                    self.abort(words::failure(&refusal)).await?;
                    return Ok(Outcome::Refused(refusal.detail()));
                }
            }
            if self.door.ending.is_breaking_off() {
                self.abort(words::failure(&Refusal::Ending)).await?;
                return Err(Ended::Failure(words::failure(&Refusal::Ending)));
            }
            if let Some(abort) = self.wire.aborted(self.number) {
                let why = format!("broken off by the client: {}", abort.failure.message);
                self.abort(abort.failure).await?;
                return Ok(Outcome::Refused(why));
            }
        }
    }
}
