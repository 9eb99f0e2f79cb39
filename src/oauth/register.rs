//! Dynamic registration: `POST /{realm}/oauth/register` (RFC 7591), and `GET`, `PUT`, `DELETE` below it (RFC 7592).
//!
//! Both exist only where the realm has `registration`; else they are 404.
//!
//! 1. Where the realm asks for it, whoever registers has the initial access token (RFC 7591 section 3): else 401.
//! 2. What it asks for is among what the realm lets clients ask for: else 400 `invalid_client_metadata` or
//!    `invalid_redirect_uri`. It chooses neither its id nor its secret.
//! 3. The answer, 201, shows the secret and the registration access token, once.
//! 4. Management needs the registration access token of that very client: else 401, and the same for a client that is not there
//!    (RFC 7592 section 2).
//! 5. `PUT` replaces everything that a client may choose (section 2.2); roles, rights and the end of its time stay.
//! 6. `DELETE` ends its sessions in the same step (section 2.3). Answers 204.

use crate::config::{Config, Realm, Registration, RegistrationAccess};
use crate::encoding::{Digest, base64url};
use crate::error::{Denied, Fault};
use crate::http::{Answer, ErrorCode, Head, NO_CACHE, OauthError, bearer, challenge};
use crate::id::{ClientId, Locator};
use crate::oauth::Endpoint;
use crate::oauth::client::{Stop, admit, source};
use crate::oauth::client_information::Told;
use crate::oauth::registration::Metadata;
use crate::oauth::rights::Rights;
use crate::port::{Body, Clients, Limit, Ports, Principals, Vault, random};
use crate::principal::{self, ChangeClient, Client, Owner, Question, Refused, RegisterClient};
use crate::secret::{Credential, Kind};

/// The largest registration: names, addresses, a few keys.
pub(crate) const MAX_REGISTRATION: usize = 32 * 1024;

/// The secret that holds the initial access token, and how long it is at least: 32 characters of base64url are 192 bits.
const INITIAL: &str = "TOLLGATE_INITIAL_ACCESS_TOKEN";
const MIN_INITIAL: usize = 32;

/// What is done with a registration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Management {
    /// `DELETE`.
    Delete,
    /// `GET`.
    Read,
    /// `PUT`.
    Replace,
}

/// Takes a client in that registers itself.
///
/// # Errors
/// An answer that is none of what was asked for, or trouble of ours.
pub async fn register<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
) -> Result<Answer, Stop> {
    let registration = realm.registration.as_ref().ok_or_else(not_here)?;
    admit(ports, Limit::Token, &source(head)).await?;
    // (1)
    if registration.access == RegistrationAccess::InitialAccessToken {
        let given = Digest::of(token(head)?.as_bytes());
        let wanted = ports.vault().secret(INITIAL).filter(|secret| secret.reveal().len() >= MIN_INITIAL);
        if wanted.map(|secret| Digest::of(secret.reveal())) != Some(given) {
            return Err(invalid_token());
        }
    }
    // (2)
    let metadata = read(body).await?;
    let locator = ports.principals().create()?;
    let place = (new_id(ports)?, realm.name.clone(), locator);
    let client = metadata.client(place, config, rights(registration)).map_err(OauthError::from)?;
    // (3)
    let access = Credential::registration(&random(ports.entropy())?);
    let secret = take_in(ports, &client, Some(access.digest())).await?;
    let told = Told {
        client_secret: secret.as_ref().map(Credential::reveal),
        registration_access_token: Some(access.reveal()),
        registration_client_uri: Some(address(realm, &client.client_id)),
        ..Told::of(&client)
    };
    Ok(Answer::json(201, &told)?.with(NO_CACHE.0, NO_CACHE.1))
}

fn not_here() -> Stop {
    Stop::Answer(Box::new(challenge(&Denied::NoRoute, None)))
}

fn invalid_token() -> Stop {
    OauthError::new(ErrorCode::InvalidToken, "send the access token of this endpoint as bearer token").into()
}

/// The bearer token of a request.
fn token(head: &Head<'_>) -> Result<String, Stop> {
    let authorization = head.headers.get("authorization");
    let token = bearer(authorization.as_deref())
        .map_err(|denied| Stop::Answer(Box::new(challenge(&denied, None))))?;
    Ok(token.to_owned())
}

fn rights(registration: &Registration) -> Rights<'_> {
    Rights::These { grant_types: &registration.grant_types, scopes: &registration.scopes }
}

fn address(realm: &Realm, client: &ClientId) -> String {
    format!("{}{}/{client}", realm.issuer, Endpoint::Register.path())
}

/// A document of a registration.
pub(crate) async fn read(body: &mut impl Body) -> Result<Metadata, Stop> {
    let bytes = body
        .read(MAX_REGISTRATION)
        .await?
        .ok_or(OauthError::new(ErrorCode::InvalidClientMetadata, "the registration is too large"))?;
    Ok(Metadata::read(&bytes).map_err(OauthError::from)?)
}

