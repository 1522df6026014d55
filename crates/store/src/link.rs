//! Making symbolic links that stay in the home.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use cap_std::fs::Dir;
use rustix::fs::{Mode, OFlags, fstat, openat, symlinkat};
use rustix::io::Errno;

use crate::count::Id;
use crate::error::{Error, Kind};
use crate::home::Home;
use crate::name::RESERVED;
use crate::path::{self, HomePath};

impl Home {
    /// Makes a link that says `target`, from the directory in which it lies. Whether something is there is of no interest, only
    /// that it would be in the home; where links on the way lead otherwise, the kernel refuses to follow it later.
    ///
    /// # Errors
    /// [`Kind::Denied`] for a target that leads out of the home; [`Kind::InvalidName`] for one that cannot be any; otherwise as
    /// [`mkdir`](Home::mkdir).
    pub fn link(&self, path: &HomePath, target: &[u8]) -> Result<(), Error> {
        let climb = climb(target)?;
        if path.name().is_none() {
            return Err(Kind::Exists.into());
        }
        let (parent, name) = self.parent(path)?;
        if !self.holds(&parent, climb)? {
            return Err(LEADS_OUT);
        }
        symlinkat(OsStr::from_bytes(target), &parent, name)?;
        self.sync(&parent)
    }

    /// Whether who climbs so far from `directory` is still in the home: by what lies above it, not by its path, in which there may
    /// be links.
    fn holds(&self, directory: &Dir, climb: usize) -> Result<bool, Error> {
        let home = id(&*self.base().directory(Path::new("."))?)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut here = openat(directory, c".", flags, Mode::empty())?;
        for _ in 0..climb {
            if id(&here)? == home {
                return Ok(false);
            }
            here = openat(&here, c"..", flags, Mode::empty())?;
        }
        Ok(true)
    }
}

/// How far up `target` leads at its highest, by its text.
fn climb(target: &[u8]) -> Result<usize, Error> {
    if target.is_empty() || target.len() > path::MAX || target.contains(&0) {
        return Err(Kind::InvalidName.into());
    }
    if target.starts_with(b"/") {
        return Err(LEADS_OUT);
    }
    let (mut up, mut down) = (0, 0);
    for part in target.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if down > 0 => down -= 1,
            b".." => up += 1,
            _ if part.len() > 255 || part.starts_with(RESERVED.as_bytes()) => {
                return Err(Kind::InvalidName.into());
            }
            _ => down += 1,
        }
    }
    Ok(up)
}

fn id(directory: impl AsFd) -> Result<Id, Errno> {
    fstat(directory).map(|stat| (stat.st_dev, stat.st_ino))
}

const LEADS_OUT: Error = Error::new(
    Kind::Denied,
    "the link would lead out of the home",
    "Have it say where its target lies from the directory of the link, within the home.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_climbs_as_far_as_its_text() {
        let cases = [
            ("a", 0),
            (".", 0),
            ("a/..", 0),
            ("..", 1),
            ("a/../..", 1),
            ("../a/../../b", 2),
            ("..//./../a", 2),
        ];
        for (target, up) in cases {
            assert_eq!(climb(target.as_bytes()).unwrap(), up, "{target}");
        }
        assert_eq!(climb(b"/").unwrap_err().kind(), Kind::Denied);
        for target in ["", "a\0", "a/.ftpd~x", &"x".repeat(256), &"x/".repeat(2049)] {
            assert_eq!(climb(target.as_bytes()).unwrap_err().kind(), Kind::InvalidName);
        }
    }
}
