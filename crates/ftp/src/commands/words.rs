//! A line cut into words, with the quotes of a shell.

use std::str::Chars;

use crate::failure::{Code, Failure};

/// The words of `line`, parted by blanks. As in a shell (POSIX 2.2), single quotes keep everything, double quotes keep
/// all but `\"` and `\\`, and outside of quotes a backslash keeps the character after it. Nothing else is special: `*`,
/// `$`, `;` and `#` are letters like any others.
pub(crate) fn split(line: &str) -> Result<Vec<String>, Failure> {
    let mut words = Vec::new();
    let mut word: Option<String> = None; // `Some` from the first quote on: '' is a word too
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => single_quoted(&mut letters, word.get_or_insert_default())?,
            '"' => double_quoted(&mut letters, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(letters.next().ok_or_else(lone_backslash)?),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    Ok(words)
}

/// `word` so that [`split`], and a shell, read it as that one word.
pub(crate) fn quote(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./+,:=@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn single_quoted(letters: &mut Chars<'_>, word: &mut String) -> Result<(), Failure> {
    for letter in letters {
        match letter {
            '\'' => return Ok(()),
            _ => word.push(letter),
        }
    }
    Err(unclosed('\''))
}

fn double_quoted(letters: &mut Chars<'_>, word: &mut String) -> Result<(), Failure> {
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok(()),
            '\\' => match letters.next() {
                Some(kept @ ('"' | '\\')) => word.push(kept),
                Some(other) => word.extend(['\\', other]),
                None => break,
            },
            _ => word.push(letter),
        }
    }
    Err(unclosed('"'))
}

fn unclosed(quote: char) -> Failure {
    Failure::new(Code::Usage, format!("a quote {quote} is not closed"))
        .with_remedy(format!("Close it with {quote}, or write \\{quote} for one that is part of a name."))
}

fn lone_backslash() -> Failure {
    Failure::new(Code::Usage, "the line ends in a backslash")
        .with_remedy(r"Write \\ for a backslash that is part of a name.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_read_as_a_shell_reads_them() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            (" \t\r ", &[]),
            ("ls -la", &["ls", "-la"]),
            ("  get   a\tb  ", &["get", "a", "b"]),
            ("get 'a b' \"c d\"", &["get", "a b", "c d"]),
            (r"get a\ b \'c\' d\\e", &["get", "a b", "'c'", r"d\e"]),
            (r#"get "a\"b\\c\d" 'e\f"g'"#, &["get", r#"a"b\c\d"#, r#"e\f"g"#]),
            ("get one'two'\"three\"", &["get", "onetwothree"]),
            ("get '' \"\"", &["get", "", ""]),
            ("rm -- -x", &["rm", "--", "-x"]),
            ("put naïve.txt 日本/", &["put", "naïve.txt", "日本/"]),
            ("get $HOME *.txt a;b #c", &["get", "$HOME", "*.txt", "a;b", "#c"]),
        ];
        for (line, words) in table {
            assert_eq!(split(line).unwrap(), *words, "{line}");
        }
    }

    #[test]
    fn what_is_left_open_names_its_remedy() {
        for (line, remedy) in [
            ("get 'a b", "Close it with '"),
            ("get \"a b", "Close it with \""),
            (r#"get "a\"#, "Close it with \""),
            (r"get a\", r"Write \\"),
        ] {
            let failure = split(line).unwrap_err();
            assert_eq!(failure.code, Code::Usage);
            assert!(failure.to_string().contains(remedy), "{line}: {failure}");
        }
    }

    #[test]
    fn only_what_needs_quotes_gets_them() {
        assert_eq!(quote("dir/ö-1.tar.gz"), "dir/ö-1.tar.gz");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(words in prop::collection::vec(any::<String>(), 0..6)) {
            let line = words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(&line).unwrap(), words);
        }

        #[test]
        fn any_text_is_words_or_a_usage_error(line in any::<String>()) {
            if let Err(failure) = split(&line) {
                prop_assert_eq!(failure.code, Code::Usage);
                prop_assert!(failure.remedy.is_some());
            }
        }
    }
}
