//! Refresh tokens, revocation, introspection, passwords, and what ends sessions: through the endpoints.

use serde_json::{Value, json};
use tollgate::encoding::{Digest, from_base64url};
use tollgate::grant::Code;
use tollgate::port::Principals as _;
use tollgate::principal::{Answer, Question};
use tollgate::secret::Credential;
use tollgate::time::Lifetime;

use super::gate;
use crate::fakes::{Broken, Call, Edge, Reply, World, call, finish, run, wait_for};

const CONFIG: &str = r#"{
    "realms": {
        "test": { "issuer": "https://edge.example/test", "idle_seconds": 60, "grain_seconds": 15, "features": ["password_grant", "grant_type_code"] },
        "cut": { "issuer": "https://edge.example/cut", "revocation": "cutoff", "access_token_seconds": 600 }
    },
    "roles": { "owner": {}, "reporting": {} },
    "scopes": { "orders:read": { "description": "Read" }, "orders:admin": { "description": "All", "implies": ["orders:read"] } },
    "resources": [ { "resource": "https://edge.example/orders" }, { "resource": "https://edge.example/other" } ],
    "routes": [
        { "id": "orders", "methods": ["GET"], "path": "/orders/{id}", "host": "edge.example", "require": { "scopes": ["orders:read"], "issuers": ["test", "cut"] }, "to": { "service": "ORIGIN" } },
        { "id": "other", "methods": ["GET"], "path": "/other/{id}", "host": "edge.example", "require": { "scopes": ["orders:read"], "issuers": ["test", "cut"] }, "to": { "service": "ORIGIN" } },
        { "id": "any", "methods": ["GET"], "path": "/any", "require": { "scopes": ["orders:read"], "issuers": ["test", "cut"] }, "to": { "service": "ORIGIN" } }
    ]
}"#;

fn seconds(n: u64) -> Lifetime {
    Lifetime::from_seconds(n)
}

