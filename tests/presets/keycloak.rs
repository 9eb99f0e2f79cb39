//! Keycloak: a realm's access tokens.

use serde_json::json;

use super::{Product, as_issued, identity};

const ISSUER: &str = "https://sso.example.com/realms/shop";

fn at(issuer: &str) -> Product {
    let entry = json!({ "issuer": issuer, "preset": "keycloak", "audiences": ["orders-api"] });
    let pages = [
        ("https://sso.example.com/realms/shop/.well-known/openid-configuration", "metadata"),
        ("https://sso.example.com/realms/shop/protocol/openid-connect/certs", "jwks"),
    ];
    Product::new("keycloak", &entry, &pages)
}

#[test]
fn keycloak_access_tokens_pass_and_say_who() {
    let product = at(ISSUER);
    let ada = identity(&[
        ("issuer", ISSUER),
        ("subject", "f2b6a3de-7c14-4b7e-8a5d-0c9e1b2d3f40"),
        ("client", "shop-web"),
        ("scope", "email openid orders:read profile"),
        ("roles", "default-roles-shop,offline_access,uma_authorization,buyer"),
    ]);
    assert_eq!(product.identity("access", &as_issued()), ada);
    assert_eq!(product.identity("access_rfc9068", &as_issued()), ada, "a client that is set to `at+jwt`");
    assert_eq!(
        product.identity("service_account", &as_issued()),
        identity(&[
            ("issuer", ISSUER),
            ("subject", "0d6e5f4c-3b2a-4190-8f7e-6d5c4b3a2910"),
            ("client", "billing-job"),
            ("scope", ""),
            ("roles", "default-roles-shop"),
        ])
    );
    assert!(product.skipped().iter().all(|reason| reason == "usage"), "the key for encryption");
    assert!(!product.skipped().is_empty());
}

#[test]
fn attack_49_keycloak_other_tokens_are_refused() {
    let product = at(ISSUER);
    let for_us = json!({ "aud": "orders-api" });
    assert_eq!(product.refusal("id", &as_issued()), "reject_audience");
    assert_eq!(product.refusal("id", &for_us), "lack_required typ");
    assert_eq!(product.refusal("refresh", &as_issued()), "reject_algorithm");
    assert_eq!(product.refusal("refresh_signed", &for_us), "lack_required typ");
    assert_eq!(product.refusal("refresh_signed", &json!({ "typ": "Offline" })), "lack_required typ");
    assert_eq!(product.refusal("logout", &for_us), "reject_type");
    assert_eq!(product.refusal("dpop", &as_issued()), "refuse_unproven");
    assert_eq!(product.refusal("access", &json!({ "typ": null })), "lack_required typ");
}

#[test]
fn keycloak_other_audiences_and_realms_are_refused() {
    let product = at(ISSUER);
    assert_eq!(product.refusal("access", &json!({ "aud": "account" })), "reject_audience");
    assert_eq!(product.refusal("access", &json!({ "aud": null })), "reject_audience");
    for issuer in ["https://sso.example.com/realms/other", "https://sso.example.com/realms/shop/"] {
        assert_eq!(product.refusal("access", &json!({ "iss": issuer })), "untrusted_issuer", "{issuer}");
    }
    let slash = at(&format!("{ISSUER}/"));
    assert_eq!(slash.ask(&slash.token("access", &json!({ "iss": format!("{ISSUER}/") }))).status(), 503);
    let told = slash.world.log.borrow().join("\n");
    assert!(told.contains("it names another issuer"), "the metadata says it without the slash: {told}");
}

#[test]
fn keycloak_client_roles_are_one_pointer_away() {
    let entry = json!({ "issuer": ISSUER, "preset": "keycloak", "audiences": ["orders-api"],
        "claims": { "roles": ["/realm_access/roles", "/resource_access/orders-api/roles"] } });
    let pages = [
        ("https://sso.example.com/realms/shop/.well-known/openid-configuration", "metadata"),
        ("https://sso.example.com/realms/shop/protocol/openid-connect/certs", "jwks"),
    ];
    let product = Product::new("keycloak", &entry, &pages);
    let roles = &product.identity("access", &as_issued())["roles"];
    assert!(roles.ends_with(",buyer,editor"), "{roles}");
    assert_eq!(product.identity("service_account", &as_issued())["roles"], "default-roles-shop");
}
