//! A keyring's rows in SQLite.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use worker::{SqlStorage, SqlStorageValue};

use crate::directory::Event;
use crate::edge::platform::worker_fault;
use crate::error::Fault;
use crate::id::KeyId;
use crate::keyring::{KeyState, Keyring, RingName, SealedKey};

/// `docs/storage.md` describes these; a change needs a migration. A key's row fits into one page of the database.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS realm_key (kid TEXT PRIMARY KEY, key TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS keyring (id INTEGER PRIMARY KEY CHECK (id = 1), realm TEXT NOT NULL, copy TEXT);
CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, value TEXT NOT NULL);
";

/// The one table that version 0.1.0 had: its key becomes the one that signs.
const MIGRATION: &str = "
INSERT INTO realm_key (kid, key, state)
  SELECT kid, key, json_object('state', 'active', 'since', created_at) FROM signing_key
  WHERE NOT EXISTS (SELECT 1 FROM realm_key);
DROP TABLE signing_key;
";

/// The rows of one keyring.
pub(super) struct KeyringRows {
    sql: SqlStorage,
}

impl KeyringRows {
    /// Opens the tables, and takes over what an older version left.
    pub(super) fn open(sql: SqlStorage) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Old {
            #[serde(rename = "name")]
            _name: String,
        }
        const OP: &str = "open tables";
        let rows = Self { sql };
        rows.write(OP, TABLES, vec![])?;
        let old: Vec<Old> = rows.read(
            OP,
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'signing_key'",
            vec![],
        )?;
        if !old.is_empty() {
            rows.write(OP, MIGRATION, vec![])?;
        }
        Ok(rows)
    }

    /// The tables are open.
    pub(super) const fn of(sql: SqlStorage) -> Self {
        Self { sql }
    }

    /// The keyring; `None` before the first key.
    pub(super) fn keyring(&self) -> Result<Option<Keyring>, Fault> {
        const OP: &str = "read key";
        #[derive(Deserialize)]
        struct Row {
            key: String,
            state: String,
        }
        let rows: Vec<Row> = self.read(OP, "SELECT key, state FROM realm_key", vec![])?;
        let entries: Vec<(SealedKey, KeyState)> = rows
            .iter()
            .map(|row| Ok((parse(OP, &row.key)?, parse(OP, &row.state)?)))
            .collect::<Result<_, Fault>>()?;
        Keyring::of(entries).map_err(|e| Fault::new(OP, e.to_string()))
    }

    /// Stores what a keyring has become. A key itself never changes, so only its state is written again.
    pub(super) fn save(&self, keyring: &Keyring) -> Result<(), Fault> {
        const OP: &str = "store key";
        const UPSERT: &str = "INSERT INTO realm_key (kid, key, state) VALUES (?, ?, ?)
          ON CONFLICT (kid) DO UPDATE SET state = excluded.state WHERE state <> excluded.state";
        for (key, state) in keyring.entries() {
            let (text, state) = (json(OP, key)?, json(OP, &state)?);
            self.write(OP, UPSERT, vec![key.id().as_str().into(), text.into(), state.into()])?;
        }
        let kept: Vec<&KeyId> = keyring.entries().map(|(key, _)| key.id()).collect();
        let delete = "DELETE FROM realm_key WHERE kid NOT IN (SELECT value FROM json_each(?))";
        self.write(OP, delete, vec![json(OP, &kept)?.into()])
    }

    /// Keeps what was done, until the directory knows it.
    pub(super) fn keep_event(&self, event: &Event) -> Result<(), Fault> {
        const OP: &str = "store event";
        let query = "INSERT OR REPLACE INTO event (id, value) VALUES (?, ?)";
        self.write(OP, query, vec![event.id.as_str().into(), json(OP, event)?.into()])
    }

    /// What the directory does not know yet.
    pub(super) fn events(&self) -> Result<Vec<Event>, Fault> {
        const OP: &str = "read event";
        #[derive(Deserialize)]
        struct Row {
            value: String,
        }
        let rows: Vec<Row> = self.read(OP, "SELECT value FROM event ORDER BY id", vec![])?;
        rows.iter().map(|row| parse(OP, &row.value)).collect()
    }

    /// The directory knows it.
    pub(super) fn drop_event(&self, event: &Event) -> Result<(), Fault> {
        self.write("store event", "DELETE FROM event WHERE id = ?", vec![event.id.as_str().into()])
    }

    /// Whose keyring it is, for the alarm, which nobody tells.
    pub(super) fn realm(&self) -> Result<Option<RingName>, Fault> {
        #[derive(Deserialize)]
        struct Row {
            realm: RingName,
        }
        let rows: Vec<Row> = self.read("read key", "SELECT realm FROM keyring", vec![])?;
        Ok(rows.into_iter().next().map(|row| row.realm))
    }

    /// Keeps whose keyring it is.
    pub(super) fn set_realm(&self, realm: &RingName) -> Result<(), Fault> {
        let insert = "INSERT OR IGNORE INTO keyring (id, realm) VALUES (1, ?)";
        self.write("store key", insert, vec![realm.to_string().into()])
    }

    /// The keys that the copy in KV is known to hold.
    pub(super) fn copy(&self) -> Result<Option<Vec<KeyId>>, Fault> {
        const OP: &str = "read key";
        #[derive(Deserialize)]
        struct Row {
            copy: Option<String>,
        }
        let rows: Vec<Row> = self.read(OP, "SELECT copy FROM keyring", vec![])?;
        rows.first().and_then(|row| row.copy.as_deref()).map(|copy| parse(OP, copy)).transpose()
    }

    /// Keeps what the copy holds; `None`: nobody knows.
    pub(super) fn set_copy(&self, copy: Option<&[KeyId]>) -> Result<(), Fault> {
        const OP: &str = "store key";
        let copy = copy.map(|copy| json(OP, &copy)).transpose()?;
        self.write(OP, "UPDATE keyring SET copy = ?", vec![copy.into()])
    }

    fn read<T: DeserializeOwned>(
        &self,
        op: &'static str,
        query: &str,
        bindings: Vec<SqlStorageValue>,
    ) -> Result<Vec<T>, Fault> {
        self.sql.exec(query, bindings).and_then(|cursor| cursor.to_array()).map_err(worker_fault(op))
    }

    fn write(&self, op: &'static str, query: &str, bindings: Vec<SqlStorageValue>) -> Result<(), Fault> {
        self.sql.exec(query, bindings).map(drop).map_err(worker_fault(op))
    }
}

fn parse<T: DeserializeOwned>(op: &'static str, text: &str) -> Result<T, Fault> {
    crate::json::read(text).map_err(|e| Fault::new(op, e.to_string()))
}

fn json(op: &'static str, value: &impl serde::Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|e| Fault::new(op, e.to_string()))
}
