//! A section of users.toml under the eyes of its reader: what it says, each word with the line it stands on.

use std::fmt;
use std::path::Path;

use store::escaped;
use toml::de::{DeTable, DeValue};

use super::{Mistake, Problem};

/// A key that some section knows, spelt as an example: `idle = "10m"`.
#[derive(Clone, Copy)]
pub(super) struct Key(pub(super) &'static str);

impl Key {
    /// What stands before the `=`.
    pub(super) fn name(self) -> &'static str {
        self.0.split(' ').next().unwrap_or_default()
    }
}

/// The file and its text.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// A mistake at a byte of the text.
    pub(super) fn problem(self, at: usize, mistake: Mistake) -> Problem {
        Problem { file: self.file.to_owned(), line: Some(self.line(at)), mistake: Box::new(mistake) }
    }

    /// The line of a byte of the text.
    fn line(self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        line.min(self.text.lines().count().max(1)) // what ends too soon ends on the last line
    }
}

/// A section: `[native]`, `[users.bob]`, or the keys before the first one.
#[derive(Clone)]
pub(super) struct Table<'a> {
    source: Source<'a>,
    place: String,
    at: usize,
    entries: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    /// The keys and sections of the whole file.
    pub(super) fn top(source: Source<'a>, entries: &'a DeTable<'a>) -> Table<'a> {
        Table { source, place: "at the top".into(), at: 0, entries }
    }

    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: Key) -> Option<Value<'a>> {
        let (name, value) = self.entries.get_key_value(key.name())?;
        Some(Value { source: self.source, key, at: name.span().start, value: value.get_ref() })
    }

    /// The value of a key, or the mistake that it is missing.
    pub(super) fn require(&self, key: Key) -> Result<Value<'a>, Problem> {
        let absent = || Mistake::Absent { key: key.name(), place: self.place.clone(), example: key.0 };
        self.get(key).ok_or_else(|| self.problem(absent()))
    }

    /// Each key and what stands there as a section.
    pub(super) fn sections(&self) -> impl Iterator<Item = (&'a str, Section<'a>)> {
        let source = self.source;
        self.entries.iter().map(move |(name, value)| {
            let section = Section { source, at: name.span().start, value: value.get_ref() };
            (name.get_ref().as_ref(), section)
        })
    }

    /// One of the sections.
    pub(super) fn section(&self, name: &str) -> Option<Section<'a>> {
        self.sections().find(|(other, _)| *other == name).map(|(_, section)| section)
    }

    /// A mistake about the section as a whole.
    pub(super) fn problem(&self, mistake: Mistake) -> Problem {
        self.source.problem(self.at, mistake)
    }

    /// Refuses what is neither one of `keys` nor one of `sections`: the first in the file.
    pub(super) fn knows(&self, keys: &[Key], sections: &[&str]) -> Result<(), Problem> {
        let keys = || keys.iter().map(|key| key.name());
        let known = |name: &str| keys().chain(sections.iter().copied()).any(|known| known == name);
        let strangers = self.sections().filter(|(name, _)| !known(name));
        let Some((name, stranger)) = strangers.min_by_key(|(_, stranger)| stranger.at) else { return Ok(()) };
        let shown = shown(name);
        let (what, hint) = match (stranger.value, sections) {
            (DeValue::Table(_), [_, ..]) => {
                (format!("section {shown}"), hint(name, sections.iter().copied()))
            }
            _ => (format!("key {shown}"), hint(name, keys())),
        };
        Err(stranger.problem(Mistake::Unknown { what, place: self.place.clone(), hint }))
    }
}

/// What stands where a section should: not yet known to be one.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    source: Source<'a>,
    at: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Section<'a> {
    /// The section, called `place` in messages.
    pub(super) fn table(self, place: String, example: &'static str) -> Result<Table<'a>, Problem> {
        match self.value {
            DeValue::Table(entries) => {
                Ok(Table { source: self.source, place: format!("in {place}"), at: self.at, entries })
            }
            other => Err(self.problem(Mistake::Value {
                key: place,
                wanted: "a section".into(),
                found: kind(other).into(),
                example,
            })),
        }
    }

    /// Whether it is one.
    pub(super) fn is_table(self) -> bool {
        self.value.is_table()
    }

    /// A mistake about it, at the line of its name.
    pub(super) fn problem(self, mistake: Mistake) -> Problem {
        self.source.problem(self.at, mistake)
    }
}

