//! Every command with its names, its arguments and its line of help: the one place that knows them.

/// What a command does; the rows of [`TABLE`] name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    List,
    ChangeDirectory,
    Climb,
    WorkingDirectory,
    ChangeOrShowDirectory,
    Get,
    Put,
    GetMany,
    PutMany,
    Sync,
    Cat,
    MakeDirectory,
    RemoveDirectory,
    Remove,
    Rename,
    Stat,
    Md5,
    LocalChangeDirectory,
    LocalWorkingDirectory,
    LocalList,
    Shell,
    Help,
    Quit,
}

/// One command. What it takes is read from `arguments`, so that its help and its parser cannot disagree.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// What it does.
    pub(crate) verb: Verb,
    /// Its names, the usual one first.
    pub(crate) names: &'static [&'static str],
    /// `-la` stands for the options `-l` and `-a`, `-c|-r` for one of these; a name in brackets may be left out.
    pub(crate) arguments: &'static str,
    /// What it does, in one line.
    pub(crate) help: &'static str,
    /// Its options that are words.
    pub(crate) options: &'static [Opt],
}

/// An option that is a word: `--delete`, `--exclude GLOB`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opt {
    /// The word, without its dashes.
    pub(crate) name: &'static str,
    /// The letter that says the same.
    pub(crate) letter: Option<char>,
    /// What it needs to be told.
    pub(crate) value: Option<&'static str>,
    /// What it does, in one line.
    pub(crate) help: &'static str,
}

/// The commands, in the order of `help`.
pub(crate) const TABLE: &[Row] = &[
    row(Verb::List, &["ls", "dir", "list"], "[-lar] [PATH]", "list; -l: mode, size, time; -r: all"),
    row(Verb::ChangeDirectory, &["cd"], "[PATH]", "go to a directory; without PATH, to /"),
    row(Verb::Climb, &["cd..", "cdup"], "", "go to the directory above"),
    row(Verb::WorkingDirectory, &["pwd"], "", "show the directory you are in"),
    row(Verb::ChangeOrShowDirectory, &["cwd"], "[PATH]", "cd with PATH, pwd without"),
    row(Verb::Get, &["get"], "[-c|-r] REMOTE [LOCAL]", "fetch a file; -c: go on with it; -r: a directory"),
    row(Verb::Put, &["put"], "[-c|-r] LOCAL [REMOTE]", "send a file; -c: go on with it; -r: a directory"),
    row(Verb::GetMany, &["mget"], "PATTERN...", "fetch the files that match * ? [a-z] {a,b} **"),
    row(Verb::PutMany, &["mput"], "PATTERN...", "send the files that match"),
    Row {
        verb: Verb::Sync,
        names: &["sync"],
        arguments: "put|get SRC [DST]",
        help: "make DST like SRC; help sync tells its options",
        options: SYNC,
    },
    row(Verb::Cat, &["cat"], "REMOTE", "write a file to standard output"),
    row(Verb::MakeDirectory, &["mkdir"], "PATH", "make a directory"),
    row(Verb::RemoveDirectory, &["rmdir"], "PATH", "remove an empty directory"),
    row(Verb::Remove, &["rm", "delete"], "[-r] PATH", "remove a file; -r: a whole directory"),
    row(Verb::Rename, &["mv", "rename"], "FROM TO", "rename or move; TO may be a directory"),
    row(Verb::Stat, &["stat"], "PATH", "show kind, size, mode and time"),
    row(Verb::Md5, &["md5"], "PATH", "show the MD5 of a whole file, as md5sum does"),
    row(Verb::LocalChangeDirectory, &["lcd"], "[PATH]", "cd on this computer; without PATH, to your home"),
    row(Verb::LocalWorkingDirectory, &["lpwd"], "", "pwd on this computer"),
    row(Verb::LocalList, &["lls"], "[-la] [PATH]", "ls on this computer"),
    row(Verb::Shell, &["!"], "[COMMAND]", "run COMMAND in a shell on this computer"),
    row(Verb::Help, &["help", "?"], "[COMMAND]", "show this, or the usage of one command"),
    row(Verb::Quit, &["quit", "q", "bye", "exit"], "", "end the session"),
];

const fn row(verb: Verb, names: &'static [&'static str], arguments: &'static str, help: &'static str) -> Row {
    Row { verb, names, arguments, help, options: &[] }
}

/// The options of `sync`.
const SYNC: &[Opt] = &[
    opt("dry-run", Some('n'), None, "change nothing, show what would be done"),
    opt("delete", None, None, "remove from DST what SRC does not have; asks first"),
    opt("yes", None, None, "do not ask"),
    opt("checksum", None, None, "compare contents, not size and time"),
    opt("include", None, Some("GLOB"), "take what matches, though a later --exclude does, too"),
    opt("exclude", None, Some("GLOB"), "leave alone what matches, at both ends"),
];

