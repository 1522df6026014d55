//! Every verb at every server.

use std::fs;
use std::fs::Permissions;
use std::net::Ipv6Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use e2e::{bytes, md5, stages};

use super::servers::{Foreign, Tls};

/// Does everything that a user may do.
fn everything(server: &Foreign) {
    let (home, work) = (server.home(), server.work());
    let big = bytes(3 << 20, 1);
    fs::write(work.join("big"), &big).unwrap();
    fs::write(work.join("empty"), "").unwrap();
    let run = |words: &[&str]| server.client().args(words).run();

    run(&["put", "big"]).ok();
    assert_eq!(fs::read(home.join("big")).unwrap(), big);
    run(&["put", "empty", "nothing"]).ok();
    assert_eq!(fs::read(home.join("nothing")).unwrap(), b"");
    run(&["get", "big", "again"]).ok();
    assert_eq!(fs::read(work.join("again")).unwrap(), big);
    run(&["get", "nothing"]).ok();
    assert_eq!(fs::read(work.join("nothing")).unwrap(), b"");
    assert_eq!(run(&["cat", "big"]).ok().stdout, big);
    run(&["md5", "big"]).ok().wrote(&format!("{}  big\n", md5(&big)));
    assert_eq!(stages(&work), Vec::<std::path::PathBuf>::new());

    run(&["mkdir", "a b"]).ok();
    assert!(home.join("a b").is_dir());
    run(&["put", "big", "a b/gr\u{fc}n \u{65e5}"]).ok();
    assert_eq!(fs::read(home.join("a b/gr\u{fc}n \u{65e5}")).unwrap(), big);
    run(&["ls", "a b"]).ok().wrote("gr\u{fc}n \u{65e5}\n");
    run(&["get", "a b/gr\u{fc}n \u{65e5}"]).ok();
    assert_eq!(fs::read(work.join("gr\u{fc}n \u{65e5}")).unwrap(), big);
    run(&["put", "empty", "a b"]).ok(); // into it
    run(&["mv", "a b/gr\u{fc}n \u{65e5}", "a b/moved"]).ok();
    run(&["ls", "a b"]).ok().wrote("empty\nmoved\n");
    let told = run(&["stat", "a b/moved"]).ok().text();
    assert!(told.starts_with("name      moved\nkind      file\nsize      3145728 (3.1 MB)\n"), "{told}");
    let told = run(&["stat", "a b"]).ok().text();
    assert!(told.starts_with("name      a b\nkind      directory\n"), "{told}");
    let told = run(&["ls", "-l", "a b"]).ok().text();
    assert!(told.contains("-rw-") && told.contains("3145728") && told.contains("moved"), "{told}");
    run(&["ls", "a b/moved"]).ok().wrote("moved\n");
    run(&["rm", "a b/moved"]).ok();
    run(&["rm", "a b/empty"]).ok();
    run(&["ls", "a b"]).ok().wrote("");
    run(&["rmdir", "a b"]).ok();
    assert!(!home.join("a b").exists());

    fs::create_dir_all(home.join("sub/deeper")).unwrap();
    server.hand_over();
    let batch = "cd sub\ncd deeper\nput empty here\ncd ..\nls\ncdup\nls sub/deeper\n";
    server.client().option("-b").option("-").stdin(batch).run().ok().wrote("deeper\nhere\n");
    assert!(home.join("sub/deeper/here").is_file());
    server.client_at("/sub/deeper").args(["ls"]).run().ok().wrote("here\n");
    let top = run(&["pwd"]).ok().text();
    let there = server.client_at("/sub").args(["pwd"]).run().ok().text();
    assert_eq!(there, format!("{}/sub\n", top.trim_end().trim_end_matches('/')));
}

