//! Asking an issuer about a token: what is sent, what is believed, and for how long.

use p256::ecdsa::Signature;
use p256::ecdsa::signature::Signer as _;
use serde_json::{Value, json};
use tollgate::time::Lifetime;

use crate::fakes::{Broken, Call, Edge, Page, World, call, give_up};

const ENDPOINT: &str = "https://asked.example/introspect";

const CONFIG: &str = r#"{
    "issuers": [ {
        "issuer": "https://asked.example",
        "audiences": ["https://api.example"],
        "introspection": { "endpoint": "https://asked.example/introspect", "client_id": "me:1", "client_secret_name": "INTROSPECTION_SECRET",
            "cache_seconds": 60, "negative_seconds": 10 }
    } ],
    "scopes": { "a": { "description": "A" }, "b": { "description": "B" } },
    "routes": [
        { "id": "any", "methods": ["GET"], "path": "/any", "require": {}, "to": { "service": "ORIGIN" } },
        { "id": "a", "methods": ["GET"], "path": "/a", "require": { "scopes": ["a"] }, "to": { "service": "ORIGIN" } },
        { "id": "b", "methods": ["GET"], "path": "/b", "require": { "scopes": ["b"] }, "to": { "service": "ORIGIN" } }
    ]
}"#;

fn serve(world: &World, answer: &Value) {
    world.web.borrow_mut().insert(ENDPOINT.to_owned(), Page::ok(answer.to_string()));
}

fn active(world: &World) -> Value {
    let now = world.now().as_seconds();
    json!({ "active": true, "sub": "somebody", "client_id": "c", "aud": "https://api.example", "scope": "a",
        "token_type": "Bearer", "exp": now + 3600, "iat": now })
}

fn asking() -> World {
    let world = World::new(CONFIG);
    serve(&world, &active(&world));
    world
}

fn get(edge: &Edge<'_>, path: &str, token: &str) -> u16 {
    call(edge, &Call::get(format!("https://edge.example{path}")).bearer(token)).0.status()
}

