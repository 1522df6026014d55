//! The words of classic servers in the client's own. Codes are few and servers use them freely, so that their sentences are read,
//! too (RFC 959, 4.2).

use std::time::Duration;

use suppaftp::FtpError;

use super::Trouble;
use super::tls::Keys;
use crate::failure::{Code, Failure};
use crate::trust::Place;

/// The server ends the session.
pub(super) const CLOSING: u16 = 421;

/// There is no data connection.
pub(super) const NO_DATA_CONNECTION: u16 = 425;

/// The name is known, the password is to come.
pub(super) const PASSWORD_NEEDED: u16 = 331;

/// Letters of a server's sentence that are shown.
const SHOWN: usize = 300;

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The code of its last line; 0 if that has none.
    pub(super) code: u16,
    /// Its lines without codes. Names that a server tells need not be text: what is not is replaced.
    pub(super) lines: Vec<String>,
}

impl Answer {
    pub(super) fn read(body: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(body);
        let mut code = 0;
        let mut lines = Vec::new();
        for line in text.split('\n').map(|line| line.trim_end_matches('\r')) {
            match line.get(..3).and_then(|digits| digits.parse().ok()) {
                Some(number) if matches!(line.as_bytes().get(3), None | Some(b' ' | b'-')) => {
                    code = number;
                    lines.push(line.get(4..).unwrap_or_default().to_owned());
                }
                _ if line.is_empty() => {}
                _ => lines.push(line.to_owned()),
            }
        }
        Answer { code, lines }
    }

    /// Whether it says that all is done.
    pub(super) fn is_done(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether the server does not know the command, or not in this form.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self.code, 202 | 500..=504 | 522)
    }

    /// The last thing that it said, where an answer of one line has all.
    pub(super) fn sentence(&self) -> &str {
        self.lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or_default()
    }

    /// Code and sentence, as they are shown.
    fn shown(&self) -> String {
        let sentence: String = self.sentence().chars().take(SHOWN).collect();
        format!("{} {}", self.code, sentence.trim_end_matches('.'))
    }
}

/// What a refusal means; `None` where neither code nor sentence tell whether something is missing or forbidden. `path` is taken
/// out of the sentence before it is read: a name may sound like anything.
pub(super) fn meaning(answer: &Answer, path: &str) -> Option<Code> {
    match answer.code {
        NO_DATA_CONNECTION => return Some(Code::Connection),
        430 | 530 => return Some(Code::Login),
        452 | 552 => return Some(Code::Storage),
        532..=534 => return Some(Code::Denied),
        450 | 550 | 553 => {}
        _ => return Some(Code::Other),
    }
    let mut sentence = answer.sentence().to_lowercase();
    let path = path.to_lowercase();
    if !path.is_empty() {
        sentence = sentence.replace(&path, "");
    }
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| sentence.contains(phrase));
    if says(&["no such", "not found", "not exist", "n't exist", "cannot find", "can't find"]) {
        Some(Code::NotFound)
    } else if says(&[
        "denied",
        "not permitted",
        "forbidden",
        "privilege",
        "not allowed",
        "may not",
        "read-only",
    ]) {
        Some(Code::Denied)
    } else if says(&["quota", "no space", "disk full", "disk is full", "insufficient storage"]) {
        Some(Code::Storage)
    } else if says(&[
        "exists",
        "not empty",
        "is a directory",
        "not a directory",
        "not a regular",
        "not a plain",
    ]) {
        Some(Code::Other)
    } else {
        None
    }
}

/// The failure that a refusal is.
pub(super) fn refused(answer: &Answer, code: Code) -> Failure {
    let (what, remedy) = match code {
        Code::NotFound => ("no such file or directory", Some("List the directory to see what is there.")),
        Code::Denied => ("the server denies it", Some("Ask for access to it, or choose another place.")),
        Code::Storage => {
            ("the server has no space for it", Some("Remove something, or choose another place."))
        }
        Code::Login => ("the server wants another login for it", None),
        Code::Connection => (
            "there is no data connection",
            Some("Try again; a firewall may stand between the server's data ports and you."),
        ),
        _ => ("the server refuses it", None),
    };
    let failure = Failure::new(code, format!("{what} ({})", answer.shown()));
    match remedy {
        // A server that goes on after its first sentence says what to do itself.
        Some(remedy) if !answer.sentence().contains(". ") => failure.with_remedy(remedy),
        _ => failure,
    }
}

/// A refusal of something that has no path.
pub(super) fn refused_outright(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Failed(failure) => failure,
        Trouble::Refused(answer) => refused(&answer, meaning(&answer, "").unwrap_or(Code::Other)),
    }
}

/// A refusal whose cause was looked up.
pub(super) fn because(why: &str, answer: &Answer) -> Failure {
    Failure::new(Code::Other, format!("{why} ({})", answer.shown()))
}

/// The login failed.
pub(super) fn no_login(user: &str, answer: &Answer) -> Failure {
    let code = match answer.code {
        400..=429 | 431..=499 => Code::Connection,
        _ => Code::Login,
    };
    let failure = Failure::new(code, format!("the server does not let {user} in ({})", answer.shown()));
    match (code, user) {
        (Code::Login, "anonymous") => failure.with_remedy("Name an account: ftp://USER@HOST."),
        (Code::Login, _) => failure.with_remedy("Are user name and password right?"),
        _ => failure.with_remedy("Try again later."),
    }
}

/// The server knows no TLS.
pub(super) fn no_tls(place: &Place, answer: &Answer) -> Failure {
    Failure::new(Code::Connection, format!("the server at {place} speaks without TLS ({})", answer.shown()))
        .with_remedy(
            "No name and no password was sent. Use --plain for a plain server that you trust: password and files then \
             travel in the clear.",
        )
}

