//! Sessions as a good client speaks them: a preamble, then frames.

use std::iter;

use digest::{Algorithm, BLOCK};
use e2e::{ALICE, BOB, CAROL, Chance, bytes, data_frame, frame, root};
use proto::{Abort, Command, End, Failure, Kind, Message, Preamble, Secret, Time};

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

/// A session that keeps to the protocol from its preamble to its `quit`; what it asks may well be refused.
pub(crate) fn session(chance: &mut Chance) -> Script {
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
    match chance.below(23) {
        0 => Command::Pwd,
        1 => Command::Cd { path },
        2 => Command::CdUp,
        3 | 4 => Command::List { path },
        5 => Command::Stat { path },
        6 | 7 => Command::Get { path, first_block: chance.pick(&[0, 0, 1, 18, u64::MAX]) },
        8..=12 => Command::Put { path, size: chance.pick(&SIZES) as u64 },
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
        22 if chance.one_in(2) => Command::Root { path },
        _ => Command::Md5 { path },
    }
}

/// The data of a put, whole or broken off.
fn put(script: &mut Script, command: u64, size: usize, chance: &mut Chance) {
    let content = bytes(size, chance.draw());
    let blocks = content.chunks(BLOCK).map(data_frame);
    let last = if chance.one_in(6) {
        script.extend(blocks.take(chance.below(size.div_ceil(BLOCK) + 1)));
        let failure = Failure::new(Kind::Aborted, "thought better of it");
        Message::Abort(Abort { command, failure })
    } else {
        script.extend(blocks);
        let root = root(Algorithm::Md5, &content).as_bytes().to_vec();
        Message::End(End { size: size as u64, root, modified: None, mode: Some(0o644) })
    };
    script.extend(iter::once(frame(&last)));
}
