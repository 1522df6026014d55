//! Digests of blocks, and parts of a file that are read.

use std::fs;
use std::ops::Range;

use digest::{Algorithm, BATCH, BLOCK, Blocks, Digest, Gap, Root};
use store::{Digests, Error, Kind, Outgoing, Ranges, ReadAhead, Version};

use crate::ground::{Ground, at, kind, pattern};

const PIECE: usize = BATCH * BLOCK;

async fn all(mut digests: Digests) -> Result<Vec<Digest>, Error> {
    let mut told = Vec::new();
    while let Some(next) = digests.next().await? {
        told.extend(next);
    }
    Ok(told)
}

fn computed(data: &[u8]) -> Vec<Digest> {
    data.chunks(BLOCK).map(|block| digest::of_block(Algorithm::Md5, block)).collect()
}

fn begin(ground: &Ground, blocks: Range<u64>) -> Result<Digests, Error> {
    ground.home.digests(&at("file"), Algorithm::Md5, None, blocks)
}

fn ranges(ranges: &[Range<u64>]) -> Ranges {
    Ranges::new(ranges.to_vec()).unwrap()
}

fn version(ground: &Ground) -> Version {
    ground.home.open(&at("file"), Algorithm::Md5, 0).unwrap().version()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_are_told_in_order_however_many_there_are() {
    let ground = Ground::new();
    for size in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, PIECE, 3 * PIECE + 1, 4 * PIECE, 21 * PIECE + BLOCK + 7] {
        let data = pattern(size);
        ground.write("file", &data);
        let digests = begin(&ground, 0..u64::MAX).unwrap();
        assert_eq!((digests.size(), digests.version()), (size as u64, version(&ground)));
        assert!(all(digests).await.unwrap() == computed(&data), "{size}");
        let local = Digests::local(&ground.at("file"), Algorithm::Md5, 0..u64::MAX).unwrap();
        assert!(all(local).await.unwrap() == computed(&data), "{size}");
    }
}

#[tokio::test]
async fn of_blocks_that_a_file_does_not_have_there_are_none() {
    let ground = Ground::new();
    let data = pattern(10 * BLOCK + 3);
    ground.write("file", &data);
    let every = computed(&data);
    for (blocks, told) in [
        (0..1, 0..1),
        (3..7, 3..7),
        (9..12, 9..11),
        (10..u64::MAX, 10..11),
        (11..12, 11..11),
        (u64::MAX - 1..u64::MAX, 11..11),
        (4..4, 0..0),
    ] {
        assert_eq!(all(begin(&ground, blocks.clone()).unwrap()).await.unwrap(), every[told], "{blocks:?}");
    }
}

#[tokio::test]
async fn a_file_of_another_version_or_that_changes_meanwhile_has_changed() {
    let ground = Ground::new();
    ground.write("file", &pattern(300 * BLOCK));
    let version = version(&ground);
    let named = |version| ground.home.digests(&at("file"), Algorithm::Md5, version, 0..9);
    assert_eq!(all(named(Some(version)).unwrap()).await.unwrap().len(), 9);
    assert_eq!(kind(named(Some(Version([7; 16])))), Err(Kind::Changed));
    let file = fs::File::options().write(true).open(ground.at("file")).unwrap();
    file.set_len(299 * BLOCK as u64).unwrap();
    assert_eq!(kind(named(Some(version))), Err(Kind::Changed));
    let outgoing =
        |version| ground.home.open_parts(&at("file"), Algorithm::Md5, version, &ranges(&[0..1, 298..299]));
    assert_eq!(kind(outgoing(Some(version))), Err(Kind::Changed));
    let mut begun = outgoing(None).unwrap();
    file.set_len(300 * BLOCK as u64).unwrap();
    assert_eq!(kind(begun.read(&mut Blocks::default(), Gap::default())), Err(Kind::Changed));
}

