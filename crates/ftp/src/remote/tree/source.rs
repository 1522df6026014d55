//! Where a tree comes from: what lies in a directory of this computer, told one by one. It blocks.

use std::collections::VecDeque;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use store::{Attributes, EntryKind, Found, Home, HomePath, Name, Time, Walk};

use super::{Links, Only, Step, Steps, join, leads_back, stays};
use crate::failure::Failure;

/// Bytes that a part of a walk counts for.
const BRANCH: usize = 48 * 1024;

/// Directories that may be entered by links one within the other.
const DEEP: usize = 16;

/// Something that is to be moved. Paths are from the top of the tree on.
pub(crate) enum Item {
    /// A directory, before what is in it; without attributes, it is only on the way to something.
    Directory { path: Vec<u8>, attributes: Attributes },
    /// A file.
    File { path: Vec<u8>, size: u64, attributes: Attributes },
    /// A link that stays in the tree.
    Link { path: Vec<u8>, target: Vec<u8> },
    /// A link that is left out, as its user wants it.
    Skipped { path: Vec<u8> },
    /// A link that leads out of the tree.
    LeadsOut { path: Vec<u8> },
    /// What cannot be moved.
    Failed { path: Vec<u8>, failure: Failure },
    /// A directory that cannot be looked into.
    Missed { path: Vec<u8>, failure: Failure },
    /// What something at the destination is to have, and is not moved.
    Attributes { path: Vec<u8>, attributes: Attributes },
    /// What is to be removed from the destination.
    Remove { path: Vec<u8>, directory: bool },
}

/// A directory of this computer that is to be moved with all that is in it.
pub(crate) struct Source {
    root: PathBuf,
    links: Links,
    only: Option<Only>,
    walk: Option<Under>,
    /// Where patterns reach no further down: what lies in the directory itself.
    listing: Option<fs::ReadDir>,
    /// Where it is known what is to be done.
    steps: Steps,
    found: VecDeque<Found>,
    /// Directories that were entered by links and are still to be walked through.
    later: Vec<Under>,
    ready: VecDeque<Item>,
    /// The directory that was told last, where only some files are wanted.
    told: Vec<u8>,
}

/// A walk, and where in the tree it is.
struct Under {
    walk: Walk,
    prefix: Vec<u8>,
    /// What was entered on the way, by device and inode.
    entered: Vec<(u64, u64)>,
}

/// Where a thing of the tree at `root` lies on this computer.
pub(crate) fn place_in(root: &Path, path: &[u8]) -> PathBuf {
    match path {
        b"" => root.to_owned(), // which may be a file
        path => root.join(std::ffi::OsStr::from_bytes(path)),
    }
}

impl Source {
    /// The tree at `root`, of its files `only` some where that is given.
    pub(crate) fn open(root: &Path, links: Links, only: Option<Only>) -> Result<Source, Failure> {
        let metadata = fs::metadata(root)?;
        let id = (metadata.dev(), metadata.ino());
        let flat = only.as_ref().is_some_and(Only::is_flat);
        let (walk, listing) = if flat {
            (None, Some(fs::read_dir(root)?))
        } else {
            let home = Home::at(root, &store::Options::default())?;
            let walk = home.walk(&HomePath::root())?;
            (Some(Under { walk, prefix: Vec::new(), entered: vec![id] }), None)
        };
        Ok(Source {
            root: root.to_owned(),
            links,
            only,
            walk,
            listing,
            steps: Steps::default(),
            found: VecDeque::new(),
            later: Vec::new(),
            ready: VecDeque::new(),
            told: Vec::new(),
        })
    }

    /// What of the tree at `root` is to be moved, and what else is to be done at its destination.
    pub(crate) fn of_steps(root: &Path, steps: Steps) -> Source {
        Source {
            root: root.to_owned(),
            links: Links::Copy,
            only: None,
            walk: None,
            listing: None,
            steps,
            found: VecDeque::new(),
            later: Vec::new(),
            ready: VecDeque::new(),
            told: Vec::new(),
        }
    }

    /// The directory whose tree it is.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a thing of the tree lies on this computer.
    pub(crate) fn place(&self, path: &[u8]) -> PathBuf {
        place_in(&self.root, path)
    }

    fn wanted(&self, path: &[u8]) -> bool {
        self.only.as_ref().is_none_or(|only| only.wants(path))
    }

    /// Tells of a thing that was found.
    fn meet(&mut self, found: Found) {
        let Some(under) = &self.walk else { return };
        let path = join(&under.prefix, &found.path);
        let attributes = Attributes { modified: Some(found.modified), mode: Some(found.mode) };
        match found.kind {
            EntryKind::Directory if self.only.is_some() => {}
            EntryKind::Directory => self.tell(path, |path| Item::Directory { path, attributes }),
            _ if !self.wanted(&path) => {}
            EntryKind::File => {
                self.tell(path, |path| Item::File { path, size: found.size, attributes });
            }
            EntryKind::Link => match self.links {
                Links::Skip => self.ready.push_back(Item::Skipped { path }),
                Links::Copy => match found.target {
                    Some(target) if stays(&path, &target) => {
                        self.tell(path, |path| Item::Link { path, target });
                    }
                    _ => self.ready.push_back(Item::LeadsOut { path }),
                },
                Links::Follow => self.follow(path),
            },
            EntryKind::Other => self.fail(path, store::Error::from(store::Kind::Special).into()),
        }
    }

