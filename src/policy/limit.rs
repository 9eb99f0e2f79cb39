//! How often a route may be called by one caller, by a counter of the platform's.

/// A bound on calls of one caller. How many it admits in which time is said where the platform's counter is declared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RateLimit {
    /// The binding of the counter.
    pub binding: String,
    /// Whose calls are counted together.
    pub by: LimitBy,
    /// The time in which it counts, in seconds: what a caller is told to wait.
    pub period_seconds: u64,
}

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LimitBy {
    /// Those from one address; for IPv6 from one network. Counted before a token is looked at.
    Address,
    /// Those of one client (`client_id`) of one issuer; of its subject, where the token names no client.
    Client,
    /// Those for one subject of one issuer.
    Subject,
}
