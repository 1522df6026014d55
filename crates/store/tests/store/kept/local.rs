//! Files of this computer that are gone on with.

use std::fs;

use digest::{Algorithm, BLOCK, Blocks, Gap};
use store::{Attributes, Durability, Incoming, Kind, Outgoing, Proof, sweep_directory};

use super::{DAY, age, content, prefix, root};
use crate::ground::{kind, write};

#[test]
fn a_file_of_this_computer_is_gone_on_with_from_what_was_kept_or_from_what_has_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let all = content(6, 9);
    let kept = || Incoming::local_kept(&path, b"server", Algorithm::Md5, Durability::None).unwrap();
    let copied = || Incoming::local_copied(&path, b"server", Algorithm::Md5, Durability::None).unwrap();
    assert!(kept().is_none() && copied().is_none());
    fs::write(&path, &all[..4 * BLOCK + 100]).unwrap();
    assert!(kept().is_none());
    let (mut incoming, found) = copied().unwrap();
    assert_eq!(found, prefix(&all[..4 * BLOCK]));
    incoming.announce(all.len() as u64).unwrap();
    write(&mut incoming, &all[4 * BLOCK..5 * BLOCK]).unwrap();
    drop(incoming);
    assert!(fs::read(&path).unwrap() == all[..4 * BLOCK + 100], "it is not touched before the end");
    let (mut incoming, found) = kept().unwrap();
    assert_eq!(found, prefix(&all[..5 * BLOCK]));
    assert!(kept().is_none() && copied().is_none(), "somebody is at it");
    assert_eq!(kind(incoming.announce(3)), Err(Kind::Changed));
    incoming.announce(all.len() as u64).unwrap();
    write(&mut incoming, &all[5 * BLOCK..]).unwrap();
    incoming.commit(Proof::CleanEnd, Attributes::default()).unwrap();
    assert!(fs::read(&path).unwrap() == all);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_file_is_sent_from_behind_what_the_other_side_has() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let all = content(3, 9);
    fs::write(&path, &all).unwrap();
    for blocks in 0..4 {
        let (mut outgoing, found) = Outgoing::local_behind(&path, Algorithm::Md5, blocks).unwrap();
        let before = blocks as usize * BLOCK;
        assert_eq!(found, prefix(&all[..before]));
        while outgoing.read(&mut Blocks::default(), Gap::default()).unwrap() > 0 {}
        assert_eq!(outgoing.root(), Some(root(Algorithm::Md5, &all[before..])));
        assert_eq!(outgoing.whole(), Some(root(Algorithm::Md5, &all)));
    }
    assert_eq!(kind(Outgoing::local_behind(&path, Algorithm::Md5, 4)), Err(Kind::Changed));
}

#[test]
fn a_new_beginning_removes_what_was_kept_and_a_sweep_what_is_old() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let all = content(3, 0);
    let anew = |size| {
        Incoming::local_to_keep(&path, b"server", Some(size), Algorithm::Md5, Durability::None).unwrap()
    };
    let mut first = anew(all.len() as u64);
    write(&mut first, &all[..2 * BLOCK]).unwrap();
    drop(first);
    assert_eq!(sweep_directory(directory.path()).unwrap(), 0);
    let mut second = anew(all.len() as u64);
    assert_eq!(second.written(), 0);
    write(&mut second, &all[..BLOCK]).unwrap();
    drop(second);
    let kept = fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::metadata(&kept).unwrap().len(), BLOCK as u64);
    age(&kept, 8 * DAY);
    assert_eq!(sweep_directory(directory.path()).unwrap(), 1);
    let mut forgotten = anew(all.len() as u64);
    write(&mut forgotten, &all[..BLOCK]).unwrap();
    forgotten.forget();
    drop(forgotten);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
