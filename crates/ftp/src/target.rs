//! Where to: `[USER@]HOST[:PORT]`, or the URL of a classic server.

mod url;

use std::net::Ipv6Addr;

use crate::failure::{Code, Failure};
use crate::remote::{Scheme, Target};

/// Reads a target. An IPv6 address stands in brackets (RFC 3986, 3.2.2) or, without a port, alone.
///
/// # Errors
/// [`Code::Usage`], which never repeats a password that was written into the target.
pub fn parse(text: &str) -> Result<Target, Failure> {
    if let Some((scheme, rest)) = text.split_once("://") {
        return url::parse(scheme, rest);
    }
    // The last @ counts: an account may be named like a mail address.
    let (user, place) = match text.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, text),
    };
    if user.is_some_and(|user| user.contains(':')) {
        return Err(no_place_for_a_password());
    }
    if user.is_some_and(str::is_empty) {
        return Err(wrong("the user before @ is missing"));
    }
    let (host, port) = server(place)?;
    let user = user.map(str::to_owned);
    Ok(Target { scheme: Scheme::Native, user, host: host.to_owned(), port, path: None })
}

fn no_place_for_a_password() -> Failure {
    Failure::new(Code::Usage, "a password does not belong into the target: others can read it there")
        .with_remedy("Put it into FTP_PASSWORD or --password-file FILE, or type it when asked.")
}

/// The host, and the port if there is one.
fn server(place: &str) -> Result<(&str, Option<u16>), Failure> {
    let (host, port) = host_and_port(place)?;
    if host.is_empty() {
        return Err(wrong("the host is missing"));
    }
    if host.contains(|letter: char| letter.is_whitespace() || letter.is_control() || "/[]".contains(letter)) {
        return Err(wrong(&format!("{host:?} is no host")));
    }
    Ok((host, port.map(port_number).transpose()?))
}

/// Parts the host from what stands behind its colon.
fn host_and_port(place: &str) -> Result<(&str, Option<&str>), Failure> {
    if let Some(bracketed) = place.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']').ok_or_else(|| wrong("a bracket [ is not closed"))?;
        return match (rest.strip_prefix(':'), rest) {
            (Some(port), _) => Ok((host, Some(port))),
            (None, "") => Ok((host, None)),
            (None, _) => Err(wrong(&format!("{rest:?} after the bracket is no port"))),
        };
    }
    match place.split_once(':') {
        None => Ok((place, None)),
        Some((host, port)) if !port.contains(':') => Ok((host, Some(port))),
        Some(_) if place.parse::<Ipv6Addr>().is_ok() => Ok((place, None)),
        Some(_) => Err(wrong(&format!("{place:?} has too many colons"))),
    }
}

fn port_number(text: &str) -> Result<u16, Failure> {
    match text.parse() {
        Ok(port @ 1..) => Ok(port),
        _ => Err(wrong(&format!("{text:?} is no port: 1 to 65535"))),
    }
}

