//! Keys and certificates: made once, never replaced, refused where they are not fit.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{fs, thread};

use tempfile::TempDir;

use super::*;
use crate::config::Config;

/// A configuration in a fresh directory, with these lines in `[native]`.
fn place(native: &str) -> (TempDir, Config) {
    let directory = tempfile::tempdir().unwrap();
    let config = configured(directory.path(), native);
    (directory, config)
}

fn configured(directory: &Path, native: &str) -> Config {
    let text = format!("[native]\nlisten = [\"127.0.0.1:0\"]\n{native}\n");
    Config::parse(&directory.join("users.toml"), &text).unwrap()
}

fn load(config: &Config) -> Result<Identity, Error> {
    Identity::load(config).map(|identity| identity.expect("TLS is on"))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn made_at_the_first_start_and_kept() {
    let (directory, config) = place("");
    let state = directory.path().join("state");
    let first = load(&config).unwrap();
    assert!(first.is_new());
    assert_eq!((mode(&state), mode(&state.join("key.pem"))), (0o700, 0o600));
    assert_eq!(fs::read_dir(&state).unwrap().count(), 2, "nothing is left beside the two");
    let key = fs::read(state.join("key.pem")).unwrap();
    let again = load(&config).unwrap();
    assert!(!again.is_new());
    assert_eq!(again.fingerprint(), first.fingerprint());

    // The certificate alone is made anew for the same key, and nobody notices.
    fs::remove_file(state.join("certificate.pem")).unwrap();
    let renewed = load(&config).unwrap();
    assert_eq!((renewed.fingerprint(), renewed.is_new()), (first.fingerprint(), false));
    assert_eq!(fs::read(state.join("key.pem")).unwrap(), key);
    Tls::new(renewed).unwrap();
}

#[test]
fn a_key_that_is_gone_open_or_damaged_is_told() {
    let (directory, config) = place("");
    let key = directory.path().join("state/key.pem");
    load(&config).unwrap();
    let good = fs::read(&key).unwrap();

    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let told = load(&config).unwrap_err().to_string();
    assert!(told.contains("can be read by everybody (mode 644). run: chmod o= "), "{told}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    load(&config).unwrap();

    for damaged in [&b""[..], b"\xff\0", &good[..good.len() / 2]] {
        fs::write(&key, damaged).unwrap();
        let told = load(&config).unwrap_err().to_string();
        assert!(told.contains("key.pem holds no private key in PEM"), "{told}");
        assert_eq!(fs::read(&key).unwrap(), damaged, "it stays as it is");
    }

    fs::remove_file(&key).unwrap();
    let told = load(&config).unwrap_err().to_string();
    assert!(told.contains("bring the key back from a backup"), "{told}");
    assert!(!key.exists());
}

#[test]
fn own_files_are_served_and_must_belong_together() {
    let (directory, config) = place("");
    let (other, other_config) = place("");
    let (mine, others) = (load(&config).unwrap().fingerprint(), load(&other_config).unwrap());
    for part in ["key", "certificate"] {
        fs::copy(
            other.path().join(format!("state/{part}.pem")),
            directory.path().join(format!("other-{part}.pem")),
        )
        .unwrap();
    }
    let named =
        configured(directory.path(), "certificate = \"other-certificate.pem\"\nkey = \"other-key.pem\"");
    let loaded = load(&named).unwrap();
    assert_eq!(loaded.fingerprint(), others.fingerprint());
    assert_ne!(loaded.fingerprint(), mine);
    let tls = Tls::new(loaded).unwrap();

    let mixed =
        configured(directory.path(), "certificate = \"other-certificate.pem\"\nkey = \"state/key.pem\"");
    let before = tls.current();
    let told = Tls::new(load(&mixed).unwrap()).unwrap_err().to_string();
    assert!(told.contains("name a certificate and the key that it was made for"), "{told}");
    assert!(Arc::ptr_eq(&before, &tls.current()), "the old one stays");
    tls.replace(Tls::new(load(&config).unwrap()).unwrap());
    assert!(!Arc::ptr_eq(&before, &tls.current()));

    let absent = configured(directory.path(), "certificate = \"none.pem\"\nkey = \"state/key.pem\"");
    let told = load(&absent).unwrap_err().to_string();
    assert!(told.contains("none.pem: No such file or directory"), "{told}");
}

#[test]
fn servers_that_start_at_once_are_one() {
    let (_directory, config) = place("");
    let fingerprints: Vec<_> = thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| load(&config).unwrap().fingerprint())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(fingerprints.iter().all(|fingerprint| *fingerprint == fingerprints[0]));
}

#[test]
fn without_tls_nothing_is_made() {
    let (directory, config) = place("tls = false");
    assert!(Identity::load(&config).unwrap().is_none());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