#[test]
fn rfc7662_section_2_1_the_question_is_authenticated_and_form_encoded() {
    let world = asking();
    assert_eq!(get(&world.edge(), "/any", "opaque+token/1="), 200);
    let asked = world.asked_web.borrow()[0].clone();
    assert_eq!(asked.url, ENDPOINT);
    assert_eq!(asked.form.as_deref(), Some("token=opaque%2Btoken%2F1%3D&token_type_hint=access_token"));
    // `me:1` and `s3cret/+`, each form-encoded (RFC 6749 section 2.3.1).
    let basic = tollgate::encoding::base64(b"me%3A1:s3cret%2F%2B");
    assert_eq!(asked.authorization, Some(format!("Basic {basic}")));
    let post = CONFIG
        .replace(r#""cache_seconds": 60"#, r#""authentication": "client_secret_post", "cache_seconds": 60"#);
    let world = World::new(&post);
    serve(&world, &active(&world));
    assert_eq!(get(&world.edge(), "/any", "t"), 200);
    let asked = world.asked_web.borrow()[0].clone();
    let form = "token=t&token_type_hint=access_token&client_id=me%3A1&client_secret=s3cret%2F%2B";
    assert_eq!((asked.form.as_deref(), asked.authorization), (Some(form), None));
}

#[test]
fn what_is_active_is_believed_for_the_configured_time_and_checked_on_every_hit() {
    let world = asking();
    let edge = world.edge();
    for _ in 0..20 {
        assert_eq!((get(&edge, "/a", "t"), get(&edge, "/b", "t")), (200, 403));
    }
    assert_eq!(world.asked_web.borrow().len(), 1);
    assert_eq!(get(&edge, "/a", "another"), 200);
    assert_eq!(world.asked_web.borrow().len(), 2, "another token is another question");
    world.pass(Lifetime::from_seconds(60));
    serve(&world, &json!({ "active": false }));
    assert_eq!(get(&edge, "/a", "t"), 401);
    assert_eq!(world.asked_web.borrow().len(), 3);
}

#[test]
fn nothing_is_believed_beyond_exp() {
    let world = asking();
    let edge = world.edge();
    let mut answer = active(&world);
    answer["exp"] = json!(world.now().as_seconds() + 20);
    serve(&world, &answer);
    assert_eq!(get(&edge, "/a", "t"), 200);
    world.pass(Lifetime::from_seconds(19));
    assert_eq!((get(&edge, "/a", "t"), world.asked_web.borrow().len()), (200, 1));
    world.pass(Lifetime::from_seconds(1));
    assert_eq!((get(&edge, "/a", "t"), world.asked_web.borrow().len()), (200, 2), "asked again");
    world.pass(Lifetime::from_seconds(30));
    assert_eq!(get(&edge, "/a", "t"), 401, "the leeway is over, whatever the issuer says");
}

#[test]
fn what_is_not_active_is_remembered_for_a_shorter_time() {
    let world = asking();
    let edge = world.edge();
    serve(&world, &json!({ "active": false }));
    for _ in 0..20 {
        assert_eq!(get(&edge, "/any", "t"), 401);
    }
    assert_eq!(world.asked_web.borrow().len(), 1);
    serve(&world, &active(&world));
    world.pass(Lifetime::from_seconds(10));
    assert_eq!(get(&edge, "/any", "t"), 200);
}

#[test]
fn an_answer_about_something_else_does_not_count() {
    for (name, value, status) in [
        ("aud", json!("https://other.example"), 401),
        ("aud", Value::Null, 503),
        ("iss", json!("https://asked.example"), 200),
        ("iss", json!("https://other.example"), 401),
        ("active", json!("true"), 503),
        ("active", json!(1), 503),
        ("token_type", json!("DPoP"), 401),
        ("token_type", json!("bearer"), 200),
        ("cnf", json!({ "jkt": "x" }), 401),
        ("exp", json!("tomorrow"), 503),
        ("exp", json!(1), 401),
        ("nbf", json!(9_000_000_000_u64), 401),
        ("scope", json!(7), 503),
        ("sub", json!(7), 503),
    ] {
        let world = asking();
        let mut answer = active(&world);
        answer[name] = value.clone();
        serve(&world, &answer);
        assert_eq!(get(&world.edge(), "/any", "t"), status, "{name} {value}");
    }
    let world = asking();
    let mut answer = active(&world);
    answer.as_object_mut().unwrap().remove("aud");
    serve(&world, &answer);
    assert_eq!(get(&world.edge(), "/any", "t"), 401, "no audience is not ours");
    for answer in ["", "[]", "{}", r#"{"active":true,"active":false}"#] {
        world.web.borrow_mut().insert(ENDPOINT.to_owned(), Page::ok(answer));
        assert_eq!(get(&world.edge(), "/any", "t"), 503, "{answer}");
    }
}

#[test]
fn trouble_with_asking_is_ours_and_nobody_is_pressed() {
    let world = asking();
    let edge = world.edge();
    for broken in [Broken::Web, Broken::Entropy] {
        world.broken.set(Some(broken));
        let status = get(&world.edge(), "/any", "t");
        assert_eq!(status, if broken == Broken::Web { 503 } else { 200 }, "{broken:?}");
    }
    world.broken.set(Some(Broken::Web));
    let before = world.asked_web.borrow().len();
    for n in 0..20 {
        assert_eq!(get(&edge, "/any", &format!("t{n}")), 503);
    }
    assert_eq!(world.asked_web.borrow().len(), before + 3, "the third failure in a row is the issuer's");
    world.broken.set(None);
    world.pass(Lifetime::from_seconds(2));
    assert_eq!(get(&edge, "/any", "t"), 200);
    for (status, pauses) in
        [(400, false), (413, false), (500, false), (401, true), (403, true), (429, true), (503, true)]
    {
        let world = asking();
        let edge = world.edge();
        world.web.borrow_mut().get_mut(ENDPOINT).unwrap().status = status;
        assert_eq!((get(&edge, "/any", "poison"), get(&edge, "/any", "poison")), (503, 503), "{status}");
        assert_eq!(world.asked_web.borrow().len(), 1, "{status}: once for this token");
        world.web.borrow_mut().get_mut(ENDPOINT).unwrap().status = 200;
        assert_eq!(
            get(&edge, "/any", "good"),
            if pauses { 503 } else { 200 },
            "{status}: no lever for strangers"
        );
    }
    for status in [302, 400, 401, 403, 500] {
        let world = asking();
        world.web.borrow_mut().get_mut(ENDPOINT).unwrap().status = status;
        assert_eq!(get(&world.edge(), "/any", "t"), 503, "{status}");
    }
    let world = World::new(&CONFIG.replace("INTROSPECTION_SECRET", "NO_SUCH_SECRET"));
    serve(&world, &active(&world));
    assert_eq!((get(&world.edge(), "/any", "t"), world.asked_web.borrow().len()), (503, 0));
}

#[test]
fn made_up_tokens_do_not_make_the_isolate_forget_those_in_use() {
    let world = asking();
    let edge = world.edge();
    assert_eq!(get(&edge, "/a", "in-use"), 200);
    serve(&world, &json!({ "active": false }));
    for n in 0..300 {
        assert_eq!(get(&edge, "/a", &format!("{n:x>16000}")), 401);
    }
    assert_eq!(get(&edge, "/a", "in-use"), 200);
    assert_eq!(world.asked_web.borrow().len(), 301);
}

#[test]
fn an_answer_with_no_scope_at_all_and_one_with_an_empty_one_are_two_things() {
    for (scope, status) in [(None, 200), (Some("a b"), 200), (Some(""), 403), (Some("b"), 403)] {
        let keys =
            serde_json::to_value([World::public_key(&World::signing_key(&"both".parse().unwrap()))]).unwrap();
        let both =
            CONFIG.replace(r#""audiences": ["#, &format!(r#""jwks": {{ "keys": {keys} }}, "audiences": ["#));
        let world = World::new(&both);
        let mut answer = active(&world);
        match scope {
            None => drop(answer.as_object_mut().unwrap().remove("scope")),
            Some(scope) => answer["scope"] = json!(scope),
        }
        answer["sub"] = json!("somebody");
        serve(&world, &answer);
        let token = signed("both", &world);
        assert_eq!(get(&world.edge(), "/a", &token), status, "{scope:?}");
    }
}

/// A JWT of the issuer that is asked, with scope `a`.
fn signed(key: &str, world: &World) -> String {
    let now = world.now().as_seconds();
    let part = |value: Value| tollgate::encoding::base64url(value.to_string().as_bytes());
    let claims = json!({ "iss": "https://asked.example", "sub": "somebody", "aud": "https://api.example", "client_id": "c",
        "iat": now, "exp": now + 600, "jti": "j", "scope": "a" });
    let input = format!("{}.{}", part(json!({ "alg": "ES256", "typ": "at+jwt" })), part(claims));
    let signature: Signature = World::signing_key(&key.parse().unwrap()).sign(input.as_bytes());
    format!("{input}.{}", tollgate::encoding::base64url(&signature.to_bytes()))
}

#[test]
fn a_question_that_was_given_up_holds_the_token_up_for_seconds_and_no_other() {
    let world = asking();
    let edge = world.edge();
    world.hangs.set(true);
    give_up(&edge, &Call::get("https://edge.example/any").bearer("t"));
    world.hangs.set(false);
    assert_eq!(get(&edge, "/any", "other"), 200);
    assert_eq!(get(&edge, "/any", "t"), 200, "it waited, and then asked itself");
}

#[test]
fn attack_42_a_jwt_of_an_issuer_without_keys_is_asked_about_and_not_believed() {
    let world = asking();
    let part = |value: &Value| tollgate::encoding::base64url(value.to_string().as_bytes());
    let header = json!({ "alg": "none" });
    let claims = json!({ "iss": "https://asked.example", "sub": "admin", "scope": "a b" });
    let token = format!("{}.{}.AA", part(&header), part(&claims));
    let edge = world.edge();
    assert_eq!((get(&edge, "/a", &token), get(&edge, "/b", &token)), (200, 403), "what counts is the answer");
    let stranger = json!({ "iss": "https://stranger.example", "sub": "admin" });
    let before = world.asked_web.borrow().len();
    assert_eq!(get(&edge, "/any", &format!("{}.{}.AA", part(&header), part(&stranger))), 401);
    assert_eq!(world.asked_web.borrow().len(), before, "nobody is shown a token of somebody else");
}

#[test]
fn a_route_that_nobody_can_be_asked_for_refuses_what_is_opaque() {
    let world = World::new(super::CONFIG);
    assert_eq!(get(&world.edge(), "/any", "opaque"), 401);
    assert!(world.asked_web.borrow().is_empty());
}
