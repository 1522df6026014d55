//! Sessions as clients of FTP speak them: lines, some with data connections behind.

use std::net::SocketAddr;

use e2e::{ALICE, BOB, CAROL, Chance};

use crate::script::{NAMES, Script};

/// Commands without an argument, or with one that hardly matters.
const ALONE: [&str; 28] = [
    "NOOP",
    "PWD",
    "CDUP",
    "SYST",
    "FEAT",
    "HELP",
    "SITE HELP",
    "STAT",
    "STAT .",
    "ABOR",
    "TYPE A",
    "TYPE I",
    "TYPE L 8",
    "MODE S",
    "STRU F",
    "OPTS UTF8 ON",
    "OPTS MLST type;size;",
    "OPTS HASH SHA-256",
    "OPTS HASH",
    "ALLO 100000",
    "RANG 0 9",
    "RANG 1 0",
    "ACCT x",
    "CLNT frames",
    "LANG EN",
    "PBSZ 0",
    "PROT P",
    "CCC",
];

/// Commands that a path follows.
const WITH_PATH: [&str; 25] = [
    "CWD",
    "CWD",
    "MKD",
    "RMD",
    "DELE",
    "DELE",
    "SIZE",
    "MDTM",
    "MLST",
    "STAT",
    "STAT -R",
    "HASH",
    "XMD5",
    "XSHA256",
    "AVBL",
    "RNFR",
    "RNTO",
    "MFMT 20200101000000",
    "SITE CHMOD 644",
    "SITE CHMOD 000",
    "SITE UTIME 20200101000000",
    "SITE UTIME",
    "SITE EXEC",
    "SMNT",
    "XCUP",
];

/// Commands that want a data connection.
const WITH_DATA: [&str; 16] = [
    "RETR", "RETR", "RETR", "STOR", "STOR", "STOR", "STOR", "APPE", "APPE", "STOU", "LIST", "LIST -R",
    "LIST -la", "NLST", "NLST -R", "MLSD",
];

/// Ways to open one: by the client mostly, to somebody else, to nobody.
const OPENING: [&str; 16] = [
    "EPSV",
    "EPSV",
    "EPSV",
    "EPSV",
    "EPSV",
    "EPSV 1",
    "EPSV 2",
    "EPSV ALL",
    "PASV",
    "PASV",
    "PASV",
    "PASV",
    "PORT 127,0,0,1,4,1",
    "PORT 192,0,2,1,4,1",
    "EPRT |1|127.0.0.1|22|",
    "",
];

/// Where a transfer is to begin.
const BEGINNINGS: [&str; 5] = ["0", "1", "65536", "1000000", "18446744073709551615"];

/// What is said before the login, most often nothing.
pub(super) fn before(chance: &mut Chance) -> Script {
    match chance.below(10) {
        0 => ["HOST ftp.example", "CLNT frames", "FEAT", "OPTS UTF8 ON"].map(|text| line(&[text])).into(),
        1 => ["SYST", "RETR a", "STAT", "NOOP"].map(|text| line(&[text])).into(),
        2 if chance.one_in(3) => {
            // By a name of its own: who is guessed at waits longer, and so would every round after.
            vec![line(&["USER", &format!("nobody-{}", chance.below(1_000_000))]), line(&["PASS wrong"])]
        }
        _ => Script::new(),
    }
}

/// USER and PASS.
pub(super) fn login(chance: &mut Chance) -> Script {
    let user = chance.pick(&[ALICE, ALICE, ALICE, ALICE, BOB, CAROL]);
    vec![line(&["USER", user.name]), line(&["PASS", user.password])]
}

/// What somebody asks who is logged in, up to QUIT; it may well be refused. The server may call at `calls`.
pub(super) fn after(calls: SocketAddr, chance: &mut Chance) -> Script {
    let mut script = vec![line(&["TYPE I"])];
    for _ in 0..chance.below(10) {
        match chance.below(16) {
            0..=2 => script.push(line(&[chance.pick(&ALONE)])),
            3..=5 => script.push(with_path(chance.pick(&WITH_PATH), chance)),
            6 => {
                script.push(with_path("RNFR", chance));
                script.push(with_path("RNTO", chance));
            }
            7 => script.push(b"\xff\xf4\xff\xf2ABOR\r\n".to_vec()),
            8 if chance.one_in(4) => script.push(line(&["REIN"])),
            _ => transfer(&mut script, calls, chance),
        }
    }
    script.push(line(&["QUIT"]));
    script
}

fn transfer(script: &mut Script, calls: SocketAddr, chance: &mut Chance) {
    let SocketAddr::V4(address) = calls else { panic!("{calls} is not of IPv4") };
    let [a, b, c, d] = address.ip().octets();
    let [high, low] = calls.port().to_be_bytes();
    let opening = match chance.below(8) {
        0 => line(&["PORT", &format!("{a},{b},{c},{d},{high},{low}")]),
        1 => line(&["EPRT", &format!("|1|{}|{}|", calls.ip(), calls.port())]),
        _ => line(&[chance.pick(&OPENING)]),
    };
    script.push(opening);
    if chance.one_in(6) {
        script.push(line(&["REST", chance.pick(&BEGINNINGS)]));
    }
    let wanted = chance.pick(&WITH_DATA);
    script.push(if chance.one_in(8) { line(&[wanted]) } else { with_path(wanted, chance) });
    match chance.below(12) {
        0 => script.push(b"\xff\xf4\xff\xf2ABOR\r\n".to_vec()),
        1 => script.push(line(&["STAT"])),
        _ => {}
    }
}

fn line(words: &[&str]) -> Vec<u8> {
    format!("{}\r\n", words.join(" ")).into_bytes()
}

fn with_path(command: &str, chance: &mut Chance) -> Vec<u8> {
    // Mostly what is there; names that no line can carry are for the mutations.
    let known = if chance.one_in(3) { NAMES.len() - 3 } else { 4 };
    let name = chance.pick(&NAMES[..known]);
    [command.as_bytes(), b" ", name, b"\r\n"].concat()
}
