//! `GET /{realm}/jwks`: the public keys (RFC 7517 section 5).

use crate::config::{Config, Realm};
use crate::error::Fault;
use crate::http::Answer;
use crate::oauth::cors;
use crate::port::Ports;
use crate::time::Timestamp;
use crate::token::JwkSet;
use crate::validator::key_set;

/// Answers with the realm's key set. Caches may keep it as long as our own edges do: a new key
/// waits for both before it signs ([`crate::keyring::Policy::spread`]).
///
/// # Errors
/// The keys cannot be had.
pub async fn jwks<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    now: Timestamp,
) -> Result<Answer, Fault> {
    let keys = every_key(config, ports, realm, now).await?;
    let seconds = realm.keys.fresh.as_seconds();
    Ok(cors::for_everybody(Answer::json(200, &keys)?)
        .with("Content-Type", "application/jwk-set+json")
        .with("Cache-Control", format!("public, max-age={seconds}")))
}

/// Every key that anything of the realm is signed with: those of its own keyring, and of the one beside it. What checks access tokens goes
/// by the first alone.
pub(crate) async fn every_key<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    now: Timestamp,
) -> Result<JwkSet, Fault> {
    let own = config
        .trusted(realm.issuer.as_str())
        .ok_or_else(|| Fault::new("get keys", "the realm is not trusted"))?;
    let keys = key_set(ports, own, now).await?;
    let Some(beside) = config.beside(&realm.name) else { return Ok(keys) };
    let more = key_set(ports, beside, now).await?;
    Ok(keys.keys().chain(more.keys()).cloned().collect())
}
