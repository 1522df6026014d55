//! vsftpd, proftpd, pure-ftpd, pyftpdlib, and our own by its classic door, each on an address of its own, with a fresh home.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use e2e::{Client, Identity, Log};
use tempfile::TempDir;

use super::{GUEST, peers};

/// How a server begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    /// It knows none.
    No,
    /// It begins when asked (RFC 4217).
    Explicit,
    /// It is there from the first byte on.
    Implicit,
}

/// A server of classic FTP.
pub(super) struct Foreign {
    directory: TempDir,
    tls: Tls,
    address: SocketAddr,
    /// Who has an account there.
    user: &'static str,
    /// What it is known by under TLS.
    pub(super) identity: Identity,
    running: Running,
}

/// What ends with the test.
enum Running {
    Process(Child),
    /// Takes connections, and starts a process for each.
    Thread(Arc<AtomicBool>, Option<JoinHandle<()>>),
}

/// The loopback address.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Foreign {
    /// vsftpd, one for each connection, as inetd starts it.
    pub(super) fn vsftpd(tls: Tls) -> Foreign {
        Foreign::vsftpd_at(HERE, tls, "")
    }

    /// The same at another address, with more lines in its configuration.
    pub(super) fn vsftpd_at(ip: IpAddr, tls: Tls, lines: &str) -> Foreign {
        let (directory, identity) = prepare();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("passwords"), format!("{}\nanonymous@\n", GUEST.password)).unwrap();
        fs::create_dir(path("empty")).unwrap();
        let encrypted = match tls {
            Tls::No => String::new(),
            Tls::Explicit | Tls::Implicit => format!(
                "ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n\
                 require_ssl_reuse=YES\nssl_ciphers=HIGH\nimplicit_ssl={}\nrsa_cert_file={}\nrsa_private_key_file={}\n",
                if tls == Tls::Implicit { "YES" } else { "NO" },
                path("certificate").display(),
                path("key").display(),
            ),
        };
        let configuration = format!(
            "listen=NO\nrun_as_launching_user=YES\nseccomp_sandbox=NO\nallow_writeable_chroot=YES\n\
             anonymous_enable=YES\nanon_root={}\nsecure_email_list_enable=YES\nemail_password_file={}\n\
             write_enable=YES\nanon_upload_enable=YES\nanon_mkdir_write_enable=YES\nanon_other_write_enable=YES\n\
             anon_world_readable_only=NO\nanon_umask=022\ndeny_file={{secret*}}\nsecure_chroot_dir={}\n\
             xferlog_enable=YES\ndual_log_enable=YES\nlog_ftp_protocol=YES\nvsftpd_log_file={}\nxferlog_file={}\n\
             {encrypted}{lines}",
            path("home").display(),
            path("passwords").display(),
            path("empty").display(),
            path("log").display(),
            path("transfers").display(),
        );
        fs::write(path("configuration"), configuration).unwrap();
        let mut command = Command::new("/usr/sbin/vsftpd");
        command.arg(path("configuration"));
        Foreign::per_connection(ip, tls, directory, identity, command)
    }

    /// proftpd, one for each connection, with the options that it has if it is told none.
    pub(super) fn proftpd(tls: Tls) -> Foreign {
        Foreign::proftpd_with(tls, "")
    }

    /// The same with more lines in its configuration.
    pub(super) fn proftpd_with(tls: Tls, lines: &str) -> Foreign {
        let (directory, identity) = prepare();
        let command = peers::proftpd(directory.path(), tls, lines);
        Foreign::per_connection(HERE, tls, directory, identity, command)
    }

    /// pure-ftpd, one for each connection.
    pub(super) fn pure_ftpd(tls: Tls) -> Foreign {
        let (directory, identity) = prepare();
        let command = peers::pure_ftpd(directory.path(), tls);
        let mut foreign = Foreign::per_connection(HERE, tls, directory, identity, command);
        foreign.user = peers::NAMED;
        foreign
    }

    /// A server of which `command` is started for each connection, which is its input and output.
    fn per_connection(
        ip: IpAddr,
        tls: Tls,
        directory: TempDir,
        identity: Identity,
        command: Command,
    ) -> Foreign {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        let thread = thread::spawn(move || serve(&listener, command, &until));
        Foreign {
            directory,
            tls,
            address,
            user: GUEST.name,
            identity,
            running: Running::Thread(ended, Some(thread)),
        }
    }

    /// pyftpdlib; `words` are options of `server.py`.
    pub(super) fn pyftpdlib(tls: Tls, words: &[&str]) -> Foreign {
        assert_ne!(tls, Tls::Implicit, "pyftpdlib begins in the clear");
        let (directory, identity) = prepare();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/foreign/server.py");
        // The one of the system, which has the system's packages.
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(directory.path())
            .args([GUEST.name, GUEST.password])
            .args((tls == Tls::Explicit).then_some("tls"))
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let port =
            port.trim().parse().expect("pyftpdlib starts; it needs python3-pyftpdlib and python3-openssl");
        let address = (HERE, port).into();
        Foreign { directory, tls, address, user: GUEST.name, identity, running: Running::Process(child) }
    }

    /// Our own, by its classic door.
    pub(super) fn ftpd() -> Foreign {
        let (directory, identity) = prepare();
        let hash = e2e::dear_hash(GUEST.password);
        let users = format!(
            "[classic]\nlisten = [\"127.0.0.1:0\"]\n[users.{}]\npassword = \"{hash}\"\nhome = \"home\"\n\
             access = \"write\"\n[users.anonymous]\nhome = \"home\"\naccess = \"read\"\n",
            GUEST.name
        );
        fs::write(directory.path().join("users.toml"), users).unwrap();
        let mut child = Command::new(e2e::ftpd())
            .arg("--config")
            .arg(directory.path().join("users.toml"))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Log::default();
        log.follow(child.stderr.take().unwrap());
        let line = log.wait_for("listening address=");
        let address = line.split("address=").nth(1).unwrap().trim().parse().unwrap();
        let (tls, user) = (Tls::Explicit, GUEST.name);
        Foreign { directory, tls, address, user, identity, running: Running::Process(child) }
    }

    /// Puts something called `secret` there that nobody may read.
    pub(super) fn forbid(&self) {
        match self.running {
            // Its names are those of a home, out of which no link leads.
            Running::Process(_) if self.directory.path().join("users.toml").exists() => {
                symlink("/etc/hostname", self.home().join("secret")).unwrap();
            }
            _ => {
                let secret = self.home().join("secret");
                fs::write(&secret, "x").unwrap();
                fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
            }
        }
    }

    /// Gives what a test has laid into the home to the user as whom it is served.
    pub(super) fn hand_over(&self) {
        peers::hand_over(&self.home());
    }

    pub(super) fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// Where its clients start.
    pub(super) fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    /// What its clients know of servers.
    pub(super) fn known_hosts(&self) -> PathBuf {
        self.work().join(".local/share/ftp/known_hosts")
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often a vsftpd heard a command.
    pub(super) fn heard(&self, command: &str) -> usize {
        let heard = format!(", \"{command}");
        let log = self.log();
        log.lines().filter(|line| line.contains(" FTP command: ") && line.contains(&heard)).count()
    }

    /// What a vsftpd heard and said, as it logs it.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// A client that logs in by name.
    pub(super) fn client(&self) -> Client {
        self.client_at("")
    }

    /// The same, that begins at `path`.
    pub(super) fn client_at(&self, path: &str) -> Client {
        self.client_as(&format!("{}@", self.user), path)
    }

    /// A client of `USER@` at `path`.
    pub(super) fn client_as(&self, user: &str, path: &str) -> Client {
        let scheme = if self.tls == Tls::Implicit { "ftps" } else { "ftp" };
        super::client(format!("{scheme}://{user}{}{path}", self.address), &self.work())
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        match &mut self.running {
            Running::Process(child) => drop((child.kill(), child.wait())),
            Running::Thread(ended, thread) => {
                ended.store(true, Ordering::Release);
                drop(TcpStream::connect(self.address)); // so that it looks
                drop(thread.take().map(JoinHandle::join));
            }
        }
    }
}

fn prepare() -> (TempDir, Identity) {
    let directory = tempfile::tempdir().unwrap();
    for name in ["home", "work"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    let identity = Identity::own("localhost");
    identity.write(&directory.path().join("certificate"), &directory.path().join("key"));
    let other = Identity::own("localhost");
    other.write(&directory.path().join("other-certificate"), &directory.path().join("other-key"));
    (directory, identity)
}

fn serve(listener: &TcpListener, mut command: Command, ended: &AtomicBool) {
    let mut children = Vec::new();
    for connection in listener.incoming() {
        if ended.load(Ordering::Acquire) {
            break;
        }
        let connection = OwnedFd::from(connection.unwrap());
        let child = command
            .stdin(connection.try_clone().unwrap())
            .stdout(connection.try_clone().unwrap())
            .stderr(connection)
            .spawn()
            .expect("the server is there: tests/run gets it");
        children.push(child);
    }
    for mut child in children {
        drop((child.kill(), child.wait()));
    }
}
