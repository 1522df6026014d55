//! What is allowed when: state and command in, verdict out.
//!
//! ```text
//!   Fresh ──hello──▶ Greeted ──login──▶ LoggedIn ──┐
//!     │                │  ▲                 │  ▲   │ any other command
//!     │                └──┘ login refused   │  └───┘
//!     └──── quit ──────┴──── quit ──────────┘
//! ```
//! A ticket is as good as a login. Whatever has no arrow ends the session.

use proto::{Command, Failure, Kind};

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Only the preamble came.
    Fresh,
    /// The client said hello.
    Greeted,
    /// The client is somebody.
    LoggedIn,
}

/// Whether `command` has its place in `state`; if not, the last words of the session.
pub(super) fn judge(state: State, command: &Command) -> Result<(), Failure> {
    match (state, command) {
        (_, Command::Quit)
        | (State::Fresh, Command::Hello { .. })
        | (State::Greeted, Command::Login { .. } | Command::Enter { .. }) => Ok(()),
        (State::Greeted | State::LoggedIn, Command::Hello { .. }) => {
            Err(Failure::new(Kind::Protocol, "hello was said already")
                .with_remedy("Say it once, as the first command."))
        }
        (State::LoggedIn, Command::Login { .. } | Command::Enter { .. }) => {
            Err(Failure::new(Kind::Protocol, "this session is logged in already")
                .with_remedy("Connect again to log in as somebody else."))
        }
        (State::LoggedIn, _) => Ok(()),
        (State::Fresh, _) => Err(Failure::new(Kind::Protocol, "a session begins with hello")
            .with_remedy("Say hello, then log in.")),
        (State::Greeted, _) => {
            Err(Failure::new(Kind::NotLoggedIn, "nobody is logged in").with_remedy("Log in first."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Secret;

    #[test]
    fn every_state_knows_every_command() {
        let hello = Command::Hello { client: "test".into() };
        let login = Command::Login { user: "alice".into(), password: Secret::new("p".into()) };
        let enter = Command::Enter { ticket: proto::Ticket::new([0; 32]) };
        let put = Command::Put { path: b"x".to_vec(), size: 1 };
        let (fresh, greeted, inside) = (State::Fresh, State::Greeted, State::LoggedIn);
        let table = [
            (fresh, &hello, None),
            (fresh, &login, Some(Kind::Protocol)),
            (fresh, &enter, Some(Kind::Protocol)),
            (fresh, &Command::Ticket, Some(Kind::Protocol)),
            (fresh, &put, Some(Kind::Protocol)),
            (fresh, &Command::Pwd, Some(Kind::Protocol)),
            (fresh, &Command::Quit, None),
            (greeted, &hello, Some(Kind::Protocol)),
            (greeted, &login, None),
            (greeted, &enter, None),
            (greeted, &Command::Ticket, Some(Kind::NotLoggedIn)),
            (greeted, &put, Some(Kind::NotLoggedIn)),
            (greeted, &Command::Pwd, Some(Kind::NotLoggedIn)),
            (greeted, &Command::Quit, None),
            (inside, &hello, Some(Kind::Protocol)),
            (inside, &login, Some(Kind::Protocol)),
            (inside, &enter, Some(Kind::Protocol)),
            (inside, &Command::Ticket, None),
            (inside, &put, None),
            (inside, &Command::Pwd, None),
            (inside, &Command::Quit, None),
        ];
        for (state, command, verdict) in table {
            assert_eq!(
                judge(state, command).err().map(|failure| failure.kind),
                verdict,
                "{state:?} {}",
                command.verb()
            );
        }
    }
}
