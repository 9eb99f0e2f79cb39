//! Client authentication (RFC 6749 section 2.3).

use crate::encoding::{Digest, from_base64};
use crate::http::{ErrorCode, Form, OauthError};
use crate::id::ClientId;
use crate::secret::{Credential, Kind};

/// How a client authenticates, by its registered name (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientAuthentication {
    /// HTTP Basic.
    Basic,
    /// In the form.
    Post,
}

impl ClientAuthentication {
    /// Every method there is.
    pub const ALL: [Self; 2] = [Self::Basic, Self::Post];

    /// Its registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

/// No client, an unknown one, no secret, a wrong one: the same for all of them.
pub const WRONG_CLIENT: OauthError =
    OauthError::new(ErrorCode::InvalidClient, "check client_id and client_secret");

/// A client that says who it is; the digest is what its secret is compared by.
#[derive(Debug)]
pub struct Presented {
    /// Who it says it is.
    pub client_id: ClientId,
    /// The digest of the secret that it sent.
    pub secret: Digest,
}

impl Presented {
    /// Reads the one way in which a client authenticates. Checks shape and that a secret is one that tollgate
    /// could have made; does **not** check that it is this client's.
    ///
    /// # Errors
    /// `invalid_request` for two ways at once; `invalid_client` for none, or for a secret that cannot be one.
    pub fn parse(authorization: Option<&str>, form: &Form) -> Result<Self, OauthError> {
        const TWICE: OauthError =
            OauthError::new(ErrorCode::InvalidRequest, "authenticate in one way, not in two");
        let (id, secret) = match (authorization, form.get("client_secret")) {
            (Some(_), Some(_)) => return Err(TWICE),
            (Some(value), None) => {
                let (id, secret) = basic(value).ok_or(WRONG_CLIENT)?;
                // A client_id in the form is allowed beside Basic if it is the same (RFC 6749 section 3.2.1).
                if form.get("client_id").is_some_and(|other| other != id) {
                    return Err(TWICE);
                }
                (id, secret)
            }
            (None, Some(secret)) => {
                (form.get("client_id").ok_or(WRONG_CLIENT)?.to_owned(), secret.to_owned())
            }
            (None, None) => return Err(WRONG_CLIENT),
        };
        let client_id = id.parse().map_err(|_| WRONG_CLIENT)?;
        let secret = Credential::parse(Kind::ClientSecret, &secret).map_err(|_| WRONG_CLIENT)?;
        Ok(Self { client_id, secret: secret.digest() })
    }
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
            assert_eq!((presented.client_id.as_str(), presented.secret), ("c1", secret.digest()));
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
    fn attack_63_what_cannot_be_a_secret_is_invalid_client() {
        let text = secret().reveal().to_owned();
        assert_eq!(refused(None, ""), ErrorCode::InvalidClient);
        assert_eq!(refused(None, "client_id=c1"), ErrorCode::InvalidClient);
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
