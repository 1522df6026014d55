//! The way in: TCP and TLS, whom it leads to, then preamble, hello and login in one flight with the first command.

use std::net::SocketAddr;
use std::sync::Arc;

use proto::io::{Stream, Wire, tcp, tls};
use proto::{Command, Fingerprint, Message, Preamble, Reply, Secret, Side};
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::timeout;

use super::{Broken, Disk, Login, Native, Owed, Settings, words};
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::remote::Target;
use crate::trust::{Judged, Offer, Place, Trust};

/// The port of the native door.
const PORT: u16 = 10600;

/// Bytes of a user name and its password: more than any server knows, less than a frame holds.
const LOGIN: usize = 4096;

/// A connection to a server that is trusted, on which nothing was said yet.
#[derive(Debug)]
pub(crate) struct Door {
    wire: Wire,
    settings: Settings,
    origin: Origin,
    judged: Judged,
}

/// Where a session leads: a server that is trusted.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// As its user wrote it.
    pub(super) host: String,
    pub(super) place: Place,
    pub(super) address: SocketAddr,
    /// The key that it holds; of a plain one, none is known.
    pub(super) key: Option<Fingerprint>,
}

impl Door {
    /// Connects over TLS to a server that `trust` takes for the right one; without `trust`, in the clear.
    pub(crate) async fn open(
        target: &Target,
        settings: &Settings,
        trust: Option<&mut Trust>,
        output: &Output,
    ) -> Result<Door, Failure> {
        let (host, port) = (target.host.as_str(), target.port.unwrap_or(PORT));
        let place = Place::new(host, port);
        let (stream, judged, address, key) = match trust {
            None => {
                let tcp = reach(host, port, settings).await?;
                let address = peer(&tcp, &place)?;
                (Stream::Plain(tcp), Judged::AtOnce, address, None)
            }
            Some(trust) => {
                // Before anybody is called: without it nothing could be decided.
                let known = trust.look_up(&place).await?;
                let tcp = reach(host, port, settings).await?;
                let address = peer(&tcp, &place)?;
                let (mut stream, offer) = shake_hands(tcp, &place, settings).await?;
                let key = offer.certificates.first().and_then(Fingerprint::of);
                match trust.judge(&place, &known, offer, output).await {
                    Ok(judged) => (stream, judged, address, key),
                    Err(failure) => {
                        let _gone = stream.shutdown().await; // a farewell, and no more
                        return Err(failure);
                    }
                }
            }
        };
        let wire = Wire::new(stream, Side::Server, settings.timeout);
        let origin = Origin { host: host.into(), place, address, key };
        Ok(Door { wire, settings: settings.clone(), origin, judged })
    }

    /// Whether a person was asked for so long as a person takes.
    pub(crate) fn was_asked_about(&self) -> bool {
        self.judged == Judged::ByAPerson
    }

    /// Whether the server still waits for the login, as far as is known.
    pub(crate) fn stands(&mut self) -> bool {
        !self.wire.is_stirred()
    }
}

impl Origin {
    /// Connects to the very server once more: to another address of its name, or to another key, nobody has said yes.
    pub(super) async fn reach_again(&self, settings: &Settings) -> Result<Wire, Failure> {
        let tcp = reach_one(&self.host, self.address.port(), self.address, settings).await?;
        let stream = match self.key {
            None => Stream::Plain(tcp),
            Some(key) => {
                let (stream, offer) = shake_hands(tcp, &self.place, settings).await?;
                if offer.certificates.first().and_then(Fingerprint::of) != Some(key) {
                    let other = format!("the server at {} shows another key than before", self.place);
                    return Err(Failure::new(Code::ServerKey, other));
                }
                stream
            }
        };
        Ok(Wire::new(stream, Side::Server, settings.timeout))
    }
}

/// Connects.
async fn reach(host: &str, port: u16, settings: &Settings) -> Result<TcpStream, Failure> {
    reach_one(host, port, (host, port), settings).await
}