    /// Tells of what has a name in the directory itself, if it is wanted. Who names a link by a pattern of files wants what is
    /// behind it.
    fn name(&mut self, name: Vec<u8>) {
        match fs::metadata(self.place(&name)) {
            Ok(metadata) if metadata.is_dir() => {}
            _ if !self.wanted(&name) => {}
            Ok(metadata) if metadata.is_file() => {
                self.tell(name, |path| file(path, &metadata));
            }
            Ok(_) => self.fail(name, store::Error::from(store::Kind::Special).into()),
            Err(_) if self.place(&name).is_symlink() => self.fail(name, super::leads_nowhere()),
            Err(error) => self.fail(name, error.into()),
        }
    }

    /// Goes where a link leads.
    fn follow(&mut self, path: Vec<u8>) {
        let metadata = match fs::metadata(self.place(&path)) {
            Ok(metadata) => metadata,
            Err(error) => return self.fail(path, error.into()),
        };
        if metadata.is_file() {
            return self.tell(path, |path| file(path, &metadata));
        }
        if !metadata.is_dir() {
            return self.fail(path, store::Error::from(store::Kind::Special).into());
        }
        let id = (metadata.dev(), metadata.ino());
        let mut entered = self.walk.as_ref().map(|under| under.entered.clone()).unwrap_or_default();
        if entered.contains(&id) || self.returns(&path, id) || entered.len() > DEEP {
            return self.fail(path, leads_back());
        }
        entered.push(id);
        let walk = Home::at(&self.place(&path), &store::Options::default())
            .and_then(|home| home.walk(&HomePath::root()));
        match walk {
            Ok(walk) => self.later.push(Under { walk, prefix: path, entered }),
            Err(error) => self.fail(path, error.into()),
        }
    }

    /// Whether one of the directories that `path` lies in is the one with this device and inode.
    fn returns(&self, path: &[u8], id: (u64, u64)) -> bool {
        self.place(path)
            .ancestors()
            .skip(1)
            .take_while(|above| above.starts_with(&self.root))
            .any(|above| fs::metadata(above).is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == id))
    }

    /// Tells of a thing whose name a server can have.
    fn tell(&mut self, path: Vec<u8>, item: impl FnOnce(Vec<u8>) -> Item) {
        if !path.is_empty() && path.split(|&byte| byte == b'/').any(|part| Name::parse(part).is_err()) {
            return self.fail(path, store::Error::from(store::Kind::InvalidName).into());
        }
        if let Some(only) = &self.only {
            if let Err(taken) = only.claim(&path) {
                return self.fail(path, taken);
            }
            self.tell_above(&path);
        }
        self.ready.push_back(item(path));
    }

    /// Tells of the directories above a thing that were not told yet.
    fn tell_above(&mut self, path: &[u8]) {
        let above = path.iter().rposition(|&byte| byte == b'/').map_or(&b""[..], |end| &path[..end]);
        if above == self.told {
            return;
        }
        let ends = above.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        for end in ends.chain([above.len()]).filter(|end| *end > 0) {
            let path = above[..end].to_vec();
            self.ready.push_back(Item::Directory { path, attributes: Attributes::default() });
        }
        self.told = above.to_vec();
    }

    fn fail(&mut self, path: Vec<u8>, failure: Failure) {
        self.ready.push_back(Item::Failed { path, failure });
    }
}

fn file(path: Vec<u8>, metadata: &fs::Metadata) -> Item {
    let modified = Time { seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() as u32 };
    let attributes = Attributes { modified: Some(modified), mode: Some(metadata.mode() & 0o777) };
    Item::File { path, size: metadata.len(), attributes }
}

fn item(path: Vec<u8>, step: Step) -> Item {
    match step {
        Step::Directory(attributes) => Item::Directory { path, attributes },
        Step::File { size } => Item::File { path, size, attributes: Attributes::default() },
        Step::Link { target } => Item::Link { path, target },
        Step::Attributes(attributes) => Item::Attributes { path, attributes },
        Step::Remove { directory } => Item::Remove { path, directory },
    }
}

impl Iterator for Source {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if let Some(found) = self.found.pop_front() {
                self.meet(found);
                continue;
            }
            if let Some((path, step)) = self.steps.pop_front() {
                return Some(item(path, step));
            }
            if let Some(listing) = &mut self.listing {
                match listing.next()? {
                    Ok(entry) => self.name(entry.file_name().into_vec()),
                    Err(error) => self.fail(Vec::new(), error.into()),
                }
                continue;
            }
            let under = self.walk.as_mut()?;
            let prefix = under.prefix.clone();
            match under.walk.next_branch(BRANCH) {
                Some(branch) => {
                    self.found.extend(branch.found);
                    for missed in branch.missed {
                        let path = join(&prefix, &missed.path);
                        self.ready.push_back(Item::Missed { path, failure: missed.error.into() });
                    }
                }
                None => self.walk = self.later.pop(),
            }
        }
    }
}
