//! Bytes out and bytes in.

use std::fs::File;
use std::io::Seek;
use std::os::unix::fs::{FileExt, symlink};

use digest::{Algorithm, BATCH, BLOCK, Blocks, Gap};
use proptest::prelude::*;
use store::{Attributes, Durability, Kind, Options, Outgoing, Proof, Replace, Time};

use crate::ground::{Ground, at, bare, blocks, kind, local, pattern, proof};

/// Reads `file` from a block on, comparing every block and every gap; returns the root.
fn read_from(ground: &Ground, data: &[u8], first: u64, algorithm: Algorithm, gap: Gap) -> digest::Digest {
    let mut outgoing = ground.home.open(&at("file"), algorithm, first).unwrap();
    assert_eq!(outgoing.size(), data.len() as u64);
    let mut expected = data[(first as usize * BLOCK).min(data.len())..].chunks(BLOCK);
    let mut blocks = Blocks::default();
    loop {
        let before = outgoing.remaining();
        let read = outgoing.read(&mut blocks, gap).unwrap();
        assert_eq!((read, before - read as u64), (blocks.data_len(), outgoing.remaining()));
        assert!(read == BATCH * BLOCK || outgoing.remaining() == 0);
        if read == 0 {
            break;
        }
        assert_eq!(blocks.buffer().len(), gap.room(read));
        for (block, digest) in blocks.slices().zip(blocks.digests()) {
            assert_eq!(block, expected.next().unwrap());
            assert_eq!(*digest, digest::of_block(algorithm, block));
        }
    }
    assert_eq!(expected.next(), None);
    outgoing.root().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_in_comes_out(
        blocks_in in 0..40_usize, edge in prop::sample::select(vec![0, 1, 55, 56, 64, BLOCK / 2, BLOCK - 1]),
        first in 0..42_u64, before in 0..20_usize, after in 0..20_usize, blake in any::<bool>(), parts in 1..17_usize,
    ) {
        let ground = Ground::with(&Options { durability: Durability::None, quota: None });
        let algorithm = if blake { Algorithm::Blake3 } else { Algorithm::Md5 };
        let data = pattern(blocks_in * BLOCK + edge);
        let mut incoming = ground.home.create(&at("file"), data.len() as u64, algorithm, Replace::No).unwrap();
        for part in data.chunks(parts * BLOCK) {
            incoming.write(&blocks(algorithm, part)).unwrap();
        }
        let stated = proof(algorithm, &data);
        let receipt = incoming.commit(stated, Attributes::default()).unwrap();
        prop_assert_eq!(stated, Proof::Root { size: receipt.size, root: receipt.root.unwrap() });
        let gap = Gap { before, after };
        prop_assert_eq!(read_from(&ground, &data, 0, algorithm, gap), receipt.root.unwrap());
        let count = data.len().div_ceil(BLOCK) as u64;
        if first <= count {
            let tail = &data[(first as usize * BLOCK).min(data.len())..];
            let root = read_from(&ground, &data, first, algorithm, gap);
            prop_assert_eq!(proof(algorithm, tail), Proof::Root { size: tail.len() as u64, root });
        } else {
            prop_assert_eq!(kind(ground.home.open(&at("file"), algorithm, first)), Err(Kind::BeyondTheEnd));
        }
    }
}

#[test]
fn no_block_number_is_too_large_to_be_refused() {
    let ground = Ground::new();
    ground.write("file", b"data");
    for first in [2, u64::MAX / BLOCK as u64, u64::MAX / BLOCK as u64 + 1, u64::MAX] {
        assert_eq!(kind(ground.home.open(&at("file"), Algorithm::Md5, first)), Err(Kind::BeyondTheEnd));
    }
    assert_eq!(ground.home.open(&at("file"), Algorithm::Md5, 1).unwrap().remaining(), 0);
}

#[test]
fn beyond_four_gibibytes_the_right_bytes_are_read() {
    let ground = Ground::new();
    let file = File::create(ground.at("file")).unwrap();
    let size = (5 << 30) + 7;
    file.set_len(size).unwrap();
    let mark = (4 << 30) + 3 * BLOCK as u64;
    file.write_all_at(b"here", mark).unwrap();
    file.write_all_at(b"the end", size - 7).unwrap();
    let mut outgoing = ground.home.open(&at("file"), Algorithm::Md5, mark / BLOCK as u64).unwrap();
    assert_eq!((outgoing.size(), outgoing.remaining()), (size, size - mark));
    let mut blocks = Blocks::default();
    outgoing.read(&mut blocks, Gap::default()).unwrap();
    assert!(blocks.slices().next().unwrap().starts_with(b"here\0"));
    let mut outgoing = ground.home.open(&at("file"), Algorithm::Md5, size / BLOCK as u64).unwrap();
    assert_eq!(outgoing.read(&mut blocks, Gap::default()).unwrap(), 7);
    assert_eq!(blocks.slices().next().unwrap(), b"the end");
}

