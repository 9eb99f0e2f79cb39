//! What does not count of what comes back from a provider, and what becomes of the person.

use serde_json::{Value, json};
use tollgate::encoding::{Digest, base64url};

use super::federation::{
    CORP, assert_again, button, come, config, granted, hands_out, id_token, leave, tokens, with_corp, world,
};
use super::people::{Browser, HOST, PASSWORD, app, asks};
use super::realm::{Key, claims, manage, seconds, text, user};
use crate::fakes::{Broken, Call, Edge, Page, World};

#[test]
fn attack_67_an_answer_counts_in_its_browser_for_its_transaction_and_provider_and_once() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let (mine, theirs) = (Browser::new(&edge), Browser::new(&edge));
    let (page, other) = (mine.get(&asks(&shop, &[])), theirs.get(&asks(&shop, &[])));
    let (asked, others) = (leave(&mine, &page, "corp"), leave(&theirs, &other, "corp"));
    hands_out(&world, CORP, &tokens(&id_token(&world, &asked, &json!({}))));
    let state = asked["state"].as_str();
    let sent = world.asked_web.borrow().len();
    let cut = &state[..state.len() - 1];
    let changed = format!("{cut}{}", if state.ends_with('A') { 'B' } else { 'A' });
    for (what, reply) in [
        ("another browser", come(&theirs, "corp", &[("code", "c1"), ("state", state)])),
        ("no cookies", come(&Browser::new(&edge), "corp", &[("code", "c1"), ("state", state)])),
        ("another's state", come(&mine, "corp", &[("code", "c1"), ("state", &others["state"])])),
        ("another provider", come(&mine, "closed", &[("code", "c1"), ("state", state)])),
        ("no state", come(&mine, "corp", &[("code", "c1")])),
        ("a state that is cut off", come(&mine, "corp", &[("code", "c1"), ("state", cut)])),
        ("a state that is changed", come(&mine, "corp", &[("code", "c1"), ("state", &changed)])),
        ("its name alone", come(&mine, "corp", &[("code", "c1"), ("state", &state[..22])])),
        ("a state twice", come(&mine, "corp", &[("code", "c1"), ("state", state), ("state", state)])),
        ("a code twice", come(&mine, "corp", &[("code", "c1"), ("code", "c2"), ("state", state)])),
        ("an error of a stranger", come(&mine, "corp", &[("error", "access_denied"), ("state", "x")])),
    ] {
        assert_eq!((reply.status(), reply.answer().header("location")), (400, None), "{what}");
    }
    assert_eq!(come(&mine, "nowhere", &[("code", "c1"), ("state", state)]).status(), 404);
    assert_eq!(world.asked_web.borrow().len(), sent, "nobody was asked for any of them");
    let kept = mine.cookies.borrow().clone();
    assert_eq!(come(&mine, "corp", &[("code", "c1"), ("state", state)]).status(), 303);
    assert_eq!(
        come(&mine, "corp", &[("code", "c1"), ("state", state)]).status(),
        400,
        "it was answered before"
    );
    // A browser that keeps its cookies all the same: the code is used up, as its provider knows.
    mine.cookies.borrow_mut().extend(kept);
    let used = Page { status: 400, ..Page::ok(r#"{"error":"invalid_grant"}"#) };
    world.web.borrow_mut().insert(format!("{CORP}/token"), used);
    let reply = come(&mine, "corp", &[("code", "c1"), ("state", state)]);
    assert_eq!((reply.status(), reply.answer().reason), (400, Some("invalid_grant")));
    // Half an hour later nothing of it counts.
    world.pass(seconds(1_801));
    assert_eq!(come(&theirs, "corp", &[("code", "c1"), ("state", &others["state"])]).status(), 400);
}

#[test]
fn attack_68_an_answer_of_another_issuer_is_a_mix_up() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let closed = "https://closed.example";
    for (id, iss, error) in [
        ("corp", Some(closed), None),
        ("corp", Some("https://corp.example/"), None),
        ("corp", Some(closed), Some("access_denied")),
        ("closed", None, None),
        ("closed", None, Some("access_denied")),
        ("closed", Some(CORP), None),
    ] {
        let browser = Browser::new(&edge);
        let asked = leave(&browser, &browser.get(&asks(&shop, &[])), id);
        let mut said = vec![("state", asked["state"].as_str())];
        said.push(error.map_or(("code", "c1"), |error| ("error", error)));
        said.extend(iss.map(|iss| ("iss", iss)));
        let sent = world.asked_web.borrow().len();
        let reply = come(&browser, id, &said);
        assert_again(&browser, &reply, 400, "sent an answer that does not count", id);
        assert_eq!(reply.answer().reason, Some("mix_up"), "{id} {iss:?} {error:?}");
        assert_eq!(world.asked_web.borrow().len(), sent, "its code is sent to nobody");
    }
}

