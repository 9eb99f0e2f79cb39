//! Passkeys: made on the account page, used alone or after the password, forgotten.

use serde_json::{Value, json};
use tollgate::config::Config;
use tollgate::encoding::{base64url, from_base64url};
use tollgate::port::Principals as _;
use tollgate::principal::{AddPasskey, Answer, Question, Refused};
use tollgate::secret::{Credential, Kind};
use tollgate::webauthn::{self, RelyingParty};

use super::federation;
use super::people::{
    Browser, HOST, PASSWORD, ada, app, asks, back, heading, hidden, known_at_cut, location, redeem,
};
use super::realm::{CONFIG, claims, deeds, error, manage, post, seconds, text, user};
use crate::fakes::{Authenticator, Broken, Call, Edge, PRESENT, Reply, Said, World, bent, run};

const ORIGIN: &str = "https://edge.example";
const PARTY: &str = "edge.example";

pub(super) fn config() -> String {
    CONFIG.replacen(r#""grant_type_code"]"#, r#""grant_type_code", "passkeys"]"#, 1)
}

/// What a page tells its script.
pub(super) fn data(page: &Reply, name: &str) -> String {
    let body = &page.answer().body;
    let (_, rest) =
        body.split_once(&format!("data-{name}=\"")).unwrap_or_else(|| panic!("no {name}: {body}"));
    rest.split_once('"').unwrap().0.to_owned()
}

/// What a form hands back that stands in a hidden field.
fn field(page: &Reply, name: &str) -> String {
    let body = &page.answer().body;
    let (_, rest) = body.split_once(&format!(r#"name="{name}" value=""#)).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// Sends what a page's script has put into its form.
pub(super) fn send(browser: &Browser<'_, '_>, page: &Reply, said: &Said) -> Reply {
    let mut form = vec![("transaction", hidden(page))];
    if page.answer().body.contains(r#"name="after""#) {
        form.push(("after", field(page, "after")));
    }
    form.extend(said.iter().cloned());
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = browser.post("/login/passkey", &form);
    if reply.status() == 303 { browser.get(&format!("{HOST}{}", location(&reply))) } else { reply }
}

fn account(browser: &Browser<'_, '_>) -> Reply {
    browser.get(&format!("{HOST}/test/account"))
}

/// Sends an action of the account page.
fn act(browser: &Browser<'_, '_>, page: &Reply, action: &str, more: &[(&str, &str)]) -> Reply {
    let proof = field(page, "proof");
    let mut form = vec![("proof", proof.as_str()), ("action", action)];
    form.extend(more);
    let reply = browser.post("/account", &form);
    if reply.status() == 303 { browser.get(&format!("{HOST}{}", location(&reply))) } else { reply }
}

/// A passkey of whoever is signed in here.
pub(super) fn add(browser: &Browser<'_, '_>, n: u8) -> Authenticator {
    let page = account(browser);
    let passkey = Authenticator::new(n, ORIGIN, &data(&page, "party"), &data(&page, "user"));
    let reply = add_as(browser, &page, &passkey.make(&data(&page, "challenge")));
    assert!(reply.answer().body.contains("How you sign in is changed."), "{}", reply.answer().body);
    passkey
}

fn add_as(browser: &Browser<'_, '_>, page: &Reply, said: &Said) -> Reply {
    let mut more: Vec<_> = said.iter().map(|(name, value)| (*name, value.as_str())).collect();
    more.push(("name", "My phone <b>"));
    act(browser, page, "add-passkey", &more)
}

/// Signs in again with a passkey.
fn with_passkey(world: &World, browser: &Browser<'_, '_>, shop: &Value, passkey: &Authenticator) {
    let page = anew(world, browser, shop);
    assert_ne!(send(browser, &page, &passkey.answer(&data(&page, "challenge"))).status(), 400);
}

/// A browser in which Ada is signed in.
pub(super) fn signed_in<'e, 'w>(edge: &'e Edge<'w>, shop: &Value) -> Browser<'e, 'w> {
    let browser = Browser::new(edge);
    browser.sign_in(&browser.get(&asks(shop, &[("prompt", "login")])), "ada@example.com", PASSWORD);
    browser
}

/// What the ID token says that comes of a consent page.
fn id_token(edge: &Edge<'_>, browser: &Browser<'_, '_>, shop: &Value, page: &Reply) -> Value {
    let said = back(&browser.decide(page, "allow", &["orders:read"]));
    let granted: Value = serde_json::from_str(&redeem(edge, shop, &said["code"]).answer().body).unwrap();
    claims(text(&granted, "id_token"))
}

/// The sign-in page, however long ago the person has signed in.
fn anew(world: &World, browser: &Browser<'_, '_>, shop: &Value) -> Reply {
    world.pass(seconds(1));
    browser.get(&asks(shop, &[("prompt", "login")]))
}

const AGAIN: &str = "That passkey does not count here.";

fn is_refused(reply: &Reply) {
    assert_eq!(reply.status(), 400, "{}", reply.answer().body);
    assert_eq!(heading(reply), "Sign in");
    assert!(reply.answer().body.contains(AGAIN), "{}", reply.answer().body);
}

#[test]
fn webauthn_section_7_a_passkey_alone_signs_in() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, person) = (app(&edge), ada(&edge));
    let at_home = signed_in(&edge, &shop);
    assert!(account(&at_home).answer().body.contains("need no password"));
    let passkey = add(&at_home, 1);
    let page = account(&at_home);
    for part in ["My phone &#60;b&#62;", "on one device", "Not used yet."] {
        assert!(page.answer().body.contains(part), "{part}");
    }
    assert_eq!(data(&page, "known"), base64url(&passkey.id), "the browser is told which are there");

    let told = ["ada@example.com", "user.add_passkey", text(&person, "id")].map(str::to_owned);
    assert!(deeds(&world, &edge).contains(&told));

    let elsewhere = Browser::new(&edge);
    world.pass(seconds(60));
    let page = elsewhere.get(&asks(&shop, &[]));
    assert_eq!((data(&page, "party"), data(&page, "known")), (PARTY.to_owned(), String::new()));
    let (asked, read) = (world.asked_principals.get(), world.read_kv.get());
    let consent = send(&elsewhere, &page, &passkey.answer(&data(&page, "challenge")));
    assert_eq!(heading(&consent), "Allow Shop &#60;b&#62;&#38;?");
    assert!(
        world.asked_principals.get() - asked <= 2 && world.read_kv.get() - read <= 2,
        "two pages, one each"
    );
    let id = id_token(&edge, &elsewhere, &shop, &consent);
    assert_eq!(id["sub"], person["id"]);
    assert_eq!((&id["acr"], &id["amr"]), (&json!("urn:tollgate:acr:passkey"), &json!(["pop", "mfa"])));
    assert_eq!(id["auth_time"], world.now().as_seconds());
    assert!(account(&elsewhere).answer().body.contains("Last used "));
    // An ID token of a refresh says the same of how they signed in.
    let more = elsewhere.get(&asks(&shop, &[]));
    let granted: Value =
        serde_json::from_str(&redeem(&edge, &shop, &back(&more)["code"]).answer().body).unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={}", text(&granted, "refresh_token"));
    let next: Value =
        serde_json::from_str(&post(&edge, "test", "token", &shop, &form).answer().body).unwrap();
    assert_eq!(claims(text(&next, "id_token"))["amr"], json!(["pop", "mfa"]));
}

#[test]
fn webauthn_section_7_2_a_challenge_is_answered_once_in_the_browser_that_got_it() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let passkey = add(&signed_in(&edge, &shop), 1);
    let (browser, other) = (Browser::new(&edge), Browser::new(&edge));
    let (page, others) = (browser.get(&asks(&shop, &[])), other.get(&asks(&shop, &[])));
    let said = passkey.answer(&data(&page, "challenge"));
    is_refused(&send(&other, &others, &said));
    assert_eq!(heading(&send(&browser, &page, &said)), "Allow Shop &#60;b&#62;&#38;?");
    is_refused(&send(&browser, &page, &said));
    // The same page, which the back button leads to, says a challenge that was answered; what comes instead has another one.
    let again = send(&browser, &page, &said);
    assert_ne!(data(&again, "challenge"), data(&page, "challenge"));
    let said = passkey.answer(&data(&again, "challenge"));
    assert_eq!(heading(&send(&browser, &again, &said)), "Allow Shop &#60;b&#62;&#38;?");
    // Another transaction of the same browser is another page.
    let (one, two) = (anew(&world, &browser, &shop), anew(&world, &browser, &shop));
    is_refused(&send(&browser, &one, &passkey.answer(&data(&two, "challenge"))));
    // Too late.
    let late = anew(&world, &browser, &shop);
    world.pass(seconds(1_801));
    let reply = send(&browser, &late, &passkey.answer(&data(&late, "challenge")));
    assert_eq!(heading(&reply), "This page does not count any more");
}

#[test]
fn webauthn_section_7_2_what_does_not_count_looks_the_same_and_takes_as_long() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let passkey = add(&signed_in(&edge, &shop), 1);
    let browser = Browser::new(&edge);
    let attempt = |change: &dyn Fn(&mut Authenticator), bends: &str| {
        let page = browser.get(&asks(&shop, &[]));
        let mut other = Authenticator::new(1, ORIGIN, PARTY, &passkey.user);
        change(&mut other);
        let said = other.answer(&data(&page, "challenge"));
        let started = world.now();
        let reply = send(&browser, &page, &if bends.is_empty() { said } else { bent(&said, bends) });
        (reply, world.now().since(started))
    };
    let nobody = base64url(&[9; 32]);
    let (_, usual) = attempt(&|_| (), "signature");
    for (what, change, bends) in [
        ("another signature", (&|_: &mut Authenticator| ()) as &dyn Fn(&mut Authenticator), "signature"),
        ("another passkey", &|it| it.id = vec![7; 16], ""),
        (
            "another key",
            &|it| *it = Authenticator { id: it.id.clone(), ..Authenticator::new(2, ORIGIN, PARTY, &it.user) },
            "",
        ),
        ("nobody's", &|it| it.user.clone_from(&nobody), ""),
        ("no user", &|it| it.user.clear(), ""),
        ("a user of another shape", &|it| it.user = base64url(b"ada"), ""),
        ("another site's page", &|it| it.origin = "https://edge.example.evil.example".to_owned(), ""),
        ("another site's passkey", &|it| it.party = "evil.example".to_owned(), ""),
        ("nobody has shown who they are", &|it| it.flags = PRESENT, ""),
        ("another kind of passkey", &|it| it.flags |= 0x08, ""),
        ("a short name", &|it| it.id = vec![1; 15], ""),
        ("other authenticator data", &|_| (), "authenticator_data"),
    ] {
        let (reply, took) = attempt(change, bends);
        is_refused(&reply);
        assert_eq!(took, usual, "{what}");
        assert_eq!(heading(&account(&browser)), "Sign in", "{what}");
    }
    let (reply, _) = attempt(&|_| (), "");
    assert_eq!(heading(&reply), "Allow Shop &#60;b&#62;&#38;?", "as it is, it counts");
}

