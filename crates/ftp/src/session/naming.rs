//! Where a file goes: names left out, names of directories. A server's word never decides on a local name.

use std::io;
use std::path::{Path, PathBuf};

use store::Name;

use crate::commands::quote;
use crate::failure::{Code, Failure};

/// The last part of a remote path, without slashes after it.
pub(super) fn last_part(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whether the remote `path`, read from the directory `here`, is that directory or one above it.
pub(super) fn holds(path: &str, here: &str) -> bool {
    fn parts<'a>(path: &'a str, mut from: Vec<&'a str>) -> Vec<&'a str> {
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(from.pop()),
                part => from.push(part),
            }
        }
        from
    }
    let here = parts(here, Vec::new());
    let path = parts(path, if path.starts_with('/') { Vec::new() } else { here.clone() });
    here.starts_with(&path)
}

/// `name` in the remote `directory`, which may end in slashes.
pub(super) fn into_directory(directory: &str, name: &str) -> String {
    format!("{directory}{}{name}", if directory.ends_with('/') { "" } else { "/" })
}

/// Where `get REMOTE [LOCAL]` puts its file: under the last part of `remote`, here or in `local` if that is a directory.
///
/// # Errors
/// If there is no such name, no such directory, or a directory of that name: told before anything is fetched.
pub(super) fn download(remote: &str, local: Option<&Path>) -> Result<PathBuf, Failure> {
    let place = match local {
        Some(path) if path.is_dir() => path.join(local_name(remote)?),
        Some(path) if ends_in_slash(path) => return Err(no_directory(path)),
        Some(path) => path.to_owned(),
        None => PathBuf::from(local_name(remote)?),
    };
    let shown = place.display();
    if place.is_dir() {
        return Err(Failure::new(Code::Other, format!("{shown} is a directory on this computer"))
            .with_remedy("Name the local file: get REMOTE LOCAL."));
    }
    match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => Err(no_directory(parent)),
        _ => Ok(place),
    }
}

/// Where `get -r REMOTE [LOCAL]` puts its tree: under the last part of `remote`, here or in `local` if that is a directory.
///
/// # Errors
/// If there is no such name, or no directory to make it in: told before anything is fetched.
pub(super) fn download_tree(remote: &str, local: Option<&Path>) -> Result<PathBuf, Failure> {
    let place = match local {
        // What has no name of its own comes into the directory itself.
        Some(path) if path.is_dir() => local_name(remote).map_or(path.to_owned(), |name| path.join(name)),
        Some(path) => path.to_owned(),
        None => PathBuf::from(local_name_for("get -r", remote)?),
    };
    match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => Err(no_directory(parent)),
        _ => Ok(place),
    }
}

/// Where `put LOCAL [REMOTE]` puts its file: under the name of `local`, or in `remote` if that is written as a directory.
///
/// # Errors
/// If `local` has no name that a server could take.
pub(super) fn upload(local: &Path, remote: Option<&str>) -> Result<String, Failure> {
    match remote {
        Some(path) if path.ends_with('/') => Ok(into_directory(path, remote_name(local)?)),
        Some(path) => Ok(path.to_owned()),
        None => remote_name(local).map(str::to_owned),
    }
}

/// The name of a local file, as the server will know it.
pub(super) fn remote_name(local: &Path) -> Result<&str, Failure> {
    name_of(local).map_err(|failure| failure.with_remedy("Name the remote file: put LOCAL REMOTE."))
}

/// The name of a local file or directory that `command` is to send, as the server will know it.
pub(super) fn remote_name_for<'a>(command: &str, local: &'a Path) -> Result<&'a str, Failure> {
    name_of(local).map_err(|failure| {
        let quoted = quote(&local.to_string_lossy());
        failure.with_remedy(format!("Name it there: {command} {quoted} REMOTE."))
    })
}

/// The name that a local directory has in a directory of the server.
pub(super) fn name_for_tree(local: &Path) -> Result<&str, Failure> {
    name_of(local)
        .map_err(|failure| failure.with_remedy("Go there with lcd, and send what is in it: put -r . REMOTE."))
}

fn name_of(local: &Path) -> Result<&str, Failure> {
    let Some(name) = local.file_name() else {
        let wrong =
            format!("{} says no name that it could have on the server", quote(&local.to_string_lossy()));
        return Err(Failure::new(Code::Usage, wrong));
    };
    if Name::parse(name.as_encoded_bytes()).is_err() {
        let name = name.to_string_lossy();
        return Err(Failure::new(Code::Usage, format!("{name} cannot be a name on a server")));
    }
    Ok(name.to_str().expect("a name is UTF-8"))
}

/// Refuses a local file that cannot be sent, before the server hears of it.
pub(super) fn check_source(local: &Path) -> Result<(), Failure> {
    match local.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(Failure::new(Code::Other, "it is a directory")
            .with_remedy("put -r sends it with all that is in it.")),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(no_source()),
        Err(error) => Err(error.into()),
    }
}

/// What was to be sent is not there.
pub(super) fn no_source() -> Failure {
    Failure::new(Code::NotFound, "there is no such file on this computer")
        .with_remedy("lls shows what is there.")
}

/// The name of a remote file, as this computer will know it.
pub(super) fn local_name(remote: &str) -> Result<String, Failure> {
    match Name::parse(last_part(remote).as_bytes()) {
        Ok(name) => Ok(name.as_str().to_owned()),
        Err(_) => {
            Err(Failure::new(Code::Usage, format!("{remote} has no last part that could name a local file"))
                .with_remedy("Name it: get REMOTE LOCAL."))
        }
    }
}

