//! Whole or not at all: what is published when, and what is left of the rest.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};

use digest::{Algorithm, BLOCK, Blocks, Digest};
use rustix::buffer::spare_capacity;
use rustix::fs::{XattrFlags, getxattr, setxattr};
use store::{Attributes, Kind, Options, Proof, Replace};

use crate::ground::{Ground, at, bare, blocks, kind, local, proof, write};

#[test]
fn a_file_appears_when_it_is_committed_and_its_stage_is_never_shown() {
    let ground = Ground::new();
    ground.write("file", b"old");
    let mut incoming = ground.home.create(&at("file"), 3, Algorithm::Md5, Replace::Yes).unwrap();
    write(&mut incoming, b"new").unwrap();
    assert_eq!((ground.read("file"), ground.list("/").unwrap()), (b"old".to_vec(), vec!["file".to_owned()]));
    let names = ground.names();
    assert!(names[0].len() == 18 && names[0].starts_with(".ftpd~"), "{names:?}");
    assert_eq!(ground.at(&names[0]).metadata().unwrap().mode() & 0o777, 0o600, "nobody else reads it");
    let receipt = incoming.commit(proof(Algorithm::Md5, b"new"), Attributes::default()).unwrap();
    assert_eq!((receipt.size, receipt.root), (3, Some(digest::of_block(Algorithm::Md5, b"new"))));
    assert_eq!((ground.read("file"), ground.names()), (b"new".to_vec(), vec!["file".to_owned()]));
}

#[test]
fn dropped_failed_or_panicked_over_it_leaves_the_old_file_and_no_stage() {
    let ground = Ground::new();
    ground.write("file", b"old");
    let create = || ground.home.create(&at("file"), 4, Algorithm::Md5, Replace::Yes).unwrap();
    drop(create());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _incoming = create();
        panic!("in the middle of a transfer");
    }));
    assert!(panicked.is_err());
    let unproven = |stated: Proof| {
        let mut incoming = create();
        write(&mut incoming, b"data").unwrap();
        assert_eq!(kind(incoming.commit(stated, Attributes::default())), Err(Kind::NotVerified));
    };
    unproven(proof(Algorithm::Md5, b"dato"));
    unproven(proof(Algorithm::Blake3, b"data"));
    unproven(Proof::Root { size: 5, root: digest::of_block(Algorithm::Md5, b"data") });
    assert_eq!((ground.read("file"), ground.names()), (b"old".to_vec(), vec!["file".to_owned()]));
}

#[test]
fn fewer_bytes_than_announced_are_not_verified_whatever_is_stated() {
    let ground = Ground::new();
    let mut incoming = ground.home.create(&at("file"), 5, Algorithm::Md5, Replace::Yes).unwrap();
    write(&mut incoming, b"data").unwrap();
    assert_eq!((incoming.written(), incoming.remaining()), (4, 1));
    let commit = incoming.commit(proof(Algorithm::Md5, b"data"), Attributes::default());
    assert_eq!(kind(commit), Err(Kind::NotVerified));
    assert!(ground.names().is_empty());
}

#[test]
fn blocks_that_cannot_be_the_next_are_refused_and_nothing_is_written() {
    let full = vec![1; BLOCK];
    let lying = |data: &[u8]| {
        let stated = vec![digest::of_block(Algorithm::Md5, b"something else")];
        Blocks::received(data.to_vec(), vec![0..data.len()], stated)
    };
    let digest = |data: &[u8]| -> Digest { digest::of_block(Algorithm::Md5, data) };
    let spans = |spans: Vec<std::ops::Range<usize>>| {
        let data = vec![1; 2 * BLOCK];
        let stated = spans.iter().map(|span| digest(&data[span.clone()])).collect();
        Blocks::received(data, spans, stated)
    };
    let cases = [
        ("a wrong digest", lying(b"data")),
        ("a digest of another algorithm", blocks(Algorithm::Blake3, b"data")),
        ("more than announced", blocks(Algorithm::Md5, &vec![1; 2 * BLOCK + 1])),
        ("a short block in the middle", spans(vec![0..7, 7..7 + BLOCK])),
        ("two short blocks", spans(vec![0..7, 7..14])),
        ("a block too long", spans(vec![0..BLOCK + 1])),
        ("an empty block", spans(vec![0..0])),
    ];
    for (what, refused) in cases {
        let ground = Ground::new();
        let mut incoming =
            ground.home.create(&at("file"), 2 * full.len() as u64, Algorithm::Md5, Replace::Yes).unwrap();
        assert_eq!(kind(incoming.write(&refused)), Err(Kind::NotVerified), "{what}");
        assert_eq!(
            (incoming.written(), fs::metadata(ground.at(&ground.names()[0])).unwrap().len()),
            (0, 0),
            "{what}"
        );
        let commit = incoming.commit(Proof::CleanEnd, Attributes::default());
        assert_eq!(kind(commit), Err(Kind::NotVerified), "{what}: after an error nothing is published");
    }
}

#[test]
fn nothing_follows_a_short_block_in_a_later_write_either() {
    let ground = Ground::new();
    let mut incoming = ground.home.create(&at("file"), 100, Algorithm::Md5, Replace::Yes).unwrap();
    incoming.write(&bare(b"short")).unwrap();
    incoming.write(&Blocks::default()).unwrap();
    assert_eq!(kind(incoming.write(&bare(b"more"))), Err(Kind::NotVerified));
}