/// A client, as it is told of itself.
fn client(edge: &Edge<'_>, realm: &str, more: &Value) -> Value {
    let mut body = json!({
        "client_name": "Test",
        "scope": "orders:admin openid",
        "grant_types": ["client_credentials", "refresh_token"],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let at = format!("https://edge.example/{realm}/api/v1/clients");
    let (reply, _) = call(edge, &Call::json(at, body.to_string()).bearer("tgb_test"));
    assert_eq!(reply.status(), 201, "{}", reply.answer().body);
    serde_json::from_str(&reply.answer().body).unwrap()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// A request of a client to an endpoint of a realm.
fn post(edge: &Edge<'_>, realm: &str, endpoint: &str, client: &Value, form: &str) -> Reply {
    let id = text(client, "client_id");
    let proof =
        client["client_secret"].as_str().map(|secret| format!("&client_secret={secret}")).unwrap_or_default();
    let at = format!("https://edge.example/{realm}/oauth/{endpoint}");
    call(edge, &Call::form(at, format!("client_id={id}{proof}&{form}"))).0
}

fn tokens(edge: &Edge<'_>, realm: &str, client: &Value, form: &str) -> Value {
    let reply = post(edge, realm, "token", client, form);
    assert_eq!(reply.status(), 200, "{}", reply.answer().body);
    serde_json::from_str(&reply.answer().body).unwrap()
}

fn error(reply: &Reply) -> (u16, String) {
    (reply.status(), reply.member("error"))
}

fn refresh(edge: &Edge<'_>, client: &Value, token: &str) -> Reply {
    post(edge, "test", "token", client, &format!("grant_type=refresh_token&refresh_token={token}"))
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&from_base64url(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn pass(edge: &Edge<'_>, path: &str, token: &str) -> u16 {
    gate(edge, &Call::get(format!("https://edge.example{path}")).bearer(token))
}

fn manage(edge: &Edge<'_>, request: Call) -> Reply {
    call(edge, &request.bearer("tgb_test")).0
}

fn user(edge: &Edge<'_>, body: &Value) -> Value {
    let reply = manage(edge, Call::json("https://edge.example/test/api/v1/users", body.to_string()));
    assert_eq!(reply.status(), 201, "{}", reply.answer().body);
    serde_json::from_str(&reply.answer().body).unwrap()
}

#[test]
fn attack_62_a_refresh_token_has_one_successor_and_reuse_ends_the_family() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let client = client(&edge, "test", &json!({}));
    let first = tokens(&edge, "test", &client, "grant_type=client_credentials");
    let old = text(&first, "refresh_token");
    let second = refresh(&edge, &client, old).member("refresh_token");
    assert_ne!(second, old);
    world.pass(seconds(9));
    assert_eq!(refresh(&edge, &client, old).member("refresh_token"), second, "within the grace: the same");
    world.pass(seconds(2));
    let live = refresh(&edge, &client, &second).member("refresh_token");
    assert_eq!(error(&refresh(&edge, &client, old)), (400, "invalid_grant".to_owned()), "reuse");
    assert_eq!(
        error(&refresh(&edge, &client, &live)),
        (400, "invalid_grant".to_owned()),
        "the family is over"
    );
    assert_eq!(pass(&world.edge(), "/orders/1", text(&first, "access_token")), 401);
}

#[test]
fn attack_62_a_spent_token_whose_successor_was_used_is_late_and_ends_nothing() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let client = client(&edge, "test", &json!({}));
    let first = tokens(&edge, "test", &client, "grant_type=client_credentials");
    let old = text(&first, "refresh_token");
    let second = refresh(&edge, &client, old).member("refresh_token");
    let third = refresh(&edge, &client, &second).member("refresh_token");
    assert_eq!(error(&refresh(&edge, &client, old)), (400, "invalid_grant".to_owned()));
    assert_eq!(refresh(&edge, &client, &third).status(), 200, "requests that race end nothing");
}

#[test]
fn attack_62_a_refresh_token_is_its_clients_and_only_narrows() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let other = client(&edge, "test", &json!({}));
    let asked = tokens(&edge, "test", &mine, "grant_type=client_credentials&scope=orders:read");
    let token = text(&asked, "refresh_token");
    let with = |client: &Value, more: &str| {
        post(&edge, "test", "token", client, &format!("grant_type=refresh_token&refresh_token={token}{more}"))
    };
    assert_eq!(error(&with(&other, "")), (400, "invalid_grant".to_owned()));
    assert_eq!(error(&with(&mine, "&scope=orders:admin")), (400, "invalid_scope".to_owned()));
    assert_eq!(error(&with(&mine, "&resource=https://evil.example")), (400, "invalid_target".to_owned()));
    let reply = with(&mine, "");
    assert_eq!(reply.status(), 200, "none of these has spent it: {}", reply.answer().body);
    assert_eq!(reply.member("scope"), "orders:read");
    for junk in ["", "tgr_junk", &token[..token.len() - 1], &token.replace("tgr_", "tgs_")] {
        let reply =
            post(&edge, "test", "token", &mine, &format!("grant_type=refresh_token&refresh_token={junk}"));
        assert_eq!(reply.status(), 400, "{junk}");
    }
}

#[test]
fn attack_62_and_69_a_token_that_names_a_place_of_nobody() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let client = client(&edge, "test", &json!({}));
    let made_up = Credential::refresh_token([7; 32].into(), &[7; 32]);
    assert_eq!(error(&refresh(&edge, &client, made_up.reveal())), (400, "invalid_grant".to_owned()));
    let form = format!("token={}", made_up.reveal());
    assert_eq!(post(&edge, "test", "revoke", &client, &form).status(), 200);
    assert_eq!(post(&edge, "test", "introspect", &client, &form).answer().body, r#"{"active":false}"#);
}

#[test]
fn limits_slide_and_have_an_end() {
    let config = CONFIG.replace(
        r#""idle_seconds": 60, "grain_seconds": 15,"#,
        r#""access_token_seconds": 100, "refresh_token_seconds": 1000, "session_seconds": 2500,"#,
    );
    let world = World::new(&config);
    let edge = world.edge();
    let client = client(&edge, "test", &json!({}));
    let mut token =
        text(&tokens(&edge, "test", &client, "grant_type=client_credentials"), "refresh_token").to_owned();
    for at in [900, 1800] {
        world.pass(seconds(900));
        token = refresh(&edge, &client, &token).member("refresh_token");
        assert!(at < 2500);
    }
    world.pass(seconds(650));
    let last = refresh(&edge, &client, &token);
    let body: Value = serde_json::from_str(&last.answer().body).unwrap();
    assert_eq!(body["expires_in"], 50, "no longer than its session");
    world.pass(seconds(51));
    assert_eq!(
        error(&refresh(&edge, &client, text(&body, "refresh_token"))),
        (400, "invalid_grant".to_owned())
    );
    world.clear();
    assert_eq!(error(&refresh(&edge, &client, &token)), (400, "invalid_grant".to_owned()), "and so it stays");
}

#[test]
fn a_session_is_kept_as_long_as_any_of_its_tokens() {
    let world = World::new(&CONFIG.replace(r#""idle_seconds": 60, "grain_seconds": 15,"#, ""));
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({ "access_token_seconds": 3000, "refresh_token_seconds": 600 }));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    world.pass(seconds(590));
    let next = refresh(&edge, &mine, text(&granted, "refresh_token"));
    world.pass(seconds(2_995));
    world.clear();
    assert_eq!(
        pass(&world.edge(), "/orders/1", &next.member("access_token")),
        200,
        "a token that lives longer"
    );
    assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), 401);
    world.pass(seconds(70));
    world.clear();
    let kept = world.stored().iter().filter(|row| row.contains(r#""needed_until""#)).count();
    assert_eq!(kept, 0, "and no longer");
}

#[test]
fn rfc7009_revocation_ends_the_session_of_either_token() {
    for hint in ["access_token", "refresh_token"] {
        let world = World::new(CONFIG);
        let edge = world.edge();
        let client = client(&edge, "test", &json!({}));
        let granted = tokens(&edge, "test", &client, "grant_type=client_credentials");
        let (access, token) = (text(&granted, "access_token"), text(&granted, "refresh_token"));
        let revoke = format!("token={}&token_type_hint=nonsense", text(&granted, hint));
        for _ in 0..2 {
            let reply = post(&edge, "test", "revoke", &client, &revoke);
            assert_eq!((reply.status(), reply.answer().body.as_str()), (200, ""), "{hint}");
        }
        assert_eq!(pass(&world.edge(), "/orders/1", access), 401, "{hint}");
        assert_eq!(error(&refresh(&edge, &client, token)), (400, "invalid_grant".to_owned()), "{hint}");
        for unknown in ["token=junk", "token=a.b.c", "token=tgr_junk"] {
            assert_eq!(post(&edge, "test", "revoke", &client, unknown).status(), 200, "{unknown}");
        }
        assert_eq!(
            error(&post(&edge, "test", "revoke", &client, "x=y")),
            (400, "invalid_request".to_owned())
        );
    }
}

#[test]
fn attack_69_another_clients_token_is_neither_revoked_nor_described() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (owner, stranger) = (client(&edge, "test", &json!({})), client(&edge, "test", &json!({})));
    let server = client(&edge, "test", &json!({ "introspect": true }));
    let granted = tokens(&edge, "test", &owner, "grant_type=client_credentials&scope=orders:read");
    let inactive = r#"{"active":false}"#;
    for name in ["access_token", "refresh_token"] {
        let form = format!("token={}", text(&granted, name));
        let reply = post(&edge, "test", "revoke", &stranger, &form);
        assert_eq!(error(&reply), (400, "unauthorized_client".to_owned()), "{name}");
        assert_eq!(post(&edge, "test", "introspect", &stranger, &form).answer().body, inactive, "{name}");
        let told: Value =
            serde_json::from_str(&post(&edge, "test", "introspect", &owner, &form).answer().body).unwrap();
        assert_eq!((&told["active"], &told["scope"]), (&json!(true), &json!("orders:read")), "{name}");
        assert_eq!(told["client_id"], owner["client_id"]);
    }
    let of = |name: &str| format!("token={}", text(&granted, name));
    let told: Value =
        serde_json::from_str(&post(&edge, "test", "introspect", &server, &of("access_token")).answer().body)
            .unwrap();
    assert_eq!(told["active"], true, "a resource server may ask");
    assert_eq!(post(&edge, "test", "introspect", &server, &of("refresh_token")).answer().body, inactive);
    let body = format!("token={}&client_id={}", text(&granted, "access_token"), text(&owner, "client_id"));
    let (reply, _) = call(&edge, &Call::form("https://edge.example/test/oauth/introspect", body));
    assert_eq!(error(&reply), (401, "invalid_client".to_owned()), "without authentication");
    world.broken.set(Some(Broken::PrincipalsBefore));
    assert_eq!(
        post(&edge, "test", "revoke", &owner, &of("access_token")).status(),
        503,
        "never a false success"
    );
}

#[test]
fn rfc7662_section_2_2_what_does_not_count_is_inactive_and_looking_is_no_use() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let client = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &client, "grant_type=client_credentials");
    let form = format!("token={}", text(&granted, "access_token"));
    for _ in 0..4 {
        world.pass(seconds(20));
        let reply = post(&edge, "test", "introspect", &client, &form);
        assert!(reply.answer().body.contains(r#""active":true"#), "{}", reply.answer().body);
        assert_eq!(reply.answer().header("cache-control"), Some("no-store"));
    }
    world.pass(seconds(20));
    for token in
        [text(&granted, "access_token"), text(&granted, "refresh_token"), "junk", "a.b.c", "e30.e30.e30"]
    {
        let reply = post(&edge, "test", "introspect", &client, &format!("token={token}"));
        assert_eq!((reply.status(), reply.answer().body.as_str()), (200, r#"{"active":false}"#), "{token}");
    }
}

#[test]
fn roles_and_what_takes_them_away() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let app = client(
        &edge,
        "test",
        &json!({ "grant_types": ["password", "refresh_token"], "token_endpoint_auth_method": "none" }),
    );
    let ada = user(
        &edge,
        &json!({ "login": "Ada@Example.com", "password": "correct horse", "roles": ["owner", "reporting"] }),
    );
    let sign_in = "grant_type=password&username=ada@example.com&password=correct+horse";
    let at = format!("https://edge.example/test/api/v1/users/{}", text(&ada, "id"));
    for (change, is_over, roles) in [
        (json!({ "roles": ["reporting", "owner"] }), false, json!(["owner", "reporting"])),
        (json!({ "roles": ["reporting"] }), true, json!(["reporting"])),
        (json!({ "disabled": false }), false, json!(["reporting"])),
        (json!({ "password": "correct horse" }), true, json!(["reporting"])),
    ] {
        let granted = tokens(&edge, "test", &app, sign_in);
        assert_eq!(pass(&edge, "/orders/1", text(&granted, "access_token")), 200);
        assert_eq!(claims(text(&granted, "access_token"))["sub"], ada["id"]);
        let reply = manage(&edge, Call::patch(at.clone(), change.to_string()));
        assert_eq!(
            (reply.status(), serde_json::from_str::<Value>(&reply.answer().body).unwrap()["roles"].clone()),
            (200, roles.clone())
        );
        let want = if is_over { (401, 400) } else { (200, 200) };
        assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), want.0, "{change}");
        assert_eq!(refresh(&edge, &app, text(&granted, "refresh_token")).status(), want.1, "{change}");
        let next = tokens(&edge, "test", &app, sign_in);
        assert_eq!(
            claims(text(&next, "access_token"))["roles"],
            roles,
            "what was taken away is not in the next token"
        );
    }
    let granted = tokens(&edge, "test", &app, sign_in);
    let sign_out = manage(&edge, Call::json(format!("{at}/sign-out"), ""));
    assert_eq!(sign_out.status(), 204);
    assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), 401);
    let granted = tokens(&edge, "test", &app, sign_in);
    assert_eq!(manage(&edge, Call::patch(at.clone(), json!({ "disabled": true }).to_string())).status(), 200);
    assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), 401);
    assert_eq!(error(&post(&edge, "test", "token", &app, sign_in)), (400, "invalid_grant".to_owned()));
    assert_eq!(manage(&edge, Call::delete(at.clone())).status(), 204);
    assert_eq!(manage(&edge, Call::get(at)).status(), 404);
}

