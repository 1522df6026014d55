//! The bar of a long transfer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A transfer that is shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// How far the running transfer is. Shown, if at all, on standard error, and gone when the transfer ends.
#[derive(Debug)]
pub struct Progress {
    visible: bool,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    bar: ProgressBar,
    begun: Instant,
    shown: bool,
}

impl Progress {
    /// A progress that shows a bar for long transfers.
    pub fn visible() -> Progress {
        Progress { visible: true, running: Mutex::new(None) }
    }

    /// A progress that shows nothing.
    pub fn hidden() -> Progress {
        Progress { visible: false, running: Mutex::new(None) }
    }

    /// A transfer of `size` bytes begins; `name` may come from anyone and is escaped.
    pub fn begin(&self, name: &str, size: u64) {
        if !self.visible {
            return;
        }
        self.end();
        let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::hidden());
        bar.set_style(style());
        bar.set_message(store::escaped(name.as_bytes()).to_string());
        *self.running() = Some(Running { bar, begun: Instant::now(), shown: false });
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

    /// The transfer has ended, well or not: the bar vanishes.
    pub fn end(&self) {
        if let Some(running) = self.running().take() {
            running.bar.finish_and_clear();
        }
    }

    /// No invariant spans two fields, so that a panic elsewhere leaves nothing half done.
    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template(
        "{msg:.bold}  {wide_bar}  {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left",
    )
    .expect("the template is a constant that a test builds")
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
}
