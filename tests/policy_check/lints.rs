//! Each lint on the document with one place changed, and on nothing else.

use serde_json::{Value, json};
use tollgate::policy_check::Level;

use super::{changed, changed_all, lines};

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_lint_says_where_and_what_to_do() {
    let long = "/x".repeat(5000);
    let open =
        json!({ "access": "open", "grant_types": ["client_credentials"], "scopes": ["customers:write"] });
    let google = json!({ "issuer": "https://accounts.google.com", "preset": "google", "audiences": ["https://api.example"] });
    for (pointer, value, want) in [
        ("/routes/2/path", json!(long), "error: routes[2].path (health): no request reaches it: of GET /x/x"),
        (
            "/routes/1/to/retries",
            json!(1),
            "warning: routes[1].to.retries (write): only `GET`, `HEAD` and `OPTIONS` are sent again, and the route has none of them; remove it [no-effect]",
        ),
        (
            "/routes/0/require/token_in",
            json!(["form"]),
            "error: routes[0].require.token_in (read): a token in a `form` stands in the body, and neither `GET` nor `HEAD` has one; name another place [nobody-passes]",
        ),
        (
            "/routes/0/require/token_in",
            json!(["header", "form"]),
            "warning: routes[0].require.token_in (read): a token in a `form`",
        ),
        (
            "/realms/test/registration",
            open,
            "warning: routes[0].require (read): everybody passes who registers a client with realm `test`",
        ),
        (
            "/routes/0/require/scopes",
            json!(["customers:read", "customers:write"]),
            "warning: routes[0].require.scopes[0] (read): whoever has `customers:write`, which the route asks for as well, has this; remove it [redundant-scope]",
        ),
        (
            "/routes/0/require/scopes",
            json!(["customers:read", "customers:read"]),
            "warning: routes[0].require.scopes[1] (read): whoever has `customers:read`",
        ),
        (
            "/routes/0/require/scopes",
            json!([["customers:write", "customers:read"]]),
            "warning: routes[0].require.scopes[0] (read): `customers:write` implies `customers:read`, which is enough; remove it [redundant-scope]",
        ),
        (
            "/issuers/0/audiences",
            json!(["https://other.example"]),
            "warning: routes[0].require (read): the tokens that it accepts are for nobody in common: `https://api.example` of `https://gate.example/test`; `https://other.example` of `https://accounts.example`; give the issuers one audience",
        ),
        (
            "/routes/0/require/scopes",
            json!([]),
            "note: routes[0].require (read): any valid token of the issuers that it accepts passes; name a scope or a role",
        ),
        (
            "/routes/0/fields/customers:contact",
            json!(["email", "addresses", "addresses.city"]),
            "warning: routes[0].fields.customers:contact[2] (read): `addresses` shows it already; remove it [covered-field]",
        ),
        (
            "/routes/0/fields/customers:contact",
            json!(["email", "addresses", "email"]),
            "warning: routes[0].fields.customers:contact[2] (read): `email` shows it already",
        ),
        (
            "/routes/0/require/roles",
            json!(["owner", "clerk"]),
            "warning: routes[0].require.roles (read): `clerk` is enough for `require.roles`, and has no ability of `fields`",
        ),
        (
            "/routes/0/without_fields",
            json!("empty"),
            "note: routes[0].without_fields (read): whoever has no ability of `fields` passes, and gets an answer with nothing in it",
        ),
        (
            "/routes/0/tests",
            json!([]),
            "warning: routes[0] (read): no test says what it lets pass and what not; add `tests` [untested]",
        ),
        (
            "/routes/1/tests",
            json!([{ "request": { "path": "/v1/customers/7" }, "token": { "scope": "customers:write", "roles": ["clerk"] }, "expect": { "decision": "pass" } }]),
            "warning: routes[1].tests (write): no test of it is a refusal; add one of a token that is not enough [untested]",
        ),
        (
            "/roles/owner/abilities/-",
            json!("orders:see"),
            "warning: roles.owner.abilities[2]: no route shows anything by `orders:see`; use it in `fields`, or remove it [unused-ability]",
        ),
        (
            "/roles/guest",
            json!({}),
            "warning: roles.guest: no route asks for it, and none of its abilities shows anything",
        ),
        (
            "/role_kinds",
            json!({ "staff": {} }),
            "warning: role_kinds.staff: no role is of this kind; remove it",
        ),
        (
            "/scopes/customers:read/implies",
            json!(["customers:write"]),
            "warning: scopes.customers:read.implies: it and `customers:write` imply each other",
        ),
        (
            "/issuers/-",
            google,
            "warning: issuers[1]: no route accepts its tokens; name it in `require.issuers`, or remove it [unused-issuer]",
        ),
    ] {
        let report = changed(pointer, value);
        let lines = lines(&report);
        // What the change makes of the tests is not what is asked here.
        let said: Vec<_> = lines.iter().filter(|line| !line.ends_with("[test]")).collect();
        assert!(said.len() == 1 && said[0].starts_with(want), "{want}\n{lines:#?}");
    }
}

