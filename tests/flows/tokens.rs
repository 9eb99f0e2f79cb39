//! Tokens of realms that must not pass. What is wrong with any issuer's tokens is in `tests/attacks`.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use tollgate::encoding::{base64url, from_base64url};

use super::{CONFIG, token};
use crate::fakes::{Call, Edge, World, call};

fn status(edge: &Edge<'_>, token: &str) -> (u16, Option<String>) {
    let (reply, _) = call(edge, &Call::get("https://edge.example/orders/1").bearer(token));
    match reply {
        crate::fakes::Reply::Answered(answer) => {
            (answer.status, answer.header("www-authenticate").map(str::to_owned))
        }
        crate::fakes::Reply::Forwarded { .. } => (200, None),
    }
}

fn is_refused(edge: &Edge<'_>, token: &str) -> bool {
    status(edge, token) == (401, Some(r#"Bearer error="invalid_token""#.to_owned()))
}

fn key_of(realm: &str) -> SigningKey {
    World::signing_key(&realm.parse().unwrap())
}

fn parts(token: &str) -> (Value, Value) {
    let read = |part: Option<&str>| serde_json::from_slice(&from_base64url(part.unwrap()).unwrap()).unwrap();
    let mut split = token.split('.');
    (read(split.next()), read(split.next()))
}

/// A token with a genuine signature of `key` over whatever it says.
fn sign(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let input =
        format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let signature: Signature = key.sign(input.as_bytes());
    format!("{input}.{}", base64url(&signature.to_bytes()))
}

/// The parts of a good token, and the world in which it is good.
fn good(check: impl Fn(&Edge<'_>, Value, Value)) {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let (header, claims) = parts(&token);
    assert_eq!(status(&edge, &sign(&key_of("test"), &header, &claims)).0, 200, "the unchanged token passes");
    check(&edge, header, claims);
}

#[test]
fn a_realms_tokens_are_held_to_its_own_name_audience_clock_and_sessions() {
    good(|edge, header, claims| {
        let now = claims["iat"].as_u64().unwrap();
        let change = |name: &str, value: Value| {
            let mut claims = claims.clone();
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value,
            }
            sign(&key_of("test"), &header, &claims)
        };
        for (name, value) in [
            ("exp", json!(now - 5)),
            ("nbf", json!(now + 6)),
            ("iat", json!(now + 6)),
            ("aud", json!("https://edge.example.evil")),
            ("iss", json!("https://edge.example/test/")),
            ("iss", json!("https://edge.example/nobody")),
            ("iss", json!(["https://edge.example/test"])),
            ("client_id", Value::Null),
            ("jti", Value::Null),
            ("sid", Value::Null),
            ("sid", json!("guess")),
            ("sid", json!(7)),
        ] {
            assert!(is_refused(edge, &change(name, value.clone())), "{name} {value}");
        }
        for (name, value) in [("exp", now - 4), ("nbf", now + 5), ("iat", now + 5)] {
            assert_eq!(status(edge, &change(name, json!(value))).0, 200, "{name} within the leeway of 5 s");
        }
    });
}

#[test]
fn attack_48_a_key_belongs_to_its_issuer() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let test = token(&edge, "test", "orders:read");
    let sandbox = token(&edge, "sandbox", "orders:read");
    assert!(is_refused(&edge, &sandbox), "another realm's token");
    let (test_header, _) = parts(&test);
    let (_, sandbox_claims) = parts(&sandbox);
    let (sandbox_header, test_claims) = (parts(&sandbox).0, parts(&test).1);
    assert!(
        is_refused(&edge, &sign(&key_of("sandbox"), &sandbox_header, &test_claims)),
        "sandbox signs for test"
    );
    assert!(
        is_refused(&edge, &sign(&key_of("test"), &test_header, &sandbox_claims)),
        "test signs for sandbox"
    );
    let mut claims = test_claims;
    claims["iss"] = json!("https://accounts.example.com");
    assert!(
        is_refused(&edge, &sign(&key_of("test"), &test_header, &claims)),
        "test signs for a foreign issuer"
    );
    let any = Call::get("https://edge.example/any").bearer(&sandbox);
    assert_eq!(call(&edge, &any).0.status(), 200, "where its realm counts, it passes");
}
