//! The way in: TCP, preamble, hello and login, in one flight with the first command.

use std::collections::HashSet;

use proto::io::{Stream, Wire};
use proto::{Command, Message, Preamble, Reply, Secret, Side};
use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Broken, Login, Native, Owed, Settings};
use crate::failure::{Code, Failure};
use crate::remote::Target;

/// The port of the native door.
const PORT: u16 = 10600;

/// Bytes of a user name and its password: more than any server knows, less than a frame holds.
const LOGIN: usize = 4096;

impl Native {
    /// Connects, and puts preamble, hello and login in line.
    pub(in crate::remote) async fn open(
        target: &Target,
        login: Login,
        settings: &Settings,
    ) -> Result<Native, Failure> {
        let (host, port) = (target.host.as_str(), target.port.unwrap_or(PORT));
        if login.user.len() + login.password.expose_secret().len() > LOGIN {
            let long = format!("user name and password have more than {LOGIN} bytes");
            return Err(
                Failure::new(Code::Usage, long).with_remedy("Is the right file named as the password file?")
            );
        }
        let no_connection = |why: String| {
            Failure::new(Code::Connection, format!("cannot connect to {host} port {port}: {why}"))
                .with_remedy("Is ftpd running there, and is this its host and port?")
        };
        let tcp = timeout(settings.timeout, TcpStream::connect((host, port)))
            .await
            .map_err(|_| no_connection("no answer".into()))?
            .map_err(|error| no_connection(error.to_string()))?;
        tcp.set_nodelay(true).map_err(|error| no_connection(error.to_string()))?;

        let mut wire = Wire::new(Stream::Plain(tcp), Side::Server, settings.timeout);
        // Exactly one digest is offered: data is sent before the server could choose.
        wire.agree(settings.digest);
        wire.queue_bytes(&Preamble::new(&[settings.digest]).encode());
        wire.queue(&Message::Command(Command::Hello {
            client: concat!("ftp ", env!("CARGO_PKG_VERSION")).into(),
        }));
        let password = Secret::new(login.password.expose_secret().into());
        wire.queue(&Message::Command(Command::Login { user: login.user, password }));
        Ok(Native {
            wire,
            settings: settings.clone(),
            host: host.into(),
            sent: 2,
            opening: true,
            owed: Owed::Nothing,
            lost: false,
            swept: HashSet::new(),
        })
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
                    self.owed = Owed::Nothing;
                    return Err(self.refused(refused));
                }
                (Due::Hello, Message::Reply(Reply::Hello { .. })) if preamble.has(self.settings.digest) => {}
                (Due::Welcome, Message::Reply(Reply::Welcome { .. })) => {}
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
