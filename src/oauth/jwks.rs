//! `GET /{realm}/jwks`: the public keys (RFC 7517 section 5).

use crate::config::Realm;
use crate::error::Fault;
use crate::http::Answer;
use crate::port::Ports;
use crate::time::Timestamp;
use crate::validator::{JWKS_FRESH, realm_keys};

/// Answers with the realm's key set. Caches may keep it as long as our own edges do.
///
/// # Errors
/// The keys cannot be had.
pub async fn jwks<P: Ports>(ports: &P, realm: &Realm, now: Timestamp) -> Result<Answer, Fault> {
    let keys = realm_keys(ports, &realm.name, now).await?;
    let seconds = JWKS_FRESH.as_seconds();
    Ok(Answer::json(200, &keys)?
        .with("Content-Type", "application/jwk-set+json")
        .with("Cache-Control", format!("public, max-age={seconds}")))
}
