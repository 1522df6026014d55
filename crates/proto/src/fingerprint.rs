//! What a server's key is known by.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use rustls::pki_types::CertificateDer;
use thiserror::Error;

/// How one is shown, before the hash.
const PREFIX: &str = "SHA256:";

/// How curl's `--pinnedpubkey` wants it.
const CURL: &str = "sha256//";

/// SHA-256 of a certificate's SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7): it stays when a certificate is renewed with
/// the same key. Shown as `SHA256:` and 32 bytes of base64; what follows the prefix is what curl takes as
/// `--pinnedpubkey sha256//…` (RFC 7469, section 2.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "it is not a fingerprint: SHA256: and 44 characters of base64, as the server prints it when it starts"
)]
pub struct NotAFingerprint;

impl Fingerprint {
    /// That of the key in a certificate; `None` if it cannot be read.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Fingerprint> {
        let read = webpki::EndEntityCert::try_from(certificate).ok()?;
        let hash = digest(&SHA256, &read.subject_public_key_info());
        Some(Fingerprint(hash.as_ref().try_into().ok()?))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    /// Reads it as it is shown, or as curl takes it; the padding may be missing.
    fn from_str(text: &str) -> Result<Fingerprint, NotAFingerprint> {
        let hash = text.strip_prefix(PREFIX).or_else(|| text.strip_prefix(CURL)).ok_or(NotAFingerprint)?;
        let bytes = STANDARD_NO_PAD.decode(hash.trim_end_matches('=')).map_err(|_| NotAFingerprint)?;
        bytes.try_into().map(Fingerprint).map_err(|_| NotAFingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_shows_and_what_curl_takes() {
        let fingerprint = Fingerprint(std::array::from_fn(|at| at as u8));
        let shown = fingerprint.to_string();
        assert_eq!(shown, "SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let unpadded = shown.trim_end_matches('=');
        for text in [&shown, unpadded, &shown.replace("SHA256:", "sha256//")] {
            assert_eq!(text.parse(), Ok(fingerprint), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in
            ["", "SHA256:", "SHA256:AAEC", "md5:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "SHA256:*"]
        {
            assert_eq!(text.parse::<Fingerprint>(), Err(NotAFingerprint), "{text}");
        }
    }

    #[test]
    fn it_is_of_the_key_and_not_of_the_certificate() {
        let key = rcgen::KeyPair::generate().unwrap();
        let of = |name: &str, key: &rcgen::KeyPair| {
            let certificate =
                rcgen::CertificateParams::new([name.to_owned()]).unwrap().self_signed(key).unwrap();
            Fingerprint::of(certificate.der()).unwrap()
        };
        assert_eq!(of("a", &key), of("b", &key));
        assert_ne!(of("a", &key), of("a", &rcgen::KeyPair::generate().unwrap()));
        assert_eq!(Fingerprint::of(&CertificateDer::from(vec![0x30, 0])), None);
    }
}
