//! proftpd and pure-ftpd, as `tests/peers` unpacks them: started for one connection, they serve a home as a user of the system.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use super::GUEST;
use super::servers::Tls;

/// Who has the account at pure-ftpd, for which `ftp` needs no password.
pub(super) const NAMED: &str = "named";

/// As whom they serve: pure-ftpd serves nothing as root.
const NOBODY: u32 = 65534;

/// What is to be served by them in `directory`, which has a home.
fn prepare(directory: &Path) {
    assert!(
        geteuid().is_root(),
        "proftpd and pure-ftpd change their user: run the tests as root, in a container for example"
    );
    fs::set_permissions(directory, fs::Permissions::from_mode(0o711)).unwrap();
    chown(directory.join("home"), Some(NOBODY), Some(NOBODY)).unwrap();
}

/// Gives what lies in `place` to its owner, as whom a home is served.
pub(super) fn hand_over(place: &Path) {
    let owner = fs::metadata(place).unwrap();
    for entry in fs::read_dir(place).unwrap() {
        let entry = entry.unwrap().path();
        chown(&entry, Some(owner.uid()), Some(owner.gid())).unwrap();
        if entry.is_dir() {
            hand_over(&entry);
        }
    }
}

/// One of them, or what belongs to them.
fn unpacked(path: &str) -> PathBuf {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers").join(path);
    found.canonicalize().unwrap_or_else(|_| panic!("there is no {}: tests/run gets it", found.display()))
}

/// A command that finds the shared libraries that were unpacked with it.
fn with_libraries(mut command: Command) -> Command {
    let libraries = fs::read_dir(unpacked("usr/lib")).unwrap().map(|entry| entry.unwrap().path());
    command.env("LD_LIBRARY_PATH", std::env::join_paths(libraries).unwrap());
    command
}

/// The password of [`GUEST`] as `crypt` has it.
fn hash() -> String {
    let made = Command::new("openssl").args(["passwd", "-6", GUEST.password]).output().unwrap();
    assert!(made.status.success());
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

fn write_secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// proftpd for one connection. Of what it can be told about TLS it hears that it is needed, and what `lines` say.
pub(super) fn proftpd(directory: &Path, tls: Tls, lines: &str) -> Command {
    prepare(directory);
    let path = |name: &str| directory.join(name);
    let (home, hash) = (path("home"), hash());
    let account = |name: &str| format!("{name}:{hash}:{NOBODY}:{NOBODY}::{}:/bin/false\n", home.display());
    write_secret(&path("accounts"), &(account(GUEST.name) + &account("nameless")));
    let encrypted = match tls {
        Tls::No => String::new(),
        Tls::Explicit | Tls::Implicit => format!(
            "LoadModule mod_tls.c\nTLSEngine on\nTLSRequired on\nTLSLog {}\nTLSECCertificateFile {}\n\
             TLSECCertificateKeyFile {}\n{}",
            path("tls-log").display(),
            path("certificate").display(),
            path("key").display(),
            if tls == Tls::Implicit { "TLSOptions UseImplicitSSL\n" } else { "" },
        ),
    };
    let configuration = format!(
        "ModulePath {}\nServerType inetd\nServerName peer\nUser nobody\nGroup nogroup\nUseIPv6 off\n\
         PidFile {}\nScoreboardFile {}\nDelayTable none\nSystemLog {}\nTransferLog none\nWtmpLog off\n\
         UseReverseDNS off\nAuthOrder mod_auth_file.c\nAuthUserFile {}\nRequireValidShell off\n\
         DefaultRoot ~\nAllowOverwrite on\nUmask 022\n{encrypted}{lines}\
         <Anonymous {}>\nUser nameless\nGroup nogroup\nUserAlias anonymous nameless\nRequireValidShell off\n\
         </Anonymous>\n",
        unpacked("usr/lib/proftpd").display(),
        path("pid").display(),
        path("scoreboard").display(),
        path("log").display(),
        path("accounts").display(),
        home.display(),
    );
    fs::write(path("configuration"), configuration).unwrap();
    let mut command = with_libraries(Command::new(unpacked("usr/sbin/proftpd")));
    command.arg("-c").arg(path("configuration"));
    command
}

/// pure-ftpd for one connection.
pub(super) fn pure_ftpd(directory: &Path, tls: Tls) -> Command {
    assert_ne!(tls, Tls::Implicit, "pure-ftpd begins in the clear");
    prepare(directory);
    let path = |name: &str| directory.join(name);
    let home = path("home");
    let account = format!("{NAMED}:{}:{NOBODY}:{NOBODY}::{}/./::::::::::::\n", hash(), home.display());
    write_secret(&path("accounts"), &account);
    let made = with_libraries(Command::new(unpacked("usr/bin/pure-pw")))
        .arg("mkdb")
        .arg(path("database"))
        .arg("-f")
        .arg(path("accounts"))
        .status();
    assert!(made.unwrap().success());
    // Who has no name is served the home of the user `ftp`, and who is there is written below /var/run: both are in a place of
    // their own here.
    let place = "mount --bind \"$1\" ~ftp && mount -t tmpfs none /var/run && shift && exec \"$@\"";
    let mut command = with_libraries(Command::new("unshare"));
    command
        .args(["-m", "sh", "-c", place, "sh"])
        .arg(home)
        .arg(unpacked("usr/sbin/pure-ftpd"))
        .args(["-H", "-u", "1"]);
    command.arg("-l").arg(format!("puredb:{}", path("database").display()));
    command.arg("-g").arg(path("pid"));
    if tls == Tls::Explicit {
        let pair = format!("{},{}", path("certificate").display(), path("key").display());
        command.args(["-Y", "3", "-2", &pair]);
    }
    command
}
