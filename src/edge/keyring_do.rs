//! A realm's keys as a Durable Object: the one authority.
//!
//! # Atomicity
//!
//! What a keyring becomes is decided by [`Keyring`], and each change is read, decided and stored without an await in
//! between. Only two things wait: making a key, and writing the copy in KV. What they lead to is decided by the keyring
//! as it is when they are done.
//!
//! - While a key is made, another first question may be making one too. Whoever comes second finds the first one's
//!   key, and its own is dropped, never having left this object. So a realm has exactly one first key, however many ask
//!   at once; and so one key is staged, however many rotate.
//! - The copy is written by the alarm and by nothing else, and the platform runs one alarm at a time: no older copy can
//!   land upon a newer one. What KV holds counts as unknown from before the write until it is acknowledged. A key is
//!   published from then on; a write that fails, or whose end nobody sees, publishes nothing and is done again.
//!
//! The alarm is due when the keyring says so, and each question makes sure that it is set: by the terms of the
//! configuration of now. A private part rests sealed under `TOLLGATE_KEK` and leaves the object only so.

use std::cell::Cell;
use std::rc::Rc;

use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object, js_sys};

use crate::directory::Question as Tell;
use crate::edge::directories::ObjectDirectories;
use crate::edge::journal::ConsoleJournal;
use crate::edge::keyring_rows::KeyringRows;
use crate::edge::platform::{KV, now, worker_fault};
use crate::edge::{config, object, signing};
use crate::error::Fault;
use crate::id::KeyId;
use crate::keyring::{Keyring, KeyringAnswer, KeyringQuestion, Policy, Refusal, RingName, Work};
use crate::port::{Directory, Entry, Journal};
use crate::principal::jwks_key;
use crate::time::{Lifetime, Timestamp};
use crate::token::JwkSet;

/// When the alarm comes again after it failed. KV takes one write a second for a key.
const RETRY: Lifetime = Lifetime::from_seconds(30);

/// The most that one alarm does: a drop, a copy, a promotion, a new key and its copy leave room.
const MOST_STEPS: usize = 8;

/// See the module.
#[durable_object(alarm)]
pub struct KeyringDo(Rc<Object>);

/// What an object has while it is in memory.
struct Object {
    state: State,
    env: Env,
    /// Whether this instance has seen that its tables are there.
    has_tables: Cell<bool>,
}

impl std::fmt::Debug for KeyringDo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyringDo(..)")
    }
}

impl DurableObject for KeyringDo {
    fn new(state: State, env: Env) -> Self {
        Self(Rc::new(Object { state, env, has_tables: Cell::new(false) }))
    }

    async fn fetch(&self, _: Request) -> Result<Response> {
        object::nothing()
    }

    async fn alarm(&self) -> Result<Response> {
        self.0.work().await.map_err(|fault| worker::Error::RustError(fault.to_string()))?;
        Response::empty()
    }
}

#[wasm_bindgen]
impl KeyringDo {
    /// Answers a question, both as text.
    pub fn ask(&self, question: &str) -> JsValue {
        let (object, question) = (Rc::clone(&self.0), object::question(question));
        object::answer(async move { object.answer(&question?).await })
    }
}

impl Object {
    /// Does what is due, and is woken when there is more.
    async fn work(&self) -> std::result::Result<(), Fault> {
        let mut again = self.advance().await.unwrap_or_else(|fault| {
            log_fault(&fault);
            Some(now().after(RETRY))
        });
        if let Err(fault) = self.tell(&self.rows()?).await {
            log_fault(&fault);
            let retry = now().after(RETRY);
            again = Some(again.map_or(retry, |again| again.min(retry)));
        }
        match again {
            Some(at) => self.set_alarm(at).await,
            None => Ok(()),
        }
    }

