//! The control connection as lines (RFC 959, 5.3; RFC 1123, 4.1.2.12): bytes in, lines out, telnet's own bytes taken out.

/// Bytes of a line without its end: the longest command with the longest path, and room for options.
pub(super) const LONGEST: usize = 8192;

/// Bytes of one line that are passed over before its sender is given up.
const ENDLESS: usize = 1024 * 1024;

const IAC: u8 = 255;
const DATA_MARK: u8 = 242;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// More bytes are needed.
    More,
    /// A line, without its end.
    Line(Vec<u8>),
    /// A line that cannot be a command; it is passed over.
    Bad(Fault),
}

/// Why a line cannot be a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is longer than [`LONGEST`].
    TooLong,
    /// It has no end within all reason; nothing that follows will be understood.
    Endless,
    /// It holds a NUL, or a CR that ends nothing.
    Stray,
}

/// Where telnet's bytes stand (RFC 854).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Telnet {
    #[default]
    Data,
    /// After IAC.
    Command,
    /// After WILL, WON'T, DO or DON'T.
    Option,
    /// In a subnegotiation.
    Sub,
    /// After IAC in one.
    SubCommand,
}

/// Turns bytes into lines. It keeps no more than one line and what was given at once.
#[derive(Debug, Default)]
pub(super) struct Lines {
    waiting: Vec<u8>,
    at: usize,
    line: Vec<u8>,
    telnet: Telnet,
    /// Bytes of a line that is too long.
    passed: usize,
}

impl Lines {
    /// Takes what came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.waiting.drain(..self.at);
        self.at = 0;
        self.waiting.extend_from_slice(bytes);
    }

    /// Whether bytes came that are no line yet, or not yet asked for.
    pub(super) fn holds_more(&self) -> bool {
        self.at < self.waiting.len() || !self.line.is_empty()
    }

    /// The next line, if it is there whole.
    pub(super) fn next(&mut self) -> Next {
        while let Some(&byte) = self.waiting.get(self.at) {
            self.at += 1;
            let Some(byte) = self.data(byte) else { continue };
            if byte == b'\n' {
                return self.end();
            }
            if self.line.is_empty() && byte == DATA_MARK {
                continue; // urgent data that lost its IAC on the way
            }
            if self.passed > 0 || self.line.len() == LONGEST + 1 {
                self.passed += 1;
                if self.passed == ENDLESS {
                    return Next::Bad(Fault::Endless);
                }
            } else {
                self.line.push(byte);
            }
        }
        Next::More
    }

    /// The byte, unless it is telnet's.
    fn data(&mut self, byte: u8) -> Option<u8> {
        let (next, data) = match (self.telnet, byte) {
            (Telnet::Data, IAC) => (Telnet::Command, None),
            (Telnet::Data, _) => (Telnet::Data, Some(byte)),
            (Telnet::Command, IAC) => (Telnet::Data, Some(IAC)),
            (Telnet::Command, 250) => (Telnet::Sub, None),
            (Telnet::Command, 251..=254) => (Telnet::Option, None),
            // What is no command of telnet's was data, and IAC lost its way.
            (Telnet::Command, 0..=239) => (Telnet::Data, Some(byte)),
            (Telnet::Command | Telnet::Option, _) => (Telnet::Data, None),
            (Telnet::Sub, IAC) => (Telnet::SubCommand, None),
            (Telnet::Sub, b'\n') => (Telnet::Data, Some(byte)), // no negotiation is longer than a line
            (Telnet::Sub, _) => (Telnet::Sub, None),
            (Telnet::SubCommand, 240) => (Telnet::Data, None),
            (Telnet::SubCommand, _) => (Telnet::Sub, None),
        };
        self.telnet = next;
        data
    }

    fn end(&mut self) -> Next {
        let mut line = std::mem::take(&mut self.line);
        let passed = std::mem::take(&mut self.passed);
        while line.last() == Some(&b'\r') {
            line.pop(); // a client that makes CRLF of its own LF says two
        }
        match () {
            () if passed > 0 || line.len() > LONGEST => Next::Bad(Fault::TooLong),
            // Who ends lines with CR alone says two commands in one, and the second may be a password.
            () if line.iter().any(|byte| matches!(byte, 0 | b'\r')) => Next::Bad(Fault::Stray),
            () => Next::Line(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8], piece: usize) -> Vec<Next> {
        let (mut lines, mut told) = (Lines::default(), Vec::new());
        for piece in bytes.chunks(piece.max(1)) {
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

    fn line(text: &str) -> Next {
        Next::Line(text.into())
    }

    #[test]
    fn lines_end_with_crlf_or_lf_alone() {
        for piece in 1..9 {
            assert_eq!(
                all(b"USER a\r\nPASS b c \nNOOP\r\r\nX", piece),
                [line("USER a"), line("PASS b c "), line("NOOP")]
            );
            assert_eq!(
                all(b"USER a\rPASS b\r\n\rNOOP\n", piece),
                [Next::Bad(Fault::Stray), Next::Bad(Fault::Stray)]
            );
            assert_eq!(all(b"\r\n\n", piece), [line(""), line("")]);
        }
    }

    #[test]
    fn telnet_is_taken_out_wherever_it_stands() {
        let aborts: [&[u8]; 7] = [
            b"\xff\xf4\xff\xf2ABOR\r\n",
            b"\xff\xf4\xf2ABOR\r\n",
            b"\xf2ABOR\r\n",
            b"\xff\xf4\xffABOR\r\n", // the mark itself was urgent, and taken out
            b"\xff\xfd\x06ABOR\r\n",
            b"\xff\xfa\x18\x00xyz\xff\xf0ABOR\r\n",
            b"AB\xff\xf1OR\r\n",
        ];
        for bytes in aborts {
            for piece in 1..6 {
                assert_eq!(all(bytes, piece), [line("ABOR")], "{bytes:x?} by {piece}");
            }
        }
        assert_eq!(all(b"a\xff\xffb\n", 9), [Next::Line(b"a\xffb".to_vec())]);
    }

    #[test]
    fn what_is_too_long_or_has_a_nul_is_told_and_the_next_line_is_heard() {
        let text = [
            &[b'x'; LONGEST][..],
            b"\r\n",
            &[b'y'; LONGEST + 1],
            b"\r\n",
            &[b'z'; 99_999],
            b"\nA\0B\r\nNOOP\r\n",
        ];
        let told = all(&text.concat(), 4096);
        assert_eq!(told.len(), 5);
        assert!(matches!(&told[0], Next::Line(line) if line.len() == LONGEST));
        let bad = Next::Bad(Fault::TooLong);
        assert_eq!(told[1..], [bad, Next::Bad(Fault::TooLong), Next::Bad(Fault::Stray), line("NOOP")]);
    }

    #[test]
    fn a_line_without_an_end_is_given_up_and_little_of_it_is_kept() {
        let mut lines = Lines::default();
        for _ in 0..ENDLESS / 65536 {
            lines.push(&[b'x'; 65536]);
            assert_eq!(lines.next(), Next::More);
            assert!(lines.line.len() <= LONGEST + 1 && lines.waiting.len() <= 65536);
        }
        lines.push(&[b'x'; 65536]);
        assert_eq!(lines.next(), Next::Bad(Fault::Endless));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_bytes_are_cut(bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(255), any::<u8>()], 0..200), piece in 1usize..20) {
            prop_assert_eq!(all(&bytes, piece), all(&bytes, 200));
        }
    }
}
