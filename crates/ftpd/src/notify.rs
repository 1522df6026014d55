//! Telling systemd how the server is doing (sd_notify(3)): a datagram to the socket that `NOTIFY_SOCKET` names.
//!
//! The crates for this connect anew for each message. Here the socket is connected before the second wall stands, which keeps
//! the process from any abstract socket that it did not have.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tracing::warn;

/// A supervisor that does not listen must not keep the server.
const PATIENCE: Duration = Duration::from_secs(1);

/// The line to the supervisor; without one, nobody is told.
#[derive(Debug, Default)]
pub(crate) struct Notify(Option<(UnixDatagram, OsString)>);

impl Notify {
    /// Connects to the supervisor, if this process has one.
    pub(crate) fn from_environment() -> Notify {
        let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Notify::default();
        };
        let connect = || {
            let socket = UnixDatagram::unbound()?;
            socket.set_write_timeout(Some(PATIENCE))?;
            socket.connect_addr(&address(&name)?)?;
            Ok::<_, io::Error>(socket)
        };
        match connect() {
            Ok(socket) => Notify(Some((socket, name))),
            Err(error) => {
                warn!(%error, "nobody can be told that the server is ready: NOTIFY_SOCKET does not answer");
                Notify::default()
            }
        }
    }

    /// It is not there yet, and will have more to say within `patience`.
    pub(crate) fn starting(&self, status: &str, patience: Duration) {
        self.tell(&format!("EXTEND_TIMEOUT_USEC={}\nSTATUS={}", patience.as_micros(), one_line(status)));
    }

    /// It serves, and how.
    pub(crate) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={}", one_line(status)));
    }

    /// It begins to reload; [`ready`](Notify::ready) follows.
    pub(crate) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let microseconds = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000);
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}\nSTATUS=reloading"));
    }

    /// It ends.
    pub(crate) fn stopping(&self, status: &str) {
        self.tell(&format!("STOPPING=1\nSTATUS={}", one_line(status)));
    }

    fn tell(&self, state: &str) {
        let Some((socket, name)) = &self.0 else { return };
        // A supervisor that was started again has another socket under the same name.
        let again = || socket.connect_addr(&address(name)?).and_then(|()| socket.send(state.as_bytes()));
        if let Err(error) = socket.send(state.as_bytes()).or_else(|_| again()) {
            warn!(%error, "the supervisor could not be told");
        }
    }
}

/// A path, or after an `@` a name in the abstract namespace (unix(7)).
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(name),
    }
}

fn one_line(status: &str) -> String {
    status.replace('\n', " ")
}
