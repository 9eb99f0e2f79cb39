//! The realm's keys at an edge: remembered, refreshed, and not a lever for strangers.

use tollgate::time::Lifetime;

use super::{CONFIG, token};
use crate::fakes::{Broken, Call, World, call};

fn get(edge: &crate::fakes::Edge<'_>, token: &str) -> u16 {
    call(edge, &Call::get("https://edge.example/any").bearer(token)).0.status()
}

/// The token with another `kid`: signature and key both do not fit.
fn with_kid(token: &str, kid: &str) -> String {
    let header = tollgate::encoding::base64url(
        format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"at+jwt"}}"#).as_bytes(),
    );
    format!("{header}.{}", token.split_once('.').unwrap().1)
}

#[test]
fn attack_21_a_flood_of_unknown_kids_asks_the_authority_once_per_cool_down() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "sandbox", "orders:read");
    assert_eq!(get(&edge, &token), 200);
    let before = world.asked_authority.get();
    for n in 0..100 {
        assert_eq!(get(&edge, &with_kid(&token, &format!("made-up-{n}"))), 401);
    }
    assert_eq!(world.asked_authority.get(), before + 1);
    world.pass(Lifetime::from_seconds(31));
    assert_eq!(get(&edge, &with_kid(&token, "made-up")), 401);
    assert_eq!(world.asked_authority.get(), before + 2);
    assert_eq!(get(&edge, &token), 200, "the good key is still there");
}

#[test]
fn remembered_keys_bridge_an_outage_of_an_hour_beyond_their_freshness_and_no_more() {
    let world = World::new(&CONFIG.replace(
        r#""issuer": "https://edge.example/sandbox""#,
        r#""issuer": "https://edge.example/sandbox", "access_token_seconds": 86400"#,
    ));
    let edge = world.edge();
    let token = token(&edge, "sandbox", "orders:read");
    assert_eq!(get(&edge, &token), 200);
    world.broken.set(Some(Broken::Keyrings));
    world.pass(Lifetime::from_seconds(300 + 3600));
    assert_eq!(get(&edge, &token), 200);
    assert!(world.log.borrow().iter().any(|line| line.contains("fault")), "bridged, and said so");
    world.pass(Lifetime::from_seconds(5));
    assert_eq!(get(&edge, &token), 503);
    world.broken.set(None);
    world.pass(Lifetime::from_seconds(60));
    assert_eq!(get(&edge, &token), 200);
}

#[test]
fn a_search_that_nobody_answers_is_our_trouble_and_not_the_tokens() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "sandbox", "orders:read");
    assert_eq!(get(&edge, &token), 200);
    world.broken.set(Some(Broken::Keyrings));
    for _ in 0..3 {
        assert_eq!(get(&edge, &with_kid(&token, "new-key")), 503);
    }
    assert_eq!(get(&edge, &token), 200, "the key that is known still serves");
    world.broken.set(None);
    world.pass(Lifetime::from_seconds(31));
    assert_eq!(get(&edge, &with_kid(&token, "new-key")), 401);
}

#[test]
fn while_nobody_answers_the_stores_are_left_in_peace() {
    let world = World::new(&CONFIG.replace(
        r#""issuer": "https://edge.example/sandbox""#,
        r#""issuer": "https://edge.example/sandbox", "access_token_seconds": 86400"#,
    ));
    let edge = world.edge();
    let token = token(&edge, "sandbox", "orders:read");
    assert_eq!(get(&edge, &token), 200);
    world.broken.set(Some(Broken::Keyrings));
    world.pass(Lifetime::from_seconds(301));
    let before = world.asked_authority.get();
    for _ in 0..20 {
        assert_eq!(get(&edge, &token), 200);
    }
    assert_eq!(world.asked_authority.get(), before + 1);
}

#[test]
fn a_search_whose_request_was_given_up_does_not_stand_in_the_way() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "sandbox", "orders:read");
    assert_eq!(get(&edge, &token), 200);
    // The platform forgets a cancelled request: its future is neither finished nor dropped.
    world.hangs.set(true);
    crate::fakes::give_up(&edge, &Call::get("https://edge.example/any").bearer(&with_kid(&token, "gone")));
    world.hangs.set(false);
    let before = world.asked_authority.get();
    assert_eq!(get(&edge, &token), 200, "who needs no search is not held up");
    assert_eq!(world.asked_authority.get(), before);
    assert_eq!(
        get(&edge, &with_kid(&token, "made-up")),
        401,
        "who does waits for the other until it counts as lost"
    );
    assert_eq!(world.asked_authority.get(), before + 1);
}
