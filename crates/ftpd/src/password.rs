//! Passwords: argon2id hashes in PHC strings, made and verified. Each call takes tens of milliseconds and 19 MiB by
//! default, so the caller bounds how many run at once, and runs them where blocking is allowed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// The longest password that is hashed or verified, in bytes.
pub const MAX_LEN: usize = 1024;

/// The cost of a new hash, as a PHC string tells it.
const COST: &str = "$argon2id$v=19$m=19456,t=2,p=1";

/// Salt and output of nobody's password: no input is known whose hash is 32 zero bytes.
const NOBODY: &str = "$bm8gc3VjaCB1c2VyIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A checked argon2id PHC string whose cost is within bounds; hidden from `Debug`, wiped when dropped.
#[derive(Clone, Debug)]
pub struct Hash(SecretString);

/// Why a text is no [`struct@Hash`]; says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Flaw {
    /// It does not begin as a PHC string does: most likely the password itself.
    #[error("is not a hash but plain text")]
    Plain,
    /// It is a hash, but of another kind: bcrypt, argon2i, …
    #[error("is not an argon2id hash")]
    NotArgon2id,
    /// It begins as an argon2id hash, and then is not one.
    #[error("is a damaged argon2id hash")]
    Damaged,
    /// It would cost too much to verify.
    #[error("is a hash that takes more than 1 GiB of memory, 100 passes or 16 lanes to verify")]
    Absurd,
}

impl Hash {
    /// Checks a PHC string.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Hash, Flaw> {
        let algorithm = text.strip_prefix('$').ok_or(Flaw::Plain)?;
        if !algorithm.starts_with("argon2id$") {
            return Err(Flaw::NotArgon2id);
        }
        let hash = PasswordHash::new(text).map_err(|_| Flaw::Damaged)?;
        let params = Params::try_from(&hash).map_err(|_| Flaw::Damaged)?;
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from);
        if version.is_err() || hash.salt.is_none() || hash.hash.is_none() {
            return Err(Flaw::Damaged);
        }
        if params.m_cost() > 1024 * 1024 || params.t_cost() > 100 || params.p_cost() > 16 {
            return Err(Flaw::Absurd);
        }
        Ok(Hash(text.into()))
    }

    /// Whether it is the same: of the same password with the same salt. Neither side is a secret to whoever asks.
    pub fn is(&self, other: &Hash) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }

    /// A hash of nobody's password, at the cost of a new one.
    pub fn dummy() -> &'static Hash {
        static HASH: LazyLock<Hash> = LazyLock::new(|| Hash::nobody([]));
        &HASH
    }

    /// A hash of nobody's password, at the cost that most of `known` have: verified against it, an unknown user's password
    /// takes as long as a known one's.
    pub fn nobody<'a>(known: impl IntoIterator<Item = &'a Hash>) -> Hash {
        let mut costs = BTreeMap::<&str, usize>::new();
        for hash in known {
            *costs.entry(hash.cost()).or_default() += 1;
        }
        let cost = costs.into_iter().max_by_key(|(_, users)| *users).map_or(COST, |(cost, _)| cost);
        Hash(format!("{cost}{NOBODY}").into())
    }

    /// The part before salt and output.
    fn cost(&self) -> &str {
        let text = self.0.expose_secret();
        text.rsplitn(3, '$').last().unwrap_or(text)
    }
}

/// Hashes a password under a fresh salt, at the crate's default cost (19 MiB, 2 passes, 1 lane), as a PHC string.
pub fn hash(password: &SecretString) -> String {
    let hash = Argon2::default().hash_password(password.expose_secret().as_bytes());
    hash.expect("the cost is constant, and the system has random bytes").to_string()
}