#[test]
fn issuers_whose_tokens_say_neither_scopes_nor_roles() {
    let issuer = |claims: Value| json!({ "issuer": "https://shop.cloudflareaccess.com", "preset": "cloudflare_access", "audiences": ["https://api.example"], "claims": claims });
    let said = |claims: Value, issuers: Value| {
        let report = changed_all(&[("/issuers/-", issuer(claims)), ("/routes/1/require/issuers", issuers)]);
        lines(&report).into_iter().filter(|line| !line.ends_with("[test]")).collect::<Vec<_>>()
    };
    let only = said(json!({}), json!(["https://shop.cloudflareaccess.com"]));
    assert_eq!(only.len(), 2, "{only:#?}");
    for (line, what) in only.iter().zip(["scopes", "roles"]) {
        let want = format!(
            "error: routes[1].require.issuers (write): tokens of `https://shop.cloudflareaccess.com` have no {what} by its preset"
        );
        assert!(line.starts_with(&want) && line.ends_with("[nobody-passes]"), "{line}");
    }
    let among =
        said(json!({ "scope": "custom/scope" }), json!(["test", "https://shop.cloudflareaccess.com"]));
    assert!(
        among.len() == 1 && among[0].starts_with("warning: ") && among[0].contains("have no roles"),
        "{among:#?}"
    );
    assert!(
        said(json!({ "scope": "s", "roles": "r" }), json!(["https://shop.cloudflareaccess.com"])).is_empty()
    );
}

#[test]
fn who_registers_at_will_has_not_signed_in() {
    let open =
        json!({ "access": "open", "grant_types": ["client_credentials"], "scopes": ["customers:write"] });
    let report = changed_all(&[
        ("/realms/test/registration", open),
        ("/routes/0/require/issuers", json!(["test"])),
        ("/routes/0/require/max_age_seconds", json!(300)),
    ]);
    let lines = lines(&report);
    assert!(!lines.iter().any(|line| line.ends_with("[open-to-everybody]")), "{lines:#?}");
}

#[test]
fn a_default_that_never_counts_is_told() {
    let report = changed_all(&[
        ("/routes/0/require/roles", json!(["owner", "reporting"])),
        ("/routes/0/without_fields", json!("empty")),
    ]);
    let lines = lines(&report);
    let want =
        "warning: routes[0].without_fields (read): everybody whom `require.roles` lets pass sees something";
    assert!(lines.iter().any(|line| line.starts_with(want)), "{lines:#?}");
}

#[test]
fn warnings_fail_where_they_should_and_may_be_allowed() {
    let report = changed("/roles/guest", json!({}));
    assert_eq!((report.count(Level::Warning), report.count(Level::Error)), (1, 0));
    assert!(report.is_good(false) && !report.is_good(true));
    assert!(report.clone().without(&["unused-role".to_owned()]).is_good(true));
    let report = changed("/routes/0/require/token_in", json!(["form"]));
    let allowed = ["nobody-passes".to_owned(), "test".to_owned()];
    assert!(!report.without(&allowed).is_good(false), "an error is one");
}
