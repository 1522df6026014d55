//! Attempts on a clock that stands still until all wait.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::{JoinHandle, yield_now};
use tokio::time::sleep;

use super::*;

/// What a hash takes, here.
const HASH: Duration = Duration::from_millis(30);

fn source(number: u32) -> Source {
    Source::from(IpAddr::V4(Ipv4Addr::from_bits(number)))
}

/// An attempt that fails, waiting for nobody.
async fn fail(turnstile: &Arc<Turnstile>, from: u32, user: &str) {
    turnstile.turn(source(from), user, 0, 0.0).await.end(false);
}

/// What passed until an attempt had its turn; then it fails.
async fn waited(turnstile: &Arc<Turnstile>, from: u32, user: &str) -> u128 {
    let began = Instant::now();
    fail(turnstile, from, user).await;
    began.elapsed().as_millis()
}

/// Attempts that wait, in this order, behind one that has the only turn; and their order when it ends.
async fn order(turnstile: &Arc<Turnstile>, attempts: &[(u32, &'static str, u32)]) -> Vec<usize> {
    let busy = turnstile.turn(source(1000), "busy", 0, 0.0).await;
    let served = Arc::new(Mutex::new(Vec::new()));
    let waiting: Vec<JoinHandle<()>> = attempts
        .iter()
        .enumerate()
        .map(|(at, &(from, user, tries))| {
            let (turnstile, served) = (turnstile.clone(), served.clone());
            tokio::spawn(async move {
                let _turn = turnstile.turn(source(from), user, tries, 0.0).await;
                served.lock().unwrap().push(at);
            })
        })
        .collect();
    while turnstile.inside().waiting.len() < attempts.len() {
        yield_now().await;
    }
    sleep(Duration::from_secs(3)).await; // no gap is longer
    drop(busy);
    for waits in waiting {
        waits.await.unwrap();
    }
    Arc::into_inner(served).unwrap().into_inner().unwrap()
}

#[tokio::test(start_paused = true)]
async fn never_more_at_once_than_there_may_be() {
    let turnstile = Turnstile::new(3);
    let (busy, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let attempts: Vec<_> = (0..500)
        .map(|from| {
            let (turnstile, busy, peak) = (turnstile.clone(), busy.clone(), peak.clone());
            tokio::spawn(async move {
                let turn = turnstile.turn(source(from % 50), "alice", 0, 0.0).await;
                peak.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(HASH).await;
                busy.fetch_sub(1, Ordering::SeqCst);
                turn.end(from % 3 == 0);
            })
        })
        .collect();
    for (number, attempt) in attempts.into_iter().enumerate() {
        if number % 7 == 0 {
            attempt.abort(); // waiting, or having a turn
        }
        _ = attempt.await;
    }
    assert_eq!(peak.load(Ordering::SeqCst), 3);
    let inside = turnstile.inside();
    assert_eq!((inside.busy, inside.waiting.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_limit_can_change() {
    let turnstile = Turnstile::new(1);
    let _first = turnstile.turn(source(1), "a", 0, 0.0).await;
    let other = turnstile.clone();
    let second = tokio::spawn(async move { other.turn(source(2), "b", 0, 0.0).await });
    yield_now().await;
    assert!(!second.is_finished());
    turnstile.set_most(2);
    second.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_failed_least_comes_first_and_then_who_came_last() {
    let turnstile = Turnstile::new(1);
    fail(&turnstile, 1, "alice").await;
    fail(&turnstile, 1, "alice").await;
    fail(&turnstile, 2, "alice").await;
    fail(&turnstile, 3, "bob").await;
    let attempts = [
        (4, "alice", 0), // 0: new, and came first
        (1, "alice", 0), // 1: two for this user from here
        (2, "alice", 0), // 2: one
        (3, "alice", 0), // 3: none for this user, one from here
        (4, "bob", 1),   // 4: one in this session
        (4, "bob", 0),   // 5: new
        (5, "alice", 0), // 6: new, and came last
    ];
    assert_eq!(order(&turnstile, &attempts).await, [6, 5, 0, 4, 3, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn who_came_in_vain_comes_after_who_is_new() {
    let turnstile = Turnstile::new(1);
    let busy = turnstile.turn(source(1000), "busy", 0, 0.0).await;
    let new = turnstile.turn(source(1), "alice", 0, 0.0);
    let vain = turnstile.turn(source(2), "alice", 0, 3.0); // and came last
    let first = async {
        tokio::select! {
            biased;
            _turn = new => "new",
            _turn = vain => "vain",
        }
    };
    let (first, ()) = tokio::join!(first, async { drop(busy) });
    assert_eq!(first, "new");
}

#[tokio::test(start_paused = true)]
async fn one_address_is_slowed_down_more_and_more_and_then_forgiven() {
    let turnstile = Turnstile::new(2);
    let mut waits = Vec::new();
    for number in 0..10 {
        let user = format!("user-{number}"); // another each time: only the address is the same
        waits.push(waited(&turnstile, 7, &user).await);
    }
    // What failed a moment ago counts a little less than whole: each is a hair below 50 ms and its doubles.
    let steps = [0, 0, 0, 50, 100, 200, 400, 800, 1000, 1000];
    for (wait, step) in waits.iter().zip(steps) {
        assert!((step * 9 / 10..=step + 1).contains(wait), "{waits:?}");
    }
    assert_eq!(waited(&turnstile, 8, "user-1").await, 0, "another address");
    sleep(Duration::from_secs(180)).await;
    assert_eq!(waited(&turnstile, 7, "user-1").await, 0, "three minutes later");
}

#[tokio::test(start_paused = true)]
async fn one_user_from_one_address_waits_up_to_two_seconds() {
    let turnstile = Turnstile::new(2);
    let mut longest = 0;
    for _ in 0..20 {
        longest = longest.max(waited(&turnstile, 7, "alice").await);
    }
    assert!((1900..=2001).contains(&longest), "{longest}");
    assert!(waited(&turnstile, 7, "bob").await <= 1001, "another user from there");
}

#[tokio::test(start_paused = true)]
async fn nobody_elsewhere_keeps_a_user_out() {
    let turnstile = Turnstile::new(2);
    // A hundred addresses guess at alice's password, each again as soon as it may.
    let attackers: Vec<_> = (0..100)
        .map(|from| {
            let turnstile = turnstile.clone();
            tokio::spawn(async move {
                loop {
                    let turn = turnstile.turn(source(from), "alice", 0, 0.0).await;
                    sleep(HASH).await;
                    turn.end(false);
                }
            })
        })
        .collect();
    sleep(Duration::from_secs(30)).await;
    for _ in 0..20 {
        let began = Instant::now();
        let turn = turnstile.turn(source(1000), "alice", 0, 0.0).await;
        let waited = began.elapsed();
        assert!(waited <= USER + HASH, "waited {waited:?}");
        turn.end(true);
        sleep(Duration::from_millis(777)).await;
    }
    attackers.iter().for_each(JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_succeeds_clears_its_user_but_not_its_address() {
    let turnstile = Turnstile::new(1);
    for _ in 0..5 {
        fail(&turnstile, 7, "alice").await;
    }
    turnstile.turn(source(7), "alice", 0, 0.0).await.end(true);
    let now = Instant::now();
    let inside = turnstile.inside();
    let user = turnstile.names.hash_one("alice");
    assert_eq!(inside.pairs.count(&(source(7), user), now), 0.0);
    assert!(inside.addresses.count(&source(7), now) > 4.0);
    assert!(inside.users.count(&user, now) > 4.0);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_wait_any_more_is_forgotten_and_costs_nobody_a_turn() {
    let turnstile = Turnstile::new(1);
    let busy = turnstile.turn(source(1), "a", 0, 0.0).await;
    let turns: Vec<_> = (0..10)
        .map(|from| {
            let turnstile = turnstile.clone();
            tokio::spawn(async move { drop(turnstile.turn(source(from), "b", 0, 0.0).await) })
        })
        .collect();
    yield_now().await;
    turns.iter().skip(1).for_each(JoinHandle::abort);
    while turnstile.inside().waiting.len() > 1 {
        yield_now().await;
    }
    drop(busy);
    for turn in turns {
        _ = turn.await;
    }
    assert_eq!(turnstile.inside().busy, 0);
    // A turn that is given to who leaves at that very moment.
    let busy = turnstile.turn(source(1), "a", 0, 0.0).await;
    let mut leaving = Box::pin(turnstile.turn(source(2), "b", 0, 0.0));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(Future::poll(leaving.as_mut(), &mut context).is_pending());
    drop(busy);
    assert_eq!(turnstile.inside().busy, 1, "it has the turn");
    drop(leaving);
    assert_eq!(turnstile.inside().busy, 0);
}

#[tokio::test(start_paused = true)]
async fn a_name_of_any_length_costs_the_same_memory() {
    let turnstile = Turnstile::new(1);
    for number in 0..5000_u32 {
        fail(&turnstile, number, &format!("{number}{}", "x".repeat(1000))).await;
    }
    // Failures hold 4096 keys at most (their own tests), and a key is a number.
    assert_eq!(turnstile.inside().users.count(&turnstile.names.hash_one("0"), Instant::now()), 0.0);
    assert!(turnstile.inside().waiting.is_empty());
}
