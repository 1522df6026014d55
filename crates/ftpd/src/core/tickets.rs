//! Words that let somebody in who is in already: a client that wants several connections need not have its password hashed for
//! each.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use store::HomePath;
use tokio::time::Instant;

use super::Refusal;
use super::accounts::Account;

/// For how long a ticket lets somebody in.
pub(super) const LASTS: Duration = Duration::from_secs(60);

/// Tickets of one session that are out at a time.
const OF_A_SESSION: usize = 32;

/// Tickets of one account that are out at a time, so that it leaves some to the others.
const OF_AN_ACCOUNT: usize = 1024;

/// Tickets of all sessions that are out at a time.
const OF_ALL: usize = 4096;

/// What is kept of a ticket: the SHA-256 of its word. Whoever reads the memory learns no word from it.
type Tag = [u8; 32];

/// Tickets that are out.
#[derive(Debug, Default)]
pub(super) struct Tickets(Mutex<HashMap<Tag, Given>>);

/// What a ticket stands for.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) account: Arc<Account>,
    pub(super) directory: HomePath,
    address: IpAddr,
    until: Instant,
}

/// A session, as far as it gives tickets: those that are out end with it.
#[derive(Debug)]
pub(super) struct Giver {
    tickets: Arc<Tickets>,
    address: IpAddr,
    given: Vec<Tag>,
}

impl Tickets {
    /// What the ticket with this word stands for, if it may be used from `address`. Whatever comes of it, it is used up.
    pub(super) fn take(&self, word: &[u8; 32], address: IpAddr) -> Option<Given> {
        let given = self.out().remove(&tag(word))?;
        (given.address == address.to_canonical() && given.until > Instant::now()).then_some(given)
    }

    fn out(&self) -> MutexGuard<'_, HashMap<Tag, Given>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Giver {
    /// A session from `address`, which has given none yet.
    pub(super) fn new(tickets: Arc<Tickets>, address: IpAddr) -> Giver {
        Giver { tickets, address: address.to_canonical(), given: Vec::new() }
    }

    /// Gives a ticket to `account`, as it stands in `directory`: its word.
    ///
    /// # Errors
    /// [`Refusal::TooManyTickets`]; [`Refusal::Failed`], if the system has no randomness.
    pub(super) fn give(&mut self, account: &Arc<Account>, directory: &HomePath) -> Result<[u8; 32], Refusal> {
        let now = Instant::now();
        let mut out = self.tickets.out();
        self.given.retain(|tag| match out.get(tag) {
            Some(given) if given.until > now => true,
            Some(_) => out.remove(tag).is_none(),
            None => false,
        });
        if out.len() >= OF_AN_ACCOUNT {
            out.retain(|_, given| given.until > now);
        }
        let of_account = || out.values().filter(|given| given.account.name == account.name).count();
        if self.given.len() >= OF_A_SESSION || out.len() >= OF_ALL || of_account() >= OF_AN_ACCOUNT {
            return Err(Refusal::TooManyTickets);
        }
        let mut word = [0; 32];
        aws_lc_rs::rand::fill(&mut word).map_err(|_| Refusal::Failed)?;
        let (account, directory) = (account.clone(), directory.clone());
        let given = Given { account, directory, address: self.address, until: now + LASTS };
        self.given.push(tag(&word));
        out.insert(tag(&word), given);
        Ok(word)
    }
}

impl Drop for Giver {
    fn drop(&mut self) {
        if self.given.is_empty() {
            return;
        }
        let mut out = self.tickets.out();
        self.given.iter().for_each(|tag| drop(out.remove(tag)));
    }
}

fn tag(word: &[u8; 32]) -> Tag {
    digest(&SHA256, word).as_ref().try_into().expect("a SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests;
