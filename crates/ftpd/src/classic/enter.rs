//! The way in: TLS if the client asks for it, USER and PASS, and what may be asked before.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::{Command, Connection, Ended, Reply, TRIES, command, gate, secured, words};
use crate::core::{Guest, Session};

impl Connection {
    /// From the greeting to the login.
    pub(super) async fn enter(&mut self, guest: &Guest) -> Result<Session, Ended> {
        let mut tries = 0;
        loop {
            // The deadline of a login is over all of this.
            let next = self.control.next(Duration::MAX).await?;
            let Some(command) = self.understood(next).await? else { continue };
            let reply = match command {
                Command::User(name) => {
                    self.user = String::from_utf8_lossy(&name).into_owned();
                    Reply::new(331, "The password, please.")
                }
                Command::Pass(password) => match self.log_in(guest, password).await {
                    Ok(session) => return Ok(session),
                    Err(reply) => {
                        tries += 1;
                        if tries >= TRIES || reply.code == 421 {
                            return Err(Ended::Told(Reply::new(421, reply.text())));
                        }
                        reply
                    }
                },
                Command::Auth => {
                    self.secure().await?;
                    continue;
                }
                Command::Rein => {
                    self.state = self.state.anew(false);
                    Reply::new(220, "Log in: USER and PASS.")
                }
                Command::Quit => {
                    self.control.queue(&Reply::new(221, "Goodbye."));
                    return Err(Ended::Quit);
                }
                command => self.answer_anybody(&command),
            };
            self.control.reply(&reply).await?;
        }
    }

    async fn log_in(&mut self, guest: &Guest, password: SecretString) -> Result<Session, Reply> {
        let began = Instant::now();
        let entered = guest.login(&self.user, password).await;
        self.state.login = gate::Login::Nobody;
        match entered {
            Ok(session) => {
                self.state.login = gate::Login::Inside;
                let reply = Reply::new(230, format!("Logged in: {} access.", session.access().name()));
                self.log("login", b"", began, &Ok(reply.clone()));
                self.control.queue(&reply);
                Ok(session)
            }
            Err(refusal) => {
                let reply = words::refused(&refusal);
                self.log("login", b"", began, &Ok(reply.clone()));
                Err(reply)
            }
        }
    }

    /// AUTH TLS (RFC 4217, 4.1). What was said behind it in the clear may be anybody's: then nothing of this connection is of use.
    async fn secure(&mut self) -> Result<(), Ended> {
        self.control.queue(&Reply::new(234, "TLS, then."));
        let Some(tcp) = self.control.take_plain().await? else {
            return Err(Ended::Silently("something was said in the clear behind AUTH".into()));
        };
        match secured(tcp, self.tls.control.clone()).await {
            Ok(stream) => {
                self.control.secured(stream);
                self.state = self.state.anew(true);
                Ok(())
            }
            Err(error) => Err(Ended::Silently(format!("TLS: {error}"))),
        }
    }

    /// What may be asked without a login. The gate lets nothing else here.
    pub(super) fn answer_anybody(&mut self, command: &Command) -> Reply {
        match command {
            Command::Noop => Reply::new(200, "Still here."),
            Command::Help => Reply::new(214, "These commands are known.").with(lines(COMMANDS)),
            Command::SiteHelp => {
                Reply::new(214, "SITE knows these.").with(lines("CHMOD MODE PATH\nHELP\nUTIME TIME PATH"))
            }
            Command::Feat => Reply::new(211, "End").with(lines(FEATURES)),
            Command::Syst => Reply::new(215, "UNIX Type: L8"), // what clients need to hear to read LIST
            Command::Utf8 => Reply::new(200, "Names are UTF-8, always."),
            Command::MlstFacts => Reply::new(200, "MLST OPTS type;size;modify;UNIX.mode;perm;X.unsaid;"),
            Command::UseHash(_) => Reply::new(200, self.state.hash.name()),
            Command::Clnt | Command::Acct => Reply::new(202, "Noted, and of no consequence here."),
            Command::Host => Reply::new(220, "One host, whatever its name."),
            Command::Lang => Reply::new(200, "English."),
            Command::AsItIs => Reply::new(200, "As ever."),
            Command::Pbsz => Reply::new(200, "PBSZ=0"),
            Command::Prot(true) => Reply::new(200, "Data connections are under TLS from now on."),
            Command::Prot(false) => Reply::new(200, "Data connections are in the clear from now on."),
            Command::Abor => Reply::new(226, "Nothing is being transferred."),
            Command::Status => self.status(None),
            _ => Reply::new(503, "Log in first: USER and PASS."),
        }
    }

    /// STAT without a path (RFC 959, 4.1.3).
    pub(super) fn status(&self, transfer: Option<String>) -> Reply {
        let whom =
            if self.user.is_empty() { "Nobody is logged in".into() } else { format!("User {}", self.user) };
        let tls = match (self.state.secured, self.state.private) {
            (true, true) => "TLS on both connections",
            (true, false) => "TLS on the control connection",
            (false, _) => "No TLS",
        };
        let kind = match self.state.kind {
            command::Type::Ascii => "TYPE A",
            command::Type::Image => "TYPE I",
        };
        let transfer = transfer.unwrap_or_else(|| "Nothing is being transferred".into());
        let told = [format!("From {}", self.peer), whom, tls.into(), kind.into(), transfer];
        Reply::new(211, "End of status").with(told.map(String::into_bytes))
    }
}

fn lines(text: &'static str) -> impl Iterator<Item = Vec<u8>> {
    text.lines().map(|line| line.as_bytes().to_vec())
}

/// RFC 2389, 3.2: one a line, each indented.
const FEATURES: &str = "AUTH TLS
AVBL
CLNT
EPRT
EPSV
HASH MD5*;SHA-256
HOST
LANG EN*
MDTM
MFMT
MLST type*;size*;modify*;UNIX.mode*;perm*;X.unsaid*;
PBSZ
PROT
RANG STREAM
REST STREAM
SIZE
TVFS
UTF8
XMD5
XSHA256";

const COMMANDS: &str = "USER PASS ACCT REIN QUIT NOOP HELP SYST FEAT OPTS STAT SITE CLNT HOST LANG
AUTH PBSZ PROT CCC
TYPE MODE STRU ALLO PORT PASV EPRT EPSV
RETR STOR APPE STOU REST RANG ABOR
LIST NLST MLSD MLST SIZE MDTM MFMT HASH XMD5 XSHA256 AVBL
DELE MKD RMD PWD CWD CDUP RNFR RNTO XMKD XRMD XPWD XCWD XCUP";
