//! One principal as a Durable Object.
//!
//! # Atomicity
//!
//! The question is read before anything else. From there on [`step`] runs without an await: the object's SQL is
//! synchronous, so no other event can come between what it reads and what it writes, and the platform commits
//! all writes of one event together before the answer leaves (output gate). Nothing is fetched in between.
//!
//! The alarm clears sessions whose absolute limit has passed, so nothing stays for ever.

use std::cell::Cell;

use serde::{Deserialize, Serialize};
use worker::wasm_bindgen::JsValue;
use worker::{
    DurableObject, Env, Request, Response, Result, SqlStorage, SqlStorageValue, State, durable_object, js_sys,
};

use crate::edge::object;
use crate::edge::platform::{now, worker_fault};
use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::ClientId;
use crate::principal::{Answer, Client, Question, Rows, step};
use crate::session::Session;
use crate::time::Timestamp;

/// `docs/storage.md` describes these; a change needs a migration.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS client (client_id TEXT PRIMARY KEY, record TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS client_secret (
  client_id TEXT NOT NULL, digest TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (client_id, digest)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
  local TEXT PRIMARY KEY, client_id TEXT NOT NULL, state TEXT NOT NULL, refresh TEXT, clear_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_clear_at ON session (clear_at);
";

/// See the module.
#[durable_object(alarm)]
pub struct PrincipalDo {
    state: State,
    /// Whether this instance has seen that its tables are there.
    has_tables: Cell<bool>,
}

impl std::fmt::Debug for PrincipalDo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrincipalDo(..)")
    }
}

impl DurableObject for PrincipalDo {
    fn new(state: State, _env: Env) -> Self {
        Self { state, has_tables: Cell::new(false) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let answer = match object::question::<Question>(&mut request).await {
            Ok(question) => self.answer(&question).await,
            Err(fault) => Err(fault),
        };
        object::answer(answer)
    }

    async fn alarm(&self) -> Result<Response> {
        let rows = self.rows().map_err(|fault| worker::Error::RustError(fault.to_string()))?;
        rows.sql.exec("DELETE FROM session WHERE clear_at <= ?", vec![integer(now())])?;
        self.set_alarm(&rows).await.map_err(|fault| worker::Error::RustError(fault.to_string()))?;
        Response::empty()
    }
}

impl PrincipalDo {
    fn rows(&self) -> std::result::Result<SqlRows, Fault> {
        let sql = self.state.storage().sql();
        if !self.has_tables.get() {
            sql.exec(TABLES, None).map_err(worker_fault("open tables"))?;
            self.has_tables.set(true);
        }
        Ok(SqlRows { sql })
    }

    async fn answer(&self, question: &Question) -> std::result::Result<Answer, Fault> {
        let rows = self.rows()?;
        let answer = step(&rows, question, now())?;
        if matches!(question, Question::OpenSession(_)) {
            self.set_alarm(&rows).await?;
        }
        Ok(answer)
    }

    /// Wakes the object when the first of its sessions is to be cleared.
    async fn set_alarm(&self, rows: &SqlRows) -> std::result::Result<(), Fault> {
        let fault = worker_fault("set alarm");
        if let Some(at) = rows.first_to_clear()? {
            let storage = self.state.storage();
            let later = storage.get_alarm().await.map_err(&fault)?.is_none_or(|set| set > at);
            if later {
                // An absolute instant: a plain number would count as a distance from now.
                let date = js_sys::Date::new(&JsValue::from_f64(float(at)));
                storage.set_alarm(worker::ScheduledTime::new(date)).await.map_err(&fault)?;
            }
        }
        Ok(())
    }
}

/// The rows of one principal in SQLite.
struct SqlRows {
    sql: SqlStorage,
}

impl SqlRows {
    fn first_to_clear(&self) -> std::result::Result<Option<i64>, Fault> {
        #[derive(Deserialize)]
        struct Row {
            clear_at: Option<f64>,
        }
        let rows: Vec<Row> =
            self.read("find alarm", "SELECT MIN(clear_at) AS clear_at FROM session", vec![])?;
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a date fit")]
        Ok(rows.first().and_then(|row| row.clear_at).map(|at| at as i64))
    }

