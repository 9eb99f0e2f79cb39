//! One principal as a Durable Object.
//!
//! # Atomicity
//!
//! The question is text. [`step`] runs without an await: the object's SQL is
//! synchronous, so no other event can come between what it reads and what it writes, and the platform commits
//! all writes of one event together before the answer leaves (output gate). Nothing is fetched in between. A passkey's signature is verified before the step,
//! which believes that of the key that it finds, not of the one that was found before ([`unverified`]).
//!
//! Cut-offs and copies of records go to KV, and entries and events to the directory, after the step and before its answer leaves: one at a
//! time, because an older one that lands late would undo a newer one. The alarm is set before, and writes what was changed meanwhile, what
//! was not taken, and what an instance did not live to write.
//!
//! The alarm also tells clients that sessions of theirs are over ([`notices`]): it waits for them, and others ask meanwhile.
//!
//! The alarm clears rows whose time has passed, so nothing stays for ever.

use std::cell::Cell;
use std::rc::Rc;

use serde::Deserialize;
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{
    DurableObject, Env, Request, Response, Result, SqlStorage, SqlStorageValue, State, durable_object, js_sys,
};

use crate::directory::Question as Tell;
use crate::edge::directories::ObjectDirectories;
use crate::edge::journal::ConsoleJournal;
use crate::edge::platform::{Edge, KV, now, worker_fault};
use crate::edge::{config, object};
use crate::error::Fault;
use crate::id::{ClientId, Locator};
use crate::oauth;
use crate::port::{Directory, Entry, Journal, Verifier};
use crate::principal::{
    Answer, CUTOFF_KEPT, Kind, Question, Row, Rows, Told, Unpublished, Unsent, cutoff_key, noticed, notices,
    published, sent, step, unpublished, unsent, unverified,
};
use crate::time::{Lifetime, Timestamp};
use crate::webcrypto::WebCryptoVerifier;

/// `docs/storage.md` describes this; a change needs a migration.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS record (
  kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, clear_at INTEGER, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_clear_at ON record (clear_at) WHERE clear_at IS NOT NULL;
";

/// When the alarm looks whether KV has everything. KV takes one write a second for a key.
const RETRY: Lifetime = Lifetime::from_seconds(5);

/// The longest that KV is left alone when it has refused.
const LONGEST_RETRY: Lifetime = Lifetime::from_seconds(600);

/// How exactly rows are cleared: one alarm for all that are due by then. Nothing counts any more that is due.
const CLEARING: i64 = 60_000;

/// How long a write to KV keeps others from writing. One that takes longer is not coming back.
const WRITE: Lifetime = Lifetime::from_seconds(30);

/// Those who are told one kind of thing. Each kind for itself: where the directory takes nothing, cut-offs are written all the same.
#[derive(Default)]
struct Hearers {
    /// Since when they are being told.
    telling: Cell<Option<Timestamp>>,
    /// When they did not take it, and how long they are left alone since: twice as long each time.
    refused: Cell<Option<(Timestamp, Lifetime)>>,
}

impl Hearers {
    fn pause(&self) -> Lifetime {
        self.refused.get().map_or(RETRY, |(_, pause)| pause)
    }

    /// Whether they may be told now.
    fn may_hear(&self) -> bool {
        let is_busy = self.telling.get().is_some_and(|since| now().is_within(WRITE, since));
        let is_resting = self
            .refused
            .get()
            .is_some_and(|(at, pause)| now().since(at) < pause.minus(Lifetime::from_seconds(1)));
        !is_busy && !is_resting
    }

    /// Has them told. What fails is in the log, and tried again.
    async fn tell(&self, telling: impl Future<Output = std::result::Result<(), Fault>>) {
        let began = now();
        self.telling.set(Some(began));
        let told = telling.await;
        if self.telling.get() == Some(began) {
            self.telling.set(None);
        }
        match told {
            Ok(()) => self.refused.set(None),
            Err(fault) => {
                let longer = self.refused.get().map_or(RETRY, |(_, pause)| pause.times(2).min(LONGEST_RETRY));
                self.refused.set(Some((now(), longer)));
                log_fault(&fault, None);
            }
        }
    }
}

/// See the module.
#[durable_object(alarm)]
pub struct PrincipalDo(Rc<Object>);

