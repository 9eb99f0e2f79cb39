//! Keys that are made for one run, and signed with by nobody else.

use jwt_simple::algorithms::{MLDSA44KeyPair, MLDSA65KeyPair, MLDSA87KeyPair, MLDSAKeyPairLike as _};
use rsa::pkcs1v15;
use rsa::pss;
use rsa::rand_core::{OsRng, RngCore as _};
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPrivateKey};
use serde_json::{Value, json};

use crate::encoding::base64url;
use crate::error::Fault;
use crate::token::{Algorithm, Jwk};

/// Which of an issuer's algorithms is signed with, where it has several: keys of the last ones take a while to make.
const CHEAP_FIRST: [Algorithm; 17] = [
    Algorithm::EdDsa,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Es256k,
    Algorithm::Hs256,
    Algorithm::Hs384,
    Algorithm::Hs512,
    Algorithm::MlDsa44,
    Algorithm::MlDsa65,
    Algorithm::MlDsa87,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

type Sign = Box<dyn Fn(&[u8]) -> Result<Vec<u8>, Fault>>;

/// A key that signs, and its public part.
pub(super) struct Key {
    algorithm: Algorithm,
    public: Jwk,
    members: Value,
    sign: Sign,
}

impl Key {
    /// A new key for one of these algorithms.
    pub(super) fn for_one_of(algorithms: &[Algorithm]) -> Result<Self, Fault> {
        let algorithm = CHEAP_FIRST.into_iter().find(|known| algorithms.contains(known));
        Self::make(algorithm.ok_or_else(|| Fault::new("make key", "there is no algorithm"))?)
    }

    /// A new key.
    pub(super) fn make(algorithm: Algorithm) -> Result<Self, Fault> {
        let (mut members, sign) = match algorithm {
            Algorithm::EdDsa => ed25519(),
            Algorithm::Es256 => es256(),
            Algorithm::Es256k => es256k(),
            Algorithm::Es384 => es384(),
            Algorithm::Es512 => es512(),
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => hmac(algorithm),
            Algorithm::MlDsa44 | Algorithm::MlDsa65 | Algorithm::MlDsa87 => ml_dsa(algorithm)?,
            Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512
            | Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512 => rsa_key(algorithm)?,
        };
        if let Some(members) = members.as_object_mut() {
            members.insert("alg".to_owned(), json!(algorithm.name()));
        }
        let public: Jwk = crate::json::of_value(members.clone()).map_err(unfit)?;
        let public = public.identified().map_err(unfit)?;
        if let (Some(members), Some(id)) = (members.as_object_mut(), public.id()) {
            members.insert("kid".to_owned(), json!(id.as_str()));
        }
        Ok(Self { algorithm, public, members, sign })
    }

    /// The public part of a key that nobody can sign with, under the name that a token gives it: for whoever goes on without the real one.
    pub(super) fn stand_in(algorithm: Algorithm, id: Option<&str>) -> Result<Jwk, Fault> {
        let mut members = match algorithm {
            Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512
            | Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512 => {
                // To find two primes takes seconds, and nobody looks for them.
                let mut modulus = random::<256>();
                (modulus[0], modulus[255]) = (modulus[0] | 0x80, modulus[255] | 1);
                json!({ "kty": "RSA", "n": base64url(&modulus), "e": "AQAB" })
            }
            _ => Self::make(algorithm)?.members,
        };
        if let Some(members) = members.as_object_mut() {
            members.remove("kid");
            members.extend(id.map(|id| ("kid".to_owned(), json!(id))));
        }
        crate::json::of_value(members).map_err(unfit)
    }

    /// What it signs with.
    pub(super) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its public part; of a secret the secret.
    pub(super) const fn public(&self) -> &Jwk {
        &self.public
    }

    /// Signs, as JWS spells it.
    pub(super) fn sign(&self, input: &[u8]) -> Result<Vec<u8>, Fault> {
        (self.sign)(input)
    }
}

fn unfit(e: impl std::fmt::Display) -> Fault {
    Fault::new("make key", e.to_string())
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

fn ed25519() -> (Value, Sign) {
    let pair = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new(random()));
    let public = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(pair.pk.as_ref()) });
    (public, Box::new(move |input| Ok(pair.sk.sign(input, None).to_vec())))
}