#[test]
fn a_users_own_file_is_read_from_its_beginning_wherever_it_stands() {
    let ground = Ground::new();
    ground.write("file", b"data");
    let mut file = File::open(ground.at("file")).unwrap();
    file.seek(std::io::SeekFrom::End(0)).unwrap();
    let mut blocks = Blocks::default();
    for mut outgoing in [
        Outgoing::from_file(file, Algorithm::Md5).unwrap(),
        Outgoing::local(&ground.at("file"), Algorithm::Md5).unwrap(),
    ] {
        assert_eq!(outgoing.read(&mut blocks, Gap::default()).unwrap(), 4);
        assert_eq!(blocks.slices().next().unwrap(), b"data");
    }
    let directory = File::open(ground.at("")).unwrap();
    assert_eq!(kind(Outgoing::from_file(directory, Algorithm::Md5)), Err(Kind::IsDirectory));
}

#[test]
fn a_users_own_file_arrives_where_its_links_lead() {
    let ground = Ground::new();
    symlink(ground.outside().join("file"), ground.at("link")).unwrap();
    let mut incoming = local(&ground.at("link"), 4).unwrap();
    incoming.write(&blocks(Algorithm::Md5, b"data")).unwrap();
    incoming.commit(proof(Algorithm::Md5, b"data"), Attributes::default()).unwrap();
    assert_eq!(std::fs::read(ground.outside().join("file")).unwrap(), b"data");
    assert!(ground.at("link").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn time_and_mode_are_those_of_the_sender() {
    use std::os::unix::fs::MetadataExt;
    let ground = Ground::new();
    let sent = Attributes {
        modified: Some(Time { seconds: 1_000_000_000, nanoseconds: 42 }),
        mode: Some(0o104_751),
    };
    let mut incoming = ground.home.create(&at("file"), 4, Algorithm::Md5, Replace::Yes).unwrap();
    incoming.write(&blocks(Algorithm::Md5, b"data")).unwrap();
    incoming.commit(proof(Algorithm::Md5, b"data"), sent).unwrap();
    let stored = ground.at("file").metadata().unwrap();
    assert_eq!((stored.mtime(), stored.mtime_nsec(), stored.mode() & 0o7777), (1_000_000_000, 42, 0o751));
    let outgoing = ground.home.open(&at("file"), Algorithm::Md5, 0).unwrap();
    assert_eq!(outgoing.attributes(), Attributes { mode: Some(0o751), ..sent });
}

#[test]
fn a_range_is_read_piece_by_piece_and_can_be_stopped() {
    let ground = Ground::new();
    let data = pattern(3 * BLOCK * BATCH + 5);
    ground.write("file", &data);
    let end = data.len() as u64;
    for range in [0..u64::MAX, 0..end, 5..7, 0..0, end..u64::MAX, end + 9..u64::MAX, end - 1..end] {
        let mut told = Vec::new();
        let size = ground.home.read(&at("file"), range.clone(), &mut |piece| {
            told.extend_from_slice(piece);
            true
        });
        let wanted = &data[range.start.min(end) as usize..range.end.min(end) as usize];
        assert!(size.unwrap() == end && told == wanted, "{range:?}");
    }
    let mut asked = 0;
    let stopped = ground.home.read(&at("file"), 0..u64::MAX, &mut |_| {
        asked += 1;
        false
    });
    assert_eq!((kind(stopped), asked), (Err(Kind::Io), 1));
}

#[test]
fn blocks_that_nobody_digested_are_written_and_told_in_the_receipt() {
    let ground = Ground::new();
    let data = pattern(17 * BLOCK + 1);
    let mut incoming = ground.home.create(&at("file"), 1 << 30, Algorithm::Md5, Replace::Yes).unwrap();
    data.chunks(BATCH * BLOCK).for_each(|part| incoming.write(&bare(part)).unwrap());
    let receipt = incoming.commit(Proof::CleanEnd, Attributes::default()).unwrap();
    assert_eq!(Proof::Root { size: receipt.size, root: receipt.root.unwrap() }, proof(Algorithm::Md5, &data));
    assert_eq!(ground.read("file"), data);
}
