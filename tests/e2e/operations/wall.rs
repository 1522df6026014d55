//! What a server opens once it serves, as strace(1) sees it, and who can look into it.

use std::fs;
use std::path::Path;

use e2e::{ALICE, CAROL, Server, bytes};
use rustix::process::Signal;

/// Paths as they are: strace writes each byte as `\x2f`.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (byte, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(byte, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn nothing_outside_of_homes_state_and_configuration_is_opened() {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let calls = "?open,openat,openat2,?creat,execve,landlock_restrict_self";
    let mut server = Server::builder().traced(calls, trace.path()).start();
    server.write_work("file", bytes(3_000_000, 1));
    let batch = "put file\nmkdir dir\ncd dir\nput file copy\n-put missing\nls\nls -l /\ncd /\nmd5 file\nget file back\n\
                 mv file dir/moved\nstat dir\nrm dir/moved\n-get ../../../../etc/passwd\n-cat /proc/self/environ\n";
    server.client(ALICE).option("-b").option("-").stdin(batch).run().fails(9);
    server.client(CAROL).args(["put", "file", "dropped"]).run().ok();
    std::os::unix::fs::symlink("/etc/passwd", server.home(ALICE).join("link")).unwrap();
    server.ftp(&["get", "link"]).fails(7);
    server.edit_config(|text| text + "# edited\n");
    server.signal(Signal::HUP);
    server.log().wait_for("reloaded");
    let directory = server.config().parent().unwrap().canonicalize().unwrap();
    let within =
        |path: &Path| path.starts_with(directory.join("homes")) || path == directory.join("users.toml");
    assert!(server.terminate().success());

    let trace = fs::read_to_string(trace.path()).unwrap();
    // The second wall is whole when the second ruleset is in force: the keeper's is the first.
    let mut lines = trace.lines();
    for _ in 0..2 {
        lines.by_ref().find(|line| line.contains("landlock_restrict_self")).expect("there is no wall");
    }
    let mut opened = 0;
    for line in lines {
        assert!(!line.contains("execve"), "{line}");
        let Some((_, descriptor)) = line.rsplit_once(" = ") else { continue };
        let Some((_, path)) = descriptor.split_once('<') else { continue };
        let path = unescaped(path.trim_end_matches('>'));
        let path = path.split_once('>').map_or(&*path, |(path, _)| path);
        assert!(within(Path::new(path)), "{path} was opened: {}", unescaped(line));
        opened += 1;
    }
    assert!(opened > 10, "hardly anything was opened:\n{trace}");
}

#[test]
fn its_memory_is_for_nobody_else_and_it_dumps_no_core() {
    let server = Server::start();
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    // What cannot be dumped belongs to root (proc_pid(5)), and no program of the same user looks into it.
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    assert!(status.contains("\nNoNewPrivs:\t1\n"), "{status}");
    assert!(status.contains("\nCoreDumping:\t0\n"), "{status}");
}

#[test]
fn the_log_says_how_the_wall_stands() {
    let server = Server::start();
    server.log().wait_for_all(&["landlock="]);
}