#[test]
fn webauthn_section_6_1_1_a_counter_that_does_not_count_on_is_that_of_a_copy() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let at_home = signed_in(&edge, &shop);
    let mut passkey = add(&at_home, 1);
    let browser = Browser::new(&edge);
    let mut count = |counter| {
        passkey.counter = counter;
        let page = anew(&world, &browser, &shop);
        send(&browser, &page, &passkey.answer(&data(&page, "challenge")))
    };
    let is_in = |reply: &Reply| assert_eq!(heading(reply), "Allow Shop &#60;b&#62;&#38;?");
    is_in(&count(0));
    is_in(&count(0));
    is_in(&count(5));
    for copied in [5, 4, 0] {
        is_refused(&count(copied));
    }
    is_in(&count(6));
}

#[test]
fn a_person_may_want_a_passkey_after_every_password() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, person) = (app(&edge), ada(&edge));
    let at_home = signed_in(&edge, &shop);
    let page = account(&at_home);
    let reply = act(&at_home, &page, "need-passkey", &[]);
    assert_eq!(heading(&reply), "Nothing was changed", "there is none");
    let passkey = add(&at_home, 1);
    let page = act(&at_home, &account(&at_home), "need-passkey", &[]);
    assert_eq!(heading(&page), "Sign in", "nobody knows yet whether it works");
    with_passkey(&world, &at_home, &shop, &passkey);
    let page = act(&at_home, &account(&at_home), "need-passkey", &[]);
    assert!(page.answer().body.contains("Your password counts only with a passkey."));

    let browser = Browser::new(&edge);
    world.pass(seconds(1));
    let second = browser.sign_in(&browser.get(&asks(&shop, &[])), "ada@example.com", PASSWORD);
    assert_eq!(heading(&second), "Now your passkey");
    assert_eq!(data(&second, "known"), base64url(&passkey.id));
    assert_eq!(heading(&browser.get(&asks(&shop, &[]))), "Sign in", "the password has opened nothing");
    // A browser that was asked for one of its passkeys need not say whose it is.
    let mut said = passkey.answer(&data(&second, "challenge"));
    said.retain(|(name, _)| *name != "user");
    let consent = send(&browser, &second, &said);
    let id = id_token(&edge, &browser, &shop, &consent);
    assert_eq!((&id["sub"], &id["amr"]), (&person["id"], &json!(["pwd", "pop", "mfa"])));
    assert_eq!(id["acr"], "urn:tollgate:acr:passkey");

    // RFC 6749 section 4.3: the password alone opens nothing there either.
    let legacy =
        super::realm::client(&edge, "test", &json!({ "grant_types": ["password"], "scope": "orders:read" }));
    let with = |password: &str| {
        let form = format!("grant_type=password&username=ada%40example.com&password={password}");
        error(&post(&edge, "test", "token", &legacy, &form))
    };
    assert_eq!(with("correct+horse"), (400, "invalid_grant".to_owned()));
    assert_eq!(with("correct+horse"), with("wrong+horse"));

    // And back.
    let page = act(&at_home, &account(&at_home), "password-alone", &[]);
    assert!(!page.answer().body.contains("counts only with"));
    let consent = browser.sign_in(
        &browser.get(&asks(&shop, &[("prompt", "login consent")])),
        "ada@example.com",
        PASSWORD,
    );
    assert_eq!(heading(&consent), "Allow Shop &#60;b&#62;&#38;?");
}

