//! What passes the gateway, and what the upstream is told.

use super::{CONFIG, token};
use crate::fakes::{Call, Reply, World, call};

fn challenge(reply: &Reply) -> (u16, Option<&str>) {
    (reply.status(), reply.answer().header("www-authenticate"))
}

#[test]
fn rfc6750_section_3_each_refusal_has_its_answer() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    for (request, want) in [
        (Call::get("https://edge.example/orders/1"), (401, Some(r#"Bearer realm="tollgate""#))),
        (
            Call::get("https://edge.example/orders/1").bearer("garbage"),
            (401, Some(r#"Bearer error="invalid_token""#)),
        ),
        (
            Call::get("https://edge.example/orders/1").header("authorization", "Bearer a, Bearer b"),
            (400, Some(r#"Bearer error="invalid_request""#)),
        ),
        (
            Call::get("https://edge.example/admin").bearer(&token),
            (403, Some(r#"Bearer error="insufficient_scope", scope="orders:admin""#)),
        ),
        (Call::get("https://edge.example/orders").bearer(&token), (404, None)),
        (Call::get("https://edge.example/orders/1/").bearer(&token), (404, None)),
        (Call::form("https://edge.example/orders/1", "").bearer(&token), (404, None)),
        (Call::get("https://edge.example/orders/%2e%2e").bearer(&token), (400, None)),
        (
            Call::get(format!("https://edge.example/orders/1?access_token={token}")),
            (401, Some(r#"Bearer realm="tollgate""#)),
        ),
    ] {
        assert_eq!(challenge(&call(&edge, &request).0), want, "{request:?}");
    }
}

#[test]
fn what_passes_carries_who_it_is_and_the_path_that_was_matched() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:admin");
    let (reply, _) = call(&edge, &Call::get("https://edge.example/%6frders/7%2b?x=1").bearer(&token));
    let Reply::Forwarded { route, path, identity, .. } = reply else {
        panic!("{reply:?}");
    };
    assert_eq!((route.as_str(), path.as_str()), ("orders", "/orders/7%2B"));
    assert_eq!(identity["x-tollgate-issuer"], "https://edge.example/test");
    assert_eq!(identity["x-tollgate-scope"], "orders:admin");
    assert_eq!(identity["x-tollgate-subject"], identity["x-tollgate-client"]);
}

#[test]
fn an_anonymous_route_says_nobody() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (reply, _) = call(&edge, &Call::get("https://edge.example/health").bearer("garbage"));
    assert!(matches!(reply, Reply::Forwarded { identity, .. } if identity.is_empty()));
}

#[test]
fn forward_auth_gives_the_same_decision() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let check = |path: &str| {
        Call::get("https://edge.example/_tollgate/check")
            .header("x-original-method", "GET")
            .header("x-original-uri", path)
    };
    let (allowed, _) = call(&edge, &check("/orders/1?a=b").bearer(&token));
    assert_eq!(allowed.status(), 200);
    assert_eq!(allowed.answer().header("x-tollgate-issuer"), Some("https://edge.example/test"));
    for (request, status) in [
        (check("/orders/1"), 401),
        (check("/admin").bearer(&token), 403),
        (check("/unknown").bearer(&token), 403),
        (check("/health/../admin").bearer(&token), 403),
        (check("/orders/1").header("x-forwarded-uri", "/health").bearer(&token), 403),
        (Call::get("https://edge.example/_tollgate/check").bearer(&token), 403),
    ] {
        assert_eq!(call(&edge, &request).0.status(), status, "{request:?}");
    }
}

#[test]
fn the_log_says_why_and_never_what_was_sent() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    call(&edge, &Call::get("https://edge.example/orders/1").bearer(&token));
    call(&edge, &Call::get("https://edge.example/orders/1").bearer(&token.replace("eyJ", "eyK")));
    let log = world.log.borrow().join("\n");
    assert!(log.contains(r#""target":"orders","decision":"allow""#), "{log}");
    assert!(log.contains(r#""decision":"deny","reason":"malform_token""#), "{log}");
    let signature = token.rsplit('.').next().unwrap();
    assert!(!log.contains(&token) && !log.contains(signature) && !log.contains("tgs_"), "{log}");
}
