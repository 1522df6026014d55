//! Who has connected and is not logged in: bounded, and never full for a newcomer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::warn;

use super::source::Source;

/// How often the log is told that connections are being closed.
const TOLD: Duration = Duration::from_secs(10);

/// Connections that are not logged in. Of one too many, the source with the most loses its oldest, so that a flood from one
/// address closes its own. A flood from many closes what has asked for nothing before it closes what waits for the answer to
/// its login, as long as those take no more than half of the places.
#[derive(Debug, Default)]
pub(super) struct Doorstep(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// Those that have not tried to log in.
    silent: Row,
    /// Those that have.
    asking: Row,
    closed: u64,
    told: Option<Instant>,
}

/// Connections by number, which is their order of arrival.
#[derive(Debug, Default)]
struct Row {
    standing: BTreeMap<u64, (Source, Arc<Notify>)>,
    of_source: HashMap<Source, BTreeSet<u64>>,
    /// Of each source how many it has and which is its oldest: the last of these is the next to go.
    ranks: BTreeSet<(usize, Reverse<u64>)>,
}

/// The place of one connection; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    doorstep: Arc<Doorstep>,
    number: u64,
    closed: Arc<Notify>,
}

impl Doorstep {
    /// A place for one more, of `most` in all; another one may have to go.
    pub(super) fn enter(self: &Arc<Doorstep>, source: Source, most: usize) -> Place {
        let closed = Arc::new(Notify::new());
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        table.silent.add(number, source, closed.clone());
        while table.len() > most {
            table.close_one(most);
        }
        Place { doorstep: self.clone(), number, closed }
    }

    /// Has up to `count` connections closed; how many.
    pub(super) fn close(&self, count: usize) -> usize {
        let mut table = self.table();
        let most = table.len();
        (0..count).take_while(|_| table.close_one(most)).count()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table().len()
    }
}

impl Table {
    fn len(&self) -> usize {
        self.silent.standing.len() + self.asking.standing.len()
    }

    /// Has the next to go closed; whether there was one.
    fn close_one(&mut self, most: usize) -> bool {
        let asking = self.asking.standing.len() * 2 > most || self.silent.standing.is_empty();
        let row = if asking { &mut self.asking } else { &mut self.silent };
        let Some(&(count, Reverse(oldest))) = row.ranks.last() else { return false };
        let Some((source, closed)) = row.remove(oldest) else { return false };
        closed.notify_one();
        self.closed += 1;
        if self.told.is_none_or(|told| told.elapsed() >= TOLD) {
            self.told = Some(Instant::now());
            warn!(
                closed = self.closed,
                most_from = %source,
                count,
                "too many connections that are not logged in: the oldest are closed"
            );
            self.closed = 0;
        }
        true
    }
}

impl Row {
    fn add(&mut self, number: u64, source: Source, closed: Arc<Notify>) {
        self.standing.insert(number, (source, closed));
        self.change(source, |numbers| _ = numbers.insert(number));
    }

    fn remove(&mut self, number: u64) -> Option<(Source, Arc<Notify>)> {
        let (source, closed) = self.standing.remove(&number)?;
        self.change(source, |numbers| _ = numbers.remove(&number));
        Some((source, closed))
    }

    /// Changes what a source has, and its rank with it.
    fn change(&mut self, source: Source, change: impl FnOnce(&mut BTreeSet<u64>)) {
        let rank = |numbers: &BTreeSet<u64>| numbers.first().map(|oldest| (numbers.len(), Reverse(*oldest)));
        let numbers = self.of_source.entry(source).or_default();
        if let Some(rank) = rank(numbers) {
            self.ranks.remove(&rank);
        }
        change(numbers);
        match rank(numbers) {
            Some(rank) => _ = self.ranks.insert(rank),
            None => _ = self.of_source.remove(&source),
        }
    }
}

impl Place {
    /// Takes note that the connection has tried to log in.
    pub(super) fn asks(&self) {
        let mut table = self.doorstep.table();
        if let Some((source, closed)) = table.silent.remove(self.number) {
            table.asking.add(self.number, source, closed);
        }
    }

    /// Gives the place back before its end: the connection is logged in.
    pub(super) fn leave(&self) {
        let mut table = self.doorstep.table();
        _ = table.silent.remove(self.number).or_else(|| table.asking.remove(self.number));
    }

    /// Waits until the connection is to be closed.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests;
