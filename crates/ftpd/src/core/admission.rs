//! How many sessions may live at once, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::Refusal;
use crate::config::Limits;

/// Counts the living sessions. Its table holds an address only while a session from it lives.
#[derive(Debug, Default)]
pub(super) struct Admission {
    living: Mutex<HashMap<IpAddr, usize>>,
}

/// The right of one session to live; dropping it gives the place back.
#[derive(Debug)]
pub struct Permit {
    admission: Arc<Admission>,
    address: IpAddr,
}

impl Admission {
    /// A place for a session from `address`, an IPv4 address written as IPv6 being the same as itself.
    pub(super) fn admit(self: &Arc<Admission>, address: IpAddr, limits: &Limits) -> Result<Permit, Refusal> {
        let address = address.to_canonical();
        let mut living = self.living.lock().unwrap_or_else(PoisonError::into_inner);
        let here = living.get(&address).copied().unwrap_or(0);
        if here >= limits.sessions_per_address || living.values().sum::<usize>() >= limits.sessions {
            return Err(Refusal::TooManySessions);
        }
        living.insert(address, here + 1);
        Ok(Permit { admission: self.clone(), address })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut living = self.admission.living.lock().unwrap_or_else(PoisonError::into_inner);
        match living.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(living.remove(&self.address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_in_all_and_per_address_and_come_back() {
        let limits = Limits { sessions: 3, sessions_per_address: 2, ..Limits::default() };
        let admission = Arc::new(Admission::default());
        let [a, b, c]: [IpAddr; 3] =
            ["127.0.0.1", "127.0.0.2", "::ffff:127.0.0.1"].map(|ip| ip.parse().unwrap());
        let first = admission.admit(a, &limits).unwrap();
        let _second = admission.admit(c, &limits).unwrap();
        assert!(admission.admit(a, &limits).is_err(), "both spellings are one address");
        let third = admission.admit(b, &limits).unwrap();
        assert!(admission.admit(b, &limits).is_err(), "three in all");
        drop(first);
        drop(third);
        let _fourth = admission.admit(a, &limits).unwrap();
        assert_eq!(admission.living.lock().unwrap().len(), 1, "an address without a session is forgotten");
    }
}
