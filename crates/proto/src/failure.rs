//! Why not: the kind for a program, the sentence and the remedy for a person.

use std::fmt;

use bincode::{Decode, Encode};

use crate::limits::SENTENCE;

/// The reason for which a command was not carried out, or a transfer was broken off.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Failure {
    /// For a program.
    pub kind: Kind,
    /// What is wrong, a sentence without its full stop.
    pub message: String,
    /// What to do about it, where there is something.
    pub remedy: Option<String>,
}

impl Failure {
    /// A failure without a remedy. A message longer than [`SENTENCE`] is cut, so that it always fits its frame.
    pub fn new(kind: Kind, message: impl Into<String>) -> Failure {
        Failure { kind, message: fitting(message.into()), remedy: None }
    }

    /// The same with a remedy, cut likewise.
    pub fn with_remedy(self, remedy: impl Into<String>) -> Failure {
        Failure { remedy: Some(fitting(remedy.into())), ..self }
    }
}

fn fitting(mut sentence: String) -> String {
    if sentence.len() > SENTENCE {
        let mut end = SENTENCE - '…'.len_utf8();
        while !sentence.is_char_boundary(end) {
            end -= 1;
        }
        sentence.truncate(end);
        sentence.push('…');
    }
    sentence
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.remedy {
            Some(remedy) => write!(f, "{}. {remedy}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The kinds of failure, numbered on the wire in this order from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Kind {
    /// The peer broke the protocol; the session ends.
    Protocol,
    /// A command that needs a login came before it; the session ends.
    NotLoggedIn,
    /// User name or password is wrong.
    Login,
    /// A limit on sessions, tries or rate is reached.
    Limit,
    /// The account, the home's border or the file's permissions forbid it.
    Denied,
    /// Nothing has that name.
    NotFound,
    /// It cannot be a name here.
    InvalidName,
    /// Something has that name already.
    Exists,
    /// A directory is not empty.
    NotEmpty,
    /// It is a directory where a file is needed.
    IsDirectory,
    /// It is a file where a directory is needed.
    NotDirectory,
    /// A device, FIFO or socket, which is never opened.
    Special,
    /// The disk is full.
    NoSpace,
    /// The account's quota is used up.
    Quota,
    /// The file is larger than the file system can hold.
    TooLarge,
    /// The file system is mounted read-only.
    ReadOnly,
    /// The file changed while it was read.
    Changed,
    /// A digest, the root or the size differs; the session ends.
    NotVerified,
    /// The peer broke the transfer off.
    Aborted,
    /// Nothing moved for too long; the session ends.
    TimedOut,
    /// The server is ending.
    Ending,
    /// The server failed in a way that is none of these; its log tells more.
    Internal,
}
