//! RETR, STOR, APPE and STOU.

use std::ops::RangeInclusive;
use std::time::Duration;

use store::{Attributes, Keep, Receipt};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::answer::hex;
use super::attend::Running;
use super::command::{Store, Type};
use super::data::Unopened;
use super::moving::{Held, Manner, Moved, Stopped};
use super::{Command, Connection, Ended, Gone, Next, Reply, Stream, capital, parse, words};
use crate::core::{Refusal, Session};

/// Bytes of an upload that leave its client in one go, so that hardly any end by force comes between the first and the last.
const ONE_GO: RangeInclusive<u64> = 1..=16 * 1024;

/// How far apart the ends of two connections of a process that was ended may be.
const GRACE: Duration = Duration::from_millis(5);

/// Why a transfer does not come to its end.
pub(super) enum Failed {
    Unopened(Unopened),
    Stopped(Stopped),
}

impl From<Unopened> for Failed {
    fn from(unopened: Unopened) -> Failed {
        Failed::Unopened(unopened)
    }
}

impl From<Stopped> for Failed {
    fn from(stopped: Stopped) -> Failed {
        Failed::Stopped(stopped)
    }
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Failed {
        Failed::Stopped(Stopped::Store(error))
    }
}

impl Failed {
    pub(super) fn reply(self) -> Reply {
        match self {
            Failed::Unopened(Unopened::NotResumed) => {
                Reply::new(522, "The data connection must resume the TLS session of the control connection.")
            }
            Failed::Unopened(unopened) => Reply::new(425, format!("{}.", capital(&unopened.to_string()))),
            Failed::Stopped(Stopped::Store(error)) => words::refused(&Refusal::Store(error)),
            Failed::Stopped(stopped) => {
                Reply::new(426, format!("{}. Transfer it again.", capital(&stopped.to_string())))
            }
        }
    }
}

impl Connection {
    /// Sends a file.
    pub(super) async fn retrieve(&mut self, session: &Session, path: &[u8]) -> Result<Reply, Ended> {
        let range = self.state.take_range();
        let Some(mut opening) = self.opening.take() else { return Ok(no_opening()) };
        let manner = self.manner();
        let touched = self.state.private || manner.kind == Type::Ascii;
        let going = match session.open_plain(path, range.clone(), touched).await {
            Ok(going) => going,
            Err(refusal) => {
                self.part_later(opening);
                return Ok(words::refused(&refusal));
            }
        };
        let length = range.end.min(going.size()).saturating_sub(range.start);
        self.opens(match manner.kind {
            // In these words: clients read the size out of them.
            Type::Image => format!("Data connection for a file ({length} bytes)."),
            Type::Ascii => "Data connection for a file.".into(), // whose lines end in two bytes there
        });
        let running = running("Sending a file", &manner.moved);
        let sent = self.attend(&running, true, async {
            let stream = opening.opened().await?;
            Ok::<_, Failed>(manner.send(going, stream).await?)
        });
        let sent = sent.await;
        self.moved = manner.moved.bytes();
        match sent {
            Ok(Ok(stream)) => {
                self.part_with(stream).await;
                Ok(Reply::new(226, format!("Sent {} bytes.", self.moved)))
            }
            Ok(Err(failed)) => Ok(Failed::reply(failed)),
            Err(interrupted) => self.interrupted(interrupted),
        }
    }

