//! Cloudflare Access: application tokens, of people and of service tokens.

use serde_json::json;

use super::{Product, as_issued, identity};

const ISSUER: &str = "https://shop.cloudflareaccess.com";
const AUD: &str = "330d31ddaf8431406e0d3533b581fa5acc009d09fcb941bf6ce602583ed70f07";

fn at(issuer: &str) -> Product {
    let entry = json!({ "issuer": issuer, "preset": "cloudflare_access", "audiences": [AUD] });
    Product::new(
        "cloudflare_access",
        &entry,
        &[("https://shop.cloudflareaccess.com/cdn-cgi/access/certs", "jwks")],
    )
}

#[test]
fn cloudflare_access_application_tokens_pass_and_say_who() {
    let product = at(ISSUER);
    let ada = [("issuer", ISSUER), ("subject", "4c9b8a7d-6e5f-4031-8243-5f6e7d8c9b0a"), ("scope", "")];
    assert_eq!(product.identity("person", &as_issued()), identity(&ada));
    // A service token has an empty `sub`: it is called by its name.
    let job = [("issuer", ISSUER), ("subject", "e5d4c3b2a190f8e7d6c5b4a392817060.access"), ("scope", "")];
    assert_eq!(product.identity("service_token", &as_issued()), identity(&job));
    assert_eq!(product.skipped(), [""; 0], "a document with certificates beside the keys");
}

#[test]
fn attack_49_cloudflare_access_session_tokens_are_refused() {
    let product = at(ISSUER);
    assert_eq!(product.refusal("session", &as_issued()), "lack_required type");
    assert_eq!(product.refusal("person", &json!({ "type": null })), "lack_required type");
    assert_eq!(product.refusal("service_token", &json!({ "common_name": null })), "lack_claim sub");
}

#[test]
fn cloudflare_access_other_audiences_and_teams_are_refused() {
    let product = at(ISSUER);
    let other = json!({ "aud": [AUD.replace('3', "4")] });
    assert_eq!(product.refusal("person", &other), "reject_audience", "another application of the team");
    for issuer in ["https://other.cloudflareaccess.com", "https://shop.cloudflareaccess.com/"] {
        assert_eq!(product.refusal("person", &json!({ "iss": issuer })), "untrusted_issuer", "{issuer}");
    }
    let slash = at("https://shop.cloudflareaccess.com/");
    assert_eq!(slash.refusal("person", &as_issued()), "untrusted_issuer");
}
