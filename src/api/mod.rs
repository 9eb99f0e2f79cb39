//! The management API. So far: taking a client in, and keys by hand ([`keys`]).
//!
//! `POST /{realm}/api/v1/clients`, a registration in the shape of RFC 7591 section 2, guarded by the secret
//! `TOLLGATE_BOOTSTRAP_TOKEN` ([`admit`]). The answer shows the client's secret; nothing can show it again.
//!
//! **Out of scope**: changing and deleting clients; who may do so besides the bootstrap token.

mod guard;
mod keys;

pub use guard::admit;
pub use keys::{KeysRequest, keys};

use serde::{Deserialize, Serialize};

use crate::config::{Config, Realm};
use crate::encoding::{Digest, base64url};
use crate::error::Fault;
use crate::http::{Answer, ErrorCode, Head, NO_CACHE, OauthError};
use crate::port::{Body, Clients, Ports, Principals, random};
use crate::principal::{self, Client, GrantType, Question, RegisterClient};
use crate::scope::ScopeSet;
use crate::secret::Credential;

/// The largest registration.
const MAX_REGISTRATION: usize = 16 * 1024;

/// Names are for people: long enough for any, short enough for a line.
const MAX_NAME: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    client_name: String,
    #[serde(default)]
    scope: String,
    #[serde(default = "Registration::grant_types")]
    grant_types: Vec<GrantType>,
}

impl Registration {
    fn grant_types() -> Vec<GrantType> {
        vec![GrantType::ClientCredentials]
    }
}

/// RFC 7591 section 3.2.1.
#[derive(Serialize)]
struct Registered<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    /// Zero: does not expire.
    client_secret_expires_at: u64,
    client_name: &'a str,
    grant_types: &'a [GrantType],
    scope: &'a ScopeSet,
}

/// Takes a client in. `bootstrap` is the digest of the token that guards this; without one nobody may.
///
/// # Errors
/// What is ours: the caller makes a 503 of it.
pub async fn register_client<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    bootstrap: Option<Digest>,
    head: &Head<'_>,
    body: &mut impl Body,
) -> Result<Answer, Fault> {
    if let Err(answer) = admit(ports, bootstrap, head, "clients") {
        return Ok(answer);
    }
    let Some(bytes) = body.read(MAX_REGISTRATION).await? else {
        return Ok(metadata_error("the registration is too large"));
    };
    match read(config, &bytes) {
        Ok((name, scopes, grants)) => register(ports, realm, name, scopes, grants).await,
        Err(description) => Ok(metadata_error(description)),
    }
}

fn metadata_error(description: &'static str) -> Answer {
    OauthError::new(ErrorCode::InvalidClientMetadata, description).answer()
}

fn read(config: &Config, bytes: &[u8]) -> Result<(String, ScopeSet, Vec<GrantType>), &'static str> {
    const SHAPE: &str = "send a JSON object with client_name, and if wanted scope and grant_types (client_credentials, refresh_token)";
    // Unknown members are refused and known ones may not be repeated: there is one reading.
    let registration: Registration = serde_json::from_slice(bytes).map_err(|_| SHAPE)?;
    let name = registration.client_name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err("client_name is 1 to 100 characters without control characters");
    }
    let scopes: ScopeSet = registration.scope.parse().map_err(|_| "separate scopes by one space")?;
    if !scopes.iter().all(|scope| config.scopes().knows(scope)) {
        return Err("scope holds a name that the configuration does not have");
    }
    let mut grants = registration.grant_types;
    grants.sort_unstable();
    grants.dedup();
    if !grants.contains(&GrantType::ClientCredentials) {
        return Err("grant_types must hold client_credentials: no other grant starts a session");
    }
    Ok((name.to_owned(), scopes, grants))
}

/// The principal first, then the copy, then the answer: a client whose secret was shown is usable, and what a
/// failure leaves behind is a principal that nothing names.
async fn register<P: Ports>(
    ports: &P,
    realm: &Realm,
    name: String,
    scopes: ScopeSet,
    grants: Vec<GrantType>,
) -> Result<Answer, Fault> {
    let id = base64url(&random::<16>(ports.entropy())?);
    let client = Client {
        client_id: id.parse().map_err(|_| Fault::new("name client", "16 random bytes make no client_id"))?,
        client_name: name,
        realm: realm.name.clone(),
        grant_types: grants,
        scope: scopes,
        locator: ports.principals().create()?,
    };
    let secret = Credential::client_secret(&random(ports.entropy())?);
    let question = RegisterClient { client: client.clone(), secret: secret.digest() };
    let answer = ports.principals().ask(client.locator, &Question::RegisterClient(question)).await?;
    if answer != principal::Answer::Registered {
        return Err(Fault::new("register client", "the principal answered another question"));
    }
    ports.clients().publish(&client).await?;
    let registered = Registered {
        client_id: client.client_id.as_str(),
        client_secret: secret.reveal(),
        client_secret_expires_at: 0,
        client_name: &client.client_name,
        grant_types: &client.grant_types,
        scope: &client.scope,
    };
    Ok(Answer::json(201, &registered)?.with(NO_CACHE.0, NO_CACHE.1))
}
