//! Auth0: access tokens for an API, in both of its profiles.

use serde_json::json;

use super::{Product, as_issued, identity};

const ISSUER: &str = "https://shop-eu.eu.auth0.com/";
const API: &str = "https://api.example.com/orders";
const CLIENT: &str = "K7dQ2vXn9TzR4wLmPb8sYc1fHj6gEa3u";

fn at(issuer: &str) -> Product {
    let entry = json!({ "issuer": issuer, "preset": "auth0", "audiences": [API] });
    let pages = [
        ("https://shop-eu.eu.auth0.com/.well-known/openid-configuration", "metadata"),
        ("https://shop-eu.eu.auth0.com/.well-known/jwks.json", "jwks"),
    ];
    Product::new("auth0", &entry, &pages)
}

#[test]
fn auth0_access_tokens_pass_and_say_who() {
    let product = at(ISSUER);
    let ada = [
        ("issuer", ISSUER),
        ("subject", "auth0|64f1c0ffee0ddba11ab1e000"),
        ("client", CLIENT),
        ("scope", "openid orders:read profile"),
    ];
    let mut with_permissions = identity(&ada);
    with_permissions.insert("roles".to_owned(), "orders:read,orders:export".to_owned());
    assert_eq!(product.identity("access", &as_issued()), with_permissions);
    assert_eq!(product.identity("access_rfc9068", &as_issued()), identity(&ada));
    let job = format!("{CLIENT}@clients");
    let machine = [("issuer", ISSUER), ("subject", &*job), ("client", CLIENT), ("scope", "orders:read")];
    assert_eq!(product.identity("machine", &as_issued()), identity(&machine));
    assert_eq!(product.skipped(), [""; 0]);
}

#[test]
fn attack_49_auth0_other_tokens_are_refused() {
    let product = at(ISSUER);
    assert_eq!(product.refusal("id", &as_issued()), "reject_audience", "an ID token is for its client");
    assert_eq!(product.refusal("logout", &json!({ "aud": API })), "reject_type");
    let opaque = product.refusal_of("wq3Zr8tKv5Xn1Lp7sYc1fHj6gEa3uQ2v");
    assert_eq!(opaque, "malform_token", "without an audience Auth0 issues opaque ones");
    for name in ["client_id", "jti", "iat"] {
        let lacks = product.refusal("access_rfc9068", &json!({ name: null }));
        assert_eq!(lacks, format!("lack_claim {name}"));
    }
}

#[test]
fn auth0_other_audiences_and_tenants_are_refused() {
    let product = at(ISSUER);
    assert_eq!(product.refusal("access", &json!({ "aud": "https://api.example.com" })), "reject_audience");
    assert_eq!(product.refusal("access", &json!({ "aud": [format!("{API}/"), CLIENT] })), "reject_audience");
    for issuer in ["https://shop-eu.eu.auth0.com", "https://other.eu.auth0.com/"] {
        assert_eq!(product.refusal("access", &json!({ "iss": issuer })), "untrusted_issuer", "{issuer}");
    }
    let bare = at("https://shop-eu.eu.auth0.com");
    assert_eq!(bare.refusal("access", &as_issued()), "untrusted_issuer", "the slash belongs to the name");
}
