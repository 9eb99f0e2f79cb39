//! What is said of a request: which route, which check failed, and why.

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use serde_json::{Value, json};
use tollgate::encoding::base64url;
use tollgate::id::KeyId;
use tollgate::policy_check::{Explained, Input, explain};

use super::document;
use crate::fakes::World;

const NOW: u64 = 1_800_000_000;
const JWKS: &str = "https://gate.example/test/jwks";

fn key() -> SigningKey {
    World::signing_key(&"test".parse().unwrap())
}

fn kid() -> KeyId {
    World::public_key(&key()).id().unwrap().clone()
}

fn jwks() -> Value {
    json!({ "keys": [World::public_key(&key())] })
}

/// A token of realm `test`, with some of header and claims changed; `null` removes one.
fn token(header: &Value, claims: &Value) -> String {
    let mut parts = [
        json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid() }),
        json!({
            "iss": "https://gate.example/test", "sub": "ada", "client_id": "c", "aud": "https://api.example", "jti": "1",
            "iat": NOW - 10, "exp": NOW + 290, "scope": "customers:read", "roles": ["reporting"],
            "sid": format!("{}.{}", base64url(&[1; 32]), base64url(&[2; 16])),
        }),
    ];
    for (part, change) in parts.iter_mut().zip([header, claims]) {
        let members = part.as_object_mut().unwrap();
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => drop(members.remove(name)),
                value => drop(members.insert(name.clone(), value.clone())),
            }
        }
    }
    let input = parts.map(|part| base64url(part.to_string().as_bytes())).join(".");
    let signature: p256::ecdsa::Signature = key().sign(input.as_bytes());
    format!("{input}.{}", base64url(&signature.to_bytes()))
}

fn good() -> String {
    token(&json!({}), &json!({}))
}

/// What is asked, with some members changed.
fn ask(change: &Value) -> (Value, String) {
    let mut input = json!({
        "config": document().to_string(), "method": "GET", "url": "https://gate.example/customers/7", "at": NOW, "jwks": jwks(),
    });
    input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let input: Input = serde_json::from_value(input).unwrap();
    let explained = explain(&input).unwrap_or_else(|problem| panic!("{problem}"));
    let text = explained.to_string();
    for secret in input.token.iter().flat_map(|token| [token.as_str(), token.rsplit('.').next().unwrap()]) {
        assert!(
            !text.contains(secret) && !serde_json::to_string(&explained).unwrap().contains(secret),
            "{text}"
        );
    }
    (serde_json::to_value(&explained).unwrap(), text)
}

/// The checks with this state.
fn checks<'v>(explained: &'v Value, state: &str) -> Vec<&'v str> {
    let steps = explained["checks"].as_array().unwrap().iter();
    steps.filter(|step| step["state"] == state).map(|step| step["check"].as_str().unwrap()).collect()
}

#[test]
fn what_passes_says_what_the_upstream_gets() {
    let (said, text) =
        ask(&json!({ "token": good(), "headers": { "X-Tollgate-Subject": "somebody", "Accept": "*/*" } }));
    assert_eq!((&said["decision"], &said["route"]["id"]), (&json!("pass"), &json!("read")));
    assert!(checks(&said, "failed").is_empty() && checks(&said, "not_reached").is_empty(), "{text}");
    assert_eq!(checks(&said, "assumed"), ["session"]);
    assert_eq!(said["assumed"], json!(["session"]));
    let upstream = &said["upstream"];
    assert_eq!(upstream["url"], "https://gate.example/customers/7");
    assert_eq!(upstream["binding"], "ORIGIN");
    assert_eq!(upstream["set"]["x-tollgate-subject"], "ada");
    assert_eq!(upstream["removed"], json!(["authorization", "x-tollgate-subject"]));
    assert_eq!(upstream["fields"], json!(["id", "name"]));
    for line in [
        "route    `read`: GET /customers/{id}",
        "  ok       scopes        `customers:read`; has `customers:read`",
        "  assumed  session",
        "verdict  passes, if what was not asked is so:",
        "         ! nobody was asked whether its session is alive",
        "         x-tollgate-roles: reporting",
        "fields   id, name",
    ] {
        assert!(text.lines().any(|said| said.starts_with(line)), "{line}\n{text}");
    }
}

