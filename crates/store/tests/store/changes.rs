//! A file that changes while it is read is never called whole.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

use digest::{Algorithm, BATCH, BLOCK, Blocks, Gap};
use store::{Error, Kind};

use crate::ground::{Ground, at, kind};

const PART: usize = BATCH * BLOCK;

/// Long ago, so that the clock of the file system has moved on since.
fn past() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// Reads the first part of a file of a bit more than two, lets `change` happen, and reads the rest.
fn read_around(change: impl FnOnce(&Ground)) -> Result<Vec<u8>, Error> {
    let ground = Ground::new();
    ground.write("file", &[7; 2 * PART + 3]);
    File::open(ground.at("file")).unwrap().set_modified(past()).unwrap();
    let mut outgoing = ground.home.open(&at("file"), Algorithm::Md5, 0).unwrap();
    let (mut blocks, mut data) = (Blocks::default(), Vec::new());
    assert_eq!(outgoing.read(&mut blocks, Gap::default()).unwrap(), PART);
    blocks.slices().for_each(|block| data.extend_from_slice(block));
    change(&ground);
    while outgoing.read(&mut blocks, Gap::default())? > 0 {
        blocks.slices().for_each(|block| data.extend_from_slice(block));
    }
    Ok(data)
}

fn open(ground: &Ground) -> File {
    File::options().write(true).open(ground.at("file")).unwrap()
}

#[test]
fn grown_shrunk_emptied_or_rewritten_it_has_changed() {
    let changes: [fn(&Ground); 7] = [
        |ground| open(ground).write_all_at(b"more", 2 * PART as u64 + 3).unwrap(),
        |ground| open(ground).set_len(2 * PART as u64).unwrap(),
        |ground| open(ground).set_len(PART as u64 + 1).unwrap(),
        |ground| open(ground).set_len(0).unwrap(),
        |ground| open(ground).write_all_at(b"x", 0).unwrap(),
        |ground| open(ground).set_modified(SystemTime::UNIX_EPOCH).unwrap(),
        |ground| {
            open(ground).write_all_at(b"more", 2 * PART as u64 + 3).unwrap();
            open(ground).set_modified(past()).unwrap();
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert_eq!(kind(read_around(change)), Err(Kind::Changed), "change {number}");
    }
}

#[test]
fn another_name_or_another_file_of_its_name_is_no_change() {
    let changes: [fn(&Ground); 5] = [
        |_| {},
        |ground| fs::rename(ground.at("file"), ground.at("other")).unwrap(),
        |ground| fs::remove_file(ground.at("file")).unwrap(),
        |ground| fs::hard_link(ground.at("file"), ground.at("other")).unwrap(),
        |ground| assert_eq!(ground.put("file", b"published over it").unwrap().size, 17),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert_eq!(read_around(change).unwrap(), [7; 2 * PART + 3], "change {number}");
    }
}

#[test]
fn a_file_that_changes_is_not_read_to_an_end() {
    let ground = Ground::new();
    ground.write("file", &[7; PART]);
    let mut grow = |piece: &[u8]| {
        open(&ground).write_all_at(b"more", PART as u64).unwrap();
        !piece.is_empty()
    };
    assert_eq!(kind(ground.home.read(&at("file"), 0..u64::MAX, &mut grow)), Err(Kind::Changed));
}