    async fn answer(&self, question: &KeyringQuestion) -> std::result::Result<KeyringAnswer, Fault> {
        let (rows, realm) = (self.rows()?, question.realm());
        let policy = policy(realm).ok_or_else(|| Fault::new("read policy", "there is no such realm"))?;
        let keyring = self.keyring(&rows, realm, &policy).await?;
        let answer = match question {
            KeyringQuestion::List { .. } => KeyringAnswer::Keys(keyring.list()),
            KeyringQuestion::Promote { .. } => changed(&rows, "promote", keyring.promote(&policy, now()))?,
            KeyringQuestion::PublicKeys { .. } => KeyringAnswer::PublicKeys(keyring.public_keys(now())),
            KeyringQuestion::Rotate { .. } => match keyring.may_stage() {
                Ok(()) => changed(&rows, "stage", self.stage(&rows, realm, &policy).await?)?,
                Err(refusal) => KeyringAnswer::Refused(refusal),
            },
            KeyringQuestion::SigningKey { .. } => {
                KeyringAnswer::SigningKey { key: keyring.signing_key().clone(), keep_for: policy.open_for() }
            }
        };
        // In the step that has stored the keys: nothing was waited for since.
        let event = question.event(now()).filter(|_| matches!(answer, KeyringAnswer::Keys(_)));
        if let Some(event) = event {
            rows.keep_event(&event)?;
            // Should this one not come to an end, the alarm does.
            self.set_alarm(now().after(RETRY)).await?;
            if let Err(fault) = self.tell(&rows).await {
                log_fault(&fault);
            }
        }
        self.wake(&rows, &policy).await?;
        Ok(answer)
    }

    fn rows(&self) -> std::result::Result<KeyringRows, Fault> {
        let sql = self.state.storage().sql();
        if self.has_tables.get() {
            return Ok(KeyringRows::of(sql));
        }
        let rows = KeyringRows::open(sql)?;
        self.has_tables.set(true);
        Ok(rows)
    }

    /// The keyring, with its first key made if there is none.
    async fn keyring(
        &self,
        rows: &KeyringRows,
        realm: &RingName,
        policy: &Policy,
    ) -> std::result::Result<Keyring, Fault> {
        if rows.realm()?.is_none() {
            rows.set_realm(realm)?;
        }
        if let Some(keyring) = rows.keyring()? {
            return Ok(keyring);
        }
        let key = signing::make(&self.env, realm, policy.signing).await?;
        if let Some(keyring) = rows.keyring()? {
            return Ok(keyring);
        }
        let keyring = Keyring::first(key, now());
        rows.save(&keyring)?;
        log_step("first", &keyring);
        Ok(keyring)
    }

    /// The keyring with the next key staged. Not stored yet.
    async fn stage(
        &self,
        rows: &KeyringRows,
        realm: &RingName,
        policy: &Policy,
    ) -> std::result::Result<std::result::Result<Keyring, Refusal>, Fault> {
        let key = signing::make(&self.env, realm, policy.signing).await?;
        Ok(known(rows)?.stage(key, now()))
    }

    /// Does what is due. When there is more to do, and when.
    async fn advance(&self) -> std::result::Result<Option<Timestamp>, Fault> {
        let rows = self.rows()?;
        let Some((realm, policy)) =
            rows.realm()?.and_then(|realm| policy(&realm).map(|policy| (realm, policy)))
        else {
            // A realm that is not configured any more: should it come back, its first question wakes this.
            return Ok(None);
        };
        for _ in 0..MOST_STEPS {
            let keyring = known(&rows)?;
            match keyring.work(rows.copy()?.as_deref(), &policy, now()) {
                Work::Drop => {
                    let keyring = keyring.without_ended(now());
                    rows.save(&keyring)?;
                    log_step("drop", &keyring);
                }
                Work::Make(_) => {
                    // Whoever was faster has staged a key: then there is nothing left to do.
                    changed(&rows, "stage", self.stage(&rows, &realm, &policy).await?)?;
                }
                Work::Promote => {
                    changed(&rows, "promote", keyring.promote(&policy, now()))?;
                }
                Work::Rest(at) => return Ok(at),
                Work::Write(keys) => self.publish(&rows, &realm, &policy, &keys).await?,
            }
        }
        Ok(Some(now().after(RETRY)))
    }

    /// Tells the directory what was done.
    async fn tell(&self, rows: &KeyringRows) -> std::result::Result<(), Fault> {
        let events = rows.events()?;
        let Some(realm) = rows.realm()?.filter(|_| !events.is_empty()) else { return Ok(()) };
        let config = config().ok_or_else(|| Fault::new("tell directory", "there is no configuration"))?;
        let kept = config.realm(realm.realm().as_str()).map(|realm| realm.audit_kept);
        let keep = kept.unwrap_or(crate::config::AUDIT_KEPT);
        let rows_of =
            events.iter().map(|event| event.shelved(None, keep)).collect::<std::result::Result<_, _>>()?;
        ObjectDirectories::new(self.env.clone()).ask(realm.realm(), &Tell::Tell(rows_of)).await?;
        events.iter().try_for_each(|event| rows.drop_event(event))
    }

