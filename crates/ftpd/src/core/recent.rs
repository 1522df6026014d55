//! A password that was right a moment ago: whoever logs in again and again, as scripts and clients with several connections do, need
//! not be hashed for each time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key, Tag};
use aws_lc_rs::rand::SystemRandom;
use secrecy::{ExposeSecret, SecretString};

use crate::password::{self, Hash};

/// How long after its hash was computed a password is known.
const KNOWN: Duration = Duration::from_secs(600);

/// The last right password of one account, as a tag (HMAC, RFC 2104) under a key that nobody has but this process.
///
/// It spares a right password its hash and nothing else: a wrong one takes as long as ever, and either waits its turn.
#[derive(Debug)]
pub(super) struct Recent {
    key: Option<Key>,
    seen: Mutex<Option<(Tag, Instant)>>,
}

impl Recent {
    pub(super) fn new() -> Recent {
        // Without randomness, nothing is known again.
        Recent { key: Key::generate(HMAC_SHA256, &SystemRandom::new()).ok(), seen: Mutex::default() }
    }

    /// Whether `password` is the one that was hashed.
    pub(super) fn verify(&self, password: &SecretString, hash: &Hash) -> bool {
        self.knows(password, Instant::now()) || password::verify(password, hash) && self.learn(password)
    }

    fn knows(&self, password: &SecretString, now: Instant) -> bool {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match (&self.key, seen) {
            (Some(key), Some((tag, when))) if now.duration_since(when) < KNOWN => {
                hmac::verify(key, password.expose_secret().as_bytes(), tag.as_ref()).is_ok()
            }
            _ => false,
        }
    }

    fn learn(&self, password: &SecretString) -> bool {
        if let Some(key) = &self.key {
            let tag = hmac::sign(key, password.expose_secret().as_bytes());
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((tag, Instant::now()));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::tests::cheap_text;

    #[test]
    fn only_the_right_password_is_known_and_only_for_a_while() {
        let hash = Hash::parse(&cheap_text(b"right")).unwrap();
        let other = Hash::parse(&cheap_text(b"other")).unwrap();
        let recent = Recent::new();
        assert!(!recent.verify(&"wrong".into(), &hash));
        assert!(!recent.knows(&"wrong".into(), Instant::now()), "what was wrong is not learnt");
        assert!(recent.verify(&"right".into(), &hash));
        assert!(recent.verify(&"right".into(), &other), "known: nothing is hashed");
        for wrong in ["wrong", "", "righ", "rightt", "other"] {
            assert!(!recent.verify(&wrong.into(), &hash), "{wrong}");
        }
        let now = Instant::now();
        assert!(recent.knows(&"right".into(), now));
        assert!(!recent.knows(&"right".into(), now + KNOWN));
    }

    #[test]
    fn what_is_shown_of_it_tells_nothing() {
        let recent = Recent::new();
        assert!(recent.learn(&"hunter2".into()));
        assert!(!format!("{recent:?}").contains("hunter2"));
    }
}