#[test]
fn that_the_password_was_right_counts_for_its_person_and_for_five_minutes() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    user(&edge, &json!({ "login": "eve@example.com", "password": PASSWORD }));
    let at_home = signed_in(&edge, &shop);
    let passkey = add(&at_home, 1);
    with_passkey(&world, &at_home, &shop, &passkey);
    act(&at_home, &account(&at_home), "need-passkey", &[]);
    let eves = Browser::new(&edge);
    eves.sign_in(&eves.get(&asks(&shop, &[])), "eve@example.com", PASSWORD);
    let hers = add(&eves, 2);
    with_passkey(&world, &eves, &shop, &hers);
    act(&eves, &account(&eves), "need-passkey", &[]);

    let browser = Browser::new(&edge);
    let second = || browser.sign_in(&anew(&world, &browser, &shop), "ada@example.com", PASSWORD);
    let page = second();
    let said = |passkey: &Authenticator, page: &Reply| passkey.answer(&data(page, "challenge"));
    // Who knows Ada's password and has a passkey of their own.
    is_refused(&send(&browser, &page, &said(&hers, &page)));
    let mut nameless = said(&hers, &page);
    nameless.retain(|(name, _)| *name != "user");
    is_refused(&send(&browser, &page, &nameless));
    // A challenge of the first page says nothing of a password; one of the second is for nothing else.
    let first = anew(&world, &browser, &shop);
    let mut form = said(&passkey, &first);
    form.push(("after", passkey.user.clone()));
    is_refused(&send(&browser, &first, &form));
    let reply = browser.post(
        "/login/passkey",
        &[vec![("transaction", hidden(&page))], said(&passkey, &page)]
            .iter()
            .flatten()
            .map(|(name, value)| (*name, value.as_str()))
            .collect::<Vec<_>>(),
    );
    is_refused(&reply);
    let page = second();
    world.pass(seconds(301));
    is_refused(&send(&browser, &page, &said(&passkey, &page)));
    let page = second();
    world.pass(seconds(300));
    assert_eq!(heading(&send(&browser, &page, &said(&passkey, &page))), "Allow Shop &#60;b&#62;&#38;?");
}

