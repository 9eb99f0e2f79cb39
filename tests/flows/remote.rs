//! Key sets of other issuers: what is believed, how often somebody is asked, what an outage means.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use tollgate::encoding::{Digest, base64url};
use tollgate::time::Lifetime;

use crate::fakes::{Broken, Call, Edge, Page, World, call, give_up};

const JWKS: &str = "https://keys.example/jwks";
const METADATA: &str = "https://described.example/tenant/.well-known/openid-configuration";

const CONFIG: &str = r#"{
    "issuers": [
        { "issuer": "https://published.example", "jwks_uri": "https://keys.example/jwks", "audiences": ["https://api.example"] },
        { "issuer": "https://described.example/tenant", "discovery": "openid", "audiences": ["https://api.example"] },
        { "issuer": "https://oauth.example/tenant", "discovery": "oauth", "audiences": ["https://api.example"] }
    ],
    "routes": [ { "id": "any", "methods": ["GET"], "path": "/any", "require": {}, "to": { "service": "ORIGIN" } } ]
}"#;

fn signer(name: &str) -> SigningKey {
    World::signing_key(&name.parse().unwrap())
}

fn jwk(name: &str) -> Value {
    let mut key = serde_json::to_value(World::public_key(&signer(name))).unwrap();
    key["kid"] = json!(name);
    key
}

fn jwks(names: &[&str]) -> String {
    json!({ "keys": names.iter().map(|name| jwk(name)).collect::<Vec<_>>() }).to_string()
}

fn token(world: &World, issuer: &str, key: &str) -> String {
    let now = world.now().as_seconds();
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": key });
    let claims = json!({ "iss": issuer, "sub": "s", "aud": "https://api.example", "client_id": "c", "iat": now,
        "exp": now + 1_000_000, "jti": "j" });
    let input =
        format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let signature: Signature = signer(key).sign(input.as_bytes());
    format!("{input}.{}", base64url(&signature.to_bytes()))
}

fn get(edge: &Edge<'_>, token: &str) -> u16 {
    call(edge, &Call::get("https://edge.example/any").bearer(token)).0.status()
}

fn serve(world: &World, url: &str, page: Page) {
    world.web.borrow_mut().insert(url.to_owned(), page);
}

fn asked(world: &World, url: &str) -> usize {
    world.asked_web.borrow().iter().filter(|asked| asked.url == url).count()
}

fn published() -> (World, String) {
    let world = World::new(CONFIG);
    serve(&world, JWKS, Page::ok(jwks(&["a"])));
    let token = token(&world, "https://published.example", "a");
    (world, token)
}

#[test]
fn a_set_is_fetched_once_for_its_freshness_and_once_for_a_place() {
    let (world, token) = published();
    serve(&world, JWKS, Page { cache_control: Some("max-age=600"), ..Page::ok(jwks(&["a"])) });
    let edge = world.edge();
    for _ in 0..20 {
        assert_eq!(get(&edge, &token), 200);
    }
    assert_eq!(get(&world.edge(), &token), 200, "another isolate of the same place");
    assert_eq!(asked(&world, JWKS), 1);
    world.pass(Lifetime::from_seconds(600));
    assert_eq!(get(&edge, &token), 200);
    assert_eq!(asked(&world, JWKS), 1);
    world.pass(Lifetime::from_seconds(1));
    assert_eq!(get(&edge, &token), 200);
    assert_eq!(get(&world.edge(), &token), 200);
    assert_eq!(asked(&world, JWKS), 2);
}

#[test]
fn cache_control_counts_within_60_seconds_and_24_hours() {
    for (cache_control, fresh) in [("max-age=0", 60), ("no-store", 60), ("max-age=31536000", 86_400)] {
        let (world, token) = published();
        serve(&world, JWKS, Page { cache_control: Some(cache_control), ..Page::ok(jwks(&["a"])) });
        let edge = world.edge();
        assert_eq!(get(&edge, &token), 200);
        world.pass(Lifetime::from_seconds(fresh));
        assert_eq!((get(&edge, &token), asked(&world, JWKS)), (200, 1), "{cache_control}");
        world.pass(Lifetime::from_seconds(1));
        assert_eq!((get(&edge, &token), asked(&world, JWKS)), (200, 2), "{cache_control}");
    }
}