#[test]
fn what_changes_while_it_is_read_is_noticed() {
    let ground = Ground::new();
    ground.write("file", &pattern(2000 * BLOCK));
    let file = fs::File::options().write(true).open(ground.at("file")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let change = |change: &dyn Fn()| {
        let (release, held) = std::sync::mpsc::channel::<()>();
        runtime.block_on(async {
            tokio::task::spawn_blocking(move || held.recv());
            let mut digests = begin(&ground, 0..2000).unwrap();
            change();
            drop(release);
            let mut failure = Ok(());
            while failure.is_ok() {
                failure = digests.next().await.map(|next| assert!(next.is_some(), "it had to fail"));
            }
            assert_eq!(kind(failure), Err(Kind::Changed));
            assert_eq!(kind(digests.next().await), Err(Kind::Io), "and is no end");
        });
    };
    change(&|| file.set_len(1999 * BLOCK as u64).unwrap());
    change(&|| file.set_len(3 * BLOCK as u64).unwrap());
    change(&|| file.set_modified(std::time::UNIX_EPOCH).unwrap());
}

#[test]
fn no_thread_waits_for_who_asked() {
    let ground = Ground::new();
    let data = pattern(5000 * BLOCK + 1);
    ground.write("file", &data);
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let mut begun: Vec<Digests> = (0..3).map(|_| begin(&ground, 0..u64::MAX).unwrap()).collect();
        // Each has its turn on the only thread, whatever the others do not take.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        let last = all(begun.pop().unwrap()).await.unwrap();
        assert!(last == computed(&data));
    });
}

#[tokio::test]
async fn only_regular_files_have_them() {
    let ground = Ground::new();
    ground.home.mkdir(&at("file")).unwrap();
    assert_eq!(kind(begin(&ground, 0..1)), Err(Kind::IsDirectory));
    fs::remove_dir(ground.at("file")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        ground.at("file"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    assert_eq!(kind(begin(&ground, 0..1)), Err(Kind::Special));
    fs::remove_file(ground.at("file")).unwrap();
    assert_eq!(kind(begin(&ground, 0..1)), Err(Kind::NotFound));
    std::os::unix::fs::symlink(ground.outside().join("file"), ground.at("file")).unwrap();
    assert_eq!(kind(begin(&ground, 0..1)), Err(Kind::Denied));
}

/// What is read of `file` in `parts`.
async fn read(outgoing: Outgoing) -> Result<(Vec<u8>, Option<Digest>), Error> {
    let mut ahead = ReadAhead::begin(outgoing, Gap { before: 5, after: 16 })?;
    let (mut read, mut spare) = (Vec::new(), Blocks::default());
    while let Some(next) = ahead.next(spare).await? {
        assert_eq!(
            next.digests(),
            next.slices().map(|block| digest::of_block(Algorithm::Md5, block)).collect::<Vec<_>>()
        );
        next.slices().for_each(|block| read.extend_from_slice(block));
        spare = next;
    }
    Ok((read, ahead.finish().await?.root()))
}

#[tokio::test]
async fn parts_of_a_file_are_read_one_behind_the_other() {
    let ground = Ground::new();
    let data = pattern(200 * BLOCK + 100);
    ground.write("file", &data);
    let scattered: Vec<Range<u64>> = (0..67).map(|at| 3 * at..3 * at + 1).collect();
    for parts in [
        vec![0..1],
        vec![200..201],
        vec![0..201],
        vec![5..70, 70..71, 150..201],
        vec![1..2, 40..41, 199..201],
        scattered,
    ] {
        let expected: Vec<u8> = parts
            .iter()
            .flat_map(|part| {
                let part = part.start as usize * BLOCK..data.len().min(part.end as usize * BLOCK);
                data[part].to_vec()
            })
            .collect();
        let mut root = Root::new(Algorithm::Md5);
        computed(&expected).iter().for_each(|digest| root.push(digest));
        let outgoing =
            ground.home.open_parts(&at("file"), Algorithm::Md5, Some(version(&ground)), &ranges(&parts));
        let outgoing = outgoing.unwrap();
        assert_eq!(outgoing.remaining(), expected.len() as u64);
        let (came, told) = read(outgoing).await.unwrap();
        assert!(came == expected, "{parts:?}");
        assert_eq!(told, Some(root.value()));
        let local = Outgoing::local_parts(&ground.at("file"), Algorithm::Md5, None, &ranges(&parts)).unwrap();
        assert!(read(local).await.unwrap().0 == expected);
        let mut as_one = Vec::new();
        let outgoing = ground.home.open_parts(&at("file"), Algorithm::Md5, None, &ranges(&parts)).unwrap();
        outgoing.read_to(&mut as_one).unwrap();
        assert!(as_one == expected);
    }
    for beyond in [ranges(&[201..202]), ranges(&[0..1, 200..202]), ranges(&[0..u64::MAX])] {
        let outgoing = ground.home.open_parts(&at("file"), Algorithm::Md5, None, &beyond);
        assert_eq!(kind(outgoing), Err(Kind::Changed), "{beyond:?}");
    }
}
