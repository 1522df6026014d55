//! The log of a server: read as it comes, waited for, searched.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::{ALL, DEADLINE};

/// Standard error of a server, and of those that ran before it in the same directory.
#[derive(Clone, Debug, Default)]
pub struct Log {
    shared: Arc<(Mutex<Lines>, Condvar)>,
}

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<Vec<u8>>,
    /// Where the lines of the server that runs now begin.
    begin: usize,
    ended: bool,
}

impl Log {
    /// Reads what a new server writes, on a thread of its own.
    pub fn follow(&self, stderr: impl Read + Send + 'static) {
        let mut lines = self.lines();
        lines.begin = lines.lines.len();
        lines.ended = false;
        drop(lines);
        let log = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n') {
                log.change(|lines| lines.lines.push(line.unwrap()));
            }
            log.change(|lines| lines.ended = true);
        });
    }

    /// The first line of the running server that has `text`, as soon as it is there.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_for_all(&[text])
    }

    /// The first line of the running server that has each of `texts`, as soon as it is there.
    #[track_caller]
    pub fn wait_for_all(&self, texts: &[&str]) -> String {
        self.wait_for_nth(1, texts)
    }

    /// The `n`-th such line, counted from 1.
    #[track_caller]
    pub fn wait_for_nth(&self, n: usize, texts: &[&str]) -> String {
        let found = |lines: &Lines| {
            let shown = lines.lines[lines.begin..].iter().map(|line| String::from_utf8_lossy(line));
            let line = shown.filter(|line| texts.iter().all(|text| line.contains(text))).nth(n - 1)?;
            Some(line.into_owned())
        };
        let line = self.wait_until(|lines| lines.ended || found(lines).is_some(), |lines| found(lines));
        line.flatten().unwrap_or_else(|| panic!("no line {n} with {texts:?} in the log:\n{}", self.text()))
    }

    /// Waits until the server has closed its standard error, as it does when it ends.
    #[track_caller]
    pub fn wait_for_end(&self) {
        let ended = self.wait_until(|lines| lines.ended, |_| ());
        assert!(ended.is_some(), "the server does not end; its log:\n{}", self.text());
    }

    /// Everything so far, of every server that ran in the directory.
    pub fn text(&self) -> String {
        self.lines().lines.iter().map(|line| String::from_utf8_lossy(line) + "\n").collect()
    }

    /// How many lines have each of `texts`.
    pub fn count(&self, texts: &[&str]) -> usize {
        self.text().lines().filter(|line| texts.iter().all(|text| line.contains(text))).count()
    }

    /// Holds the log against what no log may contain.
    ///
    /// # Panics
    /// If it has a control character, bytes that are no text, a password, or a panic.
    #[track_caller]
    pub fn check(&self) {
        for line in &self.lines().lines {
            let text = std::str::from_utf8(line).unwrap_or_else(|_| panic!("not UTF-8: {line:?}"));
            assert!(!text.contains(char::is_control), "control characters in the log: {text:?}");
            assert!(!text.contains("panicked"), "a panic: {text}");
            for user in ALL {
                assert!(!text.contains(user.password), "a password in the log: {text}");
            }
        }
    }

    /// Holds what has come so far against what no log may contain, as [`check`](Log::check) does, and forgets it: a campaign's log
    /// would fill the memory.
    ///
    /// # Panics
    /// As [`check`](Log::check) does.
    #[track_caller]
    pub fn forget(&self) {
        self.check();
        self.change(|lines| {
            lines.lines.clear();
            lines.begin = 0;
        });
    }

    /// What `then` makes of the lines once `ready` says so; `None` at the deadline.
    fn wait_until<T>(&self, ready: impl Fn(&Lines) -> bool, then: impl FnOnce(&Lines) -> T) -> Option<T> {
        let (_, changed) = &*self.shared;
        let (lines, waited) =
            changed.wait_timeout_while(self.lines(), DEADLINE, |lines| !ready(lines)).unwrap();
        (!waited.timed_out()).then(|| then(&lines))
    }

    fn change(&self, change: impl FnOnce(&mut Lines)) {
        change(&mut self.lines());
        self.shared.1.notify_all();
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner) // `check` panics, and what it saw is wanted then
    }
}
