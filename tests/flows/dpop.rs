//! Proofs of possession (RFC 9449): at the token endpoint, at userinfo, at the gate.

use serde_json::{Value, json};
use tollgate::encoding::Digest;

use super::people::{Browser, allowed, asks};
use super::realm::{CONFIG, Key, claims, client, error, manage, seconds, text, user};
use crate::fakes::{Broken, Call, Edge, Reply, World, at_once, call, finish};

pub(super) const HOST: &str = "https://edge.example";
const TOKEN: &str = "https://edge.example/test/oauth/token";
const USERINFO: &str = "https://edge.example/test/oauth/userinfo";

/// A proof by `key` of a request; `more` replaces claims, and takes away where it is `null`.
pub(super) fn proof(
    world: &World,
    key: &Key,
    (method, url): (&str, &str),
    token: Option<&str>,
    more: &Value,
) -> String {
    let mut jwk = key.jwk("");
    let members = jwk.as_object_mut().unwrap();
    members.retain(|name, _| matches!(name.as_str(), "kty" | "crv" | "x" | "y"));
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk });
    let id = format!("{:?}", tollgate::port::random::<8>(world).unwrap());
    let mut said = json!({ "jti": id, "htm": method, "htu": url, "iat": world.now().as_seconds() });
    if let Some(token) = token {
        said["ath"] = json!(Digest::of(token.as_bytes()).to_string());
    }
    for (name, value) in more.as_object().unwrap() {
        said[name] = value.clone();
    }
    said.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    key.sign(&header, &said)
}

pub(super) fn jkt(key: &Key) -> String {
    let jwk: tollgate::token::Jwk = serde_json::from_value(key.jwk("x")).unwrap();
    jwk.thumbprint().to_string()
}

/// A token request with a proof.
fn post(edge: &Edge<'_>, client: &Value, form: &str, proof: Option<&str>) -> Reply {
    let (id, secret) = (text(client, "client_id"), client["client_secret"].as_str());
    let secret = secret.map(|secret| format!("&client_secret={secret}")).unwrap_or_default();
    let request = Call::form(TOKEN, format!("client_id={id}{secret}&{form}"));
    call(edge, &proof.iter().fold(request, |request, proof| request.header("dpop", *proof))).0
}

fn granted(reply: &Reply) -> Value {
    assert_eq!(reply.status(), 200, "{}", reply.answer().body);
    serde_json::from_str(&reply.answer().body).unwrap()
}

const MACHINE: &str = "grant_type=client_credentials&scope=orders:read";

/// A bound token of a machine, and the client.
fn bound(world: &World, edge: &Edge<'_>, realm: &str, key: &Key) -> (Value, String) {
    let machine = client(edge, realm, &json!({ "grant_types": ["client_credentials"] }));
    let at = TOKEN.replace("test", realm);
    let form = format!(
        "client_id={}&client_secret={}&{MACHINE}",
        text(&machine, "client_id"),
        text(&machine, "client_secret")
    );
    let proof = proof(world, key, ("POST", &at), None, &json!({}));
    let reply = call(edge, &Call::form(at, form).header("dpop", proof)).0;
    let tokens = granted(&reply);
    assert_eq!(tokens["token_type"], "DPoP");
    (machine, text(&tokens, "access_token").to_owned())
}

pub(super) fn shown(token: &str, proof: &str, path: &str) -> Call {
    Call::get(format!("{HOST}{path}")).header("authorization", format!("DPoP {token}")).header("dpop", proof)
}

/// What the gate says to a token with a new proof of this request.
pub(super) fn gate(edge: &Edge<'_>, key: &Key, token: &str, path: &str, more: &Value) -> (Reply, String) {
    let proof = proof(edge.world, key, ("GET", &format!("{HOST}{path}")), Some(token), more);
    (call(edge, &shown(token, &proof, path)).0, proof)
}

