//! Tokens that must not pass, whatever is wrong with them. Section numbers are those of the list of attacks.

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

/// A good token, its parts, and the world in which it is good.
fn good(check: impl Fn(&Edge<'_>, &str, Value, Value)) {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let (header, claims) = parts(&token);
    assert_eq!(status(&edge, &sign(&key_of("test"), &header, &claims)).0, 200, "the unchanged token passes");
    check(&edge, &token, header, claims);
}

#[test]
fn attack_15_any_changed_character_is_refused() {
    good(|edge, token, _, _| {
        for at in 0..token.len() {
            for other in ['A', 'B', '_', '.', '='] {
                let mut bytes = token.as_bytes().to_vec();
                if bytes[at] == other as u8 {
                    continue;
                }
                bytes[at] = other as u8;
                let changed = String::from_utf8(bytes).unwrap();
                assert!(is_refused(edge, &changed), "character {at} to {other}");
            }
        }
    });
}

#[test]
fn attack_01_and_02_no_algorithm_and_no_signature() {
    good(|edge, token, mut header, claims| {
        let (_, payload_and_signature) = token.split_once('.').unwrap();
        for alg in ["none", "None", "NONE", "nOnE"] {
            header["alg"] = json!(alg);
            let head = base64url(header.to_string().as_bytes());
            assert!(
                is_refused(edge, &format!("{head}.{payload_and_signature}")),
                "{alg} with the signature kept"
            );
            assert!(
                is_refused(edge, &format!("{head}.{}.", base64url(claims.to_string().as_bytes()))),
                "{alg} without"
            );
        }
        assert!(is_refused(edge, &format!("{}.", token.rsplit_once('.').unwrap().0)));
    });
}

#[test]
fn attack_04_and_05_the_public_key_is_no_hmac_secret() {
    good(|edge, _, mut header, claims| {
        let public = World::public_key(&key_of("test"));
        let point = key_of("test").verifying_key().to_sec1_point(false).as_bytes().to_vec();
        let secrets = [serde_json::to_vec(&public).unwrap(), point[1..].to_vec(), point];
        header["alg"] = json!("HS256");
        let input = format!(
            "{}.{}",
            base64url(header.to_string().as_bytes()),
            base64url(claims.to_string().as_bytes())
        );
        for secret in secrets {
            let mac = hmac_sha256::HMAC::mac(input.as_bytes(), &secret);
            assert!(is_refused(edge, &format!("{input}.{}", base64url(&mac))));
        }
    });
}

#[test]
fn attack_08_and_09_signatures_that_are_none() {
    good(|edge, token, _, _| {
        let (input, signature) = token.rsplit_once('.').unwrap();
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        let order: [u8; 32] = tollgate::encoding::from_hex(order).unwrap();
        let one = {
            let mut one = [0; 32];
            one[31] = 1;
            one
        };
        let mut numbers = vec![[0; 32], one, order, [0xff; 32]];
        let mut below = order;
        below[31] -= 1;
        numbers.push(below);
        for r in &numbers {
            for s in &numbers {
                assert!(
                    is_refused(edge, &format!("{input}.{}", base64url(&[*r, *s].concat()))),
                    "r and s at their ends"
                );
            }
        }
        let raw = from_base64url(signature).unwrap();
        let der = Signature::from_slice(&raw).unwrap().to_der();
        assert!(is_refused(edge, &format!("{input}.{}", base64url(der.as_bytes()))), "DER");
        assert!(is_refused(edge, &format!("{input}.{}", base64url(&raw[..63]))), "too short");
        assert!(
            is_refused(edge, &format!("{input}.{}", base64url(&[&[0], raw.as_slice()].concat()))),
            "too long"
        );
    });
}

#[test]
fn attack_16_to_19_a_header_chooses_no_key() {
    good(|edge, _, header, claims| {
        let stranger = key_of("stranger");
        let jwk = serde_json::to_value(World::public_key(&stranger)).unwrap();
        for (name, value) in [
            ("jwk", jwk),
            ("jku", json!("https://evil.example/jwks")),
            ("x5u", json!("https://evil.example/x")),
            ("x5c", json!(["AAAA"])),
        ] {
            let mut header = header.clone();
            header[name] = value;
            assert!(is_refused(edge, &sign(&stranger, &header, &claims)), "{name}");
        }
    });
}

#[test]
fn attack_20_a_kid_is_a_name_and_nothing_else() {
    good(|edge, _, header, claims| {
        for kid in [
            json!("../../dev/null"),
            json!("' UNION SELECT 1"),
            json!("jwks:test"),
            json!("__proto__"),
            json!(""),
            json!(7),
            json!(["a"]),
            json!(null),
            json!("a\r\nb"),
        ] {
            let mut header = header.clone();
            header["kid"] = kid.clone();
            assert!(is_refused(edge, &sign(&key_of("test"), &header, &claims)), "{kid}");
        }
    });
}

#[test]
fn attack_27_and_49_other_kinds_of_token() {
    good(|edge, _, header, claims| {
        for typ in [
            json!("JWT"),
            json!("jwt"),
            json!("dpop+jwt"),
            json!("logout+jwt"),
            json!(""),
            json!(null),
            json!(["at+jwt"]),
        ] {
            let mut header = header.clone();
            header["typ"] = typ.clone();
            assert!(is_refused(edge, &sign(&key_of("test"), &header, &claims)), "{typ}");
        }
        let mut bare = header.clone();
        bare.as_object_mut().unwrap().remove("typ");
        assert!(is_refused(edge, &sign(&key_of("test"), &bare, &claims)));
        for typ in ["AT+JWT", "application/at+jwt"] {
            let mut header = header.clone();
            header["typ"] = json!(typ);
            assert_eq!(status(edge, &sign(&key_of("test"), &header, &claims)).0, 200, "{typ}");
        }
    });
}

#[test]
fn attack_43_to_47_and_51_claims_that_do_not_count() {
    good(|edge, _, header, claims| {
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
            ("exp", json!(now - 6)),
            ("exp", json!("9999999999")),
            ("exp", json!(-1)),
            ("exp", Value::Null),
            ("nbf", json!(now + 60)),
            ("iat", json!(now + 60)),
            ("iat", Value::Null),
            ("aud", json!("https://edge.example.evil")),
            ("aud", json!([])),
            ("aud", json!([7])),
            ("aud", Value::Null),
            ("iss", json!("https://edge.example/test/")),
            ("iss", json!("https://edge.example/nobody")),
            ("iss", json!(["https://edge.example/test"])),
            ("iss", Value::Null),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("sub", Value::Null),
            ("client_id", Value::Null),
            ("jti", Value::Null),
            ("sid", Value::Null),
            ("sid", json!("guess")),
            ("cnf", json!({ "jkt": "x" })),
            ("scope", json!([7])),
            ("scope", json!(["orders:read orders:admin"])),
        ] {
            assert!(is_refused(edge, &change(name, value.clone())), "{name} {value}");
        }
        assert_eq!(status(edge, &change("exp", json!(now - 4))).0, 200, "within the leeway of 5 s");
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

#[test]
fn attack_38_sizes_are_bounded() {
    good(|edge, token, header, mut claims| {
        claims["pad"] = json!("x".repeat(20_000));
        assert!(is_refused(edge, &sign(&key_of("test"), &header, &claims)));
        assert!(is_refused(edge, &format!("{token}{}", "A".repeat(1_000_000))));
    });
}
