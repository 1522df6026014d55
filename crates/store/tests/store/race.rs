//! A directory and a link to the outside change places while the home is used.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use digest::Algorithm;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use store::{Attributes, Durability, Error, Kind, Options, Replace, Time};

use crate::ground::{Ground, SECRET, at, blocks, proof};

/// How often each verb must have met the directory, and how often the link.
const MEETINGS: usize = 300;

/// Runs `verb` until it met both sides of the swap often enough. It must succeed on the inside or be refused; it may also find
/// nothing, where a step before it was refused.
fn meet(name: &str, mut verb: impl FnMut() -> Result<(), Error>) {
    let (mut done, mut refused) = (0, 0);
    while done < MEETINGS || refused < MEETINGS {
        match verb().map_err(|error| error.kind()) {
            Ok(()) => done += 1,
            Err(Kind::Denied) => refused += 1,
            Err(other) => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn whoever_swaps_a_directory_for_a_link_out_gains_nothing() {
    let ground = Ground::with(&Options { durability: Durability::None, quota: None });
    fs::create_dir_all(ground.at("way/sub")).unwrap();
    fs::write(ground.at("way/file"), b"inside").unwrap();
    ground.write("mine", b"mine");
    symlink("../outside", ground.at("trap")).unwrap();
    let (way, trap) = (ground.at("way"), ground.at("trap"));
    let watch = ground.watch();
    let stop = AtomicBool::new(false);
    let swap = || renameat_with(CWD, &way, CWD, &trap, RenameFlags::EXCHANGE).unwrap();
    swap(); // fails here, not in the thread, where it cannot be done at all
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                swap();
            }
        });
        // A verb that panics must still stop the thread.
        let asked = thread::Builder::new().spawn_scoped(scope, || ask_everything(&ground)).unwrap().join();
        stop.store(true, Ordering::Relaxed);
        asked.unwrap();
    });
    watch.saw_nothing();
    assert_eq!(fs::read(ground.outside().join("file")).unwrap(), SECRET);
}

fn ask_everything(ground: &Ground) {
    let home = &ground.home;
    let (file, sub, new) = (at("way/file"), at("way/sub"), at("way/new"));
    let mode = |mode| Attributes { modified: Some(Time { seconds: 7, nanoseconds: 0 }), mode: Some(mode) };
    meet("get", || ground.get("way/file").map(|data| assert_eq!(data, b"inside")));
    meet("read", || home.read(&file, 0..9, &mut |_| true).map(|size| assert_eq!(size, 6)));
    meet("stat", || home.stat(&file).map(|entry| assert_eq!(entry.size, 6)));
    meet("list", || ground.list("way").map(|names| assert_eq!(names, ["file", "sub"])));
    meet("cd", || home.check_directory(&sub));
    meet("chmod", || home.set_attributes(&file, &mode(0o640)));
    meet("put", || {
        let mut incoming = home.create(&file, 6, Algorithm::Md5, Replace::Yes)?;
        incoming.write(&blocks(Algorithm::Md5, b"inside"))?;
        // Whatever the path leads to by now, the file goes where its directory was opened.
        incoming.commit(proof(Algorithm::Md5, b"inside"), Attributes::default()).map(drop)
    });
    meet("dropped put", || home.create(&new, 6, Algorithm::Md5, Replace::No).map(drop));
    meet("mkdir", || {
        home.mkdir(&new)?;
        while let Err(refused) = home.rmdir(&new) {
            assert_eq!(refused.kind(), Kind::Denied);
        }
        Ok(())
    });
    meet("remove", || {
        ground.put("way/gone", b"gone")?;
        while let Err(refused) = home.remove(&at("way/gone")) {
            assert_eq!(refused.kind(), Kind::Denied);
        }
        Ok(())
    });
    meet("rename", || {
        home.rename(&at("mine"), &new)?;
        while let Err(refused) = home.rename(&new, &at("mine")) {
            assert_eq!(refused.kind(), Kind::Denied);
        }
        Ok(())
    });
    assert_eq!(ground.read("mine"), b"mine");
}
