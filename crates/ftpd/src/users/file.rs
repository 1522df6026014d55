//! users.toml on the disk: rewritten whole or not at all, by one command at a time.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::Error;
use crate::config::{Mistake, read};

/// The text of the file; `fresh` if there is none.
pub(super) fn text(file: &Path, fresh: Option<&str>) -> Result<String, Error> {
    match (read::text(file), fresh) {
        (Err(problem), Some(fresh)) if matches!(*problem.mistake, Mistake::NoFile { .. }) => Ok(fresh.into()),
        (text, _) => Ok(text?),
    }
}

/// Puts `edit` of the file's text in its place, if the outcome is a good configuration; of two at once, one waits for the
/// other. Owner and mode stay; a new file is its owner's alone (0600). A link stays, and the file behind it is replaced.
pub(super) fn rewrite(
    file: &Path,
    fresh: Option<&str>,
    edit: impl FnOnce(&str) -> Result<String, Error>,
) -> Result<(), Error> {
    let failed = |error: io::Error| Error::Write {
        file: file.display().to_string(),
        remedy: match error.kind() {
            io::ErrorKind::NotFound => "make its directory first",
            io::ErrorKind::PermissionDenied => "be the user who owns it and its directory",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on its disk",
            _ => "look at its directory",
        },
        error,
    };
    let real = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let directory = match real.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // The lock is the directory's: the file itself is another one after each rename.
    let directory_handle =
        File::open(directory).and_then(|handle| handle.lock().map(|()| handle)).map_err(failed)?;
    let edited = edit(&text(file, fresh)?)?;
    read::config(file, &edited, None)?;
    let replace = || {
        let staged = Stage::new(&real, directory)?.filled(edited.as_bytes(), fs::metadata(&real).ok())?;
        staged.publish(&real)?;
        directory_handle.sync_all()
    };
    replace().map_err(failed)
}

/// The new text under another name beside the file; gone if it is dropped.
struct Stage {
    path: PathBuf,
    file: File,
    published: bool,
}

impl Stage {
    /// The name is always the same: whoever holds the lock owns it, and so a crash leaves one file at most.
    fn new(real: &Path, directory: &Path) -> io::Result<Stage> {
        let mut name = std::ffi::OsString::from(".");
        name.push(real.file_name().unwrap_or_default());
        name.push(".new");
        let path = directory.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Stage { path, file, published: false })
    }

    fn filled(mut self, text: &[u8], old: Option<fs::Metadata>) -> io::Result<Stage> {
        if let Some(old) = old {
            let new = self.file.metadata()?;
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                fchown(&self.file, Some(old.uid()), Some(old.gid()))?;
            }
            self.file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
        }
        self.file.write_all(text)?;
        self.file.sync_all()?;
        Ok(self)
    }

    fn publish(mut self, real: &Path) -> io::Result<()> {
        fs::rename(&self.path, real)?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.published {
            _ = fs::remove_file(&self.path);
        }
    }
}
