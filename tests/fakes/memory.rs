//! One principal's rows in a map. The decision is [`tollgate::principal::step`], as on the edge.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use tollgate::error::Fault;
use tollgate::principal::{Kind, Row, Rows};
use tollgate::time::Timestamp;

type Stored = (String, Option<Timestamp>);

#[derive(Debug, Default)]
pub(crate) struct Memory(RefCell<BTreeMap<(Kind, String), Stored>>, Cell<usize>);

impl Memory {
    /// Says that there are so many more rows of each kind.
    pub(crate) fn crowd(&self, more: usize) {
        self.1.set(more);
    }

    /// What the object's alarm does.
    pub(crate) fn clear(&self, now: Timestamp) {
        self.0.borrow_mut().retain(|_, (_, clear_at)| clear_at.is_none_or(|at| at > now));
    }

    /// When the alarm has something to clear.
    pub(crate) fn first_to_clear(&self) -> Option<Timestamp> {
        self.0.borrow().values().filter_map(|(_, clear_at)| *clear_at).min()
    }

    /// Every text that is stored, for whoever looks for secrets.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.borrow().iter().map(|((_, key), (text, _))| format!("{key} {text}")).collect()
    }
}

impl Rows for Memory {
    fn get(&self, kind: Kind, key: &str) -> Result<Option<String>, Fault> {
        Ok(self.0.borrow().get(&(kind, key.to_owned())).map(|(text, _)| text.clone()))
    }

    fn list(&self, kind: Kind) -> Result<Vec<(String, String)>, Fault> {
        let rows = self.0.borrow();
        let of_kind = rows.iter().filter(|((known, _), _)| *known == kind);
        Ok(of_kind.map(|((_, key), (text, _))| (key.clone(), text.clone())).collect())
    }

    fn count(&self, kind: Kind) -> Result<usize, Fault> {
        Ok(self.0.borrow().keys().filter(|(known, _)| *known == kind).count() + self.1.get())
    }

    fn put(&self, rows: &[Row]) -> Result<(), Fault> {
        for Row { kind, key, text, clear_at } in rows {
            self.0.borrow_mut().insert((*kind, key.clone()), (text.clone(), *clear_at));
        }
        Ok(())
    }
}
