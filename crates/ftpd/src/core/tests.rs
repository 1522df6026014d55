//! The core as a whole: rules put in place while it runs.

use std::fs;
use std::path::Path;

use digest::Algorithm;
use store::HomePath;
use tempfile::TempDir;

use super::*;
use crate::password;

pub(super) async fn login(core: &Arc<Core>, user: &str, password: &str) -> Result<Session, Refusal> {
    core.arrive([127, 0, 0, 1].into()).unwrap().login(user, password.into()).await
}

/// A users.toml in `directory`, with these lines for each user.
pub(super) fn config(directory: &Path, users: &[(&str, &str)]) -> Config {
    let mut text = String::from("[native]\nlisten = [\"127.0.0.1:0\"]\ntls = false\n");
    for (name, lines) in users {
        text += &format!("[users.{name}]\n{lines}\n");
    }
    Config::parse(&directory.join("users.toml"), &text).unwrap()
}

/// The line of a password, hashed at next to no cost.
pub(super) fn password(password: &str) -> String {
    format!("password = \"{}\"\n", password::tests::cheap_text(password.as_bytes()))
}

fn home(core: &Core, user: &str) -> Arc<Home> {
    core.rules().accounts.find(user).unwrap().home.clone()
}

pub(super) fn setting() -> (TempDir, Arc<Core>) {
    let directory = tempfile::tempdir().unwrap();
    let a = password("a") + "home = \"a\"\nquota = \"1 MiB\"\naccess = \"write\"";
    let b = password("b") + "home = \"b\"";
    let core = Core::new(&config(directory.path(), &[("alice", &a), ("bob", &b)])).unwrap();
    (directory, Arc::new(core))
}

#[tokio::test]
async fn other_rules_are_for_whoever_logs_in_from_now_on() {
    let (directory, core) = setting();
    let running = login(&core, "bob", "b").await.unwrap();
    let (alice, bob) = (home(&core, "alice"), Arc::downgrade(&home(&core, "bob")));

    let a = password("new") + "home = \"a\"\nquota = \"1 MiB\"\naccess = \"read\"";
    let c = password("c") + "home = \"c\"";
    let mut other = config(directory.path(), &[("alice", &a), ("carol", &c)]);
    other.limits.sessions = 7;
    let reloaded = core.reload(&other).unwrap();
    assert_eq!(
        (reloaded.added.clone(), reloaded.removed.clone()),
        (vec!["carol".into()], vec!["bob".into()])
    );
    assert_eq!(reloaded.homes, 1, "alice's is open already");
    core.sweep();

    assert!(Arc::ptr_eq(&alice, &home(&core, "alice")), "what her quota has counted stays");
    assert!(matches!(login(&core, "alice", "a").await, Err(Refusal::BadLogin)));
    assert_eq!(login(&core, "alice", "new").await.unwrap().access(), crate::config::Access::Read);
    assert!(login(&core, "carol", "c").await.is_ok());
    assert!(matches!(login(&core, "bob", "b").await, Err(Refusal::BadLogin)));
    assert_eq!(core.limits().sessions, 7);

    running.stat(b"/").await.unwrap(); // goes on
    assert!(bob.upgrade().is_some());
    drop(running);
    assert!(bob.upgrade().is_none(), "the home of a user who is gone goes with the last session");
}

#[test]
fn rules_that_cannot_be_kept_change_nothing() {
    let (directory, core) = setting();
    fs::write(directory.path().join("file"), "").unwrap();
    let alice = home(&core, "alice");
    let a = password("new") + "home = \"a\"";
    let z = password("z") + "home = \"file\"";
    let unopened = core.reload(&config(directory.path(), &[("alice", &a), ("zoe", &z)])).unwrap_err();
    assert_eq!(unopened.user, "zoe");
    assert!(Arc::ptr_eq(&alice, &home(&core, "alice")));
    assert!(core.rules().accounts.find("bob").is_some());
}

#[test]
fn a_home_is_opened_anew_when_anything_about_it_changed() {
    let (directory, core) = setting();
    let lines = |rest: &str| password("a") + rest;
    let reload = |lines: &str| core.reload(&config(directory.path(), &[("alice", lines)])).unwrap().homes;
    assert_eq!(reload(&lines("home = \"a\"\nquota = \"1 MiB\"")), 0);
    assert_eq!(reload(&lines("home = \"a\"\nquota = \"2 MiB\"")), 1, "another quota");
    assert_eq!(reload(&lines("home = \"other\"\nquota = \"2 MiB\"")), 1, "another place");

    fs::rename(directory.path().join("other"), directory.path().join("away")).unwrap();
    fs::create_dir(directory.path().join("other")).unwrap();
    fs::write(directory.path().join("other/seen"), "").unwrap();
    assert_eq!(reload(&lines("home = \"other\"\nquota = \"2 MiB\"")), 1, "another directory in its place");
    assert!(home(&core, "alice").stat(&HomePath::root().resolve(b"seen").unwrap()).is_ok());
}

