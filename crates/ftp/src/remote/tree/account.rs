//! How a tree comes along: what is done, what failed, told as it happens.

use std::time::{Duration, Instant};

use store::{Entry, EntryKind};

use super::left::{Left, mark};
use crate::failure::Failure;
use crate::output::{Output, report};
use crate::progress::Progress;
use crate::remote::Verified;
use crate::show::json::{self, Object};

/// What became of the things of a tree so far.
#[derive(Debug)]
pub(crate) struct Account<'a> {
    output: &'a Output,
    progress: &'a Progress,
    began: Instant,
    /// Files that were moved, or things that were removed.
    pub(crate) done: u64,
    /// Directories among the things that were removed or listed.
    directories: u64,
    /// Links that were made.
    pub(crate) linked: u64,
    /// Bytes that were moved.
    pub(crate) bytes: u64,
    /// Bytes that went over the wire, perhaps in vain: data, and what was told of data.
    pub(crate) moved: u64,
    /// What could not be.
    pub(crate) failed: u64,
    /// Links that were left out because their user wants it so.
    pub(crate) skipped: u64,
    /// Links that were wanted and left out: they are among what could not be moved.
    led_out: u64,
    /// What has come without its time or mode: who brought it may not set them.
    unkept: u64,
    /// What is done to it.
    deed: Deed,
    /// Whether a digest was compared of each.
    pub(crate) verified: bool,
    /// That results could not be written any more.
    unheard: Option<Failure>,
    /// What the next try should know, if there is one.
    pub(crate) left: Left,
}

/// What is done to a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    Move,
    List,
    Remove,
}

/// What of a tree came through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// Whether a digest was compared of each file.
    pub(crate) verified: bool,
    pub(crate) elapsed: Duration,
}

/// What one of several who move a tree has done of it.
#[derive(Debug, Default)]
pub(crate) struct Portion {
    done: u64,
    linked: u64,
    bytes: u64,
    moved: u64,
    failed: u64,
    unheard: Option<Failure>,
    left: Left,
}

