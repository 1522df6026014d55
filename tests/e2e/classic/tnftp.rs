//! tnftp, the client of NetBSD that Debian calls ftp: a session as a person has it, and URLs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use e2e::{ALICE, Ran, Server};

use super::{FILES, MIB, assert_files, assert_same, content, furnished, tool};

/// A session with these lines behind the login.
#[track_caller]
fn session(server: &Server, options: &[&str], lines: &[&str]) -> Ran {
    let address = server.classic_address();
    let login = format!("user {} {}\nbinary\n", ALICE.name, ALICE.password);
    let text = login + &lines.join("\n") + "\nbye\n";
    tool("tnftp", server)
        .args(["-n", "-i"])
        .args(options)
        .args([address.ip().to_string(), address.port().to_string()])
        .stdin(text)
        .run()
        .ok()
}

#[test]
fn a_session() {
    // By itself, passive with EPSV; active with EPRT; and without what RFC 2428 has brought.
    for options in [&[][..], &["-A"], &["-p"]] {
        let server = furnished(Server::builder());
        let home = server.home(ALICE);
        fs::create_dir(server.work().join("got")).unwrap();
        let names = FILES.map(|(name, _)| name).join(" ");
        let (get, put) = (format!("mget {names}"), format!("mput {names}"));
        let with_epsv = if options == ["-p"] { "epsv4" } else { "status" };
        session(
            &server,
            options,
            &[with_epsv, "cd there", "lcd got", &get, "mkdir /up", "cd /up", "lcd ../here", &put],
        );
        assert_files(&server.work().join("got"));
        assert_files(&home.join("up"));

        let told = session(
            &server,
            options,
            &[
                "pwd",
                "dir there",
                "nlist there",
                "size there/big",
                "modtime there/big",
                "mlsd there",
                "mlst there/one",
                "features",
                "system",
                "rstatus",
                "rename up/one up/moved",
                "chmod 640 up/moved",
                "delete up/empty",
                "mkdir new",
                "rmdir new",
                "append here/block up/block",
            ],
        );
        let text = told.text();
        assert!(text.contains("Remote directory: /\n"), "{text}");
        assert!(text.contains(" block\n") && text.contains("there/big\n"), "{text}");
        assert!(text.contains(&(3 * MIB).to_string()) && text.contains("type=file;size=1;"), "{text}");
        assert_eq!(fs::metadata(home.join("up/moved")).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(!home.join("up/empty").exists() && !home.join("new").exists());
        assert_same(&home.join("up/block"), &[content("block"), content("block")].concat());

        server.write_work("part", &content("big")[..MIB]);
        session(&server, options, &["reget there/big part"]);
        assert_same(&server.work().join("part"), &content("big"));
        server.write("alice/text", b"first\nsecond\n");
        session(&server, options, &["ascii", "get text text", "put text back"]);
        assert_same(&server.work().join("text"), b"first\nsecond\n");
        assert_same(&home.join("back"), b"first\nsecond\n");
    }
}

#[test]
fn urls() {
    let server = furnished(Server::builder().anonymous());
    server.write("anonymous/notice", b"for all\n");
    let address = server.classic_address();
    let ours = format!("ftp://{}:{}@{address}", ALICE.name, ALICE.password);
    tool("tnftp", &server)
        .args(["-o", "-", &format!("ftp://{address}/notice")])
        .run()
        .ok()
        .wrote("for all\n");
    for (name, _) in FILES {
        tool("tnftp", &server)
            .args(["-o", &format!("got-{name}"), &format!("{ours}/there/{name}")])
            .run()
            .ok();
        assert_same(&server.work().join(format!("got-{name}")), &content(name));
        let to = format!("{ours}/up-{name}");
        tool("tnftp", &server).args(["-u", &to, &format!("here/{name}")]).run().ok();
        assert_same(&server.home(ALICE).join(format!("up-{name}")), &content(name));
    }
    tool("tnftp", &server).args(["-o", "x", &format!("{ours}/missing")]).run().fails(1);
}