fn said(reply: &Reply) -> (u16, String) {
    let challenge = reply.answer().header("www-authenticate").unwrap_or_default();
    let error = challenge.split_once("error=\"").map_or("", |(_, rest)| rest.split('"').next().unwrap());
    assert!(challenge.starts_with("DPoP algs=\"EdDSA ES256 "), "{challenge}");
    (reply.status(), error.to_owned())
}

fn invalid_proof() -> (u16, String) {
    (401, "invalid_dpop_proof".to_owned())
}

#[test]
fn rfc9449_section_5_a_proof_binds_the_token_and_without_one_nothing_is_bound() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (key, machine) =
        (Key::new(1), client(&edge, "test", &json!({ "grant_types": ["client_credentials"] })));
    // A standing grant is there, and must neither be used nor bound.
    let plain = granted(&post(&edge, &machine, MACHINE, None));
    let proof = |more: &Value| proof(&world, &key, ("POST", TOKEN), None, more);
    let tied = granted(&post(&edge, &machine, MACHINE, Some(&proof(&json!({})))));
    let again = granted(&post(&edge, &machine, MACHINE, None));
    assert_eq!(
        (&plain["token_type"], &tied["token_type"], &again["token_type"]),
        (&json!("Bearer"), &json!("DPoP"), &json!("Bearer"))
    );
    assert_eq!(claims(text(&tied, "access_token"))["cnf"], json!({ "jkt": jkt(&key) }));
    for free in [&plain, &again] {
        assert!(claims(text(free, "access_token")).get("cnf").is_none());
    }
    for (more, what) in [
        (json!({ "htm": "GET" }), "another method"),
        (json!({ "htu": "https://edge.example/cut/oauth/token" }), "another realm"),
        (json!({ "htu": "https://evil.example/test/oauth/token" }), "another server"),
        (json!({ "iat": world.now().as_seconds() - 3600 }), "an hour ago"),
        (json!({ "iat": world.now().as_seconds() + 3600 }), "in an hour"),
        (json!({ "jti": null }), "without a name"),
    ] {
        let refused = post(&edge, &machine, MACHINE, Some(&proof(&more)));
        assert_eq!(error(&refused), (400, "invalid_dpop_proof".to_owned()), "{what}");
    }
    let good = proof(&json!({}));
    let (rest, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{rest}.{}", proof(&json!({})).rsplit_once('.').unwrap().1);
    for bad in ["", "x", &forged, &format!("{good}, {}", proof(&json!({})))] {
        assert_eq!(
            error(&post(&edge, &machine, MACHINE, Some(bad))),
            (400, "invalid_dpop_proof".to_owned()),
            "{bad:.20}"
        );
    }
}

#[test]
fn rfc9449_section_11_1_a_proof_counts_once_at_every_edge() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let key = Key::new(1);
    let (machine, token) = bound(&world, &edge, "test", &key);
    let asked = proof(&world, &key, ("POST", TOKEN), None, &json!({}));
    assert_eq!(post(&edge, &machine, MACHINE, Some(&asked)).status(), 200);
    assert_eq!(
        error(&post(&world.edge(), &machine, MACHINE, Some(&asked))),
        (400, "invalid_dpop_proof".to_owned())
    );
    // What is refused leaves no mark.
    let other = proof(&world, &key, ("POST", TOKEN), None, &json!({}));
    let wrong = json!({ "client_id": machine["client_id"], "client_secret": "tgs_wrong" });
    assert_eq!(post(&edge, &wrong, MACHINE, Some(&other)).status(), 401);
    assert_eq!(post(&edge, &machine, MACHINE, Some(&other)).status(), 200);
    for path in ["/orders/1", "/any"] {
        let (first, shown_proof) = gate(&edge, &key, &token, path, &json!({}));
        assert_eq!(first.status(), 200);
        for edge in [&edge, &world.edge()] {
            assert_eq!(said(&call(edge, &shown(&token, &shown_proof, path)).0), invalid_proof(), "attack 58");
        }
    }
    // The mark is cleared later than any clock of ours takes the proof.
    let (_, shown_proof) = gate(&edge, &key, &token, "/any", &json!({}));
    world.pass(seconds(90));
    world.clear();
    assert_eq!(said(&call(&edge, &shown(&token, &shown_proof, "/any")).0), invalid_proof());
    let marks = |world: &World| world.stored().iter().filter(|text| text.contains("dpop.proof")).count();
    world.pass(seconds(301));
    world.clear();
    assert_eq!(marks(&world), 0);
}

