//! One key and one token per algorithm, in `algorithms.json`: verified here in software and, by the end-to-end
//! tests, in `workerd`. Both must agree on every one of them, and on every one with a changed bit.
//!
//! `UPDATE_VECTORS=1 cargo test --all-features --test main algorithms` makes new ones.

use std::fs;

use jwt_simple::prelude::*;
use p521::ecdsa::signature::Signer as _;
use serde_json::{Value, json};
use tollgate::encoding::{base64url, from_base64url};
use tollgate::port::Verifier as _;
use tollgate::software::SoftwareVerifier;
use tollgate::token::{Algorithm, Compact, Jwk};

use crate::fakes::run;

const PATH: &str = "tests/vectors/algorithms.json";

#[derive(Serialize, Deserialize)]
struct Rest {
    client_id: String,
    scope: String,
}

/// Claims that every check but the signature passes, from 2023 to 2100.
fn claims(algorithm: &str) -> JWTClaims<Rest> {
    let rest = Rest { client_id: "vectors".to_owned(), scope: "vectors:read".to_owned() };
    let mut claims = Claims::with_custom_claims(rest, Duration::from_hours(1))
        .with_issuer(format!("https://vectors.example/{algorithm}"))
        .with_audience("https://vectors.example")
        .with_subject("vectors")
        .with_jwt_id(algorithm);
    claims.issued_at = Some(UnixTimeStamp::from_secs(1_700_000_000));
    claims.invalid_before = None;
    claims.expires_at = Some(UnixTimeStamp::from_secs(4_102_444_800));
    claims
}

fn make() -> Value {
    let options = HeaderOptions { signature_type: Some("at+jwt".to_owned()), ..Default::default() };
    let mut vectors = Vec::new();
    macro_rules! asymmetric {
        ($name:literal, $pair:expr) => {{
            let pair = $pair.with_key_id($name);
            let mut key: Value = serde_json::from_str(&pair.public_key().to_jwk()).unwrap();
            key["kid"] = json!($name);
            key["alg"] = json!($name);
            vectors.push(json!({ "alg": $name, "key": key, "token": pair.sign_with_options(claims($name), &options).unwrap() }));
        }};
    }
    macro_rules! symmetric {
        ($name:literal, $type:ident, $bytes:literal) => {{
            let secret: Vec<u8> = (0..$bytes).collect();
            let token = $type::from_bytes(&secret).with_key_id($name).authenticate_with_options(claims($name), &options).unwrap();
            let key = json!({ "kty": "oct", "k": base64url(&secret), "kid": $name, "alg": $name });
            vectors.push(json!({ "alg": $name, "key": key, "token": token }));
        }};
    }
    asymmetric!("EdDSA", Ed25519KeyPair::generate());
    asymmetric!("ES256", ES256KeyPair::generate());
    asymmetric!("ES256K", ES256kKeyPair::generate());
    asymmetric!("ES384", ES384KeyPair::generate());
    vectors.push(es512());
    symmetric!("HS256", HS256Key, 32);
    symmetric!("HS384", HS384Key, 48);
    symmetric!("HS512", HS512Key, 64);
    asymmetric!("ML-DSA-44", MLDSA44KeyPair::generate());
    asymmetric!("ML-DSA-65", MLDSA65KeyPair::generate());
    asymmetric!("ML-DSA-87", MLDSA87KeyPair::generate());
    let rsa = RS256KeyPair::generate(2048).unwrap().to_pem().unwrap();
    asymmetric!("PS256", PS256KeyPair::from_pem(&rsa).unwrap());
    asymmetric!("PS384", PS384KeyPair::from_pem(&rsa).unwrap());
    asymmetric!("PS512", PS512KeyPair::from_pem(&rsa).unwrap());
    asymmetric!("RS256", RS256KeyPair::from_pem(&rsa).unwrap());
    asymmetric!("RS384", RS384KeyPair::from_pem(&rsa).unwrap());
    asymmetric!("RS512", RS512KeyPair::from_pem(&rsa).unwrap());
    Value::Array(vectors)
}

/// Not in jwt-simple.
fn es512() -> Value {
    let mut seed = [7; 66];
    seed[0] = 0;
    let key = p521::ecdsa::SigningKey::from_slice(&seed).unwrap();
    let point = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
    let header = json!({ "alg": "ES512", "kid": "ES512", "typ": "at+jwt" });
    let input = format!(
        "{}.{}",
        base64url(header.to_string().as_bytes()),
        base64url(&serde_json::to_vec(&claims("ES512")).unwrap())
    );
    let signature: p521::ecdsa::Signature = key.sign(input.as_bytes());
    let key = json!({
        "kty": "EC", "crv": "P-521", "kid": "ES512", "alg": "ES512",
        "x": base64url(&point[1..67]), "y": base64url(&point[67..]),
    });
    json!({ "alg": "ES512", "key": key, "token": format!("{input}.{}", base64url(&signature.to_bytes())) })
}

fn verifies(key: &Jwk, algorithm: Algorithm, token: &str) -> bool {
    let token = Compact::parse(token).unwrap();
    let (input, signature) = (token.signing_input().as_bytes(), token.signature());
    run(SoftwareVerifier.verify(key, algorithm, input, signature)).unwrap()
}

#[test]
fn every_algorithm_has_its_vector_and_no_changed_bit_passes() {
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(PATH, format!("{}\n", serde_json::to_string_pretty(&make()).unwrap())).unwrap();
    }
    let vectors: Vec<Value> = serde_json::from_str(&fs::read_to_string(PATH).unwrap()).unwrap();
    let named: Vec<_> = vectors.iter().map(|vector| vector["alg"].as_str().unwrap()).collect();
    assert_eq!(named, Algorithm::ALL.map(Algorithm::name));
    for vector in &vectors {
        let algorithm = Algorithm::named(vector["alg"].as_str().unwrap()).unwrap();
        let key: Jwk = serde_json::from_value(vector["key"].clone()).unwrap();
        let token = vector["token"].as_str().unwrap();
        assert!(verifies(&key, algorithm, token), "{}", algorithm.name());
        let (input, signature) = token.rsplit_once('.').unwrap();
        let bytes = from_base64url(signature).unwrap();
        for at in [0, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            assert!(
                !verifies(&key, algorithm, &format!("{input}.{}", base64url(&bytes))),
                "{} byte {at}",
                algorithm.name()
            );
        }
    }
}