/// Moves many small files in one session, each on a data connection of its own; returns how often the session was begun anew.
fn many(server: &Foreign) -> usize {
    let (home, work) = (server.home(), server.work());
    for (place, name) in [(&work, "empty"), (&home, "nothing")] {
        fs::write(place.join(name), "").unwrap();
    }
    for (place, name) in [(&work, "mine"), (&home, "theirs")] {
        fs::write(place.join(name), "data").unwrap();
    }
    fs::create_dir_all(home.join("sub/inner")).unwrap();
    server.hand_over();
    let batch = |number| {
        format!(
            "put empty e{number}\nput mine m{number}\nget nothing n{number}\nget theirs t{number}\nls sub\n"
        )
    };
    let batch: String = (0..10).map(batch).collect();
    let ran = server.client().option("-b").option("-").stdin(batch).run().ok().wrote(&"inner\n".repeat(10));
    for number in 0..10 {
        assert_eq!(fs::read(home.join(format!("e{number}"))).unwrap(), b"");
        assert_eq!(fs::read(home.join(format!("m{number}"))).unwrap(), b"data");
        assert_eq!(fs::read(work.join(format!("n{number}"))).unwrap(), b"");
        assert_eq!(fs::read(work.join(format!("t{number}"))).unwrap(), b"data");
    }
    ran.stderr.matches("connecting again").count()
}

/// Has everything fail that must.
fn refusals(server: &Foreign) {
    let (home, work) = (server.home(), server.work());
    fs::create_dir_all(home.join("full/inner")).unwrap();
    fs::write(home.join("file"), "x").unwrap();
    server.hand_over();
    server.forbid();
    fs::write(work.join("mine"), "y").unwrap();
    let run = |words: &[&str]| server.client().args(words).run();
    for words in [
        &["get", "missing"][..],
        &["cat", "missing"],
        &["cd", "missing"],
        &["ls", "missing"],
        &["stat", "missing"],
        &["md5", "missing"],
        &["rm", "missing"],
        &["rmdir", "missing"],
        &["mv", "missing", "x"],
        &["put", "mine", "missing/file"],
    ] {
        run(words).fails(6);
    }
    run(&["get", "secret"]).fails(7);
    for words in
        [&["cat", "full"][..], &["cd", "file"], &["mkdir", "full"], &["rm", "full"], &["rmdir", "full"]]
    {
        run(words).fails(1);
    }
    for words in
        [&["rm", "a\nb"][..], &["mkdir", "a\rb"], &["mv", "file", "a\nDELE file"], &["get", "a\nb", "c"]]
    {
        run(words).fails(2);
    }
    server.client().password(Some("wrong")).args(["ls"]).run().fails(4);
    assert!(home.join("file").is_file() && !work.join("secret").exists());
    assert!(home.join("full").is_dir());
}

/// A guest without a name is anonymous.
fn anonymous(server: &Foreign) {
    fs::write(server.home().join("file"), "for all\n").unwrap();
    server
        .client_as("", "")
        .password(None)
        .args(["cat", "file"])
        .run_without_terminal()
        .ok()
        .wrote("for all\n");
}

/// Goes on with files that are half there.
fn halves(server: &Foreign) {
    let (home, work) = (server.home(), server.work());
    let big = bytes(3 << 20, 7);
    let run = |words: &[&str]| server.client().args(words).run();

    fs::write(home.join("theirs"), &big).unwrap();
    fs::write(work.join("theirs"), &big[..(2 << 20) + 5]).unwrap();
    fs::write(work.join("mine"), &big).unwrap();
    fs::write(home.join("mine"), &big[..(1 << 20) + 3]).unwrap();
    server.hand_over();
    run(&["get", "-c", "theirs"]).ok();
    assert!(fs::read(work.join("theirs")).unwrap() == big);
    run(&["put", "-c", "mine"]).ok();
    assert!(fs::read(home.join("mine")).unwrap() == big);

    // What is complete stays so; what is longer, or not there at all, is transferred whole.
    for words in [&["get", "-c", "theirs"][..], &["put", "-c", "mine"], &["get", "-c", "theirs", "new"]] {
        run(words).ok();
    }
    run(&["put", "-c", "mine", "new"]).ok();
    fs::write(work.join("longer"), [&big[..], b"more"].concat()).unwrap();
    run(&["get", "-c", "theirs", "longer"]).ok();
    for file in
        [work.join("theirs"), work.join("new"), work.join("longer"), home.join("mine"), home.join("new")]
    {
        assert!(fs::read(&file).unwrap() == big, "{}", file.display());
    }
    assert_eq!(stages(&work), Vec::<std::path::PathBuf>::new());
}

