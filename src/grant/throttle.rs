//! How often somebody may be wrong: exact counters, kept by the principal that is attacked.
//!
//! The first [`FREE`] wrong attempts cost nothing. Each further one makes whoever it came from wait twice as long, up to
//! [`LONGEST`]; attempts during the wait are refused unread, and do not count. Every [`FORGIVEN_EVERY`] one is forgiven,
//! and the right password forgives all.
//!
//! Two counters guard a password. One counts attempts from one *source* (an address, or its network). The other counts those from
//! everywhere, so that many sources are no way around; from it, a source that has been right before is exempt. So a
//! stranger can make strangers wait, never the owner at a place where the owner has been, and nobody for longer than
//! [`LONGEST`] at a time.
//!
//! Client secrets have 256 random bits: guessing them is hopeless, and the counter only tells an attacker, or a
//! misconfigured client, to slow down. The right secret passes whatever the counter says.

use serde::{Deserialize, Serialize};

use crate::time::{Lifetime, Timestamp};

/// Wrong attempts without a delay: fingers slip.
pub const FREE: u32 = 5;

/// The longest wait: what makes guessing hopeless (four an hour are 35,000 a year) and a mistake bearable.
const LONGEST: Lifetime = Lifetime::from_seconds(15 * 60);

/// How long a wrong attempt counts.
const FORGIVEN_EVERY: Lifetime = Lifetime::from_seconds(30 * 60);

/// Wrong attempts from everywhere without a delay for those who were never right.
pub const FREE_TOGETHER: u32 = 50;

/// One counter. Stored as JSON; a test pins the shape.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Throttle {
    /// Wrong attempts that count.
    failures: u32,
    /// When the first of them was made, or the last was forgiven.
    since: Option<Timestamp>,
    /// When the next attempt is read.
    open_at: Option<Timestamp>,
    /// When somebody there was right.
    right_at: Option<Timestamp>,
}

impl Throttle {
    /// How long an attempt at `now` has to wait; `None`: not at all.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<Lifetime> {
        // A clock that was set back must not lock anybody out.
        self.open_at.filter(|at| now < *at && now.is_within(LONGEST, *at)).map(|at| at.since(now))
    }

    /// Whether somebody there was right before.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.right_at.is_some()
    }

    /// The counter after a wrong attempt, of which `free` cost nothing.
    #[must_use]
    pub fn wrong(self, free: u32, now: Timestamp) -> Self {
        let calm = self.forgiving(now);
        let failures = calm.failures.saturating_add(1);
        // What has passed of the time that forgives the next one has passed.
        let since = if calm.failures == 0 { Some(now) } else { calm.since };
        let exponent = failures.saturating_sub(free);
        let open_at = (exponent > 0).then(|| {
            let seconds = 1_u64.checked_shl(exponent.saturating_sub(1)).unwrap_or(u64::MAX);
            now.after(Lifetime::from_seconds(seconds).min(LONGEST))
        });
        Self { failures, since, open_at, right_at: self.right_at }
    }

    /// The counter after something that is no mistake and still has to be bounded: each but the `free` ones costs the longest wait.
    #[must_use]
    pub fn spent(self, free: u32, now: Timestamp) -> Self {
        let next = self.wrong(free, now);
        Self { open_at: next.open_at.map(|_| now.after(LONGEST)), ..next }
    }

    /// The counter after a right attempt.
    #[must_use]
    pub const fn right(now: Timestamp) -> Self {
        Self { failures: 0, since: None, open_at: None, right_at: Some(now) }
    }

    /// When nothing of it counts any more; what it knows of right attempts is kept `known_for`.
    #[must_use]
    pub fn clear_at(&self, known_for: Lifetime) -> Timestamp {
        let counts = self.since.map(|at| at.after(FORGIVEN_EVERY.times(u64::from(self.failures))));
        let known = self.right_at.map(|at| at.after(known_for));
        counts.max(known).unwrap_or(Timestamp::from_millis(0))
    }

    fn forgiving(self, now: Timestamp) -> Self {
        let Some(since) = self.since else { return self };
        let forgiven = now.since(since).as_millis().checked_div(FORGIVEN_EVERY.as_millis()).unwrap_or(0);
        let failures = self.failures.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX));
        Self { failures, since: Some(since.after(FORGIVEN_EVERY.times(forgiven))), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn after(failures: u32, now: u64) -> Throttle {
        (0..failures).fold(Throttle::default(), |throttle, _| throttle.wrong(FREE, at(now)))
    }

    #[test]
    fn attack_72_the_delay_grows_and_has_an_end() {
        for (failures, seconds) in [
            (0, None),
            (5, None),
            (6, Some(1)),
            (7, Some(2)),
            (10, Some(16)),
            (15, Some(512)),
            (16, Some(900)),
            (500, Some(900)),
        ] {
            let wait = after(failures, 100).wait(at(100)).map(Lifetime::as_seconds);
            assert_eq!(wait, seconds, "{failures}");
        }
        assert_eq!(after(7, 100).wait(at(102)), None, "the wait is over");
    }

    #[test]
    fn attempts_are_forgiven_one_by_one_and_all_by_the_right_one() {
        let tired = after(6, 100);
        let later = tired.wrong(FREE, at(100 + 30 * 60));
        assert_eq!(
            later.wait(at(100 + 30 * 60)).map(Lifetime::as_seconds),
            Some(1),
            "five count, and this one"
        );
        let fresh = tired.wrong(FREE, at(100 + 6 * 30 * 60));
        assert_eq!(fresh.wait(at(100 + 6 * 30 * 60)), None);
        assert_eq!(Throttle::right(at(101)).wrong(FREE, at(101)).wait(at(101)), None);
        assert!(Throttle::right(at(101)).wrong(FREE, at(102)).is_known());
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out() {
        assert_eq!(after(40, 1_000_000).wait(at(100)), None);
    }

    #[test]
    fn nothing_is_kept_longer_than_it_counts() {
        let known_for = Lifetime::from_seconds(10);
        assert_eq!(after(2, 100).clear_at(known_for), at(100 + 2 * 30 * 60));
        assert_eq!(Throttle::right(at(5)).clear_at(known_for), at(15));
    }

    #[test]
    fn the_stored_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        assert_eq!(
            serde_json::to_string(&after(6, 1)).unwrap(),
            r#"{"failures":6,"since":1000,"open_at":2000,"right_at":null}"#
        );
    }
}
