//! The public keys of our own realms, as one isolate knows them.

use std::collections::BTreeMap;

use crate::error::Fault;
use crate::id::{KeyId, RealmName};
use crate::port::{Keyrings, Ports};
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, Jwk, JwkSet};

/// How long a key set is used without asking again. Also what `/jwks` tells caches.
pub const JWKS_FRESH: Lifetime = Lifetime::from_seconds(300);

/// How long it is used when asking fails: an hour of a store's outage does not refuse valid tokens.
const STALE: Lifetime = Lifetime::from_seconds(3600);

/// A `kid` that is not there makes us ask the authority, but no more often than this: a flood of made-up
/// names costs one question.
const COOL_DOWN: Lifetime = Lifetime::from_seconds(30);

/// Key sets by realm. As large as the configuration.
#[derive(Debug, Default)]
pub struct KeyCache(BTreeMap<RealmName, Entry>);

#[derive(Clone, Debug)]
struct Entry {
    keys: JwkSet,
    fetched_at: Timestamp,
    /// When the authority was last asked because of a `kid` that was not there.
    searched_at: Option<Timestamp>,
}

/// The key set of a realm: remembered, else published, else from the authority.
///
/// # Errors
/// Nobody answers and nothing young enough is remembered.
pub async fn realm_keys<P: Ports>(ports: &P, realm: &RealmName, now: Timestamp) -> Result<JwkSet, Fault> {
    let known = ports.isolate().keys.borrow().0.get(realm).cloned();
    if let Some(entry) = &known
        && now.since(entry.fetched_at) <= JWKS_FRESH
    {
        return Ok(entry.keys.clone());
    }
    let asked = match ports.keyrings().published(realm).await {
        Ok(Some(keys)) => Ok(keys),
        Ok(None) | Err(_) => ports.keyrings().authority(realm).await,
    };
    match (asked, known) {
        (Ok(keys), known) => {
            let entry = Entry {
                keys: keys.clone(),
                fetched_at: now,
                searched_at: known.and_then(|entry| entry.searched_at),
            };
            ports.isolate().keys.borrow_mut().0.insert(realm.clone(), entry);
            Ok(keys)
        }
        (Err(_), Some(entry)) if now.since(entry.fetched_at) <= STALE => Ok(entry.keys),
        (Err(fault), _) => Err(fault),
    }
}

/// The one key of a realm that a token's header means.
///
/// # Errors
/// As [`realm_keys`]. A key that does not exist is `Ok(None)`.
pub(crate) async fn realm_key<P: Ports>(
    ports: &P,
    realm: &RealmName,
    id: Option<&KeyId>,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<Option<Jwk>, Fault> {
    let keys = realm_keys(ports, realm, now).await?;
    if let Some(key) = keys.find(id, algorithm) {
        return Ok(Some(key.clone()));
    }
    // The copy may be older than the key: ask the authority, once per cool-down.
    let may_search = {
        let mut cache = ports.isolate().keys.borrow_mut();
        let entry = cache.0.get_mut(realm);
        entry.is_some_and(|entry| {
            let rested = entry.searched_at.is_none_or(|at| now.since(at) > COOL_DOWN);
            if rested {
                entry.searched_at = Some(now);
            }
            rested
        })
    };
    if !may_search {
        return Ok(None);
    }
    let keys = ports.keyrings().authority(realm).await?;
    let found = keys.find(id, algorithm).cloned();
    let entry = Entry { keys, fetched_at: now, searched_at: Some(now) };
    ports.isolate().keys.borrow_mut().0.insert(realm.clone(), entry);
    Ok(found)
}
