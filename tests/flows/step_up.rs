//! Step-up authentication (RFC 9470): from a route's challenge through the sign-in to a token that passes.

use serde_json::{Value, json};

use super::people::{Browser, HOST, PASSWORD, ada, app, asks, back, heading, redeem};
use super::realm::{Key, claims, client, post, seconds, text, tokens};
use super::{gate, passkeys};
use crate::fakes::{Call, Edge, Page, Reply, World, at_once, call};

const PASSKEY: &str = "urn:tollgate:acr:passkey";
const BY_PASSWORD: &str = "urn:tollgate:acr:password";

/// With routes that want a passkey, a sign-in of the last half minute, and both.
fn config() -> String {
    let route = |id: &str, more: &str| {
        format!(
            r#"{{ "id": "{id}", "methods": ["GET"], "path": "/{id}", "host": "edge.example", "require": {{ "scopes": ["orders:read"], "issuers": ["test", "cut"], {more} }}, "to": {{ "service": "ORIGIN" }} }},"#
        )
    };
    let [sure, fresh, both] = [
        route("sure", &format!(r#""acr": ["{PASSKEY}"]"#)),
        route("fresh", r#""max_age_seconds": 30"#),
        route("both", &format!(r#""acr": ["{PASSKEY}", "urn:other"], "max_age_seconds": 30"#)),
    ];
    passkeys::config().replace(r#""routes": ["#, &format!(r#""routes": [ {sure} {fresh} {both}"#))
}

fn get(path: &str, token: &str) -> Call {
    Call::get(format!("{HOST}{path}")).bearer(token)
}

/// What a client is told to ask for: `acr_values` and `max_age`; `None`: it passes.
fn challenge(edge: &Edge<'_>, path: &str, token: &str) -> Option<Vec<(&'static str, String)>> {
    let reply = call(edge, &get(path, token)).0;
    let Reply::Answered(answer) = &reply else { return None };
    let said = answer.header("www-authenticate").unwrap();
    assert_eq!(answer.status, 401, "{said}");
    assert!(
        said.starts_with(r#"Bearer error="insufficient_user_authentication", error_description=""#),
        "{said}"
    );
    let value = |name: &'static str| {
        let (_, rest) = said.split_once(&format!(r#", {name}=""#))?;
        Some((name, rest.split_once('"').unwrap().0.to_owned()))
    };
    Some(["acr_values", "max_age"].into_iter().filter_map(value).collect())
}

/// The authorization request that a challenge asks for.
fn again(shop: &Value, told: &[(&'static str, String)]) -> String {
    asks(shop, &told.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
}

fn granted(edge: &Edge<'_>, shop: &Value, page: &Reply) -> Value {
    let reply = redeem(edge, shop, &back(page)["code"]);
    assert_eq!(reply.status(), 200, "{}", reply.answer().body);
    serde_json::from_str(&reply.answer().body).unwrap()
}

/// A browser in which Ada has signed in with her password, and what she has allowed the shop.
fn by_password<'e, 'w>(edge: &'e Edge<'w>, shop: &Value) -> (Browser<'e, 'w>, Value) {
    let browser = passkeys::signed_in(edge, shop);
    let page = browser.get(&asks(shop, &[]));
    let granted = granted(edge, shop, &browser.decide(&page, "allow", &["orders:read"]));
    (browser, granted)
}

#[test]
fn rfc9470_section_5_a_client_that_does_as_it_was_told_comes_back_with_a_token_that_passes() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let (browser, first) = by_password(&edge, &shop);
    let passkey = passkeys::add(&browser, 1);
    let first = text(&first, "access_token");
    assert_eq!(challenge(&edge, "/fresh", first), None);
    assert_eq!(challenge(&edge, "/sure", first), Some(vec![("acr_values", PASSKEY.to_owned())]));
    let both = vec![("acr_values", format!("{PASSKEY} urn:other")), ("max_age", "30".to_owned())];
    assert_eq!(challenge(&edge, "/both", first), Some(both.clone()));

    // Whoever is there signed in with the password: that does not do, however recent it is, however often it is typed.
    let quiet = asks(&shop, &[("acr_values", PASSKEY), ("prompt", "none")]);
    assert_eq!(back(&browser.get(&quiet))["error"], "login_required");
    let page = browser.get(&again(&shop, &both));
    assert_eq!(heading(&page), "Sign in");
    assert!(page.answer().body.contains("The application asks you to sign in with a passkey."));
    let page = browser.sign_in(&page, "ada@example.com", PASSWORD);
    assert_eq!(heading(&page), "Sign in");
    world.pass(seconds(1));
    let page = passkeys::send(&browser, &page, &passkey.answer(&passkeys::data(&page, "challenge")));
    let second = granted(&edge, &shop, &page);
    let token = text(&second, "access_token");
    for path in ["/sure", "/fresh", "/both"] {
        assert_eq!(challenge(&edge, path, token), None, "{path}");
        assert!(
            matches!(at_once(&edge, &get(path, token)), Some(Reply::Forwarded { .. })),
            "{path}: from memory"
        );
    }
    assert!(back(&browser.get(&quiet)).contains_key("code"));
    let only = asks(&shop, &[("acr_values", BY_PASSWORD), ("prompt", "none")]);
    assert_eq!(back(&browser.get(&only))["error"], "login_required", "a passkey is not called a password");
    let either =
        asks(&shop, &[("acr_values", &format!("urn:other {BY_PASSWORD} {PASSKEY}")), ("prompt", "none")]);
    assert!(back(&browser.get(&either)).contains_key("code"));

    // Half a minute and the leeway of 5 s later it is too old again, at the edge that knows it as well.
    let at = claims(token)["auth_time"].as_u64().unwrap();
    world.pass(seconds(at + 35 - world.now().as_seconds()));
    assert_eq!(challenge(&edge, "/both", token), None);
    world.pass(seconds(1));
    assert_eq!(challenge(&edge, "/both", token), Some(both.clone()));
    assert_eq!(at_once(&edge, &get("/both", token)).unwrap().status(), 401);
    assert_eq!(challenge(&edge, "/sure", token), None);
}

#[test]
fn rfc9068_section_2_2_1_access_tokens_say_how_and_when_somebody_signed_in_refreshed_ones_too() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let (_, first) = by_password(&edge, &shop);
    let at = claims(text(&first, "id_token"))["auth_time"].clone();
    let said = |token: &str| (claims(token)["acr"].clone(), claims(token)["auth_time"].clone());
    assert_eq!(said(text(&first, "access_token")), (json!(BY_PASSWORD), at.clone()));
    world.pass(seconds(20));
    let form = format!("grant_type=refresh_token&refresh_token={}", text(&first, "refresh_token"));
    let next = tokens(&edge, "test", &shop, &form);
    let token = text(&next, "access_token");
    assert_eq!(said(token), (json!(BY_PASSWORD), at.clone()), "a refresh is no sign-in");
    assert_eq!(challenge(&edge, "/fresh", token), None);
    world.pass(seconds(20));
    assert_eq!(challenge(&edge, "/fresh", token), Some(vec![("max_age", "30".to_owned())]));

    // RFC 9470 section 6.2.
    let told: Value = serde_json::from_str(
        &post(&edge, "test", "introspect", &shop, &format!("token={token}")).answer().body,
    )
    .unwrap();
    assert_eq!((&told["acr"], &told["auth_time"]), (&json!(BY_PASSWORD), &at));

    // Nobody has signed in where a machine speaks for itself.
    let machine = client(&edge, "test", &json!({ "grant_types": ["client_credentials"] }));
    let granted = tokens(&edge, "test", &machine, "grant_type=client_credentials&scope=orders:read");
    let token = text(&granted, "access_token");
    assert_eq!(said(token), (Value::Null, Value::Null));
    for path in ["/sure", "/fresh", "/both"] {
        assert!(challenge(&edge, path, token).is_some(), "{path}");
    }
    let told = post(&edge, "test", "introspect", &machine, &format!("token={token}"));
    assert!(!told.answer().body.contains("auth_time") && !told.answer().body.contains("acr"));
}

#[test]
fn rfc9470_section_5_a_way_to_sign_in_that_the_realm_has_not_is_an_error() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let ask = |browser: &Browser<'_, '_>, acr: &str| browser.get(&asks(&shop, &[("acr_values", acr)]));
    let browser = Browser::new(&edge);
    assert_eq!(
        back(&ask(&browser, "urn:tollgate:acr:federated"))["error"],
        "unmet_authentication_requirements"
    );
    assert_eq!(heading(&ask(&browser, "urn:tollgate:acr:federated urn:tollgate:acr:password")), "Sign in");
    assert_eq!(heading(&ask(&browser, "1 2")), "Sign in", "OpenID Connect Core section 3.1.2.1");
}

#[test]
fn rfc9470_section_4_what_lacks_scope_is_told_that_first_and_nothing_is_used() {
    let world = World::new(&config());
    let edge = world.edge();
    let machine = client(&edge, "test", &json!({ "grant_types": ["client_credentials"] }));
    let bare = tokens(&edge, "test", &machine, "grant_type=client_credentials&scope=openid");
    assert_eq!(gate(&edge, &get("/sure", text(&bare, "access_token"))), 403);
    // The session falls idle after 60 s, and a refusal is no use of it.
    let (shop, _) = (app(&edge), ada(&edge));
    let (_, granted) = by_password(&edge, &shop);
    let token = text(&granted, "access_token");
    world.pass(seconds(50));
    assert_eq!(gate(&edge, &get("/sure", token)), 401);
    world.pass(seconds(50));
    assert_eq!(gate(&edge, &get("/any", token)), 401);
    assert!(world.log.borrow().iter().any(|line| line.contains("lack_authentication")));
    assert!(world.log.borrow().last().unwrap().contains("expire_idle"));
}

#[test]
fn rfc9470_section_6_tokens_and_answers_of_other_issuers() {
    let issuer = Key::new(9);
    let key = issuer.jwk("k1");
    let world = World::new(&format!(
        r#"{{
        "issuers": [
            {{ "issuer": "https://accounts.example.com", "audiences": ["https://api.example"], "leeway_seconds": 2, "jwks": {{ "keys": [{key}] }} }},
            {{ "issuer": "https://asked.example", "audiences": ["https://api.example"], "leeway_seconds": 2,
               "introspection": {{ "endpoint": "https://asked.example/introspect", "client_id": "me", "client_secret_name": "INTROSPECTION_SECRET" }} }}
        ],
        "resources": [ {{ "resource": "https://edge.example" }} ],
        "routes": [ {{ "id": "sure", "methods": ["GET"], "path": "/sure", "host": "edge.example",
            "require": {{ "acr": ["gold"], "max_age_seconds": 60 }}, "to": {{ "service": "ORIGIN" }} }} ]
    }}"#
    ));
    let edge = world.edge();
    let now = world.now().as_seconds();
    let of = |more: &Value| {
        let mut said = json!({ "iss": "https://accounts.example.com", "sub": "s", "aud": "https://api.example", "client_id": "c",
            "jti": "j", "iat": now, "exp": now + 600 });
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        said
    };
    let passes = |token: &str| {
        let reply = call(&edge, &get("/sure", token)).0;
        if let Reply::Answered(answer) = &reply {
            let said = answer.header("www-authenticate").unwrap();
            assert!(
                said.contains(
                    r#", acr_values="gold", max_age="60", resource_metadata="https://edge.example/"#
                ),
                "{said}"
            );
        }
        reply.status() == 200
    };
    for (at, (more, is_good)) in [
        (json!({ "acr": "gold", "auth_time": now - 62 }), true),
        (json!({ "acr": "gold", "auth_time": now - 63 }), false),
        (json!({ "acr": "gold", "auth_time": now + 3 }), false),
        (json!({ "acr": "gold", "auth_time": now.to_string() }), false),
        (json!({ "acr": ["gold"], "auth_time": now }), false),
        (json!({ "acr": "silver", "auth_time": now }), false),
        (json!({ "acr": "gold" }), false),
        (json!({ "auth_time": now }), false),
        (json!({}), false),
    ]
    .into_iter()
    .enumerate()
    {
        let token = issuer.sign(&json!({ "typ": "at+jwt", "alg": "ES256", "kid": "k1" }), &of(&more));
        assert_eq!(passes(&token), is_good, "{more}");
        let mut told = of(&more);
        told["active"] = json!(true);
        told.as_object_mut().unwrap().remove("iss");
        world
            .web
            .borrow_mut()
            .insert("https://asked.example/introspect".to_owned(), Page::ok(told.to_string()));
        assert_eq!(passes(&format!("opaque-{at}")), is_good, "{more}");
    }
}
