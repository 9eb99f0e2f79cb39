//! What leads through a mailbox: people who take themselves in, forgotten passwords, addresses that are theirs.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate::config::Config;

use super::people::{Browser, HOST, PASSWORD, ada, app, asks, back, heading, hidden, location, redeem};
use super::realm::{CONFIG, claims, deeds, manage, pass, seconds, text, user};
use crate::fakes::{Broken, Call, Edge, Reply, World, call};

/// The realm with mail, where people take themselves in.
fn config() -> String {
    let more = r#""sign_up": { "roles": ["reporting"] }, "mail": { "webhook": { "url": "https://mail.example/send", "from": "us" } }, "#;
    CONFIG.replacen(r#""idle_seconds": 60,"#, &format!(r#"{more} "idle_seconds": 60,"#), 1)
}

/// The link of the last mail, which went to this address.
fn link(world: &World, to: &str) -> String {
    let mails = world.mails.borrow();
    let [address, _, text] = mails.last().unwrap_or_else(|| panic!("no mail"));
    assert_eq!(address, to);
    let line = text.lines().find(|line| line.starts_with("https://")).unwrap_or_else(|| panic!("{text}"));
    line.to_owned()
}

fn asked(url: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(url.split_once('?').unwrap().1.as_bytes()).into_owned().collect()
}

/// The address that a page links to, below a path.
fn onward(page: &Reply, path: &str) -> String {
    let body = &page.answer().body;
    let start = body.find(&format!("href=\"/test{path}")).unwrap_or_else(|| panic!("{path}: {body}"));
    let rest = body.get(start + 6..).unwrap();
    format!("{HOST}{}", rest.split_once('"').unwrap().0)
}

/// Sends a page of a link, as it stands, with more.
fn send(browser: &Browser<'_, '_>, page: &Reply, path: &str, more: &[(&str, &str)]) -> Reply {
    let sealed = hidden(page);
    let mut form = vec![("transaction", sealed.as_str())];
    form.extend(more);
    browser.post(path, &form)
}

/// What `does` comes to, with one question to a principal and one record read from KV at most.
fn sparing<T>(world: &World, does: impl FnOnce() -> T) -> T {
    let (asked, read) = (world.asked_principals.get(), world.read_kv.get());
    let done = does();
    let (asked, read) = (world.asked_principals.get() - asked, world.read_kv.get() - read);
    assert!(asked <= 1 && read <= 1, "{asked} questions, {read} records");
    done
}

#[test]
fn each_page_on_the_way_asks_one_principal_and_reads_one_record_at_most() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    for (path, address) in [("/register", "new@example.com"), ("/reset", "ada@example.com")] {
        let browser = Browser::new(&edge);
        let sign_in = browser.get(&asks(&shop, &[]));
        let form = sparing(&world, || browser.get(&onward(&sign_in, path)));
        let waits = sparing(&world, || send(&browser, &form, path, &[("login", address)]));
        let link = link(&world, address);
        let page = sparing(&world, || browser.get(&link));
        let (name, used) = asked(&link).into_iter().next().unwrap();
        let fields = [(name.as_str(), used.as_str()), ("password", "a long password")];
        let done = sparing(&world, || send(&browser, &page, &format!("{path}/confirm"), &fields));
        assert!(done.status() < 400, "{path}");
        sparing(&world, || browser.get(&onward(&waits, "/consent")));
    }
}

/// Asks for an account, and answers with the page that says where the mail went.
fn ask_for_account(browser: &Browser<'_, '_>, page: &Reply, address: &str) -> Reply {
    let form = browser.get(&onward(page, "/register"));
    assert_eq!(heading(&form), "Make an account");
    send(browser, &form, "/register", &[("login", address)])
}

