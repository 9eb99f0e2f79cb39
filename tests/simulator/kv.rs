//! KV, as the platform promises it and no better.
//!
//! - A read at an edge finds some state that the key had in the last 60 s, an absence too. What was read may be read again
//!   until it is 60 s old.
//! - A second write to a key within a second is refused (429).
//! - The write that lands last counts. One may take seconds, and be overtaken.
//!
//! There is no `list` here: nothing in the product calls it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use tollgate::error::Fault;
use tollgate::time::{Lifetime, Timestamp};

use super::rng::Rng;

/// How late a read is at most.
pub(super) const LATE: Lifetime = Lifetime::from_seconds(60);

type Value = Option<String>;

#[derive(Default)]
pub(super) struct Kv {
    /// Every state of each key, and since when.
    keys: RefCell<BTreeMap<String, Vec<(Timestamp, Value)>>>,
    /// What each edge has read: as of when.
    read: RefCell<BTreeMap<(usize, String), Timestamp>>,
}

impl Kv {
    /// What an edge reads at `now`.
    pub(super) fn read(&self, rng: &Rng, edge: usize, key: &str, now: Timestamp) -> Value {
        let place = (edge, key.to_owned());
        let oldest = Timestamp::from_millis(now.as_millis() - LATE.as_millis());
        let known = self.read.borrow().get(&place).copied().filter(|as_of| *as_of >= oldest);
        let as_of = match known {
            Some(as_of) if rng.per_mille(800) => as_of,
            _ => match rng.below(4) {
                0 => now,
                1 | 2 => oldest,
                _ => oldest.after(rng.millis(0, LATE.as_millis())),
            },
        };
        self.read.borrow_mut().insert(place, as_of);
        self.state(key, as_of)
    }

    /// What a key held at a time.
    pub(super) fn state(&self, key: &str, at: Timestamp) -> Value {
        let keys = self.keys.borrow();
        let states = keys.get(key)?;
        states.iter().rev().find(|(since, _)| *since <= at).and_then(|(_, value)| value.clone())
    }

    /// A write that lands at `now`.
    pub(super) fn write(&self, key: &str, value: Value, now: Timestamp) -> Result<(), Fault> {
        let mut keys = self.keys.borrow_mut();
        let states = keys.entry(key.to_owned()).or_default();
        if states.last().is_some_and(|(last, _)| now.since(*last) < Lifetime::from_seconds(1)) {
            return Err(Fault::new("write KV", "429: one write a second for a key"));
        }
        states.push((now, value));
        Ok(())
    }

    /// When the states of a key landed.
    pub(super) fn written(&self, key: &str) -> Vec<Timestamp> {
        self.keys.borrow().get(key).into_iter().flatten().map(|(at, _)| *at).collect()
    }
}
