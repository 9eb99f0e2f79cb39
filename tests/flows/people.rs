//! People in their browsers: authorization requests, sign-in, consent, and what goes back to the client.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate::pkce::Verifier;

use super::realm::{CONFIG, claims, client, deeds, error, manage, pass, post, seconds, text, tokens, user};
use crate::fakes::{Call, Edge, Reply, World, call};

pub(super) const HOST: &str = "https://edge.example";
const CALLBACK: &str = "https://app.example/cb?x=1";
pub(super) const PASSWORD: &str = "correct horse";

/// A browser: what it keeps of cookies, and where it is.
pub(super) struct Browser<'e, 'w> {
    edge: &'e Edge<'w>,
    pub(super) cookies: RefCell<BTreeMap<String, String>>,
}

impl<'e, 'w> Browser<'e, 'w> {
    pub(super) fn new(edge: &'e Edge<'w>) -> Self {
        Self { edge, cookies: RefCell::default() }
    }

    /// The `Cookie` header.
    pub(super) fn cookies(&self) -> String {
        let cookies = self.cookies.borrow();
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn send(&self, request: Call) -> Reply {
        let header = self.cookies();
        let request = if header.is_empty() { request } else { request.header("cookie", header) };
        let (reply, _) = call(self.edge, &request);
        for (name, value) in &reply.answer().headers {
            if *name != "Set-Cookie" {
                continue;
            }
            assert!(
                value.contains("; Path=/;") && value.ends_with("; Secure; HttpOnly; SameSite=Lax"),
                "{value}"
            );
            let (name, rest) = value.split_once('=').unwrap();
            assert!(name.starts_with("__Host-tollgate"), "{name}");
            let kept = rest.split(';').next().unwrap();
            if kept.is_empty() {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.cookies.borrow_mut().insert(name.to_owned(), kept.to_owned());
            }
        }
        reply
    }

    pub(super) fn get(&self, url: &str) -> Reply {
        self.send(Call::get(url))
    }

    pub(super) fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.post_to(&format!("/test{path}"), form)
    }