pub(crate) fn new_id<P: Ports>(ports: &P) -> Result<ClientId, Fault> {
    let id = base64url(&random::<16>(ports.entropy())?);
    id.parse().map_err(|_| Fault::new("name client", "16 random bytes make no client_id"))
}

/// Its principal takes it in, and has it copied to every edge.
pub(crate) async fn take_in<P: Ports>(
    ports: &P,
    client: &Client,
    registration: Option<Digest>,
) -> Result<Option<Credential>, Stop> {
    let has_secret = client.token_endpoint_auth_method.has_secret();
    let secret = if has_secret { Some(Credential::client_secret(&random(ports.entropy())?)) } else { None };
    let digest = secret.as_ref().map(Credential::digest);
    let question = RegisterClient { registration, ..RegisterClient::of(client.clone(), digest) };
    match ports.principals().ask(client.locator, &Question::RegisterClient(Box::new(question))).await? {
        principal::Answer::Registered(..) => Ok(secret),
        principal::Answer::Refused(refused) => Err(refused.into()),
        _ => Err(principal::Answer::unexpected("register client").into()),
    }
}

/// Reads, replaces or deletes a client by its registration access token.
///
/// # Errors
/// An answer that is none of what was asked for, or trouble of ours.
pub async fn manage<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    what: Management,
    client: &str,
    head: &Head<'_>,
    body: &mut impl Body,
) -> Result<Answer, Stop> {
    let registration = realm.registration.as_ref().ok_or_else(not_here)?;
    admit(ports, Limit::Token, &source(head)).await?;
    // (4)
    let access = Credential::parse(Kind::Registration, &token(head)?).map_err(|_| invalid_token())?;
    let client_id: ClientId = client.parse().map_err(|_| invalid_token())?;
    let known = ports.clients().find(&realm.name, &client_id).await?.ok_or_else(invalid_token)?;
    let owner = Owner { client_id: client_id.clone(), registration: Some(access.digest()) };
    // Whoever has the token is found out before the body is looked at.
    let now_is = match ports.principals().ask(known.locator, &Question::OwnClient(owner.clone())).await? {
        principal::Answer::Client(client) => *client,
        principal::Answer::Refused(_) => return Err(invalid_token()),
        _ => return Err(principal::Answer::unexpected("read client").into()),
    };
    let client = match what {
        Management::Read => now_is,
        Management::Delete => {
            delete(ports, &now_is, owner).await?;
            return Ok(Answer::empty(204));
        }
        // (5)
        Management::Replace => {
            let metadata = read(body).await?;
            if !metadata.is_about(&now_is) || metadata.chooses_secret() {
                let description =
                    "send the client's own client_id, and no client_secret: it is changed nowhere";
                return Err(OauthError::new(ErrorCode::InvalidClientMetadata, description).into());
            }
            let place = (client_id, realm.name.clone(), known.locator);
            let next = metadata.client(place, config, rights(registration)).map_err(OauthError::from)?;
            if next.token_endpoint_auth_method.has_secret() != now_is.token_endpoint_auth_method.has_secret()
            {
                let description = "a client keeps its kind of authentication; register another one";
                return Err(OauthError::new(ErrorCode::InvalidClientMetadata, description).into());
            }
            change(ports, known.locator, ChangeClient::of(owner, next)).await?
        }
    };
    // RFC 7592 section 3: the token stays the same.
    let told = Told {
        registration_access_token: Some(access.reveal()),
        registration_client_uri: Some(address(realm, &client.client_id)),
        ..Told::of(&client)
    };
    Ok(Answer::json(200, &told)?.with(NO_CACHE.0, NO_CACHE.1))
}

/// Changes a client.
pub(crate) async fn change<P: Ports>(
    ports: &P,
    locator: Locator,
    change: ChangeClient,
) -> Result<Client, Stop> {
    let answer = ports.principals().ask(locator, &Question::ChangeClient(Box::new(change))).await?;
    let client = match answer {
        principal::Answer::Client(client) => *client,
        principal::Answer::Refused(Refused::NotFound | Refused::NotYours) => return Err(invalid_token()),
        principal::Answer::Refused(refused) => return Err(refused.into()),
        _ => return Err(principal::Answer::unexpected("change client").into()),
    };
    // A request that came meanwhile has remembered the old copy.
    forget(ports, &client);
    Ok(client)
}

/// (6): deletes a client.
pub(crate) async fn delete<P: Ports>(ports: &P, client: &Client, owner: Owner) -> Result<(), Stop> {
    match ports.principals().ask(client.locator, &Question::DeleteClient(owner)).await? {
        principal::Answer::Done | principal::Answer::Refused(Refused::NotFound) => {}
        principal::Answer::Refused(refused) => return Err(refused.into()),
        _ => return Err(principal::Answer::unexpected("delete client").into()),
    }
    forget(ports, client);
    Ok(())
}

/// What this isolate remembers of a client is no longer so.
pub(crate) fn forget<P: Ports>(ports: &P, client: &Client) {
    ports.isolate().clients.borrow_mut().forget(client);
    ports.isolate().standing.borrow_mut().forget(&client.client_id);
}
