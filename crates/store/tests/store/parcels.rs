//! Small files that are stored as a group.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, symlink};

use digest::{Algorithm, BATCH, BLOCK, Blocks, Digest, Root, of_block};
use store::{Attributes, Durability, Error, HomePath, Kind, Options, Parcel, Receipt, Replace, Time};

use crate::ground::{Ground, at, kind, pattern};
use crate::roots::{known, remembers};

const STAMP: Time = Time { seconds: 1_000_000_000, nanoseconds: 7 };

/// What happens to a file on its way.
type Damage = fn(&mut Parcel<HomePath>, &mut Came);

/// What came of some files.
#[derive(Default)]
struct Came {
    bytes: Vec<u8>,
    spans: Vec<Range<usize>>,
    stated: Vec<Digest>,
}

impl Came {
    fn blocks(self) -> Blocks {
        Blocks::received(self.bytes, self.spans, self.stated)
    }
}

/// The root of a file.
fn root(algorithm: Algorithm, content: &[u8]) -> Digest {
    let digests: Vec<Digest> = content.chunks(BLOCK).map(|block| of_block(algorithm, block)).collect();
    Root::of(algorithm, &digests)
}

/// Files of these contents in one run of bytes.
fn parcels(algorithm: Algorithm, files: &[(&str, &[u8])]) -> (Vec<Parcel<HomePath>>, Came) {
    let mut came = Came::default();
    let parcels = files.iter().map(|(path, content)| {
        let first = came.spans.len();
        for block in content.chunks(BLOCK) {
            came.bytes.extend_from_slice(b"between");
            came.spans.push(came.bytes.len()..came.bytes.len() + block.len());
            came.bytes.extend_from_slice(block);
            came.stated.push(of_block(algorithm, block));
        }
        let (blocks, root) = (first..came.spans.len(), root(algorithm, content));
        let attributes = Attributes { modified: Some(STAMP), mode: None };
        Parcel { path: at(path), blocks, size: content.len() as u64, root, attributes }
    });
    (parcels.collect(), came)
}

fn store(ground: &Ground, files: &[(&str, &[u8])], replace: Replace) -> Vec<Result<Receipt, Error>> {
    let (parcels, came) = parcels(Algorithm::Md5, files);
    ground.home.store(&parcels, &came.blocks(), Algorithm::Md5, replace)
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
        let (large, larger, largest) = (pattern(BLOCK), pattern(3 * BLOCK + 1), pattern(BATCH * BLOCK));
        let files: [(&str, &[u8]); 10] = [
            ("a/one", b"one"),
            ("a/b/two", b""),
            ("gone/three", b"three"),
            ("to-a/four", &large),
            ("a/b", b"a directory"),
            ("old", b"what is there"),
            ("a/one", b"one again"),
            ("to-a/one", b"and again"),
            ("a/five", &larger),
            ("a/six", &largest),
        ];
        let outcomes = store(&ground, &files, Replace::Yes);
        for ((path, content), outcome) in files.iter().zip(&outcomes) {
            if let Ok(receipt) = outcome {
                let root = root(Algorithm::Md5, content);
                assert_eq!((receipt.size, receipt.root), (content.len() as u64, Some(root)), "{path}");
            }
        }
        let (ok, no) = (Ok(()), |kind| Err(kind));
        let expected = [ok, ok, no(Kind::NotFound), ok, no(Kind::IsDirectory), ok, ok, ok, ok, ok];
        assert_eq!(kinds(outcomes), expected);
        assert_eq!(ground.read("a/one"), b"and again");
        assert_eq!(ground.read("a/b/two"), b"");
        assert!(ground.read("a/four") == large && ground.read("a/five") == larger);
        assert!(ground.read("a/six") == largest);
        assert_eq!(ground.read("old"), b"what is there");
        let stat = ground.at("old").metadata().unwrap();
        assert_eq!((stat.mode() & 0o777, stat.mtime(), stat.mtime_nsec()), (0o604, STAMP.seconds, 7));
        assert_eq!(ground.names(), ["a", "old", "to-a"], "no stage is left");
        assert_eq!(crate::ground::names_in(&ground.at("a")), ["b", "five", "four", "one", "six"]);
    }
}