#[test]
fn a_removed_key_stops_working_within_the_freshness_also_for_known_tokens() {
    let (world, old) = published();
    let edge = world.edge();
    assert_eq!(get(&edge, &old), 200);
    serve(&world, JWKS, Page::ok(jwks(&["b"])));
    assert_eq!(get(&edge, &old), 200);
    world.pass(Lifetime::from_seconds(301));
    assert_eq!(get(&edge, &old), 401);
    assert_eq!(get(&world.edge(), &old), 401);
}

#[test]
fn a_rotated_key_is_found_at_once_and_the_old_one_while_it_is_published() {
    let (world, old) = published();
    let edge = world.edge();
    assert_eq!(get(&edge, &old), 200);
    serve(&world, JWKS, Page::ok(jwks(&["a", "b"])));
    let new = token(&world, "https://published.example", "b");
    assert_eq!((get(&edge, &new), get(&edge, &old)), (200, 200));
    assert_eq!(asked(&world, JWKS), 2);
}

#[test]
fn attack_21_unknown_kids_cost_one_fetch_in_a_cool_down() {
    let (world, good) = published();
    let edge = world.edge();
    assert_eq!(get(&edge, &good), 200);
    for n in 0..50 {
        assert_eq!(get(&edge, &token(&world, "https://published.example", &format!("k{n}"))), 401);
    }
    assert_eq!(asked(&world, JWKS), 2);
    world.pass(Lifetime::from_seconds(31));
    assert_eq!(get(&edge, &token(&world, "https://published.example", "x")), 401);
    assert_eq!((asked(&world, JWKS), get(&edge, &good)), (3, 200));
}

#[test]
fn an_outage_is_bridged_by_stale_keys_up_to_a_cap_and_asked_about_less_and_less() {
    let (world, token) = published();
    let edge = world.edge();
    assert_eq!(get(&edge, &token), 200);
    world.broken.set(Some(Broken::Web));
    world.pass(Lifetime::from_seconds(301));
    for _ in 0..600 {
        assert_eq!(get(&edge, &token), 200);
        world.pass(Lifetime::from_seconds(1));
    }
    let asked = asked(&world, JWKS);
    assert!((10..=30).contains(&asked), "in 10 minutes, at most once a minute but for the first: {asked}");
    world.pass(Lifetime::from_seconds(3600));
    assert_eq!(get(&edge, &token), 503, "an hour beyond the freshness");
    world.broken.set(None);
    world.pass(Lifetime::from_seconds(61));
    assert_eq!(get(&edge, &token), 200);
}

#[test]
fn without_any_key_an_outage_is_our_trouble_and_nobody_is_pressed() {
    let (world, good) = published();
    let edge = world.edge();
    world.broken.set(Some(Broken::Web));
    for _ in 0..20 {
        let (reply, _) = call(&edge, &Call::get("https://edge.example/any").bearer(&good));
        assert_eq!(reply.status(), 503);
        assert!(reply.answer().header("retry-after").is_some());
        assert_eq!(reply.answer().header("www-authenticate"), None);
    }
    assert_eq!(asked(&world, JWKS), 1);
    world.broken.set(None);
    world.pass(Lifetime::from_seconds(6));
    assert_eq!(get(&edge, &good), 200);
}

#[test]
fn a_failure_that_took_its_time_is_paused_after_in_full() {
    for seed in 0..50 {
        let (world, good) = published();
        let edge = world.edge();
        // The jitter is of 50 kinds.
        world.pass(Lifetime::from_seconds(seed));
        (0..seed).for_each(|_| drop(tollgate::port::random::<1>(&world)));
        world.broken.set(Some(Broken::Web));
        world.slowness.set(Lifetime::from_seconds(3));
        assert_eq!(get(&edge, &good), 503);
        world.pass(Lifetime::from_millis(2_400));
        assert_eq!((get(&edge, &good), asked(&world, JWKS)), (503, 1), "{seed}");
    }
}

