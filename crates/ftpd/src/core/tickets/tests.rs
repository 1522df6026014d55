use std::time::Duration;

use super::super::tests::{config, login, password, setting};
use super::super::{Core, Session};
use super::*;

const HERE: [u8; 4] = [127, 0, 0, 1];

async fn enter(core: &Arc<Core>, address: [u8; 4], word: &[u8; 32]) -> Result<Session, Refusal> {
    core.arrive(address.into()).unwrap().enter(word).await
}

fn is_bad(entered: Result<Session, Refusal>) -> bool {
    matches!(entered, Err(Refusal::BadTicket))
}

#[tokio::test(start_paused = true)]
async fn a_ticket_lets_in_once_from_its_address_and_while_it_lasts() {
    let (_directory, core) = setting();
    let mut alice = login(&core, "alice", "a").await.unwrap();
    alice.mkdir(b"sub").await.unwrap();
    alice.cd(b"sub").await.unwrap();
    let (word, _) = alice.ticket().unwrap();
    alice.cd(b"/").await.unwrap();
    let second = enter(&core, HERE, &word).await.unwrap();
    assert_eq!(
        (second.user(), second.directory().unwrap().to_string().as_str()),
        ("alice", "/sub"),
        "where she was then"
    );
    assert_eq!(second.access(), alice.access());
    assert!(is_bad(enter(&core, HERE, &word).await), "once");

    let (word, _) = alice.ticket().unwrap();
    assert!(is_bad(enter(&core, [127, 0, 0, 2], &word).await));
    assert!(is_bad(enter(&core, HERE, &word).await), "who else has it has spoilt it");

    let (word, lasts) = alice.ticket().unwrap();
    tokio::time::advance(lasts).await;
    assert!(is_bad(enter(&core, HERE, &word).await), "too late");
    let (word, _) = alice.ticket().unwrap();
    tokio::time::advance(lasts - Duration::from_secs(5)).await;
    assert!(enter(&core, HERE, &word).await.is_ok());
    assert!(core.tickets.out().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_ticket_ends_with_the_session_that_gave_it() {
    let (_directory, core) = setting();
    let mut alice = login(&core, "alice", "a").await.unwrap();
    let words = [alice.ticket().unwrap().0, alice.ticket().unwrap().0];
    let mut second = enter(&core, HERE, &words[0]).await.unwrap();
    let (of_second, _) = second.ticket().unwrap();
    drop(alice);
    assert!(is_bad(enter(&core, HERE, &words[1]).await));
    assert!(enter(&core, HERE, &of_second).await.is_ok(), "that of a session that lives");
    drop(second);
    assert!(core.tickets.out().is_empty());
}

#[tokio::test(start_paused = true)]
async fn tickets_are_bounded_and_make_room_when_they_are_used_or_old() {
    let (_directory, core) = setting();
    let mut alice = login(&core, "alice", "a").await.unwrap();
    let words: Vec<_> = (0..OF_A_SESSION).map(|_| alice.ticket().unwrap().0).collect();
    for _ in 0..10_000 {
        assert!(matches!(alice.ticket(), Err(Refusal::TooManyTickets)));
    }
    assert_eq!(core.tickets.out().len(), OF_A_SESSION);
    assert!(enter(&core, HERE, &words[0]).await.is_ok(), "those that are out hold");
    alice.ticket().unwrap();
    assert!(alice.ticket().is_err());

    let account = core.rules().accounts.find("bob").unwrap().clone();
    let mut givers = Vec::new();
    for _ in 0..OF_AN_ACCOUNT / OF_A_SESSION {
        let mut giver = Giver::new(core.tickets.clone(), HERE.into());
        (0..OF_A_SESSION).for_each(|_| assert!(giver.give(&account, &HomePath::root()).is_ok()));
        givers.push(giver);
    }
    let mut one_more = Giver::new(core.tickets.clone(), HERE.into());
    assert!(matches!(one_more.give(&account, &HomePath::root()), Err(Refusal::TooManyTickets)));
    let mut another = login(&core, "alice", "a").await.unwrap();
    another.ticket().expect("bob has taken none of hers");
    drop(another);
    tokio::time::advance(LASTS).await;
    one_more.give(&account, &HomePath::root()).unwrap();
    assert_eq!(core.tickets.out().len(), 1, "the old ones are gone");
    alice.ticket().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_account_that_has_changed_takes_no_ticket_of_before() {
    let (directory, core) = setting();
    let hash = password("a");
    let a = |rest: &str| format!("{hash}home = \"a\"\nquota = \"1 MiB\"\n{rest}");
    let b = password("b") + "home = \"b\"";
    let write = a("access = \"write\"");
    let config = |lines: &str| config(directory.path(), &[("alice", lines), ("bob", &b)]);
    core.reload(&config(&write)).unwrap();
    let mut alice = login(&core, "alice", "a").await.unwrap();
    let mut ticket = || alice.ticket().unwrap().0;

    let word = ticket();
    core.reload(&config(&write)).unwrap();
    assert!(enter(&core, HERE, &word).await.is_ok(), "she is as she was");

    let other = password("other") + "home = \"a\"\nquota = \"1 MiB\"\naccess = \"write\"";
    let elsewhere = format!("{hash}home = \"c\"\nquota = \"1 MiB\"\naccess = \"write\"");
    for changed in [&other, &elsewhere, &a("access = \"read\"")] {
        core.reload(&config(&write)).unwrap();
        let word = ticket();
        core.reload(&config(changed)).unwrap();
        assert!(is_bad(enter(&core, HERE, &word).await), "{changed}");
    }
    let word = ticket();
    core.reload(&super::super::tests::config(directory.path(), &[("bob", &b)])).unwrap();
    assert!(is_bad(enter(&core, HERE, &word).await), "she is gone");
}

#[tokio::test(start_paused = true)]
async fn a_guess_waits_as_a_wrong_password_does_and_a_ticket_waits_for_nobody() {
    let (_directory, core) = setting();
    let mut alice = login(&core, "alice", "a").await.unwrap();
    let (word, _) = alice.ticket().unwrap();
    for number in 0..12 {
        assert!(is_bad(enter(&core, HERE, &[number; 32]).await));
    }
    let began = Instant::now();
    assert!(is_bad(enter(&core, HERE, &[99; 32]).await));
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    let began = Instant::now();
    assert!(enter(&core, HERE, &word).await.is_ok());
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert!(matches!(login(&core, "alice", "wrong").await, Err(Refusal::BadLogin)));
    assert!(began.elapsed() >= Duration::from_millis(500), "the address is known for its guesses");
}

#[tokio::test]
async fn a_place_is_needed_as_for_a_login() {
    let (directory, core) = setting();
    let a = password("a") + "home = \"a\"";
    let mut narrow = config(directory.path(), &[("alice", &a)]);
    narrow.limits.sessions_per_address = 2;
    core.reload(&narrow).unwrap();
    let guests: Vec<_> = (0..3).map(|_| core.arrive(HERE.into()).unwrap()).collect();
    let mut alice = guests[0].login("alice", "a".into()).await.unwrap();
    let [first, second] = [alice.ticket().unwrap().0, alice.ticket().unwrap().0];
    let _second = guests[1].enter(&first).await.unwrap();
    assert!(matches!(guests[2].enter(&second).await, Err(Refusal::TooManySessions)));
    assert_eq!(core.doorstep.len(), 1);
}

#[tokio::test]
async fn what_is_shown_of_tickets_tells_no_word() {
    let (_directory, core) = setting();
    let mut alice = login(&core, "alice", "a").await.unwrap();
    let (word, _) = alice.ticket().unwrap();
    let shown = format!("{core:?} {alice:?}");
    assert!(!shown.contains(&format!("{word:?}")) && shown.contains(&format!("{:?}", tag(&word))));
}
