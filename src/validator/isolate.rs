//! What one isolate remembers between requests: plain data that any request may use.

use std::cell::RefCell;

use crate::session::Leases;
use crate::validator::KeyCache;

/// The memory of one isolate. Holds facts, never decisions; losing it costs questions, never an answer.
#[derive(Debug, Default)]
pub struct Isolate {
    pub(crate) leases: RefCell<Leases>,
    pub(crate) keys: RefCell<KeyCache>,
}

impl Isolate {
    /// Nothing remembered.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}
