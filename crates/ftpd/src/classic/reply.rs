//! Replies as they are written: a code, and a line or several (RFC 959, 4.2).

/// What the peer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    text: Vec<u8>,
    /// Lines between the first and the last.
    between: Vec<Vec<u8>>,
}

impl Reply {
    /// One line.
    pub(super) fn new(code: u16, text: impl Into<Vec<u8>>) -> Reply {
        Reply { code, text: text.into(), between: Vec::new() }
    }

    /// Lines between a first and a last, each of which begins with a space of its own, so that none looks like the last.
    pub(super) fn with(mut self, lines: impl IntoIterator<Item = Vec<u8>>) -> Reply {
        self.between.extend(lines);
        self
    }

    /// Whether it says that something was not done.
    pub(super) fn refuses(&self) -> bool {
        self.code >= 400
    }

    /// The last line's text, for a log.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Appends it as it goes out. What would end a line or begin telnet's own is taken out of names.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        if !self.between.is_empty() {
            self.line(out, b'-', first_word(&self.text));
            for line in &self.between {
                out.push(b' ');
                out.extend(line.iter().copied().filter(carried));
                out.extend_from_slice(b"\r\n");
            }
        }
        self.line(out, b' ', &self.text);
    }

    fn line(&self, out: &mut Vec<u8>, between: u8, text: &[u8]) {
        out.extend_from_slice(format!("{:03}", self.code).as_bytes());
        out.push(between);
        out.extend(text.iter().copied().filter(carried));
        out.extend_from_slice(b"\r\n");
    }
}

/// A reply of several lines opens with the word that it closes with.
fn first_word(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == b' ').next().unwrap_or_default()
}

/// What has a place on a line: all else that a name may hold goes out as it is on the disk, or a client would ask for another one.
/// In UTF-8 no byte is telnet's IAC.
fn carried(byte: &u8) -> bool {
    *byte != 255 && !breaks_line(byte)
}

/// What no line can hold (RFC 959, 5.3.1; RFC 854).
pub(super) fn breaks_line(byte: &u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0)
}

/// A name in quotes, those in it twice (RFC 959, appendix II).
pub(super) fn quoted(name: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for &byte in name {
        quoted.extend_from_slice(if byte == b'"' { b"\"\"" } else { std::slice::from_ref(&byte) });
    }
    quoted.push(b'"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.encode(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_line_or_several_end_with_the_code_and_a_space() {
        assert_eq!(encoded(&Reply::new(200, "Done.")), "200 Done.\r\n");
        let features = Reply::new(211, "End").with([b"UTF8".to_vec(), b"SIZE".to_vec()]);
        assert_eq!(encoded(&features), "211-End\r\n UTF8\r\n SIZE\r\n211 End\r\n");
    }

    #[test]
    fn no_name_makes_a_line_of_its_own() {
        let name = b"a\r\n226 Done.\r\n\xff\"b".to_vec();
        assert_eq!(encoded(&Reply::new(257, quoted(&name))), "257 \"a226 Done.\"\"b\"\r\n");
        assert_eq!(encoded(&Reply::new(213, "x").with([name])), "213-x\r\n a226 Done.\"b\r\n213 x\r\n");
        assert_eq!(encoded(&Reply::new(257, quoted(b"\x1b[2J\x7f"))), "257 \"\x1b[2J\x7f\"\r\n", "as it is");
    }
}
