//! Directories as `ls` shows them: names in columns or one a line, or a line of facts for each.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use store::{Entry, EntryKind, Time};
use unicode_width::UnicodeWidthStr;

use super::Surface;

/// Blanks between two columns.
const GAP: usize = 2;

/// By which clock times are shown.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    pub(crate) now: Timestamp,
    pub(crate) zone: TimeZone,
}

impl Clock {
    /// The clock on this computer's wall.
    pub(crate) fn local() -> Clock {
        Clock { now: Timestamp::now(), zone: TimeZone::system() }
    }

    /// As `ls -l` has it: with the time of day within the last half year, with the year otherwise.
    fn short(&self, time: Time) -> String {
        let recent = (self.now - 4380.hours())..=self.now;
        self.format(time, |at| if recent.contains(&at) { "%b %e %H:%M" } else { "%b %e  %Y" })
    }

    /// To the second, with the offset from UTC.
    pub(crate) fn full(&self, time: Time) -> String {
        self.format(time, |_| "%Y-%m-%d %H:%M:%S %z")
    }

    fn format(&self, time: Time, pattern: impl FnOnce(Timestamp) -> &'static str) -> String {
        match Timestamp::from_second(time.seconds) {
            Ok(at) => at.to_zoned(self.zone.clone()).strftime(pattern(at)).to_string(),
            Err(_) => format!("@{}", time.seconds), // beyond the year 9999
        }
    }
}

/// `entries` as `ls` shows them, in their order: in columns on a terminal, else one a line.
pub(crate) fn short(entries: &[Entry], surface: &Surface) -> String {
    let names: Vec<Name> = entries.iter().map(|entry| Name::of(entry, surface)).collect();
    columns(&names, surface.width.unwrap_or(0))
}

/// `entries` as `ls` shows them when there are too many for columns: one a line.
pub(crate) fn lines(entries: &[Entry], surface: &Surface) -> String {
    let names: Vec<Name> = entries.iter().map(|entry| Name::of(entry, surface)).collect();
    columns(&names, 0)
}

/// `entries` as `ls -l` shows them: mode, bytes, time and name.
pub(crate) fn long(entries: &[Entry], surface: &Surface, clock: &Clock) -> String {
    let sizes = entries.iter().map(|entry| entry.size);
    let digits = sizes.max().unwrap_or(0).to_string().len();
    let mut text = String::new();
    for entry in entries {
        let (mode, time, name) = (mode(entry), clock.short(entry.modified), Name::of(entry, surface).text);
        writeln!(text, "{mode} {:>digits$} {time:>12} {name}", entry.size).expect("a string takes all");
    }
    text
}

/// Kind and permissions: `drwxr-xr-x`.
pub(crate) fn mode(entry: &Entry) -> String {
    let kind = match entry.kind {
        EntryKind::File => '-',
        EntryKind::Directory => 'd',
        EntryKind::Link => 'l',
        EntryKind::Other => '?',
    };
    let bits = (0..9).map(|bit| match entry.mode & (0o400 >> bit) {
        0 => '-',
        _ => ['r', 'w', 'x'][bit % 3],
    });
    std::iter::once(kind).chain(bits).collect()
}

/// A name with its colour, and the columns that it takes.
struct Name {
    text: String,
    width: usize,
}

impl Name {
    fn of(entry: &Entry, surface: &Surface) -> Name {
        let mut text = surface.name(&entry.name).into_owned();
        let (mark, style) = match entry.kind {
            EntryKind::Directory => ("/", AnsiColor::Blue.on_default().bold()),
            EntryKind::Link => ("@", AnsiColor::Cyan.on_default()),
            EntryKind::File | EntryKind::Other => ("", Style::new()),
        };
        let mark = if surface.width.is_some() { mark } else { "" };
        let width = text.width() + mark.len();
        if surface.colour {
            text = format!("{style}{text}{style:#}");
        }
        text.push_str(mark);
        Name { text, width }
    }
}

/// Fills columns of `width` from top to bottom, with as few lines as fit; one name a line where nothing fits.
fn columns(names: &[Name], width: usize) -> String {
    let most = (width / (1 + GAP)).clamp(1, names.len().max(1));
    let fitting = (2..=most).rev().find_map(|count| {
        let rows = names.len().div_ceil(count);
        let widths: Vec<usize> = names
            .chunks(rows)
            .map(|column| column.iter().map(|name| name.width).max().unwrap_or(0))
            .collect();
        let total = widths.iter().sum::<usize>() + GAP * (widths.len() - 1);
        (total <= width).then_some((rows, widths))
    });
    let (rows, widths) = fitting.unwrap_or((names.len(), vec![0]));
    let mut text = String::new();
    for row in 0..rows {
        let mut blanks = 0;
        for (name, width) in names[row..].iter().step_by(rows).zip(&widths) {
            write!(text, "{:blanks$}{}", "", name.text).expect("a string takes all");
            blanks = (width + GAP).saturating_sub(name.width);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
