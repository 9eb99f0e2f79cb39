//! `POST /{realm}/oauth/par` (RFC 9126): a client pushes an authorization request, and gets an address for it.
//!
//! 1. The client proves who it is, as at the token endpoint (section 2): a public client says so.
//! 2. The request is read as one that a browser brings ([`super::authorize`]); what is wrong with it is an error here (section 2.3).
//! 3. A proof of possession binds the code to its key, as `dpop_jkt` does; where both are there, they name one key (RFC 9449 section 10.1).
//! 4. 201 with `request_uri`, which the browser brings in place of the parameters, within `expires_in` seconds.
//!
//! Nothing is stored: the address is the request, sealed with a secret of the deployment. It is good for one code of one person, as
//! every transaction is.

use serde_json::json;

use crate::config::{Config, Realm};
use crate::error::{Error, Fault};
use crate::grant::{
    Astray, AuthorizationError, AuthorizationRequest, Destination, PUSHED_LIFETIME, Transaction,
};
use crate::http::{Answer, ErrorCode, Head, OauthError};
use crate::oauth::{Caller, INVALID_PROOF, Stop, caller, proof_of_client, targets, with_nonce};
use crate::people::visit::Visit;
use crate::port::{Body, Ports, Principals, random};
use crate::time::Timestamp;
use crate::validator::use_once;

/// Answers a pushed authorization request.
///
/// # Errors
/// An answer that is none of what was asked for, or trouble of ours.
pub async fn push<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let answer = Stop::settled(pushed(config, ports, realm, head, body, now).await)?;
    // RFC 9449 section 8.2: with whatever is answered.
    Ok(with_nonce(ports, realm, head, answer, now)?)
}

async fn pushed<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    let Caller { client, form, .. } = caller(ports, realm, head, body, now).await?;
    let proved = proof_of_client(ports, realm, head, now).await?;
    let destination = Destination::of(&form, &client).map_err(|astray| {
        let description = match astray {
            Astray::Missing => "redirect_uri is missing",
            Astray::Unregistered => "redirect_uri is not one that is registered",
        };
        OauthError::new(ErrorCode::InvalidRequest, description)
    })?;
    let mut request = AuthorizationRequest::read(&form, &client, destination).map_err(wrong)?;
    visit.scopes(&client, &request).map_err(wrong)?;
    targets(config, realm, request.resources.clone())?;
    if let Some(proved) = &proved {
        if request.key.is_some_and(|key| key != proved.key) {
            return Err(INVALID_PROOF.into());
        }
        match use_once(ports, ports.principals().place_of_key(&proved.key)?, proved.mark).await {
            Ok(()) => request.key = Some(proved.key),
            Err(Error::Denied(denied)) => {
                let answer = INVALID_PROOF.answer().because(denied.code());
                return Err(Stop::Answer(Box::new(answer)));
            }
            Err(Error::Fault(fault)) => return Err(fault.into()),
        }
    }
    let transaction = Transaction::begin(&random(ports.entropy())?, Some(request), now);
    let address = visit.push(&transaction)?;
    let body = json!({ "request_uri": address, "expires_in": PUSHED_LIFETIME.as_seconds() });
    Ok(Answer::json(201, &body)?)
}

/// RFC 9126 section 2.3: with the status of the token endpoint's errors.
fn wrong(error: AuthorizationError) -> Stop {
    let body = json!({ "error": error.code(), "error_description": error.description() });
    Answer::json(400, &body)
        .map_or_else(Stop::from, |answer| Stop::Answer(Box::new(answer.because(error.code()))))
}

impl<P: Ports> Visit<'_, P> {
    fn push(&self, transaction: &Transaction) -> Result<String, Fault> {
        let address = transaction.push(self.key(), &self.realm.name);
        address.ok_or_else(|| Fault::new("write page", "the transaction does not serialise"))
    }

    /// The request at an address that this client has got.
    pub(super) fn pushed(&self, address: &str) -> Option<Transaction> {
        Transaction::pushed(address, self.key(), &self.realm.name, self.now)
    }
}
