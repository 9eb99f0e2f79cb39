//! A realm's directory as a Durable Object: lists of its clients and people, and what was done.
//!
//! # Atomicity
//!
//! [`step`] runs without an await: the object's SQL is synchronous, so what a question reads and writes is one step. Nothing is fetched.
//! Principals tell it what has changed after their own step, and tell it again until it has answered; what comes twice, or late, changes nothing.
//!
//! The alarm clears events whose time has passed, and notes of what is gone.

use std::cell::Cell;
use std::rc::Rc;

use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object, js_sys};

use crate::directory::{Question, step};
use crate::edge::directory_rows::DirectoryRows;
use crate::edge::object;
use crate::edge::platform::{now, worker_fault};
use crate::error::Fault;
use crate::time::{Lifetime, Timestamp};

/// How exactly rows are cleared: one alarm for all that are due by then.
const CLEARING: Lifetime = Lifetime::from_seconds(3600);

/// See the module.
#[durable_object(alarm)]
pub struct DirectoryDo(Rc<Object>);

/// What an object has while it is in memory.
struct Object {
    state: State,
    /// Whether this instance has seen that its table is there.
    has_tables: Cell<bool>,
    /// When its alarm is set to, as far as this instance knows.
    alarm_at: Cell<Option<Timestamp>>,
}

impl std::fmt::Debug for DirectoryDo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DirectoryDo(..)")
    }
}

impl DurableObject for DirectoryDo {
    fn new(state: State, _: Env) -> Self {
        Self(Rc::new(Object { state, has_tables: Cell::new(false), alarm_at: Cell::new(None) }))
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
impl DirectoryDo {
    /// Answers a question, both as text.
    pub fn ask(&self, question: &str) -> JsValue {
        let (object, question) = (Rc::clone(&self.0), object::question(question));
        object::answer(async move { object.answer(&question?).await })
    }
}

impl Object {
    fn rows(&self) -> std::result::Result<DirectoryRows, Fault> {
        let sql = self.state.storage().sql();
        if self.has_tables.get() {
            return Ok(DirectoryRows::of(sql));
        }
        let rows = DirectoryRows::open(sql)?;
        self.has_tables.set(true);
        Ok(rows)
    }

    async fn answer(&self, question: &Question) -> std::result::Result<crate::directory::Answer, Fault> {
        let rows = self.rows()?;
        let answer = step(&rows, question, now())?;
        if matches!(question, Question::Tell(_)) {
            self.wake(&rows).await?;
        }
        Ok(answer)
    }

    async fn clear(&self) -> std::result::Result<(), Fault> {
        self.alarm_at.set(None);
        let rows = self.rows()?;
        rows.clear(now())?;
        self.wake(&rows).await
    }

    /// Is woken when the next row may go.
    async fn wake(&self, rows: &DirectoryRows) -> std::result::Result<(), Fault> {
        let Some(at) = rows.first_to_clear()? else { return Ok(()) };
        let at = at.after(CLEARING);
        if self.alarm_at.get().is_some_and(|set| set <= at) {
            return Ok(());
        }
        let date = js_sys::Date::new(&JsValue::from_f64(millis(at)));
        let set = self.state.storage().set_alarm(worker::ScheduledTime::new(date)).await;
        set.map_err(worker_fault("set alarm"))?;
        self.alarm_at.set(Some(at));
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a date fit into 53 bits")]
const fn millis(at: Timestamp) -> f64 {
    at.as_millis() as f64
}