#[test]
fn attack_72_wrong_passwords_wait_and_an_unknown_login_is_answered_alike() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let app =
        client(&edge, "test", &json!({ "grant_types": ["password"], "token_endpoint_auth_method": "none" }));
    user(&edge, &json!({ "login": "ada", "password": "correct horse" }));
    let try_in = |login: &str, password: &str| {
        post(
            &edge,
            "test",
            "token",
            &app,
            &format!("grant_type=password&username={login}&password={password}"),
        )
    };
    for n in 0..7 {
        let (known, unknown) = (try_in("ada", "wrong-password"), try_in("nobody", "wrong-password"));
        assert_eq!(error(&known), (400, "invalid_grant".to_owned()), "{n}");
        assert_eq!(known.answer().body, unknown.answer().body, "{n}");
    }
    for login in ["ada", "nobody"] {
        let reply = try_in(login, "correct+horse");
        assert_eq!(reply.status(), 429, "{login}");
        assert!(matches!(reply.answer().header("retry-after"), Some("1" | "2")), "{login}");
    }
    world.pass(seconds(2));
    assert_eq!(try_in("ada", "correct+horse").status(), 200, "nobody is locked out");
    assert_eq!(error(&try_in("ada", "wrong-password")), (400, "invalid_grant".to_owned()), "all is forgiven");
}

