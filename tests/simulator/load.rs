//! How often principals are asked whether a session is alive.

use std::rc::Rc;

use tollgate::port::poll_once;
use tollgate::time::Lifetime;

use super::colo::{Colo, EDGES, Weather};
use super::parties::{Opened, Party, use_call};
use super::{Worst, for_each_seed};

const GRAIN: Lifetime = Lifetime::from_seconds(15);

/// A lease ends two grains after the use, which came before the question: by as much as its request had waited for keys, the
/// next question may come sooner.
const WAITED: Lifetime = Lifetime::from_seconds(2);

/// Nothing is lost, and no answer takes longer than others wait for it.
const QUICK: Weather = Weather { slowest: 900, late_chores: 0, ..Weather::FAIR };

/// Many requests for two sessions, in bursts, over a minute and a half.
async fn crowd(colo: Rc<Colo>) -> usize {
    let party = Party::of(&colo, "ask").await;
    let tokens = [party.open(&colo, Opened::ByClient).await, party.open(&colo, Opened::ByPerson).await];
    colo.weather.set(QUICK);
    let mut requests = Vec::new();
    for _ in 0..30 {
        if colo.chance(50) {
            colo.evict(colo.some_edge());
        }
        for _ in 0..=colo.tasks.rng.below(12) {
            let token = &tokens[colo.tasks.rng.index(2)].access;
            requests.push(colo.request(colo.some_edge(), use_call(token)));
        }
        colo.sleep(colo.tasks.rng.millis(0, 6_000)).await;
    }
    let count = requests.len();
    for request in requests {
        if let Some((_, reply)) = request.join().await {
            assert_eq!(reply.status(), 200);
        }
    }
    count
}

/// Whether a request waits for it, or it is told afterwards.
#[test]
fn an_isolate_asks_about_a_session_at_most_once_a_grain() {
    for_each_seed("an_isolate_asks_about_a_session", 100, |seed| {
        let colo = Colo::new(seed);
        colo.play(crowd(Rc::clone(&colo)));
        let mut touches = colo.touches.borrow().clone();
        touches.sort();
        for pair in touches.windows(2) {
            let is_same = (pair[0].isolate, pair[0].session) == (pair[1].isolate, pair[1].session);
            let between = pair[1].asked_at.since(pair[0].asked_at);
            assert!(!is_same || between.plus(WAITED) > GRAIN, "asked again after {between:?}: {pair:?}");
        }
        Worst::new()
    });
}

/// One request after the other, at every edge, for ten grains.
async fn rush(colo: Rc<Colo>) {
    let party = Party::of(&colo, "ask").await;
    let token = party.open(&colo, Opened::ByClient).await.access;
    colo.weather.set(QUICK);
    let end = colo.now().after(GRAIN.times(10));
    while colo.now() < end {
        for edge in 0..EDGES {
            colo.request(edge, use_call(&token));
        }
        colo.sleep(colo.tasks.rng.millis(1, 500)).await;
    }
}

#[test]
fn under_load_an_edge_asks_once_a_grain_whatever_else_it_tells() {
    for_each_seed("under_load_an_edge_asks", 8, |seed| {
        let colo = Colo::new(seed);
        colo.play(rush(Rc::clone(&colo)));
        for edge in 0..EDGES {
            let asked = colo.touches.borrow().iter().filter(|touched| touched.edge == edge).count();
            assert!((9..=11).contains(&asked), "{asked} questions in ten grains");
        }
        Worst::new()
    });
}

#[test]
fn in_the_strict_mode_each_request_asks_once() {
    for_each_seed("in_the_strict_mode_each_request", 50, |seed| {
        let colo = Colo::strict(seed);
        let requests = colo.play({
            let colo = Rc::clone(&colo);
            async move {
                let party = Party::of(&colo, "idle").await;
                let token = party.open(&colo, Opened::ByClient).await.access;
                let count = 20 + colo.tasks.rng.index(20);
                let requests: Vec<_> =
                    (0..count).map(|_| colo.request(colo.some_edge(), use_call(&token))).collect();
                for request in requests {
                    assert_eq!(request.join().await.unwrap().1.status(), 200);
                }
                count
            }
        });
        assert_eq!(colo.touches.borrow().len(), requests);
        Worst::new()
    });
}

async fn within_the_grain(colo: Rc<Colo>) {
    let party = Party::of(&colo, "idle").await;
    let call = use_call(&party.open(&colo, Opened::ByClient).await.access);
    for edge in 0..EDGES {
        let (asked_at, reply) = colo.call(edge, &call).await;
        assert_eq!(reply.status(), 200);
        let asked = || colo.touches.borrow().iter().filter(|touched| touched.edge == edge).count();
        let before = asked();
        while colo.now() <= asked_at.after(GRAIN) {
            let at_once = poll_once(colo.call(edge, &call));
            assert_eq!(at_once.map(|(_, reply)| reply.status()), Some(200), "nothing is waited for");
            assert_eq!(asked(), before, "nobody is asked");
            colo.sleep(colo.tasks.rng.millis(0, 2_000)).await;
        }
    }
}

#[test]
fn within_the_grain_a_request_waits_for_nothing() {
    for_each_seed("within_the_grain_a_request", 50, |seed| {
        let colo = Colo::new(seed);
        colo.play(within_the_grain(Rc::clone(&colo)));
        Worst::new()
    });
}