impl<'a> Account<'a> {
    /// Of a part of a tree, whose progress is that of the whole.
    pub(crate) fn of_a_portion(output: &'a Output, progress: &'a Progress) -> Account<'a> {
        Account {
            output,
            progress,
            began: Instant::now(),
            done: 0,
            directories: 0,
            linked: 0,
            bytes: 0,
            moved: 0,
            failed: 0,
            skipped: 0,
            led_out: 0,
            unkept: 0,
            deed: Deed::Move,
            verified: true,
            unheard: None,
            left: Left::default(),
        }
    }

    /// What was done of a part.
    pub(crate) fn portion(self) -> Portion {
        let Account { done, linked, bytes, moved, failed, unheard, left, .. } = self;
        Portion { done, linked, bytes, moved, failed, unheard, left }
    }

    /// Adds what somebody else has done.
    pub(crate) fn add(&mut self, portion: Portion) {
        self.done += portion.done;
        self.linked += portion.linked;
        self.bytes += portion.bytes;
        self.moved += portion.moved;
        self.failed += portion.failed;
        self.unheard = self.unheard.take().or(portion.unheard);
        self.left.add(portion.left);
    }

    /// What was moved so far is no part of what is tried from now on.
    pub(crate) fn begin(&mut self) {
        self.left = Left::default();
        self.left.skipped = self.skipped;
    }

    /// It is tried once more: what is done is not done again, and what is told is not told again.
    pub(crate) fn again(&mut self) {
        self.left.turn();
        self.skipped = self.left.skipped;
        self.progress.again(self.done, self.bytes);
    }

    /// It is looked at anew what is to be done, whatever was done before.
    pub(crate) fn again_from_the_start(&mut self) {
        self.again();
        self.left.forget_settled();
        self.hide();
    }

    /// What is gained by now: things that are done with, and bytes of others that need not be moved again.
    pub(crate) fn gained(&self) -> (u64, u64) {
        (self.done + self.linked + self.failed, self.left.kept())
    }

    /// Nothing more is to be done for a path of the tree: what there was to be done is, or cannot be.
    pub(crate) fn settle(&mut self, path: &[u8]) {
        self.left.settle(mark(path));
    }

    /// Whether it was not tried before.
    pub(crate) fn is_first_try(&self) -> bool {
        !self.left.again
    }

    /// Whether that was so when it was tried before.
    pub(crate) fn is_settled(&self, path: &[u8]) -> bool {
        self.left.again && self.left.settled.has(mark(path))
    }

    /// Where its words go, for somebody who moves a part of it.
    pub(crate) fn output(&self) -> &'a Output {
        self.output
    }

    /// Tells something that is no failure.
    pub(crate) fn note(&self, words: &str) {
        self.progress.aside(|| self.output.say(words));
    }

    /// Of a tree that its user calls `name`.
    pub(crate) fn open(name: &str, output: &'a Output, progress: &'a Progress) -> Account<'a> {
        progress.begin_tree(name);
        Account::of_a_portion(output, progress)
    }

    /// The same of a tree that is not moved.
    pub(crate) fn to(self, deed: Deed) -> Account<'a> {
        Account { deed, ..self }
    }

    /// More is to be moved.
    pub(crate) fn expect(&self, bytes: u64) {
        self.progress.expect(bytes);
    }

    /// Bytes have gone.
    pub(crate) fn advance(&self, bytes: u64) {
        self.progress.advance(bytes);
    }

    /// So many files more are to be moved.
    pub(crate) fn found(&self, files: u64) {
        self.progress.found(files);
    }

    /// There are no others than those that were found.
    pub(crate) fn all_found(&self) {
        self.progress.all_found();
    }

    /// A file of so many bytes is in its place, or something is removed.
    pub(crate) fn done(&mut self, bytes: u64) {
        self.done += 1;
        self.bytes += bytes;
        self.progress.files_done(1);
    }

    /// A directory is removed.
    pub(crate) fn directory_done(&mut self) {
        self.directories += 1;
        self.done(0);
    }

    /// Something is listed.
    pub(crate) fn listed(&mut self, entry: &Entry) {
        self.done += 1;
        match entry.kind {
            EntryKind::Directory => self.directories += 1,
            EntryKind::File => self.bytes += entry.size,
            EntryKind::Link | EntryKind::Other => {}
        }
    }

    /// Whole files have gone. Whether they came, nobody may say before all have gone.
    pub(crate) fn gone(&self, files: u64) {
        self.progress.files_done(files);
    }

    /// Files and bytes that have gone are to go once more.
    pub(crate) fn once_more(&self, files: u64, bytes: u64) {
        self.progress.once_more(files, bytes);
    }

    /// Whether somebody wants to know of each file.
    pub(crate) fn tells_each(&self) -> bool {
        self.output.json()
    }

    /// A file is in its place, whose `name` is told where [each](Account::tells_each) is.
    pub(crate) fn file(&mut self, name: impl FnOnce() -> String, size: u64, verified: Verified) {
        self.progress.files_done(1);
        self.stored(name, size, verified);
    }

    /// A file that had [gone](Account::gone) is in its place.
    pub(crate) fn stored(&mut self, name: impl FnOnce() -> String, size: u64, verified: Verified) {
        self.verified &= !matches!(verified, Verified::No);
        self.done += 1;
        self.bytes += size;
        if self.tells_each() {
            self.tell(json::file(&name(), size, verified, None));
        }
    }

    /// That results could not be written any more.
    pub(crate) fn unheard(&mut self) -> Option<Failure> {
        self.unheard.take()
    }

    fn tell(&mut self, object: Object) {
        let line = object.line();
        self.progress.aside(|| {
            if let Err(failure) = self.output.print(&line) {
                self.unheard.get_or_insert(failure);
            }
        });
    }

    /// Something could not be moved; the rest goes on.
    pub(crate) fn failed(&mut self, name: &str, failure: Failure) {
        if !self.left.is_news(name) {
            return;
        }
        self.failed += 1;
        if self.tells_each() {
            self.tell(json::failed(name, &failure));
        }
        self.progress.aside(|| report(&failure.of(name)));
    }

    /// A link is left out.
    pub(crate) fn skipped(&mut self) {
        self.skipped += 1;
    }

    /// So much has come without its time or mode, because whoever has it now does not let them be set.
    pub(crate) fn not_kept(&mut self, count: u64) {
        self.unkept += count;
    }

    /// A link is left out, though it was wanted.
    pub(crate) fn leads_out(&mut self, name: &str) {
        self.left_out(name, super::leads_out());
    }

    /// A link is left out, though it was wanted, for a reason of its own.
    pub(crate) fn left_out(&mut self, name: &str, failure: Failure) {
        self.led_out += 1;
        self.failed(name, failure);
    }

    /// The bar, for whoever moves one file after the other.
    pub(crate) fn progress(&self) -> &'a Progress {
        self.progress
    }

    /// Shows nothing of how far it is.
    pub(crate) fn hide(&self) {
        self.progress.end_tree();
    }

    /// Nothing of it was done.
    pub(crate) fn cancel(self) {
        self.progress.end_tree();
    }

    /// Says how it went: what was done, and that `what` was done to all, or of how many it could not be.
    pub(crate) fn close(mut self, name: &str, what: &str) -> (Sum, Result<(), Failure>) {
        self.progress.end_tree();
        let sum = self.sum();
        if self.tells_each() {
            self.tell(self.total(None));
        } else if self.skipped > 0 {
            self.output.say(&left_out(name, self.skipped));
        }
        if self.unkept > 0 {
            let words = "without their own modes or times: the server does not let this account set them";
            self.output.say(&format!("{name}: {} {words}", self.unkept));
        }
        let whole = match (self.unheard, self.failed) {
            (Some(unheard), _) => Err(unheard),
            (None, 0) => Ok(()),
            (None, failed) => Err(super::in_part(failed, failed + self.done, what)),
        };
        (sum, whole)
    }

    /// The failure that ended it, with how far it came.
    pub(crate) fn cut(mut self, failure: Failure, what: &str) -> Failure {
        self.progress.end_tree();
        let failure = match self.done {
            0 => failure,
            done => Failure { message: format!("{} ({done} {what} before)", failure.message), ..failure },
        };
        if self.tells_each() {
            self.tell(self.total(Some(&failure)));
        }
        failure
    }

    fn total(&self, cut: Option<&Failure>) -> Object {
        let (sum, things) = (self.sum(), (self.done - self.directories, self.directories));
        match self.deed {
            Deed::Move => json::moved(&sum, self.failed, self.skipped + self.led_out, cut),
            Deed::List => json::listed(things, sum.bytes, self.failed, sum.elapsed, cut),
            Deed::Remove => json::removed(things, self.failed, sum.elapsed, cut),
        }
    }

    fn sum(&self) -> Sum {
        let Account { done, bytes, verified, .. } = *self;
        Sum { files: done, bytes, verified, elapsed: self.began.elapsed() }
    }
}

/// What is told of links that were left out as their user wants it, of a tree that may have no name.
fn left_out(name: &str, links: u64) -> String {
    let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
    let links = if links == 1 { "1 link".to_owned() } else { format!("{links} links") };
    format!("{name}{links} left out")
}