/// A function that makes a key of one curve: each has types of its own.
macro_rules! curve {
    ($make:ident, $crate_of:ident, $name:literal, $bytes:literal, $first:literal) => {
        fn $make() -> (Value, Sign) {
            use $crate_of::ecdsa::signature::Signer as _;
            let key = loop {
                let mut scalar = random::<$bytes>();
                // What is above the order is no key: of most curves hardly any number.
                scalar[0] &= $first;
                if let Ok(key) = $crate_of::ecdsa::SigningKey::from_slice(&scalar) {
                    break key;
                }
            };
            let point = key.verifying_key().to_sec1_point(false);
            let (x, y) = point.as_bytes().get(1..).unwrap_or_default().split_at($bytes);
            let public = json!({ "kty": "EC", "crv": $name, "x": base64url(x), "y": base64url(y) });
            let sign = move |input: &[u8]| {
                let signature: $crate_of::ecdsa::Signature = key.sign(input);
                Ok(signature.to_bytes().to_vec())
            };
            (public, Box::new(sign))
        }
    };
}

curve!(es256, p256, "P-256", 32, 0xff);
curve!(es256k, k256, "secp256k1", 32, 0xff);
curve!(es384, p384, "P-384", 48, 0xff);
curve!(es512, p521, "P-521", 66, 0x01);

fn hmac(algorithm: Algorithm) -> (Value, Sign) {
    let secret = random::<64>();
    let public = json!({ "kty": "oct", "k": base64url(&secret) });
    let sign = move |input: &[u8]| {
        Ok(match algorithm {
            Algorithm::Hs384 => hmac_sha512::sha384::HMAC::mac(input, secret).to_vec(),
            Algorithm::Hs512 => hmac_sha512::HMAC::mac(input, secret).to_vec(),
            _ => hmac_sha256::HMAC::mac(input, secret).to_vec(),
        })
    };
    (public, Box::new(sign))
}

fn ml_dsa(algorithm: Algorithm) -> Result<(Value, Sign), Fault> {
    /// The parts of a pair; each size is a type of its own.
    macro_rules! pair {
        ($pair:ident) => {{
            let pair = $pair::from_bytes(&random::<32>()).map_err(unfit)?;
            let public = pair.public_key().to_bytes();
            let sign: Sign = Box::new(move |input| pair.key_pair().as_ref().sign(input).map_err(unfit));
            (public, sign)
        }};
    }
    let (public, sign) = match algorithm {
        Algorithm::MlDsa44 => pair!(MLDSA44KeyPair),
        Algorithm::MlDsa87 => pair!(MLDSA87KeyPair),
        _ => pair!(MLDSA65KeyPair),
    };
    Ok((json!({ "kty": "AKP", "pub": base64url(&public) }), sign))
}

fn rsa_key(algorithm: Algorithm) -> Result<(Value, Sign), Fault> {
    const BITS: usize = 2048;
    let key = RsaPrivateKey::new(&mut OsRng, BITS).map_err(unfit)?;
    let number = |number: &BigUint| base64url(&number.to_bytes_be());
    let public = json!({ "kty": "RSA", "n": number(key.n()), "e": number(key.e()) });
    macro_rules! sign {
        ($family:ident, $digest:ident) => {{
            let key = $family::SigningKey::<$digest>::new(key);
            Box::new(move |input: &[u8]| Ok(key.sign_with_rng(&mut OsRng, input).to_vec()))
        }};
    }
    let sign: Sign = match algorithm {
        Algorithm::Ps256 => sign!(pss, Sha256),
        Algorithm::Ps384 => sign!(pss, Sha384),
        Algorithm::Ps512 => sign!(pss, Sha512),
        Algorithm::Rs384 => sign!(pkcs1v15, Sha384),
        Algorithm::Rs512 => sign!(pkcs1v15, Sha512),
        _ => sign!(pkcs1v15, Sha256),
    };
    Ok((public, sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::{Verifier as _, poll_once};
    use crate::software::SoftwareVerifier;

    #[test]
    fn a_key_of_every_algorithm_signs_what_its_public_part_verifies() {
        for algorithm in Algorithm::ALL {
            let key = Key::make(algorithm).unwrap();
            let signature = key.sign(b"input").unwrap();
            let verified = |key: &Jwk, input: &[u8]| {
                poll_once(SoftwareVerifier.verify(key, algorithm, input, &signature)).unwrap().unwrap()
            };
            assert!(verified(key.public(), b"input"), "{algorithm:?}");
            assert!(!verified(key.public(), b"other"), "{algorithm:?}");
            let other = Key::stand_in(algorithm, Some("their-name")).unwrap();
            assert!(!verified(&other, b"input") && other.serves(algorithm), "{algorithm:?}");
            assert_eq!(other.id().unwrap().as_str(), "their-name");
        }
        assert!(Algorithm::ALL.iter().all(|algorithm| CHEAP_FIRST.contains(algorithm)));
    }
}
