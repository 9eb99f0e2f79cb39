//! The keys of the made-up issuers, private parts included, and what signs with them. Fixed and without
//! randomness, so that every run makes the same tokens. Those that an RFC publishes are taken from there.

use std::sync::LazyLock;

use p256::ecdsa::signature::Signer as _;
use serde_json::{Value, json};
use tollgate::encoding::{Digest, base64url, from_base64url};

use super::der;
use super::rsa::{Hash, Rsa};

/// A private key.
pub(super) enum Secret {
    Ed25519(Box<ed25519_compact::KeyPair>),
    Hmac(Vec<u8>),
    K256(k256::ecdsa::SigningKey),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Rsa(Rsa),
}

/// All of them.
pub(super) struct Keys {
    /// RFC 8037 appendix A.1.
    pub(super) eddsa: Secret,
    /// RFC 7515 appendix A.3.
    pub(super) es256: Secret,
    pub(super) es256k: Secret,
    pub(super) es384: Secret,
    /// RFC 7515 appendix A.4.
    pub(super) es512: Secret,
    /// RFC 7515 appendix A.1.
    pub(super) hs256: Secret,
    pub(super) hs384: Secret,
    pub(super) hs512: Secret,
    /// A second P-256 key, of other issuers.
    pub(super) other: Secret,
    /// RFC 7520 section 3.4.
    pub(super) ps: Secret,
    /// RFC 7515 appendix A.2.
    pub(super) rs: Secret,
    /// Whose key nobody trusts.
    pub(super) stranger: Secret,
    pub(super) stranger_rsa: Secret,
}

pub(super) static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let rfc7515: Value =
        serde_json::from_str(include_str!("../vectors/rfc/rfc7515_appendix_a.json")).unwrap();
    let rfc7515 = |at: usize, member: &str| bytes(&rfc7515["vectors"][at]["key"], member);
    let cookbook = |text: &str| serde_json::from_str::<Value>(text).unwrap()["input"]["key"].clone();
    let rfc7520 = cookbook(include_str!("../vectors/jose-cookbook/4_2.rsa-pss_signature.json"));
    let rfc8037 = cookbook(include_str!("../vectors/jose-cookbook/eddsa.json"));
    let seed = |name: &str| *Digest::of(format!("attacks {name}").as_bytes()).bytes();
    let long = |name: &str| [seed(name), seed(&format!("{name} 2"))].concat();
    let p256 = |seed: &[u8]| Secret::P256(p256::ecdsa::SigningKey::from_slice(seed).unwrap());
    let ed = ed25519_compact::Seed::from_slice(&bytes(&rfc8037, "d")).unwrap();
    let stranger_rsa: Value = serde_json::from_str(include_str!("stranger.json")).unwrap();
    Keys {
        eddsa: Secret::Ed25519(Box::new(ed25519_compact::KeyPair::from_seed(ed))),
        es256: p256(&rfc7515(2, "d")),
        es256k: Secret::K256(k256::ecdsa::SigningKey::from_slice(&seed("es256k")).unwrap()),
        es384: Secret::P384(p384::ecdsa::SigningKey::from_slice(&long("es384")[..48]).unwrap()),
        es512: Secret::P521(p521::ecdsa::SigningKey::from_slice(&rfc7515(3, "d")).unwrap()),
        hs256: Secret::Hmac(rfc7515(0, "k")),
        hs384: Secret::Hmac(long("hs384")[..48].to_vec()),
        hs512: Secret::Hmac(long("hs512")),
        other: p256(&seed("other")),
        ps: Secret::Rsa(Rsa::new(&rfc7520)),
        rs: Secret::Rsa(Rsa::of([rfc7515(1, "n"), rfc7515(1, "e"), rfc7515(1, "d")])),
        stranger: p256(&seed("stranger")),
        stranger_rsa: Secret::Rsa(Rsa::new(&stranger_rsa)),
    }
});

/// A member of a JWK.
pub(super) fn bytes(key: &Value, member: &str) -> Vec<u8> {
    from_base64url(key[member].as_str().unwrap()).unwrap()
}

impl Secret {
    /// A signature with `alg`, where this kind of key has it.
    pub(super) fn sign(&self, alg: &str, input: &[u8]) -> Vec<u8> {
        match self {
            Self::Ed25519(pair) => pair.sk.sign(input, None).to_vec(),
            Self::Hmac(secret) => hmac(alg, secret, input),
            Self::K256(key) => Signing::<k256::ecdsa::Signature>::bytes(key, input),
            Self::P256(key) => Signing::<p256::ecdsa::Signature>::bytes(key, input),
            Self::P384(key) => Signing::<p384::ecdsa::Signature>::bytes(key, input),
            Self::P521(key) => Signing::<p521::ecdsa::Signature>::bytes(key, input),
            Self::Rsa(key) => {
                let hash = Hash::of_algorithm(alg);
                if alg.starts_with("PS") { key.pss(hash, input) } else { key.v15(hash, input) }
            }
        }
    }

