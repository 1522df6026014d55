//! Permission and meaning: who is in, what they may do, in which directory they stand. Knows no protocol and no door.

mod accounts;
mod admission;
mod refusal;
mod session;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use secrecy::SecretString;
use tokio::sync::Semaphore;

use crate::config::{Config, Limits};
use crate::password;
use accounts::{Accounts, Homes};

pub use accounts::Unopened;
pub use admission::Permit;
pub use refusal::Refusal;
pub use session::Session;

/// What every session shares.
#[derive(Debug)]
pub struct Core {
    rules: RwLock<Arc<Rules>>,
    /// Held by who puts other rules in place: two at once would each keep homes that the other lets go.
    reloading: Mutex<()>,
    admission: Arc<admission::Admission>,
    hashing: Arc<Semaphore>,
}

/// What users.toml says to the core: put in place whole, seen whole.
#[derive(Debug)]
struct Rules {
    accounts: Accounts,
    limits: Limits,
}

/// What other rules brought.
#[derive(Debug)]
pub struct Reloaded {
    /// Users that there were not before, by name.
    pub added: Vec<String>,
    /// Users that there are no more.
    pub removed: Vec<String>,
    opened: Homes,
}

impl Reloaded {
    /// How many homes were opened.
    pub fn homes(&self) -> usize {
        self.opened.len()
    }

    /// What [`Core::sweep`] does, in the homes that were opened. Blocks.
    pub fn sweep(&self) {
        self.opened.sweep();
    }
}

impl Core {
    /// Opens the homes of all accounts.
    ///
    /// # Errors
    /// The first home that cannot be opened, with its user and the reason.
    pub fn new(config: &Config) -> Result<Core, Unopened> {
        let (accounts, _) = Accounts::open(config, &Accounts::default())?;
        let limits = config.limits;
        Ok(Core {
            rules: RwLock::new(Arc::new(Rules { accounts, limits })),
            reloading: Mutex::default(),
            admission: Arc::default(),
            hashing: Arc::new(Semaphore::new(limits.password_hashes)),
        })
    }

    /// Puts the users and limits of `config` in place of those there are, all at once, for whoever logs in from now on.
    ///
    /// Sessions that run go on as they began, with their home and their access, also when their user has another password now
    /// or is gone: to end them is to start the server again. A home that stays the same directory with the same quota stays
    /// open. Blocks on the disk.
    ///
    /// # Errors
    /// The first home that cannot be opened; then all is as it was.
    pub fn reload(&self, config: &Config) -> Result<Reloaded, Unopened> {
        let _one_by_one = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.rules();
        let (accounts, opened) = Accounts::open(config, &old.accounts)?;
        let (added, removed) = (accounts.beyond(&old.accounts), old.accounts.beyond(&accounts));
        let rules = Arc::new(Rules { accounts, limits: config.limits });
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
        Ok(Reloaded { added, removed, opened })
    }

    fn rules(&self) -> Arc<Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What sessions must keep to.
    pub fn limits(&self) -> Limits {
        self.rules().limits
    }

    /// Lets a session from `address` begin, for as long as the permit lives.
    ///
    /// # Errors
    /// [`Refusal::TooManySessions`].
    pub fn admit(&self, address: IpAddr) -> Result<Permit, Refusal> {
        self.admission.admit(address, &self.limits())
    }

    /// Begins the session of `user`. The work and the words are the same whether the name or the password is wrong.
    ///
    /// # Errors
    /// [`Refusal::BadLogin`].
    pub async fn login(&self, user: &str, password: SecretString) -> Result<Session, Refusal> {
        let rules = self.rules();
        let account = rules.accounts.find(user);
        let hash =
            account.map_or_else(|| password::Hash::dummy().clone(), |account| account.password.clone());
        let permit = self.hashing.clone().acquire_owned().await.map_err(|_| Refusal::Ending)?;
        let verified = tokio::task::spawn_blocking(move || {
            let _until_done = permit; // the hash goes on when its session is gone
            password::verify(&password, &hash)
        });
        match (verified.await, account) {
            (Ok(true), Some(account)) => Ok(Session::new(account.clone())),
            (Ok(_), _) => Err(Refusal::BadLogin),
            (Err(_), _) => Err(Refusal::Failed),
        }
    }

    /// Removes the stages that an earlier server left in the homes, and counts what quotas need. Blocks.
    pub fn sweep(&self) {
        self.rules().accounts.homes().sweep();
    }
}

#[cfg(test)]
mod tests;
