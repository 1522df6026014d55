//! The words of the native wire in the client's own, and back.

use proto::io::Broken;
use proto::io::tls::Handshake;
use proto::{Fault, Kind};
use store::{Attributes, Entry, EntryKind, Found, Time};

use crate::failure::{Code, Failure};
use crate::trust::Place;

/// A refusal, as the server words it. It is escaped where it is shown.
pub(super) fn refused(refused: proto::Failure) -> Failure {
    let code = match refused.kind {
        Kind::NotLoggedIn | Kind::Login => Code::Login,
        Kind::Limit | Kind::TimedOut | Kind::Ending => Code::Connection,
        Kind::Denied | Kind::Special => Code::Denied,
        Kind::NotFound => Code::NotFound,
        Kind::InvalidName => Code::Usage,
        Kind::NoSpace | Kind::Quota | Kind::TooLarge | Kind::ReadOnly => Code::Storage,
        Kind::Changed | Kind::NotVerified => Code::NotVerified,
        Kind::Protocol
        | Kind::Exists
        | Kind::NotEmpty
        | Kind::IsDirectory
        | Kind::NotDirectory
        | Kind::Aborted
        | Kind::Internal => Code::Other,
    };
    Failure { code, message: refused.message, remedy: refused.remedy }
}

/// A refusal before the session began: what has no code of its own means that there is no connection.
pub(super) fn refused_at_the_door(refusal: proto::Failure) -> Failure {
    let failure = refused(refusal);
    match failure.code {
        Code::Other => Failure { code: Code::Connection, ..failure },
        _ => failure,
    }
}

/// Why there is no TLS with the server at `place`.
pub(super) fn no_tls(why: &Handshake, place: &Place) -> Failure {
    let (what, remedy) = match why {
        Handshake::Plain => (
            format!("the server at {place} speaks without TLS"),
            "Nothing was sent. Is this the port of ftpd's native door? Use --plain for a plain server that you trust: \
             password and files then travel in the clear.",
        ),
        Handshake::Alpn => (
            format!("the server at {place} speaks TLS, but not ftpd/1 in it"),
            "Nothing was sent. Is this the port of ftpd's native door? It is 10600 unless its users.toml says otherwise.",
        ),
        Handshake::Tls(error) => (
            format!("no TLS with the server at {place}: {error}"),
            "Nothing was sent. Is this the port of ftpd's native door, and does it speak TLS 1.3?",
        ),
    };
    Failure::new(Code::Connection, what).with_remedy(remedy)
}

/// What is wrong with a path that no command can carry.
pub(super) fn long_path() -> Failure {
    Failure::new(Code::Usage, format!("a path may have {} bytes at the most", proto::limits::PATH))
}

/// Whether nothing follows a refusal of this kind.
pub(super) fn ends_session(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Protocol | Kind::NotLoggedIn | Kind::Limit | Kind::TimedOut | Kind::Ending | Kind::NotVerified
    )
}

/// Whether a session that ends by a refusal of this kind was lost by chance, so that another one may do better.
pub(super) fn by_chance(kind: Kind) -> bool {
    matches!(kind, Kind::Ending | Kind::TimedOut | Kind::Limit)
}

/// What a broken connection to `host` means.
pub(super) fn broken(broken: &Broken, host: &str) -> Failure {
    match broken {
        Broken::Malformed(Fault::Magic) => {
            Failure::new(Code::Connection, format!("{host} does not speak ftpd/1")).with_remedy(
                "Is this the port of ftpd's native door? It is 10600 unless its users.toml says otherwise.",
            )
        }
        Broken::Malformed(
            fault @ (Fault::MoreThanAnnounced | Fault::FewerThanAnnounced | Fault::BlockLength),
        ) => Failure::new(Code::NotVerified, fault.to_string()).with_remedy("Nothing was kept. Try again."),
        Broken::Malformed(fault) => {
            Failure::new(Code::Connection, format!("{host} broke the protocol: {fault}"))
                .with_remedy("Do the versions of ftp and ftpd fit?")
        }
        Broken::Closed | Broken::Cut | Broken::Io(_) => {
            Failure::new(Code::Connection, format!("{host}: {broken}")).with_remedy("Try again.")
        }
        Broken::Silent(_) | Broken::Busy(_) | Broken::Stalled(_) => {
            Failure::new(Code::Connection, format!("{host}: {broken}"))
                .with_remedy("Try again, with a larger --timeout for a slow server.")
        }
    }
}

fn kind(kind: proto::EntryKind) -> EntryKind {
    match kind {
        proto::EntryKind::File => EntryKind::File,
        proto::EntryKind::Directory => EntryKind::Directory,
        proto::EntryKind::Link => EntryKind::Link,
        proto::EntryKind::Other => EntryKind::Other,
    }
}

pub(super) fn found(found: proto::Found) -> Found {
    let proto::Found { path, size, mode, target, .. } = found;
    Found { path, kind: kind(found.kind), size, modified: from_wire(found.modified), mode, target }
}

pub(super) fn entry(entry: proto::Entry) -> Entry {
    let kind = kind(entry.kind);
    Entry { name: entry.name, kind, size: entry.size, modified: from_wire(entry.modified), mode: entry.mode }
}

pub(super) fn attributes(end: &proto::End) -> Attributes {
    Attributes { modified: end.modified.map(from_wire), mode: end.mode }
}

pub(super) fn to_wire(time: Time) -> proto::Time {
    proto::Time { seconds: time.seconds, nanoseconds: time.nanoseconds }
}

fn from_wire(time: proto::Time) -> Time {
    Time { seconds: time.seconds, nanoseconds: time.nanoseconds }
}
