//! `--json`: an object for each file as it is done or cannot be, and the totals, on standard output; nothing else is there.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{ALICE, Client, Ran, Server, md5};
use rustix::fs::{CWD, Mode, mkfifoat};

use super::{classic, contents, plant};

fn json(client: Client, words: &[&str]) -> Ran {
    client.option("--json").args(words).run()
}

/// Has Python read each line, and write what `expression` makes of `all` of them.
#[track_caller]
fn read(place: &Path, ran: &Ran, expression: &str) -> String {
    let file = place.join("objects");
    fs::write(&file, &ran.stdout).unwrap();
    let script = format!(
        "import json, sys\nall = [json.loads(line) for line in open(sys.argv[1], newline='\\n')]\nprint({expression})"
    );
    let mut python = Command::new("/usr/bin/python3");
    let read = python.env("PYTHONUTF8", "1").args(["-c", &script]).arg(&file).output().unwrap();
    let told = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{told}\n{}", ran.text());
    String::from_utf8(read.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn each_file_of_a_tree_is_an_object_and_so_are_the_totals() {
    let server = Server::builder().classic().start();
    let (home, work) = (server.home(ALICE), server.work());
    plant(&work.join("tree"));
    let native = || server.client(ALICE);
    let door = |way: usize| if way == 0 { native() } else { classic(&server) };
    for (way, to, files) in [(0, "native", 311), (1, "classic", 310)] {
        if way == 1 {
            fs::remove_file(work.join("tree/sub/new\nline")).unwrap(); // which no line of FTP can say
        }
        let links = |words: &[&str]| json(door(way).option("--links").option("follow"), words).ok();
        let put = links(&["put", "-r", "tree", to]);
        assert!(!put.stderr.contains("verified"), "it is told twice: {}", put.stderr);
        // One line each: names of two lines, too.
        assert_eq!(put.stdout.iter().filter(|byte| **byte == b'\n').count(), files + 1);
        assert_eq!(read(&work, &put, &are(&names(&home, to))), "True", "{}", put.text());
        let totals =
            "all[-1]['files'], all[-1]['bytes'] == sum(one['size'] for one in all[:-1]), all[-1]['not_done']";
        assert_eq!(read(&work, &put, totals), format!("{files} True 0"));
        let back = format!("{to}-back");
        let got = links(&["get", "-r", to, &back]);
        assert!(!got.stderr.contains("verified"), "it is told twice: {}", got.stderr);
        assert_eq!(contents(&work.join("tree")), contents(&work.join(&back)));
        assert_eq!(read(&work, &got, &are(&names(&work, &back))), "True", "{}", got.text());
        assert_eq!(read(&work, &got, totals), format!("{files} True 0"));
        for ran in [put, got] {
            let one = md5(b"1");
            let of_one = "[one['digest'] for one in all[:-1] if one['file'].endswith('/one')]";
            assert_eq!(read(&work, &ran, of_one), format!("['{one}']"));
            let how = "sorted(set(one['verified'] for one in all[:-1]))";
            let shown = read(&work, &ran, how);
            assert!(shown == "['md5', 'md5 root']" || way == 1 && shown == "['md5']", "{shown}");
        }
    }
}

#[test]
fn a_removal_counts_files_and_directories_and_verifies_nothing() {
    let server = Server::builder().classic().start();
    for client in [server.client(ALICE), classic(&server)] {
        server.write("alice/tree/a", "a");
        server.write("alice/tree/sub/b", "b");
        let ran = json(client, &["rm", "-r", "tree"]).ok();
        let counted =
            "len(all), [all[0][name] for name in ('files', 'directories', 'not_done')], 'verified' in all[0]";
        assert_eq!(read(&server.work(), &ran, counted), "1 [2, 2, 0] False", "{}", ran.text());
    }
}

#[test]
fn links_that_are_left_out_are_counted_whatever_the_reason() {
    let server = Server::builder().classic().start();
    let work = server.work();
    server.write_work("tree/file", "data");
    for (link, target) in [("out", "/etc/passwd"), ("up", "../..")] {
        std::os::unix::fs::symlink(target, work.join("tree").join(link)).unwrap();
    }
    let counted = "all[-1]['not_done'], all[-1]['links_left_out']";
    for words in [&["put", "-r", "tree", "there"][..], &["sync", "put", "tree", "synced"]] {
        let ran = json(server.client(ALICE), words).fails(9);
        assert_eq!(read(&work, &ran, counted), "2 2", "{words:?}: {}", ran.text());
        let ran = json(server.client(ALICE).option("--links").option("skip"), words).ok();
        assert_eq!(read(&work, &ran, counted), "0 2", "{words:?}: {}", ran.text());
        assert_eq!(ran.stderr, "", "what is an object is not told in words, too");
    }
    let ran = json(classic(&server), &["put", "-r", "tree", "third"]).fails(9);
    assert_eq!(read(&work, &ran, counted), "2 2", "{}", ran.text());
}

/// Whether these files, each once, were told of.
fn are(names: &str) -> String {
    format!("sorted(one['file'] for one in all[:-1]) == sorted({names})")
}

/// All files beneath `root` in `place`, as a list of Python.
fn names(place: &Path, root: &str) -> String {
    let all = contents(&place.join(root)).into_keys();
    let files = all.filter(|path| place.join(root).join(path).is_file());
    let quoted = files.map(|path| format!("{:?}", format!("{root}/{}", path.to_str().unwrap())));
    // Rust's escapes are Python's, but for those of letters beyond ASCII, which neither escapes here.
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

#[test]
fn what_cannot_be_moved_is_an_object_too() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    for place in [&home, &work] {
        fs::create_dir(place.join("tree")).unwrap();
        fs::write(place.join("tree/good"), "good").unwrap();
        mkfifoat(CWD, place.join("tree/fifo"), Mode::from_raw_mode(0o666)).unwrap();
    }
    for words in [["put", "-r", "tree", "people"], ["get", "-r", "tree", "people"]] {
        // People are told what did arrive, and then of how many that cannot be said.
        let told = server.ftp(&words).fails(9).stderr;
        let (arrived, failed) = (told.find("people  1 file  4 B  "), told.find("1 of 2 could not be "));
        assert!(arrived.is_some() && arrived < failed, "{told}");
    }
    for words in [["put", "-r", "tree", "there"], ["get", "-r", "tree", "here"]] {
        let ran = json(server.client(ALICE), &words).fails(9).told("1 of 2 could not be ");
        let failed = "[(one['file'], one['code'], 'digest' in one) for one in all if 'failed' in one]";
        assert_eq!(read(&work, &ran, failed), "[('tree/fifo', 7, False)]", "{}", ran.text());
        assert_eq!(read(&work, &ran, "all[-1]['files'], all[-1]['not_done'], len(all)"), "1 1 3");
    }
}

#[test]
fn patterns_tell_each_file_and_what_matches_nothing() {
    let server = Server::start();
    for name in ["a1", "a2", "b1"] {
        server.write(&format!("alice/{name}"), name);
        server.write_work(&format!("{name}-new"), name);
    }
    let work = server.work();
    let names = "[one['file'] for one in sorted(all[:-1], key=lambda one: one['file'])]";
    assert!(server.ftp(&["mget", "a*"]).ok().stderr.starts_with("2 files  4 B  "));
    let ran = json(server.client(ALICE), &["mget", "a*"]).ok();
    assert_eq!(read(&work, &ran, names), "['a1', 'a2']", "{}", ran.text());
    let ran = json(server.client(ALICE), &["mput", "a*-new", "z*"]).fails(9);
    assert_eq!(read(&work, &ran, names), "['a1-new', 'a2-new', 'z*']", "{}", ran.text());
    let ran = json(server.client(ALICE), &["mget", "z*"]).fails(6);
    assert_eq!(
        read(&work, &ran, "[(one['files'], one['code']) for one in all]"),
        "[(0, 6)]",
        "{}",
        ran.text()
    );
}

#[test]
fn one_file_is_one_object() {
    let server = Server::start();
    server.write_work("file", "data");
    let digest = md5(b"data");
    let work = server.work();
    for words in [["put", "file", "there"], ["get", "there", "copy"], ["get", "-r", "there"]] {
        let ran = json(server.client(ALICE).option("--quiet"), &words[..]).ok();
        let told = "len(all), all[0]['size'], all[0]['verified'], all[0]['digest'], all[0]['seconds'] >= 0";
        assert_eq!(read(&work, &ran, told), format!("1 4 md5 {digest} True"), "{}", ran.text());
    }
    let ran = json(server.client(ALICE), &["get", "missing"]).fails(6).told("no such file");
    assert_eq!(read(&work, &ran, "[(one['file'], one['code']) for one in all]"), "[('missing', 6)]");
    let ran = json(server.client(ALICE), &["put", "missing"]).fails(6);
    assert_eq!(read(&work, &ran, "[(one['file'], one['code']) for one in all]"), "[('missing', 6)]");
}

#[test]
fn other_results_are_objects_and_what_cannot_be_one_is_refused() {
    let server = Server::start();
    server.write("alice/sub/file", b"data");
    let work = server.work();
    let run = |words: &[&str]| json(server.client(ALICE), words);
    let entry = "[(one['name'], one['kind'], one['size']) for one in all]";
    assert_eq!(read(&work, &run(&["ls", "-l", "sub"]).ok(), entry), "[('file', 'file', 4)]");
    assert_eq!(read(&work, &run(&["stat", "sub/file"]).ok(), "len(all), all[0]['size']"), "1 4");
    let digest = md5(b"data");
    assert_eq!(read(&work, &run(&["md5", "sub/file"]).ok(), "all[0]['md5']"), digest.to_string());
    assert_eq!(read(&work, &run(&["pwd"]).ok(), "all[0]['directory']"), "/");
    server.write("alice/sub/deep/file", b"more");
    let ran = run(&["ls", "-r", "sub"]).ok();
    assert_eq!(read(&work, &ran, "sorted(one['name'] for one in all[:-1])"), "['deep', 'deep/file', 'file']");
    let counted =
        "[all[-1][name] for name in ('files', 'directories', 'bytes', 'not_done')], 'verified' in all[-1]";
    assert_eq!(read(&work, &ran, counted), "[2, 1, 8, 0] False");
    run(&["cat", "sub/file"]).fails(2).wrote("").told("Leave --json out");
}
