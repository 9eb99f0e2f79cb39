//! The validator on its own, as another program would use it.

use std::cell::Cell;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;
use tollgate::encoding::base64url;
use tollgate::error::{Denied, Error, Fault};
use tollgate::port::{Verifier, poll_once};
use tollgate::software::SoftwareVerifier;
use tollgate::time::Timestamp;
use tollgate::token::{Algorithm, Jwk, JwkSet, Trust};
use tollgate::{AccessToken, Jws, Validator};

use crate::fakes::World;

/// Counts what it is asked.
#[derive(Default)]
struct Counting(Cell<usize>);

impl Verifier for &Counting {
    async fn verify(
        &self,
        key: &Jwk,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<bool, Fault> {
        self.0.set(self.0.get() + 1);
        SoftwareVerifier.verify(key, algorithm, input, signature).await
    }
}

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn key(name: &str) -> SigningKey {
    World::signing_key(&name.parse().unwrap())
}

fn keys(names: &[&str]) -> JwkSet {
    names.iter().map(|name| World::public_key(&key(name))).collect()
}

fn trust(name: &str) -> Trust {
    let issuer = format!("https://{name}.example").parse().unwrap();
    Trust::new(issuer, vec!["https://api.example".to_owned()], vec![Algorithm::Es256])
}

fn sign(by: &str, header: &serde_json::Value, payload: &[u8]) -> String {
    let input = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(payload));
    let signature: Signature = key(by).sign(input.as_bytes());
    format!("{input}.{}", base64url(&signature.to_bytes()))
}

fn token(issuer: &str, by: &str) -> String {
    let claims = json!({ "iss": format!("https://{issuer}.example"), "sub": "s", "aud": "https://api.example",
        "client_id": "c", "iat": 900, "exp": 2000, "jti": "j", "scope": "a b" });
    sign(by, &json!({ "alg": "ES256", "typ": "at+jwt" }), claims.to_string().as_bytes())
}

fn validate<V: Verifier>(
    validator: &Validator<V>,
    token: &str,
    now: Timestamp,
) -> Result<AccessToken, Error> {
    poll_once(validator.validate(token, now)).unwrap()
}

#[test]
fn a_token_is_validated_by_the_terms_and_keys_of_its_issuer() {
    let mut validator = Validator::new(SoftwareVerifier);
    assert_eq!(validate(&validator, &token("one", "one"), NOW).unwrap_err(), Denied::UntrustedIssuer.into());
    validator.trust(trust("one"), keys(&["one"]));
    validator.trust(trust("two"), keys(&["two"]));
    let valid = validate(&validator, &token("one", "one"), NOW).unwrap();
    assert_eq!((valid.subject(), valid.client()), ("s", Some("c")));
    assert!(valid.grants("a") && !valid.grants("A") && !valid.grants("a b") && !valid.grants("c"));
    assert_eq!(valid.issuer().as_str(), "https://one.example");
    assert_eq!(validate(&validator, &token("one", "two"), NOW).unwrap_err(), Denied::RejectSignature.into());
    let late = Timestamp::from_seconds(2_030);
    assert_eq!(validate(&validator, &token("one", "one"), late).unwrap_err(), Denied::ExpireToken.into());
    assert_eq!(validate(&validator, "opaque", NOW).unwrap_err(), Denied::MalformToken.into());
    validator.distrust(&"https://one.example".parse().unwrap());
    assert_eq!(validate(&validator, &token("one", "one"), NOW).unwrap_err(), Denied::UntrustedIssuer.into());
    assert!(validate(&validator, &token("two", "two"), NOW).is_ok());
}

#[test]
fn attack_52_what_is_remembered_does_not_outlive_the_key_or_the_terms() {
    let counting = Counting::default();
    let mut validator = Validator::new(&counting).remembering(&[7; 16]);
    validator.trust(trust("one"), keys(&["one"]));
    let token = token("one", "one");
    for _ in 0..5 {
        assert!(validate(&validator, &token, NOW).is_ok());
    }
    assert_eq!(counting.0.get(), 1);
    validator
        .trust(Trust { audiences: vec!["https://other.example".to_owned()], ..trust("one") }, keys(&["one"]));
    assert_eq!(validate(&validator, &token, NOW).unwrap_err(), Denied::RejectAudience.into());
    validator.trust(trust("one"), keys(&["two"]));
    assert_eq!(validate(&validator, &token, NOW).unwrap_err(), Denied::RejectSignature.into());
    validator.trust(trust("one"), JwkSet::default());
    assert_eq!(validate(&validator, &token, NOW).unwrap_err(), Denied::UnknownKey.into());
}

#[test]
fn a_validator_that_was_given_no_seed_remembers_nothing() {
    let counting = Counting::default();
    let mut validator = Validator::new(&counting);
    validator.trust(trust("one"), keys(&["one"]));
    for _ in 0..3 {
        assert!(validate(&validator, &token("one", "one"), NOW).is_ok());
    }
    assert_eq!(counting.0.get(), 3);
}

#[test]
fn rfc7515_section_5_2_a_jws_is_verified_over_any_payload() {
    let header = json!({ "alg": "ES256", "typ": "anything" });
    let text = sign("one", &header, b"not JSON \xff");
    let verify = |text: &str, keys: &JwkSet, algorithms: &[Algorithm]| {
        poll_once(Jws::verify(text, keys, algorithms, &SoftwareVerifier)).unwrap()
    };
    let jws = verify(&text, &keys(&["one"]), &[Algorithm::Es256]).unwrap();
    assert_eq!((jws.payload(), jws.algorithm()), (b"not JSON \xff".as_slice(), Algorithm::Es256));
    assert_eq!(jws.header().typ.as_deref(), Some("anything"));
    for (keys, algorithms, why) in [
        (keys(&["two"]), vec![Algorithm::Es256], Denied::RejectSignature),
        (keys(&["one", "two"]), vec![Algorithm::Es256], Denied::UnknownKey),
        (keys(&["one"]), vec![Algorithm::EdDsa], Denied::RejectAlgorithm),
        (keys(&["one"]), vec![], Denied::RejectAlgorithm),
    ] {
        assert_eq!(verify(&text, &keys, &algorithms).unwrap_err(), why.into());
    }
    let key = World::public_key(&key("one"));
    assert!(poll_once(Jws::verify(&text, &key, &[Algorithm::Es256], &SoftwareVerifier)).unwrap().is_ok());
    let critical = sign("one", &json!({ "alg": "ES256", "crit": ["x"], "x": 1 }), b"");
    assert_eq!(
        verify(&critical, &keys(&["one"]), &[Algorithm::Es256]).unwrap_err(),
        Denied::RejectCritical.into()
    );
}
