//! The bar of a long transfer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A transfer that is shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// How far the running transfer is. Shown, if at all, on standard error, and gone when the transfer ends.
#[derive(Clone, Debug)]
pub struct Progress {
    visible: bool,
    /// Shared by all who move parts of it.
    running: Arc<Mutex<Option<Running>>>,
}

#[derive(Debug)]
struct Running {
    bar: ProgressBar,
    begun: Instant,
    shown: bool,
    /// Of a tree.
    files: Option<Files>,
}

/// How many files of a tree are where they should be.
#[derive(Clone, Copy, Debug, Default)]
struct Files {
    done: u64,
    found: u64,
    /// Whether more may be found.
    all_found: bool,
}

impl Files {
    /// `12 of 40 files`, once it is known that there are 40; until then, `12 files`.
    fn said(self) -> String {
        match self {
            Files { done, found, all_found: true } => format!("{done} of {found} files"),
            Files { done: 1, .. } => "1 file".to_owned(),
            Files { done, .. } => format!("{done} files"),
        }
    }
}

impl Progress {
    /// A progress that shows a bar for long transfers.
    pub fn visible() -> Progress {
        Progress { visible: true, running: Arc::default() }
    }

    /// A progress that shows nothing.
    pub fn hidden() -> Progress {
        Progress { visible: false, running: Arc::default() }
    }

    /// A transfer of `size` bytes begins; `name` may come from anyone and is escaped. Within a tree, it is a part of that.
    pub fn begin(&self, name: &str, size: u64) {
        if self.running().as_ref().is_some_and(|running| running.files.is_some()) {
            self.expect(size);
            return;
        }
        self.start(name, size, None);
    }

    /// The transfer of a tree begins, of which nothing is known yet.
    pub(crate) fn begin_tree(&self, name: &str) {
        self.start(name, 0, Some(Files::default()));
    }

    /// So many files more are to be moved.
    pub(crate) fn found(&self, files: u64) {
        self.change(|all| all.found += files);
    }

    /// There are no others than those that were found.
    pub(crate) fn all_found(&self) {
        self.change(|all| all.all_found = true);
        if let Some(running) = self.running().as_ref() {
            running.bar.set_style(style(running.files));
        }
    }

    /// The tree is gone on with, `bytes` of which are where they should be in so many `files`: whatever else there is is found anew.
    pub(crate) fn again(&self, files: u64, bytes: u64) {
        if let Some(running) = self.running().as_ref() {
            running.bar.set_length(bytes);
            running.bar.set_position(bytes);
        }
        self.change(|all| *all = Files { done: files, found: files, all_found: false });
    }

    /// Files are where they should be, or all of them is on its way there.
    pub(crate) fn files_done(&self, files: u64) {
        self.change(|all| all.done += files);
    }

    /// So many files, and so many bytes, that have been counted as moved, are to be moved once more.
    pub(crate) fn once_more(&self, files: u64, bytes: u64) {
        self.change(|all| all.done = all.done.saturating_sub(files));
        self.expect(bytes);
    }

    /// Whether its user sees anything of it.
    pub(crate) fn is_visible(&self) -> bool {
        self.visible
    }

    fn change(&self, change: impl FnOnce(&mut Files)) {
        if let Some(running) = self.running().as_mut()
            && let Some(files) = &mut running.files
        {
            change(files);
            running.bar.set_prefix(files.said());
        }
    }

