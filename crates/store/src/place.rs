//! The place of a file that is about to be written: an opened directory, and a name in it that is no link.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Stat, readlinkat, statat};
use rustix::io::Errno;

use crate::beneath::Base;
use crate::entry::{self, EntryKind};
use crate::error::{Error, Kind};
use crate::incoming::Replace;
use crate::name::RESERVED;

/// Links that may follow one another: as many as Linux follows (path_resolution(7)).
const LINKS: usize = 40;

/// A directory, opened once for all that follows, and a name in it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) directory: Arc<Dir>,
    pub(crate) name: OsString,
    /// The regular file that has the name now.
    pub(crate) old: Option<Stat>,
}

/// The directory that the last place was found in, for the next one in it.
#[derive(Debug, Default)]
pub(crate) struct Near(Option<(PathBuf, Arc<Dir>)>);

impl Near {
    fn directory(&mut self, base: Base<'_>, path: &Path) -> Result<Arc<Dir>, Error> {
        if let Some((near, directory)) = &self.0
            && near == path
        {
            return Ok(directory.clone());
        }
        let directory = base.directory(path)?;
        self.0 = Some((path.to_owned(), directory.clone()));
        Ok(directory)
    }
}

impl Place {
    /// Where a file written to `path` goes: where its links lead, each resolved from `base` by the kernel.
    pub(crate) fn find(base: Base<'_>, path: PathBuf) -> Result<Place, Error> {
        Place::find_near(&mut Near::default(), base, path)
    }

    /// The same for one of several that are written at once: a directory that the last one was in is not looked for again.
    pub(crate) fn find_near(near: &mut Near, base: Base<'_>, mut path: PathBuf) -> Result<Place, Error> {
        for _ in 0..=LINKS {
            let Some((parent, name)) = split(&path) else {
                // Only a directory can be called so; but whether there is one outside, nobody learns.
                base.handle(&path)?;
                return Err(Kind::IsDirectory.into());
            };
            if name.as_bytes().starts_with(RESERVED.as_bytes()) {
                return Err(Kind::InvalidName.into());
            }
            let directory = near.directory(base, parent)?;
            let old = entry_at(&directory, name)?;
            match old.as_ref().map(entry::kind) {
                None | Some(EntryKind::File) => return Ok(Place { directory, name: name.to_owned(), old }),
                Some(EntryKind::Directory) => return Err(Kind::IsDirectory.into()),
                Some(EntryKind::Other) => return Err(Kind::Special.into()),
                Some(EntryKind::Link) => {
                    match readlinkat(&directory, name, Vec::new()) {
                        Ok(target) => path = parent.join(OsString::from_vec(target.into_bytes())),
                        Err(Errno::INVAL | Errno::NOENT) => {} // no link any more: look again
                        Err(errno) => return Err(errno.into()),
                    }
                }
            }
        }
        Err(Kind::TooManyLinks.into())
    }

    /// Whether a file may come here.
    pub(crate) fn check_replace(&self, replace: Replace) -> Result<(), Error> {
        match (&self.old, replace) {
            (Some(_), Replace::No) => Err(Kind::Exists.into()),
            _ => Ok(()),
        }
    }
}

/// What has `name` in `directory`, no link followed; `None` if nothing has.
pub(crate) fn entry_at(directory: &Dir, name: &OsStr) -> Result<Option<Stat>, Error> {
    match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// The directory part and the last name; none in a path that ends in `/`, `.` or `..`.
fn split(path: &Path) -> Option<(&Path, &OsStr)> {
    let name = path.file_name().filter(|name| path.as_os_str().as_bytes().ends_with(name.as_bytes()))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Some((parent.unwrap_or(Path::new(".")), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_directory_part_and_a_last_name_or_is_a_directory_itself() {
        let cases = [
            ("file", Some((".", "file"))),
            ("/file", Some(("/", "file"))),
            ("a//b/file", Some(("a//b", "file"))),
            ("../a/../file", Some(("../a/..", "file"))),
            ("file/", None),
            ("file/.", None),
            ("a/..", None),
            ("..", None),
            (".", None),
            ("/", None),
            ("", None),
        ];
        for (path, parts) in cases {
            let parts = parts.map(|(parent, name)| (Path::new(parent), OsStr::new(name)));
            assert_eq!(split(Path::new(path)), parts, "{path}");
        }
    }
}