    fn read<T: serde::de::DeserializeOwned>(
        &self,
        op: &'static str,
        query: &str,
        bindings: Vec<SqlStorageValue>,
    ) -> std::result::Result<Vec<T>, Fault> {
        self.sql.exec(query, bindings).and_then(|cursor| cursor.to_array()).map_err(worker_fault(op))
    }

    fn write(
        &self,
        op: &'static str,
        query: &str,
        bindings: Vec<SqlStorageValue>,
    ) -> std::result::Result<(), Fault> {
        self.sql.exec(query, bindings).map(drop).map_err(worker_fault(op))
    }
}

impl Rows for SqlRows {
    fn insert_client(
        &self,
        client: &Client,
        secret: &Digest,
        now: Timestamp,
    ) -> std::result::Result<(), Fault> {
        const OP: &str = "store client";
        let (id, record) = (client.client_id.as_str(), json(OP, client)?);
        self.write(
            OP,
            "INSERT INTO client (client_id, record, created_at) VALUES (?, ?, ?)",
            vec![id.into(), record.into(), integer(now)],
        )?;
        let bindings = vec![id.into(), secret.to_string().into(), integer(now)];
        self.write(OP, "INSERT INTO client_secret (client_id, digest, created_at) VALUES (?, ?, ?)", bindings)
    }

    fn secrets(&self, client: &ClientId) -> std::result::Result<Vec<Digest>, Fault> {
        #[derive(Deserialize)]
        struct Row {
            digest: Digest,
        }
        let rows: Vec<Row> = self.read(
            "read secrets",
            "SELECT digest FROM client_secret WHERE client_id = ?",
            vec![client.as_str().into()],
        )?;
        Ok(rows.into_iter().map(|row| row.digest).collect())
    }

    fn insert_session(
        &self,
        local: &str,
        client: &ClientId,
        session: &Session,
        refresh: Option<&Digest>,
        clear_at: Timestamp,
    ) -> std::result::Result<(), Fault> {
        let refresh = refresh.map(ToString::to_string);
        let bindings = vec![
            local.into(),
            client.as_str().into(),
            json("write session", session)?.into(),
            refresh.into(),
            integer(clear_at),
        ];
        self.write(
            "store session",
            "INSERT INTO session (local, client_id, state, refresh, clear_at) VALUES (?, ?, ?, ?, ?)",
            bindings,
        )
    }

    fn session(&self, local: &str) -> std::result::Result<Option<Session>, Fault> {
        #[derive(Deserialize)]
        struct Row {
            state: String,
        }
        let rows: Vec<Row> =
            self.read("read session", "SELECT state FROM session WHERE local = ?", vec![local.into()])?;
        let parse = |row: &Row| {
            serde_json::from_str(&row.state).map_err(|e| Fault::new("read session", e.to_string()))
        };
        rows.first().map(parse).transpose()
    }

    fn save_session(&self, local: &str, session: &Session) -> std::result::Result<(), Fault> {
        self.write(
            "save session",
            "UPDATE session SET state = ? WHERE local = ?",
            vec![json("write session", session)?.into(), local.into()],
        )
    }
}

fn json(op: &'static str, value: &impl Serialize) -> std::result::Result<String, Fault> {
    serde_json::to_string(value).map_err(|e| Fault::new(op, e.to_string()))
}

/// SQLite's integers have 64 bits; milliseconds of a date need 48.
fn integer(at: Timestamp) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(at.as_millis()).unwrap_or(i64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a date fit into 53 bits")]
const fn float(at: i64) -> f64 {
    at as f64
}