    /// The same at another realm.
    pub(super) fn post_to(&self, path: &str, form: &[(impl AsRef<str>, impl AsRef<str>)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(Call::form(format!("{HOST}{path}"), body))
    }

    /// Signs in on a page, and goes where that leads.
    pub(super) fn sign_in(&self, page: &Reply, login: &str, password: &str) -> Reply {
        let reply =
            self.post("/login", &[("transaction", &hidden(page)), ("login", login), ("password", password)]);
        if reply.status() == 303 { self.get(&format!("{HOST}{}", location(&reply))) } else { reply }
    }

    pub(super) fn decide(&self, page: &Reply, decision: &str, scopes: &[&str]) -> Reply {
        let (sealed, names) = (hidden(page), scopes.iter().map(|scope| format!("scope:{scope}")));
        let names: Vec<_> = names.collect();
        let mut form = vec![("transaction", sealed.as_str()), ("decision", decision)];
        form.extend(names.iter().map(|name| (name.as_str(), "yes")));
        self.post("/consent", &form)
    }
}

/// What a page hands back with the next step.
pub(super) fn hidden(page: &Reply) -> String {
    let body = &page.answer().body;
    let (_, rest) = body.split_once(r#"name="transaction" value=""#).unwrap_or_else(|| panic!("{body}"));
    rest.split_once('"').unwrap().0.to_owned()
}

pub(super) fn location(reply: &Reply) -> String {
    reply
        .answer()
        .header("location")
        .unwrap_or_else(|| panic!("{reply:?} {}", reply.answer().body))
        .to_owned()
}

/// What went back to the client.
pub(super) fn back(reply: &Reply) -> BTreeMap<String, String> {
    assert_eq!(reply.status(), 303, "{}", reply.answer().body);
    let location = location(reply);
    let query = location.strip_prefix("https://app.example/cb?x=1&").unwrap_or_else(|| panic!("{location}"));
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

pub(super) fn heading(reply: &Reply) -> String {
    let body = &reply.answer().body;
    body.split_once("<h1>").unwrap_or_else(|| panic!("{body}")).1.split_once("</h1>").unwrap().0.to_owned()
}

pub(super) fn verifier() -> Verifier {
    Verifier::from_random(&[7; 32])
}

/// An authorization request.
pub(super) fn asks(client: &Value, more: &[(&str, &str)]) -> String {
    let challenge = verifier().challenge();
    let mut all = vec![
        ("response_type", "code"),
        ("client_id", text(client, "client_id")),
        ("redirect_uri", CALLBACK),
        ("scope", "openid orders:read"),
        ("state", "s1"),
        ("nonce", "n1"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    all.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    all.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
    format!("{HOST}/test/oauth/authorize?{query}")
}

/// The code that comes of an authorization request, where Ada signs in and allows everything.
pub(super) fn allowed(browser: &Browser<'_, '_>, url: &str) -> String {
    let page = browser.sign_in(&browser.get(url), "ada@example.com", PASSWORD);
    back(&browser.decide(&page, "allow", &["profile", "orders:read"]))["code"].clone()
}

pub(super) fn app(edge: &Edge<'_>) -> Value {
    let more = json!({
        "client_name": "Shop <b>&", "grant_types": ["authorization_code", "refresh_token"], "redirect_uris": [CALLBACK],
        "scope": "openid profile email orders:admin",
    });
    client(edge, "test", &more)
}

pub(super) fn ada(edge: &Edge<'_>) -> Value {
    let profile = json!({ "name": "Ada", "email": "ada@example.com", "email_verified": true });
    user(
        edge,
        &json!({ "login": "ada@example.com", "password": PASSWORD, "roles": ["owner"], "profile": profile }),
    )
}

pub(super) fn redeem(edge: &Edge<'_>, client: &Value, code: &str) -> Reply {
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", verifier().reveal()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    post(edge, "test", "token", client, &form)
}

#[test]
fn a_person_signs_in_allows_a_part_and_is_known_from_then_on() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, person) = (app(&edge), ada(&edge));
    let browser = Browser::new(&edge);
    let page = browser.get(&asks(
        &shop,
        &[("scope", "openid profile email orders:read"), ("login_hint", "ada@example.com")],
    ));
    assert_eq!((page.status(), heading(&page).as_str()), (200, "Sign in"));
    assert!(page.answer().body.contains("Shop &#60;b&#62;&#38;"), "{}", page.answer().body);
    assert!(page.answer().body.contains(r#"value="ada@example.com""#));
    let consent = browser.sign_in(&page, "Ada@Example.com", PASSWORD);
    assert_eq!(heading(&consent), "Allow Shop &#60;b&#62;&#38;?");
    for words in ["ada@example.com", "app.example", "See your name and your login", "orders:read"] {
        assert!(consent.answer().body.contains(words), "{words}");
    }
    let said = back(&browser.decide(&consent, "allow", &["profile", "orders:read"]));
    assert_eq!((said["state"].as_str(), said["iss"].as_str()), ("s1", "https://edge.example/test"));
    let granted: Value = serde_json::from_str(&redeem(&edge, &shop, &said["code"]).answer().body).unwrap();
    assert_eq!(granted["scope"], "openid orders:read profile", "what was unticked is not there");
    let id = claims(text(&granted, "id_token"));
    assert_eq!((&id["sub"], &id["nonce"], &id["azp"]), (&person["id"], &json!("n1"), &shop["client_id"]));
    assert_eq!((&id["acr"], &id["amr"]), (&json!("urn:tollgate:acr:password"), &json!(["pwd"])));
    assert_eq!(id["auth_time"], world.now().as_seconds());
    let digest = tollgate::encoding::Digest::of(text(&granted, "access_token").as_bytes());
    assert_eq!(id["at_hash"], tollgate::encoding::base64url(&digest.bytes()[..16]));
    assert_eq!(pass(&edge, "/orders/1", text(&granted, "access_token")), 200);
    let info =
        call(&edge, &Call::get(format!("{HOST}/test/oauth/userinfo")).bearer(text(&granted, "access_token")))
            .0;
    let info: Value = serde_json::from_str(&info.answer().body).unwrap();
    assert_eq!(info, json!({ "sub": person["id"], "name": "Ada", "preferred_username": "ada@example.com" }));
    // The same again: nothing is asked, and nothing more is given.
    let said = back(&browser.get(&asks(&shop, &[("scope", "openid profile email orders:read")])));
    let granted: Value = serde_json::from_str(&redeem(&edge, &shop, &said["code"]).answer().body).unwrap();
    assert_eq!(granted["scope"], "openid orders:read profile");
    // More than was asked for before is asked.
    assert_eq!(
        heading(&browser.get(&asks(&shop, &[("scope", "openid orders:admin")]))),
        "Allow Shop &#60;b&#62;&#38;?"
    );
    assert_eq!(heading(&Browser::new(&edge).get(&asks(&shop, &[]))), "Sign in", "another browser");
}

#[test]
fn openid_connect_core_section_3_1_2_1_prompt_and_max_age() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let browser = Browser::new(&edge);
    let quiet = asks(&shop, &[("prompt", "none")]);
    assert_eq!(back(&browser.get(&quiet))["error"], "login_required");
    let consent = browser.sign_in(&browser.get(&asks(&shop, &[])), "ada@example.com", PASSWORD);
    assert_eq!(back(&browser.get(&quiet))["error"], "consent_required");
    assert!(back(&browser.decide(&consent, "allow", &["orders:read"])).contains_key("code"));
    assert!(back(&browser.get(&quiet)).contains_key("code"));
    for (name, value) in [("prompt", "login"), ("prompt", "select_account"), ("max_age", "9")] {
        world.pass(seconds(10));
        let page = browser.get(&asks(&shop, &[(name, value)]));
        assert_eq!(heading(&page), "Sign in", "{name}={value}");
        world.pass(seconds(1));
        let said = back(&browser.sign_in(&page, "ada@example.com", PASSWORD));
        let granted: Value =
            serde_json::from_str(&redeem(&edge, &shop, &said["code"]).answer().body).unwrap();
        assert_eq!(claims(text(&granted, "id_token"))["auth_time"], world.now().as_seconds());
        let quiet = asks(&shop, &[("max_age", "9"), ("prompt", "none")]);
        assert!(back(&browser.get(&quiet)).contains_key("code"));
    }
    world.pass(seconds(10));
    let late = asks(&shop, &[("max_age", "9"), ("prompt", "none")]);
    assert_eq!(back(&browser.get(&late))["error"], "login_required");
    let again = browser.get(&asks(&shop, &[("prompt", "consent")]));
    assert_eq!(heading(&again), "Allow Shop &#60;b&#62;&#38;?");
    assert_eq!(back(&browser.decide(&again, "deny", &[]))["error"], "access_denied");
    world.pass(seconds(12 * 3_600));
    assert_eq!(heading(&browser.get(&asks(&shop, &[]))), "Sign in", "a day later");
}

#[test]
fn attack_67_nobody_is_sent_to_an_address_that_is_not_the_clients() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let shop = app(&edge);
    let browser = Browser::new(&edge);
    for (what, request) in [
        ("another address", asks(&shop, &[("redirect_uri", "https://evil.example/")])),
        ("no address", asks(&shop, &[("redirect_uri", "")])),
        ("no client", asks(&shop, &[("client_id", "")])),
        ("an unknown client", asks(&shop, &[("client_id", "nobody")])),
        ("a parameter twice", format!("{}&state=s2", asks(&shop, &[]))),
        ("an address twice", format!("{}&redirect_uri=https%3A%2F%2Fevil.example", asks(&shop, &[]))),
        ("a script", asks(&shop, &[("redirect_uri", "javascript:alert(1)")])),
    ] {
        let reply = browser.get(&request);
        assert_eq!((reply.status(), reply.answer().header("location")), (400, None), "{what}");
        assert!(heading(&reply).starts_with("This application has sent something wrong"), "{what}");
        assert!(!reply.answer().body.contains("evil") && !reply.answer().body.contains("alert"), "{what}");
    }
    for (parameters, code) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("scope", "openid admin:all")], ""),
        (vec![("scope", "openid openid")], ""),
        (vec![("resource", "https://evil.example")], "invalid_target"),
        (vec![("request", "e30.e30.")], "request_not_supported"),
        (vec![("code_challenge", "")], "invalid_request"),
    ] {
        let reply = browser.get(&asks(&shop, &parameters));
        if code.is_empty() {
            assert_eq!(heading(&reply), "Sign in", "what is not known is left out");
        } else {
            let said = back(&reply);
            assert_eq!(
                (said["error"].as_str(), said["state"].as_str()),
                (code, "s1"),
                "attack 68: {parameters:?}"
            );
            assert_eq!(said["iss"], "https://edge.example/test");
        }
    }
    let machine = client(
        &edge,
        "test",
        &json!({ "redirect_uris": [CALLBACK], "grant_types": ["client_credentials", "authorization_code"], "scope": "orders:read" }),
    );
    assert_eq!(back(&browser.get(&asks(&machine, &[("scope", "orders:admin")])))["error"], "invalid_scope");
}

