//! Commands for this computer: `lcd`, `lpwd`, `!`. The directory is that of the process: all local names start there.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Session;
use crate::failure::{Code, Failure};
use crate::password;

impl Session {
    /// `lpwd`.
    pub(super) fn local_working_directory(&self) -> Result<(), Failure> {
        let directory = env::current_dir()?;
        self.print_directory(directory.as_os_str().as_bytes())
    }
}

/// `lcd`; without a path, to the home of the user.
pub(super) fn change_directory(path: Option<&Path>) -> Result<(), Failure> {
    let no_home =
        || Failure::new(Code::Other, "HOME is not set").with_remedy("Name the directory: lcd PATH.");
    let path = path.map(Path::to_owned).or_else(home).ok_or_else(no_home)?;
    Ok(env::set_current_dir(path)?)
}

/// The home of the user on this computer.
pub(crate) fn home() -> Option<PathBuf> {
    env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// `!`: runs `script` in the user's shell, or with an empty one a shell to type in, and waits whatever Ctrl-C does there.
/// The shell does not inherit the password; it shares standard input at a prompt only, where that holds no batch.
pub(super) fn shell(script: &str, interactive: bool) -> Result<(), Failure> {
    let shell =
        env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| OsString::from("/bin/sh"));
    let mut command = Command::new(&shell);
    if !script.is_empty() {
        command.arg("-c").arg(script);
    }
    if !interactive {
        command.stdin(Stdio::null());
    }
    let status = command.env_remove(password::VARIABLE).status();
    let status =
        status.map_err(|error| Failure::new(Code::Other, format!("{}: {error}", shell.display())))?;
    match (status.code(), status.signal()) {
        _ if script.is_empty() => Ok(()), // its user saw how it ended
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Failure::new(Code::Other, format!("it ended with exit code {code}"))),
        (None, signal) => {
            Err(Failure::new(Code::Other, format!("it was ended by signal {}", signal.unwrap_or_default())))
        }
    }
}