/// What an object has while it is in memory.
struct Object {
    state: State,
    env: Env,
    /// Whether this instance has seen that its table is there.
    has_tables: Cell<bool>,
    /// When its alarm is set to, as far as this instance knows.
    alarm_at: Cell<Option<i64>>,
    /// Who hears of cut-offs.
    cutoffs: Hearers,
    /// Who hears of everything else.
    news: Hearers,
}

impl std::fmt::Debug for PrincipalDo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrincipalDo(..)")
    }
}

impl DurableObject for PrincipalDo {
    fn new(state: State, env: Env) -> Self {
        Self(Rc::new(Object {
            state,
            env,
            has_tables: Cell::new(false),
            alarm_at: Cell::new(None),
            cutoffs: Hearers::default(),
            news: Hearers::default(),
        }))
    }

    async fn fetch(&self, _: Request) -> Result<Response> {
        object::nothing()
    }

    async fn alarm(&self) -> Result<Response> {
        self.0.clear().await.map_err(|fault| worker::Error::RustError(fault.to_string()))?;
        Response::empty()
    }
}

#[wasm_bindgen]
impl PrincipalDo {
    /// Answers a question, both as text.
    pub fn ask(&self, question: &str) -> JsValue {
        let (object, question) = (Rc::clone(&self.0), object::question(question));
        object::answer(async move { object.answer(question?).await })
    }
}

impl Object {
    async fn clear(&self) -> std::result::Result<(), Fault> {
        self.alarm_at.set(None);
        let rows = self.rows()?;
        let due = "DELETE FROM record WHERE clear_at <= ?";
        rows.sql.exec(due, vec![integer(now())]).map_err(worker_fault("clear rows"))?;
        // First of all: whatever fails below, this object is woken again.
        self.set_alarm(rows.first_to_clear()?.map(clearing)).await?;
        if let Err(fault) = self.publish(&rows).await {
            log_fault(&fault, None);
        }
        if let Err(fault) = self.tell(&rows).await {
            log_fault(&fault, None);
        }
        self.set_alarm(rows.first_to_clear()?.map(clearing)).await
    }

    /// Sends the notices that are due, and is woken for the next. What fails is in the log, and tried again.
    async fn tell(&self, rows: &SqlRows) -> std::result::Result<(), Fault> {
        const OP: &str = "send logout token";
        let (due, _) = notices(rows, now())?;
        if !due.is_empty() {
            let config = config().ok_or_else(|| Fault::new(OP, "there is no configuration"))?;
            let locator = self.locator(OP)?;
            let ports = Edge::new(self.env.clone());
            // The first alarm of this instance may be long ago: it comes again should this one not end.
            self.set_alarm(Some(millis(now().after(WRITE)))).await?;
            for notice in &due {
                let told = oauth::send_logout_token(config, &ports, (locator, notice), now()).await;
                if let Err(fault) = &told {
                    log_fault(fault, Some(&notice.client_id));
                }
                if noticed(rows, notice, told.unwrap_or(Told::Failed), now())? {
                    log_fault(&Fault::new(OP, "given up"), Some(&notice.client_id));
                }
            }
        }
        let (_, next) = notices(rows, now())?;
        self.set_alarm(next.map(millis)).await
    }

    fn locator(&self, op: &'static str) -> std::result::Result<Locator, Fault> {
        Locator::from_hex(&self.state.id().to_string())
            .map_err(|_| Fault::new(op, "the platform's id is not 64 hexadecimal digits"))
    }

    fn rows(&self) -> std::result::Result<SqlRows, Fault> {
        let sql = self.state.storage().sql();
        if !self.has_tables.get() {
            sql.exec(TABLES, None).map_err(worker_fault("open tables"))?;
            self.has_tables.set(true);
        }
        Ok(SqlRows { sql })
    }

    async fn answer(&self, mut question: Question) -> std::result::Result<Answer, Fault> {
        let config = config().ok_or_else(|| Fault::new("ask principal", "there is no configuration"))?;
        let rows = self.rows()?;
        if let Some(what) = unverified(&rows, &question)?
            && WebCryptoVerifier.verify(&what.key, what.algorithm, &what.input, &what.signature).await?
        {
            question.confirm(&what);
        }
        let (answer, due) = step(&rows, config.scopes(), &question, now())?;
        let is_owed = |hearers: &Hearers| hearers.refused.get().is_some();
        if due.cutoffs || due.copies || is_owed(&self.cutoffs) || is_owed(&self.news) {
            self.publish(&rows).await?;
        }
        let alarm =
            if due.notices { Some(millis(now())) } else { due.clearing.map(|at| clearing(millis(at))) };
        self.set_alarm(alarm).await?;
        Ok(answer)
    }

