//! Who has an account at every test server.

use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name, and that of its home.
    pub name: &'static str,
    /// Its password.
    pub password: &'static str,
    /// What users.toml says of it.
    pub access: &'static str,
    /// What its home may hold, unless the test says otherwise.
    pub quota: Option<&'static str>,
}

/// May do everything.
pub const ALICE: User = User { name: "alice", password: "tulip-7391-alice", access: "write", quota: None };
/// May read.
pub const BOB: User = User { name: "bob", password: "quarz 'und' \"kies\"", access: "read", quota: None };
/// May bring new files, and sees nothing.
pub const CAROL: User = User { name: "carol", password: "pässwörd-carol", access: "drop", quota: None };
/// May do everything within 1 MiB.
pub const QUINN: User =
    User { name: "quinn", password: "narrow-5520-quinn", access: "write", quota: Some("1 MiB") };

/// All of them.
pub const ALL: [User; 4] = [ALICE, BOB, CAROL, QUINN];

/// An argon2id hash at the lowest cost there is, made once: tests log in thousands of times.
pub fn hash(user: User) -> &'static str {
    static HASHES: LazyLock<[String; ALL.len()]> =
        LazyLock::new(|| ALL.map(|user| cheap_hash(user.password)));
    let at = ALL.iter().position(|other| *other == user).unwrap();
    &HASHES[at]
}

/// An argon2id hash at the cost that `ftpd user add` takes.
pub fn dear_hash(password: &str) -> String {
    Argon2::default().hash_password(password.as_bytes()).unwrap().to_string()
}

/// Lines for the top of users.toml: so many users more with this hash, so that a password of nobody costs what it costs.
pub fn more_users(count: u32, hash: &str) -> String {
    let user = |number| format!("[users.user-{number}]\npassword = \"{hash}\"\nhome = \"homes/alice\"\n");
    (0..count).map(user).collect()
}

fn cheap_hash(password: &str) -> String {
    let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    cheap.hash_password(password.as_bytes()).unwrap().to_string()
}