#[test]
fn attack_58_rfc9449_section_7_1_the_gate_wants_the_right_proof_of_this_very_request() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (key, thief) = (Key::new(1), Key::new(2));
    let (_, token) = bound(&world, &edge, "test", &key);
    let (reply, _) = gate(&edge, &key, &token, "/orders/1", &json!({}));
    let Reply::Forwarded { onward, identity, .. } = &reply else { panic!("{reply:?}") };
    assert!(
        onward.remove.iter().any(|name| name == "dpop")
            && onward.remove.iter().any(|name| name == "authorization")
    );
    assert!(identity.contains_key("x-tollgate-client"));
    for (more, what) in [
        (json!({ "ath": null }), "no ath"),
        (json!({ "ath": Digest::of(b"another").to_string() }), "another token"),
        (json!({ "htm": "POST" }), "another method"),
        (json!({ "htu": "https://edge.example/orders/2" }), "another path"),
        (json!({ "htu": "https://evil.example/orders/1" }), "another host"),
        (json!({ "htu": "http://edge.example/orders/1" }), "without TLS"),
    ] {
        assert_eq!(said(&gate(&edge, &key, &token, "/orders/1", &more).0), invalid_proof(), "{what}");
    }
    let query = json!({ "htu": "HTTPS://EDGE.example:443/orders/1?a=1#b" });
    assert_eq!(gate(&edge, &key, &token, "/orders/1", &query).0.status(), 200);
    assert_eq!(said(&gate(&edge, &thief, &token, "/orders/1", &json!({})).0), invalid_proof(), "another key");
    let without = Call::get(format!("{HOST}/orders/1")).header("authorization", format!("DPoP {token}"));
    assert_eq!(said(&call(&edge, &without).0), invalid_proof(), "no proof");
    // The Host that a request came with proves nothing.
    let url = "https://evil.example/any";
    let made = proof(&world, &key, ("GET", url), Some(&token), &json!({}));
    let elsewhere = Call::get(url).header("authorization", format!("DPoP {token}")).header("dpop", made);
    assert_eq!(said(&call(&edge, &elsewhere).0), invalid_proof());
    // And the token alone opens nothing in other places.
    let admin = gate(&edge, &key, &format!("{token}x"), "/orders/1", &json!({})).0;
    assert_eq!(said(&admin), (401, "invalid_token".to_owned()));
}

