//! The token request: who asks, how they prove it, what they ask for, what they get.
//!
//! **In scope**: client credentials (RFC 6749 section 4.4) with `client_secret_basic` and `client_secret_post`
//! (section 2.3.1). **Out of scope**: storing sessions, signing tokens ([`crate::oauth`]).

mod authentication;
mod request;

pub use authentication::{ClientAuthentication, Presented, WRONG_CLIENT};
pub use request::{TokenRequest, grant_scopes};
