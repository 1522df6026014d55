//! Files that come in parts, in any order.

mod left;

use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use digest::{Algorithm, BATCH, BLOCK, Blocks, Digest, Gap};
use proptest::collection::vec;
use proptest::prelude::*;
use store::{
    Assembly, Attributes, Bringing, Durability, Error, Kind, Options, Parts, Proof, Ranges, Receipt, Replace,
    Version, WriteBehind,
};

use crate::ground::{Ground, at, bare, kind, pattern, proof};

const B: usize = BLOCK;

fn ground(quota: Option<u64>) -> Ground {
    let mut ground = Ground::with(&Options { quota, durability: Durability::None });
    ground.home = ground.home.keeping(Duration::from_secs(86_400));
    ground
}

fn root(data: &[u8]) -> Digest {
    match proof(Algorithm::Md5, data) {
        Proof::Root { root, .. } => root,
        Proof::CleanEnd => unreachable!(),
    }
}

fn begin(ground: &Ground, size: usize, onto: Option<Version>) -> Result<Arc<Parts>, Error> {
    let assembly = Assembly { whom: Some("alice"), size: size as u64, onto };
    ground.home.assemble(&at("file"), &assembly, Algorithm::Md5, Replace::Yes).map(Arc::new)
}

fn version(ground: &Ground) -> Option<Version> {
    Some(ground.home.open(&at("file"), Algorithm::Md5, 0).unwrap().version())
}

fn hashed(data: &[u8]) -> Blocks {
    let mut blocks = bare(data);
    blocks.hash(Algorithm::Md5);
    blocks
}

fn bringing(parts: &Arc<Parts>, ranges: &[Range<u64>]) -> Bringing {
    parts.bring(&Ranges::new(ranges.to_vec()).unwrap(), Algorithm::Md5).unwrap()
}

/// The bytes of those blocks of `data`, one range behind the other.
fn of(data: &[u8], ranges: &[Range<u64>]) -> Vec<u8> {
    let bytes = |range: &Range<u64>| range.start as usize * B..data.len().min(range.end as usize * B);
    ranges.iter().flat_map(|range| data[bytes(range)].to_vec()).collect()
}

fn bring(parts: &Arc<Parts>, data: &[u8], ranges: &[Range<u64>]) -> Result<(), Error> {
    let (mut bringing, bytes) = (bringing(parts, ranges), of(data, ranges));
    assert_eq!(bringing.remaining(), bytes.len() as u64);
    for piece in bytes.chunks(BATCH * B) {
        bringing.write(&hashed(piece))?;
    }
    bringing.finish(root(&bytes))
}

fn publish(parts: &Parts, data: &[u8]) -> Result<Receipt, Error> {
    parts.publish(root(data), Attributes::default(), &mut || true)
}

/// What is kept of it for alice, in blocks.
fn kept(ground: &Ground) -> u64 {
    ground.home.kept(&at("file"), "alice", Algorithm::Md5, &mut || true).unwrap().blocks
}

