//! A server that speaks classic FTP (RFC 959, 2228, 2389, 2428, 3659, 4217): one command at a time, files on connections of
//! their own.
//!
//! `suppaftp` frames commands and replies and opens data connections; what a reply means, what is verified and whom it is said
//! to is decided here.

mod commands;
mod connect;
mod digests;
mod keep;
mod learnt;
mod listing;
mod login;
mod look;
mod offers;
mod stream;
mod tls;
mod transfer;
mod tree;
mod words;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use suppaftp::FtpError;
use suppaftp::tokio::ImplAsyncFtpStream;
use tokio::io::ReadBuf;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

pub(crate) use connect::Door;
pub(crate) use learnt::Learnt;

use super::disk::Disk;
use super::{Login, Settings};
use crate::failure::{Code, Failure};
use listing::Listing;
use offers::Offers;
use tls::Keys;
use words::Answer;

/// Commands and replies.
type Ftp = ImplAsyncFtpStream<stream::Tls>;

/// A session.
pub struct Classic {
    ftp: Ftp,
    keys: Arc<Keys>,
    settings: Settings,
    host: String,
    /// Who is still to log in.
    login: Option<Login>,
    offers: Offers,
    /// The server understood EPSV, or refused it for good: how data connections are asked for is settled.
    settled: bool,
    listing: Option<Listing>,
    /// Names that the last listing lacks.
    unsaid: u64,
    walk: Option<tree::Walk>,
    modes: keep::Modes,
    /// HASH was told to use MD5.
    hashes_with_md5: bool,
    /// How much of what was brought could not be given its time or mode.
    unkept: u64,
    /// Something is under way; if nobody waits for it any more, the connection is out of step.
    busy: bool,
    lost: bool,
    disk: Disk,
}

impl fmt::Debug for Classic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classic").field("host", &self.host).field("lost", &self.lost).finish_non_exhaustive()
    }
}

/// Why there is no success.
enum Trouble {
    /// The server said no, and the connection is as good as before.
    Refused(Answer),
    Failed(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Failed(failure)
    }
}

impl Classic {
    /// Whether the connection is of no more use.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether the server has let its user in, and data have found their way.
    pub(super) fn was_entered(&self) -> bool {
        self.settled
    }

    /// Notes whether the server ended the session while nothing was due: it went, or said a last word.
    pub(super) fn notice(&mut self) {
        self.lost |= !self.busy && self.listing.is_none() && is_stirred(&self.ftp);
    }

    /// Gives the connection up if a command was dropped in its middle: what is still to come could not be told from an answer
    /// to the next one.
    #[expect(clippy::unused_async, reason = "every remote is asked in the same way")]
    pub(super) async fn recover(&mut self) -> Result<(), Failure> {
        self.lost |= self.busy || self.listing.is_some();
        Ok(())
    }

    /// Ends the session. A server that is gone already is as good as one that says goodbye.
    pub(super) async fn quit(&mut self) -> Result<(), Failure> {
        if !self.lost {
            let _gone = self.ask("QUIT").await;
            self.lost = true;
        }
        Ok(())
    }

    /// Ends the session without waiting for an answer.
    #[expect(clippy::unused_async, reason = "every remote is asked in the same way")]
    pub(super) async fn hang_up(self) {
        drop(self);
    }

    /// Sends a command, and returns the answer, whatever it is.
    async fn ask(&mut self, command: &str) -> Result<Answer, Failure> {
        self.check(command)?;
        let (busy, ftp) = (&mut self.busy, &mut self.ftp);
        // That no answer is expected makes each of them come back whole.
        let done = steadily(busy, self.settings.timeout, ftp.custom_command(command, &[])).await;
        match self.told(done) {
            Ok(response) => Ok(Answer::read(&response.body)),
            Err(Trouble::Refused(answer)) => Ok(answer),
            Err(Trouble::Failed(failure)) => Err(failure),
        }
    }

    /// Refuses what cannot be a command, and any command on a connection that is out of step.
    fn check(&mut self, command: &str) -> Result<(), Failure> {
        if command.contains(['\r', '\n', '\0']) {
            return Err(Failure::new(
                Code::Usage,
                "a classic server takes no name with an end of line or a NUL in it",
            ));
        }
        self.lost |= self.busy;
        if self.lost {
            return Err(words::lost(&self.host, "an earlier command was broken off"));
        }
        Ok(())
    }

    /// What came of something that was asked of the server.
    fn told<T>(&mut self, done: Result<Result<T, FtpError>, Elapsed>) -> Result<T, Trouble> {
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(FtpError::UnexpectedResponse(response))) => {
                let answer = Answer::read(&response.body);
                if answer.code == words::CLOSING {
                    self.lost = true;
                    return Err(words::closing(&self.host, &answer).into());
                }
                if answer.code == words::NO_DATA_CONNECTION {
                    // Servers that want their TLS session resumed say so when there is no ticket left. A new control connection
                    // has new ones, or a session that needs none.
                    self.lost = true;
                    if self.keys.began_anew() {
                        self.settings.learnt.note_shortage();
                    }
                }
                Err(Trouble::Refused(answer))
            }
            Ok(Err(error)) => Err(self.broken(&error).into()),
            Err(_) => Err(self.silent().into()),
        }
    }

    /// The failure that a broken connection is.
    fn broken(&mut self, error: &FtpError) -> Failure {
        self.lost = true;
        words::broken(&self.host, error, &self.keys)
    }

    /// The failure that a silent server is.
    fn silent(&mut self) -> Failure {
        self.lost = true;
        words::silent(&self.host, self.settings.timeout)
    }
}

/// Waits for `work`, but not for ever. Dropped before, it leaves `busy` set.
async fn steadily<T>(
    busy: &mut bool,
    patience: Duration,
    work: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    *busy = true;
    let done = timeout(patience, work).await;
    *busy = false;
    done
}

/// Whether the server said something, or went, while nothing was due from it.
fn is_stirred(ftp: &Ftp) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(socket) = pin!(ftp.get_ref()).poll(&mut context) else { return false };
    let mut byte = [0];
    socket.poll_peek(&mut context, &mut ReadBuf::new(&mut byte)).is_ready()
}
