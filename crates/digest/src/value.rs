//! Which digest, and its value.

use std::fmt;
use std::str::FromStr;

/// A digest that a block can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// MD5 (RFC 1321), 16 bytes: finds damage, not malice.
    Md5,
    /// BLAKE3, 32 bytes.
    Blake3,
}

impl Algorithm {
    /// Every algorithm, in the order in which they are preferred when nothing else is said.
    pub const ALL: [Algorithm; 2] = [Algorithm::Md5, Algorithm::Blake3];

    /// Bytes in a digest: 16 or 32.
    #[expect(clippy::len_without_is_empty, reason = "an algorithm is no container")]
    pub const fn len(self) -> usize {
        match self {
            Algorithm::Md5 => 16,
            Algorithm::Blake3 => 32,
        }
    }

    /// The name in configuration, options and receipts: `md5` or `blake3`.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "md5",
            Algorithm::Blake3 => "blake3",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|a| a.name() == name);
        found.ok_or_else(|| format!("unknown digest {name:?}: use md5 or blake3"))
    }
}

/// The value of a digest, 16 or 32 bytes; shown as lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 32], // the unused half is zero, so that derived equality holds
}

impl Digest {
    /// The value that `bytes` spell; `None` unless they are just as many as `algorithm` has.
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> Option<Digest> {
        let mut padded = [0; 32];
        (bytes.len() == algorithm.len()).then(|| {
            padded[..bytes.len()].copy_from_slice(bytes);
            Digest { algorithm, bytes: padded }
        })
    }

    pub(crate) fn md5(value: [u8; 16]) -> Digest {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&value);
        Digest { algorithm: Algorithm::Md5, bytes }
    }

    pub(crate) fn blake3(bytes: [u8; 32]) -> Digest {
        Digest { algorithm: Algorithm::Blake3, bytes }
    }

    /// Which digest this is a value of.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The 16 or 32 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.len()]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", self.algorithm)
    }
}
