//! How the server ends: first it takes nothing new and lets what runs finish, then it breaks off what is left.

use tokio::sync::watch;

/// Where the server is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    /// No new sessions; idle ones are told and closed; what runs may finish.
    Draining,
    /// What still runs is told, and broken off.
    BreakingOff,
}

/// Who decides on the end.
#[derive(Debug)]
pub(crate) struct End(watch::Sender<Phase>);

/// Who must know of the end.
#[derive(Clone, Debug)]
pub(crate) struct Ending(watch::Receiver<Phase>);

impl End {
    pub(crate) fn new() -> (End, Ending) {
        let (sender, receiver) = watch::channel(Phase::Serving);
        (End(sender), Ending(receiver))
    }

    pub(crate) fn drain(&self) {
        self.0.send_replace(Phase::Draining);
    }

    pub(crate) fn break_off(&self) {
        self.0.send_replace(Phase::BreakingOff);
    }
}

impl Ending {
    /// Waits until the server drains. Dropped while it waits, it loses nothing.
    pub(crate) async fn begins(&mut self) {
        self.reaches(Phase::Draining).await;
    }

    /// Waits until what still runs must be broken off. Dropped while it waits, it loses nothing.
    pub(crate) async fn breaks_off(&mut self) {
        self.reaches(Phase::BreakingOff).await;
    }

    /// Whether what still runs must be broken off.
    pub(crate) fn is_breaking_off(&self) -> bool {
        *self.0.borrow() >= Phase::BreakingOff
    }

    async fn reaches(&mut self, wanted: Phase) {
        // Whoever decides is gone: nothing is served any more.
        _ = self.0.wait_for(|phase| *phase >= wanted).await;
    }
}
