//! The native door: `ftpd/1` (crate `proto`) in front of the core. It owns framing and order; the core owns permission.

mod answer;
mod gate;
mod gets;
mod listing;
mod parts;
mod puts;
mod rest;
mod roots;
mod transfer;
mod tree;
mod words;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use digest::Algorithm;
use proto::io::tls::{self, Handshake};
use proto::io::{Broken, Stream, Wire};
use proto::{Command, Failure, Kind, Message, Preamble, Reply, Side};
use secrecy::SecretString;
use store::HomePath;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tracing::info;

use crate::core::{Core, Guest, Refusal, Session};
use crate::ending::Ending;
use crate::logs::{self, Request};
use crate::tls::Tls;
use gate::State;

/// Logins that a session may try.
const TRIES: u32 = 3;

/// What all sessions of this door share.
#[derive(Debug)]
pub(crate) struct Door {
    /// The core behind it.
    pub(crate) core: Arc<Core>,
    /// What it speaks on; `None` is plain.
    pub(crate) tls: Option<Arc<Tls>>,
    /// The digests it offers, in its order.
    pub(crate) digests: Vec<Algorithm>,
    /// How the server ends.
    pub(crate) ending: Ending,
}

/// One session, from its first byte to its last.
#[derive(Debug)]
struct Connection {
    wire: Wire,
    door: Arc<Door>,
    peer: SocketAddr,
    /// Who is in; nobody before the login.
    user: String,
    /// Whether the peer has our preamble: before it, nothing we say makes sense.
    introduced: bool,
    /// The number of the command that is being answered.
    number: u64,
    /// Bytes of file data that moved for it.
    moved: u64,
    /// Where the session is, if not at the home, for the log: relative paths say nothing there.
    directory: Option<HomePath>,
}

/// What came of a command; the peer knows already.
enum Outcome {
    Done,
    /// Done, and a part of what will be told in the log.
    Part,
    /// Refused, or broken off: why, for the log.
    Refused(String),
}

/// Why a session ends before its client quits.
enum Ended {
    /// The connection is of no more use, or the peer broke the protocol.
    Broken(Broken),
    /// The server ends it and says why.
    Failure(Failure),
    /// Its place is somebody else's now: no time for a farewell.
    Crowded,
}