#[test]
fn attack_51_rfc9449_section_7_2_neither_kind_of_token_passes_for_the_other() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let key = Key::new(1);
    let (machine, token) = bound(&world, &edge, "test", &key);
    let bearer = Call::get(format!("{HOST}/any")).bearer(&token);
    for _ in 0..2 {
        let (refused, _) = call(&edge, &bearer);
        let challenge = refused.answer().header("www-authenticate");
        assert_eq!((refused.status(), challenge), (401, Some(r#"Bearer error="invalid_token""#)));
        // Known by now, and refused from memory as well.
        assert_eq!(gate(&edge, &key, &token, "/any", &json!({})).0.status(), 200);
    }
    assert_eq!(at_once(&edge, &bearer).map(|reply| reply.status()), Some(401), "a decision without waiting");
    let made = proof(&world, &key, ("GET", "https://edge.example/any"), Some(&token), &json!({}));
    assert!(at_once(&edge, &shown(&token, &made, "/any")).is_none(), "a proof takes the long way");
    let as_bearer = bearer.header("dpop", made);
    assert_eq!(call(&edge, &as_bearer).0.status(), 401, "with the header, and without its scheme");
    let free = text(&granted(&post(&edge, &machine, MACHINE, None)), "access_token").to_owned();
    assert_eq!(said(&gate(&edge, &key, &free, "/any", &json!({})).0), (401, "invalid_token".to_owned()));
    let (passed, chore) = call(&edge, &Call::get(format!("{HOST}/any")).bearer(&free));
    if let Some(chore) = chore {
        finish(&edge, chore);
    }
    assert_eq!(passed.status(), 200);
    assert_eq!(at_once(&edge, &Call::get(format!("{HOST}/any")).bearer(&free)).unwrap().status(), 200);
}

#[test]
fn a_session_that_has_ended_is_over_with_a_proof_as_well_and_trouble_is_503() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let key = Key::new(1);
    let (machine, token) = bound(&world, &edge, "test", &key);
    for broken in [Broken::PrincipalsBefore, Broken::PrincipalsAfter, Broken::Verifier] {
        world.broken.set(Some(broken));
        assert_eq!(gate(&world.edge(), &key, &token, "/any", &json!({})).0.status(), 503, "{broken:?}");
        world.broken.set(None);
    }
    let form = format!(
        "client_id={}&client_secret={}&token={token}",
        text(&machine, "client_id"),
        text(&machine, "client_secret")
    );
    assert_eq!(call(&edge, &Call::form(format!("{HOST}/test/oauth/revoke"), form)).0.status(), 200);
    assert_eq!(said(&gate(&edge, &key, &token, "/any", &json!({})).0), (401, "invalid_token".to_owned()));
    world.pass(seconds(1));
    let (_, token) = bound(&world, &edge, "cut", &key);
    let (reply, made) = gate(&edge, &key, &token, "/any", &json!({}));
    assert_eq!(reply.status(), 200, "where nobody asks about sessions");
    assert_eq!(said(&call(&world.edge(), &shown(&token, &made, "/any")).0), invalid_proof());
}

#[test]
fn rfc9449_section_5_2_a_client_that_is_registered_so_gets_nothing_without_a_proof() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let key = Key::new(1);
    let machine = client(
        &edge,
        "test",
        &json!({ "grant_types": ["client_credentials", "refresh_token"], "dpop_bound_access_tokens": true }),
    );
    assert_eq!(machine["dpop_bound_access_tokens"], true);
    let refused = (400, "invalid_dpop_proof".to_owned());
    assert_eq!(error(&post(&edge, &machine, MACHINE, None)), refused);
    let made = || proof(&world, &key, ("POST", TOKEN), None, &json!({}));
    let tokens = granted(&post(&edge, &machine, MACHINE, Some(&made())));
    let form = format!("grant_type=refresh_token&refresh_token={}", text(&tokens, "refresh_token"));
    assert_eq!(error(&post(&edge, &machine, &form, None)), refused);
    // A confidential client proves itself: its refresh token is bound to it, and the next token to the key of the next proof.
    let next = Key::new(2);
    let made = proof(&world, &next, ("POST", TOKEN), None, &json!({}));
    let tokens = granted(&post(&edge, &machine, &form, Some(&made)));
    assert_eq!(claims(text(&tokens, "access_token"))["cnf"], json!({ "jkt": jkt(&next) }));
    // Whoever gets that registration later loses the grants that stand.
    let other = client(&edge, "test", &json!({ "grant_types": ["client_credentials"] }));
    let free = text(&granted(&post(&edge, &other, MACHINE, None)), "access_token").to_owned();
    let change =
        json!({ "client_name": "Test", "scope": "orders:admin openid", "dpop_bound_access_tokens": true });
    let at = format!("{HOST}/test/api/v1/clients/{}", text(&other, "client_id"));
    assert_eq!(manage(&edge, Call::put(at, change.to_string())).status(), 200);
    assert_eq!(call(&edge, &Call::get(format!("{HOST}/any")).bearer(&free)).0.status(), 401);
    assert_eq!(error(&post(&edge, &other, MACHINE, None)), refused);
}

