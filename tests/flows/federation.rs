//! People who sign in with an outside provider: out, back, and what does not count of what comes back.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate::encoding::{Digest, base64};

use super::people::{Browser, HOST, PASSWORD, app, asks, back, heading, hidden, location, redeem};
use super::realm::{CONFIG, Key, claims, deeds, manage, seconds, text, user};
use crate::fakes::{Broken, Call, Edge, Page, Reply, World, call};

pub(super) const CORP: &str = "https://corp.example";
const CALLBACK: &str = "https://edge.example/test/federation/corp/callback";

/// A realm with providers: one that takes newcomers in, one that does not and says whose its answers are, and GitHub.
pub(super) fn config() -> String {
    let providers = r#""providers": {
        "closed": { "label": "Closed", "issuer": "https://closed.example", "client_id": "tg2", "client_secret_name": "CORP_SECRET", "authentication": "client_secret_post" },
        "corp": { "label": "Corp <b>", "issuer": "https://corp.example", "client_id": "tg", "client_secret_name": "CORP_SECRET", "sign_up": true },
        "github": { "preset": "github", "client_id": "gh", "client_secret_name": "GITHUB_SECRET", "sign_up": true },
        "unset": { "label": "Unset", "issuer": "https://unset.example", "client_id": "tg", "client_secret_name": "NO_SECRET" }
    }, "idle_seconds": 60"#;
    CONFIG.replacen(r#""idle_seconds": 60"#, providers, 1)
}

fn key() -> Key {
    Key::new(3)
}

/// What a provider publishes.
pub(super) fn publish(world: &World, issuer: &str, more: &Value) {
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize?tenant=1"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
    });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let keys = json!({ "keys": [key().jwk("k1")] });
    let mut web = world.web.borrow_mut();
    web.insert(format!("{issuer}/.well-known/openid-configuration"), Page::ok(metadata.to_string()));
    web.insert(format!("{issuer}/jwks"), Page::ok(keys.to_string()));
}

pub(super) fn world() -> World {
    let world = World::new(&config());
    publish(&world, CORP, &json!({}));
    publish(
        &world,
        "https://closed.example",
        &json!({ "authorization_response_iss_parameter_supported": true }),
    );
    world
}

