//! Trees that outlive their connections: what is done is not done again, and large files under way go on where they stopped.

use super::{Ended, Tries};
use crate::failure::Failure;
use crate::remote::{Account, Bring, Fetch, LARGE, Links};
use crate::session::Link;
use crate::show::human;

/// Which way a tree goes.
#[derive(Clone, Copy)]
pub(in crate::session) enum Tree<'a> {
    Here(&'a Fetch),
    There(&'a Bring),
}

/// The tries of something that has many files.
#[derive(Debug, Default)]
pub(in crate::session) struct TreeTries {
    tries: Tries,
    begun: bool,
    /// Bytes that had been moved before, perhaps in vain.
    moved: u64,
    /// What was gained before the first try, and when something was gained last.
    first: (u64, u64),
    last: (u64, u64),
}

/// Moves a tree over as many connections as it takes. Whether it is no tree but a file, which is not moved.
pub(in crate::session) async fn carry_tree(
    link: &mut Link,
    tree: Tree<'_>,
    links: Links,
    account: &mut Account<'_>,
) -> Result<bool, Failure> {
    account.begin();
    let mut tries = TreeTries::of(account);
    loop {
        let stood = link.stands();
        let done = match (link.remote(account.output()).await, tree) {
            (Ok(remote), Tree::Here(fetch)) => remote.get_tree(fetch, links, account).await,
            (Ok(remote), Tree::There(bring)) => remote.put_tree(bring, links, account).await.map(|()| false),
            (Err(failure), _) => Err(failure),
        };
        match done {
            Ok(single) => return Ok(single),
            Err(failure) => tries.again(failure, stood, link, account).await?,
        }
        account.again();
    }
}

impl TreeTries {
    /// Those of what `account` is of.
    pub(in crate::session) fn of(account: &Account<'_>) -> TreeTries {
        let first = account.gained();
        TreeTries { moved: account.moved, first, last: first, ..TreeTries::default() }
    }

    /// Waits for the next try; the failure, if there is none.
    pub(in crate::session) async fn again(
        &mut self,
        failure: Failure,
        stood: bool,
        link: &mut Link,
        account: &Account<'_>,
    ) -> Result<(), Failure> {
        let now @ (things, kept) = account.gained();
        let moved = now != self.first || account.moved > self.moved;
        self.begun |= moved || (!stood && link.was_entered());
        let gained = things > self.last.0 || kept >= self.last.1 + LARGE;
        if gained {
            self.last = now;
        }
        let files = if account.done == 1 { "file" } else { "files" };
        let (done, bytes) = (human::count(account.done), human::size(account.bytes + kept));
        let at = format!("{done} {files}, {bytes}");
        let ended = Ended { stood, begun: self.begun, gained, at };
        self.tries.again(failure, ended, link, |words| account.note(words)).await
    }
}
