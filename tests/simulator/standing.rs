//! Standing grants against whatever ends a client: edges that have not heard of it open sessions on, and none of them lives.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use tollgate::encoding::from_base64url;
use tollgate::time::Lifetime;

use super::colo::{Colo, EDGES, Weather};
use super::parties::{Ending, Party, Tokens, use_call};
use super::{Worst, for_each_seed};
use crate::fakes::Reply;

/// An access token, and whether it is of the client as it was before its end.
#[derive(Clone, Debug)]
struct Held {
    access: String,
    is_old: bool,
}

type Told = Rc<RefCell<Vec<Held>>>;

/// Roles are what changes where the client itself stays as it is.
fn held(reply: &Reply) -> Option<Held> {
    let access = (reply.status() == 200).then(|| reply.member("access_token"))?;
    let claims = from_base64url(access.split('.').nth(1).unwrap()).unwrap();
    let is_old = serde_json::from_slice::<Value>(&claims).unwrap()["roles"] == json!(["owner"]);
    Some(Held { access, is_old })
}

/// Asks for tokens one after the other at any edge, with what the client had before the end, and uses some of them.
async fn ask(colo: Rc<Colo>, party: Party, told: Told) {
    for _ in 0..8 {
        colo.sleep(colo.tasks.rng.millis(0, 1_500)).await;
        if colo.chance(30) {
            colo.evict(colo.some_edge());
        }
        let (_, reply) = colo.call(colo.some_edge(), &party.credentials_call()).await;
        let Some(held) = held(&reply) else { continue };
        told.borrow_mut().push(held.clone());
        if colo.chance(500) {
            colo.call(colo.some_edge(), &use_call(&held.access)).await;
        }
    }
}

async fn play(colo: Rc<Colo>, ending: Ending, weather: Weather) {
    let mut party = Party::plain(&colo, "ask").await;
    let before = party.clone();
    let told = Told::default();
    let (_, reply) = colo.call(colo.some_edge(), &party.credentials_call()).await;
    let first = held(&reply).unwrap();
    told.borrow_mut().push(first.clone());
    let asking: Vec<_> = (0..4)
        .map(|_| colo.tasks.spawn(None, ask(Rc::clone(&colo), before.clone(), Rc::clone(&told))))
        .collect();
    colo.weather.set(weather);
    colo.sleep(colo.tasks.rng.millis(0, 6_000)).await;
    party.end(&colo, ending, &Tokens { access: first.access.clone(), refresh: String::new() }).await;
    // What comes from now on, of the client as it was, is refused when it is first used.
    let known = told.borrow().len();
    for task in asking {
        task.join().await.unwrap();
    }
    colo.weather.set(Weather::FAIR);
    let (old, late) = (told.borrow().clone(), told.borrow()[known..].to_vec());
    let dies = |held: &Held| match ending {
        Ending::RevokedAccess => held.access == first.access,
        _ => held.is_old,
    };
    for held in late.iter().filter(|held| dies(held)) {
        let (_, reply) = colo.call(colo.some_edge(), &use_call(&held.access)).await;
        assert_eq!(reply.status(), 401, "{ending:?}: what came after the end lives");
    }
    let mut wait = Lifetime::from_millis(30_001);
    for round in 0..4 {
        colo.sleep(wait).await;
        for held in old.iter().filter(|held| dies(held)) {
            for edge in 0..EDGES {
                let (_, reply) = colo.call(edge, &use_call(&held.access)).await;
                assert_eq!(reply.status(), 401, "{ending:?}: it lives at edge {edge}, round {round}");
            }
        }
        if round == 0 {
            for held in old.iter().filter(|held| !dies(held)) {
                let (_, reply) = colo.call(colo.some_edge(), &use_call(&held.access)).await;
                assert_eq!(reply.status(), 200, "{ending:?}: what has not ended lives");
            }
        }
        wait = colo.tasks.rng.millis(0, 200_000);
    }
}

#[test]
fn attack_62_standing_grants_against_every_ending_leave_no_token_that_lives() {
    for_each_seed("attack_62_standing_grants_against_every_ending", 300, |seed| {
        const ENDINGS: [Ending; 4] =
            [Ending::ClientDeleted, Ending::ClientRoles, Ending::NewSecret, Ending::RevokedAccess];
        let colo = Colo::new(seed);
        let ending = ENDINGS[usize::try_from(seed % 4).unwrap()];
        let weather = if (seed / 4).is_multiple_of(2) { Weather::FAIR } else { Weather::FOUL };
        colo.play(play(Rc::clone(&colo), ending, weather));
        Worst::new()
    });
}
