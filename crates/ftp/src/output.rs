//! The two ways out: results to standard output, words to standard error.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};

use crate::failure::Failure;
use crate::show::Surface;

/// Columns of a terminal that does not tell.
const DEFAULT_WIDTH: u16 = 80;

/// Where results and words go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    quiet: bool,
    /// Results are objects for programs.
    json: bool,
}

impl Output {
    /// With `quiet`, only failures and warnings are told; with `json`, results are objects.
    pub(crate) fn new(quiet: bool, json: bool) -> Output {
        Output { quiet, json }
    }

    /// Whether results are objects for programs, one a line, and nothing else is written among them.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// What standard output is right now; a window can change its size between two commands.
    pub(crate) fn surface(&self) -> Surface {
        let stdout = io::stdout();
        let colour = AutoStream::choice(&stdout) != ColorChoice::Never; // NO_COLOR, TERM=dumb, no terminal
        let width = stdout.is_terminal().then(|| {
            let told = rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| size.ws_col);
            usize::from(if told == 0 { DEFAULT_WIDTH } else { told })
        });
        Surface { width, colour }
    }

    /// Writes a result, whole lines.
    ///
    /// # Errors
    /// [`Failure::of_output`].
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|e| Failure::of_output(&e))
    }

    /// Tells something that is neither a result nor a failure, unless all should be quiet.
    pub(crate) fn say(&self, words: &str) {
        if !self.quiet {
            to_stderr(&harmless(words));
        }
    }

    /// Tells something that its user should change.
    pub(crate) fn warn(&self, words: &str) {
        to_stderr(&format!("ftp: {}", harmless(words)));
    }
}

/// Tells a failure on standard error, escaped since it may hold words of a server; nothing if its code tells all.
pub fn report(failure: &Failure) {
    if !failure.is_silent() {
        to_stderr(&format!("ftp: {}", harmless(&failure.to_string())));
    }
}

/// Words, some of which somebody else chose, on one line. Names are escaped in full where they are a result; in a sentence
/// a backslash stays one, so that what was escaped before does not become unreadable.
fn harmless(words: &str) -> String {
    store::escaped(words.as_bytes()).to_string().replace(r"\\", r"\")
}

/// A closed standard error is no reason to stop: nothing is left to be told, or to tell it to.
fn to_stderr(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_server_stay_on_their_line_and_move_no_cursor() {
        assert_eq!(harmless("denied.\n\x1b[2Jftp: done"), r"denied.\n\x1b[2Jftp: done");
        assert_eq!(harmless(r"write \\ for \"), r"write \\ for \");
    }
}
