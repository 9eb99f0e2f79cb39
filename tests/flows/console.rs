//! The console: in, out, and what keeps others from using it. Its management API is the test's own.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate::console::{Api, ApiAnswer, ApiCall};
use tollgate::error::Fault;

use super::people::{HOST, PASSWORD, ada, heading, hidden, location};
use super::realm::{self, claims, manage, seconds};
use crate::fakes::{Call, Edge, Reply, World, call, call_console};

/// A configuration with a kind of role of which a credential has one at most.
pub(super) fn config() -> String {
    let roles = r#""role_kinds": { "tenant": { "at_most": 1 } }, "roles": { "owner": { "kind": "tenant" }, "reporting": {} }"#;
    realm::CONFIG.replacen(r#""roles": { "owner": {}, "reporting": {} }"#, roles, 1)
}

/// What the console asked of the API.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// `test GET /clients?search=x`.
    pub(super) what: String,
    pub(super) token: String,
    pub(super) body: Value,
    pub(super) if_match: Option<String>,
    pub(super) key: Option<String>,
}

/// A management API that answers what it is told to. What nobody has told it is there and empty.
pub(super) struct FakeApi {
    pub(super) answers: RefCell<BTreeMap<String, ApiAnswer>>,
    pub(super) asked: RefCell<Vec<Asked>>,
}

impl FakeApi {
    /// One at which whoever asks has these scopes, and sees their own or all.
    pub(super) fn new(scope: &str, reach: &str) -> Self {
        let api = Self { answers: RefCell::default(), asked: RefCell::default() };
        for realm in ["test", "cut"] {
            let me = json!({
                "realm": realm, "client_id": "console", "scope": scope, "reach": reach,
                "user": { "id": "u1", "login": "ada@example.com", "profile": { "name": MARKUP } },
                "roles": ["owner", "reporting", MARKUP],
                "credentials": { "max_seconds": 31_536_000, "idle_seconds": 60, "kinds": [{ "name": "tenant", "at_most": 1 }] },
            });
            let roles = json!({ "items": [
                { "name": "owner", "kind": "tenant" }, { "name": MARKUP, "kind": "tenant" },
                { "name": "reporting" }, { "name": "theirs" },
            ] });
            api.tell(&format!("{realm} GET /roles"), 200, &roles);
            api.tell(&format!("{realm} GET /me"), 200, &me);
        }
        api
    }

    pub(super) fn tell(&self, what: &str, status: u16, body: &Value) {
        self.tell_of(what, status, None, body);
    }

    pub(super) fn tell_of(&self, what: &str, status: u16, etag: Option<&str>, body: &Value) {
        let answer =
            ApiAnswer { status, etag: etag.map(str::to_owned), body: body.clone(), text: body.to_string() };
        self.answers.borrow_mut().insert(what.to_owned(), answer);
    }

    /// The last thing that it was asked, but for who asks.
    pub(super) fn last(&self, method: &str) -> Asked {
        let asked = self.asked.borrow();
        asked.iter().rfind(|asked| asked.what.contains(&format!(" {method} "))).unwrap().clone()
    }
}

impl Api for FakeApi {
    async fn ask(&self, call: &ApiCall<'_>) -> Result<ApiAnswer, Fault> {
        let path = format!("{} {} {}", call.realm.name, call.method, call.path);
        let query = if call.query.is_empty() { String::new() } else { format!("?{}", call.query) };
        self.asked.borrow_mut().push(Asked {
            what: format!("{path}{query}"),
            token: call.token.to_owned(),
            body: call.body.as_ref().map(|body| serde_json::from_str(body).unwrap()).unwrap_or_default(),
            if_match: call.if_match.clone(),
            key: call.idempotency_key.clone(),
        });
        let empty = ApiAnswer { status: 200, body: json!({ "items": [] }), ..ApiAnswer::default() };
        Ok(self.answers.borrow().get(&path).cloned().unwrap_or(empty))
    }
}

