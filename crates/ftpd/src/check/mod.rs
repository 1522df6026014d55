//! `ftpd check`: tests what serving would need; makes and serves nothing.

mod clock;
mod directory;
mod key;
mod neighbours;
mod port;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use crate::config::{ANONYMOUS, Access, Config, User};
use crate::{readers, shell};

/// One line of what was found.
struct Finding {
    verdict: Verdict,
    what: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    /// Serving works, and yet this should be looked at.
    Warning,
    /// Serving would fail, wholly or for somebody.
    Problem,
}

impl Finding {
    fn ok(what: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Ok, what: what.into() }
    }

    fn warning(what: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Warning, what: what.into() }
    }

    fn problem(what: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Problem, what: what.into() }
    }
}

/// Tests all that a good file asks for, a line each to `out`; whether there is no problem. Warnings are none.
///
/// # Errors
/// `out` cannot be written to.
pub fn run(config: &Config, out: &mut impl Write) -> io::Result<bool> {
    let mut findings = vec![users(config), hashes(&config.file), directory::state(&config.state)];
    findings.extend(config.roots.iter().map(|path| root(config, path)));
    findings.extend(config.users.iter().map(|(name, user)| home(config, name, user)));
    findings.extend(neighbours::findings(config));
    findings.extend(key::finding(config));
    findings.extend(port::all(config));
    findings.extend(clock::finding(SystemTime::now()));
    for Finding { verdict, what } in &findings {
        let word = match verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "problem",
        };
        writeln!(out, "{word:<8} {what}")?;
    }
    Ok(findings.iter().all(|finding| finding.verdict != Verdict::Problem))
}

fn users(config: &Config) -> Finding {
    let file = config.file.display();
    match config.users.len() {
        0 => Finding::warning(format!(
            "{file}: nobody can log in. add someone: {}",
            shell::ftpd(&config.file, "user add NAME --home DIR")
        )),
        1 => Finding::ok(format!("{file}: 1 user")),
        users => Finding::ok(format!("{file}: {users} users")),
    }
}

/// Who else can read the hashes.
fn hashes(file: &Path) -> Finding {
    let shown = file.display();
    match readers::exposed(file) {
        Ok(None) => Finding::ok(format!("{shown}: for its owner alone")),
        Ok(Some(exposed)) => Finding::warning(format!("{shown}: {exposed}")),
        Err(error) => Finding::problem(format!("{shown}: {error}. look at the rights of its directory")),
    }
}

/// A home: fit for what its user may do, and holding nothing that would let its user become another.
fn home(config: &Config, name: &str, user: &User) -> Finding {
    for (path, what) in
        [(config.file.as_path(), "this file"), (config.state.as_path(), "the state directory")]
    {
        if lies_within(path, &user.home) {
            let home = user.home.display();
            let why = format!("home of {name}: {home} holds {what}, with every user's secrets in it");
            return Finding::problem(format!("{why}. give {name} another home"));
        }
    }
    let found = directory::home(name, &user.home, user.access);
    match found.verdict {
        Verdict::Ok if name == ANONYMOUS && user.access == Access::Drop && user.quota.is_none() => {
            Finding::warning(format!(
                "home of {name}: everybody can fill its disk. give it a bound: quota = \"10 GiB\""
            ))
        }
        _ => found,
    }
}

/// A directory beneath which homes may be added later.
fn root(config: &Config, path: &Path) -> Finding {
    let shown = path.display();
    for (secret, what) in [(&config.file, "this file"), (&config.state, "the state directory")] {
        if lies_within(secret, path) {
            return Finding::warning(format!(
                "roots: {shown} holds {what}: the kernel would not keep sessions from it. name a directory beside it"
            ));
        }
    }
    directory::root(path)
}

/// Whether `path`, or where it would be made, is `directory` or beneath it.
fn lies_within(path: &Path, directory: &Path) -> bool {
    let Ok(directory) = fs::canonicalize(directory) else { return false };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let real = path.ancestors().find_map(|ancestor| fs::canonicalize(ancestor).ok());
    real.is_some_and(|real| real.starts_with(directory))
}