#[test]
fn how_somebody_signs_in_is_changed_a_moment_after_signing_in_only() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let browser = signed_in(&edge, &shop);
    let passkey = add(&browser, 1);
    let fresh = account(&browser);
    world.pass(seconds(901));
    let page = account(&browser);
    assert!(page.answer().body.contains("sign in again first"));
    assert!(!page.answer().body.contains("data-challenge"));
    let id = base64url(&passkey.id);
    // Pages that were opened in time.
    let another = Authenticator::new(2, ORIGIN, PARTY, &passkey.user);
    for reply in [
        add_as(&browser, &fresh, &another.make(&data(&fresh, "challenge"))),
        act(&browser, &fresh, "remove-passkey", &[("id", &id)]),
        act(&browser, &fresh, "need-passkey", &[]),
        act(&browser, &fresh, "forget-password", &[]),
        act(&browser, &page, "again", &[]),
    ] {
        assert_eq!(heading(&reply), "Sign in");
    }
    let page = act(&browser, &page, "again", &[]);
    let page = browser.sign_in(&page, "ada@example.com", PASSWORD);
    assert_eq!(location(&page), "/test/account");
    let page = account(&browser);
    assert!(page.answer().body.contains("My phone"), "nothing was changed");
    let page = act(&browser, &page, "remove-passkey", &[("id", &id)]);
    assert!(!page.answer().body.contains("My phone"));
    let page = anew(&world, &browser, &shop);
    is_refused(&send(&browser, &page, &passkey.answer(&data(&page, "challenge"))));
}