#[test]
fn somebody_takes_themselves_in_and_goes_on_where_they_were() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, browser) = (app(&edge), Browser::new(&edge));
    let sign_in = browser.get(&asks(&shop, &[("scope", "openid email profile")]));
    let (before, stored) = (world.asked_principals.get(), world.stored().len());
    let waits = ask_for_account(&browser, &sign_in, " Grace@Example.com ");
    assert_eq!((waits.status(), heading(&waits).as_str()), (200, "Look into your mailbox"));
    assert_eq!(world.asked_principals.get(), before + 1);
    assert_eq!(world.stored().len(), stored + 1, "how much mail went there, and nothing else, is kept");
    let link = link(&world, "grace@example.com");
    assert!(link.starts_with("https://edge.example/test/register/confirm?invitation="), "{link}");
    // Scanners of mail look at links: nothing happens.
    for _ in 0..3 {
        assert_eq!(heading(&Browser::new(&edge).get(&link)), "Make your account");
    }
    let page = browser.get(&link);
    let sealed = asked(&link)["invitation"].clone();
    let fields = [("invitation", sealed.as_str()), ("password", "short")];
    let again = send(&browser, &page, "/register/confirm", &fields);
    assert_eq!(again.status(), 400, "a password of five characters");
    assert!(again.answer().body.contains("8 to 128 characters"));
    let fields = [("invitation", sealed.as_str()), ("password", "a long password"), ("name", "Grace <b>")];
    let done = send(&browser, &again, "/register/confirm", &fields);
    assert_eq!((done.status(), location(&done).as_str()), (303, "/test/account?done=registered"));
    let account = browser.get(&format!("{HOST}{}", location(&done)));
    assert!(account.answer().body.contains("which you have shown to be yours"), "{}", account.answer().body);
    // The tab that waited goes on with what the application has asked for.
    let consent = browser.get(&onward(&waits, "/consent"));
    assert!(heading(&consent).starts_with("Allow Shop"));
    let said = back(&browser.decide(&consent, "allow", &["email", "profile"]));
    let granted: Value = serde_json::from_str(&redeem(&edge, &shop, &said["code"]).answer().body).unwrap();
    let token = claims(text(&granted, "access_token"));
    assert_eq!(token["roles"], json!(["reporting"]));
    let at = format!("{HOST}/test/oauth/userinfo");
    let info = call(&edge, &Call::get(at).bearer(text(&granted, "access_token"))).0;
    let info: Value = serde_json::from_str(&info.answer().body).unwrap();
    assert_eq!((&info["email"], &info["email_verified"]), (&json!("grace@example.com"), &json!(true)));
    assert_eq!((&info["name"], &info["sub"]), (&json!("Grace <b>"), &token["sub"]));
    let told = deeds(&world, &edge);
    let grace = token["sub"].as_str().unwrap();
    assert!(told.contains(&["grace@example.com", "user.create", grace].map(str::to_owned)), "{told:?}");
    // Once.
    let other = Browser::new(&edge);
    let late = send(&other, &other.get(&link), "/register/confirm", &fields);
    assert_eq!((late.status(), heading(&late).as_str()), (409, "You have an account"));
    let page = other.get(&asks(&shop, &[]));
    assert!(heading(&other.sign_in(&page, "grace@example.com", "a long password")).starts_with("Allow"));
}

#[test]
fn attack_72_pages_and_answers_do_not_say_who_has_an_account() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, _) = (app(&edge), ada(&edge));
    let same = |text: &str, address: &str| text.replace(address, "ADDRESS");
    let strip = |reply: &Reply| {
        let body = reply.answer().body.clone();
        match body.split_once("/test/consent?transaction=") {
            Some((before, rest)) => format!("{before}{}", rest.split_once('"').unwrap().1),
            None => body,
        }
    };
    let mut pages = Vec::new();
    for address in ["ada@example.com", "nobody@example.com"] {
        let browser = Browser::new(&edge);
        let begun = world.now();
        let page = ask_for_account(&browser, &browser.get(&asks(&shop, &[])), address);
        let took = world.now().since(begun);
        let form = browser.get(&onward(&browser.get(&asks(&shop, &[])), "/reset"));
        let reset = send(&browser, &form, "/reset", &[("login", address)]);
        pages.push((page.status(), same(&strip(&page), address), took, reset.status(), strip(&reset)));
    }
    assert_eq!(pages[0], pages[1]);
    let subjects: Vec<_> = world.mails.borrow().iter().map(|[to, _, _]| to.clone()).collect();
    assert_eq!(subjects, ["ada@example.com", "ada@example.com", "nobody@example.com", "nobody@example.com"]);
    let mails = world.mails.borrow();
    assert!(mails[0][2].contains("You have one already") && !mails[0][2].contains("invitation="));
    assert!(mails[3][2].contains("there is no account") && !mails[3][2].contains("link="));
}

