//! The one place that turns a refusal into a status, a challenge and a text.
//!
//! RFC 6750 section 3: no credential, no error code; 400 `invalid_request`; 401 `invalid_token`, the same
//! for every reason; 403 `insufficient_scope` with the scopes. Our own trouble is 503, never 401.

use crate::error::Denied;
use crate::http::Answer;
use crate::scope::ScopeToken;

/// What a protected resource answers to a request that may not pass. `metadata`: where the resource describes itself,
/// for the challenge (RFC 9728 section 5.1).
#[must_use]
pub fn challenge(denied: &Denied, metadata: Option<&str>) -> Answer {
    let answer = bare(denied);
    let (Some(url), Some(said)) = (metadata, answer.header("WWW-Authenticate")) else {
        return answer;
    };
    let said = format!(r#"{said}, resource_metadata="{url}""#);
    answer.with("WWW-Authenticate", said)
}

fn bare(denied: &Denied) -> Answer {
    match denied {
        Denied::MissToken => Answer::problem(401, "Unauthorized", "This resource needs a bearer token.")
            .with("WWW-Authenticate", r#"Bearer realm="tollgate""#),
        Denied::MalformCredentials => Answer::problem(
            400,
            "Bad Request",
            "Send exactly one token: Authorization: Bearer, a space, the token.",
        )
        .with("WWW-Authenticate", r#"Bearer error="invalid_request""#),
        Denied::LackScope { need } => {
            Answer::problem(403, "Forbidden", "The token does not grant the scopes that this resource needs.")
                .with(
                    "WWW-Authenticate",
                    format!(r#"Bearer error="insufficient_scope", scope="{}""#, joined(need)),
                )
        }
        Denied::NoRoute => Answer::problem(404, "Not Found", "There is no such resource."),
        Denied::MalformPath => Answer::problem(400, "Bad Request", "The path has no single normal form."),
        Denied::UnexpectedBody => Answer::problem(400, "Bad Request", "A GET or HEAD request has no body."),
        Denied::ExceedForm => Answer::problem(413, "Content Too Large", "Send a form of at most 64 KiB."),
        Denied::RefuseHttp => Answer::problem(403, "Forbidden", "Use HTTPS."),
        Denied::ExpireIdle
        | Denied::ExpireToken
        | Denied::EndSession
        | Denied::ExceedLifetime
        | Denied::InactiveToken
        | Denied::LackClaim(_)
        | Denied::LackRequired(_)
        | Denied::MalformClaim(_)
        | Denied::MalformToken
        | Denied::RefuseUnproven
        | Denied::RejectAlgorithm
        | Denied::RejectAudience
        | Denied::RejectCritical
        | Denied::RejectIssuer
        | Denied::RejectSignature
        | Denied::RejectSize
        | Denied::RejectType
        | Denied::TooEarly
        | Denied::UnknownKey
        | Denied::UntrustedIssuer => {
            Answer::problem(401, "Unauthorized", "The token is not valid here, or not any more.")
                .with("WWW-Authenticate", r#"Bearer error="invalid_token""#)
        }
    }
}

/// The same for a proxy that asks (`/_tollgate/check`). nginx understands 2xx, 401 and 403 and makes a 500 of
/// everything else, so what would be 400 or 404 is 403 here.
#[must_use]
pub fn forward_auth(denied: &Denied, metadata: Option<&str>) -> Answer {
    let answer = challenge(denied, metadata);
    match answer.status {
        400 | 404 | 413 => Answer { status: 403, ..answer },
        _ => answer,
    }
}

/// Our own trouble: try again later, no details.
#[must_use]
pub fn unavailable() -> Answer {
    Answer::problem(503, "Service Unavailable", "Something on our side does not answer. Try again later.")
        .with("Retry-After", "5")
}

/// The upstream's trouble: a service binding that is missing, an address that does not answer.
#[must_use]
pub fn bad_gateway() -> Answer {
    Answer::problem(502, "Bad Gateway", "The service behind this one does not answer.")
}

fn joined(scopes: &[ScopeToken]) -> String {
    scopes.iter().map(ScopeToken::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(denied: &Denied) -> (u16, Option<String>) {
        let answer = challenge(denied, None);
        (answer.status, answer.header("WWW-Authenticate").map(str::to_owned))
    }

    #[test]
    fn rfc6750_section_3_1_no_credential_no_error_code() {
        assert_eq!(answer(&Denied::MissToken), (401, Some(r#"Bearer realm="tollgate""#.to_owned())));
    }

    #[test]
    fn rfc6750_section_3_1_error_codes() {
        assert_eq!(
            answer(&Denied::MalformCredentials),
            (400, Some(r#"Bearer error="invalid_request""#.to_owned()))
        );
        let need = vec!["orders:admin".parse().unwrap(), "orders:read".parse().unwrap()];
        assert_eq!(
            answer(&Denied::LackScope { need }),
            (403, Some(r#"Bearer error="insufficient_scope", scope="orders:admin orders:read""#.to_owned()))
        );
    }

    #[test]
    fn rfc9728_section_5_1_the_challenge_says_where_the_resource_describes_itself() {
        let url = "https://api.example/.well-known/oauth-protected-resource";
        let said = |denied| challenge(&denied, Some(url)).header("WWW-Authenticate").map(str::to_owned);
        let with = |challenge: &str| Some(format!(r#"{challenge}, resource_metadata="{url}""#));
        assert_eq!(said(Denied::MissToken), with(r#"Bearer realm="tollgate""#));
        assert_eq!(said(Denied::ExpireToken), with(r#"Bearer error="invalid_token""#));
        assert_eq!(said(Denied::NoRoute), None);
    }

    #[test]
    fn every_bad_token_looks_the_same_outside() {
        let expected = challenge(&Denied::RejectSignature, None);
        assert_eq!(expected.status, 401);
        for denied in [
            Denied::ExpireIdle,
            Denied::ExpireToken,
            Denied::EndSession,
            Denied::LackClaim("exp"),
            Denied::MalformClaim("exp"),
            Denied::MalformToken,
            Denied::RefuseUnproven,
            Denied::RejectAlgorithm,
            Denied::RejectAudience,
            Denied::RejectCritical,
            Denied::RejectIssuer,
            Denied::RejectSize,
            Denied::RejectType,
            Denied::TooEarly,
            Denied::UnknownKey,
            Denied::UntrustedIssuer,
        ] {
            assert_eq!(challenge(&denied, None), expected, "{}", denied.code());
        }
    }

    #[test]
    fn a_proxy_only_hears_401_and_403() {
        for denied in [Denied::NoRoute, Denied::MalformPath, Denied::MalformCredentials] {
            assert_eq!(forward_auth(&denied, None).status, 403);
        }
        assert_eq!(forward_auth(&Denied::MissToken, None).status, 401);
    }
}
