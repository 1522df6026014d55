//! Commands of somebody who is logged in.

use std::net::SocketAddr;

use aws_lc_rs::digest::{Context, SHA256};
use digest::PlainMd5;
use store::{Attributes, EntryKind, HomePath};

use super::attend::{Interrupted, Running};
use super::command::{Family, Hash};
use super::data::{Protection, Terms};
use super::reply::quoted;
use super::{Command, Connection, Ended, Opening, Reply, command, facts, time, words};
use crate::config;
use crate::core::{Refusal, Session};

impl Connection {
    /// Answers one command; the gate has let it through.
    pub(super) async fn answer(&mut self, session: &mut Session, command: Command) -> Result<Reply, Ended> {
        let done = match command {
            Command::Quit => {
                self.control.queue(&Reply::new(221, "Goodbye."));
                return Err(Ended::Quit);
            }
            Command::Rein => return Err(Ended::Again),
            Command::Retr(path) => return self.retrieve(session, &path).await,
            Command::Stor(store, path) => return self.store(session, store, &path).await,
            Command::List(form, options, path) => return self.list(session, form, options, &path).await,
            Command::StatusOf(path) => return self.list_on_control(session, &path).await,
            Command::Hash(path) => return self.hash(session, self.state.hash, &path, true).await,
            Command::HashAs(hash, path) => return self.hash(session, hash, &path, false).await,
            Command::Type(command::Type::Ascii) => Ok(Reply::new(200, "Files are sent as lines.")),
            Command::Type(command::Type::Image) => Ok(Reply::new(200, "Files are sent as they are.")),
            Command::Allo(_) => Ok(Reply::new(200, "Noted: an upload that cannot fit is refused at once.")),
            Command::Rest(at) => Ok(Reply::new(350, format!("The next transfer begins at byte {at}."))),
            Command::Rang(None) => Ok(Reply::new(350, "The next transfer is of the whole file.")),
            Command::Rang(Some(range)) => {
                Ok(Reply::new(350, format!("The next is of bytes {} to {}.", range.start, range.end - 1)))
            }
            Command::Port(address) => Ok(self.port(address).await),
            Command::Pasv => Ok(self.passive().await),
            Command::Epsv(family) => Ok(self.extended_passive(family).await),
            Command::EpsvAll => Ok(Reply::new(200, "Only EPSV opens data connections from now on.")),
            Command::Prot(_) => {
                self.close_opening().await; // what is under way is protected otherwise
                Ok(self.answer_anybody(&command))
            }
            Command::Pwd => {
                let directory = |path: &HomePath| quoted(path.to_string().as_bytes());
                let told = session.directory().map(directory);
                told.map(|path| Reply::new(257, [path, b" is where you are.".to_vec()].concat()))
            }
            Command::Cwd(path) => session.cd(&path).await.and_then(|()| moved_to(session)),
            Command::Cdup => session.cd(b"..").await.and_then(|()| moved_to(session)),
            Command::Mkd(path) => {
                let made = || session.resolve(&path).map(|path| path.to_string()).unwrap_or_default();
                session
                    .mkdir(&path)
                    .await
                    .map(|()| Reply::new(257, [quoted(made().as_bytes()), b" was made.".to_vec()].concat()))
            }
            Command::Rmd(path) => {
                session.rmdir(&path).await.map(|()| Reply::new(250, "The directory is gone."))
            }
            Command::Dele(path) => session.remove(&path).await.map(|()| Reply::new(250, "The file is gone.")),
            Command::Rnfr(path) => match session.describe(&path).await {
                Ok(_) => Ok(Reply::new(350, "Its new name, please: RNTO.")),
                Err(refusal) => {
                    self.state.rename = None;
                    Err(refusal)
                }
            },
            Command::Rnto(to) => {
                let from = self.state.rename.take().unwrap_or_default();
                session.rename(&from, &to).await.map(|()| Reply::new(250, "It has its new name."))
            }
            Command::Chmod(mode, path) => {
                let attributes = Attributes { mode: Some(mode), modified: None };
                session
                    .set_attributes(&path, attributes)
                    .await
                    .map(|()| Reply::new(200, "Its permissions are set."))
            }
            Command::Mfmt(modified, path) => {
                let attributes = Attributes { mode: None, modified: Some(modified) };
                let told = format!("Modify={}; ", time::stamp(modified)).into_bytes();
                session
                    .set_attributes(&path, attributes)
                    .await
                    .map(|()| Reply::new(213, [told, path].concat()))
            }
            Command::Size(path) => session.stat(&path).await.map(|entry| match entry.kind {
                EntryKind::File => Reply::new(213, entry.size.to_string()),
                _ => Reply::new(550, "Only files have a size."),
            }),
            Command::Mdtm(path) => {
                session.stat(&path).await.map(|entry| Reply::new(213, time::stamp(entry.modified)))
            }
            Command::Mlst(path) => session.stat(&path).await.map(|entry| {
                let facts = facts::facts(&entry, session.access());
                let path = session.resolve(&path).map(|path| path.to_string()).unwrap_or_default();
                Reply::new(250, "End").with([format!("{facts} {path}").into_bytes()])
            }),
            Command::Avbl(path) => session.available(&path).await.map(|bytes| match bytes {
                Some(bytes) => Reply::new(213, bytes.to_string()),
                None => Reply::new(550, "The file system does not tell."),
            }),
            command => Ok(self.answer_anybody(&command)),
        };
        Ok(done.unwrap_or_else(|refusal| words::refused(&refusal)))
    }

