//! What one isolate remembers between requests: plain data that any request may use.

use std::cell::RefCell;

use crate::session::Leases;
use crate::validator::{KeyCache, TokenCache};

/// The memory of one isolate. Holds facts, never decisions; losing it costs questions, never an answer.
#[derive(Debug, Default)]
pub struct Isolate {
    pub(crate) leases: RefCell<Leases>,
    pub(crate) keys: RefCell<KeyCache>,
    pub(crate) tokens: RefCell<TokenCache>,
}

impl Isolate {
    /// Nothing remembered.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many verified tokens are remembered, and how many bytes they have.
    #[must_use]
    pub fn verified_tokens(&self) -> (usize, usize) {
        self.tokens.borrow().size()
    }
}
