//! `help`: the table of commands, or one of them.

use std::fmt::Write as _;

use crate::commands::{Opt, Row, TABLE, Verb};

/// Every command, one a line.
pub(crate) fn all() -> String {
    let usage = |row: &Row| match row.names {
        ["!", ..] => "!COMMAND".to_owned(),
        _ => row.usage(),
    };
    let width = TABLE.iter().map(|row| usage(row).len()).max().unwrap_or(0);
    let mut text = String::new();
    for row in TABLE {
        writeln!(text, "{:width$}  {}{}", usage(row), row.help, aliases(row)).expect("a string takes all");
    }
    text + "\nQuote names with blanks, 'like this'; put -- before a name that begins with a dash.\n"
}

/// What the words of `sync` mean.
const WAYS: &str = "
    sync put LOCAL [REMOTE]   brings what is in LOCAL to the server, into REMOTE
    sync get REMOTE [LOCAL]   fetches what is in REMOTE from the server, into LOCAL

    A file is left alone if size and time are the same at both ends. Of a large one,
    only the blocks that differ are moved. A pattern without / is for any name, one
    with / for the path from SRC on; one that ends in / is for directories.

";

/// What patterns mean.
const PATTERNS: &str = "
    * and ? stand for what is between slashes, ** for directories, too. Files come
    to their paths from where the pattern begins: 'a/*.c' to x.c. Directories, and
    links to them, are passed over; a link to a file gives the file, and one that
    leads nowhere is told. What patterns like **/* find further down, links among
    it, is moved as by -r. Of files that would get one name only the first is moved.
";

/// One command: how it is called, what it does, its other names.
pub(crate) fn one(row: &Row) -> String {
    let mut text = format!("{}\n    {}{}\n", row.usage(), row.help, aliases(row));
    match row.verb {
        Verb::Sync => text += WAYS,
        Verb::GetMany | Verb::PutMany => text += PATTERNS,
        _ => {}
    }
    let option = |option: &Opt| {
        let letter = option.letter.map(|letter| format!("-{letter}, ")).unwrap_or_default();
        let value = option.value.map(|value| format!(" {value}")).unwrap_or_default();
        format!("{letter}--{}{value}", option.name)
    };
    let width = row.options.iter().map(|each| option(each).len()).max().unwrap_or(0);
    for each in row.options {
        writeln!(text, "    {:width$}  {}", option(each), each.help).expect("a string takes all");
    }
    text
}

fn aliases(row: &Row) -> String {
    match &row.names[1..] {
        [] => String::new(),
        others => format!(" (also {})", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_has_a_line_of_at_most_eighty_columns_for_each_command() {
        let text = all();
        let (table, _) = text.split_once("\n\n").unwrap();
        assert_eq!(table.lines().count(), TABLE.len());
        for (line, row) in table.lines().zip(TABLE) {
            assert!(line.starts_with(row.name()) && line.contains(row.help), "{line}");
            assert!(line.len() <= 80, "{} columns: {line}", line.len());
        }
    }

    #[test]
    fn help_of_one_shows_its_usage_and_its_other_names() {
        let text = one(Row::named("dir").unwrap());
        assert!(text.starts_with("ls [-lar] [PATH]\n"));
        assert!(text.ends_with("(also dir, list)\n"), "{text}");
        assert!(!one(Row::named("get").unwrap()).contains("also"));
        for name in ["mget", "mput"] {
            let text = one(Row::named(name).unwrap());
            assert!(text.contains("passed over") && text.lines().all(|line| line.len() <= 84), "{text}");
        }
        let sync = one(Row::named("sync").unwrap());
        assert!(
            sync.contains("sync get REMOTE [LOCAL]") && sync.contains("\n    -n, --dry-run   "),
            "{sync}"
        );
        assert!(sync.lines().all(|line| line.len() <= 84), "{sync}");
    }
}
