//! The realms' keys, as the edge reaches them: public ones to verify and publish, private ones to sign.

use std::cell::RefCell;
use std::collections::BTreeMap;

use worker::Env;
use worker::web_sys::CryptoKey;

use crate::edge::platform::{KEYRING, KV, now, worker_fault};
use crate::edge::{object, seal};
use crate::encoding::base64url;
use crate::error::Fault;
use crate::id::{KeyId, RealmName};
use crate::port::{Keyrings, Signer};
use crate::principal::{jwks_key, keyring_name};
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, JwkSet, KeyringAnswer, KeyringQuestion};

/// How long an opened signing key stays in an isolate's memory.
const OPENED_FOR: Lifetime = Lifetime::from_seconds(300);

pub(super) struct ObjectKeyrings {
    env: Env,
}

impl ObjectKeyrings {
    pub(super) const fn new(env: Env) -> Self {
        Self { env }
    }
}

async fn ask(env: &Env, realm: &RealmName, question: &KeyringQuestion) -> Result<KeyringAnswer, Fault> {
    const OP: &str = "ask keyring";
    let namespace = env.durable_object(KEYRING).map_err(worker_fault(OP))?;
    let id = namespace.id_from_name(&keyring_name(realm)).map_err(worker_fault(OP))?;
    object::ask(OP, &id, question).await
}

impl Keyrings for ObjectKeyrings {
    async fn published(&self, realm: &RealmName) -> Result<Option<JwkSet>, Fault> {
        const OP: &str = "read keys";
        let kv = self.env.kv(KV).map_err(worker_fault(OP))?;
        let text = kv.get(&jwks_key(realm)).text().await.map_err(|e| Fault::new(OP, e.to_string()))?;
        text.map(|text| serde_json::from_str(&text).map_err(|e| Fault::new(OP, e.to_string()))).transpose()
    }

    async fn authority(&self, realm: &RealmName) -> Result<JwkSet, Fault> {
        match ask(&self.env, realm, &KeyringQuestion::PublicKeys { realm: realm.clone() }).await? {
            KeyringAnswer::PublicKeys(keys) => Ok(keys),
            KeyringAnswer::SigningKey(_) => Err(Fault::new("ask keyring", "it answered another question")),
        }
    }
}

/// A signing key that this isolate has opened.
#[derive(Clone)]
struct Opened {
    id: KeyId,
    algorithm: Algorithm,
    key: CryptoKey,
    since: Timestamp,
}

thread_local! {
    // Plain data and a key handle: no request owns them. As large as the configuration.
    static OPENED: RefCell<BTreeMap<RealmName, Opened>> = const { RefCell::new(BTreeMap::new()) };
}

/// Signs with the realm's key, which it gets sealed and opens with `TOLLGATE_KEK`.
pub(super) struct KeyringSigner {
    env: Env,
}

impl KeyringSigner {
    pub(super) const fn new(env: Env) -> Self {
        Self { env }
    }

    async fn key(&self, realm: &RealmName) -> Result<Opened, Fault> {
        let now = now();
        let known = OPENED.with(|opened| opened.borrow().get(realm).cloned());
        if let Some(known) = known.filter(|known| now.since(known.since) <= OPENED_FOR) {
            return Ok(known);
        }
        let KeyringAnswer::SigningKey(sealed) =
            ask(&self.env, realm, &KeyringQuestion::SigningKey { realm: realm.clone() }).await?
        else {
            return Err(Fault::new("ask keyring", "it answered another question"));
        };
        let opened = Opened {
            id: sealed.id().cloned().ok_or_else(|| Fault::new("open key", "it has no name"))?,
            algorithm: sealed
                .public
                .algorithm()
                .ok_or_else(|| Fault::new("open key", "it names no algorithm"))?,
            key: seal::open(&self.env, realm, &sealed).await?,
            since: now,
        };
        OPENED.with(|all| all.borrow_mut().insert(realm.clone(), opened.clone()));
        Ok(opened)
    }
}

impl Signer for KeyringSigner {
    async fn sign(
        &self,
        realm: &RealmName,
        write: &dyn Fn(Algorithm, &KeyId) -> Result<String, Fault>,
    ) -> Result<String, Fault> {
        let key = self.key(realm).await?;
        let input = write(key.algorithm, &key.id)?;
        let signature = seal::sign(&key.key, &input).await?;
        Ok(format!("{input}.{}", base64url(&signature)))
    }
}
