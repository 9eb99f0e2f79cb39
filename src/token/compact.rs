//! The compact serialisation: `header.payload.signature`, each in canonical base64url.

use serde::Serialize;

use crate::encoding::{base64url, from_base64url};
use crate::error::Denied;
use crate::id::KeyId;
use crate::json::{self, Value};
use crate::token::Algorithm;

/// The largest token that is read: 16 KiB, what common servers accept for all headers together.
pub const MAX_TOKEN: usize = 16 * 1024;

/// A JOSE header, read strictly. Members that choose a key source (`jwk jku x5u x5c`) are never looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// `alg`; `None` for one that is not known here, `none` among them.
    pub algorithm: Option<Algorithm>,
    /// `kid`.
    pub key: Option<KeyId>,
    /// `typ`, in lower case and without `application/` (RFC 7515 section 4.1.9).
    pub typ: Option<String>,
}

/// A compact JWS that has been taken apart, and of which nothing is proved.
#[derive(Debug)]
pub struct Compact<'a> {
    header: Header,
    payload: Vec<u8>,
    signing_input: &'a str,
    signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes `text` apart. Checks size, shape, encodings, the header's types, `crit` and `b64`.
    /// Does **not** check the signature, nor read the payload.
    ///
    /// # Errors
    /// [`Denied::RejectSize`], [`Denied::MalformToken`], [`Denied::RejectCritical`].
    pub fn parse(text: &'a str) -> Result<Self, Denied> {
        if text.len() > MAX_TOKEN {
            return Err(Denied::RejectSize);
        }
        // The first two dots. A third would stand in the signature, and is no base64url.
        let (header, rest) = text.split_once('.').ok_or(Denied::MalformToken)?;
        let (payload, signature) = rest.split_once('.').ok_or(Denied::MalformToken)?;
        let signed = text.len().saturating_sub(signature.len()).saturating_sub(1);
        let signing_input = text.get(..signed).ok_or(Denied::MalformToken)?;
        let decode = |part| from_base64url(part).map_err(|_| Denied::MalformToken);
        Ok(Self {
            header: read_header(&decode(header)?)?,
            payload: decode(payload)?,
            signing_input,
            signature: decode(signature)?,
        })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The payload's bytes, unproved.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload's bytes, for whoever has verified the signature.
    #[must_use]
    pub(crate) fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// What the signature covers.
    #[must_use]
    pub const fn signing_input(&self) -> &'a str {
        self.signing_input
    }

    /// The signature's bytes.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

fn read_header(bytes: &[u8]) -> Result<Header, Denied> {
    let members = json::object(bytes).map_err(|_| Denied::MalformToken)?;
    // RFC 7515 section 4.1.11, RFC 7797: no extension is understood, so none may be critical, nor may `b64` stand.
    if members.has("crit") || members.has("b64") {
        return Err(Denied::RejectCritical);
    }
    let text = |name| match members.get(name) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text.as_ref())),
        Some(_) => Err(Denied::MalformToken),
    };
    let algorithm = text("alg")?.ok_or(Denied::MalformToken)?;
    let key = text("kid")?.map(|kid| kid.parse().map_err(|_| Denied::UnknownKey)).transpose()?;
    let typ = text("typ")?.map(|typ| {
        let prefix = typ.get(..12).filter(|prefix| prefix.eq_ignore_ascii_case("application/"));
        prefix.and_then(|_| typ.get(12..)).unwrap_or(typ).to_ascii_lowercase()
    });
    Ok(Header { algorithm: Algorithm::named(algorithm), key, typ })
}

/// The signing input of a token of this `typ` (RFC 7515 section 5.1) with these claims.
///
/// # Errors
/// None that a struct of strings and numbers can cause; `serde_json` just cannot promise it.
pub fn signing_input(
    typ: &str,
    algorithm: Algorithm,
    key: &KeyId,
    claims: &impl Serialize,
) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Written<'a> {
        alg: &'a str,
        kid: &'a str,
        typ: &'a str,
    }
    let header = serde_json::to_vec(&Written { alg: algorithm.name(), kid: key.as_str(), typ })?;
    Ok(format!("{}.{}", base64url(&header), base64url(&serde_json::to_vec(claims)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> String {
        format!("{}.{}.{}", base64url(header.as_bytes()), base64url(b"{}"), base64url(b"sig"))
    }

    fn refused(text: &str) -> Denied {
        Compact::parse(text).unwrap_err()
    }

    #[test]
    fn rfc9068_section_4_the_media_type_prefix_and_case_do_not_matter() {
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
            let text = token(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#));
            assert_eq!(Compact::parse(&text).unwrap().header().typ.as_deref(), Some("at+jwt"));
        }
    }

    #[test]
    fn attack_03_alg_must_be_one_string() {
        for alg in ["", r#""alg":null"#, r#""alg":1"#, r#""alg":["ES256"]"#, r#""alg":{}"#] {
            assert_eq!(refused(&token(&format!("{{{alg}}}"))), Denied::MalformToken, "{alg}");
        }
        for alg in ["none", "None", "NONE", "nOnE", "", "es256", "ES256 ", "ES256\\u0000"] {
            let text = token(&format!(r#"{{"alg":"{alg}"}}"#));
            assert_eq!(Compact::parse(&text).unwrap().header().algorithm, None, "{alg:?}");
        }
    }

    #[test]
    fn attack_25_and_26_no_extension_is_understood() {
        for extra in
            [r#""crit":["exp"]"#, r#""crit":[]"#, r#""crit":null"#, r#""b64":false"#, r#""b64":true"#]
        {
            assert_eq!(
                refused(&token(&format!(r#"{{"alg":"ES256",{extra}}}"#))),
                Denied::RejectCritical,
                "{extra}"
            );
        }
    }

    #[test]
    fn attack_30_other_numbers_of_parts() {
        let good = token(r#"{"alg":"ES256"}"#);
        for bad in [
            "",
            ".",
            "..",
            "...",
            "a",
            "a.b",
            &format!("{good}."),
            &format!(".{good}"),
            &format!("{good}.x.y"),
        ] {
            assert_eq!(refused(bad), Denied::MalformToken, "{bad}");
        }
        assert_eq!(refused(&".".repeat(10_000)), Denied::MalformToken);
        assert_eq!(refused(&".".repeat(100_000)), Denied::RejectSize);
    }

    #[test]
    fn attack_36_one_spelling_of_base64url() {
        let good = token(r#"{"alg":"ES256"}"#);
        assert!(Compact::parse(&good).is_ok());
        for bad in [
            good.replace('.', "=."),
            format!("{good}="),
            format!(" {good}"),
            format!("{good}\n"),
            good.replacen('e', "%65", 1),
        ] {
            assert_eq!(refused(&bad), Denied::MalformToken, "{bad}");
        }
    }

    #[test]
    fn attack_20_a_kid_that_is_no_name_finds_no_key() {
        for kid in ["\\u0000", "\\r\\n", "", "😀", &"x".repeat(10_000)] {
            assert_eq!(
                refused(&token(&format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#))),
                Denied::UnknownKey,
                "{kid}"
            );
        }
        assert_eq!(refused(&token(r#"{"alg":"ES256","kid":7}"#)), Denied::MalformToken);
    }
}