#[test]
fn attack_72_a_stranger_cannot_lock_a_client_out() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (mine, other) = (client(&edge, "test", &json!({})), client(&edge, "test", &json!({})));
    let wrong = json!({ "client_id": mine["client_id"], "client_secret": other["client_secret"] });
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(post(&edge, "test", "token", &wrong, "grant_type=client_credentials").status());
        assert_eq!(post(&edge, "test", "token", &mine, "grant_type=client_credentials").status(), 200);
    }
    assert_eq!(statuses[..6], [401; 6]);
    assert_eq!(statuses[6..], [429; 14]);
    let limited =
        Call::form("https://edge.example/test/oauth/token", "").header("cf-connecting-ip", "192.0.2.66");
    assert_eq!(error(&call(&edge, &limited).0), (429, "temporarily_unavailable".to_owned()));
}

#[test]
fn two_secrets_overlap_as_long_as_was_chosen() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let first = client(&edge, "test", &json!({}));
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&first, "client_id"));
    let another = |overlap: u64| -> Value {
        let body = json!({ "overlap_seconds": overlap }).to_string();
        let reply = manage(&edge, Call::json(format!("{at}/secret"), body));
        assert_eq!(reply.status(), 200, "{}", reply.answer().body);
        serde_json::from_str(&reply.answer().body).unwrap()
    };
    let works =
        |client: &Value| post(&edge, "test", "token", client, "grant_type=client_credentials").status();
    let granted = tokens(&edge, "test", &first, "grant_type=client_credentials");
    let second = another(3600);
    assert_eq!((works(&first), works(&second)), (200, 200), "both");
    assert_eq!(pass(&edge, "/orders/1", text(&granted, "access_token")), 200, "nothing ends");
    let third = another(3600);
    assert_eq!((works(&first), works(&second), works(&third)), (401, 200, 200), "two at most");
    let seen: Value = serde_json::from_str(&manage(&edge, Call::get(at.clone())).answer().body).unwrap();
    assert_eq!(seen["secrets"].as_array().unwrap().len(), 2, "{seen}");
    assert!(
        seen["secrets"][0]["last_used_at"].is_u64() && seen["secrets"][1]["expires_at"].is_u64(),
        "{seen}"
    );
    world.pass(seconds(3600));
    assert_eq!((works(&second), works(&third)), (401, 200), "the overlap is over");
    let granted = tokens(&edge, "test", &third, "grant_type=client_credentials");
    let fourth = another(0);
    assert_eq!((works(&third), works(&fourth)), (401, 200));
    assert_eq!(
        pass(&world.edge(), "/orders/1", text(&granted, "access_token")),
        401,
        "what it opened is over"
    );
}

