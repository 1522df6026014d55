//! `ftpd user add|passwd|remove|list`: the commands that read and edit the users of users.toml.

mod ask;
mod edit;
mod file;
mod list;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::Path;

use thiserror::Error;

use crate::args::{Add, Password, User};
use crate::config::read::{self, Mending};
use crate::config::table::shown;
use crate::config::{ANONYMOUS, Access, Config, Mistake, Problem};
use crate::{password, shell};

/// What the file says when `user add` makes it.
const FRESH: &str = r#"# Who may log in, and where ftpd listens. After an edit, `ftpd check` tells what is wrong.
state = "state"

[native]
listen = ["127.0.0.1:10600"] # this machine only; "0.0.0.0:10600" is every network it is on
"#;

/// Why a command on the users did nothing.
#[derive(Debug, Error)]
pub enum Error {
    /// The file cannot be read, or has a mistake.
    #[error(transparent)]
    Config(#[from] Problem),
    /// It reads as TOML, and yet cannot be edited as such.
    #[error("{file} cannot be edited: {message}. edit it by hand")]
    Edit {
        /// The file, as the user named it.
        file: String,
        /// Why.
        message: String,
    },
    /// The name is no name for a user, or for none who may do what is asked for.
    #[error("{0}")]
    Name(Mistake),
    /// `user add` of a user that is there.
    #[error("there is a user {name} already. to change the password: {command}")]
    Exists {
        /// Who.
        name: String,
        /// What was likely meant.
        command: String,
    },
    /// Another command on a user that is not there.
    #[error("there is no user {name}. to see who there is: {command}")]
    Unknown {
        /// Who.
        name: String,
        /// The command that lists the users.
        command: String,
    },
    /// A password for everybody.
    #[error("anonymous is everybody, and has no password. {remedy}")]
    Anonymous {
        /// What was likely meant.
        remedy: String,
    },
    /// `--home ''`.
    #[error("--home must name a directory. write, for example: --home homes/{0}")]
    Home(String),
    /// No password was given, or none that can be taken.
    #[error(transparent)]
    Password(#[from] ask::Error),
    /// The file could not be written; it is as it was.
    #[error("{file} could not be written: {error}. it is as it was; {remedy}")]
    Write {
        /// The file, as the user named it.
        file: String,
        /// What the system says.
        error: io::Error,
        /// What may help.
        remedy: &'static str,
    },
    /// Standard output is gone.
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

/// Does what `command` says to the users of `file`, and tells `out` what was done.
///
/// # Errors
/// What is in the way; then the file is as it was.
pub fn run(file: &Path, command: &User, out: &mut impl Write) -> Result<(), Error> {
    match command {
        User::Add(user) => add(file, user, out),
        User::Passwd { name, password } => passwd(file, name, *password, out),
        User::Remove { name } => remove(file, name, out),
        User::List => Ok(list::write(&Config::load(file)?, out)?),
    }
}

fn add(file: &Path, user: &Add, out: &mut impl Write) -> Result<(), Error> {
    let name = &user.name;
    if !read::is_user_name(name) {
        return Err(Error::Name(Mistake::UserName(shown(name))));
    }
    if user.home.is_empty() {
        return Err(Error::Home(name.clone()));
    }
    let anonymous = name == ANONYMOUS;
    if anonymous && user.access == Access::Write {
        return Err(Error::Name(Mistake::AnonymousWrites));
    }
    if anonymous && user.password.stdin {
        return Err(Error::Anonymous { remedy: "leave out --password-stdin".into() });
    }
    let vacant = |text: &str| match read::config(file, text, None)?.users.contains_key(name) {
        true if anonymous => Err(Error::Anonymous {
            remedy: format!(
                "it is there already; to change what it may do, edit {} or: {}",
                file.display(),
                shell::ftpd(file, "user remove anonymous")
            ),
        }),
        true => Err(Error::Exists {
            name: name.clone(),
            command: shell::ftpd(file, &format!("user passwd {name}")),
        }),
        false => Ok(()),
    };
    vacant(&file::text(file, Some(FRESH))?)?; // before anybody is asked for a password, and again under the lock
    let hash = match anonymous {
        true => None,
        false => Some(password::hash(&ask::password(name, user.password)?)),
    };
    file::rewrite(file, Some(FRESH), |text| {
        vacant(text)?;
        edit::add(text, user, hash.as_deref()).map_err(|error| uneditable(file, &error))
    })?;
    writeln!(
        out,
        "{} has a new user {name}: {} access to {}",
        file.display(),
        user.access.name(),
        user.home
    )?;
    if anonymous {
        writeln!(out, "everybody may log in as {name}, with any password")?;
    }
    writeln!(out, "next, to serve it:\n  {}", shell::ftpd(file, ""))?;
    Ok(())
}

fn passwd(file: &Path, name: &str, source: Password, out: &mut impl Write) -> Result<(), Error> {
    if name == ANONYMOUS {
        let another = shell::ftpd(file, "user add NAME --home DIR");
        return Err(Error::Anonymous {
            remedy: format!("to give somebody one, add another user: {another}"),
        });
    }
    let known = |text: &str| known(file, text, name, Mending::Password(name));
    known(&file::text(file, None)?)?;
    let hash = password::hash(&ask::password(name, source)?);
    file::rewrite(file, None, |text| {
        known(text)?;
        edit::passwd(text, name, &hash).map_err(|error| uneditable(file, &error))
    })?;
    done(file, out, &format!("{name} has a new password"))
}

fn remove(file: &Path, name: &str, out: &mut impl Write) -> Result<(), Error> {
    file::rewrite(file, None, |text| {
        known(file, text, name, Mending::User(name))?;
        edit::remove(text, name).map_err(|error| uneditable(file, &error))
    })?;
    done(file, out, &format!("{name} is removed; the home stays as it is"))
}

/// Checks that the file is good, save for what is mended, and has the user.
fn known(file: &Path, text: &str, name: &str, mending: Mending<'_>) -> Result<(), Error> {
    read::config(file, text, Some(mending))?;
    match edit::has(text, name).map_err(|error| uneditable(file, &error))? {
        true => Ok(()),
        false => Err(Error::Unknown { name: shown(name), command: shell::ftpd(file, "user list") }),
    }
}

fn done(file: &Path, out: &mut impl Write, what: &str) -> Result<(), Error> {
    writeln!(out, "{}: {what}", file.display())?;
    Ok(writeln!(out, "a server that is running keeps to the old file until it is told: pkill -HUP -x ftpd")?)
}

/// Of the error only its sentence: the rest of it quotes the file, hashes and all.
fn uneditable(file: &Path, error: &toml_edit::TomlError) -> Error {
    Error::Edit { file: file.display().to_string(), message: error.message().into() }
}
