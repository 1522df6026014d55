//! Roots of whole files: known from before only while the file is the same.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use digest::{Algorithm, BLOCK, Digest, Root, of_blocks};
use rustix::fs::{Timespec, Timestamps, futimens};
use rustix::time::{ClockId, clock_gettime};
use store::{Attributes, Home, Kind, Options, Proof, Replace, Roots, Whole};

use crate::ground::{Ground, at, blocks, kind, pattern};

const LARGE: usize = 40 * BLOCK + 17;

fn root_of(algorithm: Algorithm, data: &[u8]) -> Digest {
    let blocks: Vec<&[u8]> = data.chunks(BLOCK).collect();
    let mut root = Root::new(algorithm);
    of_blocks(algorithm, &blocks).iter().for_each(|digest| root.push(digest));
    root.value()
}

/// The kernel's clock moves on: what was changed before is past then.
fn tick() {
    let told = |clock| {
        let now = clock_gettime(clock);
        (now.tv_sec, now.tv_nsec)
    };
    let now = told(ClockId::Realtime);
    while told(ClockId::RealtimeCoarse) <= now {} // a tick that comes late tells the time when it was due
}

/// The root of a large file, if it is known without reading it.
pub(crate) fn known(home: &Home, path: &str, algorithm: Algorithm) -> Option<Whole> {
    home.roots(&[at(path)], algorithm).pop().map(Result::unwrap)
}

/// Whether files of the tests' directory are remembered at all: it may lie on a file system whose times are nobody's.
pub(crate) fn remembers(ground: &Ground) -> bool {
    let system = rustix::fs::statfs(ground.at("")).unwrap().f_type as u32;
    [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x0102_1994].contains(&system)
}

#[test]
fn a_root_is_that_of_the_file_and_read_once() {
    let ground = Ground::new();
    for size in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, LARGE] {
        let data = pattern(size);
        ground.write("file", &data);
        tick();
        for algorithm in Algorithm::ALL {
            for _ in 0..2 {
                let whole = ground.home.root(&at("file"), algorithm, &mut || true).unwrap();
                assert_eq!((whole.size, whole.root), (size as u64, root_of(algorithm, &data)), "{size}");
                assert_eq!(whole.version, ground.home.open(&at("file"), algorithm, 0).unwrap().version());
                if size <= BLOCK || remembers(&ground) {
                    assert_eq!(known(&ground.home, "file", algorithm), Some(whole), "{size}");
                }
            }
        }
    }
}

#[test]
fn what_was_got_or_digested_is_known() {
    let ground = Ground::new();
    if !remembers(&ground) {
        return;
    }
    let data = pattern(LARGE);
    let root = root_of(Algorithm::Md5, &data);
    ground.write("got", &data);
    tick();
    assert_eq!(known(&ground.home, "got", Algorithm::Md5), None);
    ground.get("got").unwrap();
    assert_eq!(known(&ground.home, "got", Algorithm::Md5).unwrap().root, root);
    assert_eq!(known(&ground.home, "got", Algorithm::Blake3), None);

    let md5 = ground.home.md5(&at("got"), &mut || true).unwrap();
    assert_eq!(md5, (LARGE as u64, digest::of_block(Algorithm::Md5, &data)));
    let again = ground.home.md5(&at("got"), &mut || panic!("it is read again")).unwrap();
    assert_eq!(again, md5);
}

#[test]
fn a_part_that_is_got_is_not_taken_for_the_whole() {
    let ground = Ground::new();
    ground.write("file", &pattern(LARGE));
    tick();
    let mut outgoing = ground.home.open(&at("file"), Algorithm::Md5, 1).unwrap();
    let mut buffer = digest::Blocks::default();
    while outgoing.read(&mut buffer, digest::Gap::default()).unwrap() > 0 {}
    assert_eq!(known(&ground.home, "file", Algorithm::Md5), None);
}

#[test]
fn a_file_that_was_gone_on_with_is_read() {
    let ground = Ground::new();
    let data = pattern(LARGE);
    let kept = |first: u64| {
        let home = Home::at(&ground.at(""), &Options::default()).unwrap();
        let home = home.keeping(std::time::Duration::from_secs(1_000));
        let proof = root_of(Algorithm::Md5, &data[..first as usize * BLOCK]);
        let upload = store::Upload { whom: "alice", size: LARGE as u64, first_block: first, proof };
        let begun =
            home.create_kept(&at("file"), &upload, Algorithm::Md5, Replace::Yes, &mut || true).unwrap();
        (home, begun)
    };
    let (_, mut first) = kept(0);
    first.write(&blocks(Algorithm::Md5, &data[..BLOCK])).unwrap();
    drop(first);
    let (home, mut second) = kept(1);
    for part in data[BLOCK..].chunks(32 * BLOCK) {
        second.write(&blocks(Algorithm::Md5, part)).unwrap();
    }
    let rest = Proof::Root { size: LARGE as u64, root: root_of(Algorithm::Md5, &data[BLOCK..]) };
    second.commit(rest, Attributes::default()).unwrap();
    assert_eq!(known(&home, "file", Algorithm::Md5), None);
    let whole = home.root(&at("file"), Algorithm::Md5, &mut || true).unwrap();
    assert_eq!(whole.root, root_of(Algorithm::Md5, &data));
}

