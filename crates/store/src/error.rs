//! What can go wrong on a disk: a kind for programs, a sentence and a remedy for people, the system's own error for a log.

use std::fmt;
use std::io;

use rustix::io::Errno;
use thiserror::Error as ThisError;

/// The kinds of failure; they know no protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing has that name.
    NotFound,
    /// Permissions or the home's border forbid it.
    Denied,
    /// It cannot be a name: see [`Name`](crate::Name) and [`HomePath`](crate::HomePath).
    InvalidName,
    /// Something has that name already.
    Exists,
    /// A directory is not empty.
    NotEmpty,
    /// It is a directory where a file is needed.
    IsDirectory,
    /// It is a file where a directory is needed.
    NotDirectory,
    /// It is a device, a FIFO or a socket.
    Special,
    /// More symbolic links lead on from there than the system follows.
    TooManyLinks,
    /// The disk is full.
    NoSpace,
    /// The quota is used up: the home's own, or one that the system keeps.
    Quota,
    /// Larger than the file system or the process may store.
    TooLarge,
    /// The file system is mounted read-only.
    ReadOnly,
    /// The file changed while it was read.
    Changed,
    /// The file ends before the place to begin at.
    BeyondTheEnd,
    /// A digest, the root or the size is not what was stated.
    NotVerified,
    /// Anything else that the system reports.
    Io,
}

impl Kind {
    /// What is wrong and what to do about it; the second may be empty.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Kind::NotFound => ("no such file or directory", "List the directory to see what is there."),
            Kind::Denied => ("permission denied", "Ask for access to it, or choose another place."),
            Kind::InvalidName => (
                "it cannot be a name here",
                "A name is 1 to 255 bytes of UTF-8 without / and NUL, a path up to 4096; names that begin with .ftpd~ are reserved.",
            ),
            Kind::Exists => ("it exists already", "Choose another name, or remove it first."),
            Kind::NotEmpty => ("the directory is not empty", "Remove what is in it first."),
            Kind::IsDirectory => ("it is a directory", "Name a file."),
            Kind::NotDirectory => {
                ("it is not a directory, or a part of its path is none", "Name a directory.")
            }
            Kind::Special => ("it is a device, a FIFO or a socket", "Only regular files can be transferred."),
            Kind::TooManyLinks => {
                ("too many symbolic links follow one another", "See whether one leads back to itself.")
            }
            Kind::NoSpace => ("the disk is full", "Remove something, or choose another place."),
            Kind::Quota => ("the quota does not suffice", "Remove something, or ask for a larger quota."),
            Kind::TooLarge => ("it is larger than can be stored there", "Split it, or choose another place."),
            Kind::ReadOnly => {
                ("the file system is read-only", "Choose another place, or have it mounted for writing.")
            }
            Kind::Changed => ("the file changed while it was read", "Try again when nothing writes to it."),
            Kind::BeyondTheEnd => (
                "the file ends before the place to begin at",
                "It became shorter, perhaps; transfer it from its beginning.",
            ),
            Kind::NotVerified => ("what arrived is not what was sent", "Nothing was stored; send it again."),
            Kind::Io => ("the system reports an error", "Try again; the log of that side says more."),
        }
    }
}

/// A failure of the store.
///
/// Shown, it is a sentence and its remedy for the user at either end; it never tells where on the server's disk a home lies.
#[derive(Debug, ThisError)]
pub struct Error {
    kind: Kind,
    sentence: &'static str,
    remedy: &'static str,
    #[source]
    source: Option<io::Error>,
}

