//! Where a password comes from when nobody is asked: a file, or `FTP_PASSWORD`.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::SecretString;
use secrecy::zeroize::Zeroize;

use crate::failure::{Code, Failure};

/// The variable that may hold a password.
pub(crate) const VARIABLE: &str = "FTP_PASSWORD";

/// Bytes that the first line of a password file may have.
const LONGEST: u64 = 4096;

/// A password that needs no question, and a warning about it.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) password: SecretString,
    pub(crate) warning: Option<String>,
}

/// The password in the first line of `file`, or else in `variable`; `None` if there is neither. What was named on the
/// command line goes before what lies in the environment; an empty variable counts as none.
///
/// # Errors
/// Of a file that cannot be read or has no password in it.
pub(crate) fn given(file: Option<&Path>, variable: Option<OsString>) -> Result<Option<Given>, Failure> {
    if let Some(path) = file {
        return from_file(path).map(Some).map_err(|failure| failure.of(&path.display().to_string()));
    }
    let Some(value) = variable.filter(|value| !value.is_empty()) else { return Ok(None) };
    match value.into_string() {
        Ok(value) => Ok(Some(Given { password: value.into(), warning: None })),
        Err(_) => Err(Failure::new(Code::Usage, format!("the password in {VARIABLE} is not UTF-8"))),
    }
}

/// What to do where no password can be asked for.
pub(crate) fn missing() -> Failure {
    Failure::new(Code::Login, "no password, and no terminal to ask for it")
        .with_remedy(format!("Set {VARIABLE}, or name a file with --password-file FILE."))
}

fn from_file(path: &Path) -> Result<Given, Failure> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut line = String::new();
    let read = BufReader::new(file.take(LONGEST)).read_line(&mut line);
    read.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => Failure::new(Code::Usage, "the password is not UTF-8"),
        _ => error.into(),
    })?;
    let password = SecretString::from(line.trim_end_matches(['\n', '\r']));
    let empty = line.trim_end_matches(['\n', '\r']).is_empty();
    line.zeroize();
    if empty {
        return Err(
            Failure::new(Code::Usage, "its first line is empty").with_remedy("Write the password there.")
        );
    }
    // Of a pipe, as `<(pass nas)` makes one, the mode says nothing.
    let exposed = metadata.is_file() && metadata.permissions().mode() & 0o077 != 0;
    let warning = exposed.then(|| {
        let quoted = crate::commands::quote(&path.to_string_lossy());
        format!("others can read the password in {quoted}. Protect it: chmod 600 {quoted}")
    });
    Ok(Given { password, warning })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret;

    use super::*;

    fn file(content: &[u8], mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pass word");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (directory, path)
    }

    #[test]
    fn the_first_line_of_a_file_is_the_password() {
        for content in ["s3 cret", "s3 cret\n", "s3 cret\r\nsecond line\n"] {
            let (_directory, path) = file(content.as_bytes(), 0o600);
            let given = given(Some(&path), None).unwrap().unwrap();
            assert_eq!(given.password.expose_secret(), "s3 cret");
            assert_eq!(given.warning, None);
        }
    }

    #[test]
    fn a_file_goes_before_the_variable_and_an_empty_variable_is_none() {
        let (_directory, path) = file(b"file", 0o600);
        let from_both = given(Some(&path), Some("variable".into())).unwrap().unwrap();
        assert_eq!(from_both.password.expose_secret(), "file");
        let from_variable = given(None, Some("variable".into())).unwrap().unwrap();
        assert_eq!(from_variable.password.expose_secret(), "variable");
        assert!(given(None, Some("".into())).unwrap().is_none());
        assert!(given(None, None).unwrap().is_none());
    }

    #[test]
    fn a_file_that_others_can_read_gets_a_warning_with_the_remedy() {
        let (_directory, path) = file(b"secret", 0o640);
        let warning = given(Some(&path), None).unwrap().unwrap().warning.unwrap();
        assert!(warning.ends_with(&format!("chmod 600 '{}'", path.display())), "{warning}");
        assert!(!warning.contains("secret"));
    }

    #[test]
    fn a_file_without_a_password_is_a_failure_that_names_it() {
        for (content, code) in
            [(b"\nsecond".as_slice(), Code::Usage), (b"", Code::Usage), (b"\xff\n", Code::Usage)]
        {
            let (_directory, path) = file(content, 0o600);
            let failure = given(Some(&path), None).unwrap_err();
            assert_eq!(failure.code, code);
            assert!(failure.message.contains("pass word"), "{failure}");
        }
        let failure = given(Some(Path::new("/nonexistent/file")), None).unwrap_err();
        assert_eq!(failure.code, Code::NotFound);
    }

    #[test]
    fn a_password_is_never_shown() {
        let (_directory, path) = file(b"hunter2", 0o644);
        let given = given(Some(&path), None).unwrap().unwrap();
        assert!(!format!("{given:?}").contains("hunter2"));
    }

    #[test]
    fn without_a_terminal_both_ways_are_named() {
        let failure = missing();
        assert_eq!(failure.code, Code::Login);
        assert!(
            failure.to_string().contains("FTP_PASSWORD") && failure.to_string().contains("--password-file")
        );
    }
}
