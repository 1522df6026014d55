//! The classic door: FTP (RFC 959, 1123, 2389, 2428, 2640, 3659, 7151) and FTPS (RFC 2228, 4217) in front of the core. It owns
//! framing and order; the core owns permission.
//!
//! ```text
//! bytes ─ line ─▶ parse ─▶ gate ─▶ answer, listing or transfer ─▶ reply
//! ```

mod answer;
#[cfg(test)]
mod any;
mod ascii;
mod attend;
mod command;
mod control;
mod data;
mod enter;
mod facts;
mod gate;
mod line;
mod listing;
mod moving;
mod parse;
mod pool;
mod reply;
mod stream;
mod time;
mod transfer;
mod words;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::info;

use crate::config;
use crate::core::{Core, Guest, Refusal, Session};
use crate::ending::Ending;
use crate::logs::{self, Request};
use crate::tls::{ClassicTls, Tls};
use command::Command;
use control::{Control, Gone};
use data::{Opening, Parting};
use gate::{Rules, State};
use line::{Fault, Next};
use pool::Pool;
use reply::Reply;
use stream::Stream;

/// Logins that a session may try.
const TRIES: u32 = 3;

/// Bytes of ciphertext that may wait to be sent on a data connection.
const WAITING: usize = 512 * 1024;

/// What all sessions of this door share.
#[derive(Debug)]
pub(crate) struct Door {
    core: Arc<Core>,
    tls: Arc<Tls>,
    config: config::Classic,
    pool: Arc<Pool>,
    ending: Ending,
}

