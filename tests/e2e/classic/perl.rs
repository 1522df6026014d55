//! Perl's Net::FTP, by a script that holds each answer against what it must be.

use e2e::{ALICE, Server};

use super::{assert_files, assert_same, content, furnished, tool};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/classic/net_ftp.pl");

#[test]
fn every_method() {
    for words in [&["passive"][..], &["active"], &["passive", "tls"], &["active", "tls"]] {
        let server = furnished(Server::builder());
        let address = server.classic_address();
        let run = tool("perl", &server).arg(SCRIPT);
        let run = run.args([address.ip().to_string(), address.port().to_string()]).args(words);
        let run = run.variable("USER_NAME", ALICE.name).variable("PASSWORD", ALICE.password);
        run.run().ok();
        let home = server.home(ALICE);
        assert_files(&home.join("up/by/perl"));
        assert_files(&server.work().join("got"));
        let block = content("block");
        assert_same(&home.join("appended"), &[&block[..], &block].concat());
        assert_same(&home.join("lines"), b"first\nsecond\n");
        assert!(!home.join("there").exists(), "it was removed");
    }
}
