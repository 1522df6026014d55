//! `get -r`, `put -r`, `ls -r`, `rm -r`, `mget` and `mput`.

use std::path::{Path, PathBuf};

use store::{EntryKind, Found};

use super::again::{Tree, carry_tree};
use super::{Session, naming};
use crate::failure::{Code, Failure};
use crate::remote::{Account, Bring, Deed, Fetch, Inside, Place, groups};
use crate::show::listing::{self, Clock};
use crate::show::{json, report};

impl Session {
    /// Fetches a directory with all that is in it; or a file.
    pub(super) async fn get_tree(&mut self, path: &str, local: Option<&Path>) -> Result<(), Failure> {
        let to = naming::download_tree(path, local)?;
        let name = to.to_string_lossy().into_owned();
        let whole = naming::local_name(path).is_ok();
        let fetch = Fetch { from: path.to_owned(), to, whole, only: None };
        let mut account = Account::open(&name, &self.output, &self.progress);
        match carry_tree(&mut self.link, Tree::Here(&fetch), self.links, &mut account).await {
            Ok(true) => {
                account.cancel();
                match self.fetch(path, &fetch.to, false).await {
                    Ok(receipt) => self.tell(&name, &receipt),
                    Err(failure) => {
                        if self.output.json() {
                            self.output.print(&json::failed(path, &failure).line())?;
                        }
                        Err(failure)
                    }
                }
            }
            Ok(false) => self.close(account, &name, "fetched"),
            Err(failure) => Err(account.cut(failure, "fetched")),
        }
    }

