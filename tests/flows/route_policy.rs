//! What a route says of browsers, of how often it may be called, and of the claims that its upstream gets.

use serde_json::json;
use tollgate::time::Lifetime;

use super::token_request;
use crate::fakes::{Broken, Call, Edge, OPERATOR, Reply, World, at_once, call};

const CONFIG: &str = r#"{
    "realms": { "test": { "issuer": "https://edge.example/test", "idle_seconds": 600 } },
    "scopes": { "orders:read": { "description": "Read orders" } },
    "roles": { "a.b": {}, "owner": {} },
    "routes": [
        { "id": "orders", "methods": ["GET", "POST"], "path": "/orders", "require": { "scopes": ["orders:read"] },
          "cors": { "origins": ["https://app.example"], "headers": ["content-type"], "expose": ["etag"] },
          "to": { "service": "ORIGIN", "headers": { "X-Who": "client_id", "x-all": "roles", "X-Issued": "iat", "X-Not": "/nothing/here" } } },
        { "id": "own", "methods": ["GET", "OPTIONS"], "path": "/own", "anonymous": true, "to": { "service": "ORIGIN" } },
        { "id": "often", "methods": ["GET"], "path": "/often", "require": { "scopes": ["orders:read"] }, "to": { "service": "ORIGIN" },
          "limit": { "binding": "OFTEN", "by": "client", "period_seconds": 10 } },
        { "id": "whose", "methods": ["GET"], "path": "/whose", "require": { "scopes": ["orders:read"], "issuers": ["test"] }, "to": { "service": "ORIGIN" },
          "limit": { "binding": "OFTEN", "by": "subject" } },
        { "id": "owned", "methods": ["GET"], "path": "/owned", "require": { "scopes": ["orders:read"], "roles": ["owner"] }, "to": { "service": "ORIGIN" },
          "limit": { "binding": "OFTEN" } },
        { "id": "near", "methods": ["GET"], "path": "/near", "anonymous": true, "to": { "service": "ORIGIN" },
          "limit": { "binding": "OFTEN", "by": "address" } },
        { "id": "formed", "methods": ["POST"], "path": "/formed", "require": { "scopes": ["orders:read"], "token_in": ["form"] },
          "to": { "service": "ORIGIN" }, "limit": { "binding": "OFTEN", "by": "address" } }
    ]
}"#;

const APP: &str = "https://app.example";

fn token(edge: &Edge<'_>, roles: &[&str]) -> (String, String) {
    let said = json!({ "client_name": "Job", "scope": "orders:read", "grant_types": ["client_credentials"], "roles": roles });
    let request = Call::json("https://edge.example/test/api/v1/clients", said.to_string()).bearer(OPERATOR);
    let made = call(edge, &request).0;
    assert_eq!(made.status(), 201, "{}", made.answer().body);
    let client = (made.member("client_id"), made.member("client_secret"));
    let token = call(edge, &token_request("test", &client, "")).0.member("access_token");
    (token, client.0)
}

fn get(path: &str) -> Call {
    Call::get(format!("https://edge.example{path}"))
}

fn preflight(edge: &Edge<'_>, path: &str, origin: &str, method: &str) -> Reply {
    let request = Call::options(format!("https://edge.example{path}"))
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization");
    call(edge, &request).0
}

#[test]
fn fetch_section_3_2_2_preflights_are_answered_at_the_edge() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let answered = preflight(&edge, "/orders", APP, "POST");
    assert_eq!(answered.status(), 204);
    assert_eq!(answered.answer().header("access-control-allow-origin"), Some(APP));
    assert_eq!(answered.answer().header("access-control-allow-methods"), Some("GET, POST"));
    assert_eq!(preflight(&edge, "/orders", "https://other.example", "POST").status(), 403);
    assert_eq!(preflight(&edge, "/orders", APP, "DELETE").status(), 404, "no such route");
    // What is no preflight, and what a route leaves to its upstream.
    assert_eq!(call(&edge, &Call::options("https://edge.example/orders")).0.status(), 404);
    assert!(matches!(preflight(&edge, "/own", APP, "GET"), Reply::Forwarded { .. }));
}

#[test]
fn fetch_section_3_2_3_answers_and_refusals_alike_can_be_read_by_scripts_that_may_call() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (token, _) = token(&edge, &[]);
    let refused = call(&edge, &get("/orders").header("origin", APP)).0;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.answer().header("access-control-allow-origin"), Some(APP));
    assert!(refused.answer().header("access-control-expose-headers").unwrap().contains("WWW-Authenticate"));
    let other = call(&edge, &get("/orders").header("origin", "https://other.example")).0;
    assert_eq!((other.status(), other.answer().header("access-control-allow-origin")), (401, None));
    assert_eq!(other.answer().header("vary"), Some("Origin"));
    let request = get("/orders").header("origin", APP).bearer(&token);
    let told = |reply: Reply| match reply {
        Reply::Forwarded { onward, .. } => onward.told,
        Reply::Answered(answer) => panic!("{answer:?}"),
    };
    let long = told(call(&edge, &request).0);
    assert!(long.contains(&("Access-Control-Allow-Origin", APP.to_owned())));
    assert_eq!(told(at_once(&edge, &request).unwrap()), long, "the quick way says the same");
    assert_eq!(told(call(&edge, &get("/own")).0), []);
}