#[test]
fn files_of_all_sizes_come_in_one_part_or_in_none() {
    for size in [0, 1, B - 1, B, B + 1, 2 * B, 40 * B + 9, 200 * B] {
        let (ground, data) = (ground(None), pattern(size));
        let parts = begin(&ground, size, None).unwrap();
        if size > 0 {
            let beyond = Ranges::new(vec![0..size.div_ceil(B) as u64 + 1]).unwrap();
            assert!(parts.bring(&beyond, Algorithm::Md5).is_none());
            bring(&parts, &data, &[0..size.div_ceil(B) as u64]).unwrap();
        }
        assert!(ground.names().iter().all(|name| name.starts_with(".ftpd~")), "nothing is seen before");
        let receipt = publish(&parts, &data).unwrap();
        assert_eq!((receipt.size, receipt.root), (size as u64, Some(root(&data))));
        assert_eq!((parts.size(), parts.brought()), (size as u64, size as u64));
        assert!(ground.read("file") == data && ground.names() == ["file"], "{size}");
        assert_eq!(kind(publish(&parts, &data)), Err(Kind::NotFound), "twice");
        drop(parts);
        assert_eq!(ground.names(), ["file"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_parts_in_any_order_over_any_old_file_make_the_file(
        (old, new) in (0..6 * B, 0..6 * B),
        brought in vec((0_u64..6, 1_u64..4, 0_u64..3, 1_u64..3), 0..7),
        threads in 1_usize..4,
    ) {
        let ground = ground(None);
        let (before, mut after) = (pattern(old), pattern(new));
        ground.write("file", &before);
        let parts = begin(&ground, new, version(&ground)).unwrap();
        let last = new.div_ceil(B) as u64;
        let lists: Vec<Vec<Range<u64>>> = brought.iter().map(|&(first, length, gap, more)| {
            let second = first + length + gap;
            [first..first + length, second..second + more].into_iter()
                .map(|range| range.start..range.end.min(last)).filter(|range| !range.is_empty()).collect()
        }).filter(|list: &Vec<_>| !list.is_empty()).collect();
        let came = |block: u64| lists.iter().flatten().any(|range| range.contains(&block));
        for block in (0..last).filter(|&block| came(block)) {
            let end = new.min((block as usize + 1) * B);
            after[block as usize * B..end].reverse(); // differs from the old one
        }
        thread::scope(|scope| {
            for lists in lists.chunks(lists.len().div_ceil(threads).max(1)) {
                let (parts, after) = (&parts, &after);
                scope.spawn(move || lists.iter().for_each(|list| bring(parts, after, list).unwrap()));
            }
        });
        let missing = (0..last).rev().find(|&block| !came(block));
        let end = missing.map_or(0, |block| new.min((block as usize + 1) * B));
        let done = publish(&parts, &after);
        if end <= old {
            prop_assert_eq!(done.unwrap().size, new as u64);
            prop_assert!(ground.read("file") == after);
            prop_assert_eq!(ground.names(), ["file"]);
        } else {
            prop_assert_eq!(kind(done), Err(Kind::Changed));
            prop_assert!(ground.read("file") == before);
            let prefix = (0..last).take_while(|&block| came(block)).count() * B;
            prop_assert_eq!(kept(&ground), (prefix.min(new) / B) as u64);
        }
    }
}

#[test]
fn several_threads_bring_a_large_file_at_once() {
    let (ground, data) = (ground(None), pattern(300 * B + 77));
    let parts = begin(&ground, data.len(), None).unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let (parts, data) = (&parts, &data);
            scope.spawn(move || {
                let mine: Vec<Range<u64>> =
                    (0..301).filter(|block| block % 4 == thread).map(|block| block..block + 1).collect();
                mine.chunks(20).rev().for_each(|ranges| bring(parts, data, ranges).unwrap());
            });
        }
    });
    publish(&parts, &data).unwrap();
    assert!(ground.read("file") == data);
}

#[test]
fn sessions_need_not_agree_on_a_digest() {
    let (ground, data) = (ground(None), pattern(9 * B + 5));
    let parts = begin(&ground, data.len(), None).unwrap();
    bring(&parts, &data, &[4..10]).unwrap();
    let mut other = parts.bring(&Ranges::new(vec![0..4]).unwrap(), Algorithm::Blake3).unwrap();
    assert_eq!(kind(other.write(&hashed(&data[..B]))), Err(Kind::NotVerified), "digests of another kind");
    let mut blocks = bare(&data[..4 * B]);
    blocks.hash(Algorithm::Blake3);
    other.write(&blocks).unwrap();
    let mut root = digest::Root::new(Algorithm::Blake3);
    blocks.digests().iter().for_each(|digest| root.push(digest));
    other.finish(root.value()).unwrap();
    assert_eq!(publish(&parts, &data).unwrap().root, Some(self::root(&data)));
    assert!(ground.read("file") == data);
}

#[test]
fn what_comes_again_counts_as_it_came_last() {
    let (ground, data) = (ground(None), pattern(3 * B + 5));
    let parts = begin(&ground, data.len(), None).unwrap();
    bring(&parts, &vec![7; data.len()], &[0..2, 3..4]).unwrap();
    bring(&parts, &data, &[1..4]).unwrap();
    bring(&parts, &data, &[0..1]).unwrap();
    publish(&parts, &data).unwrap();
    assert!(ground.read("file") == data);
}

