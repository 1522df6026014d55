//! What one connection to a server teaches the next: whether TLS 1.3 has tickets enough.
//!
//! Some servers want every data connection to resume the session of the control connection. In TLS 1.3 that takes a ticket each
//! time (RFC 8446, appendix C.4), and rustls uses none twice; proftpd hands out two, and no new one with an upload. A session of
//! TLS 1.2 is resumed as often as one likes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is known of a server; every copy knows the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learnt {
    short_of_tickets: Arc<AtomicBool>,
}

impl Learnt {
    /// The server gives no data to whoever has no ticket left.
    pub(super) fn note_shortage(&self) {
        self.short_of_tickets.store(true, Ordering::Relaxed);
    }

    /// The server has nothing older than TLS 1.3, and is called again as often as its tickets run out.
    pub(super) fn forget_shortage(&self) {
        self.short_of_tickets.store(false, Ordering::Relaxed);
    }

    /// What to offer to the server.
    pub(super) fn versions(&self) -> Versions {
        if self.short_of_tickets.load(Ordering::Relaxed) { Versions::Older } else { Versions::All }
    }
}

/// Versions of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Versions {
    /// 1.3, and 1.2, which is all that many servers know.
    All,
    /// 1.2 alone.
    Older,
}
