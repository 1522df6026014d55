//! What becomes of a line: its end, its length, telnet inside it, another verb or argument.

use e2e::Chance;

use crate::script::{NAMES, Script};

/// Ends of lines, right and wrong.
const ENDS: [&[u8]; 7] = [b"", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\0\r\n", b"\r\0\n"];

/// Lengths at which something ends: a line, a buffer, patience.
const LENGTHS: [usize; 8] = [512, 4096, 8185, 8192, 8193, 16_384, 70_000, 1_100_000];

/// Telnet (RFC 854), whole and broken off.
const TELNET: [&[u8]; 9] = [
    b"\xff",
    b"\xff\xff",
    b"\xf2",
    b"\xff\xf4\xff\xf2",
    b"\xff\xfb\x01",
    b"\xff\xfd",
    b"\xff\xfa\x18\x00xterm\xff\xf0",
    b"\xff\xfa\x18",
    b"\xff\xf0",
];

/// Lines that break in anywhere. Behind AUTH in the clear comes what is no handshake, or the beginning of one.
const LINES: [&[u8]; 16] = [
    b"ABOR\r\n",
    b"QUIT\r\n",
    b"REIN\r\n",
    b"NOOP\r\n",
    b"STAT\r\n",
    b"PASV\r\n",
    b"EPSV\r\n",
    b"REST 5\r\n",
    b"RNFR a\r\n",
    b"USER alice\r\n",
    b"\r\n",
    b"AUTH TLS\r\n",
    b"AUTH TLS\r\nUSER alice\r\n",
    b"AUTH TLS\r\n\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"AUTH TLS\r\n\x80\x2e\x01\x00\x02",
    b"GET / HTTP/1.1\r\nHost: ftp\r\n\r\n",
];

/// Arguments that are hard to take.
const ARGUMENTS: [&[u8]; 16] = [
    b"-1",
    b"18446744073709551615",
    b"18446744073709551616",
    b"0 18446744073709551615",
    b"%s%n%x",
    b"*",
    b"[",
    b"[!a-",
    b"{a,{b,c}}*?",
    b"\\",
    b"-lR -- -a",
    b"../../..",
    b"\"\"",
    b"||||",
    b"|1|::1|0|",
    b"99999999999999.999999999 a",
];

/// Changes the line at a place, or puts another one there.
pub(crate) fn lines(script: &mut Script, at: usize, chance: &mut Chance) {
    match chance.below(9) {
        0 => {
            let end = chance.pick(&ENDS);
            let text = script[at].trim_ascii_end().len();
            script[at].splice(text.., end.iter().copied());
        }
        1 => {
            let place = chance.below(script[at].len() + 1);
            let filling = vec![chance.pick(b"x /\xff*["); chance.pick(&LENGTHS)];
            script[at].splice(place..place, filling);
        }
        2 => {
            let place = chance.below(script[at].len() + 1);
            script[at].splice(place..place, chance.pick(&TELNET).iter().copied());
        }
        3 | 4 => script.insert(at, chance.pick(&LINES).to_vec()),
        5 | 6 => argument(&mut script[at], chance.pick(&ARGUMENTS)),
        7 => argument(&mut script[at], chance.pick(&NAMES)),
        _ => {
            // The verb of another line.
            let other = chance.below(script.len());
            let verb = |line: &[u8]| line.iter().position(|&byte| byte == b' ').unwrap_or(line.len().min(4));
            let (old, new) = (verb(&script[at]), verb(&script[other]));
            let new = script[other][..new].to_vec();
            script[at].splice(..old, new);
        }
    }
}

fn argument(line: &mut Vec<u8>, argument: &[u8]) {
    let verb = line.iter().position(|&byte| byte == b' ' || byte == b'\r').unwrap_or(line.len());
    line.splice(verb.., [b" ", argument, b"\r\n"].concat());
}
