//! How many sessions may live at once, in all and from one address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Refusal;
use super::source::Source;
use crate::config::Limits;

/// Counts the living sessions. Its table holds a source only while a session from it lives.
#[derive(Debug, Default)]
pub(super) struct Admission(Mutex<Living>);

#[derive(Debug, Default)]
struct Living {
    total: usize,
    of_source: HashMap<Source, usize>,
}

/// The right of one session to live; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Permit {
    admission: Arc<Admission>,
    source: Source,
}

impl Admission {
    /// Whether there is a place for one more session.
    pub(super) fn check(&self, source: Source, limits: &Limits) -> Result<(), Refusal> {
        self.living().check(source, limits)
    }

    /// A place for one more session.
    pub(super) fn admit(self: &Arc<Admission>, source: Source, limits: &Limits) -> Result<Permit, Refusal> {
        let mut living = self.living();
        living.check(source, limits)?;
        living.total += 1;
        *living.of_source.entry(source).or_default() += 1;
        Ok(Permit { admission: self.clone(), source })
    }

    fn living(&self) -> MutexGuard<'_, Living> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Living {
    fn check(&self, source: Source, limits: &Limits) -> Result<(), Refusal> {
        let here = self.of_source.get(&source).copied().unwrap_or(0);
        if here >= limits.sessions_per_address || self.total >= limits.sessions {
            return Err(Refusal::TooManySessions);
        }
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut living = self.admission.living();
        living.total -= 1;
        match living.of_source.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(living.of_source.remove(&self.source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn places_are_bounded_in_all_and_per_address_and_come_back() {
        let limits = Limits { sessions: 3, sessions_per_address: 2, ..Limits::default() };
        let admission = Arc::new(Admission::default());
        let [a, b, c] = ["127.0.0.1", "127.0.0.2", "::ffff:127.0.0.1"]
            .map(|ip| Source::from(ip.parse::<IpAddr>().unwrap()));
        let first = admission.admit(a, &limits).unwrap();
        let _second = admission.admit(c, &limits).unwrap();
        assert!(admission.admit(a, &limits).is_err(), "both spellings are one address");
        assert!(admission.check(a, &limits).is_err() && admission.check(b, &limits).is_ok());
        let third = admission.admit(b, &limits).unwrap();
        assert!(admission.admit(b, &limits).is_err(), "three in all");
        assert!(admission.admit(b, &Limits { sessions: 4, ..limits }).is_ok(), "as the limits are now");
        drop(first);
        drop(third);
        let _fourth = admission.admit(a, &limits).unwrap();
        let living = admission.living();
        assert_eq!(
            (living.total, living.of_source.len()),
            (2, 1),
            "an address without a session is forgotten"
        );
    }
}
