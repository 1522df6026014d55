//! Turns of many connections on few threads: nobody moves much more than the others before it is their turn.

use tokio::task::yield_now;

/// Bytes moved in a turn. How much a connection could move at once depends on buffers of the system that grow while it is used:
/// the first of many would go on being served first, and a login would wait for megabytes of everybody else's.
const TURN: usize = 128 * 1024;

/// What was moved since others had their turn.
#[derive(Debug, Default)]
pub(super) struct Turn {
    moved: usize,
}

impl Turn {
    /// Counts what was moved, and lets others have their turn after enough of it.
    pub(super) async fn moved(&mut self, bytes: usize) {
        self.moved += bytes;
        if self.moved >= TURN {
            self.moved = 0;
            yield_now().await;
        }
    }
}
