//! What stands at the destination before anything is done.

use std::collections::{HashMap, HashSet};

use store::{EntryKind, Found, Time};

use super::rules::Rules;
use crate::failure::{Code, Failure};

/// What is known of a thing at one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) what: What,
    pub(super) modified: Time,
    pub(super) mode: u32,
}

/// What a thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    File(u64),
    Directory,
    Link(Box<[u8]>),
    /// A device, a FIFO or a socket.
    Other,
}

/// A thing at the destination.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) fact: Fact,
    /// The source has something of that name.
    pub(super) met: bool,
    /// A directory that holds what takes no part, and so stays.
    pub(super) held: bool,
}

/// All that stands at the destination, but for what takes no part.
#[derive(Debug, Default)]
pub(super) struct There {
    pub(super) all: HashMap<Box<[u8]>, Standing>,
    /// Not everything could be listed.
    pub(super) incomplete: bool,
    /// There is nothing, not even the destination itself.
    pub(super) missing: bool,
    /// Bytes of memory that it takes, about.
    pub(super) weight: usize,
}

/// Bytes that a tree may take here, and what a thing takes beside its path: some millions of files.
const MOST: usize = 1 << 30;
const THING: usize = 160;

impl From<Found> for Fact {
    fn from(found: Found) -> Fact {
        let what = match (found.kind, found.target) {
            (EntryKind::File, _) => What::File(found.size),
            (EntryKind::Directory, _) => What::Directory,
            (EntryKind::Link, target) => What::Link(target.unwrap_or_default().into()),
            (EntryKind::Other, _) => What::Other,
        };
        Fact { what, modified: found.modified, mode: found.mode & 0o777 }
    }
}

impl Fact {
    pub(super) fn is_directory(&self) -> bool {
        self.what == What::Directory
    }

    /// Whether it was modified when `other` was, as far as both ends can tell: where one keeps no nanoseconds, to the second.
    pub(super) fn is_as_old_as(&self, other: &Fact) -> bool {
        let (a, b) = (self.modified, other.modified);
        a.seconds == b.seconds && (a.nanoseconds == b.nanoseconds || a.nanoseconds == 0 || b.nanoseconds == 0)
    }
}

impl There {
    /// Takes note of a thing, unless it takes no part.
    ///
    /// # Errors
    /// If there is more than can be kept in mind.
    pub(super) fn add(&mut self, rules: &Rules, found: Found) -> Result<(), Failure> {
        let path = found.path.clone();
        weigh(&mut self.weight, bytes(&found))?;
        let fact = Fact::from(found);
        if rules.take(&path, fact.is_directory()) {
            self.all.insert(path.into(), Standing { fact, met: false, held: false });
            return Ok(());
        }
        for above in above(&path) {
            if let Some(standing) = self.all.get_mut(above) {
                standing.held = true;
            }
        }
        Ok(())
    }

    pub(super) fn is_directory(&self, path: &[u8]) -> bool {
        self.all.get(path).is_some_and(|standing| standing.fact.is_directory())
    }
}

/// Bytes that are kept in mind of a thing that was found.
pub(super) fn bytes(found: &Found) -> usize {
    found.path.len() + found.target.as_ref().map_or(0, Vec::len)
}

/// Counts one thing more, of which so many bytes are kept in mind.
///
/// # Errors
/// If there are more than can be kept in mind: whoever tells of them need not be honest.
pub(super) fn weigh(weight: &mut usize, bytes: usize) -> Result<(), Failure> {
    *weight += THING + bytes;
    if *weight > MOST {
        let many = Failure::new(Code::Other, "the tree has more files than can be kept in mind");
        return Err(many.with_remedy("Name its directories one by one."));
    }
    Ok(())
}

/// The directories that something lies in, the top last.
pub(super) fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let top = (!path.is_empty()).then_some(&b""[..]);
    let ends = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
    ends.map(|end| &path[..end]).chain(top)
}

/// Whether something lies in one of `directories`.
pub(super) fn is_in(path: &[u8], directories: &HashSet<Box<[u8]>>) -> bool {
    !directories.is_empty() && above(path).any(|above| directories.contains(above))
}
