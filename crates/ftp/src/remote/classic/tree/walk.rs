//! Walks: directories are listed one after the other, those above first.

use store::{EntryKind, Found};

use super::super::Classic;
use super::text;
use crate::failure::Failure;
use crate::remote::tree::{Paths, below};
use crate::remote::{Branch, Missed};

/// A walk under way.
#[derive(Debug)]
pub(in super::super) struct Walk {
    root: String,
    /// What it begins with, until that is told.
    first: Option<Found>,
    /// Directories that are still to be listed.
    left: Paths,
    /// The one that is.
    here: Option<Vec<u8>>,
}

impl Classic {
    /// Begins a walk, whose branches [`next_branch`](Classic::next_branch) gives.
    pub(in crate::remote) async fn walk(&mut self, path: &str) -> Result<(), Failure> {
        let entry = self.stat(path).await?;
        let mut left = Paths::default();
        if entry.kind == EntryKind::Directory {
            left.push(b"", b"");
        }
        let first = found(Vec::new(), entry);
        self.walk = Some(Walk { root: path.to_owned(), first: Some(first), left, here: None });
        Ok(())
    }

    /// The next part of the walk; `None` at its end.
    pub(in crate::remote) async fn next_branch(&mut self) -> Result<Option<Branch>, Failure> {
        let Some(mut walk) = self.walk.take() else { return Ok(None) };
        let mut branch = Branch::default();
        branch.found.extend(walk.first.take());
        while branch.found.is_empty() && branch.missed.is_empty() {
            let Some(here) = walk.here.take() else {
                let Some((path, _)) = walk.left.pop_front() else { return Ok(None) };
                match self.begin_to_list(&below(&walk.root, &path)).await {
                    Ok(()) => walk.here = Some(path),
                    Err(failure) if self.lost => return Err(failure),
                    Err(failure) => branch.missed.push(Missed { path, failure }),
                }
                continue;
            };
            let page = match self.next_page().await {
                Ok(Some(page)) => page,
                Ok(None) => {
                    let missed = self.unsaid().map(|failure| Missed { path: here, failure });
                    branch.missed.extend(missed);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            for entry in page {
                let path = if here.is_empty() {
                    entry.name.clone()
                } else {
                    [&here, &b"/"[..], &entry.name].concat()
                };
                if entry.kind == EntryKind::Directory {
                    walk.left.push(&path, b"");
                }
                branch.found.push(found(path, entry));
            }
            walk.here = Some(here);
        }
        self.walk = Some(walk);
        Ok(Some(branch))
    }

    async fn begin_to_list(&mut self, path: &[u8]) -> Result<(), Failure> {
        let path = text(path)?;
        self.list(if path.is_empty() { "." } else { &path }).await
    }
}

fn found(path: Vec<u8>, entry: store::Entry) -> Found {
    let store::Entry { kind, size, modified, mode, .. } = entry;
    Found { path, kind, size, modified, mode, target: None }
}
