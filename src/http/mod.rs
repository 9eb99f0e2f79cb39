//! HTTP as the rules see it: a request's head in, an [`Answer`] out. No platform type is named here.
//!
//! [`challenge`] is the only place that chooses a status for a [`Denied`](crate::error::Denied),
//! [`OauthError`] the only one for the token endpoint.

mod answer;
mod bearer;
mod challenge;
mod form;
mod freshness;
mod oauth_error;
mod source;

pub use answer::{Answer, NO_CACHE, NO_STORE};
pub use bearer::{Scheme, bearer, is_b64token, presented};
pub use challenge::{
    bad_gateway, challenge, challenge_proof, forward_auth, forward_auth_proof, gateway_timeout, is_proof,
    unavailable,
};
pub use form::Form;
pub use freshness::{LONGEST_FRESHNESS, freshness};
pub use oauth_error::{ErrorCode, OauthError, slow_down};
pub use source::source;

use crate::token::Peer;

/// Request headers, by name without regard to case. Several fields of one name are joined by `, `.
pub trait Headers {
    /// The value, if the header is there.
    fn get(&self, name: &str) -> Option<String>;
}

/// What a request says before its body.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// Whether it came over TLS.
    pub is_https: bool,
    /// The `Host` that it was sent to, with its port.
    pub authority: &'a str,
    /// The path, undecoded.
    pub path: &'a str,
    /// The query, without its `?`.
    pub query: Option<&'a str>,
    /// Whether a body follows.
    pub has_body: bool,
    /// The headers.
    pub headers: &'a dyn Headers,
    /// Whoever has sent it.
    pub peer: &'a dyn Peer,
}

impl std::fmt::Debug for Head<'_> {
    /// Neither headers nor query: both may hold credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Head").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}
