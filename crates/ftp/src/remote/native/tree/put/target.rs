//! Where a tree goes: into a directory that is there, or to its place. The server decides, and what is in the tree is under way by then;
//! it goes to wherever the session is.

use proto::{Command, Kind, Message, Reply};
use store::HomePath;

use super::Putting;
use super::place::something_else;
use crate::commands::quote;
use crate::failure::{Code, Failure};
use crate::remote::native::Native;
use crate::remote::native::tree::read::Asked;
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
            // It may have been made for this tree, or been there before.
            Place::Asked => match self.stat(&bring.to).await {
                Err(failure) if failure.code == Code::NotFound => {
                    self.ask_for_place(bring, inside, account).await?;
                }
                Err(failure) if self.lost => return Err(failure),
                Ok(_) | Err(_) => return Err(in_doubt(bring, inside)),
            },
            Place::Known(..) => {}
        }
        let to = match &account.left.place {
            Place::Known(to, _) => to.clone(),
            Place::Unasked | Place::Asked => bring.to.clone(),
        };
        Ok(Bring { to, inside: None, ..bring.clone() })
    }

    /// Has the server decide, and goes back.
    async fn ask_for_place(
        &mut self,
        bring: &Bring,
        inside: &Inside,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        self.begin_many().await?;
        account.left.place = Place::Asked;
        self.ask(&Command::Pwd);
        self.ask(&target(bring, inside));
        self.flush_many().await?;
        let Message::Reply(Reply::Directory { path: origin }) = self.answer().await? else {
            return self.out_of_turn();
        };
        let answer = match self.answer().await? {
            Message::Reply(Reply::Target { path, made }) => Ok(place(bring, inside, &origin, &path, made)),
            Message::Reply(Reply::Refused(refused)) => Err(self.refused_target(refused)?),
            _ => return self.out_of_turn(),
        };
        self.end_many(Ok(Ok(())))?;
        self.directory(Command::Cd { path: origin }).await?;
        account.left.place = answer?;
        Ok(())
    }

    /// Why a tree goes nowhere.
    fn refused_target(&mut self, refused: proto::Failure) -> Result<Failure, Failure> {
        let taken = refused.kind == Kind::Exists;
        let failure = self.refused_many(refused)?;
        Ok(if taken { something_else() } else { no_place(failure) })
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
        self.nowhere = Some(self.native.refused_target(refused)?);
        Ok(())
    }

    /// Whether it was made for the tree.
    pub(super) fn is_new(&self) -> bool {
        matches!(self.account.left.place, Place::Known(_, true))
    }

    /// What its user calls the place of the tree.
    pub(super) fn named(&self) -> &str {
        match &self.account.left.place {
            Place::Known(to, _) => to,
            Place::Unasked | Place::Asked => &self.bring.to,
        }
    }

    /// Goes back to where the session was.
    pub(super) fn go_back(&mut self) {
        if let Some(path) = self.origin.take() {
            self.ask(Command::Cd { path }, Asked::Back);
        }
    }
}

fn target(bring: &Bring, inside: &Inside) -> Command {
    Command::Target { path: bring.to.clone().into(), name: inside.name.clone().into() }
}

/// What the path `place`, at which the server has the tree of a session in `origin`, is to its user.
fn place(bring: &Bring, inside: &Inside, origin: &[u8], place: &[u8], made: bool) -> Place {
    let asked = HomePath::root().resolve(origin).and_then(|origin| origin.resolve(bring.to.as_bytes()));
    let itself = asked.is_ok_and(|asked| asked.to_string().as_bytes() == place);
    Place::Known(if itself { bring.to.clone() } else { inside.path.clone() }, made)
}

fn in_doubt(bring: &Bring, inside: &Inside) -> Failure {
    let (to, inside) = (quote(&bring.to), quote(&inside.path));
    Failure::new(Code::Connection, "the connection was lost before the server said where the tree goes")
        .with_remedy(format!("Look whether {to} was there before: put once more, it would come to {inside}."))
}