#[test]
fn attack_67_pages_are_kept_out_of_frames_caches_and_referrers() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let browser = Browser::new(&edge);
    let page = browser.get(&asks(&shop, &[]));
    let consent = browser.sign_in(&page, "ada@example.com", PASSWORD);
    for page in [&page, &consent, &browser.get(&format!("{HOST}/test/oauth/authorize"))] {
        let header = |name: &str| page.answer().header(name).unwrap_or_default().to_owned();
        let policy = header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
        {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(
            !policy.contains("unsafe")
                && !page.answer().body.contains("<style")
                && !page.answer().body.contains("onclick")
        );
        assert_eq!(
            (header("referrer-policy").as_str(), header("cache-control").as_str()),
            ("no-referrer", "no-store")
        );
        assert_eq!(
            (header("x-frame-options").as_str(), header("x-content-type-options").as_str()),
            ("DENY", "nosniff")
        );
    }
    assert!(
        consent
            .answer()
            .header("content-security-policy")
            .unwrap()
            .contains("form-action 'self' https://app.example;")
    );
}

#[test]
fn attack_67_a_page_counts_in_its_own_browser_for_its_own_person_and_once() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    user(&edge, &json!({ "login": "eve@example.com", "password": PASSWORD, "roles": [] }));
    let (mine, theirs) = (Browser::new(&edge), Browser::new(&edge));
    // Login CSRF: a page of one browser does nothing in another, and nobody becomes known by it.
    let page = theirs.get(&asks(&shop, &[]));
    let reply = mine.sign_in(&page, "eve@example.com", PASSWORD);
    assert_eq!((reply.status(), heading(&reply).as_str()), (400, "This page does not count any more"));
    assert!(mine.cookies.borrow().is_empty());
    // Consent CSRF: neither does a consent.
    let consent = theirs.sign_in(&page, "eve@example.com", PASSWORD);
    assert_eq!(mine.decide(&consent, "allow", &["orders:read"]).status(), 400);
    // Nor does a made-up one, or one without a transaction.
    assert_eq!(mine.post("/consent", &[("transaction", "junk"), ("decision", "allow")]).status(), 400);
    assert_eq!(mine.post("/login", &[("login", "ada@example.com"), ("password", PASSWORD)]).status(), 400);
    // A page that asked one person says nothing for another who has signed in since.
    let other =
        theirs.sign_in(&theirs.get(&asks(&shop, &[("prompt", "login")])), "ada@example.com", PASSWORD);
    assert!(other.answer().body.contains("ada@example.com"));
    let asked = theirs.decide(&consent, "allow", &["orders:read"]);
    assert_eq!((asked.status(), asked.answer().body.contains("ada@example.com")), (200, true), "asked anew");
    // The back button: what was answered is not answered again.
    assert!(back(&theirs.decide(&other, "allow", &["orders:read"])).contains_key("code"));
    for _ in 0..2 {
        let again = theirs.decide(&other, "allow", &["orders:read"]);
        assert_eq!((again.status(), again.answer().header("location")), (400, None), "its cookie is gone");
    }
    // A session is new with each sign-in (session fixation).
    let known = |browser: &Browser<'_, '_>| browser.cookies.borrow()["__Host-tollgate.test"].clone();
    let before = known(&theirs);
    world.pass(seconds(1));
    theirs.sign_in(&theirs.get(&asks(&shop, &[("prompt", "login")])), "ada@example.com", PASSWORD);
    assert_ne!(before, known(&theirs));
}

#[test]
fn one_transaction_has_one_end_even_where_its_cookie_is_kept() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let browser = Browser::new(&edge);
    let consent = browser.sign_in(&browser.get(&asks(&shop, &[])), "ada@example.com", PASSWORD);
    let kept = browser.cookies.borrow().clone();
    assert!(back(&browser.decide(&consent, "allow", &["orders:read"])).contains_key("code"));
    for decision in ["allow", "deny", ""] {
        *browser.cookies.borrow_mut() = kept.clone();
        let again = browser.decide(&consent, decision, &["orders:read"]);
        assert_eq!((again.status(), heading(&again).as_str()), (409, "This is done already"), "{decision}");
    }
    world.pass(seconds(1_801));
    *browser.cookies.borrow_mut() = kept;
    assert_eq!(browser.decide(&consent, "allow", &["orders:read"]).status(), 400, "too old");
}