#[test]
fn a_forgotten_password_has_a_way_back_that_ends_everything() {
    let world = World::new(&config());
    let edge = world.edge();
    let (shop, person) = (app(&edge), ada(&edge));
    let browser = Browser::new(&edge);
    let consent = browser.sign_in(&browser.get(&asks(&shop, &[])), "ada@example.com", PASSWORD);
    let said = back(&browser.decide(&consent, "allow", &["orders:read"]));
    let granted: Value = serde_json::from_str(&redeem(&edge, &shop, &said["code"]).answer().body).unwrap();
    let token = text(&granted, "access_token");
    assert_eq!(pass(&edge, "/orders/1", token), 200);
    world.pass(seconds(31));
    let other = Browser::new(&edge);
    let reset = |other: &Browser<'_, '_>| {
        let form = other.get(&format!("{HOST}/test/reset"));
        let sent = send(other, &form, "/reset", &[("login", "ada@example.com")]);
        assert_eq!(heading(&sent), "Look into your mailbox");
        link(&world, "ada@example.com")
    };
    let (first, second) = (reset(&other), reset(&other));
    let page = other.get(&first);
    assert_eq!(heading(&page), "Choose another password");
    let used = asked(&first)["link"].clone();
    let short = send(&other, &page, "/reset/confirm", &[("link", &used), ("password", "short")]);
    assert_eq!(short.status(), 400);
    let fields = [("link", used.as_str()), ("password", "another password")];
    let done = send(&other, &short, "/reset/confirm", &fields);
    assert_eq!((done.status(), heading(&done).as_str()), (200, "Your password is changed"));
    let followed = ["ada@example.com", "user.follow_link", text(&person, "id")].map(str::to_owned);
    assert_eq!(deeds(&world, &edge)[0], followed);
    assert_eq!(pass(&edge, "/orders/1", token), 401, "every session is over");
    assert_eq!(heading(&browser.get(&asks(&shop, &[]))), "Sign in", "and every browser");
    // The link counts once, and so do those that were sent before.
    for late in [&first, &second] {
        let used = asked(late)["link"].clone();
        let fields = [("link", used.as_str()), ("password", "a third password")];
        let reply = send(&other, &other.get(late), "/reset/confirm", &fields);
        assert_eq!((reply.status(), heading(&reply).as_str()), (400, "This link does not count any more"));
    }
    let page = other.get(&asks(&shop, &[]));
    assert_eq!(other.sign_in(&page, "ada@example.com", PASSWORD).status(), 400);
    let said = back(&other.sign_in(&page, "ada@example.com", "another password"));
    assert!(said.contains_key("code"), "what was allowed still is");
}

#[test]
fn a_link_counts_for_an_hour_for_what_it_is_for_and_in_a_browser_that_saw_its_page() {
    let world = World::new(&config());
    let edge = world.edge();
    let (_, person) = (app(&edge), ada(&edge));
    let browser = Browser::new(&edge);
    let ask = || {
        let form = browser.get(&format!("{HOST}/test/reset"));
        send(&browser, &form, "/reset", &[("login", "ada@example.com")]);
        asked(&link(&world, "ada@example.com"))["link"].clone()
    };
    let confirm = |used: &str| {
        let page = browser.get(&format!("{HOST}/test/reset/confirm?link={used}"));
        send(&browser, &page, "/reset/confirm", &[("link", used), ("password", "another password")])
    };
    let used = ask();
    let page = browser.get(&format!("{HOST}/test/reset/confirm?link={used}"));
    let stranger = Browser::new(&edge);
    let forged =
        send(&stranger, &page, "/reset/confirm", &[("link", &used), ("password", "another password")]);
    assert_eq!((forged.status(), heading(&forged).as_str()), (400, "This page does not count any more"));
    let verify = browser.get(&format!("{HOST}/test/verify?link={used}"));
    assert_eq!(send(&browser, &verify, "/verify", &[("link", &used)]).status(), 400, "it is for a password");
    assert_eq!(browser.get(&format!("{HOST}/test/reset/confirm?link=tgo_x")).status(), 400);
    assert_eq!(browser.get(&format!("{HOST}/test/reset/confirm")).status(), 400);
    world.pass(seconds(3_600));
    assert_eq!(confirm(&used).status(), 400, "an hour later");
    // What has changed the person's address meanwhile.
    let used = ask();
    let at = format!("{HOST}/test/api/v1/users/{}", text(&person, "id"));
    let profile = json!({ "profile": { "email": "other@example.com" } });
    let change = Call::patch(at, profile.to_string()).bearer("operator");
    assert_eq!(manage(&edge, change).status(), 200);
    assert_eq!(confirm(&used).status(), 400, "it went to another address");
    world.broken.set(Some(Broken::Mailer));
    let form = browser.get(&format!("{HOST}/test/reset"));
    assert_eq!(send(&browser, &form, "/reset", &[("login", "ada@example.com")]).status(), 503);
}

