//! What one isolate remembers between requests: plain data that any request may use.

use std::cell::RefCell;

use crate::app::KeyAges;
use crate::oauth::{KnownClients, StandingGrants};
use crate::session::Leases;
use crate::validator::KeyCache;
use crate::validator::cutoff::CutoffCache;
use crate::validator::fact::Facts;
use crate::validator::introspection::Inquiries;

/// The memory of one isolate. Holds facts, never decisions; losing it costs questions, never an answer.
#[derive(Debug)]
pub struct Isolate {
    pub(crate) clients: RefCell<KnownClients>,
    pub(crate) cutoffs: RefCell<CutoffCache>,
    pub(crate) leases: RefCell<Leases>,
    pub(crate) standing: RefCell<StandingGrants>,
    pub(crate) keys: RefCell<KeyCache>,
    pub(crate) key_ages: RefCell<KeyAges>,
    pub(crate) facts: RefCell<Facts>,
    pub(crate) inquiries: RefCell<Inquiries>,
}

impl Default for Isolate {
    fn default() -> Self {
        Self::new()
    }
}

impl Isolate {
    /// Nothing remembered.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            clients: RefCell::new(KnownClients::new()),
            cutoffs: RefCell::new(CutoffCache::new()),
            leases: RefCell::new(Leases::new()),
            standing: RefCell::new(StandingGrants::new()),
            keys: RefCell::new(KeyCache::new()),
            key_ages: RefCell::new(KeyAges::new()),
            facts: RefCell::new(Facts::none()),
            inquiries: RefCell::new(Inquiries::new()),
        }
    }

    /// Forgets every verified token.
    #[cfg(feature = "harness")]
    pub(crate) fn forget_tokens(&self) {
        self.facts.borrow_mut().clear();
    }

    /// How many verified tokens are remembered, and how many bytes they have.
    #[must_use]
    pub fn verified_tokens(&self) -> (usize, usize) {
        self.facts.borrow().size()
    }
}