/// The value of a key, or an element of one that is a list.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    source: Source<'a>,
    key: Key,
    at: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Value<'a> {
    /// A mistake at the line of the value.
    pub(super) fn problem(self, mistake: Mistake) -> Problem {
        self.source.problem(self.at, mistake)
    }

    /// The line that it stands on.
    pub(super) fn line(self) -> usize {
        self.source.line(self.at)
    }

    /// The mistake that it is not what it must be.
    pub(super) fn wrong(self, wanted: impl fmt::Display) -> Problem {
        let found = match self.value {
            DeValue::String(text) => shown(text),
            DeValue::Integer(number) => shown(&number.to_string()).trim_matches('"').into(),
            other => kind(other).into(),
        };
        self.not(wanted, found)
    }

    /// As [`wrong`](Value::wrong), for a value that no message may repeat.
    pub(super) fn wrong_secret(self, wanted: impl fmt::Display) -> Problem {
        self.not(wanted, kind(self.value).into())
    }

    fn not(self, wanted: impl fmt::Display, found: String) -> Problem {
        let (key, wanted, example) = (self.key.name().into(), wanted.to_string(), self.key.0);
        self.problem(Mistake::Value { key, wanted, found, example })
    }

    /// The text, if it is one.
    pub(super) fn text(self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// What `read` makes of the text.
    pub(super) fn parse<T>(self, wanted: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Problem> {
        self.text().and_then(read).ok_or_else(|| self.wrong(wanted))
    }

    /// `true` or `false`.
    pub(super) fn flag(self) -> Result<bool, Problem> {
        self.value.as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    /// A whole number from 1 to `most`.
    pub(super) fn count(self, most: usize) -> Result<usize, Problem> {
        let number = self.value.as_integer().and_then(|n| usize::from_str_radix(n.as_str(), n.radix()).ok());
        let number = number.filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| self.wrong(format!("a whole number from 1 to {most}")))
    }

    /// A list of at least one text, each read by `read`, none twice and none that is `taken` by another list.
    pub(super) fn list<T: PartialEq>(
        self,
        wanted: &str,
        read: impl Fn(&str) -> Option<T>,
        taken: &[T],
        may_repeat: impl Fn(&T) -> bool,
    ) -> Result<Vec<T>, Problem> {
        let list = self.value.as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| self.wrong(format!("a list of {wanted}")))?;
        let mut read_so_far = Vec::with_capacity(list.len());
        for element in list.iter() {
            let element = Value { at: element.span().start, value: element.get_ref(), ..self };
            let item = element.parse(&format!("a list of {wanted}"), &read)?;
            if (read_so_far.contains(&item) || taken.contains(&item)) && !may_repeat(&item) {
                return Err(element.problem(Mistake::Twice(shown(element.text().unwrap_or_default()))));
            }
            read_so_far.push(item);
        }
        Ok(read_so_far)
    }
}

/// A word from the file, safe for a terminal and of bounded length.
pub(crate) fn shown(word: &str) -> String {
    const MOST: usize = 80;
    let cut: String = word.chars().take(MOST).collect();
    format!("\"{}{}\"", escaped(cut.as_bytes()), if cut.len() < word.len() { "…" } else { "" })
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(true) => "true",
        DeValue::Boolean(false) => "false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(list) if list.is_empty() => "an empty list",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

/// The known name that is near enough to have been meant, else all of them.
fn hint<'k>(name: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    let far = |known: &str| strsim::damerau_levenshtein(&name.to_lowercase(), known);
    match known.clone().min_by_key(|known| far(known)) {
        Some(near) if far(near) <= 1 + near.len() / 4 => format!("did you mean \"{near}\"?"),
        _ => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
    }
}
