//! Peers that break the protocol, on purpose or not: a typed error where they can read one, an end to their session alone.

mod floods;
mod frames;
mod puts;
mod slow;

use e2e::{BOB, Heard, Raw, Server};
use proto::{Command, Kind, Reply};

/// A session that was there before, and minds its own business.
struct Bystander {
    raw: Raw,
}

impl Bystander {
    fn of(server: &Server) -> Bystander {
        server.write("bob/file", b"bob's own");
        Bystander { raw: server.logged_in(BOB) }
    }

    /// It is served as ever.
    #[track_caller]
    fn goes_on(&mut self) {
        assert_eq!(self.raw.ask(Command::Pwd), Reply::Directory { path: b"/".to_vec() });
        assert_eq!(self.raw.get("file").unwrap(), b"bob's own");
    }
}

/// The last words of a session must be of this kind, and nothing may follow.
#[track_caller]
fn last_words(raw: &mut Raw, kind: Kind, what: &str) {
    match raw.hear() {
        Heard::Message(proto::Message::Reply(Reply::Refused(failure))) => {
            assert_eq!(failure.kind, kind, "{what}: {failure}");
            assert!(!failure.message.is_empty());
        }
        other => panic!("{what}: no last words but {other:?}"),
    }
    assert_eq!(raw.hear(), Heard::End, "{what}");
}
