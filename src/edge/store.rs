//! Copies in KV, as edges read them: client records, where people are, which tokens are dead. Principals write them.

use serde::de::DeserializeOwned;
use worker::Env;
use worker::kv::KvStore;

use crate::edge::platform::{KV, worker_fault};
use crate::error::Fault;
use crate::id::{ClientId, Locator, RealmName, UserId};
use crate::port::{Clients, Cutoffs, Users};
use crate::principal::{self, Client, UserPlace, client_key, cutoff_key, user_key};

/// The namespace.
pub(super) struct KvCopies {
    env: Env,
}

impl KvCopies {
    pub(super) const fn new(env: Env) -> Self {
        Self { env }
    }

    fn kv(&self, op: &'static str) -> Result<KvStore, Fault> {
        self.env.kv(KV).map_err(worker_fault(op))
    }

    async fn read<T: DeserializeOwned>(&self, op: &'static str, key: &str) -> Result<Option<T>, Fault> {
        let text = self.kv(op)?.get(key).text().await.map_err(|e| Fault::new(op, e.to_string()))?;
        text.map(|text| crate::json::read(&text).map_err(|e| Fault::new(op, e.to_string()))).transpose()
    }
}

impl Clients for KvCopies {
    async fn find(&self, realm: &RealmName, client: &ClientId) -> Result<Option<Client>, Fault> {
        self.read("read client", &client_key(realm, client)).await
    }
}

impl Cutoffs for KvCopies {
    async fn find(&self, realm: &RealmName, locator: Locator) -> Result<principal::Cutoffs, Fault> {
        Ok(self.read("read cut-offs", &cutoff_key(realm, locator)).await?.unwrap_or_default())
    }
}

impl Users for KvCopies {
    async fn find(&self, realm: &RealmName, user: &UserId) -> Result<Option<UserPlace>, Fault> {
        self.read("read user", &user_key(realm, user)).await
    }
}
