//! Accounts: a name, a hash, an opened home.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use store::{Books, Durability, Home, Options, Roots, Swept};
use thiserror::Error;
use tracing::{info, warn};

use super::recent::Recent;
use crate::config::{ANONYMOUS, Access, Config};
use crate::password::Hash;

/// Another name of [`ANONYMOUS`], as of old (RFC 1635, section 2.1), unless a user has it.
const FTP: &str = "ftp";

/// A home that cannot be opened.
#[derive(Debug, Error)]
#[error("the home of {user}, {}, cannot be opened: {}", .path.display(), .source.detail())]
pub struct Unopened {
    /// Whose home.
    pub user: String,
    /// Where it is.
    pub path: PathBuf,
    /// Why not.
    pub source: store::Error,
}

/// Somebody who can log in.
#[derive(Debug)]
pub(super) struct Account {
    /// As users.toml has it.
    pub(super) name: String,
    /// `None`: any will do.
    pub(super) password: Option<Hash>,
    pub(super) recent: Recent,
    pub(super) home: Arc<Home>,
    pub(super) access: Access,
    kept: Kept,
}

impl Account {
    /// For whom its uploads are kept: not for everybody, who is nobody.
    pub(super) fn owner(&self) -> Option<&str> {
        self.password.as_ref().map(|_| self.name.as_str())
    }

    /// Whether nothing of `other` is different that matters to whoever is in: what let them in, where they are, what they may do.
    pub(super) fn is_as(&self, other: &Account) -> bool {
        let same_password = match (&self.password, &other.password) {
            (Some(hash), Some(other)) => hash.is(other),
            (None, None) => true,
            _ => false,
        };
        same_password
            && self.name == other.name
            && self.access == other.access
            && Arc::ptr_eq(&self.home, &other.home)
    }
}

/// By what a home is known: while nothing of it changes, the opened home stays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kept {
    path: PathBuf,
    quota: Option<u64>,
    durable: bool,
    /// How long cut uploads are.
    keep: Duration,
    /// Device and inode: a directory that another took the place of is not the same home.
    directory: Option<(u64, u64)>,
}

/// All accounts, by name.
#[derive(Debug, Default)]
pub(super) struct Accounts(BTreeMap<String, Arc<Account>>);

/// Opened homes, each with one of its users.
#[derive(Clone, Debug, Default)]
pub(super) struct Homes(Vec<(String, Arc<Home>)>);

impl Accounts {
    /// Opens every home that `old` does not hold open already; a missing one is made. Tells which were opened. Users whose home is
    /// one directory share what `books` say is stored there, whatever the quota of each is; all share what `roots` know.
    pub(super) fn open(
        config: &Config,
        old: &Accounts,
        books: &Books,
        roots: &Arc<Roots>,
    ) -> Result<(Accounts, Homes), Unopened> {
        let (mut accounts, mut opened) = (BTreeMap::new(), Homes::default());
        let held = old.0.values().map(|account| (account.kept.clone(), account.home.clone()));
        let mut held: HashMap<Kept, Arc<Home>> = held.collect();
        for (name, user) in &config.users {
            let options = Options { quota: user.quota, durability: config.durability };
            let mut kept = Kept {
                path: user.home.clone(),
                quota: options.quota,
                durable: options.durability == Durability::Full,
                keep: config.limits.keep_uploads,
                directory: directory(&user.home),
            };
            let home = match held.get(&kept).filter(|_| kept.directory.is_some()) {
                Some(home) => home.clone(),
                None => {
                    let unopened = |source| Unopened { user: name.clone(), path: user.home.clone(), source };
                    let home = Home::with(books, &user.home, &options).map_err(unopened)?;
                    let home = Arc::new(home.keeping(kept.keep).knowing(roots));
                    kept.directory = directory(&user.home);
                    held.insert(kept.clone(), home.clone());
                    opened.0.push((name.clone(), home.clone()));
                    home
                }
            };
            let password = user.password.clone();
            let account = Account {
                name: name.clone(),
                password,
                recent: Recent::new(),
                home,
                access: user.access,
                kept,
            };
            accounts.insert(name.clone(), Arc::new(account));
        }
        Ok((Accounts(accounts), opened))
    }

    pub(super) fn find(&self, name: &str) -> Option<&Arc<Account>> {
        self.0.get(name).or_else(|| self.0.get(ANONYMOUS).filter(|_| name == FTP))
    }

    /// Names that `self` has and `other` lacks.
    pub(super) fn beyond(&self, other: &Accounts) -> Vec<String> {
        self.0.keys().filter(|name| !other.0.contains_key(*name)).cloned().collect()
    }

    pub(super) fn homes(&self) -> Homes {
        let mut homes = Homes::default();
        for (name, account) in &self.0 {
            if !homes.0.iter().any(|(_, home)| Arc::ptr_eq(home, &account.home)) {
                homes.0.push((name.clone(), account.home.clone()));
            }
        }
        homes
    }
}

impl Homes {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Those of which `choose` is true.
    pub(super) fn only(self, choose: impl Fn(&Home) -> bool) -> Homes {
        Homes(self.0.into_iter().filter(|(_, home)| choose(home)).collect())
    }

    pub(super) fn add(&mut self, other: Homes) {
        self.0.extend(other.0);
    }

    /// Removes the stages that writers left who died, and counts what quotas need. Blocks.
    pub(super) fn sweep(&self) {
        for (user, home) in &self.0 {
            match home.sweep() {
                Ok(Swept { stages, unreadable, .. }) => {
                    if stages > 0 {
                        info!(user, stages, "removed what interrupted uploads left");
                    }
                    if unreadable > 0 {
                        warn!(
                            user,
                            unreadable,
                            "directories in the home cannot be read: no quota counts what they hold, \
                             and what interrupted uploads left there stays"
                        );
                    }
                }
                Err(error) if home.is_counted() => {
                    warn!(user, error = error.detail(), "the home could not be swept");
                }
                Err(error) => warn!(
                    user,
                    error = error.detail(),
                    "the home could not be swept: its quota knows only of what comes from now on"
                ),
            }
        }
    }

    /// Sweeps each directory once, whoever shares it, and says how long that took.
    pub(super) fn count(self) {
        if self.0.is_empty() {
            return;
        }
        let mut once = Homes::default();
        for (user, home) in self.0 {
            if !once.0.iter().any(|(_, other)| home.shares(other)) {
                once.0.push((user, home));
            }
        }
        let began = Instant::now();
        once.sweep();
        info!(
            homes = once.len(),
            seconds = began.elapsed().as_secs_f64(),
            "counted what homes with a quota hold"
        );
    }
}

fn directory(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
