//! TLS of the classic door (RFC 4217): one configuration for control connections, one for their data connections, and what is
//! kept so that the second resume the sessions of the first.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ProducesTickets, ServerSessionMemoryCache};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ServerConfig, SupportedProtocolVersion};

use super::{Error, Identity};

/// Sessions of TLS 1.2 that are kept for clients that take no tickets.
const KEPT: usize = 256;

/// Tickets that a control connection brings a client of TLS 1.3.
const TICKETS: usize = 2;

static VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// What the connections of one classic session shake hands with.
#[derive(Clone, Debug)]
pub(crate) struct ClassicTls {
    pub(crate) control: Arc<ServerConfig>,
    /// Resumes what `control` began. It sends no tickets after a handshake of TLS 1.3: a client that closes with them unread
    /// resets the connection, and what it uploaded last is lost.
    pub(crate) data: Arc<ServerConfig>,
}

/// What sessions are resumed by: the same as long as the server runs, whatever becomes of its certificate.
#[derive(Clone)]
pub(super) struct Resumption {
    ticketer: Arc<dyn ProducesTickets>,
    kept: Arc<ServerSessionMemoryCache>,
}

impl Resumption {
    pub(super) fn new() -> Result<Resumption, Error> {
        let ticketer = aws_lc_rs::Ticketer::new().map_err(Error::Tickets)?;
        Ok(Resumption { ticketer, kept: ServerSessionMemoryCache::new(KEPT) })
    }

    fn put_into(&self, config: &mut ServerConfig) {
        config.ticketer = self.ticketer.clone();
        config.session_storage = self.kept.clone();
    }
}

impl fmt::Debug for Resumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resumption")
    }
}

impl ClassicTls {
    /// Handshakes as `identity`, resuming by `resumption`.
    pub(super) fn new(identity: &Identity, resumption: &Resumption) -> Result<ClassicTls, Error> {
        let mut control = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&VERSIONS)
            .expect("the provider knows the ciphers of both versions")
            .with_no_client_auth()
            .with_single_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(|source| Error::Unfit { file: identity.certificate_file.clone(), source })?;
        control.ignore_client_order = true; // most clients put AES-256 first
        control.send_tls13_tickets = TICKETS;
        resumption.put_into(&mut control);
        let mut data = control.clone();
        data.send_tls13_tickets = 0;
        Ok(ClassicTls { control: Arc::new(control), data: Arc::new(data) })
    }

    /// The same, resuming by `resumption`.
    pub(super) fn resuming_by(&self, resumption: &Resumption) -> ClassicTls {
        let resuming = |config: &ServerConfig| {
            let mut config = config.clone();
            resumption.put_into(&mut config);
            Arc::new(config)
        };
        ClassicTls { control: resuming(&self.control), data: resuming(&self.data) }
    }
}

/// AWS-LC with its safe suites, AES-128-GCM before its slower and no safer kin.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| {
        !matches!(
            suite.suite(),
            CipherSuite::TLS13_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        )
    });
    Arc::new(provider)
}

#[cfg(test)]
mod tests;
