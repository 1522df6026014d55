//! From a line to a command (RFC 959, 5.3.1; 2228; 2389; 2428; 3659; 4217; 7151): text in, a command or what is wrong with it out.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use secrecy::SecretString;
use store::Time;

use super::command::{Command, Family, Form, Hash, Options, Store, Type};
use super::time;

/// What is wrong with a line: a code of RFC 959, 4.2, and a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) u16, pub(super) &'static str);

type Parsed = Result<Command, Malformed>;

const UNKNOWN: Malformed = Malformed(500, "There is no such command. HELP lists those that there are.");
const NEEDS_PATH: Malformed = Malformed(501, "The path is missing.");
const TAKES_NOTHING: Malformed = Malformed(501, "This command takes no argument.");
const NOT_HERE: Malformed = Malformed(502, "This server does not do that.");

/// Reads one line.
pub(super) fn command(line: &[u8]) -> Parsed {
    let line = trim_start(line);
    let end = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
    let (verb, argument) = (&line[..end], line.get(end + 1..).unwrap_or_default());
    let mut upper = [0; 8];
    let Some(word) = upper.get_mut(..verb.len()) else { return Err(UNKNOWN) };
    word.copy_from_slice(verb);
    word.make_ascii_uppercase();
    let alone = |command| if argument.is_empty() { Ok(command) } else { Err(TAKES_NOTHING) };
    let path = |make: fn(Vec<u8>) -> Command| {
        if argument.is_empty() { Err(NEEDS_PATH) } else { Ok(make(argument.to_vec())) }
    };
    let perhaps = |make: fn(Vec<u8>) -> Command| Ok(make(argument.to_vec()));
    match &*word {
        b"USER" if argument.is_empty() => Err(Malformed(501, "The user name is missing.")),
        b"USER" => Ok(Command::User(argument.to_vec())),
        b"PASS" => match str::from_utf8(argument) {
            Ok(password) => Ok(Command::Pass(SecretString::from(password))),
            Err(_) => Ok(Command::Pass(SecretString::from("\0"))), // nobody's password, and refused as any wrong one
        },
        b"ACCT" => Ok(Command::Acct),
        b"REIN" => alone(Command::Rein),
        b"QUIT" => alone(Command::Quit),
        b"NOOP" => Ok(Command::Noop),
        b"HELP" => Ok(if argument.eq_ignore_ascii_case(b"SITE") { Command::SiteHelp } else { Command::Help }),
        b"SYST" => alone(Command::Syst),
        b"FEAT" => alone(Command::Feat),
        b"OPTS" => opts(argument),
        b"STAT" if argument.is_empty() => Ok(Command::Status),
        b"STAT" => perhaps(|path| Command::StatusOf(options(&path).1.to_vec())),
        b"SITE" => site(argument),
        b"CLNT" => Ok(Command::Clnt),
        b"HOST" if argument.is_empty() => Err(Malformed(501, "The host name is missing.")),
        b"HOST" => Ok(Command::Host),
        b"LANG" => match argument.split(|&byte| byte == b'-').next() {
            None | Some(b"") => Ok(Command::Lang),
            Some(language) if language.eq_ignore_ascii_case(b"EN") => Ok(Command::Lang),
            Some(_) => Err(Malformed(504, "This server speaks English: LANG EN.")),
        },
        b"ALLO" => number(argument.split(|&byte| byte == b' ').next().unwrap_or_default())
            .map(Command::Allo)
            .ok_or(Malformed(501, "The number of bytes is missing: ALLO 1048576.")),
        b"TYPE" => type_of(argument),
        b"MODE" => one_of(argument, b"S", Malformed(504, "Only stream mode is served: MODE S.")),
        b"STRU" => one_of(argument, b"F", Malformed(504, "Only file structure is served: STRU F.")),
        b"PORT" => port(argument)
            .map(Command::Port)
            .ok_or(Malformed(501, "Six numbers make a port: PORT 192,0,2,1,4,1.")),
        b"EPRT" => eprt(argument),
        b"PASV" => alone(Command::Pasv),
        b"EPSV" => match argument {
            b"" => Ok(Command::Epsv(Family::Same)),
            b"1" => Ok(Command::Epsv(Family::V4)),
            b"2" => Ok(Command::Epsv(Family::V6)),
            all if all.eq_ignore_ascii_case(b"ALL") => Ok(Command::EpsvAll),
            _ => Err(Malformed(522, "Network protocol not supported, use (1,2)")), // RFC 2428, 2, to the letter
        },
        b"RETR" => path(Command::Retr),
        b"STOR" => path(|path| Command::Stor(Store::Replace, path)),
        b"APPE" => path(|path| Command::Stor(Store::Append, path)),
        b"STOU" => perhaps(|path| Command::Stor(Store::Unique, path)),
        b"REST" => number(argument)
            .map(Command::Rest)
            .ok_or(Malformed(501, "A byte to begin at is a whole number: REST 1048576.")),
        b"RANG" => rang(argument),
        b"ABOR" => alone(Command::Abor),
        b"DELE" => path(Command::Dele),
        b"MKD" | b"XMKD" => path(Command::Mkd),
        b"RMD" | b"XRMD" => path(Command::Rmd),
        b"PWD" | b"XPWD" => alone(Command::Pwd),
        b"CWD" | b"XCWD" => perhaps(|path| Command::Cwd(if path.is_empty() { b"/".to_vec() } else { path })),
        b"CDUP" | b"XCUP" => alone(Command::Cdup),
        b"RNFR" => path(Command::Rnfr),
        b"RNTO" => path(Command::Rnto),
        b"LIST" => Ok(list(Form::Long, argument)),
        b"NLST" => Ok(list(Form::Names, argument)),
        b"MLSD" => Ok(Command::List(Form::Facts, Options::default(), argument.to_vec())),
        b"MLST" => perhaps(Command::Mlst),
        b"SIZE" => path(Command::Size),
        b"MDTM" => path(Command::Mdtm),
        b"MFMT" => dated(argument, b' '),
        b"AVBL" => perhaps(Command::Avbl),
        b"HASH" => path(Command::Hash),
        b"XMD5" => path(|path| Command::HashAs(Hash::Md5, unquoted(&path).to_vec())),
        b"XSHA256" => path(|path| Command::HashAs(Hash::Sha256, unquoted(&path).to_vec())),
        b"AUTH" => match () {
            () if argument.eq_ignore_ascii_case(b"TLS") || argument.eq_ignore_ascii_case(b"TLS-C") => {
                Ok(Command::Auth)
            }
            () => Err(Malformed(504, "Only TLS secures a session here: AUTH TLS.")),
        },
        b"PBSZ" => number(argument)
            .map(|_| Command::Pbsz)
            .ok_or(Malformed(501, "Under TLS the size is zero: PBSZ 0.")),
        b"PROT" => match argument {
            b"P" | b"p" => Ok(Command::Prot(true)),
            b"C" | b"c" => Ok(Command::Prot(false)),
            b"S" | b"s" | b"E" | b"e" => Err(Malformed(536, "TLS protects wholly or not at all: PROT P.")),
            _ => Err(Malformed(504, "There is no such level of protection: PROT P.")),
        },
        b"CCC" => alone(Command::Ccc),
        b"SMNT" | b"ADAT" | b"MIC" | b"CONF" | b"ENC" | b"MLFL" | b"MAIL" | b"MSND" | b"MSOM" | b"MSAM"
        | b"MRSQ" | b"MRCP" | b"LPRT" | b"LPSV" => Err(NOT_HERE),
        _ => Err(UNKNOWN),
    }
}

