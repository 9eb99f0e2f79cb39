//! Clients, for whoever manages all of them: `/{realm}/api/v1/clients`, guarded by the bootstrap token.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /clients` | 201: a client in the shape of RFC 7591 section 3.2.1, with its secret, which nothing can show again |
//! | `GET /clients/{id}` | 200: the client, the dates of its secrets, its live sessions, which routes it called how often |
//! | `PUT /clients/{id}` | 200: everything that is sent replaces what was; other roles end its sessions |
//! | `DELETE /clients/{id}` | 204: its sessions end in the same step |
//! | `POST /clients/{id}/secret` | 200: another secret, once. `overlap_seconds`, 0 to 30 days: how long the old one still counts; 0 ends its sessions |
//!
//! A client that is not there is 404. What cannot be accepted is 400 `invalid_client_metadata` or `invalid_redirect_uri`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::{Config, Realm};
use crate::encoding::Digest;
use crate::error::Fault;
use crate::http::{Answer, ErrorCode, Head, NO_CACHE, OauthError};
use crate::id::ClientId;
use crate::oauth::{MAX_REGISTRATION, Metadata, Rights, Stop, Told, change, delete, new_id, take_in};
use crate::port::{Body, Clients, Ports, Principals, random};
use crate::principal::{self, ChangeClient, Client, ClientView, NewSecret, Owner, Question, Refused};
use crate::secret::Credential;
use crate::time::{Lifetime, Timestamp};

use super::guard::admit;
use super::not_found;

/// A month: longer is no overlap any more, but two secrets.
const MAX_OVERLAP: u64 = 30 * 86_400;

/// What is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientAction {
    /// `PUT`.
    Change,
    /// `POST`.
    Create,
    /// `DELETE`.
    Delete,
    /// `POST …/secret`.
    NewSecret,
    /// `GET`.
    Read,
}

/// Does it. `bootstrap` is the digest of the token that guards this; without one nobody may.
///
/// # Errors
/// An answer that is none of what was asked for, or trouble of ours.
pub async fn clients<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    (action, id): (ClientAction, &str),
    bootstrap: Option<Digest>,
    head: &Head<'_>,
    body: &mut impl Body,
) -> Result<Answer, Stop> {
    if let Err(answer) = admit(ports, bootstrap, head, "clients") {
        return Ok(answer);
    }
    done(config, ports, realm, action, id, body).await
}

async fn done<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    action: ClientAction,
    id: &str,
    body: &mut impl Body,
) -> Result<Answer, Stop> {
    if action == ClientAction::Create {
        let locator = ports.principals().create()?;
        let place = (new_id(ports)?, realm.name.clone(), locator);
        let metadata = read(body, None).await?;
        let client = metadata.client(place, config, Rights::All).map_err(OauthError::from)?;
        let secret = take_in(ports, &client, None).await?;
        return Ok(told(201, &client, secret.as_ref())?);
    }
    let client_id: ClientId = id.parse().map_err(|_| not_found())?;
    let known = ports.clients().find(&realm.name, &client_id).await?.ok_or_else(not_found)?;
    let owner = Owner { client_id: client_id.clone(), registration: None };
    match action {
        ClientAction::Create | ClientAction::Change => {
            let place = (client_id, realm.name.clone(), known.locator);
            let metadata = read(body, Some(&known)).await?;
            let next = metadata.client(place, config, Rights::All).map_err(OauthError::from)?;
            let client = change(ports, known.locator, ChangeClient { owner, client: next }).await?;
            Ok(told(200, &client, None)?)
        }
        ClientAction::Delete => {
            delete(ports, &known, owner).await?;
            Ok(Answer::empty(204))
        }
        ClientAction::NewSecret => {
            let overlap = overlap(body).await?;
            let secret = Credential::client_secret(&random(ports.entropy())?);
            let new = NewSecret { owner, secret: secret.digest(), overlap };
            match ports.principals().ask(known.locator, &Question::NewSecret(new)).await? {
                principal::Answer::Client(client) => Ok(told(200, &client, Some(&secret))?),
                principal::Answer::Refused(Refused::NotFound) => Err(not_found()),
                _ => Err(principal::Answer::unexpected("new secret").into()),
            }
        }
        ClientAction::Read => {
            match ports.principals().ask(known.locator, &Question::ReadClient(owner)).await? {
                principal::Answer::ClientView(view) => Ok(Answer::json(200, &Seen::of(&view))?),
                principal::Answer::Refused(_) => Err(not_found()),
                _ => Err(principal::Answer::unexpected("read client").into()),
            }
        }
    }
}

