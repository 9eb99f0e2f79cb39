//! RFC 7515 appendix A, the JOSE cookbook (RFC 7520), RFC 8037, and a round with a signer for what they lack.

use jwt_simple::prelude::*;
use serde_json::Value;
use tollgate::error::Denied;
use tollgate::port::Verifier as _;
use tollgate::software::SoftwareVerifier;
use tollgate::token::{Algorithm, Compact, Jwk};

use crate::fakes::run;

fn verifies(key: &Jwk, algorithm: Algorithm, token: &str) -> bool {
    let token = Compact::parse(token).unwrap();
    let (input, signature) = (token.signing_input().as_bytes(), token.signature());
    run(SoftwareVerifier.verify(key, algorithm, input, signature)).unwrap()
}

/// A vector's key without its private part.
fn public(key: &Value) -> Jwk {
    let mut key = key.clone();
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        key.as_object_mut().unwrap().remove(name);
    }
    serde_json::from_value(key).unwrap()
}

/// The genuine token passes, for its own algorithm only; with a changed payload or signature it does not.
fn check(key: &Jwk, algorithm: Algorithm, token: &str) {
    assert!(verifies(key, algorithm, token), "{}", algorithm.name());
    for other in Algorithm::ALL {
        assert_eq!(
            verifies(key, other, token),
            other == algorithm,
            "{} as {}",
            algorithm.name(),
            other.name()
        );
    }
    let (input, signature) = token.rsplit_once('.').unwrap();
    let bytes = tollgate::encoding::from_base64url(signature).unwrap();
    for at in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        assert!(
            !verifies(key, algorithm, &format!("{input}.{}", tollgate::encoding::base64url(&bytes))),
            "byte {at}"
        );
    }
    for bad in [&bytes[1..], &bytes[..bytes.len() - 1], &[bytes.as_slice(), &[0]].concat(), &[]] {
        assert!(
            !verifies(key, algorithm, &format!("{input}.{}", tollgate::encoding::base64url(bad))),
            "another length"
        );
    }
    let (header, _) = input.split_once('.').unwrap();
    assert!(!verifies(key, algorithm, &format!("{header}.e30.{signature}")), "another payload");
}

#[test]
fn rfc7515_appendix_a() {
    let document: Value = serde_json::from_str(include_str!("rfc/rfc7515_appendix_a.json")).unwrap();
    let vectors = document["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let Some(algorithm) = Algorithm::named(vector["alg"].as_str().unwrap()) else {
            assert_eq!(vector["alg"], "none", "appendix A.5: the unsecured one is no algorithm here");
            continue;
        };
        check(&public(&vector["key"]), algorithm, vector["compact"].as_str().unwrap());
    }
}

#[test]
fn rfc7520_section_4_and_rfc8037_appendix_a() {
    for (name, text) in [
        ("RS256", include_str!("jose-cookbook/4_1.rsa_v15_signature.json")),
        ("PS384", include_str!("jose-cookbook/4_2.rsa-pss_signature.json")),
        ("ES512", include_str!("jose-cookbook/4_3.ecdsa_signature.json")),
        ("HS256", include_str!("jose-cookbook/4_4.hmac-sha2_integrity_protection.json")),
        ("EdDSA", include_str!("jose-cookbook/eddsa.json")),
    ] {
        let vector: Value = serde_json::from_str(text).unwrap();
        let token = vector["output"]["compact"].as_str().unwrap();
        check(&public(&vector["input"]["key"]), Algorithm::named(name).unwrap(), token);
    }
}

#[test]
fn attack_26_the_cookbooks_unencoded_payload_is_refused() {
    let vector: Value = serde_json::from_str(include_str!("jose-cookbook/b64_false.json")).unwrap();
    let token = vector["output"]["compact"].as_str().unwrap();
    assert!(matches!(Compact::parse(token), Err(Denied::RejectCritical | Denied::MalformToken)));
}

#[test]
fn every_other_algorithm_verifies_what_a_signer_signs() {
    let claims = || Claims::create(Duration::from_hours(1));
    let read = |jwk: String| public(&serde_json::from_str(&jwk).unwrap());
    macro_rules! round {
        ($algorithm:ident, $pair:expr) => {{
            let pair = $pair;
            check(&read(pair.public_key().to_jwk()), Algorithm::$algorithm, &pair.sign(claims()).unwrap());
        }};
    }
    round!(Es256, ES256KeyPair::generate());
    round!(Es256k, ES256kKeyPair::generate());
    round!(Es384, ES384KeyPair::generate());
    round!(EdDsa, Ed25519KeyPair::generate());
    round!(MlDsa44, MLDSA44KeyPair::generate());
    round!(MlDsa65, MLDSA65KeyPair::generate());
    round!(MlDsa87, MLDSA87KeyPair::generate());
    let rsa = RS256KeyPair::generate(2048).unwrap().to_pem().unwrap();
    round!(Rs256, RS256KeyPair::from_pem(&rsa).unwrap());
    round!(Rs384, RS384KeyPair::from_pem(&rsa).unwrap());
    round!(Rs512, RS512KeyPair::from_pem(&rsa).unwrap());
    round!(Ps256, PS256KeyPair::from_pem(&rsa).unwrap());
    round!(Ps384, PS384KeyPair::from_pem(&rsa).unwrap());
    round!(Ps512, PS512KeyPair::from_pem(&rsa).unwrap());
    let secret = |bytes: usize, alg: &str| {
        let k = tollgate::encoding::base64url(&vec![7; bytes]);
        serde_json::from_value(serde_json::json!({ "kty": "oct", "k": k, "alg": alg })).unwrap()
    };
    check(
        &secret(48, "HS384"),
        Algorithm::Hs384,
        &HS384Key::from_bytes(&[7; 48]).authenticate(claims()).unwrap(),
    );
    check(
        &secret(64, "HS512"),
        Algorithm::Hs512,
        &HS512Key::from_bytes(&[7; 64]).authenticate(claims()).unwrap(),
    );
}

#[test]
fn rfc7638_section_3_1_the_thumbprint() {
    let key = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    let key: Jwk = serde_json::from_str(key).unwrap();
    assert_eq!(key.thumbprint().to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}
