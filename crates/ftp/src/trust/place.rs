//! A host and its port, by which a key is known.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use rustls::pki_types::ServerName;

/// `host:port`, an IPv6 address in brackets (RFC 3986, 3.2.2). However a host is written, it is one place: names are in lower
/// case, addresses in their canonical form (RFC 5952).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    host: String,
    port: u16,
}

impl Place {
    /// The place of `host` as its user wrote it, without brackets.
    pub(crate) fn new(host: &str, port: u16) -> Place {
        let (address, zone) =
            host.split_once('%').map_or((host, None), |(address, zone)| (address, Some(zone)));
        let host = match (address.parse::<IpAddr>(), zone) {
            (Ok(address), None) => address.to_string(),
            (Ok(address), Some(zone)) => format!("{address}%{zone}"),
            (Err(_), _) => host.to_ascii_lowercase(),
        };
        Place { host, port }
    }

    /// The name that a certificate must be valid for (RFC 9525); `None` if no certificate could be.
    pub(crate) fn server_name(&self) -> Option<ServerName<'static>> {
        match self.host.split_once('%') {
            Some((address, _)) => {
                address.parse::<IpAddr>().ok().map(|address| ServerName::IpAddress(address.into()))
            }
            None => ServerName::try_from(self.host.clone()).ok(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Place, &'static str> {
        let (host, port) = text.rsplit_once(':').ok_or("the port is missing: HOST:PORT SHA256:…")?;
        let port = match port.parse() {
            Ok(port @ 1..) => port,
            _ => return Err("the port is none: 1 to 65535"),
        };
        let host = match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
            Some(Some(inner))
                if inner.split('%').next().is_some_and(|part| part.parse::<Ipv6Addr>().is_ok()) =>
            {
                inner
            }
            Some(_) => return Err("brackets are for an IPv6 address: [::1]:10600"),
            None if host.contains(':') => return Err("an IPv6 address stands in brackets: [::1]:10600"),
            None => host,
        };
        // Such a host would never be met, and the line would not do what its writer thinks.
        let odd = |letter: char| letter.is_whitespace() || letter.is_control() || "/[]@*,|#".contains(letter);
        if host.is_empty() || host.contains(odd) || store::escaped(host.as_bytes()).to_string() != host {
            return Err("the host is none");
        }
        Ok(Place::new(host, port))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_has_one_form() {
        for (text, wanted) in [
            ("nas:10600", "nas:10600"),
            ("NAS.Example:1", "nas.example:1"),
            ("127.0.0.1:65535", "127.0.0.1:65535"),
            ("[::1]:10600", "[::1]:10600"),
            ("[0:0:0:0:0:0:0:1]:10600", "[::1]:10600"),
            ("[FE80::1%eth0]:10600", "[fe80::1%eth0]:10600"),
        ] {
            assert_eq!(text.parse::<Place>().map(|place| place.to_string()), Ok(wanted.to_owned()), "{text}");
        }
        assert_eq!(Place::new("::0001", 1), "[::1]:1".parse().unwrap());
        assert_ne!(Place::new("nas", 1), Place::new("nas", 2));
    }

    #[test]
    fn what_is_no_place_is_told() {
        for text in [
            "",
            "nas",
            ":1",
            "nas:",
            "nas:0",
            "nas:65536",
            "nas:+1x",
            "::1:10600",
            "[nas]:1",
            "[::1:1",
            "a,b:1",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
        for host in ["*", "na#s", "\u{feff}nas", "na\u{202e}s", "alice@nas"] {
            assert!(format!("{host}:1").parse::<Place>().is_err(), "{host}");
        }
    }

    #[test]
    fn a_certificate_can_be_valid_for_names_and_addresses() {
        for host in ["nas", "nas.example", "192.0.2.1", "::1", "fe80::1%eth0", "na_s"] {
            assert!(Place::new(host, 1).server_name().is_some(), "{host}");
        }
        for host in ["näs", "a..b", "nas%eth0"] {
            assert!(Place::new(host, 1).server_name().is_none(), "{host}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(host in "[a-zA-Z0-9._-]{1,40}|::[0-9a-f]{1,4}", port in 1u16..) {
            let place = Place::new(&host, port);
            prop_assert_eq!(place.to_string().parse::<Place>(), Ok(place));
        }

        #[test]
        fn no_text_is_too_odd(text: String) {
            if let Ok(place) = text.parse::<Place>() {
                prop_assert_eq!(place.to_string().parse::<Place>(), Ok(place));
            }
        }
    }
}
