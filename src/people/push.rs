//! `POST /{realm}/oauth/par` (RFC 9126): a client pushes an authorization request, and gets an address for it.
//!
//! 1. The client proves who it is, as at the token endpoint (section 2): a public client says so.
//! 2. The request is read as one that a browser brings ([`super::authorize`]); what is wrong with it is an error here (section 2.3).
//! 3. 201 with `request_uri`, which the browser brings in place of the parameters, within `expires_in` seconds.
//!
//! Nothing is stored: the address is the request, sealed with a secret of the deployment. It is good for one code of one person, as
//! every transaction is.

use serde_json::json;

use crate::config::{Config, Realm};
use crate::error::Fault;
use crate::grant::{
    Astray, AuthorizationError, AuthorizationRequest, Destination, PUSHED_LIFETIME, Transaction,
};
use crate::http::{Answer, ErrorCode, Head, OauthError};
use crate::oauth::{Caller, Stop, caller, targets};
use crate::people::visit::Visit;
use crate::port::{Body, Ports, random};
use crate::time::Timestamp;

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
    let visit = Visit::new(config, ports, realm, head, now)?;
    let Caller { client, form, .. } = caller(ports, realm, head, body, now).await?;
    let destination = Destination::of(&form, &client).map_err(|astray| {
        let description = match astray {
            Astray::Missing => "redirect_uri is missing",
            Astray::Unregistered => "redirect_uri is not one that is registered",
        };
        OauthError::new(ErrorCode::InvalidRequest, description)
    })?;
    let request = AuthorizationRequest::read(&form, &client, destination).map_err(wrong)?;
    visit.scopes(&client, &request).map_err(wrong)?;
    targets(config, realm, request.resources.clone())?;
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
