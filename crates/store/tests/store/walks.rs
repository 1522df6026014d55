//! Walks through trees, and links that stay in them.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use store::{EntryKind, Found, Kind, Walk};

use crate::ground::{Ground, SECRET, at, kind};

/// All that a walk finds, and what it misses, a little at a time.
fn walked(mut walk: Walk) -> (Vec<Found>, Vec<(Vec<u8>, Kind)>) {
    let (mut found, mut missed) = (Vec::new(), Vec::new());
    while let Some(branch) = walk.next_branch(500) {
        assert!(!branch.found.is_empty() || !branch.missed.is_empty());
        assert!(branch.found.len() <= 8 && branch.missed.len() <= 1, "as much as was asked for");
        found.extend(branch.found);
        missed.extend(branch.missed.into_iter().map(|missed| (missed.path, missed.error.kind())));
    }
    assert!(walk.next_branch(500).is_none(), "an end is an end");
    (found, missed)
}

fn paths(found: &[Found]) -> Vec<String> {
    let mut paths: Vec<String> =
        found.iter().map(|found| String::from_utf8(found.path.clone()).unwrap()).collect();
    paths.sort();
    paths
}

/// Each directory must be told before what is in it, and what is beneath it in one piece.
fn assert_in_order(found: &[Found]) {
    let mut open: Vec<&[u8]> = vec![b""];
    for found in &found[1..] {
        let parent =
            found.path.iter().rposition(|&byte| byte == b'/').map_or(&b""[..], |at| &found.path[..at]);
        while open.last() != Some(&parent) {
            assert!(open.pop().is_some(), "{:?} is told out of its place", OsStr::from_bytes(&found.path));
        }
        if found.kind == EntryKind::Directory {
            open.push(&found.path);
        }
    }
}

#[test]
fn a_tree_is_told_from_its_root_on() {
    let ground = Ground::new();
    for number in 0..40 {
        let directory = format!("tree/{}/{}", number % 5, number % 3);
        fs::create_dir_all(ground.at(&directory)).unwrap();
        ground.write(&format!("{directory}/{number}"), &vec![b'x'; number]);
    }
    ground.write("tree/.ftpd~abcdefghijkl", b"a stage");
    symlink("0/../0", ground.at("tree/link")).unwrap();
    symlink(ground.outside(), ground.at("tree/out")).unwrap();
    let name = OsStr::from_bytes(b"\xff\n");
    fs::write(ground.at("tree").join(name), b"").unwrap();
    fs::set_permissions(ground.at("tree/1/1/1"), Permissions::from_mode(0o4640)).unwrap();
    let watch = ground.watch();

    let (found, missed) = walked(ground.home.walk(&at("tree")).unwrap());
    assert_eq!(missed, []);
    assert_in_order(&found);
    assert_eq!(found.len(), 1 + 5 + 15 + 40 + 3);
    assert_eq!((found[0].path.as_slice(), found[0].kind), (&b""[..], EntryKind::Directory));
    let of = |path: &[u8]| found.iter().find(|found| found.path == path).unwrap();
    let file = of(b"1/1/1");
    assert_eq!((file.kind, file.size, file.mode, &file.target), (EntryKind::File, 1, 0o640, &None));
    let stat = ground.at("tree/1/1/1").metadata().unwrap();
    assert_eq!(file.modified.seconds, stat.mtime());
    assert_eq!(i64::from(file.modified.nanoseconds), stat.mtime_nsec());
    assert_eq!((of(b"link").kind, of(b"link").target.as_deref()), (EntryKind::Link, Some(&b"0/../0"[..])));
    assert_eq!(of(b"out").target.as_deref(), Some(ground.outside().as_os_str().as_bytes()));
    assert_eq!(of(b"\xff\n").kind, EntryKind::File);
    assert!(!found.iter().any(|found| found.path.starts_with(b".ftpd~")));
    watch.saw_nothing();
}

