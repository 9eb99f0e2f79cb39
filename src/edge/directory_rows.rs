//! A directory's rows in SQLite.

use std::fmt::Write as _;

use serde::Deserialize;
use worker::{SqlStorage, SqlStorageValue};

use crate::directory::{Cursor, Find, List, Shelf, Shelved};
use crate::edge::platform::worker_fault;
use crate::error::Fault;
use crate::time::Timestamp;

/// `docs/storage.md` describes this; a change needs a migration.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS entry (
  list TEXT NOT NULL, id TEXT NOT NULL, sort TEXT NOT NULL, owner TEXT NOT NULL, actor TEXT NOT NULL, client TEXT NOT NULL,
  action TEXT NOT NULL, words TEXT NOT NULL, software TEXT NOT NULL, waits INTEGER NOT NULL, version INTEGER NOT NULL,
  value TEXT, clear_at INTEGER, PRIMARY KEY (list, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_sort ON entry (list, sort, id);
CREATE INDEX IF NOT EXISTS entry_owner ON entry (list, owner, sort, id);
CREATE INDEX IF NOT EXISTS entry_actor ON entry (list, actor, sort, id) WHERE actor <> '';
CREATE INDEX IF NOT EXISTS entry_software ON entry (list, software) WHERE software <> '';
CREATE INDEX IF NOT EXISTS entry_waits ON entry (list, sort, id) WHERE waits = 1;
CREATE INDEX IF NOT EXISTS entry_clear_at ON entry (clear_at) WHERE clear_at IS NOT NULL;
";

/// The rows of one directory.
pub(super) struct DirectoryRows {
    sql: SqlStorage,
}

impl DirectoryRows {
    /// Opens the table.
    pub(super) fn open(sql: SqlStorage) -> Result<Self, Fault> {
        sql.exec(TABLES, None).map_err(worker_fault("open tables"))?;
        Ok(Self { sql })
    }

    /// The table is open.
    pub(super) const fn of(sql: SqlStorage) -> Self {
        Self { sql }
    }

    /// Deletes what is due.
    pub(super) fn clear(&self, now: Timestamp) -> Result<(), Fault> {
        let due = "DELETE FROM entry WHERE clear_at <= ?";
        self.sql.exec(due, vec![millis(now)]).map(drop).map_err(worker_fault("clear rows"))
    }

    /// When the next row is due.
    pub(super) fn first_to_clear(&self) -> Result<Option<Timestamp>, Fault> {
        #[derive(Deserialize)]
        struct First {
            clear_at: Option<f64>,
        }
        let query = "SELECT MIN(clear_at) AS clear_at FROM entry WHERE clear_at IS NOT NULL";
        let rows: Vec<First> = self.read("find alarm", query, vec![])?;
        Ok(rows.first().and_then(|row| row.clear_at).map(crate::edge::platform::instant))
    }

    fn read<T: serde::de::DeserializeOwned>(
        &self,
        op: &'static str,
        query: &str,
        bindings: Vec<SqlStorageValue>,
    ) -> Result<Vec<T>, Fault> {
        self.sql.exec(query, bindings).and_then(|cursor| cursor.to_array()).map_err(worker_fault(op))
    }
}

impl Shelf for DirectoryRows {
    fn get(&self, list: List, id: &str) -> Result<Option<(u64, Option<String>)>, Fault> {
        #[derive(Deserialize)]
        struct Row {
            version: f64,
            value: Option<String>,
        }
        let query = "SELECT version, value FROM entry WHERE list = ? AND id = ?";
        let rows: Vec<Row> = self.read("read row", query, vec![list.name().into(), id.into()])?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds of a date")]
        Ok(rows.into_iter().next().map(|row| (row.version as u64, row.value)))
    }

    fn put(&self, rows: &[Shelved]) -> Result<(), Fault> {
        const OP: &str = "write row";
        // One statement: what a failure half-way stored would stay.
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                let text = (
                    &row.id,
                    &row.sort,
                    &row.owner,
                    &row.actor,
                    &row.client,
                    &row.action,
                    &row.words,
                    &row.software,
                );
                (
                    row.list.name(),
                    text,
                    row.waits,
                    row.version,
                    &row.value,
                    row.clear_at.map(Timestamp::as_millis),
                )
            })
            .collect();
        let rows = serde_json::to_string(&rows).map_err(|e| Fault::new(OP, e.to_string()))?;
        let query = "INSERT OR REPLACE INTO entry
            (list, id, sort, owner, actor, client, action, words, software, waits, version, value, clear_at)
            SELECT value ->> 0, value ->> '$[1][0]', value ->> '$[1][1]', value ->> '$[1][2]', value ->> '$[1][3]',
              value ->> '$[1][4]', value ->> '$[1][5]', value ->> '$[1][6]', value ->> '$[1][7]',
              value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)";
        self.sql.exec(query, vec![rows.into()]).map(drop).map_err(worker_fault(OP))
    }

    fn find(&self, find: &Find) -> Result<Vec<(Cursor, String)>, Fault> {
        #[derive(Deserialize)]
        struct Row {
            sort: String,
            id: String,
            value: String,
        }
        let mut query = "SELECT sort, id, value FROM entry WHERE list = ? AND value IS NOT NULL".to_owned();
        let mut bindings: Vec<SqlStorageValue> = vec![find.list.name().into()];
        let (from, to) = find.places();
        let client = find.client.as_ref().map(ToString::to_string);
        let conditions = [
            (" AND owner = ?", find.owner.map(|owner| owner.to_string())),
            (" AND actor = ?", find.actor.as_ref().map(ToString::to_string)),
            (" AND client = ?", client),
            (" AND action = ?", find.action.clone()),
            (" AND software = ?", find.software.clone()),
            (" AND instr(words, ?) > 0", find.search.clone()),
            (" AND sort >= ?", from),
            (" AND sort < ?", to),
        ];
        for (condition, value) in conditions {
            if let Some(value) = value {
                query.push_str(condition);
                bindings.push(value.into());
            }
        }
        if find.waits {
            query.push_str(" AND waits = 1");
        }
        if let Some(after) = &find.after {
            query.push_str(" AND (sort, id) > (?, ?)");
            bindings.extend([after.sort.as_str().into(), after.id.as_str().into()]);
        }
        // One more than was asked for says whether there is a next page.
        let _ = write!(query, " ORDER BY sort, id LIMIT {}", find.limit.saturating_add(1));
        let rows: Vec<Row> = self.read("list rows", &query, bindings)?;
        Ok(rows.into_iter().map(|row| (Cursor { sort: row.sort, id: row.id }, row.value)).collect())
    }
}

/// SQLite's integers have 64 bits; milliseconds of a date need 48.
fn millis(at: Timestamp) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(at.as_millis()).unwrap_or(i64::MAX))
}
