//! Client records in KV.

use worker::Env;

use crate::edge::platform::{KV, worker_fault};
use crate::error::Fault;
use crate::id::{ClientId, RealmName};
use crate::port::Clients;
use crate::principal::{Client, client_key};

pub(super) struct KvClients {
    env: Env,
}

impl KvClients {
    pub(super) const fn new(env: Env) -> Self {
        Self { env }
    }
}

impl Clients for KvClients {
    async fn find(&self, realm: &RealmName, client: &ClientId) -> Result<Option<Client>, Fault> {
        const OP: &str = "read client";
        let kv = self.env.kv(KV).map_err(worker_fault(OP))?;
        let text =
            kv.get(&client_key(realm, client)).text().await.map_err(|e| Fault::new(OP, e.to_string()))?;
        text.map(|text| serde_json::from_str(&text).map_err(|e| Fault::new(OP, e.to_string()))).transpose()
    }

    async fn publish(&self, client: &Client) -> Result<(), Fault> {
        const OP: &str = "publish client";
        let kv = self.env.kv(KV).map_err(worker_fault(OP))?;
        let text = serde_json::to_string(client).map_err(|e| Fault::new(OP, e.to_string()))?;
        let put = kv
            .put(&client_key(&client.realm, &client.client_id), text)
            .map_err(|e| Fault::new(OP, e.to_string()))?;
        put.execute().await.map_err(|e| Fault::new(OP, e.to_string()))
    }
}
