//! Bytes promised, stored and given back.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use digest::Algorithm;
use store::{Attributes, Books, Durability, Error, Home, Incoming, Kind, Options, Replace};

use crate::ground::{Ground, at, kind};

fn ground(quota: u64) -> Ground {
    Ground::with(&Options { quota: Some(quota), durability: Durability::None })
}

fn create(home: &Home, name: &str, size: u64) -> Result<Incoming, Error> {
    home.create(&at(name), size, Algorithm::Md5, Replace::Yes)
}

/// How many bytes could still come in.
fn free(ground: &Ground, limit: u64) -> u64 {
    (0..=limit).rev().find(|&size| create(&ground.home, "probe", size).is_ok()).unwrap()
}

#[test]
fn what_is_announced_is_reserved_and_given_back() {
    let ground = ground(10);
    let first = create(&ground.home, "a", 6).unwrap();
    assert_eq!(kind(create(&ground.home, "b", 5)), Err(Kind::Quota));
    let second = create(&ground.home, "b", 4).unwrap();
    assert_eq!(free(&ground, 10), 0);
    drop(first);
    assert_eq!(free(&ground, 10), 6);
    drop(second);
    assert_eq!(free(&ground, 10), 10);
    assert_eq!(kind(create(&ground.home, "a", u64::MAX)), Err(Kind::Quota));
    assert!(ground.names().is_empty(), "a refusal leaves no stage");
}

#[test]
fn what_is_refused_for_another_reason_is_given_back_too() {
    let ground = ground(10);
    ground.home.mkdir(&at("directory")).unwrap();
    assert_eq!(kind(create(&ground.home, "directory", 10)), Err(Kind::IsDirectory));
    assert_eq!(kind(create(&ground.home, "none/a", 10)), Err(Kind::NotFound));
    ground.put("a", b"1").unwrap();
    let existing = ground.home.create(&at("a"), 9, Algorithm::Md5, Replace::No);
    assert_eq!(kind(existing), Err(Kind::Exists));
    assert_eq!(free(&ground, 10), 9);
}

#[test]
fn replaced_removed_and_renamed_over_files_give_their_bytes_back() {
    let ground = ground(10);
    ground.put("a", b"12345").unwrap();
    ground.put("b", b"123").unwrap();
    assert_eq!(free(&ground, 10), 2);
    ground.put("b", b"12").unwrap();
    assert_eq!(free(&ground, 10), 3);
    ground.home.rename(&at("b"), &at("a")).unwrap();
    assert_eq!(free(&ground, 10), 8);
    fs::hard_link(ground.at("a"), ground.at("same")).unwrap();
    ground.home.rename(&at("a"), &at("same")).unwrap();
    assert_eq!(free(&ground, 10), 8, "of two names of one file, neither is replaced");
    fs::remove_file(ground.at("same")).unwrap();
    assert_eq!(kind(ground.home.remove(&at("none"))), Err(Kind::NotFound));
    assert_eq!(free(&ground, 10), 8, "what fails frees nothing");
    ground.home.remove(&at("a")).unwrap();
    assert_eq!(free(&ground, 10), 10);
}

#[test]
fn less_than_announced_counts_as_what_it_is() {
    let ground = ground(10);
    let mut incoming = create(&ground.home, "a", 10).unwrap();
    incoming.write(&crate::ground::bare(b"123")).unwrap();
    incoming.commit(store::Proof::CleanEnd, Attributes::default()).unwrap();
    assert_eq!(free(&ground, 10), 7);
}

#[test]
fn a_sweep_counts_what_lies_there() {
    let ground = ground(100);
    fs::create_dir_all(ground.at("deep/er")).unwrap();
    ground.write("a", &[0; 30]);
    ground.write("deep/er/b", &[0; 12]);
    std::os::unix::fs::symlink("a", ground.at("link")).unwrap();
    std::os::unix::fs::symlink("../outside", ground.at("out")).unwrap();
    let live = create(&ground.home, "live", 8).unwrap();
    let swept = ground.home.sweep().unwrap();
    assert_eq!((swept.used, swept.stages), (42, 0));
    assert_eq!(free(&ground, 100), 50);
    drop(live);
    assert_eq!(free(&ground, 100), 58);
    assert_eq!(Ground::new().home.sweep().unwrap().used, 0);
}

