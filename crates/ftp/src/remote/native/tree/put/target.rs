//! Where a tree goes: into a directory that is there, or to its place. The server decides, and what is in the tree is under way by then;
//! it goes to wherever the session is.

use proto::{Command, Kind, Message, Reply};
use store::{HomePath, escaped};

use super::Putting;
use super::place::something_else;
use crate::commands::quote;
use crate::failure::{Code, Failure};
use crate::remote::native::tree::read::Asked;
use crate::remote::native::{Native, words};
use crate::remote::tree::{Account, Bring, Inside, Place, no_place};

impl Native {
    /// What is to be brought, to where it goes; as long as that is left to the server, it says so.
    pub(super) async fn placed(
        &mut self,
        bring: &Bring,
        account: &mut Account<'_>,
    ) -> Result<Bring, Failure> {
        let Some(inside) = &bring.inside else { return Ok(bring.clone()) };
        account.left.settle_beforehand(b""); // it is made there
        match account.left.place {
            Place::Unasked if self.settings.lanes_of_tree() == 1 => {
                account.left.place = Place::Asked;
                return Ok(bring.clone());
            }
            Place::Unasked => self.ask_for_place(bring, inside, account).await?,
            Place::Asked => self.ask_again(bring, inside, account).await?,
            Place::Known { .. } => {}
        }
        Ok(Bring { to: account.left.place.named(&bring.to).to_owned(), inside: None, ..bring.clone() })
    }

    /// Has the server decide, and goes back.
    async fn ask_for_place(
        &mut self,
        bring: &Bring,
        inside: &Inside,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        account.left.place = Place::Asked;
        let (origin, answer) = self.visit(target(bring, inside)).await?;
        account.left.place = match answer {
            Ok(Reply::Target { path, made }) => place(bring, inside, &origin, &path, made),
            Ok(_) => return self.out_of_turn(),
            Err(refused) => {
                account.left.place = Place::Unasked;
                return Err(self.refused_target(refused, bring)?);
            }
        };
        Ok(())
    }

    /// Has the server decide once more, after an answer that was lost: not where that may have made what would decide it now.
    async fn ask_again(
        &mut self,
        bring: &Bring,
        inside: &Inside,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        let (origin, there) = self.visit(Command::Cd { path: bring.to.clone().into() }).await?;
        let was_there = resolved(&origin, &bring.to).is_some_and(|place| holds(&place, &origin));
        if there.is_ok() && !was_there && !inside.name.is_empty() {
            return Err(in_doubt(bring, inside));
        }
        self.ask_for_place(bring, inside, account).await?;
        // What was asked before may have been done only now.
        match &account.left.place {
            Place::Known { path, .. } if there.is_err() && *path != bring.to => Err(in_doubt(bring, inside)),
            _ => Ok(()),
        }
    }

    /// Goes somewhere and back. Where the session was, and what the server said.
    async fn visit(&mut self, command: Command) -> Result<(Vec<u8>, Result<Reply, proto::Failure>), Failure> {
        self.begin_many().await?;
        self.ask(&Command::Pwd);
        self.ask(&command);
        self.flush_many().await?;
        let Message::Reply(Reply::Directory { path: origin }) = self.answer().await? else {
            return self.out_of_turn();
        };
        let said = match self.answer().await? {
            Message::Reply(Reply::Refused(refused)) => {
                if words::ends_session(refused.kind) {
                    return Err(self.refused(refused));
                }
                Err(refused)
            }
            Message::Reply(reply) => Ok(reply),
            _ => return self.out_of_turn(),
        };
        self.ask(&Command::Cd { path: origin.clone() });
        self.flush_many().await?;
        match self.answer().await? {
            Message::Reply(Reply::Directory { .. }) => {}
            Message::Reply(Reply::Refused(refused)) => {
                return Err(self.cannot_go_back(&origin, refused, "Nothing was sent."));
            }
            _ => return self.out_of_turn(),
        }
        self.end_many(Ok(Ok(())))?;
        Ok((origin, said))
    }

    /// The failure that the session is not where its user left it. It is given up: what comes next would be done elsewhere.
    fn cannot_go_back(&mut self, origin: &[u8], refused: proto::Failure, done: &str) -> Failure {
        let Failure { code, message, .. } = self.refused(refused);
        self.lost = true;
        let origin = escaped(origin);
        Failure::new(code, format!("the session cannot go back to {origin}: {message}"))
            .with_remedy(format!("{done} Go to another directory."))
    }