macro_rules! at {
    ($($name:ident: $server:expr;)*) => { $(
        mod $name {
            use super::*;

            #[test]
            fn every_verb_does_what_it_says() {
                everything(&$server);
            }

            #[test]
            fn one_session_carries_many_files() {
                // One more where tickets of TLS 1.3 run out.
                let again = many(&$server);
                assert!(again <= 1, "the session was begun {again} times more");
            }

            #[test]
            fn every_refusal_has_its_code() {
                refusals(&$server);
            }

            #[test]
            fn what_is_half_there_is_gone_on_with() {
                halves(&$server);
            }

            #[test]
            fn no_name_is_anonymous() {
                anonymous(&$server);
            }
        }
    )* };
}

at! {
    vsftpd_plain: Foreign::vsftpd(Tls::No);
    vsftpd_tls: Foreign::vsftpd(Tls::Explicit);
    vsftpd_inside_tls: Foreign::vsftpd(Tls::Implicit);
    proftpd_plain: Foreign::proftpd(Tls::No);
    proftpd_tls: Foreign::proftpd(Tls::Explicit);
    proftpd_inside_tls: Foreign::proftpd(Tls::Implicit);
    pure_ftpd_plain: Foreign::pure_ftpd(Tls::No);
    pure_ftpd_tls: Foreign::pure_ftpd(Tls::Explicit);
    pyftpdlib_plain: Foreign::pyftpdlib(Tls::No, &[]);
    pyftpdlib_tls: Foreign::pyftpdlib(Tls::Explicit, &[]);
    our_own: Foreign::ftpd();
}

#[test]
fn data_finds_its_way_over_ipv6() {
    let server = Foreign::vsftpd_at(Ipv6Addr::LOCALHOST.into(), Tls::Explicit, "");
    fs::write(server.work().join("mine"), "data").unwrap();
    server.client().args(["put", "mine", "theirs"]).run().ok();
    server.client().args(["cat", "theirs"]).run().ok().wrote("data");
}

#[test]
fn many_files_go_where_tickets_run_out_and_there_is_no_older_tls() {
    assert!(many(&Foreign::proftpd_with(Tls::Explicit, "TLSProtocol TLSv1.3\n")) > 1);
}

#[test]
fn a_digest_of_proftpd_verifies_both_ways() {
    let server = Foreign::proftpd_with(Tls::Explicit, "LoadModule mod_digest.c\nDigestEngine on\n");
    fs::write(server.home().join("there"), "data").unwrap();
    let receipt = format!("verified md5 {}", md5(b"data"));
    server.client().args(["get", "there"]).run().ok().told(&receipt);
    server.client().args(["put", "there", "back"]).run().ok().told(&receipt);
    server.client().args(["md5", "back"]).run().ok().wrote(&format!("{}  back\n", md5(b"data")));
}

#[test]
fn a_receipt_says_verified_only_where_the_server_has_a_digest() {
    for (words, receipt) in [
        (&[][..], "not verified: the server offers no digest".to_owned()),
        (&["digest"], format!("verified md5 {}", md5(b"data"))),
    ] {
        let server = Foreign::pyftpdlib(Tls::Explicit, words);
        fs::write(server.home().join("there"), "data").unwrap();
        server.client().args(["get", "there"]).run().ok().told(&receipt);
        server.client().args(["put", "there", "back"]).run().ok().told(&receipt);
        server.client().args(["md5", "back"]).run().ok().wrote(&format!("{}  back\n", md5(b"data")));
    }
}

