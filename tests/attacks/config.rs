//! `tollgate.json`: the issuers that the cases are about. Written by the test below, with `UPDATE_VECTORS=1`.

use std::fs;

use serde_json::{Value, json};
use tollgate::encoding::base64url;

use super::draft::{AUDIENCE, issuer};
use super::keys::{KEYS, Secret};

const PATH: &str = "tests/attacks/tollgate.json";

/// A number below 2^255 - 19 that is the y of no point of Ed25519: 2.
pub(super) const NO_POINT: [u8; 32] = {
    let mut y = [0; 32];
    y[0] = 2;
    y
};

fn trusted(name: &str, algorithms: &[&str], keys: &[Value]) -> Value {
    let keys = json!({ "keys": keys });
    json!({ "issuer": issuer(name), "audiences": [AUDIENCE], "algorithms": algorithms, "jwks": keys })
}

/// An issuer with one algorithm and one key that is for nothing else, all of one name.
fn plain(alg: &str, secret: &Secret) -> Value {
    let name = alg.to_ascii_lowercase();
    trusted(&name, &[alg], &[secret.jwk(&[("kid", &name), ("alg", alg)])])
}

/// A public key that is none: of its length, and nothing more. No token can be genuine there.
fn broken(name: &str, alg: &str, key: Value) -> Value {
    trusted(name, &[alg], &[key])
}

fn broken_keys() -> Vec<Value> {
    let no_point = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&NO_POINT) });
    let no_modulus =
        json!({ "kty": "RSA", "e": "AQAB", "n": base64url(&[vec![0xff; 255], vec![1]].concat()) });
    vec![
        broken("no-point-ed25519", "EdDSA", no_point),
        broken("no-modulus-rsa", "RS256", no_modulus.clone()),
        broken("no-modulus-rsa-pss", "PS256", no_modulus),
    ]
}

fn issuers() -> Vec<Value> {
    let mut issuers: Vec<Value> = [
        ("EdDSA", &KEYS.eddsa),
        ("ES256", &KEYS.es256),
        ("ES256K", &KEYS.es256k),
        ("ES384", &KEYS.es384),
        ("ES512", &KEYS.es512),
        ("HS256", &KEYS.hs256),
        ("HS384", &KEYS.hs384),
        ("HS512", &KEYS.hs512),
        ("PS256", &KEYS.ps),
        ("PS384", &KEYS.ps),
        ("PS512", &KEYS.ps),
        ("RS256", &KEYS.rs),
        ("RS384", &KEYS.rs),
        ("RS512", &KEYS.rs),
    ]
    .into_iter()
    .map(|(alg, secret)| plain(alg, secret))
    .collect();
    let rsa = ["PS256", "RS256", "RS384"];
    let p256 = |kid: &str, secret: &Secret| secret.jwk(&[("kid", kid)]);
    issuers.extend([
        trusted("pinned-ps256", &rsa, &[KEYS.ps.jwk(&[("kid", "rsa"), ("alg", "PS256")])]),
        trusted("pinned-rs256", &rsa, &[KEYS.rs.jwk(&[("kid", "rsa"), ("alg", "RS256")])]),
        trusted("unpinned-rsa", &rsa, &[KEYS.rs.jwk(&[("kid", "rsa")])]),
        // HS256 counts, and there is no secret: only the keys' own kinds are in the way.
        trusted(
            "ring",
            &["EdDSA", "ES256", "HS256", "RS256"],
            &[
                KEYS.es256.jwk(&[("kid", "ec")]),
                KEYS.eddsa.jwk(&[("kid", "ed")]),
                KEYS.rs.jwk(&[("kid", "rsa")]),
            ],
        ),
        trusted("two", &["ES256"], &[p256("a", &KEYS.es256), p256("b", &KEYS.other)]),
        trusted("nameless", &["ES256"], &[KEYS.es256.jwk(&[])]),
        trusted("namesakes", &["ES256", "RS256"], &[p256("same", &KEYS.es256), p256("same", &KEYS.rs)]),
        trusted("same-kid", &["ES256"], &[p256("es256", &KEYS.other)]),
        trusted("slash/", &["ES256"], &[p256("slash", &KEYS.es256)]),
    ]);
    let mut jwt = trusted("jwt", &["ES256"], &[p256("jwt", &KEYS.es256)]);
    jwt["typ"] = json!(["JWT", "at+jwt"]);
    issuers.push(jwt);
    issuers.extend(broken_keys());
    // The vectors of the algorithms whose signer draws randomness.
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/algorithms.json")).unwrap();
    issuers.extend(vectors.iter().filter(|vector| is_ml_dsa(vector)).map(|vector| {
        json!({
            "issuer": format!("https://vectors.example/{}", vector["alg"].as_str().unwrap()),
            "audiences": ["https://vectors.example"],
            "algorithms": [vector["alg"]],
            "jwks": { "keys": [vector["key"]] },
        })
    }));
    issuers
}

pub(super) fn is_ml_dsa(vector: &Value) -> bool {
    vector["alg"].as_str().is_some_and(|alg| alg.starts_with("ML-DSA"))
}

pub(super) fn document() -> Value {
    let to = json!({ "url": "http://127.0.0.1:8792" });
    json!({
        "realms": { "test": { "issuer": "http://127.0.0.1:8795/test", "allow_http": true } },
        "issuers": issuers(),
        "scopes": { "attacks:read": { "description": "Read what nobody may." } },
        "routes": [
            { "id": "attacks", "methods": ["GET"], "path": "/attacks", "require": {}, "to": to },
            { "id": "attacks-read", "methods": ["GET"], "path": "/attacks/read", "require": { "scopes": ["attacks:read"] }, "to": to },
            { "id": "attacks-es256", "methods": ["GET"], "path": "/attacks/es256", "require": { "issuers": [issuer("es256")] }, "to": to },
        ],
    })
}

#[test]
fn the_configuration_is_that_of_the_tests() {
    let document = document();
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(PATH, format!("{}\n", serde_json::to_string_pretty(&document).unwrap())).unwrap();
    }
    let written: Value = serde_json::from_str(&fs::read_to_string(PATH).unwrap()).unwrap();
    assert!(written == document, "{PATH} is not what the cases are about: UPDATE_VECTORS=1 writes it");
}
