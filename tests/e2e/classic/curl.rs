//! curl: plain, explicit and implicit TLS, every way to a data connection, and each option that is about FTP.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, UNIX_EPOCH};

use e2e::{ALICE, Ran, Server, outside_address};

use super::{FILES, MIB, ODD, assert_files, assert_same, content, furnished, tool};

/// A run; each `{}` in a word is what a URL of the server begins with.
#[track_caller]
fn curl_as(server: &Server, user: &str, words: &[&str]) -> Ran {
    let base = format!("ftp://{}", server.classic_address());
    let words = words.iter().map(|word| word.replace("{}", &base));
    tool("curl", server)
        .args(["--silent", "--show-error", "--fail-early", "--max-time", "100", "--user", user])
        .args(words)
        .run()
}

#[track_caller]
fn curl(server: &Server, words: &[&str]) -> Ran {
    curl_as(server, &format!("{}:{}", ALICE.name, ALICE.password), words)
}

/// Fetches and brings [`FILES`] with these options at `base`.
#[track_caller]
fn both_ways(server: &Server, base: &str, options: &[&str]) {
    let list = FILES.map(|(name, _)| name).join(",");
    let (from, to) = (format!("{base}/there/{{{list}}}"), format!("{base}/up/"));
    curl(server, &[options, &[&from, "--create-dirs", "-o", "got/#1"]].concat()).ok();
    assert_files(&server.work().join("got"));
    fs::remove_dir_all(server.work().join("got")).unwrap();
    let brought = format!("here/{{{list}}}");
    curl(server, &[options, &["--ftp-create-dirs", "-T", &brought, &to]].concat()).ok();
    assert_files(&server.home(ALICE).join("up"));
    fs::remove_dir_all(server.home(ALICE).join("up")).unwrap();
}

#[test]
fn plain_by_every_way_to_a_data_connection() {
    let server = furnished(Server::builder());
    for options in [
        &[][..],
        &["--disable-epsv"],
        &["--disable-epsv", "--no-ftp-skip-pasv-ip"],
        &["--ftp-port", "-"],
        &["--ftp-port", "-", "--disable-eprt"],
        &["--ftp-method", "singlecwd"],
    ] {
        both_ways(&server, "{}", options);
    }
    fs::create_dir(server.home(ALICE).join("up")).unwrap(); // without CWD curl makes no directory
    both_ways(&server, "{}", &["--ftp-method", "nocwd"]);
}

#[test]
fn explicit_and_implicit_tls() {
    let server = furnished(Server::builder().implicit());
    let certificate = server.certificate().display().to_string();
    let (explicit, implicit) = (server.classic_address(), server.implicit_address());
    // The certificate names localhost, whatever the address.
    let resolve = format!("localhost:{}:{}", explicit.port(), explicit.ip());
    let resolve_implicit = format!("localhost:{}:{}", implicit.port(), implicit.ip());
    let trust = ["--cacert", &certificate, "--resolve", &resolve, "--resolve", &resolve_implicit];
    let (ftp, ftps) =
        (format!("ftp://localhost:{}", explicit.port()), format!("ftps://localhost:{}", implicit.port()));
    // Not active: curl 7.87 and 7.88 leave the handshake of such a data connection away, and wait for ever.
    for (base, options) in [
        (&ftp, &["--ssl-reqd"][..]),
        (&ftp, &["--ssl-reqd", "--tls-max", "1.2"]),
        (&ftp, &["--ssl-reqd", "--disable-epsv"]),
        (&ftps, &[]),
        (&ftps, &["--tls-max", "1.2"]),
    ] {
        both_ways(&server, base, &[&trust, options].concat());
    }
    curl(&server, &["--ssl-reqd", "{}/there/one"]).fails(60); // and it is verified
}

#[test]
fn data_connections_resume_the_session() {
    let server = furnished(Server::builder().implicit().resumption());
    let implicit = format!("ftps://{}", server.implicit_address());
    let options = ["--insecure", "--ssl-reqd"];
    both_ways(&server, "{}", &options);
    both_ways(&server, &implicit, &options);
}

#[test]
fn where_tls_is_required_a_password_in_the_clear_is_not_taken() {
    let server = furnished(Server::builder().listen((outside_address(), 0).into()).required());
    curl(&server, &["{}/there/one"]).fails(67);
    both_ways(&server, "{}", &["--ssl-reqd", "--insecure"]);
}

#[test]
fn resumed_and_appended() {
    let server = furnished(Server::builder());
    let (big, block) = (content("big"), content("block"));
    for options in [&[][..], &["--ssl-reqd", "--insecure"]] {
        server.write_work("part", &big[..MIB]);
        curl(&server, &[options, &["-C", "-", "-o", "part", "{}/there/big"]].concat()).ok();
        assert_same(&server.work().join("part"), &big);

        server.write("alice/part", &big[..MIB + 7]);
        curl(&server, &[options, &["-C", "-", "-T", "here/big", "{}/part"]].concat()).ok();
        assert_same(&server.home(ALICE).join("part"), &big);

        curl(&server, &[options, &["--append", "-T", "here/block", "{}/part"]].concat()).ok();
        assert_same(&server.home(ALICE).join("part"), &[&big[..], &block].concat());
        curl(&server, &[options, &["--append", "-T", "here/one", "{}/new"]].concat()).ok();
        assert_same(&server.home(ALICE).join("new"), &content("one"));
        fs::remove_file(server.home(ALICE).join("new")).unwrap();
    }
}