#[test]
fn nothing_behind_what_is_damaged_is_touched() {
    let ground = Ground::new();
    let damage: [Damage; 8] = [
        |parcel, came| came.bytes[came.spans[parcel.blocks.end - 1].start] ^= 1,
        |parcel, _| parcel.root = of_block(Algorithm::Md5, b"other"),
        |parcel, came| came.stated[parcel.blocks.start] = of_block(Algorithm::Md5, b"other"),
        |parcel, _| parcel.size += 1,
        |parcel, _| parcel.blocks.end -= 1,
        |parcel, _| parcel.blocks = parcel.blocks.start - 1..parcel.blocks.end,
        // Blocks that are right, but not cut as blocks of a file are.
        |parcel, came| {
            let digest = of_block(Algorithm::Md5, b"");
            (came.stated[parcel.blocks.end - 1], parcel.size) = (digest, BLOCK as u64);
            came.spans[parcel.blocks.end - 1].end = came.spans[parcel.blocks.end - 1].start;
            parcel.root = Root::of(Algorithm::Md5, &came.stated[parcel.blocks.clone()]);
        },
        |parcel, came| {
            let (first, size) = (parcel.blocks.start, parcel.size - 1);
            came.spans[first].end -= 1;
            came.stated[first] = of_block(Algorithm::Md5, &came.bytes[came.spans[first].clone()]);
            (parcel.size, parcel.root) =
                (size, Root::of(Algorithm::Md5, &came.stated[parcel.blocks.clone()]));
        },
    ];
    let content = pattern(BLOCK + 7);
    for (number, damage) in damage.into_iter().enumerate() {
        let names: Vec<String> = (0..4).map(|file| format!("{number}-{file}")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, &content[..])).collect();
        let (mut parcels, mut came) = parcels(Algorithm::Md5, &files);
        damage(&mut parcels[2], &mut came);
        let outcomes = ground.home.store(&parcels, &came.blocks(), Algorithm::Md5, Replace::Yes);
        assert_eq!(kinds(outcomes), [Ok(()), Ok(()), Err(Kind::NotVerified)], "{number}");
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
fn a_group_that_replaces_files_needs_no_more_room_than_one_that_does() {
    let ground = Ground::with(&Options { quota: Some(50), ..Options::default() });
    ground.home.sweep().unwrap();
    let names = ["a", "b", "c", "d"];
    for content in [[7; 10], [8; 10], [9; 10]] {
        let files: Vec<(&str, &[u8])> = names.iter().map(|&name| (name, &content[..])).collect();
        assert_eq!(kinds(store(&ground, &files, Replace::Yes)), [Ok(()); 4]);
        assert!(names.iter().all(|name| ground.read(name) == content));
    }
    let larger = [("a", &[1; 10][..]), ("b", &[1; 21]), ("c", &[1; 10])];
    assert_eq!(kinds(store(&ground, &larger, Replace::Yes)), [Ok(()), Err(Kind::Quota), Ok(())]);
    assert_eq!(ground.home.available(&at("")).unwrap(), Some(10));
}

#[test]
fn blake3_has_no_other_rules() {
    let ground = Ground::new();
    let files: [(&str, &[u8]); 4] =
        [("a", b"one"), ("b", b""), ("c", &pattern(BLOCK)), ("d", &pattern(2 * BLOCK))];
    let (parcels, came) = parcels(Algorithm::Blake3, &files);
    let outcomes = ground.home.store(&parcels, &came.blocks(), Algorithm::Blake3, Replace::Yes);
    assert_eq!(kinds(outcomes), [Ok(()); 4]);
}

#[test]
fn more_blocks_than_a_group_takes_are_no_small_file() {
    let ground = Ground::new();
    let outcomes = store(&ground, &[("large", &pattern(BATCH * BLOCK + 1))], Replace::Yes);
    assert_eq!(kinds(outcomes), [Err(Kind::NotVerified)]);
}

#[test]
fn what_was_put_is_known() {
    let ground = Ground::new();
    if !remembers(&ground) {
        return;
    }
    let data = pattern(3 * BLOCK);
    // While the others get their names, the tick ends in which it got its own.
    let names: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    let others = names.iter().map(|name| (&**name, &b""[..]));
    let files: Vec<(&str, &[u8])> = std::iter::once(("put", &data[..])).chain(others).collect();
    let found = (0..100).find_map(|_| {
        assert!(store(&ground, &files, Replace::Yes).iter().all(Result::is_ok));
        known(&ground.home, "put", Algorithm::Md5)
    });
    assert_eq!(found.unwrap().root, root(Algorithm::Md5, &data));
}
