//! Directories that serving needs: there or to be made, and with the rights that are needed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Access as Right, AtFlags, CWD, accessat};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use super::Finding;
use crate::config::Access;
use crate::shell;

/// The home of a user, for what the user may do.
pub(super) fn home(name: &str, path: &Path, access: Access) -> Finding {
    let needed = match access {
        Access::Read => 0o500,
        Access::Write | Access::Drop => 0o700, // a door opens even a drop box to read: that is how it holds a directory
    };
    tested(&format!("home of {name}"), path, needed)
}

/// A directory in which homes may be made.
pub(super) fn root(path: &Path) -> Finding {
    tested("roots", path, 0o700)
}

/// The state directory, which nobody else may look into.
pub(super) fn state(path: &Path) -> Finding {
    let finding = tested("state", path, 0o700);
    match fs::metadata(path) {
        Ok(metadata) if metadata.mode() & 0o077 != 0 => Finding::problem(format!(
            "state: {} is open to others (mode {:03o}). run: chmod 700 {}",
            path.display(),
            metadata.mode() & 0o777,
            shell::path(path)
        )),
        _ => finding,
    }
}

/// A directory of which `needed` are the owner's bits of its mode.
fn tested(what: &str, path: &Path, needed: u32) -> Finding {
    let shown = path.display();
    let write = if needed == 0o700 { Right::WRITE_OK } else { Right::empty() };
    let rights = Right::READ_OK | Right::EXEC_OK | write;
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => {
            Finding::problem(format!("{what}: {shown} is not a directory. name another, or move it away"))
        }
        Ok(metadata) => match accessat(CWD, path, rights, AtFlags::EACCESS) {
            Ok(()) => Finding::ok(format!("{what}: {shown}")),
            Err(error) => Finding::problem(format!(
                "{what}: {shown}: {}. {}",
                io::Error::from(error),
                remedy(&shell::path(path), (metadata.uid(), metadata.mode()), needed, me())
            )),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => to_be_made(what, path),
        Err(error) => {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let closed =
                |above: &&Path| accessat(CWD, *above, Right::EXEC_OK, AtFlags::EACCESS) == Err(Errno::ACCESS);
            let remedy = match absolute.ancestors().skip(1).filter(closed).last() {
                Some(outermost) => format!("run: sudo chmod a+x {}", shell::path(outermost)),
                None => "name another directory".into(),
            };
            Finding::problem(format!("{what}: {shown}: {error}. {remedy}"))
        }
    }
}

/// A directory that is missing: whether the nearest one above lets it be made.
fn to_be_made(what: &str, path: &Path) -> Finding {
    let shown = path.display();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let above = absolute.ancestors().skip(1).find_map(|above| Some((above, fs::metadata(above).ok()?)));
    let Some((above, metadata)) = above else {
        return Finding::problem(format!("{what}: {shown} cannot be made. name another directory"));
    };
    let in_the_way = match accessat(CWD, above, Right::WRITE_OK | Right::EXEC_OK, AtFlags::EACCESS) {
        _ if !metadata.is_dir() => format!("{} is not a directory. name another", above.display()),
        Ok(()) => return Finding::ok(format!("{what}: {shown} is made when it is needed")),
        Err(error) => {
            let (user, group) = me();
            let (error, path) = (io::Error::from(error), shell::path(&absolute));
            format!("{}: {error}. run: sudo install -d -m 700 -o {user} -g {group} {path}", above.display())
        }
    };
    Finding::problem(format!("{what}: {shown} cannot be made: {in_the_way}"))
}

/// What gives the rights to a directory of this owner and mode, of which `needed` are lacking, to `me`.
fn remedy(path: &str, (owner, mode): (u32, u32), needed: u32, me: (u32, u32)) -> String {
    let rights = if needed == 0o700 { "u+rwx" } else { "u+rx" };
    match owner == me.0 {
        true if mode & needed == needed => {
            "what it lies in, or its file system, forbids it: name another".into()
        }
        true => format!("run: chmod {rights} {path}"),
        false => format!("run: sudo chown {}:{} {path} && chmod {rights} {path}", me.0, me.1),
    }
}

/// The user and group that this process acts as.
fn me() -> (u32, u32) {
    (geteuid().as_raw(), getegid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedies_can_be_pasted() {
        let me = (1000, 100);
        for (directory, needed, expected) in [
            ((1000, 0o500), 0o700, "run: chmod u+rwx 'a b'"),
            ((1000, 0o200), 0o500, "run: chmod u+rx 'a b'"),
            ((0, 0o755), 0o700, "run: sudo chown 1000:100 'a b' && chmod u+rwx 'a b'"),
            ((0, 0o700), 0o500, "run: sudo chown 1000:100 'a b' && chmod u+rx 'a b'"),
            ((1000, 0o755), 0o700, "what it lies in, or its file system, forbids it: name another"),
        ] {
            assert_eq!(remedy("'a b'", directory, needed, me), expected);
        }
    }
}