#[test]
fn a_passkey_may_be_the_only_way_in_and_the_last_one_stays() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, person) = (app(&edge), ada(&edge));
    let browser = signed_in(&edge, &shop);
    assert_eq!(heading(&act(&browser, &account(&browser), "forget-password", &[])), "Nothing was changed");
    let (one, two) = (add(&browser, 1), add(&browser, 2));
    with_passkey(&world, &browser, &shop, &two);
    let page = act(&browser, &account(&browser), "forget-password", &[]);
    assert!(page.answer().body.contains("You have no password."));
    assert_eq!(
        heading(&act(&browser, &page, "need-passkey", &[])),
        "Your account",
        "there is none to want it after"
    );
    let password = browser.sign_in(&anew(&world, &browser, &shop), "ada@example.com", PASSWORD);
    assert_eq!(password.status(), 400);
    let remove = |passkey: &Authenticator| {
        act(&browser, &account(&browser), "remove-passkey", &[("id", &base64url(&passkey.id))])
    };
    assert_eq!(heading(&remove(&one)), "Your account");
    assert_eq!(heading(&remove(&two)), "Nothing was changed", "the last one");
    let page = anew(&world, &browser, &shop);
    assert_eq!(
        heading(&send(&browser, &page, &two.answer(&data(&page, "challenge")))),
        "Allow Shop &#60;b&#62;&#38;?"
    );

    // Whoever has lost theirs asks whoever manages people.
    let at = format!("{HOST}/test/api/v1/users/{}", text(&person, "id"));
    let change = json!({ "forget_passkeys": true, "password": "another horse" });
    let reply = manage(&edge, Call::patch(&at, change.to_string()));
    assert_eq!(
        (reply.status(), reply.answer().body.contains(r#""needs_passkey":false"#)),
        (200, true),
        "{}",
        reply.answer().body
    );
    assert_eq!(heading(&account(&browser)), "Sign in", "every session and browser has ended");
    let page = browser.get(&asks(&shop, &[]));
    is_refused(&send(&browser, &page, &two.answer(&data(&page, "challenge"))));
    let page = browser.get(&asks(&shop, &[]));
    assert_eq!(
        heading(&browser.sign_in(&page, "ada@example.com", "another horse")),
        "Allow Shop &#60;b&#62;&#38;?"
    );
}

#[test]
fn passkeys_go_with_their_person_and_nobody_inherits_them() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, person) = (app(&edge), ada(&edge));
    let passkey = add(&signed_in(&edge, &shop), 1);
    let browser = Browser::new(&edge);
    let attempt = || {
        let page = anew(&world, &browser, &shop);
        send(&browser, &page, &passkey.answer(&data(&page, "challenge")))
    };
    let at = format!("{HOST}/test/api/v1/users/{}", text(&person, "id"));
    manage(&edge, Call::patch(&at, json!({ "disabled": true }).to_string()));
    is_refused(&attempt());
    manage(&edge, Call::patch(&at, json!({ "disabled": false }).to_string()));
    assert_eq!(heading(&attempt()), "Allow Shop &#60;b&#62;&#38;?");
    assert_eq!(manage(&edge, Call::delete(&at)).status(), 204);
    is_refused(&attempt());
    ada(&edge);
    is_refused(&attempt());
}

