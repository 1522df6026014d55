//! Opening paths: beneath a home, where the kernel sees to it that they stay (openat2, RESOLVE_BENEATH), or anywhere.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;

use crate::error::Error;

/// Where paths begin.
#[derive(Clone, Copy)]
pub(crate) enum Base<'a> {
    /// At a home, and they end inside of it, or are refused.
    Home(&'a Arc<Dir>),
    /// Wherever the process may go: paths of the user who runs it.
    Ambient,
}

impl Base<'_> {
    /// Opens for reading without waiting for anyone: a FIFO, a device or a terminal opens at once, to be refused by its kind.
    pub(crate) fn file(self, path: &Path) -> Result<File, Error> {
        Ok(self.open(path, OFlags::NONBLOCK | OFlags::NOCTTY)?)
    }

    /// Opens to ask and to name, not to read: needs no permission on the file itself, and no device notices.
    pub(crate) fn handle(self, path: &Path) -> Result<File, Error> {
        Ok(self.open(path, OFlags::PATH)?)
    }

    /// Opens a directory to work on names in it and to sync it.
    pub(crate) fn directory(self, path: &Path) -> Result<Arc<Dir>, Error> {
        match self {
            Base::Home(home) if path == Path::new(".") => Ok(home.clone()),
            _ => Ok(Arc::new(Dir::from_std_file(self.open(path, OFlags::DIRECTORY)?))),
        }
    }

    /// Opens a directory to read what is in it, from its beginning; with `follow`, `path` may be a link to it.
    pub(crate) fn entries(self, path: &Path, follow: bool) -> Result<rustix::fs::Dir, Error> {
        let links = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
        Ok(rustix::fs::Dir::new(self.open(path, OFlags::DIRECTORY | links)?)?)
    }

    fn open(self, path: &Path, flags: OFlags) -> io::Result<File> {
        let flags = flags.bits().cast_signed();
        match self {
            Base::Home(home) => {
                let options = OpenOptions::new().read(true).custom_flags(flags).clone();
                home.open_with(path, &options).map(cap_std::fs::File::into_std)
            }
            Base::Ambient => File::options().read(true).custom_flags(flags).open(path),
        }
    }
}
