//! Patterns: which files of a tree are wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

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
    parts.into_iter().map(|(directory, rests)| group(directory, rests)).collect()
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
    Ok(Group { directory, only: Only { set, hits, flat }, patterns })
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
    fn a_name_that_exists_is_that_name() {
        let groups = groups(&["a[1]".to_owned()], |name| name == "a[1]").unwrap();
        assert!(groups[0].only.wants(b"a[1]") && !groups[0].only.wants(b"a1"));
        assert_eq!(super::groups(&["a[".to_owned()], |_| false).unwrap_err().code, Code::Usage);
    }
}
