//! Signatures in software, through `jwt-simple` and the crates that it stands on. Natively for every algorithm;
//! at the edge for those that `WebCrypto` lacks or is slower at (`docs/decisions/0011-algorithms.md`).
//!
//! Only `jwt-simple`'s keys are used, not its token reading: its defaults accept what we refuse (a missing
//! `exp`, 15 minutes of tolerance, any audience), and a second parser could disagree with ours.

use jwt_simple::algorithms::{
    ECDSAP256PublicKeyLike, ECDSAP256kPublicKeyLike, ECDSAP384PublicKeyLike, ES256PublicKey, ES256kPublicKey,
    ES384PublicKey, Ed25519PublicKey, EdDSAPublicKeyLike, MLDSA44PublicKey, MLDSA65KeyPair, MLDSA65PublicKey,
    MLDSA87PublicKey, MLDSAKeyPairLike, MLDSAPublicKeyLike,
};
use p256::ecdsa::signature::Verifier as _;

use crate::error::Fault;
use crate::port::Verifier;
use crate::token::{Algorithm, Curve, Jwk, Material};

/// Verifies every algorithm in software.
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftwareVerifier;

impl Verifier for SoftwareVerifier {
    async fn verify(
        &self,
        key: &Jwk,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<bool, Fault> {
        let fits = key.serves(algorithm) && key.signs_in(signature.len());
        Ok(fits && verifies(key.material(), algorithm, input, signature).unwrap_or(false))
    }
}

/// `None`: the key or the signature is not one.
fn verifies(material: &Material, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> Option<bool> {
    match material {
        Material::Ec { curve, x, y } => ecdsa(*curve, &[&[4], x.as_slice(), y].concat(), input, signature),
        Material::Ed25519(x) => ed25519(x, input, signature),
        Material::MlDsa(_, public) => ml_dsa(algorithm, public, input, signature),
        Material::Oct(secret) => hmac(algorithm, secret, input, signature),
        Material::Rsa { n, e } => rsa::verify(n, e, algorithm, input, signature),
    }
}

/// r and s in their fixed length (RFC 7518 section 3.4). The point must be on its curve.
fn ecdsa(curve: Curve, point: &[u8], input: &[u8], signature: &[u8]) -> Option<bool> {
    Some(match curve {
        Curve::P256 => {
            let key = ES256PublicKey::from_bytes(point).ok()?;
            key.public_key()
                .as_ref()
                .verify(input, &p256::ecdsa::Signature::from_slice(signature).ok()?)
                .is_ok()
        }
        Curve::P384 => {
            let key = ES384PublicKey::from_bytes(point).ok()?;
            key.public_key()
                .as_ref()
                .verify(input, &p384::ecdsa::Signature::from_slice(signature).ok()?)
                .is_ok()
        }
        // Not in jwt-simple; the same family of crates.
        Curve::P521 => {
            let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
            key.verify(input, &p521::ecdsa::Signature::from_slice(signature).ok()?).is_ok()
        }
        Curve::Secp256k1 => secp256k1(point, input, signature)?,
    })
}

/// ES256K. RFC 8812 does not ask for the lower of the two values of s that both verify; the crate does.
pub(crate) fn secp256k1(point: &[u8], input: &[u8], signature: &[u8]) -> Option<bool> {
    let key = ES256kPublicKey::from_bytes(point).ok()?;
    let signature = k256::ecdsa::Signature::from_slice(signature).ok()?.normalize_s();
    Some(key.public_key().as_ref().verify(input, &signature).is_ok())
}

fn ed25519(x: &[u8; 32], input: &[u8], signature: &[u8]) -> Option<bool> {
    let key = Ed25519PublicKey::from_bytes(x).ok()?;
    let signature = ed25519_compact::Signature::from_slice(signature).ok()?;
    Some(key.public_key().as_ref().verify(input, &signature).is_ok())
}

/// ML-DSA-44, -65, -87 (FIPS 204).
pub(crate) fn ml_dsa(algorithm: Algorithm, public: &[u8], input: &[u8], signature: &[u8]) -> Option<bool> {
    let verified = match algorithm {
        Algorithm::MlDsa44 => {
            MLDSA44PublicKey::from_bytes(public).ok()?.public_key().as_ref().verify(input, signature)
        }
        Algorithm::MlDsa65 => {
            MLDSA65PublicKey::from_bytes(public).ok()?.public_key().as_ref().verify(input, signature)
        }
        Algorithm::MlDsa87 => {
            MLDSA87PublicKey::from_bytes(public).ok()?.public_key().as_ref().verify(input, signature)
        }
        _ => return None,
    };
    Some(verified.is_ok())
}

/// An ML-DSA-65 key that signs: the one kind of key that the platform does not hold for us. Opened it lies in the
/// module's own memory, and `jwt-simple` does not overwrite it when it is dropped.
#[derive(Debug)]
pub struct MlDsa65(MLDSA65KeyPair);

impl MlDsa65 {
    /// The key of this seed; `None` where it has not 32 bytes.
    #[must_use]
    pub fn of_seed(seed: &[u8]) -> Option<Self> {
        MLDSA65KeyPair::from_bytes(seed).ok().map(Self)
    }

    /// The public part, 1,952 bytes.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        self.0.public_key().to_bytes()
    }

    /// Signs, with randomness besides (FIPS 204 section 3.4).
    ///
    /// # Errors
    /// There is no randomness.
    pub fn sign(&self, input: &[u8]) -> Result<Vec<u8>, Fault> {
        self.0.key_pair().as_ref().sign(input).map_err(|_| Fault::new("sign", "ML-DSA-65 does not sign"))
    }
}

/// HS256, HS384, HS512, compared in constant time.
pub(crate) fn hmac(algorithm: Algorithm, secret: &[u8], input: &[u8], mac: &[u8]) -> Option<bool> {
    Some(match algorithm {
        Algorithm::Hs256 => hmac_sha256::HMAC::verify(input, secret, mac.try_into().ok()?),
        Algorithm::Hs384 => hmac_sha512::sha384::HMAC::verify(input, secret, mac.try_into().ok()?),
        Algorithm::Hs512 => hmac_sha512::HMAC::verify(input, secret, mac.try_into().ok()?),
        _ => return None,
    })
}

mod rsa {
    //! RSASSA-PKCS1-v1_5 and RSASSA-PSS. Directly on `rsa`, the crate below `jwt-simple`: that one stops at 4096 bits.

