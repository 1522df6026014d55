//! The server's own files: opened without waiting for anybody, whatever has been put in their place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, OFlags, accessat, fcntl_setfl};
use rustix::io::Errno;

/// A FIFO would keep whoever opens it until somebody came to its other end, and a terminal must not become the server's.
const AT_ONCE: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);

/// Opens a regular file to read it.
///
/// # Errors
/// What the system says; or what it is, if it is something else.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(AT_ONCE.bits().cast_signed())
        .open(path)
        .map_err(|error| seen(path, error))?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() { Ok(file) } else { Err(no_file(kind)) }
}

/// All that a regular file holds.
///
/// # Errors
/// As [`open`], and what reading reports.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file at its end, made for its owner alone (0600) if there is none; it may be a device such as a terminal.
///
/// # Errors
/// As [`open`].
pub(crate) fn append(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(AT_ONCE.bits().cast_signed())
        .open(path)
        .map_err(|error| seen(path, error))?;
    let kind = file.metadata()?.file_type();
    if !kind.is_file() && !kind.is_char_device() {
        return Err(no_file(kind));
    }
    fcntl_setfl(&file, OFlags::APPEND)?; // from here on a terminal may take its time
    Ok(file)
}

/// Whether it is not the file's mode or its owner that forbids to read it: then it is the wall, if one stands.
pub(crate) fn is_walled_off(path: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
        && accessat(CWD, path, Access::READ_OK, AtFlags::EACCESS).is_ok()
}

/// The error as it would be if the system had looked at the file first.
fn seen(path: &Path, error: io::Error) -> io::Error {
    match (Errno::from_io_error(&error), fs::metadata(path).map(|metadata| metadata.file_type())) {
        // The keeper may read files and no directories.
        (Some(Errno::ACCESS), Ok(kind)) if kind.is_dir() => no_file(kind),
        (Some(Errno::NXIO | Errno::NODEV), Ok(kind)) => no_file(kind),
        _ => error,
    }
}

fn no_file(kind: fs::FileType) -> io::Error {
    let what = match () {
        () if kind.is_dir() => return Errno::ISDIR.into(),
        () if kind.is_fifo() => "it is a FIFO, not a file",
        () if kind.is_socket() => "it is a socket, not a file",
        () => "it is a device, not a file",
    };
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use rustix::fs::{Mode, mkfifoat};

    use super::*;

    #[test]
    fn what_is_no_file_is_told_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        mkfifoat(CWD, at("fifo"), Mode::RWXU).unwrap();
        mkfifoat(CWD, at("read"), Mode::RWXU).unwrap();
        let _reader = OpenOptions::new().read(true).write(true).open(at("read")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        for (path, words) in [
            (at("fifo"), "it is a FIFO, not a file"),
            (at("read"), "it is a FIFO, not a file"),
            (at("socket"), "it is a socket, not a file"),
            (at(""), "Is a directory (os error 21)"),
        ] {
            assert_eq!(open(&path).unwrap_err().to_string(), words, "{}", path.display());
            assert_eq!(append(&path).unwrap_err().to_string(), words, "{}", path.display());
        }
        assert_eq!(open("/dev/null".as_ref()).unwrap_err().to_string(), "it is a device, not a file");
        append("/dev/null".as_ref()).unwrap();
        assert_eq!(open(&at("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        append(&at("none")).unwrap();
        assert_eq!(read(&at("none")).unwrap(), b"");
    }
}
