//! Verified blocks to standard output.

use std::io::Write;

use digest::{Algorithm, Blocks, Digest, Root};
use tokio::task::spawn_blocking;

use crate::failure::{Code, Failure};

/// Standard output, and the root of what went there.
pub(super) struct Output {
    algorithm: Algorithm,
    root: Root,
}

impl Output {
    pub(super) fn new(algorithm: Algorithm) -> Output {
        Output { algorithm, root: Root::new(algorithm) }
    }

    /// Verifies blocks, then writes them; gives the buffer back.
    pub(super) async fn write(&mut self, blocks: Blocks) -> Result<Blocks, Failure> {
        let algorithm = self.algorithm;
        let written = spawn_blocking(move || {
            if !blocks.verify(algorithm) {
                return Err(unverified());
            }
            let mut out = std::io::stdout().lock();
            let wrote = blocks.slices().try_for_each(|block| out.write_all(block)).and_then(|()| out.flush());
            wrote.map(|()| blocks).map_err(|error| Failure::of_output(&error))
        });
        let blocks = written.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        blocks.digests().iter().for_each(|digest| self.root.push(digest));
        Ok(blocks)
    }

    /// The root, if it is what the server says; `None` if it says that the file has another size.
    pub(super) fn finish(self, stated: Option<Digest>) -> Result<Digest, Failure> {
        stated.filter(|stated| *stated == self.root.value()).ok_or_else(unverified)
    }
}

fn unverified() -> Failure {
    Failure::new(Code::NotVerified, "what arrived is not what was sent").with_remedy("Try again.")
}
