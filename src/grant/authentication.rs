//! Client authentication (RFC 6749 section 2.3, RFC 7523 section 2.2).

use crate::encoding::{Digest, from_base64};
use crate::grant::subject_of;
use crate::http::{ErrorCode, Form, OauthError};
use crate::id::ClientId;
use crate::secret::{Credential, Kind};

/// No client, an unknown one, no secret, a wrong one: the same for all of them.
pub const WRONG_CLIENT: OauthError =
    OauthError::new(ErrorCode::InvalidClient, "check client_id, and client_secret or client_assertion");

/// A client that says who it is, and how it means to prove it.
#[derive(Debug)]
pub struct Presented {
    /// Who it says it is.
    pub client_id: ClientId,
    /// Its proof.
    pub proof: PresentedProof,
}

/// What a client proves itself by.
pub enum PresentedProof {
    /// A signed JWT (RFC 7523 section 2.2), as it came.
    Assertion(String),
    /// Nothing: a public client.
    Nothing,
    /// A secret, digested.
    Secret(Digest),
}

impl std::fmt::Debug for PresentedProof {
    /// The kind only: an assertion counts once, but it does count.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Assertion(_) => "Assertion(..)",
            Self::Nothing => "Nothing",
            Self::Secret(_) => "Secret(..)",
        })
    }
}

/// RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl Presented {
    /// Reads the one way in which a client authenticates. Checks shape and that a secret is one that tollgate
    /// could have made; does **not** check that it is this client's, nor anything about an assertion.
    ///
    /// # Errors
    /// `invalid_request` for two ways at once; `invalid_client` for none, or for a secret that cannot be one.
    pub fn parse(authorization: Option<&str>, form: &Form) -> Result<Self, OauthError> {
        const TWICE: OauthError =
            OauthError::new(ErrorCode::InvalidRequest, "authenticate in one way, not in two");
        let assertion = (form.get("client_assertion"), form.get("client_assertion_type"));
        let named = form.get("client_id");
        let (id, proof) = match (authorization, form.get("client_secret"), assertion) {
            (Some(value), None, (None, None)) => {
                let (id, secret) = basic(value).ok_or(WRONG_CLIENT)?;
                // A client_id in the form is allowed beside Basic if it is the same (RFC 6749 section 3.2.1).
                if named.is_some_and(|other| other != id) {
                    return Err(TWICE);
                }
                (id, secret_of(&secret)?)
            }
            (None, Some(secret), (None, None)) => (named.ok_or(WRONG_CLIENT)?.to_owned(), secret_of(secret)?),
            (None, None, (Some(assertion), Some(ASSERTION_TYPE))) => {
                let id = subject_of(assertion).ok_or(WRONG_CLIENT)?;
                if named.is_some_and(|other| other != id.as_str()) {
                    return Err(WRONG_CLIENT);
                }
                (id.into(), PresentedProof::Assertion(assertion.to_owned()))
            }
            (None, None, (None, None)) => (named.ok_or(WRONG_CLIENT)?.to_owned(), PresentedProof::Nothing),
            (None, None, _) => {
                return Err(OauthError::new(
                    ErrorCode::InvalidRequest,
                    "send client_assertion with client_assertion_type urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ));
            }
            _ => return Err(TWICE),
        };
        Ok(Self { client_id: id.parse().map_err(|_| WRONG_CLIENT)?, proof })
    }
}

fn secret_of(text: &str) -> Result<PresentedProof, OauthError> {
    let secret = Credential::parse(Kind::ClientSecret, text).map_err(|_| WRONG_CLIENT)?;
    Ok(PresentedProof::Secret(secret.digest()))
}

/// `Basic base64(id ":" secret)`, both form-encoded first (RFC 6749 section 2.3.1).
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, rest) = value.split_once(' ')?;
    let rest = scheme.eq_ignore_ascii_case("Basic").then_some(rest)?.trim_matches(' ');
    let pair = String::from_utf8(from_base64(rest).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

/// One value in form encoding; `None` where it holds what only joins values.
fn form_decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    form_urlencoded::parse(text.as_bytes()).next().map(|(value, _)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64, Encoding};

    fn form(body: &str) -> Form {
        Form::parse(Some("application/x-www-form-urlencoded"), body.as_bytes()).unwrap()
    }

    fn secret() -> Credential {
        Credential::client_secret(&[7; 32])
    }

    fn header(id: &str, secret: &str) -> String {
        format!("Basic {}", Base64::encode_string(format!("{id}:{secret}").as_bytes()))
    }

    fn refused(authorization: Option<&str>, body: &str) -> ErrorCode {
        Presented::parse(authorization, &form(body)).unwrap_err().code
    }

    #[test]
    fn rfc6749_section_2_3_1_basic_and_post() {
        let secret = secret();
        let by_post = format!("client_id=c1&client_secret={}", secret.reveal());
        for (authorization, body) in [
            (Some(header("c1", secret.reveal())), "grant_type=client_credentials".to_owned()),
            (Some(header("c1", secret.reveal()).replace("Basic", "basic")), "client_id=c1".to_owned()),
            (Some(header("%63%31", &secret.reveal().replace('_', "%5F"))), String::new()),
            (None, by_post),
        ] {
            let presented = Presented::parse(authorization.as_deref(), &form(&body)).unwrap();
            let PresentedProof::Secret(digest) = presented.proof else { panic!("no secret") };
            assert_eq!((presented.client_id.as_str(), digest), ("c1", secret.digest()));
        }
    }

    #[test]
    fn attack_63_two_ways_at_once_are_invalid_request() {
        let text = secret().reveal().to_owned();
        assert_eq!(
            refused(Some(&header("c1", &text)), &format!("client_secret={text}")),
            ErrorCode::InvalidRequest
        );
        assert_eq!(refused(Some(&header("c1", &text)), "client_id=c2"), ErrorCode::InvalidRequest);
        assert_eq!(
            refused(Some("Bearer x"), &format!("client_id=c1&client_secret={text}")),
            ErrorCode::InvalidRequest
        );
    }

    #[test]
    fn rfc7523_section_2_2_an_assertion_says_who_it_speaks_for() {
        // {"sub":"c1"}
        let assertion = "client_assertion=e30.eyJzdWIiOiJjMSJ9.eA";
        let kind = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        for body in [format!("{assertion}&{kind}"), format!("{assertion}&{kind}&client_id=c1")] {
            let presented = Presented::parse(None, &form(&body)).unwrap();
            assert_eq!(presented.client_id.as_str(), "c1");
            assert!(matches!(presented.proof, PresentedProof::Assertion(_)));
            assert_eq!(format!("{:?}", presented.proof), "Assertion(..)");
        }
        assert_eq!(refused(None, &format!("{assertion}&{kind}&client_id=c2")), ErrorCode::InvalidClient);
        for half in [assertion.to_owned(), kind.to_owned(), format!("{assertion}&client_assertion_type=x")] {
            assert_eq!(refused(None, &half), ErrorCode::InvalidRequest, "{half}");
        }
        for second in [format!("client_secret={}", secret().reveal()), "client_secret=x".to_owned()] {
            assert_eq!(refused(None, &format!("{assertion}&{kind}&{second}")), ErrorCode::InvalidRequest);
        }
        let header = header("c1", secret().reveal());
        assert_eq!(refused(Some(&header), &format!("{assertion}&{kind}")), ErrorCode::InvalidRequest);
        for bad in ["x", "a.b.c", "e30.e30.eA", "e30.W10.eA"] {
            assert_eq!(
                refused(None, &format!("client_assertion={bad}&{kind}")),
                ErrorCode::InvalidClient,
                "{bad}"
            );
        }
    }

    #[test]
    fn a_public_client_only_says_who_it_is() {
        let presented = Presented::parse(None, &form("client_id=c1")).unwrap();
        assert!(matches!(presented.proof, PresentedProof::Nothing));
    }

    #[test]
    fn attack_63_what_cannot_be_a_secret_is_invalid_client() {
        let text = secret().reveal().to_owned();
        assert_eq!(refused(None, ""), ErrorCode::InvalidClient);
        assert_eq!(refused(None, &format!("client_secret={text}")), ErrorCode::InvalidClient);
        assert_eq!(refused(None, "client_id=c1&client_secret=guess"), ErrorCode::InvalidClient);
        for bad in [
            "Basic",
            "Basic ",
            "Basic !!!!",
            "Basic YTpi=",
            &header("c1", "guess"),
            &header("", &text),
            &header("a:b", &text),
            &header("c1", &format!("{text}&x=y")),
            &header("c1", &text).replace("Basic ", "Basic\t"),
        ] {
            assert_eq!(refused(Some(bad), ""), ErrorCode::InvalidClient, "{bad}");
        }
    }
}
