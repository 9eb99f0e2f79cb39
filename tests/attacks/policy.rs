//! Cases 13, 14, 23 and 54, as far as they are about keys: what no key set and no configuration may hold.

use serde_json::{Value, json};
use tollgate::config::Config;
use tollgate::encoding::{base64url, from_base64url};
use tollgate::token::{JwkSet, MAX_KEYS, Unfit};

use super::config;
use super::draft::issuer;
use super::keys::{KEYS, Secret};

/// Why a key that somebody publishes is left out; None: it is kept.
fn published(key: &Value) -> Option<Unfit> {
    let good = KEYS.es256.jwk(&[("kid", "good")]);
    let (set, unfit) = JwkSet::parse(json!({ "keys": [good, key] }).to_string().as_bytes()).unwrap();
    assert_eq!(set.keys().count() + unfit.len(), 2, "the good one stays, whatever stands beside it");
    assert!(!set.is_empty());
    unfit.first().copied()
}

/// Whether a configuration may hold the key.
fn configured(key: &Value, alg: &str) -> bool {
    let mut document = config::document();
    document["issuers"].as_array_mut().unwrap().push(json!({
        "issuer": issuer("key"), "audiences": ["x"], "algorithms": [alg], "jwks": { "keys": [key] },
    }));
    match Config::parse(&document.to_string()) {
        Ok(_) => true,
        Err(errors) => {
            assert!(errors.iter().all(|error| error.to_string().contains("jwks")), "{errors:#?}");
            false
        }
    }
}

fn refused(about: &str, key: &Value, alg: &str, reason: Unfit) {
    assert_eq!(published(key), Some(reason), "{about}");
    assert!(!configured(key, alg), "{about}");
}

fn kept(about: &str, key: &Value, alg: &str) {
    assert_eq!(published(key), None, "{about}");
    assert!(configured(key, alg), "{about}");
}

fn rsa(n: &[u8], e: &[u8]) -> Value {
    json!({ "kty": "RSA", "n": base64url(n), "e": base64url(e) })
}

/// An odd number of so many bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut n = vec![0xaa; bits.div_ceil(8)];
    let top = (bits - 1) % 8;
    n[0] = 1 << top;
    *n.last_mut().unwrap() |= 1;
    n
}

#[test]
fn attack_13_rsa_keys_that_are_weak_or_made_to_cost() {
    let e = [1, 0, 1];
    for bits in [2048, 2049, 3072, 4096, 8192] {
        kept(&format!("{bits} bits"), &rsa(&modulus(bits), &e), "RS256");
    }
    for bits in [8, 512, 768, 1024, 1536, 2040, 2047, 8193, 16_384, 65_536] {
        refused(&format!("{bits} bits"), &rsa(&modulus(bits), &e), "RS256", Unfit::Weak);
    }
    let filled = [vec![0; 128], modulus(1024)].concat();
    refused("1024 bits, filled up with zeros", &rsa(&filled, &e), "RS256", Unfit::Weak);
    kept("2048 bits, with a zero as sign", &rsa(&[vec![0], modulus(2048)].concat(), &e), "RS256");
    let mut even = modulus(2048);
    *even.last_mut().unwrap() &= 0xfe;
    refused("an even modulus", &rsa(&even, &e), "RS256", Unfit::Weak);
    refused("no modulus", &rsa(&[], &e), "RS256", Unfit::Weak);
    refused("a modulus of zeros", &rsa(&[0; 256], &e), "RS256", Unfit::Weak);
    for e in [
        [].as_slice(),
        &[0],
        &[1],
        &[2],
        &[3],
        &[17],
        &[0xff, 0xff],
        &[1, 0, 0],
        &[1, 0, 2],
        &[0, 0, 3],
        &[1, 0, 0, 0, 1],
        &modulus(2048),
    ] {
        refused(&format!("e = {e:?}"), &rsa(&modulus(2048), e), "RS256", Unfit::Exponent);
    }
    kept("the exponent that everybody uses", &rsa(&modulus(2048), &[1, 0, 1]), "RS256");
    refused(
        "one that the platform does not import",
        &rsa(&modulus(2048), &[1, 0, 3]),
        "RS256",
        Unfit::Exponent,
    );
    for member in ["n", "e"] {
        let mut key = rsa(&modulus(2048), &e);
        key.as_object_mut().unwrap().remove(member);
        refused(&format!("no {member}"), &key, "RS256", Unfit::Member);
        for value in [json!(65_537), json!(null), json!(["AQAB"]), json!("AQAB="), json!("A+/B"), json!("A")]
        {
            let mut key = rsa(&modulus(2048), &e);
            key[member] = value.clone();
            assert_eq!(published(&key), Some(Unfit::Member), "{member} {value}");
            // Serde reads null as absent, which is one member too few all the same.
            assert!(!configured(&key, "RS256"), "{member} {value}");
        }
    }
}