/// Whether `password` is the one that was hashed; a password over [`MAX_LEN`] bytes never is.
pub fn verify(password: &SecretString, hash: &Hash) -> bool {
    let hash = PasswordHash::new(hash.0.expose_secret()).expect("it was parsed when it was made");
    let password = password.expose_secret().as_bytes();
    password.len() <= MAX_LEN && Argon2::default().verify_password(password, &hash).is_ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A hash that costs next to nothing, as text.
    pub(crate) fn cheap_text(password: &[u8]) -> String {
        let params = Params::new(8, 1, 1, None).unwrap();
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password(password).unwrap().to_string()
    }

    fn cheap(password: &[u8]) -> Hash {
        Hash::parse(&cheap_text(password)).unwrap()
    }

    #[test]
    fn a_hash_verifies_its_password_and_no_other() {
        let text = hash(&"correct horse".into());
        assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
        let hash = Hash::parse(&text).unwrap();
        assert!(verify(&"correct horse".into(), &hash));
        assert!(!verify(&"correct horsf".into(), &hash));
        assert!(!verify(&"".into(), &hash));
    }

    #[test]
    fn the_same_password_has_another_hash_each_time() {
        assert_ne!(hash(&"x".into()), hash(&"x".into()));
    }

    #[test]
    fn a_hash_of_another_program_verifies() {
        // From the reference implementation's test.c: password "password", salt "somesalt".
        let hash = "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc";
        assert!(verify(&"password".into(), &Hash::parse(hash).unwrap()));
    }

    #[test]
    fn the_dummy_costs_what_a_new_hash_costs() {
        let cost =
            |hash: &Hash| Params::try_from(&PasswordHash::new(hash.0.expose_secret()).unwrap()).unwrap();
        assert_eq!(cost(Hash::dummy()), cost(&Hash::parse(&hash(&"x".into())).unwrap()));
        assert!(Hash::parse(Hash::dummy().0.expose_secret()).is_ok());
        assert!(!verify(&"x".into(), Hash::dummy()));
    }

    #[test]
    fn nobody_costs_what_most_users_cost() {
        let of = |cost: &str| Hash::parse(&format!("{cost}{NOBODY}")).unwrap();
        let (cheap, dear) = ("$argon2id$v=19$m=8,t=1,p=1", "$argon2id$v=16$m=64,t=3,p=2");
        for (known, most) in [
            (vec![], COST),
            (vec![cheap], cheap),
            (vec![dear, cheap, dear], dear),
            (vec![cheap, dear, COST, cheap], cheap),
            (vec!["$argon2id$m=8,t=1,p=1"], "$argon2id$m=8,t=1,p=1"), // an old hash has no version
        ] {
            let known: Vec<Hash> = known.into_iter().map(of).collect();
            let nobody = Hash::nobody(&known);
            assert_eq!(nobody.cost(), most);
            assert!(Hash::parse(nobody.0.expose_secret()).is_ok() && !verify(&"".into(), &nobody));
        }
    }

    #[test]
    fn an_overlong_password_is_never_right() {
        for (len, right) in [(MAX_LEN, true), (MAX_LEN + 1, false)] {
            let password = "x".repeat(len);
            assert_eq!(verify(&password.as_str().into(), &cheap(password.as_bytes())), right);
        }
    }

    #[test]
    fn what_is_no_hash() {
        let (salt, output) = ("c29tZXNhbHQ", "bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc");
        let of = |params: &str| format!("$argon2id$v=19${params}${salt}${output}");
        assert!(Hash::parse(&of("m=1048576,t=100,p=16")).is_ok());
        for (text, flaw) in [
            ("".into(), Flaw::Plain),
            ("secret".into(), Flaw::Plain),
            (of("m=8,t=1,p=1")[1..].to_owned(), Flaw::Plain),
            ("$ecret".into(), Flaw::NotArgon2id),
            ("$argon2id".into(), Flaw::NotArgon2id),
            (of("m=8,t=1,p=1").replace("2id", "2i"), Flaw::NotArgon2id),
            (of("m=8,t=1,p=1").replace("2id", "2d"), Flaw::NotArgon2id),
            ("$6$salt$hash".into(), Flaw::NotArgon2id),
            ("$argon2id$".into(), Flaw::Damaged),
            ("$argon2id$v=19$m=8,t=1,p=1".into(), Flaw::Damaged),
            (format!("$argon2id$v=19$m=8,t=1,p=1${salt}"), Flaw::Damaged),
            (of("m=8,t=1,p=1").replace("v=19", "v=20"), Flaw::Damaged),
            (of("m=8,t=1,p=1") + "$", Flaw::Damaged),
            (of("m=8,t=1,p=1") + " ", Flaw::Damaged),
            (of("m=1,t=1,p=1"), Flaw::Damaged),
            (of("m=8,t=0,p=1"), Flaw::Damaged),
            (of("m=8,t=1,p=99999999999"), Flaw::Damaged),
            (of("m=1048577,t=1,p=1"), Flaw::Absurd),
            (of("m=8,t=101,p=1"), Flaw::Absurd),
            (of("m=1024,t=1,p=17"), Flaw::Absurd),
            (of("m=4294967295,t=4294967295,p=1"), Flaw::Absurd),
        ] {
            assert_eq!(Hash::parse(&text).unwrap_err(), flaw, "{text}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert!(!format!("{:?}", Hash::dummy()).contains("argon2id"));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in r"(\$argon2id)?(\$v=\d{1,3})?(\$[mtp=,0-9]{0,20})?(\$[a-zA-Z0-9+/]{0,50}){0,3}(?s:.{0,4})") {
            if let Ok(hash) = Hash::parse(&text) {
                prop_assert_eq!(hash.0.expose_secret(), &text);
            }
        }

        #[test]
        fn what_parses_can_be_verified(password in ".{0,40}", other in ".{0,40}") {
            let hash = cheap(password.as_bytes());
            prop_assert!(verify(&password.as_str().into(), &hash));
            prop_assert_eq!(verify(&other.as_str().into(), &hash), password == other);
        }
    }
}