/// A person, and a public client of theirs.
fn app(edge: &Edge<'_>, more: &Value) -> Value {
    let profile =
        json!({ "login": "ada@example.com", "password": "correct horse", "profile": { "name": "Ada" } });
    user(edge, &profile);
    let mut metadata = json!({
        "grant_types": ["authorization_code", "refresh_token"], "redirect_uris": ["https://app.example/cb?x=1"],
        "scope": "openid profile orders:admin", "token_endpoint_auth_method": "none",
    });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client(edge, "test", &metadata)
}

fn redeems(code: &str) -> String {
    let verifier = super::people::verifier();
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "https://app.example/cb?x=1"),
        ("code_verifier", verifier.reveal()),
    ];
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[test]
fn rfc9449_section_5_a_refresh_token_of_a_public_client_is_bound_to_its_key() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (key, thief) = (Key::new(1), Key::new(2));
    let shop = app(&edge, &json!({}));
    let code = allowed(&Browser::new(&edge), &asks(&shop, &[("dpop_jkt", &jkt(&key))]));
    let made = |key: &Key| proof(&world, key, ("POST", TOKEN), None, &json!({}));
    // RFC 9449 section 10: the code names its key.
    for wrong in [None, Some(made(&thief))] {
        let refused = post(&edge, &shop, &redeems(&code), wrong.as_deref());
        assert_eq!(error(&refused), (400, "invalid_grant".to_owned()), "attack 58");
    }
    let tokens = granted(&post(&edge, &shop, &redeems(&code), Some(&made(&key))));
    assert_eq!(tokens["token_type"], "DPoP");
    let form = format!("grant_type=refresh_token&refresh_token={}", text(&tokens, "refresh_token"));
    for wrong in [None, Some(made(&thief))] {
        let refused = post(&edge, &shop, &form, wrong.as_deref());
        assert_eq!(error(&refused), (400, "invalid_grant".to_owned()));
    }
    let next = granted(&post(&edge, &shop, &form, Some(&made(&key))));
    assert_eq!(claims(text(&next, "access_token"))["cnf"], json!({ "jkt": jkt(&key) }));
    // A thief of a spent token ends nothing without the key.
    world.pass(seconds(20));
    assert_eq!(post(&edge, &shop, &form, Some(&made(&thief))).status(), 400);
    let token = text(&next, "access_token");
    let info = |key: &Key, more: &Value| {
        let made = proof(&world, key, ("GET", USERINFO), Some(token), more);
        (
            call(
                &edge,
                &Call::get(USERINFO).header("authorization", format!("DPoP {token}")).header("dpop", &*made),
            )
            .0,
            made,
        )
    };
    let (reply, made) = info(&key, &json!({}));
    assert_eq!(reply.status(), 200, "{}", reply.answer().body);
    let again = Call::get(USERINFO).header("authorization", format!("DPoP {token}")).header("dpop", made);
    assert_eq!(said(&call(&edge, &again).0), invalid_proof(), "replayed");
    assert_eq!(said(&info(&thief, &json!({})).0), invalid_proof());
    assert_eq!(said(&info(&key, &json!({ "ath": null })).0), invalid_proof());
    assert_eq!(call(&edge, &Call::get(USERINFO).bearer(token)).0.status(), 401, "attack 51");
}

