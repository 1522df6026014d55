//! Permission and meaning: who is in, what they may do, in which directory they stand. Knows no protocol and no door.

mod accounts;
mod admission;
mod assemblies;
mod doorstep;
mod failures;
mod files;
mod guest;
mod parts;
mod recent;
mod refusal;
mod session;
mod source;
mod tickets;
mod turnstile;
mod uploads;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use store::{Books, Home, Roots};

use crate::config::{Config, Limits};
use crate::password::Hash;
use accounts::{Accounts, Homes};
use admission::Admission;
use assemblies::Assemblies;
use doorstep::Doorstep;
use tickets::Tickets;
use turnstile::Turnstile;
use uploads::Uploads;

pub use accounts::Unopened;
pub use assemblies::Assembled;
pub use guest::Guest;
pub use refusal::Refusal;
pub use session::Session;
pub use uploads::Upload;

/// What every session shares.
#[derive(Debug)]
pub struct Core {
    rules: RwLock<Arc<Rules>>,
    /// What is stored in each directory that is a home, from one set of rules to the next.
    books: Books,
    /// What is known of files that were read before.
    roots: Arc<Roots>,
    /// Homes without a quota that were opened and not yet swept.
    unswept: Mutex<Homes>,
    /// Held by who puts other rules in place: two at once would each keep homes that the other lets go.
    reloading: Mutex<()>,
    doorstep: Arc<Doorstep>,
    turnstile: Arc<Turnstile>,
    admission: Arc<Admission>,
    uploads: Arc<Uploads>,
    assemblies: Arc<Assemblies>,
    tickets: Arc<Tickets>,
}

/// What users.toml says to the core: put in place whole, seen whole.
#[derive(Debug)]
struct Rules {
    accounts: Accounts,
    /// What an unknown user's password is verified against.
    nobody: Hash,
    limits: Limits,
}

impl Rules {
    /// The homes that `old` does not hold open are opened, and told.
    fn new(
        config: &Config,
        old: &Accounts,
        books: &Books,
        roots: &Arc<Roots>,
    ) -> Result<(Rules, Homes), Unopened> {
        let (accounts, opened) = Accounts::open(config, old, books, roots)?;
        let nobody = Hash::nobody(config.users.values().filter_map(|user| user.password.as_ref()));
        Ok((Rules { accounts, nobody, limits: config.limits }, opened))
    }
}

/// What other rules brought.
#[derive(Debug)]
pub struct Reloaded {
    /// Users that there were not before, by name.
    pub added: Vec<String>,
    /// Users that there are no more.
    pub removed: Vec<String>,
    /// How many homes were opened.
    pub homes: usize,
}

impl Core {
    /// Opens the homes of all accounts. [`count`](Core::count) before anybody is let in.
    ///
    /// # Errors
    /// The first home that cannot be opened, with its user and the reason.
    pub fn new(config: &Config) -> Result<Core, Unopened> {
        let (books, roots) = (Books::default(), Arc::default());
        let (rules, opened) = Rules::new(config, &Accounts::default(), &books, &roots)?;
        Ok(Core {
            rules: RwLock::new(Arc::new(rules)),
            books,
            roots,
            unswept: Mutex::new(opened.only(|home| !home.has_quota())),
            reloading: Mutex::default(),
            doorstep: Arc::default(),
            turnstile: Turnstile::new(config.limits.password_hashes),
            admission: Arc::default(),
            uploads: Arc::default(),
            assemblies: Arc::default(),
            tickets: Arc::default(),
        })
    }

    /// Puts the users and limits of `config` in place of those there are, all at once, for whoever logs in from now on.
    ///
    /// Sessions that run go on as they began, with their home and their access, also when their user has another password now
    /// or is gone: to end them is to start the server again. A home that stays the same directory with the same quota stays
    /// open. What a directory holds that had no quota before is counted first. Blocks on the disk.
    ///
    /// # Errors
    /// The first home that cannot be opened; then all is as it was.
    pub fn reload(&self, config: &Config) -> Result<Reloaded, Unopened> {
        let _one_by_one = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.rules();
        let (rules, opened) = Rules::new(config, &old.accounts, &self.books, &self.roots)?;
        opened.clone().only(|home| !home.is_counted()).count();
        let added = rules.accounts.beyond(&old.accounts);
        let removed = old.accounts.beyond(&rules.accounts);
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        self.turnstile.set_most(config.limits.password_hashes);
        let homes = opened.len();
        self.unswept().add(opened.only(|home| !home.has_quota()));
        Ok(Reloaded { added, removed, homes })
    }

    fn rules(&self) -> Arc<Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What sessions must keep to.
    pub fn limits(&self) -> Limits {
        self.rules().limits
    }

    /// Lets somebody from `address` try to log in. Of one too many who do, another one has to go.
    ///
    /// # Errors
    /// [`Refusal::TooManySessions`], if there would be no place after the login.
    pub fn arrive(self: &Arc<Core>, address: IpAddr) -> Result<Guest, Refusal> {
        Guest::new(self.clone(), address)
    }

    /// Has up to `count` connections closed on which nobody is logged in, because the system has no room for more; how many.
    pub fn make_room(&self, count: usize) -> usize {
        self.doorstep.close(count)
    }

    /// Counts what homes with quotas hold, and removes the stages that an earlier server left there. Blocks.
    pub fn count(&self) {
        self.rules().accounts.homes().only(Home::has_quota).count();
    }

    /// Removes the stages that an earlier server left in the homes that have no quota, once for each. Blocks.
    pub fn sweep(&self) {
        let homes = std::mem::take(&mut *self.unswept());
        homes.sweep();
    }

    /// Removes what was kept of uploads for long enough. Blocks.
    pub fn sweep_kept(&self) {
        self.rules().accounts.homes().only(Home::holds_kept).sweep();
    }

    fn unswept(&self) -> MutexGuard<'_, Homes> {
        self.unswept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
