//! Where a token may stand, and how a resource says so.

use serde_json::Value;
use tollgate::gateway::Onward;
use tollgate::time::Lifetime;

use super::{CONFIG, token};
use crate::fakes::{Call, Edge, Reply, World, at_once, call};

fn config() -> String {
    CONFIG.replace(
        r#""routes": ["#,
        r#""resources": [
            { "resource": "https://edge.example", "name": "All of it", "documentation": "https://docs.example/api" },
            { "resource": "https://edge.example/orders" },
            { "resource": "https://other.example/v1" }
        ],
        "routes": [
        { "id": "query", "methods": ["GET"], "path": "/query", "require": { "scopes": ["orders:read"], "issuers": ["test"], "token_in": ["header", "query"] }, "to": { "service": "ORIGIN" } },
        { "id": "form", "methods": ["POST"], "path": "/form", "require": { "scopes": ["hidden"], "issuers": ["test"], "token_in": ["form"] }, "to": { "service": "ORIGIN" } },
        { "id": "cookie", "methods": ["GET"], "path": "/cookie", "require": { "issuers": ["test"], "token_in": ["cookie:t", "header"] }, "to": { "url": "https://origin.example/base" } },
        { "id": "named", "methods": ["GET"], "path": "/named", "require": { "issuers": ["test"], "token_in": ["header:cf-access-jwt-assertion"] }, "to": { "service": "ORIGIN" } },"#,
    )
}

fn world() -> World {
    World::new(&config())
}

fn get(path: &str) -> Call {
    Call::get(format!("https://edge.example{path}"))
}

fn onward(edge: &Edge<'_>, request: &Call) -> Onward {
    match call(edge, request).0 {
        Reply::Forwarded { onward, .. } => onward,
        Reply::Answered(answer) => panic!("{} {}", answer.status, answer.body),
    }
}

#[test]
fn rfc6750_section_2_3_a_token_in_the_query_counts_where_it_may_and_goes_no_further() {
    let (world, other) = (world(), World::new(CONFIG));
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let went = onward(&edge, &get(&format!("/query?a=%2F&access_token={token}&b")));
    assert_eq!(went.url, "https://edge.example/query?a=%2F&b");
    assert_eq!(
        onward(&edge, &get(&format!("/query?access_token={token}"))).url,
        "https://edge.example/query"
    );
    assert_eq!(onward(&edge, &get("/query?a=1").bearer(&token)).url, "https://edge.example/query?a=1");
    assert_eq!(call(&edge, &get(&format!("/orders/1?access_token={token}"))).0.status(), 401);
    drop(other);
}