#[test]
fn ranges_and_times() {
    let server = furnished(Server::builder());
    let block = content("block");
    for options in [&[][..], &["--ssl-reqd", "--insecure"]] {
        for (range, bytes) in [
            ("0-0", &block[..1]),
            ("1000-1999", &block[1000..2000]),
            ("65000-", &block[65000..]),
            ("-10", &block[block.len() - 10..]),
        ] {
            let ran = curl(&server, &[options, &["--range", range, "{}/there/block"]].concat()).ok();
            assert!(ran.stdout == bytes, "{range}: {} bytes", ran.stdout.len());
        }
    }
    let file = File::open(server.home(ALICE).join("there/one")).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(981_173_106)).unwrap(); // 2001-02-03 04:05:06
    curl(&server, &["--head", "{}/there/one"]).ok().wrote(
        "Last-Modified: Sat, 03 Feb 2001 04:05:06 GMT\r\nContent-Length: 1\r\nAccept-ranges: bytes\r\n",
    );
    let since = |date: &str| curl(&server, &["--time-cond", date, "{}/there/one"]).ok().stdout;
    assert_eq!(since("3 Feb 2001 00:00:00 GMT"), content("one"));
    assert_eq!(since("4 Feb 2001 00:00:00 GMT"), b"");
    curl(&server, &["--remote-time", "-o", "dated", "{}/there/one"]).ok();
    let modified = fs::metadata(server.work().join("dated")).unwrap().modified().unwrap();
    assert_eq!(modified, UNIX_EPOCH + Duration::from_secs(981_173_106));
}

#[test]
fn listings() {
    let server = furnished(Server::builder());
    let names = |words: &[&str]| {
        let text = curl(&server, words).ok().text();
        let mut names: Vec<_> = text.lines().map(str::to_owned).collect();
        names.sort();
        names
    };
    let all = ["big", "block", "empty", "one"];
    assert_eq!(names(&["--list-only", "{}/there/"]), all);
    assert_eq!(names(&["--list-only", "--ssl-reqd", "--insecure", "{}/there/"]), all);
    let long = names(&["{}/there/"]);
    assert_eq!(long.len(), 4);
    for (name, len) in FILES {
        let line = long.iter().find(|line| line.ends_with(&format!(" {name}"))).unwrap();
        assert!(line.starts_with("-rw") && line.contains(&format!(" {len} ")), "{line}");
    }
    let facts = names(&["-X", "MLSD", "{}/there/"]);
    assert!(facts.iter().any(|line| line.contains("size=65537;") && line.ends_with("; block")), "{facts:?}");
    assert_eq!(names(&["--list-only", "{}/"]), ["there"]);
    fs::create_dir(server.home(ALICE).join("none")).unwrap();
    curl(&server, &["--list-only", "{}/none/"]).ok().wrote("");
}

#[test]
fn commands_of_its_own() {
    let server = furnished(Server::builder());
    let home = server.home(ALICE);
    curl(&server, &["--quote", "MKD made", "--quote", "*MKD made", "--list-only", "{}/made/"]).ok();
    assert!(home.join("made").is_dir());
    curl(&server, &["-Q", "RNFR there/one", "-Q", "RNTO made/moved", "-I", "{}/"]).ok();
    assert_same(&home.join("made/moved"), &content("one"));
    curl(&server, &["-Q", "SITE CHMOD 640 made/moved", "-I", "{}/"]).ok();
    assert_eq!(fs::metadata(home.join("made/moved")).unwrap().permissions().mode() & 0o777, 0o640);
    // after the transfer
    curl(&server, &["-Q", "-DELE block", "{}/there/block", "-o", "block"]).ok();
    assert_same(&server.work().join("block"), &content("block"));
    assert!(!home.join("there/block").exists());
    curl(&server, &["-Q", "DELE made/moved", "-Q", "RMD made", "-I", "{}/"]).ok();
    assert!(!home.join("made").exists());
    curl(&server, &["-Q", "DELE nothing", "-I", "{}/"]).fails(21); // CURLE_QUOTE_ERROR
}

#[test]
fn names_that_are_odd() {
    let server = furnished(Server::builder());
    let encoded = |name: &str| name.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    for name in ODD {
        let url = format!("{{}}/{0}/{0}", encoded(name));
        curl(&server, &["--ftp-create-dirs", "-T", "here/block", &url]).ok();
        assert_same(&server.home(ALICE).join(name).join(name), &content("block"));
        curl(&server, &["-o", "got", &url]).ok();
        assert_same(&server.work().join("got"), &content("block"));
        let directory = format!("{{}}/{}/", encoded(name));
        curl(&server, &["--list-only", &directory]).ok().wrote(&format!("{name}\n"));
    }
}

#[test]
fn what_fails_says_so() {
    let server = furnished(Server::builder().anonymous());
    server.write("anonymous/notice", b"for all\n");
    curl_as(&server, "alice:wrong", &["{}/there/one"]).fails(67);
    curl_as(&server, "nobody:nothing", &["{}/there/one"]).fails(67);
    curl_as(&server, "anonymous:me@", &["{}/notice"]).ok().wrote("for all\n");
    curl(&server, &["{}/there/missing"]).fails(78);
    curl(&server, &["{}/missing/one"]).fails(9); // CWD
    curl(&server, &["--ssl-reqd", "--insecure", "{}/there/missing"]).fails(78);
    curl_as(&server, "anonymous:me@", &["-T", "here/one", "{}/one"]).fails(25);
    curl(&server, &["-T", "here/one", "{}/missing/one"]).fails(9);
    curl(&server, &["-C", "10", "-o", "x", "{}/there/one"]).fails(36);
}
