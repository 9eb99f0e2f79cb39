//! Idle expiry: never early, at most two grains late, whatever is slow or lost.
//!
//! What an outsider sees is a list of requests: when each came, and whether it passed (a use), was refused, or nobody can know
//! (503, or its isolate ended). From that alone:
//!
//! - *late*: a request passes at most *i* + 2*g* after the last that may have been a use;
//! - *early*: where one is refused, some request really came later than *i* after the last use.

use std::cell::RefCell;
use std::rc::Rc;

use tollgate::time::{Lifetime, Timestamp};

use super::colo::{Colo, Weather};
use super::parties::{Opened, Party, use_call};
use super::{Worst, for_each_seed};

const IDLE: Lifetime = Lifetime::from_seconds(60);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Came {
    Passed,
    Refused,
    Unknown,
}

type Seen = Rc<RefCell<Vec<(Timestamp, Came)>>>;

/// A while until the next request: a moment, some grains, or about the limit.
fn gap(colo: &Colo, grain: Lifetime) -> Lifetime {
    let rng = &colo.tasks.rng;
    let (idle, late) = (IDLE.as_millis(), grain.as_millis());
    match rng.below(10) {
        0..=2 => rng.millis(0, 3_000),
        3..=5 => rng.millis(0, 2 * late + 1_000),
        6 => rng.millis(idle - late, idle + 100),
        7 => rng.millis(idle, idle + 2 * late + 2_000),
        8 => rng.millis(idle + 2 * late - 100, idle + 2 * late + 100),
        _ => rng.millis(0, 2 * idle),
    }
}

async fn play(colo: Rc<Colo>, grain: Lifetime) -> Seen {
    let party = Party::of(&colo, "idle").await;
    let tokens = party.open(&colo, Opened::ByClient).await;
    let seen = Seen::default();
    // Issuing the token is the first use, as late as its answer.
    seen.borrow_mut().push((colo.now(), Came::Unknown));
    colo.weather.set(Weather::FOUL);
    let mut requests = Vec::new();
    let after_end = colo.tasks.rng.below(4);
    for _ in 0..40 {
        colo.sleep(gap(&colo, grain)).await;
        if colo.chance(60) {
            colo.evict(colo.some_edge());
        }
        let edges = if colo.chance(150) { 3 } else { 1 };
        for _ in 0..edges {
            let (colo, seen, call) = (Rc::clone(&colo), Rc::clone(&seen), use_call(&tokens.access));
            requests.push(colo.tasks.spawn(None, {
                let colo = Rc::clone(&colo);
                async move {
                    let came_at = colo.now();
                    let request = colo.request(colo.some_edge(), call);
                    let (at, came) = match request.join().await {
                        Some((at, reply)) => match reply.status() {
                            200 => (at, Came::Passed),
                            401 => (at, Came::Refused),
                            503 => (at, Came::Unknown),
                            other => panic!("{other}"),
                        },
                        None => (came_at.after(Lifetime::from_millis(50)), Came::Unknown),
                    };
                    seen.borrow_mut().push((at, came));
                }
            }));
        }
        let refused = seen.borrow().iter().filter(|(_, came)| *came == Came::Refused).count();
        if refused > usize::try_from(after_end).unwrap() + 3 {
            break;
        }
    }
    for request in requests {
        request.join().await.unwrap();
    }
    seen
}

/// Checks what was seen, and says how late and how soon it came to the end.
fn judge(seen: &Seen, grain: Lifetime) -> Worst {
    let mut all = seen.borrow().clone();
    all.sort_by_key(|(at, _)| *at);
    let last = |at: Timestamp, counts: fn(Came) -> bool| {
        all.iter().filter(|(used, came)| *used < at && counts(*came)).map(|(used, _)| *used).max()
    };
    let mut worst = Worst::new();
    let mut note = |what, span: Lifetime| {
        let known = worst.entry(what).or_default();
        *known = span.max(*known);
    };
    let over = |at: Timestamp| last(at, |came| came == Came::Passed).is_none_or(|used| at.since(used) > IDLE);
    for (at, came) in &all {
        match came {
            Came::Passed => {
                let used = last(*at, |came| came != Came::Refused).unwrap();
                let unused = at.since(used);
                assert!(unused <= IDLE.plus(grain.times(2)), "late: unused for {unused:?}, and passed");
                note("passed after the limit", unused.minus(IDLE));
            }
            Came::Refused => {
                // Whoever came last may have been overtaken by one who came after the limit.
                let is_due = all
                    .iter()
                    .any(|(other, _)| *other <= at.after(Lifetime::from_seconds(10)) && over(*other));
                assert!(
                    is_due,
                    "early: refused at {at:?}, used at {:?}",
                    last(*at, |came| came == Came::Passed)
                );
            }
            Came::Unknown => {}
        }
    }
    worst
}

#[test]
fn idle_expiry_is_never_early_and_at_most_two_grains_late() {
    let worst = for_each_seed("idle_expiry_is_never_early", 80, |seed| {
        let colo = Colo::new(seed);
        let seen = colo.play(play(Rc::clone(&colo), Lifetime::from_seconds(15)));
        judge(&seen, Lifetime::from_seconds(15))
    });
    assert!(worst["passed after the limit"] <= Lifetime::from_seconds(30));
}

#[test]
fn idle_expiry_is_exact_where_every_request_asks() {
    let worst = for_each_seed("idle_expiry_is_exact", 40, |seed| {
        let colo = Colo::strict(seed);
        let seen = colo.play(play(Rc::clone(&colo), Lifetime::ZERO));
        judge(&seen, Lifetime::ZERO)
    });
    assert_eq!(worst["passed after the limit"], Lifetime::ZERO);
}
