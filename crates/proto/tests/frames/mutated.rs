//! A short round of the fuzz target's check, without its tools: seeds, changed a little, always in the same way.

use crate::check;
use crate::seeds::seeds;

const INPUTS: usize = 300_000;

/// xorshift64 (Marsaglia, 2003): chance enough to change bytes by.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        const TELLING: [u8; 12] = [0, 1, 2, 0x7f, 0x80, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff, 16];
        if self.below(2) == 0 { TELLING[self.below(TELLING.len())] } else { self.below(256) as u8 }
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len().max(1));
        match self.below(6) {
            _ if bytes.is_empty() => bytes.extend_from_slice(other),
            0 => bytes[at] = self.byte(),
            1 => bytes[at] ^= 1 << self.below(8),
            2 => bytes.insert(at, self.byte()),
            3 => drop(bytes.remove(at)),
            4 => bytes.truncate(at),
            _ => bytes.extend_from_slice(&other[self.below(other.len())..]),
        }
    }
}

#[test]
fn changed_seeds_do_not_break_the_decoder() {
    let seeds: Vec<Vec<u8>> = seeds().into_values().collect();
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut messages = 0;
    for _ in 0..INPUTS {
        let mut bytes = seeds[chance.below(seeds.len())].clone();
        for _ in 0..=chance.below(3) {
            let other = &seeds[chance.below(seeds.len())];
            chance.mutate(&mut bytes, other);
        }
        messages += check::any_bytes(&bytes);
    }
    assert!(
        messages > INPUTS / 4,
        "only {messages} messages were decoded: the changes are too wild to tell anything"
    );
}