#[test]
fn attack_23_what_is_no_key_set_is_our_trouble_and_what_is_no_key_is_left_out() {
    let many = json!({ "keys": vec![jwk("a"); 101] }).to_string();
    for (page, why) in [
        (Page { status: 302, ..Page::ok(jwks(&["a"])) }, "a redirect"),
        (Page { status: 500, ..Page::ok(jwks(&["a"])) }, "an error"),
        (Page { status: 204, ..Page::ok("") }, "nothing"),
        (Page::ok("<html>"), "no JSON"),
        (Page::ok("{}"), "no keys"),
        (Page::ok(r#"{"keys":[],"keys":[]}"#), "a repeated member"),
        (Page::ok(many), "too many keys"),
    ] {
        let (world, token) = published();
        serve(&world, JWKS, page);
        assert_eq!(get(&world.edge(), &token), 503, "{why}");
    }
    let (world, token) = published();
    let keys = json!({ "keys": [jwk("a"), { "kty": "oct", "k": "AAAA" }, { "kty": "unheard-of" }, 7] });
    serve(&world, JWKS, Page::ok(keys.to_string()));
    assert_eq!(get(&world.edge(), &token), 200);
    let log = world.log.borrow().join("\n");
    for reason in ["private", "type", "member"] {
        assert!(log.contains(&format!(r#""decision":"skip","reason":"{reason}""#)), "{log}");
    }
}

#[test]
fn attack_24_metadata_must_name_the_issuer_exactly() {
    let world = World::new(CONFIG);
    serve(&world, JWKS, Page::ok(jwks(&["a"])));
    let token = token(&world, "https://described.example/tenant", "a");
    for (issuer, jwks_uri) in [
        ("https://described.example/tenant/", JWKS),
        ("https://described.example", JWKS),
        ("https://DESCRIBED.example/tenant", JWKS),
        ("https://other.example", JWKS),
        ("https://described.example/{tenantid}", JWKS),
        ("https://described.example/tenant", "http://keys.example/jwks"),
        ("https://described.example/tenant", "http://127.0.0.1/jwks"),
        ("https://described.example/tenant", "file:///jwks"),
    ] {
        let metadata = json!({ "issuer": issuer, "jwks_uri": jwks_uri });
        serve(&world, METADATA, Page::ok(metadata.to_string()));
        assert_eq!(get(&world.edge(), &token), 503, "{issuer} {jwks_uri}");
    }
    assert_eq!(asked(&world, JWKS), 0, "nothing was fetched from an address that was not believed");
    for metadata in [
        "",
        "{}",
        "[]",
        r#"{"issuer":["https://described.example/tenant"],"jwks_uri":"https://keys.example/jwks"}"#,
    ] {
        serve(&world, METADATA, Page::ok(metadata));
        assert_eq!(get(&world.edge(), &token), 503, "{metadata}");
    }
    let good = json!({ "issuer": "https://described.example/tenant", "jwks_uri": JWKS });
    serve(&world, METADATA, Page::ok(good.to_string()));
    assert_eq!(get(&world.edge(), &token), 200);
}

#[test]
fn rfc8414_section_3_1_the_other_place_of_metadata() {
    let world = World::new(CONFIG);
    serve(&world, JWKS, Page::ok(jwks(&["a"])));
    let metadata = json!({ "issuer": "https://oauth.example/tenant", "jwks_uri": JWKS }).to_string();
    serve(&world, "https://oauth.example/.well-known/oauth-authorization-server/tenant", Page::ok(metadata));
    assert_eq!(get(&world.edge(), &token(&world, "https://oauth.example/tenant", "a")), 200);
}

#[test]
fn keys_that_have_moved_are_found_through_the_metadata() {
    let world = World::new(CONFIG);
    let at = |url: &str| {
        Page::ok(json!({ "issuer": "https://described.example/tenant", "jwks_uri": url }).to_string())
    };
    serve(&world, METADATA, at(JWKS));
    serve(&world, JWKS, Page::ok(jwks(&["a"])));
    let token = token(&world, "https://described.example/tenant", "a");
    let edge = world.edge();
    assert_eq!(get(&edge, &token), 200);
    world.web.borrow_mut().remove(JWKS);
    serve(&world, METADATA, at("https://moved.example/jwks"));
    serve(&world, "https://moved.example/jwks", Page::ok(jwks(&["a"])));
    world.pass(Lifetime::from_seconds(301));
    assert_eq!(get(&edge, &token), 200, "stale keys bridge");
    world.pass(Lifetime::from_seconds(6));
    assert_eq!(get(&edge, &token), 200);
    assert_eq!(asked(&world, "https://moved.example/jwks"), 1);
}

#[test]
fn attack_48_a_key_of_one_issuer_is_none_of_another() {
    let world = World::new(CONFIG);
    serve(&world, JWKS, Page::ok(jwks(&["a"])));
    let other = "https://other-keys.example/jwks";
    let metadata = json!({ "issuer": "https://described.example/tenant", "jwks_uri": other });
    serve(&world, METADATA, Page::ok(metadata.to_string()));
    serve(
        &world,
        other,
        Page::ok(
            json!({ "keys": [{ "kid": "a", "kty": "EC", "crv": "P-256",
        "x": jwk("b")["x"], "y": jwk("b")["y"] }] })
            .to_string(),
        ),
    );
    let edge = world.edge();
    assert_eq!(get(&edge, &token(&world, "https://published.example", "a")), 200);
    assert_eq!(get(&edge, &token(&world, "https://described.example/tenant", "a")), 401, "the same kid");
}

#[test]
fn a_request_that_was_given_up_holds_others_up_for_seconds_and_not_for_good() {
    let (world, token) = published();
    let edge = world.edge();
    world.hangs.set(true);
    give_up(&edge, &Call::get("https://edge.example/any").bearer(&token));
    world.hangs.set(false);
    assert_eq!(get(&edge, &token), 200, "it waited, and then asked itself");
    assert_eq!(asked(&world, JWKS), 2);
}

#[test]
fn what_the_place_remembers_is_read_as_strictly_as_what_is_fetched() {
    // The last one is a key set, fresh until the year 9999.
    let pinned = json!({ "fresh_until": 253_402_300_799_000_u64, "body": jwks(&["b"]) }).to_string();
    for spoilt in ["", "{}", "null", r#"{"fresh_until":99999999999999,"body":"{}"}"#, &pinned] {
        let (world, token) = published();
        assert_eq!(get(&world.edge(), &token), 200);
        let name = world.shared.borrow().keys().next().unwrap().clone();
        world.shared.borrow_mut().insert(name, spoilt.to_owned());
        assert_eq!(get(&world.edge(), &token), 200, "{spoilt}");
        assert_eq!(asked(&world, JWKS), 2, "{spoilt}: asked for again");
    }
}

#[test]
fn the_shape_of_a_copy_is_pinned() {
    // In the Cache API: a change needs a line in docs/storage.md, and old copies must read as none.
    let (world, token) = published();
    assert_eq!(get(&world.edge(), &token), 200);
    let ends = world.now().as_seconds() * 1000 + 300_000;
    let body = serde_json::to_string(&jwks(&["a"])).unwrap();
    let digest = Digest::of(format!("https://published.example\n{JWKS}").as_bytes());
    let copies = world.shared.borrow();
    let copy = copies.get(&format!("keys/{digest}")).unwrap();
    assert_eq!(*copy, format!(r#"{{"fresh_until":{ends},"body":{body}}}"#));
    assert_eq!(copies.len(), 1);
}
