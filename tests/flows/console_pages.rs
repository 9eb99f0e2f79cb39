//! The pages of the console: what they ask the API, what they show of its answers, and what becomes of what is typed.

use serde_json::{Value, json};

use super::console::{Browser, EVERYTHING, FakeApi, MARKUP, config, of_field};
use super::people::{ada, heading, location};
use crate::fakes::{Reply, World};

/// Every page that shows something.
pub(super) const PAGES: [&str; 24] = [
    "/credentials",
    "/credentials/new",
    "/credentials/c1",
    "/credentials/c1/secret",
    "/credentials/c1/delete",
    "/applications",
    "/applications/new",
    "/applications/c1",
    "/applications/c1/secret",
    "/applications/c1/delete",
    "/approvals",
    "/approvals/c1",
    "/people",
    "/people/new",
    "/people/u1",
    "/people/u1/sign-out",
    "/people/u1/invitation",
    "/people/u1/delete",
    "/sessions",
    "/sessions/s.1/end",
    "/audit",
    "/keys",
    "/configuration",
    "/configuration/1",
];

fn credential() -> Value {
    json!({
        "client_id": "c1", "name": MARKUP, "owner": { "id": "u1", "login": MARKUP },
        "created_at": 1_800_000_000, "expires_at": 1_810_000_000, "roles": [MARKUP], "scope": "orders:read",
        "waiting_scope": "orders:admin", "secrets": [{ "created_at": 1_800_000_000 }], "live_sessions": 3,
        "usage": [{ "route": MARKUP, "count": 7, "first_at": 1_800_000_000, "last_at": 1_800_000_001 }],
    })
}

fn application() -> Value {
    json!({
        "client_id": "c1", "client_name": MARKUP, "owner": { "id": "u1", "login": MARKUP }, "created_at": 1_800_000_000,
        "redirect_uris": ["https://app.example/cb?a=<b onclick=x>"], "scope": "openid orders:read", "waiting_scope": "users:manage",
        "grant_types": ["authorization_code"], "token_endpoint_auth_method": "client_secret_basic", "software_id": "soft-1",
        "jwks": { "keys": [] }, "roles": ["owner"], "secrets": [], "live_sessions": 1, "usage": [],
    })
}

/// An API at which everything has a name that would be markup.
fn full() -> FakeApi {
    let api = FakeApi::new(EVERYTHING, "all");
    let many = |one: &Value| json!({ "items": [one], "next": MARKUP });
    let person = json!({ "id": "u1", "login": MARKUP, "name": MARKUP, "email": MARKUP, "roles": [MARKUP],
        "internal_scopes": "users:manage", "disabled": false, "created_at": 1_800_000_000 });
    let session = json!({ "id": "s.1", "client_id": "c1", "client_name": MARKUP, "user": MARKUP, "scope": MARKUP, "opened_at": 1_800_000_000 });
    let audit = json!({ "id": "a1", "at": 1_800_000_000, "actor": { "kind": "user", "login": MARKUP, "source": MARKUP }, "action": MARKUP,
        "target": { "kind": "client", "id": "c1", "name": MARKUP }, "changes": [MARKUP] });
    let version = json!({ "version": 1, "at": 1_800_000_000, "by": { "kind": "user", "login": MARKUP }, "current": true });
    for (what, body) in [
        ("GET /credentials", many(&credential())),
        ("GET /credentials/c1", credential()),
        ("GET /clients", many(&application())),
        ("GET /clients/c1", application()),
        ("GET /users", many(&person)),
        ("GET /users/u1", person),
        ("GET /sessions", many(&session)),
        ("GET /audit", many(&audit)),
        (
            "GET /keys",
            json!({ "keys": [{ "kid": MARKUP, "alg": "ES256", "state": MARKUP, "since": 1_800_000_000 }] }),
        ),
        ("GET /config", json!({ "realms": { MARKUP: "</textarea><script>" } })),
        ("GET /config/versions", many(&version)),
        ("GET /config/versions/1", json!({ "realms": { MARKUP: "</textarea><script>" } })),
    ] {
        api.tell_of(&format!("test {what}"), 200, Some("\"<e1>\""), &body);
        api.tell_of(&format!("cut {what}"), 200, None, &body);
    }
    api
}

