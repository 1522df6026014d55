//! Names that are hard to say on a line.

use std::fs;

use e2e::ALICE;

use super::{logged_in, server};

#[test]
fn a_name_that_no_line_can_carry_is_left_out_and_that_is_told_once_a_listing() {
    let (server, address) = server();
    let mut control = logged_in(address, ALICE);
    server.write("alice/plain", b"x");
    server.write("alice/a\r\n226 Done.", b"x");
    server.write("alice/a\rb", b"x");
    server.write("alice/odd\n/inner", b"x");
    let told = ["left out of a listing", "who=\"alice\"", "names=3"];
    for (count, command) in ["NLST", "NLST -R", "LIST -R", "LIST", "MLSD"].into_iter().enumerate() {
        let data = control.data();
        control.told(command, 150);
        let listing = std::io::read_to_string(data).unwrap();
        let mut lines: Vec<&str> =
            listing.split_terminator("\r\n").filter(|line| !line.ends_with(':')).collect();
        if command == "MLSD" {
            assert_eq!(lines.pop(), Some("type=cdir;X.unsaid=3; ."), "for programs");
        }
        assert!(lines.len() == 1 && lines[0].ends_with("plain"), "{command}: {listing:?}");
        assert!(control.hears(226).contains("save 3 names that no line can carry"));
        server.log().wait_for_nth(count + 1, &told);
    }
    let status = control.told("STAT .", 213);
    assert_eq!(status.lines().count(), 3, "{status}");
    control.told("QUIT", 221);
    server.log().wait_for("session ended");
    assert_eq!(server.log().count(&told), 6, "once a listing");
}

#[test]
fn other_control_characters_are_told_as_they_are_on_the_disk() {
    let (server, address) = server();
    let mut control = logged_in(address, ALICE);
    let name = "\x1b[2J\t\x07\x7fä";
    fs::create_dir(server.home(ALICE).join(name)).unwrap();
    assert_eq!(control.fetch("NLST"), format!("{name}\r\n").as_bytes());
    for command in ["LIST", "MLSD"] {
        let listing = String::from_utf8(control.fetch(command)).unwrap();
        assert!(listing.ends_with(&format!(" {name}\r\n")), "{listing:?}");
    }
    assert!(control.told("STAT .", 213).contains(&format!(" {name}\n")));
    assert!(control.told(&format!("CWD {name}"), 250).contains(&format!("\"/{name}\"")));
    assert!(control.told("PWD", 257).contains(&format!("\"/{name}\"")));
    assert!(control.told("MLST", 250).contains(&format!(" /{name}\n")));
    assert_eq!(server.log().count(&["left out"]), 0);
}
