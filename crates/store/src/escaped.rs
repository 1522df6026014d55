//! Bytes that somebody else chose, made fit for a terminal or a log.

use std::fmt;

/// `bytes` for a terminal or a log: what could move a cursor, end a line, hide or reorder text, or is no UTF-8, is shown as
/// `\n`, `\x1b`, `\u{202e}`; a backslash as two, so that no name can pretend.
pub fn escaped(bytes: &[u8]) -> impl fmt::Display {
    Escaped(bytes)
}

struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        for chunk in self.0.utf8_chunks() {
            for char in chunk.valid().chars() {
                match char {
                    '\\' | '\n' | '\r' | '\t' => write!(f, "{}", char.escape_default())?,
                    '\0'..='\x1f' | '\x7f' => write!(f, "\\x{:02x}", char as u32)?,
                    _ if misleads(char) => write!(f, "{}", char.escape_unicode())?,
                    _ => f.write_char(char)?,
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

/// Whether a character that is none of ASCII hides, reorders or separates text, or moves a cursor.
///
/// Unicode categories Cc (above ASCII), Cf, Zl and Zp, and blanks that look like nothing (Unicode 16, DerivedGeneralCategory):
/// C1 controls, soft hyphens, joiners, bidirectional marks, separators of lines, fillers, tags.
pub fn misleads(char: char) -> bool {
    matches!(char,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_and_text_is_left() {
        let cases: [(&[u8], &str); 9] = [
            (b"plain name.txt", "plain name.txt"),
            ("caf\u{e9} \u{1f980}".as_bytes(), "caf\u{e9} \u{1f980}"),
            (b"a\nb\r\t", r"a\nb\r\t"),
            (b"\x1b[31m\x07\x7f\0", r"\x1b[31m\x07\x7f\x00"),
            ("\u{9b}31m".as_bytes(), r"\u{9b}31m"),
            ("\u{202e}gpj.exe".as_bytes(), r"\u{202e}gpj.exe"),
            ("\u{2028}\u{feff}\u{200b}".as_bytes(), r"\u{2028}\u{feff}\u{200b}"),
            (b"\xff\xfeok\xe2\x82", r"\xff\xfeok\xe2\x82"),
            (br"\x1b", r"\\x1b"),
        ];
        for (bytes, shown) in cases {
            assert_eq!(escaped(bytes).to_string(), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_shown_is_a_control_and_no_two_names_look_alike(a: Vec<u8>, b: Vec<u8>) {
            let (shown, other) = (escaped(&a).to_string(), escaped(&b).to_string());
            prop_assert!(!shown.contains(|char: char| char.is_control() || misleads(char)));
            prop_assert_eq!(a == b, shown == other);
        }
    }
}
