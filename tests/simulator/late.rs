//! How long an edge lets a token pass after its principal has ended it.
//!
//! The end is the instant of the principal's step. Where edges ask, that is at most two grains. Where they read cut-offs, it is
//! what the write to KV takes, 60 s, and the 30 s that an isolate remembers.

use std::cell::RefCell;
use std::rc::Rc;

use tollgate::principal::cutoff_key;
use tollgate::time::{Lifetime, Timestamp};

use super::colo::{Colo, EDGES, Weather};
use super::kv;
use super::parties::{Ending, Opened, Party, use_call};
use super::{Worst, for_each_seed};

/// What an isolate remembers of cut-offs.
const KEPT: Lifetime = Lifetime::from_seconds(30);

type Passed = Rc<RefCell<Vec<Timestamp>>>;

/// Uses a token at one edge until `until`, whatever is answered.
async fn knock(colo: Rc<Colo>, edge: usize, access: String, until: Timestamp, passed: Passed) {
    while colo.now() < until {
        let busy = if colo.chance(500) { 600 } else { 6_000 };
        colo.sleep(colo.tasks.rng.millis(0, busy)).await;
        if colo.chance(5) {
            colo.evict(edge);
        }
        if let Some((at, reply)) = colo.request(edge, use_call(&access)).join().await
            && reply.status() == 200
        {
            passed.borrow_mut().push(at);
        }
    }
}

async fn play(
    colo: Rc<Colo>,
    realm: &'static str,
    opened: Opened,
    ending: Ending,
    weather: Weather,
) -> Worst {
    let mut party = Party::of(&colo, realm).await;
    let tokens = party.open(&colo, opened).await;
    let locator = match opened {
        Opened::ByClient => party.place_of_client(&colo).await,
        Opened::ByPerson => party.place(&colo),
    };
    let passed = Passed::default();
    let until = colo.now().after(Lifetime::from_seconds(170));
    let knocking: Vec<_> = (0..EDGES)
        .map(|edge| {
            let (task, access, passed) = (Rc::clone(&colo), tokens.access.clone(), Rc::clone(&passed));
            colo.tasks.spawn(None, knock(task, edge, access, until, passed))
        })
        .collect();
    colo.weather.set(weather);
    colo.sleep(colo.tasks.rng.millis(0, 40_000)).await;
    party.end(&colo, ending, &tokens).await;
    for task in knocking {
        task.join().await.unwrap();
    }
    let ended = colo.objects.endings.borrow().iter().find(|(_, place)| *place == locator).unwrap().0;
    let last = passed.borrow().iter().copied().filter(|at| *at > ended).max().unwrap_or(ended);
    if realm != "cut" {
        assert!(
            last.since(ended) <= Lifetime::from_seconds(30),
            "{ending:?}: {:?} after the end",
            last.since(ended)
        );
        return [("after the end, where edges ask", last.since(ended))].into();
    }
    let key = cutoff_key(&realm.parse().unwrap(), locator);
    let written = colo.kv.written(&key).into_iter().find(|at| *at >= ended).unwrap();
    let bound = kv::LATE.plus(KEPT);
    assert!(
        last <= written.after(bound),
        "{ending:?}: {:?} after the cut-off was there",
        last.since(written)
    );
    [
        ("after the cut-off was written", last.since(written)),
        ("after the end, where edges read cut-offs", last.since(ended)),
        ("until the cut-off was written", written.since(ended)),
    ]
    .into()
}

#[test]
fn attack_74_every_ending_reaches_every_edge_within_its_bound() {
    for_each_seed("attack_74_every_ending", 216, |seed| {
        let colo = Colo::new(seed);
        let realm = ["idle", "cut", "ask"][usize::try_from(seed % 3).unwrap()];
        let opened = if (seed / 3).is_multiple_of(2) { Opened::ByClient } else { Opened::ByPerson };
        let endings = Ending::of(opened);
        let ending = endings[usize::try_from(seed / 12).unwrap() % endings.len()];
        let weather = if (seed / 6).is_multiple_of(2) { Weather::FAIR } else { Weather::FOUL };
        colo.play(play(Rc::clone(&colo), realm, opened, ending, weather))
    });
}
