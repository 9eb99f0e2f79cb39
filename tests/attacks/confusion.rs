//! Section A, cases 4 and 5: a public key taken for a secret.

use serde_json::Value;
use tollgate::encoding::{base64url, hex};

use super::corpus::Corpus;
use super::der;
use super::draft::{Draft, text};
use super::keys::{KEYS, Secret, hmac};

const FORGED: &str = "reject_signature";

/// Everything that a public key has been taken for, in one project or another.
fn spellings(secret: &Secret, alg: &str) -> Vec<(String, Vec<u8>)> {
    let name = alg.to_ascii_lowercase();
    let published = [("kid", name.as_str()), ("alg", alg)];
    let pretty: Value = secret.jwk(&[]);
    let pem = der::pem("PUBLIC KEY", &secret.spki());
    let mut texts = vec![
        ("spki_pem", pem.clone()),
        ("spki_pem_line_feed", format!("{pem}\n")),
        ("spki_pem_crlf", format!("{}\r\n", pem.replace('\n', "\r\n"))),
        ("spki_pem_one_line", pem.replace('\n', "")),
        ("spki_base64", pem.lines().filter(|line| !line.starts_with('-')).collect()),
        ("jwk", secret.jwk_text(&[])),
        ("jwk_published", secret.jwk_text(&published)),
        ("jwk_pretty", serde_json::to_string_pretty(&pretty).unwrap()),
        ("jwk_set", format!(r#"{{"keys":[{}]}}"#, secret.jwk_text(&published))),
        ("kid", name.clone()),
        ("client_id", "client-7".to_owned()),
    ];
    let mut raw = vec![("spki_der", secret.spki()), ("empty", Vec::new())];
    let public = secret.public();
    match secret {
        Secret::Rsa(_) => {
            let pem = der::pem("RSA PUBLIC KEY", &secret.pkcs1());
            texts.extend([
                ("pkcs1_pem", pem.clone()),
                ("pkcs1_pem_line_feed", format!("{pem}\n")),
                ("n_base64url", base64url(&public[0])),
                ("n_hex", hex(&public[0])),
            ]);
            raw.extend([
                ("pkcs1_der", secret.pkcs1()),
                ("n", public[0].clone()),
                ("n_with_sign", [&[0], public[0].as_slice()].concat()),
            ]);
        }
        Secret::Ed25519(_) => {
            texts.push(("x_base64url", base64url(&public[0])));
            raw.push(("x", public[0].clone()));
        }
        _ => {}
    }
    let raw = raw.into_iter().map(|(name, bytes)| (name.to_owned(), bytes));
    texts.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).chain(raw).collect()
}

/// x and y (case 5), in every way that a point is written.
fn points(secret: &Secret) -> Vec<(String, Vec<u8>)> {
    let public = secret.public();
    let (x, y) = (public[0].as_slice(), public[1].as_slice());
    let sign = 2 + (y.last().unwrap() & 1);
    [
        ("x_y", [x, y].concat()),
        ("uncompressed", [&[4], x, y].concat()),
        ("compressed", [&[sign], x].concat()),
        ("x", x.to_vec()),
        ("y", y.to_vec()),
        ("x_base64url", base64url(x).into_bytes()),
        ("x_y_base64url", base64url(&[x, y].concat()).into_bytes()),
        ("uncompressed_hex", hex(&[&[4], x, y].concat()).into_bytes()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .to_vec()
}

/// HMACs keyed with what everybody knows, where only `alg` is trusted, and where HS256 counts as well.
fn forge(to: &mut Corpus, alg: &str, ring: Option<&str>, secrets: &[(String, Vec<u8>)]) {
    let said = |draft: Draft, hs: &str| draft.header("alg", &text(hs));
    for (name, secret) in secrets {
        for hs in ["HS256", "HS384", "HS512"] {
            let draft = said(Draft::of(alg), hs);
            let token = draft.with(&hmac(hs, secret, draft.input().as_bytes()));
            to.refused(&format!("{alg}_{name}_{hs}"), "reject_algorithm", token);
        }
        let draft = Draft::of(alg);
        let token = draft.with(&hmac("HS256", secret, draft.input().as_bytes()));
        to.refused(&format!("{alg}_{name}_unsaid"), FORGED, token);
        if let Some(kid) = ring {
            let draft = Draft::new("ring", &KEYS.hs256, "HS256", kid);
            let token = draft.with(&hmac("HS256", secret, draft.input().as_bytes()));
            to.refused(&format!("{alg}_{name}_in_a_ring"), "unknown_key", token);
            let draft = draft.without_header("kid");
            let token = draft.with(&hmac("HS256", secret, draft.input().as_bytes()));
            to.refused(&format!("{alg}_{name}_in_a_ring_without_kid"), "unknown_key", token);
        }
    }
}

pub(super) fn add(to: &mut Corpus) {
    to.attack(4);
    let issuers = [
        ("EdDSA", &KEYS.eddsa, Some("ed")),
        ("ES256", &KEYS.es256, Some("ec")),
        ("PS256", &KEYS.ps, None),
        ("RS256", &KEYS.rs, Some("rsa")),
    ];
    for (alg, secret, ring) in issuers {
        forge(to, alg, ring, &spellings(secret, alg));
    }
    to.attack(5);
    for (alg, secret, ring) in
        [("ES256", &KEYS.es256, Some("ec")), ("ES256K", &KEYS.es256k, None), ("ES384", &KEYS.es384, None)]
    {
        forge(to, alg, ring, &points(secret));
    }
}

tests! {
    4 attack_04_a_public_key_is_no_secret;
    5 attack_05_a_point_is_no_secret;
}
