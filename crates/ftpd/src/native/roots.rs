//! Roots that are asked for in a row: those that are known, and those of small files, are told together.

use std::collections::VecDeque;
use std::future::Future;

use proto::{Command, Message, Reply};
use store::Whole;
use tokio::time::Instant;

use super::{Connection, Ended, Outcome, words};
use crate::core::{Refusal, Session};

/// Roots that are told together at the most.
const MANY: usize = 512;

/// Bytes of their paths, from which on no further one is taken up.
const MUCH: usize = 64 * 1024;

/// A root that was asked for and not yet told.
struct Asked {
    path: Vec<u8>,
    began: Instant,
}

impl Connection {
    /// Tells a root, and those that are asked for behind it.
    pub(super) async fn roots(&mut self, session: &Session, path: Vec<u8>) -> Result<(), Ended> {
        let mut asked = VecDeque::from([Asked { path, began: Instant::now() }]);
        self.gather_asked(&mut asked);
        let mut looking = self.look(session, &asked);
        loop {
            let told = looking.await;
            if told.is_empty()
                && let Some(one) = asked.pop_front()
            {
                self.tell_after_reading(session, one).await?;
            }
            for (one, whole) in asked.drain(..told.len()).zip(told) {
                let outcome = self.tell_root(whole);
                self.settle_root(&one, &Ok(outcome));
            }
            self.gather_asked(&mut asked);
            if asked.is_empty() {
                return Ok(());
            }
            looking = self.look(session, &asked); // begins now, while those are sent
            self.wire.flush().await?;
            if self.door.ending.is_breaking_off() {
                return Err(Ended::Failure(words::failure(&Refusal::Ending)));
            }
        }
    }

    /// Takes up what was heard already.
    fn gather_asked(&mut self, asked: &mut VecDeque<Asked>) {
        self.wire.hear_now();
        let mut held: usize = asked.iter().map(|one| one.path.len()).sum();
        while asked.len() < MANY && held < MUCH {
            match self.wire.next_command_if(|command| matches!(command, Command::Root { .. })) {
                Some(Command::Root { path }) => {
                    held += path.len();
                    asked.push_back(Asked { path, began: Instant::now() });
                }
                _ => return,
            }
        }
    }

    fn look(
        &self,
        session: &Session,
        asked: &VecDeque<Asked>,
    ) -> impl Future<Output = Vec<Result<Whole, Refusal>>> + use<> {
        let paths: Vec<&[u8]> = asked.iter().map(|one| &one.path[..]).collect();
        session.roots(&paths, self.wire.algorithm())
    }

    /// Reads a large file for its root, with signs of life meanwhile.
    async fn tell_after_reading(&mut self, session: &Session, one: Asked) -> Result<(), Ended> {
        let reading = session.root(&one.path, self.wire.algorithm());
        let mut ending = self.door.ending.clone();
        let read = tokio::select! {
            read = self.wire.busy_unless_aborted(self.number, reading) => read.map_err(Ended::from),
            () = ending.breaks_off() => Err(Ended::Failure(words::failure(&Refusal::Ending))),
        };
        let answered = match read {
            Ok(Some(whole)) => Ok(self.tell_root(whole)),
            Ok(None) => {
                self.wire.queue(&Message::Reply(Reply::Refused(words::broken_off())));
                Ok(Outcome::Refused("broken off by the client".into()))
            }
            Err(ended) => Err(ended),
        };
        self.settle_root(&one, &answered);
        answered.map(drop)
    }

    fn tell_root(&mut self, whole: Result<Whole, Refusal>) -> Outcome {
        let (reply, outcome) = match whole {
            Ok(Whole { size, version, root }) => {
                let root = root.as_bytes().to_vec();
                (Reply::Root { size, version: version.0, root }, Outcome::Done)
            }
            Err(refusal) => (Reply::Refused(words::failure(&refusal)), Outcome::Refused(refusal.detail())),
        };
        self.wire.queue(&Message::Reply(reply));
        outcome
    }

    /// Takes note of a root that was told.
    fn settle_root(&mut self, one: &Asked, answered: &Result<Outcome, Ended>) {
        self.moved = 0;
        self.log("root", &one.path, one.began, answered);
        self.number += 1;
    }
}