#[test]
fn rfc9449_section_5_a_refresh_token_of_a_public_client_is_bound_by_its_first_proof() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (key, other) = (Key::new(1), Key::new(2));
    let shop = app(&edge, &json!({}));
    let code = allowed(&Browser::new(&edge), &asks(&shop, &[]));
    let free = granted(&post(&edge, &shop, &redeems(&code), None));
    assert_eq!(free["token_type"], "Bearer");
    let form =
        |tokens: &Value| format!("grant_type=refresh_token&refresh_token={}", text(tokens, "refresh_token"));
    let made = |key: &Key| proof(&world, key, ("POST", TOKEN), None, &json!({}));
    let free = granted(&post(&edge, &shop, &form(&free), None));
    let tied = granted(&post(&edge, &shop, &form(&free), Some(&made(&key))));
    assert_eq!(tied["token_type"], "DPoP");
    for wrong in [None, Some(made(&other))] {
        let refused = post(&edge, &shop, &form(&tied), wrong.as_deref());
        assert_eq!(error(&refused), (400, "invalid_grant".to_owned()));
    }
    assert_eq!(post(&edge, &shop, &form(&tied), Some(&made(&key))).status(), 200);
}

#[test]
fn rfc9700_section_4_14_2_a_thief_who_binds_a_family_to_a_key_does_not_hide_the_theft() {
    let config = CONFIG.replacen(r#""idle_seconds": 60"#, r#""idle_seconds": 600"#, 1);
    let form =
        |tokens: &Value| format!("grant_type=refresh_token&refresh_token={}", text(tokens, "refresh_token"));
    for late in [false, true] {
        let world = World::new(&config);
        let edge = world.edge();
        let (thief, shop) = (Key::new(1), app(&edge, &json!({})));
        let made = || proof(&world, &thief, ("POST", TOKEN), None, &json!({}));
        let code = allowed(&Browser::new(&edge), &asks(&shop, &[]));
        let copied = granted(&post(&edge, &shop, &redeems(&code), None));
        let stolen = granted(&post(&edge, &shop, &form(&copied), Some(&made())));
        world.pass(seconds(if late { 11 } else { 1 }));
        let owner = post(&edge, &shop, &form(&copied), None);
        assert_eq!(error(&owner), (400, "invalid_grant".to_owned()));
        // Late it is a theft, and ends what was stolen; within the grace nobody knows yet.
        let status = post(&edge, &shop, &form(&stolen), Some(&made())).status();
        assert_eq!(status, if late { 400 } else { 200 });
    }
    // What is told again binds nothing: the owner of the successor has no such key.
    let world = World::new(&config);
    let edge = world.edge();
    let (thief, shop) = (Key::new(1), app(&edge, &json!({})));
    let code = allowed(&Browser::new(&edge), &asks(&shop, &[]));
    let copied = granted(&post(&edge, &shop, &redeems(&code), None));
    let owners = granted(&post(&edge, &shop, &form(&copied), None));
    let made = proof(&world, &thief, ("POST", TOKEN), None, &json!({}));
    post(&edge, &shop, &form(&copied), Some(&made));
    assert_eq!(post(&edge, &shop, &form(&owners), None).status(), 200);
}

#[test]
fn rfc9449_section_10_1_a_pushed_request_binds_its_code() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (key, other) = (Key::new(1), Key::new(2));
    let shop = app(&edge, &json!({}));
    let at = format!("{HOST}/test/oauth/par");
    let form = |more: &[(&str, &str)]| asks(&shop, more).split_once('?').unwrap().1.to_owned();
    let push = |form: String, proof: Option<String>| {
        let request = Call::form(&at, form);
        call(&edge, &proof.into_iter().fold(request, |request, proof| request.header("dpop", proof))).0
    };
    let made = |key: &Key| Some(proof(&world, key, ("POST", &at), None, &json!({})));
    let refused = push(form(&[("dpop_jkt", &jkt(&other))]), made(&key));
    assert_eq!(error(&refused), (400, "invalid_dpop_proof".to_owned()), "two keys");
    let once = made(&key);
    let pushed = push(form(&[]), once.clone());
    assert_eq!(pushed.status(), 201, "{}", pushed.answer().body);
    assert_eq!(error(&push(form(&[]), once)), (400, "invalid_dpop_proof".to_owned()), "replayed");
    assert_eq!(error(&push(form(&[("dpop_jkt", "x")]), None)), (400, "invalid_request".to_owned()));
    let query =
        format!("client_id={}&request_uri={}", text(&shop, "client_id"), pushed.member("request_uri"));
    let code = allowed(&Browser::new(&edge), &format!("{HOST}/test/oauth/authorize?{query}"));
    let made = |key: &Key| proof(&world, key, ("POST", TOKEN), None, &json!({}));
    assert_eq!(
        error(&post(&edge, &shop, &redeems(&code), Some(&made(&other)))),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(granted(&post(&edge, &shop, &redeems(&code), Some(&made(&key))))["token_type"], "DPoP");
}

#[test]
fn rfc9449_section_8_and_9_a_realm_may_want_a_nonce_of_its_own() {
    let config = CONFIG.replacen(r#""idle_seconds": 60"#, r#""dpop_nonce": true, "idle_seconds": 60"#, 1);
    let world = World::new(&config);
    let edge = world.edge();
    let key = Key::new(1);
    let machine = client(&edge, "test", &json!({ "grant_types": ["client_credentials"] }));
    let ask = |nonce: Value| {
        let made = proof(&world, &key, ("POST", TOKEN), None, &json!({ "nonce": nonce }));
        post(&edge, &machine, MACHINE, Some(&made))
    };
    let first = ask(Value::Null);
    assert_eq!(error(&first), (400, "use_dpop_nonce".to_owned()));
    let nonce = first.answer().header("dpop-nonce").unwrap().to_owned();
    assert_eq!(error(&ask(json!("made-up"))), (400, "use_dpop_nonce".to_owned()), "attack 58");
    let good = ask(json!(nonce));
    assert_eq!(good.answer().header("dpop-nonce"), Some(nonce.as_str()));
    let token = text(&granted(&good), "access_token").to_owned();
    let (wanted, _) = gate(&edge, &key, &token, "/any", &json!({}));
    assert_eq!(said(&wanted), (401, "use_dpop_nonce".to_owned()));
    let nonce = wanted.answer().header("dpop-nonce").unwrap().to_owned();
    assert_eq!(gate(&edge, &key, &token, "/any", &json!({ "nonce": nonce })).0.status(), 200);
    world.pass(seconds(121));
    assert_eq!(
        said(&gate(&edge, &key, &token, "/any", &json!({ "nonce": nonce })).0),
        (401, "use_dpop_nonce".to_owned())
    );
    assert_eq!(post(&edge, &machine, MACHINE, None).status(), 200, "who proves nothing needs none");
}

#[test]
fn rfc9449_section_6_2_introspection_tells_the_key() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let key = Key::new(1);
    let (machine, token) = bound(&world, &edge, "test", &key);
    let form = format!(
        "client_id={}&client_secret={}&token={token}",
        text(&machine, "client_id"),
        text(&machine, "client_secret")
    );
    let reply = call(&edge, &Call::form(format!("{HOST}/test/oauth/introspect"), form)).0;
    let told: Value = serde_json::from_str(&reply.answer().body).unwrap();
    assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("DPoP")));
    assert_eq!(told["cnf"], json!({ "jkt": jkt(&key) }));
}

