//! Tests beside the rules: they hold where they are right, and fail where they are not.

use std::fs;

use serde_json::{Value, json};
use tollgate::policy_check::check;

use super::{changed, changed_all, document, lines};

/// What a test says that stands beside the route at this place; beside none without.
fn failures(route: Option<usize>, test: &Value) -> Vec<String> {
    let pointer = route.map_or_else(|| "/tests/-".to_owned(), |at| format!("/routes/{at}/tests/-"));
    let report = changed(&pointer, test.clone());
    assert_eq!(report.failed, usize::from(!report.findings.is_empty()), "{report}");
    report.findings.iter().map(|finding| finding.text.clone()).collect()
}

#[test]
fn a_wrong_expectation_fails_and_says_what_is_so() {
    let (scope, roles) = ("customers:read", ["reporting"]);
    let read = |expect: Value| json!({ "request": { "path": "/customers/7" }, "token": { "scope": scope, "roles": roles }, "expect": expect });
    let write = |expect: Value| json!({ "request": { "path": "/v1/customers/7" }, "token": { "scope": "customers:write", "roles": ["clerk"] }, "expect": expect });
    for (route, test, want) in [
        (0, read(json!({ "decision": "refuse" })), "passes on route `read`, and should not"),
        (0, read(json!({ "decision": "pass", "sees": ["id"] })), "sees `id`, `name`; and should see `id`"),
        (0, read(json!({ "decision": "pass", "sees": [] })), "sees `id`, `name`; and should see nothing"),
        (
            0,
            read(json!({ "decision": "pass", "route": "health" })),
            "matches route `read`, and should match `health`",
        ),
        (0, read(json!({ "decision": "own" })), "passes on route `read`, and should not"),
        (
            1,
            write(json!({ "decision": "pass", "sees": ["id"] })),
            "the whole answer comes back: the route has no `fields`",
        ),
        (
            1,
            write(json!({ "decision": "pass", "upstream_path": "/customers/7" })),
            "the upstream is asked for `/base/customers/7`, and should be for `/customers/7`",
        ),
        (
            1,
            write(json!({ "decision": "pass", "headers": { "x-tollgate-roles": "owner" } })),
            "the upstream gets `clerk` in header `x-tollgate-roles`, and should get `owner`",
        ),
        (
            1,
            write(json!({ "decision": "pass", "headers": { "x-tollgate-subject": null } })),
            "the upstream gets `policy-test` in header `x-tollgate-subject`, and should get nothing",
        ),
        (
            1,
            write(json!({ "decision": "pass", "headers": { "x-other": "a" } })),
            "the upstream gets nothing in header `x-other`, and should get `a`",
        ),
        (
            0,
            json!({ "request": { "path": "/customers/7" }, "expect": { "decision": "pass" } }),
            "is refused (401 miss_token), and should not be",
        ),
        (
            0,
            json!({ "request": { "path": "/customers/7" }, "expect": { "decision": "refuse", "reason": "lack_scope" } }),
            "is refused as `miss_token`, and should be as `lack_scope`",
        ),
        (
            0,
            json!({ "request": { "path": "/customers/7" }, "expect": { "decision": "refuse", "status": 403 } }),
            "is answered 401 (`miss_token`), and should be 403",
        ),
        (
            0,
            json!({ "request": { "path": "/test/x" }, "expect": { "decision": "refuse" } }),
            "the path is tollgate's own (a path without an endpoint of realm `test`), and no route is asked; expect `own`, or correct the path",
        ),
    ] {
        assert_eq!(failures(Some(route), &test), [want], "{test}");
    }
}

#[test]
fn a_test_beside_a_route_is_about_that_route() {
    let typing_error = |expect: Value| json!({ "request": { "path": "/customer/7" }, "expect": expect });
    assert_eq!(
        failures(Some(0), &typing_error(json!({ "decision": "refuse" }))),
        ["matches no route (`no_route`), and should match `read`"],
        "refused it is, but not by the route"
    );
    assert!(
        failures(Some(0), &typing_error(json!({ "decision": "refuse", "reason": "no_route" }))).is_empty()
    );
    let elsewhere =
        json!({ "request": { "method": "GET", "path": "/health" }, "expect": { "decision": "pass" } });
    assert_eq!(failures(Some(0), &elsewhere), ["matches route `health`, and should match `read`"]);
    assert_eq!(
        failures(None, &elsewhere),
        ["matches route `health`, and should match none; name it in `expect.route`, or move the test there"]
    );
    // Another host is another route, or none.
    let other_host = json!({ "request": { "host": "other.example", "path": "/v1/customers/7" }, "expect": { "decision": "refuse", "reason": "no_route" } });
    assert!(failures(Some(1), &other_host).is_empty());
}

