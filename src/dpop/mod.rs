//! Proofs of possession (RFC 9449): who presents a token, or asks for one, shows with each request that they hold a key.
//!
//! **In scope**: reading a proof, what it has to say of the request that it comes with, nonces, what is kept of a proof so that it counts once.
//! **Out of scope**: the signature ([`crate::port::Verifier`]), keeping marks ([`crate::principal`]), which tokens are bound
//! ([`crate::token::Confirmation`]).

mod nonce;
mod proof;

pub use nonce::{NONCE_HEADER, is_nonce, nonce};
pub use proof::{About, MAX_AGE, Mark, PROOF_HEADER, Proof, Proved};

use crate::token::Algorithm;

/// Names of the algorithms that a proof may be signed with, as a challenge lists them (RFC 9449 section 7.1).
#[must_use]
pub fn algorithms() -> String {
    Algorithm::OF_CALLERS.map(Algorithm::name).join(" ")
}