/// Text that would be markup where it is not escaped.
pub(super) const MARKUP: &str = "<b onclick=x>\"'&";

/// A browser at the console.
pub(super) struct Browser<'e, 'w> {
    edge: &'e Edge<'w>,
    pub(super) api: FakeApi,
    /// Whether the worker's own API is asked, and not that one.
    pub(super) is_real: bool,
    pub(super) cookies: RefCell<BTreeMap<String, String>>,
}

impl<'e, 'w> Browser<'e, 'w> {
    pub(super) fn new(edge: &'e Edge<'w>, api: FakeApi) -> Self {
        Self { edge, api, is_real: false, cookies: RefCell::default() }
    }

    /// One that Ada has signed in with, who is there already.
    pub(super) fn signed_in(edge: &'e Edge<'w>, api: FakeApi) -> Self {
        let browser = Self::new(edge, api);
        let page = browser.follow(&browser.get("/test/console"));
        browser.sign_in(&page);
        browser
    }

    pub(super) fn send(&self, request: Call) -> Reply {
        let cookies =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let request = request.header("cookie", cookies.join("; "));
        let reply = if self.is_real {
            call(self.edge, &request).0
        } else {
            call_console(self.edge, &request, &self.api)
        };
        for (name, value) in &reply.answer().headers {
            if *name == "Set-Cookie" {
                assert!(
                    value.starts_with("__Host-tollgate")
                        && value.ends_with("; Secure; HttpOnly; SameSite=Lax"),
                    "{value}"
                );
                assert!(value.contains("; Path=/") && !value.contains("Domain"), "{value}");
                let (name, rest) = value.split_once('=').unwrap();
                let kept = rest.split(';').next().unwrap().to_owned();
                self.cookies.borrow_mut().remove(name);
                if !kept.is_empty() {
                    self.cookies.borrow_mut().insert(name.to_owned(), kept);
                }
            }
        }
        reply
    }

    pub(super) fn get(&self, path: &str) -> Reply {
        self.send(Call::get(format!("{HOST}{path}")))
    }

    /// Goes where an answer leads, for as long as it leads on.
    pub(super) fn follow(&self, reply: &Reply) -> Reply {
        let mut next = location(reply);
        for _ in 0..6 {
            let path = next.strip_prefix(HOST).unwrap_or(&next).to_owned();
            assert!(path.starts_with("/test/") || path.starts_with("/cut/"), "{path}");
            let reply = self.get(&path);
            if reply.status() != 303 {
                return reply;
            }
            next = location(&reply);
        }
        panic!("it leads on and on: {next}");
    }

    /// Ada signs in on a page, and goes where that leads.
    pub(super) fn sign_in(&self, page: &Reply) -> Reply {
        let form = [
            ("transaction", hidden(page)),
            ("login", "ada@example.com".to_owned()),
            ("password", PASSWORD.to_owned()),
        ];
        self.follow(&self.post_raw("/test/login", &form))
    }

