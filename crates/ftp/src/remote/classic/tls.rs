//! TLS with a classic server (RFC 4217): its key is shown to whoever judges it before anything is said, and every data connection
//! must show the same one.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use proto::Fingerprint;
use proto::io::Gulping;
use proto::io::tls::{WAITING, possession};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS12;
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion};
use suppaftp::tokio::AsyncTlsConnector;
use suppaftp::{FtpError, FtpResult};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::learnt::Versions;
use super::stream::Tls;
use crate::trust::Place;

/// What is known of a server's keys on this control connection.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// That of the control connection, once it is judged.
    control: OnceLock<Fingerprint>,
    differed: AtomicBool,
    began_anew: AtomicBool,
}

impl Keys {
    /// Whether a data connection showed another key.
    pub(super) fn differed(&self) -> bool {
        self.differed.load(Ordering::Relaxed)
    }

    /// Whether a data connection had to begin a TLS 1.3 session of its own, since no ticket was left for it.
    pub(super) fn began_anew(&self) -> bool {
        self.began_anew.load(Ordering::Relaxed)
    }
}

/// What a server has shown on its control connection.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) address: IpAddr,
}

/// Where the first handshake is judged.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) shown: oneshot::Receiver<Shown>,
    /// Sent when the key is accepted; dropped otherwise.
    pub(super) accepted: oneshot::Sender<()>,
}

/// Makes the handshakes of one control connection and its data connections.
pub(super) struct Handshakes {
    connector: TlsConnector,
    place: Place,
    patience: Duration,
    keys: Arc<Keys>,
    /// The judge's other ends, until the first handshake.
    first: Mutex<Option<(oneshot::Sender<Shown>, oneshot::Receiver<()>)>>,
}

impl std::fmt::Debug for Handshakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handshakes").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Handshakes {
    pub(super) fn new(
        place: &Place,
        patience: Duration,
        keys: Arc<Keys>,
        versions: Versions,
    ) -> (Handshakes, Judge) {
        let (show, shown) = oneshot::channel();
        let (accepted, accept) = oneshot::channel();
        let versions = match versions {
            Versions::All => rustls::DEFAULT_VERSIONS,
            Versions::Older => &[&TLS12],
        };
        // Sessions are resumed, by which some servers know that a data connection is of the same client.
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .expect("the provider knows the ciphers of TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(possession())
            .with_no_client_auth();
        let handshakes = Handshakes {
            connector: Arc::new(config).into(),
            place: place.clone(),
            patience,
            keys,
            first: Mutex::new(Some((show, accept))),
        };
        (handshakes, Judge { shown, accepted })
    }

    async fn shake(&self, tcp: TcpStream) -> io::Result<Tls> {
        tcp.set_nodelay(true)?;
        let address = tcp.peer_addr()?.ip();
        // A host that no certificate can name is known by its key alone.
        let name = self.place.server_name().unwrap_or(ServerName::IpAddress(address.into()));
        let shaken = timeout(self.patience, self.connector.connect(name, Gulping::new(tcp))).await;
        let mut tls = shaken.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        tls.get_mut().1.set_buffer_limit(Some(WAITING));
        let certificates = tls.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
        let key = certificates.first().and_then(Fingerprint::of);
        let key = key.ok_or_else(|| io::Error::other("the server showed no certificate"))?;
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((show, accept)) = first {
            // Who does not wait for it accepts nothing either.
            let _nobody = show.send(Shown { certificates, address });
            accept.await.map_err(io::Error::other)?;
            self.keys.control.get_or_init(|| key);
        } else if self.keys.control.get() != Some(&key) {
            self.keys.differed.store(true, Ordering::Relaxed);
            return Err(io::Error::other("the data connection shows another key"));
        } else {
            let session = tls.get_ref().1;
            let anew = session.handshake_kind() != Some(HandshakeKind::Resumed)
                && session.protocol_version() == Some(ProtocolVersion::TLSv1_3);
            self.keys.began_anew.fetch_or(anew, Ordering::Relaxed);
        }
        Ok(Tls(tls))
    }
}

/// As `async_trait` has it.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl AsyncTlsConnector for Handshakes {
    type Stream = Tls;

    fn connect<'me, 'name, 'both>(
        &'me self,
        _domain: &'name str,
        stream: TcpStream,
    ) -> Boxed<'both, FtpResult<Tls>>
    where
        'me: 'both,
        'name: 'both,
        Self: 'both,
    {
        Box::pin(
            async move { self.shake(stream).await.map_err(|error| FtpError::SecureError(error.to_string())) },
        )
    }
}
