//! Instants and spans. Nothing here reads a clock: `now` is always an argument.
//!
//! Both count **milliseconds**, so that a bound of two grains can be checked exactly; JWTs carry
//! seconds (RFC 7519 `NumericDate`) and convert at the edge of [`crate::token`].

use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

/// A span: milliseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Lifetime(u64);

impl Timestamp {
    /// The last instant there is.
    pub const END: Self = Self(u64::MAX);

    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From seconds since the epoch; what does not fit is the last instant there is.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The instant `span` later.
    #[must_use]
    pub const fn after(self, span: Lifetime) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// Whether this instant and another are at most `span` apart, whichever comes first: a mark that lies far ahead is
    /// that of a clock that has been set back, and proves nothing.
    #[must_use]
    pub const fn is_within(self, span: Lifetime, other: Self) -> bool {
        self.0.abs_diff(other.0) <= span.0
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Lifetime {
        Lifetime(self.0.saturating_sub(earlier.0))
    }
}

impl Lifetime {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Both spans, one after the other.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of this span after another.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// This span `times` over.
    #[must_use]
    pub const fn times(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }

    /// A quarter of this span.
    #[must_use]
    pub const fn quarter(self) -> Self {
        Self(self.0 / 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_time_do_not_wrap() {
        let end = Timestamp::from_seconds(u64::MAX);
        assert_eq!(end.after(Lifetime::from_seconds(1)), end);
        assert_eq!(Timestamp::from_seconds(1).since(Timestamp::from_seconds(5)), Lifetime::ZERO);
    }
}
