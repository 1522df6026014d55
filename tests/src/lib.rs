//! The harness of the end-to-end tests, the campaigns and the demo: real programs, real sockets, real files.
//!
//! A [`Server`] is a real `ftpd` on a fresh directory and a free port; a [`Client`] is one run of the real `ftp`:
//!
//! ```no_run
//! use e2e::{ALICE, BOB, Server};
//!
//! let mut server = Server::start(); // waits for its log line, not for a time
//! server.write("alice/hello", b"hi\n"); // in a home: server.home(ALICE), server.write, server.read
//! server.ftp(&["get", "hello"]).ok().told("verified md5"); // as alice, in server.work()
//! server.client(BOB).option("--quiet").args(["put", "hello"]).run().fails(7);
//!
//! let put = server.client(ALICE).args(["put", "big"]).spawn(); // a run that can be killed
//! server.log().wait_for("listening"); // an event of the server, however long it takes
//! put.kill();
//! server.kill(); // SIGKILL; server.terminate() is SIGTERM
//! server.restart(); // same directory, same address; then server.log().wait_for("homes swept")
//! assert_eq!(e2e::stages(server.homes()), Vec::<std::path::PathBuf>::new());
//! ```
//!
//! - [`Server::builder`] sets limits, quotas, environment, or a mount that only that server sees.
//! - [`Raw`] speaks the wire by hand, [`Fake`] is a server that may lie, [`FakeTls`] one with an [`Identity`], [`Way`] is a wire that breaks or stops where you say.
//! - [`Tool`] is a program of somebody else, such as a client of the classic door; [`Builder::classic`] opens that.
//! - [`Terminal`] runs a program as a person would; [`Watch`] waits for stages to come and go.
//! - [`Chance`] is random and can be repeated; [`memory`] is what a process has.
//! - [`peers`] is what `cargo peers` does: ours beside programs of others, measured.
//! - [`bytes`], [`snapshot`], [`stages`] make contents and compare what lies on the disk.
//!
//! When a server is dropped it is ended with SIGTERM, and its log is held against what no log may contain: panics, control
//! characters, passwords. Whatever waits gives up after [`DEADLINE`], which is a guard against hanging and no measure.

#![allow(clippy::unwrap_used, reason = "in a test, whatever goes wrong ends it")]

mod chance;
mod client;
mod control;
mod cutting;
mod dial;
mod fake;
mod files;
mod identity;
mod line;
mod log;
pub mod peers;
mod process;
mod programs;
mod raw;
mod server;
mod terminal;
mod tool;
mod users;
mod watch;
mod way;

use std::time::Duration;

pub use chance::Chance;
pub use client::{Client, Ran, Running};
pub use control::Control;
pub use cutting::Cutting;
pub use dial::{dial, own_address};
pub use fake::{Fake, FakeTls, Peer, Shaken};
pub use files::{Seen, bytes, md5, root, snapshot, stages};
pub use identity::{Authority, Identity};
pub use log::Log;
pub use process::{bytes_read, descriptors, forget_peak, memory};
pub use programs::{build_in, ftp, ftpd};
pub use raw::{Heard, Raw, data_frame, end, frame};
pub use server::{Builder, Server, outside_address};
pub use terminal::Terminal;
pub use tool::Tool;
pub use users::{ALICE, ALL, BOB, CAROL, QUINN, User, dear_hash, hash, more_users};
pub use watch::{Watch, is_kept};
pub use way::Way;

/// After this, something that is waited for will not come any more.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Reads once; a signal that comes meanwhile (EINTR) is no answer.
pub(crate) fn read_once(from: &mut impl std::io::Read, into: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match from.read(into) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