#[test]
fn attack_14_points_and_curves_that_do_not_count() {
    for (about, secret, alg) in [
        ("P-256", &KEYS.es256, "ES256"),
        ("P-384", &KEYS.es384, "ES384"),
        ("P-521", &KEYS.es512, "ES512"),
        ("secp256k1", &KEYS.es256k, "ES256K"),
    ] {
        kept(about, &secret.jwk(&[]), alg);
        let public = secret.public();
        for crv in ["P-256", "P-384", "P-521"] {
            let key = secret.jwk(&[("crv", crv)]);
            let other = match crv {
                "P-256" => 32,
                "P-384" => 48,
                _ => 66,
            };
            let why = if other == public[0].len() { Unfit::OffCurve } else { Unfit::Member };
            if crv != about {
                refused(&format!("{about} as {crv}"), &key, alg, why);
            }
        }
        for (x, y) in [
            (public[0][1..].to_vec(), public[1].clone()),
            (public[0].clone(), public[1][1..].to_vec()),
            ([&[0], public[0].as_slice()].concat(), public[1].clone()),
            ([&[4], public[0].as_slice()].concat(), public[1].clone()),
            (Vec::new(), Vec::new()),
            (vec![0], vec![0]),
        ] {
            let key = json!({ "kty": "EC", "crv": about, "x": base64url(&x), "y": base64url(&y) });
            refused(&format!("{about} of {} and {} bytes", x.len(), y.len()), &key, alg, Unfit::Member);
        }
    }
    for crv in ["P-192", "P-224", "p-256", "P-256 ", "brainpoolP256r1", "Ed25519", "", "X25519"] {
        refused(crv, &KEYS.es256.jwk(&[("crv", crv)]), "ES256", Unfit::Type);
    }
    for crv in ["Ed448", "X25519", "X448", "ed25519", "P-256", ""] {
        refused(crv, &KEYS.eddsa.jwk(&[("crv", crv)]), "EdDSA", Unfit::Type);
    }
    kept("Ed25519", &KEYS.eddsa.jwk(&[]), "EdDSA");
    // The one of the corpus is none, though nothing about its bytes says so.
    assert!(ed25519_compact::PublicKey::new(config::NO_POINT).validate().is_err());
    for length in [0, 31, 33, 57, 64] {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&vec![9; length]) });
        refused(&format!("Ed25519 of {length} bytes"), &key, "EdDSA", Unfit::Member);
    }
}