#[test]
fn a_digest_that_differs_is_code_8_and_nothing_is_kept() {
    let server = Foreign::pyftpdlib(Tls::No, &["wrong"]);
    fs::write(server.home().join("there"), "data").unwrap();
    fs::write(server.work().join("mine"), "data").unwrap();
    server.client().args(["get", "there"]).run().fails(8);
    assert!(!server.work().join("there").exists());
    server.client().args(["put", "mine"]).run().fails(8);
}

#[test]
fn what_is_gone_on_with_is_not_sent_again_and_shows_what_does_not_belong_together() {
    let big = bytes(2 << 20, 9);
    let mut half = big[..1 << 20].to_vec();
    half[0] ^= 1;
    for (server, has_digest) in [(Foreign::vsftpd(Tls::No), false), (Foreign::ftpd(), true)] {
        let (home, work) = (server.home(), server.work());
        fs::write(home.join("theirs"), &big).unwrap();
        fs::write(work.join("theirs"), &half).unwrap();
        fs::write(work.join("mine"), &big).unwrap();
        fs::write(home.join("mine"), &half).unwrap();
        server.hand_over();
        let get = server.client().args(["get", "-c", "theirs"]).run();
        let put = server.client().args(["put", "-c", "mine"]).run();
        if has_digest {
            get.fails(8);
            put.fails(8);
            assert!(fs::read(work.join("theirs")).unwrap() == half, "it is as it was");
        } else {
            get.ok();
            put.ok();
            let mixed = [&half[..], &big[1 << 20..]].concat();
            assert!(fs::read(work.join("theirs")).unwrap() == mixed);
            assert!(fs::read(home.join("mine")).unwrap() == mixed);
        }
        assert_eq!(stages(&work), Vec::<std::path::PathBuf>::new());
        server.client().args(["get", "theirs"]).run().ok();
        assert!(fs::read(work.join("theirs")).unwrap() == big, "without -c it is fetched anew");
    }
}

#[test]
fn times_and_modes_are_kept_both_ways_where_the_server_can() {
    for server in [Foreign::pyftpdlib(Tls::No, &[]), Foreign::proftpd(Tls::No), Foreign::pure_ftpd(Tls::No)] {
        let then = UNIX_EPOCH + Duration::from_secs(981_173_106);
        let (theirs, back) = (server.home().join("theirs"), server.work().join("back"));
        fs::write(server.work().join("mine"), "data").unwrap();
        fs::File::open(server.work().join("mine")).unwrap().set_modified(then).unwrap();
        fs::set_permissions(server.work().join("mine"), Permissions::from_mode(0o640)).unwrap();
        server.client().args(["put", "mine", "theirs"]).run().ok();
        let kept = |path: &Path| {
            let metadata = fs::metadata(path).unwrap();
            (metadata.modified().unwrap(), metadata.permissions().mode() & 0o777)
        };
        assert_eq!(kept(&theirs), (then, 0o640));
        fs::set_permissions(&theirs, Permissions::from_mode(0o600)).unwrap();
        server.client().args(["get", "theirs", "back"]).run().ok();
        assert_eq!(kept(&back), (then, 0o600));
    }
}

#[test]
fn a_tree_has_the_modes_of_a_listing_but_for_the_right_of_others_to_write() {
    let server = Foreign::vsftpd(Tls::No);
    fs::create_dir(server.home().join("tree")).unwrap();
    for (name, mode) in [("private", 0o400), ("program", 0o777)] {
        fs::write(server.home().join("tree").join(name), "data").unwrap();
        fs::set_permissions(server.home().join("tree").join(name), Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(server.home().join("tree"), Permissions::from_mode(0o700)).unwrap();
    server.client().args(["get", "-r", "tree"]).run().ok();
    for (name, mode) in [("tree/private", 0o400), ("tree/program", 0o755), ("tree", 0o700)] {
        let metadata = fs::metadata(server.work().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{name}");
    }
}
