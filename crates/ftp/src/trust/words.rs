//! What a user is told about keys.

use proto::Fingerprint;

use super::known_hosts::{Entry, KnownHosts};
use super::place::Place;
use crate::failure::{Code, Failure};

/// The question about a key that nobody vouches for.
pub(super) fn question(place: &Place, fingerprint: Fingerprint) -> String {
    let place = store::escaped(place.to_string().as_bytes()).to_string();
    format!(
        "The server at {place} is not known here. The fingerprint of its key:\n  {fingerprint}\n\
         It is the right server if ftpd printed the same there when it started. Nothing was sent yet.\n\
         Is it the right one (yes, no, or the fingerprint)? "
    )
}

/// An unknown key, and nobody to ask. The line to add ends the sentence, so that it can be taken as it is.
pub(super) fn unknown(place: &Place, fingerprint: Fingerprint, known: &KnownHosts) -> Failure {
    Failure::new(Code::ServerKey, format!("the key of {place} is not known, and there is no terminal to ask at"))
        .with_remedy(format!(
            "Nothing was sent. Compare the fingerprint with what ftpd prints when it starts there; if it is the same, use \
             --trust {fingerprint} or add this line to {}: {place} {fingerprint}",
            known.name()
        ))
}

/// A person said no.
pub(super) fn declined(place: &Place) -> Failure {
    Failure::new(Code::ServerKey, format!("the key of {place} was not accepted, and nothing was sent"))
}

/// Another key than before.
pub(super) fn changed(place: &Place, known: &[Entry], offered: Fingerprint, file: &KnownHosts) -> Failure {
    let before: Vec<_> = known.iter().map(|entry| entry.fingerprint.to_string()).collect();
    let message =
        format!("THE KEY OF {place} HAS CHANGED: it was {}, and is {offered} now", before.join(" or "));
    let lines: Vec<_> = known.iter().filter_map(|entry| entry.line).map(|line| line.to_string()).collect();
    let remedy = match lines.as_slice() {
        [] => "Start again to be asked about the new one.".to_owned(),
        [line] => format!("Then remove line {line} of {}.", file.name()),
        lines => format!("Then remove lines {} of {}.", lines.join(", "), file.name()),
    };
    Failure::new(Code::ServerKey, message).with_remedy(format!(
        "Somebody may be in between; nothing was sent. Go on only if you know from the server's owner that its key was \
         changed. {remedy}"
    ))
}

/// Another key than was named.
pub(super) fn not_pinned(place: &Place, pinned: Fingerprint, offered: Fingerprint) -> Failure {
    Failure::new(
        Code::ServerKey,
        format!(
            "the key of {place} is not the one of --trust: that is {pinned}, and the server has {offered}"
        ),
    )
    .with_remedy("Nothing was sent. Compare with the fingerprint that ftpd prints when it starts there.")
}
