//! The URL of a classic server: `ftp://[USER@]HOST[:PORT][/PATH]`, and `ftps://` (RFC 1738, section 3.2; RFC 3986).

use super::{no_place_for_a_password, server, wrong};
use crate::failure::{Code, Failure};
use crate::remote::{Scheme, Target};

/// Reads what stands before and behind `://`. A path begins where the login leads to; one that begins with a second slash or
/// `%2F` begins at the root.
pub(super) fn parse(scheme: &str, rest: &str) -> Result<Target, Failure> {
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "ftp" => Scheme::Ftp,
        "ftps" => Scheme::Ftps,
        _ => return Err(unspoken(scheme)),
    };
    let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, place) = match place.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, place),
    };
    let user = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
        Some((_, password)) if !password.is_empty() => return Err(no_place_for_a_password()),
        Some(("", _)) => return Err(wrong("the user before @ is missing")),
        Some((user, _)) => Some(decoded(user)?),
        None => None,
    };
    let (host, port) = server(place)?;
    let path = if path.is_empty() { None } else { Some(decoded(path)?) };
    Ok(Target { scheme, user, host: host.to_owned(), port, path })
}

/// Replaces `%` and two hexadecimal digits by the byte that they mean (RFC 3986, section 2.1).
fn decoded(text: &str) -> Result<String, Failure> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            let digits: String = part.chars().take(2).collect();
            return Err(wrong(&format!("%{digits} is no byte: % and two hexadecimal digits")));
        };
        bytes.push(byte);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
    if text.contains(char::is_control) {
        return Err(wrong("it has a control character in it"));
    }
    Ok(text)
}

fn unspoken(scheme: &str) -> Failure {
    Failure::new(Code::Usage, format!("{scheme:?} is not spoken here"))
        .with_remedy("Write ftp://[USER@]HOST[:PORT][/PATH] or ftps://… for a classic server, [USER@]HOST[:PORT] for ftpd.")
}
