//! Which fields of an answer come back: what a plan says of them, by the roles of whoever asks.

use serde_json::json;
use tollgate::config::Config;

use super::token_request;
use crate::fakes::{Call, Edge, OPERATOR, Reply, World, at_once, call};

const CONFIG: &str = r#"{
    "realms": { "test": { "issuer": "https://edge.example/test" } },
    "scopes": { "customers:read": { "description": "Read customers" } },
    "roles": {
        "owner": { "abilities": ["customers:identify", "customers:contact"] },
        "reporting": { "abilities": ["customers:identify"] },
        "guest": {}
    },
    "routes": [
        { "id": "customers", "methods": ["GET"], "path": "/customers/{id}", "require": { "scopes": ["customers:read"] }, "to": { "service": "ORIGIN" },
          "fields": { "customers:identify": ["id", "name"], "customers:contact": ["email", "addresses", "id"] } },
        { "id": "list", "methods": ["GET"], "path": "/customers", "require": { "scopes": ["customers:read"] }, "to": { "service": "ORIGIN" },
          "fields": { "customers:identify": ["items.id"] }, "without_fields": "empty" },
        { "id": "report", "methods": ["GET"], "path": "/report", "require": { "roles": ["reporting", "owner"] }, "to": { "service": "ORIGIN" } }
    ]
}"#;

/// A token of a client with these roles.
fn token(edge: &Edge<'_>, roles: &[&str]) -> String {
    let said = json!({ "client_name": "Job", "scope": "customers:read", "grant_types": ["client_credentials"], "roles": roles });
    let made = call(
        edge,
        &Call::json("https://edge.example/test/api/v1/clients", said.to_string()).bearer(OPERATOR),
    )
    .0;
    assert_eq!(made.status(), 201, "{}", made.answer().body);
    let client = (made.member("client_id"), made.member("client_secret"));
    call(edge, &token_request("test", &client, "")).0.member("access_token")
}

fn get(edge: &Edge<'_>, path: &str, token: &str) -> Reply {
    call(edge, &Call::get(format!("https://edge.example{path}")).bearer(token)).0
}

/// The fields that come back, in one line; or how it is refused.
fn seen(edge: &Edge<'_>, path: &str, token: &str) -> Result<Option<String>, u16> {
    match get(edge, path, token) {
        Reply::Forwarded { onward, .. } => Ok(onward.seen.map(|paths| paths.join(" "))),
        Reply::Answered(answer) => {
            assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer error="insufficient_scope""#));
            Err(answer.status)
        }
    }
}

#[test]
fn whoever_has_several_roles_sees_what_any_of_them_does() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let [owner, reporting, guest, nobody, both] =
        [&["owner"][..], &["reporting"], &["guest"], &[], &["guest", "reporting"]]
            .map(|roles| token(&edge, roles));
    let fields = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(seen(&edge, "/customers/7", &owner), fields("addresses email id name"));
    for token in [&reporting, &both] {
        assert_eq!(seen(&edge, "/customers/7", token), fields("id name"));
    }
    for token in [&guest, &nobody] {
        assert_eq!(seen(&edge, "/customers/7", token), Err(403));
        assert_eq!(seen(&edge, "/customers", token), fields(""), "the route says so");
        assert_eq!(seen(&edge, "/report", token), Err(403), "it needs a role");
    }
    assert_eq!(seen(&edge, "/report", &owner), Ok(None), "it is answered as it comes");
    // The quick way says the same.
    let request = Call::get("https://edge.example/customers/7").bearer(&reporting);
    let Some(Reply::Forwarded { onward, .. }) = at_once(&edge, &request) else { panic!("it can wait") };
    assert_eq!(onward.seen.unwrap(), ["id", "name"]);
}

#[test]
fn nobody_gets_a_part_of_bytes_that_were_another_document() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let owner = token(&edge, &["owner"]);
    let removed = |path: &str| {
        let request = Call::get(format!("https://edge.example{path}"))
            .header("range", "bytes=0-10")
            .header("if-range", "\"x\"")
            .header("If-None-Match", "\"x\"")
            .header("if-modified-since", "Thu, 26 Nov 2026 22:00:00 GMT")
            .header("if-match", "\"x\"")
            .bearer(&owner);
        let Reply::Forwarded { onward, .. } = call(&edge, &request).0 else { panic!() };
        onward
            .remove
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .filter(|name| name.starts_with("if-") || name == "range")
            .count()
    };
    assert_eq!((removed("/customers/7"), removed("/report")), (5, 0));
}

#[test]
fn a_proxy_that_only_asks_is_refused_what_it_could_not_redact() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let owner = token(&edge, &["owner"]);
    let check = |uri: &str| {
        let request = Call::get("https://edge.example/_tollgate/check")
            .header("x-original-method", "GET")
            .header("x-original-uri", uri);
        call(&edge, &request.bearer(&owner)).0.status()
    };
    assert_eq!((check("/customers/7"), check("/report")), (403, 200));
}

#[test]
fn what_the_configuration_may_not_say() {
    for (from, to, want) in [
        (r#"{ "customers:identify": ["items.id"] }"#, "{}", "routes[1].fields: is empty; name an ability"),
        (
            r#""customers:contact": ["email""#,
            r#""customers:contct": ["email""#,
            "routes[0].fields.customers:contct: no role has the ability `customers:contct`; add it",
        ),
        (r#"["id", "name"]"#, "[]", "routes[0].fields.customers:identify: is empty; name at least one field"),
        (
            r#"["id", "name"]"#,
            r#"["id", "a..b"]"#,
            "routes[0].fields.customers:identify[1]: not a well-formed field path",
        ),
        (
            r#""items.id""#,
            r#""items*""#,
            "routes[1].fields.customers:identify[0]: not a well-formed field path",
        ),
        (
            r#""without_fields": "empty""#,
            r#""without_fields": "open""#,
            "routes[1].without_fields: unknown variant `open`",
        ),
        (
            r#""fields": { "customers:identify": ["items.id"] }, "#,
            "",
            "routes[1].without_fields: is about `fields`, which are not there",
        ),
        (
            r#""require": { "scopes": ["customers:read"] }"#,
            r#""anonymous": true"#,
            "routes[0].fields: nobody has abilities where everybody may pass",
        ),
        (
            r#"["reporting", "owner"]"#,
            r#"["reportin"]"#,
            "routes[2].require.roles[0]: there is no role `reportin`; add it",
        ),
        (
            r#"["customers:identify"] }"#,
            r#"["customers identify"] }"#,
            "roles.reporting.abilities[0]: not a well-formed",
        ),
    ] {
        assert!(CONFIG.contains(from), "{from}");
        let errors = Config::parse(&CONFIG.replacen(from, to, 1)).err().unwrap_or_default();
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert!(errors.iter().any(|error| error.starts_with(want)), "{want}: {errors:#?}");
    }
}
