//! TLS of the classic door (RFC 4217): a session has one configuration for its control connection and one for its data
//! connections, and the second resume what the first began.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ProducesTickets, StoresServerSessions};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ServerConfig, SupportedProtocolVersion};

use super::{Error, Identity};

/// Tickets that a control connection brings a client of TLS 1.3.
const TICKETS: usize = 2;

/// Of the versions, the newest that both know.
pub(super) const ANY: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// Where every data connection has to resume. Clients show a ticket of TLS 1.3 once, as RFC 8446, C.4 advises, and would be
/// out of them after [`TICKETS`] transfers; a session of TLS 1.2 is resumed as often as one likes.
pub(super) const RESUMABLE: &[&SupportedProtocolVersion] = &[&TLS12];

/// What the connections of one session shake hands with.
///
/// What `data` resumes was begun by `control`, in this session and no other: so a data connection that is resumed
/// ([`HandshakeKind::Resumed`](rustls::HandshakeKind::Resumed)) is that of the client who controls the session.
#[derive(Clone, Debug)]
pub(crate) struct ClassicTls {
    pub(crate) control: Arc<ServerConfig>,
    /// It brings nothing to resume, or a stranger's first connection would make a second one look like the client's. Besides, a
    /// client that closes with tickets of TLS 1.3 unread resets the connection, and what it uploaded last is lost.
    pub(crate) data: Arc<ServerConfig>,
}

impl ClassicTls {
    /// For a new session; `configuration` is what both connections have in common.
    pub(super) fn of(configuration: &ServerConfig, resumption: &Resumption) -> ClassicTls {
        let begun = Arc::new(resumption.of_a_session());
        let mut control = configuration.clone();
        control.send_tls13_tickets = TICKETS;
        control.ticketer = begun.clone();
        control.session_storage = begun.clone();
        let resumed = Arc::new(Resumed(begun));
        let mut data = configuration.clone();
        data.send_tls13_tickets = 0;
        data.ticketer = resumed.clone();
        data.session_storage = resumed;
        ClassicTls { control: Arc::new(control), data: Arc::new(data) }
    }
}

/// How all connections shake hands as `identity`; they resume nothing yet.
pub(super) fn configuration(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .expect("the provider knows the ciphers of both versions")
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .map_err(|source| Error::Unfit { file: identity.certificate_file.clone(), source })?;
    config.ignore_client_order = true; // most clients put AES-256 first
    Ok(Arc::new(config))
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

/// The keys of tickets, as long as the server runs, whatever becomes of its certificate; and numbers that tell sessions apart.
#[derive(Debug)]
pub(super) struct Resumption {
    tickets: Arc<dyn ProducesTickets>,
    next: AtomicU64,
}

impl Resumption {
    pub(super) fn new() -> Result<Resumption, Error> {
        let tickets = aws_lc_rs::Ticketer::new().map_err(Error::Tickets)?;
        Ok(Resumption { tickets, next: AtomicU64::new(0) })
    }

    fn of_a_session(&self) -> Begun {
        let number = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        Begun { tickets: self.tickets.clone(), number, kept: OnceLock::new() }
    }
}

/// What a session is resumed by. Its number stands in each ticket that it hands out, and no other's is taken.
///
/// rustls has a mark of its own for this (`set_resumption_data`), and does not return it in TLS 1.2.
#[derive(Debug)]
struct Begun {
    tickets: Arc<dyn ProducesTickets>,
    number: [u8; 8],
    /// Id and secrets of what began, for clients of TLS 1.2 that take no tickets. Nobody else's can push it out.
    kept: OnceLock<(Vec<u8>, Vec<u8>)>,
}

impl ProducesTickets for Begun {
    fn enabled(&self) -> bool {
        self.tickets.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.tickets.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.tickets.encrypt(&[&self.number, plain].concat())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.tickets.decrypt(cipher)?.strip_prefix(&self.number).map(<[u8]>::to_vec)
    }
}

impl StoresServerSessions for Begun {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.kept.set((key, value)).is_ok()
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.kept.get().filter(|(id, _)| id == key).map(|(_, secrets)| secrets.clone())
    }

    /// Where there are tickets, nobody asks.
    fn take(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn can_cache(&self) -> bool {
        true
    }
}

/// The same where things are only resumed: nothing is handed out, and nothing kept.
#[derive(Debug)]
struct Resumed(Arc<Begun>);

impl ProducesTickets for Resumed {
    /// Clients are told of no tickets, and those that they have are taken all the same: in TLS 1.2 by `decrypt`, in TLS 1.3 by
    /// `take`. So do rustls' own ways; an empty ticket in their place would make clients forget the one that they have.
    fn enabled(&self) -> bool {
        false
    }

    fn lifetime(&self) -> u32 {
        0
    }

    fn encrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(cipher)
    }
}

impl StoresServerSessions for Resumed {
    fn put(&self, _: Vec<u8>, _: Vec<u8>) -> bool {
        false
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key)
    }

    fn take(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(ticket)
    }

    fn can_cache(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