#[test]
fn a_client_has_limits_and_an_end() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let now = world.now().as_seconds();
    let more = json!({ "expires_at": now + 100, "access_token_seconds": 30, "grant_types": ["client_credentials"], "roles": ["owner"] });
    let mine = client(&edge, "test", &more);
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    assert_eq!(granted["expires_in"], 30);
    assert_eq!(claims(text(&granted, "access_token"))["roles"], json!(["owner"]));
    world.pass(seconds(100));
    let reply = post(&edge, "test", "token", &mine, "grant_type=client_credentials");
    assert_eq!(error(&reply), (401, "invalid_client".to_owned()));
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    assert_eq!(manage(&edge, Call::delete(at.clone())).status(), 204);
    assert_eq!(manage(&edge, Call::get(at)).status(), 404);
}

#[test]
fn deleting_a_client_ends_its_sessions() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), 200);
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    assert_eq!(manage(&edge, Call::delete(at)).status(), 204);
    assert_eq!(pass(&world.edge(), "/orders/1", text(&granted, "access_token")), 401);
    assert_eq!(
        error(&refresh(&edge, &mine, text(&granted, "refresh_token"))),
        (401, "invalid_client".to_owned())
    );
}

#[test]
fn what_a_client_may_not_have_any_more_is_not_in_the_next_token() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    assert_eq!(granted["scope"], "openid orders:admin");
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    let less = json!({ "client_name": "Test", "scope": "orders:read", "grant_types": ["client_credentials", "refresh_token"] });
    assert_eq!(manage(&edge, Call::put(at.clone(), less.to_string())).status(), 200);
    let token = text(&granted, "refresh_token");
    let asked = post(
        &edge,
        "test",
        "token",
        &mine,
        &format!("grant_type=refresh_token&refresh_token={token}&scope=openid"),
    );
    assert_eq!(error(&asked), (400, "invalid_scope".to_owned()));
    let next: Value = serde_json::from_str(&refresh(&edge, &mine, token).answer().body).unwrap();
    assert!(next.get("scope").is_none(), "it has what it was granted and still may: {next}");
    // Nor does it get a refresh token any more, whatever an old copy of its record says.
    let none = json!({ "client_name": "Test", "scope": "orders:read", "access_token_seconds": 30 });
    assert_eq!(manage(&edge, Call::put(at, none.to_string())).status(), 200);
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    assert_eq!((granted.get("refresh_token"), &granted["expires_in"]), (None, &json!(30)));
}

