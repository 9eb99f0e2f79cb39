//! The issuer of a realm: discovery, keys, tokens.
//!
//! [`Endpoint`] is the one table of what a realm serves: routing, `Allow`, discovery, documentation and tests
//! read it. **Out of scope**: people, codes, refresh and revocation.

mod endpoint;
mod jwks;
mod metadata;
mod token;

pub use endpoint::{Endpoint, Routed};
pub use jwks::jwks;
pub use metadata::metadata;
pub use token::{MAX_FORM, token};