#[test]
fn attack_14_points_off_the_curve_at_infinity_and_not_reduced() {
    let point = |crv: &str, x: &[u8], y: &[u8]| json!({ "kty": "EC", "crv": crv, "x": base64url(x), "y": base64url(y) });
    for (secret, crv, alg) in [
        (&KEYS.es256, "P-256", "ES256"),
        (&KEYS.es384, "P-384", "ES384"),
        (&KEYS.es512, "P-521", "ES512"),
        (&KEYS.es256k, "secp256k1", "ES256K"),
    ] {
        let (x, y) = (&secret.public()[0], &secret.public()[1]);
        let length = x.len();
        for at in [0, 1] {
            let mut parts = secret.public();
            *parts[at].last_mut().unwrap() ^= 1;
            refused(
                &format!("{crv}, one bit of {at}"),
                &point(crv, &parts[0], &parts[1]),
                alg,
                Unfit::OffCurve,
            );
        }
        refused(&format!("{crv}, x and y"), &point(crv, y, x), alg, Unfit::OffCurve);
        for byte in [0, 0xff] {
            let number = vec![byte; length];
            refused(&format!("{crv}, all {byte}"), &point(crv, &number, &number), alg, Unfit::OffCurve);
        }
    }
    // There is a point whose x is 0; p is 0 as well, but not reduced.
    let p = [vec![0xff; 4], vec![0, 0, 0, 1], vec![0; 12], vec![0xff; 12]].concat();
    let root = from_base64url("ZkhceA4vg9ckM71dhKBrtlQcKvMdrocXKL-FahdPk_Q").unwrap();
    kept("P-256, x of 0", &point("P-256", &[0; 32], &root), "ES256");
    refused("P-256, x of p", &point("P-256", &p, &root), "ES256", Unfit::OffCurve);
}

#[test]
fn attack_14_keys_of_small_order() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let all = super::signature::small_order().into_iter().chain([("neutral", neutral)]);
    let mut count = 0;
    for (about, x) in all {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&x) });
        refused(about, &key, "EdDSA", Unfit::SmallOrder);
        count += 1;
    }
    assert_eq!(count, 14, "every encoding that there is");
}

#[test]
fn attack_23_a_key_set_is_read_for_what_can_be_used_of_it() {
    let key = |more: Value| {
        let mut key = KEYS.es256.jwk(&[("kid", "k")]);
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    };
    for (more, reason) in [
        (json!({ "d": "AA" }), Unfit::Private),
        (json!({ "d": "" }), Unfit::Private),
        (json!({ "priv": "AA" }), Unfit::Private),
        (json!({ "use": "enc" }), Unfit::Usage),
        (json!({ "use": "" }), Unfit::Usage),
        (json!({ "use": "SIG" }), Unfit::Usage),
        (json!({ "key_ops": [] }), Unfit::Usage),
        (json!({ "key_ops": ["sign"] }), Unfit::Usage),
        (json!({ "key_ops": ["encrypt", "wrapKey"] }), Unfit::Usage),
        (json!({ "alg": "none" }), Unfit::Algorithm),
        (json!({ "alg": "HS256" }), Unfit::Algorithm),
        (json!({ "alg": "ES384" }), Unfit::Algorithm),
        (json!({ "alg": "RS256" }), Unfit::Algorithm),
        (json!({ "alg": "ECDH-ES" }), Unfit::Algorithm),
        (json!({ "alg": "" }), Unfit::Algorithm),
        (json!({ "kty": "unheard-of" }), Unfit::Type),
        (json!({ "kty": "ec" }), Unfit::Type),
        (json!({ "kty": "" }), Unfit::Type),
        (json!({ "kid": "" }), Unfit::Member),
        (json!({ "kid": "x".repeat(257) }), Unfit::Member),
        (json!({ "kid": "a\r\nb" }), Unfit::Member),
        (json!({ "kid": "\u{1f600}" }), Unfit::Member),
    ] {
        refused(&more.to_string(), &key(more.clone()), "ES256", reason);
    }
    for more in [
        json!({ "kty": 7 }),
        json!({ "kid": 7 }),
        json!({ "alg": ["ES256"] }),
        json!({ "key_ops": "verify" }),
    ] {
        refused(&more.to_string(), &key(more.clone()), "ES256", Unfit::Member);
    }
    for more in [
        json!({ "use": "sig" }),
        json!({ "key_ops": ["verify"] }),
        json!({ "alg": "ES256" }),
        json!({ "x5c": ["x"], "x5u": "https://evil.example", "ext": true, "more": { "a": [1] } }),
    ] {
        kept(&more.to_string(), &key(more.clone()), "ES256");
    }
    // In a set that everybody may read, a secret is none.
    assert_eq!(published(&KEYS.hs256.jwk(&[])), Some(Unfit::Private));
    for entry in [json!(null), json!(7), json!([]), json!("x"), json!({})] {
        assert_eq!(published(&entry), Some(Unfit::Member), "{entry}");
    }
}

