//! Keys and certificates that a test makes: a server's own, one that an authority signed, one whose key is another's.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use proto::Fingerprint;
use proto::io::tls::{provider, server_config};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

/// What a server proves itself with.
#[derive(Debug)]
pub struct Identity {
    key: KeyPair,
    chain: Vec<Certificate>,
}

/// Who signs certificates.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Identity {
    /// A key with a certificate by itself, for `host`.
    pub fn own(host: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params(host).self_signed(&key).unwrap();
        Identity { key, chain: vec![certificate] }
    }

    /// The certificate of this one, and a key that does not fit it.
    pub fn without_its_key(&self) -> Identity {
        Identity { key: KeyPair::generate().unwrap(), chain: self.chain.clone() }
    }

    /// What its key is known by.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.chain[0].der()).unwrap()
    }

    /// Writes certificate and key where ftpd can be told to find them.
    pub fn write(&self, certificate: &Path, key: &Path) {
        fs::write(certificate, self.chain.iter().map(Certificate::pem).collect::<String>()).unwrap();
        fs::write(key, self.key.serialize_pem()).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(key, mode).unwrap();
    }

    /// How a server speaks with it, and offers `protocols` (RFC 7301).
    pub(crate) fn config(&self, protocols: &[&[u8]]) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let key = provider().key_provider.load_private_key(key).unwrap();
        let chain: Vec<CertificateDer<'static>> = self.chain.iter().map(|one| one.der().clone()).collect();
        let certified = SingleCertAndKey::from(CertifiedKey::new(chain, key)); // whether the two fit is for the client to see
        let mut config = server_config().with_no_client_auth().with_cert_resolver(Arc::new(certified));
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    }
}

impl Authority {
    /// One that nobody knows yet.
    pub fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// An identity for `host`, signed by this authority; one that is `expired` was valid long ago.
    pub fn sign(&self, host: &str, expired: bool) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = params(host);
        if expired {
            params.not_after = date_time_ymd(2001, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity { key, chain: vec![certificate] }
    }

    /// Writes its certificate into a file of roots, as `SSL_CERT_FILE` names one.
    pub fn write(&self, roots: &Path) {
        fs::write(roots, self.0.pem()).unwrap();
    }
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).unwrap()
}
