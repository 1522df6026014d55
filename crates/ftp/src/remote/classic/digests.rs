//! The MD5 of a file as the server has it, where it tells.

use digest::{Algorithm, Digest};

use super::Classic;
use super::offers::Digester;
use crate::failure::Failure;

impl Classic {
    /// The plain MD5 of a file on the server; `None` if it tells none.
    pub(super) async fn digest(&mut self, path: &str) -> Result<Option<Digest>, Failure> {
        let Some(digester) = self.offers.digester else { return Ok(None) };
        if digester == Digester::Hash && !self.hashes_with_md5 {
            self.hashes_with_md5 = self.ask("OPTS HASH MD5").await?.is_done();
            if !self.hashes_with_md5 {
                return Ok(None);
            }
        }
        let name = match digester {
            Digester::Hash => "HASH",
            Digester::Xmd5 => "XMD5",
            Digester::Md5 => "MD5",
        };
        let answer = self.ask(&format!("{name} {path}")).await?;
        Ok(if answer.is_done() { told(digester, answer.sentence()) } else { None })
    }
}

/// The digest in an answer: `213 MD5 0-49 HEX NAME`, `250 HEX` or `251 NAME HEX`.
fn told(digester: Digester, sentence: &str) -> Option<Digest> {
    let mut digests = sentence.split_whitespace().filter_map(read);
    match digester {
        Digester::Hash | Digester::Xmd5 => digests.next(),
        Digester::Md5 => digests.next_back(),
    }
}

fn read(word: &str) -> Option<Digest> {
    let word = word.as_bytes();
    if word.len() != 32 || !word.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let value = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = word.chunks(2).filter_map(value).collect();
    Digest::new(Algorithm::Md5, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_found_where_each_way_has_it() {
        let (right, name) = ("d41d8cd98f00b204e9800998ecf8427e", "00000000000000000000000000000000");
        for (digester, sentence) in [
            (Digester::Hash, format!("MD5 0-0 {right} {name}")),
            (Digester::Xmd5, right.to_uppercase()),
            (Digester::Md5, format!("{name} {right}")),
        ] {
            assert_eq!(told(digester, &sentence).unwrap().to_string(), right, "{sentence}");
        }
        for sentence in ["", "MD5 0-0 d41d8cd98f00b204", "+1d8cd98f00b204e9800998ecf8427e00 a"] {
            assert_eq!(told(Digester::Hash, sentence), None, "{sentence}");
        }
    }
}