const fn opt(
    name: &'static str,
    letter: Option<char>,
    value: Option<&'static str>,
    help: &'static str,
) -> Opt {
    Opt { name, letter, value, help }
}

impl Row {
    /// The row with this name, if there is one.
    pub(crate) fn named(name: &str) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.names.contains(&name))
    }

    /// Its usual name.
    pub(crate) fn name(&self) -> &'static str {
        self.names[0]
    }

    /// How it is called: `get REMOTE [LOCAL]`.
    pub(crate) fn usage(&self) -> String {
        format!("{} {}", self.name(), self.arguments).trim_end().to_owned()
    }

    /// Whether it knows the option `-letter`.
    pub(crate) fn has_option(&self, letter: char) -> bool {
        let mut letters =
            self.arguments.split(' ').filter_map(|part| part.strip_prefix("[-")?.strip_suffix(']'));
        letter.is_ascii_alphabetic() && letters.any(|letters| letters.contains(letter))
            || self.options.iter().any(|option| option.letter == Some(letter))
    }

    /// Its option `--name`.
    pub(crate) fn option(&self, name: &str) -> Option<&'static Opt> {
        self.options.iter().find(|option| option.name == name)
    }

    /// Whether its last operand may be given more than once.
    pub(crate) fn takes_many(&self) -> bool {
        self.arguments.ends_with("...")
    }

    /// The names of what it takes, those in brackets being optional.
    pub(crate) fn operands(&self) -> impl Iterator<Item = &'static str> {
        self.arguments.split(' ').filter(|part| !part.is_empty() && !part.starts_with("[-"))
    }
}

/// The command name that `word` was probably meant to be: at most two slips away, and closer than no resemblance at all.
pub(crate) fn nearest(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let names = TABLE.iter().flat_map(|row| row.names).copied();
    let (slips, name) = names.map(|name| (slips(&word, name), name)).min_by_key(|(slips, _)| *slips)?;
    (slips <= 2 && slips < name.chars().count().min(word.chars().count())).then_some(name)
}

/// How many letters were left out, added, changed, or swapped with their neighbour between `a` and `b`.
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = changed.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_and_only_once() {
        let names: Vec<_> = TABLE.iter().flat_map(|row| row.names).copied().collect();
        let wanted = "ls dir list cd cd.. cdup pwd cwd get put mget mput sync cat mkdir rmdir rm delete mv rename stat md5 lcd \
                      lpwd lls ! help ? quit q bye exit";
        for name in wanted.split(' ') {
            assert_eq!(names.iter().filter(|n| **n == name).count(), 1, "{name}");
            assert!(Row::named(name).is_some_and(|row| row.names.contains(&name)));
        }
        assert_eq!(names.len(), wanted.split(' ').count());
    }

    #[test]
    fn a_row_tells_what_it_takes() {
        let ls = Row::named("dir").unwrap();
        assert_eq!(ls.usage(), "ls [-lar] [PATH]");
        assert!(ls.has_option('l') && ls.has_option('a') && ls.has_option('r') && !ls.has_option('-'));
        assert_eq!(ls.operands().collect::<Vec<_>>(), ["[PATH]"]);
        let get = Row::named("get").unwrap();
        assert_eq!(get.operands().collect::<Vec<_>>(), ["REMOTE", "[LOCAL]"]);
        assert_eq!(get.usage(), "get [-c|-r] REMOTE [LOCAL]");
        assert!(['c', 'r'].into_iter().all(|letter| get.has_option(letter)));
        assert!(!get.has_option('l') && !get.has_option('|') && !get.has_option('-'));
        assert!(!get.takes_many() && Row::named("mget").unwrap().takes_many());
        let quit = Row::named("bye").unwrap();
        assert_eq!((quit.usage().as_str(), quit.operands().count()), ("quit", 0));
    }

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        for (typed, meant) in [
            ("gte", "get"),
            ("LS", "ls"),
            ("sl", "ls"),
            ("mkdri", "mkdir"),
            ("delet", "delete"),
            ("exti", "exit"),
            ("stats", "stat"),
            ("cd...", "cd.."),
        ] {
            assert_eq!(nearest(typed), Some(meant), "{typed}");
        }
        for far in ["", "x", "frobnicate", "日本語"] {
            assert_eq!(nearest(far), None, "{far}");
        }
    }

    #[test]
    fn slips_count_as_expected() {
        for (a, b, count) in
            [("", "", 0), ("", "ab", 2), ("get", "get", 0), ("gte", "get", 1), ("rmdir", "mkdir", 2)]
        {
            assert_eq!(slips(a, b), count, "{a} {b}");
            assert_eq!(slips(b, a), count, "{b} {a}");
        }
    }
}
