//! Whether a server is to be trusted: what is known of it in, what to do out. Nothing here reads, asks or writes.

use std::str::FromStr;

use proto::Fingerprint;

/// What `--trust` says about a key that nobody vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Ask at the terminal.
    Ask,
    /// Record it.
    New,
    /// This key and no other; `known_hosts` is not looked at.
    Pin(Fingerprint),
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Mode, String> {
        match text {
            "ask" => Ok(Mode::Ask),
            "new" => Ok(Mode::New),
            _ => {
                text.parse().map(Mode::Pin).map_err(|error| format!("it is neither ask nor new, and {error}"))
            }
        }
    }
}

/// Whether the system's roots vouch for the certificate, and for the host in it (RFC 5280, section 6; RFC 9525).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Public {
    /// Nobody looked yet: to read the roots takes time, and mostly it is not needed.
    NotLooked,
    Valid,
    Invalid,
}

/// All that a verdict depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) mode: Mode,
    /// The keys that are known of this host and port.
    pub(super) known: &'a [Fingerprint],
    /// The key that the server has proved to hold.
    pub(super) offered: Fingerprint,
    pub(super) public: Public,
    /// The connection leads to a loopback address.
    pub(super) loopback: bool,
    /// There is a terminal to ask at.
    pub(super) terminal: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on.
    Accept,
    /// Go on once the key is recorded.
    Record,
    /// Ask whether to go on, and record the key then.
    Ask,
    /// It depends on the system's roots: look, and ask again.
    LookAtRoots,
    /// Stop: the key is unknown.
    Unknown,
    /// Stop: it is not the key that is known.
    Changed,
    /// Stop: it is not the key that was named.
    NotPinned,
}

/// The verdict. A key that is known rules, even over a certificate that is publicly valid: whoever can get one of those, for
/// an hour, does not become the server that was here yesterday.
pub(super) fn verdict(case: &Case<'_>) -> Verdict {
    if let Mode::Pin(pinned) = case.mode {
        return if case.offered == pinned { Verdict::Accept } else { Verdict::NotPinned };
    }
    if !case.known.is_empty() {
        return if case.known.contains(&case.offered) { Verdict::Accept } else { Verdict::Changed };
    }
    match case.public {
        Public::NotLooked => Verdict::LookAtRoots,
        Public::Valid => Verdict::Accept,
        Public::Invalid if case.mode == Mode::New => Verdict::Record,
        Public::Invalid if case.terminal => Verdict::Ask,
        Public::Invalid if case.loopback => Verdict::Record,
        Public::Invalid => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Fingerprint {
        let letter = char::from(b'A' + number);
        format!("SHA256:{letter}{}=", "A".repeat(42)).parse().unwrap()
    }

    #[test]
    fn every_case_has_its_verdict() {
        let (offered, other, third) = (key(0), key(1), key(2));
        let mut seen = 0;
        for mode in [Mode::Ask, Mode::New, Mode::Pin(offered), Mode::Pin(other)] {
            for known in [&[][..], &[offered], &[other], &[other, offered], &[other, third]] {
                for public in [Public::NotLooked, Public::Valid, Public::Invalid] {
                    for (loopback, terminal) in [(false, false), (false, true), (true, false), (true, true)] {
                        let told = verdict(&Case { mode, known, offered, public, loopback, terminal });
                        let wanted = match (mode, known, public, terminal, loopback) {
                            (Mode::Pin(pin), ..) if pin == offered => Verdict::Accept,
                            (Mode::Pin(_), ..) => Verdict::NotPinned,
                            (_, [only], ..) if *only == other => Verdict::Changed,
                            (_, [first, second], ..) if (*first, *second) == (other, third) => {
                                Verdict::Changed
                            }
                            (_, [_, ..], ..) => Verdict::Accept,
                            (_, [], Public::NotLooked, ..) => Verdict::LookAtRoots,
                            (_, [], Public::Valid, ..) => Verdict::Accept,
                            (Mode::New, [], Public::Invalid, ..) => Verdict::Record,
                            (Mode::Ask, [], Public::Invalid, true, _) => Verdict::Ask,
                            (Mode::Ask, [], Public::Invalid, false, true) => Verdict::Record,
                            (Mode::Ask, [], Public::Invalid, false, false) => Verdict::Unknown,
                        };
                        assert_eq!(told, wanted, "{mode:?} {known:?} {public:?} {loopback} {terminal}");
                        seen += 1;
                    }
                }
            }
        }
        assert_eq!(seen, 4 * 5 * 3 * 4);
    }

    #[test]
    fn a_mode_is_a_word_or_a_fingerprint() {
        assert_eq!("ask".parse(), Ok(Mode::Ask));
        assert_eq!("new".parse(), Ok(Mode::New));
        assert_eq!(key(3).to_string().parse(), Ok(Mode::Pin(key(3))));
        for text in ["", "yes", "NEW", "SHA256:", "SHA256:AAAA", "accept-new"] {
            let told = text.parse::<Mode>().unwrap_err();
            assert!(told.contains("ask") && told.contains("SHA256:"), "{told}");
        }
    }
}
