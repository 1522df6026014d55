//! Failed logins, remembered for a while: by address, by user, by both.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// In this time, half of what failed is forgotten.
const HALF_LIFE: Duration = Duration::from_secs(60);

/// Failures that slow nothing down.
const FREE: f64 = 3.0;

/// The gap after the last free failure; each further one doubles it.
const GAP: Duration = Duration::from_millis(50);

/// Failures are counted up to here: enough for the longest gap, and soon forgotten.
const WORST: f64 = 10.0;

/// What is remembered at the most; what failed longest ago is forgotten first.
const KEYS: usize = 4096;

/// The failures of each `K`.
#[derive(Debug)]
pub(super) struct Failures<K> {
    longest: Duration,
    known: HashMap<K, Known>,
    by_age: BTreeMap<u64, K>,
    next: u64,
}

#[derive(Debug)]
struct Known {
    /// At `failed`; it fades from then on.
    count: f64,
    failed: Instant,
    /// When the last attempt was let through.
    passed: Instant,
    age: u64,
}

impl<K: Copy + Eq + Hash> Failures<K> {
    /// None yet; gaps grow up to `longest`.
    pub(super) fn new(longest: Duration) -> Failures<K> {
        Failures { longest, known: HashMap::new(), by_age: BTreeMap::new(), next: 0 }
    }

    /// How many there were, the older ones counting less.
    pub(super) fn count(&self, key: &K, now: Instant) -> f64 {
        self.known.get(key).map_or(0.0, |known| known.count(now))
    }

    /// How long after one attempt the next may follow.
    pub(super) fn gap(&self, key: &K, now: Instant) -> Duration {
        let beyond = self.count(key, now) - FREE;
        // Two and a half count as three: the oldest of three has faded a little.
        if beyond < -0.5 { Duration::ZERO } else { GAP.mul_f64(beyond.exp2()).min(self.longest) }
    }

    /// When the next attempt may follow; `None` is at once.
    pub(super) fn ready(&self, key: &K, now: Instant) -> Option<Instant> {
        let gap = self.gap(key, now);
        self.known.get(key).filter(|_| !gap.is_zero()).map(|known| known.passed + gap)
    }

    /// An attempt is let through.
    pub(super) fn pass(&mut self, key: &K, now: Instant) {
        if let Some(known) = self.known.get_mut(key) {
            known.passed = now;
        }
    }

    /// An attempt failed.
    pub(super) fn fail(&mut self, key: K, now: Instant) {
        let age = self.next;
        self.next += 1;
        let known = self.known.entry(key).or_insert(Known { count: 0.0, failed: now, passed: now, age });
        self.by_age.remove(&known.age);
        (known.count, known.failed, known.age) = ((known.count(now) + 1.0).min(WORST), now, age);
        self.by_age.insert(age, key);
        if self.known.len() > KEYS
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.known.remove(&oldest);
        }
    }

    /// All is forgiven.
    pub(super) fn forget(&mut self, key: &K) {
        if let Some(known) = self.known.remove(key) {
            self.by_age.remove(&known.age);
        }
    }
}

impl Known {
    fn count(&self, now: Instant) -> f64 {
        let lives = now.saturating_duration_since(self.failed).div_duration_f64(HALF_LIFE);
        self.count * (-lives).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(1);

    #[test]
    fn three_are_free_and_then_the_gap_doubles_up_to_the_longest() {
        let (mut failures, now) = (Failures::new(LONGEST), Instant::now());
        let gaps: Vec<u128> = (0..10)
            .map(|_| {
                failures.fail("a", now);
                failures.gap(&"a", now).as_millis()
            })
            .collect();
        assert_eq!(gaps, [0, 0, 50, 100, 200, 400, 800, 1000, 1000, 1000]);
        assert_eq!(failures.ready(&"a", now), Some(now + LONGEST));
        assert_eq!((failures.gap(&"b", now), failures.ready(&"b", now)), (Duration::ZERO, None));
    }

    #[test]
    fn failures_fade_and_never_count_for_ever() {
        let (mut failures, now) = (Failures::new(LONGEST), Instant::now());
        (0..1000).for_each(|_| failures.fail("a", now));
        assert_eq!(failures.count(&"a", now), 10.0);
        assert_eq!(failures.count(&"a", now + HALF_LIFE), 5.0);
        assert_eq!(failures.gap(&"a", now + HALF_LIFE).as_millis(), 200);
        assert_eq!(failures.gap(&"a", now + 3 * HALF_LIFE), Duration::ZERO);
        failures.forget(&"a");
        assert_eq!((failures.known.len(), failures.by_age.len()), (0, 0));
    }

    #[test]
    fn memory_is_bounded_and_forgets_what_failed_longest_ago() {
        let (mut failures, now) = (Failures::new(LONGEST), Instant::now());
        failures.fail(0, now);
        for key in 1..3 * KEYS {
            failures.fail(key, now);
            failures.fail(0, now); // again and again
        }
        assert_eq!((failures.known.len(), failures.by_age.len()), (KEYS, KEYS));
        assert!(failures.count(&0, now) > 1.0);
        assert_eq!(failures.count(&1, now), 0.0);
        assert_eq!(failures.count(&(3 * KEYS - 1), now), 1.0);
    }
}
