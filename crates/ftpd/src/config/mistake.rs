//! What can be wrong with users.toml, and the words for it: a line, what is wrong, and what to do.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use crate::password::Flaw;

/// A mistake in a file: shown as `users.toml:LINE: what is wrong. what to do`.
#[derive(Debug, Error)]
pub struct Problem {
    /// The file, as the user named it.
    pub file: PathBuf,
    /// The line, counted from 1; `None` where the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub mistake: Box<Mistake>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.mistake)
    }
}

/// What is wrong, and the remedy. None of these ever repeats what stands as a password.
#[derive(Debug, Error)]
pub enum Mistake {
    /// There is no such file.
    #[error("there is no such file. make it with its first user: {command}")]
    NoFile {
        /// The command that makes it.
        command: String,
    },
    /// The file is there and cannot be read.
    #[error("cannot be read: {error}. {remedy}")]
    Unreadable {
        /// What the system says.
        error: io::Error,
        /// What may help.
        remedy: String,
    },
    /// A line holds bytes that are no text.
    #[error("this line is not UTF-8. save the file as UTF-8 text")]
    NotUtf8,
    /// The text is no TOML.
    #[error(
        "this is not TOML: {0}. put text in quotes, sections in brackets, as in the example in the README"
    )]
    Syntax(String),
    /// A key or section, a user among them, is there already.
    #[error("{0} is here a second time. keep one of the two")]
    Twice(String),
    /// A key or section that nobody reads.
    #[error("unknown {what} {place}. {hint}")]
    Unknown {
        /// `key "idel"` or `section [nativ]`.
        what: String,
        /// Where it stands.
        place: String,
        /// The name that was likely meant.
        hint: String,
    },
    /// A key that must be there is not.
    #[error("{key} is missing {place}. add, for example: {example}")]
    Absent {
        /// Its name.
        key: &'static str,
        /// Where it should stand.
        place: String,
        /// How it is written.
        example: &'static str,
    },
    /// A value of the wrong type or outside its bounds.
    #[error("{key} must be {wanted}, not {found}. write, for example: {example}")]
    Value {
        /// The key.
        key: String,
        /// What it may be.
        wanted: String,
        /// What it is.
        found: String,
        /// How it is written.
        example: &'static str,
    },
    /// There is no door.
    #[error("the server would listen nowhere. add a section [native] with the line {0}")]
    NoListener(&'static str),
    /// The name of a user is empty, too long, or holds other characters.
    #[error("{0} cannot be the name of a user. use 1 to 64 of a-z A-Z 0-9 . _ - @, and no - first")]
    UserName(String),
    /// A name with a dot was not quoted, and so became a section in a section.
    #[error("{section} is a section inside a user's. if the name has a dot, quote it: {quoted}")]
    Nested {
        /// What was written.
        section: String,
        /// What was likely meant.
        quoted: String,
    },
    /// A user has no password.
    #[error("{user} has no password. run: {command}")]
    NoPassword {
        /// Who.
        user: String,
        /// The command that gives one.
        command: String,
    },
    /// What stands as password is not a hash that can be served.
    #[error("the password of {user} {flaw}. run: {command}")]
    Password {
        /// Who.
        user: String,
        /// What is wrong with it.
        flaw: Flaw,
        /// The command that puts it right.
        command: String,
    },
    /// A reload brings a home that the running server cannot open: the kernel keeps it to what it was started with.
    #[error(
        "the home of {user} lies where the running server may not go. start ftpd again; \
         for later ones, name the directory above in: {example}"
    )]
    Outside {
        /// Whose home.
        user: String,
        /// How that is written.
        example: &'static str,
    },
    /// Everybody would have to know the password of everybody's name.
    #[error(
        "anonymous has a password, and is the name by which everybody logs in. \
         remove the line, or give the user another name"
    )]
    AnonymousPassword,
    /// Everybody could change everything.
    #[error(
        "anonymous is everybody, who could change and remove all there is. write access = \"read\", \
         or \"drop\" to let them upload and see nothing"
    )]
    AnonymousWrites,
    /// A passive data connection could be asked for where a door listens.
    #[error("{0} is listened on, with a port among these. choose ports beside it")]
    Listener(SocketAddr),
    /// A certificate or key is named, and no door speaks TLS.
    #[error("without TLS nobody reads this. remove it, or the line tls = false")]
    Unused,
}
