//! Programs of others: clients of the classic door that people have.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::client::start;
use crate::{Ran, Running};

/// One run of a program that must be there, in an environment that knows nothing of who runs the tests.
#[derive(Debug)]
pub struct Tool {
    command: Command,
    stdin: Option<Vec<u8>>,
}

impl Tool {
    /// A run in `directory`, which is home, too.
    pub fn new(program: &str, directory: &Path) -> Tool {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.current_dir(directory).env_clear().env("HOME", directory).env("PATH", path);
        command.env("TZ", "UTC").env("LC_ALL", "C.UTF-8").env("TERM", "dumb");
        command.stdout(Stdio::piped());
        Tool { command, stdin: None }
    }

    /// Adds a word to its command line.
    pub fn arg(mut self, word: impl AsRef<OsStr>) -> Tool {
        self.command.arg(word);
        self
    }

    /// Adds words to its command line.
    pub fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, words: I) -> Tool {
        self.command.args(words);
        self
    }

    /// Sets a variable of its environment.
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Tool {
        self.command.env(name, value.into());
        self
    }

    /// Gives it this to read.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Tool {
        self.stdin = Some(text.into());
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// If it is not installed: `tests/run` installs what is needed.
    #[track_caller]
    pub fn spawn(self) -> Running {
        start(self.command, self.stdin)
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(self) -> Ran {
        self.spawn().wait()
    }
}