    /// Tells others what has changed. Where that fails, or another write is under way, the alarm does it.
    async fn publish(&self, rows: &SqlRows) -> std::result::Result<(), Fault> {
        // Cut-offs first: they are what somebody may still get in by.
        if unpublished(rows)?.is_some() {
            self.set_alarm(Some(millis(now().after(self.cutoffs.pause())))).await?;
            // From here to the write nothing is waited for; so below.
            if let Some(what) = unpublished(rows)?.filter(|_| self.cutoffs.may_hear()) {
                self.cutoffs.tell(self.tell_cutoffs(rows, what)).await;
            }
        }
        let locator = self.locator("tell directory")?;
        if unsent(rows, locator)?.is_some() {
            self.set_alarm(Some(millis(now().after(self.news.pause())))).await?;
            if let Some(news) = unsent(rows, locator)?.filter(|_| self.news.may_hear()) {
                self.news.tell(self.tell_news(rows, news, locator)).await;
            }
        }
        Ok(())
    }

    async fn tell_cutoffs(&self, rows: &SqlRows, what: Unpublished) -> std::result::Result<(), Fault> {
        self.write_cutoffs(&what).await?;
        published(rows, &what, now())
    }

    async fn tell_news(
        &self,
        rows: &SqlRows,
        news: Unsent,
        locator: Locator,
    ) -> std::result::Result<(), Fault> {
        self.write_copies(&news).await?;
        let config = config().ok_or_else(|| Fault::new("tell directory", "there is no configuration"))?;
        let kept = config.realm(news.realm.as_str()).map(|realm| realm.audit_kept);
        // One that is not known here may be known elsewhere already.
        let told = Tell::Tell(news.rows(locator, kept.unwrap_or(crate::config::AUDIT_KEPT))?);
        ObjectDirectories::new(self.env.clone()).ask(&news.realm, &told).await?;
        sent(rows, &news)?;
        // What did not go along comes next.
        let rest = unsent(rows, locator)?.map(|_| millis(now()));
        self.set_alarm(rest).await
    }

    async fn write_copies(&self, news: &Unsent) -> std::result::Result<(), Fault> {
        const OP: &str = "publish copies";
        let fault = |e: worker::KvError| Fault::new(OP, e.to_string());
        let kv = self.env.kv(KV).map_err(worker_fault(OP))?;
        for (key, text) in &news.copies {
            match text {
                Some(text) => kv.put(key, text.as_str()).map_err(fault)?.execute().await.map_err(fault)?,
                None => kv.delete(key).await.map_err(fault)?,
            }
        }
        Ok(())
    }

    async fn write_cutoffs(&self, what: &Unpublished) -> std::result::Result<(), Fault> {
        const OP: &str = "publish cut-offs";
        let locator = self.locator(OP)?;
        let text = serde_json::to_string(&what.cutoffs).map_err(|e| Fault::new(OP, e.to_string()))?;
        let kv = self.env.kv(KV).map_err(worker_fault(OP))?;
        let put =
            kv.put(&cutoff_key(&what.realm, locator), text).map_err(|e| Fault::new(OP, e.to_string()))?;
        put.expiration_ttl(CUTOFF_KEPT.as_seconds())
            .execute()
            .await
            .map_err(|e| Fault::new(OP, e.to_string()))
    }

    /// Wakes the object at this time, or before.
    async fn set_alarm(&self, at: Option<i64>) -> std::result::Result<(), Fault> {
        let fault = worker_fault("set alarm");
        let Some(at) = at else { return Ok(()) };
        if self.alarm_at.get().is_some_and(|set| set <= at) {
            return Ok(());
        }
        let storage = self.state.storage();
        let set = storage.get_alarm().await.map_err(&fault)?.filter(|set| *set <= at);
        if set.is_none() {
            // An absolute instant: a plain number would count as a distance from now.
            let date = js_sys::Date::new(&JsValue::from_f64(float(at)));
            storage.set_alarm(worker::ScheduledTime::new(date)).await.map_err(&fault)?;
        }
        self.alarm_at.set(Some(set.unwrap_or(at)));
        Ok(())
    }
}