fn signed_in<'e, 'w>(world: &'w World, edge: &'e crate::fakes::Edge<'w>, api: FakeApi) -> Browser<'e, 'w> {
    let _ = world;
    ada(edge);
    Browser::signed_in(edge, api)
}

fn shows(page: &Reply, text: &str) {
    assert!(page.answer().body.contains(text), "{text} in {}", page.answer().body);
}

#[test]
fn a_name_that_would_be_markup_is_text_on_every_page() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    for path in PAGES {
        let page = browser.get(&format!("/test/console{path}"));
        let body = &page.answer().body;
        assert_eq!(page.status(), 200, "{path}: {body}");
        assert!(body.contains("&#60;b onclick=x&#62;&#34;&#39;&#38;"), "{path} shows no name: {body}");
        for bad in ["<b ", "<b>", "</textarea><script", "x>\"'&"] {
            assert!(!body.contains(bad), "{path}: {bad} in {body}");
        }
    }
}

#[test]
fn an_api_without_anything_says_what_to_do() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, FakeApi::new(EVERYTHING, "own"));
    for (path, words) in [
        ("/credentials", "Make one: with its id and secret"),
        ("/applications", "Register one"),
        ("/approvals", "Nothing waits"),
        ("/people", "There is nobody yet"),
        ("/sessions", "No session is open"),
        ("/audit", "Nothing was done yet"),
        ("/keys", "There is no key yet"),
        ("/configuration", "There is no version yet"),
    ] {
        shows(&browser.get(&format!("/test/console{path}")), words);
    }
    shows(&browser.get("/test/console/credentials?search=x"), "Nothing here is like that");
}

