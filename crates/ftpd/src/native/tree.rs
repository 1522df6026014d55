//! A tree in one answer: a walk, and behind each part of it the files that it tells of.

use std::collections::VecDeque;

use proto::{Branch, EntryKind, Message, Reply, limits};
use store::Walk;
use tokio::time::Instant;

use super::gets::{More, Wanted};
use super::{Connection, Ended, Outcome, words};
use crate::core::{Refusal, Session};

impl Connection {
    /// Answers a command for a tree.
    pub(super) async fn get_tree(&mut self, session: &Session, path: Vec<u8>) -> Result<(), Ended> {
        let began = Instant::now();
        let answered = match session.walk(&path).await {
            Ok(walk) => {
                self.wire.queue(&Message::Reply(Reply::Listing));
                self.send_tree(session, &path, walk).await
            }
            Err(refusal) => self.refused(&refusal).await,
        };
        self.moved = 0; // what the files had is told with each of them
        self.log("get-tree", &path, began, &answered);
        answered?;
        self.number += 1;
        Ok(())
    }

    async fn send_tree(&mut self, session: &Session, path: &[u8], walk: Walk) -> Result<Outcome, Ended> {
        let mut next = Session::branch(walk, limits::BRANCH).await;
        loop {
            let (found, rest) = match next {
                Ok(read) => read,
                Err(refusal) => {
                    self.abort(words::failure(&refusal)).await?;
                    return Ok(Outcome::Refused(refusal.detail()));
                }
            };
            let last = found.is_none();
            let branch = words::branch(found);
            let files = files(path, &branch);
            self.wire.queue(&Message::Branch(branch));
            if last {
                return Ok(Outcome::Done);
            }
            // The next part is read while this one is on its way.
            let reading = tokio::spawn(Session::branch(rest, limits::BRANCH));
            if files.is_empty() {
                self.wire.flush().await?;
            }
            self.send_all(session, VecDeque::new(), More::Tree(files)).await?;
            if self.door.ending.is_breaking_off() {
                self.abort(words::failure(&Refusal::Ending)).await?;
                return Err(Ended::Failure(words::failure(&Refusal::Ending)));
            }
            if let Some(abort) = self.wire.aborted(self.number) {
                let why = format!("broken off by the client: {}", abort.failure.message);
                self.abort(abort.failure).await?;
                return Ok(Outcome::Refused(why));
            }
            next = reading.await.unwrap_or(Err(Refusal::Failed));
        }
    }
}

/// The files of a branch; the walk's own path is none.
fn files(path: &[u8], branch: &Branch) -> VecDeque<Wanted> {
    let below = |name: &[u8]| match path.last() {
        None => name.to_vec(),
        Some(b'/') => [path, name].concat(),
        Some(_) => [path, b"/", name].concat(),
    };
    let files = branch.found.iter().filter(|found| found.kind == EntryKind::File && !found.path.is_empty());
    files.map(|found| Wanted::whole(below(&found.path))).collect()
}
