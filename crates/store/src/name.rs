//! One part of a remote path, checked once and for all.

use crate::error::{Error, Kind};

/// What the name of every stage begins with; no other name may.
pub(crate) const RESERVED: &str = ".ftpd~";

/// What the name of a stage begins with that is kept when its writer goes, to be gone on with.
pub(crate) const KEPT: &str = ".ftpd~keep~";

/// One part of a remote path: 1 to 255 bytes of UTF-8, without `/` and NUL, neither `.` nor `..`, and not of a stage.
///
/// 255 bytes is NAME_MAX of every common file system (POSIX, `limits.h`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Box<str>);

impl Name {
    /// The name that `bytes` spell.
    ///
    /// # Errors
    /// [`Kind::InvalidName`].
    pub fn parse(bytes: &[u8]) -> Result<Name, Error> {
        match str::from_utf8(bytes) {
            Ok(text)
                if (1..=255).contains(&text.len())
                    && text != "."
                    && text != ".."
                    && !text.contains(['/', '\0'])
                    && !text.starts_with(RESERVED) =>
            {
                Ok(Name(text.into()))
            }
            _ => Err(Kind::InvalidName.into()),
        }
    }

    /// The name as text; it may hold control characters, so show it [`escaped`](crate::escaped()).
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_stored_is_a_name() {
        let long = "x".repeat(255);
        for name in ["a", " ", "...", "..a", "-rf", "\u{1f980}", "a\nb", "\\", ".ftpd", "x.ftpd~", &long] {
            assert_eq!(Name::parse(name.as_bytes()).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_could_escape_hide_or_not_be_stored_is_none() {
        let long = "x".repeat(256);
        let wide = "\u{1f980}".repeat(64); // 256 bytes in 64 characters
        let spelled: [&[u8]; 12] = [
            b"",
            b".",
            b"..",
            b"/",
            b"a/b",
            b"a\0",
            b"\0",
            b"\xff",
            b"..\xc0\xaf", // an overlong slash is no UTF-8
            b".ftpd~",
            long.as_bytes(),
            wide.as_bytes(),
        ];
        for bytes in spelled.into_iter().chain([b".ftpd~0123456789ab".as_slice()]) {
            assert_eq!(Name::parse(bytes).unwrap_err().kind(), Kind::InvalidName, "{bytes:?}");
        }
    }
}
