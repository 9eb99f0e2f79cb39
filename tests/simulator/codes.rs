//! Codes: one redemption counts, and reuse after the grace ends what it has issued.

use std::rc::Rc;

use super::colo::{Colo, Weather};
use super::parties::{Party, Tokens, use_call};
use super::{Worst, for_each_seed};
use tollgate::time::Lifetime;

async fn play(colo: Rc<Colo>, weather: Weather) {
    let party = Party::of(&colo, "ask").await;
    let code = party.code(&colo).await;
    colo.weather.set(weather);
    let mut requests = Vec::new();
    for _ in 0..50 {
        requests.push(colo.request(colo.some_edge(), party.code_call(&code)));
        colo.sleep(colo.tasks.rng.millis(0, 20)).await;
    }
    let mut won = Vec::new();
    for request in requests {
        let (_, reply) = request.join().await.unwrap();
        match reply.status() {
            200 => won.extend(Tokens::of(&reply)),
            400 => assert_eq!(reply.member("error"), "invalid_grant"),
            503 => assert!(weather.lost_answers > 0, "nothing was lost"),
            other => panic!("{other}"),
        }
    }
    assert!(won.len() <= 1, "{} redemptions of one code", won.len());
    colo.weather.set(Weather::FAIR);
    let Some(tokens) = won.pop() else {
        assert!(weather.lost_answers > 0, "nobody could redeem it");
        return;
    };
    let edge = colo.some_edge();
    assert_eq!(
        colo.call(edge, &use_call(&tokens.access)).await.1.status(),
        200,
        "the race has ended nothing"
    );
    // Whoever has it later has found it.
    colo.sleep(Lifetime::from_seconds(11)).await;
    let (_, reply) = colo.call(colo.some_edge(), &party.code_call(&code)).await;
    assert_eq!(reply.member("error"), "invalid_grant");
    let (_, reply) = colo.call(colo.some_edge(), &party.refresh_call(&tokens.refresh)).await;
    assert_eq!(reply.member("error"), "invalid_grant", "what it issued is over");
    colo.sleep(Lifetime::from_seconds(30)).await;
    assert_eq!(colo.call(edge, &use_call(&tokens.access)).await.1.status(), 401);
}

#[test]
fn attack_61_of_50_redemptions_of_one_code_one_counts_and_reuse_ends_what_it_issued() {
    for_each_seed("attack_61_of_50", 100, |seed| {
        let colo = Colo::new(seed);
        let weather = if seed.is_multiple_of(2) { Weather::FAIR } else { Weather::FOUL };
        colo.play(play(Rc::clone(&colo), weather));
        Worst::new()
    });
}