#[test]
fn what_is_wrong_is_refused_and_the_rest_counts() {
    let (ground, data) = (ground(None), pattern(3 * B + 5));
    let parts = begin(&ground, data.len(), None).unwrap();
    bring(&parts, &data, &[0..2]).unwrap();
    let lie = digest::of_block(Algorithm::Md5, b"another block");
    let wrong = Blocks::received(data[2 * B..3 * B].to_vec(), vec![0..B], vec![lie]);
    assert_eq!(kind(bringing(&parts, &[2..3]).write(&wrong)), Err(Kind::NotVerified));
    for (ranges, bytes) in [
        (&[0..2][..], &data[..B + 5]),
        (&[3..4], &data[..B]),
        (&[3..4], &data[..4]),
        (&[2..4], &data[..2 * B]),
        (&[0..1, 3..4], &data[..3 * B + 5]),
        (&[0..1], &data[..2 * B]),
    ] {
        assert_eq!(
            kind(bringing(&parts, ranges).write(&hashed(bytes))),
            Err(Kind::NotVerified),
            "{ranges:?}"
        );
    }
    let mut early = bringing(&parts, &[2..4]);
    early.write(&hashed(&data[2 * B..3 * B])).unwrap();
    assert_eq!(kind(early.finish(root(&data[2 * B..3 * B]))), Err(Kind::NotVerified), "not all came");
    let mut other = bringing(&parts, &[3..4]);
    other.write(&hashed(&data[3 * B..])).unwrap();
    assert_eq!(kind(other.finish(root(&data))), Err(Kind::NotVerified), "another root");
    bring(&parts, &data, &[2..3]).unwrap();
    assert_eq!(kind(publish(&parts, &data)), Err(Kind::Changed), "of which nothing counts");
    assert_eq!(kept(&ground), 3);
}

#[test]
fn a_wrong_root_publishes_nothing_and_what_came_is_gone() {
    let (ground, data) = (ground(None), pattern(20 * B));
    ground.write("file", b"old");
    let parts = begin(&ground, data.len(), None).unwrap();
    bring(&parts, &data, &[0..20]).unwrap();
    assert_eq!(kind(publish(&parts, b"other")), Err(Kind::NotVerified));
    assert_eq!(kind(bringing(&parts, &[0..1]).write(&hashed(&data[..B]))), Err(Kind::NotFound));
    assert!(ground.names() == ["file"] && ground.read("file") == b"old");
}

#[test]
fn damage_on_the_disk_shows() {
    let (ground, data) = (ground(None), pattern(20 * B));
    let parts = begin(&ground, data.len(), None).unwrap();
    bring(&parts, &data, &[0..20]).unwrap();
    let stage = ground.names().remove(0);
    let file = fs::File::options().write(true).open(ground.at(&stage)).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"rot", 7 * B as u64).unwrap();
    assert_eq!(kind(publish(&parts, &data)), Err(Kind::NotVerified));
    assert!(ground.names().is_empty());
}

