//! Digests against clocks that were not so kind.

use std::fs::{self, File, Permissions};
use std::io::{IoSlice, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use digest::{Blocks, Gap};
use proptest::prelude::*;
use rustix::fs::{FallocateFlags, Timespec, Timestamps, UTIME_OMIT, fallocate, fstat, futimens};
use rustix::io::pwritev;

use super::*;
use crate::moment;
use crate::outgoing::Outgoing;

const MD5: What = What::Root(Algorithm::Md5);

fn digest(number: usize) -> Digest {
    digest::of_block(Algorithm::Md5, &number.to_le_bytes())
}

fn name(number: usize) -> Name {
    let mut file = Parts::default();
    file[1] = number.to_le_bytes();
    Name { file, what: MD5 }
}

/// A moment of a clock that was set to `ahead`.
fn moment(ahead: i64) -> Moment {
    Moment { stamp: 1 << 60, ahead: (ahead - 1, ahead + 1) }
}

#[test]
fn what_is_asked_for_stays_and_what_is_not_goes() {
    let (roots, now) = (Roots::default(), moment(0));
    let learn = |number| roots.learn(&now, &now, name(number), digest(number));
    for number in 0..10 * HALF {
        learn(number);
        if number % 1000 == 0 {
            assert_eq!(roots.find_at(&now, &name(0)), Some(digest(0)), "asked for at {number}");
        }
        let table = roots.lock();
        assert!(table.young.len() <= HALF && table.young.len() + table.old.len() <= MOST);
    }
    assert_eq!(roots.find_at(&now, &name(10 * HALF - HALF)), Some(digest(10 * HALF - HALF)));
    assert_eq!(roots.find_at(&now, &name(1)), None);
    let table = roots.lock();
    assert!(table.young.capacity() <= HALF && table.old.capacity() <= HALF, "no more slots than were meant");
    assert!(size_of::<(Name, Digest)>() <= 96);
}

#[test]
fn a_later_digest_takes_the_place_of_an_earlier_one_wherever_that_is() {
    let (roots, now) = (Roots::default(), moment(0));
    for number in 0..=HALF {
        roots.learn(&now, &now, name(number), digest(number));
    }
    assert!(roots.lock().old.contains_key(&name(0)));
    roots.learn(&now, &now, name(0), digest(77));
    assert_eq!(roots.find_at(&now, &name(0)), Some(digest(77)));
    for number in 0..HALF {
        roots.learn(&now, &now, name(1_000_000 + number), digest(number));
    }
    assert_ne!(roots.find_at(&now, &name(0)), Some(digest(0)), "the earlier one is not back");
}

#[test]
fn a_clock_that_is_set_back_makes_everything_forgotten() {
    let (roots, now) = (Roots::default(), moment(1_000));
    roots.learn(&now, &now, name(1), digest(1));
    assert_eq!(roots.find_at(&moment(999), &name(1)), Some(digest(1)), "no more than the clocks blur");
    assert_eq!(roots.find_at(&moment(5_000), &name(1)), Some(digest(1)), "set forward");
    assert_eq!(roots.find_at(&moment(4_000), &name(1)), None, "set back");
    assert_eq!(roots.find_at(&moment(5_000), &name(1)), None, "and forward again");
    roots.learn(&moment(4_000), &moment(5_000), name(2), digest(2));
    assert_eq!(roots.find_at(&moment(4_000), &name(2)), None, "set back since the reading began");
    roots.learn(&moment(4_000), &moment(4_000), name(3), digest(3));
    assert_eq!(roots.find_at(&moment(4_000), &name(3)), Some(digest(3)));
}

#[test]
fn a_small_step_back_after_many_looks_is_seen() {
    let (roots, now) = (Roots::default(), moment(1_000));
    roots.learn(&now, &now, name(1), digest(1));
    // A look that blurs, as when it is interrupted between two clocks, does not widen what is allowed.
    assert!(roots.find_at(&Moment { ahead: (-500, 1_001), ..now }, &name(1)).is_some());
    assert_eq!(roots.find_at(&moment(997), &name(1)), None);
}

/// A file on which digests can be remembered, if the tests' directory lies on a file system for that.
fn file(directory: &Path) -> Option<File> {
    let path = directory.join("file");
    fs::write(&path, b"content").unwrap();
    let file = File::options().read(true).write(true).open(path).unwrap();
    watch::keeps_times(&file).then_some(file)
}

/// A moment behind the last change of `file`, by `nanoseconds`.
fn behind(file: &File, nanoseconds: i64) -> Moment {
    let now = Moment::now().unwrap();
    Moment { stamp: moment::changed(&fstat(file).unwrap()) + nanoseconds, ..now }
}

#[test]
fn a_file_is_seen_once_the_clock_has_moved_past_its_last_change() {
    let directory = tempfile::tempdir().unwrap();
    let Some(file) = file(directory.path()) else { return };
    let roots = Arc::default();
    let seen = |nanoseconds| {
        let watch = Watch::since(behind(&file, nanoseconds), &roots, &file).unwrap();
        watch.end(&file, &fstat(&file).unwrap()).is_some()
    };
    assert!(!seen(-1), "it was changed in what is still to come");
    assert!(!seen(0), "in this tick");
    assert!(seen(2_000_000_001));
}

#[test]
fn a_file_that_has_come_is_remembered_only_if_nothing_but_its_name_changed() {
    let directory = tempfile::tempdir().unwrap();
    let Some(file) = file(directory.path()) else { return };
    let roots: Arc<Roots> = Arc::default();
    let set = |seconds| {
        let omitted = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        let last_modification = Timespec { tv_sec: seconds, tv_nsec: 5 };
        futimens(&file, &Timestamps { last_access: omitted, last_modification }).unwrap();
    };
    let rename = || fs::rename(directory.path().join("file"), directory.path().join("named")).unwrap();
    let back = || fs::rename(directory.path().join("named"), directory.path().join("file")).unwrap();
    let later = || behind(&file, 2_000_000_001);
    set(1_000);
    let begin = || Fresh::new(&roots, &file).unwrap();

    let fresh = begin();
    rename();
    let seen = fresh.named_at(later(), &file).unwrap();
    seen.has(MD5, digest(1));
    assert_eq!(roots.find(&fstat(&file).unwrap(), MD5), Some(digest(1)));
    back();

    let fresh = begin();
    rename();
    assert!(fresh.named_at(behind(&file, 0), &file).is_none(), "the tick of the rename goes on");
    back();

    let fresh = begin();
    rename();
    file.write_at(b"C", 0).unwrap();
    assert!(fresh.named_at(later(), &file).is_none(), "it was rewritten");
    back();
    set(1_000);

    let fresh = begin();
    rename();
    (&file).write_all(b"longer than it was").unwrap();
    set(1_000);
    assert!(fresh.named_at(later(), &file).is_none(), "it is longer");

    let now = Moment::now().unwrap();
    set(now.stamp / 1_000_000_000 + 100);
    assert!(Fresh::new(&roots, &file).is_none(), "a new time would not show that it was rewritten");
    set(1_000);
    let fresh = begin();
    let set_back = Moment { ahead: (now.ahead.0 - 2_000_000_000, now.ahead.0 - 1_000_000_000), ..later() };
    assert!(fresh.named_at(set_back, &file).is_none(), "the clock was set back");
}

/// What may happen to a file.
#[derive(Clone, Copy, Debug)]
enum Event {
    Rewrite,
    RewriteAndSetBack,
    Truncate,
    Punch,
    Replace,
    ReplaceAlike,
    Move,
    ChangeMode,
    Link,
    Digest,
    DigestWhileRewritten,
    Wait,
}

const EVENTS: [Event; 12] = [
    Event::Rewrite,
    Event::RewriteAndSetBack,
    Event::Truncate,
    Event::Punch,
    Event::Replace,
    Event::ReplaceAlike,
    Event::Move,
    Event::ChangeMode,
    Event::Link,
    Event::Digest,
    Event::DigestWhileRewritten,
    Event::Wait,
];

const SIZE: usize = 8192;

/// Contents of one size, all different.
fn content(number: usize) -> Vec<u8> {
    number.to_le_bytes().repeat(SIZE / size_of::<usize>())
}

/// Sets the time of modification back to what it was at first.
fn set_back(file: &File) {
    let time = Timespec { tv_sec: 1_000, tv_nsec: 7 };
    futimens(file, &Timestamps { last_access: time, last_modification: time }).unwrap();
}

fn happen(directory: &Path, roots: &Arc<Roots>, event: Event, number: usize) {
    let path = directory.join("file");
    let open = || File::options().read(true).write(true).open(&path).unwrap();
    match event {
        Event::Rewrite => open().write_all_at(&content(number), 0).unwrap(),
        Event::RewriteAndSetBack => {
            let file = open();
            file.write_all_at(&content(number), 0).unwrap();
            set_back(&file);
        }
        Event::Truncate => {
            let file = open();
            file.set_len(0).unwrap();
            file.write_all_at(&content(number), 0).unwrap();
            set_back(&file);
        }
        Event::Punch => {
            let file = open();
            let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            if fallocate(&file, hole, 4096 * (number as u64 % 2), 4096).is_ok() {
                set_back(&file);
            }
        }
        Event::Replace | Event::ReplaceAlike => {
            if matches!(event, Event::ReplaceAlike) {
                fs::remove_file(&path).unwrap(); // and its inode may be had again
            }
            let other = directory.join("other");
            fs::write(&other, content(number)).unwrap();
            set_back(&File::options().write(true).open(&other).unwrap());
            fs::rename(other, &path).unwrap();
        }
        Event::Move => {
            fs::rename(&path, directory.join("moved")).unwrap();
            fs::rename(directory.join("moved"), &path).unwrap();
        }
        Event::ChangeMode => {
            fs::set_permissions(&path, Permissions::from_mode(0o600 + number as u32 % 8)).unwrap();
        }
        Event::Link => {
            let link = directory.join("link");
            if fs::hard_link(&path, &link).is_ok() {
                File::options().write(true).open(&link).unwrap().write_all_at(&content(number), 0).unwrap();
                fs::remove_file(link).unwrap();
            }
        }
        Event::Digest => _ = learn(&open(), roots, || {}),
        Event::DigestWhileRewritten => {
            let file = open();
            learn(&file, roots, || {
                file.write_all_at(&content(number), 0).unwrap();
                set_back(&file);
            });
        }
        Event::Wait => {
            let tick = Moment::now().unwrap().stamp;
            while Moment::now().unwrap().stamp == tick {}
        }
    }
}

/// Reads a file as everybody does here, and remembers its root where that is safe; `meanwhile` happens after the reading.
fn learn(file: &File, roots: &Arc<Roots>, meanwhile: impl FnOnce()) -> bool {
    let watch = Watch::begin(roots, file).unwrap();
    let stat = fstat(file).unwrap();
    let root = read(file);
    meanwhile();
    let seen = watch.end(file, &stat);
    seen.is_some_and(|seen| {
        seen.has_root(root);
        true
    })
}

fn read(file: &File) -> Digest {
    let mut bytes = vec![0; SIZE];
    file.read_exact_at(&mut bytes, 0).unwrap();
    digest::of_block(Algorithm::Md5, &bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_what_is_remembered_is_what_is_there(
        events in prop::collection::vec(prop::sample::select(&EVENTS[..]), 1..60),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let roots = Arc::default();
        fs::write(directory.path().join("file"), content(0)).unwrap();
        for (number, event) in events.into_iter().enumerate() {
            happen(directory.path(), &roots, event, number + 1);
            let file = File::open(directory.path().join("file")).unwrap();
            let known = roots.find(&fstat(&file).unwrap(), MD5);
            prop_assert!(known.is_none_or(|known| known == read(&file)), "after {:?}", event);
        }
    }
}

#[test]
fn what_nothing_happens_to_is_remembered() {
    let directory = tempfile::tempdir().unwrap();
    let Some(file) = file(directory.path()) else { return };
    file.set_len(SIZE as u64).unwrap();
    let roots = Arc::default();
    happen(directory.path(), &roots, Event::Wait, 0);
    happen(directory.path(), &roots, Event::Wait, 0);
    assert!(learn(&file, &roots, || {}));
    let known = |what| roots.find(&fstat(&file).unwrap(), what);
    assert_eq!(known(MD5), Some(read(&file)));
    assert_eq!(known(What::Md5), Some(read(&file)), "of one block it is the same");
    assert_eq!(known(What::Root(Algorithm::Blake3)), None);
    file.write_all_at(b"x", 0).unwrap();
    assert_eq!(known(MD5), None);
}

#[test]
fn a_write_that_is_under_way_is_waited_for() {
    // One call writes for longer than a tick, and its stamp is past before it has ended. What may be remembered meanwhile is from
    // before it, or from behind it.
    const MIB: usize = 1 << 20;
    const MANY: usize = 192;
    let directory = tempfile::tempdir().unwrap();
    let Some(file) = file(directory.path()) else { return };
    file.set_len(0).unwrap();
    file.set_len((MANY * MIB) as u64).unwrap();
    let roots: Arc<Roots> = Arc::default();
    let byte = |at: usize| {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at as u64).unwrap();
        byte[0]
    };
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 1..=6_u8 {
                let data = vec![round; MIB];
                let wrote = pwritev(&file, &vec![IoSlice::new(&data); MANY], 0).unwrap();
                assert_eq!(wrote, MANY * MIB, "it is one call");
                // So that all can be remembered, and the last look finds something.
                happen(directory.path(), &roots, Event::Wait, 0);
            }
        });
        while !writer.is_finished() {
            let watch = Watch::begin(&roots, &file).unwrap();
            let stat = fstat(&file).unwrap();
            let (first, last) = (byte(0), byte(MANY * MIB - 1));
            if watch.end(&file, &stat).is_some() {
                assert_eq!(first, last, "half of a write");
            }
        }
    });
}

#[test]
fn what_was_rewritten_while_it_was_read_takes_no_room() {
    let directory = tempfile::tempdir().unwrap();
    let Some(file) = file(directory.path()) else { return };
    let size = (digest::BATCH + 1) * BLOCK;
    file.set_len(size as u64).unwrap();
    set_back(&file);
    for rewritten in [false, true] {
        happen(directory.path(), &Arc::default(), Event::Wait, 0);
        let roots: Arc<Roots> = Arc::default();
        let mut outgoing = Outgoing::known_to(&roots, file.try_clone().unwrap(), Algorithm::Md5, 0).unwrap();
        let mut blocks = Blocks::default();
        assert_eq!(outgoing.read(&mut blocks, Gap::default()).unwrap(), size - BLOCK);
        if rewritten {
            file.write_at(b"x", 0).unwrap();
            set_back(&file);
        }
        assert_eq!(outgoing.read(&mut blocks, Gap::default()).unwrap(), BLOCK);
        assert_eq!(roots.lock().young.is_empty(), rewritten);
    }
}
