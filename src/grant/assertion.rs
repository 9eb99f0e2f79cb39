//! Client assertions (RFC 7523 section 3): a JWT that a client signs to prove who it is.
//!
//! 1. `iss` and `sub` are the client's id: else somebody speaks for somebody else.
//! 2. `aud` is one string: the realm's issuer, or its token endpoint. An array is refused, whatever it holds: a client that
//!    can be made to sign for two servers signs for the wrong one (CVE-2025-27370).
//! 3. `exp` is there, has not passed, and is at most [`MAX_ASSERTION`] away; `nbf` and `iat` do not lie ahead.
//! 4. `jti` is there: it counts once, which its principal sees to.
//! 5. `typ` is absent, `JWT` or `client-authentication+jwt`: no other kind of JWT is an assertion (RFC 8725 section 3.11).
//!
//! **Out of scope**: the signature, which is checked first ([`crate::Jws`]).

use crate::encoding::{Digest, from_base64url};
use crate::id::ClientId;
use crate::json::{self, Object, Value};
use crate::time::{Lifetime, Timestamp};

/// How far `exp` may lie ahead: so long its `jti` is remembered.
pub const MAX_ASSERTION: Lifetime = Lifetime::from_seconds(600);

/// How far the client's clock may be off.
const LEEWAY: Lifetime = Lifetime::from_seconds(30);

/// An assertion's claims that have been checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Assertion {
    /// Its `jti`, digested.
    pub jti: Digest,
    /// Its `exp`, and the leeway.
    pub expires_at: Timestamp,
}

impl Assertion {
    /// Checks a payload whose signature is the client's. `typ` is the header's. `None`: it proves nothing.
    #[must_use]
    pub fn check(
        typ: Option<&str>,
        payload: &[u8],
        client: &ClientId,
        audiences: [&str; 2],
        now: Timestamp,
    ) -> Option<Self> {
        let is_kind = |typ: &str| {
            ["jwt", "client-authentication+jwt"].iter().any(|kind| typ.eq_ignore_ascii_case(kind))
        };
        if !typ.is_none_or(is_kind) {
            return None;
        }
        let claims = json::object(payload).ok()?;
        let text = |name: &str| claims.get(name).and_then(Value::as_text);
        let is_for_us = text("aud").is_some_and(|aud| audiences.contains(&aud));
        if text("iss") != Some(client.as_str()) || text("sub") != Some(client.as_str()) || !is_for_us {
            return None;
        }
        let jti = text("jti").filter(|jti| (1..=256).contains(&jti.len()))?;
        let expires_at = date(&claims, "exp").ok()??.after(LEEWAY);
        let is_in_time = now <= expires_at && expires_at <= now.after(MAX_ASSERTION).after(LEEWAY.times(2));
        let is_begun = |name| date(&claims, name).is_ok_and(|at| at.is_none_or(|at| at <= now.after(LEEWAY)));
        (is_in_time && is_begun("nbf") && is_begun("iat"))
            .then(|| Self { jti: Digest::of(jti.as_bytes()), expires_at })
    }
}

/// A claim that is a date of the wrong type.
struct NoDate;

fn date(claims: &Object<'_>, name: &str) -> Result<Option<Timestamp>, NoDate> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let is_era = |seconds: &f64| (0.0..253_402_300_800.0).contains(seconds);
    let seconds = value.as_number().filter(is_era).ok_or(NoDate)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked above")]
    let millis = (seconds * 1000.0) as u64;
    Ok(Some(Timestamp::from_millis(millis)))
}

/// Whom an assertion speaks for, before anything about it is known to be true: whose keys are to be looked up.
#[must_use]
pub fn subject_of(assertion: &str) -> Option<ClientId> {
    let payload = from_base64url(assertion.split('.').nth(1)?).ok()?;
    let claims = json::object(&payload).ok()?;
    claims.get("sub").and_then(Value::as_text)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://gate.example/test";
    const ENDPOINT: &str = "https://gate.example/test/oauth/token";
    const GOOD: &str = r#"{"iss":"c1","sub":"c1","aud":"https://gate.example/test","exp":160,"jti":"j"}"#;

    fn check(typ: Option<&str>, payload: &str) -> Option<Assertion> {
        let client = "c1".parse().unwrap();
        Assertion::check(typ, payload.as_bytes(), &client, [ISSUER, ENDPOINT], Timestamp::from_seconds(100))
    }

    #[test]
    fn rfc7523_section_3_an_assertion_of_the_client_for_this_server() {
        let want = Assertion { jti: Digest::of(b"j"), expires_at: Timestamp::from_seconds(190) };
        assert_eq!(check(None, GOOD), Some(want));
        for typ in ["JWT", "jwt", "client-authentication+jwt"] {
            assert_eq!(check(Some(typ), GOOD), Some(want), "{typ}");
        }
        assert!(check(None, &GOOD.replace(ISSUER, ENDPOINT)).is_some());
        assert!(check(None, &GOOD.replace("160", "70")).is_some(), "within the leeway");
    }

    #[test]
    fn attack_63_client_assertions_that_prove_nothing() {
        for (from, to) in [
            (r#""iss":"c1""#, r#""iss":"c2""#),
            (r#""sub":"c1""#, r#""sub":"c2""#),
            (r#""iss":"c1","#, ""),
            (r#""aud":"https://gate.example/test""#, r#""aud":["https://gate.example/test"]"#),
            (
                r#""aud":"https://gate.example/test""#,
                r#""aud":["https://gate.example/test","https://evil.example"]"#,
            ),
            ("https://gate.example/test", "https://gate.example/test/"),
            ("https://gate.example/test", "https://evil.example"),
            (r#""exp":160,"#, ""),
            ("160", "\"160\""),
            ("160", "69"),
            ("160", "731"),
            (r#","jti":"j""#, ""),
            (r#""jti":"j""#, r#""jti":"""#),
            (r#""jti":"j""#, r#""jti":7"#),
            (r#""jti":"j""#, r#""jti":"j","iat":131"#),
            (r#""jti":"j""#, r#""jti":"j","nbf":131"#),
            (r#""jti":"j""#, r#""jti":"j","nbf":"1""#),
            (r#""jti":"j""#, r#""jti":"j","jti":"k""#),
        ] {
            assert!(GOOD.contains(from), "{from}");
            assert_eq!(check(None, &GOOD.replace(from, to)), None, "{to}");
        }
        for typ in ["at+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", ""] {
            assert_eq!(check(Some(typ), GOOD), None, "{typ}");
        }
    }
}
