//! Who has connected and is not logged in: bounded, and never full for a newcomer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::warn;

use super::failures::Failures;
use super::source::Source;

/// How often the log is told that connections are being closed.
const TOLD: Duration = Duration::from_secs(10);

/// Connections that are not logged in. Of one too many, the source with the most loses its oldest, so that a flood from one
/// address closes its own; of sources with as many, the one from which the most came lately and went without a login. A flood
/// from many closes what has asked for nothing before it closes what waits for the answer to its login, as long as those take
/// no more than half of the places.
#[derive(Debug)]
pub(super) struct Doorstep(Mutex<Table>);

#[derive(Debug)]
struct Table {
    next: u64,
    /// Those that have not tried to log in.
    silent: Row,
    /// Those that have.
    asking: Row,
    /// Connections that ended without a login.
    vain: Failures<Source>,
    closed: u64,
    told: Option<Instant>,
}

/// Connections by number, which is their order of arrival.
#[derive(Debug, Default)]
struct Row {
    standing: BTreeMap<u64, (Source, Arc<Notify>)>,
    of_source: HashMap<Source, (Rank, BTreeSet<u64>)>,
    /// The rank of each source: the last of these is the next that one has to go from.
    ranks: BTreeSet<Rank>,
}

/// How many connections a source has, how many sixteenths of one ended lately without a login, and which is its oldest.
type Rank = (usize, u64, Reverse<u64>);

/// The place of one connection; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    doorstep: Arc<Doorstep>,
    number: u64,
    closed: Arc<Notify>,
}

impl Default for Doorstep {
    fn default() -> Doorstep {
        Doorstep(Mutex::new(Table {
            next: 0,
            silent: Row::default(),
            asking: Row::default(),
            vain: Failures::new(Duration::ZERO), // only counted
            closed: 0,
            told: None,
        }))
    }
}

impl Doorstep {
    /// A place for one more, of `most` in all; another one may have to go.
    pub(super) fn enter(self: &Arc<Doorstep>, source: Source, most: usize) -> Place {
        let closed = Arc::new(Notify::new());
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        while table.len() >= most && table.close_one(most) {}
        table.add(number, source, closed.clone(), false);
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

    fn add(&mut self, number: u64, source: Source, closed: Arc<Notify>, asking: bool) {
        let vain = self.vain.count(&source, Instant::now());
        let row = if asking { &mut self.asking } else { &mut self.silent };
        row.standing.insert(number, (source, closed));
        row.change(source, vain, |numbers| _ = numbers.insert(number));
    }

    fn remove(&mut self, number: u64) -> Option<(Source, Arc<Notify>)> {
        let row =
            if self.silent.standing.contains_key(&number) { &mut self.silent } else { &mut self.asking };
        let (source, closed) = row.standing.remove(&number)?;
        let vain = self.vain.count(&source, Instant::now());
        row.change(source, vain, |numbers| _ = numbers.remove(&number));
        Some((source, closed))
    }

    /// Takes note of one that ends without a login.
    fn remove_in_vain(&mut self, number: u64) -> Option<(Source, Arc<Notify>)> {
        let removed = self.remove(number)?;
        self.vain.fail(removed.0, Instant::now());
        Some(removed)
    }

    /// Has the next to go closed; whether there was one.
    fn close_one(&mut self, most: usize) -> bool {
        let asking = self.asking.standing.len() * 2 > most || self.silent.standing.is_empty();
        let row = if asking { &self.asking } else { &self.silent };
        let Some(&(count, _, Reverse(oldest))) = row.ranks.last() else { return false };
        let Some((source, closed)) = self.remove_in_vain(oldest) else { return false };
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
    /// Changes what a source has, and its rank with it.
    fn change(&mut self, source: Source, vain: f64, change: impl FnOnce(&mut BTreeSet<u64>)) {
        let (_, mut numbers) = match self.of_source.remove(&source) {
            Some((rank, numbers)) => (self.ranks.remove(&rank), numbers),
            None => Default::default(),
        };
        change(&mut numbers);
        if let Some(oldest) = numbers.first() {
            let rank = (numbers.len(), (vain * 16.0) as u64, Reverse(*oldest));
            self.ranks.insert(rank);
            self.of_source.insert(source, (rank, numbers));
        }
    }
}

impl Place {
    /// Takes note that the connection has tried to log in. How many from its source went lately without a login.
    pub(super) fn asks(&self, source: Source) -> f64 {
        let mut table = self.doorstep.table();
        if table.silent.standing.contains_key(&self.number)
            && let Some((source, closed)) = table.remove(self.number)
        {
            table.add(self.number, source, closed, true);
        }
        table.vain.count(&source, Instant::now())
    }

    /// Gives the place back before its end: the connection is logged in.
    pub(super) fn leave(&self) {
        self.doorstep.table().remove(self.number);
    }

    /// Waits until the connection is to be closed.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.doorstep.table().remove_in_vain(self.number);
    }
}

#[cfg(test)]
mod tests;
