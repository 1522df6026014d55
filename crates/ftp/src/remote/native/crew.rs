//! More sessions beside the first one, which lets them in: each on a connection of its own, to the same server, and on threads of
//! their own, so that no one core has to carry them all.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use proto::{Command, Message, Reply, Ticket};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::timeout;

use super::connect::Origin;
use super::{Native, Settings};
use crate::failure::Failure;

/// How often a session is used that waits for others to end, so that no server takes it for idle.
pub(super) const BREATH: Duration = Duration::from_secs(60);

/// What its user is told of sessions that are missing.
pub(super) fn fewer(why: &Failure) -> String {
    format!("fewer connections than wanted ({}); going on with those that stand", why.message)
}

/// The threads of other sessions than the first, once there are some.
static HANDS: Mutex<Option<Runtime>> = Mutex::new(None);

/// The most of them: the disk, ciphers and digests need cores as well.
const MOST: usize = 4;

/// Where other sessions than the first are to run.
pub(super) fn hands() -> Handle {
    let mut hands = HANDS.lock().unwrap_or_else(PoisonError::into_inner);
    if hands.is_none() {
        let threads = available_parallelism().map_or(1, usize::from).min(MOST);
        *hands = Builder::new_multi_thread().worker_threads(threads).enable_all().build().ok();
    }
    // Without threads of their own, they share that of the first.
    hands.as_ref().map_or_else(Handle::current, |hands| hands.handle().clone())
}

/// Ends the threads of other sessions, which may take so long to remove what was staged.
pub(crate) fn let_go(patience: Duration) {
    let hands = HANDS.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(hands) = hands {
        hands.shutdown_timeout(patience);
    }
}

/// What opens one more session.
#[derive(Debug)]
pub(super) struct Invitation {
    origin: Origin,
    settings: Settings,
    ticket: Ticket,
}

impl Invitation {
    /// Connects, and enters at once: the server waits only so long for that, and there may be nothing to do for longer.
    pub(super) async fn accept(self) -> Result<Native, Failure> {
        let Invitation { origin, settings, ticket } = self;
        let wire = origin.reach_again(&settings).await?;
        let mut native = Native::open(wire, settings, origin, Command::Enter { ticket });
        native.ready().await?;
        Ok(native)
    }
}

impl Native {
    /// Asks for what opens so many sessions more, in one flight. Fewer come with the reason.
    pub(super) async fn invitations(
        &mut self,
        count: usize,
    ) -> Result<(Vec<Invitation>, Option<Failure>), Failure> {
        self.begin_many().await?;
        let asked = self.ask_for_tickets(count).await;
        let whole = asked.as_ref().map(|_| Ok(())).map_err(Clone::clone);
        self.end_many(whole)?;
        asked
    }

    async fn ask_for_tickets(&mut self, count: usize) -> Result<(Vec<Invitation>, Option<Failure>), Failure> {
        (0..count).for_each(|_| self.ask(&Command::Ticket));
        self.flush_many().await?;
        let (mut invitations, mut why) = (Vec::new(), None);
        for _ in 0..count {
            match self.answer().await? {
                Message::Reply(Reply::Ticket { ticket, .. }) => {
                    let (origin, settings) = (self.origin.clone(), self.settings.clone());
                    invitations.push(Invitation { origin, settings, ticket });
                }
                Message::Reply(Reply::Refused(refused)) => why = Some(self.refused_many(refused)?),
                _ => return self.out_of_turn(),
            }
        }
        Ok((invitations, why))
    }

    /// What comes of `waited`, for which the server need do nothing; meanwhile, it sees that the session is in use.
    pub(super) async fn breathing<T>(&mut self, waited: impl Future<Output = T>) -> Result<T, Failure> {
        let mut waited = pin!(waited);
        loop {
            match timeout(BREATH, &mut waited).await {
                Ok(done) => return Ok(done),
                Err(_) => self.breathe().await?,
            }
        }
    }

    /// Has the server see that the session is in use, while nothing is due from it.
    pub(super) async fn breathe(&mut self) -> Result<(), Failure> {
        self.ask(&Command::Pwd);
        self.flush_many().await?;
        match self.answer().await? {
            Message::Reply(Reply::Directory { .. }) => Ok(()),
            Message::Reply(Reply::Refused(refused)) => Err(self.refused(refused)), // its last word, most likely
            _ => self.out_of_turn(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::channel;

    use super::super::fake::{answer_in_order, session};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_long_is_seen_to_be_there() {
        let (mut native, mut server) = session().await;
        let (done, waited) = channel();
        let (mut done, mut breaths) = (Some(done), 0);
        let answers = answer_in_order(&mut server, |command| {
            assert_eq!(command, Command::Pwd);
            breaths += 1;
            if breaths == 3 {
                done.take().map(|done| done.send("done"));
            }
            Reply::Directory { path: "/".into() }
        });
        let came = tokio::select! {
            came = native.breathing(waited) => came,
            () = answers => panic!("the server hangs up"),
        };
        assert_eq!(came.unwrap(), Ok("done"));
    }
}