async fn reach_one(
    host: &str,
    port: u16,
    address: impl ToSocketAddrs,
    settings: &Settings,
) -> Result<TcpStream, Failure> {
    let no_connection = |why: String| {
        Failure::new(Code::Connection, format!("cannot connect to {host} port {port}: {why}"))
            .with_remedy("Is ftpd running there, and is this its host and port?")
    };
    timeout(settings.timeout, tcp::connect(address))
        .await
        .map_err(|_| no_connection("no answer".into()))?
        .map_err(|error| no_connection(error.to_string()))
}

/// Where a connection leads.
fn peer(tcp: &TcpStream, place: &Place) -> Result<SocketAddr, Failure> {
    tcp.peer_addr().map_err(|error| words::broken(&Broken::Io(error), &place.to_string()))
}

/// Has the server prove which key it holds.
async fn shake_hands(tcp: TcpStream, place: &Place, settings: &Settings) -> Result<(Stream, Offer), Failure> {
    let address = peer(&tcp, place)?.ip();
    // A host that no certificate can name is known by its key alone.
    let name = place.server_name().unwrap_or(ServerName::IpAddress(address.into()));
    let shaken = timeout(settings.timeout, tls::connect(tcp, Arc::new(tls::client_config()), name)).await;
    let (stream, certificates) = shaken
        .map_err(|_| words::broken(&Broken::Silent(settings.timeout), &place.to_string()))?
        .map_err(|error| words::no_tls(&error, place))?;
    Ok((stream, Offer { certificates, loopback: address.to_canonical().is_loopback() }))
}

impl Native {
    /// Puts preamble, hello and login in line.
    pub(in crate::remote) fn log_in(door: Door, login: Login) -> Result<Native, Failure> {
        let Door { wire, settings, origin, .. } = door;
        if login.user.len() + login.password.expose_secret().len() > LOGIN {
            let long = format!("user name and password have more than {LOGIN} bytes");
            return Err(
                Failure::new(Code::Usage, long).with_remedy("Is the right file named as the password file?")
            );
        }
        let password = Secret::new(login.password.expose_secret().into());
        Ok(Native::open(wire, settings, origin, Command::Login { user: login.user, password }))
    }

    /// Puts preamble, hello and what opens the session in line.
    pub(super) fn open(mut wire: Wire, settings: Settings, origin: Origin, key: Command) -> Native {
        // Exactly one digest is offered: data is sent before the server could choose.
        wire.agree(settings.digest);
        wire.queue_bytes(&Preamble::new(&[settings.digest]).encode());
        wire.queue(&Message::Command(Command::Hello {
            client: concat!("ftp ", env!("CARGO_PKG_VERSION")).into(),
        }));
        wire.queue(&Message::Command(key));
        Native {
            wire,
            settings,
            origin,
            sent: 2,
            opening: true,
            owed: Owed::Nothing,
            lost: false,
            cut: false,
            disk: Disk::default(),
            access: None,
        }
    }

    /// Reads the answers to preamble, hello and login, unless they were read before.
    pub(super) async fn opened(&mut self) -> Result<(), Failure> {
        if !self.opening {
            return Ok(());
        }
        let heard = self.wire.preamble().await;
        let preamble = self.told(heard)?;
        for due in [Due::Hello, Due::Welcome] {
            match (due, self.message().await?) {
                (_, Message::Reply(Reply::Refused(refused))) => {
                    // Whatever was sent ahead is refused too, and nothing of it matters.
                    self.lost = true;
                    self.cut |= words::by_chance(refused.kind);
                    self.owed = Owed::Nothing;
                    return Err(words::refused_at_the_door(refused));
                }
                (Due::Hello, Message::Reply(Reply::Hello { .. })) if preamble.has(self.settings.digest) => {}
                (Due::Welcome, Message::Reply(Reply::Welcome { access })) => self.access = Some(access),
                _ => return Err(self.broken(Broken::Malformed(proto::Fault::Turn))),
            }
        }
        self.opening = false;
        Ok(())
    }
}

/// The answers that open a session.
#[derive(Clone, Copy)]
enum Due {
    Hello,
    Welcome,
}
