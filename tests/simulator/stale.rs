//! Copies in KV that are late, an absence too, and writes that KV refuses.

use std::rc::Rc;

use tollgate::time::Lifetime;

use super::colo::{Colo, EDGES, Weather};
use super::parties::{Ending, Opened, Party, use_call};
use super::{Worst, for_each_seed, kv};

/// Whoever looks for a client before the edge has heard of it is refused, and no longer than KV is late.
async fn newcomer(colo: Rc<Colo>) -> Worst {
    let party = Party::register(&colo, "ask").await;
    let known_at = colo.now();
    let mut late = Lifetime::ZERO;
    while colo.now() <= known_at.after(kv::LATE.plus(Lifetime::from_seconds(20))) {
        let (at, reply) = colo.call(colo.some_edge(), &party.credentials_call()).await;
        match reply.status() {
            200 => {}
            401 => {
                assert_eq!(reply.member("error"), "invalid_client");
                late = late.max(at.since(known_at));
            }
            other => panic!("{other}"),
        }
        colo.sleep(colo.tasks.rng.millis(0, 3_000)).await;
    }
    assert!(late <= kv::LATE, "refused {late:?} after it was registered");
    [("a client was not known", late)].into()
}

#[test]
fn attack_74_an_absence_that_an_edge_remembers_refuses_a_client_for_60_s_at_most() {
    for_each_seed("attack_74_an_absence", 100, |seed| {
        let colo = Colo::new(seed);
        colo.play(newcomer(Rc::clone(&colo)))
    });
}

/// The copy of a client outlives it at every edge. No token comes of that: its principal is asked.
async fn ghost(colo: Rc<Colo>, ending: Ending) {
    let mut party = Party::of(&colo, "ask").await;
    let before = party.clone();
    let tokens = party.open(&colo, Opened::ByClient).await;
    for edge in 0..EDGES {
        assert_eq!(colo.call(edge, &before.credentials_call()).await.1.status(), 200);
    }
    party.end(&colo, ending, &tokens).await;
    for _ in 0..20 {
        for call in [before.credentials_call(), before.refresh_call(&tokens.refresh)] {
            let (_, reply) = colo.call(colo.some_edge(), &call).await;
            // Too many wrong attempts are refused unread.
            assert!(matches!(reply.status(), 401 | 429), "{reply:?}");
        }
        colo.sleep(colo.tasks.rng.millis(0, 6_000)).await;
    }
}

#[test]
fn attack_74_a_copy_of_a_client_that_is_gone_or_has_another_secret_gives_no_token() {
    for_each_seed("attack_74_a_copy_of_a_client", 100, |seed| {
        let colo = Colo::new(seed);
        let ending = if seed.is_multiple_of(2) { Ending::ClientDeleted } else { Ending::NewSecret };
        colo.play(ghost(Rc::clone(&colo), ending));
        Worst::new()
    });
}

/// Sessions of one principal are revoked at once: more writes than KV takes for one key. Whoever gets 503 gives up.
async fn flood(colo: Rc<Colo>, weather: Weather) -> Worst {
    let party = Party::of(&colo, "cut").await;
    let mut sessions = Vec::new();
    for _ in 0..=colo.tasks.rng.below(8) {
        sessions.push(party.open(&colo, Opened::ByPerson).await);
    }
    // No alarm that was set for the codes is still to come.
    colo.settle().await;
    for tokens in &sessions {
        assert_eq!(colo.call(colo.some_edge(), &use_call(&tokens.access)).await.1.status(), 200);
    }
    colo.weather.set(weather);
    let mut endings = Vec::new();
    for tokens in &sessions {
        let call = party.ending_call(Ending::RevokedRefresh, tokens);
        endings.push(colo.request(colo.some_edge(), call));
        colo.sleep(colo.tasks.rng.millis(0, 700)).await;
    }
    for ending in endings {
        let (_, reply) = ending.join().await.unwrap();
        assert!(matches!(reply.status(), 200 | 503));
    }
    let ended_at = colo.now();
    while colo.objects.has_unpublished() {
        colo.sleep(Lifetime::from_millis(100)).await;
        let waited = colo.now().since(ended_at);
        assert!(waited <= Lifetime::from_seconds(600), "nobody tries again");
    }
    let published = colo.now().since(ended_at);
    colo.weather.set(Weather::FAIR);
    colo.sleep(kv::LATE.plus(Lifetime::from_millis(30_001))).await;
    for tokens in &sessions {
        let (_, reply) = colo.call(colo.some_edge(), &party.introspect_call(&tokens.access)).await;
        // A question that was lost has ended nothing.
        if reply.answer().body.contains(r#""active":true"#) {
            assert!(weather.lost_questions > 0);
            continue;
        }
        for edge in 0..EDGES {
            let (_, reply) = colo.call(edge, &use_call(&tokens.access)).await;
            assert_eq!(reply.status(), 401, "a cut-off was lost");
        }
    }
    [("until the last of 8 cut-offs was published", published)].into()
}

#[test]
fn attack_74_cut_offs_that_kv_refuses_are_published_by_the_alarm() {
    for_each_seed("attack_74_cut_offs_that_kv_refuses", 250, |seed| {
        let colo = Colo::new(seed);
        let weather = if seed.is_multiple_of(2) { Weather::FAIR } else { Weather::FOUL };
        colo.play(flood(Rc::clone(&colo), weather))
    });
}
