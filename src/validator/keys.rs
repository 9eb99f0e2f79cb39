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

/// Requests that arrive while a search is under way cannot wait for its answer (a promise belongs to its
/// request), so they search as well; a flood of made-up names is so many questions at once and no more.
const SEARCHES: usize = 8;

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
    /// When the searches under way began. One whose request was given up never ends, so those older than
    /// [`PAUSE`] do not count.
    searching: Vec<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Search {
    at: Timestamp,
    /// Whether the authority answered. Where it did not, the key may exist: that is our trouble.
    answered: bool,
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
        (Ok(keys), _) => {
            remember(ports, realm, &keys, now);
            Ok(keys)
        }
        (Err(_), Some(entry)) if now.since(entry.fetched_at) <= STALE => {
            change(ports, realm, |entry| entry.failed_at = Some(now));
            Ok(entry.keys)
        }
        (Err(fault), _) => Err(fault),
    }
}

/// Keeps what was fetched for a request at `now`, unless a later request has fetched meanwhile.
fn remember<P: Ports>(ports: &P, realm: &RealmName, keys: &JwkSet, now: Timestamp) {
    let mut cache = ports.isolate().keys.borrow_mut();
    let fresh = || Entry {
        keys: keys.clone(),
        fetched_at: now,
        failed_at: None,
        search: None,
        searching: Vec::new(),
    };
    let entry = cache.0.entry(realm.clone()).or_insert_with(fresh);
    if entry.fetched_at <= now {
        keys.clone_into(&mut entry.keys);
        entry.fetched_at = now;
        entry.failed_at = None;
    }
}

fn change<P: Ports>(ports: &P, realm: &RealmName, change: impl FnOnce(&mut Entry)) {
    if let Some(entry) = ports.isolate().keys.borrow_mut().0.get_mut(realm) {
        change(entry);
    }
}

/// The one key of a realm that a token's header means.
///
/// # Errors
/// As [`realm_keys`]; and where the authority was not asked, or did not answer, so that nobody can know. A key
/// that does not exist is `Ok(None)`.
pub(crate) async fn realm_key<P: Ports>(
    ports: &P,
    realm: &RealmName,
    id: Option<&KeyId>,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<Option<Jwk>, Fault> {
    const OP: &str = "search key";
    let keys = realm_keys(ports, realm, now).await?;
    if let Some(key) = keys.find(id, algorithm) {
        return Ok(Some(key.clone()));
    }
    // The copy may be older than the key: ask the authority, once per cool-down.
    {
        let mut cache = ports.isolate().keys.borrow_mut();
        let Some(entry) = cache.0.get_mut(realm) else {
            return Ok(None);
        };
        match entry.search {
            Some(search) if search.answered && now.since(search.at) <= COOL_DOWN => return Ok(None),
            Some(search) if !search.answered && now.since(search.at) <= PAUSE => {
                return Err(Fault::new(OP, "the authority did not answer a moment ago"));
            }
            _ => {}
        }
        entry.searching.retain(|began_at| now.since(*began_at) <= PAUSE);
        if entry.searching.len() >= SEARCHES {
            return Err(Fault::new(OP, "enough of them are under way"));
        }
        entry.searching.push(now);
    }
    let asked = ports.keyrings().authority(realm).await;
    change(ports, realm, |entry| {
        entry.search = Some(Search { at: now, answered: asked.is_ok() });
        if let Some(ours) = entry.searching.iter().position(|began_at| *began_at == now) {
            entry.searching.swap_remove(ours);
        }
    });
    let keys = asked?;
    remember(ports, realm, &keys, now);
    Ok(keys.find(id, algorithm).cloned())
}
