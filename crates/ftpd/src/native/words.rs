//! The core's and the store's meanings in the words of the native wire, and back.

use proto::{Failure, Kind};

use crate::config;
use crate::core::Refusal;

/// A refusal for the peer: its kind, what is wrong, what to do.
pub(super) fn failure(refusal: &Refusal) -> Failure {
    let failure = |kind, message: &str| Failure::new(kind, message);
    match refusal {
        Refusal::TooManySessions => {
            failure(Kind::Limit, "too many sessions are open").with_remedy("Close some, or try again later.")
        }
        Refusal::Crowded => failure(Kind::Limit, "too many connections that did not log in are open")
            .with_remedy("Connect again, and log in at once."),
        Refusal::Late => {
            failure(Kind::TimedOut, "nobody logged in within the time for it").with_remedy("Connect again.")
        }
        Refusal::BadLogin => failure(Kind::Login, "user name or password is wrong"),
        Refusal::BadTicket => {
            failure(Kind::Login, "this ticket lets nobody in: it was not given here, or is used up")
                .with_remedy("Ask for another one, or log in with user name and password.")
        }
        Refusal::TooManyTickets => failure(Kind::Denied, "too many tickets are out that nobody has used")
            .with_remedy("Use them, or try again in a minute."),
        Refusal::NotPermitted(what) => failure(Kind::Denied, &format!("this account may not {what}"))
            .with_remedy("Ask the server's owner for more access."),
        Refusal::Taken => failure(Kind::Exists, "another session is bringing this file")
            .with_remedy("Try again when it has ended, or choose another name."),
        Refusal::TooManyAssemblies => failure(Kind::Denied, "no more files are assembled at a time")
            .with_remedy("Publish or leave one of them first."),
        Refusal::NotAssembling => failure(Kind::NotFound, "no such file is being assembled")
            .with_remedy("It was published or given up; begin it anew."),
        Refusal::Nowhere => {
            failure(Kind::NotFound, "the session is in no directory since it could not go to one for a tree")
                .with_remedy("Go to one by a path that begins with /.")
        }
        Refusal::Store(error) => Failure {
            kind: kind(error.kind()),
            message: error.sentence().into(),
            remedy: error.remedy().map(Into::into),
        },
        Refusal::Ending => {
            failure(Kind::Ending, "the server is ending").with_remedy("Try again in a moment.")
        }
        Refusal::Failed => {
            failure(Kind::Internal, "the server failed at this").with_remedy("Its log says more.")
        }
    }
}

/// What a client is told that broke its own command off.
pub(super) fn broken_off() -> Failure {
    Failure::new(Kind::Aborted, "the client broke it off")
}

fn kind(kind: store::Kind) -> Kind {
    match kind {
        store::Kind::NotFound => Kind::NotFound,
        store::Kind::Denied => Kind::Denied,
        store::Kind::InvalidName => Kind::InvalidName,
        store::Kind::Exists => Kind::Exists,
        store::Kind::NotEmpty => Kind::NotEmpty,
        store::Kind::IsDirectory => Kind::IsDirectory,
        store::Kind::NotDirectory => Kind::NotDirectory,
        store::Kind::Special => Kind::Special,
        store::Kind::TooManyLinks => Kind::Denied,
        store::Kind::NoSpace => Kind::NoSpace,
        store::Kind::Quota => Kind::Quota,
        store::Kind::TooLarge => Kind::TooLarge,
        store::Kind::ReadOnly => Kind::ReadOnly,
        store::Kind::Changed | store::Kind::BeyondTheEnd => Kind::Changed,
        store::Kind::NotVerified => Kind::NotVerified,
        store::Kind::Io => Kind::Internal,
    }
}

pub(super) fn access(access: config::Access) -> proto::Access {
    match access {
        config::Access::Read => proto::Access::Read,
        config::Access::Write => proto::Access::Write,
        config::Access::Drop => proto::Access::Drop,
    }
}

pub(super) fn entry(entry: store::Entry) -> proto::Entry {
    proto::Entry {
        name: entry.name,
        kind: entry_kind(entry.kind),
        size: entry.size,
        modified: time(entry.modified),
        mode: entry.mode,
    }
}

pub(super) fn found(found: store::Found) -> proto::Found {
    let store::Found { path, kind, size, modified, mode, target } = found;
    proto::Found { path, kind: entry_kind(kind), size, modified: time(modified), mode, target }
}

/// A part of a walk; without one, it ends.
pub(super) fn branch(branch: Option<store::Branch>) -> proto::Branch {
    let last = branch.is_none();
    let store::Branch { found: f, missed: m, .. } = branch.unwrap_or_default();
    proto::Branch {
        found: f.into_iter().map(found).collect(),
        missed: m.into_iter().map(missed).collect(),
        last,
    }
}

pub(super) fn missed(missed: store::Missed) -> proto::Missed {
    proto::Missed { path: missed.path, failure: failure(&Refusal::Store(missed.error)) }
}

fn entry_kind(kind: store::EntryKind) -> proto::EntryKind {
    match kind {
        store::EntryKind::File => proto::EntryKind::File,
        store::EntryKind::Directory => proto::EntryKind::Directory,
        store::EntryKind::Link => proto::EntryKind::Link,
        store::EntryKind::Other => proto::EntryKind::Other,
    }
}

pub(super) fn time(time: store::Time) -> proto::Time {
    proto::Time { seconds: time.seconds, nanoseconds: time.nanoseconds }
}

pub(super) fn attributes(modified: Option<proto::Time>, mode: Option<u32>) -> store::Attributes {
    let modified = modified.map(|time| store::Time { seconds: time.seconds, nanoseconds: time.nanoseconds });
    store::Attributes { modified, mode }
}

/// Whether what the peer broke is the proof of its data or the protocol.
pub(super) fn fault_kind(fault: proto::Fault) -> Kind {
    match fault {
        proto::Fault::MoreThanAnnounced | proto::Fault::FewerThanAnnounced | proto::Fault::BlockLength => {
            Kind::NotVerified
        }
        proto::Fault::Magic
        | proto::Fault::Version
        | proto::Fault::Type(_)
        | proto::Fault::Length(_)
        | proto::Fault::Body
        | proto::Fault::Turn => Kind::Protocol,
    }
}