#[test]
fn users_with_one_home_have_one_quota() {
    let (directory, core) = setting();
    let lines = password("a") + "home = \"shared\"\nquota = \"1 MiB\"";
    let users = ["x", "y", "z"].map(|user| (user, lines.as_str()));
    assert_eq!(core.reload(&config(directory.path(), &users)).unwrap().homes, 1);
    assert!(Arc::ptr_eq(&home(&core, "x"), &home(&core, "z")));
    assert_eq!(core.rules().accounts.homes().len(), 1);
}

fn put(home: &Home, name: &str, size: usize) -> Result<(), store::Error> {
    let path = HomePath::root().resolve(name.as_bytes()).unwrap();
    let algorithm = Algorithm::Md5;
    let mut incoming = home.create(&path, size as u64, algorithm, store::Replace::Yes)?;
    let mut blocks = digest::Blocks::default();
    blocks.lay_out(size, digest::Gap::default());
    blocks.hash(algorithm);
    incoming.write(&blocks)?;
    incoming.commit(store::Proof::CleanEnd, store::Attributes::default()).map(drop)
}

fn refused(outcome: Result<(), store::Error>) -> bool {
    outcome.is_err_and(|error| error.kind() == store::Kind::Quota)
}

#[test]
fn what_lies_there_counts_before_anybody_is_let_in() {
    let (directory, core) = setting();
    fs::write(directory.path().join("a/old"), vec![0; 700 << 10]).unwrap();
    core.count();
    assert!(refused(put(&home(&core, "alice"), "new", 400 << 10)));

    fs::create_dir(directory.path().join("c")).unwrap();
    fs::write(directory.path().join("c/old"), vec![0; 700 << 10]).unwrap();
    let lines = password("a") + "home = \"c\"\nquota = \"1 MiB\"";
    core.reload(&config(directory.path(), &[("carol", &lines)])).unwrap();
    assert!(refused(put(&home(&core, "carol"), "new", 400 << 10)));
}

#[test]
fn users_of_one_directory_share_what_is_stored_and_not_their_quotas() {
    let (directory, core) = setting();
    let lines = |quota: &str| password("a") + "home = \"a\"\n" + quota;
    let (one, two, free) = (lines("quota = \"1 MiB\""), lines("quota = \"2 MiB\""), lines(""));
    let before = home(&core, "alice"); // of a session that goes on
    core.reload(&config(directory.path(), &[("x", &two), ("y", &one), ("z", &free)])).unwrap();
    put(&home(&core, "x"), "x", 600 << 10).unwrap();
    for of in [&before, &home(&core, "y")] {
        assert!(refused(put(of, "more", 600 << 10)));
    }
    put(&home(&core, "z"), "z", 2 << 20).unwrap();
    assert!(refused(put(&home(&core, "x"), "more", 1)));
    fs::remove_file(directory.path().join("a/z")).unwrap();
    assert!(refused(put(&home(&core, "x"), "more", 1)), "nobody told the quota");
    core.count();
    put(&home(&core, "x"), "more", 1).unwrap();
}

#[test]
fn a_home_stays_open_when_its_user_has_another_name() {
    let (directory, core) = setting();
    let alice = home(&core, "alice");
    let lines = password("a") + "home = \"a\"\nquota = \"1 MiB\"";
    let reloaded = core.reload(&config(directory.path(), &[("alicia", &lines)])).unwrap();
    assert_eq!(reloaded.homes, 0);
    assert!(Arc::ptr_eq(&alice, &home(&core, "alicia")));
}

#[tokio::test(start_paused = true)]
async fn one_deadline_holds_for_all_that_leads_to_a_login() {
    let (_directory, core) = setting();
    let guest = core.arrive([127, 0, 0, 1].into()).unwrap();
    let began = tokio::time::Instant::now();
    let byte_by_byte = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    };
    guest.within(tokio::time::sleep(std::time::Duration::from_secs(20))).await.unwrap();
    let late: Result<(), Refusal> = guest.within(byte_by_byte).await;
    assert!(matches!(late, Err(Refusal::Late)));
    assert_eq!(began.elapsed().as_secs(), core.limits().login_deadline.as_secs());
}

#[tokio::test]
async fn a_place_is_taken_by_a_login_and_by_nothing_before_it() {
    let (directory, core) = setting();
    let a = password("a") + "home = \"a\"";
    let mut narrow = config(directory.path(), &[("alice", &a)]);
    narrow.limits.sessions = 1;
    core.reload(&narrow).unwrap();
    let address = [127, 0, 0, 1].into();
    let guests: Vec<Guest> = (0..10).map(|_| core.arrive(address).unwrap()).collect();
    assert!(matches!(guests[0].login("alice", "wrong".into()).await, Err(Refusal::BadLogin)));
    let session = guests[1].login("alice", "a".into()).await.unwrap();
    assert_eq!(core.doorstep.len(), 9, "its place before the login is free");
    assert!(matches!(guests[2].login("alice", "a".into()).await, Err(Refusal::TooManySessions)));
    assert!(matches!(core.arrive(address), Err(Refusal::TooManySessions)));
    drop(session);
    assert!(guests[2].login("alice", "a".into()).await.is_ok());
}

