//! rclone: its ftp backend, plain, with explicit and with implicit TLS.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use e2e::{ALICE, Ran, Server};

use super::{FILES, MIB, ODD, assert_files, assert_same, content, furnished, tool};

/// A run; `there:` is alice's home.
#[track_caller]
fn rclone(server: &Server, tls: &[(&str, &str)], words: &[&str]) -> Ran {
    let implicit = tls.iter().any(|(name, _)| *name == "TLS");
    let address = if implicit { server.implicit_address() } else { server.classic_address() };
    let obscured = tool("rclone", server).args(["obscure", ALICE.password]).run().ok().text();
    let mut run = tool("rclone", server).args(["--config", "", "--retries", "1", "--low-level-retries", "1"]);
    for (name, value) in [
        ("TYPE", "ftp"),
        ("HOST", &address.ip().to_string()),
        ("PORT", &address.port().to_string()),
        ("USER", ALICE.name),
        ("PASS", obscured.trim()),
    ] {
        run = run.variable(&format!("RCLONE_CONFIG_THERE_{name}"), value);
    }
    for (name, value) in tls {
        run = run.variable(&format!("RCLONE_CONFIG_THERE_{name}"), value);
    }
    run.args(words).run()
}

#[test]
fn copied_checked_and_synchronised() {
    const CERTIFICATE: (&str, &str) = ("NO_CHECK_CERTIFICATE", "true");
    for tls in [
        &[][..],
        &[("EXPLICIT_TLS", "true"), CERTIFICATE],
        &[("TLS", "true"), CERTIFICATE],
        &[("DISABLE_EPSV", "true"), ("DISABLE_MLSD", "true")],
    ] {
        let server = furnished(Server::builder().implicit());
        let home = server.home(ALICE);
        let long_ago = UNIX_EPOCH + Duration::from_secs(981_173_106);
        File::open(server.work().join("here/big")).unwrap().set_modified(long_ago).unwrap();
        for name in ODD {
            server.write_work(&format!("here/below/{name}/{name}"), name);
        }
        rclone(&server, tls, &["copy", "here", "there:up"]).ok();
        assert_files(&home.join("up"));
        let modified = |path: PathBuf| fs::metadata(path).unwrap().modified().unwrap();
        let seconds = |path| modified(path).duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(seconds(home.join("up/big")), seconds(server.work().join("here/big")), "MFMT");
        rclone(&server, tls, &["copy", "there:up", "got"]).ok();
        assert_files(&server.work().join("got"));
        for name in ODD {
            assert_same(&home.join("up/below").join(name).join(name), name.as_bytes());
            assert_same(&server.work().join("got/below").join(name).join(name), name.as_bytes());
        }
        rclone(&server, tls, &["check", "--download", "here", "there:up"]).ok();
        let listed = rclone(&server, tls, &["lsf", "--format", "sp", "there:there"]).ok().text();
        let mut listed: Vec<_> = listed.lines().map(str::to_owned).collect();
        listed.sort();
        let mut known = FILES.map(|(name, len)| format!("{len};{name}"));
        known.sort();
        assert_eq!(listed, known);

        // What changed is brought, what is gone is removed.
        fs::write(server.work().join("here/one"), b"2").unwrap();
        fs::remove_dir_all(server.work().join("here/below")).unwrap();
        rclone(&server, tls, &["sync", "--ignore-times", "here", "there:up"]).ok();
        assert_same(&home.join("up/one"), b"2");
        assert!(!home.join("up/below").exists());
        rclone(&server, tls, &["check", "--download", "here", "there:up"]).ok();
        fs::write(home.join("up/one"), b"3").unwrap();
        rclone(&server, tls, &["check", "--download", "here", "there:up"]).fails(1);
        rclone(&server, tls, &["moveto", "there:up/block", "there:moved/block"]).ok();
        assert_same(&home.join("moved/block"), &content("block"));
        let piece = rclone(&server, tls, &["cat", "--offset", "1048576", "--count", "10", "there:up/big"]);
        assert_eq!(piece.ok().stdout, content("big")[MIB..MIB + 10]);
        rclone(&server, tls, &["purge", "there:up"]).ok();
        assert!(!home.join("up").exists());
    }
}

#[test]
fn a_wrong_password_is_refused() {
    let server = furnished(Server::builder());
    let wrong = tool("rclone", &server).args(["obscure", "wrong"]).run().ok().text();
    rclone(&server, &[("PASS", wrong.trim())], &["lsf", "there:"]).fails(1).told("530");
}
