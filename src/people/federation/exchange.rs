//! What a provider's answer is worth: the code is redeemed (OpenID Connect Core section 3.1.3), and the ID token that comes of it verified.

use crate::config::{Provider, TrustedIssuer};
use crate::error::{Error, Fault};
use crate::http::Form;
use crate::json::{self, Object, Value};
use crate::people::federation::{Failed, Named, Stopped};
use crate::people::visit::Visit;
use crate::pkce::Verifier;
use crate::port::{Ports, Web, WebReply, WebRequest};
use crate::principal::{Federated, Profile};
use crate::uri::WebUrl;
use crate::validator::{Expected, authenticate_as, profile_of, provider_metadata, verify_id_token};

/// What came back, and what it has to fit.
#[derive(Clone, Copy)]
pub(super) struct Answered<'a> {
    pub(super) form: &'a Form,
    pub(super) redirect_uri: &'a str,
    pub(super) nonce: &'a str,
    pub(super) verifier: &'a Verifier,
}

/// What a provider says of somebody besides who they are.
pub(super) enum Told {
    /// This.
    Already(Profile),
    /// What its userinfo endpoint says to this access token.
    There(WebUrl, String),
}

impl Told {
    /// Asks for it, where that is still to be done (OpenID Connect Core section 5.3).
    pub(super) async fn tell<P: Ports>(self, ports: &P, who: &Federated) -> Result<Profile, Failed> {
        let (url, token) = match self {
            Self::Already(profile) => return Ok(profile),
            Self::There(url, token) => (url, token),
        };
        let reply = bearing(ports, &url, &token).await?;
        let members = object(&reply.body)?;
        // Section 5.3.2: else it is about somebody else.
        if members.get("sub").and_then(Value::as_text) != Some(who.subject.as_str()) {
            return Err(Failed::refused("userinfo"));
        }
        Ok(profile_of(&members))
    }
}

/// The code of an answer. Whoever says no says why, in a word; that is not shown, because anybody could have written it.
pub(super) fn code(form: &Form) -> Result<&str, Failed> {
    match (form.get("error"), form.get("code")) {
        (None, Some(code)) => Ok(code),
        (Some("access_denied"), _) => {
            let text = "was told not to sign you in. Try again, or sign in another way.";
            Err(Failed::of_person(400, text, "access_denied"))
        }
        (Some(_), _) => Err(Failed::of_person(
            502,
            "could not sign you in. Try again, or sign in another way.",
            "provider_error",
        )),
        (None, None) => Err(Failed::refused("no_code")),
    }
}

/// The person whom an OpenID provider names.
pub(super) async fn named<P: Ports>(
    visit: &Visit<'_, P>,
    provider: &Provider,
    (issuer, url): (&TrustedIssuer, &WebUrl),
    answered: Answered<'_>,
) -> Result<Named, Stopped> {
    let metadata = provider_metadata(visit.ports, issuer, url, visit.now).await.map_err(Failed::trouble)?;
    // RFC 9207 section 2.4: also where it is an error that was sent.
    match answered.form.get("iss") {
        Some(iss) if iss != provider.issuer.as_str() => return Err(Failed::refused("mix_up").into()),
        None if metadata.says_issuer => return Err(Failed::refused("mix_up").into()),
        _ => {}
    }
    let code = code(answered.form)?;
    let reply = redeem(visit.ports, provider, &metadata.token_endpoint, code, answered).await?;
    let members = object(&reply.body)?;
    let id_token =
        members.get("id_token").and_then(Value::as_text).ok_or_else(|| Failed::refused("no_id_token"))?;
    let access_token = members.get("access_token").and_then(Value::as_text);
    let expected = Expected { nonce: answered.nonce, access_token };
    let verified = verify_id_token(id_token, visit.ports, issuer, expected, visit.now).await;
    let verified = match verified {
        Ok(verified) => verified,
        Err(Error::Denied(denied)) => return Err(Failed::refused(denied.code()).into()),
        Err(Error::Fault(fault)) => return Err(Failed::trouble(fault).into()),
    };
    // Many providers say name and address at the userinfo endpoint only (section 5.4).
    let says = verified.profile.email.is_some();
    let profile = match (&metadata.userinfo_endpoint, access_token) {
        (Some(url), Some(token)) if !says => Told::There(url.clone(), token.to_owned()),
        _ => Told::Already(verified.profile),
    };
    let who = Federated { issuer: provider.issuer.clone(), subject: verified.subject };
    Ok(Named { who, auth_time: verified.auth_time, profile })
}

/// Redeems a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5), as a client that proves who it is.
pub(super) async fn redeem<P: Ports>(
    ports: &P,
    provider: &Provider,
    endpoint: &WebUrl,
    code: &str,
    answered: Answered<'_>,
) -> Result<WebReply, Stopped> {
    const OP: &str = "redeem code";
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", answered.redirect_uri)
        .append_pair("code_verifier", answered.verifier.reveal());
    let client = (provider.client_id.as_str(), provider.secret_name.as_str());
    let authorization = authenticate_as(ports, client, provider.authentication, &mut form, OP)?;
    let request = WebRequest { authorization, form: Some(form.finish()), ..WebRequest::get(endpoint) };
    let reply = ports.web().ask(&request).await.map_err(Failed::trouble)?;
    let is_invalid = |body: &[u8]| {
        let error = json::object(body).ok();
        error.is_some_and(|body| body.get("error").and_then(Value::as_text) == Some("invalid_grant"))
    };
    match reply.status {
        200 => Ok(reply),
        400 if is_invalid(&reply.body) => Err(Failed::refused("invalid_grant").into()),
        status => Err(Failed::trouble(Fault::new(OP, format!("status {status}"))).into()),
    }
}

/// What an address answers to an access token (RFC 6750 section 2.1).
pub(super) async fn bearing<P: Ports>(ports: &P, url: &WebUrl, token: &str) -> Result<WebReply, Failed> {
    const OP: &str = "read profile";
    let request = WebRequest { authorization: Some(format!("Bearer {token}")), ..WebRequest::get(url) };
    let reply = ports.web().ask(&request).await.map_err(Failed::trouble)?;
    match reply.status {
        200 => Ok(reply),
        status => Err(Failed::trouble(Fault::new(OP, format!("status {status}")))),
    }
}

pub(super) fn object(body: &[u8]) -> Result<Object<'_>, Failed> {
    json::object(body).map_err(|_| Failed::trouble(Fault::new("read answer", "it is no strict JSON object")))
}
