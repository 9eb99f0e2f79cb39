//! The claims of an access token (RFC 9068 section 2.2), read by type: a claim of the wrong type is an
//! error, never "absent" (RFC 8725 section 3.10; CVE-2026-25537).

use serde::Serialize;

use crate::error::Denied;
use crate::id::{ClientId, SessionId};
use crate::json::{self, Object, Value};
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use crate::uri::Issuer;

/// What a token says, read but not checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claims {
    /// `iss`, as it stands.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `aud`, one or many.
    pub audiences: Vec<String>,
    /// `exp`.
    pub expires_at: Option<Timestamp>,
    /// `nbf`.
    pub not_before: Option<Timestamp>,
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// `client_id`.
    pub client: Option<String>,
    /// `jti`.
    pub token_id: Option<String>,
    /// `scope`; absent is empty.
    pub scopes: ScopeSet,
    /// `sid`, where it is text: ours are [`SessionId`]s, other issuers' are their own business.
    pub session: Option<String>,
    /// `cnf`.
    pub confirmation: Confirmation,
}

/// Whether a token is bound to a key (RFC 7800).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Confirmation {
    /// Whoever bears it may use it.
    Bearer,
    /// Only with a proof.
    Bound,
}

impl Claims {
    /// Reads a payload. Checks types and the presence of `iss` and `sub`; does **not** check values.
    ///
    /// # Errors
    /// [`Denied::MalformToken`] when it is no strict JSON object, [`Denied::MalformClaim`], [`Denied::LackClaim`].
    pub fn parse(payload: &[u8]) -> Result<Self, Denied> {
        let members = Members(json::object(payload).map_err(|_| Denied::MalformToken)?);
        Ok(Self {
            issuer: members.text("iss")?.ok_or(Denied::LackClaim("iss"))?,
            subject: members.text("sub")?.filter(|sub| !sub.is_empty()).ok_or(Denied::LackClaim("sub"))?,
            audiences: members.audiences()?,
            expires_at: members.date("exp")?,
            not_before: members.date("nbf")?,
            issued_at: members.date("iat")?,
            client: members.text("client_id")?,
            token_id: members.text("jti")?,
            scopes: members.scopes()?,
            session: members.text("sid").ok().flatten(),
            confirmation: if members.0.has("cnf") { Confirmation::Bound } else { Confirmation::Bearer },
        })
    }
}

struct Members(Object);