#[test]
fn attack_72_a_wrong_password_and_an_unknown_login_look_and_take_the_same() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let browser = Browser::new(&edge);
    let page = browser.get(&asks(&shop, &[]));
    let mut seen = Vec::new();
    for (login, password) in
        [("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("\u{7f}", PASSWORD), ("", "")]
    {
        let began = world.now();
        let reply = browser.sign_in(&page, login, password);
        let same = reply.answer().body.replace(login, "").replace(" autofocus", "");
        seen.push((reply.status(), world.now().since(began), same.replace(&hidden(&reply), "")));
        assert!(!reply.answer().body.contains(r#"value="wrong""#), "what was typed does not come back");
    }
    assert!(seen.iter().all(|one| one == &seen[0]), "{seen:#?}");
    assert_eq!(seen[0].0, 400);
    for _ in 0..20 {
        browser.sign_in(&page, "ada@example.com", "wrong");
    }
    let reply = browser.sign_in(&page, "ada@example.com", PASSWORD);
    assert_eq!(reply.status(), 429, "{}", reply.answer().body);
    assert!(reply.answer().header("retry-after").is_some());
}

#[test]
fn what_ends_a_person_ends_their_browsers() {
    for change in
        [json!({ "disabled": true }), json!({ "password": "another horse" }), json!({ "roles": [] })]
    {
        let world = World::new(CONFIG);
        let edge = world.edge();
        let (shop, person) = (app(&edge), ada(&edge));
        let browser = Browser::new(&edge);
        let consent = browser.sign_in(&browser.get(&asks(&shop, &[])), "ada@example.com", PASSWORD);
        assert!(back(&browser.decide(&consent, "allow", &["orders:read"])).contains_key("code"));
        let at = format!("{HOST}/test/api/v1/users/{}", text(&person, "id"));
        assert_eq!(manage(&edge, Call::patch(at, change.to_string())).status(), 200);
        assert_eq!(heading(&browser.get(&asks(&shop, &[]))), "Sign in", "{change}");
    }
}

#[test]
fn a_page_asks_one_principal_and_reads_one_record_at_most() {
    let world = World::new(CONFIG);
    let shop = app(&world.edge());
    ada(&world.edge());
    let counted = |what: &str, step: &dyn Fn() -> Reply| {
        let before = (world.asked_principals.get(), world.read_kv.get());
        let reply = step();
        let after = (world.asked_principals.get() - before.0, world.read_kv.get() - before.1);
        assert!(after.0 <= 1 && after.1 <= 1, "{what}: {after:?}");
        reply
    };
    // Each step at an edge that remembers nothing.
    let cookies = RefCell::new(BTreeMap::new());
    let step = |what: &str, step: &dyn Fn(&Browser<'_, '_>) -> Reply| {
        let edge = world.edge();
        let browser = Browser { edge: &edge, cookies: RefCell::new(cookies.borrow().clone()) };
        let reply = counted(what, &|| step(&browser));
        *cookies.borrow_mut() = browser.cookies.borrow().clone();
        reply
    };
    let page = step("authorize", &|browser| browser.get(&asks(&shop, &[])));
    let form = |page: &Reply| {
        [
            ("transaction", hidden(page)),
            ("login", "ada@example.com".to_owned()),
            ("password", PASSWORD.to_owned()),
        ]
    };
    let fields = form(&page);
    let entered = step("sign in", &|browser| {
        browser.post("/login", &fields.each_ref().map(|(name, value)| (*name, value.as_str())))
    });
    let consent = step("consent page", &|browser| browser.get(&format!("{HOST}{}", location(&entered))));
    let done = step("consent", &|browser| browser.decide(&consent, "allow", &["orders:read"]));
    assert!(back(&done).contains_key("code"));
    assert!(back(&step("known", &|browser| browser.get(&asks(&shop, &[])))).contains_key("code"));
}

#[test]
fn ten_tabs_of_two_people_side_by_side_mix_nothing_up() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, person) = (app(&edge), ada(&edge));
    let eve = user(&edge, &json!({ "login": "eve@example.com", "password": PASSWORD, "roles": [] }));
    let people =
        [(Browser::new(&edge), "ada@example.com", &person), (Browser::new(&edge), "eve@example.com", &eve)];
    let state = |login: &str, tab: usize| format!("{login} {tab}");
    let mut pages = Vec::new();
    for tab in 0..10 {
        for (who, (browser, login, _)) in people.iter().enumerate() {
            pages.push((
                who,
                tab,
                browser.get(&asks(&shop, &[("state", &state(login, tab)), ("prompt", "login consent")])),
            ));
        }
    }
    let consents: Vec<_> = pages
        .iter()
        .rev()
        .map(|(who, tab, page)| (*who, *tab, people[*who].0.sign_in(page, people[*who].1, PASSWORD)))
        .collect();
    for (who, tab, consent) in consents.iter().rev() {
        let (browser, login, person) = &people[*who];
        let said = back(&browser.decide(consent, "allow", &["orders:read"]));
        assert_eq!(said["state"], state(login, *tab));
        let granted: Value =
            serde_json::from_str(&redeem(&edge, &shop, &said["code"]).answer().body).unwrap();
        assert_eq!(claims(text(&granted, "id_token"))["sub"], person["id"]);
    }
    // A browser that only ever begins does not collect cookies without end.
    let (browser, ..) = &people[0];
    for _ in 0..50 {
        browser.get(&asks(&shop, &[("prompt", "login")]));
        world.pass(seconds(1));
    }
    assert!(browser.cookies.borrow().len() <= 21, "{}", browser.cookies.borrow().len());
    assert_eq!(
        heading(&browser.sign_in(
            &browser.get(&asks(&shop, &[("prompt", "login consent")])),
            "ada@example.com",
            PASSWORD
        )),
        "Allow Shop &#60;b&#62;&#38;?"
    );
}

#[test]
fn a_request_by_post_and_an_answer_by_post() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let browser = Browser::new(&edge);
    let request = asks(&shop, &[("response_mode", "form_post"), ("state", "\"><script>")]);
    let (address, query) = request.split_once('?').unwrap();
    let reply = browser.send(Call::form(address, query));
    assert_eq!((reply.status(), location(&reply).split_once('?').unwrap().0), (303, "/test/oauth/authorize"));
    let page = browser.get(&format!("{HOST}{}", location(&reply)));
    let consent = browser.sign_in(&page, "ada@example.com", PASSWORD);
    let done = browser.decide(&consent, "allow", &["orders:read"]);
    let body = &done.answer().body;
    assert_eq!(done.status(), 200);
    for part in [
        r#"action="https://app.example/cb?x=1""#,
        r#"name="code" value="tgc_"#,
        "&#34;&#62;&#60;script&#62;",
        r#"name="iss""#,
        "/assets/submit.js",
    ] {
        assert!(body.contains(part), "{part} {body}");
    }
    assert!(
        done.answer()
            .header("content-security-policy")
            .unwrap()
            .contains("form-action 'self' https://app.example;")
    );
}

