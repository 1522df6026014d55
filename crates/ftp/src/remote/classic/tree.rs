//! Trees at a classic server, which knows no requests for them: listed directory by directory, moved file by file.

mod place;
mod walk;

use std::collections::VecDeque;
use std::path::PathBuf;

use store::{Attributes, EntryKind, Found, HomePath};

use super::{Classic, listing};
use crate::failure::{Code, Failure};
use crate::remote::Into;
use crate::remote::tree::{
    self, Account, Bring, Fetch, Item, Links, Only, Paths, Source, below, note, noted,
};
pub(super) use walk::Walk;

/// What is noted beside a link to what is wanted.
const LINK: &[u8] = b"l";

impl Classic {
    /// Fetches a tree, or tells that it is a single file.
    pub(in crate::remote) async fn get_tree(
        &mut self,
        fetch: &Fetch,
        links: Links,
        account: &mut Account<'_>,
    ) -> Result<bool, Failure> {
        self.walk(if fetch.from.is_empty() { "." } else { &fetch.from }).await?;
        let (mut files, mut directories, mut home) = (Paths::default(), Paths::default(), None);
        while let Some(branch) = self.next_branch().await? {
            for missed in branch.missed {
                account.failed(&tree::shown(&fetch.from, &missed.path), missed.failure);
            }
            for found in branch.found {
                let noted = note(&self.listed_attributes(&found));
                match (found.kind, &home) {
                    (EntryKind::Directory, None) => {
                        home = Some(tree::destination(&fetch.to)?);
                        directories.push(b"", &noted);
                    }
                    (_, None) => return Ok(true),
                    (EntryKind::Directory, Some(_)) if fetch.only.is_some() => {}
                    (EntryKind::Directory, Some(_)) => directories.push(&found.path, &noted),
                    (_, Some(_)) if fetch.only.as_ref().is_some_and(|only| !only.wants(&found.path)) => {}
                    (_, Some(_)) if account.is_settled(&found.path) => {}
                    (_, Some(_)) if is_taken(fetch, &found.path, account) => {}
                    (EntryKind::File, Some(_)) => {
                        account.found(1);
                        files.push(&found.path, &noted);
                    }
                    // Who names it by a pattern of files wants what is behind it.
                    (EntryKind::Link, Some(_)) if fetch.only.as_ref().is_some_and(Only::is_flat) => {
                        files.push(&found.path, LINK);
                    }
                    (EntryKind::Link, Some(_)) => match links {
                        Links::Skip => account.skipped(),
                        Links::Follow => {
                            account.found(1);
                            files.push(&found.path, b"");
                        }
                        Links::Copy => account.left_out(&tree::shown(&fetch.from, &found.path), untold()),
                    },
                    (EntryKind::Other, Some(_)) => {
                        let special = store::Error::from(store::Kind::Special).into();
                        account.failed(&tree::shown(&fetch.from, &found.path), special);
                    }
                }
            }
        }
        let Some(home) = home else { return Ok(true) };
        let mut made = Paths::default();
        while let Some((path, note)) = directories.pop_front() {
            match make(&home, &path) {
                Ok(()) => made.push(&path, &note),
                Err(error) => account.failed(&tree::shown(&fetch.from, &path), error.into()),
            }
        }
        account.all_found();
        while let Some((path, note)) = files.pop_front() {
            let name = tree::shown(&fetch.from, &path);
            let mode = if note == LINK { None } else { noted(&note).mode };
            let failure = match self.get_beneath(&home, fetch, &path, mode, account).await {
                Ok(()) => continue,
                Err(failure) if note == LINK && !self.lost => self.behind_link(fetch, &path, failure).await,
                Err(failure) => Some(failure),
            };
            match failure {
                Some(failure) if self.lost => return Err(failure.of(&name)),
                Some(failure) => {
                    account.settle(&path);
                    account.failed(&name, failure);
                }
                None => {}
            }
        }
        // The deepest first, once all is in them.
        while let Some((path, note)) = made.pop_back() {
            let set = match noted(&note) {
                Attributes { mode: None, .. } => Ok(()),
                _ if path.is_empty() && !fetch.whole => Ok(()),
                attributes if path.is_empty() => tree::set_root(&fetch.to, attributes).await,
                attributes => set(&home, &path, &attributes).map_err(Failure::from),
            };
            if let Err(failure) = set {
                account.failed(&tree::shown(&fetch.to.to_string_lossy(), &path), failure);
            }
        }
        Ok(false)
    }

    /// What a listing has told that something is to have. LIST is for people: it tells times to the minute at best, and some servers
    /// write rights into it that are nobody's, so that it gives nobody the right to change what arrives.
    fn listed_attributes(&self, found: &Found) -> Attributes {
        let mode = Some(found.mode).filter(|mode| *mode != 0);
        if self.offers.facts {
            Attributes { modified: Some(found.modified).filter(|time| *time != listing::NO_TIME), mode }
        } else {
            Attributes { modified: None, mode: mode.map(|mode| mode & 0o755) }
        }
    }

