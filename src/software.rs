//! Signatures in software, through `jwt-simple`: native tests, other hosts, and one day the algorithms that
//! `WebCrypto` lacks. The edge uses `WebCrypto` for ES256 (`docs/decisions/0003-signatures.md`).
//!
//! Only `jwt-simple`'s keys are used, not its token reading: its defaults accept what we refuse (a missing
//! `exp`, 15 minutes of tolerance, any audience), and a second parser could disagree with ours.

use jwt_simple::algorithms::{ECDSAP256PublicKeyLike, ES256PublicKey};
use p256::ecdsa::Signature;
use p256::ecdsa::signature::Verifier as _;

use crate::error::Fault;
use crate::port::Verifier;
use crate::token::{Compact, Jwk};

/// Verifies with `jwt-simple`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftwareVerifier;

impl Verifier for SoftwareVerifier {
    async fn verify(&self, key: &Jwk, token: &Compact<'_>) -> Result<bool, Fault> {
        // Checks that the point is on the curve; the signature must be r and s, 32 bytes each (RFC 7518 section 3.4).
        let Ok(key) = ES256PublicKey::from_bytes(&key.to_sec1()) else {
            return Ok(false);
        };
        let Ok(signature) = Signature::from_slice(token.signature()) else {
            return Ok(false);
        };
        Ok(key.public_key().as_ref().verify(token.signing_input().as_bytes(), &signature).is_ok())
    }
}
