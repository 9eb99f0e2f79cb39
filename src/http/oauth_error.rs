//! Errors of the token endpoint and of registration, as their RFCs spell them.

use serde::Serialize;

use crate::http::{Answer, NO_CACHE};
use crate::time::Lifetime;

/// A registered error code.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// RFC 6749 section 5.2: unknown client, wrong secret, or none; 401.
    InvalidClient,
    /// RFC 7591 section 3.2.2: a registration's field cannot be accepted; 400.
    InvalidClientMetadata,
    /// RFC 9449 section 5: a proof of possession does not count, or is missing; 400.
    InvalidDpopProof,
    /// RFC 6749 section 5.2: a code, refresh token or password does not count, or not any more; 400.
    InvalidGrant,
    /// RFC 7591 section 3.2.2: a redirect URI cannot be accepted; 400.
    InvalidRedirectUri,
    /// RFC 6749 section 5.2: a parameter is missing, repeated or malformed; 400.
    InvalidRequest,
    /// RFC 6749 section 5.2: unknown, malformed, or more than the client may ask for; 400.
    InvalidScope,
    /// RFC 8707 section 2: a resource that tokens are not given for; 400.
    InvalidTarget,
    /// RFC 6750 section 3.1: the token that guards the endpoint is wrong; 401.
    InvalidToken,
    /// Too many wrong attempts; 429, with `Retry-After` (RFC 6585 section 4). The code is that of RFC 6749 section 4.1.2.1.
    TemporarilyUnavailable,
    /// RFC 6749 section 5.2: the client may not use this grant; 400.
    UnauthorizedClient,
    /// RFC 6749 section 5.2: the server does not have this grant; 400.
    UnsupportedGrantType,
    /// RFC 9449 section 8: the proof needs the nonce of `DPoP-Nonce`; 400.
    UseDpopNonce,
}

/// An error answer: a code and a constant sentence that says what to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OauthError {
    /// The code.
    pub code: ErrorCode,
    /// The sentence.
    pub description: &'static str,
}

impl OauthError {
    /// An error.
    #[must_use]
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    /// The answer. A client that could have authenticated by HTTP Basic is told so (RFC 6749 section 5.2).
    #[must_use]
    pub fn answer(&self) -> Answer {
        let body = serde_json::json!({ "error": self.code, "error_description": self.description });
        let status = match self.code {
            ErrorCode::InvalidClient | ErrorCode::InvalidToken => 401,
            ErrorCode::TemporarilyUnavailable => 429,
            ErrorCode::InvalidClientMetadata
            | ErrorCode::InvalidDpopProof
            | ErrorCode::InvalidGrant
            | ErrorCode::InvalidRedirectUri
            | ErrorCode::InvalidRequest
            | ErrorCode::InvalidScope
            | ErrorCode::InvalidTarget
            | ErrorCode::UnauthorizedClient
            | ErrorCode::UnsupportedGrantType
            | ErrorCode::UseDpopNonce => 400,
        };
        let answer = Answer { body: body.to_string(), ..Answer::empty(status) }
            .with("Content-Type", "application/json")
            .with(NO_CACHE.0, NO_CACHE.1);
        match self.code {
            ErrorCode::InvalidClient => {
                answer.with("WWW-Authenticate", r#"Basic realm="tollgate", charset="UTF-8""#)
            }
            ErrorCode::InvalidToken => answer.with("WWW-Authenticate", r#"Bearer error="invalid_token""#),
            _ => answer,
        }
    }
}

/// The answer to whoever was wrong too often: in so many seconds, rounded up.
#[must_use]
pub fn slow_down(wait: Lifetime) -> Answer {
    let seconds = wait.plus(Lifetime::from_millis(999)).as_seconds().max(1);
    OauthError::new(ErrorCode::TemporarilyUnavailable, "too many attempts; try again after Retry-After")
        .answer()
        .with("Retry-After", seconds.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6585_section_4_too_many_attempts() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (900_000, "900")] {
            let answer = slow_down(Lifetime::from_millis(millis));
            assert_eq!((answer.status, answer.header("retry-after")), (429, Some(seconds)), "{millis}");
        }
    }

    #[test]
    fn rfc6749_section_5_2_the_answer() {
        let answer = OauthError::new(ErrorCode::InvalidClient, "no").answer();
        assert_eq!(answer.status, 401);
        assert_eq!(answer.body, r#"{"error":"invalid_client","error_description":"no"}"#);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Basic ")));
    }
}