#[test]
fn many_at_once_never_get_more_than_there_is() {
    const LIMIT: u64 = 1000;
    let ground = ground(LIMIT);
    let refused = AtomicUsize::new(0);
    thread::scope(|scope| {
        for writer in 0..8 {
            let (ground, refused) = (&ground, &refused);
            scope.spawn(move || {
                for round in 0..100 {
                    let name = format!("{}", (writer + round) % 5);
                    match ground.put(&name, &vec![0; 60 + (7 * round + writer) % 90]) {
                        Ok(_) => {}
                        Err(error) => {
                            assert_eq!(error.kind(), Kind::Quota);
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    if round % 3 == 0 {
                        match ground.home.remove(&at(&name)).map_err(|error| error.kind()) {
                            Ok(()) | Err(Kind::NotFound) => {}
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                }
            });
        }
    });
    let used: u64 = ground.names().iter().map(|name| ground.at(name).metadata().unwrap().len()).sum();
    assert_eq!(free(&ground, LIMIT), LIMIT - used, "after {} refusals", refused.into_inner());
    ground.home.sweep().unwrap();
    assert_eq!(free(&ground, LIMIT), LIMIT - used);
}

/// Homes of one directory, with the quota of each.
fn beside(quotas: &[Option<u64>]) -> (tempfile::TempDir, Books, Vec<Home>) {
    let (directory, books) = (tempfile::tempdir().unwrap(), Books::default());
    let home = |quota: &Option<u64>| {
        let options = Options { quota: *quota, durability: Durability::None };
        Home::with(&books, directory.path(), &options).unwrap()
    };
    let homes = quotas.iter().map(home).collect();
    (directory, books, homes)
}

fn store(home: &Home, name: &str, size: usize) -> Result<(), Error> {
    let mut incoming = create(home, name, size as u64)?;
    crate::ground::write(&mut incoming, &vec![0; size])?;
    incoming.commit(crate::ground::proof(Algorithm::Md5, &vec![0; size]), Attributes::default()).map(drop)
}

#[test]
fn homes_of_one_directory_share_what_is_stored_and_keep_their_own_limits() {
    let (directory, books, homes) = beside(&[Some(10), Some(20), None]);
    store(&homes[2], "theirs", 8).unwrap();
    assert_eq!(kind(create(&homes[0], "a", 3)), Err(Kind::Quota));
    let coming = create(&homes[1], "a", 3).unwrap();
    assert_eq!(kind(create(&homes[0], "b", 0)), Err(Kind::Quota), "what another is promised counts");
    assert_eq!(kind(create(&homes[1], "b", 10)), Err(Kind::Quota));
    drop(coming);
    create(&homes[0], "b", 2).unwrap();
    homes[0].remove(&at("theirs")).unwrap();
    create(&homes[0], "b", 10).unwrap();

    store(&homes[1], "kept", 9).unwrap();
    drop(homes); // and with the last, what they knew
    let options = Options { quota: Some(10), durability: Durability::None };
    let again = Home::with(&books, directory.path(), &options).unwrap();
    assert!(!again.is_counted());
    assert_eq!(again.sweep().unwrap().used, 9);
    assert!(again.is_counted());
}

#[test]
fn a_home_that_comes_to_a_living_directory_knows_what_is_stored() {
    let (directory, books, homes) = beside(&[Some(10)]);
    store(&homes[0], "a", 8).unwrap();
    homes[0].sweep().unwrap();
    let options = Options { quota: Some(9), durability: Durability::None };
    let other = Home::with(&books, directory.path(), &options).unwrap();
    assert!(other.is_counted());
    assert_eq!(kind(create(&other, "b", 2)), Err(Kind::Quota));
}

#[test]
fn another_count_takes_notice_of_what_the_owner_did() {
    let ground = ground(10);
    ground.put("a", b"12345678").unwrap();
    ground.home.sweep().unwrap();
    fs::remove_file(ground.at("a")).unwrap();
    assert_eq!(kind(create(&ground.home, "b", 9)), Err(Kind::Quota));
    assert_eq!(ground.home.sweep().unwrap().used, 0);
    create(&ground.home, "b", 9).unwrap();
}

#[test]
fn nothing_is_lost_or_counted_twice_that_changes_while_it_is_counted() {
    const LIMIT: u64 = 1 << 20;
    let (directory, _books, homes) = beside(&[Some(LIMIT), None]);
    for name in ["a", "b", "c", "c/d"] {
        homes[0].mkdir(&at(name)).unwrap();
        (0..200)
            .for_each(|file| fs::write(directory.path().join(format!("{name}/lies-{file}")), "1").unwrap());
    }
    let name = |number: usize| format!("{}/{}", ["a", "b", "c", "c/d", "."][number % 5], number / 5 % 4);
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for writer in 0..3 {
            let (homes, name, done) = (&homes, &name, &done);
            scope.spawn(move || {
                for round in 0..1500 {
                    let (one, other) = (name(7 * round + writer), name(3 * round + 5 * writer));
                    let home = &homes[round % 2];
                    let outcome = match round % 4 {
                        0 | 1 => store(home, &one, 1 + (13 * round + writer) % 50),
                        2 => home.rename(&at(&one), &at(&other)),
                        _ => home.remove(&at(&other)),
                    };
                    assert!(matches!(kind(outcome), Ok(()) | Err(Kind::NotFound)));
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        while done.load(Ordering::Relaxed) < 3 {
            homes[0].sweep().unwrap();
        }
    });
    // No other count: what the last one found, with all that changed since.
    let (mut fits, mut too_much) = (0, LIMIT + 1);
    while too_much - fits > 1 {
        let middle = fits.midpoint(too_much);
        let place = if create(&homes[0], "probe", middle).is_ok() { &mut fits } else { &mut too_much };
        *place = middle;
    }
    let there: u64 = ["", "a", "b", "c", "c/d"]
        .iter()
        .flat_map(|name| fs::read_dir(directory.path().join(name)).unwrap())
        .map(|entry| entry.unwrap().metadata().unwrap())
        .filter(fs::Metadata::is_file)
        .map(|metadata| metadata.len())
        .sum();
    assert_eq!(LIMIT - fits, there);
}