#[test]
fn a_walk_begins_where_its_path_leads() {
    let ground = Ground::new();
    fs::create_dir(ground.at("sub")).unwrap();
    ground.write("sub/file", SECRET);
    symlink("sub", ground.at("to-sub")).unwrap();
    symlink("sub/file", ground.at("to-file")).unwrap();
    symlink(ground.outside(), ground.at("out")).unwrap();
    for (path, wanted) in [("", 6), ("to-sub", 2), ("to-sub/file", 1), ("to-file", 1)] {
        let (found, missed) = walked(ground.home.walk(&at(path)).unwrap());
        assert_eq!((found.len(), missed.len()), (wanted, 0), "{path}");
        assert_eq!((found[0].path.len(), &found[0].target), (0, &None));
    }
    assert_eq!(kind(ground.home.walk(&at("gone"))), Err(Kind::NotFound));
    assert_eq!(kind(ground.home.walk(&at("out"))), Err(Kind::Denied));
}

/// Makes nested directories, deeper than any path that a system call takes.
fn nest(from: &Path, name: &str, levels: usize) {
    let mut here = rustix::fs::open(from, rustix::fs::OFlags::DIRECTORY, rustix::fs::Mode::empty()).unwrap();
    for _ in 0..levels {
        rustix::fs::mkdirat(&here, name, rustix::fs::Mode::RWXU).unwrap();
        let file = rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY;
        rustix::fs::openat(&here, "z", file, rustix::fs::Mode::RWXU).unwrap();
        let flags = rustix::fs::OFlags::DIRECTORY;
        here = rustix::fs::openat(&here, name, flags, rustix::fs::Mode::empty()).unwrap();
    }
}

#[test]
fn a_thousand_nested_directories_take_a_few_descriptors() {
    let ground = Ground::new();
    nest(&ground.at(""), "d", 1000);
    nest(&ground.at(""), "e", 30);
    let mut walk = ground.home.walk(&at("")).unwrap();
    let mut found = Vec::new();
    let mut most = 0;
    while let Some(branch) = walk.next_branch(1000) {
        found.extend(branch.found);
        assert_eq!(branch.missed.len(), 0);
        let own = fs::read_dir("/proc/self/fd").unwrap().filter(|entry| {
            let to = fs::read_link(entry.as_ref().unwrap().path());
            to.is_ok_and(|to| to.starts_with(fs::canonicalize(ground.at("")).unwrap()))
        });
        most = most.max(own.count());
    }
    assert!(most <= 8, "{most} descriptors");
    assert_eq!(found.len(), 1 + 2 * 1000 + 2 * 30 - 1, "a z lies in the home for both");
    assert_in_order(&found);
}

#[test]
fn what_lies_too_deep_is_missed_and_the_rest_is_found() {
    let ground = Ground::new();
    let name = "n".repeat(200);
    nest(&ground.at(""), &name, 25);
    ground.write("file", b"");
    let (found, missed) = walked(ground.home.walk(&at("")).unwrap());
    // 20 × 201 bytes less one slash are 4019; the 21st name would be beyond, a z would not.
    assert_eq!(found.len(), 1 + 20 + 21 + 1);
    assert_eq!(missed.len(), 1);
    assert_eq!((missed[0].0.len(), missed[0].1), (4019 + 201, Kind::InvalidName));
    assert!(paths(&found).contains(&"file".to_owned()));
}

#[test]
fn a_directory_that_cannot_be_read_is_found_and_missed() {
    let ground = Ground::new();
    for directory in ["a", "shut", "z"] {
        fs::create_dir(ground.at(directory)).unwrap();
        ground.write(&format!("{directory}/file"), b"");
    }
    fs::set_permissions(ground.at("shut"), Permissions::from_mode(0o000)).unwrap();
    let (found, missed) = walked(ground.home.walk(&at("")).unwrap());
    fs::set_permissions(ground.at("shut"), Permissions::from_mode(0o700)).unwrap();
    if rustix::process::geteuid().is_root() {
        assert_eq!(paths(&found), ["", "a", "a/file", "shut", "shut/file", "z", "z/file"]);
        return; // nothing is shut to root
    }
    assert_eq!(paths(&found), ["", "a", "a/file", "shut", "z", "z/file"]);
    assert_eq!(missed, [(b"shut".to_vec(), Kind::Denied)]);
}