    /// Brings a directory with all that is in it; or a file.
    pub(super) async fn put_tree(&mut self, local: &Path, path: Option<&str>) -> Result<(), Failure> {
        let metadata = local.metadata().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => naming::no_source(),
            _ => error.into(),
        })?;
        if !metadata.is_dir() {
            return self.put(local, path, false).await;
        }
        let (to, inside) = place_of_tree(local, path)?;
        let whole = naming::remote_name(local).is_ok();
        let bring = Bring { from: local.to_owned(), to, inside, whole, only: None };
        let mut account = Account::open(&bring.to, &self.output, &self.progress);
        match carry_tree(&mut self.link, Tree::There(&bring), self.links, &mut account).await {
            Ok(_) => {
                let to = account.left.place.named(&bring.to).to_owned();
                self.close(account, &to, "sent")
            }
            Err(failure) => {
                let failure = match &bring.inside {
                    Some(inside) if account.left.place == Place::Asked && !inside.name.is_empty() => {
                        failure.with_remedy(inside.in_doubt(&bring.to))
                    }
                    _ => failure,
                };
                Err(account.cut(failure, "sent"))
            }
        }
    }

    /// Fetches what patterns match: each file to its path from where its pattern begins.
    pub(super) async fn get_many(&mut self, patterns: &[String]) -> Result<(), Failure> {
        let mut account = Account::open("mget", &self.output, &self.progress);
        let mut missed = Vec::new();
        for group in groups(patterns, |_| false)? {
            let from = if group.directory.is_empty() { "." } else { &group.directory };
            let fetch = Fetch {
                from: from.to_owned(),
                to: PathBuf::from("."),
                whole: false,
                only: Some(group.only.clone()),
            };
            match carry_tree(&mut self.link, Tree::Here(&fetch), self.links, &mut account).await {
                Err(failure) if failure.is_final() => return Err(account.cut(failure, "fetched")),
                Err(failure) if failure.code != Code::NotFound => account.failed(from, failure),
                Ok(_) | Err(_) => {}
            }
            missed.extend(group.missed().map(str::to_owned));
        }
        self.close_many(account, &missed, "fetched")
    }

    /// Brings what patterns match: each file to its path from where its pattern begins.
    pub(super) async fn put_many(&mut self, patterns: &[String]) -> Result<(), Failure> {
        let mut account = Account::open("mput", &self.output, &self.progress);
        let mut missed = Vec::new();
        for group in groups(patterns, |name| Path::new(name).exists())? {
            let from = if group.directory.is_empty() { "." } else { &group.directory };
            if Path::new(from).is_dir() {
                let bring = Bring {
                    from: PathBuf::from(from),
                    to: String::new(),
                    inside: None,
                    whole: false,
                    only: Some(group.only.clone()),
                };
                match carry_tree(&mut self.link, Tree::There(&bring), self.links, &mut account).await {
                    Err(failure) if failure.is_final() => return Err(account.cut(failure, "sent")),
                    Err(failure) => account.failed(from, failure),
                    Ok(_) => {}
                }
            }
            missed.extend(group.missed().map(str::to_owned));
        }
        self.close_many(account, &missed, "sent")
    }

    fn close_many(&self, mut account: Account<'_>, missed: &[String], what: &str) -> Result<(), Failure> {
        let nothing = |pattern: &str| {
            Failure::new(Code::NotFound, format!("nothing matches {}", crate::commands::quote(pattern)))
                .with_remedy("Only files do; ls shows what is there. A whole directory is for -r.")
        };
        if let [first, ..] = missed
            && account.done == 0
            && account.failed == 0
        {
            let failure = nothing(first);
            return Err(account.cut(failure, what));
        }
        for pattern in missed {
            account.failed(pattern, nothing(pattern));
        }
        self.close(account, "", what)
    }

    /// Shows a directory with all that is in it, as it is told.
    pub(super) async fn list_tree(&mut self, path: &str, long: bool) -> Result<(), Failure> {
        let (surface, clock, json) = (self.output.surface(), Clock::local(), self.output.json());
        let account = Account::open(path, &self.output, &self.progress);
        account.hide();
        let mut account = account.to(Deed::List);
        let remote = match self.link.remote(&self.output).await {
            Ok(remote) => remote,
            Err(failure) => return Err(account.cut(failure, "listed")),
        };
        remote.walk(path).await?;
        while let Some(branch) = remote.next_branch().await? {
            let entries: Vec<store::Entry> =
                branch.found.into_iter().filter_map(|found| entry(found, path)).collect();
            entries.iter().for_each(|entry| account.listed(entry));
            self.output.print(&if json {
                entries.iter().map(|entry| json::entry(entry).line()).collect()
            } else if long {
                listing::long(&entries, &surface, &clock)
            } else {
                listing::lines(&entries, &surface)
            })?;
            for missed in branch.missed {
                account.failed(&String::from_utf8_lossy(&missed.path), missed.failure);
            }
        }
        account.close(path, "listed").1
    }

    /// Removes a directory with all that is in it; or a file.
    pub(super) async fn remove_tree(&mut self, path: &str) -> Result<(), Failure> {
        // Any other path that does not climb leads to what lies beneath.
        let last = matches!(naming::last_part(path), "" | "." | "..");
        let climbs = path.starts_with('/') || path.split('/').any(|part| part == "..");
        if last || climbs && naming::holds(path, &self.remote().await?.pwd().await?) {
            return Err(Failure::new(
                Code::Usage,
                "neither the home nor the directory you are in, nor one above it, is removed so",
            )
            .with_remedy("Name a directory in it, rm -r NAME, or go elsewhere first."));
        }
        let mut account = Account::open(path, &self.output, &self.progress).to(Deed::Remove);
        let remote = match self.link.remote(&self.output).await {
            Ok(remote) => remote,
            Err(failure) => return Err(account.cut(failure, "removed")),
        };
        match remote.remove_tree(path, &mut account).await {
            Ok(()) => account.close(path, "removed").1,
            Err(failure) => Err(account.cut(failure, "removed")),
        }
    }

    fn close(&self, account: Account<'_>, name: &str, what: &str) -> Result<(), Failure> {
        let (sum, whole) = account.close(name, what);
        // The account has told a program of it. Where nothing could be moved, there is nothing to tell.
        if !self.output.json() && (whole.is_ok() || sum.files > 0) {
            self.output.say(&report::tree(name, &sum));
        }
        whole
    }
}

/// Where a directory goes: under its own name, here or in a directory that is there; else under the name that is given.
fn place_of_tree(local: &Path, path: Option<&str>) -> Result<(String, Option<Inside>), Failure> {
    let Some(path) = path else {
        return Ok((naming::remote_name_for("put -r", local)?.to_owned(), None));
    };
    drop(local.read_dir()?); // nothing is made for what cannot be read
    let place = match path.trim_end_matches('/') {
        "" if path.is_empty() => ".",
        "" => "/",
        place => place,
    };
    let inside = match local.file_name() {
        Some(_) => {
            let name = naming::name_for_tree(local)?;
            Inside { path: naming::into_directory(path, name), name: name.to_owned() }
        }
        None => Inside { path: place.to_owned(), name: String::new() },
    };
    Ok((place.to_owned(), Some(inside)))
}

/// A thing of a tree as a line of a listing: by its path; a file that was listed itself by its name.
fn entry(found: Found, root: &str) -> Option<store::Entry> {
    let Found { path, kind, size, modified, mode, .. } = found;
    let name = match (path.is_empty(), kind) {
        (true, EntryKind::Directory) => return None,
        (true, _) => naming::last_part(root).into(),
        (false, _) => path,
    };
    Some(store::Entry { name, kind, size, modified, mode })
}
