//! One direction of a link, as a model: what becomes of a packet that comes at a moment. It knows no sockets and no clock.

use std::time::{Duration, Instant};

use super::given::Given;
use crate::Chance;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives then.
    Arrives(Instant),
    /// The queue is full.
    Full,
    /// It was on the wire, and took its time there.
    Lost,
}

/// A queue that takes what comes until it is full (drop tail), and a wire behind it.
///
/// The wire is a token bucket that holds one packet: each takes it for as long as its bytes do, and the next one waits.
#[derive(Debug)]
pub(super) struct Lane {
    given: Given,
    chance: Chance,
    /// When the wire has sent all that waits.
    free: Instant,
}

impl Lane {
    /// An empty one. The same `seed` loses the same packets.
    pub(super) fn new(given: Given, seed: u64) -> Lane {
        Lane { given, chance: Chance::of_round(seed, 0), free: Instant::now() }
    }

    /// Takes a packet that comes `now`. What arrives does so in the order in which it came.
    pub(super) fn take(&mut self, now: Instant, bytes: usize) -> Fate {
        let start = self.free.max(now);
        let waiting = (start - now).as_secs_f64() * self.given.rate;
        if waiting + bytes as f64 > self.given.queue() as f64 {
            return Fate::Full;
        }
        self.free = start + Duration::from_secs_f64(bytes as f64 / self.given.rate);
        if self.chance.fraction() < self.given.loss {
            return Fate::Lost;
        }
        Fate::Arrives(self.free + self.given.delay)
    }
}
