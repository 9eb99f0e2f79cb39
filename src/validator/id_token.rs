//! ID tokens of outside providers (OpenID Connect Core sections 2 and 3.1.3.7): who somebody is, said to us, for one request of ours.
//!
//! They are no access tokens: nothing of the gateway accepts one, and nothing here accepts an `at+jwt`.

use crate::config::TrustedIssuer;
use crate::encoding::{Digest, base64url};
use crate::error::{Denied, Error};
use crate::id::Subject;
use crate::json::{self, Object, Value};
use crate::label::is_label;
use crate::port::{Ports, Verifier};
use crate::principal::Profile;
use crate::time::Timestamp;
use crate::token::{Algorithm, Claims, Compact, Holder, date_of};
use crate::validator::keys;

/// The longest name or address that is taken over, in characters; as in the management API.
const MAX_TEXT: usize = 254;

/// What an ID token has to say besides.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// `nonce`, as it was sent.
    pub nonce: &'a str,
    /// The access token that came with it, if one did.
    pub access_token: Option<&'a str>,
}

impl std::fmt::Debug for Expected<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Expected(..)")
    }
}

/// What a good one says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdToken {
    /// `sub`.
    pub subject: Subject,
    /// `auth_time`, where it says so.
    pub auth_time: Option<Timestamp>,
    /// Name and address, as far as it says them.
    pub profile: Profile,
}

/// Verifies an ID token of `issuer`.
///
/// **Checks**, cheap first: size, shape, strict JSON, no `crit`; `typ` (`JWT` or none) and `alg`; `iss`, byte for byte; `aud`, which is this client and
/// nobody else (section 3.1.3.7 (3)); `exp`, `nbf`, `iat`, of which `exp` and `iat` have to be there; no `cnf`; `azp`, where it is there (5); `nonce`
/// (11); `at_hash`, where both it and an access token are there (section 3.1.3.8); `sub`; then the signature, by a key that the issuer publishes now.
///
/// **Does not check** `acr`, `amr` and `auth_time`: whoever wanted them says so to the provider and looks.
///
/// # Errors
/// [`Error::Denied`] with the first check that fails; [`Error::Fault`] when keys cannot be had.
pub async fn verify_id_token<P: Ports>(
    text: &str,
    ports: &P,
    issuer: &TrustedIssuer,
    expected: Expected<'_>,
    now: Timestamp,
) -> Result<IdToken, Error> {
    let (token, trust) = (Compact::parse(text)?, &issuer.trust);
    let header = token.header();
    let algorithm = trust.check_header(header)?;
    let members = json::object(token.payload()).map_err(|_| Denied::MalformToken)?;
    let claims = Claims::read(&members, &trust.claims)?;
    trust.check_claims(header, &claims, Holder::Bearer, now)?;
    if claims.issued_at.is_none() {
        return Err(Denied::LackClaim("iat").into());
    }
    let is_ours = |name: &String| trust.audiences.contains(name);
    if !claims.audiences.iter().all(is_ours) {
        return Err(Denied::RejectAudience.into());
    }
    let says = |name: &str, wanted: &str| members.get(name).and_then(Value::as_text) == Some(wanted);
    let wrong = |name: &str| Err(Denied::LackRequired(name.to_owned()).into());
    if !claims.client.as_ref().is_none_or(is_ours) {
        return wrong("azp");
    }
    if !says("nonce", expected.nonce) {
        return wrong("nonce");
    }
    if let Some(access_token) = expected.access_token.filter(|_| members.has("at_hash")) {
        // A hash that nobody has defined for the algorithm is none that could be right.
        if !half_hash(algorithm, access_token).is_some_and(|hash| says("at_hash", &hash)) {
            return wrong("at_hash");
        }
    }
    let subject = claims.subject.parse().map_err(|_| Denied::MalformClaim("sub"))?;
    let auth_time = date_of(&members, "auth_time")?;
    let key = keys::key(ports, issuer, header.key.as_ref(), algorithm, now).await?;
    let key = key.ok_or(Denied::UnknownKey)?;
    let (input, signature) = (token.signing_input().as_bytes(), token.signature());
    if !ports.verifier().verify(&key, algorithm, input, signature).await? {
        return Err(Denied::RejectSignature.into());
    }
    Ok(IdToken { subject, auth_time, profile: profile_of(&members) })
}

/// Name and address (OpenID Connect Core section 5.1), as an ID token or a userinfo answer says them. What cannot be one is left out; an
/// address is verified where that is `true` and nothing else.
#[must_use]
pub fn profile_of(members: &Object<'_>) -> Profile {
    let text = |name: &str| {
        let text = members.get(name).and_then(Value::as_text)?;
        is_label(text, MAX_TEXT).then(|| text.to_owned())
    };
    let email = text("email");
    let email_verified = email.is_some() && members.get("email_verified") == Some(&Value::Bool(true));
    Profile { name: text("name"), email, email_verified }
}

/// OpenID Connect Core section 3.1.3.6: the left half of the hash that goes with the algorithm. `None`: none does.
fn half_hash(algorithm: Algorithm, access_token: &str) -> Option<String> {
    use Algorithm as A;
    let text = access_token.as_bytes();
    Some(match algorithm {
        A::Es256 | A::Es256k | A::Ps256 | A::Rs256 => left(Digest::of(text).bytes()),
        A::Es384 | A::Ps384 | A::Rs384 => left(&hmac_sha512::sha384::Hash::hash(text)),
        // Ed25519 hashes with SHA-512 (RFC 8032 section 5.1).
        A::EdDsa | A::Es512 | A::Ps512 | A::Rs512 => left(&hmac_sha512::Hash::hash(text)),
        A::Hs256 | A::Hs384 | A::Hs512 | A::MlDsa44 | A::MlDsa65 | A::MlDsa87 => return None,
    })
}

fn left(hash: &[u8]) -> String {
    base64url(hash.get(..hash.len() / 2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openid_connect_core_section_3_1_3_6_the_hash_goes_with_the_algorithm() {
        // OpenID Connect Core appendix A.3.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(half_hash(Algorithm::Rs256, token).as_deref(), Some("77QmUPtjPfzWtF2AnpK9RQ"));
        for (algorithm, chars) in
            [(Algorithm::Es384, Some(32)), (Algorithm::EdDsa, Some(43)), (Algorithm::MlDsa65, None)]
        {
            assert_eq!(half_hash(algorithm, token).map(|hash| hash.len()), chars, "{algorithm:?}");
        }
    }

    #[test]
    fn an_address_is_verified_where_the_provider_says_true() {
        let profile = |text: &str| profile_of(&json::object(text.as_bytes()).unwrap());
        assert!(profile(r#"{"email":"a@b.example","email_verified":true}"#).email_verified);
        for text in [
            r#"{"email":"a@b.example"}"#,
            r#"{"email":"a@b.example","email_verified":"true"}"#,
            r#"{"email":"a@b.example","email_verified":1}"#,
            r#"{"email":"","email_verified":true}"#,
            r#"{"email_verified":true}"#,
        ] {
            assert!(!profile(text).email_verified, "{text}");
        }
        assert_eq!(profile("{\"name\":\"a\\u0000\",\"email\":[\"a\"]}"), Profile::default());
    }
}
