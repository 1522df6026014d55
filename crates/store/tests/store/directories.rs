//! Directories, names, times and permission bits.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use store::{Attributes, EntryKind, Home, HomePath, Kind, Options, Time};

use crate::ground::{Ground, at, kind, names_in};

fn mode(ground: &Ground, name: &str) -> u32 {
    ground.at(name).metadata().unwrap().mode() & 0o7777
}

#[test]
fn a_missing_home_is_made_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("homes/ana");
    Home::at(&path, &Options::default()).unwrap();
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Home::at(&path, &Options::default()).unwrap();
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o755, "an existing one is left as it is");
    fs::write(directory.path().join("file"), b"").unwrap();
    let file = directory.path().join("file");
    assert_eq!(kind(Home::at(&file, &Options::default())), Err(Kind::NotDirectory));
}

#[test]
fn a_home_stays_the_directory_that_was_opened() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (directory.path().join("first"), directory.path().join("second"));
    let home = Home::at(&first, &Options::default()).unwrap();
    fs::rename(&first, &second).unwrap();
    fs::create_dir(&first).unwrap();
    home.mkdir(&at("made")).unwrap();
    assert_eq!((names_in(&first), names_in(&second)), (vec![], vec!["made".to_owned()]));
}

#[test]
fn directories_are_made_and_removed() {
    let ground = Ground::new();
    let home = &ground.home;
    home.mkdir(&at("a")).unwrap();
    home.mkdir(&at("a/b")).unwrap();
    assert_eq!(kind(home.mkdir(&at("a"))), Err(Kind::Exists));
    assert_eq!(kind(home.mkdir(&at("x/y"))), Err(Kind::NotFound));
    assert_eq!(kind(home.rmdir(&at("a"))), Err(Kind::NotEmpty));
    assert_eq!(kind(home.remove(&at("a"))), Err(Kind::IsDirectory));
    home.rmdir(&at("a/b")).unwrap();
    home.rmdir(&at("a")).unwrap();
    assert_eq!(kind(home.rmdir(&at("a"))), Err(Kind::NotFound));
    ground.write("file", b"");
    symlink("file", ground.at("link")).unwrap();
    assert_eq!(kind(home.rmdir(&at("file"))), Err(Kind::NotDirectory));
    assert_eq!(kind(home.rmdir(&at("link"))), Err(Kind::NotDirectory));
    home.remove(&at("link")).unwrap();
    home.remove(&at("file")).unwrap();
    assert_eq!(kind(home.remove(&at("file"))), Err(Kind::NotFound));
}

#[test]
fn the_home_itself_stays() {
    let ground = Ground::new();
    let (home, root) = (&ground.home, HomePath::root());
    assert_eq!(kind(home.mkdir(&root)), Err(Kind::Exists));
    assert_eq!(kind(home.rmdir(&root)), Err(Kind::Denied));
    assert_eq!(kind(home.remove(&root)), Err(Kind::Denied));
    assert_eq!(kind(home.rename(&root, &at("a"))), Err(Kind::Denied));
    ground.write("file", b"");
    assert_eq!(kind(home.rename(&at("file"), &root)), Err(Kind::Denied));
    assert_eq!(home.stat(&root).unwrap().name, b"/");
}

#[test]
fn renaming_replaces_a_file_and_never_a_full_directory() {
    let ground = Ground::new();
    let home = &ground.home;
    home.mkdir(&at("a")).unwrap();
    home.mkdir(&at("b")).unwrap();
    ground.write("a/one", b"1");
    ground.write("b/two", b"2");
    home.rename(&at("a/one"), &at("b/two")).unwrap();
    assert_eq!(ground.read("b/two"), b"1");
    home.rename(&at("b"), &at("a/b")).unwrap();
    assert_eq!(ground.read("a/b/two"), b"1");
    assert_eq!(kind(home.rename(&at("a"), &at("a/b/c"))), Err(Kind::InvalidName));
    assert_eq!(kind(home.rename(&at("none"), &at("x"))), Err(Kind::NotFound));
    home.mkdir(&at("empty")).unwrap();
    assert_eq!(kind(home.rename(&at("empty"), &at("a"))), Err(Kind::NotEmpty));
    assert_eq!(kind(home.rename(&at("a/b/two"), &at("empty"))), Err(Kind::IsDirectory));
    home.rename(&at("a"), &at("empty")).unwrap();
    assert_eq!(ground.names(), ["empty"]);
}

