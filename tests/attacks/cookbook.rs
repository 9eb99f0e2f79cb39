//! What the JOSE cookbook (RFC 7520, and the same for curve25519 and RFC 7797) has beside signatures in the compact
//! form: detached and unprotected ones, many at once, encryption, and both in each other.

use std::fs;

use serde_json::Value;
use tollgate::encoding::base64url;
use tollgate::port::Verifier as _;
use tollgate::software::SoftwareVerifier;
use tollgate::token::{Algorithm, Compact, Jwk};

use super::suite::outcome;
use crate::fakes::run;

/// What is inside the nested one: a good signature.
const INNER: &str = "6.nesting_signatures_and_encryption.json sign compact";

#[derive(Debug, Default)]
struct Vectors {
    /// By name: `compact`, and the JSON of `json` and `json_flat`.
    texts: Vec<(String, String)>,
    keys: Vec<Jwk>,
}

impl Vectors {
    /// Takes in all that one file has, wherever it stands.
    fn read(&mut self, name: &str, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.read(name, item)),
            Value::Object(members) => {
                if members.contains_key("kty") {
                    self.keys.extend(public(value));
                }
                for (member, value) in members {
                    match (member.as_str(), value) {
                        ("output", Value::Object(forms)) => {
                            for (form, value) in forms {
                                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                                self.texts.push((format!("{name} {form}"), text));
                            }
                        }
                        ("sign" | "encrypt", _) => self.read(&format!("{name} {member}"), value),
                        _ => self.read(name, value),
                    }
                }
            }
            _ => {}
        }
    }
}

/// A key without its private part, if it is one that verifies anything.
fn public(key: &Value) -> Option<Jwk> {
    let mut key = key.clone();
    for name in ["d", "p", "q", "dp", "dq", "qi"] {
        key.as_object_mut()?.remove(name);
    }
    serde_json::from_value(key).ok()
}

fn files() -> Vec<Vectors> {
    let folder = fs::read_dir("tests/vectors/jose-cookbook/refused").unwrap();
    let files = folder.map(|entry| {
        let path = entry.unwrap().path();
        let mut vectors = Vectors::default();
        let text = fs::read_to_string(&path).unwrap();
        vectors.read(path.file_name().unwrap().to_str().unwrap(), &serde_json::from_str(&text).unwrap());
        vectors
    });
    let files: Vec<_> = files.collect();
    let texts: usize = files.iter().map(|vectors| vectors.texts.len()).sum();
    assert_eq!((files.len(), texts), (20, 51));
    files
}

/// The algorithms by which some key has signed it.
fn verifying(keys: &[Jwk], token: &str) -> Vec<&'static str> {
    let Ok(compact) = Compact::parse(token) else { return Vec::new() };
    let (input, signature) = (compact.signing_input().as_bytes(), compact.signature());
    let verifies = |key, algorithm| run(SoftwareVerifier.verify(key, algorithm, input, signature)).unwrap();
    let signs = |algorithm: &Algorithm| keys.iter().any(|key| verifies(key, *algorithm));
    Algorithm::ALL.into_iter().filter(signs).map(Algorithm::name).collect()
}

#[test]
fn attack_28_and_29_the_cookbooks_other_forms_verify_by_no_key_of_their_own() {
    for Vectors { texts, keys } in files() {
        for (name, text) in texts {
            let expected: &[&str] = if name == INNER { &["PS256"] } else { &[] };
            assert_eq!(verifying(&keys, &text), expected, "{name}");
            assert!(verifying(&keys, &base64url(text.as_bytes())).is_empty(), "{name}, encoded");
        }
    }
}

#[test]
fn attack_28_and_29_the_cookbooks_other_forms_are_refused() {
    let world = super::world();
    let edge = world.edge();
    for (name, text) in files().into_iter().flat_map(|vectors| vectors.texts) {
        let (status, reason) = match name.as_str() {
            INNER => (401, "untrusted_issuer"),
            // Not even a credential.
            _ if text.starts_with('{') => (400, "malform_credentials"),
            _ => (401, "malform_token"),
        };
        assert_eq!(outcome(&edge, &text), (status, Some(reason.to_owned())), "{name}");
        let encoded = base64url(text.as_bytes());
        assert_eq!(outcome(&edge, &encoded), (401, Some("malform_token".to_owned())), "{name}, encoded");
    }
}
