//! The language of the prompt, of batches and of the command line: one table, one parser.

mod parse;
mod sync;
mod table;
mod words;

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

pub(crate) use sync::{Rule, Sync, Way};
pub(crate) use table::{Opt, Row, TABLE, Verb};
pub(crate) use words::quote;

/// A command, ready to be done. Remote paths are as they were typed; the server knows the directory they start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// `ls`.
    List { path: String, long: bool },
    /// `ls -r`.
    ListTree { path: String, long: bool },
    /// `cd`.
    ChangeDirectory(String),
    /// `cd..`.
    Climb,
    /// `pwd`.
    WorkingDirectory,
    /// `get`.
    Get { remote: String, local: Option<PathBuf>, go_on: bool },
    /// `get -r`.
    GetTree { remote: String, local: Option<PathBuf> },
    /// `mget`.
    GetMany(Vec<String>),
    /// `put`.
    Put { local: PathBuf, remote: Option<String>, go_on: bool },
    /// `put -r`.
    PutTree { local: PathBuf, remote: Option<String> },
    /// `mput`.
    PutMany(Vec<String>),
    /// `sync`.
    Sync(Sync),
    /// `cat`.
    Cat(String),
    /// `mkdir`.
    MakeDirectory(String),
    /// `rmdir`.
    RemoveDirectory(String),
    /// `rm`.
    Remove(String),
    /// `rm -r`.
    RemoveTree(String),
    /// `mv`.
    Rename { from: String, to: String },
    /// `stat`.
    Stat(String),
    /// `md5`.
    Md5(String),
    /// `lcd`; without a path, to the home of the user.
    LocalChangeDirectory(Option<PathBuf>),
    /// `lpwd`.
    LocalWorkingDirectory,
    /// `lls`.
    LocalList { path: PathBuf, long: bool },
    /// `!`: text for a shell; empty for a shell to type in.
    Shell(String),
    /// `help`, about one command or all.
    Help(Option<&'static Row>),
    /// `quit`.
    Quit,
}

impl Command {
    /// Whether doing it twice comes to the same as doing it once, so that it may be done again when a lost connection
    /// leaves open whether it was done.
    pub(crate) fn bears_repetition(&self) -> bool {
        match self {
            Command::List { .. }
            | Command::ChangeDirectory(_)
            | Command::Climb // from the directory where it began
            | Command::WorkingDirectory
            | Command::Stat(_)
            | Command::Md5(_) => true,
            Command::Get { .. } | Command::Put { .. } | Command::Sync(_) // they see to it themselves
            | Command::ListTree { .. } // its first part is written already
            | Command::Cat(_)
            | Command::GetTree { .. } // it does itself
            | Command::GetMany(_)
            | Command::PutTree { .. }
            | Command::PutMany(_)
            | Command::RemoveTree(_)
            | Command::MakeDirectory(_)
            | Command::RemoveDirectory(_)
            | Command::Remove(_)
            | Command::Rename { .. }
            | Command::LocalChangeDirectory(_)
            | Command::LocalWorkingDirectory
            | Command::LocalList { .. }
            | Command::Shell(_)
            | Command::Help(_)
            | Command::Quit => false,
        }
    }
}

impl Command {
    /// The file that it is to move, if it is one file.
    pub(crate) fn file(&self) -> Option<Cow<'_, str>> {
        match self {
            Command::Get { remote, .. } => Some(remote.into()),
            Command::Put { local, .. } => Some(local.to_string_lossy()),
            _ => None,
        }
    }
}

/// The command in a line of the prompt or of a batch; `None` if the line is blank.
/// A local name that begins with `~/` starts at `home`, as it would in a shell.
///
/// # Errors
/// [`Code::Usage`](crate::failure::Code::Usage) with the usage of the command.
pub(crate) fn from_line(line: &str, home: Option<&Path>) -> Result<Option<Command>, Failure> {
    // The rest of a line after `!` belongs to the shell, quotes and all.
    if let Some(script) = line.trim().strip_prefix('!') {
        return Ok(Some(Command::Shell(script.trim().to_owned())));
    }
    let words: Vec<OsString> = words::split(line)?.into_iter().map(OsString::from).collect();
    if words.is_empty() { Ok(None) } else { parse::parse(words, home).map(Some) }
}

/// The command in arguments that a shell has already cut and unquoted.
///
/// # Errors
/// [`Code::Usage`](crate::failure::Code::Usage) with the usage of the command.
pub(crate) fn from_words(words: Vec<OsString>) -> Result<Command, Failure> {
    parse::parse(words, None)
}