#[test]
fn rfc6750_section_2_2_a_token_in_a_form_counts_where_it_may_and_goes_no_further() {
    let world = world();
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read hidden");
    let post = |body: String| Call::form("https://edge.example/form", body);
    let went =
        onward(&edge, &post(format!("a=%2F&access_token={token}&b=1+2")).header("content-length", "900"));
    assert_eq!(went.body.as_deref(), Some("a=%2F&b=1+2"));
    assert!(went.remove.contains(&"content-length".to_owned()));
    let json = Call::json("https://edge.example/form", format!(r#"{{"access_token":"{token}"}}"#));
    assert_eq!(call(&edge, &json).0.status(), 401, "no form");
    assert_eq!(call(&edge, &post("a=1".to_owned())).0.status(), 401);
    assert_eq!(call(&edge, &post(format!("access_token={token}&x=\u{e4}"))).0.status(), 400);
    assert_eq!(call(&edge, &post(format!("access_token={token}&x={}", "x".repeat(70_000)))).0.status(), 413);
}

#[test]
fn a_token_in_a_cookie_or_a_header_of_its_own_counts_where_it_may_and_goes_no_further() {
    let world = world();
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let went = onward(&edge, &get("/cookie").header("cookie", format!("a=1; t={token}; b=2")));
    assert_eq!(went.url, "https://origin.example/base/cookie");
    assert!(
        went.set.contains(&("cookie".into(), "a=1; b=2".to_owned()))
            && went.remove.contains(&"cookie".to_owned())
    );
    let alone = onward(&edge, &get("/cookie").header("cookie", format!("t={token}")));
    assert!(alone.set.iter().all(|(name, _)| *name != "cookie"));
    let named = onward(&edge, &get("/named").header("cf-access-jwt-assertion", token.clone()));
    assert!(named.remove.contains(&"cf-access-jwt-assertion".to_owned()));
    for request in [
        get("/named").bearer(&token),
        get("/cookie").header("cookie", format!("T={token}")),
        get("/cookie").header("cookie", format!("\u{2000}t={token}")),
        get("/cookie").header("cookie", format!("\u{a0}t={token}")),
        get("/orders/1").header("cookie", format!("t={token}")),
        get("/orders/1").header("cf-access-jwt-assertion", token.clone()),
    ] {
        assert_eq!(call(&edge, &request).0.status(), 401, "{request:?}");
    }
}

#[test]
fn attack_55_tokens_in_two_places_are_refused_the_same_one_as_well() {
    let world = world();
    let edge = world.edge();
    let (one, two) = (token(&edge, "test", "orders:read"), token(&edge, "test", "orders:read"));
    for second in [&one, &two] {
        for request in [
            get(&format!("/query?access_token={second}")).bearer(&one),
            get(&format!("/query?access_token={one}&access_token={second}")),
            get(&format!("/orders/1?access_token={second}")).bearer(&one),
            get("/cookie").bearer(&one).header("cookie", format!("t={second}")),
            get("/cookie").header("cookie", format!("t={one}; t={second}")),
            get("/cookie").header("cookie", format!("t={one}, t={second}")),
            get("/cookie").bearer(&one).header("cookie", format!("a=1, t={second}")),
            get(&format!("/cookie?access_token={second}")).header("cookie", format!("t={one}")),
            get("/named").bearer(&one).header("cf-access-jwt-assertion", second.clone()),
        ] {
            let (reply, _) = call(&edge, &request);
            assert_eq!(reply.status(), 400, "{request:?}");
            let challenge = reply.answer().header("www-authenticate").unwrap();
            assert!(challenge.starts_with(r#"Bearer error="invalid_request""#), "{challenge}");
        }
    }
}

#[test]
fn a_route_that_looks_elsewhere_is_not_decided_at_once() {
    let world = world();
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    for request in [get("/query").bearer(&token), get("/cookie").bearer(&token)] {
        assert_eq!(call(&edge, &request).0.status(), 200);
        assert!(at_once(&edge, &request).is_none());
    }
}

#[test]
fn rfc9728_section_3_2_a_resource_describes_itself_and_nothing_internal() {
    let world = world();
    let edge = world.edge();
    let read = |path: &str| -> Value {
        let (reply, _) = call(&edge, &get(path));
        assert_eq!(reply.status(), 200, "{path}");
        serde_json::from_str(&reply.answer().body).unwrap()
    };
    let all = read("/.well-known/oauth-protected-resource");
    assert_eq!(all["resource"], "https://edge.example");
    assert_eq!(
        (&all["resource_name"], &all["resource_documentation"]),
        (&"All of it".into(), &"https://docs.example/api".into())
    );
    assert_eq!(all["scopes_supported"], serde_json::json!(["orders:admin", "orders:read"]));
    assert_eq!(
        all["authorization_servers"],
        serde_json::json!(["https://edge.example/sandbox", "https://edge.example/test"])
    );
    assert_eq!(all["bearer_methods_supported"], serde_json::json!(["body", "header", "query"]));
    let orders = read("/.well-known/oauth-protected-resource/orders");
    assert_eq!(orders["resource"], "https://edge.example/orders");
    assert_eq!(orders["authorization_servers"][0], "https://accounts.example.com");
    assert_eq!(call(&edge, &get("/.well-known/oauth-protected-resource/nothing")).0.status(), 404);
    let elsewhere = Call::get("https://unknown.example/.well-known/oauth-protected-resource");
    assert_eq!(call(&edge, &elsewhere).0.status(), 404, "another host");
    let post = Call::form("https://edge.example/.well-known/oauth-protected-resource", "");
    assert_eq!(call(&edge, &post).0.status(), 405);
}

#[test]
fn a_resource_without_scopes_leaves_them_out() {
    let text = CONFIG.replace(
        r#""routes": ["#,
        r#""resources": [ { "resource": "https://edge.example/any" } ], "routes": ["#,
    );
    let world = World::new(&text);
    let (reply, _) = call(&world.edge(), &get("/.well-known/oauth-protected-resource/any"));
    let document: Value = serde_json::from_str(&reply.answer().body).unwrap();
    assert_eq!(document.get("scopes_supported"), None, "RFC 9728 section 3.2: what has no value is left out");
    assert_eq!(document["bearer_methods_supported"][0], "header");
}

#[test]
fn attack_57_no_proxy_is_told_that_metadata_may_be_asked_for_upstream() {
    let wild = config()
        .replace(r#""path": "/any""#, r#""path": "/{a}/{b}""#)
        .replace(r#""path": "/orders/{id}""#, r#""path": "/orders""#);
    let world = World::new(&wild);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let check = |uri: &str| {
        Call::get("https://edge.example/_tollgate/check")
            .header("x-original-method", "GET")
            .header("x-original-uri", uri)
            .bearer(&token)
    };
    assert_eq!(call(&edge, &check("/x/y")).0.status(), 200);
    assert_eq!(call(&edge, &check("/.well-known/oauth-protected-resource")).0.status(), 403);
}

#[test]
fn what_takes_its_time_with_a_form_is_judged_when_it_is_there() {
    let world = world();
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read hidden");
    let post = Call::form("https://edge.example/form", format!("access_token={token}"));
    assert_eq!(call(&edge, &post).0.status(), 200);
    // The lease of the door's time would still hold; that of the time when the body was there does not.
    let slow = post.slow(Lifetime::from_seconds(200));
    assert_eq!(call(&edge, &slow).0.status(), 401, "idle by then");
}

#[test]
fn a_route_that_lies_in_two_resources_alike_has_to_say_its_host() {
    let two = config().replace("https://other.example/v1", "https://other.example");
    let errors = tollgate::config::Config::parse(&two).unwrap_err();
    let said =
        "lies in resource `https://edge.example` and in `https://other.example`; give the route a `host`";
    assert!(errors.iter().any(|error| error.path == "routes[0]" && error.problem == said), "{errors:#?}");
}

#[test]
fn rfc9728_section_5_1_every_challenge_of_a_resource_says_where_it_describes_itself() {
    let world = world();
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let said = |request: &Call| {
        let (reply, _) = call(&edge, request);
        (reply.status(), reply.answer().header("www-authenticate").map(str::to_owned))
    };
    let orders = r#"resource_metadata="https://edge.example/.well-known/oauth-protected-resource/orders""#;
    let all = r#"resource_metadata="https://edge.example/.well-known/oauth-protected-resource""#;
    for (request, status, challenge) in [
        (get("/orders/1"), 401, format!(r#"Bearer realm="tollgate", scope="orders:read", {orders}"#)),
        (
            get("/orders/1").bearer("x"),
            401,
            format!(r#"Bearer error="invalid_token", scope="orders:read", {orders}"#),
        ),
        (get("/any"), 401, format!(r#"Bearer realm="tollgate", {all}"#)),
        // What is internal is nothing for strangers.
        (Call::form("https://edge.example/form", ""), 401, format!(r#"Bearer realm="tollgate", {all}"#)),
        (
            get("/admin").bearer(&token),
            403,
            format!(r#"Bearer error="insufficient_scope", scope="orders:admin", {all}"#),
        ),
        (get("/any?access_token=x").bearer(&token), 400, format!(r#"Bearer error="invalid_request", {all}"#)),
    ] {
        assert_eq!(said(&request), (status, Some(challenge)), "{request:?}");
    }
}
