//! `POST /{realm}/oauth/revoke` (RFC 7009).
//!
//! 1. to 5. Who asks is found out as at every endpoint ([`super::client`]); a public client says who it is (section 2.1).
//! 6. The token's session ends, and with it every token of its family, access tokens too (section 2.1). Edges hear it within
//!    two grains, or with the cut-off.
//! 7. A token of another client is refused: 400 `unauthorized_client`.
//! 8. A token that is unknown, expired, malformed or revoked already is 200: it is as good as revoked (section 2.2). Trouble of
//!    ours is 503, never 200 (CVE-2020-15223).

use crate::config::{Config, Realm};
use crate::http::{Answer, Head};
use crate::id::ClientId;
use crate::oauth::client::Stop;
use crate::oauth::cors;
use crate::oauth::introspect::{Caller, caller, genuine, parse, token_of};
use crate::port::{Body, Ports, Principals};
use crate::principal::{self, Question, Refused, Token};
use crate::time::Timestamp;

/// Revokes a token.
///
/// # Errors
/// An answer that is none of what was asked for, or trouble of ours.
pub async fn revoke<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let mut who = None;
    let answer = Stop::settled(answered(config, ports, realm, head, body, (now, &mut who)).await)?;
    Ok(cors::for_client(ports, &realm.name, head, who, answer, now).await?)
}

async fn answered<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    (now, who): (Timestamp, &mut Option<ClientId>),
) -> Result<Answer, Stop> {
    let Caller { client, form, .. } = caller(ports, realm, head, body, now).await?;
    *who = Some(client.client_id.clone());
    end(config, ports, realm, client.client_id, token_of(&form)?, now).await
}

/// (6) to (8): ends the session of a token of this client.
///
/// # Errors
/// As [`revoke`].
pub(crate) async fn end<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    client_id: ClientId,
    text: &str,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let found = match parse(text) {
        Some((token, locator)) => Some((token, locator)),
        None => genuine(config, ports, realm, text, now)
            .await?
            .map(|(_, session)| (Token::Access(session.local()), session.locator())),
    };
    let Some((token, locator)) = found else { return Ok(Answer::empty(200)) };
    let question = Question::Revoke { client_id, token };
    match ports.principals().ask(locator, &question).await? {
        principal::Answer::Done | principal::Answer::Refused(Refused::NotFound) => Ok(Answer::empty(200)),
        principal::Answer::Refused(refused @ Refused::NotYours) => Err(refused.into()),
        _ => Err(principal::Answer::unexpected("revoke").into()),
    }
}