#[test]
fn rfc9449_section_5_1_metadata_lists_the_algorithms() {
    let world = World::new(CONFIG);
    let reply = call(&world.edge(), &Call::get(format!("{HOST}/test/.well-known/openid-configuration"))).0;
    let document: Value = serde_json::from_str(&reply.answer().body).unwrap();
    let algorithms = document["dpop_signing_alg_values_supported"].as_array().unwrap();
    assert_eq!(algorithms.len(), 10);
    assert!(algorithms.iter().all(|name| name != "none" && !name.as_str().unwrap().starts_with("HS")));
}

#[test]
fn a_proxy_may_ask_about_a_token_with_a_proof() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let key = Key::new(1);
    let (_, token) = bound(&world, &edge, "test", &key);
    let check = |method: &str, proof: &str| {
        let request = Call::get(format!("{HOST}/_tollgate/check"))
            .header("x-original-method", method)
            .header("x-original-uri", "/any?a=1")
            .header("x-original-host", "edge.example")
            .header("authorization", format!("DPoP {token}"))
            .header("dpop", proof);
        call(&edge, &request).0
    };
    let made = proof(&world, &key, ("GET", "https://edge.example/any"), Some(&token), &json!({}));
    assert_eq!(check("GET", &made).status(), 200);
    assert_eq!(said(&check("GET", &made)), invalid_proof(), "replayed");
    let check_itself =
        proof(&world, &key, ("GET", "https://edge.example/_tollgate/check"), Some(&token), &json!({}));
    assert_eq!(said(&check("GET", &check_itself)), invalid_proof());
}