#[test]
fn another_secret_ends_what_the_client_was_granted_elsewhere() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let app = client(&edge, "test", &json!({ "grant_types": ["password", "refresh_token"] }));
    user(&edge, &json!({ "login": "ada", "password": "correct horse" }));
    let granted = tokens(&edge, "test", &app, "grant_type=password&username=ada&password=correct+horse");
    let at = format!("https://edge.example/test/api/v1/clients/{}/secret", text(&app, "client_id"));
    let app: Value = serde_json::from_str(&manage(&edge, Call::json(at, "")).answer().body).unwrap();
    let form = format!("token={}", text(&granted, "access_token"));
    assert_eq!(post(&edge, "test", "introspect", &app, &form).answer().body, r#"{"active":false}"#);
    assert_eq!(
        error(&refresh(&edge, &app, text(&granted, "refresh_token"))),
        (400, "invalid_grant".to_owned())
    );
    world.pass(seconds(1));
    let fresh = tokens(&edge, "test", &app, "grant_type=password&username=ada&password=correct+horse");
    assert_eq!(refresh(&edge, &app, text(&fresh, "refresh_token")).status(), 200);
}

#[test]
fn a_key_that_is_taken_away_and_an_end_that_comes_end_sessions() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let end = world.now().as_seconds() + 40;
    let mine = client(&edge, "test", &json!({ "expires_at": end }));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    assert_eq!(granted["expires_in"], 40, "no longer than the client");
    world.pass(seconds(40));
    let form = format!("token={}", text(&granted, "access_token"));
    let other = client(&edge, "test", &json!({ "introspect": true }));
    assert_eq!(post(&edge, "test", "introspect", &other, &form).answer().body, r#"{"active":false}"#);
}

#[test]
fn many_endings_are_one_cut_off_of_their_client() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "cut", &json!({}));
    let first = tokens(&edge, "cut", &mine, "grant_type=client_credentials");
    for _ in 0..1_003 {
        let granted = tokens(&edge, "cut", &mine, "grant_type=client_credentials");
        let form = format!("token={}", text(&granted, "refresh_token"));
        assert_eq!(post(&edge, "cut", "revoke", &mine, &form).status(), 200);
    }
    let longest = world.stored().iter().map(String::len).max().unwrap();
    assert!(longest < 100_000, "{longest}");
    assert_eq!(
        pass(&world.edge(), "/orders/1", text(&first, "access_token")),
        401,
        "rather too many than too few"
    );
}

