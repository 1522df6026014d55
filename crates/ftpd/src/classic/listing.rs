//! LIST, NLST, MLSD and STAT of a path: directories page by page, patterns in the last part of a path, and directories below.

use globset::{GlobBuilder, GlobMatcher};
use store::EntryKind;
use tokio::io::AsyncWrite;

use super::command::{Form, Options};
use super::facts::{self, Lines};
use super::moving::Manner;
use super::transfer::{Failed, no_opening, running};
use super::{Connection, Ended, Reply, time, words};
use crate::core::{Refusal, Session};
use crate::logs;

/// Entries that are read at once.
const PAGE: usize = 256;

/// Directories that `-R` may have yet to list; beyond, those that come are left out, and that is told.
const PENDING: usize = 10_000;

/// Directories that may lie within one another under `-R`: no further down.
const DEEP: usize = 100;

/// Bytes of a pattern: those that a name may have, which each may be escaped.
const NAME: usize = 512;

/// Bytes of a listing on the control connection.
const SHORT: usize = 256 * 1024;

/// What is to be listed.
#[derive(Debug)]
struct Wanted {
    /// The directory, or the file, as the client names it.
    path: Vec<u8>,
    /// What the last part must match.
    pattern: Option<GlobMatcher>,
    /// What stands before each name: NLST tells paths that can be used as they are.
    prefix: Vec<u8>,
    recursive: bool,
}

/// What became of a listing.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// Directories below were too many, or too deep.
    more: bool,
    /// Names that would have broken their lines.
    left_out: usize,
}

impl Connection {
    /// A listing on a data connection.
    pub(super) async fn list(
        &mut self,
        session: &Session,
        form: Form,
        options: Options,
        path: &[u8],
    ) -> Result<Reply, Ended> {
        let Some(mut opening) = self.opening.take() else { return Ok(no_opening()) };
        let wanted = match self.wanted(session, form, options, path).await {
            Ok(wanted) => wanted,
            Err(reply) => {
                self.part_later(opening);
                return Ok(reply);
            }
        };
        self.opens("Data connection for a listing.");
        let (manner, lines) = (self.manner(), self.lines(session, form));
        let running = running("Sending a listing", &manner.moved);
        let listed = self.attend(&running, true, async {
            let mut stream = opening.opened().await?;
            let told = tell(session, &wanted, lines, &manner, &mut stream).await?;
            manner.flush(&mut stream).await?;
            Ok::<_, Failed>((stream, told))
        });
        let listed = listed.await;
        self.moved = manner.moved.bytes();
        match listed {
            Ok(Ok((stream, told))) => {
                self.part_with(stream).await;
                self.log_left_out(told);
                Ok(Reply::new(
                    226,
                    match told {
                        Told { more: true, .. } => {
                            "There is more: list the directories below one by one.".to_owned()
                        }
                        Told { left_out: 0, .. } => "That is all.".to_owned(),
                        Told { left_out: 1, .. } => {
                            "That is all, save 1 name that no line can carry.".to_owned()
                        }
                        Told { left_out, .. } => {
                            format!("That is all, save {left_out} names that no line can carry.")
                        }
                    },
                ))
            }
            Ok(Err(failed)) => Ok(failed.reply()),
            Err(interrupted) => self.interrupted(interrupted),
        }
    }

    /// A listing on the control connection: a short one.
    pub(super) async fn list_on_control(&mut self, session: &Session, path: &[u8]) -> Result<Reply, Ended> {
        let wanted = match self.wanted(session, Form::Long, Options::default(), path).await {
            Ok(wanted) => wanted,
            Err(reply) => return Ok(reply),
        };
        let (manner, lines) = (self.manner(), self.lines(session, Form::Long));
        let running = running("Making a listing", &manner.moved);
        let mut told = std::io::Cursor::new(Vec::new());
        let listed = self.attend(&running, true, tell(session, &wanted, lines, &manner, &mut told)).await;
        match listed {
            Ok(Ok(_)) if told.get_ref().len() > SHORT => {
                Ok(Reply::new(550, "It is too long for this connection: LIST."))
            }
            Ok(Ok(done)) => {
                self.log_left_out(done);
                let lines = told.get_ref().split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
                Ok(Reply::new(213, "End of status").with(lines.map(<[u8]>::to_vec)))
            }
            Ok(Err(failed)) => Ok(failed.reply()),
            Err(interrupted) => self.interrupted(interrupted),
        }
    }

    fn log_left_out(&self, Told { left_out, .. }: Told) {
        if left_out > 0 {
            tracing::warn!(
                who = logs::name(&self.user),
                from = %self.peer,
                names = left_out,
                "names with CR or LF were left out of a listing: rename them where the files are"
            );
        }
    }

    fn lines(&self, session: &Session, form: Form) -> Lines {
        Lines { form, access: session.access(), now: time::now() }
    }