#[test]
fn webauthn_section_7_1_what_is_added_was_made_for_this_page() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let browser = signed_in(&edge, &shop);
    let page = account(&browser);
    let (challenge, user) = (data(&page, "challenge"), data(&page, "user"));
    let passkey = Authenticator::new(1, ORIGIN, PARTY, &user);
    let elsewhere = anew(&world, &browser, &shop);
    for (what, said) in [
        ("a challenge of the sign-in page", passkey.make(&data(&elsewhere, "challenge"))),
        ("no challenge of ours", passkey.make("AAAA")),
        ("another origin", Authenticator::new(1, "https://evil.example", PARTY, &user).make(&challenge)),
        ("another party", Authenticator::new(1, ORIGIN, "evil.example", &user).make(&challenge)),
        (
            "nobody there",
            Authenticator { flags: PRESENT, ..Authenticator::new(1, ORIGIN, PARTY, &user) }.make(&challenge),
        ),
        ("nothing made", passkey.answer(&challenge)),
        ("nothing said", vec![]),
    ] {
        let reply = add_as(&browser, &page, &said);
        assert_eq!((reply.status(), heading(&reply).as_str()), (400, "Nothing was changed"), "{what}");
    }
    let said = passkey.make(&challenge);
    assert_eq!(heading(&add_as(&browser, &page, &said)), "Your account");
    assert_eq!(add_as(&browser, &page, &said).status(), 409, "twice");
    // A form of another site has no proof.
    let forged = browser.post("/account", &[("action", "forget-password")]);
    assert_eq!(heading(&forged), "Nothing was changed");
    for n in 2..=20 {
        add(&browser, n);
    }
    let page = account(&browser);
    let reply = add_as(
        &browser,
        &page,
        &Authenticator::new(21, ORIGIN, PARTY, &user).make(&data(&page, "challenge")),
    );
    assert_eq!(reply.status(), 409, "twenty are enough");
    let page = account(&browser);
    let long = [("name", "n".repeat(65))];
    let mut said = Authenticator::new(22, ORIGIN, PARTY, &user).make(&data(&page, "challenge"));
    said.extend(long);
    let more: Vec<_> = said.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(act(&browser, &page, "add-passkey", &more).status(), 400);
}

#[test]
fn without_passkeys_there_is_nothing_of_them() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let browser = signed_in(&edge, &shop);
    let sign_in = Browser::new(&edge).get(&asks(&shop, &[]));
    for page in [&sign_in, &account(&browser)] {
        assert!(!page.answer().body.to_lowercase().contains("passkey"), "{}", page.answer().body);
    }
    assert_eq!(browser.post("/login/passkey", &[("transaction", "x")]).status(), 404);
    assert_eq!(act(&browser, &account(&browser), "forget-password", &[]).status(), 404);
}

#[test]
fn passkeys_need_the_name_of_a_host() {
    let with = |issuer: &str, more: &str| {
        let config = format!(
            r#"{{ "realms": {{ "test": {{ "issuer": "{issuer}/test", "features": ["passkeys"]{more} }} }} }}"#
        );
        Config::parse(&config).map_err(|errors| errors[0].to_string())
    };
    assert_eq!(
        with("https://edge.example:8443", "").unwrap().realm("test").unwrap().passkeys.as_deref(),
        Some(PARTY)
    );
    let local = r#", "allow_http": true"#;
    assert_eq!(
        with("http://localhost:8787", local).unwrap().realm("test").unwrap().passkeys.as_deref(),
        Some("localhost")
    );
    for issuer in ["http://127.0.0.1:8787", "http://[::1]:8787"] {
        let error = with(issuer, local).unwrap_err();
        assert!(error.contains("realms.test.features") && error.contains("localhost"), "{error}");
    }
}

#[test]
fn faults_let_nobody_in_and_lose_no_passkey() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let passkey = add(&signed_in(&edge, &shop), 1);
    for broken in [
        Broken::PrincipalsBefore,
        Broken::PrincipalsAfter,
        Broken::Verifier,
        Broken::Entropy,
        Broken::Limiter,
    ] {
        let browser = Browser::new(&edge);
        let page = browser.get(&asks(&shop, &[]));
        let said = passkey.answer(&data(&page, "challenge"));
        world.broken.set(Some(broken));
        let reply = send(&browser, &page, &said);
        world.broken.set(None);
        assert_eq!(reply.status(), 503, "{broken:?}");
        assert_eq!(heading(&account(&browser)), "Sign in", "{broken:?}");
        let page = browser.get(&asks(&shop, &[]));
        let reply = send(&browser, &page, &passkey.answer(&data(&page, "challenge")));
        assert_eq!(heading(&reply), "Allow Shop &#60;b&#62;&#38;?", "{broken:?}");
    }
}