#[test]
fn a_directory_that_was_moved_meanwhile_is_missed_and_not_followed() {
    let ground = Ground::new();
    nest(&ground.at(""), "d", 12);
    for level in 0..12 {
        // Met after the nested one or before it: either way there is something to miss.
        for name in ["a", "y"] {
            ground.write(&format!("{}{name}", "d/".repeat(level)), b"");
        }
    }
    let mut walk = ground.home.walk(&at("")).unwrap();
    let mut found = Vec::new();
    while !found.iter().any(|found: &Found| found.path == "d/".repeat(11).as_bytes()[..21]) {
        found.extend(walk.next_branch(1).unwrap().found);
    }
    // The third is not held any more; another takes its place.
    fs::rename(ground.at("d/d/d"), ground.outside().join("taken")).unwrap();
    fs::create_dir(ground.at("d/d/d")).unwrap();
    ground.write("d/d/d/stranger", b"");
    let mut missed = Vec::new();
    while let Some(branch) = walk.next_branch(500) {
        found.extend(branch.found);
        missed.extend(branch.missed.into_iter().map(|missed| missed.error.kind()));
    }
    assert!(!missed.is_empty() && missed.iter().all(|kind| matches!(kind, Kind::Changed | Kind::NotFound)));
    assert!(!paths(&found).iter().any(|path| path.ends_with("stranger")));
    for path in ["a", "y", "z", "d/a", "d/y", "d/z", "d/d/a", "d/d/y", "d/d/z"] {
        assert!(paths(&found).contains(&path.to_owned()), "{path}: above it, all is found again");
    }
}

#[test]
fn links_are_made_that_stay() {
    let ground = Ground::new();
    fs::create_dir_all(ground.at("a/b")).unwrap();
    ground.write("file", b"inside");
    for (path, target) in
        [("one", "file"), ("a/two", "../file"), ("a/b/three", "../../a/../file"), ("gone", "nothing/../x")]
    {
        ground.home.link(&at(path), target.as_bytes()).unwrap();
        assert_eq!(fs::read_link(ground.at(path)).unwrap(), Path::new(target));
    }
    for path in ["one", "a/two", "a/b/three"] {
        assert_eq!(ground.get(path).unwrap(), b"inside");
    }
    assert_eq!(kind(ground.home.link(&at("file"), b"x")), Err(Kind::Exists));
    assert_eq!(kind(ground.home.link(&at("one"), b"x")), Err(Kind::Exists), "a link, too");
    assert_eq!(kind(ground.home.link(&at(""), b"x")), Err(Kind::Exists));
    assert_eq!(kind(ground.home.link(&at("no/link"), b"x")), Err(Kind::NotFound));
    assert_eq!(ground.read("file"), b"inside");
}

#[test]
fn no_link_is_made_that_leads_out() {
    let ground = Ground::new();
    fs::create_dir_all(ground.at("a/b")).unwrap();
    // A directory that has a deeper path than it lies.
    symlink("../..", ground.at("a/b/up")).unwrap();
    let outside = ground.outside();
    let cases: [(&str, &[u8]); 7] = [
        ("link", b"/"),
        ("link", b"/etc/passwd"),
        ("link", outside.as_os_str().as_bytes()),
        ("link", b".."),
        ("a/link", b"../../outside/file"),
        ("a/b/link", b"x/../../../.."),
        ("a/b/up/link", b"../outside"),
    ];
    for (path, target) in cases {
        let made = ground.home.link(&at(path), target);
        assert_eq!(kind(made), Err(Kind::Denied), "{path} → {:?}", OsStr::from_bytes(target));
    }
    let long = [b'x'; 256];
    for target in [&b""[..], b"a\0b", b".ftpd~abcdefghijkl", &long, &b"x/".repeat(2049)] {
        assert_eq!(kind(ground.home.link(&at("link"), target)), Err(Kind::InvalidName));
    }
    assert_eq!(ground.names(), ["a"]);
}
