//! Small files that are stored as a group.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use digest::{Algorithm, BLOCK, of_block};
use store::{Attributes, Durability, Error, HomePath, Kind, Options, Parcel, Receipt, Replace, Time};

use crate::ground::{Ground, at, kind, pattern};

const STAMP: Time = Time { seconds: 1_000_000_000, nanoseconds: 7 };

/// What happens to a file on its way.
type Damage = fn(&mut Parcel<HomePath>, &mut Vec<u8>);

/// Files of these contents in one run of bytes.
fn parcels(algorithm: Algorithm, files: &[(&str, &[u8])]) -> (Vec<Parcel<HomePath>>, Vec<u8>) {
    let mut bytes = b"between".to_vec();
    let parcels = files.iter().map(|(path, content)| {
        let start = bytes.len();
        bytes.extend_from_slice(content);
        let data = start..bytes.len();
        bytes.extend_from_slice(b"between");
        let root = of_block(algorithm, content);
        let attributes = Attributes { modified: Some(STAMP), mode: None };
        let stated = Some(root).filter(|_| !content.is_empty());
        Parcel { path: at(path), data, stated, size: content.len() as u64, root, attributes }
    });
    (parcels.collect(), bytes)
}

fn store(ground: &Ground, files: &[(&str, &[u8])], replace: Replace) -> Vec<Result<Receipt, Error>> {
    let (parcels, bytes) = parcels(Algorithm::Md5, files);
    ground.home.store(&parcels, &bytes, Algorithm::Md5, replace)
}

fn kinds(outcomes: Vec<Result<Receipt, Error>>) -> Vec<Result<(), Kind>> {
    outcomes.into_iter().map(kind).collect()
}

#[test]
fn each_is_stored_as_if_it_came_alone() {
    for durability in [Durability::Full, Durability::None] {
        let ground = Ground::with(&Options { durability, ..Options::default() });
        fs::create_dir_all(ground.at("a/b")).unwrap();
        symlink("a", ground.at("to-a")).unwrap();
        ground.write("old", b"what was there");
        fs::set_permissions(ground.at("old"), std::os::unix::fs::PermissionsExt::from_mode(0o604)).unwrap();
        let large = pattern(BLOCK);
        let files: [(&str, &[u8]); 8] = [
            ("a/one", b"one"),
            ("a/b/two", b""),
            ("gone/three", b"three"),
            ("to-a/four", &large),
            ("a/b", b"a directory"),
            ("old", b"what is there"),
            ("a/one", b"one again"),
            ("to-a/one", b"and again"),
        ];
        let outcomes = store(&ground, &files, Replace::Yes);
        for ((path, content), outcome) in files.iter().zip(&outcomes) {
            if let Ok(receipt) = outcome {
                let root = Some(of_block(Algorithm::Md5, content));
                assert_eq!((receipt.size, receipt.root), (content.len() as u64, root), "{path}");
            }
        }
        let (ok, no) = (Ok(()), |kind| Err(kind));
        let expected = [ok, ok, no(Kind::NotFound), ok, no(Kind::IsDirectory), ok, ok, ok];
        assert_eq!(kinds(outcomes), expected);
        assert_eq!(ground.read("a/one"), b"and again");
        assert_eq!(ground.read("a/b/two"), b"");
        assert!(ground.read("a/four") == large);
        assert_eq!(ground.read("old"), b"what is there");
        let stat = ground.at("old").metadata().unwrap();
        assert_eq!((stat.mode() & 0o777, stat.mtime(), stat.mtime_nsec()), (0o604, STAMP.seconds, 7));
        assert_eq!(ground.names(), ["a", "old", "to-a"], "no stage is left");
        assert_eq!(crate::ground::names_in(&ground.at("a")), ["b", "four", "one"]);
    }
}

#[test]
fn nothing_behind_what_is_damaged_is_touched() {
    let ground = Ground::new();
    let damage: [Damage; 4] = [
        |parcel, bytes| bytes[parcel.data.start] ^= 1,
        |parcel, _| parcel.root = of_block(Algorithm::Md5, b"other"),
        |parcel, _| parcel.stated = Some(of_block(Algorithm::Md5, b"other")),
        |parcel, _| parcel.size += 1,
    ];
    for (number, damage) in damage.into_iter().enumerate() {
        let names: Vec<String> = (0..4).map(|file| format!("{number}-{file}")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, &b"content"[..])).collect();
        let (mut parcels, mut bytes) = parcels(Algorithm::Md5, &files);
        damage(&mut parcels[2], &mut bytes);
        let outcomes = ground.home.store(&parcels, &bytes, Algorithm::Md5, Replace::Yes);
        assert_eq!(kinds(outcomes), [Ok(()), Ok(()), Err(Kind::NotVerified)]);
        for (file, name) in names.iter().enumerate() {
            assert_eq!(ground.at(name).exists(), file < 2, "{name}");
        }
    }
}

#[test]
fn what_may_not_be_replaced_stays_within_a_group_too() {
    let ground = Ground::new();
    ground.write("old", b"old");
    let outcomes = store(&ground, &[("old", b"new"), ("gift", b"first"), ("gift", b"second")], Replace::No);
    assert_eq!(kinds(outcomes), [Err(Kind::Exists), Ok(()), Err(Kind::Exists)]);
    assert_eq!((ground.read("old"), ground.read("gift")), (b"old".to_vec(), b"first".to_vec()));
}

#[test]
fn a_quota_counts_each_of_a_group() {
    let ground = Ground::with(&Options { quota: Some(25), ..Options::default() });
    ground.home.sweep().unwrap();
    let ten = [7; 10];
    let outcomes = store(&ground, &[("a", &ten), ("b", &ten), ("c", &ten), ("d", b"five.")], Replace::Yes);
    assert_eq!(kinds(outcomes), [Ok(()), Ok(()), Err(Kind::Quota), Ok(())]);
    assert_eq!(ground.home.available(&at("")).unwrap(), Some(0));
    ground.home.remove(&at("a")).unwrap();
    assert_eq!(ground.home.available(&at("")).unwrap(), Some(10), "nothing is promised to anybody");
}

#[test]
fn blake3_has_no_other_rules() {
    let ground = Ground::new();
    let (parcels, bytes) = parcels(Algorithm::Blake3, &[("a", b"one"), ("b", b""), ("c", &pattern(BLOCK))]);
    let outcomes = ground.home.store(&parcels, &bytes, Algorithm::Blake3, Replace::Yes);
    assert_eq!(kinds(outcomes), [Ok(()); 3]);
}
