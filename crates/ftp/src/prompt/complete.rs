//! What Tab completes: names of commands, and local names where one is wanted.

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use crate::commands::{Row, TABLE, Verb};

/// The completion of the prompt. It never asks the server.
pub(super) struct Completion {
    files: FilenameCompleter,
}

impl Completion {
    pub(super) fn new() -> Completion {
        Completion { files: FilenameCompleter::new() }
    }
}

impl Completer for Completion {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = line[..at].trim_start();
        let Some((verb, rest)) = typed.split_once([' ', '\t']) else {
            return Ok((at - typed.len(), commands(typed)));
        };
        match Row::named(verb).map(|row| row.verb) {
            Some(Verb::Put | Verb::LocalChangeDirectory | Verb::LocalList) => {
                self.files.complete_path(line, at)
            }
            Some(Verb::Sync) => match words_of_sync(rest) {
                Some((word, pairs)) => Ok((at - word.len(), pairs)),
                None => self.files.complete_path(line, at),
            },
            _ => Ok((at, Vec::new())),
        }
    }
}

/// The commands that begin with `typed`, ready for their arguments.
fn commands(typed: &str) -> Vec<Pair> {
    let rows = TABLE.iter().flat_map(|row| row.names.iter().map(move |name| (row, *name)));
    let fitting = rows.filter(|(row, name)| row.verb != Verb::Shell && name.starts_with(typed));
    fitting.map(|(_, name)| Pair { display: name.to_owned(), replacement: format!("{name} ") }).collect()
}

/// What can stand where `rest` of a `sync` ends, and the word that is begun there, unless that is a name.
fn words_of_sync(rest: &str) -> Option<(&str, Vec<Pair>)> {
    let (before, word) = rest.rsplit_once([' ', '\t']).unwrap_or(("", rest));
    let words: Vec<String> = if word.starts_with("--") {
        let options = Row::named("sync").map_or(&[][..], |row| row.options);
        options.iter().map(|option| format!("--{}", option.name)).collect()
    } else if before.split_whitespace().all(|word| word.starts_with('-')) {
        vec!["put".into(), "get".into()]
    } else {
        return None;
    };
    let fitting = words.into_iter().filter(|fitting| fitting.starts_with(word));
    let pair = |name: String| Pair { replacement: format!("{name} "), display: name };
    Some((word, fitting.map(pair).collect()))
}

impl Helper for Completion {}
impl Highlighter for Completion {}
impl Validator for Completion {}
impl Hinter for Completion {
    type Hint = String;
}

#[cfg(test)]
mod tests {
    use rustyline::history::MemHistory;

    use super::*;

    fn complete(line: &str) -> (usize, Vec<String>) {
        let history = MemHistory::new();
        let (start, pairs) = Completion::new().complete(line, line.len(), &Context::new(&history)).unwrap();
        (start, pairs.into_iter().map(|pair| pair.replacement).collect())
    }

    #[test]
    fn the_first_word_completes_to_commands() {
        assert_eq!(complete("mk"), (0, vec!["mkdir ".to_owned()]));
        assert_eq!(complete("  ge"), (2, vec!["get ".to_owned()]));
        assert_eq!(complete("rm").1, ["rmdir ", "rm "]);
        assert_eq!(complete("xyz").1, [""; 0]);
        assert_eq!(complete("").1.len(), TABLE.iter().map(|row| row.names.len()).sum::<usize>() - 1);
    }

    #[test]
    fn local_names_complete_only_where_they_are_wanted() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a b.txt"), "").unwrap();
        let typed = format!("{}/a", directory.path().display());
        let completed = format!("{}/a\\ b.txt", directory.path().display());
        assert_eq!(complete(&format!("put {typed}")), (4, vec![completed]));
        assert_eq!(complete(&format!("rm {typed}")).1, [""; 0]);
        assert_eq!(complete(&format!("sync put {typed}")).1.len(), 1);
    }

    #[test]
    fn the_words_of_sync_complete() {
        assert_eq!(complete("sync p"), (5, vec!["put ".to_owned()]));
        assert_eq!(complete("sync --delete "), (14, vec!["put ".to_owned(), "get ".to_owned()]));
        assert_eq!(complete("sync put a --ex"), (11, vec!["--exclude ".to_owned()]));
    }
}
