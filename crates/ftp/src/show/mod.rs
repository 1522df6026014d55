//! What people see: names, listings, sizes, receipts. Pure; nothing here writes.

pub(crate) mod help;
pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod listing;
pub(crate) mod report;

use std::borrow::Cow;

/// What standard output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Surface {
    /// Columns of the terminal; `None` if it is none.
    pub(crate) width: Option<usize>,
    /// Whether colours are welcome there.
    pub(crate) colour: bool,
}

impl Surface {
    /// A name as it may appear here: on a terminal escaped, elsewhere as it is, so that programs can use it; except that
    /// what could end a line, or is no text, is escaped everywhere. So is a backslash, as by `ls -b`: only then it shows which
    /// names were.
    pub(crate) fn name<'a>(&self, name: &'a [u8]) -> Cow<'a, str> {
        match str::from_utf8(name) {
            Ok(text)
                if self.width.is_none() && !text.contains(|char: char| char == '\\' || char.is_control()) =>
            {
                Cow::Borrowed(text)
            }
            _ => Cow::Owned(store::escaped(name).to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const PIPE: Surface = Surface { width: None, colour: false };
    const TERMINAL: Surface = Surface { width: Some(80), colour: true };

    #[test]
    fn a_pipe_gets_names_as_they_are_and_a_terminal_escaped() {
        for plain in ["a b", "日本", "it's"] {
            assert_eq!(PIPE.name(plain.as_bytes()), plain);
            assert_eq!(TERMINAL.name(plain.as_bytes()), plain);
        }
        let reversed = "a\u{202e}b";
        assert_eq!(PIPE.name(reversed.as_bytes()), reversed);
        assert_eq!(TERMINAL.name(reversed.as_bytes()), r"a\u{202e}b");
    }

    #[test]
    fn no_two_names_look_alike() {
        for surface in [PIPE, TERMINAL] {
            let shown = [b"a\nb".as_slice(), br"a\nb", br"a\\nb"].map(|name| surface.name(name));
            assert_eq!(shown, [r"a\nb", r"a\\nb", r"a\\\\nb"]);
        }
    }

    #[test]
    fn what_could_forge_a_line_is_escaped_everywhere() {
        for name in [b"a\nb".as_slice(), b"\x1b[2J", b"a\xffb", "\u{9b}2J".as_bytes()] {
            for surface in [PIPE, TERMINAL] {
                let shown = surface.name(name);
                assert!(shown.contains('\\') && !shown.contains(char::is_control), "{shown:?}");
            }
        }
    }
}