    /// Why a tree goes nowhere.
    fn refused_target(&mut self, refused: proto::Failure, bring: &Bring) -> Result<Failure, Failure> {
        let taken = refused.kind == Kind::Exists;
        let failure = self.refused_many(refused)?;
        let inside = bring.inside.as_ref().filter(|inside| taken && !inside.name.is_empty());
        Ok(match inside {
            Some(inside) => {
                let (to, inside) = (quote(&bring.to), quote(&inside.path));
                something_else().with_remedy(format!("Remove it there first: it is {to} or {inside}."))
            }
            None if taken => something_else(),
            None => no_place(failure),
        })
    }
}

impl Putting<'_, '_> {
    /// Goes to where the tree goes, if the server is to decide on it.
    pub(super) fn go(&mut self) {
        if let Some(inside) = &self.bring.inside {
            let target = target(self.bring, inside);
            self.ask(Command::Pwd, Asked::Origin);
            self.ask(target, Asked::Target);
        }
    }

    /// Takes note of where that is.
    pub(super) fn arrived(&mut self, path: &[u8], made: bool) -> Result<(), Failure> {
        let (Some(inside), Some(origin)) = (&self.bring.inside, &self.origin) else {
            return self.native.out_of_turn();
        };
        self.account.left.place = place(self.bring, inside, origin, path, made);
        Ok(())
    }

    /// Takes note of why it goes nowhere.
    pub(super) fn no_target(&mut self, refused: proto::Failure) -> Result<(), Failure> {
        self.account.left.place = Place::Unasked;
        self.nowhere = Some(self.native.refused_target(refused, self.bring)?);
        Ok(())
    }

    /// Whether it was made for the tree.
    pub(super) fn is_new(&self) -> bool {
        matches!(self.account.left.place, Place::Known { made: true, .. })
    }

    /// What its user calls the place of the tree.
    pub(super) fn named(&self) -> &str {
        self.account.left.place.named(&self.bring.to)
    }

    /// Goes back to where the session was.
    pub(super) fn go_back(&mut self) {
        if let Some(path) = self.origin.clone() {
            self.ask(Command::Cd { path }, Asked::Back);
        }
    }

    /// The failure that this is not possible.
    pub(super) fn stranded(&mut self, refused: proto::Failure) -> Failure {
        self.native.cannot_go_back(self.origin.as_deref().unwrap_or_default(), refused, "All else was done.")
    }
}

fn target(bring: &Bring, inside: &Inside) -> Command {
    Command::Target { path: bring.to.clone().into(), name: inside.name.clone().into() }
}

/// What the path `place`, at which the server has the tree of a session in `origin`, is to its user.
fn place(bring: &Bring, inside: &Inside, origin: &[u8], place: &[u8], made: bool) -> Place {
    let itself = resolved(origin, &bring.to).is_some_and(|path| path.to_string().as_bytes() == place);
    Place::Known { path: if itself { bring.to.clone() } else { inside.path.clone() }, made }
}

/// Where `path` leads from `origin`, if both are paths.
fn resolved(origin: &[u8], path: &str) -> Option<HomePath> {
    HomePath::root().resolve(origin).and_then(|origin| origin.resolve(path.as_bytes())).ok()
}

/// Whether `path` leads through the directory `place`, or to it.
fn holds(place: &HomePath, path: &[u8]) -> bool {
    let Some(mut path) = resolved(path, "") else { return false };
    while path != *place && path.name().is_some() {
        path = path.parent();
    }
    path == *place
}

fn in_doubt(bring: &Bring, inside: &Inside) -> Failure {
    Failure::new(Code::Connection, "the connection was lost before the server said where the tree goes")
        .with_remedy(inside.in_doubt(&bring.to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_is_in_was_there_before() {
        let was_there = |origin: &str, to: &str| {
            resolved(origin.as_bytes(), to).is_some_and(|place| holds(&place, origin.as_bytes()))
        };
        for (origin, to) in
            [("/", "/"), ("/", "."), ("/", ".."), ("/a/b", "/a"), ("/a/b", ".."), ("/a/b", "../b")]
        {
            assert!(was_there(origin, to), "{origin} {to}");
        }
        for (origin, to) in [("/", "a"), ("/a/b", "/a/bc"), ("/a/b", "c"), ("/a/b", "/b"), ("/a", "a\0b")] {
            assert!(!was_there(origin, to), "{origin} {to}");
        }
    }
}
