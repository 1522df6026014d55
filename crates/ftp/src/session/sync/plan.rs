//! What is to be done, so that the destination becomes like the source: pure, from what is known of both.

mod finish;

use std::collections::HashSet;

use store::Attributes;

use super::rules::Rules;
use super::summary::Summary;
use super::there::{Fact, There, What, above, is_in};
use crate::failure::Failure;
use crate::remote::{LARGE, Paths, Step, Steps, WIDE, leads_out, note, noted};

/// A block, below which a file has nothing that could stay.
const BLOCK: u64 = digest::BLOCK as u64;

/// What is to be done, in the order of its parts.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Directories that have to be writable first.
    pub(super) unlock: Steps,
    /// What stands in the way of something of another kind, a directory after what is in it.
    pub(super) clear: Steps,
    /// Directories, files and links that are new.
    pub(super) fresh: Steps,
    /// New files that are so large that each is worth going on with once it was cut.
    pub(super) long: Steps,
    /// Files and links that differ, as a whole.
    pub(super) changed: Steps,
    /// Files whose names links or special files have.
    pub(super) replacing: Steps,
    /// Large files that differ.
    pub(super) by_blocks: Vec<Large>,
    /// What the source does not have.
    pub(super) extra: Steps,
    /// Files that differ in time or mode alone.
    pub(super) attributes: Steps,
    /// Directories that were there, with what they are to have, the deepest first.
    pub(super) directories: Steps,
    /// What cannot be done.
    pub(super) failures: Vec<(Vec<u8>, Failure)>,
    /// Not everything could be listed, so that nothing is removed.
    pub(super) incomplete: bool,
    /// Files and links of the source that take part.
    pub(super) looked_at: u64,
    /// Those that are at the destination as they should be.
    pub(super) unchanged: u64,
    /// Links that are left out because their user wants it so.
    pub(super) skipped: u64,
    /// Links that are left out because they lead out of the tree: they are among the failures.
    pub(super) led_out: u64,
    /// Files, and directories, that are removed.
    pub(super) removed: (u64, u64),
}

impl Plan {
    /// What would come of it.
    pub(super) fn sums(&self) -> Summary {
        Summary {
            looked_at: self.looked_at,
            new: self.fresh.moved() + self.long.moved(),
            changed: self.changed.moved() + self.replacing.moved() + self.by_blocks.len() as u64,
            attributes: self.attributes.len(),
            deleted: self.removed.0 + self.removed.1,
            unchanged: self.unchanged,
            ..Summary::default()
        }
    }
}

/// A large file that differs.
#[derive(Debug)]
pub(super) struct Large {
    pub(super) path: Box<[u8]>,
    /// Bytes at the source.
    pub(super) size: u64,
    /// What it has there.
    pub(super) attributes: Attributes,
}

/// A plan in the making. What the source has is met in such an order that a directory comes before what is in it.
#[derive(Debug)]
pub(super) struct Planner {
    rules: Rules,
    there: There,
    checksum: bool,
    delete: bool,
    plan: Plan,
    /// Files of the same size whose contents are still to be compared.
    unsure: Paths,
    /// Bytes that they have.
    unsure_bytes: u64,
    /// Directories that are there, and whether they differ.
    directories: Vec<(Box<[u8]>, Attributes, bool)>,
    /// Directories in which something changes.
    touched: HashSet<Box<[u8]>>,
    /// Names at which something else stands, a file for a directory or the reverse.
    blocked: HashSet<Box<[u8]>>,
    /// What is to be done there, and beneath, once that is gone.
    behind: Vec<(Box<[u8]>, Step)>,
    /// Directories above the new files that come after the others.
    awaiting: HashSet<Box<[u8]>>,
    /// What the source has and does not give: it stays as it is.
    kept: HashSet<Box<[u8]>>,
}

impl Planner {
    pub(super) fn new(rules: Rules, there: There, checksum: bool, delete: bool) -> Planner {
        let plan = Plan { incomplete: there.incomplete, ..Plan::default() };
        Planner {
            rules,
            there,
            checksum,
            delete,
            plan,
            unsure: Paths::default(),
            unsure_bytes: 0,
            directories: Vec::new(),
            touched: HashSet::new(),
            blocked: HashSet::new(),
            behind: Vec::new(),
            awaiting: HashSet::new(),
            kept: HashSet::new(),
        }
    }

    /// One that stands for another while that is elsewhere.
    pub(super) fn empty() -> Planner {
        Planner::new(Rules::default(), There::default(), false, false)
    }

    /// Whether the source's thing at `path` takes part.
    pub(super) fn takes(&self, path: &[u8], directory: bool) -> bool {
        self.rules.take(path, directory)
    }