    /// Receives a file.
    pub(super) async fn store(
        &mut self,
        session: &Session,
        store: Store,
        path: &[u8],
    ) -> Result<Reply, Ended> {
        let (restart, announced) = (self.state.take_range().start, std::mem::take(&mut self.state.announced));
        let Some(mut opening) = self.opening.take() else { return Ok(no_opening()) };
        let (keep, new) = match store {
            Store::Replace if restart > 0 => (Keep::First(restart), false),
            Store::Replace => (Keep::Nothing, false),
            Store::Append => (Keep::All, false),
            Store::Unique => (Keep::Nothing, true),
        };
        let name = if store == Store::Unique { unique(path) } else { path.to_vec() };
        let manner = self.manner();
        let running = running("Receiving a file", &manner.moved);
        let begun = self.attend(&running, true, session.receive(&name, keep, announced, new)).await;
        let file = match begun {
            Ok(Ok(file)) => Held::new(file),
            Ok(Err(refusal)) => {
                self.part_later(opening);
                return Ok(words::refused(&refusal));
            }
            Err(interrupted) => return self.interrupted(interrupted),
        };
        if store == Store::Unique {
            self.opens([b"FILE: ", &name[..]].concat()); // RFC 1123, 4.1.2.9
        } else {
            self.opens("Data connection for a file.");
        }
        let received = self.attend(&running, true, async {
            let stream = opening.opened().await?;
            Ok::<_, Failed>(manner.receive(stream, &file).await?)
        });
        let received = received.await;
        let file = file.take().await;
        self.moved = manner.moved.bytes();
        match received {
            Ok(Ok(stream)) => {
                // A client that was ended by force closes both connections, and this looks like the end of a file.
                if let Err(gone) = self.is_there().await {
                    file.discard().await;
                    return Err(gone);
                }
                let commit = self.attend(&running, false, file.commit(Attributes::default())).await;
                self.part_with(stream).await;
                match commit {
                    Ok(Ok(receipt)) => Ok(stored(&receipt)),
                    Ok(Err(error)) => Ok(words::refused(&Refusal::Store(error))),
                    Err(interrupted) => self.interrupted(interrupted),
                }
            }
            Ok(Err(failed)) => {
                file.discard().await;
                Ok(failed.reply())
            }
            Err(interrupted) => {
                file.discard().await;
                self.interrupted(interrupted)
            }
        }
    }

    /// Tells the client that data may come or go.
    pub(super) fn opens(&mut self, text: impl Into<Vec<u8>>) {
        self.control.queue(&Reply::new(150, text));
    }

    /// How files are moved now.
    pub(super) fn manner(&self) -> Manner {
        Manner {
            kind: self.state.kind,
            stall: self.door.core.limits().stall,
            lenient: self.door.config.lenient_eof,
            moved: Moved::default(),
        }
    }

    /// Whether the client is still at the other end. One that is ended by force closes both connections, and which of them first is
    /// the system's to choose: so a moment is waited for the other end, unless all came in one go. Who has said QUIT may have left.
    async fn is_there(&mut self) -> Result<(), Ended> {
        let grace = if ONE_GO.contains(&self.moved) { Duration::ZERO } else { GRACE };
        if self.has_quit() || !self.control.leaves_within(grace).await {
            return Ok(());
        }
        // What it said before it left may not have been heard yet.
        while self.control.has_room() && !self.has_quit() {
            let next = self.control.fresh().await.map_err(Ended::Gone)?;
            self.control.keep(next);
        }
        if self.has_quit() { Ok(()) } else { Err(Ended::Gone(Gone::Closed)) }
    }

    /// Whether QUIT was said behind the command that is being answered.
    pub(super) fn has_quit(&self) -> bool {
        let quits = |next: &Next| matches!(next, Next::Line(line) if matches!(parse::command(line), Ok(Command::Quit)));
        self.control.kept().any(quits)
    }

    /// Ends a data connection. The end is on its way when this returns, before the client hears that all went well; how the client
    /// takes it is not waited for.
    pub(super) async fn part_with(&self, mut stream: Stream) {
        let stall = self.door.core.limits().stall;
        _ = timeout(stall, stream.shutdown()).await;
        tokio::spawn(stream.part());
    }
}

pub(super) fn running(what: &str, moved: &Moved) -> Running {
    Running { what: what.into(), moved: moved.clone() }
}

pub(super) fn no_opening() -> Reply {
    Reply::new(425, "There is no data connection: EPSV, PASV, EPRT or PORT comes first.")
}

/// What is told of a file that is stored.
fn stored(receipt: &Receipt) -> Reply {
    let md5 = receipt.md5.map(|md5| format!(" MD5 {}.", hex(md5.as_bytes())));
    Reply::new(226, format!("Stored {} bytes.{}", receipt.size, md5.unwrap_or_default()))
}

/// A name that nothing has, most likely, beside the one that was wished for.
fn unique(wished: &[u8]) -> Vec<u8> {
    let name = if wished.is_empty() { b"upload" } else { wished };
    let mut random = [0; 6];
    // Without randomness the name is taken at worst, and the upload refused.
    _ = aws_lc_rs::rand::fill(&mut random);
    [name, b".", hex(&random).as_bytes()].concat()
}
