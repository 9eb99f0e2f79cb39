//! HTTPS only: what is refused, who is sent on, and what browsers are told.

use super::CONFIG;
use crate::fakes::{Call, World, at_once, call};

const STRICT: &str = "Strict-Transport-Security";

#[test]
fn people_who_type_an_address_are_sent_on_to_https() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    for path in
        ["/test/account", "/test/register?x=%0d%0a", "/test/reset", "/test/console", "/test/console/people"]
    {
        let url = format!("https://edge.example{path}");
        let (reply, _) = call(&edge, &Call::get(url.clone()).over_http());
        let answer = reply.answer();
        assert_eq!((answer.status, answer.header("Location")), (308, Some(url.as_str())));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert_eq!(answer.header(STRICT), None, "RFC 6797 section 7.2: not over plain HTTP");
        assert!(world.log.borrow().last().unwrap().contains(r#""reason":"refuse_http","status":308"#));
    }
    // The port is the issuer's, not the request's; the path is the one that was read.
    let (reply, _) = call(&edge, &Call::get("http://edge.example:8080/test/%61ccount"));
    assert_eq!(reply.answer().header("Location"), Some("https://edge.example/test/account"));
}

#[test]
fn what_may_hold_a_credential_is_refused_over_http_and_never_sent_on() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let refused = |call_: Call, why: &str| {
        let (reply, _) = call(&edge, &call_);
        let answer = reply.answer();
        assert_eq!((answer.status, answer.header("Location")), (403, None), "{why}");
        assert_eq!(answer.header(STRICT), None, "{why}");
    };
    for path in [
        "/test/oauth/authorize?client_id=a",
        "/test/oauth/logout?id_token_hint=x",
        "/test/oauth/userinfo",
        "/test/federation/corp/callback?code=x",
        "/test/console/callback?code=x",
        "/test/reset/confirm?token=x",
        "/test/register/confirm?token=x",
        "/test/verify?token=x",
        "/test/api/v1/me",
        "/test/jwks",
        "/test/.well-known/openid-configuration",
        "/test/nothing",
        "/orders/1",
        "/health",
        "/_tollgate/check",
    ] {
        refused(Call::get(format!("http://edge.example{path}")).bearer("x.y.z"), path);
    }
    refused(Call::form("http://edge.example/test/account", "a=b"), "a form");
    refused(Call::form("http://edge.example/test/oauth/token", "a=b"), "a token request");
    refused(Call::get("http://evil.example/test/account"), "another host than the issuer's");
    refused(Call::get("http://evil.example/local/account"), "an issuer that has no HTTPS");
}

#[test]
fn rfc6797_browsers_are_told_over_https_only_and_not_of_this_machine() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let told = |url: &str| {
        let (reply, _) = call(&edge, &Call::get(url));
        reply.answer().header(STRICT).map(str::to_owned)
    };
    let said = Some("max-age=63072000".to_owned());
    for path in
        ["/test/jwks", "/test/account", "/test/oauth/token", "/healthz", "/orders/1", "/nowhere", "//"]
    {
        assert_eq!(told(&format!("https://edge.example{path}")), said, "{path}");
    }
    for url in [
        "https://edge.example/_tollgate/check",
        "https://localhost/test/jwks",
        "http://127.0.0.1:8787/local/jwks",
        "http://edge.example/healthz",
    ] {
        assert_eq!(told(url), None, "{url}");
    }
    let fast = at_once(&edge, &Call::get("https://edge.example/orders/1")).unwrap();
    assert_eq!(fast.answer().header(STRICT), said.as_deref(), "at once as well");
}
