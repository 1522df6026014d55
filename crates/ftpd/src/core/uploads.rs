//! Uploads that are on their way and whose blocks are kept: whoever comes back after a lost connection meets the session that it
//! lost, which may not know of it yet.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use store::HomePath;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a session that moves nothing may go on holding an upload that its own user asks for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whose upload, and to where.
type Key = (String, HomePath);

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Uploads(Mutex<HashMap<Key, Arc<State>>>);

#[derive(Debug, Default)]
struct State {
    moved: AtomicU64,
    /// Somebody else is to go on with it.
    leave: CancellationToken,
    /// It is over, and its stage is let go.
    gone: CancellationToken,
}

/// An upload on its way; over when dropped.
#[derive(Debug)]
pub struct Upload {
    uploads: Arc<Uploads>,
    key: Key,
    state: Arc<State>,
}

impl Uploads {
    /// Notes an upload. While there is another one of the same file, that is the one that others meet.
    pub(super) fn begin(self: &Arc<Uploads>, user: &str, path: HomePath) -> Upload {
        let (key, state) = ((user.to_owned(), path), Arc::<State>::default());
        self.all().entry(key.clone()).or_insert_with(|| state.clone());
        Upload { uploads: self.clone(), key, state }
    }

    /// Waits until nobody is at an upload, and has a session leave it that moves nothing. Whether nobody is.
    pub(super) async fn free(&self, user: &str, path: &HomePath) -> bool {
        let state = self.all().get(&(user.to_owned(), path.clone())).cloned();
        let Some(state) = state else { return true };
        let moved = state.moved.load(Ordering::Relaxed);
        if timeout(PATIENCE, state.gone.cancelled()).await.is_ok() {
            return true;
        }
        if state.moved.load(Ordering::Relaxed) != moved {
            return false;
        }
        state.leave.cancel();
        timeout(PATIENCE, state.gone.cancelled()).await.is_ok()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, Arc<State>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload {
    /// Notes that something came.
    pub fn moves(&self) {
        self.state.moved.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until somebody else is to go on with it.
    pub async fn is_to_leave(&self) {
        self.state.leave.cancelled().await;
    }
}

impl Upload {
    /// It is over, and its stage is let go.
    pub(super) fn end(&self) {
        let mut all = self.uploads.all();
        if all.get(&self.key).is_some_and(|state| Arc::ptr_eq(state, &self.state)) {
            all.remove(&self.key);
        }
        drop(all);
        self.state.gone.cancel();
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> HomePath {
        HomePath::root().resolve(b"file").unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_silent_leaves_and_who_moves_stays() {
        let uploads = Arc::new(Uploads::default());
        assert!(uploads.free("alice", &path()).await);
        let silent = uploads.begin("alice", path());
        assert!(uploads.free("bob", &path()).await, "of others, nobody hears");
        let left = tokio::spawn(async move { silent.is_to_leave().await });
        assert!(uploads.free("alice", &path()).await);
        left.await.unwrap();
        let busy = uploads.begin("alice", path());
        let file = path();
        let moving = async {
            loop {
                busy.moves();
                tokio::time::sleep(PATIENCE / 4).await;
            }
        };
        tokio::select! {
            free = uploads.free("alice", &file) => assert!(!free),
            () = moving => {}
        }
        drop(busy);
        assert!(uploads.free("alice", &path()).await && uploads.all().is_empty());
    }

    #[tokio::test]
    async fn a_second_one_takes_no_name_from_the_first() {
        let uploads = Arc::new(Uploads::default());
        let first = uploads.begin("alice", path());
        drop(uploads.begin("alice", path()));
        assert_eq!(uploads.all().len(), 1);
        drop(first);
        assert!(uploads.all().is_empty());
    }
}