/// There is TLS, but not around the data.
pub(super) fn unprotected(place: &Place, answer: &Answer) -> Failure {
    Failure::new(
        Code::Connection,
        format!("the server at {place} does not protect data connections ({})", answer.shown()),
    )
    .with_remedy("No name and no password was sent. Use --plain if the wire is one that you trust.")
}

/// The handshake failed.
pub(super) fn no_handshake(place: &Place, error: &FtpError) -> Failure {
    match error {
        FtpError::SecureError(why) => {
            Failure::new(Code::Connection, format!("no TLS with the server at {place}: {why}"))
                .with_remedy("No name and no password was sent. ftps:// is TLS from the first byte on, mostly on port 990; ftp:// asks for it first.")
        }
        FtpError::ConnectionError(error) => {
            Failure::new(Code::Connection, format!("cannot connect to {place}: {error}"))
                .with_remedy("Is an FTP server running there, and is this its host and port?")
        }
        error => Failure::new(Code::Connection, format!("{place}: {error}")),
    }
}

/// What a broken connection to `host` means.
pub(super) fn broken(host: &str, error: &FtpError, keys: &Keys) -> Failure {
    if keys.differed() {
        return Failure::new(
            Code::ServerKey,
            format!("a data connection to {host} shows another key than the control connection"),
        )
        .with_remedy("Somebody may be in between. Nothing was transferred on it.");
    }
    match error {
        FtpError::ConnectionError(error) => lost(host, &error.to_string()),
        FtpError::SecureError(why) => lost(host, &format!("TLS: {why}")),
        FtpError::BadResponse | FtpError::InvalidAddress(_) => {
            Failure::new(Code::Connection, format!("{host} broke the protocol: {error}"))
        }
        FtpError::UnexpectedResponse(_) | FtpError::DataConnectionAlreadyOpen => {
            lost(host, "an answer came that nobody asked for")
        }
    }
}

pub(super) fn lost(host: &str, why: &str) -> Failure {
    Failure::new(Code::Connection, format!("{host}: the connection was lost: {why}"))
        .with_remedy("Try again.")
}

pub(super) fn silent(host: &str, patience: Duration) -> Failure {
    Failure::new(Code::Connection, format!("{host}: nothing moved for {} s", patience.as_secs()))
        .with_remedy("Try again, with a larger --timeout for a slow server.")
}

/// The server said goodbye.
pub(super) fn closing(host: &str, answer: &Answer) -> Failure {
    Failure::new(Code::Connection, format!("{host} ended the session ({})", answer.shown()))
        .with_remedy("Try again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(line: &str) -> Option<Code> {
        meaning(&Answer::read(line.as_bytes()), "some/file")
    }

    #[test]
    fn an_answer_is_its_last_code_and_its_lines() {
        let answer = Answer::read(b"211-Features:\r\n SIZE\r\n211 End\r\n");
        assert_eq!(answer.code, 211);
        assert_eq!(answer.lines, ["Features:", " SIZE", "End"]);
        assert_eq!(Answer::read(b"200\r\n"), Answer { code: 200, lines: vec![String::new()] });
        assert_eq!(Answer::read(b"2000 bytes"), Answer { code: 0, lines: vec!["2000 bytes".into()] });
        assert_eq!(Answer::read("550 \u{e9}\u{e9}\u{e9}".as_bytes()).sentence(), "\u{e9}\u{e9}\u{e9}");
        assert_eq!(Answer::read(b"\xff\xff\xff\xff").code, 0);
    }

    #[test]
    fn codes_and_sentences_mean_what_servers_mean_by_them() {
        for (line, code) in [
            ("421 Timeout", Some(Code::Other)), // met before
            ("425 Use PORT or PASV first.", Some(Code::Connection)),
            ("500 Unknown command.", Some(Code::Other)),
            ("530 Please login with USER and PASS.", Some(Code::Login)),
            ("532 Need account", Some(Code::Denied)),
            ("552 Quota exceeded", Some(Code::Storage)),
            ("452 Insufficient space", Some(Code::Storage)),
            ("550 some/file: No such file or directory", Some(Code::NotFound)),
            ("550 Can't open some/file: No such file or directory", Some(Code::NotFound)),
            ("550 The system cannot find the file specified.", Some(Code::NotFound)),
            ("550 Permission denied.", Some(Code::Denied)),
            ("550 Not enough privileges.", Some(Code::Denied)),
            ("550 This account may not upload files. Ask its owner.", Some(Code::Denied)),
            ("550 some/file: Operation not permitted", Some(Code::Denied)),
            ("553 Can't open that file: Is a directory", Some(Code::Other)),
            ("550 Disk quota exceeded", Some(Code::Storage)),
            ("550 Failed to open file.", None),
            ("553 Could not create file.", None),
        ] {
            assert_eq!(means(line), code, "{line}");
        }
    }

    #[test]
    fn a_name_in_a_sentence_means_nothing() {
        let answer = Answer::read(b"550 Not Found.txt: Permission denied");
        assert_eq!(meaning(&answer, "Not Found.txt"), Some(Code::Denied));
    }

    #[test]
    fn a_server_that_says_what_to_do_is_left_the_last_word() {
        let answer = |line: &str| Answer::read(line.as_bytes());
        assert!(refused(&answer("550 Not found."), Code::NotFound).remedy.is_some());
        assert!(refused(&answer("550 Not found. Look elsewhere."), Code::NotFound).remedy.is_none());
    }

    #[test]
    fn a_long_sentence_is_cut() {
        let answer = Answer::read(format!("550 {}", "x".repeat(10_000)).as_bytes());
        assert!(refused(&answer, Code::Other).message.len() < 2 * SHOWN);
    }
}