#[test]
fn a_provider_that_says_no_or_does_not_work_leaves_the_person_on_the_sign_in_page() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let ask = |said: &[(&str, &str)]| {
        let browser = Browser::new(&edge);
        let asked = leave(&browser, &browser.get(&asks(&shop, &[])), "corp");
        let all: Vec<_> = said.iter().copied().chain([("state", asked["state"].as_str())]).collect();
        let reply = come(&browser, "corp", &all);
        (browser, reply)
    };
    let hostile = "<script>alert(1)</script>";
    for (said, status, words) in [
        (
            vec![("error", "access_denied"), ("error_description", hostile)],
            400,
            "was told not to sign you in",
        ),
        (vec![("error", "access_denied"), ("code", "c1")], 400, "was told not to sign you in"),
        (vec![("error", hostile)], 502, "could not sign you in"),
        (vec![], 400, "does not count"),
    ] {
        let (browser, reply) = ask(&said);
        assert_again(&browser, &reply, status, words, words);
        assert!(!reply.answer().body.contains("alert(1)"));
    }
    let page = |status, body: &str| Page { status, ..Page::ok(body) };
    for (what, answer, status) in [
        ("trouble", page(500, "{}"), 502),
        ("our own credentials", page(401, r#"{"error":"invalid_client"}"#), 502),
        ("a redirect", page(302, ""), 502),
        ("no JSON", Page::ok("code=1"), 502),
        ("a member twice", Page::ok(r#"{"id_token":"x","id_token":"y"}"#), 502),
        ("no ID token", Page::ok(r#"{"access_token":"a","token_type":"Bearer"}"#), 400),
        ("an ID token of another type", Page::ok(r#"{"id_token":["x"]}"#), 400),
        ("a used code", page(400, r#"{"error":"invalid_grant"}"#), 400),
        ("another error", page(400, r#"{"error":"invalid_request"}"#), 502),
    ] {
        world.web.borrow_mut().insert(format!("{CORP}/token"), answer);
        let (browser, reply) = ask(&[("code", "c1")]);
        assert_again(&browser, &reply, status, "Corp &#60;b&#62;", what);
    }
    for broken in Broken::ALL {
        let browser = Browser::new(&edge);
        let asked = leave(&browser, &browser.get(&asks(&shop, &[])), "corp");
        hands_out(&world, CORP, &tokens(&id_token(&world, &asked, &json!({}))));
        world.broken.set(Some(broken));
        let reply = come(&browser, "corp", &[("code", "c1"), ("state", &asked["state"])]);
        world.broken.set(None);
        let is_known = browser.cookies.borrow().contains_key("__Host-tollgate.test");
        match broken {
            Broken::Kv | Broken::DirectoryAfter | Broken::DirectoryBefore => {
                assert!(is_known, "its copies are made later");
            }
            Broken::Keyrings | Broken::Mailer | Broken::Signer => assert!(is_known, "it has no part in this"),
            Broken::Web | Broken::Verifier => assert_again(&browser, &reply, 502, "does not answer", "web"),
            _ => assert!(reply.status() == 503 && !is_known, "{broken:?} {}", reply.status()),
        }
    }
    let browser = Browser::new(&edge);
    let asked = leave(&browser, &browser.get(&asks(&shop, &[])), "corp");
    hands_out(&world, CORP, &tokens(&id_token(&world, &asked, &json!({}))));
    assert_eq!(
        come(&browser, "corp", &[("code", "c1"), ("state", &asked["state"])]).status(),
        303,
        "it is mended"
    );
}

#[test]
fn attack_24_nobody_is_sent_to_a_provider_whose_metadata_cannot_be_believed() {
    let world = World::new(&config());
    let edge = world.edge();
    let shop = app(&edge);
    let browser = Browser::new(&edge);
    let page = browser.get(&asks(&shop, &[]));
    let at = format!("{CORP}/.well-known/openid-configuration");
    let good = json!({ "issuer": CORP, "authorization_endpoint": "https://corp.example/a", "token_endpoint": "https://corp.example/t", "jwks_uri": "https://corp.example/j" });
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        Page::ok(changed.to_string())
    };
    for (what, metadata) in [
        ("none", Page { status: 404, ..Page::ok("") }),
        ("a redirect", Page { status: 301, ..Page::ok("") }),
        ("no JSON", Page::ok("<html>")),
        ("another issuer", with("issuer", json!("https://closed.example"))),
        ("no endpoint", with("authorization_endpoint", Value::Null)),
        ("a script", with("authorization_endpoint", json!("javascript:alert(1)"))),
        ("plain http", with("authorization_endpoint", json!("http://corp.example/a"))),
        ("this machine", with("token_endpoint", json!("http://127.0.0.1:1/t"))),
        ("keys elsewhere", with("jwks_uri", json!("ftp://corp.example/j"))),
    ] {
        world.web.borrow_mut().insert(at.clone(), metadata);
        let reply = browser.get(&button(&page, "corp"));
        assert_eq!(reply.answer().header("location"), None, "{what}");
        assert_again(&browser, &reply, 502, "does not answer as it should", what);
    }
    world.web.borrow_mut().insert(at.clone(), Page::ok(good.to_string()));
    assert_eq!(browser.get(&button(&page, "corp")).status(), 303);
    let asked = world.asked_web.borrow().len();
    assert_eq!(browser.get(&button(&page, "corp")).status(), 303);
    assert_eq!(world.asked_web.borrow().len(), asked, "it is remembered");
    // A page of another browser, no page, and a provider that is none.
    let link = button(&page, "corp");
    assert_eq!(Browser::new(&edge).get(&link).status(), 400);
    assert_eq!(browser.get(&format!("{HOST}/test/federation/corp")).status(), 400);
    assert_eq!(browser.get(&link.replace("/corp?", "/other?")).status(), 404);
    assert_eq!(browser.get(&link.replace("/test/", "/cut/")).status(), 404, "another realm has none");
}

#[test]
fn nobody_is_reached_by_a_login_or_an_address_of_somebody_else() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let ada = user(
        &edge,
        &json!({ "login": "ada@example.com", "password": PASSWORD, "profile": { "email": "ada@example.com", "email_verified": true } }),
    );
    let browser = Browser::new(&edge);
    let page = browser.get(&asks(&shop, &[("scope", "openid email")]));
    // The provider says that the address is Ada's, and verified: it is somebody else all the same.
    let consent = with_corp(&browser, &world, &page, &json!({ "sub": "ada@example.com" }));
    let said = granted(&edge, &shop, &browser.decide(&consent, "allow", &["email"]));
    assert_ne!(claims(text(&said, "id_token"))["sub"], ada["id"]);
    for login in ["corp|7", "https://corp.example\nada@example.com", "federated:test:x", "NOBODY"] {
        let browser = Browser::new(&edge);
        let page = browser.get(&asks(&shop, &[]));
        assert_eq!(browser.sign_in(&page, login, PASSWORD).status(), 400, "{login}");
    }
    let sub = claims(text(&said, "id_token"))["sub"].as_str().unwrap().to_owned();
    let reply = manage(&edge, Call::get(format!("{HOST}/test/api/v1/users/{sub}")));
    assert_eq!(reply.status(), 200, "their place is known by their number");
}

/// What comes of an ID token that `make` makes of a good one with these claims changed.
fn judged(
    edge: &Edge<'_>,
    shop: &Value,
    changes: &Value,
    make: impl Fn(&str) -> String,
) -> (u16, Option<&'static str>) {
    let browser = Browser::new(edge);
    let asked = leave(&browser, &browser.get(&asks(shop, &[])), "corp");
    hands_out(edge.world, CORP, &tokens(&make(&id_token(edge.world, &asked, changes))));
    let reply = come(&browser, "corp", &[("code", "c1"), ("state", &asked["state"])]);
    if reply.status() != 303 {
        assert_again(&browser, &reply, 400, "sent an answer that does not count", &changes.to_string());
    }
    (reply.status(), reply.answer().reason)
}

#[test]
fn attacks_46_47_61_an_id_token_that_is_not_for_this_sign_in() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let now = world.now().as_seconds();
    let half = |text: &str| base64url(&Digest::of(text.as_bytes()).bytes()[..16]);
    for (changes, wrong) in [
        (json!({}), None),
        (json!({ "at_hash": half("at1"), "azp": "tg", "aud": ["tg"] }), None),
        (json!({ "iss": "https://closed.example" }), Some("untrusted_issuer")),
        (json!({ "iss": "https://corp.example/" }), Some("untrusted_issuer")),
        (json!({ "aud": "tg2" }), Some("reject_audience")),
        (json!({ "aud": ["tg", "tg2"], "azp": "tg" }), Some("reject_audience")),
        (json!({ "aud": null }), Some("reject_audience")),
        (json!({ "aud": [] }), Some("reject_audience")),
        (json!({ "azp": "tg2" }), Some("lack_required")),
        (json!({ "nonce": "n1" }), Some("lack_required")),
        (json!({ "nonce": null }), Some("lack_required")),
        (json!({ "at_hash": half("at2") }), Some("lack_required")),
        (json!({ "exp": now - 31 }), Some("expire_token")),
        (json!({ "exp": null }), Some("lack_claim")),
        (json!({ "iat": null }), Some("lack_claim")),
        (json!({ "iat": now + 60 }), Some("too_early")),
        (json!({ "sub": null }), Some("lack_claim")),
        (json!({ "sub": "x".repeat(256) }), Some("malform_claim")),
        (json!({ "auth_time": "1" }), Some("malform_claim")),
        (json!({ "cnf": {} }), Some("refuse_unproven")),
    ] {
        let status = if wrong.is_some() { 400 } else { 303 };
        assert_eq!(judged(&edge, &shop, &changes, str::to_owned), (status, wrong), "{changes}");
    }
}

#[test]
fn attacks_01_15_18_49_an_id_token_that_is_none_of_the_providers() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let same = json!({ "alg": "ES256", "kid": "k1" });
    for (signer, header, wrong) in [
        (3, same.clone(), None),
        (4, same, Some("reject_signature")),
        (3, json!({ "alg": "ES256", "kid": "k2" }), Some("unknown_key")),
        (4, json!({ "alg": "ES256", "kid": "k2", "jwk": Key::new(4).jwk("k2") }), Some("unknown_key")),
        (3, json!({ "alg": "ES256", "kid": "k1", "typ": "at+jwt" }), Some("reject_type")),
        (3, json!({ "alg": "ES256", "kid": "k1", "typ": "logout+jwt" }), Some("reject_type")),
        (3, json!({ "alg": "ES384", "kid": "k1" }), Some("reject_algorithm")),
        (3, json!({ "alg": "HS256", "kid": "k1" }), Some("reject_algorithm")),
        (3, json!({ "alg": "none" }), Some("reject_algorithm")),
        (3, json!({ "alg": "ES256", "kid": "k1", "crit": ["x"] }), Some("reject_critical")),
    ] {
        let status = if wrong.is_some() { 400 } else { 303 };
        let make = |good: &str| Key::new(signer).sign(&header, &claims(good));
        assert_eq!(judged(&edge, &shop, &json!({}), make), (status, wrong), "{signer} {header}");
        // A key that is not there is looked for once in 30 s.
        world.pass(seconds(31));
    }
    let changed = |good: &str| {
        let (head, sum) = good.rsplit_once('.').unwrap();
        format!("{head}.{}{}", if sum.starts_with('A') { 'B' } else { 'A' }, &sum[1..])
    };
    assert_eq!(judged(&edge, &shop, &json!({}), changed), (400, Some("reject_signature")));
    assert_eq!(judged(&edge, &shop, &json!({}), |_| "x.y".to_owned()), (400, Some("malform_token")));
}