fn opts(argument: &[u8]) -> Parsed {
    let (what, rest) = word(argument);
    match what.to_ascii_uppercase().as_slice() {
        b"UTF8" | b"UTF-8" if rest.is_empty() || rest.eq_ignore_ascii_case(b"ON") => Ok(Command::Utf8),
        b"UTF8" | b"UTF-8" => Err(Malformed(504, "Names are UTF-8 here, always (RFC 2640).")),
        b"MLST" => Ok(Command::MlstFacts),
        b"HASH" if rest.is_empty() => Ok(Command::UseHash(None)),
        b"HASH" => {
            let named = |hash: &Hash| rest.eq_ignore_ascii_case(hash.name().as_bytes());
            let hash = Hash::ALL.into_iter().find(named);
            hash.map(|hash| Command::UseHash(Some(hash)))
                .ok_or(Malformed(504, "The digests here are MD5 and SHA-256."))
        }
        _ => Err(Malformed(501, "There are options for UTF8, MLST and HASH.")),
    }
}

fn site(argument: &[u8]) -> Parsed {
    let (what, rest) = word(argument);
    match what.to_ascii_uppercase().as_slice() {
        b"HELP" => Ok(Command::SiteHelp),
        b"CHMOD" => {
            let (mode, path) = word(rest);
            let mode =
                str::from_utf8(mode).ok().filter(|mode| mode.bytes().all(|byte| byte.is_ascii_digit()));
            let mode = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok()).filter(|mode| *mode <= 0o7777);
            match mode {
                Some(mode) if !path.is_empty() => Ok(Command::Chmod(mode & 0o777, path.to_vec())),
                _ => Err(Malformed(501, "Permission bits are octal: SITE CHMOD 644 PATH.")),
            }
        }
        // Two forms are in use: with one time in front, and with three behind.
        b"UTIME" => dated(rest, b' ').or_else(|_| utime(rest)),
        _ => Err(Malformed(504, "There is no such SITE command. SITE HELP lists those that there are.")),
    }
}

/// `PATH ATIME MTIME CTIME UTC`.
fn utime(argument: &[u8]) -> Parsed {
    const WRONG: Malformed = Malformed(501, "A time is 14 digits in UTC: SITE UTIME 20261121144500 PATH.");
    let mut parts = argument.rsplitn(5, |&byte| byte == b' ');
    let (zone, _, modified) = (parts.next(), parts.next(), parts.next());
    let path = parts.nth(1).filter(|path| !path.is_empty());
    match (zone, modified.and_then(time::parse), path) {
        (Some(zone), Some(modified), Some(path)) if zone.eq_ignore_ascii_case(b"UTC") => {
            Ok(Command::Mfmt(modified, path.to_vec()))
        }
        _ => Err(WRONG),
    }
}

