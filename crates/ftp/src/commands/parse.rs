//! From words to a command.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::table::{Opt, Row, Verb, nearest};
use super::{Command, sync, words};
use crate::failure::{Code, Failure};

/// The command that `words` spell. Local names that begin with `~/` start at `home`, if it is given.
pub(super) fn parse(words: Vec<OsString>, home: Option<&Path>) -> Result<Command, Failure> {
    let mut words = words.into_iter();
    let verb = words.next().unwrap_or_default();
    if let Some(script) = verb.to_str().and_then(|verb| verb.strip_prefix('!')) {
        return script_of(script, words).map(Command::Shell);
    }
    let row = verb.to_str().and_then(Row::named).ok_or_else(|| unknown(&verb))?;
    let Given { options, worded, operands } = Given::sort(row, words)?;
    let [long, tree, go_on] = ['l', 'r', 'c'].map(|letter| options.contains(letter));
    let mut operands = Operands { row, home, rest: operands.into_iter() };
    Ok(match row.verb {
        Verb::List if tree => Command::ListTree { path: operands.remote_or(".")?, long },
        Verb::List => Command::List { path: operands.remote_or(".")?, long },
        Verb::ChangeDirectory => Command::ChangeDirectory(operands.remote_or("/")?),
        Verb::Climb => Command::Climb,
        Verb::WorkingDirectory => Command::WorkingDirectory,
        Verb::ChangeOrShowDirectory => match operands.next_remote()? {
            Some(path) => Command::ChangeDirectory(path),
            None => Command::WorkingDirectory,
        },
        Verb::Get | Verb::Put if tree && go_on => {
            return Err(misused(row, "-c is for one file, -r for many"));
        }
        Verb::Get if tree => Command::GetTree { remote: operands.remote()?, local: operands.next_local() },
        Verb::Put if tree => Command::PutTree { local: operands.local()?, remote: operands.next_remote()? },
        Verb::GetMany => Command::GetMany(operands.all()?),
        Verb::PutMany => Command::PutMany(operands.all()?),
        Verb::Sync => {
            let way = operands.remote()?;
            let way = match way.as_str() {
                "put" => sync::Way::Put { from: operands.local()?, to: operands.next_remote()? },
                "get" => sync::Way::Get { from: operands.remote()?, to: operands.next_local() },
                _ => return Err(sync::no_way(&way)),
            };
            Command::Sync(sync::Sync::new(way, worded))
        }
        Verb::Get => Command::Get { remote: operands.remote()?, local: operands.next_local(), go_on },
        Verb::Put => Command::Put { local: operands.local()?, remote: operands.next_remote()?, go_on },
        Verb::Cat => Command::Cat(operands.remote()?),
        Verb::MakeDirectory => Command::MakeDirectory(operands.remote()?),
        Verb::RemoveDirectory => Command::RemoveDirectory(operands.remote()?),
        Verb::Remove if tree => Command::RemoveTree(operands.remote()?),
        Verb::Remove => Command::Remove(operands.remote()?),
        Verb::Rename => Command::Rename { from: operands.remote()?, to: operands.remote()? },
        Verb::Stat => Command::Stat(operands.remote()?),
        Verb::Md5 => Command::Md5(operands.remote()?),
        Verb::LocalChangeDirectory => Command::LocalChangeDirectory(operands.next_local()),
        Verb::LocalWorkingDirectory => Command::LocalWorkingDirectory,
        Verb::LocalList => {
            Command::LocalList { path: operands.next_local().unwrap_or_else(|| ".".into()), long }
        }
        Verb::Shell => Command::Shell(String::new()), // with a script, it went its own way above
        Verb::Help => Command::Help(operands.next_row()?),
        Verb::Quit => Command::Quit,
    })
}

/// The words after a command, sorted: options may stand anywhere before `--`.
struct Given {
    options: String,
    /// Those that are words, in the order in which they were given, with what they were told.
    worded: Vec<(&'static Opt, String)>,
    operands: Vec<OsString>,
}

impl Given {
    fn sort(row: &'static Row, mut words: impl Iterator<Item = OsString>) -> Result<Given, Failure> {
        let mut given = Given { options: String::new(), worded: Vec::new(), operands: Vec::new() };
        while let Some(word) = words.next() {
            match word.as_encoded_bytes() {
                b"--" => given.operands.extend(words.by_ref()),
                [b'-', b'-', ..] if !row.options.is_empty() => given.word(row, word, &mut words)?,
                [b'-', _, ..] => given.letters(row, &word)?,
                _ => given.operands.push(word),
            }
        }
        if given.operands.iter().any(|word| word.is_empty()) {
            return Err(misused(row, "a name is empty"));
        }
        given.count(row).map(|()| given)
    }

    /// Takes an option that is a word, and the word that it is told.
    fn word(
        &mut self,
        row: &'static Row,
        word: OsString,
        words: &mut impl Iterator<Item = OsString>,
    ) -> Result<(), Failure> {
        let word = text(word)?;
        let (name, told) = match word[2..].split_once('=') {
            Some((name, told)) => (name, Some(told.to_owned())),
            None => (&word[2..], None),
        };
        let option = row.option(name).ok_or_else(|| no_option(row, &word))?;
        let told = match (option.value, told) {
            (Some(_), Some(told)) => told,
            (Some(value), None) => match words.next() {
                Some(told) => text(told)?,
                None => return Err(misused(row, &format!("--{name} needs a {value}"))),
            },
            (None, None) => String::new(),
            (None, Some(_)) => return Err(misused(row, &format!("--{name} is told nothing"))),
        };
        self.worded.push((option, told));
        Ok(())
    }

