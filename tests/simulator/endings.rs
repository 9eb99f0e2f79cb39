//! Refresh, and redemption, against whatever ends a session: no order of events leaves a token that lives.

use std::cell::RefCell;
use std::rc::Rc;

use tollgate::time::Lifetime;

use super::colo::{Colo, EDGES, Weather};
use super::parties::{Ending, Opened, Party, Tokens, use_call};
use super::{Worst, for_each_seed};

/// Every token that anybody was ever told of.
type Told = Rc<RefCell<Vec<Tokens>>>;

/// Refreshes from the newest token that is known, or from one that is a little older, and uses what comes of it.
async fn refresh(colo: Rc<Colo>, party: Party, told: Told) {
    for _ in 0..3 {
        colo.sleep(colo.tasks.rng.millis(0, 1_500)).await;
        let (newest, oldest) = (told.borrow().len() - 1, told.borrow().len().saturating_sub(2));
        let held = told.borrow()[if colo.chance(800) { newest } else { oldest }].clone();
        let (_, reply) = colo.call(colo.some_edge(), &party.refresh_call(&held.refresh)).await;
        if let Some(tokens) = Tokens::of(&reply) {
            told.borrow_mut().push(tokens.clone());
            colo.call(colo.some_edge(), &use_call(&tokens.access)).await;
        }
    }
}

/// Asks for another session, with what the client and the person had before the end.
async fn open(colo: Rc<Colo>, party: Party, opened: Opened, code: String, told: Told) {
    colo.sleep(colo.tasks.rng.millis(0, 4_000)).await;
    let call = match opened {
        Opened::ByClient => party.credentials_call(),
        Opened::ByPerson => party.code_call(&code),
    };
    let (_, reply) = colo.call(colo.some_edge(), &call).await;
    told.borrow_mut().splice(0..0, Tokens::of(&reply));
}

async fn play(colo: Rc<Colo>, realm: &'static str, opened: Opened, ending: Ending, weather: Weather) {
    let mut party = Party::of(&colo, realm).await;
    let first = party.open(&colo, opened).await;
    let told: Told = Rc::new(RefCell::new(vec![first.clone()]));
    let mut tasks = Vec::new();
    for _ in 0..4 {
        tasks.push(colo.tasks.spawn(None, refresh(Rc::clone(&colo), party.clone(), Rc::clone(&told))));
    }
    let opens = match opened {
        // Other roles of a client end its sessions, and it may open more.
        Opened::ByClient => matches!(ending, Ending::ClientDeleted | Ending::NewSecret),
        Opened::ByPerson => !ending.is_of_one(),
    };
    if opens {
        for _ in 0..2 {
            let code = party.code(&colo).await;
            let others = open(Rc::clone(&colo), party.clone(), opened, code, Rc::clone(&told));
            tasks.push(colo.tasks.spawn(None, others));
        }
    }
    colo.weather.set(weather);
    colo.sleep(colo.tasks.rng.millis(0, 4_000)).await;
    party.end(&colo, ending, &first).await;
    for task in tasks {
        task.join().await.unwrap();
    }
    colo.weather.set(Weather::FAIR);
    while colo.objects.has_unpublished() {
        colo.sleep(Lifetime::from_seconds(1)).await;
    }
    let bound = if realm == "cut" { 90_001 } else { 30_001 };
    colo.sleep(Lifetime::from_millis(bound)).await;
    let told = told.borrow().clone();
    for tokens in told {
        for edge in 0..EDGES {
            let (_, reply) = colo.call(edge, &use_call(&tokens.access)).await;
            assert_eq!(reply.status(), 401, "{ending:?}: an access token lives at edge {edge}");
        }
        let (_, reply) = colo.call(colo.some_edge(), &party.refresh_call(&tokens.refresh)).await;
        assert!(matches!(reply.status(), 400 | 401), "{ending:?}: a refresh token lives: {reply:?}");
    }
}

#[test]
fn attack_62_refresh_against_every_ending_leaves_no_token_that_lives() {
    for_each_seed("attack_62_refresh_against_every_ending", 800, |seed| {
        let colo = Colo::new(seed);
        let realm = if seed.is_multiple_of(2) { "ask" } else { "cut" };
        let opened = if (seed / 2).is_multiple_of(2) { Opened::ByClient } else { Opened::ByPerson };
        let weather = if (seed / 4).is_multiple_of(2) { Weather::FAIR } else { Weather::FOUL };
        let endings = Ending::of(opened);
        let ending = endings[usize::try_from(seed / 8).unwrap() % endings.len()];
        colo.play(play(Rc::clone(&colo), realm, opened, ending, weather));
        Worst::new()
    });
}