#[test]
fn attack_47_a_passkey_of_one_realm_opens_no_other_on_the_same_host() {
    let both = config().replacen(
        r#""revocation": "cutoff","#,
        r#""revocation": "cutoff", "features": ["passkeys"],"#,
        1,
    );
    let world = World::new(&both);
    let edge = world.edge();
    let shop = app(&edge);
    let at_cut = known_at_cut(&edge);
    let page = at_cut.get(&format!("{HOST}/cut/account"));
    let passkey = Authenticator::new(1, ORIGIN, PARTY, &data(&page, "user"));
    let mut form = vec![("proof", field(&page, "proof")), ("action", "add-passkey".to_owned())];
    form.extend(passkey.make(&data(&page, "challenge")));
    assert_eq!(at_cut.post_to("/cut/account", &form).status(), 303);
    // The same RP ID, the same origin: the device offers it there as well.
    let browser = Browser::new(&edge);
    let page = browser.get(&asks(&shop, &[]));
    is_refused(&send(&browser, &page, &passkey.answer(&data(&page, "challenge"))));
    let page = browser.get(&format!("{HOST}/cut/account"));
    let mut form = vec![("transaction", hidden(&page))];
    form.extend(passkey.answer(&data(&page, "challenge")));
    assert_eq!(browser.post_to("/cut/login/passkey", &form).status(), 303, "where it was made, it counts");
}