impl Door {
    /// A door before `core`, as `config` describes it.
    pub(crate) fn new(core: Arc<Core>, tls: Arc<Tls>, config: config::Classic, ending: Ending) -> Door {
        let pool = Pool::new(config.passive_ports.clone());
        Door { core, tls, config, pool, ending }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// What the connections of a new session shake hands with.
    fn handshakes(&self) -> ClassicTls {
        match self.config.resumption {
            config::Demand::Required => self.tls.resumable(),
            config::Demand::Offered => self.tls.classic(),
        }
    }

    pub(crate) fn ending(&self) -> &Ending {
        &self.ending
    }
}

/// One session, from its first byte to its last.
#[derive(Debug)]
struct Connection {
    control: Control,
    door: Arc<Door>,
    tls: ClassicTls,
    peer: SocketAddr,
    local: SocketAddr,
    rules: Rules,
    state: State,
    /// Who is in, or wants to be; nobody before USER.
    user: String,
    opening: Option<Opening>,
    /// That of the last command that was refused.
    parting: Option<Parting>,
    /// Bytes of file data that moved for the command that is being answered.
    moved: u64,
}

/// Why a session ends, or goes on as another one.
enum Ended {
    /// The client said QUIT.
    Quit,
    /// The client said REIN: it may log in again.
    Again,
    /// The connection is of no more use.
    Gone(Gone),
    /// The server ends it, and says why.
    Told(Reply),
    /// Its place is somebody else's now: no time for a farewell.
    Crowded,
    /// It cannot be trusted, or did not take part.
    Silently(String),
}

impl From<Gone> for Ended {
    fn from(gone: Gone) -> Ended {
        match gone {
            Gone::Silent(_) => {
                Ended::Told(Reply::new(421, format!("{}. Connect again.", capital(&gone.to_string()))))
            }
            gone => Ended::Gone(gone),
        }
    }
}

/// Serves one connection to its end; `implicit` ones begin with a handshake.
pub(crate) async fn serve(
    tcp: TcpStream,
    peer: SocketAddr,
    door: Arc<Door>,
    mut guest: Guest,
    implicit: bool,
) {
    let tls = door.handshakes();
    let mut ending = door.ending.clone();
    let begun = async {
        let local = tcp.local_addr()?;
        let stream = if implicit { secured(tcp, tls.control.clone()).await? } else { Stream::Plain(tcp) };
        Ok((local, Control::new(stream, door.core.limits().stall)?))
    };
    let begun = tokio::select! {
        begun = guest.within(begun) => begun,
        () = ending.begins() => Err(Refusal::Ending),
    };
    let (local, control) = match begun {
        Ok(Ok(begun)) => begun,
        Ok(Err(error)) => return no_session(peer, &error as &std::io::Error),
        Err(refusal) => return no_session(peer, &refusal),
    };
    let clear = door.config.tls == config::Demand::Offered || peer.ip().to_canonical().is_loopback();
    let mut connection = Connection {
        control,
        tls,
        peer,
        local,
        rules: Rules { clear },
        state: State::new(implicit),
        user: String::new(),
        opening: None,
        parting: None,
        moved: 0,
        door,
    };
    connection.control.queue(&Reply::new(220, "ftpd is ready. Log in: USER and PASS."));
    let ended = loop {
        match connection.run(&guest).await {
            Ended::Again => match connection.door.core.arrive(peer.ip()) {
                Ok(next) => {
                    guest = next;
                    connection.begin_anew();
                }
                Err(refusal) => break Ended::Told(words::refused(&refusal)),
            },
            ended => break ended,
        }
    };
    guest.parting(connection.part(ended)).await;
}

/// Tells a connection that there is no place for it.
pub(crate) async fn turn_away(
    tcp: TcpStream,
    peer: SocketAddr,
    door: &Door,
    refusal: &Refusal,
    implicit: bool,
) {
    let stall = door.core.limits().stall;
    let begun = async {
        let stream =
            if implicit { secured(tcp, door.handshakes().control).await? } else { Stream::Plain(tcp) };
        Control::new(stream, stall)
    };
    match timeout(stall, begun).await {
        Ok(Ok(mut control)) => {
            control.queue(&words::refused(refusal));
            control.part().await;
        }
        Ok(Err(error)) => no_session(peer, &error),
        Err(_) => no_session(peer, &"TLS: the handshake took too long"),
    }
}

fn no_session(peer: SocketAddr, why: &dyn std::fmt::Display) {
    info!(from = %peer, reason = %why, "no session");
}

/// Takes the handshake of a control connection.
async fn secured(tcp: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<Stream> {
    Ok(Stream::Tls(Box::new(TlsAcceptor::from(config).accept(tcp).await?)))
}

impl Connection {
    /// From the greeting to the end, or to a REIN.
    async fn run(&mut self, guest: &Guest) -> Ended {
        let mut ending = self.door.ending.clone();
        let entering = Box::pin(self.enter(guest));
        let entered = tokio::select! {
            biased;
            entered = guest.within(entering) => entered,
            () = ending.begins() => Err(Refusal::Ending),
        };
        match entered {
            Ok(Ok(mut session)) => match self.inside(&mut session).await {
                Ok(never) => match never {},
                Err(ended) => ended,
            },
            Ok(Err(ended)) => ended,
            Err(Refusal::Crowded) => Ended::Crowded,
            Err(refusal) => Ended::Told(words::refused(&refusal)),
        }
    }

    /// Forgets who was there; TLS stays.
    fn begin_anew(&mut self) {
        self.state = self.state.anew(false);
        self.user.clear();
        self.opening = None;
        self.control.queue(&Reply::new(220, "Log in: USER and PASS."));
    }

    /// Answers the commands of somebody who is logged in.
    async fn inside(&mut self, session: &mut Session) -> Result<std::convert::Infallible, Ended> {
        let mut ending = self.door.ending.clone();
        loop {
            let idle = self.door.core.limits().idle;
            let next = tokio::select! {
                biased;
                () = ending.begins() => return Err(Ended::Told(words::refused(&Refusal::Ending))),
                next = self.control.next(idle) => next?,
            };
            let Some(command) = self.understood(next).await? else { continue };
            let (verb, began) = (command.verb(), Instant::now());
            let path = match (&command, &self.state.rename) {
                (Command::Rnto(_), Some(from)) => from.clone(), // what is renamed, as at the other door
                _ => command.path().to_vec(),
            };
            self.moved = 0;
            // Boxed, so that an idle session does not hold the room that a transfer needs.
            let answered = Box::pin(self.answer(session, command)).await;
            if let Some(verb) = verb {
                self.log(verb, &path, began, &answered);
            }
            let reply = answered?;
            tokio::select! {
                sent = self.control.reply(&reply) => sent?,
                () = ending.begins() => {} // what waits goes out with the last words
            }
        }
    }

    /// The command in a line, if it is one and may come now; otherwise the peer is told.
    async fn understood(&mut self, next: Next) -> Result<Option<Command>, Ended> {
        let wrong = match next {
            Next::Line(line) => match parse::command(&line) {
                Ok(command) => match self.state.judge(&command, self.rules) {
                    Ok(()) => return Ok(Some(command)),
                    Err(reply) => reply,
                },
                Err(parse::Malformed(code, text)) => Reply::new(code, text),
            },
            Next::Bad(Fault::Endless) => return Err(Ended::Told(Reply::new(421, "That line has no end."))),
            Next::Bad(Fault::TooLong) => Reply::new(500, "That line is too long: 8192 bytes are the most."),
            Next::Bad(Fault::Stray) => {
                Reply::new(500, "That line holds a NUL or a CR, which no command does: lines end with CRLF.")
            }
            Next::More => return Ok(None),
        };
        self.control.reply(&wrong).await?;
        Ok(None)
    }

    fn log(&self, verb: &'static str, path: &[u8], began: Instant, answered: &Result<Reply, Ended>) {
        let result = match answered {
            Ok(reply) if reply.refuses() => String::from_utf8_lossy(reply.text()).into_owned(),
            Ok(_) => "ok".into(),
            Err(ended) => ended.reason(),
        };
        let who = Some(self.user.as_str()).filter(|user| !user.is_empty());
        let path = Some(path).filter(|path| !path.is_empty());
        let (bytes, time, result) = (self.moved, began.elapsed(), result.as_str());
        Request { who, from: self.peer, verb, path, bytes, time, result }.log();
    }

    /// Ends the session, with last words where the peer can hear them.
    async fn part(mut self, ended: Ended) {
        let user = logs::name(&self.user); // before a login, anything at all
        info!(user, from = %self.peer, reason = ended.reason(), "session ended");
        match ended {
            Ended::Told(reply) => self.control.queue(&reply),
            Ended::Crowded => {
                // Said if it can be said at once.
                self.control.queue(&words::refused(&Refusal::Crowded));
                _ = timeout(Duration::ZERO, self.control.flush()).await;
                return;
            }
            Ended::Quit | Ended::Again => {}
            Ended::Gone(_) | Ended::Silently(_) => return,
        }
        self.control.part().await;
    }
}

impl Ended {
    /// For the log.
    fn reason(&self) -> String {
        match self {
            Ended::Quit | Ended::Again => "quit".into(),
            Ended::Gone(gone) => gone.to_string(),
            Ended::Told(reply) => String::from_utf8_lossy(reply.text()).into_owned(),
            Ended::Crowded => Refusal::Crowded.to_string(),
            Ended::Silently(why) => why.clone(),
        }
    }
}

/// The same with a capital letter in front, as replies have it.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}