#[test]
fn attack_74_cut_offs_reach_edges_that_ask_nobody() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "cut", &json!({}));
    let granted = tokens(&edge, "cut", &mine, "grant_type=client_credentials");
    let (access, far) = (text(&granted, "access_token"), world.edge());
    assert_eq!(pass(&far, "/orders/1", access), 200);
    let asked = world.asked_principals.get();
    for _ in 0..10 {
        assert_eq!(pass(&far, "/orders/1", access), 200);
    }
    assert_eq!(world.asked_principals.get(), asked, "no principal is asked");
    assert_eq!(post(&edge, "cut", "revoke", &mine, &format!("token={access}")).status(), 200);
    assert_eq!(pass(&far, "/orders/1", access), 200, "remembered");
    world.pass(seconds(31));
    assert_eq!(pass(&far, "/orders/1", access), 401);
    assert_eq!(pass(&world.edge(), "/orders/1", access), 401);
    // Another secret kills every token before it, and none after it.
    let before = tokens(&edge, "cut", &mine, "grant_type=client_credentials");
    let at = format!("https://edge.example/cut/api/v1/clients/{}/secret", text(&mine, "client_id"));
    let mine: Value = serde_json::from_str(&manage(&edge, Call::json(at, "")).answer().body).unwrap();
    let after = tokens(&edge, "cut", &mine, "grant_type=client_credentials");
    assert_eq!(pass(&world.edge(), "/orders/1", text(&before, "access_token")), 401);
    assert_eq!(pass(&world.edge(), "/orders/1", text(&after, "access_token")), 200, "of the same second");
    world.broken.set(Some(Broken::Kv));
    assert_eq!(pass(&world.edge(), "/orders/1", text(&after, "access_token")), 503, "nobody knows");
}

#[test]
fn rfc8707_a_token_for_one_resource_counts_there_only() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let ask = |resource: &str| {
        post(&edge, "test", "token", &mine, &format!("grant_type=client_credentials{resource}"))
    };
    let everywhere = ask("").member("access_token");
    let orders = ask("&resource=https://edge.example/orders").member("access_token");
    let both = ask("&resource=https://edge.example/orders&resource=https://edge.example/other")
        .member("access_token");
    assert_eq!(claims(&orders)["aud"], "https://edge.example/orders");
    for (token, want) in
        [(&everywhere, [200, 200, 200]), (&orders, [200, 401, 401]), (&both, [200, 200, 401])]
    {
        let got = ["/orders/1", "/other/1", "/any"].map(|path| pass(&edge, path, token));
        assert_eq!(got, want, "{}", claims(token)["aud"]);
    }
    assert_eq!(error(&ask("&resource=https://evil.example")), (400, "invalid_target".to_owned()));
    assert_eq!(error(&ask("&resource=https://edge.example/orders%23x")), (400, "invalid_target".to_owned()));
}

#[test]
fn openid_asks_for_an_id_token() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials&scope=openid");
    let said = claims(text(&granted, "id_token"));
    assert_eq!((&said["aud"], &said["sub"]), (&mine["client_id"], &mine["client_id"]));
    assert!(said.get("scope").is_none() && said.get("sid").is_none(), "{said}");
    assert_eq!(pass(&edge, "/orders/1", text(&granted, "id_token")), 401, "attack 49: no access token");
    let without = tokens(&edge, "test", &mine, "grant_type=client_credentials&scope=orders:read");
    assert!(without.get("id_token").is_none());
}

