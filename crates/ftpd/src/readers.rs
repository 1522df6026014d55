//! Who else can read users.toml, where every password's hash stands.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::shell;

/// What is wrong with the mode of the file, and the command that helps; `None` if it is its owner's alone.
pub(crate) fn exposed(file: &Path) -> io::Result<Option<String>> {
    let mode = fs::metadata(file)?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then(|| {
        format!(
            "others than its owner get at the password hashes (mode {mode:03o}). run: chmod 600 {}",
            shell::path(file)
        )
    }))
}
