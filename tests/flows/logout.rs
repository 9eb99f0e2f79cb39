//! Signing out: what ends with it, who hears of it, and how ID tokens and logout tokens are signed.

use serde_json::{Value, json};
use tollgate::id::Locator;
use tollgate::oauth::send_logout_token;
use tollgate::principal::{Notice, Told};
use tollgate::token::JwkSet;

use super::people::{Browser, HOST, PASSWORD, ada, asks, back, redeem};
use super::realm::{CONFIG, claims, client, error, manage, pass, post, refresh, seconds, text};
use crate::fakes::{Broken, Call, Edge, Page, Reply, World, call, run};

const HEARS: &str = "https://app.example/logged-out";

fn shop(edge: &Edge<'_>, more: &Value) -> Value {
    let mut body = json!({
        "client_name": "Shop", "grant_types": ["authorization_code", "refresh_token"], "scope": "openid orders:read",
        "redirect_uris": ["https://app.example/cb?x=1"], "backchannel_logout_uri": HEARS, "backchannel_logout_session_required": true,
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client(edge, "test", &body)
}

/// What a client is granted whose person is signed in in this browser, or signs in there.
fn granted(edge: &Edge<'_>, browser: &Browser<'_, '_>, client: &Value) -> Value {
    let mut reply = browser.get(&asks(client, &[]));
    if reply.status() == 200 && reply.answer().body.contains("Sign in") {
        reply = browser.sign_in(&reply, "ada@example.com", PASSWORD);
    }
    if reply.status() == 200 {
        reply = browser.decide(&reply, "allow", &["orders:read"]);
    }
    serde_json::from_str(&redeem(edge, client, &back(&reply)["code"]).answer().body).unwrap()
}

/// Signs out of this browser, by the page that asks.
fn sign_out(browser: &Browser<'_, '_>) {
    let page = browser.get(&format!("{HOST}/test/oauth/logout"));
    let proof = page.answer().body.split_once(r#"name="proof" value=""#).unwrap().1;
    let proof = proof.split_once('"').unwrap().0.to_owned();
    assert_eq!(browser.post("/logout", &[("proof", &proof)]).status(), 200);
}

/// What was sent to clients, as claims, with the header's `alg` and `typ`.
fn heard(world: &World) -> Vec<(Value, Value)> {
    let asked = world.asked_web.borrow();
    let sent = asked.iter().filter(|asked| asked.url == HEARS);
    sent.map(|asked| {
        let form = asked.form.as_deref().unwrap();
        let token = form.strip_prefix("logout_token=").unwrap();
        let header = tollgate::encoding::from_base64url(token.split('.').next().unwrap()).unwrap();
        (serde_json::from_slice(&header).unwrap(), claims(token))
    })
    .collect()
}

fn alive(edge: &Edge<'_>, granted: &Value) -> bool {
    pass(edge, "/orders/1", text(granted, "access_token")) == 200
}

#[test]
fn back_channel_logout_section_2_7_signing_out_of_a_browser_ends_what_came_of_it() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, quiet, _) =
        (shop(&edge, &json!({})), shop(&edge, &json!({ "backchannel_logout_uri": null })), ada(&edge));
    let (here, there) = (Browser::new(&edge), Browser::new(&edge));
    let code = {
        let page = here.sign_in(&here.get(&asks(&shop, &[])), "ada@example.com", PASSWORD);
        back(&here.decide(&page, "allow", &["orders:read"]))["code"].clone()
    };
    let (first, silent) = (granted(&edge, &here, &shop), granted(&edge, &here, &quiet));
    let other = granted(&edge, &there, &shop);
    world.web.borrow_mut().insert(HEARS.to_owned(), Page::ok(""));
    sign_out(&here);
    assert_eq!(error(&redeem(&edge, &shop, &code)), (400, "invalid_grant".to_owned()), "a code of before");
    world.tell();
    world.pass(seconds(31));
    let fresh = world.edge();
    assert_eq!([&first, &silent, &other].map(|granted| alive(&fresh, granted)), [false, false, true]);
    let reply = refresh(&edge, &shop, text(&first, "refresh_token"));
    assert_eq!(error(&reply), (400, "invalid_grant".to_owned()));
    let heard = heard(&world);
    assert_eq!(heard.len(), 1, "the one client that is registered for it, about the one session");
    let (header, said) = &heard[0];
    let id = claims(text(&first, "id_token"));
    assert_eq!((&header["typ"], &header["alg"]), (&json!("logout+jwt"), &json!("ES256")));
    // Section 2.4.
    assert_eq!((&said["iss"], &said["aud"]), (&id["iss"], &id["aud"]));
    assert_eq!((&said["sub"], &said["sid"]), (&id["sub"], &id["sid"]));
    assert_eq!(said["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    assert_eq!(said["exp"].as_u64().unwrap() - said["iat"].as_u64().unwrap(), 120);
    assert!(said["jti"].is_string() && said.get("nonce").is_none());
    assert_ne!(id["sid"], claims(text(&other, "id_token"))["sid"]);
    world.tell();
    assert_eq!(self::heard(&world).len(), 1, "once");
}

#[test]
fn signing_out_ends_what_came_of_every_sign_in_in_that_browser() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, _) = (shop(&edge, &json!({})), ada(&edge));
    let (browser, there) = (Browser::new(&edge), Browser::new(&edge));
    let other = granted(&edge, &there, &shop);
    let mut all = vec![granted(&edge, &browser, &shop)];
    for _ in 0..2 {
        world.pass(seconds(1));
        let page = browser.get(&asks(&shop, &[("prompt", "login")]));
        let said = back(&browser.sign_in(&page, "ada@example.com", PASSWORD));
        all.push(serde_json::from_str(&redeem(&edge, &shop, &said["code"]).answer().body).unwrap());
    }
    let account = browser.get(&format!("{HOST}/test/account")).answer().body.clone();
    assert_eq!((account.matches("This browser").count(), account.matches("Another browser").count()), (1, 1));
    sign_out(&browser);
    world.pass(seconds(31));
    let fresh = world.edge();
    assert!(all.iter().all(|granted| !alive(&fresh, granted)));
    assert!(alive(&fresh, &other));
}

/// However many sessions there are: an ending is stored.
#[test]
fn more_sessions_than_notices_end_all_the_same() {
    let world = World::new(&CONFIG.replacen(r#""idle_seconds": 60, "grain_seconds": 15,"#, "", 1));
    let edge = world.edge();
    let (shop, _) = (shop(&edge, &json!({})), ada(&edge));
    for everywhere in [false, true] {
        let browser = Browser::new(&edge);
        let first = granted(&edge, &browser, &shop);
        for _ in 0..1_001 {
            let said = back(&browser.get(&asks(&shop, &[])));
            let reply = redeem(&edge, &shop, &said["code"]);
            assert_eq!(reply.status(), 200, "{}", reply.answer().body);
        }
        world.pass(seconds(1));
        if everywhere {
            act(&browser, "everywhere", "");
        } else {
            sign_out(&browser);
        }
        assert!(!alive(&world.edge(), &first));
        world.pass(seconds(1));
    }
}

#[test]
fn whatever_ends_a_persons_sessions_is_told() {
    type Ends = fn(&Edge<'_>, &Browser<'_, '_>, &Value, &Value);
    let endings: [(&str, Ends); 6] = [
        ("everywhere", |_, browser, _, _| act(browser, "everywhere", "")),
        ("withdrawn", |_, browser, shop, _| act(browser, "withdraw", text(shop, "client_id"))),
        ("disabled", |edge, _, _, person| {
            let at = format!("{HOST}/test/api/v1/users/{}", text(person, "id"));
            assert_eq!(
                manage(edge, Call::patch(at, r#"{"disabled":true}"#).bearer("operator")).status(),
                200
            );
        }),
        ("another password", |edge, _, _, person| {
            let at = format!("{HOST}/test/api/v1/users/{}", text(person, "id"));
            let change = r#"{"password":"another password"}"#;
            assert_eq!(manage(edge, Call::patch(at, change).bearer("operator")).status(), 200);
        }),
        ("deleted", |edge, _, _, person| {
            let at = format!("{HOST}/test/api/v1/users/{}", text(person, "id"));
            assert_eq!(manage(edge, Call::delete(at).bearer("operator")).status(), 204);
        }),
        ("signed out", |edge, _, _, person| {
            let at = format!("{HOST}/test/api/v1/users/{}/sign-out", text(person, "id"));
            assert_eq!(manage(edge, Call::json(at, "").bearer("operator")).status(), 204);
        }),
    ];
    for (what, end) in endings {
        let world = World::new(CONFIG);
        let edge = world.edge();
        let (shop, person) = (shop(&edge, &json!({})), ada(&edge));
        let browser = Browser::new(&edge);
        let token = granted(&edge, &browser, &shop);
        // One that is over already is not told again.
        let over = granted(&edge, &browser, &shop);
        let token_of = format!("token={}", text(&over, "access_token"));
        assert_eq!(post(&edge, "test", "revoke", &shop, &token_of).status(), 200);
        world.web.borrow_mut().insert(HEARS.to_owned(), Page::ok(""));
        world.pass(seconds(1));
        end(&edge, &browser, &shop, &person);
        world.tell();
        let heard = heard(&world);
        assert_eq!(heard.len(), 1, "{what}");
        assert_eq!(heard[0].1["sid"], claims(text(&token, "id_token"))["sid"], "{what}");
        assert_eq!(heard[0].1["sub"], person["id"], "{what}");
    }
}

fn act(browser: &Browser<'_, '_>, action: &str, client: &str) {
    let page = browser.get(&format!("{HOST}/test/account"));
    let proof = page.answer().body.split_once(r#"name="proof" value=""#).unwrap().1;
    let proof = proof.split_once('"').unwrap().0.to_owned();
    let done = browser.post("/account", &[("proof", &proof), ("action", action), ("client_id", client)]);
    assert!(done.status() < 400, "{}", done.status());
}

#[test]
fn back_channel_logout_section_2_5_is_tried_again_and_given_up() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, _) = (shop(&edge, &json!({})), ada(&edge));
    let browser = Browser::new(&edge);
    let tries = || heard(&world).len();
    let leave = || {
        granted(&edge, &browser, &shop);
        sign_out(&browser);
    };
    // A server that fails: at once, then after 5 s, 20 s, 80 s, 320 s, 1280 s.
    world.web.borrow_mut().insert(HEARS.to_owned(), Page { status: 500, ..Page::ok("") });
    leave();
    let mut when = Vec::new();
    for second in 0..3_000 {
        let before = tries();
        world.tell();
        if tries() > before {
            when.push(second);
        }
        world.pass(seconds(1));
    }
    assert_eq!(when, [0, 5, 25, 105, 425, 1705]);
    // One that comes back; one that says no, which is an answer (section 2.8).
    for (status, expected) in [(204, 2), (400, 1), (200, 1)] {
        let before = tries();
        leave();
        if expected == 2 {
            world.broken.set(Some(Broken::Web));
            world.tell();
            world.broken.set(None);
            world.pass(seconds(5));
        }
        world.web.borrow_mut().insert(HEARS.to_owned(), Page { status, ..Page::ok("") });
        for _ in 0..10 {
            world.tell();
            world.pass(seconds(60));
        }
        assert_eq!(tries() - before, expected, "{status}");
    }
    // A client that is gone, or wants it no more.
    let before = tries();
    leave();
    let at = format!("{HOST}/test/api/v1/clients/{}", text(&shop, "client_id"));
    assert_eq!(manage(&edge, Call::delete(at).bearer("operator")).status(), 204);
    world.tell();
    assert_eq!(tries(), before);
    let notice = Notice {
        local: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        client_id: text(&shop, "client_id").parse().unwrap(),
        subject: "u1".parse().unwrap(),
        realm: "gone".parse().unwrap(),
    };
    let told = run(send_logout_token(&world.config, &edge, (Locator::from([1; 32]), &notice), world.now()));
    assert_eq!(told.unwrap(), Told::Done, "a realm that is not there any more");
}

#[test]
fn a_back_channel_logout_uri_is_https() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let at = format!("{HOST}/test/api/v1/clients");
    let long = format!("https://app.example/{}", "a".repeat(2_000));
    for bad in
        ["http://app.example/x", "https://app.example/x#y", "app.example", "javascript:alert(1)", &long]
    {
        let body = json!({ "client_name": "x", "backchannel_logout_uri": bad }).to_string();
        let reply = call(&edge, &Call::json(&at, body).bearer("operator")).0;
        assert_eq!(error(&reply), (400, "invalid_client_metadata".to_owned()), "{bad}");
    }
    let local =
        json!({ "client_name": "x", "backchannel_logout_uri": "http://127.0.0.1:8080/x" }).to_string();
    let reply = call(&edge, &Call::json(&at, local).bearer("operator")).0;
    assert_eq!(reply.status(), 400, "this machine is for realms of this machine");
    // Whoever registers themselves cannot have this server ask any address they like.
    let open = CONFIG.replacen(
        r#""idle_seconds": 60,"#,
        r#""registration": { "access": "open" }, "idle_seconds": 60,"#,
        1,
    );
    let world = World::new(&open);
    let edge = world.edge();
    for (uri, status) in
        [("https://app.example/x", 201), ("https://evil.example/x", 400), ("https://app.example:8443/x", 201)]
    {
        let body = json!({
            "client_name": "x", "redirect_uris": ["https://app.example/cb"], "backchannel_logout_uri": uri,
        });
        let reply = call(&edge, &Call::json(format!("{HOST}/test/oauth/register"), body.to_string())).0;
        assert_eq!(reply.status(), status, "{uri} {}", reply.answer().body);
    }
}

#[test]
fn id_tokens_in_rs256_beside_a_realm_that_signs_otherwise() {
    let with = CONFIG.replacen(r#""grant_type_code"]"#, r#""grant_type_code", "rs256_id_tokens"]"#, 1);
    let world = World::new(&with);
    let edge = world.edge();
    let rs256 = json!({ "id_token_signed_response_alg": "RS256" });
    let (shop, _) = (shop(&edge, &rs256), ada(&edge));
    assert_eq!(shop["id_token_signed_response_alg"], "RS256");
    let browser = Browser::new(&edge);
    let granted = granted(&edge, &browser, &shop);
    let header = |token: &str| -> Value {
        let text = tollgate::encoding::from_base64url(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    let (id, access) = (text(&granted, "id_token"), text(&granted, "access_token"));
    assert_eq!((&header(id)["alg"], &header(access)["alg"]), (&json!("RS256"), &json!("ES256")));
    assert!(alive(&edge, &granted));
    // Both keys are published, and the one beside signs no access token.
    let jwks: Value = json_of(&call(&edge, &Call::get(format!("{HOST}/test/jwks"))).0);
    let algs: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| key["alg"].clone()).collect();
    assert_eq!(algs, [json!("ES256"), json!("RS256")]);
    let (keys, unfit) = JwkSet::parse(jwks.to_string().as_bytes()).unwrap();
    assert!(unfit.is_empty());
    assert_eq!(keys.keys().count(), 2);
    assert_eq!(pass(&edge, "/orders/1", id), 401, "an ID token is none");
    let metadata =
        json_of(&call(&edge, &Call::get(format!("{HOST}/test/.well-known/openid-configuration"))).0);
    assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["ES256", "RS256"]));
    // It is a hint like any other.
    let leaves = browser.get(&format!("{HOST}/test/oauth/logout?id_token_hint={id}"));
    assert_eq!(leaves.status(), 200);
    world.web.borrow_mut().insert(HEARS.to_owned(), Page::ok(""));
    world.tell();
    let heard = heard(&world);
    assert_eq!((heard.len(), &heard[0].0["alg"]), (1, &json!("RS256")), "and so is its logout token");
    // Management of both keyrings.
    let keys = |query: &str| {
        let reply = manage(&edge, Call::get(format!("{HOST}/test/api/v1/keys{query}")).bearer("operator"));
        (reply.status(), json_of(&reply)["keys"][0]["alg"].clone())
    };
    assert_eq!((keys(""), keys("?for=id_tokens")), ((200, json!("ES256")), (200, json!("RS256"))));
    assert_eq!((keys("?for=x").0, keys("?realm=x").0), (404, 404));
}

#[test]
fn without_it_a_client_takes_what_the_realm_signs_with() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let at = format!("{HOST}/test/api/v1/clients");
    for (alg, status) in [("ES256", 201), ("RS256", 400), ("none", 400), ("HS256", 400)] {
        let body = json!({ "client_name": "x", "id_token_signed_response_alg": alg }).to_string();
        assert_eq!(call(&edge, &Call::json(&at, body).bearer("operator")).0.status(), status, "{alg}");
    }
    let keys = Call::get(format!("{HOST}/test/api/v1/keys?for=id_tokens")).bearer("operator");
    assert_eq!(call(&edge, &keys).0.status(), 404);
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_str(&reply.answer().body).unwrap()
}
