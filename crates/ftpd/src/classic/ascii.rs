//! Type A (RFC 959, 3.1.1.1): lines end with LF on disk and with CRLF on the wire. Bytes in, bytes out, however they are cut.

/// To the wire: each LF that has no CR before it gets one.
#[derive(Debug, Default)]
pub(super) struct ToWire {
    after_cr: bool,
}

impl ToWire {
    pub(super) fn convert(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            if byte == b'\n' && !self.after_cr {
                out.push(b'\r');
            }
            self.after_cr = byte == b'\r';
            out.push(byte);
        }
    }
}

/// From the wire: each CRLF becomes LF; a CR alone stays.
#[derive(Debug, Default)]
pub(super) struct FromWire {
    held_cr: bool,
}

impl FromWire {
    pub(super) fn convert(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            if self.held_cr && byte != b'\n' {
                out.push(b'\r');
            }
            self.held_cr = byte == b'\r';
            if !self.held_cr {
                out.push(byte);
            }
        }
    }

    /// What was held back until the end.
    pub(super) fn finish(self) -> &'static [u8] {
        if self.held_cr { b"\r" } else { b"" }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn to_wire(bytes: &[u8], piece: usize) -> Vec<u8> {
        let (mut converter, mut out) = (ToWire::default(), Vec::new());
        bytes.chunks(piece).for_each(|piece| converter.convert(piece, &mut out));
        out
    }

    fn from_wire(bytes: &[u8], piece: usize) -> Vec<u8> {
        let (mut converter, mut out) = (FromWire::default(), Vec::new());
        bytes.chunks(piece).for_each(|piece| converter.convert(piece, &mut out));
        out.extend_from_slice(converter.finish());
        out
    }

    #[test]
    fn lines_end_as_they_should_on_either_side() {
        for piece in 1..6 {
            assert_eq!(to_wire(b"a\nb\r\n\n\rc", piece), b"a\r\nb\r\n\r\n\rc");
            assert_eq!(from_wire(b"a\r\nb\n\r\r\nc\r", piece), b"a\nb\n\r\nc\r");
        }
    }

    proptest! {
        #[test]
        fn text_comes_back_as_it_was(text in "[a-z \n]{0,60}", there in 1usize..9, back in 1usize..9) {
            prop_assert_eq!(from_wire(&to_wire(text.as_bytes(), there), back), text.as_bytes());
        }
    }
}
