//! The end of a plan: what is in the way, what the source does not have, and what directories are to have.

use std::collections::HashSet;

use store::Attributes;

use super::super::there::{Fact, is_in};
use super::{Plan, Planner};
use crate::failure::{Code, Failure};
use crate::remote::Step;

/// Bits without which nothing can be done in a directory of one's own.
const OPEN: u32 = 0o300;

impl Planner {
    /// The whole plan.
    pub(in crate::session::sync) fn finish(mut self) -> Plan {
        let delete = self.delete && !self.plan.incomplete;
        self.clear_the_way(delete);
        if delete {
            self.remove_the_rest();
        }
        self.keep_open();
        let wanted = std::mem::take(&mut self.directories);
        for (path, attributes, differs) in wanted.iter().rev() {
            if *differs || self.touched.contains(path) {
                self.plan.directories.push(path, &Step::Attributes(*attributes));
            }
        }
        for (path, attributes, _) in wanted {
            if let Some(stands) = self.there.all.get(&path).map(|standing| standing.fact.clone()) {
                self.unlock(&path, &stands, attributes.mode.unwrap_or(stands.mode));
            }
        }
        self.plan
    }

    /// New directories that await files get what they are to have at the end, with those that were there.
    fn keep_open(&mut self) {
        if self.awaiting.is_empty() {
            return;
        }
        let (mut fresh, mut open) = (std::mem::take(&mut self.plan.fresh), Vec::new());
        while let Some((path, mut step)) = fresh.pop_front() {
            if let Step::Directory(attributes) = &mut step
                && self.awaiting.contains(&path[..])
            {
                open.push((path.clone(), std::mem::take(attributes)));
            }
            self.plan.fresh.push(&path, &step);
        }
        for (path, attributes) in open.into_iter().rev() {
            self.plan.directories.push(&path, &Step::Attributes(attributes));
        }
    }

    /// What stands in the way goes, if it may; else it is told.
    fn clear_the_way(&mut self, delete: bool) {
        let mut left_out = HashSet::new();
        for (path, step) in std::mem::take(&mut self.behind) {
            if is_in(&path, &left_out) {
                continue;
            }
            if !self.blocked.contains(&path) {
                self.bring(&path, &step);
                continue;
            }
            let directory = self.there.is_directory(&path);
            let held = self.there.all.get(&path).is_some_and(|standing| standing.held);
            if delete && !held {
                self.touch(&path);
                if directory {
                    self.clear_directory(&path);
                } else {
                    self.plan.removed.0 += 1;
                }
                self.plan.clear.push(&path, &Step::Remove { directory });
                self.bring(&path, &step);
            } else {
                self.plan.failures.push((path.to_vec(), in_the_way(directory, held, self.delete)));
                left_out.insert(path.clone());
            }
            // Of what stays, nothing beneath is removed either.
            self.kept.insert(path);
        }
    }

    /// All that is in a directory goes, and it is counted.
    fn clear_directory(&mut self, path: &[u8]) {
        let beneath = |other: &[u8]| other.strip_prefix(path).is_some_and(|rest| rest.starts_with(b"/"));
        let all = std::mem::take(&mut self.there.all);
        let mut inside: Vec<(&[u8], &Fact)> = all
            .iter()
            .filter(|(other, _)| beneath(other))
            .map(|(other, standing)| (&other[..], &standing.fact))
            .collect();
        inside.sort_unstable_by(|a, b| b.0.cmp(a.0));
        for &(other, fact) in &inside {
            self.touch(other);
            let directory = fact.is_directory();
            self.plan.clear.push(other, &Step::Remove { directory });
            if directory { self.plan.removed.1 += 1 } else { self.plan.removed.0 += 1 }
        }
        self.plan.removed.1 += 1;
        let itself = all.get(path).map(|standing| (path, &standing.fact));
        for (other, fact) in itself.into_iter().chain(inside.into_iter().rev()) {
            self.unlock(other, fact, fact.mode);
        }
        self.there.all = all;
    }

    /// What the source does not have goes, but for what holds something that stays.
    fn remove_the_rest(&mut self) {
        let all = std::mem::take(&mut self.there.all);
        let mut extra: Vec<(&[u8], &Fact)> = all
            .iter()
            .filter(|(path, standing)| {
                !standing.met && !standing.held && !path.is_empty() && !is_in(path, &self.kept)
            })
            .map(|(path, standing)| (&path[..], &standing.fact))
            .collect();
        extra.sort_unstable_by(|a, b| b.0.cmp(a.0));
        for &(path, fact) in &extra {
            self.touch(path);
            let directory = fact.is_directory();
            self.plan.extra.push(path, &Step::Remove { directory });
            if directory {
                self.plan.removed.1 += 1;
            } else {
                self.plan.removed.0 += 1;
            }
        }
        for (path, fact) in extra {
            self.unlock(path, fact, fact.mode);
        }
        self.there.all = all;
    }

    /// A directory in which something changes is made writable, if it is not as it `stands`.
    fn unlock(&mut self, path: &[u8], stands: &Fact, wanted: u32) {
        if stands.is_directory() && stands.mode & OPEN != OPEN && self.touched.contains(path) {
            let open = Attributes { modified: None, mode: Some(wanted | 0o700) };
            self.plan.unlock.push(path, &Step::Attributes(open));
        }
    }
}

fn in_the_way(directory: bool, held: bool, delete: bool) -> Failure {
    let what =
        if directory { "a directory stands where it should be" } else { "a file stands where it should be" };
    let remedy = match (held, delete) {
        (true, _) => "It holds what is excluded: remove it yourself.",
        (false, true) => "It stays, since not everything could be listed.",
        (false, false) => "--delete lets it be replaced.",
    };
    Failure::new(Code::Other, what).with_remedy(remedy)
}
