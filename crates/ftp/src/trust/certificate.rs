//! What a server's certificate says of who it is, if the system's roots vouch for it.

use std::sync::Arc;

use proto::io::tls::provider;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

/// Whether the system's roots vouch for `certificates`, the server's own first, and for `name` in them. Reads all the
/// roots, which is for a thread that may block; a system without any vouches for nobody.
pub(super) fn is_public(certificates: &[CertificateDer<'_>], name: &ServerName<'_>) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    is_vouched_for(roots, certificates, name)
}

fn is_vouched_for(roots: RootCertStore, certificates: &[CertificateDer<'_>], name: &ServerName<'_>) -> bool {
    let Some((own, others)) = certificates.split_first() else { return false };
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    verifier
        .is_ok_and(|verifier| verifier.verify_server_cert(own, others, name, &[], UnixTime::now()).is_ok())
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

    use super::*;

    fn authority() -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    fn vouches(by: &CertifiedIssuer<'static, KeyPair>, chain: &[CertificateDer<'_>], host: &str) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(by.der().clone()).unwrap();
        is_vouched_for(roots, chain, &ServerName::try_from(host).unwrap())
    }

    #[test]
    fn roots_vouch_for_what_they_signed_its_host_and_its_time() {
        let (root, stranger) = (authority(), authority());
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["nas.example".to_owned()]).unwrap();
        let good = params.signed_by(&key, &root).unwrap();
        assert!(vouches(&root, &[good.der().clone()], "nas.example"));
        assert!(!vouches(&root, &[good.der().clone()], "other.example"));
        assert!(!vouches(&stranger, &[good.der().clone()], "nas.example"));
        assert!(!vouches(&root, &[], "nas.example"));

        let mut params = params;
        params.not_after = date_time_ymd(2001, 1, 1);
        let late = params.signed_by(&key, &root).unwrap();
        assert!(!vouches(&root, &[late.der().clone()], "nas.example"));
        let own = CertificateParams::new(["nas.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        assert!(!vouches(&root, &[own.der().clone()], "nas.example"));
    }

    #[test]
    fn without_roots_nobody_is_vouched_for() {
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["nas".to_owned()]).unwrap().self_signed(&key).unwrap();
        let name = ServerName::try_from("nas").unwrap();
        assert!(!is_vouched_for(RootCertStore::empty(), &[own.der().clone()], &name));
    }
}
