use serde_json::{Value as Json, json};

use super::*;
use crate::encoding::base64url;

const KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#;

fn vectors() -> Vec<Json> {
    let text = include_str!("../../../tests/vectors/rfc/rfc7636_7638_8037_9449.json");
    serde_json::from_str(text).unwrap()
}

fn vector(name: &str) -> Json {
    vectors().into_iter().find(|vector| vector["name"] == name).unwrap()
}

fn header() -> Json {
    json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": serde_json::from_str::<Json>(KEY).unwrap() })
}

fn claims() -> Json {
    json!({ "jti": "a", "htm": "POST", "htu": "https://gate.example/test/oauth/token", "iat": 1000 })
}

/// A proof that nobody has signed: what is checked here comes before the signature.
fn written(header: &Json, claims: &Json) -> String {
    let part = |json: &Json| base64url(json.to_string().as_bytes());
    format!("{}.{}.{}", part(header), part(claims), base64url(&[1; 64]))
}

fn checked(text: &str, token: Option<&str>, now: u64) -> Result<Proved, Denied> {
    let path = "/test/oauth/token".parse().unwrap();
    let origins = ["https://gate.example".to_owned(), "http://127.0.0.1:8787".to_owned()];
    let about = About { method: "POST", origins: &origins, path: &path, token };
    Proof::parse(text)?.check(&about, Timestamp::from_seconds(now))
}

/// The good proof with one member changed; `null` takes it away.
fn with(header_changes: &Json, claim_changes: &Json) -> String {
    let merge = |mut base: Json, changes: &Json| {
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Json::Null => drop(base.as_object_mut().unwrap().remove(name)),
                value => base[name] = value.clone(),
            }
        }
        base
    };
    written(&merge(header(), header_changes), &merge(claims(), claim_changes))
}

fn about_claims(changes: &Json) -> Result<Proved, Denied> {
    checked(&with(&json!({}), changes), None, 1000)
}

fn about_header(changes: &Json) -> Result<Proved, Denied> {
    checked(&with(changes, &json!({})), None, 1000)
}

fn wrong(part: &'static str) -> Result<Proved, Denied> {
    Err(Denied::RejectProof(part))
}

#[test]
fn rfc9449_section_4_1_the_published_proofs_are_read() {
    for (name, method, origin, path, token) in [
        ("RFC9449 §4.1 proof (token endpoint)", "POST", "https://server.example.com", "/token", None),
        (
            "RFC9449 §7.1 proof with ath",
            "GET",
            "https://resource.example.org",
            "/protectedresource",
            Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
        ),
    ] {
        let vector = vector(name);
        let proof = Proof::parse(vector["proof"].as_str().unwrap()).unwrap();
        assert_eq!(proof.algorithm(), Algorithm::Es256);
        let (path, origins) = (path.parse().unwrap(), [origin.to_owned()]);
        let about = About { method, origins: &origins, path: &path, token };
        let now = Timestamp::from_seconds(vector["claims"]["iat"].as_u64().unwrap());
        let proved = proof.check(&about, now).unwrap();
        assert_eq!(proved.key.to_string(), self::vector("RFC9449 jkt")["jkt"].as_str().unwrap());
        assert_eq!(proved.mark.until, now.after(Lifetime::from_seconds(90)));
        let other = About { token: Some("another"), ..about };
        assert_eq!(proof.check(&other, now), wrong("ath"));
    }
}

#[test]
fn rfc9449_section_4_3_a_proof_of_this_request_counts() {
    let proved = about_claims(&json!({ "nonce": "n" })).unwrap();
    assert_eq!(proved.nonce.as_deref(), Some("n"));
    let other = about_claims(&json!({ "jti": "b" })).unwrap();
    assert_ne!(proved.mark.id, other.mark.id);
    assert!(about_claims(&json!({ "foo": [1], "exp": 1001, "nbf": 999 })).is_ok());
    assert!(about_header(&json!({ "typ": "DPoP+JWT" })).is_ok(), "media types have no case");
    assert!(about_header(&json!({ "kid": "x" })).is_ok(), "nobody asks for it");
}

