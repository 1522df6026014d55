//! What is included and excluded: globs, of which the first that matches decides.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use crate::commands::Rule;
use crate::failure::Failure;
use crate::remote::misformed;

/// Rules, ready to be asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules(Vec<Ready>);

#[derive(Clone, Debug)]
struct Ready {
    include: bool,
    /// It is for the path from the top on, not for a name anywhere.
    anchored: bool,
    /// It is for directories only.
    directories: bool,
    glob: GlobMatcher,
}

impl Rules {
    /// As they were written.
    ///
    /// # Errors
    /// [`Code::Usage`](crate::failure::Code::Usage) for what is no pattern.
    pub(super) fn new(rules: &[Rule]) -> Result<Rules, Failure> {
        rules.iter().map(ready).collect::<Result<_, _>>().map(Rules)
    }

    /// Whether the thing at `path` takes part, with all directories that it lies in. The top always does.
    pub(super) fn take(&self, path: &[u8], directory: bool) -> bool {
        if self.0.is_empty() || path.is_empty() {
            return true;
        }
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        ends.into_iter().all(|end| self.takes(&path[..end], true)) && self.takes(path, directory)
    }

    fn takes(&self, path: &[u8], directory: bool) -> bool {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let first = self.0.iter().find(|rule| {
            let text = if rule.anchored { path } else { name };
            (directory || !rule.directories) && rule.glob.is_match(Path::new(OsStr::from_bytes(text)))
        });
        first.is_none_or(|rule| rule.include)
    }
}

fn ready(Rule { include, pattern }: &Rule) -> Result<Ready, Failure> {
    let (text, directories) = match pattern.strip_suffix('/') {
        Some(text) => (text, true),
        None => (pattern.as_str(), false),
    };
    let anchored = text.contains('/');
    let glob = GlobBuilder::new(text.strip_prefix('/').unwrap_or(text))
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|error| misformed(pattern, &error))?;
    Ok(Ready { include: *include, anchored, directories, glob: glob.compile_matcher() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Code;

    fn rules(text: &str) -> Rules {
        let rule = |word: &str| Rule { include: word.starts_with('+'), pattern: word[1..].to_owned() };
        Rules::new(&text.split_whitespace().map(rule).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_first_that_matches_decides() {
        for (text, path) in [
            ("", "a/b"),
            ("-*.o", "a/b.c"),
            ("+keep.o -*.o", "a/keep.o"),
            ("-/b", "a/b"),
            ("-a/*.o", "a/b/c.o"),
            ("-a/*.o", "x/a/c.o"),
            ("-b/", "a/b"), // a file
            ("+*/ +*.c -*", "a/b/c.c"),
            (r"-a\*", "ab"),
            ("-a/**/x", "b/a/c/x"),
        ] {
            assert!(rules(text).take(path.as_bytes(), false), "{text}: {path}");
        }
        for (text, path) in [
            ("-*.o", "b.o"),
            ("-*.o", "a/b.o"),
            ("-a", "a/b/c"),
            ("-*.o +keep.o", "keep.o"),
            ("-/a", "a/b"),
            ("-a/*.o", "a/c.o"),
            ("-b/", "a/b/c"),
            ("+*.c -*", "a/b.c"), // the directory is not entered
            ("-a/**/x", "a/b/c/x"),
            ("-{a,b}", "x/b"),
        ] {
            assert!(!rules(text).take(path.as_bytes(), false), "{text}: {path}");
        }
        assert!(!rules("-b/").take(b"a/b", true));
        assert!(rules("-*").take(b"", true), "the top always takes part");
        assert!(!rules("-*\u{e9}").take("caf\u{e9}".as_bytes(), false));
        assert!(!rules("-caf*").take(b"caf\xe9", false), "what is no text has a name, too");
    }

    #[test]
    fn what_is_no_pattern_is_misuse() {
        let rule = Rule { include: false, pattern: "a[".into() };
        assert_eq!(Rules::new(&[rule]).unwrap_err().code, Code::Usage);
    }
}
