//! TLS of the server: who it is, and the configurations that handshakes take, which a reload replaces.

mod classic;
mod identity;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

use proto::io::tls::{ALPN, server_config};
use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;

use classic::Resumption;

pub(crate) use classic::ClassicTls;
pub use identity::{Error, Identity};

/// What new connections shake hands with, at either door.
#[derive(Debug)]
pub(crate) struct Tls {
    current: RwLock<Doors>,
    resumption: Resumption,
}

/// One identity, as each door shows it.
#[derive(Clone, Debug)]
struct Doors {
    native: Arc<ServerConfig>,
    classic: Arc<ServerConfig>,
    /// The same where data connections must resume.
    resumable: Arc<ServerConfig>,
}

impl Tls {
    /// Handshakes as `identity`.
    pub(crate) fn new(identity: Identity) -> Result<Tls, Error> {
        let classic = classic::configuration(&identity, classic::ANY)?;
        let resumable = classic::configuration(&identity, classic::RESUMABLE)?;
        let current = RwLock::new(Doors { native: native(identity)?, classic, resumable });
        Ok(Tls { current, resumption: Resumption::new()? })
    }

    /// Handshakes as `other` from now on; sessions that are there keep theirs.
    pub(crate) fn replace(&self, other: Tls) {
        let next = other.doors();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// For one handshake at the native door.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        self.doors().native
    }

    /// For one session at the classic door, from its control connection to its last data connection.
    pub(crate) fn classic(&self) -> ClassicTls {
        ClassicTls::of(&self.doors().classic, &self.resumption)
    }

    /// The same, for a session all of whose data connections must resume: TLS 1.2 alone.
    pub(crate) fn resumable(&self) -> ClassicTls {
        ClassicTls::of(&self.doors().resumable, &self.resumption)
    }

    fn doors(&self) -> Doors {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn native(identity: Identity) -> Result<Arc<ServerConfig>, Error> {
    let Identity { chain, key, certificate_file, .. } = identity;
    let mut config = server_config()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|source| Error::Unfit { file: certificate_file, source })?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A session ends with its connection: there is nothing to resume, and nothing to keep for it.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}
