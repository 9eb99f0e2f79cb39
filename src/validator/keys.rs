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

/// How long nobody is asked after nobody answered, while what is remembered may still be used.
const PAUSE: Lifetime = Lifetime::from_seconds(5);

/// Key sets by realm. As large as the configuration.
#[derive(Debug, Default)]
pub struct KeyCache(BTreeMap<RealmName, Entry>);

#[derive(Clone, Debug)]
struct Entry {
    keys: JwkSet,
    fetched_at: Timestamp,
    /// When nobody answered, last: until [`PAUSE`] has passed nobody is asked again.
    failed_at: Option<Timestamp>,
    /// The last search for a `kid` that was not there.
    search: Option<Search>,
}

#[derive(Clone, Copy, Debug)]
struct Search {
    at: Timestamp,
    /// Whether the authority answered. Where it did not, the key may exist: that is our trouble.
    answered: bool,
}

impl Entry {
    const fn new(keys: JwkSet, fetched_at: Timestamp, search: Option<Search>) -> Self {
        Self { keys, fetched_at, failed_at: None, search }
    }
}

/// The key set of a realm: remembered, else published, else from the authority.
///
/// # Errors
/// Nobody answers and nothing young enough is remembered.
pub async fn realm_keys<P: Ports>(ports: &P, realm: &RealmName, now: Timestamp) -> Result<JwkSet, Fault> {
    let known = ports.isolate().keys.borrow().0.get(realm).cloned();
    if let Some(entry) = &known {
        let pauses =
            entry.failed_at.is_some_and(|at| now.since(at) < PAUSE) && now.since(entry.fetched_at) <= STALE;
        if pauses || now.since(entry.fetched_at) <= JWKS_FRESH {
            return Ok(entry.keys.clone());
        }
    }
    let asked = match ports.keyrings().published(realm).await {
        Ok(Some(keys)) => Ok(keys),
        Ok(None) | Err(_) => ports.keyrings().authority(realm).await,
    };
    match (asked, known) {
        (Ok(keys), known) => {
            remember(ports, realm, Entry::new(keys.clone(), now, known.and_then(|entry| entry.search)));
            Ok(keys)
        }
        (Err(_), Some(entry)) if now.since(entry.fetched_at) <= STALE => {
            let keys = entry.keys.clone();
            remember(ports, realm, Entry { failed_at: Some(now), ..entry });
            Ok(keys)
        }
        (Err(fault), _) => Err(fault),
    }
}

fn remember<P: Ports>(ports: &P, realm: &RealmName, entry: Entry) {
    ports.isolate().keys.borrow_mut().0.insert(realm.clone(), entry);
}

/// The one key of a realm that a token's header means.
///
/// # Errors
/// As [`realm_keys`]; and when the authority did not answer to a search, until the next one. A key that does
/// not exist is `Ok(None)`.
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
    let last = {
        let mut cache = ports.isolate().keys.borrow_mut();
        let Some(entry) = cache.0.get_mut(realm) else {
            return Ok(None);
        };
        let last = entry.search.filter(|search| now.since(search.at) <= COOL_DOWN);
        if last.is_none() {
            // Until it answers, others that look for a key cannot know either.
            entry.search = Some(Search { at: now, answered: false });
        }
        last
    };
    match last {
        Some(Search { answered: true, .. }) => Ok(None),
        Some(Search { answered: false, .. }) => {
            Err(Fault::new("search key", "the authority has not answered yet"))
        }
        None => {
            let keys = ports.keyrings().authority(realm).await?;
            let found = keys.find(id, algorithm).cloned();
            remember(ports, realm, Entry::new(keys, now, Some(Search { at: now, answered: true })));
            Ok(found)
        }
    }
}
