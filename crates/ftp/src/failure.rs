//! What went wrong, in words for its user and as an exit code.

use std::fmt;
use std::io;

use store::Kind;

/// The exit code of a run that failed. 0 is success and has no value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Anything that has no code of its own.
    Other = 1,
    /// The command line, a command or a name is wrong.
    Usage = 2,
    /// No connection, or it was lost.
    Connection = 3,
    /// The server does not let this user in.
    Login = 4,
    /// The server's key is unknown or has changed.
    ServerKey = 5,
    /// A file or directory does not exist, here or there.
    NotFound = 6,
    /// Permission is missing, here or there.
    Denied = 7,
    /// What arrived is not what was sent.
    NotVerified = 8,
    /// Some commands of a batch failed, and the others were done.
    PartFailed = 9,
    /// A disk is full or broken, or a quota is used up.
    Storage = 10,
    /// 128 + SIGINT.
    Interrupted = 130,
    /// 128 + SIGPIPE: the reader of standard output has gone.
    BrokenPipe = 141,
    /// 128 + SIGTERM.
    Terminated = 143,
}

/// A failure: what is wrong, and where there is one, the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code, if this failure ends the run.
    pub code: Code,
    /// What is wrong: one sentence without its full stop. It may hold words of a server, so it is escaped when shown.
    pub message: String,
    /// What to do: a sentence, or several.
    pub remedy: Option<String>,
}

impl Failure {
    /// A failure without a remedy.
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), remedy: None }
    }

    /// The same failure, with what to do about it.
    pub fn with_remedy(self, remedy: impl Into<String>) -> Failure {
        Failure { remedy: Some(remedy.into()), ..self }
    }

    /// The same failure, told of `subject`: a command as it was typed, a file, a line of a batch.
    pub(crate) fn of(self, subject: &str) -> Failure {
        Failure { message: format!("{subject}: {}", self.message), ..self }
    }

    /// A failure of standard output. That its reader has gone is no news to anyone, and stays silent.
    pub fn of_output(error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::new(Code::BrokenPipe, "standard output was closed"),
            io::ErrorKind::StorageFull => Failure::new(Code::Storage, "standard output: the disk is full"),
            _ => Failure::new(Code::Other, format!("standard output: {error}")),
        }
    }

    /// Whether the code alone tells all: an end that the user or the system asked for.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self.code, Code::Interrupted | Code::BrokenPipe | Code::Terminated)
    }

    /// Whether no further command can succeed either, so that a batch ends whatever it tolerates.
    pub(crate) fn is_final(&self) -> bool {
        self.is_silent() || self.is_about_the_connection()
    }

    /// Whether this is about the server as a whole, not about the command that met it.
    pub(crate) fn is_about_the_connection(&self) -> bool {
        matches!(self.code, Code::Connection | Code::Login | Code::ServerKey)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.remedy {
            Some(remedy) => write!(f, "{}. {remedy}", self.message.trim_end_matches('.')),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Failure {}

/// A failure of a disk of this computer.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::from(store::Error::from(error))
    }
}

/// The same; what a server says of its own disk is never one of these.
impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Failure {
        let code = match error.kind() {
            Kind::NotFound => Code::NotFound,
            Kind::Denied | Kind::Special => Code::Denied,
            Kind::InvalidName => Code::Usage,
            Kind::Exists | Kind::NotEmpty | Kind::IsDirectory | Kind::NotDirectory | Kind::TooManyLinks => {
                Code::Other
            }
            Kind::NoSpace | Kind::Quota | Kind::TooLarge | Kind::ReadOnly | Kind::Io => Code::Storage,
            Kind::Changed | Kind::BeyondTheEnd | Kind::NotVerified => Code::NotVerified,
        };
        let (message, remedy) = match error.kind() {
            Kind::NotFound => (
                "no such file or directory on this computer",
                Some("lls, or ls in a shell, shows what is there."),
            ),
            _ => (error.sentence(), error.remedy()),
        };
        Failure { code, message: message.to_owned(), remedy: remedy.map(str::to_owned) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_is_the_second_sentence() {
        let plain = Failure::new(Code::NotFound, "not found");
        assert_eq!(plain.to_string(), "not found");
        let helped = plain.of("get x").with_remedy("Look with ls.");
        assert_eq!(helped.to_string(), "get x: not found. Look with ls.");
        let stopped = Failure::new(Code::Other, "It ends.").with_remedy("Once.");
        assert_eq!(stopped.to_string(), "It ends. Once.");
    }

    #[test]
    fn a_closed_output_is_silent_and_a_full_one_is_not() {
        let closed = Failure::of_output(&io::ErrorKind::BrokenPipe.into());
        assert!(closed.is_silent() && closed.is_final());
        assert_eq!(closed.code as u8, 141);
        let full = Failure::of_output(&io::ErrorKind::StorageFull.into());
        assert!(!full.is_silent());
        assert_eq!(full.code as u8, 10);
    }

    #[test]
    fn an_error_of_a_disk_keeps_its_remedy() {
        let failure = Failure::from(std::fs::metadata("/nonexistent/file").unwrap_err());
        assert_eq!(failure.code, Code::NotFound);
        assert!(!failure.message.contains('.'), "{failure}");
        assert!(failure.message.contains("on this computer") && failure.remedy.unwrap().contains("lls"));
    }

    #[test]
    fn only_the_server_as_a_whole_or_a_signal_is_final() {
        let all = [Code::Connection, Code::Login, Code::ServerKey, Code::Interrupted, Code::Terminated];
        assert!(all.into_iter().all(|code| Failure::new(code, "").is_final()));
        let some = [Code::Other, Code::Usage, Code::NotFound, Code::Denied, Code::NotVerified, Code::Storage];
        assert!(!some.into_iter().any(|code| Failure::new(code, "").is_final()));
    }
}