#[test]
fn userinfo_is_for_a_token_of_a_person_with_openid() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, person) = (app(&edge), ada(&edge));
    let at = || Call::get(format!("{HOST}/test/oauth/userinfo"));
    let ask = |request: &Call| call(&edge, request).0;
    let browser = Browser::new(&edge);
    let allowed = |scope: &str| {
        let page = browser.get(&asks(&shop, &[("scope", scope), ("prompt", "login consent")]));
        let names: Vec<_> = scope.split(' ').collect();
        let said =
            back(&browser.decide(&browser.sign_in(&page, "ada@example.com", PASSWORD), "allow", &names));
        let granted: Value =
            serde_json::from_str(&redeem(&edge, &shop, &said["code"]).answer().body).unwrap();
        granted
    };
    let whole = allowed("openid email");
    let token = text(&whole, "access_token");
    let told: Value = serde_json::from_str(&ask(&at().bearer(token)).answer().body).unwrap();
    assert_eq!(told, json!({ "sub": person["id"], "email": "ada@example.com", "email_verified": true }));
    let by_form = Call::form(format!("{HOST}/test/oauth/userinfo"), format!("access_token={token}"));
    assert_eq!(ask(&by_form).status(), 200);
    assert_eq!(ask(&by_form.clone().bearer(token)).status(), 400, "two tokens");
    let without = allowed("orders:read");
    for (what, request, status) in [
        ("nothing", at(), 401),
        ("junk", at().bearer("junk"), 401),
        ("the ID token", at().bearer(text(&whole, "id_token")), 401),
        ("without openid", at().bearer(text(&without, "access_token")), 403),
    ] {
        assert_eq!(ask(&request).status(), status, "{what}");
    }
    let machine = client(&edge, "test", &json!({}));
    let own = tokens(&edge, "test", &machine, "grant_type=client_credentials");
    assert_eq!(ask(&at().bearer(text(&own, "access_token"))).status(), 401, "it is nobody");
    assert_eq!(post(&edge, "test", "revoke", &shop, &format!("token={token}")).status(), 200);
    assert_eq!(ask(&at().bearer(token)).status(), 401);
    assert_eq!(error(&redeem(&edge, &shop, "junk")), (400, "invalid_grant".to_owned()));
}

const AFTER: &str = "https://app.example/bye?y=1";

/// A client that signs people out, its person's browser, and an ID token of theirs.
fn signed_in<'e, 'w>(edge: &'e Edge<'w>, login: &str) -> (Value, Browser<'e, 'w>, String) {
    let more = json!({
        "grant_types": ["authorization_code"], "redirect_uris": [CALLBACK], "post_logout_redirect_uris": [AFTER], "scope": "openid",
    });
    let shop = client(edge, "test", &more);
    user(edge, &json!({ "login": login, "password": PASSWORD }));
    let browser = Browser::new(edge);
    let page = browser.get(&asks(&shop, &[("scope", "openid")]));
    let said = back(&browser.decide(&browser.sign_in(&page, login, PASSWORD), "allow", &[]));
    let granted: Value = serde_json::from_str(&redeem(edge, &shop, &said["code"]).answer().body).unwrap();
    let token = text(&granted, "id_token").to_owned();
    (shop, browser, token)
}

fn leaves(more: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(more).finish();
    format!("{HOST}/test/oauth/logout?{query}")
}

fn is_known(browser: &Browser<'_, '_>, shop: &Value) -> bool {
    back(&browser.get(&asks(shop, &[("scope", "openid"), ("prompt", "none")]))).contains_key("code")
}

#[test]
fn rp_initiated_logout_section_2_a_hint_about_the_person_signs_them_out() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, browser, token) = signed_in(&edge, "ada@example.com");
    world.pass(seconds(86_400 / 4));
    let went = browser.get(&leaves(&[
        ("id_token_hint", &token),
        ("post_logout_redirect_uri", AFTER),
        ("state", "s &1"),
    ]));
    assert_eq!((went.status(), location(&went).as_str()), (303, "https://app.example/bye?y=1&state=s+%261"));
    assert!(!is_known(&browser, &shop), "an old ID token will do");
    assert!(!browser.cookies.borrow().contains_key("__Host-tollgate.test"));
    // Nobody is signed in: there is nothing to ask, and nothing fails.
    assert_eq!(
        browser.get(&leaves(&[("id_token_hint", &token), ("post_logout_redirect_uri", AFTER)])).status(),
        303
    );
    assert_eq!(heading(&browser.get(&leaves(&[]))), "You are signed out");
}