/// The name of a remote file or directory that `command` is to fetch, as this computer will know it.
pub(super) fn local_name_for(command: &str, remote: &str) -> Result<String, Failure> {
    local_name(remote).map_err(|_| {
        let quoted = quote(remote);
        let wrong = format!("{quoted} says no name that it could have on this computer");
        Failure::new(Code::Usage, wrong).with_remedy(format!("Name it here: {command} {quoted} LOCAL."))
    })
}

fn ends_in_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

fn no_directory(path: &Path) -> Failure {
    let quoted = quote(&path.to_string_lossy());
    Failure::new(Code::NotFound, format!("there is no directory {quoted} on this computer"))
        .with_remedy(format!("Make it first: mkdir -p {quoted}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_last_part_of_a_path_names_its_file() {
        for (path, name) in [("a", "a"), ("/a/b", "b"), ("a/b//", "b"), ("/", ""), ("", ""), ("..", "..")] {
            assert_eq!(last_part(path), name, "{path}");
        }
        assert_eq!(into_directory("d", "a"), "d/a");
        assert_eq!(into_directory("d/", "a"), "d/a");
        assert_eq!(into_directory("/", "a"), "/a");
    }

    #[test]
    fn a_directory_holds_where_one_is() {
        for path in ["..", ".", "/", "", "/a", "/a/b", "../b", "../../a/", "x/..", "//a//b/", "../../.."] {
            assert!(holds(path, "/a/b"), "{path}");
        }
        for path in ["x", "../c", "/a/b/c", "/a/bc", "/c", "../../b", "../b/c", "b"] {
            assert!(!holds(path, "/a/b"), "{path}");
        }
        assert!(holds("/", "/") && holds("..", "/") && !holds("a", "/") && !holds("/a", "/"));
    }

    #[test]
    fn a_download_takes_the_name_that_its_user_knows() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        assert_eq!(download("/sub/big.iso", None).unwrap(), Path::new("big.iso"));
        assert_eq!(download("big.iso", Some(here)).unwrap(), here.join("big.iso"));
        assert_eq!(download("a", Some(&here.join("b"))).unwrap(), here.join("b"));
        fs::write(here.join("old"), "").unwrap();
        assert_eq!(download("a", Some(&here.join("old"))).unwrap(), here.join("old"));
    }

    #[test]
    fn a_download_without_a_place_is_refused_with_the_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        for remote in ["..", "/", "a/..", ".", "a\0b"] {
            let failure = download(remote, None).unwrap_err();
            assert_eq!(failure.code, Code::Usage, "{remote:?}");
            assert!(failure.remedy.unwrap().contains("get REMOTE LOCAL"));
        }
        for missing in ["new/", "new/file"] {
            let failure = download("a", Some(&here.join(missing))).unwrap_err();
            assert_eq!(failure.code, Code::NotFound);
            assert!(failure.remedy.unwrap().contains("mkdir -p"));
        }
        fs::create_dir(here.join("a")).unwrap();
        assert_eq!(download("a", Some(here)).unwrap_err().code, Code::Other);
    }

    #[test]
    fn an_upload_keeps_its_name_unless_it_is_given_one() {
        assert_eq!(upload(Path::new("x/a b"), None).unwrap(), "a b");
        assert_eq!(upload(Path::new("a"), Some("b")).unwrap(), "b");
        assert_eq!(upload(Path::new("x/a"), Some("sub/")).unwrap(), "sub/a");
        assert_eq!(upload(Path::new("x/a"), Some("/")).unwrap(), "/a");
    }

    #[test]
    fn an_upload_without_a_name_is_refused_with_the_remedy() {
        use std::os::unix::ffi::OsStrExt;
        for local in [Path::new(".."), Path::new("/"), Path::new(std::ffi::OsStr::from_bytes(b"a\xff"))] {
            let failure = upload(local, None).unwrap_err();
            assert_eq!(failure.code, Code::Usage);
            assert!(failure.remedy.unwrap().contains("put LOCAL REMOTE"));
        }
    }

    #[test]
    fn a_directory_without_a_name_is_refused_with_what_to_type() {
        for local in [".", "./", "..", "../..", "/"] {
            let failure = remote_name_for("put -r", Path::new(local)).unwrap_err();
            assert_eq!(failure.code, Code::Usage);
            assert!(failure.message.starts_with(&format!("{local} says no name")), "{failure}");
            assert!(failure.remedy.unwrap().ends_with(&format!("put -r {local} REMOTE.")));
        }
        for remote in [".", "/", "a/.."] {
            let failure = download_tree(remote, None).unwrap_err();
            assert!(failure.remedy.unwrap().ends_with(&format!("get -r {remote} LOCAL.")));
        }
        assert_eq!(remote_name_for("put -r", Path::new("a/b")).unwrap(), "b");
    }

    #[test]
    fn only_files_are_sent() {
        let directory = tempfile::tempdir().unwrap();
        let missing = check_source(&directory.path().join("none")).unwrap_err();
        assert_eq!(missing.code, Code::NotFound);
        let whole = check_source(directory.path()).unwrap_err();
        assert_eq!(whole.code, Code::Other);
        assert!(whole.remedy.unwrap().contains("put -r"));
        fs::write(directory.path().join("a"), "").unwrap();
        assert!(check_source(&directory.path().join("a")).is_ok());
    }
}
