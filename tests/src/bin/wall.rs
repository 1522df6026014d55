//! Campaign: builds a server without its first wall, and shows that the second holds.
//!
//! In a copy of the sources, what resolves paths beneath a home (`crates/store/src/beneath.rs`) opens them like any other
//! program. Then links out of the home are followed by our code, and it is the kernel that refuses (Landlock). To show that the
//! patch does what it says, the same server reads through the link where nothing is walled off: inside another user's home.

#![allow(clippy::unwrap_used, reason = "in a campaign, whatever goes wrong ends it")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use e2e::{ALICE, Server, build_in};

/// Takes the first wall away, and tries the second.
#[derive(Debug, Parser)]
struct Args {}

/// What keeps paths beneath a home, and what takes its place.
const CHECK: &str = "home.open_with(path, &options).map(cap_std::fs::File::into_std)";
const NO_CHECK: &str = "drop(options);
                let beneath = std::path::PathBuf::from(format!(\"/proc/self/fd/{}\", std::os::fd::AsRawFd::as_raw_fd(&**home)));
                let path = std::fs::read_link(&beneath)?.join(path);
                File::options().read(true).custom_flags(flags).open(path)";

fn main() -> ExitCode {
    Args::parse();
    let scratch = tempfile::tempdir().unwrap();
    let ftpd = build(scratch.path());
    // The harness takes the program from there.
    let server = Server::builder().program(&ftpd).start();
    let outside = server.config().with_file_name("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "outside").unwrap();
    server.write("bob/secret", "another home");
    let link = |target: &Path, name: &str| symlink(target, server.home(ALICE).join(name)).unwrap();
    link(&outside.join("secret"), "out");
    link(&outside, "directory");
    link(&server.config(), "hashes");
    link(Path::new("/etc/passwd"), "passwd");
    link(&server.homes().join("bob/secret"), "within");
    server.write_work("file", "new");

    let patched = server.ftp(&["cat", "within"]);
    if patched.code != 0 || patched.stdout != b"another home" {
        eprintln!("the patch does not take the first wall away: {}", patched.stderr);
        return ExitCode::FAILURE;
    }
    println!("without the first wall, a link out of the home is followed");
    let mut held = true;
    for words in [
        &["cat", "out"][..],
        &["cat", "directory/secret"],
        &["cat", "hashes"],
        &["cat", "passwd"],
        &["ls", "directory"],
        &["md5", "out"],
        &["put", "file", "directory/new"],
        &["mkdir", "directory/new"],
        &["rm", "directory/secret"],
        &["mv", "directory/secret", "taken"],
    ] {
        let ran = server.ftp(words);
        let verdict = if ran.code == 0 { "WORKS" } else { "refused" };
        println!("  {verdict:<8} {}  {}", words.join(" "), ran.stderr.trim());
        held &= ran.code != 0;
    }
    held &= fs::read(outside.join("secret")).unwrap() == b"outside"
        && fs::read_dir(&outside).unwrap().count() == 1;
    println!("{}", if held { "the second wall holds" } else { "VIOLATION: the second wall does not hold" });
    ExitCode::from(u8::from(!held))
}

/// The patched server. What it needs of other crates is taken from the build of this program; its own crates have another
/// version, or they would pass for those that are under test.
fn build(scratch: &Path) -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let copy = scratch.join("sources");
    fs::create_dir_all(&copy).unwrap();
    let parts = [".cargo", "Cargo.toml", "Cargo.lock", "crates", "tests"].map(|part| sources.join(part));
    assert!(Command::new("cp").arg("-r").args(parts).arg(&copy).status().unwrap().success());
    let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    patch(&copy.join("Cargo.toml"), &version, "version = \"0.0.0-without-wall\"");
    patch(&copy.join("crates/store/src/beneath.rs"), CHECK, NO_CHECK);
    let built = build_in(&copy);
    let ftpd = scratch.join("ftpd");
    fs::rename(built.join("ftpd"), &ftpd).unwrap(); // the next build of the real one lays it there again
    ftpd
}

fn patch(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{} has changed: this campaign must follow it", file.display());
    fs::write(file, text.replace(from, to)).unwrap();
}
