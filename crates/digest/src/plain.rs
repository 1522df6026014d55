//! The MD5 of a whole file, as `md5sum` prints it.

use md5::{Digest as _, Md5};

use crate::Digest;

/// Plain MD5 (RFC 1321) of bytes that come piece by piece; one lane, so slower than blocks.
#[derive(Clone, Debug, Default)]
pub struct PlainMd5(Md5);

impl PlainMd5 {
    /// Of no byte yet.
    pub fn new() -> PlainMd5 {
        PlainMd5::default()
    }

    /// Adds the next bytes.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of all bytes.
    pub fn finish(self) -> Digest {
        Digest::md5(self.0.finalize().into())
    }
}
