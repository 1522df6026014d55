//! What holds for any bytes at all that a client says, from bytes to a verdict. The fuzz target and a round of the tests share it.

use super::command::Command;
use super::gate::{Login, Rules, State};
use super::line::{LONGEST, Lines, Next};
use super::parse::{self, Malformed};
use super::reply::{Reply, quoted};

/// Takes `bytes` for what a client says, and panics where the door breaks a promise. Tells how many commands they held.
pub(super) fn bytes(bytes: &[u8]) -> usize {
    let Some((&first, said)) = bytes.split_first() else { return 0 };
    let lines = lines(said, said.len().max(1));
    assert_eq!(lines, self::lines(said, usize::from(first) + 1), "it matters how bytes are cut");
    let clear = session(&lines, Rules { clear: true });
    assert_eq!(clear, session(&lines, Rules { clear: false }));
    clear
}

fn lines(said: &[u8], piece: usize) -> Vec<Next> {
    let (mut lines, mut told) = (Lines::default(), Vec::new());
    for piece in said.chunks(piece) {
        lines.push(piece);
        loop {
            match lines.next() {
                Next::More => break,
                next => told.push(next),
            }
        }
    }
    told
}

/// One session, in which every password is right and every handshake succeeds.
fn session(lines: &[Next], rules: Rules) -> usize {
    let (mut state, mut commands) = (State::new(false), 0);
    for line in lines {
        let Next::Line(line) = line else { continue };
        assert!(line.len() <= LONGEST && !line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        match parse::command(line) {
            Err(Malformed(code, text)) => {
                assert!((500..560).contains(&code));
                says(&Reply::new(code, text), 1);
            }
            Ok(command) => {
                commands += 1;
                let path = command.path();
                assert!(path.is_empty() || path == b"/" || holds(line, path), "nobody said {path:?}");
                says(&Reply::new(257, quoted(path)).with([path.to_vec()]), 3);
                judged(&mut state, command, rules);
            }
        }
    }
    commands
}

fn judged(state: &mut State, command: Command, rules: Rules) {
    let before = state.clone();
    if let Err(refusal) = state.judge(&command, rules) {
        assert!(refusal.refuses());
        return says(&refusal, 1);
    }
    assert!(before.login == Login::Inside || command.path().is_empty(), "told to nobody: {command:?}");
    let clear = rules.clear || before.secured;
    match command {
        Command::Pass(_) => {
            assert!(clear && matches!(before.login, Login::Named(_)), "a password that must not be heard");
            state.login = Login::Inside;
        }
        Command::Retr(_) | Command::Stor(..) | Command::List(..) => {
            assert!(rules.clear || before.private, "a file in the clear");
            state.take_range();
        }
        Command::Auth => {
            assert!(!before.secured && before.login != Login::Inside);
            *state = state.anew(true);
        }
        Command::Rnto(_) => assert!(state.rename.take() == before.rename && before.rename.is_some()),
        Command::Rein => *state = state.anew(false),
        _ => {}
    }
}

/// A reply is so many lines, whatever its words are.
fn says(reply: &Reply, lines: usize) {
    let mut out = Vec::new();
    reply.encode(&mut out);
    let count = |end: u8| out.iter().filter(|byte| **byte == end).count();
    assert_eq!((count(b'\r'), count(b'\n'), count(0), count(255)), (lines, lines, 0, 0));
    assert!(out.ends_with(b"\r\n"));
}

fn holds(line: &[u8], path: &[u8]) -> bool {
    line.windows(path.len()).any(|part| part == path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn said() -> impl Strategy<Value = Vec<u8>> {
        let verb = prop::sample::select(vec![
            "USER",
            "PASS",
            "AUTH TLS",
            "PBSZ",
            "PROT P",
            "TYPE I",
            "RETR",
            "STOR",
            "NLST -R",
            "MLSD",
            "RNFR",
            "RNTO",
            "RANG",
            "REST",
            "EPRT",
            "PORT",
            "SITE UTIME",
            "SITE CHMOD",
            "MFMT",
            "XMD5",
            "REIN",
            "HOST",
        ]);
        let any = argument();
        let end = prop::sample::select(vec!["\r\n", "\n", "\r", "\r\r\n", "\0\r\n", "\u{ff}\r\n"]);
        let line = (verb, prop::collection::vec(any, 0..30), end)
            .prop_map(|(verb, rest, end)| [verb.as_bytes(), b" ", &rest, end.as_bytes()].concat());
        prop::collection::vec(line, 0..20).prop_map(|lines| lines.concat())
    }

    fn argument() -> impl Strategy<Value = u8> {
        prop_oneof![any::<u8>(), b' '..=b'9', Just(255), Just(b'|'), Just(b'"')]
    }

    proptest! {
        #[test]
        fn no_session_is_too_strange(said in said(), first: u8) {
            super::bytes(&[&[first][..], &said].concat());
        }
    }

    #[test]
    fn the_seeds_of_the_fuzzer_are_sessions() {
        let seeds: [&[u8]; 4] = [
            include_bytes!("../../fuzz/seeds/plain"),
            include_bytes!("../../fuzz/seeds/secured"),
            include_bytes!("../../fuzz/seeds/facts"),
            include_bytes!("../../fuzz/seeds/telnet"),
        ];
        assert_eq!(seeds.map(super::bytes), [11, 12, 16, 3]);
    }
}
