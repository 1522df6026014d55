//! Commands from a file or a pipe, one a line.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use tokio::sync::mpsc;

use crate::commands::{self, Command};
use crate::failure::{Code, Failure};
use crate::output::report;
use crate::session::{Session, home};

/// Lines that are read ahead.
const AHEAD: usize = 64;

/// What a failure does to the commands after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtFailure {
    /// `-b`: it ends the batch, unless its line begins with `-`.
    Stop,
    /// Commands piped into a prompt: the others are done all the same.
    GoOn,
}

/// Where a batch comes from.
#[derive(Debug)]
pub(crate) struct Batch {
    /// As failures name it.
    name: String,
    lines: mpsc::Receiver<io::Result<Vec<u8>>>,
}

impl Batch {
    /// The batch in `path`.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) fn file(path: &Path) -> Result<Batch, Failure> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Failure::from(error).of(&name))?;
        Ok(Batch { name, lines: lines_of(move || BufReader::new(file)) })
    }

    /// The batch on standard input.
    pub(crate) fn stdin() -> Batch {
        Batch { name: "stdin".to_owned(), lines: lines_of(|| io::stdin().lock()) }
    }

    /// Does its commands in order.
    ///
    /// # Errors
    /// The failure that ended it; [`Code::PartFailed`] if others were done, and nothing ended it; else the last failure.
    pub(crate) async fn run(mut self, session: &mut Session, at_failure: AtFailure) -> Result<(), Failure> {
        let mut tally = Tally::default();
        let mut number = 0;
        while let Some(line) = self.lines.recv().await {
            let line = line.map_err(|error| Failure::from(error).of(&self.name))?;
            number += 1;
            let step = Step::of(&line);
            let done = match step.command() {
                Ok(None) => continue,
                Ok(Some(Command::Quit)) => break,
                Ok(Some(command)) => session.run(&command).await,
                Err(misused) => Err(misused),
            };
            let Err(failure) = done else {
                tally.done += 1;
                continue;
            };
            let failure = failure.of(&format!("{}:{number}: {}", self.name, step.text.trim()));
            if failure.is_final() || (at_failure == AtFailure::Stop && !step.tolerated) {
                return Err(failure);
            }
            report(&failure);
            tally.failed += 1;
            tally.last = Some(failure.code);
        }
        tally.verdict()
    }
}

/// One line of a batch.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    text: String,
    /// The line began with `-`: its failure does not end the batch.
    tolerated: bool,
}

impl Step {
    /// Of a comment, the text is empty. What is no UTF-8 becomes U+FFFD, which [`Step::command`] refuses.
    fn of(line: &[u8]) -> Step {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        let (text, tolerated) = match line.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (line, false),
        };
        let text = if text.starts_with('#') { "" } else { text };
        Step { text: text.to_owned(), tolerated }
    }

    fn command(&self) -> Result<Option<Command>, Failure> {
        if self.text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(
                Failure::new(Code::Usage, "the line is not UTF-8").with_remedy("Save the batch as UTF-8.")
            );
        }
        commands::from_line(&self.text, home().as_deref())
    }
}

/// How a batch went that nothing ended.
#[derive(Debug, Default)]
struct Tally {
    done: usize,
    failed: usize,
    last: Option<Code>,
}

impl Tally {
    fn verdict(&self) -> Result<(), Failure> {
        let Some(last) = self.last else { return Ok(()) };
        let all = self.done + self.failed;
        let code = if self.done > 0 { Code::PartFailed } else { last };
        Err(Failure::new(code, format!("{} of {all} commands failed", self.failed)))
    }
}

/// The lines of `source`, read on a thread that a finished program does not wait for: a pipe may stay silent for ever.
fn lines_of<R: BufRead>(source: impl FnOnce() -> R + Send + 'static) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        for line in source().split(b'\n') {
            if sender.blocking_send(line).is_err() {
                break; // the batch has ended
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str, tolerated: bool) -> Step {
        Step { text: text.to_owned(), tolerated }
    }

    #[test]
    fn a_line_is_a_command_a_tolerated_command_or_nothing() {
        for (line, wanted) in [
            ("get a", step("get a", false)),
            ("  -rm a\r", step("rm a", true)),
            ("- rm a", step(" rm a", true)),
            ("# get a", step("", false)),
            ("  #", step("", false)),
            ("-# get a", step("", true)),
            ("", step("", false)),
            ("get 'a#b'", step("get 'a#b'", false)),
        ] {
            assert_eq!(Step::of(line.as_bytes()), wanted, "{line:?}");
        }
        assert_eq!(Step::of(b"# note").command().unwrap(), None);
        assert_eq!(Step::of(b"- q").command().unwrap(), Some(Command::Quit));
        assert_eq!(Step::of(b"get a\xff").command().unwrap_err().code, Code::Usage);
    }

    #[test]
    fn a_verdict_is_success_part_or_the_failure_itself() {
        let tally = |done, failed, last| Tally { done, failed, last }.verdict();
        assert_eq!(tally(0, 0, None), Ok(()));
        assert_eq!(tally(3, 0, None), Ok(()));
        let part = tally(2, 1, Some(Code::NotFound)).unwrap_err();
        assert_eq!((part.code, part.to_string().as_str()), (Code::PartFailed, "1 of 3 commands failed"));
        assert_eq!(tally(0, 2, Some(Code::Denied)).unwrap_err().code, Code::Denied);
    }

    #[tokio::test]
    async fn lines_come_whole_and_in_order() {
        let mut lines = lines_of(|| &b"one\ntwo\r\n\nlast"[..]);
        let mut seen = Vec::new();
        while let Some(line) = lines.recv().await {
            seen.push(line.unwrap());
        }
        assert_eq!(seen, [b"one".as_slice(), b"two\r", b"", b"last"]);
    }

    #[test]
    fn a_batch_that_is_not_there_is_not_found() {
        let failure = Batch::file(Path::new("/nonexistent/batch")).unwrap_err();
        assert_eq!(failure.code, Code::NotFound);
        assert!(failure.message.starts_with("/nonexistent/batch: "));
    }
}
