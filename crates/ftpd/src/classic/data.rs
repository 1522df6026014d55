//! Data connections: opened by the client before or after its command, each for one transfer (RFC 959, 3.2; RFC 2428; RFC 4217).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::{HandshakeKind, ServerConfig};
use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use super::pool::Lease;
use super::stream::Stream;

/// How long a data connection that is of no more use may take to come, so that it ends in peace and without a reset.
const LATE: Duration = Duration::from_secs(1);

/// Why there is no data connection.
#[derive(Debug, Error)]
pub(super) enum Unopened {
    #[error("no data connection came within {} s", .0.as_secs())]
    Late(Duration),
    #[error("the data connection failed: {0}")]
    Failed(#[from] io::Error),
    #[error("the data connection did not resume the TLS session of the control connection")]
    NotResumed,
    #[error("the data connection was given up")]
    GivenUp,
}

/// How data connections are protected.
#[derive(Clone, Debug)]
pub(super) struct Protection {
    pub(super) config: Arc<ServerConfig>,
    /// The session of the control connection must be resumed.
    pub(super) resumed: bool,
}

/// What both kinds of data connection have in common.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// The only address that they may come from or go to: the control connection's.
    pub(super) peer: IpAddr,
    pub(super) protection: Option<Protection>,
    /// How long each step may take.
    pub(super) patience: Duration,
}

/// A data connection on its way.
#[derive(Debug)]
pub(super) enum Opening {
    /// The client comes; its connection is accepted, and its handshake taken, whenever it does.
    Passive(Coming),
    /// The client is called when a command wants data.
    Active { from: IpAddr, to: SocketAddr, terms: Terms },
}

/// A task that waits for the client; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Coming(JoinHandle<Result<Stream, Unopened>>);

impl Drop for Coming {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Opening {
    /// Waits at `listener` from now on.
    pub(super) fn passive(listener: TcpListener, lease: Lease, terms: Terms) -> Opening {
        Opening::Passive(Coming(tokio::spawn(async move {
            let tcp = timeout(terms.patience, accept(&listener, terms.peer)).await;
            drop((listener, lease)); // one connection, and the port is free again
            let tcp = tcp.map_err(|_| Unopened::Late(terms.patience))?;
            secured(tcp, &terms).await
        })))
    }

    /// The connection, once it is there.
    pub(super) async fn opened(&mut self) -> Result<Stream, Unopened> {
        match self {
            Opening::Passive(coming) => (&mut coming.0).await.unwrap_or(Err(Unopened::GivenUp)),
            Opening::Active { from, to, terms } => {
                let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
                socket.bind(SocketAddr::new(*from, 0))?;
                let tcp = timeout(terms.patience, socket.connect(*to)).await;
                secured(tcp.map_err(|_| Unopened::Late(terms.patience))??, terms).await
            }
        }
    }

    /// Gives it up at once; when this returns, its port is free.
    pub(super) async fn close(self) {
        if let Opening::Passive(mut coming) = self {
            coming.0.abort();
            _ = (&mut coming.0).await;
        }
    }

    /// Gives it up after a refusal: a client that has connected, or is about to, finds a connection that ends in peace.
    pub(super) fn part(mut self) -> Parting {
        Parting(tokio::spawn(async move {
            if let Opening::Passive(_) = self
                && let Ok(Ok(stream)) = timeout(LATE, self.opened()).await
            {
                stream.part().await;
            }
        }))
    }
}

/// A data connection that ends in peace, or at once when this is dropped: a session has one at most.
#[derive(Debug)]
pub(super) struct Parting(JoinHandle<()>);

impl Drop for Parting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The first connection from `peer`; those from elsewhere are closed.
async fn accept(listener: &TcpListener, peer: IpAddr) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((tcp, from)) if from.ip().to_canonical() == peer => return tcp,
            Ok((_, stranger)) => {
                info!(from = %stranger, client = %peer, "a stranger at a data port is turned away")
            }
            Err(error) => {
                warn!(%error, "cannot accept a data connection");
                tokio::time::sleep(Duration::from_millis(100)).await; // the system lacks something, and tells of no better time
            }
        }
    }
}

/// With its handshake behind it, where there has to be one.
async fn secured(tcp: TcpStream, terms: &Terms) -> Result<Stream, Unopened> {
    tcp.set_nodelay(true)?;
    let Some(protection) = &terms.protection else { return Ok(Stream::Plain(tcp)) };
    let shaken = timeout(terms.patience, TlsAcceptor::from(protection.config.clone()).accept(tcp)).await;
    let mut tls = shaken.map_err(|_| Unopened::Late(terms.patience))??;
    tls.get_mut().1.set_buffer_limit(Some(super::WAITING));
    if protection.resumed && tls.get_ref().1.handshake_kind() != Some(HandshakeKind::Resumed) {
        Stream::Tls(Box::new(tls)).part().await;
        return Err(Unopened::NotResumed);
    }
    Ok(Stream::Tls(Box::new(tls)))
}