#[test]
fn homes_share_what_they_know_and_other_homes_do_not() {
    let ground = Ground::new();
    if !remembers(&ground) {
        return;
    }
    ground.write("file", &pattern(LARGE));
    tick();
    let roots: Arc<Roots> = Arc::default();
    let home = || Home::at(&ground.at(""), &Options::default()).unwrap();
    let (one, other) = (home().knowing(&roots), home().knowing(&roots));
    let whole = one.root(&at("file"), Algorithm::Md5, &mut || true).unwrap();
    assert_eq!(known(&other, "file", Algorithm::Md5), Some(whole));
    assert_eq!(known(&home(), "file", Algorithm::Md5), None);
}

#[test]
fn after_every_change_it_is_the_new_root() {
    let ground = Ground::new();
    let mut data = pattern(LARGE);
    ground.write("file", &data);
    let same_time = |file: &File| {
        let time = Timespec { tv_sec: 1_000, tv_nsec: 9 };
        futimens(file, &Timestamps { last_access: time, last_modification: time }).unwrap();
    };
    let open = |name: &str| File::options().write(true).open(ground.at(name)).unwrap();
    for round in 0..40_u8 {
        if round % 3 > 0 {
            tick();
        }
        let whole = ground.home.root(&at("file"), Algorithm::Md5, &mut || true).unwrap();
        assert_eq!(whole.root, root_of(Algorithm::Md5, &data), "{round}");
        let again = ground.home.root(&at("file"), Algorithm::Md5, &mut || true).unwrap();
        assert_eq!(again, whole, "{round}");
        let at_byte = usize::from(round) * BLOCK + 5;
        data[at_byte] ^= 1;
        match round % 4 {
            0 => open("file").write_all_at(&data[at_byte..=at_byte], at_byte as u64).unwrap(),
            1 => {
                open("file").set_len(7).unwrap();
                open("file").write_all_at(&data, 0).unwrap();
            }
            2 => {
                ground.write("other", &data);
                same_time(&open("other"));
                fs::rename(ground.at("other"), ground.at("file")).unwrap();
            }
            _ => drop(ground.put("file", &data).unwrap()),
        }
        same_time(&open("file"));
    }
}

#[test]
fn many_are_told_in_their_order_up_to_one_that_is_large_and_unknown() {
    let ground = Ground::new();
    let small: Vec<_> = (0..20).map(|number| pattern(number * 101)).collect();
    for (number, data) in small.iter().enumerate() {
        ground.write(&format!("{number}"), data);
    }
    ground.write("large", &pattern(LARGE));
    fs::create_dir(ground.at("directory")).unwrap();
    tick();
    let mut paths: Vec<_> = (0..20).map(|number| at(&format!("{number}"))).collect();
    paths.insert(3, at("gone"));
    paths.insert(9, at("directory"));
    paths.insert(15, at("large"));
    let check = |told: Vec<Result<Whole, store::Error>>, count: usize| {
        assert_eq!(told.len(), count);
        let mut small = small.iter();
        for (number, whole) in told.into_iter().enumerate() {
            match number {
                3 => assert_eq!(whole.unwrap_err().kind(), Kind::NotFound),
                9 => assert_eq!(whole.unwrap_err().kind(), Kind::IsDirectory),
                15 => assert_eq!(whole.unwrap().size, LARGE as u64),
                _ => assert_eq!(whole.unwrap().root, root_of(Algorithm::Md5, small.next().unwrap())),
            }
        }
    };
    check(ground.home.roots(&paths, Algorithm::Md5), 15);
    assert!(ground.home.roots(&paths[15..], Algorithm::Md5).is_empty());
    ground.home.root(&at("large"), Algorithm::Md5, &mut || true).unwrap();
    if remembers(&ground) {
        check(ground.home.roots(&paths, Algorithm::Md5), 23);
    }
}

#[test]
fn who_stops_it_gets_nothing_and_nothing_is_remembered() {
    let ground = Ground::new();
    ground.write("file", &pattern(LARGE));
    tick();
    let stopped = ground.home.root(&at("file"), Algorithm::Md5, &mut || false);
    assert_eq!(kind(stopped), Err(Kind::Io));
    assert_eq!(known(&ground.home, "file", Algorithm::Md5), None);
    assert_eq!(ground.home.md5(&at("file"), &mut || false).unwrap_err().kind(), Kind::Io);
}
