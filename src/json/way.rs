//! Where in a document something stands that is being read: it ends where reading did.

use std::cell::RefCell;
use std::fmt::Write;

/// The way to what is being read.
#[derive(Default)]
pub(super) struct Way(RefCell<Vec<Step>>);

pub(super) enum Step {
    Item(usize),
    Member(String),
}

impl Way {
    /// How many steps it has.
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Is at this step of what is this far down.
    pub(super) fn go(&self, depth: usize, step: Option<Step>) {
        let mut steps = self.0.borrow_mut();
        steps.truncate(depth);
        steps.extend(step);
    }

    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in self.0.borrow().iter() {
            match step {
                Step::Item(at) => _ = write!(path, "[{at}]"),
                // A member without a name is one all the same.
                Step::Member(name) if name.is_empty() => path.push_str("\"\""),
                Step::Member(name) => {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(name);
                }
            }
        }
        path
    }
}