fn log_fault(fault: &Fault, client: Option<&ClientId>) {
    ConsoleJournal.record(&Entry {
        target: Some("principal"),
        decision: "fault",
        client: client.map(ClientId::as_str),
        op: Some(fault.op()),
        detail: Some(fault.detail()),
        ..Entry::default()
    });
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
        let rows: Vec<Row> = self.read(
            "find alarm",
            "SELECT MIN(clear_at) AS clear_at FROM record WHERE clear_at IS NOT NULL",
            vec![],
        )?;
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
}

impl Rows for SqlRows {
    fn get(&self, kind: Kind, key: &str) -> std::result::Result<Option<String>, Fault> {
        #[derive(Deserialize)]
        struct Row {
            value: String,
        }
        let query = "SELECT value FROM record WHERE kind = ? AND key = ?";
        let rows: Vec<Row> = self.read("read row", query, vec![kind.name().into(), key.into()])?;
        Ok(rows.into_iter().next().map(|row| row.value))
    }

    fn list(&self, kind: Kind) -> std::result::Result<Vec<(String, String)>, Fault> {
        #[derive(Deserialize)]
        struct Row {
            key: String,
            value: String,
        }
        let query = "SELECT key, value FROM record WHERE kind = ? ORDER BY key";
        let rows: Vec<Row> = self.read("list rows", query, vec![kind.name().into()])?;
        Ok(rows.into_iter().map(|row| (row.key, row.value)).collect())
    }

    fn count(&self, kind: Kind) -> std::result::Result<usize, Fault> {
        #[derive(Deserialize)]
        struct Counted {
            rows: f64,
        }
        let query = "SELECT COUNT(*) AS rows FROM record WHERE kind = ?";
        let rows: Vec<Counted> = self.read("list rows", query, vec![kind.name().into()])?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
        Ok(rows.first().map_or(0, |counted| counted.rows as usize))
    }

    fn put(&self, rows: &[Row]) -> std::result::Result<(), Fault> {
        const OP: &str = "write row";
        // One statement: what a failure half-way stored would stay. Of several texts, where one would be longer than the platform takes.
        let mut texts = Vec::new();
        for rows in in_parts(rows, |row| row.text.len()) {
            let rows: Vec<_> = rows
                .iter()
                .map(|row| (row.kind.name(), &row.key, &row.text, row.clear_at.map(Timestamp::as_millis)))
                .collect();
            texts.push(serde_json::to_string(&rows).map_err(|e| Fault::new(OP, e.to_string()))?.into());
        }
        if texts.is_empty() {
            return Ok(());
        }
        // Rows of VALUES: the platform takes five SELECTs in one statement.
        let parts = vec!["(?)"; texts.len()].join(",");
        let query = format!(
            "INSERT OR REPLACE INTO record (kind, key, value, clear_at)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM (VALUES {parts}) AS part, json_each(part.column1)"
        );
        self.sql.exec(&query, texts).map(drop).map_err(worker_fault(OP))
    }
}

/// How much of rows goes into one text: JSON in JSON is a quarter longer, or twice as long at worst, and the platform takes 2 MB.
const PART: usize = 512 * 1024;

/// Rows in parts of about that size, in their order; nothing where there are none.
fn in_parts<T>(rows: &[T], size: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut parts, mut rest) = (Vec::new(), rows);
    while !rest.is_empty() {
        let mut sum: usize = 0;
        let fits = |row: &&T| {
            sum = sum.saturating_add(size(row));
            sum <= PART
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (part, others) = rest.split_at(count);
        parts.push(part);
        rest = others;
    }
    parts
}

/// When rows are cleared that are due at this time.
const fn clearing(at: i64) -> i64 {
    at.saturating_div(CLEARING).saturating_add(1).saturating_mul(CLEARING)
}

/// SQLite's integers have 64 bits; milliseconds of a date need 48.
fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}

fn integer(at: Timestamp) -> SqlStorageValue {
    SqlStorageValue::Integer(millis(at))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a date fit into 53 bits")]
const fn float(at: i64) -> f64 {
    at as f64
}
