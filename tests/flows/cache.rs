//! The verified-token cache: a repeated token costs no signature check, and everything else is checked again.
//! Each test is one way in which such caches have gone wrong elsewhere.

use tollgate::port::Ports as _;
use tollgate::time::Lifetime;

use super::{CONFIG, token};
use crate::fakes::{Broken, Call, Edge, World, call};

fn get(edge: &Edge<'_>, path: &str, token: &str) -> u16 {
    call(edge, &Call::get(format!("https://edge.example{path}")).bearer(token)).0.status()
}

#[test]
fn a_repeated_token_costs_no_signature_check() {
    let world = World::new(CONFIG);
    let token = token(&world.edge(), "test", "orders:read");
    let edge = world.edge();
    world.verified.set(0);
    for _ in 0..50 {
        assert_eq!(get(&edge, "/orders/1", &token), 200);
    }
    assert_eq!(world.verified.get(), 1);
    let (tokens, bytes) = edge.isolate().verified_tokens();
    assert!(tokens == 1 && bytes > token.len(), "what is kept about it counts as well");
    assert_eq!(get(&world.edge(), "/orders/1", &token), 200);
    assert_eq!(world.verified.get(), 2, "another isolate knows nothing of it");
}

#[test]
fn attack_52_a_hit_is_no_decision_about_another_route() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    assert_eq!(get(&edge, "/orders/1", &token), 200);
    assert_eq!(get(&edge, "/admin", &token), 403, "the scope is asked for again");
    let sandbox = super::token(&edge, "sandbox", "orders:read");
    assert_eq!(get(&edge, "/any", &sandbox), 200);
    assert_eq!(get(&edge, "/orders/1", &sandbox), 401, "the issuer is asked for again");
}

#[test]
fn attack_52_a_refused_token_is_not_remembered() {
    let world = World::new(CONFIG);
    let token = token(&world.edge(), "test", "orders:read");
    let edge = world.edge();
    let last = if token.ends_with('A') { 'Q' } else { 'A' };
    let tampered = format!("{}{last}", &token[..token.len() - 1]);
    for _ in 0..3 {
        assert_eq!(get(&edge, "/orders/1", &tampered), 401);
    }
    assert_eq!(edge.isolate().verified_tokens().0, 0);
    assert_eq!(get(&edge, "/orders/1", &token), 200);
    assert_eq!(get(&edge, "/orders/1", &tampered), 401, "after the good one as before");
}

#[test]
fn attack_52_a_hit_does_not_outlive_the_token() {
    let world = World::new(&CONFIG.replace(
        r#""issuer": "https://edge.example/sandbox""#,
        r#""issuer": "https://edge.example/sandbox", "access_token_seconds": 60"#,
    ));
    let edge = world.edge();
    let token = token(&edge, "sandbox", "orders:read");
    assert_eq!(get(&edge, "/any", &token), 200);
    world.pass(Lifetime::from_seconds(64));
    assert_eq!(get(&edge, "/any", &token), 200, "within the leeway of 5 s");
    world.pass(Lifetime::from_seconds(1));
    assert_eq!(get(&edge, "/any", &token), 401);
}

#[test]
fn attack_52_a_hit_does_not_outlive_the_key() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "sandbox", "orders:read");
    assert_eq!(get(&edge, "/any", &token), 200);
    world.lose_keys();
    assert_eq!(get(&edge, "/any", &token), 200, "the key set is fresh for 300 s");
    world.pass(Lifetime::from_seconds(301));
    assert_eq!(get(&edge, "/any", &token), 401, "then the key is gone, and so is what it signed");
}

#[test]
fn attack_52_a_hit_does_not_outlive_the_session() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    assert_eq!(get(&edge, "/orders/1", &token), 200);
    world.pass(Lifetime::from_seconds(91));
    assert_eq!(get(&edge, "/orders/1", &token), 401, "idle");
}

#[test]
fn a_hit_does_not_hide_our_own_trouble() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    assert_eq!(get(&edge, "/orders/1", &token), 200);
    world.broken.set(Some(Broken::PrincipalsBefore));
    world.pass(Lifetime::from_seconds(31));
    assert_eq!(get(&edge, "/orders/1", &token), 503);
}

#[test]
fn without_randomness_every_request_is_checked_and_nothing_is_refused() {
    let world = World::new(CONFIG);
    let token = token(&world.edge(), "test", "orders:read");
    let edge = world.edge();
    world.verified.set(0);
    world.broken.set(Some(Broken::Entropy));
    for _ in 0..3 {
        assert_eq!(get(&edge, "/orders/1", &token), 200);
    }
    assert_eq!(world.verified.get(), 3);
}
