//! A realm's keys as a Durable Object: the one authority.
//!
//! # Atomicity
//!
//! Making a key awaits, and while it does another first request may be making one too. Both then run one
//! synchronous statement that inserts a key only where there is none; whoever comes second finds the first
//! one's key and its own is dropped, never having left this object. So a realm has exactly one key, however
//! many ask at once.
//!
//! The private part rests sealed under `TOLLGATE_KEK` and leaves the object only so.

use std::cell::Cell;

use serde::Deserialize;
use worker::{DurableObject, Env, Request, Response, Result, SqlStorage, State, durable_object};

use crate::edge::journal::ConsoleJournal;
use crate::edge::platform::{KV, now, worker_fault};
use crate::edge::{object, seal};
use crate::error::Fault;
use crate::id::RealmName;
use crate::port::{Entry, Journal};
use crate::principal::jwks_key;
use crate::token::{JwkSet, KeyringAnswer, KeyringQuestion, SealedKey};

/// `docs/storage.md` describes this; a change needs a migration.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS signing_key (
  kid TEXT PRIMARY KEY, key TEXT NOT NULL, created_at INTEGER NOT NULL, published INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
";

/// See the module.
#[durable_object(fetch)]
pub struct KeyringDo {
    state: State,
    env: Env,
    /// Whether this instance has seen that its table is there.
    has_tables: Cell<bool>,
}

impl std::fmt::Debug for KeyringDo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyringDo(..)")
    }
}

impl DurableObject for KeyringDo {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, has_tables: Cell::new(false) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let answer = match object::question::<KeyringQuestion>(&mut request).await {
            Ok(question) => self.answer(&question).await,
            Err(fault) => Err(fault),
        };
        object::answer(answer)
    }
}

#[derive(Deserialize)]
struct Row {
    key: String,
}

impl KeyringDo {
    async fn answer(&self, question: &KeyringQuestion) -> std::result::Result<KeyringAnswer, Fault> {
        let (KeyringQuestion::PublicKeys { realm } | KeyringQuestion::SigningKey { realm }) = question;
        let sql = self.sql()?;
        let key = self.key(realm, &sql).await?;
        self.publish(realm, &key, &sql).await?;
        Ok(match question {
            KeyringQuestion::PublicKeys { .. } => {
                KeyringAnswer::PublicKeys([key.public].into_iter().collect())
            }
            KeyringQuestion::SigningKey { .. } => KeyringAnswer::SigningKey(key),
        })
    }

    fn sql(&self) -> std::result::Result<SqlStorage, Fault> {
        let sql = self.state.storage().sql();
        if !self.has_tables.get() {
            sql.exec(TABLES, None).map_err(worker_fault("open tables"))?;
            self.has_tables.set(true);
        }
        Ok(sql)
    }

    /// The realm's key, made if there is none.
    async fn key(&self, realm: &RealmName, sql: &SqlStorage) -> std::result::Result<SealedKey, Fault> {
        if let Some(key) = stored(sql)? {
            return Ok(key);
        }
        let fresh = seal::generate(&self.env, realm).await?;
        insert_first(sql, &fresh)?;
        stored(sql)?.ok_or_else(|| Fault::new("make key", "it was not stored"))
    }

    /// Writes the public copy, once: whoever takes the mark writes. KV takes one write a second for a key, so 50
    /// first questions must not be 50 writes. A copy that is not there refuses nothing, because edges then ask
    /// here; so what fails is logged, given back, and tried again by the next question.
    async fn publish(
        &self,
        realm: &RealmName,
        key: &SealedKey,
        sql: &SqlStorage,
    ) -> std::result::Result<(), Fault> {
        const OP: &str = "publish keys";
        let taken: Vec<Taken> = sql
            .exec("UPDATE signing_key SET published = 1 WHERE published = 0 RETURNING kid", None)
            .and_then(|cursor| cursor.to_array())
            .map_err(worker_fault(OP))?;
        if taken.is_empty() {
            return Ok(());
        }
        if let Err(fault) = self.write_copy(realm, key).await {
            let (op, detail) = (Some(fault.op()), Some(fault.detail()));
            ConsoleJournal.record(&Entry {
                target: Some("keyring"),
                decision: "fault",
                op,
                detail,
                ..Entry::default()
            });
            sql.exec("UPDATE signing_key SET published = 0", None).map_err(worker_fault(OP))?;
        }
        Ok(())
    }

    async fn write_copy(&self, realm: &RealmName, key: &SealedKey) -> std::result::Result<(), Fault> {
        const OP: &str = "publish keys";
        let keys = [key.public.clone()].into_iter().collect::<JwkSet>();
        let text = serde_json::to_string(&keys).map_err(|e| Fault::new(OP, e.to_string()))?;
        let kv = self.env.kv(KV).map_err(worker_fault(OP))?;
        let put = kv.put(&jwks_key(realm), text).map_err(|e| Fault::new(OP, e.to_string()))?;
        put.execute().await.map_err(|e| Fault::new(OP, e.to_string()))
    }
}

/// The mark that was taken.
#[derive(Deserialize)]
struct Taken {
    #[serde(rename = "kid")]
    _kid: String,
}

fn stored(sql: &SqlStorage) -> std::result::Result<Option<SealedKey>, Fault> {
    const OP: &str = "read key";
    let rows: Vec<Row> = sql
        .exec("SELECT key FROM signing_key", None)
        .and_then(|cursor| cursor.to_array())
        .map_err(worker_fault(OP))?;
    let parse = |row: &Row| serde_json::from_str(&row.key).map_err(|e| Fault::new(OP, e.to_string()));
    rows.first().map(parse).transpose()
}

fn insert_first(sql: &SqlStorage, key: &SealedKey) -> std::result::Result<(), Fault> {
    const OP: &str = "store key";
    let text = serde_json::to_string(key).map_err(|e| Fault::new(OP, e.to_string()))?;
    let kid = key.id().ok_or_else(|| Fault::new(OP, "it has no name"))?;
    let created_at = i64::try_from(now().as_millis()).unwrap_or(i64::MAX);
    let statement = "INSERT INTO signing_key (kid, key, created_at) SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM signing_key)";
    sql.exec(statement, vec![kid.as_str().into(), text.into(), created_at.into()])
        .map(drop)
        .map_err(worker_fault(OP))
}