impl Error {
    /// A failure with words of its own.
    pub(crate) const fn new(kind: Kind, sentence: &'static str, remedy: &'static str) -> Error {
        Error { kind, sentence, remedy, source: None }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What is wrong: a sentence without its full stop.
    pub fn sentence(&self) -> &str {
        self.sentence
    }

    /// What to do about it: a sentence, or several, where there is something.
    pub fn remedy(&self) -> Option<&str> {
        Some(self.remedy).filter(|remedy| !remedy.is_empty())
    }

    /// What a log should know: the system's own words where there are any.
    pub fn detail(&self) -> String {
        match &self.source {
            Some(source) => format!("{}: {source}", self.sentence),
            None => self.sentence.to_owned(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.remedy() {
            Some(remedy) => write!(f, "{}. {remedy}", self.sentence),
            None => f.write_str(self.sentence),
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        let (sentence, remedy) = kind.words();
        Error::new(kind, sentence, remedy)
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Error {
        let kind = match Errno::from_io_error(&source) {
            Some(errno) => of_errno(errno),
            // cap-std's own refusals: a path that leads out of the home, a path that no system call can take.
            None => match source.kind() {
                io::ErrorKind::PermissionDenied => Kind::Denied,
                io::ErrorKind::InvalidInput => Kind::InvalidName,
                _ => Kind::Io,
            },
        };
        Error { source: Some(source), ..kind.into() }
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Error {
        io::Error::from(errno).into()
    }
}

fn of_errno(errno: Errno) -> Kind {
    match errno {
        Errno::NOENT | Errno::STALE => Kind::NotFound,
        Errno::ACCESS | Errno::PERM | Errno::XDEV => Kind::Denied,
        Errno::NAMETOOLONG | Errno::ILSEQ | Errno::INVAL => Kind::InvalidName,
        Errno::EXIST => Kind::Exists,
        Errno::NOTEMPTY => Kind::NotEmpty,
        Errno::ISDIR => Kind::IsDirectory,
        Errno::NOTDIR => Kind::NotDirectory,
        Errno::NXIO | Errno::NODEV => Kind::Special,
        Errno::LOOP => Kind::TooManyLinks,
        Errno::NOSPC => Kind::NoSpace,
        Errno::DQUOT => Kind::Quota,
        Errno::FBIG | Errno::OVERFLOW => Kind::TooLarge,
        Errno::ROFS => Kind::ReadOnly,
        _ => Kind::Io,
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn every_errno_of_a_disk_has_its_kind() {
        let pairs = [
            (Errno::NOENT, Kind::NotFound),
            (Errno::ACCESS, Kind::Denied),
            (Errno::PERM, Kind::Denied),
            (Errno::XDEV, Kind::Denied),
            (Errno::NAMETOOLONG, Kind::InvalidName),
            (Errno::EXIST, Kind::Exists),
            (Errno::NOTEMPTY, Kind::NotEmpty),
            (Errno::ISDIR, Kind::IsDirectory),
            (Errno::NOTDIR, Kind::NotDirectory),
            (Errno::NXIO, Kind::Special),
            (Errno::LOOP, Kind::TooManyLinks),
            (Errno::NOSPC, Kind::NoSpace),
            (Errno::DQUOT, Kind::Quota),
            (Errno::FBIG, Kind::TooLarge),
            (Errno::ROFS, Kind::ReadOnly),
            (Errno::IO, Kind::Io),
            (Errno::MFILE, Kind::Io),
        ];
        for (errno, kind) in pairs {
            let error = Error::from(io::Error::from(errno));
            assert_eq!(error.kind(), kind, "{errno}");
            assert!(error.source().is_some() && error.detail().contains(&io::Error::from(errno).to_string()));
        }
    }

    #[test]
    fn an_escape_that_the_library_reports_without_errno_is_denied() {
        let escape = io::Error::new(io::ErrorKind::PermissionDenied, "a path led outside of the filesystem");
        assert_eq!(Error::from(escape).kind(), Kind::Denied);
        assert_eq!(Error::from(io::Error::from(io::ErrorKind::InvalidInput)).kind(), Kind::InvalidName);
    }

    #[test]
    fn shown_it_is_a_sentence_and_its_remedy_without_the_system_words() {
        let error = Error::from(Errno::NOSPC);
        assert_eq!(error.to_string(), "the disk is full. Remove something, or choose another place.");
        assert_eq!(error.detail(), "the disk is full: No space left on device (os error 28)");
    }
}
