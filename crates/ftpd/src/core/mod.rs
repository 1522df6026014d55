//! Permission and meaning: who is in, what they may do, in which directory they stand. Knows no protocol and no door.

mod accounts;
mod admission;
mod refusal;
mod session;

use std::net::IpAddr;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::Semaphore;
use tracing::{info, warn};

use crate::config::{Config, Limits};
use crate::password;
use accounts::Accounts;

pub use accounts::Unopened;
pub use admission::Permit;
pub use refusal::Refusal;
pub use session::Session;

/// What every session shares.
#[derive(Debug)]
pub struct Core {
    accounts: Accounts,
    limits: Limits,
    admission: Arc<admission::Admission>,
    hashing: Arc<Semaphore>,
}

impl Core {
    /// Opens the homes of all accounts.
    ///
    /// # Errors
    /// The first home that cannot be opened, with its user and the reason.
    pub fn new(config: &Config) -> Result<Core, Unopened> {
        Ok(Core {
            accounts: Accounts::open(config)?,
            admission: admission::Admission::new(config.limits.sessions, config.limits.sessions_per_address),
            hashing: Arc::new(Semaphore::new(config.limits.password_hashes)),
            limits: config.limits.clone(),
        })
    }

    /// What sessions must keep to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Lets a session from `address` begin, for as long as the permit lives.
    ///
    /// # Errors
    /// [`Refusal::TooManySessions`].
    pub fn admit(&self, address: IpAddr) -> Result<Permit, Refusal> {
        self.admission.admit(address)
    }

    /// Begins the session of `user`. The work and the words are the same whether the name or the password is wrong.
    ///
    /// # Errors
    /// [`Refusal::BadLogin`].
    pub async fn login(&self, user: &str, password: SecretString) -> Result<Session, Refusal> {
        let account = self.accounts.find(user);
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
        for (user, account) in self.accounts.iter() {
            match account.home.sweep() {
                Ok(swept) if swept.stages > 0 => {
                    info!(user, stages = swept.stages, "removed what interrupted uploads left")
                }
                Ok(_) => {}
                Err(error) => warn!(user, error = error.detail(), "the home could not be swept"),
            }
        }
    }
}
