//! What an OpenID provider says of itself (OpenID Connect Discovery section 3), for signing people in with it.
//!
//! Believed within the limits of [`super::remote`], and for as long as it says, within 60 s and 24 h, by one isolate. Where it cannot be had
//! nobody signs in; there is no older copy to go by.

use std::rc::Rc;

use crate::config::TrustedIssuer;
use crate::error::Fault;
use crate::http::freshness;
use crate::json::Value;
use crate::port::Ports;
use crate::time::Timestamp;
use crate::uri::WebUrl;
use crate::validator::keys::change;
use crate::validator::remote::{address, get, own};

/// Where a provider is spoken to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProviderMetadata {
    /// `authorization_endpoint`.
    pub authorization_endpoint: WebUrl,
    /// `token_endpoint`.
    pub token_endpoint: WebUrl,
    /// `userinfo_endpoint`, where it has one.
    pub userinfo_endpoint: Option<WebUrl>,
    /// `authorization_response_iss_parameter_supported`: every answer of it says whose it is (RFC 9207 section 3).
    pub says_issuer: bool,
}

/// The metadata of a provider, from memory or from `url`. Remembers where its keys are as well.
///
/// # Errors
/// It does not answer, or says what cannot be believed: another issuer, no address, an address that is not `https`.
pub async fn provider_metadata<P: Ports>(
    ports: &P,
    issuer: &TrustedIssuer,
    url: &WebUrl,
    now: Timestamp,
) -> Result<Rc<ProviderMetadata>, Fault> {
    const OP: &str = "read metadata";
    let known = change(ports, issuer, |state| state.provider.clone());
    if let Some((metadata, _)) = known.filter(|(_, until)| now <= *until) {
        return Ok(metadata);
    }
    let reply = get(ports, url, OP).await?;
    let (metadata, jwks_uri) = read(issuer, &reply.body).map_err(|problem| Fault::new(OP, problem))?;
    let until = now.after(freshness(reply.cache_control.as_deref(), reply.age.as_deref()));
    let metadata = Rc::new(metadata);
    change(ports, issuer, |state| {
        state.provider = Some((Rc::clone(&metadata), until));
        state.jwks_uri = Some((jwks_uri, until));
    });
    Ok(metadata)
}

fn read(issuer: &TrustedIssuer, body: &[u8]) -> Result<(ProviderMetadata, WebUrl), String> {
    let members = own(issuer, body)?;
    let has_userinfo = members.has("userinfo_endpoint");
    let metadata = ProviderMetadata {
        authorization_endpoint: address(issuer, &members, "authorization_endpoint")?,
        token_endpoint: address(issuer, &members, "token_endpoint")?,
        userinfo_endpoint: has_userinfo
            .then(|| address(issuer, &members, "userinfo_endpoint"))
            .transpose()?,
        says_issuer: members.get("authorization_response_iss_parameter_supported")
            == Some(&Value::Bool(true)),
    };
    Ok((metadata, address(issuer, &members, "jwks_uri")?))
}