#[test]
fn attack_61_a_code_is_redeemed_once_by_its_client_with_its_verifier() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let app = client(
        &edge,
        "test",
        &json!({ "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none", "redirect_uris": ["https://app.example/cb"] }),
    );
    let ada = user(&edge, &json!({ "login": "ada", "roles": ["owner"] }));
    let locator = world.place_of(&"test".parse().unwrap(), &"ada".parse().unwrap()).unwrap();
    let verifier = "v".repeat(43);
    let issue = |n: u8| {
        let code = Credential::code(locator, &[n; 32]);
        let record = Code {
            client_id: text(&app, "client_id").parse().unwrap(),
            redirect_uri: "https://app.example/cb".to_owned(),
            challenge: Digest::of(verifier.as_bytes()),
            scope: "openid orders:read".parse().unwrap(),
            resources: vec![],
            nonce: Some("n-1".to_owned()),
            auth_time: world.now(),
            expires_at: world.now().after(seconds(60)),
            redeemed: None,
        };
        let question = Question::IssueCode { digest: code.digest(), code: Box::new(record) };
        assert_eq!(run(world.ask(locator, &question)).unwrap(), Answer::Done);
        code.reveal().to_owned()
    };
    let redeem = |code: &str, grant: &str, uri: &str, verifier: &str| {
        let form = format!("grant_type={grant}&code={code}&redirect_uri={uri}&code_verifier={verifier}");
        post(&edge, "test", "token", &app, &form)
    };
    let (uri, code) = ("https://app.example/cb", issue(1));
    for (uri, verifier) in
        [("https://app.example/other", verifier.as_str()), (uri, ""), (uri, &"w".repeat(43))]
    {
        assert_eq!(
            error(&redeem(&code, "authorization_code", uri, verifier)),
            (400, "invalid_grant".to_owned())
        );
    }
    let reply = redeem(&code, "code", uri, &verifier);
    let granted: Value = serde_json::from_str(&reply.answer().body).unwrap();
    let said = claims(text(&granted, "id_token"));
    assert_eq!((&said["nonce"], &said["sub"]), (&json!("n-1"), &ada["id"]));
    assert_eq!(said["auth_time"], world.now().as_seconds());
    assert_eq!(claims(text(&granted, "access_token"))["roles"], json!(["owner"]));
    assert_eq!(
        error(&redeem(&code, "authorization_code", uri, &verifier)),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(
        pass(&world.edge(), "/orders/1", text(&granted, "access_token")),
        200,
        "requests that race end nothing"
    );
    world.pass(seconds(11));
    assert_eq!(
        error(&redeem(&code, "authorization_code", uri, &verifier)),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(
        pass(&world.edge(), "/orders/1", text(&granted, "access_token")),
        401,
        "what it issued is over"
    );
    assert_eq!(
        error(&refresh(&edge, &app, text(&granted, "refresh_token"))),
        (400, "invalid_grant".to_owned())
    );
    let late = issue(2);
    world.pass(seconds(61));
    assert_eq!(
        error(&redeem(&late, "authorization_code", uri, &verifier)),
        (400, "invalid_grant".to_owned())
    );
}

#[test]
fn calls_are_counted_by_client_and_route() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    for (path, calls) in [("/orders/1", 3), ("/any", 2)] {
        for _ in 0..calls {
            assert_eq!(pass(&edge, path, text(&granted, "access_token")), 200);
        }
    }
    world.pass(seconds(20));
    let (reply, chore) =
        call(&edge, &Call::get("https://edge.example/any").bearer(text(&granted, "access_token")));
    assert_eq!(reply.status(), 200);
    finish(&edge, chore.unwrap());
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    let seen: Value = serde_json::from_str(&manage(&edge, Call::get(at)).answer().body).unwrap();
    assert_eq!(
        (&seen["usage"]["orders"]["count"], &seen["usage"]["any"]["count"]),
        (&json!(3), &json!(3)),
        "{seen}"
    );
    assert_eq!(seen["live_sessions"], 1);
}

#[test]
fn calls_of_a_client_that_falls_silent_are_told_after_a_grain() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let granted = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    let request = Call::get("https://edge.example/any").bearer(text(&granted, "access_token"));
    let owed = call(&edge, &request).1.unwrap();
    assert_eq!((call(&edge, &request).1, call(&edge, &request).1), (None, None));
    let asked = world.asked_principals.get();
    wait_for(&edge, owed);
    assert_eq!(world.asked_principals.get(), asked + 1, "the touch of this grain");
    let at = format!("https://edge.example/test/api/v1/clients/{}", text(&mine, "client_id"));
    let seen: Value = serde_json::from_str(&manage(&edge, Call::get(at)).answer().body).unwrap();
    assert_eq!(seen["usage"]["any"]["count"], 3, "{seen}");
    let asked = world.asked_principals.get();
    wait_for(&edge, owed);
    assert_eq!(world.asked_principals.get(), asked, "there is nothing more to tell");
}

#[test]
fn no_store_holds_what_could_be_presented() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let mine = client(&edge, "test", &json!({}));
    let app = client(
        &edge,
        "test",
        &json!({ "grant_types": ["password", "refresh_token"], "token_endpoint_auth_method": "none" }),
    );
    user(&edge, &json!({ "login": "ada", "password": "correct horse" }));
    let first = tokens(&edge, "test", &mine, "grant_type=client_credentials");
    let second = refresh(&edge, &mine, text(&first, "refresh_token"));
    let person = tokens(&edge, "test", &app, "grant_type=password&username=ada&password=correct+horse");
    let secrets = [
        text(&mine, "client_secret").to_owned(),
        text(&first, "refresh_token").to_owned(),
        text(&first, "access_token").to_owned(),
        second.member("refresh_token"),
        text(&person, "refresh_token").to_owned(),
        "correct horse".to_owned(),
    ];
    for row in world.stored().iter().chain(world.log.borrow().iter()) {
        for secret in &secrets {
            assert!(!row.contains(secret.as_str()), "{row}");
        }
    }
}
