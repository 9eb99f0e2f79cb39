//! The public part of a key that the platform has made.

use serde_json::{Map, Value};

use crate::id::Malformed;
use crate::token::{Algorithm, Jwk};

/// Reads the public part of a new key from a JWK as the platform exports it: for `algorithm` and no other, under its
/// thumbprint as `kid`. Takes the members that say what the key is, and nothing else.
///
/// # Errors
/// It is no key that may verify `algorithm`.
pub fn public_part(exported: &str, algorithm: Algorithm) -> Result<Jwk, Malformed> {
    const BAD: Malformed = Malformed::new("public key", "a JWK that may verify the algorithm");
    let exported: Map<String, Value> = serde_json::from_str(exported).map_err(|_| BAD)?;
    let mut members: Map<String, Value> = exported
        .into_iter()
        .filter(|(name, _)| matches!(name.as_str(), "crv" | "e" | "kty" | "n" | "pub" | "x" | "y"))
        .collect();
    members.insert("alg".to_owned(), algorithm.name().into());
    let key: Jwk = serde_json::from_value(Value::Object(members)).map_err(|_| BAD)?;
    if key.is_symmetric() {
        return Err(BAD);
    }
    key.identified()
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7515 appendix A.3.
    const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","ext":true,"key_ops":["verify"]"#;

    #[test]
    fn a_key_is_for_one_algorithm_and_named_by_its_thumbprint() {
        let key = public_part(&format!("{EC}}}"), Algorithm::Es256).unwrap();
        assert_eq!(key.algorithm(), Some(Algorithm::Es256));
        assert_eq!(key.id().unwrap().as_str(), key.thumbprint().to_string());
        // RFC 8037 appendix A.2, as an engine exports it.
        let ed = r#"{"crv":"Ed25519","ext":true,"key_ops":["verify"],"kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(public_part(ed, Algorithm::EdDsa).unwrap().algorithm(), Some(Algorithm::EdDsa));
        let n = crate::encoding::base64url(&[0x81; 384]);
        let rsa = format!(r#"{{"alg":"PS256","e":"AQAB","kty":"RSA","n":"{n}"}}"#);
        let pss = public_part(&rsa, Algorithm::Ps256).unwrap();
        assert!(pss.serves(Algorithm::Ps256) && !pss.serves(Algorithm::Rs256));
    }

    #[test]
    fn what_is_no_public_key_for_the_algorithm_is_refused() {
        let secret = format!(r#"{{"kty":"oct","k":"{}"}}"#, crate::encoding::base64url(&[7; 32]));
        for (exported, algorithm) in [
            (format!("{EC}}}").as_str(), Algorithm::EdDsa),
            (secret.as_str(), Algorithm::Hs256),
            ("{}", Algorithm::Es256),
            ("[]", Algorithm::Es256),
            ("", Algorithm::Es256),
        ] {
            assert!(public_part(exported, algorithm).is_err(), "{exported}");
        }
    }

    #[test]
    fn a_private_part_is_not_taken_along() {
        let key = public_part(&format!(r#"{EC},"d":"AA"}}"#), Algorithm::Es256).unwrap();
        assert!(!serde_json::to_string(&key).unwrap().contains(r#""d""#));
    }
}