#[test]
fn everybody_sees_the_ways_that_they_may_go() {
    let all = ["credentials", "applications", "approvals", "people", "sessions", "audit", "keys"];
    for (scope, ways) in [
        ("openid platform:admin", &all[..]),
        ("openid credentials:manage sessions:manage", &["credentials", "sessions"]),
        ("users:manage", &["people"]),
        ("openid", &[]),
    ] {
        let world = World::new(&config());
        let edge = world.edge();
        let browser = signed_in(&world, &edge, FakeApi::new(scope, "own"));
        let page = browser.get("/test/console/sessions");
        for way in all {
            let is_there = page.answer().body.contains(&format!(r#"<li><a href="/test/console/{way}""#));
            assert_eq!(is_there, ways.contains(&way), "{way} for {scope}");
        }
        let home = browser.get("/test/console");
        match ways.first() {
            Some(way) => assert_eq!(location(&home), format!("/test/console/{way}")),
            None => assert_eq!(home.status(), 403),
        }
    }
}

#[test]
fn a_credential_is_made_once_and_its_secret_is_shown_once() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    let page = browser.get("/test/console/credentials/new");
    shows(&page, r#"<select id="f-kind:tenant" name="kind:tenant">"#);
    shows(&page, r#"name="role:reporting""#);
    // Days of which the realm takes none are not offered: world and credential end on whole days.
    shows(&page, r#"<input type="date" min="2027-01-15" max=""#);
    shows(&page, "Role: tenant");
    let made = json!({ "client_id": "new1", "name": "Billing", "client_secret": "tgs_SECRET" });
    browser.api.tell("test POST /credentials", 201, &made);
    let form = [
        ("name", "Billing"),
        ("expires", "2027-02-01"),
        ("kind:tenant", "owner"),
        ("role:reporting", "yes"),
        ("scope:orders:read", "yes"),
        ("idle", "5"),
    ];
    let shown = browser.post(&page, "/test/console/credentials", &form);
    assert_eq!((shown.status(), heading(&shown).as_str()), (200, "Billing is made"));
    for words in [
        "only time",
        "new1",
        "tgs_SECRET",
        "TOLLGATE_CLIENT_SECRET=tgs_SECRET",
        "https://edge.example/test/OAuth/Token",
        "-d grant_type=client_credentials",
        "https://edge.example/orders/{id}",
        "readonly",
        r#"data-name="tollgate.env""#,
    ] {
        shows(&shown, words);
    }
    let asked = browser.api.last("POST");
    let want = json!({ "name": "Billing", "expires_at": 1_801_526_399_u64, "roles": ["reporting", "owner"], "scope": "orders:read", "idle_seconds": 300 });
    assert_eq!(asked.body, want);
    assert!(asked.key.as_ref().unwrap().starts_with(&of_field(&page, "once").unwrap()));
    browser.post(&page, "/test/console/credentials", &form);
    assert_eq!(browser.api.last("POST").key, asked.key, "the same form sent twice has one name");
    let other = [("name", "Other"), ("expires", "2027-02-01")];
    browser.post(&page, "/test/console/credentials", &other);
    assert_ne!(browser.api.last("POST").key, asked.key, "and something else another");
    assert_ne!(of_field(&browser.get("/test/console/credentials/new"), "once"), of_field(&page, "once"));
    // What is refused stays typed.
    let problem = json!({ "title": "Bad Request", "status": 400, "detail": "It expires too late." });
    browser.api.tell("test POST /credentials", 400, &problem);
    for (day, status, words) in
        [("2027-02-01", 400, "It expires too late."), ("soon", 400, "Say when it expires")]
    {
        let again = browser.post(
            &page,
            "/test/console/credentials",
            &[("name", "Bil<ling"), ("expires", day), ("role:reporting", "yes"), ("kind:tenant", "owner")],
        );
        assert_eq!(again.status(), status);
        for words in [
            words,
            r#"role="alert""#,
            r#"value="Bil&#60;ling""#,
            &format!(r#"value="{day}""#),
            r#"name="role:reporting" value="yes" checked"#,
            r#"<option value="owner" selected>"#,
        ] {
            shows(&again, words);
        }
    }
}

#[test]
fn what_somebody_else_has_changed_meanwhile_is_shown_and_nothing_is_lost() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    let problem = json!({ "title": "Precondition Failed", "status": 412, "detail": "It has changed." });
    for (path, method, form) in [
        ("/credentials/c1", "PATCH", &[("name", "Mine"), ("expires", "2027-02-01")][..]),
        ("/applications/c1", "PUT", &[("name", "Mine")]),
        ("/people/u1", "PATCH", &[("disabled", "yes")]),
        ("/credentials/c1/delete", "DELETE", &[]),
    ] {
        let api = path.replace("/applications", "/clients").replace("/people", "/users");
        let api = format!("test {method} {}", api.trim_end_matches("/delete"));
        let page = browser.get(&format!("/test/console{path}"));
        browser.api.tell(&api, 412, &problem);
        let again = browser.post(&page, &format!("/test/console{path}"), form);
        assert_eq!(again.status(), 412, "{path}");
        shows(&again, "Somebody else has changed this meanwhile");
        assert_eq!(browser.api.last(method).if_match.as_deref(), Some("\"<e1>\""), "as the page has it");
        for (name, value) in form.iter().filter(|(name, _)| ["name", "document"].contains(name)) {
            let typed = value.replace('"', "&#34;");
            assert!(again.answer().body.contains(&typed), "{path}: {name} is still typed");
        }
        shows(&again, "&#60;b onclick=x&#62;");
        browser.api.tell(&api, 200, &json!({}));
        assert_eq!(
            browser.post(&again, &format!("/test/console{path}"), form).status(),
            303,
            "{path}: and then it is done"
        );
    }
}

#[test]
fn what_ends_something_is_asked_first_and_says_what() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    for (path, api, words, next) in [
        (
            "/credentials/c1/delete",
            "DELETE /credentials/c1",
            "3 live sessions end.",
            "/credentials?done=gone",
        ),
        ("/applications/c1/delete", "DELETE /clients/c1", "1 live session ends.", "/applications?done=gone"),
        (
            "/people/u1/delete",
            "DELETE /users/u1",
            "their credentials and applications go with them",
            "/people?done=gone",
        ),
        (
            "/people/u1/sign-out",
            "POST /users/u1/sign-out",
            "Every session of theirs ends",
            "/people/u1?done=ended",
        ),
        (
            "/people/u1/invitation",
            "POST /users/u1/invitation",
            "link to choose a password",
            "/people/u1?done=sent",
        ),
        ("/sessions/s.1/end", "DELETE /sessions/s.1", "Its tokens stop counting", "/sessions?done=ended"),
        ("/keys/rotate", "POST /keys/rotate", "Nobody is signed out", "/keys?done=rotated"),
        ("/keys/promote", "POST /keys/promote", "signs nothing more", "/keys?done=promoted"),
    ] {
        browser.api.asked.borrow_mut().clear();
        let page = browser.get(&format!("/test/console{path}"));
        shows(&page, words);
        assert!(
            browser.api.asked.borrow().iter().all(|asked| asked.what.contains(" GET ")),
            "{path}: only looking"
        );
        browser.api.tell(&format!("test {api}"), 409, &json!({ "detail": "Not now <b>." }));
        let refused = browser.post(&page, &format!("/test/console{path}"), &[]);
        assert_eq!(refused.status(), 409, "{path}");
        shows(&refused, "Not now &#60;b&#62;.");
        browser.api.tell(&format!("test {api}"), 204, &Value::Null);
        let done = browser.post(&page, &format!("/test/console{path}"), &[]);
        assert_eq!(location(&done), format!("/test/console{next}"), "{path}");
        shows(&browser.get(&format!("/test/console{next}")), r#"role="status""#);
    }
    shows(&browser.get("/test/console/credentials/c1/delete"), "stop.");
}

#[test]
fn a_new_secret_counts_beside_the_old_one_for_as_long_as_is_said() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    for (path, api) in [("/credentials/c1", "/credentials/c1"), ("/applications/c1", "/clients/c1")] {
        let page = browser.get(&format!("/test/console{path}/secret"));
        shows(&page, "With “Ends at once”, this ends as well:");
        let secrets = json!([{ "created_at": 1_800_000_000, "expires_at": 1_800_086_400 }, { "created_at": 1_800_000_000 }]);
        let made =
            json!({ "client_id": "c1", "name": "Sync", "client_secret": "tgs_NEXT", "secrets": secrets });
        browser.api.tell(&format!("test POST {api}/secret"), 200, &made);
        let shown = browser.post(&page, &format!("/test/console{path}/secret"), &[("overlap", "86400")]);
        for words in
            ["tgs_NEXT", "The new secret of Sync", "The one before it counts until 16 Jan 2027, 08:00 UTC."]
        {
            shows(&shown, words);
        }
        assert_eq!(browser.api.last("POST").body, json!({ "overlap_seconds": 86_400 }));
    }
}

#[test]
fn an_application_stands_beside_itself_in_other_realms() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    let page = browser.get("/test/console/applications/c1");
    shows(&page, r#"<a href="/cut/console/applications" rel="noreferrer">Sign in to cut</a>"#);
    // Signed in there: the other realm's API is asked with that realm's token.
    let other = "__Host-tollgate-console.cut".to_owned();
    browser.cookies.borrow_mut().insert(other, "token-of-cut".to_owned());
    shows(&browser.get("/test/console/applications/c1"), r#"<a href="/cut/console/applications/c1""#);
    let asked =
        browser.api.asked.borrow().iter().rfind(|asked| asked.what.starts_with("cut ")).unwrap().clone();
    assert_eq!(
        (asked.what.as_str(), asked.token.as_str()),
        ("cut GET /clients?software_id=soft-1", "token-of-cut")
    );
    browser.api.tell("cut GET /clients", 200, &json!({ "items": [] }));
    shows(
        &browser.get("/test/console/applications/c1"),
        "/cut/console/applications/new?from=test&#38;client=c1",
    );
    browser.api.tell("cut GET /clients", 401, &json!({}));
    shows(&browser.get("/test/console/applications/c1"), "Sign in to cut");
    // What is copied fills in a form, in which there is no secret.
    let page = browser.get("/test/console/applications/new?from=cut&client=c1");
    for words in [
        "https://app.example/cb?a=&#60;b",
        r#"name="software_id" value="soft-1""#,
        r#"name="scope:users:manage" value="yes" checked"#,
        r#"<option value="server" selected>"#,
    ] {
        shows(&page, words);
    }
    browser.api.tell(
        "test POST /clients",
        201,
        &json!({ "client_id": "c2", "client_name": "Shop", "client_secret": "tgs_1" }),
    );
    let uris = "https://a.example/cb\r\nhttps://b.example/cb\r\n";
    browser.post(
        &page,
        "/test/console/applications",
        &[("name", "Shop"), ("kind", "service"), ("redirect_uris", uris), ("scope:orders:read", "yes")],
    );
    let want = json!({ "client_name": "Shop", "grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_basic",
        "redirect_uris": ["https://a.example/cb", "https://b.example/cb"], "post_logout_redirect_uris": [], "scope": "orders:read", "software_id": "soft-1" });
    assert_eq!(browser.api.last("POST").body, want);
}

#[test]
fn a_change_of_an_application_keeps_what_the_form_does_not_have() {
    let world = World::new(&config());
    let edge = world.edge();
    for (reach, roles) in [("all", json!(["owner"])), ("own", Value::Null)] {
        let api = full();
        let mut me = api.answers.borrow()["test GET /me"].body.clone();
        me["reach"] = json!(reach);
        api.tell("test GET /me", 200, &me);
        let browser =
            if reach == "all" { signed_in(&world, &edge, api) } else { Browser::signed_in(&edge, api) };
        let page = browser.get("/test/console/applications/c1");
        let is_ticked = page.answer().body.contains(r#"name="scope:users:manage" value="yes" checked"#);
        assert_eq!(is_ticked, reach == "own", "nobody approves by saving something else");
        browser.post(
            &page,
            "/test/console/applications/c1",
            &[("name", "Shop"), ("scope:openid", "yes"), ("scope:users:manage", "yes")],
        );
        let body = browser.api.last("PUT").body;
        assert_eq!(
            (&body["client_name"], &body["jwks"], &body["client_id"]),
            (&json!("Shop"), &json!({ "keys": [] }), &json!("c1"))
        );
        assert_eq!(
            (&body["scope"], &body["roles"]),
            (&json!("openid users:manage"), &roles),
            "what waits is asked for still"
        );
        assert!(
            body.get("secrets").is_none()
                && body.get("usage").is_none()
                && body.get("waiting_scope").is_none()
        );
    }
}

#[test]
fn what_waits_is_approved_by_ticking() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    let page = browser.get("/test/console/approvals/c1");
    shows(&page, r#"name="scope:users:manage" value="yes">"#);
    let to = "/test/console/approvals/c1";
    assert_eq!(
        location(&browser.post(&page, to, &[("scope:users:manage", "yes")])),
        "/test/console/approvals?done=decided"
    );
    assert_eq!(browser.api.last("POST").body, json!({ "scope": "users:manage" }));
    browser.post(&page, to, &[]);
    assert_eq!(browser.api.last("POST").body, json!({ "scope": "" }), "nothing ticked refuses all");
}

#[test]
fn lists_go_on_by_cursor_and_keep_what_is_looked_for() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    let page = browser.get("/test/console/credentials?search=a%26b&owner=me");
    assert_eq!(browser.api.last("GET").what, "test GET /credentials?search=a%26b&owner=me&usage=true");
    let next = "/test/console/credentials?search=a%26b&#38;owner=me&#38;cursor=%3Cb+onclick%3Dx%3E%22%27%26";
    shows(&page, next);
    assert!(!page.answer().body.contains(">First<"));
    let page = browser.get(&next.replace("&#38;", "&"));
    shows(&page, r#"href="/test/console/credentials?search=a%26b&#38;owner=me">First<"#);
    browser.get("/test/console/audit?since=2027-01-15&until=2027-01-15&action=credential.create");
    let want = "test GET /audit?action=credential.create&since=1799971200&until=1800057599";
    assert_eq!(browser.api.last("GET").what, want);
}

#[test]
fn audit_is_handed_out_as_lines() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    browser.api.tell("test GET /audit", 200, &json!({ "items": [{ "id": "1" }, { "id": "2" }] }));
    let file = browser.get("/test/console/audit/export?action=x");
    assert_eq!(file.answer().body, "{\"id\":\"1\"}\n{\"id\":\"2\"}\n");
    assert_eq!(browser.api.last("GET").what, "test GET /audit?action=x&limit=200");
    assert_eq!(file.answer().header("content-disposition"), Some("attachment; filename=\"audit.jsonl\""));
    browser.api.tell("test GET /audit", 200, &json!({ "items": [{ "id": "1" }], "next": "more" }));
    assert_eq!(browser.get("/test/console/audit/export").answer().body.lines().count(), 10, "it ends");
}

#[test]
fn each_keyring_has_its_keys_and_the_step_that_comes_next() {
    let both = config().replacen(r#""grant_type_code"]"#, r#""grant_type_code", "rs256_id_tokens"]"#, 1);
    let world = World::new(&both);
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    let key = |state: &str| json!({ "keys": [{ "kid": "k1", "alg": "ES256", "state": state, "since": 1_800_000_000 }] });
    for (state, next, other) in [("active", "rotate", "promote"), ("published", "promote", "rotate")] {
        browser.api.tell("test GET /keys", 200, &key(state));
        let page = browser.get("/test/console/keys");
        shows(&page, "Keys of ID tokens");
        for way in [format!("/console/keys/{next}\""), format!("/console/keys/{next}?for=id_tokens\"")] {
            shows(&page, &way);
        }
        assert!(!page.answer().body.contains(&format!("/keys/{other}")), "{state}");
    }
    browser.api.tell("test POST /keys/promote", 200, &key("active"));
    let at = "/test/console/keys/promote?for=id_tokens";
    let page = browser.get(at);
    shows(&page, "the keys of ID tokens");
    shows(&page, &format!(r#"action="{at}""#));
    assert_eq!(location(&browser.post(&page, at, &[])), "/test/console/keys?done=promoted");
    assert_eq!(browser.api.last("POST").what, "test POST /keys/promote?for=id_tokens");
}

#[test]
fn people_are_taken_in_and_changed() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    browser.api.tell("test POST /users", 201, &json!({ "id": "u2" }));
    let page = browser.get("/test/console/people/new");
    let form = [
        ("login", "bob"),
        ("name", "Bob"),
        ("invite", "yes"),
        ("role:owner", "yes"),
        ("internal:users:manage", "yes"),
    ];
    assert_eq!(
        location(&browser.post(&page, "/test/console/people", &form)),
        "/test/console/people/u2?done=saved"
    );
    let want = json!({ "login": "bob", "profile": { "name": "Bob" }, "invite": true, "roles": ["owner"], "internal_scopes": "users:manage" });
    assert_eq!(browser.api.last("POST").body, want);
    browser.api.tell("test POST /users", 409, &json!({ "detail": "There is somebody already." }));
    let again =
        browser.post(&page, "/test/console/people", &[("login", "bob"), ("password", "correct horse")]);
    shows(&again, "There is somebody already.");
    assert!(!again.answer().body.contains("correct horse"), "a password is typed again");
    let page = browser.get("/test/console/people/u1");
    browser.post(&page, "/test/console/people/u1", &[("role:owner", "yes"), ("disabled", "yes")]);
    let want = json!({ "roles": ["owner"], "internal_scopes": "", "disabled": true });
    assert_eq!(browser.api.last("PATCH").body, want);
}

#[test]
fn what_is_not_there_or_not_theirs_is_a_page() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, FakeApi::new("openid", "own"));
    browser.api.tell(
        "test GET /credentials/x",
        404,
        &json!({ "title": "Not Found", "detail": "No credential has this id." }),
    );
    let page = browser.get("/test/console/credentials/x");
    assert_eq!((page.status(), heading(&page).as_str()), (404, "There is no such thing"));
    shows(&page, "No credential has this id.");
    browser.api.tell("test GET /keys", 403, &json!({ "detail": "It needs keys:manage." }));
    let page = browser.get("/test/console/keys");
    assert_eq!(page.status(), 403);
    shows(&page, "It needs keys:manage.");
}

#[test]
fn only_where_it_is_managed_the_way_leads_to_the_configuration() {
    let way = r#"<li><a href="/test/console/configuration""#;
    let managed = config().replacen('{', r#"{ "managed_from": "test","#, 1);
    let elsewhere = config().replacen('{', r#"{ "managed_from": "cut","#, 1);
    for (config, scope, is_there) in [
        (managed.clone(), EVERYTHING, true),
        (managed.clone(), "config:manage", true),
        (managed, "users:manage", false),
        (elsewhere, EVERYTHING, false),
        (config(), EVERYTHING, false),
    ] {
        let world = World::new(&config);
        let edge = world.edge();
        let browser = signed_in(&world, &edge, FakeApi::new(scope, "all"));
        let page = browser.get("/test/console/sessions");
        assert_eq!(page.answer().body.contains(way), is_there, "{scope}");
    }
}

#[test]
fn a_document_is_looked_at_saved_and_rolled_back_as_it_was_seen() {
    let world = World::new(&config());
    let edge = world.edge();
    let browser = signed_in(&world, &edge, full());
    let (at, typed) = ("/test/console/configuration", "{\r\n  \"realms\": {}\r\n}");
    let page = browser.get(at);
    let looked = browser.post(&page, at, &[("document", typed), ("action", "validate")]);
    shows(&looked, "This document is good. Nothing was saved.");
    assert_eq!(
        (browser.api.last("POST").what, browser.api.last("POST").if_match),
        ("test POST /config/validate".to_owned(), None)
    );
    let saved = browser.post(&page, at, &[("document", typed), ("action", "save")]);
    assert_eq!((saved.status(), location(&saved).as_str()), (303, "/test/console/configuration?done=saved"));
    let asked = browser.api.last("PUT");
    assert_eq!((asked.what.as_str(), asked.if_match.as_deref()), ("test PUT /config", Some("\"<e1>\"")));
    // What is wrong is said with its place, and what was typed stays.
    let wrong = json!({ "detail": "The document is not good.", "errors": [{ "path": "realms.x", "problem": "is <odd>" }] });
    browser.api.tell("test PUT /config", 422, &wrong);
    let refused = browser.post(&page, at, &[("document", typed), ("action", "save")]);
    assert_eq!(refused.status(), 422);
    shows(&refused, "realms.x: is &#60;odd&#62;");
    shows(&refused, "&#34;realms&#34;: {}");
    browser.api.tell("test PUT /config", 412, &json!({}));
    let changed = browser.post(&page, at, &[("document", typed), ("action", "save")]);
    assert_eq!(changed.status(), 412);
    shows(&changed, "Somebody else has changed this meanwhile");
    let version = browser.get("/test/console/configuration/1");
    let back = browser.post(&version, "/test/console/configuration/1", &[]);
    assert_eq!((back.status(), location(&back).as_str()), (303, "/test/console/configuration?done=saved"));
    let asked = browser.api.last("POST");
    let want = ("test POST /config/versions/1/restore", Some("\"<e1>\""));
    assert_eq!((asked.what.as_str(), asked.if_match.as_deref()), want);
}
