//! What the API says no with: problem details (RFC 9457), and one place that chooses the status of a refusal.

use serde_json::json;

use crate::http::{Answer, OauthError};
use crate::oauth::Stop;
use crate::principal::Refused;

/// The largest answer to a request that is wrong: 400.
pub(super) fn bad(detail: &'static str) -> Stop {
    Answer::problem(400, "Bad Request", detail).into()
}

/// Not there, or not the caller's.
pub(super) fn not_found() -> Stop {
    Answer::problem(404, "Not Found", "There is no such thing here.").into()
}

/// Not with this token.
pub(super) fn forbidden(detail: &'static str) -> Stop {
    Answer::problem(403, "Forbidden", detail).into()
}

/// Something else is the case than the caller thinks.
pub(super) fn conflict(detail: &'static str) -> Stop {
    Answer::problem(409, "Conflict", detail).into()
}

/// A registration that cannot be accepted: also as RFC 7591 section 3.2.2 spells it.
pub(super) fn unfit(error: OauthError) -> Stop {
    let OauthError { code, description } = error;
    let body = json!({
        "type": "about:blank", "title": "Bad Request", "status": 400, "detail": description,
        "error": code, "error_description": description,
    });
    let answer = Answer { body: body.to_string(), ..Answer::empty(400) };
    answer.with("Content-Type", "application/problem+json").into()
}

/// What a principal refuses.
pub(super) fn refused(refused: Refused) -> Stop {
    let stop = match refused {
        Refused::Changed => {
            let detail =
                "It has been changed meanwhile. Read it again, and send the change with the ETag of that.";
            Answer::problem(412, "Precondition Failed", detail).into()
        }
        Refused::Elsewhere => {
            bad("This person signs in at an outside provider, and can have no password here.")
        }
        Refused::Full => conflict("There are too many already. Delete some that are not used any more."),
        Refused::Role => bad("roles holds one that the owner does not have."),
        Refused::Scope => bad("scope holds one that may not be had here."),
        Refused::Taken => conflict("There is one already."),
        // Whoever cannot have it is told no more than whoever asks for nothing.
        _ => not_found(),
    };
    match stop {
        Stop::Answer(answer) => Stop::Answer(Box::new(answer.because(refused.code()))),
        fault @ Stop::Fault(_) => fault,
    }
}
