//! The sixteen bytes that open both directions.

use digest::Algorithm;

use crate::Decoded;
use crate::frame::Fault;

/// What a preamble begins with.
pub const MAGIC: [u8; 8] = *b"ftpd/1\r\n";

/// The version of the wire that this crate speaks.
pub const VERSION: u16 = 1;

/// Bytes in a preamble.
pub const PREAMBLE: usize = 16;

/// What a server tells a peer that did not send a preamble, before it closes: text, since the peer speaks something else.
pub const REFUSAL: &[u8] =
    b"This port speaks ftpd/1, the native protocol of ftpd. Use its client: ftp HOST\r\n";

/// What each side is able to do. Magic, version (u16), features (u16), digests (u32), all little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preamble {
    /// The highest version that the side speaks.
    pub version: u16,
    /// Bits of what it can do beyond this version's minimum; unknown ones are ignored. None is defined yet.
    pub features: u16,
    /// Bits of digests, 1 for MD5 and 2 for BLAKE3: those that a client offers, the one that a server chose, or 0 when it refuses.
    pub digests: u32,
}

impl Preamble {
    /// A preamble of this version with these digests.
    pub fn new(digests: &[Algorithm]) -> Preamble {
        Preamble {
            version: VERSION,
            features: 0,
            digests: digests.iter().fold(0, |bits, digest| bits | bit(*digest)),
        }
    }

    /// Whether `algorithm` is among its digests.
    pub fn has(&self, algorithm: Algorithm) -> bool {
        self.digests & bit(algorithm) != 0
    }

    /// The sixteen bytes.
    pub fn encode(&self) -> [u8; PREAMBLE] {
        let mut bytes = [0; PREAMBLE];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&self.version.to_le_bytes());
        bytes[10..12].copy_from_slice(&self.features.to_le_bytes());
        bytes[12..].copy_from_slice(&self.digests.to_le_bytes());
        bytes
    }

    /// Reads a preamble at the start of `bytes`; wrong magic is known from the first byte that differs.
    pub fn decode(bytes: &[u8]) -> Decoded<Preamble> {
        let known = bytes.len().min(MAGIC.len());
        if bytes[..known] != MAGIC[..known] {
            return Decoded::Malformed(Fault::Magic);
        }
        let Some(bytes) = bytes.first_chunk::<PREAMBLE>() else { return Decoded::NeedMore(PREAMBLE) };
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        let features = u16::from_le_bytes([bytes[10], bytes[11]]);
        let digests = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
        match version {
            0 => Decoded::Malformed(Fault::Version),
            _ => Decoded::Message(Preamble { version, features, digests }, PREAMBLE),
        }
    }
}

/// The bit of a digest: 1 is MD5, 2 is BLAKE3.
fn bit(algorithm: Algorithm) -> u32 {
    match algorithm {
        Algorithm::Md5 => 1,
        Algorithm::Blake3 => 2,
    }
}

/// The server's choice: the first of its own, in its order, that the client offers too.
pub fn choose(own: &[Algorithm], client: &Preamble) -> Option<Algorithm> {
    own.iter().copied().find(|algorithm| client.has(*algorithm))
}
