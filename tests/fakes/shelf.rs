//! A directory's rows in a map. The decision is [`tollgate::directory::step`], as on the edge.

use std::cell::RefCell;
use std::collections::BTreeMap;

use tollgate::directory::{Cursor, Find, List, Shelf, Shelved};
use tollgate::error::Fault;
use tollgate::time::Timestamp;

#[derive(Debug, Default)]
pub(crate) struct Shelves(RefCell<BTreeMap<(List, String), Shelved>>);

impl Shelves {
    /// What the object's alarm does.
    pub(crate) fn clear(&self, now: Timestamp) {
        self.0.borrow_mut().retain(|_, row| row.clear_at.is_none_or(|at| at > now));
    }

    /// Every text that is stored, for whoever looks for secrets.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.borrow().values().map(|row| format!("{row:?}")).collect()
    }
}

impl Shelf for Shelves {
    fn get(&self, list: List, id: &str) -> Result<Option<(u64, Option<String>)>, Fault> {
        let rows = self.0.borrow();
        Ok(rows.get(&(list, id.to_owned())).map(|row| (row.version, row.value.clone())))
    }

    fn put(&self, rows: &[Shelved]) -> Result<(), Fault> {
        for row in rows {
            self.0.borrow_mut().insert((row.list, row.id.clone()), row.clone());
        }
        Ok(())
    }

    fn find(&self, find: &Find) -> Result<Vec<(Cursor, String)>, Fault> {
        let is = |wanted: Option<String>, has: &String| wanted.is_none_or(|wanted| wanted == *has);
        let (from, to) = find.places();
        let fits = |row: &&Shelved| {
            row.list == find.list
                && is(find.owner.map(|owner| owner.to_string()), &row.owner)
                && is(find.actor.as_ref().map(ToString::to_string), &row.actor)
                && is(find.client.as_ref().map(ToString::to_string), &row.client)
                && is(find.action.clone(), &row.action)
                && is(find.software.clone(), &row.software)
                && find.search.as_ref().is_none_or(|search| row.words.contains(search))
                && (!find.waits || row.waits)
                && from.as_ref().is_none_or(|from| row.sort >= *from)
                && to.as_ref().is_none_or(|to| row.sort < *to)
                && find.after.as_ref().is_none_or(|after| (&row.sort, &row.id) > (&after.sort, &after.id))
        };
        let rows = self.0.borrow();
        let mut found: Vec<_> = rows.values().filter(fits).filter(|row| row.value.is_some()).collect();
        found.sort_by_key(|row| (row.sort.clone(), row.id.clone()));
        let cursor = |row: &Shelved| Cursor { sort: row.sort.clone(), id: row.id.clone() };
        let found = found.into_iter().take(find.limit + 1);
        Ok(found.map(|row| (cursor(row), row.value.clone().unwrap())).collect())
    }
}