#[test]
fn what_must_not_be_replaced_is_not_even_if_it_appears_late() {
    let ground = Ground::new();
    let create = || ground.home.create(&at("file"), 3, Algorithm::Md5, Replace::No);
    let mut incoming = create().unwrap();
    write(&mut incoming, b"new").unwrap();
    ground.write("file", b"other");
    let commit = incoming.commit(proof(Algorithm::Md5, b"new"), Attributes::default());
    assert_eq!(kind(commit), Err(Kind::Exists));
    assert_eq!(kind(create()), Err(Kind::Exists));
    assert_eq!((ground.read("file"), ground.names()), (b"other".to_vec(), vec!["file".to_owned()]));
    fs::remove_file(ground.at("file")).unwrap();
    let incoming = ground.home.create(&at("file"), 0, Algorithm::Md5, Replace::No).unwrap();
    incoming.commit(proof(Algorithm::Md5, b""), Attributes::default()).unwrap();
    assert_eq!(ground.read("file"), b"");
}

#[test]
fn a_directory_that_took_the_name_stays() {
    let ground = Ground::new();
    let incoming = ground.home.create(&at("file"), 0, Algorithm::Md5, Replace::Yes).unwrap();
    ground.home.mkdir(&at("file")).unwrap();
    let commit = incoming.commit(proof(Algorithm::Md5, b""), Attributes::default());
    assert_eq!(kind(commit), Err(Kind::IsDirectory));
    assert_eq!(ground.names(), ["file"]);
}

#[test]
fn a_stage_that_somebody_removed_is_a_failure_and_no_file() {
    let ground = Ground::new();
    let incoming = ground.home.create(&at("file"), 0, Algorithm::Md5, Replace::Yes).unwrap();
    fs::remove_file(ground.at(&ground.names()[0])).unwrap();
    assert_eq!(kind(incoming.commit(Proof::CleanEnd, Attributes::default())), Err(Kind::Io));
    assert!(ground.names().is_empty());
}

#[test]
fn a_file_that_the_disk_has_no_room_for_is_refused_before_it_comes() {
    let ground = Ground::new();
    for size in [u64::MAX, u64::MAX / 2, 1 << 60] {
        let create = ground.home.create(&at("file"), size, Algorithm::Md5, Replace::Yes);
        assert_eq!(kind(create), Err(Kind::NoSpace));
        assert_eq!(kind(local(&ground.at("file"), size)), Err(Kind::NoSpace));
    }
    assert!(ground.names().is_empty());
}

#[test]
fn permission_bits_are_the_senders_then_the_old_files_then_the_directorys() {
    let ground = Ground::new();
    let mode = |name: &str| ground.at(name).metadata().unwrap().permissions().mode() & 0o7777;
    let put = |name: &str, mode| {
        let incoming = ground.home.create(&at(name), 0, Algorithm::Md5, Replace::Yes).unwrap();
        incoming.commit(Proof::CleanEnd, Attributes { modified: None, mode }).unwrap();
    };
    ground.write("plain", b"");
    put("file", None);
    assert_eq!(mode("file"), mode("plain"), "as any program makes them, umask and all");
    put("file", Some(0o640));
    put("file", None);
    assert_eq!(mode("file"), 0o640);
    put("file", Some(0o7777));
    assert_eq!(mode("file"), 0o777);
    assert_eq!(ground.names(), ["file", "plain"]);
}

#[test]
fn a_default_access_list_of_the_directory_is_kept() {
    let ground = Ground::new();
    // acl(5) as Linux stores it: version 2, then tag, permissions and id of the owner, user 12345, the group, the mask, others.
    let entries: [(u16, u16, u32); 5] = [
        (0x01, 7, u32::MAX),
        (0x02, 6, 12345),
        (0x04, 5, u32::MAX),
        (0x10, 7, u32::MAX),
        (0x20, 0, u32::MAX),
    ];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend(tag.to_le_bytes().into_iter().chain(permissions.to_le_bytes()).chain(id.to_le_bytes()));
    }
    setxattr(ground.at(""), "system.posix_acl_default", &list, XattrFlags::empty()).unwrap();
    ground.write("plain", b"");
    ground.put("file", b"").unwrap();
    let list = |name: &str| {
        let mut list = Vec::with_capacity(100);
        getxattr(ground.at(name), "system.posix_acl_access", spare_capacity(&mut list)).unwrap();
        (list, ground.at(name).metadata().unwrap().mode())
    };
    assert_eq!(list("file"), list("plain"));
    assert_eq!(list("file").1 & 0o777, 0o660, "the mask lets user 12345 write");
}

#[test]
fn many_writers_of_one_file_leave_one_of_theirs() {
    let ground = Ground::with(&Options { durability: store::Durability::None, quota: Some(1 << 20) });
    std::thread::scope(|scope| {
        for writer in 0..8_u8 {
            let ground = &ground;
            scope.spawn(move || (0..20).for_each(|_| assert!(ground.put("file", &[writer; 999]).is_ok())));
        }
    });
    let data = ground.read("file");
    assert!(data.len() == 999 && data.iter().all(|byte| *byte == data[0]));
    assert_eq!(ground.names(), ["file"]);
    assert!(ground.put("all", &vec![0; (1 << 20) - 999]).is_ok(), "the quota counts that one alone");
}
