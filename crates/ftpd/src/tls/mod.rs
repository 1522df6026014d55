//! TLS of the server: who it is, and the configuration that handshakes take, which a reload replaces.

mod identity;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

use proto::io::tls::{ALPN, server_config};
use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;

pub use identity::{Error, Identity};

/// What new connections shake hands with.
#[derive(Debug)]
pub(crate) struct Tls {
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Handshakes as `identity`.
    pub(crate) fn new(identity: Identity) -> Result<Tls, Error> {
        Ok(Tls { current: RwLock::new(configuration(identity)?) })
    }

    /// Handshakes as `other` from now on; connections that are there keep theirs.
    pub(crate) fn replace(&self, other: Tls) {
        let next = other.current();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// For one handshake.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn configuration(identity: Identity) -> Result<Arc<ServerConfig>, Error> {
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
