//! An access token of the realm's own, as a request to the realm itself bears it: for userinfo and the management API.
//!
//! 1. One token, in the header or, where the caller has read one from there, in the form (RFC 6750 section 2): else 401, or 400.
//! 2. One that is bound to a key comes in the header as `DPoP`, with a proof (RFC 9449 section 7.1).
//! 3. It is good, of this realm, and for all of it. **Does not check** scopes, nor whether its session lives.

use crate::config::{Config, Realm};
use crate::dpop::Mark;
use crate::error::{Denied, Error};
use crate::http::{Answer, Head, Scheme, challenge, challenge_proof, is_proof, presented};
use crate::id::SessionId;
use crate::oauth::Stop;
use crate::oauth::proof::proof;
use crate::policy::Described;
use crate::port::Ports;
use crate::time::Timestamp;
use crate::token::Holder;
use crate::validator::{AccessToken, verify};

/// A token that was verified.
pub(crate) struct OwnToken {
    pub(crate) token: AccessToken,
    pub(crate) session: SessionId,
    /// What is to be kept of the proof that came with it.
    pub(crate) mark: Option<Mark>,
}

/// What a request that bears a token is refused with: by the scheme that it used.
pub(crate) fn refusal(authorization: Option<&str>) -> impl Fn(&Denied) -> Stop + Copy {
    let answer: fn(&Denied, Option<&Described>) -> Answer =
        if is_proof(authorization) { challenge_proof } else { challenge };
    move |denied| Stop::Answer(Box::new(answer(denied, None).because(denied.code())))
}

/// Reads and verifies it.
///
/// # Errors
/// The answer for whoever has none, or trouble of ours.
pub(crate) async fn own_token<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    (head, in_form): (&Head<'_>, Option<&str>),
    now: Timestamp,
) -> Result<OwnToken, Stop> {
    let authorization = head.headers.get("authorization");
    let deny = refusal(authorization.as_deref());
    let refuse = |error: Error| match error {
        Error::Denied(denied) => deny(&denied),
        Error::Fault(fault) => fault.into(),
    };
    let (scheme, token) = match (&authorization, in_form) {
        (Some(_), Some(_)) => return Err(deny(&Denied::MalformCredentials)),
        (None, Some(token)) => (Scheme::Bearer, token),
        (header, None) => presented(header.as_deref()).map_err(|denied| deny(&denied))?,
    };
    let proved = match scheme {
        Scheme::Bearer => None,
        Scheme::Dpop => {
            let proved = proof(ports, realm, head, Some(token), now).await.map_err(refuse)?;
            Some(proved.ok_or_else(|| deny(&Denied::RejectProof("header")))?)
        }
    };
    let holder = proved.as_ref().map_or(Holder::Bearer, |proved| Holder::Key(proved.key));
    let mark = proved.map(|proved| proved.mark);
    checked(config, ports, realm, (token, holder), now)
        .await
        .map_err(refuse)
        .map(|own| OwnToken { mark, ..own })
}

/// Verifies a token of the realm that was had otherwise.
///
/// # Errors
/// [`Error::Denied`] with the first check that fails; [`Error::Fault`] when keys cannot be had.
pub(crate) async fn checked<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    (token, holder): (&str, Holder<'_>),
    now: Timestamp,
) -> Result<OwnToken, Error> {
    let issuers = [realm.issuer.clone()];
    let verified = verify(token, config, ports, &issuers, holder, now).await?;
    let session = verified.session().ok_or(Denied::LackClaim("sid"))?;
    let token = verified.into_token();
    if !token.claims().audiences.contains(&realm.audience) {
        return Err(Denied::RejectAudience.into());
    }
    Ok(OwnToken { token, session, mark: None })
}
