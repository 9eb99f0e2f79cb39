//! Microsoft Entra ID: access tokens of version 2.0 for an API.

use serde_json::{Value, json};

use super::{Product, as_issued, identity};

const ISSUER: &str = "https://login.microsoftonline.com/8d4c2b1a-6f5e-4d3c-9b8a-7e6f5d4c3b2a/v2.0";
const API: &str = "2f1e0d9c-8b7a-4695-8473-62514f3e2d1c";
const CLIENT: &str = "b7c6d5e4-f3a2-4b1c-8d0e-9f8a7b6c5d4e";

fn of(entry: &Value) -> Product {
    let tenant = "https://login.microsoftonline.com/8d4c2b1a-6f5e-4d3c-9b8a-7e6f5d4c3b2a";
    let metadata = format!("{tenant}/v2.0/.well-known/openid-configuration");
    let keys = format!("{tenant}/discovery/v2.0/keys");
    Product::new("entra", entry, &[(&metadata, "metadata"), (&keys, "jwks")])
}

fn product() -> Product {
    of(&json!({ "issuer": ISSUER, "preset": "entra", "audiences": [API] }))
}

#[test]
fn entra_access_tokens_pass_and_say_who() {
    let product = product();
    assert_eq!(
        product.identity("access", &as_issued()),
        identity(&[
            ("issuer", ISSUER),
            ("subject", "Tq3mXv8ZsL1kWc6yRb0nPf4jHd9gEa2uVi7oKt5xQwM"),
            ("client", CLIENT),
            ("scope", "orders:read orders:write"),
            ("roles", "Orders.Approve"),
        ])
    );
    assert_eq!(
        product.identity("app_only", &as_issued()),
        identity(&[
            ("issuer", ISSUER),
            ("subject", "5e4d3c2b-1a09-4f8e-8d7c-6b5a49382716"),
            ("client", CLIENT),
            ("scope", ""),
            ("roles", "Orders.Read.All"),
        ])
    );
    assert_eq!(product.skipped(), [""; 0], "keys without `alg`, with members that nobody knows");
}

#[test]
fn attack_49_entra_other_tokens_are_refused() {
    let product = product();
    assert_eq!(product.refusal("id", &as_issued()), "reject_audience");
    assert_eq!(product.refusal("id", &json!({ "aud": API })), "lack_required azp", "client and API are one");
    assert_eq!(product.refusal("access_v1", &as_issued()), "untrusted_issuer");
    let v1 = json!({ "aud": API, "iss": ISSUER, "azp": CLIENT });
    assert_eq!(product.refusal("access_v1", &v1), "lack_required ver");
}

#[test]
fn entra_other_audiences_and_tenants_are_refused() {
    let product = product();
    assert_eq!(product.refusal("access", &json!({ "aud": format!("api://{API}") })), "reject_audience");
    assert_eq!(
        product.refusal("access", &json!({ "aud": "00000003-0000-0000-c000-000000000000" })),
        "reject_audience"
    );
    for issuer in [
        "https://login.microsoftonline.com/9d4c2b1a-6f5e-4d3c-9b8a-7e6f5d4c3b2a/v2.0",
        "https://login.microsoftonline.com/common/v2.0",
        "https://login.microsoftonline.com/{tenantid}/v2.0",
        "https://login.microsoftonline.com/8d4c2b1a-6f5e-4d3c-9b8a-7e6f5d4c3b2a/v2.0/",
    ] {
        assert_eq!(product.refusal("access", &json!({ "iss": issuer })), "untrusted_issuer", "{issuer}");
    }
}

#[test]
fn attack_24_entra_metadata_of_all_tenants_is_metadata_of_none() {
    let common = "https://login.microsoftonline.com/common/v2.0";
    let product = of(&json!({ "issuer": common, "preset": "entra", "audiences": [API] }));
    let pages = &product.world.web;
    let template =
        super::read("entra", "metadata").replace("8d4c2b1a-6f5e-4d3c-9b8a-7e6f5d4c3b2a", "{tenantid}");
    pages
        .borrow_mut()
        .insert(format!("{common}/.well-known/openid-configuration"), crate::fakes::Page::ok(template));
    assert_eq!(product.ask(&product.token("access", &json!({ "iss": common }))).status(), 503);
}
