//! The console: in, out, and what keeps others from using it. Its management API is the test's own.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate::console::{Api, ApiAnswer, ApiCall};
use tollgate::error::Fault;

use super::people::{HOST, PASSWORD, ada, heading, hidden, location};
use super::realm::{self, claims, manage, seconds};
use crate::fakes::{Call, Edge, Reply, World, call_console};

/// What every deployment has, and an internal scope that Ada may have.
pub(super) fn config() -> String {
    let own = r#""scopes": {
        "credentials:manage": { "description": "Own credentials" },
        "clients:manage": { "description": "Own applications" },
        "sessions:manage": { "description": "Own sessions" },
        "users:manage": { "description": "People", "internal": true },
        "platform:admin": { "description": "All", "internal": true },"#;
    realm::CONFIG.replacen(r#""scopes": {"#, own, 1)
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
            let kinds = json!([
                { "name": "tenant", "at_most": 1, "roles": ["owner", MARKUP] },
                { "name": "product", "roles": ["reporting"] },
            ]);
            let me = json!({
                "realm": realm, "client_id": "console", "scope": scope, "reach": reach,
                "user": { "id": "u1", "login": "ada@example.com", "name": MARKUP }, "roles": ["owner"],
                "credentials": { "max_seconds": 31_536_000, "kinds": kinds },
            });
            api.tell(&format!("{realm} GET /me"), 200, &me);
        }
        api
    }

    pub(super) fn tell(&self, what: &str, status: u16, body: &Value) {
        self.tell_of(what, status, None, body);
    }

    pub(super) fn tell_of(&self, what: &str, status: u16, etag: Option<&str>, body: &Value) {
        let answer = ApiAnswer { status, etag: etag.map(str::to_owned), body: body.clone() };
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
            body: call.body.clone().unwrap_or_default(),
            if_match: call.if_match.clone(),
            key: call.idempotency_key.clone(),
        });
        let empty = ApiAnswer { status: 200, etag: None, body: json!({ "items": [] }) };
        Ok(self.answers.borrow().get(&path).cloned().unwrap_or(empty))
    }
}

/// Text that would be markup where it is not escaped.
pub(super) const MARKUP: &str = "<b onclick=x>\"'&";

/// A browser at the console.
pub(super) struct Browser<'e, 'w> {
    edge: &'e Edge<'w>,
    pub(super) api: FakeApi,
    pub(super) cookies: RefCell<BTreeMap<String, String>>,
}

impl<'e, 'w> Browser<'e, 'w> {
    pub(super) fn new(edge: &'e Edge<'w>, api: FakeApi) -> Self {
        Self { edge, api, cookies: RefCell::default() }
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
        let reply = call_console(self.edge, &request.header("cookie", cookies.join("; ")), &self.api);
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
        said["scope"], "clients:manage credentials:manage openid profile sessions:manage",
        "no internal one"
    );
    assert!(browser.api.asked.borrow().iter().all(|asked| asked.token == token));
    assert!(!page.answer().body.contains(&token), "no page shows the token");
    // Out: the session of the token has ended, and the cookie is gone.
    let reply = browser.post(&page, "/test/console/sign-out", &[]);
    assert_eq!(location(&reply), "/test/oauth/logout?client_id=console");
    assert!(!browser.cookies.borrow().contains_key("__Host-tollgate-console.test"));
    assert_eq!(heading(&browser.follow(&reply)), "Sign out?");
    let info = crate::fakes::call(&edge, &Call::get(format!("{HOST}/test/oauth/userinfo")).bearer(&token)).0;
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
    assert_eq!(scope, "clients:manage credentials:manage openid profile sessions:manage users:manage");
    let account = browser.get("/test/account");
    assert!(account.answer().body.contains("Take back from Console"));
    let proof = of_field(&account, "proof").unwrap();
    let form = [("proof", proof), ("action", "withdraw".to_owned()), ("client_id", "console".to_owned())];
    assert_eq!(browser.post_raw("/test/account", &form).status(), 303);
    let info = Call::get(format!("{HOST}/test/oauth/userinfo")).bearer(&browser.token());
    assert_eq!(crate::fakes::call(&edge, &info).0.status(), 401, "what was taken back has ended");
    browser.cookies.borrow_mut().remove("__Host-tollgate-console.test");
    world.pass(seconds(1));
    browser.follow(&browser.get("/test/console"));
    let info = Call::get(format!("{HOST}/test/oauth/userinfo")).bearer(&browser.token());
    assert_eq!(crate::fakes::call(&edge, &info).0.status(), 200, "and what came after it has not");
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
        for path in [
            "/credentials",
            "/credentials/c1/delete",
            "/keys/rotate",
            "/configuration",
            "/people/u1",
            "/sign-out",
        ] {
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
fn the_client_of_the_console_is_nobody_elses_and_goes_with_the_configuration() {
    let mut world = World::new(&config());
    let edge = world.edge();
    ada(&edge);
    let browser = Browser::signed_in(&edge, FakeApi::new("openid", "own"));
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
    let registered = |world: &World| {
        let stored = world.stored();
        stored.into_iter().find(|text| text.starts_with("client:test:console ")).unwrap()
    };
    drop(browser);
    let first = registered(&world);
    assert!(
        first.contains(r#""first_party":true"#) && !first.contains("audit:read"),
        "it is as it was: {first}"
    );
    // Another configuration: the next visit makes the client what that one wants.
    let changed =
        config().replacen(r#""scopes": {"#, r#""scopes": { "audit:read": { "description": "Done" }, "#, 1);
    world.config = tollgate::config::Config::parse(&changed).unwrap();
    let edge = world.edge();
    let browser = Browser::signed_in(&edge, FakeApi::new("openid", "own"));
    assert!(claims(&browser.token())["scope"].as_str().unwrap().contains("audit:read"));
    assert!(registered(&world).contains("audit:read"));
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
