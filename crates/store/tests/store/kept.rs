//! What stays of files that were cut, and how they are gone on with.

mod local;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use digest::{Algorithm, BLOCK, Digest};
use store::{
    Attributes, Books, Durability, Error, Home, Incoming, Kind, Options, Prefix, Proof, Replace, Upload,
};

use crate::ground::{Ground, at, kind, proof, write};

fn root(algorithm: Algorithm, data: &[u8]) -> Digest {
    match proof(algorithm, data) {
        Proof::Root { root, .. } => root,
        Proof::CleanEnd => unreachable!(),
    }
}

const DAY: Duration = Duration::from_secs(86_400);

fn ground(quota: Option<u64>) -> Ground {
    let mut ground = Ground::with(&Options { quota, durability: Durability::None });
    ground.home = ground.home.keeping(DAY);
    ground
}

/// So many whole blocks and `more` bytes.
fn content(blocks: usize, more: usize) -> Vec<u8> {
    (0..blocks * BLOCK + more).map(|at| (at % 251 + at / BLOCK) as u8).collect()
}

fn begin(home: &Home, whom: &str, size: usize, kept: Prefix) -> Result<Incoming, Error> {
    let upload = Upload { whom, size: size as u64, first_block: kept.blocks, proof: kept.root };
    home.create_kept(&at("file"), &upload, Algorithm::Md5, Replace::Yes, &mut || true)
}

fn kept(home: &Home, whom: &str) -> Prefix {
    home.kept(&at("file"), whom, Algorithm::Md5, &mut || true).unwrap()
}

fn nothing() -> Prefix {
    prefix(&[])
}

fn prefix(data: &[u8]) -> Prefix {
    Prefix { blocks: (data.len() / BLOCK) as u64, root: root(Algorithm::Md5, data) }
}

/// An upload of `all` that ends after `came` bytes.
fn cut(home: &Home, whom: &str, all: &[u8], came: usize) {
    let mut incoming = begin(home, whom, all.len(), nothing()).unwrap();
    write(&mut incoming, &all[..came]).unwrap();
}

fn stage(ground: &Ground) -> PathBuf {
    let names = ground.names();
    let name = names.iter().find(|name| name.starts_with(".ftpd~keep~")).expect("a stage is kept");
    ground.at(name)
}

fn age(path: &PathBuf, by: Duration) {
    fs::File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - by).unwrap();
}

#[test]
fn an_upload_that_was_cut_is_gone_on_with_and_becomes_the_whole_file() {
    let ground = ground(None);
    let all = content(40, 1000);
    cut(&ground.home, "alice", &all, 33 * BLOCK);
    let there = kept(&ground.home, "alice");
    assert_eq!(there, prefix(&all[..33 * BLOCK]));
    assert_eq!(fs::metadata(stage(&ground)).unwrap().permissions().mode() & 0o777, 0o600);
    let mut incoming = begin(&ground.home, "alice", all.len(), there).unwrap();
    let rest = &all[33 * BLOCK..];
    write(&mut incoming, rest).unwrap();
    let size = all.len() as u64;
    let receipt = incoming
        .commit(Proof::Root { size, root: root(Algorithm::Md5, rest) }, Attributes::default())
        .unwrap();
    assert_eq!((receipt.size, receipt.root), (size, Some(root(Algorithm::Md5, &all))));
    assert_eq!(ground.names(), ["file"]);
    assert!(ground.read("file") == all);
    assert_eq!(kept(&ground.home, "alice"), nothing());
}

#[test]
fn fewer_blocks_than_are_kept_can_be_gone_on_with() {
    let ground = ground(None);
    let all = content(10, 5);
    cut(&ground.home, "alice", &all, 9 * BLOCK);
    let mut incoming = begin(&ground.home, "alice", all.len(), prefix(&all[..4 * BLOCK])).unwrap();
    assert_eq!(incoming.written(), 4 * BLOCK as u64);
    write(&mut incoming, &all[4 * BLOCK..]).unwrap();
    incoming.commit(Proof::CleanEnd, Attributes::default()).unwrap();
    assert!(ground.read("file") == all);
}

