//! Clients differ in order, and every order works.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use e2e::{ALICE, bytes};

use super::{logged_in, server};

#[test]
fn a_data_connection_may_come_before_its_command_or_after_150() {
    let (server, address) = server();
    server.write("alice/file", b"content");
    let mut control = logged_in(address, ALICE);
    for early in [true, false] {
        let port = control.epsv();
        let before = early.then(|| TcpStream::connect(port).unwrap());
        control.told("RETR file", 150);
        let mut data = before.unwrap_or_else(|| TcpStream::connect(port).unwrap());
        let mut heard = String::new();
        data.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "content");
        control.hears(226);
    }
}

#[test]
fn the_server_calls_where_it_is_told_to() {
    let (server, address) = server();
    server.write("alice/file", b"content");
    let mut control = logged_in(address, ALICE);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for told in [format!("PORT 127,0,0,1,{},{}", port >> 8, port & 255), format!("EPRT |1|127.0.0.1|{port}|")]
    {
        control.told(&told, 200);
        control.told("RETR file", 150);
        let mut heard = String::new();
        listener.accept().unwrap().0.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "content");
        control.hears(226);
    }
}

#[test]
fn an_abort_is_heard_however_it_is_said() {
    let (server, address) = server();
    server.write("alice/big", bytes(64 << 20, 1));
    let aborts: [fn(&mut e2e::Control); 4] = [
        |control| control.say("ABOR"),
        |control| {
            control.say_bytes(b"\xff\xf4");
            control.say_urgently(b"\xff\xf2");
            control.say("ABOR");
        },
        |control| {
            control.say_urgently(b"\xff\xf4\xff");
            control.say_bytes(b"\xf2ABOR\r\n");
        },
        |control| control.say_urgently(b"ABOR\r\n"),
    ];
    let mut control = logged_in(address, ALICE);
    for abort in aborts {
        let mut data = control.data();
        control.told("RETR big", 150);
        data.read_exact(&mut [0; 1000]).unwrap();
        abort(&mut control);
        control.hears(426);
        control.hears(226);
        control.told("NOOP", 200);
    }
    control.told("ABOR", 226);
}

#[test]
fn the_control_connection_lives_while_files_move() {
    let (server, address) = server();
    server.write("alice/file", b"x");
    let mut control = logged_in(address, ALICE);
    let mut data = control.data();
    control.told("STOR new", 150);
    data.write_all(&[7; 1000]).unwrap();
    control.told("NOOP", 200);
    while !control.told("STAT", 211).contains("Receiving a file: 1000 bytes so far") {}
    // What else comes waits its turn.
    control.say("SIZE new");
    control.say("NOOP");
    control.hears(200);
    drop(data);
    assert!(control.hears(226).starts_with("226 Stored 1000 bytes. MD5 "));
    assert_eq!(control.hears(213), "213 1000");
}