#[test]
fn a_test_that_contradicts_itself_says_so() {
    for (test, want) in [
        (json!({ "decision": "pass", "status": 401 }), "`status` and `reason` are of a refusal"),
        (
            json!({ "decision": "refuse", "sees": [] }),
            "`sees`, `upstream_path` and `headers` are of what passes",
        ),
        (
            json!({ "decision": "own", "route": "read" }),
            "what tollgate answers itself is not decided by a route",
        ),
    ] {
        let failures = failures(Some(0), &json!({ "request": { "path": "/customers/7" }, "expect": test }));
        assert!(failures.len() == 1 && failures[0].starts_with(want), "{failures:?}");
    }
    for (request, token, want) in [
        (json!({ "path": "customers" }), json!({}), "`request.path` has to begin with `/`"),
        (json!({ "path": "/a?b" }), json!({}), "`request.path` has to begin with `/`"),
        (json!({ "path": "/a", "host": "a b" }), json!({}), "no request can ask for that"),
        (
            json!({ "path": "/customers/7" }),
            json!({ "issuer": "tset" }),
            "`token.issuer`: `tset` is neither a realm's name nor an issuer",
        ),
        (json!({ "path": "/customers/7" }), json!({ "in": "pocket" }), "`token.in`: not a well-formed place"),
    ] {
        let test = json!({ "request": request, "token": token, "expect": { "decision": "refuse" } });
        let failures = failures(Some(0), &test);
        assert!(failures.len() == 1 && failures[0].starts_with(want), "{failures:?}");
    }
}

#[test]
fn every_check_of_a_token_is_the_validators_own() {
    let token = |change: Value| {
        let mut token = json!({ "scope": "customers:read", "roles": ["owner"] });
        token.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        token
    };
    for (change, reason) in [
        (json!({ "expires_in": -4 }), None),
        (json!({ "expires_in": -5 }), Some("expire_token")),
        (json!({ "claims": { "iat": 1_800_000_006 } }), Some("too_early")),
        (json!({ "claims": { "exp": "soon" } }), Some("malform_claim")),
        (json!({ "claims": { "aud": ["https://other.example"] } }), Some("reject_audience")),
        (json!({ "claims": { "aud": ["https://other.example", "https://api.example"] } }), None),
        (json!({ "claims": { "iss": "https://stranger.example" } }), Some("untrusted_issuer")),
        (json!({ "issuer": "other" }), Some("reject_issuer")),
        (json!({ "issuer": "https://accounts.example" }), None),
        (json!({ "issuer": "https://accounts.example", "expires_in": -30 }), Some("expire_token")),
        (json!({ "claims": { "cnf": { "jkt": "x" } } }), Some("refuse_unproven")),
        (json!({ "without": ["exp"] }), Some("lack_claim")),
        (json!({ "without": ["sid"] }), Some("lack_claim")),
        (json!({ "claims": { "sub": "" } }), Some("lack_claim")),
        (json!({ "scope": "" }), Some("lack_scope")),
        (json!({ "scope": "customers:write" }), None),
        (json!({ "roles": [] }), Some("lack_ability")),
        (json!({ "in": "query" }), Some("miss_token")),
    ] {
        let expect = reason.map_or_else(
            || json!({ "decision": "pass" }),
            |reason| json!({ "decision": "refuse", "reason": reason }),
        );
        let test = json!({ "request": { "path": "/customers/7" }, "token": token(change.clone()), "expect": expect });
        assert_eq!(failures(Some(0), &test), Vec::<String>::new(), "{change}");
    }
}