    use rsa::pkcs1v15;
    use rsa::pss;
    use rsa::sha2::{Sha256, Sha384, Sha512};
    use rsa::signature::Verifier as _;
    use rsa::{BigUint, RsaPublicKey};

    use crate::token::Algorithm;

    /// What [`crate::token::Jwk`] allows.
    const MAX_BITS: usize = 8192;

    pub(super) fn verify(
        n: &[u8],
        e: &[u8],
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        // RFC 8017 section 8.1.2: a signature is exactly as long as the modulus.
        if signature.len() != n.len() {
            return None;
        }
        let number = BigUint::from_bytes_be;
        let key = RsaPublicKey::new_with_max_size(number(n), number(e), MAX_BITS).ok()?;
        let v15 = || pkcs1v15::Signature::try_from(signature).ok();
        let pss = || pss::Signature::try_from(signature).ok();
        Some(match algorithm {
            Algorithm::Rs256 => pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(input, &v15()?).is_ok(),
            Algorithm::Rs384 => pkcs1v15::VerifyingKey::<Sha384>::new(key).verify(input, &v15()?).is_ok(),
            Algorithm::Rs512 => pkcs1v15::VerifyingKey::<Sha512>::new(key).verify(input, &v15()?).is_ok(),
            // RFC 7518 section 3.5: the salt is as long as the digest; `new` says so.
            Algorithm::Ps256 => pss::VerifyingKey::<Sha256>::new(key).verify(input, &pss()?).is_ok(),
            Algorithm::Ps384 => pss::VerifyingKey::<Sha384>::new(key).verify(input, &pss()?).is_ok(),
            Algorithm::Ps512 => pss::VerifyingKey::<Sha512>::new(key).verify(input, &pss()?).is_ok(),
            _ => return None,
        })
    }
}
