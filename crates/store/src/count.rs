//! A count of what a home stores, taken name by name while files come and go in it.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};

/// Device and inode of a directory.
pub(crate) type Id = (u64, u64);

/// A name in a directory.
pub(crate) type Spot<'a> = (Id, &'a OsStr);

/// What a walk has counted, corrected by what changes meanwhile: each name counts once, whoever comes to it first.
#[derive(Debug, Default)]
pub(crate) struct Count {
    bytes: u64,
    met: HashMap<Id, Met>,
    /// A directory was moved, perhaps from where the walk was not yet to where it will not come again.
    lost: bool,
}

/// The names of a directory that are counted.
#[derive(Debug)]
enum Met {
    Some(HashSet<OsString>),
    All,
}

impl Count {
    /// Counts a name that the walk came to; `size` is asked only if nobody did before.
    pub(crate) fn meet(&mut self, spot: Spot<'_>, size: impl FnOnce() -> u64) {
        if self.settle(spot) {
            self.bytes = self.bytes.saturating_add(size());
        }
    }

    /// The walk is through with a directory.
    pub(crate) fn end(&mut self, directory: Id) {
        self.met.insert(directory, Met::All);
    }

    /// The name has a file of `bytes` now, in place of one of `freed`.
    pub(crate) fn came(&mut self, spot: Spot<'_>, bytes: u64, freed: u64) {
        self.went(spot, freed);
        self.settle(spot);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// The name is gone, and with it a file of `freed`.
    pub(crate) fn went(&mut self, spot: Spot<'_>, freed: u64) {
        if self.has(spot) {
            self.bytes = self.bytes.saturating_sub(freed);
        }
    }

    /// A file of `bytes` has another name, in place of one of `freed`.
    pub(crate) fn moved(&mut self, from: Spot<'_>, to: Spot<'_>, bytes: u64, freed: u64) {
        self.went(from, bytes);
        self.came(to, bytes, freed);
    }

    /// Something happened that cannot be corrected.
    pub(crate) fn lose(&mut self) {
        self.lost = true;
    }

    /// What was counted, and whether that is right.
    pub(crate) fn outcome(self) -> (u64, bool) {
        (self.bytes, !self.lost)
    }

    fn has(&self, (directory, name): Spot<'_>) -> bool {
        match self.met.get(&directory) {
            None => false,
            Some(Met::Some(names)) => names.contains(name),
            Some(Met::All) => true,
        }
    }

    /// Takes note that the name is counted; whether it was not.
    fn settle(&mut self, (directory, name): Spot<'_>) -> bool {
        match self.met.entry(directory).or_insert_with(|| Met::Some(HashSet::new())) {
            Met::Some(names) => names.insert(name.to_owned()),
            Met::All => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 3] = ["a", "b", "c"];

    /// What happens between two steps of a walk; places are directory and name by number.
    #[derive(Clone, Debug)]
    enum Event {
        Stored((u64, usize), u64),
        Removed((u64, usize)),
        Renamed((u64, usize), (u64, usize)),
        /// The walk goes on.
        Step,
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let place = || (0..4_u64, 0..NAMES.len());
        let event = prop_oneof![
            (place(), 1..100_u64).prop_map(|(place, size)| Event::Stored(place, size)),
            place().prop_map(Event::Removed),
            (place(), place()).prop_map(|(from, to)| Event::Renamed(from, to)),
            Just(Event::Step),
            Just(Event::Step),
        ];
        prop::collection::vec(event, 0..60)
    }

    fn spot((directory, name): (u64, usize)) -> Spot<'static> {
        ((0, directory), OsStr::new(NAMES[name]))
    }

    proptest! {
        #[test]
        fn whatever_changes_meanwhile_each_name_counts_once(before in events(), during in events()) {
            let mut files = BTreeMap::new();
            let mut count = None;
            // Of the directory that the walk is in, the names that it read and has not come to.
            let mut walk = Vec::new();
            let mut directories = 0..4;
            let steps = std::iter::repeat_n(Event::Step, 64);
            for (number, event) in before.iter().chain(&during).cloned().chain(steps).enumerate() {
                if number == before.len() {
                    count = Some(Count::default());
                }
                let mut unseen = Count::default();
                let seen = count.as_mut().unwrap_or(&mut unseen);
                match event {
                    Event::Stored(at, size) => {
                        let freed = files.insert(at, size).unwrap_or(0);
                        seen.came(spot(at), size, freed);
                    }
                    Event::Removed(at) => seen.went(spot(at), files.remove(&at).unwrap_or(0)),
                    Event::Renamed(from, to) if from != to => {
                        let Some(size) = files.remove(&from) else { continue };
                        let freed = files.insert(to, size).unwrap_or(0);
                        seen.moved(spot(from), spot(to), size, freed);
                    }
                    Event::Step if number >= before.len() => match walk.pop() {
                        Some(at) => seen.meet(spot(at), || files.get(&at).copied().unwrap_or(0)),
                        None => {
                            let Some(next) = directories.next() else { continue };
                            walk = files.keys().filter(|at| at.0 == next).copied().collect();
                        }
                    },
                    _ => {}
                }
                if let (true, Some(done)) = (walk.is_empty(), directories.start.checked_sub(1)) {
                    seen.end((0, done));
                }
            }
            prop_assert_eq!(count.unwrap_or_default().outcome(), (files.values().sum(), true));
        }
    }
}
