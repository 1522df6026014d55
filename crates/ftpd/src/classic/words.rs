//! The core's and the store's meanings as replies of classic FTP (RFC 959, 4.2; RFC 1123, 4.1.2.11).

use super::reply::Reply;
use crate::core::Refusal;

/// A refusal for the peer: its code, what is wrong, what to do.
pub(super) fn refused(refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::TooManySessions => {
            Reply::new(421, "Too many sessions are open. Close some, or try again later.")
        }
        Refusal::Crowded => Reply::new(
            421,
            "Too many connections that did not log in are open. Connect again, and log in at once.",
        ),
        Refusal::Late => Reply::new(421, "Nobody logged in within the time for it. Connect again."),
        Refusal::BadLogin => Reply::new(530, "User name or password is wrong."),
        // No command of this door asks for tickets.
        Refusal::BadTicket => Reply::new(530, "That lets nobody in."),
        Refusal::TooManyTickets => Reply::new(550, "Too many tickets are out. Try again later."),
        Refusal::NotPermitted(what) => {
            Reply::new(550, format!("This account may not {what}. Ask the server's owner for more access."))
        }
        Refusal::Taken => {
            Reply::new(450, "Another session is bringing this file. Try again when it has ended.")
        }
        Refusal::TooManyAssemblies | Refusal::NotAssembling => {
            Reply::new(550, "Files that come in parts are for the native protocol.")
        }
        // No command of this door asks for that, either.
        Refusal::Nowhere => Reply::new(550, "The session is in no directory. Go to one."),
        Refusal::Store(error) => Reply::new(code(error.kind()), sentence(&error.to_string())),
        Refusal::Ending => Reply::new(421, "The server is ending. Try again in a moment."),
        Refusal::Failed => Reply::new(451, "The server failed at this. Its log says more."),
    }
}

fn code(kind: store::Kind) -> u16 {
    match kind {
        store::Kind::NotFound
        | store::Kind::Denied
        | store::Kind::Exists
        | store::Kind::NotEmpty
        | store::Kind::IsDirectory
        | store::Kind::NotDirectory
        | store::Kind::Special
        | store::Kind::TooManyLinks
        | store::Kind::ReadOnly => 550,
        store::Kind::InvalidName => 553,
        store::Kind::NoSpace | store::Kind::Quota | store::Kind::TooLarge => 552,
        store::Kind::BeyondTheEnd => 554, // RFC 1123, 4.1.3.4
        store::Kind::Changed | store::Kind::NotVerified | store::Kind::Io => 451,
    }
}

/// With a capital letter in front, as replies have it, and a full stop behind.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let stop = if text.ends_with('.') { "" } else { "." };
    first.chain(letters).chain(stop.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_sentence_with_its_remedy() {
        let reply = refused(&Refusal::Store(store::Kind::NoSpace.into()));
        assert_eq!(reply.code, 552);
        assert_eq!(reply.text(), b"The disk is full. Remove something, or choose another place.");
        assert_eq!(refused(&Refusal::BadLogin).code, 530);
        assert!(
            refused(&Refusal::NotPermitted("list files"))
                .text()
                .starts_with(b"This account may not list files. ")
        );
    }
}