#[test]
fn attack_23_two_keys_of_one_name_are_none() {
    let named = |secret: &Secret| secret.jwk(&[("kid", "good")]);
    assert_eq!(published(&named(&KEYS.rs)), None, "another type is another key");
    let keys = json!({ "keys": [named(&KEYS.es256), named(&KEYS.other), KEYS.eddsa.jwk(&[])] });
    let (set, unfit) = JwkSet::parse(keys.to_string().as_bytes()).unwrap();
    assert_eq!((set.keys().count(), unfit), (1, vec![Unfit::Duplicate; 2]));
    let twice = json!({ "keys": [named(&KEYS.es256), named(&KEYS.es256)] });
    let (set, unfit) = JwkSet::parse(twice.to_string().as_bytes()).unwrap();
    assert_eq!((set.keys().count(), unfit), (1, Vec::new()));
}

#[test]
fn attack_04_no_issuer_has_secrets_beside_public_keys() {
    let mut document = config::document();
    let ring =
        document["issuers"].as_array_mut().unwrap().iter_mut().find(|one| one["issuer"] == issuer("ring"));
    ring.unwrap()["jwks"]["keys"].as_array_mut().unwrap().push(KEYS.hs256.jwk(&[("kid", "oct")]));
    let errors = Config::parse(&document.to_string()).err().unwrap();
    assert!(errors[0].to_string().contains("holds secrets beside public keys"), "{errors:?}");
}

#[test]
fn attack_23_what_is_no_key_set_is_refused_as_a_whole() {
    let key = KEYS.es256.jwk_text(&[("kid", "k")]);
    let set = |count: usize| {
        let keys: Vec<_> = (0..count).map(|n| KEYS.es256.jwk_text(&[("kid", &format!("k{n}"))])).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    };
    assert_eq!(JwkSet::parse(set(MAX_KEYS).as_bytes()).unwrap().0.keys().count(), MAX_KEYS);
    for bad in [
        set(MAX_KEYS + 1),
        set(10_000),
        key.clone(),
        format!("[{key}]"),
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        r#"{"keys":null}"#.to_owned(),
        r#"{"keys":{}}"#.to_owned(),
        r#"{"keys":"x"}"#.to_owned(),
        r#"{"Keys":[]}"#.to_owned(),
        r#"{"keys":[],"keys":[]}"#.to_owned(),
        format!(r#"{{"keys":[{}]}}"#, key.replacen('{', r#"{"kty":"EC","#, 1)),
        format!("{}x", set(1)),
        format!("\u{feff}{}", set(1)),
        "<html>".to_owned(),
        "[".repeat(100_000),
    ] {
        assert!(JwkSet::parse(bad.as_bytes()).is_err(), "{}", &bad[..bad.len().min(80)]);
    }
    assert!(JwkSet::parse(br#"{"keys":[]}"#).unwrap().0.is_empty());
}

#[test]
fn attack_54_secrets_that_are_too_short() {
    for (alg, enough) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        for length in [0, 1, 16, enough - 1, enough, enough + 1] {
            let secret = base64url(&vec![7; length]);
            let key = json!({ "kty": "oct", "k": secret, "alg": alg });
            assert_eq!(configured(&key, alg), length >= enough, "{alg} of {length} bytes");
            assert_eq!(published(&key), Some(Unfit::Private));
        }
    }
    for k in
        [json!(null), json!(""), json!(7), json!("AAAA="), json!("secret secret secret secret secret secret")]
    {
        assert!(!configured(&json!({ "kty": "oct", "k": k }), "HS256"), "{k}");
    }
    assert!(!configured(&json!({ "kty": "oct" }), "HS256"));
}
