//! Amazon Cognito: access tokens of a user pool, for its clients.

use serde_json::json;

use super::{Product, as_issued, identity};

const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab3dE5gHi";
const CLIENT: &str = "4q8s7d2f1g9h3j5k6l0z1x2c3v";

fn product() -> Product {
    let entry = json!({ "issuer": ISSUER, "preset": "cognito", "audiences": [CLIENT] });
    let (metadata, keys) =
        (format!("{ISSUER}/.well-known/openid-configuration"), format!("{ISSUER}/.well-known/jwks.json"));
    Product::new("cognito", &entry, &[(&metadata, "metadata"), (&keys, "jwks")])
}

#[test]
fn cognito_access_tokens_pass_and_say_who() {
    let product = product();
    assert_eq!(
        product.identity("access", &as_issued()),
        identity(&[
            ("issuer", ISSUER),
            ("subject", "93c4f812-2071-70ba-1d5e-6f7a8b9c0d1e"),
            ("client", CLIENT),
            ("scope", "openid orders/orders:read"),
            ("roles", "buyers,testers"),
        ])
    );
    let machine =
        [("issuer", ISSUER), ("subject", CLIENT), ("client", CLIENT), ("scope", "orders/orders:read")];
    assert_eq!(product.identity("machine", &as_issued()), identity(&machine));
    assert_eq!(product.skipped(), [""; 0], "a `kid` in base64 with its padding");
}

#[test]
fn attack_49_cognito_other_tokens_are_refused() {
    let product = product();
    assert_eq!(product.refusal("id", &as_issued()), "reject_audience", "its client is in `aud`");
    let for_us = json!({ "client_id": CLIENT });
    assert_eq!(product.refusal("id", &for_us), "lack_required token_use");
    assert_eq!(product.refusal("access", &json!({ "token_use": null })), "lack_required token_use");
    // Refresh tokens are encrypted: five parts.
    assert_eq!(product.refusal_of("eyJjdHkiOiJKV1QifQ.a.b.c.d"), "malform_token");
}

#[test]
fn cognito_other_clients_and_pools_are_refused() {
    let product = product();
    let other = json!({ "client_id": "5q8s7d2f1g9h3j5k6l0z1x2c3v", "aud": CLIENT });
    assert_eq!(product.refusal("access", &other), "reject_audience", "`aud` is not what counts");
    for issuer in [
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Zb3dE5gHi",
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab3dE5gHi/",
    ] {
        assert_eq!(product.refusal("access", &json!({ "iss": issuer })), "untrusted_issuer", "{issuer}");
    }
}
