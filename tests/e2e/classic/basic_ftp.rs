//! basic-ftp, which programs for Node.js use, by a script that holds each answer against what it must be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use e2e::{ALICE, Server};

use super::{ODD, assert_files, assert_same, content, furnished, tool};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/classic/basic_ftp.js");

const PACKAGE: &str = "basic-ftp@6.2.3";

/// Where the package lies: fetched once, and kept beside the build.
fn package() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(PACKAGE);
        if kept.exists() {
            return kept;
        }
        fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let fresh = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(fresh.path().join("package.json"), "{}").unwrap(); // or npm looks further up
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]);
        let ran = npm.current_dir(&fresh).output().unwrap_or_else(|error| panic!("npm: {error}"));
        assert!(ran.status.success(), "{npm:?}: {}", String::from_utf8_lossy(&ran.stderr));
        // Another run may have been faster.
        fs::rename(fresh.keep(), &kept).or_else(|error| kept.exists().then_some(()).ok_or(error)).unwrap();
        kept
    })
}

#[test]
fn every_method() {
    for mode in ["plain", "explicit", "implicit"] {
        let server = furnished(Server::builder().implicit().resumption());
        for name in ODD {
            server.write_work(&format!("here/below/{name}/{name}"), name);
        }
        let address = if mode == "implicit" { server.implicit_address() } else { server.classic_address() };
        let run = tool("node", &server).arg(SCRIPT).args([mode, &address.ip().to_string()]);
        let run = run.arg(address.port().to_string()).variable("NODE_PATH", package().join("node_modules"));
        let run = run.variable("USER_NAME", ALICE.name).variable("PASSWORD", ALICE.password);
        run.variable("CERTIFICATE", server.certificate()).run().ok();
        let home = server.home(ALICE);
        assert_files(&home.join("up"));
        assert_files(&server.work().join("got"));
        for name in ODD {
            assert_same(&home.join("up/below").join(name).join(name), name.as_bytes());
            assert_same(&server.work().join("got/below").join(name).join(name), name.as_bytes());
        }
        let block = content("block");
        assert_same(&home.join("appended"), &[&block[..], &block].concat());
        assert_same(&server.work().join("part"), &content("big"));
        assert!(!home.join("there").exists(), "it was removed");
    }
}
