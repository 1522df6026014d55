//! `sync`: which way, and how.

use std::path::PathBuf;

use super::table::Opt;
use crate::failure::{Code, Failure};

/// What `sync` is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sync {
    /// From where to where.
    pub(crate) way: Way,
    /// Nothing is changed, and what would be is shown.
    pub(crate) dry_run: bool,
    /// What the source does not have is removed.
    pub(crate) delete: bool,
    /// Nobody is asked.
    pub(crate) yes: bool,
    /// Contents are compared, and not sizes and times.
    pub(crate) checksum: bool,
    /// What is included and excluded, the first that matches deciding.
    pub(crate) rules: Vec<Rule>,
}

/// From where to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From this computer to the server.
    Put { from: PathBuf, to: Option<String> },
    /// From the server to this computer.
    Get { from: String, to: Option<PathBuf> },
}

/// A pattern, and what becomes of what it matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) include: bool,
    pub(crate) pattern: String,
}

impl Sync {
    /// As the options say.
    pub(super) fn new(way: Way, options: Vec<(&'static Opt, String)>) -> Sync {
        let has = |name: &str| options.iter().any(|(option, _)| option.name == name);
        let [dry_run, delete, yes, checksum] = ["dry-run", "delete", "yes", "checksum"].map(has);
        let rules = options.into_iter().filter(|(option, _)| option.value.is_some());
        let rules = rules.map(|(option, pattern)| Rule { include: option.name == "include", pattern });
        Sync { way, dry_run, delete, yes, checksum, rules: rules.collect() }
    }
}

/// Neither `put` nor `get`.
pub(super) fn no_way(word: &str) -> Failure {
    let word = super::quote(word);
    Failure::new(Code::Usage, format!("sync goes put or get, not {word}"))
        .with_remedy("To the server: sync put LOCAL [REMOTE]. From it: sync get REMOTE [LOCAL].")
}
