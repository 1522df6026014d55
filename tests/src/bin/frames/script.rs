//! Sessions as a good client speaks them: a preamble, then frames.

use std::iter;
use std::ops::Range;

use digest::{Algorithm, BLOCK};
use e2e::{ALICE, BOB, CAROL, Chance, bytes, data_frame, frame, root};
use proto::{Abort, Command, End, Failure, Kind, Message, Part, Preamble, Secret, Time};

/// What a session says, piece by piece.
pub(crate) type Script = Vec<Vec<u8>>;

/// Names, good and bad, few enough to be met again.
pub(crate) const NAMES: [&[u8]; 16] = [
    b"a",
    b"b",
    b"dir",
    b"dir/a",
    b"dir/dir",
    b"/",
    b"",
    b"..",
    b"/../../../etc/passwd",
    b"out/secret",
    b"fifo",
    b".ftpd~000000000000",
    b"\xc3\xa4\xe6\x97\xa5\xe2\x80\xae",
    b"\xff\xfe",
    b"a\0b",
    &[b'x'; 256],
];

/// Sizes at which something begins or ends.
pub(crate) const SIZES: [usize; 7] = [0, 1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 18 * BLOCK + 7];

/// Bytes of the file that is assembled while sessions come and go.
pub(crate) const ASSEMBLED: usize = SIZES[6];

/// Parts of a file, of none of which there is a second opinion whether they are in order.
#[allow(clippy::single_range_in_vec_init, reason = "one part lies in one range")]
const PARTS: [&[Range<u64>]; 5] = [&[0..1], &[0..19], &[1..3, 3..4, 18..19], &[17..18], &[0..9]];

/// A session that keeps to the protocol from its preamble to its `quit`; what it asks may well be refused. Of the file that somebody
/// assembles, it may bring parts; one that is `spoilt` later may publish it.
pub(crate) fn session(chance: &mut Chance, assembly: [u8; 16], spoilt: bool) -> Script {
    let mut script = vec![Preamble::new(&[Algorithm::Md5]).encode().to_vec()];
    let mut command = 0;
    let mut say = |script: &mut Script, what| {
        script.push(frame(&Message::Command(what)));
        command += 1;
        command - 1
    };
    say(&mut script, Command::Hello { client: "frames".into() });
    let user = chance.pick(&[ALICE, ALICE, ALICE, BOB, CAROL]);
    if chance.one_in(8) {
        // By a name of its own: who is guessed at waits longer, and so would every round after.
        say(&mut script, login(&format!("nobody-{}", chance.below(1_000_000)), "wrong"));
    }
    say(&mut script, login(user.name, user.password));
    for _ in 0..chance.below(12) {
        match ask(chance) {
            Command::Put { path, size } => {
                let number = say(&mut script, Command::Put { path, size });
                put(&mut script, number, size as usize, chance);
            }
            Command::PutRest { path, size, first_block, proof } => {
                let number = say(&mut script, Command::PutRest { path, size, first_block, proof });
                put(&mut script, number, size as usize, chance);
            }
            Command::PutParts { .. } => {
                let ranges = chance.pick(&PARTS);
                let parts = parts(ranges);
                let number = say(&mut script, Command::PutParts { assembly, size: ASSEMBLED as u64, parts });
                put_parts(&mut script, number, ranges, chance);
            }
            Command::Publish { root, modified, mode, .. } => {
                // Who keeps to the protocol would have to know what the others brought.
                let assembly = if spoilt { assembly } else { [1; 16] };
                say(&mut script, Command::Publish { assembly, root, modified, mode });
            }
            Command::Leave { .. } => {
                say(&mut script, Command::Leave { assembly });
            }
            other => drop(say(&mut script, other)),
        }
    }
    say(&mut script, Command::Quit);
    script
}

fn login(user: &str, password: &str) -> Command {
    Command::Login { user: user.into(), password: Secret::new(password.into()) }
}

