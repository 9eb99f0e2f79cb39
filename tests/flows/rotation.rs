//! Rotation of a realm's keys, with copies as late as they may be and isolates that remember as long as they may.

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate::encoding::{base64url, from_base64url};
use tollgate::id::KeyId;
use tollgate::keyring::KeyState;
use tollgate::time::Lifetime;

use super::{CONFIG, register, token_request};
use crate::fakes::{Call, Edge, Reply, World, call};

/// Sets are fresh for 20 s and tokens live for 60: a key has spread after 100 s, and a retired one verifies for 90.
fn config(more: &str) -> String {
    let realm = r#""issuer": "https://edge.example/sandbox""#;
    CONFIG.replace(realm, &format!(r#"{realm}, "jwks_seconds": 20, "access_token_seconds": 60{more}"#))
}

const BY_HAND: &str = r#", "rotation_seconds": null"#;

fn seconds(seconds: u64) -> Lifetime {
    Lifetime::from_seconds(seconds)
}

fn manage(edge: &Edge<'_>, what: &str) -> Reply {
    let at = format!("https://edge.example/sandbox/api/v1/keys{what}");
    let request = if what.is_empty() { Call::get(at) } else { Call::json(at, "") };
    call(edge, &request.bearer("operator")).0
}

fn body(reply: &Reply) -> Value {
    serde_json::from_str(&reply.answer().body).unwrap()
}

fn kids(edge: &Edge<'_>) -> Vec<KeyId> {
    let (reply, _) = call(edge, &Call::get("https://edge.example/sandbox/jwks"));
    assert_eq!(reply.answer().header("cache-control"), Some("public, max-age=20"));
    let keys = body(&reply)["keys"].as_array().unwrap().clone();
    keys.iter().map(|key| key["kid"].as_str().unwrap().parse().unwrap()).collect()
}

fn part(token: &str, at: usize) -> Value {
    serde_json::from_slice(&from_base64url(token.split('.').nth(at).unwrap()).unwrap()).unwrap()
}

fn kid(token: &str) -> KeyId {
    part(token, 0)["kid"].as_str().unwrap().parse().unwrap()
}

fn get(edge: &Edge<'_>, token: &str) -> u16 {
    call(edge, &Call::get("https://edge.example/any").bearer(token)).0.status()
}

fn active(world: &World) -> KeyId {
    let states = world.key_states("sandbox");
    states.into_iter().find(|(_, state)| matches!(state, KeyState::Active { .. })).unwrap().0
}

/// Edges that are asked at different paces, so that their memories are of different ages.
const PACES: [u64; 4] = [1, 7, 13, 29];

/// For how long anybody goes by a set.
const FRESH: u64 = 20;

/// Lets time pass in seconds, with traffic at each edge: nothing valid is refused, and nobody lacks a key.
struct Traffic<'w> {
    edges: Vec<Edge<'w>>,
    /// Edges that answer `/jwks` every second and nothing else, each with a set that ends at another second.
    observed: Vec<Edge<'w>>,
    /// What they answered, and when: some cache keeps each answer for as long as it may.
    answers: Vec<(u64, Vec<KeyId>)>,
    client: (String, String),
    /// Tokens and when they end.
    tokens: Vec<(String, u64)>,
    signed_by: BTreeMap<KeyId, usize>,
}

impl<'w> Traffic<'w> {
    fn new(world: &'w World) -> Self {
        world.keyrings.has_copies.set(true);
        let edges: Vec<_> = PACES.iter().map(|_| world.edge()).collect();
        let client = register(&edges[0], "sandbox", "orders:read", r#""client_credentials""#);
        let (observed, answers) = (Vec::new(), Vec::new());
        Self { edges, observed, answers, client, tokens: Vec::new(), signed_by: BTreeMap::new() }
    }

    fn observe(&mut self, world: &'w World, now: u64) {
        if self.observed.len() <= usize::try_from(FRESH).unwrap() {
            self.observed.push(world.edge());
        }
        self.answers.retain(|(at, _)| now <= at + FRESH);
        self.answers.extend(self.observed.iter().map(|edge| (now, kids(edge))));
    }

    fn flow(&mut self, world: &'w World, span: u64) {
        for _ in 0..span {
            world.pass(seconds(1));
            let now = world.now().as_seconds();
            self.observe(world, now);
            for (at, pace) in PACES.iter().enumerate() {
                if !now.is_multiple_of(*pace) {
                    continue;
                }
                let (reply, _) = call(&self.edges[at], &token_request("sandbox", &self.client, ""));
                let token = reply.member("access_token");
                let key = kid(&token);
                let lacks = self.answers.iter().find(|(_, known)| !known.contains(&key));
                assert_eq!(lacks, None, "a token is signed, and a cache lacks its key");
                *self.signed_by.entry(key).or_default() += 1;
                self.tokens.push((token, now + 60));
            }
            self.tokens.retain(|(_, until)| now < *until);
            for (at, edge) in self.edges.iter().enumerate().filter(|(at, _)| now.is_multiple_of(PACES[*at])) {
                for (token, _) in self.tokens.iter().skip(at).step_by(5) {
                    assert_eq!(get(edge, token), 200, "a valid token is refused");
                }
            }
            world.ring_alarms();
        }
    }
}

#[test]
fn attack_75_a_rotation_under_traffic_refuses_nothing_and_signs_with_no_key_that_anybody_lacks() {
    let world = World::new(&config(BY_HAND));
    let mut traffic = Traffic::new(&world);
    traffic.flow(&world, 70);
    let old = active(&world);
    assert_eq!(manage(&traffic.edges[0], "/rotate").status(), 202);
    traffic.flow(&world, 99);
    assert_eq!(active(&world), old);
    assert_eq!(manage(&traffic.edges[0], "/promote").status(), 409);
    traffic.flow(&world, 2);
    assert_eq!(manage(&traffic.edges[0], "/promote").status(), 200);
    let new = active(&world);
    assert_ne!(new, old);
    traffic.flow(&world, 89);
    assert_eq!(world.key_states("sandbox").len(), 2, "the overlap");
    traffic.flow(&world, 90);
    assert_eq!(kids(&traffic.edges[1]), std::slice::from_ref(&new));
    assert!(traffic.signed_by[&old] > 100 && traffic.signed_by[&new] > 100, "{:?}", traffic.signed_by);
    assert_eq!(traffic.signed_by.len(), 2);
}

#[test]
fn attack_75_a_rotation_by_itself_refuses_nothing_either() {
    let world = World::new(&config(r#", "rotation_seconds": 100"#));
    let mut traffic = Traffic::new(&world);
    traffic.flow(&world, 1000);
    assert!(traffic.signed_by.len() >= 4, "{:?}", traffic.signed_by);
    assert!(world.key_states("sandbox").len() <= 3);
}

#[test]
fn attack_75_a_token_of_the_previous_key_passes_within_the_overlap_and_not_after() {
    let world = World::new(&config(BY_HAND));
    let edge = world.edge();
    // A session that outlives all of this, so that nothing but the key decides.
    let client = register(&edge, "sandbox", "orders:read", r#""client_credentials","refresh_token""#);
    let token = call(&edge, &token_request("sandbox", &client, "")).0.member("access_token");
    let (old, mut claims) = (kid(&token), part(&token, 1));
    claims["exp"] = (world.now().as_seconds() + 86_400).into();
    let input = format!("{}.{}", token.split('.').next().unwrap(), base64url(claims.to_string().as_bytes()));
    let lasting = world.sign_with("sandbox", &old, &input);
    world.ring_alarms();
    assert_eq!(manage(&edge, "/rotate").status(), 202);
    world.ring_alarms();
    world.pass(seconds(100));
    assert_eq!(manage(&edge, "/promote").status(), 200);
    assert_ne!(active(&world), old);
    assert_eq!(get(&edge, &lasting), 200);
    world.pass(seconds(89));
    assert_eq!(get(&edge, &lasting), 200, "an isolate that has seen it");
    assert_eq!(get(&world.edge(), &lasting), 200, "and one that has not");
    world.pass(seconds(1));
    assert_eq!(get(&world.edge(), &lasting), 401);
    world.pass(seconds(20));
    assert_eq!(get(&edge, &lasting), 401, "its own set has ended as well");
    assert!(world.log.borrow().last().unwrap().contains("unknown_key"), "nothing else was wrong with it");
}

#[test]
fn attack_75_no_key_is_used_while_its_copy_cannot_be_written() {
    let world = World::new(&config(r#", "rotation_seconds": 100"#));
    let edge = world.edge();
    let first = kids(&edge);
    world.ring_alarms();
    world.keyrings.refuses_copies.set(true);
    for _ in 0..50 {
        world.pass(seconds(100));
        world.ring_alarms();
    }
    assert_eq!(kids(&edge), first, "neither published nor used");
    world.keyrings.refuses_copies.set(false);
    world.ring_alarms();
    world.pass(seconds(99));
    world.ring_alarms();
    assert_eq!(active(&world), first[0], "the time counts from the copy that was written");
    world.pass(seconds(1));
    world.ring_alarms();
    assert_ne!(active(&world), first[0]);
}

#[test]
fn another_algorithm_takes_the_way_of_any_rotation() {
    let mut world = World::new(&config(""));
    let client = {
        let edge = world.edge();
        let client = register(&edge, "sandbox", "orders:read", r#""client_credentials""#);
        let token = call(&edge, &token_request("sandbox", &client, "")).0.member("access_token");
        assert_eq!(part(&token, 0)["alg"], "ES256");
        client
    };
    let changed = config(r#", "signing": "ML-DSA-65""#);
    world.config = tollgate::config::Config::parse(&changed).unwrap();
    world.ring_alarms();
    let edge = world.edge();
    let get_token = || call(&edge, &token_request("sandbox", &client, "")).0.member("access_token");
    let old = get_token();
    assert_eq!(part(&old, 0)["alg"], "ES256", "until everybody has the new key");
    assert_eq!(get(&edge, &old), 200);
    world.pass(seconds(100));
    world.ring_alarms();
    let (old, new) = (get_token(), get_token());
    assert_eq!(part(&new, 0)["alg"], "ML-DSA-65");
    assert_eq!((get(&edge, &old), get(&edge, &new)), (200, 200));
    // A key is for its own algorithm, whatever a header says.
    let kid = part(&new, 0)["kid"].clone();
    for alg in ["ES256", "RS256", "PS256", "EdDSA", "HS256", "none"] {
        let header = serde_json::json!({ "alg": alg, "kid": kid, "typ": "at+jwt" });
        let (_, rest) = new.split_once('.').unwrap();
        assert_eq!(get(&edge, &format!("{}.{rest}", base64url(header.to_string().as_bytes()))), 401, "{alg}");
    }
}

#[test]
fn keys_by_hand_say_what_they_do_and_what_they_wait_for() {
    let world = World::new(&config(BY_HAND));
    let edge = world.edge();
    world.ring_alarms();
    let list = body(&manage(&edge, ""));
    let now = world.now().as_seconds();
    let first = active(&world);
    assert_eq!(
        list,
        serde_json::json!({ "keys": [{ "kid": first, "alg": "ES256", "state": "active", "since": now }] })
    );
    let nothing = manage(&edge, "/promote");
    assert_eq!((nothing.status(), nothing.answer().header("retry-after")), (409, None));
    world.pass(seconds(5));
    let rotated = manage(&edge, "/rotate");
    assert_eq!((rotated.status(), &body(&rotated)["keys"][1]["state"]), (202, &"staged".into()));
    world.ring_alarms();
    assert_eq!(manage(&edge, "/rotate").status(), 409, "one at a time");
    world.pass(Lifetime::from_millis(1500));
    let early = manage(&edge, "/promote");
    assert_eq!((early.status(), early.answer().header("retry-after")), (409, Some("99")));
    assert_eq!(early.answer().header("content-type"), Some("application/problem+json"));
    assert!(body(&early)["detail"].as_str().unwrap().contains("promotable_at"));
    let keys = body(&manage(&edge, ""))["keys"].clone();
    assert_eq!((&keys[1]["state"], &keys[1]["promotable_at"]), (&"published".into(), &(now + 105).into()));
    world.pass(Lifetime::from_millis(98_500));
    let promoted = manage(&edge, "/promote");
    assert_eq!(promoted.status(), 200);
    let keys = body(&promoted)["keys"].clone();
    assert_eq!(
        keys[0],
        serde_json::json!({ "kid": first, "alg": "ES256", "state": "retired", "since": now + 105, "until": now + 195 })
    );
    assert_eq!((&keys[1]["state"], &keys[1]["since"]), (&"active".into(), &(now + 105).into()));
    assert!(!world.log.borrow().iter().any(|line| line.contains("tgb_")));
}

#[test]
fn keys_by_hand_are_guarded_as_registration_is() {
    let world = World::new(&config(BY_HAND));
    let edge = world.edge();
    let at = "https://edge.example/sandbox/api/v1/keys";
    for (request, allow) in [
        (Call::get(at), None),
        (Call::get(at).bearer("wrong"), None),
        (Call::json(format!("{at}/rotate"), ""), None),
        (Call::json(format!("{at}/rotate"), "").bearer("wrong"), None),
        (Call::json(format!("{at}/promote"), "").bearer("tgb_tes"), None),
        (Call::json(at, "").bearer("operator"), Some("GET, HEAD")),
        (Call::get(format!("{at}/rotate")).bearer("operator"), Some("POST")),
    ] {
        let (reply, _) = call(&edge, &request);
        assert_eq!(reply.status(), if allow.is_some() { 405 } else { 401 }, "{request:?}");
        assert_eq!(reply.answer().header("allow"), allow);
    }
    assert_eq!(world.key_states("sandbox").len(), 1, "nothing has happened");
}
