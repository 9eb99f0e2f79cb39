//! The cookies of the pages. Each belongs to the host alone, travels over TLS only, is out of reach for scripts, and does not come along
//! when another site posts (`__Host-`, `Secure`, `HttpOnly`, `SameSite=Lax`: RFC 6265bis).
//!
//! | cookie | what | how long |
//! | --- | --- | --- |
//! | `__Host-tollgate.REALM` | what the browser is known by since its person signed in | until the browser closes; at the principal 12 h |
//! | `__Host-tollgate.REALM.ID` | binds the pages of one transaction to this browser | half an hour, or the transaction's end |
//! | `__Host-tollgate.REALM.ID.trip` | the transaction itself, while its person is at an outside provider ([`crate::grant::Trip`]) | half an hour, or until they are back |

use crate::grant::{TRANSACTION_LIFETIME, Transaction};
use crate::http::Head;
use crate::id::RealmName;

/// Transactions that one browser may have on their way; the oldest go first. Their cookies come along with every request.
const MAX_TRANSACTIONS: usize = 20;

/// Trips to outside providers that one browser may be on: each is up to 4 kB with every request.
const MAX_TRIPS: usize = 4;

/// What the name of a trip's cookie ends in, behind that of its transaction.
const TRIP: &str = ".trip";

/// What a browser sent, as far as it is ours. No realm's name has a dot, so none begins another's cookies.
#[derive(Debug)]
pub(super) struct Cookies {
    realm: String,
    sent: Vec<(String, String)>,
}

impl Cookies {
    pub(super) fn of(head: &Head<'_>, realm: &RealmName) -> Self {
        let realm = format!("__Host-tollgate.{realm}");
        let header = head.headers.get("cookie").unwrap_or_default();
        let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
        let ours = |name: &str| {
            name.strip_prefix(realm.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let sent =
            pairs.filter(|(name, _)| ours(name)).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let sent = sent.collect();
        Self { realm, sent }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.sent.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What the browser is known by.
    pub(super) fn browser(&self) -> Option<&str> {
        self.get(&self.realm)
    }

    fn name(&self, transaction: &str) -> String {
        format!("{}.{transaction}", self.realm)
    }

    /// What binds a transaction to this browser.
    pub(super) fn bond(&self, transaction: &str) -> Option<&str> {
        self.get(&self.name(transaction))
    }

    /// Knows the browser from now on.
    pub(super) fn remember(&self, browser: &str) -> String {
        format!("{}={browser}; Path=/; Secure; HttpOnly; SameSite=Lax", self.realm)
    }

    /// Knows the browser no longer.
    pub(super) fn forget(&self) -> String {
        format!("{}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax", self.realm)
    }

    /// Begins a transaction; those that are too many end.
    pub(super) fn begin(&self, transaction: &str, bond: &str) -> Vec<String> {
        let prefix = self.name("");
        let mut known: Vec<&str> =
            self.sent.iter().filter_map(|(name, _)| name.strip_prefix(prefix.as_str())).collect();
        known.retain(|id| Transaction::is_id(id) && *id != transaction);
        known.sort_by_key(|id| Transaction::age_of(id));
        let surplus = known.len().saturating_sub(MAX_TRANSACTIONS.saturating_sub(1));
        let mut set: Vec<_> = known.iter().take(surplus).map(|id| self.end(id)).collect();
        let seconds = TRANSACTION_LIFETIME.as_seconds();
        let name = self.name(transaction);
        set.push(format!("{name}={bond}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax"));
        set
    }

    /// What the browser has kept of its trip.
    pub(super) fn trip(&self, transaction: &str) -> Option<&str> {
        self.get(&format!("{}{TRIP}", self.name(transaction)))
    }

    /// Begins a trip; those that are too many end, the oldest first.
    pub(super) fn begin_trip(&self, transaction: &str, kept: &str) -> Vec<String> {
        let prefix = self.name("");
        let names =
            self.sent.iter().filter_map(|(name, _)| name.strip_prefix(prefix.as_str())?.strip_suffix(TRIP));
        let mut known: Vec<&str> = names.filter(|id| Transaction::is_id(id) && *id != transaction).collect();
        known.sort_by_key(|id| Transaction::age_of(id));
        let surplus = known.len().saturating_sub(MAX_TRIPS.saturating_sub(1));
        let mut set: Vec<_> = known.iter().take(surplus).map(|id| self.end_trip(id)).collect();
        let (name, seconds) = (self.name(transaction), TRANSACTION_LIFETIME.as_seconds());
        set.push(format!("{name}{TRIP}={kept}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax"));
        set
    }

    /// Ends a trip.
    pub(super) fn end_trip(&self, transaction: &str) -> String {
        format!("{}{TRIP}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax", self.name(transaction))
    }

    /// Ends a transaction.
    pub(super) fn end(&self, transaction: &str) -> String {
        format!("{}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax", self.name(transaction))
    }
}
