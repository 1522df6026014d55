//! Names that FTP cannot say: a tree that has one does not come through the classic door as if it were whole.

use std::fs;

use e2e::{ALICE, Server};

use super::classic;

#[test]
fn a_tree_with_a_name_that_ftp_cannot_say_is_told_to_be_incomplete() {
    let server = Server::builder().classic().start();
    server.write("alice/tree/sub/two\nlines", "lost");
    server.write("alice/tree/sub/plain", "data");
    let run = |words: &[&str]| classic(&server).args(words).run();
    let told = "1 name in it cannot be said in FTP, and is left out";
    run(&["get", "-r", "tree"]).fails(9).told(&format!("tree/sub: {told}")).told("native");
    assert_eq!(server.read_work("tree/sub/plain"), b"data");
    run(&["ls", "tree/sub"]).fails(9).wrote("plain\n").told(told);
    run(&["ls", "-r", "tree"]).fails(9).wrote("sub\nsub/plain\n").told(told);
    run(&["rm", "-r", "tree"]).fails(9).told(told);
    assert!(server.home(ALICE).join("tree/sub/two\nlines").exists());
    fs::remove_file(server.home(ALICE).join("tree/sub/two\nlines")).unwrap();
    run(&["ls", "-r", "tree"]).ok();
    run(&["ls", "tree/sub"]).ok();
    run(&["rm", "-r", "tree"]).ok();
}
