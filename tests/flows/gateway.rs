//! What passes the gateway, and what the upstream is told.

use tollgate::config::Config;

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
fn of_a_list_of_scopes_within_the_list_any_will_do() {
    let needs = r#""require": { "scopes": ["orders:read", ["hidden", "orders:admin"]], "issuers": ["test", "sandbox"] }"#;
    let config = CONFIG.replacen(r#""require": { "issuers": ["test", "sandbox"] }"#, needs, 1);
    assert_ne!(config, CONFIG);
    let world = World::new(&config);
    let edge = world.edge();
    let asked = |scope: &str| {
        let request = Call::get("https://edge.example/any").bearer(&token(&edge, "test", scope));
        call(&edge, &request).0
    };
    for (scope, status) in
        [("orders:admin", 200), ("orders:read hidden", 200), ("orders:read", 403), ("hidden", 403)]
    {
        assert_eq!(asked(scope).status(), status, "{scope}");
    }
    let refused = asked("orders:read");
    let said = r#"Bearer error="insufficient_scope", scope="orders:read hidden""#;
    assert_eq!(challenge(&refused), (403, Some(said)), "the first of each is enough");
    for (bad, want) in [
        ("[[]]", "routes[2].require.scopes[0]: is empty; nothing could ever pass"),
        (r#"[["orders:read", "nope"]]"#, "routes[2].require.scopes[0][1]: there is no scope `nope`"),
        ("[[1]]", "routes[2].require.scopes[0][0]: invalid type: integer `1`, expected a string"),
        (
            "[1]",
            "routes[2].require.scopes[0]: invalid type: integer `1`, expected a string, or a list of strings",
        ),
        ("{}", "routes[2].require.scopes: invalid type: map, expected a sequence"),
    ] {
        let text = config.replacen(r#"["orders:read", ["hidden", "orders:admin"]]"#, bad, 1);
        let errors = Config::parse(&text).err().unwrap_or_default();
        assert!(errors.iter().any(|error| error.to_string().starts_with(want)), "{want}: {errors:?}");
    }
}

#[test]
fn what_a_path_begins_with_may_stay_here() {
    let to =
        r#""to": { "service": "ORIGIN", "strip_prefix": "/orders", "timeout_seconds": 3, "retries": 2 } },"#;
    let orders = r#""to": { "service": "ORIGIN" } },"#;
    let config = CONFIG.replacen(orders, to, 1);
    let world = World::new(&config);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let (reply, _) = call(&edge, &Call::get("https://edge.example/%6frders/7%2b?x=1").bearer(&token));
    let Reply::Forwarded { onward, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(onward.url, "https://edge.example/7%2B?x=1");
    assert_eq!((onward.way.timeout.unwrap().as_seconds(), onward.way.retries), (3, 2));
    for (bad, want) in [
        (
            r#""strip_prefix": "/order""#,
            "routes[0].to.strip_prefix: is not what every path of the route begins with",
        ),
        (r#""strip_prefix": "/orders/""#, "routes[0].to.strip_prefix"),
        (r#""strip_prefix": "/orders/{id}""#, "routes[0].to.strip_prefix"),
        (r#""strip_prefix": "/orders/7""#, "routes[0].to.strip_prefix"),
        (r#""strip_prefix": "/%6frders""#, "routes[0].to.strip_prefix"),
        (r#""strip_prefix": "orders""#, "routes[0].to.strip_prefix"),
        (r#""strip_prefix": """#, "routes[0].to.strip_prefix"),
        (r#""retries": 4"#, "routes[0].to.retries: 4 is out of range; use 0 to 3"),
        (r#""timeout_seconds": 0"#, "routes[0].to.timeout_seconds: 0 is out of range; use 1 to 300"),
    ] {
        let text = CONFIG.replacen(orders, &format!(r#""to": {{ "service": "ORIGIN", {bad} }} }},"#), 1);
        let errors = Config::parse(&text).err().unwrap_or_default();
        assert!(errors.iter().any(|error| error.to_string().starts_with(want)), "{bad}: {errors:?}");
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