    /// Its parts that everybody may know, big-endian: x and y, x, or n and e; of a secret nothing.
    pub(super) fn public(&self) -> Vec<Vec<u8>> {
        let halves = |point: &[u8]| point[1..].chunks(point.len() / 2).map(<[u8]>::to_vec).collect();
        match self {
            Self::Ed25519(pair) => vec![pair.pk.to_vec()],
            Self::Hmac(_) => Vec::new(),
            Self::K256(key) => halves(key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P256(key) => halves(key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P384(key) => halves(key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P521(key) => halves(key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::Rsa(key) => vec![key.n.to_bytes_be(), key.e.to_bytes_be()],
        }
    }

    /// The members of its public JWK that say what it is, as text, in the order of RFC 7638.
    pub(super) fn members(&self) -> Vec<(&'static str, String)> {
        let public: Vec<String> = self.public().iter().map(|part| base64url(part)).collect();
        let ec = |crv: &str| {
            vec![
                ("crv", crv.into()),
                ("kty", "EC".into()),
                ("x", public[0].clone()),
                ("y", public[1].clone()),
            ]
        };
        match self {
            Self::Ed25519(_) => {
                vec![("crv", "Ed25519".into()), ("kty", "OKP".into()), ("x", public[0].clone())]
            }
            Self::Hmac(secret) => vec![("k", base64url(secret)), ("kty", "oct".into())],
            Self::K256(_) => ec("secp256k1"),
            Self::P256(_) => ec("P-256"),
            Self::P384(_) => ec("P-384"),
            Self::P521(_) => ec("P-521"),
            Self::Rsa(_) => {
                vec![("e", public[1].clone()), ("kty", "RSA".into()), ("n", public[0].clone())]
            }
        }
    }

    /// Its JWK for a configuration, a secret included; `more` are `kid`, `alg` and the like.
    pub(super) fn jwk(&self, more: &[(&str, &str)]) -> Value {
        let own = self.members();
        let all = own.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied());
        Value::Object(all.map(|(name, value)| (name.to_owned(), json!(value))).collect())
    }

    /// The same as text, its members in this order.
    pub(super) fn jwk_text(&self, more: &[(&str, &str)]) -> String {
        let own = self.members();
        let all = own.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied());
        let all: Vec<_> = all.map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
        format!("{{{}}}", all.join(","))
    }

    /// `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    pub(super) fn spki(&self) -> Vec<u8> {
        let public = self.public();
        let point = || [&[4], public[0].as_slice(), &public[1]].concat();
        match self {
            Self::Ed25519(_) => der::spki(&[der::ED25519], &public[0]),
            Self::Hmac(_) => Vec::new(),
            Self::K256(_) => der::spki(&[der::EC, der::SECP256K1], &point()),
            Self::P256(_) => der::spki(&[der::EC, der::P256], &point()),
            Self::P384(_) => der::spki(&[der::EC, der::P384], &point()),
            Self::P521(_) => der::spki(&[der::EC, der::P521], &point()),
            Self::Rsa(_) => der::spki(&[der::RSA, der::NULL], &self.pkcs1()),
        }
    }

    /// `RSAPublicKey` (RFC 8017 appendix A.1.1).
    pub(super) fn pkcs1(&self) -> Vec<u8> {
        let public = self.public();
        der::sequence(&[der::integer(&public[0]), der::integer(&public[1])].concat())
    }

    pub(super) fn rsa(&self) -> &Rsa {
        let Self::Rsa(key) = self else { panic!("it is no RSA key") };
        key
    }
}

/// HS256, HS384, HS512 with any secret.
pub(super) fn hmac(alg: &str, secret: &[u8], input: &[u8]) -> Vec<u8> {
    match alg {
        "HS256" => hmac_sha256::HMAC::mac(input, secret).to_vec(),
        "HS384" => hmac_sha512::sha384::HMAC::mac(input, secret).to_vec(),
        "HS512" => hmac_sha512::HMAC::mac(input, secret).to_vec(),
        _ => panic!("{alg} is no HMAC"),
    }
}

/// ECDSA as it is in every crate of the family: the nonce is that of RFC 6979.
trait Signing<S> {
    fn bytes(&self, input: &[u8]) -> Vec<u8>;
}

macro_rules! signing {
    ($($curve:ident)*) => { $(
        impl Signing<$curve::ecdsa::Signature> for $curve::ecdsa::SigningKey {
            fn bytes(&self, input: &[u8]) -> Vec<u8> {
                let signature: $curve::ecdsa::Signature = self.sign(input);
                signature.to_bytes().to_vec()
            }
        }
    )* };
}

signing!(k256 p256 p384 p521);