#[test]
fn whoever_makes_the_password_count_for_less_ends_what_came_of_it_and_hears_of_it_by_mail() {
    let mail =
        r#""mail": { "webhook": { "url": "https://mail.example/send", "from": "us" } }, "idle_seconds": 60,"#;
    let world = World::new(&config().replacen(r#""idle_seconds": 60,"#, mail, 1));
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let (here, elsewhere) = (signed_in(&edge, &shop), signed_in(&edge, &shop));
    let granted = |browser: &Browser<'_, '_>| -> Value {
        let page = browser.get(&asks(&shop, &[("prompt", "consent")]));
        let code = back(&browser.decide(&page, "allow", &["orders:read"]))["code"].clone();
        serde_json::from_str(&redeem(&edge, &shop, &code).answer().body).unwrap()
    };
    let token = granted(&elsewhere);
    let said = || world.mails.borrow().last().map(|[to, _, text]| (to.clone(), text.clone())).unwrap();
    let passkey = add(&here, 1);
    assert_eq!(said().0, "ada@example.com");
    assert!(said().1.starts_with("A passkey was added."), "{}", said().1);
    assert_eq!(heading(&account(&elsewhere)), "Your account", "that ends nothing");
    with_passkey(&world, &here, &shop, &passkey);
    for (action, words) in [
        ("need-passkey", "A password needs"),
        ("password-alone", "A password counts alone"),
        ("forget-password", "The password was removed"),
    ] {
        act(&here, &account(&here), action, &[]);
        assert!(said().1.starts_with(words), "{}", said().1);
        assert_eq!(heading(&account(&here)), "Your account", "{action}");
        assert_eq!(heading(&account(&elsewhere)), "Sign in", "{action}");
    }
    assert_eq!(super::realm::pass(&edge, "/orders/1", text(&token, "access_token")), 401);
    // Who has none may want one after any that is set by mail.
    act(&here, &account(&here), "need-passkey", &[]);
    assert!(account(&here).answer().body.contains("Should you get one, it counts only with a passkey."));
    add(&here, 2);
    act(&here, &account(&here), "remove-passkey", &[("id", &base64url(&passkey.id))]);
    assert!(said().1.starts_with("A passkey was removed. Without any"));
    // What is so already is no change, and no letter.
    let before = world.mails.borrow().len();
    assert_eq!(heading(&act(&here, &account(&here), "need-passkey", &[])), "Your account");
    assert_eq!(world.mails.borrow().len(), before);
    // A mail that is not taken undoes nothing.
    world.broken.set(Some(Broken::Mailer));
    let reply = act(&here, &account(&here), "password-alone", &[]);
    world.broken.set(None);
    assert_eq!(heading(&reply), "Your account");
}

#[test]
fn whoever_has_an_outside_provider_has_no_passkey() {
    let config =
        federation::config().replacen(r#""grant_type_code"]"#, r#""grant_type_code", "passkeys"]"#, 1);
    let world = World::new(&config);
    federation::publish(&world, federation::CORP, &json!({}));
    let edge = world.edge();
    let shop = app(&edge);
    ada(&edge);
    // Whose page it is that has a form for one.
    let page = account(&signed_in(&edge, &shop));
    let browser = Browser::new(&edge);
    federation::with_corp(&browser, &world, &browser.get(&asks(&shop, &[])), &json!({}));
    let own = account(&browser);
    assert_eq!(heading(&own), "Your account");
    assert!(!own.answer().body.contains("asskey"), "{}", own.answer().body);
    let passkey = Authenticator::new(1, ORIGIN, PARTY, &data(&page, "user"));
    let reply = add_as(&browser, &own, &passkey.make(&data(&page, "challenge")));
    assert_eq!((reply.status(), heading(&reply).as_str()), (400, "Nothing was changed"));
    // Nor is one taken that answers a challenge of theirs: the principal says no by itself.
    let known = Credential::parse(Kind::Browser, &browser.cookies.borrow()["__Host-tollgate.test"]).unwrap();
    let challenge = base64url(&[0; 56]);
    let said = passkey.make(&challenge);
    let bytes = |name| from_base64url(&said.iter().find(|(at, _)| *at == name).unwrap().1).unwrap();
    let (client_data, authenticator_data) = (bytes("client_data"), bytes("authenticator_data"));
    let said = webauthn::Said { client_data: &client_data, authenticator_data: &authenticator_data };
    let (made, _) = webauthn::made(&said, RelyingParty { origin: ORIGIN, id: PARTY }).unwrap();
    let add = AddPasskey { browser: known.digest(), made, name: "Mine".to_owned() };
    let question = Question::AddPasskey(Box::new(add));
    let answer = run(world.ask(known.locator().unwrap(), &question)).unwrap();
    assert_eq!(answer, Answer::Refused(Refused::Elsewhere));
}

#[test]
fn the_first_password_by_mail_forgets_the_passkeys_of_whoever_was_there_before() {
    let mail =
        r#""mail": { "webhook": { "url": "https://mail.example/send", "from": "us" } }, "idle_seconds": 60,"#;
    for (is_verified, counts) in [(false, false), (true, true)] {
        let world = World::new(&config().replacen(r#""idle_seconds": 60,"#, mail, 1));
        let edge = world.edge();
        let shop = app(&edge);
        let profile = json!({ "email": "ada@example.com", "email_verified": is_verified });
        user(&edge, &json!({ "login": "ada@example.com", "password": PASSWORD, "profile": profile }));
        let before = signed_in(&edge, &shop);
        let passkey = add(&before, 1);
        with_passkey(&world, &before, &shop, &passkey);
        act(&before, &account(&before), "need-passkey", &[]);
        world.pass(seconds(1));
        let browser = Browser::new(&edge);
        let page = browser.get(&format!("{HOST}/test/reset"));
        browser.post("/reset", &[("transaction", &hidden(&page)), ("login", "ada@example.com")]);
        let link = world.mails.borrow().last().unwrap()[2].clone();
        let link = link.lines().find(|line| line.contains("/reset/confirm")).unwrap().to_owned();
        let page = browser.get(&link);
        let used = field(&page, "link");
        let form = [("transaction", hidden(&page)), ("link", used), ("password", "another horse".to_owned())];
        assert_eq!(browser.post_to("/test/reset/confirm", &form).status(), 200);
        let page = browser.get(&asks(&shop, &[]));
        let reply = send(&browser, &page, &passkey.answer(&data(&page, "challenge")));
        assert_eq!(reply.status() != 400, counts, "{is_verified}");
        let page = browser.sign_in(&anew(&world, &browser, &shop), "ada@example.com", "another horse");
        assert_eq!(heading(&page) == "Now your passkey", counts, "{is_verified}");
    }
}
