//! Discovery, keys, registration and the token endpoint.

use serde_json::Value;
use tollgate::encoding::from_base64url;

use super::{CONFIG, register, token_request};
use crate::fakes::{Call, Reply, World, call};

fn body(reply: &Reply) -> Value {
    serde_json::from_str(&reply.answer().body).unwrap()
}

fn error(reply: &Reply) -> (u16, String) {
    (reply.status(), reply.member("error"))
}

fn payload(token: &str) -> Value {
    serde_json::from_slice(&from_base64url(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[test]
fn rfc8414_section_3_both_places_answer_with_the_issuer_asked_for() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    for path in ["/test/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/test"] {
        let (reply, _) = call(
            &edge,
            &Call::get(format!("https://other-host.example{path}"))
                .header("x-forwarded-host", "evil.example"),
        );
        let metadata = body(&reply);
        assert_eq!(metadata["issuer"], "https://edge.example/test");
        assert_eq!(metadata["token_endpoint"], "https://edge.example/test/oauth/token");
        assert_eq!(metadata["jwks_uri"], "https://edge.example/test/jwks");
        assert_eq!(metadata["authorization_endpoint"], "https://edge.example/test/oauth/authorize");
        assert_eq!(metadata["authorization_response_iss_parameter_supported"], true, "attack 68");
        assert_eq!(
            metadata["scopes_supported"],
            serde_json::json!([
                "audit:read",
                "clients:manage",
                "credentials:manage",
                "email",
                "openid",
                "orders:admin",
                "orders:read",
                "profile",
                "sessions:manage"
            ]),
            "internal scopes are not listed"
        );
    }
    for path in ["/nobody/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/nobody"]
    {
        assert_eq!(call(&edge, &Call::get(format!("https://edge.example{path}"))).0.status(), 404);
    }
}

#[test]
fn rfc9068_section_2_the_access_token() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let client = register(&edge, "test", "orders:read hidden", r#""client_credentials""#);
    let (reply, _) = call(&edge, &token_request("test", &client, "&scope=orders:read"));
    assert_eq!(reply.answer().header("cache-control"), Some("no-store"));
    let answer = body(&reply);
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"], &answer["scope"]),
        (&"Bearer".into(), &3600.into(), &"orders:read".into())
    );
    assert!(answer.get("refresh_token").is_none(), "not registered for it");
    let token = reply.member("access_token");
    let claims = payload(&token);
    let now = world.now().as_seconds();
    assert_eq!(claims["iss"], "https://edge.example/test");
    assert_eq!((&claims["sub"], &claims["client_id"]), (&client.0.clone().into(), &client.0.clone().into()));
    assert_eq!(claims["aud"], "https://edge.example");
    assert_eq!(
        (claims["iat"].as_u64(), claims["exp"].as_u64(), claims["idle"].as_u64()),
        (Some(now), Some(now + 3600), Some(60))
    );
    assert!(claims["jti"].is_string() && claims["sid"].is_string());
    let header: Value =
        serde_json::from_slice(&from_base64url(token.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!((&header["typ"], &header["alg"]), (&"at+jwt".into(), &"ES256".into()));
}

#[test]
fn a_refresh_token_comes_only_where_the_client_is_registered_for_it() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let client = register(&edge, "test", "orders:read", r#""client_credentials","refresh_token""#);
    let (reply, _) = call(&edge, &token_request("test", &client, ""));
    assert!(reply.member("refresh_token").starts_with("tgr_"));
}

#[test]
fn rfc6749_section_5_2_errors_of_the_token_endpoint() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let client = register(&edge, "test", "orders:read", r#""client_credentials""#);
    let other = register(&edge, "test", "orders:read", r#""client_credentials""#);
    let at = "https://edge.example/test/oauth/token";
    let good = format!("client_id={}&client_secret={}", client.0, client.1);
    for (request, want) in [
        (Call::form(at, ""), (401, "invalid_client")),
        (Call::form(at, &good), (400, "invalid_request")),
        (Call::form(at, format!("{good}&grant_type=code")), (400, "unsupported_grant_type")),
        (Call::form(at, format!("{good}&grant_type=password")), (400, "unsupported_grant_type")),
        (
            Call::form(at, format!("{good}&grant_type=client_credentials&scope=orders:admin")),
            (400, "invalid_scope"),
        ),
        (Call::form(at, format!("{good}&grant_type=client_credentials&scope=a++b")), (400, "invalid_scope")),
        (
            Call::form(at, format!("{good}&grant_type=client_credentials&grant_type=x")),
            (400, "invalid_request"),
        ),
        (Call::form(at, "x".repeat(17_000)), (400, "invalid_request")),
        (Call::json(at, "{}"), (400, "invalid_request")),
        (Call::form(format!("{at}?client_secret=x"), &good), (400, "invalid_request")),
        (
            Call::form(at, format!("{good}&grant_type=client_credentials"))
                .header("authorization", "Basic YTpi"),
            (400, "invalid_request"),
        ),
        (token_request("test", &(client.0.clone(), other.1.clone()), ""), (401, "invalid_client")),
        (token_request("test", &("nobody".to_owned(), other.1.clone()), ""), (401, "invalid_client")),
        (token_request("sandbox", &client, ""), (401, "invalid_client")),
        // A stranger does not learn which scopes a client has.
        (token_request("test", &(client.0.clone(), other.1), "&scope=orders:admin"), (401, "invalid_client")),
    ] {
        let (reply, _) = call(&edge, &request);
        assert_eq!(error(&reply), (want.0, want.1.to_owned()), "{request:?}");
        assert_eq!(reply.answer().header("cache-control"), Some("no-store"));
    }
    let (reply, _) = call(&edge, &Call::get(at));
    assert_eq!((reply.status(), reply.answer().header("allow")), (405, Some("POST")));
}

#[test]
fn registration_is_guarded_and_refuses_what_it_does_not_know() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let at = "https://edge.example/test/api/v1/clients";
    let good = r#"{"client_name":"Test","scope":"orders:read"}"#;
    for request in [Call::json(at, good), Call::json(at, good).header("authorization", "operator")] {
        let (reply, _) = call(&edge, &request);
        assert_eq!(
            (reply.status(), reply.answer().header("www-authenticate")),
            (401, Some(r#"Bearer realm="tollgate""#))
        );
    }
    let reply = call(&edge, &Call::json(at, good).bearer("wrong")).0;
    let said = reply.answer().header("www-authenticate");
    assert_eq!((reply.status(), said), (401, Some(r#"Bearer error="invalid_token""#)));
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"client_name":""}"#,
        r#"{"client_name":"a","client_name":"b"}"#,
        r#"{"client_name":"a","scope":"nope"}"#,
        r#"{"client_name":"a","admin":true}"#,
        r#"{"client_name":"a","grant_types":["refresh_token"]}"#,
        r#"{"client_name":"a","grant_types":["password"]}"#,
        r#"{"client_name":"a\u0007"}"#,
    ] {
        assert_eq!(
            error(&call(&edge, &Call::json(at, bad).bearer("operator")).0),
            (400, "invalid_client_metadata".to_owned()),
            "{bad}"
        );
    }
}

#[test]
fn plain_http_is_refused_unless_the_realm_allows_it() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    assert_eq!(call(&edge, &Call::get("http://edge.example/test/jwks")).0.status(), 403);
    assert_eq!(call(&edge, &Call::get("http://127.0.0.1:8787/local/jwks")).0.status(), 200);
    assert_eq!(
        call(&edge, &Call::get("http://edge.example/local/jwks")).0.status(),
        403,
        "only on this machine"
    );
    assert_eq!(call(&edge, &Call::get("http://edge.example/health")).0.status(), 403);
    assert_eq!(call(&edge, &Call::get("http://[::1]:8787/health")).0.status(), 200);
}