    /// What `path` asks for: what has that name, or else, where it reads like a pattern, what matches it.
    async fn wanted(
        &self,
        session: &Session,
        form: Form,
        options: Options,
        path: &[u8],
    ) -> Result<Wanted, Reply> {
        let recursive = options.recursive;
        let found = session.stat(path).await;
        let name_at = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        let (above, name) = path.split_at(name_at);
        let refusal = match found {
            Ok(entry) if entry.kind == EntryKind::Directory => {
                let mut prefix = path.to_vec();
                if !prefix.is_empty() && !prefix.ends_with(b"/") {
                    prefix.push(b'/');
                }
                return Ok(Wanted { path: path.to_vec(), pattern: None, prefix, recursive });
            }
            Ok(_) if form == Form::Facts => {
                return Err(Reply::new(501, "That is no directory: MLST tells of files."));
            }
            Ok(_) => {
                return Ok(Wanted {
                    path: path.to_vec(),
                    pattern: None,
                    prefix: above.to_vec(),
                    recursive: false,
                });
            }
            Err(refusal) => refusal,
        };
        let readable = matches!(&refusal, Refusal::Store(error) if matches!(error.kind(), store::Kind::NotFound | store::Kind::InvalidName));
        let pattern = str::from_utf8(name)
            .ok()
            .filter(|name| name.contains(['*', '?', '[']) && name.len() <= NAME && readable);
        let Some(pattern) = pattern.filter(|_| form != Form::Facts) else {
            return Err(words::refused(&refusal));
        };
        // Braces are no part of what FTP calls a pattern.
        let pattern = pattern.replace('{', "\\{").replace('}', "\\}");
        let glob = GlobBuilder::new(&pattern).literal_separator(true).backslash_escape(true).build();
        let glob = glob.map_err(|_| Reply::new(501, "That is no pattern: *, ? and [a-z] are understood."))?;
        let (path, prefix) = (above.to_vec(), above.to_vec());
        Ok(Wanted { path, pattern: Some(glob.compile_matcher()), prefix, recursive: false })
    }
}

/// Writes what is wanted to `out`.
async fn tell(
    session: &Session,
    wanted: &Wanted,
    lines: Lines,
    manner: &Manner,
    out: &mut (impl AsyncWrite + Unpin),
) -> Result<Told, Failed> {
    // Each directory with its depth; the last is the next.
    let mut pending = vec![(wanted.path.clone(), wanted.prefix.clone(), 0)];
    let (mut told, mut first, mut text) = (Told::default(), true, Vec::new());
    while let Some((path, prefix, depth)) = pending.pop() {
        if wanted.recursive && lines.form == Form::Long {
            let blank = if first { "" } else { "\r\n" };
            let shown = prefix.strip_suffix(b"/").filter(|shown| !shown.is_empty()).unwrap_or(b".");
            text = [blank.as_bytes(), shown, b":\r\n"].concat();
        }
        let mut listing = match session.list(&path).await {
            Ok(listing) => listing,
            // What cannot be entered, or is gone by now, is passed over; what was asked for by name is not.
            Err(_) if !first => continue,
            Err(refusal) => return Err(refused(refusal)),
        };
        first = false;
        let mut below = Vec::new();
        loop {
            let (page, rest) = Session::page(listing, PAGE).await.map_err(refused)?;
            listing = rest;
            let Some(page) = page else { break };
            for entry in &page {
                let matches =
                    |glob: &GlobMatcher| str::from_utf8(&entry.name).is_ok_and(|name| glob.is_match(name));
                if !wanted.pattern.as_ref().is_none_or(matches) {
                    continue;
                }
                let added = match lines.form {
                    Form::Names => lines.add(entry, &[&prefix[..], &entry.name].concat(), &mut text),
                    Form::Long | Form::Facts => lines.add(entry, &entry.name, &mut text),
                };
                if !added {
                    told.left_out += 1;
                    continue; // nor is its name a heading of what lies below
                }
                if wanted.recursive && entry.kind == EntryKind::Directory {
                    below.push(entry.name.clone());
                }
            }
            manner.write(out, &text).await?;
            manner.moved.add(text.len());
            text.clear();
        }
        for name in below.into_iter().rev() {
            if pending.len() >= PENDING || depth >= DEEP {
                told.more = true;
                continue;
            }
            let join = |above: &[u8]| [above, &name[..]].concat();
            let path = if path.is_empty() || path.ends_with(b"/") {
                join(&path)
            } else {
                join(&[&path[..], b"/"].concat())
            };
            pending.push((path, [join(&prefix), b"/".to_vec()].concat(), depth + 1));
        }
    }
    if lines.form == Form::Facts && told.left_out > 0 {
        text.extend_from_slice(facts::unsaid(told.left_out).as_bytes());
    }
    if !text.is_empty() {
        manner.write(out, &text).await?; // a heading with nothing below, too
    }
    Ok(told)
}

fn refused(refusal: Refusal) -> Failed {
    match refusal {
        Refusal::Store(error) => error.into(),
        _ => store::Error::from(store::Kind::Io).into(),
    }
}
