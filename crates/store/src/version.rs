//! What differs when a file does.

use digest::Algorithm;
use rustix::fs::Stat;

/// Which file it is, and as of when: its device, inode, size, and the times of its last modification and change, to the nanosecond
/// (POSIX, `<sys/stat.h>`), condensed. Two that are equal are of the same file with the same contents, except where a change left no
/// trace in its times: two within one tick of the kernel's clock, or through memory that was mapped before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub [u8; 16]);

/// The same, not condensed.
pub(crate) type Parts = [[u8; 8]; 7];

pub(crate) fn parts(stat: &Stat) -> Parts {
    [
        stat.st_dev.to_le_bytes(),
        stat.st_ino.to_le_bytes(),
        stat.st_size.to_le_bytes(),
        stat.st_mtime.to_le_bytes(),
        stat.st_mtime_nsec.to_le_bytes(),
        stat.st_ctime.to_le_bytes(),
        stat.st_ctime_nsec.to_le_bytes(),
    ]
}

impl Version {
    pub(crate) fn of(stat: &Stat) -> Version {
        let digest = digest::of_block(Algorithm::Md5, parts(stat).as_flattened());
        Version(digest.as_bytes().try_into().expect("an MD5 has 16 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::PermissionsExt;

    use rustix::fs::stat;

    use super::*;

    #[test]
    fn it_differs_when_the_file_does() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let version = || Version::of(&stat(&path).unwrap());
        fs::write(&path, b"old").unwrap();
        let first = version();
        assert_eq!(version(), first);
        fs::write(&path, b"longer").unwrap();
        let second = version();
        assert_ne!(second, first);
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        let third = version();
        assert_ne!(third, second);
        let other = directory.path().join("other");
        fs::copy(&path, &other).unwrap();
        File::options().write(true).open(&other).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(&other, &path).unwrap();
        assert_ne!(version(), third, "another file of that name");
    }
}