#[tokio::test]
async fn who_has_to_go_is_told_and_who_is_in_never_is() {
    let (directory, core) = setting();
    let a = password("a") + "home = \"a\"";
    let mut narrow = config(directory.path(), &[("alice", &a)]);
    narrow.limits.half_open = 2;
    core.reload(&narrow).unwrap();
    let address = [127, 0, 0, 1].into();
    let inside = core.arrive(address).unwrap();
    let _session = inside.login("alice", "a".into()).await.unwrap();
    let guests: Vec<Guest> = (0..3).map(|_| core.arrive(address).unwrap()).collect();
    let waits = || std::future::pending::<()>();
    assert!(matches!(guests[0].within(waits()).await, Err(Refusal::Crowded)));
    assert_eq!(core.make_room(5), 2);
    for guest in &guests[1..] {
        guest.parting(waits()).await;
    }
    tokio::select! {
        biased;
        _ = inside.within(waits()) => panic!("it is logged in"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn everybody_comes_in_by_one_name_and_its_alias_if_there_is_such_an_account() {
    let (directory, core) = setting();
    for name in ["anonymous", "ftp"] {
        assert!(matches!(login(&core, name, "me@example.org").await, Err(Refusal::BadLogin)));
    }
    let f = password("f") + "home = \"f\"\naccess = \"write\"";
    let everybody = "home = \"pub\"\naccess = \"drop\"";
    core.reload(&config(directory.path(), &[("anonymous", everybody)])).unwrap();
    for (name, password) in [("anonymous", ""), ("anonymous", "x"), ("ftp", "me@example.org")] {
        assert_eq!(login(&core, name, password).await.unwrap().access(), crate::config::Access::Drop);
    }
    assert!(matches!(login(&core, "Anonymous", "").await, Err(Refusal::BadLogin)));

    // Whose name is really ftp is somebody.
    core.reload(&config(directory.path(), &[("anonymous", everybody), ("ftp", &f)])).unwrap();
    assert!(matches!(login(&core, "ftp", "x").await, Err(Refusal::BadLogin)));
    assert_eq!(login(&core, "ftp", "f").await.unwrap().access(), crate::config::Access::Write);
}

#[tokio::test]
async fn everybody_takes_a_place_like_anybody() {
    let (directory, core) = setting();
    let mut narrow = config(directory.path(), &[("anonymous", "home = \"pub\"")]);
    narrow.limits.sessions = 1;
    core.reload(&narrow).unwrap();
    let guests: Vec<Guest> = (0..2).map(|_| core.arrive([127, 0, 0, 1].into()).unwrap()).collect();
    let session = guests[0].login("anonymous", "".into()).await.unwrap();
    assert_eq!(core.doorstep.len(), 1, "its place before the login is free");
    assert!(matches!(guests[1].login("anonymous", "".into()).await, Err(Refusal::TooManySessions)));
    drop(session);
    assert!(guests[1].login("anonymous", "".into()).await.is_ok());
}

#[tokio::test]
async fn files_that_come_in_parts_are_bounded_for_an_account() {
    let (_directory, core) = setting();
    let mut sessions = Vec::new();
    for number in 0..8 {
        let mut session = login(&core, "alice", "a").await.unwrap();
        for other in 0..8 {
            let path = format!("{number}-{other}");
            session.assemble(path.as_bytes(), 1, Algorithm::Md5, None).await.unwrap();
        }
        sessions.push(session);
    }
    let mut one_more = login(&core, "alice", "a").await.unwrap();
    let refused = one_more.assemble(b"more", 1, Algorithm::Md5, None).await;
    assert!(matches!(refused, Err(Refusal::TooManyAssemblies)), "{refused:?}");
    sessions.pop().unwrap().end().await;
    one_more.assemble(b"more", 1, Algorithm::Md5, None).await.unwrap();
}

#[tokio::test]
async fn who_may_not_upload_any_more_ends_nothing_that_came_in_parts() {
    let (directory, core) = setting();
    let mut before = login(&core, "alice", "a").await.unwrap();
    let name = before.assemble(b"file", 0, Algorithm::Md5, None).await.unwrap();
    let a = password("a") + "home = \"a\"\nquota = \"1 MiB\"\naccess = \"read\"";
    core.reload(&config(directory.path(), &[("alice", &a)])).unwrap();
    let now = login(&core, "alice", "a").await.unwrap();
    let nothing = digest::Root::new(Algorithm::Md5).value();
    assert!(matches!(now.assembled(&name), Err(Refusal::NotPermitted(_))));
    assert!(matches!(now.leave(&name).await, Err(Refusal::NotPermitted(_))));
    let published = now.publish(&name, nothing, store::Attributes::default()).await;
    assert!(matches!(published, Err(Refusal::NotPermitted(_))));
    before.publish(&name, nothing, store::Attributes::default()).await.unwrap();
}
