//! The programs under test.
//!
//! Cargo tells an integration test where the binaries of its own package are (`CARGO_BIN_EXE_…`), and these belong to others.
//! So they are built here, once in each run, into the directory and with the profile of the program that runs: a test never
//! meets an old build, and a plain `cargo test -p e2e` needs no step before it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The server.
pub fn ftpd() -> &'static Path {
    &programs().0
}

/// The client.
pub fn ftp() -> &'static Path {
    &programs().1
}

fn programs() -> &'static (PathBuf, PathBuf) {
    static PROGRAMS: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let directory = build_in(Path::new(env!("CARGO_MANIFEST_DIR")));
        (directory.join("ftpd"), directory.join("ftp"))
    })
}

/// `target/debug` or the like: where this program lies, or above if it is a test.
fn profile_directory() -> PathBuf {
    let program = env::current_exe().unwrap();
    let directory = program.parent().unwrap();
    if directory.ends_with("deps") { directory.parent().unwrap().to_owned() } else { directory.to_owned() }
}

/// Builds the workspace of `sources` as this program is built, and returns where the programs lie then.
pub fn build_in(sources: &Path) -> PathBuf {
    let directory = profile_directory();
    let profile = match directory.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let built = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--quiet", "--workspace", "--bins", "--profile", profile, "--target-dir"])
        .arg(directory.parent().unwrap())
        .current_dir(sources)
        .status();
    assert!(built.unwrap().success(), "the programs under test do not build");
    directory
}