/// Two issuers of somebody else's: one whose keys are known, one that is asked.
fn others(issuer: &Key, place: &str) -> String {
    let key = issuer.jwk("k1");
    format!(
        r#"{{
        "issuers": [
            {{ "issuer": "https://accounts.example.com", "audiences": ["https://api.example"], "jwks": {{ "keys": [{key}] }} }},
            {{ "issuer": "https://asked.example", "audiences": ["https://api.example"],
               "introspection": {{ "endpoint": "https://asked.example/introspect", "client_id": "me", "client_secret_name": "INTROSPECTION_SECRET" }} }}
        ],
        "routes": [ {{ "id": "any", "methods": ["GET"], "path": "/any", {place} "require": {{}}, "to": {{ "service": "ORIGIN" }} }} ]
    }}"#
    )
}

#[test]
fn attack_58_bound_tokens_of_other_issuers_count_with_their_proofs_and_each_proof_once() {
    let (issuer, key, thief) = (Key::new(9), Key::new(1), Key::new(2));
    let world = World::new(&others(&issuer, r#""host": "edge.example","#));
    let edge = world.edge();
    let now = world.now().as_seconds();
    let said_of = json!({ "iss": "https://accounts.example.com", "sub": "s", "aud": "https://api.example", "client_id": "c",
        "jti": "j", "iat": now, "exp": now + 600, "cnf": { "jkt": jkt(&key) } });
    let token = issuer.sign(&json!({ "typ": "at+jwt", "alg": "ES256", "kid": "k1" }), &said_of);
    let told = json!({ "active": true, "sub": "s", "client_id": "c", "aud": "https://api.example", "exp": now + 600, "cnf": { "jkt": jkt(&key) } });
    let page = crate::fakes::Page::ok(told.to_string());
    world.web.borrow_mut().insert("https://asked.example/introspect".to_owned(), page);
    for token in [token.as_str(), "opaque"] {
        let (reply, made) = gate(&edge, &key, token, "/any", &json!({}));
        assert_eq!(reply.status(), 200, "{token}");
        for edge in [&edge, &world.edge()] {
            assert_eq!(said(&call(edge, &shown(token, &made, "/any")).0), invalid_proof(), "replayed");
        }
        assert_eq!(said(&gate(&edge, &thief, token, "/any", &json!({})).0), invalid_proof());
        assert_eq!(call(&edge, &Call::get(format!("{HOST}/any")).bearer(token)).0.status(), 401, "attack 51");
        world.broken.set(Some(Broken::PrincipalsAfter));
        assert_eq!(gate(&edge, &key, token, "/any", &json!({})).0.status(), 503);
        world.broken.set(None);
    }
    // Nobody knows what this one is called: not even its own Host counts.
    let world = World::new(&others(&issuer, ""));
    assert_eq!(said(&gate(&world.edge(), &key, &token, "/any", &json!({})).0), invalid_proof());
}
