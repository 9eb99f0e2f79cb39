//! Who may use the management API: so far, whoever has the deployment's bootstrap token.

use crate::encoding::Digest;
use crate::http::{Answer, ErrorCode, Head, OauthError, bearer, challenge};
use crate::port::{Entry, Journal, Ports};

/// Lets a request pass that bears the bootstrap token, whose digest is `bootstrap`; without one nobody passes. Checks
/// nothing else about the request.
///
/// # Errors
/// The answer for whoever does not pass. `target` is what was asked for, for the log.
pub fn admit<P: Ports>(
    ports: &P,
    bootstrap: Option<Digest>,
    head: &Head<'_>,
    target: &str,
) -> Result<(), Answer> {
    let authorization = head.headers.get("authorization");
    let given = match bearer(authorization.as_deref()) {
        Ok(token) => Digest::of(token.as_bytes()),
        Err(denied) => return Err(challenge(&denied, None)),
    };
    if bootstrap.is_none() {
        let detail =
            Some("TOLLGATE_BOOTSTRAP_TOKEN is not set, or shorter than 32 characters: nobody can manage");
        ports.journal().record(&Entry {
            target: Some(target),
            decision: "fault",
            op: Some("read bootstrap token"),
            detail,
            ..Entry::default()
        });
    }
    if bootstrap == Some(given) {
        return Ok(());
    }
    let error = OauthError::new(
        ErrorCode::InvalidToken,
        "send the deployment's TOLLGATE_BOOTSTRAP_TOKEN as bearer token",
    );
    Err(error.answer())
}