/// Where the button of a provider leads, on a page.
pub(super) fn button(page: &Reply, id: &str) -> String {
    let body = &page.answer().body;
    let (_, rest) =
        body.split_once(&format!(r#"href="/test/federation/{id}?"#)).unwrap_or_else(|| panic!("{body}"));
    format!("{HOST}/test/federation/{id}?{}", rest.split_once('"').unwrap().0)
}

/// What the browser is sent to a provider with.
pub(super) fn leave(browser: &Browser<'_, '_>, page: &Reply, id: &str) -> BTreeMap<String, String> {
    let reply = browser.get(&button(page, id));
    assert_eq!(reply.status(), 303, "{}", reply.answer().body);
    assert_eq!(reply.answer().header("referrer-policy"), Some("no-referrer"));
    let location = location(&reply);
    let (_, query) = location.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// The browser comes back.
pub(super) fn come(browser: &Browser<'_, '_>, id: &str, said: &[(&str, &str)]) -> Reply {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish();
    browser.get(&format!("{HOST}/test/federation/{id}/callback?{query}"))
}

/// An ID token of Corp for what was asked, with these claims changed; `null` takes one away.
pub(super) fn id_token(world: &World, asked: &BTreeMap<String, String>, changes: &Value) -> String {
    let now = world.now().as_seconds();
    let mut claims = json!({
        "iss": CORP, "aud": asked["client_id"], "sub": "corp|7", "iat": now, "exp": now + 60, "nonce": asked["nonce"],
        "name": "Grace", "email": "ada@example.com", "email_verified": true,
    });
    let members = claims.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    key().sign(&json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" }), &claims)
}

/// What Corp's token endpoint answers from now on.
pub(super) fn hands_out(world: &World, issuer: &str, body: &Value) {
    world.web.borrow_mut().insert(format!("{issuer}/token"), Page::ok(body.to_string()));
}

pub(super) fn tokens(id_token: &str) -> Value {
    json!({ "access_token": "at1", "token_type": "Bearer", "id_token": id_token })
}

/// Signs in with Corp as whoever these claims are about, and goes where that leads.
pub(super) fn with_corp(browser: &Browser<'_, '_>, world: &World, page: &Reply, changes: &Value) -> Reply {
    let asked = leave(browser, page, "corp");
    hands_out(world, CORP, &tokens(&id_token(world, &asked, changes)));
    let reply = come(browser, "corp", &[("code", "c1"), ("state", &asked["state"])]);
    if reply.status() == 303 { browser.get(&format!("{HOST}{}", location(&reply))) } else { reply }
}

/// Nobody is signed in, and the person reads why.
pub(super) fn assert_again(browser: &Browser<'_, '_>, reply: &Reply, status: u16, words: &str, about: &str) {
    assert_eq!((reply.status(), heading(reply).as_str()), (status, "Sign in"), "{about}");
    assert!(reply.answer().body.contains(words), "{about}: {}", reply.answer().body);
    assert!(!hidden(reply).is_empty(), "{about}: the transaction goes on");
    assert!(!browser.cookies.borrow().contains_key("__Host-tollgate.test"), "{about}");
    assert!(!browser.cookies.borrow().keys().any(|name| name.contains(".trip")), "{about}: the trip is over");
}

pub(super) fn granted(edge: &Edge<'_>, shop: &Value, reply: &Reply) -> Value {
    serde_json::from_str(&redeem(edge, shop, &back(reply)["code"]).answer().body).unwrap()
}

fn info(edge: &Edge<'_>, granted: &Value) -> Value {
    let request = Call::get(format!("{HOST}/test/oauth/userinfo")).bearer(text(granted, "access_token"));
    serde_json::from_str(&call(edge, &request).0.answer().body).unwrap()
}

#[test]
fn openid_connect_core_section_3_1_somebody_signs_in_with_a_provider_and_is_somebody_here_from_then_on() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let browser = Browser::new(&edge);
    let page = browser.get(&asks(&shop, &[("scope", "openid profile email")]));
    assert!(page.answer().body.contains("Continue with Corp &#60;b&#62;"), "{}", page.answer().body);
    let asked = leave(&browser, &page, "corp");
    for (name, value) in [
        ("tenant", "1"),
        ("response_type", "code"),
        ("client_id", "tg"),
        ("redirect_uri", CALLBACK),
        ("scope", "email openid profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
    assert!(!asked.contains_key("prompt") && !asked.contains_key("max_age"));
    hands_out(&world, CORP, &tokens(&id_token(&world, &asked, &json!({}))));
    let before = (world.asked_principals.get(), world.asked_web.borrow().len());
    let reply = come(&browser, "corp", &[("code", "c1"), ("state", &asked["state"]), ("iss", CORP)]);
    assert_eq!(reply.status(), 303, "{}", reply.answer().body);
    assert_eq!(world.asked_principals.get() - before.0, 2, "once, and once more for a newcomer");
    let exchange = world.asked_web.borrow()[before.1].clone();
    assert_eq!(exchange.url, "https://corp.example/token");
    assert_eq!(exchange.authorization, Some(format!("Basic {}", base64(b"tg:pr0vider%2F%2B"))));
    let sent: BTreeMap<String, String> =
        form_urlencoded::parse(exchange.form.unwrap().as_bytes()).into_owned().collect();
    assert_eq!(
        (sent["grant_type"].as_str(), sent["code"].as_str(), sent["redirect_uri"].as_str()),
        ("authorization_code", "c1", CALLBACK)
    );
    assert_eq!(Digest::of(sent["code_verifier"].as_bytes()).to_string(), asked["code_challenge"]);
    let consent = browser.get(&format!("{HOST}{}", location(&reply)));
    assert_eq!(heading(&consent), "Allow Shop &#60;b&#62;&#38;?");
    assert!(consent.answer().body.contains("ada@example.com"));
    let first = granted(&edge, &shop, &browser.decide(&consent, "allow", &["profile", "email"]));
    let id = claims(text(&first, "id_token"));
    assert_eq!((&id["acr"], &id["amr"]), (&json!("urn:tollgate:acr:federated"), &Value::Null));
    assert_eq!(id["auth_time"], world.now().as_seconds());
    assert_ne!(id["sub"], "corp|7");
    assert_eq!(
        info(&edge, &first),
        json!({ "sub": id["sub"], "name": "Grace", "email": "ada@example.com", "email_verified": true }),
        "no login, so no preferred_username"
    );
    let form = format!("grant_type=refresh_token&refresh_token={}", text(&first, "refresh_token"));
    let next = super::realm::tokens(&edge, "test", &shop, &form);
    assert_eq!(claims(text(&next, "id_token"))["acr"], "urn:tollgate:acr:federated");
    // Again, in another browser, with another name there: the same person, and what was taken over stays.
    let other = Browser::new(&edge);
    let page = other.get(&asks(&shop, &[("scope", "openid profile email")]));
    let said =
        with_corp(&other, &world, &page, &json!({ "name": "Eve", "email": null, "email_verified": null }));
    let again = granted(&edge, &shop, &said);
    assert_eq!(info(&edge, &again), info(&edge, &first));
    // Somebody else there is somebody else here, whatever address they have.
    let page = Browser::new(&edge);
    let consent = with_corp(&page, &world, &page.get(&asks(&shop, &[])), &json!({ "sub": "corp|8" }));
    let other = granted(&edge, &shop, &page.decide(&consent, "allow", &[]));
    assert_ne!(claims(text(&other, "id_token"))["sub"], id["sub"]);
    let mut came: Vec<_> =
        deeds(&world, &edge).into_iter().filter(|[_, action, _]| action == "user.create").collect();
    let sub = |who| claims(text(who, "id_token"))["sub"].as_str().unwrap().to_owned();
    let mut expected = [&first, &other].map(|who| [String::new(), "user.create".to_owned(), sub(who)]);
    came.sort();
    expected.sort();
    assert_eq!(came, expected, "they came by themselves, once");
    for secret in ["pr0vider", "at1", sent["code_verifier"].as_str()] {
        assert!(!world.log.borrow().join("\n").contains(secret), "{secret}");
        assert!(!world.stored().join("\n").contains(secret), "{secret}");
    }
}

#[test]
fn a_secret_that_is_not_set_is_our_trouble() {
    let world = world();
    publish(&world, "https://unset.example", &json!({}));
    let edge = world.edge();
    let shop = app(&edge);
    let browser = Browser::new(&edge);
    let asked = leave(&browser, &browser.get(&asks(&shop, &[])), "unset");
    let reply = come(&browser, "unset", &[("code", "c1"), ("state", &asked["state"])]);
    assert_eq!(reply.status(), 503);
    assert!(world.log.borrow().last().unwrap().contains("redeem code"));
}

#[test]
fn where_a_provider_takes_nobody_in_only_those_sign_in_whom_somebody_has_taken_in() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let closed = "https://closed.example";
    let enter = |sub: &str| {
        let browser = Browser::new(&edge);
        let asked = leave(&browser, &browser.get(&asks(&shop, &[])), "closed");
        let changes = json!({ "iss": closed, "sub": sub });
        hands_out(&world, closed, &tokens(&id_token(&world, &asked, &changes)));
        let reply = come(&browser, "closed", &[("code", "c1"), ("state", &asked["state"]), ("iss", closed)]);
        (browser, reply)
    };
    let (browser, reply) = enter("s1");
    assert_again(&browser, &reply, 403, "nobody here belongs to that account", "unknown");
    let form = world.asked_web.borrow().iter().find_map(|asked| asked.form.clone()).unwrap();
    assert!(form.contains("client_id=tg2&client_secret=pr0vider%2F%2B"), "{form}");
    let users = format!("{HOST}/test/api/v1/users");
    let outside = json!({ "provider": "closed", "sub": "s1" });
    for (body, detail) in [
        (json!({ "federated": outside, "login": "ada" }), "either login"),
        (json!({ "federated": outside, "password": PASSWORD }), "either login"),
        (json!({}), "either login"),
        (json!({ "federated": { "provider": "nobody", "sub": "s1" } }), "none of the realm's"),
        (json!({ "federated": { "provider": "closed", "sub": "" } }), "JSON object"),
    ] {
        let reply = manage(&edge, Call::json(users.clone(), body.to_string()));
        assert_eq!(reply.status(), 400, "{body}");
        assert!(reply.answer().body.contains(detail), "{body}: {}", reply.answer().body);
    }
    let known = user(&edge, &json!({ "federated": outside, "roles": ["owner"] }));
    assert_eq!(known["federated"], json!({ "iss": closed, "sub": "s1" }));
    assert_eq!((&known["login"], &known["has_password"]), (&Value::Null, &json!(false)));
    let twice = manage(&edge, Call::json(users.clone(), json!({ "federated": outside }).to_string()));
    assert_eq!(twice.status(), 409);
    let (browser, reply) = enter("s1");
    let consent = browser.get(&format!("{HOST}{}", location(&reply)));
    assert!(consent.answer().body.contains("s1"), "nothing else is known of them");
    let tokens = granted(&edge, &shop, &browser.decide(&consent, "allow", &["orders:read"]));
    assert_eq!(claims(text(&tokens, "access_token"))["roles"], json!(["owner"]));
    assert_eq!(claims(text(&tokens, "id_token"))["sub"], known["id"]);
    // The account page copes, and so does who manages them.
    let account = browser.get(&format!("{HOST}/test/account"));
    assert_eq!(heading(&account), "Your account");
    let at = format!("{users}/{}", text(&known, "id"));
    let change = |body: Value| manage(&edge, Call::patch(at.clone(), body.to_string()));
    assert_eq!(change(json!({ "password": PASSWORD })).status(), 400);
    assert_eq!(change(json!({ "federated": outside })).status(), 400);
    assert_eq!(change(json!({ "disabled": true })).status(), 200);
    let (browser, reply) = enter("s1");
    assert_again(&browser, &reply, 403, "may not sign in here", "disabled");
    assert_eq!(manage(&edge, Call::delete(at)).status(), 204);
    let (browser, reply) = enter("s1");
    assert_again(&browser, &reply, 403, "nobody here belongs to that account", "gone");
}

#[test]
fn a_newcomer_whose_place_could_not_be_written_is_found_when_it_is() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let browser = Browser::new(&edge);
    let asked = leave(&browser, &browser.get(&asks(&shop, &[])), "corp");
    hands_out(&world, CORP, &tokens(&id_token(&world, &asked, &json!({}))));
    // The application is remembered, so KV is missed for the place alone.
    world.broken.set(Some(Broken::Kv));
    assert_eq!(come(&browser, "corp", &[("code", "c1"), ("state", &asked["state"])]).status(), 303);
    world.broken.set(None);
    world.tell_all();
    let browser = Browser::new(&edge);
    let consent = with_corp(&browser, &world, &browser.get(&asks(&shop, &[])), &json!({}));
    let said = granted(&edge, &shop, &browser.decide(&consent, "allow", &[]));
    let sub = claims(text(&said, "id_token"))["sub"].as_str().unwrap().to_owned();
    assert_eq!(manage(&edge, Call::get(format!("{HOST}/test/api/v1/users/{sub}"))).status(), 200);
}

#[test]
fn openid_connect_core_section_5_3_2_name_and_address_may_come_from_userinfo() {
    let world = world();
    publish(&world, CORP, &json!({ "userinfo_endpoint": "https://corp.example/me" }));
    let edge = world.edge();
    let shop = app(&edge);
    let bare = json!({ "name": null, "email": null, "email_verified": null });
    let at = "https://corp.example/me".to_owned();
    for (body, status) in [
        (r#"{"sub":"corp|8","email":"eve@example.com"}"#, 400),
        ("nothing", 502),
        (r#"{"email":"eve@example.com"}"#, 400),
    ] {
        world.web.borrow_mut().insert(at.clone(), Page::ok(body));
        let browser = Browser::new(&edge);
        let reply = with_corp(&browser, &world, &browser.get(&asks(&shop, &[])), &bare);
        assert_again(&browser, &reply, status, "Corp", body);
    }
    world.web.borrow_mut().insert(
        at,
        Page::ok(r#"{"sub":"corp|7","name":"Grace","email":"grace@example.com","email_verified":"true"}"#),
    );
    let browser = Browser::new(&edge);
    let consent =
        with_corp(&browser, &world, &browser.get(&asks(&shop, &[("scope", "openid profile email")])), &bare);
    assert_eq!(world.asked_web.borrow().last().unwrap().authorization.as_deref(), Some("Bearer at1"));
    let said = granted(&edge, &shop, &browser.decide(&consent, "allow", &["profile", "email"]));
    let told = info(&edge, &said);
    assert_eq!(
        (&told["name"], &told["email"], &told["email_verified"]),
        (&json!("Grace"), &json!("grace@example.com"), &json!(false))
    );
    // Whoever is known is not asked about again.
    let asked = world.asked_web.borrow().len();
    let other = Browser::new(&edge);
    with_corp(&other, &world, &other.get(&asks(&shop, &[])), &bare);
    assert_eq!(world.asked_web.borrow().len() - asked, 1, "the code alone");
}

#[test]
fn openid_connect_core_section_3_1_2_1_what_the_application_wants_recent_the_provider_is_asked_for() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let browser = Browser::new(&edge);
    let consent = with_corp(&browser, &world, &browser.get(&asks(&shop, &[])), &json!({}));
    granted(&edge, &shop, &browser.decide(&consent, "allow", &["orders:read"]));
    world.pass(seconds(100));
    let page = browser.get(&asks(&shop, &[("prompt", "login"), ("max_age", "50")]));
    let asked = leave(&browser, &page, "corp");
    assert_eq!((asked["prompt"].as_str(), asked["max_age"].as_str()), ("login", "50"));
    let old = json!({ "auth_time": world.now().as_seconds() - 100 });
    hands_out(&world, CORP, &tokens(&id_token(&world, &asked, &old)));
    let reply = come(&browser, "corp", &[("code", "c1"), ("state", &asked["state"])]);
    let page = browser.get(&format!("{HOST}{}", location(&reply)));
    assert_eq!(heading(&page), "Sign in", "what the provider knows is older than the application wants");
    world.pass(seconds(5));
    let fresh = json!({ "auth_time": world.now().as_seconds() });
    let said = granted(&edge, &shop, &with_corp(&browser, &world, &page, &fresh));
    assert_eq!(claims(text(&said, "id_token"))["auth_time"], world.now().as_seconds());
    // One that does not say when, although it was asked.
    let silent = Browser::new(&edge);
    let asked = leave(&silent, &silent.get(&asks(&shop, &[("max_age", "50")])), "corp");
    hands_out(&world, CORP, &tokens(&id_token(&world, &asked, &json!({}))));
    let reply = come(&silent, "corp", &[("code", "c1"), ("state", &asked["state"])]);
    assert_eq!(reply.status(), 400);
    assert!(reply.answer().body.contains("does not say when you signed in there"), "{}", reply.answer().body);
    // An application that does not mind is told when it was.
    let other = Browser::new(&edge);
    let old = json!({ "auth_time": world.now().as_seconds() - 3_600 });
    let said = granted(&edge, &shop, &with_corp(&other, &world, &other.get(&asks(&shop, &[])), &old));
    assert_eq!(claims(text(&said, "id_token"))["auth_time"], world.now().as_seconds() - 3_600);
    // Signed out everywhere, and signed in again with a provider that has not forgotten.
    let account = other.get(&format!("{HOST}/test/account"));
    let proof = account
        .answer()
        .body
        .split_once(r#"name="proof" value=""#)
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0
        .to_owned();
    world.pass(seconds(1));
    assert_eq!(other.post("/account", &[("proof", &proof), ("action", "everywhere")]).status(), 200);
    world.pass(seconds(1));
    let said = granted(&edge, &shop, &with_corp(&other, &world, &other.get(&asks(&shop, &[])), &old));
    assert!(said.get("access_token").is_some(), "{said}");
}

#[test]
fn a_person_of_github_is_who_its_api_says() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let (token, me) =
        ("https://github.com/login/oauth/access_token".to_owned(), "https://api.github.com/user".to_owned());
    let enter = |tokens: &str, user: &str| {
        world.web.borrow_mut().insert(token.clone(), Page::ok(tokens));
        world.web.borrow_mut().insert(me.clone(), Page::ok(user));
        let browser = Browser::new(&edge);
        let reply = browser.get(&button(
            &browser.get(&asks(&shop, &[("scope", "openid email"), ("max_age", "9")])),
            "github",
        ));
        let location = location(&reply);
        let query = location.strip_prefix("https://github.com/login/oauth/authorize?").unwrap();
        let asked: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert!(asked.contains_key("code_challenge"));
        for none in ["nonce", "scope", "max_age"] {
            assert!(!asked.contains_key(none), "{none}");
        }
        let reply = come(&browser, "github", &[("code", "c1"), ("state", &asked["state"])]);
        (browser, reply)
    };
    let good = r#"{"access_token":"gho_1","token_type":"bearer","scope":""}"#;
    let (browser, reply) = enter(
        good,
        r#"{"id":583231,"login":"octocat","name":"Octo","email":"o@example.com","email_verified":true}"#,
    );
    let form = world.asked_web.borrow()[world.asked_web.borrow().len() - 2].form.clone().unwrap();
    assert!(form.contains("client_id=gh&client_secret=pr0vider"), "{form}");
    let consent = browser.get(&format!("{HOST}{}", location(&reply)));
    let said = granted(&edge, &shop, &browser.decide(&consent, "allow", &["email"]));
    assert_eq!(
        (&info(&edge, &said)["email"], &info(&edge, &said)["email_verified"]),
        (&json!("o@example.com"), &json!(false))
    );
    for (what, tokens, user, status) in [
        ("a used code", r#"{"error":"bad_verification_code"}"#, "{}", 400),
        ("no token", "{}", "{}", 400),
        ("a token of another kind", r#"{"access_token":"x","token_type":"mac"}"#, "{}", 400),
        ("no number", good, r#"{"login":"octocat"}"#, 400),
        ("a number as text", good, r#"{"id":"583231"}"#, 400),
        ("a number that is none", good, r#"{"id":5.5}"#, 400),
        ("no JSON", good, "octocat", 502),
    ] {
        let (browser, reply) = enter(tokens, user);
        assert_again(&browser, &reply, status, "GitHub", what);
    }
}

#[test]
fn a_browser_is_on_four_trips_at_most_and_each_comes_back_to_its_own() {
    let world = world();
    let edge = world.edge();
    let shop = app(&edge);
    let browser = Browser::new(&edge);
    let tabs: Vec<_> = (0..5)
        .map(|tab: u8| {
            world.pass(seconds(1));
            let page = browser.get(&asks(&shop, &[("state", &format!("tab{tab}"))]));
            (tab, leave(&browser, &page, "corp"))
        })
        .collect();
    let trips = browser.cookies.borrow().keys().filter(|name| name.contains(".trip")).count();
    assert_eq!(trips, 4);
    for (tab, asked) in &tabs {
        hands_out(&world, CORP, &tokens(&id_token(&world, asked, &json!({}))));
        let reply = come(&browser, "corp", &[("code", "c1"), ("state", &asked["state"])]);
        if *tab == 0 {
            assert_eq!(reply.status(), 400, "the oldest has gone");
            continue;
        }
        let page = browser.get(&format!("{HOST}{}", location(&reply)));
        let page = if page.status() == 200 { browser.decide(&page, "allow", &["orders:read"]) } else { page };
        assert_eq!(back(&page)["state"], format!("tab{tab}"));
    }
    let long = "x".repeat(2_000);
    world.pass(seconds(1));
    let page = browser.get(&asks(&shop, &[("state", &long), ("nonce", &long), ("prompt", "login")]));
    let reply = browser.get(&button(&page, "corp"));
    assert_eq!((reply.status(), heading(&reply).as_str()), (400, "You cannot be sent there"));
}

#[test]
fn the_way_to_a_persons_own_page_leads_through_a_provider_as_well() {
    let world = world();
    let edge = world.edge();
    let browser = Browser::new(&edge);
    let page = browser.get(&format!("{HOST}/test/account"));
    let reply = with_corp(&browser, &world, &page, &json!({}));
    assert_eq!(location(&reply), "/test/account");
    let account = browser.get(&format!("{HOST}/test/account"));
    assert_eq!(heading(&account), "Your account");
    assert!(account.answer().body.contains("ada@example.com"));
    let limited = Call::get(format!("{HOST}/test/.well-known/openid-configuration"));
    let metadata: Value = serde_json::from_str(&call(&edge, &limited).0.answer().body).unwrap();
    assert_eq!(
        metadata["acr_values_supported"],
        json!(["urn:tollgate:acr:password", "urn:tollgate:acr:federated"])
    );
}