    fn post_raw(&self, path: &str, form: &[(&str, String)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(Call::form(format!("{HOST}{path}"), body))
    }

    /// Sends a form with what the page hides in it.
    pub(super) fn post(&self, page: &Reply, path: &str, form: &[(&str, &str)]) -> Reply {
        let mut all: Vec<_> = form.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        for name in ["proof", "once", "etag", "software_id"] {
            all.extend(of_field(page, name).map(|value| (name, value)));
        }
        self.post_raw(path, &all)
    }

    pub(super) fn token(&self) -> String {
        self.cookies.borrow()["__Host-tollgate-console.test"].clone()
    }
}

/// What a hidden field of a page holds, the last of its name.
pub(super) fn of_field(page: &Reply, name: &str) -> Option<String> {
    let (_, rest) = page.answer().body.rsplit_once(&format!(r#"name="{name}" value=""#))?;
    let escaped = rest.split_once('"').unwrap().0;
    let pairs = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    Some(pairs.iter().fold(escaped.to_owned(), |text, (from, to)| text.replace(from, to)))
}

pub(super) const EVERYTHING: &str = "openid platform:admin";

#[test]
fn somebody_signs_in_comes_back_to_the_page_and_signs_out() {
    let world = World::new(&config());
    let edge = world.edge();
    ada(&edge);
    let browser = Browser::new(&edge, FakeApi::new("openid credentials:manage clients:manage", "own"));
    let reply = browser.get("/test/console/credentials?search=a%20b");
    let to = location(&reply);
    assert!(to.starts_with("/test/oauth/authorize?response_type=code&client_id=console&"), "{to}");
    for part in [
        "state=",
        "nonce=",
        "code_challenge=",
        "code_challenge_method=S256",
        "edge.example%2Ftest%2Fconsole%2Fcallback",
    ] {
        assert!(to.contains(part), "{part} in {to}");
    }
    assert!(browser.api.asked.borrow().is_empty());
    let page = browser.follow(&reply);
    assert_eq!(heading(&page), "Sign in");
    let page = browser.sign_in(&page);
    assert_eq!(
        (page.status(), heading(&page).as_str()),
        (200, "Credentials"),
        "and nobody was asked for consent"
    );
    assert!(page.answer().body.contains(r#"value="a b""#), "the page that was asked for");
    let token = browser.token();
    let said = claims(&token);
    assert_eq!((&said["client_id"], &said["iss"]), (&json!("console"), &json!("https://edge.example/test")));
    assert_eq!(
        said["scope"], "audit:read clients:manage credentials:manage openid profile sessions:manage",
        "no internal one"
    );
    assert!(browser.api.asked.borrow().iter().all(|asked| asked.token == token));
    assert!(!page.answer().body.contains(&token), "no page shows the token");
    // Out: the session of the token has ended, and the cookie is gone.
    let reply = browser.post(&page, "/test/console/sign-out", &[]);
    assert_eq!(location(&reply), "/test/oauth/logout?client_id=console");
    assert!(!browser.cookies.borrow().contains_key("__Host-tollgate-console.test"));
    assert_eq!(heading(&browser.follow(&reply)), "Sign out?");
    let info = call(&edge, &Call::get(format!("{HOST}/test/oauth/userinfo")).bearer(&token)).0;
    assert_eq!(info.status(), 401);
    // In again without a word, because the browser is still known.
    assert_eq!(heading(&browser.follow(&browser.get("/test/console"))), "Credentials");
    assert_ne!(browser.token(), token);
}

#[test]
fn an_internal_scope_is_for_whoever_is_on_the_list_and_a_person_takes_the_console_back() {
    let world = World::new(&config());
    let edge = world.edge();
    let id = ada(&edge)["id"].clone();
    let at = format!("{HOST}/test/api/v1/users/{}", id.as_str().unwrap());
    let body = json!({ "internal_scopes": "users:manage" }).to_string();
    assert_eq!(manage(&edge, Call::patch(at, body)).status(), 200);
    let browser = Browser::signed_in(&edge, FakeApi::new("openid", "own"));
    let scope = claims(&browser.token())["scope"].clone();
    assert_eq!(
        scope,
        "audit:read clients:manage credentials:manage openid profile sessions:manage users:manage"
    );
    let account = browser.get("/test/account");
    assert!(account.answer().body.contains("Take back from Console"));
    let proof = of_field(&account, "proof").unwrap();
    let form = [("proof", proof), ("action", "withdraw".to_owned()), ("client_id", "console".to_owned())];
    assert_eq!(browser.post_raw("/test/account", &form).status(), 303);
    let info = Call::get(format!("{HOST}/test/oauth/userinfo")).bearer(&browser.token());
    assert_eq!(call(&edge, &info).0.status(), 401, "what was taken back has ended");
    browser.cookies.borrow_mut().remove("__Host-tollgate-console.test");
    world.pass(seconds(1));
    browser.follow(&browser.get("/test/console"));
    let info = Call::get(format!("{HOST}/test/oauth/userinfo")).bearer(&browser.token());
    assert_eq!(call(&edge, &info).0.status(), 200, "and what came after it has not");
}

#[test]
fn attack_67_an_answer_counts_in_the_browser_that_left_and_leads_only_to_the_console() {
    let world = World::new(&config());
    let edge = world.edge();
    ada(&edge);
    let browser = Browser::new(&edge, FakeApi::new("openid", "own"));
    let page = browser.follow(&browser.get("/test/console"));
    let form = [
        ("transaction", hidden(&page)),
        ("login", "ada@example.com".to_owned()),
        ("password", PASSWORD.to_owned()),
    ];
    let consent = location(&browser.post_raw("/test/login", &form));
    let back = location(&browser.get(&consent));
    let back = back.strip_prefix(HOST).unwrap();
    assert!(back.starts_with("/test/console/callback?code="), "{back}");
    let other = Browser::new(&edge, FakeApi::new("openid", "own"));
    other.get("/test/console");
    let state = back.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let parts: Vec<_> = state.split('.').collect();
    let forged = format!("{}.{}.{}", parts[0], tollgate::encoding::base64url(b"//evil.example"), parts[2]);
    for (what, browser, path) in [
        ("another browser", &other, back.to_owned()),
        ("another page", &browser, back.replace(state, &forged)),
        ("no state", &browser, back.replace("state=", "other=")),
        ("another issuer", &browser, back.replace("edge.example%2Ftest", "edge.example%2Fcut")),
        ("no issuer", &browser, back.replace("iss=", "other=")),
        ("a parameter twice", &browser, format!("{back}&code=x")),
        ("another code", &browser, back.replace("code=", "code=x")),
    ] {
        let reply = browser.get(&path);
        assert_eq!((reply.status(), reply.answer().header("location")), (400, None), "{what}");
        assert!(!browser.cookies.borrow().contains_key("__Host-tollgate-console.test"), "{what}");
        assert!(!reply.answer().body.contains("evil"), "{what}");
    }
    assert_eq!(location(&browser.get(back)), "/test/console");
    assert_eq!(browser.get(back).status(), 400, "a code is redeemed once");
    // What stands in an address leads nowhere.
    for path in ["/test/console?next=https://evil.example/", "/test/console/credentials?done=//evil.example"]
    {
        let reply = browser.get(path);
        assert!(!reply.answer().header("location").unwrap_or_default().contains("evil"), "{path}");
    }
    // Too late.
    let late = Browser::new(&edge, FakeApi::new("openid", "own"));
    let page = late.follow(&late.get("/test/console"));
    let form = [
        ("transaction", hidden(&page)),
        ("login", "ada@example.com".to_owned()),
        ("password", PASSWORD.to_owned()),
    ];
    world.pass(seconds(590));
    let back = location(&late.get(&location(&late.post_raw("/test/login", &form))));
    world.pass(seconds(11));
    assert_eq!(late.get(back.strip_prefix(HOST).unwrap()).status(), 400);
}

#[test]
fn a_form_of_no_page_of_this_browser_changes_nothing() {
    let world = World::new(&config());
    let edge = world.edge();
    ada(&edge);
    let browser = Browser::signed_in(&edge, FakeApi::new(EVERYTHING, "all"));
    let other = Browser::signed_in(&edge, FakeApi::new(EVERYTHING, "all"));
    let page = browser.get("/test/console/credentials/new");
    let theirs = of_field(&other.get("/test/console/credentials/new"), "proof").unwrap();
    let before = browser.api.asked.borrow().len();
    for proof in ["", "x", &theirs] {
        for path in ["/credentials", "/credentials/c1/delete", "/keys/rotate", "/people/u1", "/sign-out"] {
            let reply = browser.post_raw(&format!("/test/console{path}"), &[("proof", proof.to_owned())]);
            assert_eq!((reply.status(), heading(&reply).as_str()), (403, "Nothing was changed"), "{path}");
        }
    }
    assert_eq!(browser.api.asked.borrow().len(), before, "the API was not even asked");
    assert_eq!(
        browser.post(&page, "/test/console/keys/rotate", &[]).status(),
        303,
        "and with the proof it is done"
    );
    // Without a token there is nothing to prove.
    browser.cookies.borrow_mut().remove("__Host-tollgate-console.test");
    let reply = browser.post(&page, "/test/console/keys/rotate", &[]);
    assert_eq!((reply.status(), heading(&reply).as_str()), (403, "You are not signed in any more"));
}

#[test]
fn a_token_that_does_not_count_leads_to_another_one_and_in_no_circle() {
    let world = World::new(&config());
    let edge = world.edge();
    ada(&edge);
    let browser = Browser::signed_in(&edge, FakeApi::new(EVERYTHING, "all"));
    let (old, problem) = (browser.token(), json!({ "title": "Unauthorized", "status": 401 }));
    let me = browser.api.answers.borrow()["test GET /me"].clone();
    world.pass(seconds(30));
    browser.api.tell("test GET /me", 401, &problem);
    let reply = browser.get("/test/console/keys?x=1");
    assert!(location(&reply).starts_with("/test/oauth/authorize?"), "{}", location(&reply));
    // Another token does not count either: after a moment nobody goes round again.
    let reply = browser.follow(&reply);
    assert_eq!((reply.status(), heading(&reply).as_str()), (403, "You are not signed in any more"));
    assert!(!browser.cookies.borrow().contains_key("__Host-tollgate-console.test"));
    browser.api.answers.borrow_mut().insert("test GET /me".to_owned(), me);
    assert_eq!(heading(&browser.follow(&browser.get("/test/console/keys?x=1"))), "Keys");
    assert_ne!(browser.token(), old);
    // A form is not sent again by itself.
    world.pass(seconds(30));
    browser.api.tell("test POST /keys/rotate", 401, &problem);
    let page = browser.get("/test/console/keys/rotate");
    let reply = browser.post(&page, "/test/console/keys/rotate", &[]);
    assert_eq!((reply.status(), heading(&reply).as_str()), (403, "You are not signed in any more"));
}

#[test]
fn the_client_of_the_console_is_nobody_elses() {
    let world = World::new(&config());
    let edge = world.edge();
    ada(&edge);
    Browser::signed_in(&edge, FakeApi::new("openid", "own"));
    let at = format!("{HOST}/test/api/v1/clients/console");
    let told: Value = serde_json::from_str(&manage(&edge, Call::get(&at)).answer().body).unwrap();
    assert_eq!(told["redirect_uris"], json!(["https://edge.example/test/console/callback"]));
    assert_eq!(told["token_endpoint_auth_method"], "none");
    assert!(told.get("first_party").is_none());
    let body = json!({ "client_name": "Evil", "grant_types": ["authorization_code"], "token_endpoint_auth_method": "none",
        "redirect_uris": ["https://evil.example/cb"], "scope": "openid", "client_id": "console" });
    assert!(manage(&edge, Call::put(&at, body.to_string())).status() >= 400);
    assert!(manage(&edge, Call::delete(&at)).status() >= 400);
    let create = Call::json(format!("{HOST}/test/api/v1/clients"), body.to_string());
    assert!(manage(&edge, create).status() >= 400, "nobody chooses the name");
    let mut named = body;
    named.as_object_mut().unwrap().remove("client_id");
    named["first_party"] = json!(true);
    let create = Call::json(format!("{HOST}/test/api/v1/clients"), named.to_string());
    assert!(manage(&edge, create).status() >= 400, "nor to be asked for nothing");
    let stored = world.stored();
    let kept = stored.iter().find(|text| text.starts_with("client:test:console ")).unwrap();
    assert!(kept.contains(r#""first_party":true"#) && !kept.contains("evil"), "it is as it was: {kept}");
}

#[test]
fn the_client_of_the_console_goes_with_the_configuration() {
    let (before, after) = (r#""https://edge.example/test", "idle"#, r#""https://old.example/test", "idle"#);
    let mut world = World::new(&config().replacen(before, after, 1));
    let registered = |world: &World| {
        let stored = world.stored();
        let kept = stored.iter().find(|text| text.starts_with("client:test:console ")).unwrap();
        kept.contains(r#"["https://edge.example/test/console/callback"]"#)
    };
    Browser::new(&world.edge(), FakeApi::new("openid", "own")).get("/test/console");
    assert!(!registered(&world));
    // The next visit makes the client what the configuration wants by then.
    world.config = tollgate::config::Config::parse(&config()).unwrap();
    let edge = world.edge();
    ada(&edge);
    let browser = Browser::signed_in(&edge, FakeApi::new("openid", "own"));
    assert!(registered(&world) && !browser.token().is_empty());
}

#[test]
fn pages_are_kept_out_of_frames_caches_and_referrers_and_run_nothing_but_their_script() {
    let world = World::new(&config());
    let edge = world.edge();
    ada(&edge);
    let browser = Browser::signed_in(&edge, FakeApi::new(EVERYTHING, "all"));
    for path in super::console_pages::PAGES {
        let page = browser.get(&format!("/test/console{path}"));
        let header = |name: &str| page.answer().header(name).unwrap_or_default().to_owned();
        let policy = header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        let body = &page.answer().body;
        assert!(!policy.contains("unsafe") && !body.contains("<style") && !body.contains("style="), "{path}");
        assert_eq!(body.matches("<script").count(), 1, "{path}");
        assert!(body.contains(r#"<script src="/test/assets/console.js" defer></script>"#), "{path}");
        assert_eq!(
            (header("cache-control").as_str(), header("referrer-policy").as_str()),
            ("no-store", "no-referrer")
        );
        assert_eq!(
            (header("x-frame-options").as_str(), header("x-content-type-options").as_str()),
            ("DENY", "nosniff")
        );
    }
}

#[test]
fn somebody_who_manages_everything_does_so_through_the_api_of_the_worker() {
    let world = World::new(&config());
    let edge = world.edge();
    let id = ada(&edge)["id"].as_str().unwrap().to_owned();
    let body = json!({ "internal_scopes": "platform:admin" }).to_string();
    assert_eq!(manage(&edge, Call::patch(format!("{HOST}/test/api/v1/users/{id}"), body)).status(), 200);
    let browser = Browser { is_real: true, ..Browser::new(&edge, FakeApi::new("", "")) };
    let page = browser.sign_in(&browser.follow(&browser.get("/test/console")));
    assert_eq!(heading(&page), "Credentials");
    // A credential, and a token with its secret.
    let page = browser.get("/test/console/credentials/new");
    let form = [
        ("name", "Billing"),
        ("expires", "2027-03-01"),
        ("kind:tenant", "owner"),
        ("scope:orders:read", "yes"),
    ];
    let made = browser.post(&page, "/test/console/credentials", &form);
    assert_eq!((made.status(), heading(&made).as_str()), (200, "Billing is made"), "{}", made.answer().body);
    let value = |name: &str| {
        let (_, rest) = made.answer().body.split_once(&format!("{name}=")).unwrap();
        rest.lines().next().unwrap().to_owned()
    };
    let (client, secret) = (value("TOLLGATE_CLIENT_ID"), value("TOLLGATE_CLIENT_SECRET"));
    let again = browser.post(&page, "/test/console/credentials", &form);
    assert!(again.answer().body.contains(&secret), "sent twice, it is the same one");
    let grant = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
    let granted = call(&edge, &Call::form(format!("{HOST}/test/OAuth/Token"), grant)).0;
    assert_eq!(granted.status(), 200, "{}", granted.answer().body);
    // What is changed by two at once is changed by the first.
    let at = format!("/test/console/credentials/{client}");
    let page = browser.get(&at);
    assert_eq!(browser.post(&page, &at, &[("name", "Billing 2"), ("expires", "2027-03-02")]).status(), 303);
    let late = browser.post(&page, &at, &[("name", "Billing 3"), ("expires", "2027-03-02")]);
    assert_eq!((late.status(), heading(&late).as_str()), (412, "Billing 2"));
    let (shop, bob) = (an_application(&browser), somebody_new(&browser));
    world.tell_all();
    for (path, words) in [
        ("/credentials", "Billing 2"),
        ("/credentials?owner=me", "Billing 2"),
        ("/credentials?search=bill", "Billing 2"),
        ("/applications", "Shop 2"),
        ("/approvals", "Nothing waits"),
        ("/people", "Disabled"),
        ("/people?search=bob", "Bob"),
        ("/sessions", "Console"),
        ("/audit", "credential.create"),
        ("/audit?action=credential.create&since=2027-01-01", "Billing"),
        ("/audit/export", "credential.create"),
        ("/keys", "active"),
        ("/keys/rotate", "Make the next key?"),
    ] {
        let page = browser.get(&format!("/test/console{path}"));
        assert_eq!(page.status(), 200, "{path}: {}", page.answer().body);
        assert!(page.answer().body.contains(words), "{path}: {words} in {}", page.answer().body);
    }
    for path in [at.clone(), format!("/test/console/applications/{shop}"), bob] {
        let to = format!("{path}/delete");
        let page = browser.get(&to);
        assert_eq!(browser.post(&page, &to, &[]).status(), 303, "{path}");
        assert_eq!(browser.get(&path).status(), 404, "{path}");
    }
    let page = browser.get("/test/console/keys/rotate");
    assert_eq!(
        location(&browser.post(&page, "/test/console/keys/rotate", &[])),
        "/test/console/keys?done=rotated"
    );
    // The session of this very console: what is ended leads to another sign-in.
    world.pass(seconds(30));
    let sid = claims(&browser.token())["sid"].as_str().unwrap().to_owned();
    let to = format!("/test/console/sessions/{sid}/end");
    let page = browser.get(&to);
    let ended = browser.post(&page, &to, &[]);
    assert_eq!(location(&ended), "/test/console/sessions?done=ended");
    assert!(location(&browser.get("/test/console/sessions")).starts_with("/test/oauth/authorize?"));
}

/// Registers an application and changes it. Its id.
fn an_application(browser: &Browser<'_, '_>) -> String {
    let page = browser.get("/test/console/applications/new");
    let form = [
        ("name", "Shop"),
        ("kind", "public"),
        ("redirect_uris", "https://app.example/cb"),
        ("scope:openid", "yes"),
    ];
    let made = browser.post(&page, "/test/console/applications", &form);
    assert_eq!(heading(&made), "Shop is registered", "{}", made.answer().body);
    let shop = made.answer().body.split_once("/console/applications/").unwrap().1;
    let shop = shop.split_once("\">I have it").unwrap().0;
    let shop = shop.rsplit('/').next().unwrap().to_owned();
    let page = browser.get(&format!("/test/console/applications/{shop}"));
    let form = [
        ("name", "Shop 2"),
        ("redirect_uris", "https://app.example/cb"),
        ("scope:openid", "yes"),
        ("scope:orders:read", "yes"),
    ];
    let saved = browser.post(&page, &format!("/test/console/applications/{shop}"), &form);
    assert_eq!(saved.status(), 303, "{}", saved.answer().body);
    shop
}

/// Takes somebody in and changes them. Where their page is.
fn somebody_new(browser: &Browser<'_, '_>) -> String {
    let page = browser.get("/test/console/people/new");
    let form = [
        ("login", "bob@example.com"),
        ("name", "Bob"),
        ("password", "battery staple"),
        ("role:owner", "yes"),
    ];
    let bob = location(&browser.post(&page, "/test/console/people", &form));
    let page = browser.get(&bob);
    assert_eq!(heading(&page), "Bob");
    let bob = bob.strip_suffix("?done=saved").unwrap();
    let saved = browser.post(&page, bob, &[("role:reporting", "yes"), ("disabled", "yes")]);
    assert_eq!(location(&saved), format!("{bob}?done=saved"), "{}", saved.answer().body);
    bob.to_owned()
}