impl Members {
    fn text(&self, name: &'static str) -> Result<Option<String>, Denied> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Denied::MalformClaim(name)),
        }
    }

    /// `NumericDate` (RFC 7519 section 2): whole or fractional seconds, not negative, below the year 10000.
    fn date(&self, name: &'static str) -> Result<Option<Timestamp>, Denied> {
        const YEAR_10000: f64 = 253_402_300_800.0;
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let seconds =
            value.as_number().filter(|s| (0.0..YEAR_10000).contains(s)).ok_or(Denied::MalformClaim(name))?;
        // Within 0 and 2.6e14: nothing is lost but what is below a millisecond.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked above"
        )]
        let millis = (seconds * 1000.0) as u64;
        Ok(Some(Timestamp::from_millis(millis)))
    }

    /// `aud` (RFC 7519 section 4.1.3): a string, or an array of strings.
    fn audiences(&self) -> Result<Vec<String>, Denied> {
        let bad = Denied::MalformClaim("aud");
        match self.0.get("aud") {
            None => Ok(Vec::new()),
            Some(Value::Text(one)) => Ok(vec![one.clone()]),
            Some(Value::Array(many)) => {
                many.iter().map(|aud| aud.as_text().map(str::to_owned).ok_or_else(|| bad.clone())).collect()
            }
            Some(_) => Err(bad),
        }
    }

    fn scopes(&self) -> Result<ScopeSet, Denied> {
        self.text("scope")?.unwrap_or_default().parse().map_err(|_| Denied::MalformClaim("scope"))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references to the fields")]
fn is_empty(scopes: &&ScopeSet) -> bool {
    scopes.is_empty()
}

/// The claims that tollgate writes (RFC 9068 section 2.2, and `sid` and `idle`).
#[derive(Clone, Debug, Serialize)]
pub struct AccessClaims<'a> {
    /// `iss`.
    #[serde(rename = "iss")]
    pub issuer: &'a Issuer,
    /// `sub`: with client credentials, the client itself (RFC 9068 section 5).
    #[serde(rename = "sub")]
    pub subject: &'a str,
    /// `aud`.
    #[serde(rename = "aud")]
    pub audience: &'a str,
    /// `client_id`.
    pub client_id: &'a ClientId,
    /// `iat`, in seconds.
    #[serde(rename = "iat")]
    pub issued_at: u64,
    /// `exp`, in seconds.
    #[serde(rename = "exp")]
    pub expires_at: u64,
    /// `jti`.
    #[serde(rename = "jti")]
    pub token_id: String,
    /// `scope`; RFC 6749 section 3.3 has no empty one.
    #[serde(skip_serializing_if = "is_empty")]
    pub scope: &'a ScopeSet,
    /// `sid`.
    #[serde(rename = "sid")]
    pub session: SessionId,
    /// `idle`, in seconds, where the session slides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(members: &str) -> Result<Claims, Denied> {
        Claims::parse(format!(r#"{{"iss":"i","sub":"s",{members}}}"#).as_bytes())
    }

    #[test]
    fn attack_43_a_date_of_the_wrong_type_is_an_error_and_not_absent() {
        for name in ["exp", "nbf", "iat"] {
            for value in ["\"9999999999\"", "null", "[1]", "{}", "true", "-1", "1e18", "9223372036854775808"]
            {
                let claims = read(&format!(r#""{name}":{value}"#));
                assert_eq!(claims.unwrap_err(), Denied::MalformClaim(name), "{name} {value}");
            }
        }
        assert_eq!(read(r#""exp":1.5"#).unwrap().expires_at, Some(Timestamp::from_millis(1500)));
        assert_eq!(read(r#""exp":1e3"#).unwrap().expires_at, Some(Timestamp::from_seconds(1000)));
    }

    #[test]
    fn attack_46_audience_is_a_string_or_an_array_of_strings() {
        assert_eq!(read(r#""aud":["a","b"]"#).unwrap().audiences, ["a", "b"]);
        for bad in ["1", "null", "{}", "[1]", r#"["a",1]"#, r#"[["a"]]"#] {
            assert_eq!(read(&format!(r#""aud":{bad}"#)).unwrap_err(), Denied::MalformClaim("aud"), "{bad}");
        }
    }

    #[test]
    fn attack_47_and_51_issuer_and_subject_are_one_string_each() {
        for (payload, want) in [
            (r#"{"sub":"s"}"#, Denied::LackClaim("iss")),
            (r#"{"iss":["i"],"sub":"s"}"#, Denied::MalformClaim("iss")),
            (r#"{"iss":"i"}"#, Denied::LackClaim("sub")),
            (r#"{"iss":"i","sub":""}"#, Denied::LackClaim("sub")),
            (r#"{"iss":"i","sub":7}"#, Denied::MalformClaim("sub")),
            (r#"["iss"]"#, Denied::MalformToken),
        ] {
            assert_eq!(Claims::parse(payload.as_bytes()).unwrap_err(), want, "{payload}");
        }
    }

    #[test]
    fn attack_50_scope_is_space_delimited_text() {
        assert_eq!(read(r#""scope":"b a""#).unwrap().scopes.to_string(), "a b");
        for bad in [r#"["a"]"#, r#""a  b""#, r#"" a""#, "7"] {
            assert_eq!(
                read(&format!(r#""scope":{bad}"#)).unwrap_err(),
                Denied::MalformClaim("scope"),
                "{bad}"
            );
        }
    }

    #[test]
    fn any_cnf_makes_a_token_bound() {
        for cnf in ["{}", "null", r#"{"jkt":"x","x5t#S256":"y"}"#] {
            assert_eq!(read(&format!(r#""cnf":{cnf}"#)).unwrap().confirmation, Confirmation::Bound, "{cnf}");
        }
    }
}
