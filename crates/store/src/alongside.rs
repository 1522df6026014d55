//! A plain MD5 computed while a file comes in, as long as it keeps up: one stream of it is slower than a fast wire.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use digest::{Digest, PlainMd5};

/// Bytes of a file whose digest is worth a wait.
const SMALL: u64 = 4 * 1024 * 1024;

/// Digests of larger files that are computed at once, in the whole process: others need the cores, too.
const AT_ONCE: usize = 2;

static LARGER: AtomicUsize = AtomicUsize::new(0);

/// A digest on its way.
#[derive(Debug)]
pub(crate) struct Alongside {
    digest: PlainMd5,
    bytes: u64,
    began: Instant,
    spent: Duration,
    larger: Option<Larger>,
}

/// One of those that may be computed at once; given back when dropped.
#[derive(Debug)]
struct Larger;

impl Larger {
    fn take() -> Option<Larger> {
        let taken = LARGER.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            Some(taken + 1).filter(|&more| more <= AT_ONCE)
        });
        taken.is_ok().then(|| Larger) // made only then: its drop counts
    }
}

impl Drop for Larger {
    fn drop(&mut self) {
        LARGER.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Alongside {
    pub(crate) fn new() -> Alongside {
        Alongside {
            digest: PlainMd5::new(),
            bytes: 0,
            began: Instant::now(),
            spent: Duration::ZERO,
            larger: None,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let began = Instant::now();
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.spent += began.elapsed();
    }

    /// Whether others wait for the digest: the sender, when a good part of the time goes to it, or those who need the cores.
    pub(crate) fn holds_up(&mut self) -> bool {
        if self.bytes <= SMALL {
            return false;
        }
        if self.larger.is_none() {
            self.larger = Larger::take();
        }
        self.larger.is_none() || self.spent * 4 > self.began.elapsed()
    }

    pub(crate) fn finish(self) -> Digest {
        self.digest.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_have_their_digest_and_only_some_of_many_larger_ones() {
        let (mut small, mut large): (Vec<Alongside>, Vec<Alongside>) =
            (0..2 * AT_ONCE).map(|_| (Alongside::new(), Alongside::new())).unzip();
        for digest in &mut small {
            digest.bytes = SMALL;
            assert!(!digest.holds_up());
        }
        for digest in &mut large {
            digest.bytes = SMALL + 1;
            digest.began -= Duration::from_secs(60);
            digest.spent = Duration::from_secs(1);
        }
        assert_eq!(large.iter_mut().filter_map(|digest| digest.holds_up().then_some(())).count(), AT_ONCE);
        large.truncate(1);
        assert!(
            !Alongside { bytes: SMALL + 1, ..Alongside::new() }.holds_up(),
            "their places are free again"
        );
        large[0].spent = Duration::from_secs(16);
        assert!(large[0].holds_up(), "most of the time goes to it");
    }
}
