//! Patterns: which files of a tree are wanted.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::shown;
use crate::failure::{Code, Failure};

/// What a pattern is made of, beside letters.
const SPECIAL: [char; 5] = ['*', '?', '[', '{', '\\'];

/// Files whose paths match one of some patterns; which of these matched nothing is kept in mind.
#[derive(Clone, Debug)]
pub(crate) struct Only {
    set: GlobSet,
    hits: Arc<[AtomicBool]>,
    /// None of them reaches further down than the directory itself.
    flat: bool,
    /// Where patterns begin in several directories: the names that are given, and which of the directories this one is.
    names: Option<(Arc<Names>, usize)>,
}

/// The names that files of several directories get in one place. Of each no more is kept than a hash, and whose it is.
#[derive(Debug)]
struct Names {
    directories: Vec<String>,
    state: RandomState,
    given: Mutex<HashMap<u64, usize>>,
}

/// Patterns that begin in one directory.
#[derive(Debug)]
pub(crate) struct Group {
    /// That directory; empty for the current one.
    pub(crate) directory: String,
    /// What follows of each.
    pub(crate) only: Only,
    /// The patterns as they were written.
    pub(crate) patterns: Vec<String>,
}

/// The patterns, those of one directory together. One that `exists` knows as a name is that name, whatever is in it.
pub(crate) fn groups(patterns: &[String], exists: impl Fn(&str) -> bool) -> Result<Vec<Group>, Failure> {
    let mut parts: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for pattern in patterns {
        let literal = exists(pattern) || !pattern.contains(SPECIAL);
        let first = if literal { pattern.len() } else { pattern.find(SPECIAL).unwrap_or(pattern.len()) };
        let (directory, rest) = match pattern[..first].rfind('/') {
            Some(slash) => (&pattern[..=slash], &pattern[slash + 1..]),
            None => ("", &pattern[..]),
        };
        let rest = if literal { globset::escape(rest) } else { rest.to_owned() };
        let pair = (rest, pattern.clone());
        match parts.iter_mut().find(|(known, _)| known == directory) {
            Some((_, rests)) => rests.push(pair),
            None => parts.push((directory.to_owned(), vec![pair])),
        }
    }
    let directories: Vec<String> = parts.iter().map(|(directory, _)| directory.clone()).collect();
    let (state, given) = Default::default();
    // What lies in one directory has names of its own.
    let names = (directories.len() > 1).then(|| Arc::new(Names { directories, state, given }));
    let group = |(number, (directory, rests))| {
        let mut group = group(directory, rests)?;
        group.only.names = names.clone().map(|names| (names, number));
        Ok(group)
    };
    parts.into_iter().enumerate().map(group).collect()
}

fn group(directory: String, rests: Vec<(String, String)>) -> Result<Group, Failure> {
    let mut set = GlobSetBuilder::new();
    for (rest, pattern) in &rests {
        let glob = GlobBuilder::new(rest).literal_separator(true).backslash_escape(true).build();
        set.add(glob.map_err(|error| misformed(pattern, &error))?);
    }
    let set = set.build().map_err(|error| misformed(&rests[0].1, &error))?;
    let flat = !rests.iter().any(|(rest, _)| rest.contains('/') || rest.contains("**"));
    let hits = rests.iter().map(|_| AtomicBool::new(false)).collect();
    let patterns = rests.into_iter().map(|(_, pattern)| pattern).collect();
    Ok(Group { directory, only: Only { set, hits, flat, names: None }, patterns })
}

pub(crate) fn misformed(pattern: &str, error: &globset::Error) -> Failure {
    Failure::new(Code::Usage, format!("{pattern} is no pattern: {}", error.kind()))
        .with_remedy("*, ?, [a-z], {a,b} and ** are understood; a backslash takes their meaning away.")
}

impl Only {
    /// Whether the file at `path` is wanted.
    pub(crate) fn wants(&self, path: &[u8]) -> bool {
        let Ok(path) = str::from_utf8(path) else { return false };
        let matched = self.set.matches(path);
        matched.iter().for_each(|&pattern| self.hits[pattern].store(true, Ordering::Relaxed));
        !matched.is_empty()
    }