#[test]
fn listings_understand_options_patterns_and_paths() {
    let (server, address) = server();
    for file in ["a.txt", "b.txt", "c.bin", ".hidden", "dir/d.txt", "dir/deep/e.txt", "-l", "[x]"] {
        server.write(&format!("alice/{file}"), b"x");
    }
    let mut control = logged_in(address, ALICE);
    let mut names = |command: &str| {
        let told = String::from_utf8(control.fetch(command)).unwrap();
        let mut lines: Vec<String> = told.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(names("NLST"), ["-l", ".hidden", "[x]", "a.txt", "b.txt", "c.bin", "dir"]);
    assert_eq!(names("NLST *.txt"), ["a.txt", "b.txt"]);
    assert_eq!(names("NLST dir"), ["dir/d.txt", "dir/deep"]);
    assert_eq!(names("NLST dir/*.txt"), ["dir/d.txt"]);
    assert_eq!(names("NLST [x]"), ["[x]"], "a name goes before a pattern");
    assert_eq!(names("NLST [ac].*"), ["a.txt", "c.bin"]);
    assert_eq!(names("NLST -- -l"), ["-l"]);
    assert_eq!(names("LIST -la a.txt").len(), 1);
    assert!(names("LIST -l")[0].ends_with(" -l"));
    assert_eq!(names("MLSD dir").len(), 2);
    let deep = names("LIST -R");
    assert!(
        deep.iter().any(|line| line == "dir/deep:") && deep.iter().any(|line| line.ends_with(" e.txt")),
        "{deep:?}"
    );
    assert_eq!(names("NLST *.nothing"), Vec::<String>::new());
    assert_eq!(names("NLST {a,b}.*"), Vec::<String>::new(), "braces are letters");
    let deep = format!("NLST *{}{}", "{a,".repeat(126), "}".repeat(126));
    assert_eq!(names(&deep), Vec::<String>::new());
    let told = control.told("STAT dir", 213);
    assert!(told.contains("d.txt"), "{told}");
    let told = control.told("MLST dir/d.txt", 250);
    assert!(told.contains("type=file;size=1;") && told.contains(" /dir/d.txt"), "{told}");
}

#[test]
fn lines_are_converted_where_the_client_asks_for_lines_and_nowhere_else() {
    let (server, address) = server();
    server.write("alice/unix", b"a\nb\n");
    let mut control = logged_in(address, ALICE);
    assert_eq!(control.fetch("RETR unix"), b"a\nb\n");
    assert_eq!(control.store("STOR binary", b"a\r\nb\r\n").0, 226);
    control.told("TYPE A", 200);
    assert_eq!(control.fetch("RETR unix"), b"a\r\nb\r\n");
    assert_eq!(control.store("STOR lines", b"a\r\nb\r\n\r").0, 226);
    control.told("SIZE unix", 550);
    control.told("REST 2", 550);
    assert_eq!(server.read("alice/binary"), b"a\r\nb\r\n");
    assert_eq!(server.read("alice/lines"), b"a\nb\n\r");
}

#[test]
fn a_transfer_begins_where_it_is_told_to() {
    let (server, address) = server();
    server.write("alice/file", b"0123456789");
    let mut control = logged_in(address, ALICE);
    control.told("REST 4", 350);
    assert_eq!(control.fetch("RETR file"), b"456789");
    assert_eq!(control.fetch("RETR file"), b"0123456789", "once");
    control.told("RANG 2 4", 350);
    assert_eq!(control.fetch("RETR file"), b"234");
    control.told("RANG 2 4", 350);
    let hashed = control.told("HASH file", 213);
    assert!(hashed.starts_with("213 MD5 2-5 289dff07669d7a23de0ef88d2f7129e7 file"), "{hashed}");
    control.told("OPTS HASH SHA-256", 200);
    let whole = control.told("HASH file", 213);
    assert!(
        whole.contains("SHA-256 0-10 84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882 file"),
        "{whole}"
    );
    control.told("REST 11", 350);
    drop(control.data());
    control.told("RETR file", 554);
    control.told("REST 3", 350);
    assert_eq!(control.store("STOR file", b"new").0, 226);
    assert_eq!(server.read("alice/file"), b"012new");
    assert_eq!(control.store("APPE file", b"!").0, 226);
    assert_eq!(server.read("alice/file"), b"012new!");
    assert_eq!(control.store("APPE fresh", b"!").0, 226);
    control.told("REST 99", 350);
    drop(control.data());
    control.told("STOR file", 554);
    assert_eq!(server.read("alice/file"), b"012new!");
}

#[test]
fn times_permissions_and_names_are_set() {
    use std::os::unix::fs::MetadataExt;
    let (server, address) = server();
    let file = server.write("alice/file", b"x");
    let mut control = logged_in(address, ALICE);
    control.told("MFMT 20010203040506 file", 213);
    assert_eq!(control.told("MDTM file", 213), "213 20010203040506");
    control.told("SITE CHMOD 640 file", 200);
    let seen = std::fs::metadata(&file).unwrap();
    assert_eq!((seen.mtime(), seen.mode() & 0o777), (981_173_106, 0o640));
    assert_eq!(control.told("MKD a \"b\" \u{fc}", 257), "257 \"/a \"\"b\"\" \u{fc}\" was made.");
    control.told("RNFR file", 350);
    control.told("RNTO a \"b\" \u{fc}/file", 250);
    control.told("CWD a \"b\" \u{fc}", 250);
    assert_eq!(control.told("SIZE file", 213), "213 1");
    control.told("CDUP", 250);
    let (code, told) = control.store("STOU", b"unique");
    assert_eq!(code, 226, "{told}");
    let told = control.told("AVBL", 213);
    assert!(told[4..].parse::<u64>().is_ok(), "{told}");
}