#[test]
fn a_token_stands_in_any_place_and_stays_here() {
    let test = |place: &str, headers: Value, path: &str| {
        json!({
            "request": { "path": "/v1/customers/7", "query": "a=b", "headers": headers },
            "token": { "scope": "customers:write", "roles": ["owner"], "in": place },
            "expect": { "decision": "pass", "upstream_path": path, "headers": { "authorization": null, "x-token": null, "cookie": if place == "cookie:t" { json!("b=1") } else { json!(null) } } }
        })
    };
    for place in ["header", "query", "form", "cookie:t", "header:x-token"] {
        let headers = if place == "cookie:t" { json!({ "Cookie": "b=1" }) } else { json!({}) };
        assert_eq!(
            failures(Some(1), &test(place, headers, "/base/customers/7?a=b")),
            Vec::<String>::new(),
            "{place}"
        );
    }
    let twice = json!({ "request": { "path": "/v1/customers/7", "headers": { "Authorization": "Bearer x" } }, "token": { "in": "query" }, "expect": { "decision": "refuse", "status": 400, "reason": "malform_credentials" } });
    assert!(failures(Some(1), &twice).is_empty());
    let none = json!({ "request": { "path": "/v1/customers/7", "headers": { "Authorization": "Basic x" } }, "expect": { "decision": "refuse", "reason": "miss_token" } });
    assert!(failures(Some(1), &none).is_empty());
}

#[test]
fn a_preflight_is_answered_here_or_refused() {
    let cors = ("/routes/1/cors", json!({ "origins": ["https://app.example"] }));
    let asks = |origin: &str, expect: Value| json!({ "request": { "path": "/v1/customers/7", "method": "OPTIONS", "headers": { "Origin": origin, "Access-Control-Request-Method": "PUT" } }, "expect": expect });
    let said = |test: Value| {
        let report = changed_all(&[cors.clone(), ("/routes/1/tests/-", test)]);
        lines(&report)
    };
    assert_eq!(said(asks("https://app.example", json!({ "decision": "own" }))), Vec::<String>::new());
    assert_eq!(
        said(asks("https://other.example", json!({ "decision": "refuse", "status": 403 }))),
        Vec::<String>::new()
    );
    let elsewhere = said(asks("https://other.example", json!({ "decision": "refuse", "route": "read" })));
    assert!(elsewhere.len() == 1 && elsewhere[0].contains("matches route `write`"), "{elsewhere:#?}");
    let own = said(json!({ "request": { "path": "/healthz" }, "expect": { "decision": "own" } }));
    assert!(own.len() == 1 && own[0].contains("matches no route"), "{own:#?}");
    let wrong = said(asks("https://app.example", json!({ "decision": "pass" })));
    assert!(wrong.len() == 1 && wrong[0].contains("the answer to a browser's preflight"), "{wrong:#?}");
}

