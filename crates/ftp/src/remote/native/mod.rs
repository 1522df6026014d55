//! A server that speaks `ftpd/1`: commands sent ahead, replies read in their order.

mod changed;
mod commands;
mod connect;
mod crew;
mod digests;
#[cfg(test)]
mod fake;
mod going_on;
mod parts;
mod transfer;
mod tree;
mod wide;
mod words;

use proto::io::{Broken, Wire};
use proto::{Abort, Access, Branch, Command, Failure as Refused, Kind, Message, Page, Reply};
use tokio::time::timeout;

pub(crate) use connect::Door;
pub(crate) use crew::let_go;

use super::disk::Disk;
use super::{Login, Settings};
use crate::failure::Failure;
use connect::Origin;

/// A session.
#[derive(Debug)]
pub struct Native {
    wire: Wire,
    settings: Settings,
    /// Where it leads.
    origin: Origin,
    /// Commands in line or sent so far: the number of the next one.
    sent: u64,
    /// Whether the server's answers to preamble, hello and login are still to be read.
    opening: bool,
    /// What the server owes for the command under way.
    owed: Owed,
    lost: bool,
    /// It was lost by chance.
    cut: bool,
    disk: Disk,
    /// What the account may do, once the server has said so.
    access: Option<Access>,
}

/// What the server owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owed {
    Nothing,
    /// A reply.
    Reply,
    /// Pages, up to the last one.
    Pages,
    /// File data, this many bytes, and its end.
    File(u64),
}

impl Native {
    /// Whether the connection is of no more use.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether the connection was lost by chance, and neither side broke the protocol.
    pub(super) fn was_cut(&self) -> bool {
        self.cut
    }

    /// Whether the server has let its user in.
    pub(super) fn was_entered(&self) -> bool {
        !self.opening
    }

    /// Notes whether the server ended the session while nothing was due: it went, or said a last word.
    pub(super) fn notice(&mut self) {
        self.lost |= !self.opening && self.owed == Owed::Nothing && self.wire.is_stirred();
    }

    /// Sends what is in line, and reads the answers to preamble, hello and login.
    pub(super) async fn ready(&mut self) -> Result<(), Failure> {
        let flushed = self.wire.flush().await;
        self.told(flushed)?;
        self.opened().await
    }

    /// Carries out a command that is answered by one reply.
    async fn request(&mut self, command: Command) -> Result<Reply, Failure> {
        self.queue(command).await?;
        let flushed = self.wire.flush().await;
        self.told(flushed)?;
        self.reply().await
    }

    /// Puts a command in line, after what an abandoned one still owes.
    async fn queue(&mut self, command: Command) -> Result<(), Failure> {
        if command.path().len() > proto::limits::PATH {
            return Err(words::long_path().with_remedy("Go there step by step with cd."));
        }
        self.recover().await?;
        self.wire.queue(&Message::Command(command));
        self.sent += 1;
        self.owed = Owed::Reply;
        Ok(())
    }

    /// The reply to the command under way; a refusal is the failure that it tells.
    async fn reply(&mut self) -> Result<Reply, Failure> {
        self.opened().await?;
        match self.message().await? {
            Message::Reply(reply) => {
                self.owed = match reply {
                    Reply::Sending { size } => Owed::File(size),
                    Reply::Listing => Owed::Pages,
                    _ => Owed::Nothing,
                };
                match reply {
                    Reply::Refused(refused) => Err(self.refused(refused)),
                    reply => Ok(reply),
                }
            }
            _ => Err(self.broken(Broken::Malformed(proto::Fault::Turn))),
        }
    }

    async fn page(&mut self) -> Result<Page, Failure> {
        match self.message().await? {
            // A script may do something with each.
            Message::Page(page) if !page.entries.iter().all(|entry| super::can_be_a_name(&entry.name)) => {
                Err(self.broken(Broken::Malformed(proto::Fault::Body)))
            }
            Message::Page(page) => {
                if page.last {
                    self.owed = Owed::Nothing;
                }
                Ok(page)
            }
            Message::Abort(abort) => {
                self.owed = Owed::Nothing;
                Err(self.refused(abort.failure))
            }
            _ => Err(self.broken(Broken::Malformed(proto::Fault::Turn))),
        }
    }