    /// Takes the letters of an option word like `-la`.
    fn letters(&mut self, row: &'static Row, word: &OsStr) -> Result<(), Failure> {
        for letter in letters_of(row, word)?.chars() {
            self.options.push(letter);
            let long = row.options.iter().find(|option| option.letter == Some(letter));
            self.worded.extend(long.map(|option| (option, String::new())));
        }
        Ok(())
    }

    /// Refuses too few operands, and too many.
    fn count(&self, row: &Row) -> Result<(), Failure> {
        let (count, most) = (self.operands.len(), row.operands().count());
        let missing = row.operands().nth(count).filter(|name| !name.starts_with('['));
        if let Some(name) = missing {
            return Err(misused(row, &format!("{name} is missing")));
        }
        if count <= most || row.takes_many() {
            return Ok(());
        }
        let name = row.name();
        let (takes, quoting) = match most {
            0 => (format!("{name} takes no name"), String::new()),
            1 => (
                format!("{name} takes one name, not {count}"),
                format!(" Blanks in a name need quotes: {name} 'a b'."),
            ),
            _ => (
                format!("{name} takes {most} names, not {count}"),
                format!(" Blanks in a name need quotes: {name} 'a b'."),
            ),
        };
        Err(Failure::new(Code::Usage, takes).with_remedy(format!("Usage: {}.{quoting}", row.usage())))
    }
}

/// The operands of a command, taken one by one.
struct Operands<'a> {
    row: &'static Row,
    home: Option<&'a Path>,
    rest: std::vec::IntoIter<OsString>,
}

impl Operands<'_> {
    fn next_remote(&mut self) -> Result<Option<String>, Failure> {
        self.rest.next().map(text).transpose()
    }

    fn remote_or(&mut self, default: &str) -> Result<String, Failure> {
        Ok(self.next_remote()?.unwrap_or_else(|| default.to_owned()))
    }

    fn remote(&mut self) -> Result<String, Failure> {
        self.next_remote()?.ok_or_else(|| misused(self.row, "a name is missing"))
    }

    /// All that are left, as text; local ones begin at the home of the user, too.
    fn all(&mut self) -> Result<Vec<String>, Failure> {
        std::iter::from_fn(|| self.next_local()).map(|path| text(path.into_os_string())).collect()
    }

    fn next_local(&mut self) -> Option<PathBuf> {
        let path = PathBuf::from(self.rest.next()?);
        let below = self.home.and_then(|home| Some(home.join(path.strip_prefix("~").ok()?)));
        Some(below.unwrap_or(path))
    }

    fn local(&mut self) -> Result<PathBuf, Failure> {
        self.next_local().ok_or_else(|| misused(self.row, "a name is missing"))
    }

    fn next_row(&mut self) -> Result<Option<&'static Row>, Failure> {
        let Some(name) = self.rest.next() else { return Ok(None) };
        name.to_str().and_then(Row::named).map(Some).ok_or_else(|| unknown(&name))
    }
}

/// The letters of an option word like `-la`, if the command knows them all.
fn letters_of(row: &Row, word: &OsStr) -> Result<String, Failure> {
    let letters = word.to_string_lossy()[1..].to_owned();
    if letters.chars().all(|letter| row.has_option(letter)) {
        return Ok(letters);
    }
    Err(no_option(row, &word.to_string_lossy()))
}

fn no_option(row: &Row, word: &str) -> Failure {
    let name = row.name();
    let failure = misused(row, &format!("{name} has no option {word}"));
    if row.operands().next().is_none() {
        return failure;
    }
    let usage = failure.remedy.as_deref().unwrap_or_default();
    let remedy = format!("{usage} A name that begins with a dash goes after --: {name} -- {word}.");
    failure.with_remedy(remedy)
}

/// A remote name is UTF-8, whatever a name on this computer may be.
fn text(word: OsString) -> Result<String, Failure> {
    word.into_string().map_err(|word| {
        Failure::new(Code::Usage, format!("{} is not UTF-8", word.to_string_lossy()))
            .with_remedy("Names on a server are UTF-8: give it such a name.")
    })
}

/// `!` as a word of the command line: its own text is for the shell, each word after it stays one word.
fn script_of(script: &str, words: impl Iterator<Item = OsString>) -> Result<String, Failure> {
    words.map(text).try_fold(script.to_owned(), |script, word| {
        Ok(format!("{script} {}", words::quote(&word?)).trim_start().to_owned())
    })
}

fn misused(row: &Row, wrong: &str) -> Failure {
    let options = match row.options {
        [] => String::new(),
        _ => format!(" help {} shows its options.", row.name()),
    };
    Failure::new(Code::Usage, wrong).with_remedy(format!("Usage: {}.{options}", row.usage()))
}

fn unknown(word: &OsStr) -> Failure {
    let word = word.to_string_lossy();
    let remedy = match nearest(&word) {
        Some(name) => format!("Did you mean {name}? help shows all commands."),
        None => "help shows all commands.".to_owned(),
    };
    Failure::new(Code::Usage, format!("there is no command {}", words::quote(&word))).with_remedy(remedy)
}

#[cfg(test)]
mod tests;
