//! Commands that can be pasted: what every remedy ends in.

use std::path::Path;

/// A word for a POSIX shell, quoted if it must be (XCU 2.2.2).
pub(crate) fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// As [`quoted`], for a path; one that begins with `-` is not taken for an option.
pub(crate) fn path(path: &Path) -> String {
    let text = path.to_string_lossy();
    quoted(&if text.starts_with('-') { format!("./{text}") } else { text.into() })
}

/// `ftpd WORDS` for a file, which is named unless it is the one that is taken anyway.
pub(crate) fn ftpd(file: &Path, words: &str) -> String {
    let option = if file == Path::new(crate::args::CONFIG) {
        String::new()
    } else {
        format!("--config {} ", path(file))
    };
    format!("ftpd {option}{words}").trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        for word in [
            "users.toml",
            "",
            "a b",
            "it's",
            "$(reboot)",
            "`x`",
            "a\nb",
            "*",
            "~",
            "ä",
            "-n",
            "\\",
            "\"",
            "!x",
            "#",
        ] {
            let script = format!("printf %s {}", quoted(word));
            let out = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(out.stdout).unwrap(), word, "{script}");
        }
        assert_eq!(path(Path::new("-n")), "./-n");
    }

    #[test]
    fn the_file_is_named_unless_it_is_the_usual_one() {
        assert_eq!(ftpd(Path::new("users.toml"), "user list"), "ftpd user list");
        assert_eq!(ftpd(Path::new("/etc/my users.toml"), ""), "ftpd --config '/etc/my users.toml'");
    }
}
