//! What a walk tells of a tree that comes: what becomes of each thing.

use store::{Attributes, EntryKind, Found};

use super::{Getting, Wanted};
use crate::failure::Failure;
use crate::remote::Branch;
use crate::remote::tree::{self, Chain, Job, Links, note};

impl Getting<'_, '_> {
    /// Takes in what a walk tells.
    pub(super) async fn grow(&mut self, prefix: &[u8], chain: &Chain, branch: Branch) -> Result<(), Failure> {
        let mut made = Vec::new();
        for found in branch.found {
            let path = tree::join(prefix, &found.path);
            if self.ground.is_none() {
                if !path.is_empty() || found.kind != EntryKind::Directory {
                    self.single = path.is_empty();
                    return if self.single { Ok(()) } else { self.native.out_of_turn() };
                }
                self.settle()?;
            }
            if self.is_whole() && found.path.is_empty() && found.kind == EntryKind::File {
                // It was a directory when it was asked for: its contents do not come.
                self.found.push(Wanted { path, link: Some(chain.clone()), size: 0 });
                continue;
            }
            self.meet(path, chain, found, &mut made);
        }
        for missed in branch.missed {
            let path = tree::join(prefix, &missed.path);
            self.account.failed(&tree::shown(&self.fetch.from, &path), missed.failure);
        }
        for job in made {
            self.give_counted(job).await;
        }
        Ok(())
    }

    /// Decides what becomes of a thing.
    fn meet(&mut self, path: Vec<u8>, chain: &Chain, found: Found, made: &mut Vec<Job>) {
        let fetch = self.fetch;
        let only = fetch.only.as_ref();
        let wanted = |path: &[u8]| only.is_none_or(|only| only.wants(path));
        match found.kind {
            EntryKind::Directory if only.is_some() => {}
            EntryKind::Directory => {
                let attributes = Attributes { modified: Some(found.modified), mode: Some(found.mode) };
                self.directories.push(&path, &note(&attributes));
                if !path.is_empty() {
                    directory(made, path);
                }
            }
            _ if !wanted(&path) || self.account.is_settled(&path) || self.is_taken(&path) => {}
            EntryKind::File => {
                self.way_to(&path, made);
                self.account.expect(found.size);
                self.account.found(1);
                self.found.push(Wanted { path, link: None, size: found.size });
            }
            // Who names it by a pattern of files wants what is behind it.
            EntryKind::Link if self.is_flat() => {
                self.found.push(Wanted { path, link: Some(chain.clone()), size: 0 });
            }
            EntryKind::Link => match (self.links, found.target) {
                (Links::Skip, _) => self.account.skipped(),
                (Links::Copy, Some(target)) if tree::stays(&path, &target) => {
                    self.way_to(&path, made);
                    made.push(Job::Link { path, target });
                }
                (Links::Follow, Some(target)) => match chain.enter(&path, &target) {
                    Some(chain) => {
                        self.way_to(&path, made);
                        self.found.push(Wanted { path, link: Some(chain), size: 0 });
                    }
                    None => {
                        self.account.failed(&tree::shown(&self.fetch.from, &path), tree::leads_back());
                    }
                },
                (Links::Copy | Links::Follow, _) => {
                    self.account.leads_out(&tree::shown(&self.fetch.from, &path));
                }
            },
            EntryKind::Other => {
                let special = store::Error::from(store::Kind::Special).into();
                self.account.failed(&tree::shown(&self.fetch.from, &path), special);
            }
        }
    }

    /// Tells that something else has come to the place of a file, if it has.
    fn is_taken(&mut self, path: &[u8]) -> bool {
        let claimed = self.fetch.only.as_ref().map_or(Ok(()), |only| only.claim(path));
        claimed.map_err(|taken| self.account.failed(&tree::shown(&self.fetch.from, path), taken)).is_err()
    }

    /// Has the directories made that only lead to a file.
    fn way_to(&mut self, path: &[u8], made: &mut Vec<Job>) {
        let above = path.iter().rposition(|&byte| byte == b'/').map_or(&b""[..], |end| &path[..end]);
        if self.fetch.only.is_none() || above == self.made {
            return;
        }
        let ends = above.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        for end in ends.chain([above.len()]).filter(|end| *end > 0) {
            directory(made, above[..end].to_vec());
        }
        self.made = above.to_vec();
    }
}

/// Has a directory made, together with those before.
fn directory(made: &mut Vec<Job>, path: Vec<u8>) {
    match made.last_mut() {
        Some(Job::Directories(paths)) => paths.push(path),
        _ => made.push(Job::Directories(vec![path])),
    }
}