    /// What is wrong with a link that a pattern matches and that is no file: nothing, if it leads to a directory, which the pattern
    /// is not for.
    async fn behind_link(&mut self, fetch: &Fetch, path: &[u8], failure: Failure) -> Option<Failure> {
        let found = match text(&below(&fetch.from, path)) {
            Ok(place) => self.kind(&place).await,
            Err(failure) => Err(failure),
        };
        let failure = match found {
            Ok(Some(EntryKind::Directory)) => None,
            Ok(None) => Some(tree::leads_nowhere()),
            Ok(Some(_)) => return Some(failure),
            Err(failure) => return Some(failure),
        };
        fetch.only.iter().for_each(|only| only.release(path));
        failure
    }

    async fn get_beneath(
        &mut self,
        home: &store::Home,
        fetch: &Fetch,
        path: &[u8],
        mode: Option<u32>,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        let place = HomePath::root().resolve(path)?;
        if fetch.only.is_some() {
            make_above(home, path)?;
        }
        let from = text(&below(&fetch.from, path))?;
        let receipt = self.get_listed(&from, Into::Beneath(home, &place), mode, account.progress()).await?;
        let name = || tree::shown(&fetch.to.to_string_lossy(), path);
        account.settle(path);
        account.file(name, receipt.size, receipt.verified);
        Ok(())
    }

    /// Brings a tree.
    pub(in crate::remote) async fn put_tree(
        &mut self,
        bring: &Bring,
        links: Links,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        let (root, only) = (bring.from.clone(), bring.only.clone());
        let source = crate::remote::disk::on_disk(move || Source::open(&root, links, only)).await?;
        let left = Left { source: Some(source), items: VecDeque::new() };
        self.unkept = 0;
        let bring = &self.placed(bring, account).await?;
        let brought = self.put_all(left, bring, account).await;
        self.modes.all_new(false);
        account.not_kept(std::mem::take(&mut self.unkept));
        brought
    }

    async fn put_all(
        &mut self,
        mut left: Left,
        bring: &Bring,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        let mut directories = Paths::default();
        while let Some((item, place)) = left.next().await? {
            let path = match &item {
                Item::Directory { path, .. }
                | Item::File { path, .. }
                | Item::Link { path, .. }
                | Item::LeadsOut { path }
                | Item::Failed { path, .. }
                | Item::Missed { path, .. }
                | Item::Attributes { path, .. }
                | Item::Remove { path, .. } => path.clone(),
                Item::Skipped { .. } => {
                    account.skipped();
                    continue;
                }
            };
            let file = matches!(item, Item::File { .. });
            if file && account.is_settled(&path) {
                continue;
            }
            let name = tree::shown(&bring.from.to_string_lossy(), &path);
            let top = path.is_empty() && matches!(item, Item::Directory { .. });
            let done = match item {
                Item::Directory { attributes, .. } => {
                    let made = self.make_directory(&below(&bring.to, &path)).await;
                    if let Ok(new) = made {
                        directories.push(&path, &note(&attributes));
                        // What lies in a directory that was not there was not there either.
                        if path.is_empty() && new {
                            self.modes.all_new(true);
                        }
                    }
                    made.map(drop)
                }
                Item::File { .. } => self.put_beneath(&place, &below(&bring.to, &path), account).await,
                Item::Link { .. } => {
                    account.left_out(&name, no_links());
                    continue;
                }
                Item::Failed { failure, .. } | Item::Missed { failure, .. } => Err(failure),
                Item::Attributes { attributes, .. } => {
                    self.set_attributes(&text(&below(&bring.to, &path))?, attributes).await
                }
                Item::Remove { directory, .. } => {
                    let place = text(&below(&bring.to, &path))?;
                    if directory { self.rmdir(&place).await } else { self.remove(&place).await }
                }
                Item::LeadsOut { .. } | Item::Skipped { .. } => {
                    account.leads_out(&name);
                    continue;
                }
            };
            match done {
                Err(failure) if self.lost => return Err(failure.of(&name)),
                // What may not be looked at may be there.
                Err(failure) if top && failure.code != Code::Denied => return Err(tree::no_place(failure)),
                done => {
                    if file {
                        account.settle(&path);
                    }
                    done.unwrap_or_else(|failure| account.failed(&name, failure));
                }
            }
        }
        // The deepest first, once all is in them.
        while let Some((path, note)) = directories.pop_back() {
            let attributes = noted(&note);
            if attributes.mode.is_some() && (bring.whole || !path.is_empty()) {
                let place = text(&below(&bring.to, &path))?;
                self.keep(&place, EntryKind::Directory, attributes).await?;
            }
        }
        Ok(())
    }

