//! Why not, in no protocol's words.

use thiserror::Error;

/// The reason for which something asked of the core was not done. Each door turns it into words of its own.
#[derive(Debug, Error)]
pub enum Refusal {
    /// Too many sessions, in all or from this address.
    #[error("too many sessions")]
    TooManySessions,
    /// Too many connections that are not logged in, and this was the one to go.
    #[error("too many connections that did not log in")]
    Crowded,
    /// Nobody logged in before the deadline.
    #[error("nobody logged in within the time for it")]
    Late,
    /// User name or password is wrong; which one, nobody is told.
    #[error("bad login")]
    BadLogin,
    /// No such ticket is out, or not for this address, or not for this account as it is now; which, nobody is told.
    #[error("bad ticket")]
    BadTicket,
    /// The session or the account has as many tickets out as it may, or all together have.
    #[error("too many tickets are out")]
    TooManyTickets,
    /// The account's access does not go that far; what it may not do, as the end of a sentence.
    #[error("this account may not {0}")]
    NotPermitted(&'static str),
    /// Another session of the same user is at the same upload, and moves.
    #[error("another session is bringing this file")]
    Taken,
    /// As many files come in parts as a session, an account, or all together may have.
    #[error("no more files are assembled at a time")]
    TooManyAssemblies,
    /// No file that comes in parts has that name, for this account.
    #[error("no such file is being assembled")]
    NotAssembling,
    /// The path is relative, and the session is in no directory since a target was refused.
    #[error("the session is in no directory")]
    Nowhere,
    /// The disk says no.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The server is ending.
    #[error("the server is ending")]
    Ending,
    /// A fault of the server's own.
    #[error("an internal fault")]
    Failed,
}

impl Refusal {
    /// What a log should know that a peer need not: the system's own error.
    pub fn detail(&self) -> String {
        match self {
            Refusal::Store(error) => error.detail(),
            other => other.to_string(),
        }
    }
}