/// A document about `known`, or about a client to be.
async fn read(body: &mut impl Body, known: Option<&Client>) -> Result<Metadata, Stop> {
    let bytes = body
        .read(MAX_REGISTRATION)
        .await?
        .ok_or(OauthError::new(ErrorCode::InvalidClientMetadata, "the registration is too large"))?;
    let metadata = Metadata::read_exactly(&bytes).map_err(OauthError::from)?;
    let is_other = metadata.is_named() && !known.is_some_and(|known| metadata.is_about(known));
    if is_other || metadata.chooses_secret() {
        let description = "client_id and client_secret are given, not chosen; remove them";
        return Err(OauthError::new(ErrorCode::InvalidClientMetadata, description).into());
    }
    Ok(metadata)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretWanted {
    #[serde(default)]
    overlap_seconds: u64,
}

async fn overlap(body: &mut impl Body) -> Result<Lifetime, Stop> {
    const BAD: OauthError = OauthError::new(
        ErrorCode::InvalidRequest,
        "send a JSON object with overlap_seconds, from 0 to 2592000, or nothing",
    );
    let bytes = body.read(1024).await?.ok_or(BAD)?;
    if bytes.is_empty() {
        return Ok(Lifetime::ZERO);
    }
    let wanted: SecretWanted = serde_json::from_slice(&bytes).map_err(|_| BAD)?;
    if wanted.overlap_seconds > MAX_OVERLAP {
        return Err(BAD.into());
    }
    Ok(Lifetime::from_seconds(wanted.overlap_seconds))
}

fn told(status: u16, client: &Client, secret: Option<&Credential>) -> Result<Answer, Fault> {
    let told = Told { client_secret: secret.map(Credential::reveal), ..Told::of(client) };
    Ok(Answer::json(status, &told)?.with(NO_CACHE.0, NO_CACHE.1))
}

/// A client, as whoever manages it sees it. Instants are in seconds.
#[derive(Serialize)]
struct Seen<'a> {
    #[serde(flatten)]
    client: Told<'a>,
    created_at: u64,
    secrets: Vec<SeenSecret>,
    live_sessions: usize,
    usage: BTreeMap<&'a str, SeenUsage>,
}

#[derive(Serialize)]
struct SeenSecret {
    #[serde(rename = "created_at")]
    created: u64,
    #[serde(rename = "expires_at", skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    #[serde(rename = "last_used_at", skip_serializing_if = "Option::is_none")]
    last_used: Option<u64>,
}

#[derive(Serialize)]
struct SeenUsage {
    count: u64,
    first_at: u64,
    last_at: u64,
}

impl<'a> Seen<'a> {
    fn of(view: &'a ClientView) -> Self {
        let secrets = view.secrets.iter().map(|secret| SeenSecret {
            created: secret.created_at.as_seconds(),
            expires: secret.expires_at.map(Timestamp::as_seconds),
            last_used: secret.last_used.map(Timestamp::as_seconds),
        });
        let usage = view.usage.iter().map(|(route, usage)| {
            let (first_at, last_at) = (usage.first.as_seconds(), usage.last.as_seconds());
            (route.as_str(), SeenUsage { count: usage.count, first_at, last_at })
        });
        Self {
            client: Told::of(&view.client),
            created_at: view.created_at.as_seconds(),
            secrets: secrets.collect(),
            live_sessions: view.live_sessions,
            usage: usage.collect(),
        }
    }
}