#[test]
fn the_old_file_must_be_of_the_version_and_stay_it() {
    let (ground, data) = (ground(None), pattern(9 * B));
    assert_eq!(kind(begin(&ground, 9 * B, Some(Version([3; 16])))), Err(Kind::Changed), "there is none");
    ground.write("file", &data);
    let first = version(&ground);
    assert_eq!(kind(begin(&ground, 9 * B, Some(Version([3; 16])))), Err(Kind::Changed));
    let parts = begin(&ground, 9 * B, first).unwrap();
    let file = fs::File::options().write(true).open(ground.at("file")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(kind(publish(&parts, &data)), Err(Kind::Changed));
    assert_eq!(kind(begin(&ground, 9 * B, first)), Err(Kind::Changed));
    let parts = begin(&ground, 9 * B, version(&ground)).unwrap();
    ground.write("other", b"in its place");
    fs::rename(ground.at("other"), ground.at("file")).unwrap();
    publish(&parts, &data).unwrap();
    assert!(ground.read("file") == data, "the file that was opened is still what it was");
    let parts = begin(&ground, 9 * B, version(&ground)).unwrap();
    file.set_len(0).unwrap(); // another one by now
    bring(&parts, &data, &[2..9]).unwrap();
    ground.write("file", &data[..B]);
    assert_eq!(kind(publish(&parts, &data)), Err(Kind::Changed), "it ends before");
    assert_eq!(ground.names(), ["file"]);
}

#[test]
fn an_old_file_that_is_none_is_refused() {
    let ground = ground(None);
    let any = Some(Version([0; 16]));
    ground.home.mkdir(&at("file")).unwrap();
    assert_eq!(kind(begin(&ground, 1, any)), Err(Kind::IsDirectory));
    fs::remove_dir(ground.at("file")).unwrap();
    std::os::unix::fs::symlink("../outside/file", ground.at("file")).unwrap();
    let watch = ground.watch();
    assert_eq!(kind(begin(&ground, 1, any)), Err(Kind::Denied));
    watch.saw_nothing();
    assert_eq!(ground.names(), ["file"]);
}

#[test]
fn the_quota_counts_the_whole_from_the_beginning() {
    let ground = ground(Some(10 * B as u64));
    ground.home.sweep().unwrap();
    let left = || ground.home.available(&at("")).unwrap().unwrap() / B as u64;
    let data = pattern(6 * B);
    assert_eq!(kind(begin(&ground, 11 * B, None)), Err(Kind::Quota));
    assert_eq!(kind(begin(&ground, usize::MAX, None)), Err(Kind::Quota));
    let parts = begin(&ground, 6 * B, None).unwrap();
    assert_eq!(left(), 4);
    let other = Assembly { whom: Some("alice"), size: 5 * B as u64, onto: None };
    let other = ground.home.assemble(&at("other"), &other, Algorithm::Md5, Replace::Yes);
    assert_eq!(kind(other), Err(Kind::Quota));
    bring(&parts, &data, &[0..2, 4..5]).unwrap();
    assert_eq!(left(), 4);
    parts.leave();
    assert_eq!(left(), 8);
    let parts = begin(&ground, 6 * B, None).unwrap();
    assert_eq!(left(), 4, "what was kept is part of it");
    bring(&parts, &data, &[0..6]).unwrap();
    publish(&parts, &data).unwrap();
    assert_eq!(left(), 4);
    assert_eq!(ground.home.sweep().unwrap().used, 6 * B as u64);
}

#[test]
fn no_size_is_too_large_to_be_refused() {
    let ground = ground(None);
    for size in [usize::MAX, i64::MAX as usize + 1] {
        let refused = kind(begin(&ground, size, None));
        assert!(matches!(refused, Err(Kind::NoSpace | Kind::TooLarge)), "{refused:?}");
    }
    assert!(ground.names().is_empty());
}

#[test]
fn a_file_of_this_computer_is_assembled_beside_its_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let data = pattern(9 * B + 1);
    fs::write(&path, &data[..8 * B]).unwrap();
    let ranges = Ranges::new(vec![0..1]).unwrap();
    let found = store::Outgoing::local_parts(&path, Algorithm::Md5, None, &ranges).unwrap().version();
    let begun = |onto| {
        Parts::local(&path, b"server", data.len() as u64, onto, Algorithm::Md5, Durability::Full)
            .map(Arc::new)
    };
    assert_eq!(kind(begun(Some(Version([1; 16])))), Err(Kind::Changed));
    let parts = begun(Some(found)).unwrap();
    bring(&parts, &data, &[2..3, 8..10]).unwrap();
    let before = fs::metadata(&path).unwrap().ino();
    publish(&parts, &data).unwrap();
    assert_ne!(fs::metadata(&path).unwrap().ino(), before);
    assert!(fs::read(&path).unwrap() == data);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn parts_are_written_behind() {
    let (ground, data) = (ground(None), pattern(100 * B + 9));
    let parts = begin(&ground, data.len(), None).unwrap();
    for ranges in [&[50..101][..], &[0..1, 2..50], &[1..2]] {
        let (mut behind, bytes) = (WriteBehind::of_parts(bringing(&parts, ranges)), of(&data, ranges));
        for piece in bytes.chunks(16 * B) {
            behind.write(hashed(piece)).await.unwrap();
        }
        behind.finish().await.unwrap().finish(root(&bytes)).unwrap();
    }
    publish(&parts, &data).unwrap();
    assert!(ground.read("file") == data);
    let mut read = Blocks::default();
    let mut outgoing = ground.home.open(&at("file"), Algorithm::Md5, 100).unwrap();
    assert_eq!(outgoing.read(&mut read, Gap::default()).unwrap(), 9);
}
