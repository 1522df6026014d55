//! The way in: TCP, the greeting, TLS and whom it leads to.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use suppaftp::FtpError;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::learnt::Versions;
use super::tls::{Handshakes, Judge, Keys};
use super::words::{self, Answer};
use super::{Ftp, Settings, is_stirred};
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::remote::{Scheme, Target};
use crate::trust::{Judged, Known, Offer, Place, Trust};

/// The ports of RFC 959 and of FTP inside TLS (IANA).
const PORTS: [u16; 2] = [21, 990];

/// A connection to a server that is trusted, on which it has greeted.
pub(crate) struct Door {
    pub(super) ftp: Ftp,
    pub(super) keys: Arc<Keys>,
    pub(super) settings: Settings,
    pub(super) host: String,
    judged: Judged,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Whom to call.
struct Call<'a> {
    target: &'a Target,
    settings: &'a Settings,
    place: Place,
}

impl Door {
    /// Connects, and has `trust` decide about the server's key. Without `trust`, or on this computer with a server that knows
    /// nothing else, it speaks in the clear.
    pub(crate) async fn open(
        target: &Target,
        settings: &Settings,
        trust: Option<&mut Trust>,
        output: &Output,
    ) -> Result<Door, Failure> {
        let implicit = target.scheme == Scheme::Ftps;
        let port = target.port.unwrap_or(PORTS[usize::from(implicit)]);
        let call = Call { target, settings, place: Place::new(&target.host, port) };
        let Some(trust) = trust else {
            if implicit {
                return Err(Failure::new(Code::Usage, "ftps:// is FTP inside TLS, and --plain is without")
                    .with_remedy("Write ftp:// for a plain server, or leave --plain out."));
            }
            return Ok(call.door(call.greeted(call.reach(port).await?).await?, Judged::AtOnce));
        };
        // Before anybody is called: without it nothing could be decided.
        let known = trust.look_up(&call.place).await?;
        let versions = settings.learnt.versions();
        let secured = match call.secured(port, versions, trust, &known, output).await {
            Err(NoTls::Broken(_)) if versions == Versions::Older => {
                settings.learnt.forget_shortage();
                call.secured(port, Versions::All, trust, &known, output).await
            }
            secured => secured,
        };
        match secured {
            Ok(door) => Ok(door),
            Err(NoTls::Failed(failure) | NoTls::Broken(failure)) => Err(failure),
            Err(NoTls::Refused { answer, loopback }) => {
                if !loopback || trust.expects_a_key(&known) {
                    return Err(words::no_tls(&call.place, &answer));
                }
                output.say(&format!(
                    "the server at {} speaks without TLS; it is on this computer, so that is taken",
                    call.place
                ));
                Ok(call.door(call.greeted(call.reach(port).await?).await?, Judged::AtOnce))
            }
        }
    }

    /// Whether a person was asked for so long as a person takes.
    pub(crate) fn was_asked_about(&self) -> bool {
        self.judged == Judged::ByAPerson
    }

    /// Whether the server still waits for the login, as far as is known.
    pub(crate) fn stands(&mut self) -> bool {
        !is_stirred(&self.ftp)
    }
}

/// Why there is no TLS.
enum NoTls {
    /// The server refuses it in its words.
    Refused {
        answer: Answer,
        /// Whether it is on this computer.
        loopback: bool,
    },
    /// The handshake came to no end.
    Broken(Failure),
    Failed(Failure),
}

impl From<Failure> for NoTls {
    fn from(failure: Failure) -> NoTls {
        NoTls::Failed(failure)
    }
}

