//! Refresh tokens: one successor, and never two that live.

use std::cell::RefCell;
use std::rc::Rc;

use tollgate::principal::Kind;

use super::colo::{Colo, Weather};
use super::parties::{Opened, Party, Tokens};
use super::{Worst, for_each_seed};

/// How many refresh tokens nobody has redeemed.
fn unspent(colo: &Colo) -> usize {
    colo.objects.texts(Kind::Refresh).iter().filter(|text| text.contains(r#""spent":null"#)).count()
}

fn opened(seed: u64) -> Opened {
    if (seed / 2).is_multiple_of(2) { Opened::ByClient } else { Opened::ByPerson }
}

fn weather(seed: u64) -> Weather {
    if seed.is_multiple_of(2) { Weather::FAIR } else { Weather::FOUL }
}

async fn together(colo: Rc<Colo>, weather: Weather, opened: Opened) {
    let party = Party::of(&colo, "ask").await;
    let first = party.open(&colo, opened).await;
    colo.weather.set(weather);
    let mut requests = Vec::new();
    for _ in 0..50 {
        requests.push(colo.request(colo.some_edge(), party.refresh_call(&first.refresh)));
        colo.sleep(colo.tasks.rng.millis(0, 20)).await;
    }
    let mut successors = Vec::new();
    for request in requests {
        let (_, reply) = request.join().await.unwrap();
        match reply.status() {
            200 => successors.extend(Tokens::of(&reply).map(|tokens| tokens.refresh)),
            400 => assert_eq!(reply.member("error"), "invalid_grant"),
            503 => assert!(weather.lost_answers > 0, "nothing was lost"),
            other => panic!("{other}"),
        }
    }
    successors.sort();
    successors.dedup();
    assert!(successors.len() <= 1, "{} successors of one token", successors.len());
    assert_eq!(unspent(&colo), 1, "one refresh token lives");
    colo.weather.set(Weather::FAIR);
    match successors.pop() {
        Some(successor) => {
            let (_, reply) = colo.call(colo.some_edge(), &party.refresh_call(&successor)).await;
            assert_eq!(reply.status(), 200, "the successor counts");
        }
        None => assert!(weather.lost_answers > 0, "nobody was told"),
    }
}

#[test]
fn attack_62_of_50_refreshes_with_one_token_there_is_one_successor() {
    for_each_seed("attack_62_of_50", 100, |seed| {
        let colo = Colo::new(seed);
        colo.play(together(Rc::clone(&colo), weather(seed), opened(seed)));
        Worst::new()
    });
}

/// Several who hold the same token go on from it, each with what it was told last, some of them slowly.
async fn apart(colo: Rc<Colo>, weather: Weather, opened: Opened) {
    let party = Party::of(&colo, "ask").await;
    let first = party.open(&colo, opened).await;
    colo.weather.set(weather);
    let newest = Rc::new(RefCell::new(first.refresh.clone()));
    let mut holders = Vec::new();
    for _ in 0..4 {
        let (task, party, newest) = (Rc::clone(&colo), party.clone(), Rc::clone(&newest));
        let mut held = first.refresh.clone();
        holders.push(colo.tasks.spawn(None, async move {
            for _ in 0..5 {
                let gap = if task.chance(200) { 14_000 } else { 1_500 };
                task.sleep(task.tasks.rng.millis(0, gap)).await;
                if task.chance(300) {
                    held.clone_from(&newest.borrow());
                }
                let request = task.request(task.some_edge(), party.refresh_call(&held));
                let (_, reply) = request.join().await.unwrap();
                if let Some(tokens) = Tokens::of(&reply) {
                    held = tokens.refresh;
                    newest.borrow_mut().clone_from(&held);
                }
                assert!(unspent(&task) <= 1, "two refresh tokens live");
            }
        }));
    }
    for holder in holders {
        holder.join().await.unwrap();
    }
}

#[test]
fn attack_62_owner_and_thief_never_hold_two_refresh_tokens_that_live() {
    for_each_seed("attack_62_owner_and_thief", 200, |seed| {
        let colo = Colo::new(seed);
        colo.play(apart(Rc::clone(&colo), weather(seed), opened(seed)));
        Worst::new()
    });
}