#[test]
fn a_listing_is_paged_complete_and_without_stages() {
    let ground = Ground::new();
    let names: Vec<String> = (100..200).map(|n| n.to_string()).collect();
    names.iter().for_each(|name| ground.write(name, name.as_bytes()));
    ground.write(".ftpd~abcdefghijkl", b"");
    assert_eq!(ground.list("/").unwrap(), names);
    let mut listing = ground.home.list(&HomePath::root()).unwrap();
    ground.home.remove(&at("150")).unwrap();
    let mut count = 0;
    while let Some(page) = listing.next_page(0).unwrap() {
        count += page.len();
    }
    assert_eq!(count, 99, "what vanished meanwhile is skipped");
    assert_eq!(ground.home.list(&at("150")).err().unwrap().kind(), Kind::NotFound);
}

#[test]
fn an_entry_tells_kind_size_time_and_mode() {
    let ground = Ground::new();
    ground.write("file", b"12345");
    symlink("nowhere", ground.at("link")).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000, 123_456_789);
    fs::File::open(ground.at("file")).unwrap().set_modified(time).unwrap();
    fs::set_permissions(ground.at("file"), fs::Permissions::from_mode(0o4640)).unwrap();
    let mut page = ground.home.list(&HomePath::root()).unwrap().next_page(9).unwrap().unwrap();
    page.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!((page[1].kind, page[1].size), (EntryKind::Link, 7));
    let modified = Time { seconds: 1_600_000_000, nanoseconds: 123_456_789 };
    let file = store::Entry { name: b"file".to_vec(), kind: EntryKind::File, size: 5, modified, mode: 0o640 };
    assert_eq!(page[0], file);
    assert_eq!(ground.home.stat(&at("file")).unwrap(), file);
    assert_eq!(kind(ground.home.stat(&at("link"))), Err(Kind::NotFound));
}

#[test]
fn times_and_permission_bits_are_set_one_without_the_other() {
    let ground = Ground::new();
    ground.write("file", b"data");
    symlink("file", ground.at("link")).unwrap();
    let set =
        |path: &str, modified, mode| ground.home.set_attributes(&at(path), &Attributes { modified, mode });
    let time = |seconds, nanoseconds| Some(Time { seconds, nanoseconds });
    set("file", time(-5, 7), None).unwrap();
    let before = ground.at("file").metadata().unwrap();
    assert_eq!((before.mtime(), before.mtime_nsec()), (-5, 7));
    set("link", None, Some(0o7000)).unwrap();
    let after = ground.at("file").metadata().unwrap();
    assert_eq!(after.mode() & 0o7777, 0, "neither set-user-ID nor sticky");
    assert_eq!((after.mtime(), after.atime()), (-5, before.atime()));
    set("file", None, Some(0o600)).unwrap();
    assert_eq!(mode(&ground, "file"), 0o600, "also of a file that nobody may read");
    assert_eq!(kind(set("none", None, Some(0))), Err(Kind::NotFound));
    set("file", None, None).unwrap();
}

#[test]
fn nanoseconds_that_would_be_commands_are_times() {
    let ground = Ground::new();
    ground.write("file", b"data");
    for command in [0x3fff_ffff, 0x3fff_fffe, u32::MAX] {
        let modified = Some(Time { seconds: 9, nanoseconds: command });
        ground.home.set_attributes(&at("file"), &Attributes { modified, mode: None }).unwrap();
        let now = ground.at("file").metadata().unwrap();
        assert_eq!((now.mtime(), now.mtime_nsec()), (9, 999_999_999));
    }
}

#[test]
fn a_shared_directory_stays_shared() {
    let ground = Ground::new();
    ground.home.mkdir(&at("shared")).unwrap();
    fs::set_permissions(ground.at("shared"), fs::Permissions::from_mode(0o2775)).unwrap();
    ground.home.set_attributes(&at("shared"), &Attributes { modified: None, mode: Some(0o750) }).unwrap();
    assert_eq!(mode(&ground, "shared"), 0o2750);
}
