//! Floods, one connection at a time.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::*;

fn source(number: u32) -> Source {
    Source::from(IpAddr::V4(Ipv4Addr::from_bits(number)))
}

/// Whether it was told to go; telling is heard once.
fn is_closed(place: &Place) -> bool {
    let mut closed = std::pin::pin!(place.closed());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    Future::poll(closed.as_mut(), &mut context).is_ready()
}

fn closed(places: &[Place]) -> Vec<usize> {
    (0..places.len()).filter(|at| is_closed(&places[*at])).collect()
}

#[test]
fn a_flood_from_one_address_closes_its_own_oldest() {
    let doorstep = Arc::new(Doorstep::default());
    let mut places: Vec<Place> = [1, 2, 3, 2].map(|from| doorstep.enter(source(from), 4)).into();
    assert_eq!(closed(&places), [0; 0]);
    for oldest in [1, 3, 4, 5] {
        places.push(doorstep.enter(source(2), 4));
        assert_eq!(closed(&places), [oldest]);
    }
    assert_eq!(doorstep.len(), 4);
}

#[test]
fn of_many_addresses_with_as_many_the_oldest_goes() {
    let doorstep = Arc::new(Doorstep::default());
    let mut places: Vec<Place> = (0..4).map(|from| doorstep.enter(source(from), 4)).collect();
    for newcomer in 4..100 {
        places.push(doorstep.enter(source(newcomer), 4));
        assert_eq!(closed(&places), [newcomer as usize - 4]);
    }
}

#[test]
fn who_waits_for_the_answer_to_a_login_stays_in_a_flood_of_silence() {
    let doorstep = Arc::new(Doorstep::default());
    let asking = doorstep.enter(source(1), 8);
    asking.asks(source(1));
    let flood: Vec<Place> = (2..1000).map(|from| doorstep.enter(source(from), 8)).collect();
    assert!(!is_closed(&asking));
    assert_eq!(closed(&flood).len(), flood.len() - 7);
}

#[test]
fn a_flood_of_logins_leaves_half_of_the_places() {
    let doorstep = Arc::new(Doorstep::default());
    let enter = |from| doorstep.enter(source(from), 8);
    let flood: Vec<Place> = (2..1000)
        .map(|from| {
            let place = enter(from);
            place.asks(source(from));
            place
        })
        .collect();
    let closed_before = closed(&flood).len();
    let newcomers: Vec<Place> = (1001..=1004).map(enter).collect();
    assert_eq!((doorstep.len(), closed(&newcomers).len()), (8, 0));
    assert_eq!(closed_before + closed(&flood).len(), flood.len() - 4);
}

#[test]
fn who_came_in_vain_before_goes_before_who_is_new() {
    let doorstep = Arc::new(Doorstep::default());
    let enter = |from| {
        let place = doorstep.enter(source(from), 8);
        place.asks(source(from));
        place
    };
    // Twenty addresses that ask again as soon as they are closed, and one that asks for the first time.
    let mut flood: Vec<Place> = (0..20).map(enter).collect();
    let asking = enter(1000);
    for round in 0..1000 {
        let at = round % flood.len();
        flood[at] = enter(at as u32);
        assert!(!is_closed(&asking), "{round}");
    }
    // Who logs in has not come in vain.
    let before = doorstep.table().vain.count(&source(1000), Instant::now());
    asking.leave();
    drop(asking);
    assert_eq!((before, doorstep.table().vain.count(&source(1000), Instant::now())), (0.0, 0.0));
}

#[test]
fn places_come_back() {
    let doorstep = Arc::new(Doorstep::default());
    let first = doorstep.enter(source(1), 2);
    let second = doorstep.enter(source(1), 2);
    second.asks(source(1));
    second.leave();
    second.asks(source(1)); // is in, and asks for nothing
    drop(first);
    assert_eq!(doorstep.len(), 0);
    let third = doorstep.enter(source(1), 1);
    assert_eq!(doorstep.close(5), 1);
    assert!(is_closed(&third) && !is_closed(&second));
    assert_eq!(doorstep.close(5), 0);
    let table = doorstep.table();
    for row in [&table.silent, &table.asking] {
        assert!(row.of_source.is_empty() && row.ranks.is_empty(), "{row:?}");
    }
}

proptest! {
    /// Whatever comes and goes: never more than there may be, a newcomer stays, and nothing is left behind.
    #[test]
    fn the_newest_is_never_the_one_to_go(
        most in 1_usize..6,
        events in prop::collection::vec((0_u32..4, 0_usize..8, 0..3), 1..60),
    ) {
        let doorstep = Arc::new(Doorstep::default());
        let mut places = Vec::<Place>::new();
        for (from, at, what) in events {
            match what {
                0 if at < places.len() => drop(places.remove(at)),
                1 if at < places.len() => _ = places[at].asks(source(0)),
                _ => {
                    places.push(doorstep.enter(source(from), most));
                    prop_assert!(!is_closed(places.last().unwrap()));
                }
            }
            prop_assert!(doorstep.len() <= most);
        }
        places.clear();
        let table = doorstep.table();
        for row in [&table.silent, &table.asking] {
            prop_assert!(row.standing.is_empty() && row.of_source.is_empty() && row.ranks.is_empty());
        }
    }
}