#[test]
fn attack_58_rfc9449_section_4_3_headers_that_prove_nothing() {
    let key: Json = serde_json::from_str(KEY).unwrap();
    let with_member = |name: &str, value: Json| {
        let mut key = key.clone();
        key[name] = value;
        json!({ "jwk": key })
    };
    for (changes, part) in [
        (json!({ "typ": null }), "typ"),
        (json!({ "typ": "jwt" }), "typ"),
        (json!({ "typ": "at+jwt" }), "typ"),
        (json!({ "typ": "dpop" }), "typ"),
        (json!({ "alg": null }), "jws"),
        (json!({ "alg": "none" }), "alg"),
        (json!({ "alg": "HS256" }), "alg"),
        (json!({ "alg": "ES256K" }), "alg"),
        (json!({ "alg": "RS256" }), "jwk"),
        (json!({ "alg": "ES384" }), "jwk"),
        (json!({ "crit": ["exp"] }), "jws"),
        (json!({ "jwk": null }), "jwk"),
        (json!({ "jwk": "x" }), "jwk"),
        (json!({ "jwk": {} }), "jwk"),
        (json!({ "jwk": { "kty": "oct", "k": base64url(&[7; 32]) } }), "jwk"),
        (json!({ "jwk": null, "jku": "https://evil.example/jwks" }), "jwk"),
        (with_member("d", json!("AAAA")), "jwk"),
        (with_member("k", json!("AAAA")), "jwk"),
        (with_member("p", json!("AAAA")), "jwk"),
        (with_member("oth", json!([])), "jwk"),
        (with_member("priv", json!("")), "jwk"),
        (with_member("y", key["x"].clone()), "jwk"),
        (with_member("use", json!("enc")), "jwk"),
        (with_member("alg", json!("ES384")), "jwk"),
    ] {
        assert_eq!(about_header(&changes), wrong(part), "{changes}");
    }
    let good = written(&header(), &claims());
    for bad in [
        String::new(),
        "x".to_owned(),
        format!("{good}, {good}"),
        format!("{good},{good}"),
        format!("{good} "),
        format!("{good}.x"),
        good.split_once('.').unwrap().1.to_owned(),
        "a".repeat(20_000),
    ] {
        assert_eq!(checked(&bad, None, 1000), wrong("jws"), "attack 58: {bad:.40}");
    }
    let twice = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{KEY},"jwk":{KEY}}}"#);
    let twice = format!("{}.{}.{}", base64url(twice.as_bytes()), base64url(b"{}"), base64url(&[1; 64]));
    assert_eq!(checked(&twice, None, 1000), wrong("jws"), "two keys");
}

#[test]
fn attack_58_rfc9449_section_4_3_claims_that_prove_nothing() {
    for (changes, part) in [
        (json!({ "htm": null }), "htm"),
        (json!({ "htm": "GET" }), "htm"),
        (json!({ "htm": "post" }), "htm"),
        (json!({ "htm": ["POST"] }), "htm"),
        (json!({ "htu": null }), "htu"),
        (json!({ "htu": 7 }), "htu"),
        (json!({ "iat": null }), "iat"),
        (json!({ "iat": "1000" }), "iat"),
        (json!({ "iat": 909 }), "iat"),
        (json!({ "iat": 1031 }), "iat"),
        (json!({ "iat": -1 }), "iat"),
        (json!({ "exp": 970 }), "exp"),
        (json!({ "exp": "1100" }), "exp"),
        (json!({ "nbf": 1031 }), "nbf"),
        (json!({ "jti": null }), "jti"),
        (json!({ "jti": "" }), "jti"),
        (json!({ "jti": 7 }), "jti"),
        (json!({ "jti": "x".repeat(257) }), "jti"),
        (json!({ "nonce": 7 }), "nonce"),
    ] {
        assert_eq!(about_claims(&changes), wrong(part), "{changes}");
    }
    for iat in [910, 1030] {
        assert!(about_claims(&json!({ "iat": iat })).is_ok(), "{iat}");
    }
    let ath = |ath: Json| checked(&with(&json!({}), &json!({ "ath": ath })), Some("token"), 1000);
    let right = Digest::of(b"token").to_string();
    assert!(ath(json!(right)).is_ok());
    for bad in
        [Json::Null, json!(""), json!("token"), json!(Digest::of(b"Token").to_string()), json!([right])]
    {
        assert_eq!(ath(bad), wrong("ath"));
    }
}

#[test]
fn rfc9449_section_4_3_htu_is_compared_with_our_own_address_in_its_normal_form() {
    for (htu, counts) in [
        ("https://gate.example/test/oauth/token", true),
        ("HTTPS://Gate.Example:443/test/oauth/token", true),
        ("https://gate.example/test/oauth/token?a=1#x", true),
        ("https://gate.example/test/%6fauth/token", true),
        ("https://gate.example/test/x/../oauth/token", true),
        ("http://127.0.0.1:8787/test/oauth/token", true),
        ("https://gate.example/test/oauth/Token", false),
        ("https://gate.example/test/oauth/token/", false),
        ("https://gate.example/test/oauth%2ftoken", false),
        ("https://gate.example/test//oauth/token", false),
        ("http://gate.example/test/oauth/token", false),
        ("https://gate.example:8443/test/oauth/token", false),
        ("https://gate.example.evil.example/test/oauth/token", false),
        ("https://gate.example@evil.example/test/oauth/token", false),
        ("https://user@gate.example/test/oauth/token", false),
        ("https://evil.example/test/oauth/token", false),
        ("/test/oauth/token", false),
        ("https://gate.example/test/oauth/to\tken", false),
        (" https://gate.example/test/oauth/token", false),
        ("", false),
    ] {
        assert_eq!(about_claims(&json!({ "htu": htu })).is_ok(), counts, "{htu}");
    }
}
