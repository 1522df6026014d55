//! The server's key and certificate: its owner's, or made at the first start and kept from then on.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use proto::Fingerprint;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error as ThisError;

use crate::config::Config;
use crate::{files, shell};

/// In the state directory: the private key, PKCS #8 in PEM.
const KEY: &str = "key.pem";

/// In the state directory: the certificate, X.509 in PEM.
const CERTIFICATE: &str = "certificate.pem";

/// Who a server is: a private key, and a certificate that says so.
#[derive(Debug)]
pub struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) certificate_file: PathBuf,
    fingerprint: Fingerprint,
    made: bool,
}

/// Why there is no identity.
#[derive(Debug, ThisError)]
pub enum Error {
    /// A file or directory cannot be read or made.
    #[error("{}: {source}. {remedy}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
        /// What may help.
        remedy: &'static str,
    },
    /// A file does not hold what it should.
    #[error("{} holds no {what} in PEM: {source}. {remedy}", path.display())]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// `private key` or `certificate`.
        what: &'static str,
        /// What the reader says.
        source: pem::Error,
        /// What may help.
        remedy: &'static str,
    },
    /// Anybody on the machine can read the private key.
    #[error("{} can be read by everybody (mode {mode:03o}). run: chmod o= {}", path.display(), shell::path(path))]
    Open {
        /// The file of the key.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is a certificate, and its key is gone.
    #[error(
        "{} is there and its key {} is not. bring the key back from a backup; without one, remove the certificate: \
         a new key is made then, and every client is told that the key changed",
        certificate.display(),
        key.display()
    )]
    KeyGone {
        /// What is there.
        certificate: PathBuf,
        /// What is not.
        key: PathBuf,
    },
    /// Key and certificate do not belong together, or are of a kind that TLS cannot use.
    #[error("{} cannot be served: {source}. name a certificate and the key that it was made for", file.display())]
    Unfit {
        /// The certificate.
        file: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The system has no random bytes for the keys of tickets.
    #[error("cannot make keys for TLS tickets: {0}")]
    Tickets(rustls::Error),
    /// A key or certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Making(#[from] rcgen::Error),
}

impl Identity {
    /// What `config` names; where it names nothing, what the state directory has, made when it is empty. `None` if no door
    /// speaks TLS.
    ///
    /// A key that is there is never replaced: clients know the server by it.
    ///
    /// # Errors
    /// What is missing, damaged or open to others, and the remedy.
    pub fn load(config: &Config) -> Result<Option<Identity>, Error> {
        let Some(tls) = &config.tls else { return Ok(None) };
        let identity = match &tls.files {
            Some((certificate, key)) => Identity::read(
                certificate,
                key,
                "name files that are there, as certificate and key in [native]",
            ),
            None => Identity::own(&config.state),
        };
        identity.map(Some)
    }

    /// The same where nothing is to be made: `None` also if the first start will make it.
    ///
    /// # Errors
    /// As [`load`](Identity::load).
    pub fn existing(config: &Config) -> Result<Option<Identity>, Error> {
        let own = config.tls.as_ref().is_some_and(|tls| tls.files.is_none());
        let there = |name| config.state.join(name).exists();
        if own && !there(CERTIFICATE) && !there(KEY) { Ok(None) } else { Identity::load(config) }
    }

    /// What clients know the server by.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Whether the key was made just now.
    pub fn is_new(&self) -> bool {
        self.made
    }

    /// The key and certificate in `state`, made if missing; of two servers at once, one waits for the other.
    fn own(state: &Path) -> Result<Identity, Error> {
        let (key, certificate) = (state.join(KEY), state.join(CERTIFICATE));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(state);
        made.map_err(failed(state, "make it, or name another as state"))?;
        let locked = File::open(state).and_then(|directory| directory.lock().map(|()| directory));
        let directory = locked.map_err(failed(state, YOURS))?;
        let is_new = !key.exists();
        if is_new {
            if certificate.exists() {
                return Err(Error::KeyGone { certificate, key });
            }
            place(&directory, &key, KeyPair::generate()?.serialize_pem().as_bytes())?;
        }
        if !certificate.exists() {
            let pem = files::read(&key).map_err(failed(&key, YOURS))?;
            let key = KeyPair::from_pem(&String::from_utf8_lossy(&pem))?;
            place(&directory, &certificate, self_signed(&key)?.as_bytes())?;
        }
        Ok(Identity { made: is_new, ..Identity::read(&certificate, &key, YOURS)? })
    }

    fn read(certificate: &Path, key: &Path, remedy: &'static str) -> Result<Identity, Error> {
        let open = |path: &Path| files::open(path).map_err(failed(path, remedy));
        let damaged = |path: &Path, what| {
            let path = path.to_owned();
            move |source| Error::Damaged { path, what, source, remedy: "bring it back from a backup" }
        };
        let key_file = open(key)?;
        let mode = key_file.metadata().map_err(failed(key, remedy))?.mode() & 0o777;
        if mode & 0o007 != 0 {
            return Err(Error::Open { path: key.to_owned(), mode });
        }
        let private = PrivateKeyDer::from_pem_reader(key_file).map_err(damaged(key, "private key"))?;
        let chain = CertificateDer::pem_reader_iter(open(certificate)?).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(damaged(certificate, "certificate"))?;
        let none = || damaged(certificate, "certificate")(pem::Error::NoItemsFound);
        let fingerprint = chain.first().and_then(Fingerprint::of).ok_or_else(none)?;
        Ok(Identity {
            chain,
            key: private,
            certificate_file: certificate.to_owned(),
            fingerprint,
            made: false,
        })
    }
}

const YOURS: &str = "it must be readable for the user that runs ftpd";

fn failed(path: &Path, remedy: &'static str) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path, source, remedy }
}

/// A certificate that a key gives itself. Clients know the server by the key, and nothing else in it matters to them.
fn self_signed(key: &KeyPair) -> Result<String, Error> {
    let mut params = CertificateParams::new(["localhost".to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "ftpd");
    Ok(params.self_signed(key)?.pem())
}

/// Puts a new file in its place in the locked `directory`, whole and on disk, for its owner alone.
fn place(directory: &File, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let staged = path.with_extension("pem.new"); // what a crash left of one goes
    let placed = (|| {
        match fs::remove_file(&staged) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&staged, path)?;
        directory.sync_all()
    })();
    placed.map_err(failed(path, "make its directory writable for the user that runs ftpd"))
}