#[test]
fn mail_to_one_place_is_bounded() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = Browser::new(&edge);
    let ask = || {
        let form = browser.get(&format!("{HOST}/test/reset"));
        send(&browser, &form, "/reset", &[("login", "nobody@example.com")])
    };
    // A day of somebody who asks whenever they may.
    let begun = world.now();
    let mut sent = Vec::new();
    for hour in 1..=24 {
        while world.now().since(begun) < seconds(hour * 3_600) {
            let reply = ask();
            let wait = reply.answer().header("retry-after").map_or(1, |wait| wait.parse().unwrap());
            assert_eq!(reply.status() == 429, reply.answer().header("retry-after").is_some());
            world.pass(seconds(wait));
        }
        sent.push(world.mails.borrow().len());
    }
    assert!((4..=7).contains(&sent[0]), "three, and four an hour: {sent:?}");
    assert!((60..=99).contains(&sent[23]), "{sent:?}");
    let limited = |path: &str| {
        let form = browser.get(&format!("{HOST}/test{path}"));
        let (sealed, cookies) = (hidden(&form), browser.cookies());
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("transaction", sealed.as_str()), ("login", "x@example.com")])
            .finish();
        let request = Call::form(format!("{HOST}/test{path}"), body).header("cookie", cookies);
        call(&edge, &request.header("cf-connecting-ip", "192.0.2.66")).0.status()
    };
    assert_eq!((limited("/reset"), limited("/register")), (429, 429));
}

#[test]
fn a_person_shows_that_an_address_is_theirs() {
    let world = World::new(&config());
    let edge = world.edge();
    let shop = app(&edge);
    let profile = json!({ "email": "bea@example.com" });
    let person = user(&edge, &json!({ "login": "bea", "password": PASSWORD, "profile": profile }));
    let browser = Browser::new(&edge);
    browser.sign_in(&browser.get(&asks(&shop, &[])), "bea", PASSWORD);
    let account = browser.get(&format!("{HOST}/test/account"));
    assert!(account.answer().body.contains("Send a link to it"));
    let proof =
        account.answer().body.split_once(r#"name="proof" value=""#).unwrap().1.split_once('"').unwrap().0;
    let sent = browser.post("/account", &[("proof", proof), ("action", "verify")]);
    assert_eq!(location(&sent), "/test/account?done=mail");
    let link = link(&world, "bea@example.com");
    let used = asked(&link)["link"].clone();
    let other = Browser::new(&edge);
    let page = other.get(&link);
    assert_eq!(heading(&page), "Is this address yours?");
    let wrong = send(&other, &page, "/reset/confirm", &[("link", &used), ("password", "another password")]);
    assert_eq!(wrong.status(), 400, "it is for the address only");
    let done = send(&other, &page, "/verify", &[("link", &used)]);
    assert_eq!((done.status(), heading(&done).as_str()), (200, "Your address is verified"));
    let at = format!("{HOST}/test/api/v1/users/{}", text(&person, "id"));
    let seen: Value =
        serde_json::from_str(&manage(&edge, Call::get(at).bearer("operator")).answer().body).unwrap();
    assert_eq!(seen["profile"], json!({ "email": "bea@example.com", "email_verified": true }));
    assert_eq!(send(&other, &page, "/verify", &[("link", &used)]).status(), 400, "once");
    assert!(!browser.get(&format!("{HOST}/test/account")).answer().body.contains("Send a link to it"));
}

#[test]
fn without_mail_there_is_nothing_of_it() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let shop = app(&edge);
    let browser = Browser::new(&edge);
    let page = browser.get(&asks(&shop, &[]));
    assert!(!page.answer().body.contains("/register") && !page.answer().body.contains("/reset"));
    for path in ["/register", "/register/confirm", "/reset", "/reset/confirm", "/verify"] {
        assert_eq!(browser.get(&format!("{HOST}/test{path}")).status(), 404, "{path}");
    }
}

