//! A plain MD5 computed while a file comes in, as long as it keeps up: one stream of it is slower than a fast wire.

use std::time::{Duration, Instant};

use digest::{Digest, PlainMd5};

/// Bytes of a file whose digest is worth a wait.
const SMALL: u64 = 4 * 1024 * 1024;

/// A digest on its way.
#[derive(Debug)]
pub(crate) struct Alongside {
    digest: PlainMd5,
    bytes: u64,
    began: Instant,
    spent: Duration,
}

impl Alongside {
    pub(crate) fn new() -> Alongside {
        Alongside { digest: PlainMd5::new(), bytes: 0, began: Instant::now(), spent: Duration::ZERO }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let began = Instant::now();
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.spent += began.elapsed();
    }

    /// Whether most of the time goes to the digest: then it is what the sender waits for.
    pub(crate) fn holds_up(&self) -> bool {
        self.bytes > SMALL && self.spent * 2 > self.began.elapsed()
    }

    pub(crate) fn finish(self) -> Digest {
        self.digest.finish()
    }
}
