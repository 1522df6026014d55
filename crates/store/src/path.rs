//! A path inside a home: names from its root on, with nothing in it that climbs.

use std::fmt;
use std::path::PathBuf;

use crate::error::{Error, Kind};
use crate::name::Name;

/// Bytes that a path may have, as text and once resolved: PATH_MAX of Linux, its leading `/` in the place of the final NUL.
pub(crate) const MAX: usize = 4096;

/// An absolute path inside a home: a list of names.
///
/// Shown, it is `/a/b`; it may hold control characters, so show it [`escaped`](crate::escaped()).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HomePath {
    names: Vec<Name>,
}

impl HomePath {
    /// The home itself.
    pub fn root() -> HomePath {
        HomePath::default()
    }

    /// Where `text` leads from here. A leading `/` starts at the root, empty parts and `.` stay, `..` climbs, and at the root
    /// stays, too. It climbs as text does: out of a directory that was entered by a link, back to where the link is.
    ///
    /// # Errors
    /// [`Kind::InvalidName`] if `text` or the result exceeds 4096 bytes, or a part is no [`Name`].
    pub fn resolve(&self, text: &[u8]) -> Result<HomePath, Error> {
        if text.len() > MAX {
            return Err(Kind::InvalidName.into());
        }
        let mut names = if text.starts_with(b"/") { Vec::new() } else { self.names.clone() };
        for part in text.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(names.pop()),
                _ => names.push(Name::parse(part)?),
            }
        }
        let length: usize = names.iter().map(|name| 1 + name.as_str().len()).sum();
        if length > MAX {
            return Err(Kind::InvalidName.into());
        }
        Ok(HomePath { names })
    }

    /// The directory that holds this; of the root, the root.
    pub fn parent(&self) -> HomePath {
        let above = self.names.len().saturating_sub(1);
        HomePath { names: self.names[..above].to_vec() }
    }

    /// The last part; the root has none.
    pub fn name(&self) -> Option<&Name> {
        self.names.last()
    }

    /// `name` in this directory.
    pub fn join(&self, name: &Name) -> HomePath {
        let names = self.names.iter().chain([name]).cloned().collect();
        HomePath { names }
    }

    /// As the kernel wants it, from an opened home on.
    pub(crate) fn relative(&self) -> PathBuf {
        relative(&self.names)
    }

    /// The same of the directory that holds this.
    pub(crate) fn relative_parent(&self) -> PathBuf {
        relative(&self.names[..self.names.len().saturating_sub(1)])
    }
}

fn relative(names: &[Name]) -> PathBuf {
    if names.is_empty() { ".".into() } else { names.iter().map(Name::as_str).collect() }
}

impl fmt::Display for HomePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.names.is_empty() {
            return f.write_str("/");
        }
        self.names.iter().try_for_each(|name| write!(f, "/{}", name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> HomePath {
        HomePath::root().resolve(text.as_bytes()).unwrap()
    }

    #[test]
    fn parts_resolve_as_text_and_stop_at_the_root() {
        let cases = [
            ("/a/b", "", "/a/b"),
            ("/a/b", ".", "/a/b"),
            ("/a/b", "..", "/a"),
            ("/a/b", "../..", "/"),
            ("/a/b", "../../../../etc/passwd", "/etc/passwd"),
            ("/a/b", "/", "/"),
            ("/a/b", "//c//", "/c"),
            ("/a/b", "c/./../d/", "/a/b/d"),
            ("/", "..", "/"),
            ("/", "/../..//.", "/"),
            ("/", ".../..a", "/.../..a"),
        ];
        for (from, text, to) in cases {
            assert_eq!(at(from).resolve(text.as_bytes()).unwrap().to_string(), to, "{from} {text}");
        }
    }

    #[test]
    fn a_part_that_is_no_name_spoils_the_path_even_if_it_is_left_again() {
        for text in [b"a\0/..".as_slice(), b"a/\xff", b"x/.ftpd~1", b"/.ftpd~1/../a", &[b'x'; 256]] {
            assert_eq!(HomePath::root().resolve(text).unwrap_err().kind(), Kind::InvalidName);
        }
    }

    #[test]
    fn length_is_bounded_as_text_and_as_result() {
        let longest = "/".to_owned() + &"a/".repeat(2047) + "a";
        assert_eq!(at(&longest).to_string().len(), 4096);
        assert!(at(&longest).resolve(b"b").is_err(), "4098 bytes in all");
        assert!(HomePath::root().resolve(&[b'/'; 4096]).is_ok());
        assert!(HomePath::root().resolve(&[b'/'; 4097]).is_err());
    }

    #[test]
    fn parent_name_and_join_agree() {
        let path = at("/a/b");
        assert_eq!(path.parent().join(path.name().unwrap()), path);
        assert_eq!(HomePath::root().parent(), HomePath::root());
        assert_eq!(HomePath::root().name(), None);
    }

    proptest! {
        #[test]
        fn whatever_the_text_the_path_holds_only_names_and_is_stable(
            from in "(/[a-z.]{1,3}){0,5}", text in prop::collection::vec(prop_oneof![
                3 => Just(b'/'), 3 => Just(b'.'), 1 => Just(0), 1 => any::<u8>(), 2 => b'a'..=b'c',
            ], 0..64),
        ) {
            let from = HomePath::root().resolve(from.as_bytes()).unwrap();
            if let Ok(path) = from.resolve(&text) {
                let shown = path.to_string();
                prop_assert!(shown.starts_with('/') && shown.len() <= 4096 && !shown.contains('\0'));
                prop_assert!(shown == "/" || shown[1..].split('/').all(|part| Name::parse(part.as_bytes()).is_ok()));
                prop_assert_eq!(&HomePath::root().resolve(shown.as_bytes()).unwrap(), &path);
                prop_assert!(path.relative().components().all(|part| !matches!(part,
                    std::path::Component::ParentDir | std::path::Component::RootDir)));
            }
        }
    }
}