#[test]
fn claims_are_headers_in_one_encoding_and_nobody_elses() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (token, client) = token(&edge, &["a.b", "owner"]);
    let request = get("/orders")
        .bearer(&token)
        .header("x-who", "admin")
        .header("X_Who", "admin")
        .header("x.not", "admin")
        .header("x-issued-by", "me");
    let Reply::Forwarded { onward, .. } = call(&edge, &request).0 else { panic!("it may pass") };
    let sent =
        |name: &str| onward.set.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(sent("x-who"), Some(client.as_str()));
    assert_eq!(sent("x-all"), Some(r#"["a.b","owner"]"#));
    assert!(sent("x-issued").unwrap().bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(sent("x-not"), None);
    // attack_56: also where the token says nothing, the caller's own does not pass.
    let mut removed: Vec<_> = onward.remove.iter().map(String::as_str).collect();
    removed.sort_unstable();
    assert_eq!(removed, ["X_Who", "authorization", "x-who", "x.not"]);
    // Nor on a route that says nothing of it: who stands behind both believes what they say.
    let other = get("/own").header("x-who", "admin").header("X_Not", "admin").header("x-other", "1");
    let Reply::Forwarded { onward, .. } = call(&edge, &other).0 else { panic!("it may pass") };
    let mut removed: Vec<_> = onward.remove.iter().map(String::as_str).collect();
    removed.sort_unstable();
    assert_eq!(removed, ["X_Not", "x-who"]);
}

#[test]
fn rfc6585_section_4_who_calls_too_often_is_told_to_wait_and_nobody_else_is() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let ((one, _), (other, _)) = (token(&edge, &[]), token(&edge, &[]));
    let often = |token: &str| call(&edge, &get("/often").bearer(token)).0;
    assert_eq!([often(&one).status(), often(&one).status()], [200, 200]);
    let refused = often(&one);
    assert_eq!((refused.status(), refused.answer().header("retry-after")), (429, Some("10")));
    assert_eq!(often(&other).status(), 200);
    assert!(at_once(&edge, &get("/often").bearer(&one)).is_none(), "the counter is asked");
    let near = |from: &str| call(&edge, &get("/near").header("cf-connecting-ip", from)).0.status();
    assert_eq!([near("192.0.2.1"), near("192.0.2.1"), near("192.0.2.1")], [200, 200, 429]);
    assert_eq!(near("192.0.2.2"), 200);
    let whose = |token: &str| call(&edge, &get("/whose").bearer(token)).0.status();
    assert_eq!(
        [whose(&one), whose(&one), whose(&one), whose(&other)],
        [200, 200, 429, 200],
        "each route counts for itself"
    );
    // A proxy that asks hears 403: it knows no 429.
    let check = Call::get("https://edge.example/_tollgate/check").header("x-original-method", "GET");
    let check = check.header("x-original-uri", "/often").bearer(&one);
    assert_eq!(call(&edge, &check).0.status(), 403);
    // What is refused for another reason uses nothing up, and a counter that does not answer lets nobody pass.
    let counted = world.counted.borrow().clone();
    assert_eq!(call(&edge, &get("/often").bearer("x.y.z")).0.status(), 401);
    assert_eq!(call(&edge, &get("/owned").bearer(&one)).0.status(), 403);
    assert_eq!(*world.counted.borrow(), counted);
    world.broken.set(Some(Broken::Limiter));
    assert_eq!([often(&other).status(), near("192.0.2.3")], [503, 503]);
}

#[test]
fn what_lacks_a_role_has_not_used_its_session() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (token, _) = token(&edge, &[]);
    let asked = world.asked_principals.get();
    assert_eq!(call(&edge, &get("/owned").bearer(&token)).0.status(), 403);
    assert_eq!(world.asked_principals.get(), asked);
}

#[test]
fn who_calls_too_often_has_used_nothing() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (token, _) = token(&edge, &[]);
    let often = || call(&edge, &get("/often").bearer(&token));
    assert_eq!([often().0.status(), often().0.status()], [200, 200]);
    // The lease has a grain more, if the principal is told: who is refused does not use it.
    world.pass(Lifetime::from_seconds(61));
    let asked = world.asked_principals.get();
    let (refused, chore) = often();
    assert_eq!((refused.status(), chore, world.asked_principals.get()), (429, None, asked));
    let (passed, chore) = call(&edge, &get("/orders").bearer(&token));
    assert!(passed.status() == 200 && chore.is_some(), "the touch is still owed, and done by what passes");
    // Where nobody may wait, no counter is asked and no lease is used.
    assert!(at_once(&edge, &get("/often").bearer(&token)).is_none());
    assert!(at_once(&edge, &get("/near")).is_none());
}

#[test]
fn a_session_that_ended_keeps_nobody_else_from_calling() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (token, _) = token(&edge, &[]);
    let often = |status: u16| assert_eq!(call(&edge, &get("/often").bearer(&token)).0.status(), status);
    often(200);
    world.pass(Lifetime::from_seconds(3600));
    // The first one is how this isolate hears of it.
    often(401);
    let counted = world.counted.borrow().clone();
    often(401);
    often(401);
    assert_eq!(*world.counted.borrow(), counted);
}

#[test]
fn a_limit_whose_counter_is_missing_degrades_the_deployment() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let status = || {
        let said = call(&edge, &get("/healthz")).0.answer().body.clone();
        serde_json::from_str::<serde_json::Value>(&said).unwrap()["status"].clone()
    };
    assert_eq!(status(), "ok");
    world.unbound.set(Some("OFTEN"));
    assert_eq!(status(), "degraded");
}

#[test]
fn a_limit_by_address_counts_before_a_body_is_read() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let formed = |body: &str| call(&edge, &Call::form("https://edge.example/formed", body)).0.status();
    assert_eq!([formed("a=1"), formed("no form"), formed("no form")], [401, 400, 429]);
}
