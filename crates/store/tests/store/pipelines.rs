//! Reading ahead and writing behind.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use digest::{Algorithm, BATCH, BLOCK, Blocks, Gap};
use store::{Attributes, Incoming, Kind, ReadAhead, Replace, WriteBehind};

use crate::ground::{Ground, at, blocks, kind, proof};

const PART: usize = BATCH * BLOCK;

fn create(ground: &Ground, size: usize) -> Incoming {
    ground.home.create(&at("file"), size as u64, Algorithm::Md5, Replace::Yes).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap()
}

/// Runs `future` while the one blocking thread has something else to do, so that all it starts there is still to come.
fn held_up(future: impl Future) {
    let runtime = runtime();
    let (release, held) = std::sync::mpsc::channel::<()>();
    runtime.spawn_blocking(move || held.recv());
    runtime.block_on(future);
    drop(release);
}

/// What is in `file`.
fn begin(ground: &Ground) -> Result<ReadAhead, store::Error> {
    ReadAhead::begin(ground.home.open(&at("file"), Algorithm::Md5, 0)?, Gap::default())
}

/// Polls `future` once, and drops it.
fn drop_early(future: impl Future) {
    assert!(pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[tokio::test]
async fn what_goes_behind_comes_ahead() {
    for size in [0, 1, BLOCK, PART - 1, PART, PART + 1, 3 * PART, 5 * PART + BLOCK + 9] {
        let ground = Ground::new();
        let data: Vec<u8> = (0..size).map(|at| (at / 7) as u8).collect();
        let mut behind = WriteBehind::new(create(&ground, size));
        for part in data.chunks(PART) {
            behind.write(blocks(Algorithm::Md5, part)).await.unwrap();
        }
        let receipt = behind.commit(proof(Algorithm::Md5, &data), Attributes::default()).await.unwrap();
        assert_eq!(ground.read("file"), data);
        let mut ahead = begin(&ground).unwrap();
        assert_eq!(ahead.size(), size as u64);
        let (mut read, mut spare) = (Vec::new(), Blocks::default());
        while let Some(next) = ahead.next(spare).await.unwrap() {
            next.slices().for_each(|block| read.extend_from_slice(block));
            spare = next;
        }
        assert_eq!(read, data);
        assert!(ahead.next(Blocks::default()).await.unwrap().is_none(), "the end stays the end");
        assert_eq!(ahead.finish().await.unwrap().root(), receipt.root);
    }
}

#[tokio::test]
async fn a_file_can_be_taken_back_whole() {
    let ground = Ground::new();
    let mut behind = WriteBehind::new(create(&ground, PART + 4));
    behind.write(blocks(Algorithm::Md5, &[0; PART])).await.unwrap();
    behind.write(blocks(Algorithm::Md5, b"data")).await.unwrap();
    let incoming = behind.finish().await.unwrap();
    assert_eq!((incoming.written(), incoming.remaining()), (PART as u64 + 4, 0));
}

#[tokio::test]
async fn a_failure_behind_is_told_and_nothing_is_committed() {
    let ground = Ground::new();
    let lie =
        || Blocks::received(vec![0; BLOCK], vec![0..BLOCK], vec![digest::of_block(Algorithm::Md5, b"")]);
    let zeros = || blocks(Algorithm::Md5, &[0; BLOCK]);
    // A lie before the last blocks is told with them at the latest, or with any write before.
    for size in [2, 4] {
        let mut behind = WriteBehind::new(create(&ground, size * BLOCK));
        let told = match behind.write(lie()).await {
            Ok(_) => behind.write(zeros()).await,
            early => early,
        };
        assert_eq!(kind(told), Err(Kind::NotVerified), "of {size} blocks");
        assert_eq!(kind(behind.write(zeros()).await), Err(Kind::Io));
        assert_eq!(kind(behind.finish().await), Err(Kind::Io));
    }
    let mut complete = WriteBehind::new(create(&ground, BLOCK));
    complete.write(lie()).await.unwrap();
    let commit = complete.commit(proof(Algorithm::Md5, &[0; BLOCK]), Attributes::default()).await;
    assert_eq!(kind(commit), Err(Kind::NotVerified));
    let mut over = WriteBehind::new(create(&ground, 1));
    over.write(blocks(Algorithm::Md5, b"1")).await.unwrap();
    let told = match over.write(blocks(Algorithm::Md5, b"2")).await {
        Ok(_) => over.commit(proof(Algorithm::Md5, b"1"), Attributes::default()).await.map(drop),
        Err(early) => Err(early),
    };
    assert_eq!(kind(told), Err(Kind::NotVerified));
}

#[test]
fn dropped_at_any_moment_it_leaves_no_stage() {
    let ground = Ground::new();
    let data = vec![0; 3 * PART];
    let part = || blocks(Algorithm::Md5, &data[..PART]);
    let drops: [&dyn Fn(WriteBehind); 5] = [
        &|behind| drop(behind),
        &|mut behind| {
            runtime().block_on(behind.write(part())).unwrap();
            drop(behind); // outside of any runtime
        },
        &|behind| runtime().block_on(async { drop(behind) }),
        &|mut behind| {
            held_up(async move {
                behind.write(part()).await.unwrap();
                drop_early(behind.finish());
            });
        },
        &|mut behind| {
            held_up(async move {
                behind.write(part()).await.unwrap();
                drop_early(behind.write(part()));
            });
        },
    ];
    for (number, abandon) in drops.into_iter().enumerate() {
        abandon(WriteBehind::new(create(&ground, data.len())));
        // A runtime that is dropped waits for its blocking threads, so all of them are done.
        assert_eq!(ground.names(), [""; 0], "drop {number}");
    }
}

#[tokio::test]
async fn what_is_discarded_is_gone_when_that_is_told() {
    let ground = Ground::new();
    for writes in 0..3 {
        let mut behind = WriteBehind::new(create(&ground, 2 * PART));
        for _ in 0..writes {
            behind.write(blocks(Algorithm::Md5, &[0; PART])).await.unwrap();
        }
        assert_eq!(ground.names().len(), 1);
        behind.discard().await;
        assert_eq!(ground.names(), [""; 0], "after {writes} writes");
    }
}

#[test]
fn a_write_that_is_dropped_loses_no_block() {
    let ground = Ground::new();
    let data = vec![7; 4 * PART];
    let part = || blocks(Algorithm::Md5, &data[..PART]);
    runtime().block_on(async {
        let mut behind = WriteBehind::new(create(&ground, data.len()));
        let (release, held) = std::sync::mpsc::channel::<()>();
        let holding = tokio::task::spawn_blocking(move || held.recv());
        behind.write(part()).await.unwrap();
        drop_early(behind.write(part()));
        drop(release);
        holding.await.unwrap().unwrap_err();
        for _ in 2..4 {
            behind.write(part()).await.unwrap();
        }
        behind.commit(proof(Algorithm::Md5, &data), Attributes::default()).await.unwrap();
    });
    assert_eq!(ground.read("file"), data);
}

#[test]
fn a_next_that_is_dropped_loses_no_block() {
    let ground = Ground::new();
    ground.write("file", &[7; 3 * PART]);
    let mut ahead = begin(&ground).unwrap();
    let runtime = runtime();
    runtime.block_on(async {
        let (release, held) = std::sync::mpsc::channel::<()>();
        let holding = tokio::task::spawn_blocking(move || held.recv());
        let mut read = ahead.next(Blocks::default()).await.unwrap().unwrap().data_len();
        drop_early(ahead.next(Blocks::default()));
        drop(release);
        holding.await.unwrap().unwrap_err();
        while let Some(blocks) = ahead.next(Blocks::default()).await.unwrap() {
            read += blocks.data_len();
        }
        assert_eq!(read, 3 * PART);
        let whole = proof(Algorithm::Md5, &[7; 3 * PART]);
        assert_eq!(
            whole,
            store::Proof::Root { size: read as u64, root: ahead.finish().await.unwrap().root().unwrap() }
        );
    });
}

#[tokio::test]
async fn a_change_ahead_is_told_and_is_no_end() {
    let ground = Ground::new();
    ground.write("file", &[7; 2 * PART]);
    let mut ahead = begin(&ground).unwrap();
    std::fs::File::options().write(true).open(ground.at("file")).unwrap().set_len(5).unwrap();
    assert_eq!(ahead.next(Blocks::default()).await.unwrap().unwrap().data_len(), PART);
    assert_eq!(kind(ahead.next(Blocks::default()).await), Err(Kind::Changed));
    assert_eq!(kind(ahead.next(Blocks::default()).await), Err(Kind::Io));
}
