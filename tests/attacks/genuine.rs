//! What has to pass: a genuine token of every algorithm, and of every issuer that other cases are about.

use serde_json::Value;

use super::config;
use super::corpus::Corpus;
use super::draft::Draft;
use super::keys::KEYS;

/// Every algorithm that this module can sign with.
pub(super) const ALGORITHMS: [&str; 14] = [
    "EdDSA", "ES256", "ES256K", "ES384", "ES512", "HS256", "HS384", "HS512", "PS256", "PS384", "PS512",
    "RS256", "RS384", "RS512",
];

/// Genuine tokens by signers that draw randomness, kept in `tests/vectors`.
pub(super) fn ml_dsa() -> Vec<(String, String)> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/algorithms.json")).unwrap();
    let text = |vector: &Value, name: &str| vector[name].as_str().unwrap().to_owned();
    let ours = vectors.iter().filter(|vector| config::is_ml_dsa(vector));
    let ours: Vec<_> = ours.map(|vector| (text(vector, "alg"), text(vector, "token"))).collect();
    assert_eq!(ours.len(), 3);
    ours
}

pub(super) fn add(to: &mut Corpus) {
    to.attack(0);
    for alg in ALGORITHMS {
        to.passes(alg, Draft::of(alg).token());
    }
    for (alg, token) in ml_dsa() {
        to.passes(&alg, token);
    }
    to.passes("with_the_scope", Draft::es256().token()).path = "/attacks/read";
    to.passes("where_only_its_issuer_counts", Draft::es256().token()).path = "/attacks/es256";
    for (issuer, secret, alg, kid) in [
        ("ring", &KEYS.es256, "ES256", "ec"),
        ("ring", &KEYS.eddsa, "EdDSA", "ed"),
        ("ring", &KEYS.rs, "RS256", "rsa"),
        ("two", &KEYS.es256, "ES256", "a"),
        ("two", &KEYS.other, "ES256", "b"),
        ("same-kid", &KEYS.other, "ES256", "es256"),
        ("slash/", &KEYS.es256, "ES256", "slash"),
        ("jwt", &KEYS.es256, "ES256", "jwt"),
    ] {
        to.passes(&format!("of_{issuer}_by_{kid}"), Draft::new(issuer, secret, alg, kid).token());
    }
}
