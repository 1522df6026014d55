//! Stages whose writers died are removed, and nothing else is.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, Mode, OFlags, mkdirat, mkfifoat, open, openat};
use store::{Options, Swept, sweep_directory};

use crate::ground::{Ground, at, kind, local, names_in};

const STAGE: &str = ".ftpd~abcdefghijkl";

/// A stage as a writer leaves it who is killed.
fn abandon(path: PathBuf) {
    fs::write(&path, b"half of a file").unwrap();
    let before = SystemTime::now() - Duration::from_secs(1);
    File::options().write(true).open(path).unwrap().set_modified(before).unwrap();
}

#[test]
fn stale_stages_go_everywhere_and_living_ones_stay() {
    let ground = Ground::new();
    fs::create_dir_all(ground.at("deep/er")).unwrap();
    let living =
        ground.home.create(&at("deep/file"), 0, digest::Algorithm::Md5, store::Replace::Yes).unwrap();
    for directory in ["", "deep", "deep/er"] {
        abandon(ground.at(directory).join(STAGE));
        abandon(ground.at(directory).join("file.ftpd~"));
    }
    let swept = ground.home.sweep().unwrap();
    assert_eq!(swept, Swept { stages: 3, used: 0, unreadable: 0 });
    assert_eq!(
        (names_in(&ground.at("deep")).len(), ground.names()),
        (3, vec!["deep".into(), "file.ftpd~".into()])
    );
    living.commit(store::Proof::CleanEnd, store::Attributes::default()).unwrap();
    assert_eq!(names_in(&ground.at("deep")), ["er", "file", "file.ftpd~"]);
    assert_eq!(ground.home.sweep().unwrap(), Swept::default());
}

#[test]
fn what_only_has_such_a_name_stays() {
    let ground = Ground::new();
    abandon(ground.outside().join(STAGE));
    symlink("../outside", ground.at("out")).unwrap();
    symlink("../outside", ground.at(".ftpd~out")).unwrap();
    symlink(ground.outside().join(STAGE), ground.at(STAGE)).unwrap();
    mkfifoat(CWD, ground.at(".ftpd~fifo"), Mode::RWXU).unwrap();
    fs::create_dir(ground.at(".ftpd~directory")).unwrap();
    let watch = ground.watch();
    let names = ground.names();
    assert_eq!(ground.home.sweep().unwrap(), Swept::default());
    assert_eq!(ground.names(), names);
    watch.saw_nothing();
}

#[test]
fn a_tree_too_deep_for_any_path_is_swept_and_counted_like_any_other() {
    let ground = Ground::with(&Options { quota: Some(1000), ..Options::default() });
    let name = "d".repeat(250);
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut directory = open(ground.at(""), flags, Mode::empty()).unwrap();
    for level in 0..60 {
        mkdirat(&directory, &name, Mode::RWXU).unwrap();
        // Of two, only one can be visited first: the walk has to come back from the other.
        for beside in ["before", "e"] {
            mkdirat(&directory, beside, Mode::RWXU).unwrap();
            put_at(&directory, &format!("{beside}/file"), &[0; 1]);
        }
        directory = openat(&directory, &name, flags, Mode::empty()).unwrap();
        if level % 20 == 19 {
            put_at(&directory, STAGE, b"half of a file");
            put_at(&directory, "file", &[0; 100]);
        }
    }
    assert_eq!(ground.home.sweep().unwrap(), Swept { stages: 3, used: 420, unreadable: 0 });
}

/// A file that is older than any sweep.
fn put_at(directory: &OwnedFd, name: &str, data: &[u8]) {
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
    let mut file = File::from(openat(directory, name, flags, Mode::RWXU).unwrap());
    file.write_all(data).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(1)).unwrap();
}

#[test]
fn a_users_directory_is_swept_and_those_below_are_not() {
    let ground = Ground::new();
    fs::create_dir(ground.at("below")).unwrap();
    abandon(ground.at(STAGE));
    abandon(ground.at("below").join(STAGE));
    let living = local(&ground.at("file"), 0).unwrap();
    assert_eq!(sweep_directory(&ground.at("")).unwrap(), 1);
    assert_eq!((ground.names().len(), names_in(&ground.at("below")).len()), (2, 1));
    drop(living);
    assert_eq!(kind(sweep_directory(&ground.at("none"))), Err(store::Kind::NotFound));
}
