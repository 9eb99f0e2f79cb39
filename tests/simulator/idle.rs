//! Idle expiry: never early, at most two grains late, whatever is slow or lost.
//!
//! What an outsider sees is a list of requests: when each came, and whether it passed (a use), was refused, or nobody can know
//! (503, or its isolate ended). From that alone:
//!
//! - *late*: a request passes at most *i* + 2*g* after the last that may have been a use;
//! - *early*: where one is refused, some request really came later than *i* after the last use.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tollgate::time::{Lifetime, Timestamp};

use super::colo::{Colo, Weather};
use super::parties::{Opened, Party, use_call};
use super::{Worst, for_each_seed};
use crate::fakes::Call;

const IDLE: Lifetime = Lifetime::from_seconds(60);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Came {
    Passed,
    Refused,
    Unknown,
}

/// When it came, when it was answered, and what became of it.
type Seen = Rc<RefCell<Vec<(Timestamp, Timestamp, Came)>>>;

/// A while until the next request: a moment, as long as memory may answer, or about the limit.
fn gap(colo: &Colo, grain: Lifetime) -> Lifetime {
    let rng = &colo.tasks.rng;
    let (idle, late) = (IDLE.as_millis(), grain.as_millis());
    match rng.below(12) {
        0..=2 => rng.millis(0, 3_000),
        3..=6 => rng.millis(late, 2 * late + 100),
        7 => rng.millis(0, 2 * idle),
        8 => rng.millis(idle - late, idle + 100),
        9 => rng.millis(idle - 1_000, idle + 100),
        10 => rng.millis(idle, idle + 2 * late + 2_000),
        _ => rng.millis(idle + 2 * late - 100, idle + 2 * late + 100),
    }
}

/// Makes one request, and notes what became of it, its isolate's end too.
async fn come(colo: Rc<Colo>, call: Call, seen: Seen) {
    let (edge, came_at) = (colo.some_edge(), Rc::new(Cell::new(None)));
    let (task, noted) = (Rc::clone(&colo), Rc::clone(&came_at));
    let request = colo.tasks.spawn(Some(edge), async move {
        noted.set(Some(task.now()));
        task.call(edge, &call).await.1.status()
    });
    let came = match request.join().await {
        Some(200) => Came::Passed,
        Some(401) => Came::Refused,
        Some(503) | None => Came::Unknown,
        Some(other) => panic!("{other}"),
    };
    if let Some(at) = came_at.get() {
        seen.borrow_mut().push((at, colo.now(), came));
    }
}

async fn play(colo: Rc<Colo>, grain: Lifetime) -> Seen {
    // A session that its principal has opened, or one that an edge has opened under a standing grant.
    let access = if colo.chance(500) {
        Party::of(&colo, "idle").await.open(&colo, Opened::ByClient).await.access
    } else {
        let party = Party::plain(&colo, "idle").await;
        colo.call(0, &party.credentials_call()).await;
        colo.sleep(colo.tasks.rng.millis(0, 10_000)).await;
        colo.call(0, &party.credentials_call()).await.1.member("access_token")
    };
    let seen = Seen::default();
    let (at, reply) = colo.call(0, &use_call(&access)).await;
    assert_eq!(reply.status(), 200);
    seen.borrow_mut().push((at, colo.now(), Came::Passed));
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
            requests
                .push(colo.tasks.spawn(None, come(Rc::clone(&colo), use_call(&access), Rc::clone(&seen))));
        }
        let refused = seen.borrow().iter().filter(|(.., came)| *came == Came::Refused).count();
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
    all.sort_by_key(|(at, ..)| *at);
    let last = |at: Timestamp, counts: fn(Came) -> bool| {
        all.iter().filter(|(used, _, came)| *used < at && counts(*came)).map(|(used, ..)| *used).max()
    };
    let mut worst = Worst::new();
    let mut note = |what, span: Lifetime| {
        let known = worst.entry(what).or_default();
        *known = span.max(*known);
    };
    let over =
        |at: Timestamp| last(at, |came| came == Came::Passed).is_some_and(|used| at.since(used) > IDLE);
    for (at, answered_at, came) in &all {
        match came {
            Came::Passed => {
                // The first has none before it.
                let used = last(*at, |came| came != Came::Refused).unwrap_or(*at);
                let unused = at.since(used);
                assert!(unused <= IDLE.plus(grain.times(2)), "late: unused for {unused:?}, and passed");
                note("passed after the limit", unused.minus(IDLE));
            }
            Came::Refused => {
                // Whoever came last may have been overtaken by one who came after the limit.
                let is_due = all.iter().any(|(other, ..)| other <= answered_at && over(*other));
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
    let worst = for_each_seed("idle_expiry_is_never_early", 250, |seed| {
        let colo = Colo::new(seed);
        let seen = colo.play(play(Rc::clone(&colo), Lifetime::from_seconds(15)));
        judge(&seen, Lifetime::from_seconds(15))
    });
    assert!(worst["passed after the limit"] <= Lifetime::from_seconds(30));
}

#[test]
fn idle_expiry_is_exact_where_every_request_asks() {
    let worst = for_each_seed("idle_expiry_is_exact", 100, |seed| {
        let colo = Colo::strict(seed);
        let seen = colo.play(play(Rc::clone(&colo), Lifetime::ZERO));
        judge(&seen, Lifetime::ZERO)
    });
    assert_eq!(worst["passed after the limit"], Lifetime::ZERO);
}
