//! The realms' keys, as the edge reaches them: public ones to verify and publish, private ones to sign.

use std::cell::RefCell;
use std::rc::Rc;

use litemap::LiteMap;
use worker::Env;

use crate::edge::object;
use crate::edge::platform::{KEYRING, KV, now, worker_fault};
use crate::edge::signing::{self, SigningKey};
use crate::encoding::base64url;
use crate::error::Fault;
use crate::id::KeyId;
use crate::keyring::{KeyringAnswer, KeyringQuestion, RingName};
use crate::port::{Keyrings, Signer};
use crate::principal::{jwks_key, keyring_name};
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, JwkSet};

pub(super) struct ObjectKeyrings {
    env: Env,
}

impl ObjectKeyrings {
    pub(super) const fn new(env: Env) -> Self {
        Self { env }
    }
}

async fn ask(env: &Env, question: &KeyringQuestion) -> Result<KeyringAnswer, Fault> {
    const OP: &str = "ask keyring";
    let namespace = env.durable_object(KEYRING).map_err(worker_fault(OP))?;
    let id = namespace.id_from_name(&keyring_name(question.realm())).map_err(worker_fault(OP))?;
    object::ask(OP, &id, question).await
}

impl Keyrings for ObjectKeyrings {
    async fn published(&self, realm: &RingName) -> Result<Option<JwkSet>, Fault> {
        const OP: &str = "read keys";
        let kv = self.env.kv(KV).map_err(worker_fault(OP))?;
        let text = kv.get(&jwks_key(realm)).text().await.map_err(|e| Fault::new(OP, e.to_string()))?;
        text.map(|text| crate::json::read(&text).map_err(|e| Fault::new(OP, e.to_string()))).transpose()
    }

    async fn authority(&self, realm: &RingName) -> Result<JwkSet, Fault> {
        match ask(&self.env, &KeyringQuestion::PublicKeys { realm: realm.clone() }).await? {
            KeyringAnswer::PublicKeys(keys) => Ok(keys),
            _ => Err(Fault::new("ask keyring", "it answered another question")),
        }
    }

    async fn ask(&self, question: &KeyringQuestion) -> Result<KeyringAnswer, Fault> {
        ask(&self.env, question).await
    }
}

/// A signing key that this isolate has opened.
#[derive(Clone)]
struct Opened {
    id: KeyId,
    algorithm: Algorithm,
    key: Rc<SigningKey>,
    since: Timestamp,
    keep_for: Lifetime,
}

impl Opened {
    fn counts(&self, now: Timestamp) -> bool {
        now.since(self.since) <= self.keep_for
    }
}

thread_local! {
    // Plain data and a key handle: no request owns them. As large as the configuration.
    static OPENED: RefCell<LiteMap<RingName, Opened>> = const { RefCell::new(LiteMap::new()) };
}

/// Signs with the realm's key, which it gets sealed and opens with `TOLLGATE_KEK`.
pub(super) struct KeyringSigner {
    env: Env,
}

impl KeyringSigner {
    pub(super) const fn new(env: Env) -> Self {
        Self { env }
    }

    /// The opened key, for as long as the keyring has said that it may sign. What has been open for longer is forgotten,
    /// whichever realm's it is.
    async fn key(&self, realm: &RingName) -> Result<Opened, Fault> {
        let now = now();
        let known = OPENED.with_borrow_mut(|opened| {
            opened.retain(|_, opened| opened.counts(now));
            opened.get(realm).cloned()
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let KeyringAnswer::SigningKey { key: sealed, keep_for } =
            ask(&self.env, &KeyringQuestion::SigningKey { realm: realm.clone() }).await?
        else {
            return Err(Fault::new("ask keyring", "it answered another question"));
        };
        let opened = Opened {
            id: sealed.id().clone(),
            algorithm: sealed.algorithm(),
            key: Rc::new(signing::open(&self.env, realm, &sealed).await?),
            // The time before the question: the keyring may have answered at once.
            since: now,
            keep_for,
        };
        OPENED.with_borrow_mut(|all| all.insert(realm.clone(), opened.clone()));
        Ok(opened)
    }
}

impl Signer for KeyringSigner {
    async fn sign(
        &self,
        realm: &RingName,
        write: &dyn Fn(Algorithm, &KeyId) -> Result<String, Fault>,
    ) -> Result<String, Fault> {
        let key = self.key(realm).await?;
        let input = write(key.algorithm, &key.id)?;
        let signature = signing::sign(&key.key, &input).await?;
        Ok(format!("{input}.{}", base64url(&signature)))
    }
}
