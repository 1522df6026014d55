//! What becomes of a good session: a few changes to its pieces and to their bytes.

use e2e::Chance;
use proto::HEAD;

use crate::script::Script;

/// Lengths that are nearly right, at a cap, or absurd.
const LENGTHS: [u32; 10] =
    [0, 1, 16, 255, 16 * 1024, 16 * 1024 + 1, 64 * 1024 + 16, 64 * 1024 + 17, 1 << 31, u32::MAX];

/// Bytes that mean something to a decoder of variable-length numbers, or of telnet's commands.
const BYTES: [u8; 12] = [0, 1, b'\r', b'\n', 0x7f, 0x80, 242, 250, 251, 252, 253, 255];

/// The most that a session may grow to.
const LONGEST: usize = 32 * 1024 * 1024;

/// Changes a session in one to four places: its pieces, their bytes, or what a door has of its `own`.
pub(crate) fn mutate(script: &mut Script, own: fn(&mut Script, usize, &mut Chance), chance: &mut Chance) {
    for _ in 0..=chance.below(4) {
        if script.is_empty() {
            return;
        }
        let at = chance.below(script.len());
        match chance.below(3) {
            0 => pieces(script, at, chance),
            1 => own(script, at, chance),
            _ => bytes(script, at, chance),
        }
    }
}

fn pieces(script: &mut Script, at: usize, chance: &mut Chance) {
    match chance.below(6) {
        0 => drop(script.remove(at)),
        1 => script.insert(at, script[at].clone()),
        2 => {
            let times = (LONGEST / script[at].len().max(1)).min(chance.pick(&[2, 20, 200]));
            let copies = vec![script[at].clone(); times];
            script.splice(at..at, copies);
        }
        3 => {
            let other = chance.below(script.len());
            script.swap(at, other);
        }
        4 => script.insert(at, chance.bytes(300)),
        _ => script.truncate(at),
    }
}

/// What becomes of a frame of the native door.
pub(crate) fn frames(script: &mut Script, at: usize, chance: &mut Chance) {
    match chance.below(4) {
        0 => {
            let body = chance.bytes(300);
            let mut noise = (body.len() as u32).to_le_bytes().to_vec();
            noise.push(chance.below(10) as u8);
            noise.extend(body);
            script.insert(at, noise);
        }
        1 => set(&mut script[at], HEAD - 1, &[chance.below(10) as u8]),
        2 => set(&mut script[at], 0, &chance.pick(&LENGTHS).to_le_bytes()),
        _ => {
            // Bytes left over in a body whose head tells of them.
            let piece = &mut script[at];
            piece.extend(chance.bytes(40));
            let body = piece.len().saturating_sub(HEAD) as u32;
            set(piece, 0, &body.to_le_bytes());
        }
    }
}

fn bytes(script: &mut Script, at: usize, chance: &mut Chance) {
    let piece = &mut script[at];
    if piece.is_empty() {
        return;
    }
    let place = chance.below(piece.len());
    match chance.below(6) {
        0 => piece[place] ^= 1 << chance.below(8),
        1 => piece[place] = chance.pick(&BYTES),
        2 => piece[place] = chance.draw() as u8,
        3 => drop(piece.splice(place..place, chance.bytes(20))),
        4 => drop(piece.drain(place..(place + 1 + chance.below(20)).min(piece.len()))),
        _ => {
            piece.truncate(place);
            script.truncate(at + 1);
        }
    }
}

fn set(piece: &mut [u8], from: usize, bytes: &[u8]) {
    if let Some(place) = piece.get_mut(from..from + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}
