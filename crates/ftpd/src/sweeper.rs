//! Walks through the homes: what has to be known before anybody is served, and all the rest meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify as Signal;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval_at, timeout};
use tracing::info;

use crate::core::Core;
use crate::notify::Notify;

/// How often a supervisor hears that the server is still about to start.
const WORD: Duration = Duration::from_secs(20);

/// How seldom what was kept of uploads is looked at, however long it is kept.
const SELDOM: Duration = Duration::from_secs(6 * 3600);

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
        let core = core.clone();
        // What is kept lives a quarter longer than it must.
        let keep = core.limits().keep_uploads;
        let next = (keep / 4).clamp(Duration::from_secs(1), SELDOM);
        let asked = timeout(next, wanted.notified()).await.is_ok();
        let again = spawn_blocking(move || {
            if asked {
                core.sweep();
                core.count();
            } else {
                core.sweep_kept();
            }
        });
        _ = again.await; // a panic is in the log, and the next one may do better
    }
}