#[test]
fn without_a_route_the_nearest_are_told() {
    let (said, text) = ask(&json!({ "url": "https://gate.example/customer/7", "token": good() }));
    assert_eq!(
        (&said["decision"], &said["reason"], &said["answer"]["status"]),
        (&json!("refuse"), &json!("no_route"), &json!(404))
    );
    assert_eq!(said["nearest"][0]["id"], "read");
    assert_eq!(
        said["nearest"][0]["differs"],
        json!(["the path is `/customer/7`, and not like `/customers/{id}`"])
    );
    assert_eq!(checks(&said, "failed"), ["route"]);
    assert!(text.contains("  near   `read`: GET /customers/{id}\n"), "{text}");

    let (said, _) = ask(&json!({ "method": "DELETE" }));
    assert_eq!(said["nearest"][0]["differs"], json!(["the method is DELETE, and not GET"]));
    let (said, _) = ask(&json!({ "method": "TRACE" }));
    assert_eq!(said["nearest"][0]["differs"], json!(["the method is TRACE, and not GET"]));

    let (said, _) = ask(&json!({ "method": "POST", "url": "https://other.example:8443/v1/customers/7" }));
    assert_eq!(said["nearest"][0]["id"], "write");
    assert_eq!(said["nearest"][0]["differs"], json!(["the host is `other.example`, and not `api.example`"]));

    let (said, _) = ask(&json!({ "url": "https://gate.example/nothing/like/it" }));
    assert!(said.get("nearest").is_none(), "{said}");
    let (said, text) = ask(&json!({ "url": "https://gate.example/test/jwks" }));
    assert_eq!(
        (&said["decision"], &said["own"]),
        (&json!("own"), &json!("the endpoint `jwks` of realm `test`")),
        "{text}"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_wrong_with_a_request_has_its_check_and_its_words() {
    let of = |claims: Value| json!({ "token": token(&json!({}), &claims) });
    let other = |url: &str, token: Value| json!({ "method": "POST", "url": url, "token": token });
    let bearer = |error: &str| Some(format!(r#"Bearer error="{error}""#));
    for (change, check, reason, status, challenge, words) in [
        (
            json!({}),
            "credential",
            "miss_token",
            401,
            Some(r#"Bearer realm="tollgate""#.to_owned()),
            "there is no token where the route looks for one: header",
        ),
        (of(json!({ "exp": NOW - 60 })), "time", "expire_token", 401, bearer("invalid_token"), "60 s ago"),
        (
            of(json!({ "aud": "https://other.example" })),
            "audience",
            "reject_audience",
            401,
            bearer("invalid_token"),
            "for `https://other.example`; wanted: `https://api.example`",
        ),
        (
            of(json!({ "iss": "https://stranger.example" })),
            "issuer",
            "untrusted_issuer",
            401,
            bearer("invalid_token"),
            "the token's `iss` is nobody's that the configuration names; the route accepts `https://gate.example/test`, `https://accounts.example`",
        ),
        (
            of(json!({ "iss": "https://gate.example/other" })),
            "issuer",
            "reject_issuer",
            401,
            bearer("invalid_token"),
            "`https://gate.example/other` is trusted, and not here",
        ),
        (
            of(json!({ "scope": null })),
            "scopes",
            "lack_scope",
            403,
            Some(r#"Bearer error="insufficient_scope", scope="customers:read""#.to_owned()),
            "lacks `customers:read`; has none",
        ),
        (
            of(json!({ "roles": ["clerk"] })),
            "abilities",
            "lack_ability",
            403,
            bearer("insufficient_scope"),
            "has `clerk`, which have no ability",
        ),
        (
            other(
                "https://api.example/v1/customers/7",
                json!(token(&json!({}), &json!({ "scope": "customers:write" }))),
            ),
            "roles",
            "lack_role",
            403,
            bearer("insufficient_scope"),
            "wanted: `owner` or `clerk`; has `reporting`",
        ),
        (
            json!({ "url": "http://gate.example/customers/7", "token": good() }),
            "https",
            "refuse_http",
            403,
            None,
            "plain HTTP counts only where",
        ),
        (
            json!({ "url": "https://gate.example/customers/a%2fb" }),
            "path",
            "malform_path",
            400,
            None,
            "two servers could read it differently",
        ),
        (json!({ "token": "opaque" }), "shape", "malform_token", 401, bearer("invalid_token"), ""),
        (
            json!({ "headers": { "Authorization": "Bearer a b" } }),
            "credential",
            "malform_credentials",
            400,
            bearer("invalid_request"),
            "there is not exactly one token",
        ),
        (
            json!({ "token": format!("{}AA", good()) }),
            "signature",
            "reject_signature",
            401,
            bearer("invalid_token"),
            "",
        ),
        (
            json!({ "token": good(), "jwks": { "keys": [] } }),
            "key",
            "unknown_key",
            401,
            bearer("invalid_token"),
            "for ES256",
        ),
    ] {
        let (said, text) = ask(&change);
        assert_eq!(checks(&said, "failed"), [check], "{text}");
        assert_eq!((&said["reason"], &said["answer"]["status"]), (&json!(reason), &json!(status)), "{text}");
        assert_eq!(
            said["answer"].get("www_authenticate").and_then(Value::as_str),
            challenge.as_deref(),
            "{text}"
        );
        let line = text.lines().find(|line| line.starts_with("  FAILED ")).unwrap();
        assert!(line.contains(check) && line.contains(words), "{words}\n{line}");
        assert!(text.contains(&format!("verdict  refused: {reason}\n")), "{text}");
    }
}

/// What is wrong with a token, in the order in which it is found out: its check, and what has to be changed in header and claims.
fn faults() -> Vec<(&'static str, Value, Value)> {
    vec![
        ("issuer", json!({}), json!({ "iss": "https://stranger.example" })),
        ("type", json!({ "typ": "JWT" }), json!({})),
        ("algorithm", json!({ "alg": "none" }), json!({})),
        ("claims", json!({}), json!({ "scope": 7 })),
        ("audience", json!({}), json!({ "aud": "https://other.example" })),
        ("time", json!({}), json!({ "exp": NOW - 60 })),
        ("binding", json!({}), json!({ "cnf": {} })),
        ("complete", json!({}), json!({ "jti": null })),
        ("session name", json!({}), json!({ "sid": null })),
        ("key", json!({ "kid": "other" }), json!({})),
        ("roles", json!({}), json!({ "roles": ["nobody"] })),
    ]
}

#[test]
fn of_two_things_that_are_wrong_the_first_is_told_and_the_others_are_not_reached() {
    let merged = |a: &Value, b: &Value| {
        let mut both = a.clone();
        both.as_object_mut().unwrap().extend(b.as_object().unwrap().clone());
        both
    };
    let faults = faults();
    for (at, (first, header, claims)) in faults.iter().enumerate() {
        for (second, other_header, other_claims) in faults.iter().skip(at) {
            let both = token(&merged(other_header, header), &merged(other_claims, claims));
            let scope = if *first == "claims" || *second == "claims" {
                both
            } else {
                token(
                    &merged(other_header, header),
                    &merged(&merged(&json!({ "scope": "customers:write" }), other_claims), claims),
                )
            };
            let (said, text) =
                ask(&json!({ "method": "PUT", "url": "https://api.example/v1/customers/7", "token": scope }));
            assert_eq!(checks(&said, "failed"), [*first], "{first} {second}\n{text}");
            let not_reached = checks(&said, "not_reached");
            assert!(
                first == second || *first == "issuer" || not_reached.contains(second),
                "{first} {second}\n{text}"
            );
            assert!(!not_reached.contains(first), "{text}");
        }
    }
}

#[test]
fn what_expired_is_told_what_else_is_missing() {
    let (_, text) =
        ask(&json!({ "token": token(&json!({}), &json!({ "exp": NOW - 60, "iat": NOW - 600 })) }));
    assert!(text.contains("! before it expired it would have passed\n"), "{text}");
    assert!(text.contains("! what the token says is not proved"), "{text}");
    let (_, text) = ask(
        &json!({ "token": token(&json!({}), &json!({ "exp": NOW - 60, "iat": NOW - 600, "roles": ["clerk"] })) }),
    );
    assert!(
        text.contains("! before it expired it would have been refused as well: lack_ability\n"),
        "{text}"
    );
    let (said, _) = ask(&json!({ "token": good(), "at": NOW + 1000 }));
    assert_eq!(said["reason"], "expire_token", "the time is an argument");
}

#[test]
fn keys_are_asked_for_where_the_validator_would_and_assumed_where_there_are_none() {
    let without = |pages: Value, token: &str| {
        let (said, text) = ask(&json!({ "token": token, "jwks": null, "pages": pages }));
        (said, text)
    };
    assert_eq!(without(json!({}), &good()).0, json!({ "needs": [JWKS] }));
    // Nobody's keys are asked for that do not count here.
    let stranger = token(&json!({}), &json!({ "iss": "https://gate.example/other" }));
    assert_eq!(without(json!({}), &stranger).0["reason"], "reject_issuer");
    let (said, _) = without(json!({ JWKS: { "text": jwks().to_string() } }), &good());
    assert_eq!((&said["decision"], &said["assumed"]), (&json!("pass"), &json!(["session"])));
    let (said, text) = without(json!({ JWKS: { "failed": "status 404" } }), &good());
    assert_eq!((&said["decision"], &said["assumed"]), (&json!("pass"), &json!(["session", "signature"])));
    assert_eq!(checks(&said, "assumed"), ["key", "signature", "session"]);
    assert!(text.contains("verdict  passes, if what was not asked is so:\n"), "{text}");
    assert!(
        text.contains(&format!(
            "! the signature was not checked: goes on as if it was good ({JWKS}: status 404)\n"
        )),
        "{text}"
    );
    // What is assumed is the signature, and nothing else.
    let few = token(&json!({}), &json!({ "scope": "other" }));
    let (said, text) = without(json!({ JWKS: { "failed": "status 404" } }), &few);
    assert_eq!((&said["decision"], &said["reason"]), (&json!("refuse"), &json!("lack_scope")), "{text}");
    assert!(text.contains("! the signature was not checked"), "{text}");
}

#[test]
fn metadata_lead_to_keys_and_introspection_is_handed_in() {
    let mut document = document();
    let issuer = json!({ "issuer": "https://described.example", "discovery": "openid", "audiences": ["https://api.example"], "introspection": { "endpoint": "https://described.example/i", "client_id": "g", "client_secret_name": "S" } });
    document["issuers"].as_array_mut().unwrap().push(issuer);
    document["routes"][0]["require"]["issuers"] = json!(["https://described.example"]);
    let token = token(&json!({}), &json!({ "iss": "https://described.example" }));
    let (metadata, keys) =
        ("https://described.example/.well-known/openid-configuration", "https://described.example/keys");
    let described = json!({ "issuer": "https://described.example", "jwks_uri": keys }).to_string();
    let ask_of = |change: Value| {
        let mut input = json!({ "config": document.to_string(), "jwks": null, "token": token });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        ask(&input)
    };
    assert_eq!(ask_of(json!({})).0, json!({ "needs": [metadata] }));
    let mut pages = json!({ metadata: { "text": described } });
    assert_eq!(ask_of(json!({ "pages": pages })).0, json!({ "needs": [keys] }));
    pages[keys] = json!({ "text": jwks().to_string() });
    let (said, _) = ask_of(json!({ "pages": pages }));
    assert_eq!((&said["decision"], &said["assumed"]), (&json!("pass"), &json!(["active"])));
    let (said, _) = ask_of(
        json!({ "pages": pages, "introspection": { "active": true, "sub": "ada", "aud": "https://api.example", "scope": "customers:read" } }),
    );
    assert_eq!((&said["decision"], said.get("assumed")), (&json!("pass"), None));
    for (answer, reason) in [
        (json!({ "active": false }), "inactive_token"),
        (
            json!({ "active": true, "sub": "ada", "aud": "https://api.example", "scope": "other" }),
            "lack_scope",
        ),
    ] {
        assert_eq!(ask_of(json!({ "pages": pages, "introspection": answer })).0["reason"], reason);
    }
    // An opaque token is the issuer's to read.
    let (said, text) = ask_of(json!({ "token": "opaque" }));
    assert_eq!(said["decision"], "unknown", "{text}");
    assert!(
        text.contains("  UNKNOWN  inquiry")
            && text.contains("verdict  cannot be said here: introspect: nobody is asked"),
        "{text}"
    );
}

#[test]
fn nothing_of_a_token_in_an_address_is_shown() {
    let token = token(&json!({}), &json!({ "scope": "customers:write", "roles": ["owner"] }));
    let url = format!("https://api.example/v1/customers/7?a=b&access_token={token}");
    let (said, text) = ask(&json!({ "method": "PUT", "url": url, "headers": { "cookie": "s=secret" } }));
    assert_eq!(
        (&said["decision"], &said["upstream"]["url"]),
        (&json!("pass"), &json!("https://upstream.example/base/customers/7?a=b")),
        "{text}"
    );
    assert!(
        !text.contains(&token) && !text.contains("s=secret") && text.contains("access_token=(hidden)"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_asked_is_a_sentence() {
    for (name, value, want) in [
        ("url", json!("/orders"), "URL: `/orders` is no address"),
        ("url", json!("ftp://gate.example/"), "URL has to begin with https:// or http://"),
        ("config", json!("{}x"), "error: (document): not readable as JSON"),
    ] {
        let mut input = json!({ "config": "{}", "method": "GET", "url": "https://gate.example/", "at": NOW });
        input[name] = value;
        let problem =
            explain(&serde_json::from_value::<Input>(input).unwrap()).map(|_: Explained| ()).unwrap_err();
        assert!(problem.starts_with(want), "{problem}");
    }
}
