//! TLS 1.3 around the wire (RFC 8446): which ciphers, which ALPN name, and how each side knows a peer that speaks without.

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{
    AlertDescription, ClientConfig, ConfigBuilder, InvalidMessage, PeerMisbehaved, ServerConfig,
    SupportedProtocolVersion, WantsVerifier,
};
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::Stream;
use super::gulp::Gulping;
use super::possession::Possession;
use crate::{MAGIC, REFUSAL};

/// The protocol's name in the handshake (RFC 7301).
pub const ALPN: &[u8] = b"ftpd/1";

/// Bytes of ciphertext that may wait to be sent: as many blocks as are written in one go.
pub const WAITING: usize = 512 * 1024;

static VERSIONS: [&SupportedProtocolVersion; 1] = [&TLS13];

/// Why there is no TLS with a peer.
#[derive(Debug, Error)]
pub enum Handshake {
    /// It speaks the wire, or anything else, without TLS.
    #[error("the peer speaks without TLS")]
    Plain,
    /// It speaks TLS, and something else than `ftpd/1` in it (RFC 7301).
    #[error("the peer speaks TLS, but not ftpd/1 in it")]
    Alpn,
    /// The two could not agree, or the connection broke.
    #[error("TLS: {0}")]
    Tls(#[from] io::Error),
}

/// The cryptography of both sides: AWS-LC, AES-128-GCM before its slower and no safer kin.
pub fn provider() -> Arc<CryptoProvider> {
    use aws_lc_rs::cipher_suite::{
        TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
    };
    let cipher_suites =
        vec![TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256];
    Arc::new(CryptoProvider { cipher_suites, ..aws_lc_rs::default_provider() })
}

/// A server's configuration up to its certificate; [`accept`] wants [`ALPN`] in it.
pub fn server_config() -> ConfigBuilder<ServerConfig, WantsVerifier> {
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&VERSIONS)
        .expect("the provider knows the ciphers of TLS 1.3")
}

/// A client's configuration, for [`connect`]: a server proves that it holds the key that it shows, on each connection anew.
/// Whether that is the right key is to be judged by whoever connects.
pub fn client_config() -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&VERSIONS)
        .expect("the provider knows the ciphers of TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(possession())
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    config
}

/// What has a server prove that it holds the key in its certificate, and nothing else: for TLS without [`ALPN`], by whoever judges
/// the key.
pub fn possession() -> Arc<dyn ServerCertVerifier> {
    Arc::new(Possession::default())
}

/// Whether a client that should begin TLS begins with the wire's preamble. What it says stays unread, for an answer in its own
/// way.
pub async fn is_plain(tcp: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(tcp.peek(&mut first).await? == 1 && first[0] == MAGIC[0])
}

/// Takes a client's handshake.
///
/// # Errors
/// [`Handshake::Alpn`] of a client that names no protocol; one that names others ends in an alert.
pub async fn accept(tcp: TcpStream, config: Arc<ServerConfig>) -> Result<Stream, Handshake> {
    let mut tls = TlsAcceptor::from(config).accept(Gulping::new(tcp)).await?;
    if tls.get_ref().1.alpn_protocol() != Some(ALPN) {
        tls.write_all(REFUSAL).await?;
        tls.shutdown().await?;
        return Err(Handshake::Alpn);
    }
    tls.get_mut().1.set_buffer_limit(Some(WAITING));
    Ok(Stream::Tls(Box::new(tls.into())))
}

/// Makes a handshake with a server, and says with which certificates it proved itself: its own comes first, and there is one.
/// Whether that is to be trusted is for the caller, before anything is said on the stream.
///
/// # Errors
/// [`Handshake::Plain`] of a server that answers without TLS.
pub async fn connect(
    tcp: TcpStream,
    config: Arc<ClientConfig>,
    server: ServerName<'static>,
) -> Result<(Stream, Vec<CertificateDer<'static>>), Handshake> {
    let mut tls = TlsConnector::from(config).connect(server, Gulping::new(tcp)).await.map_err(told)?;
    let session = &mut tls.get_mut().1;
    if session.alpn_protocol() != Some(ALPN) {
        return Err(Handshake::Alpn);
    }
    session.set_buffer_limit(Some(WAITING));
    let certificates = session.peer_certificates().filter(|shown| !shown.is_empty()).map(<[_]>::to_vec);
    let certificates = certificates.ok_or_else(|| io::Error::other("the server showed no certificate"))?;
    Ok((Stream::Tls(Box::new(tls.into())), certificates))
}

/// What a failed handshake says of the server.
fn told(error: io::Error) -> Handshake {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => Handshake::Plain,
        Some(
            rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)
            | rustls::Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedApplicationProtocol),
        ) => Handshake::Alpn,
        _ => Handshake::Tls(error),
    }
}
