//! Google: ID tokens, which is what Google's callers can show to somebody else's API.

use serde_json::{Value, json};

use super::{Product, as_issued, identity};

const ISSUER: &str = "https://accounts.google.com";
const CLIENT: &str = "407408718192-q1w2e3r4t5y6u7i8o9p0asdfghjklzxc.apps.googleusercontent.com";

fn of(more: &Value) -> Product {
    let mut entry =
        json!({ "issuer": ISSUER, "preset": "google", "audiences": [CLIENT, "https://api.example.com"] });
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let pages = [
        ("https://accounts.google.com/.well-known/openid-configuration", "metadata"),
        ("https://www.googleapis.com/oauth2/v3/certs", "jwks"),
    ];
    Product::new("google", &entry, &pages)
}

#[test]
fn google_id_tokens_pass_and_say_who() {
    let product = of(&json!({}));
    let ada = [("issuer", ISSUER), ("subject", "110169484474386276334"), ("client", CLIENT), ("scope", "")];
    assert_eq!(product.identity("person", &as_issued()), identity(&ada));
    let number = "112233445566778899000";
    let job = [("issuer", ISSUER), ("subject", number), ("client", number), ("scope", "")];
    assert_eq!(product.identity("service_account", &as_issued()), identity(&job));
    assert_eq!(product.skipped(), [""; 0]);
}

#[test]
fn attack_49_google_other_tokens_are_refused() {
    let product = of(&json!({}));
    assert_eq!(product.refusal_of("ya29.a0AfB_byDx1Cv2Bn3Mq4"), "malform_token", "access tokens are opaque");
    assert_eq!(product.refusal("legacy_issuer", &as_issued()), "untrusted_issuer", "without a scheme");
    assert_eq!(product.refusal("firebase", &as_issued()), "untrusted_issuer");
    assert_eq!(product.refusal("self_signed", &as_issued()), "untrusted_issuer");
    assert_eq!(product.refusal("self_signed", &json!({ "iss": ISSUER })), "unknown_key");
}

#[test]
fn google_other_audiences_issuers_and_domains_are_refused() {
    let product = of(&json!({}));
    let other = json!({ "aud": "407408718192-other.apps.googleusercontent.com" });
    assert_eq!(product.refusal("person", &other), "reject_audience", "anybody's Google sign-in");
    assert_eq!(
        product.refusal("person", &json!({ "iss": "https://accounts.google.com/" })),
        "untrusted_issuer"
    );
    let workspace = of(&json!({ "required_claims": { "hd": "example.com" } }));
    assert_eq!(workspace.identity("person", &as_issued())["client"], CLIENT);
    assert_eq!(workspace.refusal("person", &json!({ "hd": "example.org" })), "lack_required hd");
    assert_eq!(workspace.refusal("person", &json!({ "hd": null })), "lack_required hd", "a private account");
}