impl From<Broken> for Ended {
    fn from(broken: Broken) -> Ended {
        Ended::Broken(broken)
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve(tcp: TcpStream, peer: SocketAddr, door: Arc<Door>, guest: Guest) {
    let mut ending = door.ending.clone();
    let secured = tokio::select! {
        secured = guest.within(secured(tcp, &door)) => secured,
        () = ending.begins() => Err(Refusal::Ending),
    };
    let stream = match secured {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return no_session(peer, &error),
        Err(Refusal::Late) => return no_session(peer, &"TLS: the handshake took too long"),
        Err(refusal) => return no_session(peer, &refusal),
    };
    let wire = Wire::new(stream, Side::Client, door.core.limits().stall);
    let mut connection = Connection {
        wire,
        door,
        peer,
        user: String::new(),
        introduced: false,
        number: 0,
        moved: 0,
        directory: None,
    };
    let ended = connection.run(&guest).await;
    guest.parting(connection.part(ended)).await;
}

/// Tells a connection that there is no place for it.
pub(crate) async fn turn_away(tcp: TcpStream, peer: SocketAddr, door: &Door, refusal: &Refusal) {
    let stall = door.core.limits().stall;
    match timeout(stall, secured(tcp, door)).await {
        Ok(Ok(stream)) => refuse(stream, words::failure(refusal), stall).await,
        Ok(Err(error)) => no_session(peer, &error),
        Err(_) => no_session(peer, &"TLS: the handshake took too long"),
    }
}

/// The stream to speak on, with its handshake behind it. A peer that takes no handshake is told why, if it can be told.
async fn secured(tcp: TcpStream, door: &Door) -> Result<Stream, Handshake> {
    let Some(tls) = &door.tls else { return Ok(Stream::Plain(tcp)) };
    if tls::is_plain(&tcp).await? {
        let failure = Failure::new(Kind::Protocol, "this server speaks TLS, and nothing without it");
        let failure = failure.with_remedy("Leave --plain away.");
        refuse(Stream::Plain(tcp), failure, door.core.limits().stall).await;
        return Err(Handshake::Plain);
    }
    tls::accept(tcp, tls.current()).await
}

fn no_session(peer: SocketAddr, why: &dyn std::fmt::Display) {
    info!(from = %peer, reason = %why, "no session");
}

/// The first and last words to a peer.
async fn refuse(stream: Stream, failure: Failure, stall: Duration) {
    let mut wire = Wire::new(stream, Side::Client, stall);
    wire.queue_bytes(&Preamble::new(&[]).encode());
    wire.queue(&Message::Reply(Reply::Refused(failure)));
    wire.part().await;
}

impl Connection {
    async fn run(&mut self, guest: &Guest) -> Result<(), Ended> {
        let mut ending = self.door.ending.clone();
        let entering = Box::pin(self.enter(guest));
        let entered = tokio::select! {
            biased;
            entered = guest.within(entering) => entered,
            () = ending.begins() => Err(Refusal::Ending),
        };
        let entered = match entered {
            Ok(entered) => entered?,
            Err(Refusal::Crowded) => return Err(Ended::Crowded),
            Err(refusal) => return Err(Ended::Failure(words::failure(&refusal))),
        };
        let Some(mut session) = entered else { return Ok(()) };
        let ended = self.serve(&mut session).await;
        session.end().await;
        ended
    }

    /// Answers whoever is logged in.
    async fn serve(&mut self, session: &mut Session) -> Result<(), Ended> {
        let (mut ending, mut end) = (self.door.ending.clone(), self.door.ending.clone());
        self.stand(session);
        loop {
            // Between two parts of a file, nobody is idle.
            let assembling = session.is_assembling();
            let command = tokio::select! {
                biased;
                command = self.command() => command?,
                () = end.breaks_off(), if assembling => {
                    return Err(Ended::Failure(words::failure(&Refusal::Ending)));
                }
                () = ending.begins(), if !assembling => return Err(Ended::Failure(words::failure(&Refusal::Ending))),
            };
            gate::judge(State::LoggedIn, &command).map_err(Ended::Failure)?;
            let command = match command {
                Command::Quit => return Ok(self.wire.send(&Message::Reply(Reply::Goodbye)).await?),
                Command::Get { path, first_block } => {
                    Box::pin(self.gets(session, path, first_block)).await?;
                    continue;
                }
                Command::GetTree { path } => {
                    Box::pin(self.get_tree(session, path)).await?;
                    continue;
                }
                Command::Root { path } => {
                    Box::pin(self.roots(session, path)).await?;
                    continue;
                }
                Command::Put { path, size } if self.wire.approaches(size).await => {
                    Box::pin(self.puts(session, path, size)).await?;
                    continue;
                }
                command => command,
            };
            let path = match &command {
                Command::PutParts { assembly, .. }
                | Command::Publish { assembly, .. }
                | Command::Leave { assembly } => session
                    .assembled(assembly)
                    .map_or_else(|_| Vec::new(), |assembled| assembled.path().to_vec()),
                command => command.path().to_vec(),
            };
            let (verb, began) = (command.verb(), Instant::now());
            let moves = matches!(command, Command::Cd { .. } | Command::CdUp | Command::Target { .. });
            let targets = matches!(command, Command::Target { .. });
            self.moved = 0;
            // Boxed, so that an idle session does not hold the room that a transfer needs.
            let answered = Box::pin(self.answer(session, command)).await;
            if !matches!(answered, Ok(Outcome::Part)) {
                let place = session.directory().ok().filter(|_| targets).map(ToString::to_string);
                let path = place.map_or(path, String::into_bytes);
                self.log(verb, &path, began, &answered);
            }
            answered?;
            self.number += 1;
            if moves {
                self.stand(session);
            }
        }
    }

    /// Takes note of the current directory, for the log.
    fn stand(&mut self, session: &Session) {
        self.directory = session.directory().ok().filter(|path| path.name().is_some()).cloned();
    }

    /// Preamble, hello, login; nobody when the client quits before.
    async fn enter(&mut self, guest: &Guest) -> Result<Option<Session>, Ended> {
        let preamble = self.wire.preamble().await?;
        let Some(algorithm) = proto::choose(&self.door.digests, &preamble) else {
            let offered: Vec<&str> = self.door.digests.iter().map(|digest| digest.name()).collect();
            let failure = Failure::new(Kind::Protocol, "this server offers none of the client's digests");
            return Err(Ended::Failure(
                failure.with_remedy(format!("Ask for --digest {}.", offered.join(" or "))),
            ));
        };
        self.wire.agree(algorithm);
        self.wire.queue_bytes(&Preamble::new(&[algorithm]).encode());
        self.introduced = true;
        let mut state = State::Fresh;
        let mut tries = 0;
        loop {
            let command = self.command().await?;
            gate::judge(state, &command).map_err(Ended::Failure)?;
            match command {
                Command::Hello { .. } => {
                    state = State::Greeted;
                    let server = concat!("ftpd ", env!("CARGO_PKG_VERSION")).into();
                    self.wire.queue(&Message::Reply(Reply::Hello { server }));
                }
                Command::Login { user, password } => {
                    let secret = SecretString::from(password.expose());
                    let login = guest.login(&user, secret);
                    let entered = self.let_in(login, Some(&user), &mut tries).await?;
                    if entered.is_some() {
                        return Ok(entered);
                    }
                }
                Command::Enter { ticket } => {
                    let entered = self.let_in(guest.enter(ticket.expose()), None, &mut tries).await?;
                    if entered.is_some() {
                        return Ok(entered);
                    }
                }
                _ => {
                    self.wire.send(&Message::Reply(Reply::Goodbye)).await?;
                    return Ok(None);
                }
            }
            self.number += 1;
        }
    }

    /// Waits for what comes of a login, by `user` if that is known, and tells; nobody if it is refused and may be tried again.
    async fn let_in(
        &mut self,
        login: impl Future<Output = Result<Session, Refusal>>,
        user: Option<&str>,
        tries: &mut u32,
    ) -> Result<Option<Session>, Ended> {
        let began = Instant::now();
        let entered = self.wire.busy_while(login).await?;
        self.user = user.or(entered.as_ref().ok().map(Session::user)).unwrap_or_default().to_owned();
        match entered {
            Ok(session) => {
                self.log("login", b"", began, &Ok(Outcome::Done));
                let access = words::access(session.access());
                self.wire.send(&Message::Reply(Reply::Welcome { access })).await?;
                self.number += 1;
                Ok(Some(session))
            }
            Err(refusal) => {
                self.log("login", b"", began, &Ok(Outcome::Refused(refusal.detail())));
                *tries += 1;
                if *tries >= TRIES || matches!(refusal, Refusal::TooManySessions) {
                    return Err(Ended::Failure(words::failure(&refusal)));
                }
                self.refuse(words::failure(&refusal)).await?;
                Ok(None)
            }
        }
    }

    /// The next command; an abort that comes when its command has ended already means nothing.
    async fn command(&mut self) -> Result<Command, Broken> {
        loop {
            // Whoever has nothing more to say, an abort that came too late included, waits for what is in line.
            if !self.wire.has_message() {
                self.wire.flush().await?;
            }
            match self.wire.next(self.door.core.limits().idle).await? {
                Message::Command(command) => return Ok(command),
                Message::Abort(_) => {}
                _ => return Err(Broken::Malformed(proto::Fault::Turn)),
            }
        }
    }

    fn log(&self, verb: &'static str, path: &[u8], began: Instant, answered: &Result<Outcome, Ended>) {
        let result = match answered {
            Ok(Outcome::Done | Outcome::Part) => "ok",
            Ok(Outcome::Refused(why)) => why,
            Err(Ended::Failure(failure)) => &failure.message,
            Err(Ended::Broken(broken)) => &broken.to_string(),
            Err(Ended::Crowded) => &Refusal::Crowded.to_string(),
        };
        let who = Some(self.user.as_str()).filter(|user| !user.is_empty());
        let told = self.directory.as_ref().filter(|_| !path.is_empty()).and_then(|at| at.resolve(path).ok());
        let told = told.map(|path| path.to_string().into_bytes());
        let path = Some(told.as_deref().unwrap_or(path)).filter(|path| !path.is_empty());
        Request { who, from: self.peer, verb, path, bytes: self.moved, time: began.elapsed(), result }.log();
    }

    async fn refuse(&mut self, failure: Failure) -> Result<(), Broken> {
        self.wire.send(&Message::Reply(Reply::Refused(failure))).await
    }

    /// Ends the session, with last words where the peer can hear them.
    async fn part(mut self, ended: Result<(), Ended>) {
        let mut hurried = false;
        let (reason, words) = match ended {
            Err(Ended::Crowded) => {
                hurried = true;
                (Refusal::Crowded.to_string(), Some(words::failure(&Refusal::Crowded)))
            }
            Ok(()) => ("quit".to_owned(), None),
            Err(Ended::Failure(failure)) => (failure.message.clone(), Some(failure)),
            Err(Ended::Broken(broken)) => {
                let words = match &broken {
                    Broken::Malformed(proto::Fault::Magic) => {
                        self.wire.queue_bytes(proto::REFUSAL);
                        None
                    }
                    Broken::Malformed(fault) => Some(
                        Failure::new(words::fault_kind(*fault), fault.to_string())
                            .with_remedy("Use a client that keeps to PROTOCOL.md."),
                    ),
                    Broken::Silent(_) | Broken::Busy(_) | Broken::Stalled(_) => {
                        Some(Failure::new(Kind::TimedOut, broken.to_string()).with_remedy("Connect again."))
                    }
                    Broken::Closed | Broken::Cut | Broken::Io(_) => None,
                };
                (broken.to_string(), words)
            }
        };
        let user = logs::name(&self.user); // before a login, anything at all
        info!(user, from = %self.peer, reason, "session ended");
        if let Some(words) = words {
            if !self.introduced {
                self.wire.queue_bytes(&Preamble::new(&[]).encode());
            }
            self.wire.queue(&Message::Reply(Reply::Refused(words)));
        }
        if hurried {
            // Said if it can be said at once.
            _ = timeout(Duration::ZERO, self.wire.flush()).await;
        } else {
            self.wire.part().await;
        }
    }
}
