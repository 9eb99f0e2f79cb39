//! Tokens: the compact JWS (RFC 7515), access-token claims (RFC 9068) and JSON Web Keys (RFC 7517).
//!
//! **In scope**: reading and writing, strictly; which checks a token must pass ([`Trust`]).
//! **Out of scope**: fetching keys, verifying signatures, sessions ([`crate::validator`]).

mod algorithm;
mod certificate;
mod claims;
mod compact;
mod confirmation;
mod curve;
mod jwk;
mod jwk_set;
mod mapping;
mod trust;
mod written;

pub use algorithm::Algorithm;
pub use certificate::ClientCertificate;
pub(crate) use claims::LONGEST_CARRIED;
pub use claims::{Claims, date_of, issuer_of};
pub use compact::{Compact, Header, MAX_TOKEN, signing_input};
pub use confirmation::{Confirmation, Holder, Peer};
pub use curve::Curve;
pub(crate) use jwk::Wire;
pub use jwk::{Jwk, Material, Unfit};
pub use jwk_set::{JwkSet, MAX_KEYS};
pub use mapping::{ClaimMap, ClaimPath, RequiredClaim, Wanted};
pub use trust::{TokenType, Trust};
pub use written::{AccessClaims, Audience, Bound, IdClaims, LogoutClaims};