    /// The next part of what is listed or walked through, whichever it is.
    async fn part(&mut self) -> Result<(), Failure> {
        match self.message().await? {
            Message::Page(Page { last, .. }) | Message::Branch(Branch { last, .. }) => {
                if last {
                    self.owed = Owed::Nothing;
                }
                Ok(())
            }
            Message::Abort(abort) => {
                self.owed = Owed::Nothing;
                Err(self.refused(abort.failure))
            }
            _ => Err(self.broken(Broken::Malformed(proto::Fault::Turn))),
        }
    }

    /// The next message but for signs of life.
    async fn message(&mut self) -> Result<Message, Failure> {
        loop {
            match self.wire.next(self.settings.timeout).await {
                Ok(Message::Busy) => {}
                Ok(message) => return Ok(message),
                Err(broken) => return Err(self.broken(broken)),
            }
        }
    }

    /// Brings the connection back in step after the future of a command was dropped.
    pub(super) async fn recover(&mut self) -> Result<(), Failure> {
        if self.owed == Owed::Nothing || self.lost {
            return Ok(());
        }
        match timeout(self.settings.timeout, Box::pin(self.settle())).await {
            Ok(settled) => settled,
            Err(_) => Err(self.broken(Broken::Silent(self.settings.timeout))),
        }
    }

    /// Breaks off the command under way, and passes over what the server owes for it.
    async fn settle(&mut self) -> Result<(), Failure> {
        self.abort(Refused::new(Kind::Aborted, "the client broke it off")).await?;
        while self.owed != Owed::Nothing && !self.lost {
            // A refusal settles it as well as anything else.
            let _refused = match self.owed {
                Owed::Nothing => Ok(()),
                Owed::Reply => self.reply().await.map(drop),
                Owed::Pages => self.part().await,
                Owed::File(left) => self.pass_over(left).await,
            };
        }
        Ok(())
    }

    /// Breaks off the command under way.
    async fn abort(&mut self, failure: Refused) -> Result<(), Failure> {
        let abort = Message::Abort(Abort { command: self.sent - 1, failure });
        let sent = self.wire.send(&abort).await;
        self.told(sent)
    }

    /// Ends the session. A server that is gone already is as good as one that says goodbye.
    pub(super) async fn quit(&mut self) -> Result<(), Failure> {
        if !self.lost {
            let _gone = self.request(Command::Quit).await;
            self.lost = true;
        }
        Ok(())
    }

    /// Ends the session without a word, when nothing is due.
    pub(super) async fn hang_up(self) {
        if !self.lost {
            self.wire.hang_up().await;
        }
    }

    fn told<T>(&mut self, result: Result<T, Broken>) -> Result<T, Failure> {
        result.map_err(|broken| self.broken(broken))
    }

    /// The failure that a broken connection is.
    fn broken(&mut self, broken: Broken) -> Failure {
        self.lost = true;
        self.cut |= !matches!(broken, Broken::Malformed(_));
        self.owed = Owed::Nothing;
        words::broken(&broken, &self.origin.host)
    }

    /// The failure that a refusal is; some refusals are the last word.
    fn refused(&mut self, refused: Refused) -> Failure {
        self.lost |= words::ends_session(refused.kind);
        self.cut |= words::by_chance(refused.kind);
        words::refused(refused)
    }

    /// The failure that the refusal of one of many commands is; an error where it is the last word.
    fn refused_many(&mut self, refused: Refused) -> Result<Failure, Failure> {
        self.cut |= words::by_chance(refused.kind);
        if words::ends_session(refused.kind) {
            Err(self.refused(refused))
        } else {
            Ok(words::refused(refused))
        }
    }

    /// The failure that a reply to another question is.
    fn unexpected(&mut self) -> Failure {
        self.broken(Broken::Malformed(proto::Fault::Turn))
    }
}