/// A time and a path. Some clients leave the seconds away, and nothing more.
fn dated(argument: &[u8], between: u8) -> Parsed {
    const WRONG: Malformed =
        Malformed(501, "A time is 14 digits in UTC, and a path follows: MFMT 20261121144500 PATH.");
    let at = argument.iter().position(|&byte| byte == between).ok_or(WRONG)?;
    let (stamp, path) = (&argument[..at], &argument[at + 1..]);
    let time: Option<Time> = match stamp.len() {
        12 => time::parse(&[stamp, b"00"].concat()),
        _ => time::parse(stamp),
    };
    match time {
        Some(time) if !path.is_empty() => Ok(Command::Mfmt(time, path.to_vec())),
        _ => Err(WRONG),
    }
}

fn type_of(argument: &[u8]) -> Parsed {
    match argument.to_ascii_uppercase().as_slice() {
        b"A" | b"A N" => Ok(Command::Type(Type::Ascii)),
        b"I" | b"L 8" | b"L8" => Ok(Command::Type(Type::Image)),
        b"" => Err(Malformed(501, "The type is missing: TYPE I.")),
        _ => Err(Malformed(504, "Files are sent as they are, or as lines: TYPE I or TYPE A.")),
    }
}

fn one_of(argument: &[u8], only: &[u8], other: Malformed) -> Parsed {
    if argument.eq_ignore_ascii_case(only) { Ok(Command::AsItIs) } else { Err(other) }
}

fn list(form: Form, argument: &[u8]) -> Command {
    let (options, path) = options(argument);
    let form = if options.long { Form::Long } else { form };
    Command::List(form, options, path.to_vec())
}

/// Options in front, as `ls` has them, and what follows. One that means nothing here is passed over; `-a` is always on, because
/// who cannot see a name cannot clear its directory away.
fn options(mut argument: &[u8]) -> (Options, &[u8]) {
    let mut options = Options::default();
    while let [b'-', ..] = argument {
        let (these, rest) = word(argument);
        argument = rest;
        if these == b"--" {
            break;
        }
        options.long |= these.contains(&b'l');
        options.recursive |= these.contains(&b'R');
    }
    (options, argument)
}

/// Two bytes, the first and the last, or one and a length of nothing: RANG 1 0 takes a range back.
fn rang(argument: &[u8]) -> Parsed {
    let (first, last) = word(argument);
    match (number(first), number(last)) {
        (Some(1), Some(0)) => Ok(Command::Rang(None)),
        (Some(first), Some(last)) if first <= last => Ok(Command::Rang(Some(first..last.saturating_add(1)))),
        _ => Err(Malformed(501, "A range is its first byte and its last: RANG 0 1023.")),
    }
}

/// `h1,h2,h3,h4,p1,p2` (RFC 959, 5.3.2).
fn port(argument: &[u8]) -> Option<SocketAddr> {
    let mut numbers = [0_u8; 6];
    let mut parts = str::from_utf8(argument).ok()?.split(',');
    for number in &mut numbers {
        *number = parts.next()?.trim().parse().ok()?;
    }
    let [a, b, c, d, high, low] = numbers;
    let address = SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low]));
    parts.next().is_none().then_some(address)
}

/// `|1|192.0.2.1|1025|`, whatever the bar is (RFC 2428, 2).
fn eprt(argument: &[u8]) -> Parsed {
    const WRONG: Malformed = Malformed(501, "An address is written so: EPRT |1|192.0.2.1|1025|.");
    let text = str::from_utf8(argument).map_err(|_| WRONG)?;
    let bar = text.chars().next().filter(char::is_ascii_graphic).ok_or(WRONG)?;
    let parts: Vec<&str> = text.split(bar).collect();
    let ["", family, address, port, ""] = parts[..] else { return Err(WRONG) };
    if !matches!(family, "1" | "2") {
        return Err(Malformed(522, "Network protocol not supported, use (1,2)"));
    }
    let address =
        address.parse::<IpAddr>().ok().filter(|address| address.is_ipv4() == (family == "1")).ok_or(WRONG)?;
    let port = port.parse().map_err(|_| WRONG)?;
    Ok(Command::Port(SocketAddr::new(address, port)))
}

fn unquoted(path: &[u8]) -> &[u8] {
    match path {
        [b'"', inner @ .., b'"'] if !inner.is_empty() => inner,
        _ => path,
    }
}

/// The first word, and what follows the space behind it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|&byte| byte == b' ') {
        Some(at) => (&text[..at], trim_start(&text[at..])),
        None => (text, b""),
    }
}

fn number(text: &[u8]) -> Option<u64> {
    let digits = str::from_utf8(text).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn trim_start(text: &[u8]) -> &[u8] {
    let first = text.iter().position(|&byte| byte != b' ').unwrap_or(text.len());
    &text[first..]
}
