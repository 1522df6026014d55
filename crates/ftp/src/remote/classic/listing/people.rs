//! Lines of LIST, which are written for people: as `ls -l` writes them, or as `dir` does. No standard says how (RFC 959, 4.1.3).

use jiff::civil::{Date, Time as Clock};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use store::{Entry, EntryKind, Time};

use super::NO_TIME;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Entry(Entry),
    /// Nothing that has a name: a total, an empty line.
    Nothing,
    /// Nobody knows.
    Unreadable,
}

/// Reads a line. Where a year is missing, `now` tells it; times are taken for UTC.
pub(super) fn read(line: &[u8], now: Timestamp) -> Line {
    let text = String::from_utf8_lossy(line);
    if text.trim().is_empty() || text.starts_with("total ") {
        return Line::Nothing;
    }
    match unix(&text, now).or_else(|| dos(&text)) {
        Some(entry) => Line::Entry(entry),
        None => Line::Unreadable,
    }
}

/// Parts of a line between blanks, each with what follows it.
fn parts(line: &str) -> Vec<(&str, &str)> {
    let mut rest = line.trim_start();
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(' ').unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push((part, after));
        rest = after.trim_start();
    }
    parts
}

/// `-rw-r--r-- 1 owner group 1234 Jan 30 12:34 name`: group, owner and links may be missing.
fn unix(line: &str, now: Timestamp) -> Option<Entry> {
    let kind = match line.as_bytes().first()? {
        b'-' => EntryKind::File,
        b'd' => EntryKind::Directory,
        b'l' => EntryKind::Link,
        b'b' | b'c' | b'p' | b's' => EntryKind::Other,
        _ => return None,
    };
    let parts = parts(line);
    let mode = mode(parts.first()?.0)?;
    // The time is found first: what stands before it is the size, what comes after it the name.
    let (at, width, modified) = (2..parts.len().min(7)).find_map(|at| {
        let (modified, width) = moment(&parts[at..], now)?;
        parts[at - 1].0.bytes().all(|byte| byte.is_ascii_digit()).then_some((at, width, modified))
    })?;
    let name = parts.get(at + width - 1)?.1.strip_prefix(' ')?;
    let name = match kind {
        EntryKind::Link => name.split_once(" -> ").map_or(name, |(name, _)| name),
        _ => name,
    };
    let size = if kind == EntryKind::Other { 0 } else { parts[at - 1].0.parse().ok()? };
    Some(Entry { name: name.into(), kind, size, modified, mode })
}

/// The bits of `-rwxr-x---`, whatever mark of further rights follows them.
fn mode(text: &str) -> Option<u32> {
    let letters = text.as_bytes().get(1..10)?;
    let known = letters.iter().all(|letter| b"-rwxsStTlL".contains(letter));
    let bit = |letter: u8| u32::from(!b"-STlL".contains(&letter));
    known.then(|| letters.iter().fold(0, |mode, letter| mode << 1 | bit(*letter)))
}

/// `Jan 30 12:34`, `Jan 30 2020` or `2020-01-30 12:34`, and how many parts that has.
fn moment(parts: &[(&str, &str)], now: Timestamp) -> Option<(Time, usize)> {
    let part = |at: usize| parts.get(at).map(|(part, _)| *part);
    if let Ok(date) = part(0)?.parse::<Date>() {
        return Some((seconds(date, clock(part(1)?)?)?, 2));
    }
    let month = part(0)?.to_lowercase();
    let month = MONTHS.iter().position(|name| *name == month)?;
    let month = i8::try_from(month + 1).ok()?;
    let day = part(1)?.parse().ok()?;
    let last = part(2)?;
    let Some(clock) = clock(last) else {
        let year = last.parse().ok().filter(|_| last.len() == 4)?;
        return Some((seconds(Date::new(year, month, day).ok()?, Clock::midnight())?, 3));
    };
    // Within the last months; a clock there may be a day ahead of the one here.
    let this_year = now.to_zoned(TimeZone::UTC).year();
    let latest = now.checked_add(Span::new().hours(24)).ok()?.as_second();
    let told = [this_year + 1, this_year, this_year - 1].into_iter().find_map(|year| {
        let told = seconds(Date::new(year, month, day).ok()?, clock)?;
        (told.seconds <= latest).then_some(told)
    });
    Some((told?, 3))
}

/// `01-30-20 03:19PM <DIR> name` or `01-30-2020 15:19 403 name`.
fn dos(line: &str) -> Option<Entry> {
    let parts = parts(line);
    let [month, day, year] = parts.first()?.0.split('-').collect::<Vec<_>>().try_into().ok()?;
    let year = match year.parse::<i16>().ok()? {
        year @ 0..70 => 2000 + year,
        year @ 70..100 => 1900 + year,
        year => year,
    };
    let date = Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()?;
    let (time, rest) = (parts.get(1)?, parts.get(2)?);
    let name = rest.1.trim_start();
    let (kind, size) = match rest.0 {
        "<DIR>" => (EntryKind::Directory, 0),
        size => (EntryKind::File, size.replace(',', "").parse().ok()?),
    };
    let modified = seconds(date, clock(time.0)?)?;
    (!name.is_empty()).then(|| Entry { name: name.into(), kind, size, modified, mode: 0 })
}

/// `12:34`, `12:34:56` or `03:19PM`.
fn clock(text: &str) -> Option<Clock> {
    let (text, half) = match text.get(..text.len().checked_sub(2)?) {
        Some(rest) if text.ends_with("AM") => (rest, Some(0)),
        Some(rest) if text.ends_with("PM") => (rest, Some(12)),
        _ => (text, None),
    };
    let mut numbers = text.split(':').map(|number| number.parse::<i8>().ok());
    let (hour, minute) = (numbers.next()??, numbers.next()??);
    let second = numbers.next().unwrap_or(Some(0))?;
    let hour = half.map_or(Some(hour), |half| (1..=12).contains(&hour).then_some(hour % 12 + half))?;
    Clock::new(hour, minute, second, 0).ok()
}

fn seconds(date: Date, clock: Clock) -> Option<Time> {
    let moment = TimeZone::UTC.to_timestamp(date.to_datetime(clock)).ok()?;
    Some(Time { seconds: moment.as_second(), ..NO_TIME })
}
