//! More sessions beside the first one, which lets them in: each on a connection of its own, to the same server.

use proto::{Command, Message, Reply, Ticket};

use super::connect::Origin;
use super::{Native, Settings};
use crate::failure::Failure;

/// What opens one more session.
#[derive(Debug)]
pub(super) struct Invitation {
    origin: Origin,
    settings: Settings,
    ticket: Ticket,
}

impl Invitation {
    /// Connects, and puts in line what opens the session: the answer comes with that to the first command.
    pub(super) async fn accept(self) -> Result<Native, Failure> {
        let Invitation { origin, settings, ticket } = self;
        let wire = origin.reach_again(&settings).await?;
        Ok(Native::open(wire, settings, origin, Command::Enter { ticket }))
    }
}

impl Native {
    /// Asks for what opens so many sessions more, in one flight. Fewer come with the reason.
    pub(super) async fn invitations(
        &mut self,
        count: usize,
    ) -> Result<(Vec<Invitation>, Option<Failure>), Failure> {
        self.begin_many().await?;
        let asked = self.ask_for_tickets(count).await;
        let whole = asked.as_ref().map(|_| Ok(())).map_err(Clone::clone);
        self.end_many(whole)?;
        asked
    }

    async fn ask_for_tickets(&mut self, count: usize) -> Result<(Vec<Invitation>, Option<Failure>), Failure> {
        (0..count).for_each(|_| self.ask(&Command::Ticket));
        self.flush_many().await?;
        let (mut invitations, mut why) = (Vec::new(), None);
        for _ in 0..count {
            match self.answer().await? {
                Message::Reply(Reply::Ticket { ticket, .. }) => {
                    let (origin, settings) = (self.origin.clone(), self.settings.clone());
                    invitations.push(Invitation { origin, settings, ticket });
                }
                Message::Reply(Reply::Refused(refused)) => why = Some(self.refused_many(refused)?),
                _ => return self.out_of_turn(),
            }
        }
        Ok((invitations, why))
    }

    /// Has the server see that the session is in use, while others do its work.
    pub(super) async fn breathe(&mut self) -> Result<(), Failure> {
        self.ask(&Command::Pwd);
        self.flush_many().await?;
        match self.answer().await? {
            Message::Reply(Reply::Directory { .. }) => Ok(()),
            _ => self.out_of_turn(),
        }
    }
}
