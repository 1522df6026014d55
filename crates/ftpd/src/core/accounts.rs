//! Accounts: a name, a hash, an opened home.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use store::{Home, Options};
use thiserror::Error;

use crate::config::{Access, Config};
use crate::password::Hash;

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
    pub(super) password: Hash,
    pub(super) home: Home,
    pub(super) access: Access,
}

/// All accounts, by name.
#[derive(Debug)]
pub(super) struct Accounts(BTreeMap<String, Arc<Account>>);

impl Accounts {
    /// Opens every home; a missing one is made.
    pub(super) fn open(config: &Config) -> Result<Accounts, Unopened> {
        let open = |(name, user): (&String, &crate::config::User)| {
            let options = Options { quota: user.quota, durability: config.durability };
            let home = Home::at(&user.home, &options).map_err(|source| Unopened {
                user: name.clone(),
                path: user.home.clone(),
                source,
            })?;
            Ok((
                name.clone(),
                Arc::new(Account { password: user.password.clone(), home, access: user.access }),
            ))
        };
        config.users.iter().map(open).collect::<Result<_, _>>().map(Accounts)
    }

    pub(super) fn find(&self, name: &str) -> Option<&Arc<Account>> {
        self.0.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Arc<Account>)> {
        self.0.iter()
    }
}
