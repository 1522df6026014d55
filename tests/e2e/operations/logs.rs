//! `--log-file`, and the journal.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::thread;

use e2e::{ALICE, Server};
use rustix::process::Signal;

/// A server that logs to `file`; what comes there is shown on standard error, too, where the harness waits for lines, up to
/// the last one.
fn logging_to(file: &Path) -> Server {
    let script =
        "tail --follow=name --retry --lines=+1 --pid=$$ \"$0\" 2>/dev/null | sed -u '/ ended$/q' >&2 &
        exec \"$@\" --log-file \"$0\"";
    Server::builder().launched_by(&["sh", "-c", script, file.to_str().unwrap()]).start()
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

#[test]
fn a_log_file_is_its_owners_and_can_be_put_aside() {
    let directory = tempfile::tempdir().unwrap();
    let (file, aside) = (directory.path().join("ftpd.log"), directory.path().join("ftpd.log.1"));
    let mut server = logging_to(&file);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    server.ftp(&["pwd"]).ok();
    fs::rename(&file, &aside).unwrap();
    server.signal(Signal::HUP);
    while !text(&file).contains("reloaded") {
        thread::yield_now();
    }
    server.ftp(&["ls"]).ok();
    assert!(server.terminate().success());
    assert!(text(&aside).contains("verb=\"login\"") && !text(&aside).contains("verb=\"list\""));
    assert!(text(&file).contains("verb=\"list\"") && text(&file).ends_with("ended\n"), "{}", text(&file));
    assert!(!text(&file).contains('\x1b'));
}

#[test]
fn lines_are_added_to_what_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ftpd.log");
    fs::write(&file, "a line of before\n").unwrap();
    let inode = fs::metadata(&file).unwrap().ino();
    let mut server = logging_to(&file);
    server.terminate();
    assert_eq!(fs::metadata(&file).unwrap().ino(), inode);
    assert!(text(&file).starts_with("a line of before\n"));
    assert_eq!(text(&file).matches("listening").count(), 1);
}

#[test]
fn a_log_file_that_cannot_be_had_is_told_at_the_start() {
    let model = Server::start();
    let mut command = std::process::Command::new(e2e::ftpd());
    command.args(["--log-file", "/nowhere/log", "--config"]).arg(model.config());
    let ended = command.output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.code() == Some(1) && told.contains("cannot write the log to /nowhere/log"),
        "{told}"
    );
}

#[test]
fn a_disk_that_is_full_disturbs_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("full");
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    let model = Server::start();
    let config = directory.path().join("users.toml");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = fs::read_to_string(model.config()).unwrap();
    fs::write(&config, told.replace(&format!("{}:0", model.address().ip()), &port.to_string())).unwrap();
    let mut command = std::process::Command::new(e2e::ftpd());
    let mut child = command.arg("--log-file").arg(&file).arg("--config").arg(&config).spawn().unwrap();
    while std::net::TcpStream::connect(port).is_err() {
        assert_eq!(child.try_wait().unwrap(), None);
        thread::yield_now();
    }
    let client = model.client(ALICE).target(format!("alice@{port}"));
    client.args(["pwd"]).run().ok();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_journal_gets_levels_and_no_second_time() {
    // The shell's standard error is the server's: the same file, as the journal's is.
    let script = "JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr) exec \"$@\"";
    let server = Server::builder().launched_by(&["sh", "-c", script, "sh"]).start();
    let line = server.log().wait_for("listening");
    assert!(line.starts_with("<6>") && !line.contains("202"), "{line}");
    let elsewhere = Server::builder().variable("JOURNAL_STREAM", "1:1").start();
    assert!(!elsewhere.log().wait_for("listening").starts_with('<'));
}
