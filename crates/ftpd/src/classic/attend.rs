//! Work that takes its time, while the control connection stays alive: ABOR and a client that is gone end it at once, NOOP and STAT
//! are answered, whatever else comes waits its turn.

use std::pin::pin;
use std::time::Duration;

use tokio::time::sleep;

use super::moving::Moved;
use super::{Command, Connection, Ended, Gone, Next, Reply, parse, words};
use crate::core::Refusal;

/// How often a client is looked for that has said more than can be kept.
const LOOK: Duration = Duration::from_secs(1);

/// What keeps work from its end.
pub(super) enum Interrupted {
    /// ABOR; the answer to it is the caller's.
    Aborted,
    /// The session ends.
    Ended(Ended),
}

/// What runs, for who asks.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) what: String,
    pub(super) moved: Moved,
}

impl Connection {
    /// Does `work` to its end, unless it is interrupted. Work that is not `abortable` goes on whatever the client says, and when
    /// it is gone.
    pub(super) async fn attend<T>(
        &mut self,
        running: &Running,
        abortable: bool,
        work: impl Future<Output = T>,
    ) -> Result<T, Interrupted> {
        self.control.flush().await.map_err(|gone| Interrupted::Ended(gone.into()))?;
        let mut work = pin!(work);
        let mut ending = self.door.ending.clone();
        let mut quitting = self.has_quit();
        loop {
            let next = tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = ending.breaks_off() => {
                    return Err(Interrupted::Ended(Ended::Told(words::refused(&Refusal::Ending))));
                }
                next = self.control.fresh(), if self.control.has_room() && !quitting => next,
                // Nothing more is heard, and a client that is gone must be seen.
                () = sleep(LOOK), if !self.control.has_room() && !quitting => {
                    if self.control.leaves_within(Duration::ZERO).await { Err(Gone::Closed) } else { continue }
                }
            };
            match next {
                Ok(next) => quitting = self.said(next, running, abortable).await?,
                Err(_) if !abortable => quitting = true, // there is nothing more to hear, and this goes on
                Err(gone) => return Err(Interrupted::Ended(gone.into())),
            }
        }
    }

    /// Hears a line meanwhile; whether it takes leave, so that no more need come.
    async fn said(&mut self, next: Next, running: &Running, abortable: bool) -> Result<bool, Interrupted> {
        let Next::Line(line) = &next else {
            self.control.keep(next);
            return Ok(false);
        };
        let reply = match parse::command(line) {
            Ok(Command::Abor) if abortable => return Err(Interrupted::Aborted),
            Ok(Command::Noop) => Reply::new(200, "Still here, and at work."),
            Ok(Command::Status) => {
                self.status(Some(format!("{}: {} bytes so far", running.what, running.moved.bytes())))
            }
            said => {
                let quits = matches!(said, Ok(Command::Quit));
                self.control.keep(next);
                return Ok(quits);
            }
        };
        self.control.queue(&reply);
        self.control.flush().await.map_err(|gone| Interrupted::Ended(gone.into()))?;
        Ok(false)
    }
}
