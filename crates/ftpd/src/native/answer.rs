//! Commands that are answered by a word, a line or a listing.

use proto::{Abort, Command, Failure, Message, Reply, Ticket};

use super::listing::Told;
use super::rest::Stated;
use super::{Connection, Ended, Outcome, words};
use crate::core::{Refusal, Session};

impl Connection {
    /// Answers one command of a logged-in client.
    pub(super) async fn answer(&mut self, session: &mut Session, command: Command) -> Result<Outcome, Ended> {
        let reply = match command {
            Command::Put { path, size } => return self.put(session, &path, size).await,
            Command::List { path } => return self.tell(Told::list(session, &path).await).await,
            Command::Walk { path } => return self.tell(Told::walk(session, &path).await).await,
            Command::Pwd => directory(session),
            Command::Cd { path } => session.cd(&path).await.and_then(|()| directory(session)),
            Command::CdUp => session.cd(b"..").await.and_then(|()| directory(session)),
            Command::Target { path, name } => match session.target(&path, &name).await {
                Ok(made) => current(session).map(|path| Reply::Target { path, made }),
                Err(refusal) => Err(refusal),
            },
            Command::Stat { path } => {
                session.stat(&path).await.map(|entry| Reply::Entry(words::entry(entry)))
            }
            Command::Mkdir { path } => session.mkdir(&path).await.map(|()| Reply::Done),
            Command::Link { path, target } => session.link(&path, target).await.map(|()| Reply::Done),
            Command::Rmdir { path } => session.rmdir(&path).await.map(|()| Reply::Done),
            Command::Remove { path } => session.remove(&path).await.map(|()| Reply::Done),
            Command::Rename { from, to } => session.rename(&from, &to).await.map(|()| Reply::Done),
            Command::SetAttributes { path, modified, mode } => {
                session.set_attributes(&path, words::attributes(modified, mode)).await.map(|()| Reply::Done)
            }
            Command::Md5 { path } => {
                let mut ending = self.door.ending.clone();
                let digested = tokio::select! {
                    digested = self.wire.busy_unless_aborted(self.number, session.md5(&path)) => digested?,
                    () = ending.breaks_off() => return Err(Ended::Failure(words::failure(&Refusal::Ending))),
                };
                match digested {
                    Some(digested) => digested.map(|(size, digest)| Reply::Md5 {
                        size,
                        digest: digest.as_bytes().try_into().expect("an MD5 has 16 bytes"),
                    }),
                    None => {
                        self.refuse(words::broken_off()).await?;
                        return Ok(Outcome::Refused("broken off by the client".into()));
                    }
                }
            }
            Command::Resume { path, first_block, proof } => {
                return self.resume(session, &path, Stated { blocks: first_block, proof: &proof }).await;
            }
            Command::Ticket => session.ticket().map(|(word, lasts)| Reply::Ticket {
                ticket: Ticket::new(word),
                seconds: lasts.as_secs().try_into().unwrap_or(u32::MAX),
            }),
            Command::Kept { path } => return self.kept(session, &path).await,
            Command::PutRest { path, size, first_block, proof } => {
                return self
                    .put_rest(session, &path, size, Stated { blocks: first_block, proof: &proof })
                    .await;
            }
            Command::Digests { path, part, version } => {
                return self.digests(session, &path, part, version).await;
            }
            Command::GetParts { path, version, parts } => {
                return self.get_parts(session, &path, version, &parts).await;
            }
            Command::Assemble { path, size, onto } => return self.assemble(session, &path, size, onto).await,
            Command::PutParts { assembly, size, parts } => {
                return self.put_parts(session, &assembly, size, &parts).await;
            }
            Command::Publish { assembly, root, modified, mode } => {
                let attributes = words::attributes(modified, mode);
                return self.publish(session, &assembly, &root, attributes).await;
            }
            Command::Leave { assembly } => session.leave(&assembly).await.map(|()| Reply::Done),
            Command::Hello { .. } | Command::Login { .. } | Command::Enter { .. } | Command::Quit => {
                unreachable!("the gate keeps these away")
            }
            Command::Get { .. } | Command::GetTree { .. } | Command::Root { .. } => {
                unreachable!("those that follow one another are answered together")
            }
        };
        match reply {
            Ok(reply) => {
                self.wire.queue(&Message::Reply(reply));
                Ok(Outcome::Done)
            }
            Err(refusal) => self.refused(&refusal).await,
        }
    }

    /// Refuses a command, in the peer's words and in the log's.
    pub(super) async fn refused(&mut self, refusal: &Refusal) -> Result<Outcome, Ended> {
        self.refuse(words::failure(refusal)).await?;
        Ok(Outcome::Refused(refusal.detail()))
    }

    /// Breaks off what is being sent.
    pub(super) async fn abort(&mut self, failure: Failure) -> Result<(), proto::io::Broken> {
        self.wire.send(&Message::Abort(Abort { command: self.number, failure })).await
    }
}

fn directory(session: &Session) -> Result<Reply, Refusal> {
    current(session).map(|path| Reply::Directory { path })
}

fn current(session: &Session) -> Result<Vec<u8>, Refusal> {
    session.directory().map(|directory| directory.to_string().into_bytes())
}
