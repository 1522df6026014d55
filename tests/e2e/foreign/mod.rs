//! `ftp` at classic servers: vsftpd, proftpd, pure-ftpd and pyftpdlib, plain and under TLS, our own, and made-up ones that lie.

mod keys;
mod liars;
mod peers;
mod prompt;
mod scripted;
mod servers;
mod verbs;

use std::path::Path;

use e2e::{Client, User};

/// Who has an account at the servers of these tests. vsftpd takes this name for a guest, who needs a password all the same.
const GUEST: User = User { name: "ftp", password: "rhubarb-4410-ftp", access: "write", quota: None };

/// A client of `url`, with the password of [`GUEST`], in `directory`.
fn client(url: impl Into<String>, directory: &Path) -> Client {
    Client::new(GUEST, "nowhere", directory).tls(true).target(url)
}
