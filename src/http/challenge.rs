//! The one place that turns a refusal into a status, a challenge and a text.
//!
//! RFC 6750 section 3: no credential, no error code; 400 `invalid_request`; 401 `invalid_token`, the same
//! for every reason; 401 `insufficient_user_authentication` with what to ask for (RFC 9470 section 3); 403 `insufficient_scope` with the scopes. Our own trouble is 503, never 401.

use crate::dpop::{NONCE_HEADER, algorithms};
use crate::error::{Denied, SignInNeed};
use crate::http::{Answer, Scheme, presented};
use crate::policy::Described;
use crate::scope::ScopeToken;

/// What a protected resource answers to a request that may not pass. `described`: what its challenge says about the resource.
#[must_use]
pub fn challenge(denied: &Denied, described: Option<&Described>) -> Answer {
    told(bare(denied), described)
}

/// The same for a caller who has presented the token with a proof of possession (RFC 9449 section 7.1): the challenge is of that scheme.
#[must_use]
pub fn challenge_proof(denied: &Denied, described: Option<&Described>) -> Answer {
    let answer = bare(denied);
    let said = answer.header("WWW-Authenticate").and_then(|said| said.strip_prefix("Bearer "));
    let said = said.map(|said| format!(r#"DPoP algs="{}", {said}"#, algorithms()));
    told(said.into_iter().fold(answer, |answer, said| answer.with("WWW-Authenticate", said)), described)
}

/// With where the resource describes itself (RFC 9728 section 5.1); and where another token would help, with what to ask for (RFC 6750 section 3).
fn told(answer: Answer, described: Option<&Described>) -> Answer {
    let (Some(about), Some(said)) = (described, answer.header("WWW-Authenticate")) else {
        return answer;
    };
    let mut said = said.to_owned();
    if answer.status == 401 && !about.scope.is_empty() {
        said = format!(r#"{said}, scope="{}""#, about.scope);
    }
    let said = format!(r#"{said}, resource_metadata="{}""#, about.metadata);
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
        Denied::LackAuthentication(need) => {
            Answer::problem(401, "Unauthorized", "Sign in again, in the way that this resource asks for.")
                .with("WWW-Authenticate", step_up(need))
        }
        Denied::LackAbility | Denied::LackRole => {
            let detail = "The roles of whoever the token speaks for are not enough for this resource.";
            Answer::problem(403, "Forbidden", detail)
                .with("WWW-Authenticate", r#"Bearer error="insufficient_scope""#)
        }
        Denied::NotRedacted => {
            let detail = "The gateway looks into what passes here: ask it there.";
            Answer::problem(403, "Forbidden", detail)
        }
        Denied::LackNonce(nonce) => {
            Answer::problem(401, "Unauthorized", "Make the proof with the nonce of DPoP-Nonce.")
                .with("WWW-Authenticate", proof_error("use_dpop_nonce"))
                .with(NONCE_HEADER, nonce.as_str())
        }
        Denied::RejectProof(_) => {
            Answer::problem(401, "Unauthorized", "Send one new proof of this request, by the token's key.")
                .with("WWW-Authenticate", proof_error("invalid_dpop_proof"))
        }
        Denied::NoRoute => Answer::problem(404, "Not Found", "There is no such resource."),
        Denied::MalformHost => Answer::problem(400, "Bad Request", "Name the host, and nothing but that."),
        Denied::MalformPath => Answer::problem(400, "Bad Request", "The path has no single normal form."),
        Denied::UnexpectedBody => Answer::problem(400, "Bad Request", "A GET or HEAD request has no body."),
        Denied::ExceedMessage => {
            Answer::problem(413, "Content Too Large", "Send a message of at most 1 MiB.")
        }
        Denied::MalformMessage => Answer::problem(
            400,
            "Bad Request",
            "Send one JSON-RPC message as application/json, in which no member is repeated.",
        ),
        Denied::NoTool => Answer::problem(403, "Forbidden", "There is no such tool to be called here."),
        Denied::ExceedForm => Answer::problem(413, "Content Too Large", "Send a form of at most 64 KiB."),
        Denied::ExceedRate(seconds) => {
            Answer::problem(429, "Too Many Requests", "This resource was called too often. Try again later.")
                .with("Retry-After", seconds.to_string())
        }
        Denied::RefuseHttp => {
            Answer::problem(403, "Forbidden", "Use HTTPS. What was sent went in the clear.")
        }
        Denied::ExpireIdle
        | Denied::ExpireToken
        | Denied::EndSession
        | Denied::ExceedLifetime
        | Denied::InactiveToken
        | Denied::LackBinding
        | Denied::LackClaim(_)
        | Denied::LackRequired(_)
        | Denied::MalformClaim(_)
        | Denied::MalformToken
        | Denied::RefuseUnbound
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
pub fn forward_auth(denied: &Denied, described: Option<&Described>) -> Answer {
    for_proxy(challenge(denied, described))
}

/// The same for a caller who has presented the token with a proof of possession.
#[must_use]
pub fn forward_auth_proof(denied: &Denied, described: Option<&Described>) -> Answer {
    for_proxy(challenge_proof(denied, described))
}

fn for_proxy(answer: Answer) -> Answer {
    match answer.status {
        400 | 404 | 413 | 429 => Answer { status: 403, ..answer },
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

/// The upstream takes too long (RFC 9110 section 15.6.5).
#[must_use]
pub fn gateway_timeout() -> Answer {
    Answer::problem(504, "Gateway Timeout", "The service behind this one takes too long.")
}

/// Whether a refusal is told in the words of the scheme that the caller has chosen.
#[must_use]
pub fn is_proof(authorization: Option<&str>) -> bool {
    matches!(presented(authorization), Ok((Scheme::Dpop, _)))
}

fn proof_error(error: &str) -> String {
    format!(r#"DPoP algs="{}", error="{error}""#, algorithms())
}

/// RFC 9470 section 3: what the client has to ask the authorization server for.
fn step_up(need: &SignInNeed) -> String {
    let SignInNeed { acr, max_age } = need;
    let error = r#"Bearer error="insufficient_user_authentication""#;
    let description = r#"error_description="another or a more recent sign-in is required""#;
    let acr = (!acr.is_empty()).then(|| format!(r#", acr_values="{}""#, acr.join(" ")));
    let max_age = max_age.map(|age| format!(r#", max_age="{}""#, age.as_seconds()));
    format!("{error}, {description}{}{}", acr.unwrap_or_default(), max_age.unwrap_or_default())
}

fn joined(scopes: &[ScopeToken]) -> String {
    scopes.iter().map(ScopeToken::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Lifetime;

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
    fn rfc9470_section_3_the_challenge_says_what_to_ask_for() {
        let lack = |acr: &[&str], seconds: Option<u64>| {
            let acr = acr.iter().map(|&acr| acr.to_owned()).collect();
            let max_age = seconds.map(Lifetime::from_seconds);
            Denied::LackAuthentication(Box::new(SignInNeed { acr, max_age }))
        };
        let error = r#"error="insufficient_user_authentication", error_description="another or a more recent sign-in is required""#;
        for (denied, rest) in [
            (lack(&["a", "urn:b"], Some(300)), r#", acr_values="a urn:b", max_age="300""#),
            (lack(&["a"], None), r#", acr_values="a""#),
            (lack(&[], Some(5)), r#", max_age="5""#),
        ] {
            assert_eq!(answer(&denied), (401, Some(format!("Bearer {error}{rest}"))));
            let url = "https://api.example/.well-known/oauth-protected-resource";
            let about = Described {
                resource: "https://api.example".to_owned(),
                metadata: url.to_owned(),
                scope: String::new(),
            };
            let proved = challenge_proof(&denied, Some(&about));
            let said = proved.header("WWW-Authenticate").unwrap();
            assert!(said.starts_with("DPoP algs=\"EdDSA "), "{said}");
            assert!(said.ends_with(&format!(r#"", {error}{rest}, resource_metadata="{url}""#)), "{said}");
            assert_eq!(forward_auth(&denied, None), challenge(&denied, None));
        }
    }

    #[test]
    fn rfc9728_section_5_1_the_challenge_says_where_the_resource_describes_itself() {
        let url = "https://api.example/.well-known/oauth-protected-resource";
        let mut about = Described {
            resource: "https://api.example".to_owned(),
            metadata: url.to_owned(),
            scope: "a b".to_owned(),
        };
        let said = |denied: Denied, about: &Described| {
            challenge(&denied, Some(about)).header("WWW-Authenticate").map(str::to_owned)
        };
        let with = |challenge: &str| Some(format!(r#"{challenge}, resource_metadata="{url}""#));
        assert_eq!(said(Denied::MissToken, &about), with(r#"Bearer realm="tollgate", scope="a b""#));
        assert_eq!(said(Denied::ExpireToken, &about), with(r#"Bearer error="invalid_token", scope="a b""#));
        // What is needed is said once, and not where it would not help.
        let need = vec!["c".parse().unwrap()];
        assert_eq!(
            said(Denied::LackScope { need }, &about),
            with(r#"Bearer error="insufficient_scope", scope="c""#)
        );
        assert_eq!(said(Denied::LackRole, &about), with(r#"Bearer error="insufficient_scope""#));
        assert_eq!(said(Denied::MalformCredentials, &about), with(r#"Bearer error="invalid_request""#));
        assert_eq!(said(Denied::NoRoute, &about), None);
        about.scope.clear();
        assert_eq!(said(Denied::MissToken, &about), with(r#"Bearer realm="tollgate""#));
    }

    #[test]
    fn every_bad_token_looks_the_same_outside() {
        let expected = challenge(&Denied::RejectSignature, None);
        assert_eq!(expected.status, 401);
        for denied in [
            Denied::ExpireIdle,
            Denied::ExpireToken,
            Denied::EndSession,
            Denied::LackBinding,
            Denied::LackClaim("exp"),
            Denied::MalformClaim("exp"),
            Denied::MalformToken,
            Denied::RefuseUnbound,
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
    fn rfc9449_section_7_1_the_challenge_is_of_the_scheme_that_was_chosen() {
        let algs = "EdDSA ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512";
        let said = |answer: Answer| (answer.status, answer.header("WWW-Authenticate").map(str::to_owned));
        let with = |error: &str| Some(format!(r#"DPoP algs="{algs}", error="{error}""#));
        for (denied, error) in [
            (Denied::ExpireToken, "invalid_token"),
            (Denied::RefuseUnbound, "invalid_token"),
            (Denied::RejectProof("htu"), "invalid_dpop_proof"),
            (Denied::LackNonce("n".to_owned()), "use_dpop_nonce"),
        ] {
            assert_eq!(said(challenge_proof(&denied, None)), (401, with(error)), "{denied}");
            assert_eq!(said(forward_auth_proof(&denied, None)), (401, with(error)), "{denied}");
        }
        let nonce = challenge_proof(&Denied::LackNonce("n".to_owned()), None);
        assert_eq!(nonce.header("DPoP-Nonce"), Some("n"));
        let need = vec!["a".parse().unwrap()];
        let scope = said(challenge_proof(&Denied::LackScope { need }, None));
        assert_eq!(
            scope,
            (403, Some(format!(r#"DPoP algs="{algs}", error="insufficient_scope", scope="a""#)))
        );
    }

    #[test]
    fn a_proxy_only_hears_401_and_403() {
        for denied in [Denied::NoRoute, Denied::MalformPath, Denied::MalformCredentials] {
            assert_eq!(forward_auth(&denied, None).status, 403);
        }
        assert_eq!(forward_auth(&Denied::MissToken, None).status, 401);
    }
}