fn ask(chance: &mut Chance) -> Command {
    let path = chance.pick(&NAMES).to_vec();
    match chance.below(32) {
        0 => Command::Pwd,
        1 => Command::Cd { path },
        2 => Command::CdUp,
        3 | 4 => Command::List { path },
        5 => Command::Stat { path },
        6 | 7 => Command::Get { path, first_block: chance.pick(&[0, 0, 1, 18, u64::MAX]) },
        8..=12 => Command::Put { path, size: chance.pick(&SIZES) as u64 },
        13 if chance.one_in(4) => Command::Target { path, name: chance.pick(&NAMES).to_vec() },
        13 => Command::Mkdir { path },
        14 if chance.one_in(2) => Command::Rmdir { path },
        14 => Command::Remove { path },
        15 => Command::Rename { from: path, to: chance.pick(&NAMES).to_vec() },
        16 => {
            let modified = Some(Time { seconds: chance.draw() as i64 >> 20, nanoseconds: 999_999_999 });
            Command::SetAttributes { path, modified, mode: Some(chance.draw() as u32 & 0o777) }
        }
        17 if chance.one_in(2) => Command::GetTree { path },
        17 => Command::Walk { path },
        18 => Command::Link { path, target: chance.pick(&NAMES).to_vec() },
        19 => Command::Kept { path },
        20 => Command::Resume { path, first_block: chance.below(3) as u64, proof: e2e::end(b"").root },
        21 => {
            Command::PutRest { path, size: 0, first_block: chance.below(2) as u64, proof: e2e::end(b"").root }
        }
        31 if chance.one_in(2) => Command::Root { path },
        22 | 23 => {
            let part =
                Part { first_block: chance.pick(&[0, 1, u64::MAX]), blocks: chance.pick(&[1, u64::MAX]) };
            Command::Digests { path, part, version: chance.one_in(4).then_some([1; 16]) }
        }
        24 | 25 => {
            let parts = parts(chance.pick(&PARTS));
            Command::GetParts { path, version: chance.one_in(4).then_some([1; 16]), parts }
        }
        26 | 27 => {
            let size = chance.pick(&[0, 1, BLOCK as u64, ASSEMBLED as u64, u64::MAX]);
            Command::Assemble { path, size, onto: chance.one_in(4).then_some([1; 16]) }
        }
        28 | 29 => Command::PutParts { assembly: [0; 16], size: 0, parts: vec![] },
        30 if chance.one_in(2) => Command::Leave { assembly: [0; 16] },
        30 => {
            let root = root(Algorithm::Md5, &assembled()).as_bytes().to_vec();
            Command::Publish { assembly: [0; 16], root, modified: None, mode: None }
        }
        _ => Command::Md5 { path },
    }
}

fn parts(ranges: &[Range<u64>]) -> Vec<Part> {
    ranges.iter().map(|range| Part { first_block: range.start, blocks: range.end - range.start }).collect()
}

/// What the file is that is assembled.
fn assembled() -> Vec<u8> {
    bytes(ASSEMBLED, 1)
}

/// The data of parts of it, whole or broken off.
fn put_parts(script: &mut Script, command: u64, ranges: &[Range<u64>], chance: &mut Chance) {
    let content = assembled();
    let place = |block: u64| content.len().min(block as usize * BLOCK);
    let content: Vec<u8> =
        ranges.iter().flat_map(|range| &content[place(range.start)..place(range.end)]).copied().collect();
    send(script, command, &content, ASSEMBLED, None, chance);
}

/// The data of a put, whole or broken off.
fn put(script: &mut Script, command: u64, size: usize, chance: &mut Chance) {
    let content = bytes(size, chance.draw());
    send(script, command, &content, size, Some(0o644), chance);
}

/// Data, and the end of a file of `size` bytes.
fn send(
    script: &mut Script,
    command: u64,
    content: &[u8],
    size: usize,
    mode: Option<u32>,
    chance: &mut Chance,
) {
    let blocks = content.chunks(BLOCK).map(data_frame);
    let last = if chance.one_in(6) {
        script.extend(blocks.take(chance.below(content.len().div_ceil(BLOCK) + 1)));
        let failure = Failure::new(Kind::Aborted, "thought better of it");
        Message::Abort(Abort { command, failure })
    } else {
        script.extend(blocks);
        let root = root(Algorithm::Md5, content).as_bytes().to_vec();
        Message::End(End { size: size as u64, root, modified: None, mode })
    };
    script.extend(iter::once(frame(&last)));
}
