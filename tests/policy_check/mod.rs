//! Lints, tests beside the rules, and explanations: of configurations where something is wrong, and where nothing is.

mod explain;
mod lints;
mod trials;

use serde_json::{Value, json};
use tollgate::policy_check::{Report, check};

/// A document with nothing to say about: one of everything that lints look at.
fn document() -> Value {
    json!({
        "realms": {
            "test": { "issuer": "https://gate.example/test", "audience": "https://api.example" },
            "other": { "issuer": "https://gate.example/other", "audience": "https://api.example" }
        },
        "issuers": [{ "issuer": "https://accounts.example", "jwks_uri": "https://accounts.example/jwks", "audiences": ["https://api.example"] }],
        "roles": {
            "owner": { "abilities": ["customers:identify", "customers:contact"] },
            "reporting": { "abilities": ["customers:identify"] },
            "clerk": {}
        },
        "scopes": {
            "customers:read": { "description": "Read customers." },
            "customers:write": { "description": "Change customers.", "implies": ["customers:read"] }
        },
        "routes": [
            {
                "id": "read", "methods": ["GET"], "path": "/customers/{id}",
                "require": { "scopes": ["customers:read"], "issuers": ["test", "https://accounts.example"] },
                "to": { "service": "ORIGIN" },
                "fields": { "customers:identify": ["id", "name"], "customers:contact": ["email", "addresses"] },
                "tests": [
                    { "request": { "path": "/customers/7" }, "token": { "scope": "customers:read", "roles": ["owner"] }, "expect": { "decision": "pass", "sees": ["id", "name", "email", "addresses"] } },
                    { "request": { "path": "/customers/7" }, "token": { "scope": "customers:write", "roles": ["reporting"] }, "expect": { "decision": "pass", "sees": ["name", "id"] } },
                    { "request": { "path": "/customers/7" }, "token": { "scope": "customers:read", "roles": ["clerk"] }, "expect": { "decision": "refuse", "status": 403, "reason": "lack_ability" } }
                ]
            },
            {
                "id": "write", "host": "api.example", "methods": ["PUT", "POST"], "path": "/v1/customers/*",
                "require": { "scopes": ["customers:write"], "roles": ["owner", "clerk"], "issuers": ["test"], "token_in": ["header", "query", "form", "cookie:t", "header:x-token"] },
                "to": { "url": "https://upstream.example/base", "strip_prefix": "/v1", "timeout_seconds": 3 },
                "tests": [
                    { "name": "a clerk writes", "request": { "path": "/v1/customers/7", "query": "a=b" }, "token": { "scope": "customers:write", "roles": ["clerk"] }, "expect": { "decision": "pass", "upstream_path": "/base/customers/7?a=b", "headers": { "X-Tollgate-Roles": "clerk", "authorization": null, "cache-control": "no-store" } } },
                    { "request": { "path": "/v1/customers/7" }, "token": { "scope": "customers:write" }, "expect": { "decision": "refuse", "reason": "lack_role" } }
                ]
            },
            { "id": "health", "methods": ["GET"], "path": "/health", "anonymous": true, "to": { "service": "ORIGIN" } }
        ],
        "tests": [
            { "request": { "path": "/health" }, "expect": { "decision": "pass", "route": "health" } },
            { "request": { "path": "/nowhere" }, "expect": { "decision": "refuse", "status": 404, "reason": "no_route" } },
            { "request": { "path": "/test/jwks" }, "expect": { "decision": "own" } }
        ]
    })
}

/// The report of the document with one place changed: a JSON pointer, and what stands there then.
fn changed(pointer: &str, value: Value) -> Report {
    changed_all(&[(pointer, value)])
}

fn changed_all(changes: &[(&str, Value)]) -> Report {
    let mut document = document();
    for (pointer, value) in changes {
        let (holder, name) = pointer.rsplit_once('/').unwrap();
        let holder = document.pointer_mut(holder).unwrap_or_else(|| panic!("{pointer}"));
        match holder {
            Value::Array(items) if name == "-" => items.push(value.clone()),
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.clone(),
            Value::Object(members) => drop(members.insert(name.to_owned(), value.clone())),
            _ => panic!("{pointer}"),
        }
    }
    check(&document.to_string())
}

fn lines(report: &Report) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_is_said_of_a_document_that_is_as_it_should_be() {
    let report = check(&document().to_string());
    assert_eq!(lines(&report), Vec::<String>::new());
    assert!(report.is_good(true));
    assert_eq!(report.to_string(), "8 tests; 0 errors, 0 warnings\n");
}

#[test]
fn what_the_parser_refuses_is_an_error_and_all_that_is_said() {
    let report = changed_all(&[
        ("/routes/0/require/scopes/0", json!("customers:raed")),
        ("/routes/1/tests/0/expect/colour", json!("red")),
        ("/routes/1/to/retries", json!(1)),
    ]);
    let lines = lines(&report);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(
        lines[0]
            .starts_with("error: routes[0].require.scopes[0]: there is no scope `customers:raed`; add it")
    );
    assert!(lines[1].starts_with("error: routes[1].tests[0].expect.colour: unknown field `colour`"));
    assert!(!report.is_good(false));
    let report = check("{");
    assert!(report.findings.len() == 1 && report.findings[0].path == "(document)", "{report}");
}