#[test]
fn what_the_configuration_may_not_say() {
    let errors = |realm: &str| -> Vec<String> {
        let text = format!(
            r#"{{ "roles": {{ "owner": {{}} }}, "realms": {{ "test": {{ "issuer": "https://edge.example/test", {realm} }} }} }}"#
        );
        let errors = Config::parse(&text).err().unwrap_or_default();
        errors.iter().map(ToString::to_string).collect()
    };
    for (realm, path) in [
        (r#""mail": "log""#, "realms.test.mail"),
        (
            r#""mail": { "webhook": { "url": "http://mail.example", "from": "us" } }"#,
            "realms.test.mail.webhook.url",
        ),
        (
            r#""mail": { "webhook": { "url": "https://mail.example", "from": "" } }"#,
            "realms.test.mail.webhook.from",
        ),
        (
            r#""mail": { "webhook": { "url": "https://mail.example", "from": "a\nb" } }"#,
            "realms.test.mail.webhook.from",
        ),
        (r#""sign_up": {}"#, "realms.test.sign_up"),
        (
            r#""mail": { "webhook": { "url": "https://mail.example", "from": "us" } }, "sign_up": { "roles": ["owner", "x"] }"#,
            "realms.test.sign_up.roles[1]",
        ),
        (r#""mail": "post""#, "realms.test.mail"),
    ] {
        let errors = errors(realm);
        assert!(errors.len() == 1 && errors[0].starts_with(path), "{realm}: {errors:?}");
    }
}

/// Whoever is taken in can be managed, whatever KV does meanwhile.
#[test]
fn whoever_is_taken_in_while_kv_does_not_write_is_published_later() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = Browser::new(&edge);
    let form = browser.get(&format!("{HOST}/test/register"));
    send(&browser, &form, "/register", &[("login", "grace@example.com")]);
    let link = link(&world, "grace@example.com");
    let sealed = asked(&link)["invitation"].clone();
    let page = browser.get(&link);
    let fields = [("invitation", sealed.as_str()), ("password", "a long password")];
    world.broken.set(Some(Broken::Kv));
    assert_eq!(send(&browser, &page, "/register/confirm", &fields).status(), 303);
    world.broken.set(None);
    world.tell_all();
    let kept = |text: &String| text.starts_with("user:test:");
    assert_eq!(world.stored().iter().filter(|text| kept(text)).count(), 1);
    let late = send(&browser, &browser.get(&link), "/register/confirm", &fields);
    assert_eq!(late.status(), 409);
    assert_eq!(world.stored().iter().filter(|text| kept(text)).count(), 1, "and nothing of it is left");
}

/// Nothing that lets anybody in is stored, or in the log.
#[test]
fn links_are_stored_as_digests_only() {
    let world = World::new(&config());
    let edge: Edge<'_> = world.edge();
    let (_, browser) = (ada(&edge), Browser::new(&edge));
    let form = browser.get(&format!("{HOST}/test/reset"));
    send(&browser, &form, "/reset", &[("login", "ada@example.com")]);
    let used = asked(&link(&world, "ada@example.com"))["link"].clone();
    assert!(world.stored().iter().all(|text| !text.contains(&used)));
    assert!(world.log.borrow().iter().all(|line| !line.contains(&used) && !line.contains("ada@")));
}