    async fn put_beneath(
        &mut self,
        local: &std::path::Path,
        to: &[u8],
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        let receipt = self.put(local, &text(to)?, account.progress()).await?;
        account.file(|| String::from_utf8_lossy(to).into_owned(), receipt.size, receipt.verified);
        Ok(())
    }

    /// Makes a directory, and tells whether it is new; one that is there is as good.
    async fn make_directory(&mut self, path: &[u8]) -> Result<bool, Failure> {
        let path = text(path)?;
        if path.is_empty() {
            return Ok(false);
        }
        match self.mkdir(&path).await {
            Err(refused) if !self.lost => match self.stat(&path).await {
                Ok(entry) if entry.kind == EntryKind::Directory => Ok(false),
                _ => Err(refused),
            },
            made => made.map(|()| true),
        }
    }

    /// Removes a file, a link itself, or a directory with all that is in it.
    pub(in crate::remote) async fn remove_tree(
        &mut self,
        path: &str,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        // A link to a directory must not be entered; asked as a file, it goes itself.
        match self.remove(path).await {
            Ok(()) => {
                account.done(0);
                return Ok(());
            }
            Err(refused) if self.lost => return Err(refused),
            Err(refused) => match self.stat(path).await {
                Ok(entry) if entry.kind == EntryKind::Directory => {}
                _ => return Err(refused),
            },
        }
        self.walk(path).await?;
        let mut all = Paths::default();
        while let Some(branch) = self.next_branch().await? {
            for missed in branch.missed {
                account.failed(&tree::shown(path, &missed.path), missed.failure);
            }
            for found in branch.found {
                all.push(&found.path, if found.kind == EntryKind::Directory { b"d" } else { b"" });
            }
        }
        while let Some((found, note)) = all.pop_back() {
            let name = tree::shown(path, &found);
            let removed = match text(&below(path, &found)) {
                Ok(place) if note == b"d" => self.rmdir(&place).await,
                Ok(place) => self.remove(&place).await,
                Err(failure) => Err(failure),
            };
            match removed {
                Ok(()) if note == b"d" => account.directory_done(),
                Ok(()) => account.done(0),
                Err(failure) if self.lost => return Err(failure.of(&name)),
                Err(failure) => account.failed(&name, failure),
            }
        }
        Ok(())
    }
}

/// What is left of a tree of this computer, read some at a time where blocking is allowed.
struct Left {
    source: Option<Source>,
    items: VecDeque<(Item, PathBuf)>,
}

impl Left {
    async fn next(&mut self) -> Result<Option<(Item, PathBuf)>, Failure> {
        if self.items.is_empty()
            && let Some(mut source) = self.source.take()
        {
            let (source, items) = crate::remote::disk::on_disk(move || {
                let items: Vec<Item> = source.by_ref().take(100).collect();
                let placed = |item: Item| {
                    let place = match &item {
                        Item::File { path, .. } => source.place(path),
                        _ => PathBuf::new(),
                    };
                    (item, place)
                };
                let items: VecDeque<_> = items.into_iter().map(placed).collect();
                Ok((source, items))
            })
            .await?;
            self.items = items;
            self.source = Some(source).filter(|_| !self.items.is_empty());
        }
        Ok(self.items.pop_front())
    }
}

fn make(home: &store::Home, path: &[u8]) -> Result<(), store::Error> {
    let at = HomePath::root().resolve(path)?;
    match home.mkdir(&at) {
        Err(exists) if exists.kind() == store::Kind::Exists => home.check_directory(&at),
        made => made,
    }
}

fn set(home: &store::Home, path: &[u8], attributes: &Attributes) -> Result<(), store::Error> {
    home.set_attributes(&HomePath::root().resolve(path)?, attributes)
}

/// Tells that something else has come to the place of a file, if it has.
fn is_taken(fetch: &Fetch, path: &[u8], account: &mut Account<'_>) -> bool {
    let claimed = fetch.only.as_ref().map_or(Ok(()), |only| only.claim(path));
    claimed.map_err(|taken| account.failed(&tree::shown(&fetch.from, path), taken)).is_err()
}

fn make_above(home: &store::Home, path: &[u8]) -> Result<(), store::Error> {
    let mut ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
    ends.try_for_each(|end| make(home, &path[..end]))
}

/// A remote path as it is said to a classic server.
fn text(path: &[u8]) -> Result<String, Failure> {
    str::from_utf8(path).map(str::to_owned).map_err(|_| store::Error::from(store::Kind::InvalidName).into())
}

fn untold() -> Failure {
    Failure::new(Code::Other, "a classic server does not tell where a link leads")
        .with_remedy("--links follow fetches what it leads to, --links skip leaves links out.")
}

fn no_links() -> Failure {
    Failure::new(Code::Other, "a classic server takes no links")
        .with_remedy("--links follow sends what it leads to, --links skip leaves links out.")
}
