//! Stages whose writers died are removed, and nothing else is.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, Mode, OFlags, mkdirat, mkfifoat, open, openat};
use store::{Swept, sweep_directory};

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
fn a_tree_too_deep_for_any_path_is_left_out_and_the_rest_is_swept() {
    let ground = Ground::new();
    abandon(ground.at(STAGE));
    let name = "d".repeat(250);
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut directory = open(ground.at(""), flags, Mode::empty()).unwrap();
    for _ in 0..20 {
        mkdirat(&directory, &name, Mode::RWXU).unwrap();
        directory = openat(&directory, &name, flags, Mode::empty()).unwrap();
    }
    assert_eq!(ground.home.sweep().unwrap(), Swept { stages: 1, used: 0, unreadable: 1 });
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
