//! From the text of users.toml to a `Config`, section by section.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use digest::Algorithm;
use rustix::process::geteuid;
use store::{Durability, escaped};
use toml::de::DeTable;

use super::table::{Key, Source, Table, Value, shown};
use super::{
    ANONYMOUS, Access, Config, Limits, Mistake, Native, Problem, Size, Tls, User, classic, quantity,
};
use crate::password::Hash;
use crate::{files, shell};

const STATE: Key = Key(r#"state = "state""#);
const ROOTS: Key = Key(r#"roots = ["/srv/ftp"]"#);
const DURABILITY: Key = Key(r#"durability = "full""#);
const SECTIONS: [&str; 4] = ["native", "classic", "limits", "users"];

const LISTEN: Key = Key(r#"listen = ["127.0.0.1:10600"]"#);
const TLS: Key = Key("tls = false");
const CERTIFICATE: Key = Key(r#"certificate = "certificate.pem""#);
const KEY: Key = Key(r#"key = "key.pem""#);
const DIGESTS: Key = Key(r#"digests = ["md5", "blake3"]"#);

const SESSIONS: Key = Key("sessions = 1000");
const SESSIONS_PER_ADDRESS: Key = Key("sessions_per_address = 50");
const HALF_OPEN: Key = Key("half_open = 256");
const LOGIN_DEADLINE: Key = Key(r#"login_deadline = "30s""#);
const IDLE: Key = Key(r#"idle = "10m""#);
const STALL: Key = Key(r#"stall = "60s""#);
const PASSWORD_HASHES: Key = Key("password_hashes = 2");
const DRAIN: Key = Key(r#"drain = "10s""#);
const KEEP_UPLOADS: Key = Key(r#"keep_uploads = "24h""#);

const PASSWORD: Key = Key(r#"password = "$argon2id$…""#);
const HOME: Key = Key(r#"home = "homes/alice""#);
const ACCESS: Key = Key(r#"access = "read""#);
const QUOTA: Key = Key(r#"quota = "10 GiB""#);

/// What a command is about to put right, so that it is no mistake meanwhile.
#[derive(Clone, Copy)]
pub(crate) enum Mending<'a> {
    /// This user's password.
    Password(&'a str),
    /// This user altogether.
    User(&'a str),
}

/// The text of a file.
pub(crate) fn text(file: &Path) -> Result<String, Problem> {
    let problem = |mistake| Problem { file: file.to_owned(), line: None, mistake: Box::new(mistake) };
    let bytes = files::read(file).map_err(|error| {
        problem(match error.kind() {
            io::ErrorKind::NotFound => {
                Mistake::NoFile { command: shell::ftpd(file, "user add NAME --home DIR --access write") }
            }
            io::ErrorKind::PermissionDenied => {
                let give = format!("sudo chown {} {}", geteuid().as_raw(), shell::path(file));
                Mistake::Unreadable {
                    error,
                    remedy: format!("be the user who owns it, or make it yours: {give}"),
                }
            }
            _ => Mistake::Unreadable { error, remedy: "name another with --config".into() },
        })
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count() + 1;
        Problem { line: Some(line), ..problem(Mistake::NotUtf8) }
    })
}

/// The configuration that `text` spells, leaving out what is being mended.
pub(crate) fn config(file: &Path, text: &str, mending: Option<Mending<'_>>) -> Result<Config, Problem> {
    let source = Source { file, text };
    let document = DeTable::parse(text).map_err(|error| syntax(source, &error))?;
    let top = Table::top(source, document.get_ref());
    let directory = file.parent().unwrap_or(Path::new(""));

    top.knows(&[STATE, ROOTS, DURABILITY], &SECTIONS)?;
    let state = top.get(STATE).map_or(Ok("state".into()), |value| path(value, "the path of a directory"))?;
    let roots = top.get(ROOTS).map_or(Ok(Vec::new()), |value| {
        value.list("paths of directories", |text| is_path(text).then(|| directory.join(text)), &[], |_| false)
    })?;
    let durability = |name: &str| match name {
        "full" => Some(Durability::Full),
        "none" => Some(Durability::None),
        _ => None,
    };
    let durability = top
        .get(DURABILITY)
        .map_or(Ok(Durability::Full), |value| value.parse("\"full\" or \"none\"", durability))?;
    let (native, files) = native(&top, directory)?;
    let classic = classic::read(&top, &native)?;
    let tls = (native.tls || classic.is_some()).then_some(Tls { files });
    Ok(Config {
        file: file.to_owned(),
        state: directory.join(state),
        roots,
        durability,
        native,
        classic,
        tls,
        limits: limits(&top)?,
        users: users(source, &top, directory, mending)?,
    })
}

/// What the TOML parser says. Its sentences never hold a piece of the file.
fn syntax(source: Source<'_>, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or_default();
    let mistake = match error.message() {
        "duplicate key" => {
            let (before, after) = (&source.text[..span.start], &source.text[span.end..]);
            let line = &before[before.rfind('\n').map_or(0, |newline| newline + 1)..];
            let key = &source.text[span.clone()];
            Mistake::Twice(match after.split_once(']') {
                Some((end, _)) if line.trim_start().starts_with('[') => {
                    escaped(format!("{}{key}{end}]", line.trim_start()).as_bytes()).to_string()
                }
                _ => shown(key),
            })
        }
        message => Mistake::Syntax(message.into()),
    };
    source.problem(span.start, mistake)
}

/// Certificate and key.
type Files = (PathBuf, PathBuf);

/// The native door, and the files of the key with which every door proves who the server is.
fn native(top: &Table<'_>, directory: &Path) -> Result<(Native, Option<Files>), Problem> {
    let classic = top.section("classic").is_some();
    let Some(section) = top.section("native") else {
        let nowhere = Native { listen: Vec::new(), digests: Algorithm::ALL.to_vec(), tls: false };
        return classic.then_some((nowhere, None)).ok_or_else(|| top.problem(Mistake::NoListener(LISTEN.0)));
    };
    let table = section.table("[native]".into(), "[native]")?;
    table.knows(&[LISTEN, TLS, CERTIFICATE, KEY, DIGESTS], &[])?;
    let listen = classic::addresses(table.require(LISTEN)?, &[])?;
    let digests = table.get(DIGESTS).map_or(Ok(Algorithm::ALL.to_vec()), |value| {
        value.list("digests, \"md5\" or \"blake3\"", |name| name.parse().ok(), &[], |_| false)
    })?;
    let tls = table.get(TLS).map_or(Ok(true), Value::flag)?;
    let files = files(&table, directory, tls || classic)?;
    Ok((Native { listen, digests, tls }, files))
}

fn files(table: &Table<'_>, directory: &Path, used: bool) -> Result<Option<Files>, Problem> {
    let file = |value| path(value, "the path of a file in PEM").map(|file| directory.join(file));
    match (table.get(CERTIFICATE), table.get(KEY)) {
        (Some(unused), _) | (None, Some(unused)) if !used => Err(unused.problem(Mistake::Unused)),
        (Some(certificate), Some(key)) => Ok(Some((file(certificate)?, file(key)?))),
        (Some(_), None) => table.require(KEY).map(|_| None),
        (None, Some(_)) => table.require(CERTIFICATE).map(|_| None),
        (None, None) => Ok(None),
    }
}

fn limits(top: &Table<'_>) -> Result<Limits, Problem> {
    let mut limits = Limits::default();
    let Some(section) = top.section("limits") else { return Ok(limits) };
    let table = section.table("[limits]".into(), "[limits]")?;
    table.knows(
        &[
            SESSIONS,
            SESSIONS_PER_ADDRESS,
            HALF_OPEN,
            LOGIN_DEADLINE,
            IDLE,
            STALL,
            PASSWORD_HASHES,
            DRAIN,
            KEEP_UPLOADS,
        ],
        &[],
    )?;
    let count = |key, most, limit: &mut usize| {
        table.get(key).map_or(Ok(()), |value| value.count(most).map(|count| *limit = count))
    };
    count(SESSIONS, 1_000_000, &mut limits.sessions)?;
    count(SESSIONS_PER_ADDRESS, 1_000_000, &mut limits.sessions_per_address)?;
    count(HALF_OPEN, 100_000, &mut limits.half_open)?;
    count(PASSWORD_HASHES, 1_000, &mut limits.password_hashes)?;
    let time = |key, limit: &mut Duration| {
        let read = |value: Value<'_>| value.parse("a time from \"1ms\" to \"365d\"", quantity::time);
        table.get(key).map_or(Ok(()), |value| read(value).map(|time| *limit = time))
    };
    time(LOGIN_DEADLINE, &mut limits.login_deadline)?;
    time(IDLE, &mut limits.idle)?;
    time(STALL, &mut limits.stall)?;
    time(DRAIN, &mut limits.drain)?;
    if let Some(value) = table.get(KEEP_UPLOADS) {
        limits.keep_uploads =
            value.parse("a time up to \"365d\", or \"0\" to keep nothing", quantity::time_or_none)?;
    }
    Ok(limits)
}

fn users(
    source: Source<'_>,
    top: &Table<'_>,
    directory: &Path,
    mending: Option<Mending<'_>>,
) -> Result<BTreeMap<String, User>, Problem> {
    let mut users = BTreeMap::new();
    let Some(section) = top.section("users") else { return Ok(users) };
    for (name, section) in section.table("[users]".into(), "[users.alice]")?.sections() {
        if matches!(mending, Some(Mending::User(mended)) if mended == name) {
            continue;
        }
        if !is_user_name(name) {
            return Err(section.problem(Mistake::UserName(shown(name))));
        }
        let table = section.table(format!("[users.{name}]"), "[users.alice]")?;
        users.insert(name.to_owned(), user(source, name, &table, directory, mending)?);
    }
    Ok(users)
}

fn user(
    source: Source<'_>,
    name: &str,
    table: &Table<'_>,
    directory: &Path,
    mending: Option<Mending<'_>>,
) -> Result<User, Problem> {
    if let Some((rest, nested)) = table.sections().find(|(_, section)| section.is_table()) {
        let section = format!("[users.{name}.{}]", rest.escape_debug());
        return Err(nested.problem(Mistake::Nested {
            section,
            quoted: format!("[users.\"{name}.{}\"]", rest.escape_debug()),
        }));
    }
    table.knows(&[PASSWORD, HOME, ACCESS, QUOTA], &[])?;
    let password = match (mending, table.get(PASSWORD)) {
        (_, password) if name == ANONYMOUS => match password {
            Some(value) => return Err(value.problem(Mistake::AnonymousPassword)),
            None => None,
        },
        (Some(Mending::Password(mended)), _) if mended == name => Some(Hash::dummy().clone()),
        (_, None) => {
            let command = shell::ftpd(source.file, &format!("user passwd {name}"));
            return Err(table.problem(Mistake::NoPassword { user: name.into(), command }));
        }
        (_, Some(value)) => Some(hash(source, name, value)?),
    };
    let home = table.require(HOME)?;
    Ok(User {
        password,
        home: directory.join(path(home, "the path of a directory")?),
        home_line: home.line(),
        access: table.get(ACCESS).map_or(Ok(Access::default()), |value| access(name, value))?,
        quota: table
            .get(QUOTA)
            .map(|value| value.parse("a size above zero", |text| text.parse().ok().map(|Size(bytes)| bytes)))
            .transpose()?,
    })
}

fn hash(source: Source<'_>, name: &str, value: Value<'_>) -> Result<Hash, Problem> {
    let text = value.text().ok_or_else(|| value.wrong_secret("a hash in quotes"))?;
    Hash::parse(text).map_err(|flaw| {
        let command = shell::ftpd(source.file, &format!("user passwd {name}"));
        value.problem(Mistake::Password { user: name.into(), flaw, command })
    })
}

fn access(name: &str, value: Value<'_>) -> Result<Access, Problem> {
    let named = |name: &str| Access::ALL.into_iter().find(|access| access.name() == name);
    match value.parse("\"read\", \"write\" or \"drop\"", named)? {
        Access::Write if name == ANONYMOUS => Err(value.problem(Mistake::AnonymousWrites)),
        access => Ok(access),
    }
}

fn path(value: Value<'_>, wanted: &str) -> Result<PathBuf, Problem> {
    value.parse(wanted, |text| is_path(text).then(|| text.into()))
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && !text.contains('\0')
}

/// Whether a user can be so called: 1 to 64 ASCII letters, digits, `.`, `_`, `-` and `@`, no `-` first, as in POSIX's
/// portable user names (XBD 3.410), so that no name is taken for an option.
pub(crate) fn is_user_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-@".contains(&b);
    (1..=64).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('-')
}