    /// The digest of a file: for HASH with its name and range (draft-bryan-ftpext-hash, 3), for the X-forms alone.
    async fn hash(
        &mut self,
        session: &Session,
        hash: Hash,
        path: &[u8],
        whole: bool,
    ) -> Result<Reply, Ended> {
        let range = if whole { self.state.take_range() } else { 0..u64::MAX };
        let running = Running { what: format!("{} of a file", hash.name()), moved: Default::default() };
        let digested = async {
            match hash {
                Hash::Md5 if range == (0..u64::MAX) => {
                    session.md5(path).await.map(|(size, digest)| (size, hex(digest.as_bytes())))
                }
                Hash::Md5 => {
                    let read = session.read(path, range.clone(), PlainMd5::new(), PlainMd5::update).await;
                    read.map(|(size, digest)| (size, hex(digest.finish().as_bytes())))
                }
                Hash::Sha256 => {
                    let read =
                        session.read(path, range.clone(), Context::new(&SHA256), Context::update).await;
                    read.map(|(size, digest)| (size, hex(digest.finish().as_ref())))
                }
            }
        };
        match self.attend(&running, true, digested).await {
            Ok(Ok((_, digest))) if !whole => Ok(Reply::new(250, digest.to_uppercase())),
            Ok(Ok((size, digest))) => {
                let end = range.end.min(size);
                let told = format!("{} {}-{end} {digest} ", hash.name(), range.start.min(end));
                Ok(Reply::new(213, [told.into_bytes(), path.to_vec()].concat()))
            }
            Ok(Err(refusal)) => Ok(words::refused(&refusal)),
            Err(interrupted) => self.interrupted(interrupted),
        }
    }

    /// The answers to ABOR where work was broken off (RFC 959, 4.1.3): the first is queued, the second is the command's.
    pub(super) fn interrupted(&mut self, interrupted: Interrupted) -> Result<Reply, Ended> {
        match interrupted {
            Interrupted::Ended(ended) => Err(ended),
            Interrupted::Aborted => {
                self.control.queue(&Reply::new(426, "Broken off, as you asked."));
                Ok(Reply::new(226, "The abort is done."))
            }
        }
    }

    /// PORT and EPRT: only to the client itself, and to no port where other services listen (RFC 2577, 3).
    async fn port(&mut self, to: SocketAddr) -> Reply {
        self.close_opening().await;
        let peer = self.peer.ip().to_canonical();
        if to.ip().to_canonical() != peer {
            return Reply::new(501, "Data goes to the address that you connect from, and nowhere else.");
        }
        if to.port() < 1024 {
            return Reply::new(501, "Data goes to no port below 1024.");
        }
        let to = SocketAddr::new(peer, to.port());
        self.opening =
            Some(Opening::Active { from: self.local.ip().to_canonical(), to, terms: self.terms() });
        Reply::new(200, "Data will go there.")
    }

    async fn passive(&mut self) -> Reply {
        let local = self.local.ip().to_canonical();
        let std::net::IpAddr::V4(own) = local else {
            return Reply::new(425, "PASV knows no IPv6 address: EPSV does.");
        };
        match self.open_passive().await {
            Ok(port) => {
                let told = self.door.config.external.filter(|_| !self.peer.ip().to_canonical().is_loopback());
                let [a, b, c, d] = told.unwrap_or(own).octets();
                let [high, low] = port.to_be_bytes();
                Reply::new(227, format!("Entering Passive Mode ({a},{b},{c},{d},{high},{low})."))
            }
            Err(reply) => reply,
        }
    }

    async fn extended_passive(&mut self, family: Family) -> Reply {
        let local = self.local.ip().to_canonical();
        match family {
            Family::V6 if local.is_ipv4() => {
                return Reply::new(522, "Network protocol not supported, use (1)");
            }
            Family::V4 if local.is_ipv6() => {
                return Reply::new(522, "Network protocol not supported, use (2)");
            }
            _ => {}
        }
        match self.open_passive().await {
            Ok(port) => Reply::new(229, format!("Entering Extended Passive Mode (|||{port}|)")),
            Err(reply) => reply,
        }
    }

    async fn open_passive(&mut self) -> Result<u16, Reply> {
        self.close_opening().await;
        let listening = self.door.pool.listen(self.local.ip().to_canonical());
        let listening =
            listening.and_then(|(listener, lease)| Ok((listener.local_addr()?.port(), listener, lease)));
        match listening {
            Ok((port, listener, lease)) => {
                self.opening = Some(Opening::passive(listener, lease, self.terms()));
                Ok(port)
            }
            Err(error) => {
                tracing::warn!(from = %self.peer, %error, "no port for a passive data connection");
                Err(Reply::new(425, "No port is free for a data connection. Try again in a moment."))
            }
        }
    }

    fn terms(&self) -> Terms {
        let protection = self.state.private.then(|| Protection {
            config: self.tls.data.clone(),
            resumed: self.door.config.resumption == config::Demand::Required,
        });
        Terms { peer: self.peer.ip().to_canonical(), protection, patience: self.door.core.limits().stall }
    }

    /// A new way to open a data connection closes the old one.
    async fn close_opening(&mut self) {
        if let Some(opening) = self.opening.take() {
            opening.close().await;
        }
    }

    /// Has the data connection of a command that is refused end in peace.
    pub(super) fn part_later(&mut self, opening: Opening) {
        self.parting = Some(opening.part());
    }
}

fn moved_to(session: &Session) -> Result<Reply, Refusal> {
    let path = quoted(session.directory()?.to_string().as_bytes());
    Ok(Reply::new(250, [path, b" is where you are now.".to_vec()].concat()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
