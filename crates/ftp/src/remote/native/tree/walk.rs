//! Walks: what lies beneath a directory of the server.

use proto::{Branch, Command, Fault, Message, Page, Reply};
use store::{Entry, Found};

use super::super::{Broken, Native, Owed, words};
use crate::failure::Failure;
use crate::remote::tree::is_a_path;
use crate::remote::{Branch as Told, Missed};

impl Native {
    /// Begins a walk, whose branches [`next_branch`](Native::next_branch) gives.
    pub(in crate::remote) async fn walk(&mut self, path: &str) -> Result<(), Failure> {
        match self.request(Command::Walk { path: path.into() }).await? {
            Reply::Listing => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    /// The next part of the walk; `None` at its end.
    pub(in crate::remote) async fn next_branch(&mut self) -> Result<Option<Told>, Failure> {
        if self.owed != Owed::Pages {
            return Ok(None);
        }
        match self.message().await? {
            Message::Branch(branch) => self.branch(branch).map(Some),
            Message::Abort(abort) => {
                self.owed = Owed::Nothing;
                Err(self.refused(abort.failure))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// What a page of a listing tells, as a branch of a tree that reaches no further down.
    pub(super) fn page_as_branch(&mut self, page: Page) -> Result<Told, Failure> {
        if !page.entries.iter().all(|entry| is_a_path(&entry.name) && !entry.name.contains(&b'/')) {
            return Err(self.broken(Broken::Malformed(Fault::Body)));
        }
        let found = page.entries.into_iter().map(words::entry).map(|entry| {
            let Entry { name, kind, size, modified, mode } = entry;
            Found { path: name, kind, size, modified, mode, target: None }
        });
        Ok(Told { found: found.collect(), missed: Vec::new(), last: page.last })
    }

    /// What a branch tells, unless it names what is in no tree.
    pub(super) fn branch(&mut self, branch: Branch) -> Result<Told, Failure> {
        let paths = branch.found.iter().map(|found| &found.path);
        let mut paths = paths.chain(branch.missed.iter().map(|missed| &missed.path));
        if !paths.all(|path| path.is_empty() || is_a_path(path)) {
            return Err(self.broken(Broken::Malformed(Fault::Body)));
        }
        if branch.last {
            self.owed = Owed::Nothing;
        }
        let found = branch.found.into_iter().map(words::found).collect();
        let missed = branch.missed.into_iter();
        let missed =
            missed.map(|missed| Missed { path: missed.path, failure: words::refused(missed.failure) });
        Ok(Told { found, missed: missed.collect(), last: branch.last })
    }
}
