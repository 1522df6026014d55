//! `help`: the table of commands, or one of them.

use std::fmt::Write as _;

use crate::commands::{Row, TABLE};

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

/// One command: how it is called, what it does, its other names.
pub(crate) fn one(row: &Row) -> String {
    format!("{}\n    {}{}\n", row.usage(), row.help, aliases(row))
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
    }
}