#[test]
fn attack_70_nobody_is_signed_out_or_sent_anywhere_by_a_stranger() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, browser, token) = signed_in(&edge, "ada@example.com");
    let (other, _, foreign) = signed_in(&edge, "eve@example.com");
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    let none = format!("{}.{}.", tollgate::encoding::base64url(br#"{"alg":"none","typ":"JWT"}"#), parts[1]);
    parts[1] = tollgate::encoding::base64url(br#"{"iss":"https://edge.example/test","sub":"x","aud":"y"}"#);
    let access = {
        let machine = client(&edge, "test", &json!({}));
        text(&tokens(&edge, "test", &machine, "grant_type=client_credentials"), "access_token").to_owned()
    };
    let (id, others) = (text(&shop, "client_id"), text(&other, "client_id"));
    for (what, parameters) in [
        ("junk", vec![("id_token_hint", "junk")]),
        ("alg none", vec![("id_token_hint", none.as_str())]),
        ("another payload", vec![("id_token_hint", &parts.join("."))]),
        ("an access token", vec![("id_token_hint", &access)]),
        ("another client", vec![("id_token_hint", &token), ("client_id", others)]),
        (
            "an unregistered address",
            vec![("id_token_hint", &token), ("post_logout_redirect_uri", "https://evil.example/")],
        ),
        (
            "almost registered",
            vec![("id_token_hint", &token), ("post_logout_redirect_uri", "https://app.example/bye")],
        ),
        ("no client", vec![("post_logout_redirect_uri", AFTER)]),
    ] {
        let reply = browser.get(&leaves(&parameters));
        assert_eq!((reply.status(), reply.answer().header("location")), (400, None), "{what}");
        assert!(is_known(&browser, &shop), "{what}");
    }
    // Without a hint, or with one about somebody else, the person is asked.
    for parameters in [
        vec![],
        vec![("client_id", id), ("post_logout_redirect_uri", AFTER)],
        vec![("id_token_hint", foreign.as_str())],
    ] {
        let page = browser.get(&leaves(&parameters));
        assert_eq!((page.status(), heading(&page).as_str()), (200, "Sign out?"), "{parameters:?}");
        assert!(is_known(&browser, &shop), "{parameters:?}");
    }
    // Logout CSRF: what the page sends has a proof that no other site has.
    assert_eq!(browser.post("/logout", &[("proof", "junk")]).status(), 400);
    assert_eq!(browser.post("/logout", &[]).status(), 400);
    assert!(is_known(&browser, &shop));
    let page = browser.get(&leaves(&[("client_id", id), ("post_logout_redirect_uri", AFTER)]));
    let body = page.answer().body.clone();
    let proof = body.split_once(r#"name="proof" value=""#).unwrap().1.split_once('"').unwrap().0;
    let done =
        browser.post("/logout", &[("proof", proof), ("client_id", id), ("post_logout_redirect_uri", AFTER)]);
    assert_eq!((done.status(), heading(&done).as_str()), (200, "You are signed out"), "and is sent nowhere");
    assert!(!is_known(&browser, &shop));
    // By post, as section 2 allows.
    let posted = browser.post("/oauth/logout", &[("id_token_hint", &token), ("state", "s")]);
    assert_eq!(
        (posted.status(), location(&posted).starts_with("/test/oauth/logout?id_token_hint=")),
        (303, true)
    );
}

fn act(browser: &Browser<'_, '_>, page: &Reply, action: &str, client: &str) -> Reply {
    let body = page.answer().body.clone();
    let proof = body.split_once(r#"name="proof" value=""#).unwrap().1.split_once('"').unwrap().0;
    browser.post("/account", &[("proof", proof), ("action", action), ("client_id", client)])
}

#[test]
fn a_person_sees_what_they_allow_and_takes_it_back() {
    for realm_config in [
        CONFIG.to_owned(),
        CONFIG.replace(r#""idle_seconds": 60, "grain_seconds": 15,"#, r#""revocation": "cutoff","#),
    ] {
        let world = World::new(&realm_config);
        let edge = world.edge();
        let (shop, other) = (app(&edge), app(&edge));
        let person = ada(&edge);
        let browser = Browser::new(&edge);
        let account = format!("{HOST}/test/account");
        let page = browser.get(&account);
        assert_eq!(heading(&page), "Sign in", "first of all");
        assert!(page.answer().body.contains("your account"));
        let reply = browser.post(
            "/login",
            &[("transaction", &hidden(&page)), ("login", "ada@example.com"), ("password", PASSWORD)],
        );
        let next = browser.get(&format!("{HOST}{}", location(&reply)));
        assert_eq!(location(&next), "/test/account");
        let page = browser.get(&account);
        assert!(
            page.answer().body.contains("You have not allowed any application"),
            "{}",
            page.answer().body
        );
        let mut granted = Vec::new();
        for client in [&shop, &other] {
            let consent = browser.get(&asks(client, &[]));
            let said = back(&browser.decide(&consent, "allow", &["orders:read"]));
            let answer: Value =
                serde_json::from_str(&redeem(&edge, client, &said["code"]).answer().body).unwrap();
            granted.push(answer);
        }
        let page = browser.get(&account);
        let body = &page.answer().body;
        for words in ["Read", "Signed in 1 time.", "This browser", "15 Jan 2027", "Shop &#60;b&#62;&#38;"] {
            assert!(body.contains(words), "{words} {body}");
        }
        let id = text(&shop, "client_id");
        // Forms of other sites have no proof; nor has a page of another browser.
        assert_eq!(browser.post("/account", &[("action", "everywhere")]).status(), 400);
        let stranger = Browser::new(&edge);
        assert_eq!(act(&stranger, &page, "withdraw", id).status(), 400);
        let before = deeds(&world, &edge).len();
        assert_eq!(
            act(&browser, &page, "withdraw", "never-seen").status(),
            303,
            "there is nothing to take back"
        );
        assert_eq!(deeds(&world, &edge).len(), before);
        let late = back(&browser.get(&asks(&shop, &[])))["code"].clone();
        let done = act(&browser, &page, "withdraw", id);
        assert_eq!((done.status(), location(&done)), (303, "/test/account?done=withdraw".to_owned()));
        world.pass(seconds(31));
        let access = |at: usize| text(&granted[at], "access_token");
        assert_eq!((pass(&edge, "/orders/1", access(0)), pass(&edge, "/orders/1", access(1))), (401, 200));
        assert_eq!(pass(&world.edge(), "/orders/1", access(0)), 401);
        let token = format!("grant_type=refresh_token&refresh_token={}", text(&granted[0], "refresh_token"));
        assert_eq!(error(&post(&edge, "test", "token", &shop, &token)), (400, "invalid_grant".to_owned()));
        let reply = redeem(&edge, &shop, &late);
        assert_eq!(error(&reply), (400, "invalid_grant".to_owned()), "a code of before");
        // Asked again, and what is allowed again lives.
        let consent = browser.get(&asks(&shop, &[]));
        assert!(heading(&consent).starts_with("Allow Shop"));
        let said = back(&browser.decide(&consent, "allow", &["orders:read"]));
        let fresh: Value = serde_json::from_str(&redeem(&edge, &shop, &said["code"]).answer().body).unwrap();
        assert_eq!(pass(&world.edge(), "/orders/1", text(&fresh, "access_token")), 200);
        assert_eq!(pass(&world.edge(), "/orders/1", access(0)), 401, "and what was over is over");
        // Everywhere.
        let page = browser.get(&format!("{account}?done=withdraw"));
        assert!(page.answer().body.contains("It was taken back."));
        let done = act(&browser, &page, "everywhere", "");
        assert_eq!((done.status(), heading(&done).as_str()), (200, "You are signed out everywhere"));
        world.pass(seconds(31));
        assert_eq!(
            (
                pass(&world.edge(), "/orders/1", access(1)),
                pass(&world.edge(), "/orders/1", text(&fresh, "access_token"))
            ),
            (401, 401)
        );
        assert_eq!(heading(&browser.get(&account)), "Sign in");
        // Who it was is told.
        let told = deeds(&world, &edge);
        let ada = |action: &str, target: &str| ["ada@example.com", action, target].map(str::to_owned);
        assert_eq!(told[0], ada("user.sign_out", text(&person, "id")), "{told:?}");
        assert!(told.contains(&ada("client.withdraw", id)), "{told:?}");
        // Twice by hand; what was allowed before is no deed when it is asked for again.
        assert_eq!(told.iter().filter(|deed| **deed == ada("client.allow", id)).count(), 2, "{told:?}");
    }
}

#[test]
fn rfc9126_a_request_is_pushed_and_brought_by_its_client_once() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let more = json!({
        "grant_types": ["authorization_code"], "redirect_uris": [CALLBACK], "scope": "openid orders:read", "require_pushed_authorization_requests": true,
    });
    let (shop, other) = (client(&edge, "test", &more), app(&edge));
    let person = ada(&edge);
    let query = |more: &[(&str, &str)]| asks(&shop, more).split_once('?').unwrap().1.to_owned();
    let pushed = post(&edge, "test", "par", &shop, &query(&[("client_id", "")]));
    assert_eq!((pushed.status(), pushed.answer().header("cache-control")), (201, Some("no-store")));
    let told: Value = serde_json::from_str(&pushed.answer().body).unwrap();
    assert_eq!(told["expires_in"], 60);
    let brings = |client: &Value, address: &str| {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("client_id", text(client, "client_id")),
                ("request_uri", address),
                ("state", "another"),
            ])
            .finish();
        format!("{HOST}/test/oauth/authorize?{query}")
    };
    let address = text(&told, "request_uri");
    let browser = Browser::new(&edge);
    assert_eq!(browser.get(&brings(&other, address)).status(), 400, "another client's");
    let consent = browser.sign_in(&browser.get(&brings(&shop, address)), "ada@example.com", PASSWORD);
    let said = back(&browser.decide(&consent, "allow", &["orders:read"]));
    assert_eq!(said["state"], "s1", "what was pushed counts, and nothing else");
    let granted: Value = serde_json::from_str(&redeem(&edge, &shop, &said["code"]).answer().body).unwrap();
    assert_eq!(claims(text(&granted, "id_token"))["sub"], person["id"]);
    assert_eq!(heading(&browser.get(&brings(&shop, address))), "This is done already", "once");
    world.pass(seconds(61));
    assert_eq!(browser.get(&brings(&shop, address)).status(), 400, "for a minute");
    for junk in ["urn:ietf:params:oauth:request_uri:junk", "urn:ietf:params:oauth:request_uri:"] {
        assert_eq!(browser.get(&brings(&shop, junk)).status(), 400);
    }
    assert_eq!(back(&browser.get(&asks(&shop, &[])))["error"], "invalid_request", "this client pushes");
    // What is wrong is an error at once.
    for (form, error) in [
        (query(&[("client_id", ""), ("redirect_uri", "https://evil.example/")]), "invalid_request"),
        (query(&[("client_id", ""), ("response_type", "token")]), "unsupported_response_type"),
        (query(&[("client_id", ""), ("request_uri", address)]), "request_uri_not_supported"),
        (query(&[("client_id", ""), ("scope", "openid orders:admin")]), "invalid_scope"),
        (query(&[("client_id", ""), ("resource", "https://evil.example")]), "invalid_target"),
    ] {
        let reply = post(&edge, "test", "par", &shop, &form);
        assert_eq!((reply.status(), reply.member("error").as_str()), (400, error));
    }
    let wrong = json!({ "client_id": shop["client_id"], "client_secret": other["client_secret"] });
    let reply = post(&edge, "test", "par", &wrong, &query(&[("client_id", "")]));
    assert_eq!((reply.status(), reply.member("error").as_str()), (401, "invalid_client"));
}

#[test]
fn openid_connect_core_section_3_1_2_1_hints_and_what_is_not_used() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, browser, token) = signed_in(&edge, "ada@example.com");
    let (_, _, foreign) = signed_in(&edge, "eve@example.com");
    let quiet = |more: &[(&str, &str)]| {
        let mut all = vec![("scope", "openid"), ("prompt", "none")];
        all.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        all.extend(more);
        back(&browser.get(&asks(&shop, &all)))
    };
    for (name, value) in [
        ("id_token_hint", token.as_str()),
        ("login_hint", "eve@example.com"),
        ("acr_values", "urn:mace:incommon:iap:silver"),
        ("display", "popup"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("claims", r#"{"userinfo":{"name":{"essential":true}}}"#),
        ("extra", "foobar"),
        ("nonce", ""),
        ("scope", "openid address phone"),
    ] {
        assert!(quiet(&[(name, value)]).contains_key("code"), "{name}");
    }
    assert_eq!(
        quiet(&[("id_token_hint", &foreign)])["error"],
        "login_required",
        "somebody else is signed in"
    );
    assert_eq!(quiet(&[("id_token_hint", "junk")])["error"], "invalid_request");
    let page = browser.get(&asks(&shop, &[("scope", "openid"), ("id_token_hint", &foreign)]));
    assert_eq!(heading(&page), "Sign in");
    let still = browser.sign_in(&page, "ada@example.com", PASSWORD);
    assert_eq!(heading(&still), "Sign in", "the wrong person");
    assert!(heading(&browser.sign_in(&still, "eve@example.com", PASSWORD)).starts_with("Allow "));
}

#[test]
fn rfc9700_section_4_11_2_a_client_that_registered_itself_cannot_send_people_around() {
    let open = CONFIG.replace(
        r#""idle_seconds": 60, "grain_seconds": 15,"#,
        r#""registration": { "access": "open", "scopes": ["openid", "orders:read"] }, "idle_seconds": 60, "grain_seconds": 15,"#,
    );
    let world = World::new(&open);
    let edge = world.edge();
    let body = json!({ "client_name": "Eve's", "redirect_uris": [CALLBACK], "scope": "openid orders:read" })
        .to_string();
    let reply = call(&edge, &Call::json(format!("{HOST}/test/oauth/register"), body)).0;
    let theirs: Value = serde_json::from_str(&reply.answer().body).unwrap();
    let browser = Browser::new(&edge);
    for wrong in [
        [("response_type", "token")],
        [("scope", "openid orders:admin")],
        [("resource", "https://evil.example")],
    ] {
        let reply = browser.get(&asks(&theirs, &wrong));
        assert_eq!((reply.status(), reply.answer().header("location")), (400, None), "{wrong:?}");
        assert!(
            reply.answer().body.contains(r#"<a href="https://app.example/cb?x=1&#38;error="#),
            "{}",
            reply.answer().body
        );
        let mut silent = wrong.to_vec();
        silent.push(("prompt", "none"));
        assert!(back(&browser.get(&asks(&theirs, &silent))).contains_key("error"), "no page was to be shown");
    }
    let page = browser.get(&asks(&theirs, &[]));
    assert_eq!(heading(&page), "Sign in");
    ada(&edge);
    let consent = browser.sign_in(&page, "ada@example.com", PASSWORD);
    assert!(consent.answer().body.contains("nobody here has checked who"), "{}", consent.answer().body);
    assert_eq!(
        back(&browser.get(&asks(&theirs, &[("response_type", "token")])))["error"],
        "unsupported_response_type"
    );
    // Whoever manages clients vouches for it by changing it.
    let body = json!({ "client_name": "Eve's", "redirect_uris": [CALLBACK], "scope": "openid", "grant_types": ["authorization_code"] });
    let at = format!("{HOST}/test/api/v1/clients/{}", text(&theirs, "client_id"));
    assert_eq!(manage(&edge, Call::put(at, body.to_string())).status(), 200);
    let fresh = Browser::new(&edge);
    assert!(back(&fresh.get(&asks(&theirs, &[("response_type", "token")]))).contains_key("error"));
}

#[test]
fn an_internal_scope_is_offered_where_both_client_and_person_are_on_its_list() {
    let config = CONFIG.replace(
        r#""scopes": { "#,
        r#""scopes": { "ours": { "description": "See what only we see", "internal": true }, "#,
    );
    let world = World::new(&config);
    let edge = world.edge();
    let make = |scope: &str| {
        client(
            &edge,
            "test",
            &json!({ "grant_types": ["authorization_code", "refresh_token"], "redirect_uris": [CALLBACK], "scope": scope }),
        )
    };
    let (with, without) = (make("openid ours"), make("openid"));
    let person = |login: &str, more: &Value| {
        let mut all = json!({ "login": login, "password": PASSWORD });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        user(&edge, &all)
    };
    let ada = person("ada@example.com", &json!({ "internal_scopes": "ours" }));
    person("eve@example.com", &json!({}));
    let granted = |client: &Value, login: &str| -> Value {
        let browser = Browser::new(&edge);
        let consent =
            browser.sign_in(&browser.get(&asks(client, &[("scope", "openid ours")])), login, PASSWORD);
        let shown = consent.answer().body.contains("See what only we see");
        let is_asked = consent.status() == 200;
        let said = back(&if is_asked { browser.decide(&consent, "allow", &["ours"]) } else { consent });
        let granted: Value =
            serde_json::from_str(&redeem(&edge, client, &said["code"]).answer().body).unwrap();
        assert_eq!(shown, text(&granted, "scope").contains("ours"), "what is not shown is not granted");
        granted
    };
    let both = granted(&with, "ada@example.com");
    assert_eq!(both["scope"], "openid ours");
    assert_eq!(granted(&with, "eve@example.com")["scope"], "openid", "the person is not on the list");
    let refused = Browser::new(&edge).get(&asks(&without, &[("scope", "openid ours")]));
    assert_eq!(back(&refused)["error"], "invalid_scope", "nor is this client");
    // Taken from the list: what was granted is over.
    let at = format!("{HOST}/test/api/v1/users/{}", text(&ada, "id"));
    assert_eq!(manage(&edge, Call::patch(at.clone(), r#"{"internal_scopes":"orders:read"}"#)).status(), 400);
    assert_eq!(manage(&edge, Call::patch(at, r#"{"internal_scopes":""}"#)).status(), 200);
    let form = format!("grant_type=refresh_token&refresh_token={}", text(&both, "refresh_token"));
    assert_eq!(post(&edge, "test", "token", &with, &form).status(), 400);
    world.pass(seconds(1));
    assert_eq!(granted(&with, "ada@example.com")["scope"], "openid");
}

/// A browser in which somebody is signed in at `/cut`.
pub(super) fn known_at_cut<'e, 'w>(edge: &'e Edge<'w>) -> Browser<'e, 'w> {
    let body = json!({ "login": "eve@example.com", "password": PASSWORD, "roles": ["owner"] });
    assert_eq!(manage(edge, Call::json(format!("{HOST}/cut/api/v1/users"), body.to_string())).status(), 201);
    let browser = Browser::new(edge);
    let page = browser.get(&format!("{HOST}/cut/account"));
    let form = [
        ("transaction", hidden(&page)),
        ("login", "eve@example.com".to_owned()),
        ("password", PASSWORD.to_owned()),
    ];
    assert_eq!(browser.post_to("/cut/login", &form).status(), 303);
    assert_eq!(heading(&browser.get(&format!("{HOST}/cut/account"))), "Your account");
    browser
}

#[test]
fn attack_47_somebody_of_one_realm_is_nobody_in_another() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let shop = app(&edge);
    let known = known_at_cut(&edge).cookies.borrow()["__Host-tollgate.cut"].clone();
    let browser = Browser::new(&edge);
    browser.cookies.borrow_mut().insert("__Host-tollgate.test".to_owned(), known.clone());
    assert_eq!(heading(&browser.get(&asks(&shop, &[]))), "Sign in");
    assert_eq!(heading(&browser.get(&format!("{HOST}/test/account"))), "Sign in");
    assert_eq!(back(&browser.get(&asks(&shop, &[("prompt", "none")])))["error"], "login_required");
    assert_eq!(
        browser.cookies.borrow()["__Host-tollgate.test"],
        known,
        "it was sent, and it is another realm's"
    );
}