    /// Takes the name at `path` for a file.
    ///
    /// # Errors
    /// If a file of another directory has it.
    pub(crate) fn claim(&self, path: &[u8]) -> Result<(), Failure> {
        let Some((names, number)) = &self.names else { return Ok(()) };
        let mut given = names.given.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *given.entry(names.state.hash_one(path)).or_insert(*number);
        if first == *number {
            return Ok(());
        }
        let first = shown(&names.directories[first], path);
        Err(Failure::new(Code::Other, format!("it would replace what this command brings from {first}"))
            .with_remedy("Move it by itself, to another name; or the whole directory, with -r."))
    }

    /// Gives the name at `path` back: no file came of it.
    pub(crate) fn release(&self, path: &[u8]) {
        let Some((names, _)) = &self.names else { return };
        names.given.lock().unwrap_or_else(PoisonError::into_inner).remove(&names.state.hash_one(path));
    }

    /// Whether only what lies in the directory itself can be wanted.
    pub(crate) fn is_flat(&self) -> bool {
        self.flat
    }
}

impl Group {
    /// The patterns that nothing matched.
    pub(crate) fn missed(&self) -> impl Iterator<Item = &str> {
        let missed = |(_, hit): &(&String, &AtomicBool)| !hit.load(Ordering::Relaxed);
        self.patterns.iter().zip(&*self.only.hits).filter(missed).map(|(pattern, _)| pattern.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(pattern: &str, path: &str) -> bool {
        let groups = groups(&[pattern.to_owned()], |_| false).unwrap();
        path.strip_prefix(&groups[0].directory).is_some_and(|rest| groups[0].only.wants(rest.as_bytes()))
    }

    #[test]
    fn patterns_match_as_a_shell_has_them() {
        for (pattern, path) in [
            ("*.c", "a.c"),
            ("?.c", "a.c"),
            ("[a-c].c", "b.c"),
            ("{a,b}.c", "b.c"),
            ("src/*.c", "src/a.c"),
            ("/src/*", "/src/a"),
            ("*/a", "x/a"),
            ("**/a", "x/y/a"),
            ("**/a", "a"),
            ("src/**", "src/x/y"),
            (r"a\*", "a*"),
            ("a b", "a b"),
        ] {
            assert!(wants(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*.c", "x/a.c"),
            ("*", "x/a"),
            ("?", "/"),
            ("[!a].c", "a.c"),
            ("*/a", "x/y/a"),
            (r"a\*", "ab"),
            ("a", "b"),
        ] {
            assert!(!wants(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn patterns_of_one_directory_go_together_and_those_without_a_match_are_known() {
        let patterns = ["a/*.c", "*.h", "a/x.h", "b/**"].map(str::to_owned);
        let groups = groups(&patterns, |_| false).unwrap();
        let directories: Vec<&str> = groups.iter().map(|group| group.directory.as_str()).collect();
        assert_eq!(directories, ["a/", "", "b/"]);
        assert!(groups[0].only.is_flat() && !groups[2].only.is_flat());
        assert!(groups[0].only.wants(b"x.h"));
        assert_eq!(groups[0].missed().collect::<Vec<_>>(), ["a/*.c"]);
    }

    #[test]
    fn a_name_is_for_the_directory_that_comes_first() {
        let patterns = ["a/*", "b/*"].map(str::to_owned);
        let groups = groups(&patterns, |_| false).unwrap();
        let [first, second] = &groups[..] else { panic!("two directories") };
        assert!(first.only.claim(b"x").is_ok() && first.only.claim(b"x").is_ok());
        let refused = second.only.claim(b"x").unwrap_err();
        assert!(refused.message.ends_with("brings from a/x"), "{refused}");
        assert!(second.only.claim(b"y").is_ok());
        first.only.release(b"x");
        assert!(second.only.claim(b"x").is_ok());
    }

    #[test]
    fn a_name_that_exists_is_that_name() {
        let groups = groups(&["a[1]".to_owned()], |name| name == "a[1]").unwrap();
        assert!(groups[0].only.wants(b"a[1]") && !groups[0].only.wants(b"a1"));
        assert_eq!(super::groups(&["a[".to_owned()], |_| false).unwrap_err().code, Code::Usage);
    }
}