    /// Writes the public copy, and takes note of what that published.
    async fn publish(
        &self,
        rows: &KeyringRows,
        realm: &RingName,
        policy: &Policy,
        keys: &JwkSet,
    ) -> std::result::Result<(), Fault> {
        const OP: &str = "publish keys";
        let text = serde_json::to_string(keys).map_err(|e| Fault::new(OP, e.to_string()))?;
        rows.set_copy(None)?;
        let kv = self.env.kv(KV).map_err(worker_fault(OP))?;
        let put = kv.put(&jwks_key(realm), text).map_err(|e| Fault::new(OP, e.to_string()))?;
        put.execute().await.map_err(|e| Fault::new(OP, e.to_string()))?;
        let copy: Vec<KeyId> = keys.keys().filter_map(|key| key.id().cloned()).collect();
        let keyring = known(rows)?.written(&copy, policy, now());
        rows.save(&keyring)?;
        rows.set_copy(Some(&copy))?;
        log_step("publish", &keyring);
        Ok(())
    }

    /// Makes sure that the alarm comes when something is due.
    async fn wake(&self, rows: &KeyringRows, policy: &Policy) -> std::result::Result<(), Fault> {
        let now = now();
        let at = match known(rows)?.work(rows.copy()?.as_deref(), policy, now) {
            Work::Rest(at) => at,
            Work::Drop | Work::Make(_) | Work::Promote | Work::Write(_) => Some(now),
        };
        match at {
            Some(at) => self.set_alarm(at).await,
            None => Ok(()),
        }
    }

    /// Sets the alarm, unless it comes as soon already.
    async fn set_alarm(&self, at: Timestamp) -> std::result::Result<(), Fault> {
        let fault = worker_fault("set alarm");
        let at = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        let storage = self.state.storage();
        if storage.get_alarm().await.map_err(&fault)?.is_some_and(|set| set <= at) {
            return Ok(());
        }
        // An absolute instant: a plain number would count as a distance from now.
        let date = js_sys::Date::new(&JsValue::from_f64(float(at)));
        storage.set_alarm(worker::ScheduledTime::new(date)).await.map_err(&fault)
    }
}

/// On what terms a keyring's keys change, by the configuration of this version of the worker.
fn policy(realm: &RingName) -> Option<Policy> {
    config()?.realm(realm.realm().as_str())?.terms(realm.is_beside())
}

/// The keyring that is there by now.
fn known(rows: &KeyringRows) -> std::result::Result<Keyring, Fault> {
    rows.keyring()?.ok_or_else(|| Fault::new("read key", "there is none"))
}

/// Stores what a keyring has become, and answers with it, or with why it stays as it was.
fn changed(
    rows: &KeyringRows,
    step: &'static str,
    keyring: std::result::Result<Keyring, Refusal>,
) -> std::result::Result<KeyringAnswer, Fault> {
    match keyring {
        Ok(keyring) => {
            rows.save(&keyring)?;
            log_step(step, &keyring);
            Ok(KeyringAnswer::Keys(keyring.list()))
        }
        Err(refusal) => Ok(KeyringAnswer::Refused(refusal)),
    }
}

/// Says which step a keyring has taken, and by which key it signs: names of keys are public.
fn log_step(step: &'static str, keyring: &Keyring) {
    let (reason, detail) = (Some(step), Some(keyring.signing_key().id().as_str()));
    log(&Entry { decision: "step", reason, detail, ..Entry::default() });
}

fn log_fault(fault: &Fault) {
    let (op, detail) = (Some(fault.op()), Some(fault.detail()));
    log(&Entry { decision: "fault", op, detail, ..Entry::default() });
}

fn log(entry: &Entry<'_>) {
    ConsoleJournal.record(&Entry { target: Some("keyring"), ..*entry });
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a date fit into 53 bits")]
const fn float(at: i64) -> f64 {
    at as f64
}