#[test]
fn only_whole_blocks_are_kept_and_of_less_than_one_nothing() {
    let ground = ground(None);
    let all = content(3, 77);
    cut(&ground.home, "alice", &all, all.len());
    assert_eq!(kept(&ground.home, "alice"), prefix(&all[..3 * BLOCK]));
    cut(&ground.home, "alice", &all, 0);
    assert!(ground.names().is_empty());
    cut(&ground.home, "alice", &all[..77], 77);
    assert!(ground.names().is_empty());
}

#[test]
fn what_a_kill_left_is_read_as_it_is() {
    let ground = ground(None);
    let all = content(3, 0);
    let mut incoming = begin(&ground.home, "alice", all.len(), nothing()).unwrap();
    write(&mut incoming, &all[..2 * BLOCK]).unwrap();
    std::mem::forget(incoming); // its lock stays, as that of a process would not
    let torn = [&fs::read(stage(&ground)).unwrap()[..], &[7; 100]].concat();
    let name = stage(&ground);
    fs::remove_file(&name).unwrap();
    fs::write(&name, torn).unwrap();
    fs::set_permissions(&name, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(kept(&ground.home, "alice"), prefix(&all[..2 * BLOCK]));
}

#[test]
fn what_was_changed_meanwhile_is_not_gone_on_with() {
    let ground = ground(None);
    let all = content(4, 0);
    cut(&ground.home, "alice", &all, 3 * BLOCK);
    let there = kept(&ground.home, "alice");
    let mut changed = fs::read(stage(&ground)).unwrap();
    changed[BLOCK + 5] ^= 1;
    fs::write(stage(&ground), changed).unwrap();
    assert_eq!(kind(begin(&ground.home, "alice", all.len(), there)), Err(Kind::Changed));
    assert_ne!(kept(&ground.home, "alice").root, there.root);
    // A new beginning takes its place.
    let mut anew = begin(&ground.home, "alice", all.len(), nothing()).unwrap();
    write(&mut anew, &all).unwrap();
    anew.commit(proof(Algorithm::Md5, &all), Attributes::default()).unwrap();
    assert_eq!(ground.names(), ["file"]);
}

#[test]
fn claims_that_cannot_be_are_refused_and_change_nothing() {
    let ground = ground(Some(1 << 30));
    ground.home.sweep().unwrap();
    let all = content(4, 0);
    cut(&ground.home, "alice", &all, 2 * BLOCK);
    let there = kept(&ground.home, "alice");
    let before = ground.home.available(&at("")).unwrap();
    for (blocks, root) in [
        (3, there.root),
        (u64::MAX, there.root),
        (u64::MAX / BLOCK as u64, there.root),
        (1, there.root),
        (2, Digest::new(Algorithm::Md5, &[0; 16]).unwrap()),
    ] {
        let claimed = begin(&ground.home, "alice", all.len(), Prefix { blocks, root });
        assert_eq!(kind(claimed), Err(Kind::Changed), "{blocks}");
        assert_eq!(kept(&ground.home, "alice"), there);
        assert_eq!(ground.home.available(&at("")).unwrap(), before);
    }
    let shorter = begin(&ground.home, "alice", BLOCK, there);
    assert_eq!(kind(shorter), Err(Kind::Changed));
    assert_eq!(kept(&ground.home, "alice"), there);
}

#[test]
fn each_user_has_what_is_kept_for_that_user() {
    let ground = ground(None);
    let all = content(3, 0);
    cut(&ground.home, "alice", &all, 2 * BLOCK);
    assert_eq!(kept(&ground.home, "bob"), nothing());
    let there = kept(&ground.home, "alice");
    assert_eq!(kind(begin(&ground.home, "bob", all.len(), there)), Err(Kind::Changed));
    assert_eq!(ground.home.list(&at("")).unwrap().next_page(9).unwrap(), None, "nobody sees it");
}

#[test]
fn a_second_one_at_the_same_upload_begins_apart_and_takes_nothing_over() {
    let ground = ground(None);
    let all = content(3, 0);
    let mut first = begin(&ground.home, "alice", all.len(), nothing()).unwrap();
    write(&mut first, &all[..BLOCK]).unwrap();
    assert_eq!(kept(&ground.home, "alice"), nothing());
    assert_eq!(kind(begin(&ground.home, "alice", all.len(), prefix(&all[..BLOCK]))), Err(Kind::Changed));
    let mut second = begin(&ground.home, "alice", all.len(), nothing()).unwrap();
    write(&mut second, &all[..2 * BLOCK]).unwrap();
    drop(second);
    assert_eq!(ground.names().len(), 1, "of the second, nothing is kept");
    drop(first);
    assert_eq!(kept(&ground.home, "alice"), prefix(&all[..BLOCK]));
}

#[test]
fn the_quota_counts_what_is_kept_once() {
    let limit = 10 * BLOCK as u64;
    let ground = ground(Some(limit));
    ground.home.sweep().unwrap();
    let left = || ground.home.available(&at("")).unwrap().unwrap() / BLOCK as u64;
    let all = content(8, 0);
    cut(&ground.home, "alice", &all, 6 * BLOCK);
    assert_eq!(left(), 4);
    assert_eq!(ground.home.sweep().unwrap().used, 6 * BLOCK as u64, "and so does a walk");
    let there = kept(&ground.home, "alice");
    let incoming = begin(&ground.home, "alice", all.len(), there).unwrap();
    assert_eq!(left(), 2);
    ground.home.sweep().unwrap();
    assert_eq!(left(), 2, "what is being gone on with is promised, and not stored");
    drop(incoming);
    assert_eq!(left(), 4);
    assert_eq!(kind(begin(&ground.home, "alice", 11 * BLOCK, there)), Err(Kind::Quota));
    assert_eq!(left(), 4);
    let mut incoming = begin(&ground.home, "alice", all.len(), there).unwrap();
    write(&mut incoming, &all[6 * BLOCK..]).unwrap();
    incoming.commit(Proof::CleanEnd, Attributes::default()).unwrap();
    assert_eq!(left(), 2);
    assert_eq!(ground.home.sweep().unwrap().used, 8 * BLOCK as u64);
}

#[test]
fn a_sweep_removes_what_was_kept_for_long_enough_and_the_quota_forgets_it() {
    let ground = ground(Some(10 * BLOCK as u64));
    ground.home.sweep().unwrap();
    cut(&ground.home, "alice", &content(3, 0), 2 * BLOCK);
    assert!(ground.home.holds_kept());
    age(&stage(&ground), DAY - Duration::from_secs(60));
    assert_eq!(ground.home.sweep().unwrap().stages, 0);
    assert!(ground.home.holds_kept());
    age(&stage(&ground), DAY + Duration::from_secs(60));
    let swept = ground.home.sweep().unwrap();
    assert_eq!((swept.stages, swept.used), (1, 0));
    assert!(ground.names().is_empty() && !ground.home.holds_kept());
    assert_eq!(ground.home.available(&at("")).unwrap(), Some(10 * BLOCK as u64));
}

#[test]
fn a_sweep_leaves_what_somebody_goes_on_with_however_old_it_is() {
    let ground = ground(None);
    let all = content(3, 0);
    cut(&ground.home, "alice", &all, 2 * BLOCK);
    let there = kept(&ground.home, "alice");
    let incoming = begin(&ground.home, "alice", all.len(), there).unwrap();
    age(&stage(&ground), 2 * DAY);
    assert_eq!(ground.home.sweep().unwrap().stages, 0);
    drop(incoming);
}

#[test]
fn where_nothing_is_to_be_kept_nothing_is() {
    let ground = Ground::new();
    let all = content(3, 0);
    cut(&ground.home, "alice", &all, 2 * BLOCK);
    assert!(ground.names().is_empty());
    assert_eq!(kept(&ground.home, "alice"), nothing());
    assert_eq!(kind(begin(&ground.home, "alice", all.len(), prefix(&all[..BLOCK]))), Err(Kind::Changed));
}

#[test]
fn a_directory_that_holds_nothing_else_can_be_removed() {
    let ground = ground(Some(10 * BLOCK as u64));
    ground.home.sweep().unwrap();
    ground.home.mkdir(&at("d")).unwrap();
    let all = content(3, 0);
    let upload = Upload { whom: "alice", size: all.len() as u64, first_block: 0, proof: nothing().root };
    let begun =
        || ground.home.create_kept(&at("d/file"), &upload, Algorithm::Md5, Replace::Yes, &mut || true);
    let mut incoming = begun().unwrap();
    write(&mut incoming, &all[..BLOCK]).unwrap();
    assert_eq!(kind(ground.home.rmdir(&at("d"))), Err(Kind::NotEmpty), "somebody is at it");
    drop(incoming);
    ground.write("d/other", b"");
    assert_eq!(kind(ground.home.rmdir(&at("d"))), Err(Kind::NotEmpty));
    ground.home.remove(&at("d/other")).unwrap();
    ground.home.rmdir(&at("d")).unwrap();
    assert_eq!(ground.home.available(&at("")).unwrap(), Some(10 * BLOCK as u64));
}

#[test]
fn a_stage_that_others_can_have_written_is_not_touched() {
    let ground = ground(None);
    let all = content(3, 0);
    cut(&ground.home, "alice", &all, 2 * BLOCK);
    let there = kept(&ground.home, "alice");
    fs::set_permissions(stage(&ground), fs::Permissions::from_mode(0o620)).unwrap();
    assert_eq!(kept(&ground.home, "alice"), nothing());
    assert_eq!(kind(begin(&ground.home, "alice", all.len(), there)), Err(Kind::Changed));
    let mut apart = begin(&ground.home, "alice", all.len(), nothing()).unwrap();
    write(&mut apart, &all).unwrap();
    apart.commit(Proof::CleanEnd, Attributes::default()).unwrap();
    fs::set_permissions(stage(&ground), fs::Permissions::from_mode(0o600)).unwrap();
    fs::hard_link(stage(&ground), ground.at("second-name")).unwrap();
    assert_eq!(kept(&ground.home, "alice"), nothing());
}

#[test]
fn a_name_of_255_bytes_can_be_kept() {
    let ground = ground(None);
    let long = "x".repeat(255);
    let all = content(2, 0);
    let upload = Upload { whom: "alice", size: all.len() as u64, first_block: 0, proof: nothing().root };
    let mut incoming =
        ground.home.create_kept(&at(&long), &upload, Algorithm::Md5, Replace::Yes, &mut || true).unwrap();
    write(&mut incoming, &all[..BLOCK]).unwrap();
    drop(incoming);
    let there = ground.home.kept(&at(&long), "alice", Algorithm::Md5, &mut || true).unwrap();
    assert_eq!(there, prefix(&all[..BLOCK]));
}

#[test]
fn what_a_peer_has_is_compared_before_the_rest_is_sent() {
    let ground = ground(None);
    let all = content(5, 3);
    ground.write("file", &all);
    let resume = |prefix| ground.home.resume(&at("file"), Algorithm::Md5, prefix, &mut || true);
    for blocks in [0, 1, 5] {
        let sent = resume(prefix(&all[..blocks * BLOCK])).unwrap();
        assert_eq!(sent.remaining(), (all.len() - blocks * BLOCK) as u64);
    }
    let there = prefix(&all[..2 * BLOCK]);
    for blocks in [1, 3, 6] {
        assert_eq!(kind(resume(Prefix { blocks, ..there })), Err(Kind::Changed), "{blocks}");
    }
    assert_eq!(kind(resume(Prefix { blocks: u64::MAX, ..there })), Err(Kind::BeyondTheEnd));
    let stopped = ground.home.resume(&at("file"), Algorithm::Md5, there, &mut || false);
    assert_eq!(kind(stopped), Err(Kind::Io));
}

#[test]
fn what_is_kept_is_known_to_all_homes_of_a_directory() {
    let books = Books::default();
    let directory = tempfile::tempdir().unwrap();
    let options = Options { quota: Some(10 * BLOCK as u64), durability: Durability::None };
    let home = || Home::with(&books, directory.path(), &options).unwrap().keeping(DAY);
    let (one, other) = (home(), home());
    one.sweep().unwrap();
    cut(&one, "alice", &content(4, 0), 3 * BLOCK);
    assert_eq!(other.available(&at("")).unwrap(), Some(7 * BLOCK as u64));
}
