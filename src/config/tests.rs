//! Each error has its path and a way to mend it.

use super::*;
use crate::time::Lifetime;
use crate::token::Algorithm;

fn errors(text: &str) -> Vec<String> {
    Config::parse(text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// A good document with one place changed.
fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    errors(&GOOD.replacen(from, to, 1))
}

const GOOD: &str = r#"{
    "realms": { "test": { "issuer": "http://127.0.0.1:8787/test", "allow_http": true, "idle_seconds": 1200 } },
    "scopes": { "a:read": { "description": "Read" }, "a:admin": { "description": "All", "implies": ["a:read"] } },
    "routes": [
        { "id": "one", "methods": ["GET"], "path": "/a/{id}", "require": { "scopes": ["a:read"] }, "to": { "service": "ORIGIN" } },
        { "id": "two", "methods": ["GET"], "path": "/health", "anonymous": true, "to": { "url": "https://origin.example.com" } }
    ]
}"#;

#[test]
fn rfc6797_section_6_1_what_browsers_are_told_is_of_this_host_unless_more_is_asked_for() {
    assert_eq!(Config::parse(GOOD).unwrap().strict_transport(), Some("max-age=63072000"));
    let document =
        |said: &str| GOOD.replacen('{', &format!(r#"{{ "strict_transport_security": "{said}","#), 1);
    for said in
        ["max-age=0", "max-age=300; includeSubDomains", "max-age=31536000; includeSubDomains; preload"]
    {
        assert_eq!(Config::parse(&document(said)).unwrap().strict_transport(), Some(said));
    }
    for bad in [
        "",
        "includeSubDomains",
        "max-age=",
        "max-age=+1",
        "max-age=01",
        "max-age=63072001",
        "max-age=1;includeSubDomains",
        "max-age=31536000; preload",
        "max-age=31535999; includeSubDomains; preload",
        "max-age=31536000; includeSubDomains; preload; preload",
        "max-age=1\\r\\nX: y",
    ] {
        let told = errors(&document(bad));
        assert!(told.len() == 1 && told[0].starts_with("strict_transport_security: "), "{bad}: {told:?}");
    }
}

#[test]
fn a_good_document_is_read() {
    let config = Config::parse(GOOD).unwrap();
    let realm = config.realm("test").unwrap();
    assert_eq!(realm.audience, "http://127.0.0.1:8787");
    assert_eq!(realm.pace.grain().as_seconds(), 15);
    assert_eq!((realm.keys.signing, realm.keys.fresh.as_seconds()), (Algorithm::Es256, 300));
    assert_eq!(realm.keys.rotates_after, Some(Lifetime::from_seconds(90 * 86_400)));
    let by_hand = GOOD.replacen(r#""idle_seconds": 1200"#, r#""rotation_seconds": null"#, 1);
    assert_eq!(Config::parse(&by_hand).unwrap().realm("test").unwrap().keys.rotates_after, None);
    assert!(config.trusted("http://127.0.0.1:8787/test").is_some());
    assert!(config.trusted("http://127.0.0.1:8787/test/").is_none());
    assert_eq!(config.routes().iter().count(), 2);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_error_has_its_path_and_a_mend() {
    for (from, to, want) in [
        (r#""allow_http": true"#, r#""allow_htp": true"#, "realms.test.allow_htp: unknown field `allow_htp`"),
        (r#""realms""#, r#""": [], "realms""#, "\"\": unknown field ``"),
        (
            r#""realms""#,
            r#""managed_from": "tset", "realms""#,
            "managed_from: there is no realm `tset`; add it under `realms`",
        ),
        (
            r#""scopes": ["a:read"] }"#,
            r#""scopes": ["a:read", 1] }"#,
            "routes[0].require.scopes[1]: invalid type: integer `1`, expected a string",
        ),
        (r#""id": "one", "#, "", "routes[0]: missing field `id`; add it"),
        (
            r#""allow_http": true"#,
            r#""allow_http": "yes""#,
            "realms.test.allow_http: invalid type: string \"yes\", expected a boolean",
        ),
        (
            r#""allow_http": true, "#,
            "",
            "realms.test.issuer: is plain http; use https, or set `allow_http` for this machine",
        ),
        (
            "http://127.0.0.1:8787/test",
            "http://example.com/test",
            "realms.test.issuer: is plain http; use https",
        ),
        (
            "http://127.0.0.1:8787/test",
            "http://127.0.0.1:8787/other",
            "realms.test.issuer: must end in the realm's name; write `http://127.0.0.1:8787/test`",
        ),
        (
            "http://127.0.0.1:8787/test",
            "http://127.0.0.1:8787/test/",
            "realms.test.issuer: must end in the realm's name",
        ),
        (
            r#""idle_seconds": 1200"#,
            r#""idle_seconds": 0"#,
            "realms.test.idle_seconds: 0 is out of range; use 1 to 2592000",
        ),
        (
            r#""idle_seconds": 1200"#,
            r#""signing": "none""#,
            "realms.test.signing: unknown variant `none`, expected one of `EdDSA`, `ES256`, `ML-DSA-65`, `PS256`, `RS256`; use one of those listed",
        ),
        (
            r#""idle_seconds": 1200"#,
            r#""jwks_seconds": 4"#,
            "realms.test.jwks_seconds: 4 is out of range; use 5 to 3600",
        ),
        (
            r#""idle_seconds": 1200"#,
            r#""rotation_seconds": 3909"#,
            "realms.test.rotation_seconds: 3909 is out of range; use 3910 to 31536000",
        ),
        (
            r#""idle_seconds": 1200"#,
            r#""jwks_seconds": 5, "access_token_seconds": 10, "rotation_seconds": 69"#,
            "realms.test.rotation_seconds: 69 is out of range; use 70 to 31536000",
        ),
        (
            r#""implies": ["a:read"]"#,
            r#""implies": ["b"]"#,
            "scopes.a:admin.implies[0]: there is no scope `b`; add it under `scopes`",
        ),
        (
            r#""scopes": ["a:read"]"#,
            r#""scopes": ["a:raed"]"#,
            "routes[0].require.scopes[0]: there is no scope `a:raed`",
        ),
        (
            r#""anonymous": true, "#,
            "",
            "routes[1]: who may pass is not said; add `require`, or `\"anonymous\": true`",
        ),
        (r#""service": "ORIGIN""#, "", "routes[0].to: has no target; give `service` or `url`"),
        ("/a/{id}", "/a/{id", "routes[0].path: not a well-formed path pattern"),
        ("/a/{id}", "/test/x", "routes[0].path: is below realm `test`; choose another first segment"),
        ("/a/{id}", "/health", "routes[1]: could match the same request as route `one` (routes[0])"),
        (r#""id": "two""#, r#""id": "one""#, "routes[1].id: `one` is taken by routes[0]; choose another"),
        (
            r#""methods": ["GET"], "path": "/a"#,
            r#""methods": [], "path": "/a"#,
            "routes[0].methods: is empty; name at least one method",
        ),
        (
            r#""path": "/a/{id}","#,
            r#""path": "/a/{id}", "cors": { "origins": ["*", "https://a.example"], "credentials": true },"#,
            "routes[0].cors.origins: `*` stands alone; remove it, or the others",
        ),
        (
            r#""path": "/a/{id}","#,
            r#""path": "/a/{id}", "cors": { "origins": ["*"], "credentials": true },"#,
            "routes[0].cors.credentials: would let every page use its visitors' cookies; name the origins",
        ),
        (
            r#""path": "/a/{id}","#,
            r#""path": "/a/{id}", "cors": { "origins": ["https://a.example/"] },"#,
            "routes[0].cors.origins[0]: is no origin as browsers write it",
        ),
        (
            r#""path": "/a/{id}","#,
            r#""path": "/a/{id}", "cors": { "origins": [] },"#,
            "routes[0].cors.origins: is empty; name an origin, or leave `cors` out",
        ),
        (
            r#""path": "/a/{id}","#,
            r#""path": "/a/{id}", "cors": { "origins": ["*"], "expose": ["a, b"] },"#,
            "routes[0].cors.expose[0]: is no header's name; use A-Z 0-9 - _ .",
        ),
        (
            r#""path": "/a/{id}","#,
            r#""path": "/a/{id}", "cors": { "origins": ["*"], "max_age_seconds": 7201 },"#,
            "routes[0].cors.max_age_seconds: 7201 is out of range; use 0 to 7200",
        ),
        (
            r#""path": "/a/{id}","#,
            r#""path": "/a/{id}", "limit": { "binding": "A-B" },"#,
            "routes[0].limit.binding: is no binding's name; use A-Z 0-9 _",
        ),
        (
            r#""path": "/a/{id}","#,
            r#""path": "/a/{id}", "limit": { "binding": "A", "period_seconds": 30 },"#,
            "routes[0].limit.period_seconds: the platform counts for 10 or for 60 seconds",
        ),
        (
            r#""path": "/health","#,
            r#""path": "/health", "limit": { "binding": "A" },"#,
            "routes[1].limit.by: nobody is known where everybody may pass; use `address`",
        ),
        (
            r#""service": "ORIGIN""#,
            r#""service": "ORIGIN", "headers": { "X-A": "a", "x-a": "b" }"#,
            "routes[0].to.headers.x-a: is written twice, in different cases; keep one",
        ),
        (
            r#""service": "ORIGIN""#,
            r#""service": "ORIGIN", "headers": { "Host": "a" }"#,
            "routes[0].to.headers.Host: not a well-formed header for a claim",
        ),
        (
            r#""service": "ORIGIN""#,
            r#""service": "ORIGIN", "headers": { "X-A": "/a~" }"#,
            "routes[0].to.headers.X-A: not a well-formed",
        ),
        (
            r#""scopes": ["a:read"] }, "to""#,
            r#""proof": "dpop", "token_in": ["query"] }, "to""#,
            "routes[0].require.proof: a token with a proof stands in the header; add `header` to `token_in`",
        ),
        (
            r#""scopes": ["a:read"] }, "to""#,
            r#""proof": "mtls", "issuers": ["test"] }, "to""#,
            "routes[0].require.proof: realms bind their tokens to keys, so nobody could pass",
        ),
        (
            r#""scopes": ["a:read"] }, "to""#,
            r#""acr": [] }, "to""#,
            "routes[0].require.acr: is empty; nothing could ever pass: name one, or leave it out",
        ),
        (
            r#""scopes": ["a:read"] }, "to""#,
            r#""acr": ["urn:tollgate:acr:password", "a\\b"] }, "to""#,
            "routes[0].require.acr[1]: is no name of a challenge; use 1 to 128 printable ASCII characters without space",
        ),
        (
            r#""scopes": ["a:read"] }, "to""#,
            r#""acr": ["gold"] }, "to""#,
            "routes[0].require.acr: no realm's token says any of these; nothing could ever pass: name one of acr_values_supported, such as `urn:tollgate:acr:password`",
        ),
        (
            r#""scopes": ["a:read"] }, "to""#,
            r#""max_age_seconds": 0 }, "to""#,
            "routes[0].require.max_age_seconds: 0 is out of range; use 1 to 31536000",
        ),
        (
            "https://origin.example.com",
            "http://origin.example.com",
            "routes[1].to.url: is plain http; use https",
        ),
    ] {
        let errors = changed(from, to);
        assert!(errors.iter().any(|error| error.starts_with(want)), "{want}\n{errors:#?}");
    }
}

#[test]
fn a_repeated_member_is_refused() {
    let errors = changed(r#""a:read": {"#, r#""a:read": { "description": "other" }, "a:read": {"#);
    assert!(errors[0].contains("`a:read` appears twice; keep one"), "{errors:?}");
}

#[test]
fn several_errors_come_in_one_run() {
    let text = GOOD.replace("/a/{id}", "a").replace(r#""idle_seconds": 1200"#, r#""idle_seconds": 0"#);
    assert_eq!(errors(&text).len(), 2);
}

#[test]
fn several_issuers_make_a_route_say_whose_tokens_count() {
    let two = GOOD.replace(
        r#""realms": {"#,
        r#""realms": { "sandbox": { "issuer": "https://api.example.com/sandbox" },"#,
    );
    let errors = errors(&two);
    assert!(errors[0].starts_with("routes[0].require.issuers: there are several realms; name those whose tokens count here, for example [\"sandbox\"]"), "{errors:?}");
    let said = two.replace(r#""scopes": ["a:read"] }"#, r#""scopes": ["a:read"], "issuers": ["test"] }"#);
    assert!(Config::parse(&said).is_ok());
    let wrong = two.replace(r#""scopes": ["a:read"] }"#, r#""scopes": ["a:read"], "issuers": ["tset"] }"#);
    assert!(Config::parse(&wrong).is_err());
}
