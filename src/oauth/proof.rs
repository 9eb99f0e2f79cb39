//! Proofs of possession at a realm's own endpoints (RFC 9449 sections 5, 7.1, 8 and 10.1).

use crate::config::Realm;
use crate::dpop::{About, NONCE_HEADER, PROOF_HEADER, Proved};
use crate::error::{Denied, Error, Fault};
use crate::http::{Answer, ErrorCode, Head, OauthError};
use crate::oauth::Stop;
use crate::port::Ports;
use crate::time::Timestamp;
use crate::uri::RequestPath;
use crate::validator::{check_nonce, fresh_nonce, prove};

/// What a proof says that came with a request, with this access token if any; `None`: none came. Its nonce is checked, where the realm wants
/// one. Does **not** check whether it was used before.
///
/// # Errors
/// [`Denied::RejectProof`], [`Denied::LackNonce`]; a fault when the platform does not check.
pub(crate) async fn proof<P: Ports>(
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    token: Option<&str>,
    now: Timestamp,
) -> Result<Option<Proved>, Error> {
    let Some(text) = head.headers.get(PROOF_HEADER) else { return Ok(None) };
    let path: RequestPath = head.path.parse().map_err(|_| Denied::MalformPath)?;
    // Never the `Host` that a request came with.
    let origins = [realm.issuer.origin().to_owned()];
    let about = About { method: head.method, origins: &origins, path: &path, token };
    let proved = prove(ports, &text, &about, now).await?;
    check_nonce(ports, realm, &proved, now)?;
    Ok(Some(proved))
}

/// The same, at an endpoint that answers errors of RFC 6749.
///
/// # Errors
/// 400 `invalid_dpop_proof` or `use_dpop_nonce` (sections 5 and 8), or trouble of ours.
pub(crate) async fn proof_of_client<P: Ports>(
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    now: Timestamp,
) -> Result<Option<Proved>, Stop> {
    match proof(ports, realm, head, None, now).await {
        Ok(proved) => Ok(proved),
        Err(Error::Fault(fault)) => Err(fault.into()),
        Err(Error::Denied(denied)) => {
            let answer = match &denied {
                Denied::LackNonce(nonce) => {
                    OauthError::new(ErrorCode::UseDpopNonce, "make the proof with the nonce of DPoP-Nonce")
                        .answer()
                        .with(NONCE_HEADER, nonce.as_str())
                }
                _ => INVALID_PROOF.answer(),
            };
            Err(Stop::Answer(Box::new(answer.because(denied.code()))))
        }
    }
}

/// A proof that does not count.
pub(crate) const INVALID_PROOF: OauthError =
    OauthError::new(ErrorCode::InvalidDpopProof, "send one new proof of this request, by the right key");

/// The answer to a request with a proof tells the nonce that counts by now (section 8.2), where the realm wants one.
///
/// # Errors
/// The deployment has no secret.
pub(crate) fn with_nonce<P: Ports>(
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    answer: Answer,
    now: Timestamp,
) -> Result<Answer, Fault> {
    if head.headers.get(PROOF_HEADER).is_none() {
        return Ok(answer);
    }
    Ok(match fresh_nonce(ports, realm, now)? {
        Some(nonce) => answer.with(NONCE_HEADER, nonce),
        None => answer,
    })
}