    fn start(&self, name: &str, size: u64, files: Option<Files>) {
        if !self.visible {
            return;
        }
        self.end_tree();
        let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::hidden());
        bar.set_style(style(files));
        bar.set_message(store::escaped(name.as_bytes()).to_string());
        *self.running() = Some(Running { bar, begun: Instant::now(), shown: false, files });
    }

    /// `bytes` more have been transferred.
    pub fn advance(&self, bytes: u64) {
        let mut running = self.running();
        let Some(running) = running.as_mut() else { return };
        running.bar.inc(bytes);
        if !running.shown && running.begun.elapsed() >= PATIENCE {
            running.shown = true;
            running.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// `bytes` are there without having been transferred: they tell nothing of the speed.
    pub(crate) fn there(&self, bytes: u64) {
        if let Some(running) = self.running().as_ref() {
            running.bar.set_position(running.bar.position() + bytes);
            running.bar.tick(); // what it has seen is no longer new to it
            running.bar.reset_eta();
        }
    }

    /// `bytes` more are to be transferred than was known.
    pub fn expect(&self, bytes: u64) {
        if let Some(running) = self.running().as_ref() {
            running.bar.inc_length(bytes);
        }
    }

    /// Tells something while the bar stands aside.
    pub fn aside(&self, tell: impl FnOnce()) {
        match self.running().as_ref() {
            Some(running) => running.bar.suspend(tell),
            None => tell(),
        }
    }

    /// The transfer has ended, well or not: the bar vanishes, unless it is that of a whole tree.
    pub fn end(&self) {
        if self.running().as_ref().is_none_or(|running| running.files.is_none()) {
            self.end_tree();
        }
    }

    /// Whatever was under way has ended.
    pub(crate) fn end_tree(&self) {
        if let Some(running) = self.running().take() {
            running.bar.finish_and_clear();
        }
    }

    /// Bytes that were transferred, and that are to be.
    #[cfg(test)]
    pub(crate) fn seen(&self) -> Option<(u64, u64)> {
        self.running().as_ref().map(|running| (running.bar.position(), running.bar.length().unwrap_or(0)))
    }

    /// No invariant spans two fields, so that a panic elsewhere leaves nothing half done.
    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of a tree that may have more files than were found, nobody knows what is left.
fn style(files: Option<Files>) -> ProgressStyle {
    let template = match files {
        Some(Files { all_found: false, .. }) => {
            "{msg:.bold}  {prefix}  {decimal_bytes} of at least {decimal_total_bytes}  {decimal_bytes_per_sec}"
        }
        Some(_) => {
            "{msg:.bold}  {wide_bar}  {prefix}  {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left"
        }
        None => {
            "{msg:.bold}  {wide_bar}  {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left"
        }
    };
    ProgressStyle::with_template(template).expect("the templates are constants that a test builds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_progress_keeps_nothing() {
        let progress = Progress::hidden();
        progress.begin("a", 10);
        progress.advance(10);
        assert!(progress.running().is_none());
    }

    #[test]
    fn a_visible_progress_counts_until_its_end_and_begins_anew() {
        let progress = Progress::visible();
        progress.advance(1); // before a begin: nothing
        progress.begin("a", 10);
        progress.advance(3);
        progress.advance(4);
        assert_eq!(progress.running().as_ref().unwrap().bar.position(), 7);
        assert!(!progress.running().as_ref().unwrap().shown);
        progress.begin("b\n", 5);
        let (position, message) =
            progress.running().as_ref().map(|r| (r.bar.position(), r.bar.message())).unwrap();
        assert_eq!((position, message.as_str()), (0, "b\\n"));
        progress.end();
        assert!(progress.running().is_none());
    }

    #[test]
    fn what_was_there_before_is_shown_and_has_no_speed() {
        let progress = Progress::visible();
        progress.begin("a", 1 << 40);
        progress.there(1 << 39);
        let seen =
            || progress.running().as_ref().map(|r| (r.bar.position(), r.bar.per_sec(), r.bar.eta())).unwrap();
        assert_eq!(seen(), (1 << 39, 0.0, Duration::ZERO));
        progress.advance(1);
        progress.running().as_ref().unwrap().bar.tick();
        let (position, speed, _) = seen();
        assert_eq!(position, (1 << 39) + 1);
        assert!(speed < 1e9, "{speed}: a byte within more than a nanosecond");
    }

    #[test]
    fn a_tree_counts_its_files_and_outlives_each_of_them() {
        let progress = Progress::visible();
        progress.begin_tree("photos");
        let seen = || progress.running().as_ref().map(|r| (r.bar.prefix(), r.bar.length())).unwrap();
        progress.found(2);
        for (size, said) in [(10, "1 file"), (20, "2 files")] {
            progress.begin("one of them", size);
            progress.advance(size);
            progress.end();
            progress.files_done(1);
            assert_eq!(seen().0, said);
        }
        assert_eq!(seen().1, Some(30));
        progress.once_more(1, 20);
        assert_eq!(seen(), ("1 file".to_owned(), Some(50)));
        progress.advance(20);
        progress.files_done(1);
        progress.found(1);
        progress.all_found();
        assert_eq!(seen().0, "2 of 3 files");
        progress.end_tree();
        assert!(progress.running().is_none());
    }
}
