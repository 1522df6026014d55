//! A new password: asked for twice without echo, or one line of standard input.

use std::io::{self, BufRead};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::args::Password;
use crate::password::MAX_LEN;

/// Why there is no new password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was typed, or the line is empty.
    #[error("the password is empty. give one of 1 to {MAX_LEN} bytes")]
    Empty,
    /// It is longer than anybody types.
    #[error("the password is too long. give one of 1 to {MAX_LEN} bytes")]
    TooLong,
    /// Its bytes are no text.
    #[error("the password is not UTF-8. give it as UTF-8 text")]
    NotUtf8,
    /// The second time it was typed, it was another.
    #[error("the two passwords differ. run the command again")]
    Differ,
    /// Nobody can be asked.
    #[error("cannot ask for a password: {0}. give it on standard input, with --password-stdin")]
    Prompt(io::Error),
    /// Standard input failed.
    #[error("cannot read the password from standard input: {0}. give it as one line")]
    Input(io::Error),
}

/// The new password of `name`, 1 to [`MAX_LEN`] bytes.
pub(super) fn password(name: &str, source: Password) -> Result<SecretString, Error> {
    if source.stdin {
        return line(io::stdin().lock());
    }
    let ask =
        |prompt: String| rpassword::prompt_password(prompt).map(SecretString::from).map_err(Error::Prompt);
    let first = checked(ask(format!("New password of {name}: "))?)?;
    let second = ask("The same again: ".into())?;
    if first.expose_secret() == second.expose_secret() { Ok(first) } else { Err(Error::Differ) }
}

/// The first line of `input`, without its end; what follows is left.
fn line(input: impl BufRead) -> Result<SecretString, Error> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LEN + 2)); // does not move as it grows, so leaves no copy behind
    input.take(MAX_LEN as u64 + 2).read_until(b'\n', &mut line).map_err(Error::Input)?;
    let line = line.strip_suffix(b"\n").map_or(&line[..], |line| line.strip_suffix(b"\r").unwrap_or(line));
    checked(std::str::from_utf8(line).map_err(|_| Error::NotUtf8)?.into())
}

fn checked(password: SecretString) -> Result<SecretString, Error> {
    match password.expose_secret().len() {
        0 => Err(Error::Empty),
        len if len > MAX_LEN => Err(Error::TooLong),
        _ => Ok(password),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Result<String, Error> {
        line(input).map(|password| password.expose_secret().to_owned())
    }

    #[test]
    fn one_line_without_its_end() {
        for (input, password) in [
            (&b"secret\n"[..], "secret"),
            (b"secret\r\n", "secret"),
            (b"secret", "secret"),
            (b"two words \nmore\n", "two words "),
            (b" \t\n", " \t"),
            (b"end\r", "end\r"),
            (b"end\r\r\n", "end\r"),
            ("pässword\n".as_bytes(), "pässword"),
        ] {
            assert_eq!(read(input).unwrap(), password);
        }
    }

    #[test]
    fn what_is_no_password() {
        assert!(matches!(read(b""), Err(Error::Empty)));
        assert!(matches!(read(b"\n"), Err(Error::Empty)));
        assert!(matches!(read(b"\r\n"), Err(Error::Empty)));
        assert!(matches!(read(b"\xff\n"), Err(Error::NotUtf8)));
    }

    #[test]
    fn the_longest_password() {
        for end in ["", "\n", "\r\n"] {
            let longest = "x".repeat(MAX_LEN);
            assert_eq!(read(format!("{longest}{end}").as_bytes()).unwrap(), longest);
            assert!(matches!(read(format!("{longest}x{end}").as_bytes()), Err(Error::TooLong)));
        }
        assert!(matches!(line(io::BufReader::new(io::repeat(b'x'))), Err(Error::TooLong)));
    }
}