impl Call<'_> {
    fn door(&self, ftp: Ftp, judged: Judged) -> Door {
        let (settings, host) = (self.settings.clone(), self.target.host.clone());
        Door { ftp, keys: Arc::default(), settings, host, judged }
    }

    /// Connects.
    async fn reach(&self, port: u16) -> Result<TcpStream, Failure> {
        let host = self.target.host.as_str();
        let no_connection = |why: String| {
            Failure::new(Code::Connection, format!("cannot connect to {host} port {port}: {why}"))
                .with_remedy("Is an FTP server running there, and is this its host and port?")
        };
        let tcp = timeout(self.settings.timeout, TcpStream::connect((host, port)))
            .await
            .map_err(|_| no_connection("no answer".into()))?
            .map_err(|error| no_connection(error.to_string()))?;
        tcp.set_nodelay(true).map_err(|error| no_connection(error.to_string()))?;
        Ok(tcp)
    }

    /// Hears the greeting of a server that begins in the clear.
    async fn greeted(&self, tcp: TcpStream) -> Result<Ftp, Failure> {
        let greeted = timeout(self.settings.timeout, Ftp::connect_with_stream(tcp)).await;
        let greeted = greeted.map_err(|_| words::silent(&self.target.host, self.settings.timeout))?;
        greeted.map_err(|error| self.no_greeting(&error))
    }

    fn no_greeting(&self, error: &FtpError) -> Failure {
        let host = &self.target.host;
        match error {
            FtpError::UnexpectedResponse(response) => words::closing(host, &Answer::read(&response.body)),
            FtpError::BadResponse => Failure::new(Code::Connection, format!("{host} does not speak FTP"))
                .with_remedy("Is this the port of an FTP server? ftps:// is for one inside TLS."),
            error => words::broken(host, error, &Keys::default()),
        }
    }

    /// Begins TLS, then hears the greeting, and has data protected.
    async fn inside_tls(&self, port: u16, handshakes: Handshakes) -> Result<Ftp, FtpError> {
        let host = self.target.host.as_str();
        let mut ftp = Ftp::connect_secure_implicit((host, port), handshakes, host).await?;
        for command in ["PBSZ 0", "PROT P"] {
            ftp.custom_command(command, &[suppaftp::Status::CommandOk]).await?;
        }
        Ok(ftp)
    }

    /// Connects, and speaks TLS once `trust` has decided about the server's key.
    async fn secured(
        &self,
        port: u16,
        versions: Versions,
        trust: &mut Trust,
        known: &Known,
        output: &Output,
    ) -> Result<Door, NoTls> {
        let keys = Arc::new(Keys::default());
        let (handshakes, judge) =
            Handshakes::new(&self.place, self.settings.timeout, Arc::clone(&keys), versions);
        let (ftp, judged) = if self.target.scheme == Scheme::Ftps {
            self.judged(self.inside_tls(port, handshakes), false, judge, trust, known, output).await?
        } else {
            let tcp = self.reach(port).await?;
            let loopback = tcp.peer_addr().map_err(Failure::from)?.ip().to_canonical().is_loopback();
            let ftp = self.greeted(tcp).await?;
            let secured = ftp.into_secure(handshakes, &self.target.host);
            self.judged(secured, loopback, judge, trust, known, output).await?
        };
        Ok(Door { keys, ..self.door(ftp, judged) })
    }

    /// Drives `secured` until the server has proved its key, has that judged, and drives it to its end.
    async fn judged(
        &self,
        secured: impl Future<Output = Result<Ftp, FtpError>>,
        loopback: bool,
        judge: Judge,
        trust: &mut Trust,
        known: &Known,
        output: &Output,
    ) -> Result<(Ftp, Judged), NoTls> {
        let patience = self.settings.timeout;
        let mut secured = pin!(secured);
        let shown = tokio::select! {
            biased;
            Ok(shown) = judge.shown => shown,
            done = timeout(patience, &mut secured) => match done {
                Ok(Ok(_)) => {
                    let unjudged = words::lost(&self.target.host, "TLS began before its key was judged");
                    return Err(NoTls::Failed(unjudged));
                }
                Ok(Err(FtpError::UnexpectedResponse(response))) => {
                    return Err(NoTls::Refused { answer: Answer::read(&response.body), loopback });
                }
                Ok(Err(error)) => return Err(NoTls::Broken(words::no_handshake(&self.place, &error))),
                Err(_) => return Err(NoTls::Failed(words::silent(&self.target.host, patience))),
            },
        };
        let loopback = shown.address.to_canonical().is_loopback();
        let offer = Offer { certificates: shown.certificates, loopback };
        let judged = trust.judge(&self.place, known, offer, output).await.map_err(NoTls::Failed)?;
        let _gone = judge.accepted.send(()); // then the next step fails, and says why
        match timeout(patience, secured).await {
            Ok(Ok(ftp)) => Ok((ftp, judged)),
            Ok(Err(FtpError::UnexpectedResponse(response))) => {
                Err(NoTls::Failed(words::unprotected(&self.place, &Answer::read(&response.body))))
            }
            Ok(Err(error)) => Err(NoTls::Failed(words::broken(&self.target.host, &error, &Keys::default()))),
            Err(_) => Err(NoTls::Failed(words::silent(&self.target.host, patience))),
        }
    }
}
