//! The root of a file: one digest that stands for all its blocks, in their order.

use md5::Digest as _;

use crate::{Algorithm, Digest};

/// The root of the blocks whose digests are pushed one by one, by the formula that [the crate](crate) gives.
///
/// It holds a hash state, not the digests.
#[derive(Clone, Debug)]
pub struct Root {
    algorithm: Algorithm,
    blocks: u64,
    first: Option<Digest>,
    all: Hasher,
}

/// Of the digests laid end to end.
#[derive(Clone, Debug)]
enum Hasher {
    Md5(md5::Md5),
    Blake3(Box<blake3::Hasher>), // two KiB
}

impl Root {
    /// The root of no block yet.
    pub fn new(algorithm: Algorithm) -> Root {
        let all = match algorithm {
            Algorithm::Md5 => Hasher::Md5(md5::Md5::new()),
            Algorithm::Blake3 => Hasher::Blake3(Box::default()),
        };
        Root { algorithm, blocks: 0, first: None, all }
    }

    /// The root of the blocks that have these digests.
    ///
    /// # Panics
    ///
    /// As [`push`](Root::push).
    pub fn of(algorithm: Algorithm, digests: &[Digest]) -> Digest {
        let mut root = Root::new(algorithm);
        digests.iter().for_each(|digest| root.push(digest));
        root.value()
    }

    /// Adds the digest of the next block.
    ///
    /// # Panics
    ///
    /// If the digest is of another algorithm than the root.
    pub fn push(&mut self, digest: &Digest) {
        assert_eq!(digest.algorithm(), self.algorithm, "a root is of one algorithm");
        match &mut self.all {
            Hasher::Md5(all) => all.update(digest.as_bytes()),
            Hasher::Blake3(all) => _ = all.update(digest.as_bytes()),
        }
        self.first.get_or_insert(*digest);
        self.blocks += 1;
    }

    /// How many blocks it stands for.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// The root of the blocks so far; more may follow.
    pub fn value(&self) -> Digest {
        match (&self.all, self.first) {
            (_, Some(only)) if self.blocks == 1 => only,
            (Hasher::Md5(all), _) => Digest::md5(all.clone().finalize().into()),
            (Hasher::Blake3(all), _) => Digest::blake3(*all.finalize().as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::{of_block, of_blocks};

    /// The formula, word for word.
    fn formula(algorithm: Algorithm, digests: &[Digest]) -> Digest {
        match digests {
            [only] => *only,
            _ => {
                let joined: Vec<u8> = digests.iter().flat_map(|digest| digest.as_bytes()).copied().collect();
                of_block(algorithm, &joined)
            }
        }
    }

    proptest! {
        #[test]
        fn at_every_block_it_is_what_the_formula_says(blocks in vec(vec(any::<u8>(), 0..100), 0..20)) {
            let blocks: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
            for algorithm in Algorithm::ALL {
                let digests = of_blocks(algorithm, &blocks);
                let mut root = Root::new(algorithm);
                prop_assert_eq!(root.value(), formula(algorithm, &[]));
                for (at, digest) in digests.iter().enumerate() {
                    root.push(digest);
                    prop_assert_eq!(root.blocks(), at as u64 + 1);
                    prop_assert_eq!(root.value(), formula(algorithm, &digests[..=at]));
                    prop_assert_eq!(root.value(), Root::of(algorithm, &digests[..=at]));
                }
            }
        }
    }

    #[test]
    fn of_no_block_it_is_the_digest_of_nothing() {
        let shown = Algorithm::ALL.map(|algorithm| Root::new(algorithm).value().to_string());
        assert_eq!(shown[0], "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(shown[1], "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    }

    #[test]
    fn the_order_of_the_blocks_counts() {
        let [a, b] = [b"a", b"b"].map(|block| of_block(Algorithm::Md5, block));
        assert_ne!(Root::of(Algorithm::Md5, &[a, b]), Root::of(Algorithm::Md5, &[b, a]));
    }

    #[test]
    #[should_panic(expected = "a root is of one algorithm")]
    fn a_digest_of_another_algorithm_is_refused() {
        Root::new(Algorithm::Md5).push(&of_block(Algorithm::Blake3, b""));
    }
}
