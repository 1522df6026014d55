//! Files that come in parts: who knows the name of one may bring some, over any session of its account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use digest::Algorithm;
use store::{Bringing, Parts, Ranges};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::Refusal;
use super::accounts::Account;
use super::uploads::Upload;

/// How many a session may have at a time.
const OF_A_SESSION: usize = 8;

/// How many an account may have, over all its sessions: each holds three descriptors, which everybody needs.
const OF_AN_ACCOUNT: usize = 64;

/// How many there may be.
const OF_ALL: usize = 256;

/// What one is known by: nobody guesses it.
pub(super) type Name = [u8; 16];

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Assemblies(Mutex<HashMap<Name, Arc<Assembled>>>);

/// A file that comes in parts.
#[derive(Debug)]
pub struct Assembled {
    account: Arc<Account>,
    path: Vec<u8>,
    pub(super) parts: Arc<Parts>,
    upload: Upload,
    /// No part can be brought any more.
    closed: CancellationToken,
}

impl Assembled {
    pub(super) fn new(account: Arc<Account>, path: Vec<u8>, parts: Parts, upload: Upload) -> Assembled {
        Assembled { account, path, parts: Arc::new(parts), upload, closed: CancellationToken::new() }
    }

    /// The path as it was asked for, for a log.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.parts.size()
    }

    /// Bytes that parts brought.
    pub fn brought(&self) -> u64 {
        self.parts.brought()
    }

    /// Begins to bring the blocks of `parts`; `None` if they go beyond the end.
    pub fn bring(&self, parts: &Ranges, algorithm: Algorithm) -> Option<Bringing> {
        self.parts.bring(parts, algorithm)
    }

    /// The upload that it is.
    pub fn upload(&self) -> &Upload {
        &self.upload
    }

    /// Waits until no part can be brought any more.
    pub async fn is_closed(&self) {
        self.closed.cancelled().await;
    }

    pub(super) fn close(&self) {
        self.closed.cancel();
    }

    /// Gives it up. Blocks.
    pub(super) fn leave(&self) {
        self.close();
        self.parts.leave();
        self.upload.end();
    }
}

impl Assemblies {
    /// The one of that name, for an account whose it is.
    pub(super) fn find(&self, name: &Name, account: &Account) -> Result<Arc<Assembled>, Refusal> {
        let found = self.all().get(name).cloned();
        // Since it logged in, the account may have come to another home.
        let own = |assembled: &Arc<Assembled>| {
            let owner = &assembled.account;
            owner.name == account.name && Arc::ptr_eq(&owner.home, &account.home)
        };
        found.filter(own).ok_or(Refusal::NotAssembling)
    }

    /// Takes the one of that name away: whoever does settles what becomes of it.
    pub(super) fn take(&self, name: &Name, account: &Account) -> Result<Arc<Assembled>, Refusal> {
        self.find(name, account)?;
        let taken = self.remove(name).ok_or(Refusal::NotAssembling)?;
        taken.close();
        Ok(taken)
    }

    fn remove(&self, name: &Name) -> Option<Arc<Assembled>> {
        self.all().remove(name)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Name, Arc<Assembled>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those that one session began, and that end with it.
#[derive(Debug)]
pub(super) struct Own {
    all: Arc<Assemblies>,
    mine: Vec<Name>,
}

impl Own {
    pub(super) fn new(all: Arc<Assemblies>) -> Own {
        Own { all, mine: Vec::new() }
    }

    pub(super) fn all(&self) -> &Assemblies {
        &self.all
    }

    /// Whether there is place for one more of `account`. Sessions that ask at the same time may come to have one each beyond it.
    pub(super) fn check(&mut self, account: &Account) -> Result<(), Refusal> {
        let all = self.all.all();
        self.mine.retain(|name| all.contains_key(name));
        let of_account = || all.values().filter(|one| one.account.name == account.name).count();
        let full = self.mine.len() >= OF_A_SESSION || all.len() >= OF_ALL || of_account() >= OF_AN_ACCOUNT;
        if full { Err(Refusal::TooManyAssemblies) } else { Ok(()) }
    }

    /// Whether there is any left.
    pub(super) fn is_any(&self) -> bool {
        !self.mine.is_empty() && self.mine.iter().any(|name| self.all.all().contains_key(name))
    }

    /// Names one. If somebody else is to go on with the upload, it is given up.
    pub(super) fn begin(&mut self, assembled: Assembled) -> Result<Name, Refusal> {
        let mut name = Name::default();
        SystemRandom::new().fill(&mut name).map_err(|_| Refusal::Failed)?;
        let (assembled, all) = (Arc::new(assembled), self.all.clone());
        all.all().insert(name, assembled.clone());
        self.mine.push(name);
        tokio::spawn(async move {
            tokio::select! {
                () = assembled.upload.is_to_leave() => {
                    if all.remove(&name).is_some() {
                        drop(tokio::task::spawn_blocking(move || assembled.leave()));
                    }
                }
                () = assembled.closed.cancelled() => {}
            }
        });
        Ok(name)
    }

    /// Takes away all that are left.
    pub(super) fn take(&mut self) -> Vec<Arc<Assembled>> {
        self.mine.drain(..).filter_map(|name| self.all.remove(&name)).collect()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let left = self.take();
        if left.is_empty() {
            return;
        }
        let leave = move || left.iter().for_each(|assembled| assembled.leave());
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(leave)),
            Err(_) => leave(),
        }
    }
}
