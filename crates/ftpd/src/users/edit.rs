//! Edits of the text of users.toml: everything else in it stays, byte for byte, comments and order too.
//!
//! toml_edit keeps all but the kind of line end and the byte order mark, which are put back here. A last line without an end
//! gets one, and where both kinds are mixed, all become the kind that Windows has.

use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, TomlError, Value, value};

use crate::args::Add;

/// Whether the user is there.
pub(super) fn has(text: &str, name: &str) -> Result<bool, TomlError> {
    let document: DocumentMut = text.parse()?;
    Ok(document.get("users").and_then(Item::as_table_like).is_some_and(|users| users.contains_key(name)))
}

/// Adds the user at the end; `hash` is `None` for who needs no password.
pub(super) fn add(text: &str, user: &Add, hash: Option<&str>) -> Result<String, TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let so_far = document.to_string();
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    let users = document.entry("users").or_insert_with(|| {
        let mut users = Table::new();
        users.set_implicit(true);
        Item::Table(users)
    });
    if let Item::Value(Value::InlineTable(users)) = users {
        let mut entry = InlineTable::new();
        fill(&mut entry, user, hash);
        users.insert(&user.name, entry.into());
    } else if let Some(users) = users.as_table_mut() {
        let mut section = Table::new();
        fill(&mut section, user, hash);
        section.set_position(Some(isize::MAX));
        let end = if so_far.is_empty() || so_far.ends_with('\n') { "" } else { "\n" };
        section.decor_mut().set_prefix(format!("{trailing}{end}\n")); // what ended the file stays before
        users.insert(&user.name, Item::Table(section));
        document.set_trailing("");
    }
    Ok(like(text, document))
}

fn fill(entry: &mut dyn TableLike, user: &Add, hash: Option<&str>) {
    if let Some(hash) = hash {
        entry.insert("password", value(hash));
    }
    entry.insert("home", value(&user.home));
    entry.insert("access", value(user.access.name()));
    if let Some(quota) = user.quota {
        entry.insert("quota", value(quota.to_string()));
    }
}

/// Gives the user another hash.
pub(super) fn passwd(text: &str, name: &str, hash: &str) -> Result<String, TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let user = document.get_mut("users").and_then(Item::as_table_like_mut);
    if let Some(user) = user.and_then(|users| users.get_mut(name)).and_then(Item::as_table_like_mut) {
        match user.get_mut("password") {
            Some(Item::Value(old)) => {
                let around = old.decor().clone(); // a comment behind it, say
                *old = hash.into();
                *old.decor_mut() = around;
            }
            _ => _ = user.insert("password", value(hash)),
        }
    }
    Ok(like(text, document))
}

/// Removes the user, with the comments directly above and below; what a blank line sets off stays.
pub(super) fn remove(text: &str, name: &str) -> Result<String, TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let users = document.get_mut("users").and_then(Item::as_table_like_mut);
    if let Some(Item::Table(section)) = users.and_then(|users| users.remove(name)) {
        let above = section.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
        let stays = blank_lines(above).last().map_or("", |(start, _)| &above[..start]);
        // Comments that follow a section with no blank line between are its own too, though the parser gives them to the next.
        let rest = |below: &str| {
            let start = blank_lines(below).next().map_or(0, |(start, _)| start);
            format!("{stays}{}", &below[start..])
        };
        let after = |table: &Table| table.position() > section.position();
        match following(document.as_table_mut(), &after) {
            Some(next) => {
                let below = next.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
                let both = rest(below);
                next.decor_mut().set_prefix(both);
            }
            None => {
                let both = rest(document.trailing().as_str().unwrap_or_default());
                document.set_trailing(both);
            }
        }
    }
    Ok(like(text, document))
}

/// Where in what stands between two sections the blank lines begin, and they themselves.
fn blank_lines(between: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = between.split_inclusive('\n').scan(0, |end, line| {
        *end += line.len();
        Some((*end - line.len(), line))
    });
    lines.filter(|(_, line)| line.ends_with('\n') && line.trim().is_empty())
}

/// The first section of the file among those that are `after`.
fn following<'t>(table: &'t mut Table, after: &dyn Fn(&Table) -> bool) -> Option<&'t mut Table> {
    let mut first: Option<&mut Table> = None;
    for (_, item) in table.iter_mut() {
        let Some(section) = item.as_table_mut() else { continue };
        let own = !section.is_implicit() && !section.is_dotted() && after(section);
        let found = if own { Some(section) } else { following(section, after) };
        if let Some(found) = found
            && first.as_ref().is_none_or(|first| found.position() < first.position())
        {
            first = Some(found);
        }
    }
    first
}

/// The document with the line ends and the byte order mark of the text it was.
fn like(text: &str, document: DocumentMut) -> String {
    let (mark, text) = match text.strip_prefix('\u{feff}') {
        Some(text) => ("\u{feff}", text),
        None => ("", text),
    };
    let edited = document.to_string();
    let carriage_returns = text.contains("\r\n");
    format!("{mark}{}", if carriage_returns { edited.replace('\n', "\r\n") } else { edited })
}