fn wrong(what: &str) -> Failure {
    Failure::new(Code::Usage, what).with_remedy(
        "Write [USER@]HOST[:PORT], an IPv6 address in brackets: alice@nas, nas:10600, alice@[::1]:10600.",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn targets_are_read() {
        for (text, user, host, port) in [
            ("nas", None, "nas", None),
            ("nas:2600", None, "nas", Some(2600)),
            ("alice@nas.example:1", Some("alice"), "nas.example", Some(1)),
            ("alice@example.org@nas", Some("alice@example.org"), "nas", None),
            ("127.0.0.1:65535", None, "127.0.0.1", Some(65535)),
            ("[::1]", None, "::1", None),
            ("[::1]:10600", None, "::1", Some(10600)),
            ("ana@[fe80::1%eth0]:1", Some("ana"), "fe80::1%eth0", Some(1)),
            ("::1", None, "::1", None),
            ("ana@2001:db8::1", Some("ana"), "2001:db8::1", None),
        ] {
            let user = user.map(str::to_owned);
            let wanted = Target { scheme: Scheme::Native, user, host: host.to_owned(), port, path: None };
            assert_eq!(parse(text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn urls_are_read() {
        let target = |scheme, user: Option<&str>, host: &str, port, path: Option<&str>| Target {
            scheme,
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port,
            path: path.map(str::to_owned),
        };
        for (text, wanted) in [
            ("ftp://nas", target(Scheme::Ftp, None, "nas", None, None)),
            ("FTP://nas/", target(Scheme::Ftp, None, "nas", None, None)),
            ("ftps://ana@nas:99", target(Scheme::Ftps, Some("ana"), "nas", Some(99), None)),
            ("ftp://ana:@nas/pub/a%20b", target(Scheme::Ftp, Some("ana"), "nas", None, Some("pub/a b"))),
            (
                "ftp://a%40b@[::1]:2121/%2Fetc",
                target(Scheme::Ftp, Some("a@b"), "::1", Some(2121), Some("/etc")),
            ),
            ("ftp://nas//etc/", target(Scheme::Ftp, None, "nas", None, Some("/etc/"))),
            ("ftp://nas/b%C3%A4r/", target(Scheme::Ftp, None, "nas", None, Some("b\u{e4}r/"))),
            ("ftp://nas/a@b:c", target(Scheme::Ftp, None, "nas", None, Some("a@b:c"))),
        ] {
            assert_eq!(parse(text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn a_wrong_target_says_what_is_wrong() {
        for (text, wanted) in [
            ("", "the host is missing"),
            ("ana@", "the host is missing"),
            (":1", "the host is missing"),
            ("@nas", "the user before @ is missing"),
            ("nas:", "\"\" is no port: 1 to 65535"),
            ("nas:0", "\"0\" is no port: 1 to 65535"),
            ("nas:65536", "\"65536\" is no port: 1 to 65535"),
            ("nas:ftp", "\"ftp\" is no port: 1 to 65535"),
            ("[::1", "a bracket [ is not closed"),
            ("[::1]10600", "\"10600\" after the bracket is no port"),
            ("a:b:c", "\"a:b:c\" has too many colons"),
            ("http://nas", "\"http\" is not spoken here"),
            ("ftp://", "the host is missing"),
            ("ftp://a@/x", "the host is missing"),
            ("ftp://@nas", "the user before @ is missing"),
            ("ftp://nas:0", "\"0\" is no port: 1 to 65535"),
            ("ftp://nas/%zz", "%zz is no byte: % and two hexadecimal digits"),
            ("ftp://nas/%", "% is no byte: % and two hexadecimal digits"),
            ("ftp://nas/%ff", "it is not UTF-8"),
            ("ftp://nas/a%0ab", "it has a control character in it"),
            ("ftp://a%00@nas", "it has a control character in it"),
            ("nas/dir", "\"nas/dir\" is no host"),
            ("na s", "\"na s\" is no host"),
        ] {
            let failure = parse(text).unwrap_err();
            assert_eq!((failure.code, failure.message.as_str()), (Code::Usage, wanted), "{text}");
            assert!(failure.remedy.is_some());
        }
    }

    #[test]
    fn a_password_in_the_target_is_refused_and_not_repeated() {
        for text in ["alice:hunter2@nas", "ftp://alice:hunter2@nas/x", "ftps://alice:hunter2%zz@nas"] {
            let failure = parse(text).unwrap_err();
            assert!(!failure.to_string().contains("hunter2"), "{text}");
            assert!(failure.to_string().contains("FTP_PASSWORD"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_target_or_a_usage_error(text in any::<String>()) {
            match parse(&text) {
                Ok(target) => prop_assert!(!target.host.is_empty()),
                Err(failure) => prop_assert_eq!(failure.code, Code::Usage),
            }
        }
    }
}
