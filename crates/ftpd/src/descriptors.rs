//! File descriptors: as many as the system grants.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// Raises the soft limit of open descriptors to the hard one (getrlimit(2)). The soft one is often 1024, for the sake of
/// programs that use select(2).
pub(crate) fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        warn!(%error, current, "the limit of open files cannot be raised");
    }
}