#[test]
fn issuers_of_every_kind_have_tokens() {
    let hs = json!({ "issuer": "https://hs.example", "algorithms": ["HS256"], "audiences": ["a"], "jwks": { "keys": [{ "kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }] } });
    let inline = json!({ "issuer": "https://inline.example", "audiences": ["a"], "jwks": { "keys": [{ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }] } });
    let introspection = json!({ "endpoint": "https://asked.example/introspect", "client_id": "gate", "client_secret_name": "SECRET" });
    let asked = json!({ "issuer": "https://asked.example", "introspection": introspection });
    let both = json!({ "issuer": "https://both.example", "audiences": ["a"], "discovery": "oauth", "introspection": introspection, "algorithms": ["RS256", "PS384"], "max_lifetime_seconds": 60, "typ": [""], "required_claims": { "/tenant/id": null, "acr": ["2", "3"], "ok": true }, "claims": { "scope": "/access/scp", "roles": "https://both.example/roles" } });
    let preset = |name: &str, issuer: &str| json!({ "issuer": issuer, "preset": name, "audiences": ["a"] });
    let mut issuers = vec![hs, inline, asked, both];
    for (name, issuer) in [
        ("auth0", "https://t.auth0.com/"),
        ("cloudflare_access", "https://shop.cloudflareaccess.com"),
        ("cognito", "https://cognito-idp.eu-central-1.amazonaws.com/x"),
        ("entra", "https://login.microsoftonline.com/x/v2.0"),
        ("google", "https://accounts.google.com"),
        ("keycloak", "https://sso.example/realms/shop"),
    ] {
        issuers.push(preset(name, issuer));
    }
    let realms = ["EdDSA", "ES256", "ML-DSA-65", "PS256", "RS256"].map(|signing| {
        let name = signing.to_lowercase();
        let realm = json!({ "issuer": format!("https://gate.example/{name}"), "signing": signing, "revocation": "cutoff" });
        (name, realm)
    });
    let route = |name: &str, issuer: &str| {
        let request = json!({ "path": format!("/{name}/x") });
        let good = json!({ "request": request, "token": { "scope": "s", "roles": ["r"] }, "expect": { "decision": "pass", "headers": { "x-tollgate-issuer": issuer.replace('%', "%25"), "x-tollgate-scope": "s", "x-tollgate-roles": "r" } } });
        let bad = json!({ "request": request, "token": { "roles": ["r"] }, "expect": { "decision": "refuse", "reason": "lack_scope" } });
        json!({ "id": name, "methods": ["GET"], "path": format!("/{name}/x"), "require": { "scopes": ["s"], "roles": ["r"], "issuers": [issuer] }, "to": { "service": "A" }, "tests": [good, bad] })
    };
    let mut routes: Vec<Value> = issuers
        .iter()
        .enumerate()
        .map(|(at, issuer)| route(&format!("route-{at}"), issuer["issuer"].as_str().unwrap()))
        .collect();
    routes.extend(realms.iter().map(|(name, realm)| {
        let mut route = route(&format!("of-{name}"), realm["issuer"].as_str().unwrap());
        route["require"]["issuers"] = json!([name]);
        route
    }));
    // What is asked about is not active.
    let inactive = json!({ "request": { "path": "/route-2/x" }, "token": { "scope": "s", "roles": ["r"], "claims": { "active": false } }, "expect": { "decision": "refuse", "status": 401, "reason": "inactive_token" } });
    routes[2]["tests"].as_array_mut().unwrap().push(inactive.clone());
    let elsewhere = json!({ "request": { "path": "/route-3/x" }, "token": { "claims": { "acr": "1" } }, "expect": { "decision": "refuse", "reason": "lack_required" } });
    routes[3]["tests"].as_array_mut().unwrap().push(elsewhere);
    let count = routes.len();
    let document = json!({
        "realms": realms.into_iter().collect::<serde_json::Map<_, _>>(), "issuers": issuers, "routes": routes,
        "scopes": { "s": { "description": "Something" } }, "roles": { "r": {} }
    });
    let report = check(&document.to_string());
    let failed: Vec<_> = lines(&report)
        .into_iter()
        .filter(|line| line.ends_with("[test]") || line.ends_with("[document]"))
        .collect();
    assert_eq!(failed, Vec::<String>::new());
    assert_eq!((report.tests, report.failed), (2 * count + 2, 0));
}

#[test]
fn a_path_is_read_as_the_platform_reads_it() {
    let pass = |path: &str, upstream: &str| json!({ "request": { "path": path }, "token": { "scope": "customers:read", "roles": ["owner"] }, "expect": { "decision": "pass", "upstream_path": upstream } });
    for (path, upstream) in [
        ("/customers/%37", "/customers/7"),
        ("/x/../customers/7", "/customers/7"),
        ("/customers/a%2bb", "/customers/a%2Bb"),
    ] {
        assert_eq!(failures(Some(0), &pass(path, upstream)), Vec::<String>::new(), "{path}");
    }
    let hidden = json!({ "request": { "path": "/customers/a%2fb" }, "expect": { "decision": "refuse", "status": 400, "reason": "malform_path" } });
    assert!(failures(Some(0), &hidden).is_empty());
}

#[test]
fn a_failed_test_has_its_place_and_its_name() {
    let report = changed("/routes/1/tests/0/expect/upstream_path", json!("/elsewhere"));
    let lines = lines(&report);
    assert!(
        lines.len() == 1 && lines[0].starts_with("error: routes[1].tests[0] (write): `a clerk writes`: the upstream is asked for `/base/customers/7?a=b`"),
        "{lines:#?}"
    );
    assert!(report.to_string().ends_with("8 tests, 1 failed; 1 error, 0 warnings\n"), "{report}");
    assert!(!report.is_good(false));
}

#[test]
fn the_policy_that_these_tests_change_holds() {
    let report = check(&document().to_string());
    assert!(report.is_good(true) && report.tests > 0, "{report}");
}

#[test]
fn the_example_in_the_document_on_policy_holds() {
    let text = fs::read_to_string("docs/policy.md").unwrap();
    let example = text.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let mut example: Value = serde_json::from_str(example).unwrap();
    example["realms"] = json!({ "test": { "issuer": "https://gate.example/test" } });
    let report = check(&example.to_string());
    assert!(report.is_good(true) && report.tests == 3, "{report}");
    example["routes"][0]["fields"] =
        json!({ "customers:identify": ["id", "name", "email"], "customers:contact": ["addresses"] });
    let report = check(&example.to_string());
    assert_eq!(report.failed, 1, "{report}");
    assert!(text.contains(&format!("```\n{}\n```", report.findings[0])), "{report}");
}