    /// The source has this.
    pub(super) fn meet(&mut self, path: &[u8], fact: &Fact) {
        if !self.takes(path, fact.is_directory()) || is_in(path, &self.kept) {
            return;
        }
        let attributes = Attributes { modified: Some(fact.modified), mode: Some(fact.mode) };
        let step = match &fact.what {
            What::Directory => Step::Directory(attributes),
            What::File(size) => Step::File { size: *size },
            What::Link(target) => Step::Link { target: target.to_vec() },
            What::Other => {
                return self.fail(path.to_vec(), store::Error::from(store::Kind::Special).into());
            }
        };
        self.plan.looked_at += u64::from(!fact.is_directory());
        if is_in(path, &self.blocked) {
            return self.behind.push((path.into(), step));
        }
        let Some(standing) = self.there.all.get_mut(path) else {
            self.touch(path);
            return self.bring(path, &step);
        };
        standing.met = true;
        let stands = standing.fact.clone();
        match (&fact.what, &stands.what) {
            (What::Directory, What::Directory) => {
                let differs = fact.mode != stands.mode || !fact.is_as_old_as(&stands);
                self.directories.push((path.into(), attributes, differs));
            }
            (What::Directory, _) | (_, What::Directory) => {
                self.blocked.insert(path.into());
                self.behind.push((path.into(), step));
            }
            (What::File(size), What::File(there)) => {
                self.compare(path, (fact, *size), (&stands, *there), &attributes);
            }
            (What::Link(target), What::Link(there)) if target == there => self.plan.unchanged += 1,
            (What::File(_), What::Link(_) | What::Other) => {
                self.touch(path);
                self.plan.replacing.push(path, &step);
            }
            _ => self.change(path, &step),
        }
    }

    /// The source has a name there, but not what is behind it: what stands there stays.
    pub(super) fn skip(&mut self, path: Vec<u8>) {
        if self.takes(&path, false) && !is_in(&path, &self.kept) {
            self.plan.skipped += 1;
            self.keep(path);
        }
    }

    /// The source has something there that cannot be moved.
    pub(super) fn fail(&mut self, path: Vec<u8>, failure: Failure) {
        if self.takes(&path, false) && !is_in(&path, &self.kept) {
            self.keep(path.clone());
            self.plan.failures.push((path, failure));
        }
    }

    /// The source has a link there that leads out.
    pub(super) fn lead_out(&mut self, path: Vec<u8>) {
        let failures = self.plan.failures.len();
        self.fail(path, leads_out());
        self.plan.led_out += (self.plan.failures.len() - failures) as u64;
    }

    /// The source could not be looked into there.
    pub(super) fn miss(&mut self, path: Vec<u8>, failure: Failure) {
        if self.takes(&path, true) {
            self.plan.incomplete = true;
            self.plan.failures.push((path, failure));
        }
    }

    fn keep(&mut self, path: Vec<u8>) {
        if let Some(standing) = self.there.all.get_mut(&path[..]) {
            standing.met = true;
        }
        self.kept.insert(path.into());
    }

    fn compare(&mut self, path: &[u8], here: (&Fact, u64), there: (&Fact, u64), attributes: &Attributes) {
        let alike = here.0.is_as_old_as(there.0);
        let same = alike && here.0.mode == there.0.mode;
        let size = here.1;
        if size != there.1 {
            self.differ(path, (size, *attributes), there.1);
        } else if self.checksum && size > 0 {
            let flag = [u8::from(same)];
            self.unsure_bytes = self.unsure_bytes.saturating_add(size);
            self.unsure.push(path, &[&flag[..], &size.to_le_bytes(), &note(attributes)].concat());
        } else if same {
            self.plan.unchanged += 1;
        } else if alike || size == 0 {
            self.plan.attributes.push(path, &Step::Attributes(*attributes));
        } else {
            self.differ(path, (size, *attributes), size);
        }
    }

    fn differ(&mut self, path: &[u8], (size, attributes): (u64, Attributes), there: u64) {
        if size.max(there) >= LARGE && size.min(there) >= BLOCK {
            self.touch(path);
            self.plan.by_blocks.push(Large { path: path.into(), size, attributes });
        } else {
            self.change(path, &Step::File { size });
        }
    }

    /// It is new.
    fn bring(&mut self, path: &[u8], step: &Step) {
        // Smaller ones of a tree are faster side by side.
        let long = if path.is_empty() { LARGE } else { WIDE };
        match step {
            Step::File { size } if *size >= long => {
                self.awaiting.extend(above(path).map(Box::from));
                self.plan.long.push(path, step);
            }
            _ => self.plan.fresh.push(path, step),
        }
    }

    fn change(&mut self, path: &[u8], step: &Step) {
        self.touch(path);
        self.plan.changed.push(path, step);
    }

    /// What is in the directory of `path` changes.
    fn touch(&mut self, path: &[u8]) {
        if let Some(directory) = above(path).next()
            && !self.touched.contains(directory)
        {
            self.touched.insert(directory.into());
        }
    }

    /// Files whose contents are to be compared, to be [`settle`](Planner::settle)d, and their bytes.
    pub(super) fn unsure(&mut self) -> (Paths, u64) {
        (std::mem::take(&mut self.unsure), std::mem::take(&mut self.unsure_bytes))
    }

    /// The contents of a file were compared. `noted` is as it was noted.
    pub(super) fn settle(&mut self, path: Vec<u8>, noted_then: &[u8], same: Result<bool, Failure>) {
        let (flag, rest) = noted_then.split_first().unwrap_or((&0, &[]));
        let (size, attributes) = rest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        let size = u64::from_le_bytes(*size);
        match same {
            Ok(true) if *flag == 1 => self.plan.unchanged += 1,
            Ok(true) => self.plan.attributes.push(&path, &Step::Attributes(noted(attributes))),
            Ok(false) => self.differ(&path, (size, noted(attributes)), size),
            Err(failure) => self.plan.failures.push((path, failure)),
        }
    }
}

#[cfg(test)]
mod tests;
