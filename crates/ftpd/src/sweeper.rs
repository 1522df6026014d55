//! Walks through the homes: what has to be known before anybody is served, and all the rest meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify as Signal;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval_at};
use tracing::info;

use crate::core::Core;
use crate::notify::Notify;

/// How often a supervisor hears that the server is still about to start.
const WORD: Duration = Duration::from_secs(20);

/// Counts what homes with quotas hold: a quota that knew nothing of it would let everything in.
pub(crate) async fn before_serving(core: &Arc<Core>, supervisor: &Notify) {
    let counting = core.clone();
    let mut counted = spawn_blocking(move || counting.count());
    let mut word = interval_at(Instant::now() + WORD, WORD);
    loop {
        tokio::select! {
            _ = &mut counted => return,
            _ = word.tick() => supervisor.starting("counting what homes with a quota hold", WORD * 3),
        }
    }
}

/// Sweeps what no quota waited for; and whenever that is `wanted`, the homes that came since, and counts again, so that quotas
/// learn what others did in the homes.
pub(crate) async fn while_serving(core: Arc<Core>, wanted: Arc<Signal>) {
    let sweeping = core.clone();
    if spawn_blocking(move || sweeping.sweep()).await.is_ok() {
        info!("homes swept");
    }
    loop {
        wanted.notified().await;
        let core = core.clone();
        let again = spawn_blocking(move || {
            core.sweep();
            core.count();
        });
        _ = again.await; // a panic is in the log, and the next one may do better
    }
}
