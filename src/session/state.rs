//! The session as a state machine: no I/O, `now` is an argument.

use serde::{Deserialize, Serialize};

use crate::time::{Lifetime, Timestamp};

/// How a session keeps time: it ends when it is not used for `idle`, as far as edges can tell within `grain`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Pace {
    idle: Option<Lifetime>,
    grain: Lifetime,
}

impl Pace {
    /// Idle limit `idle`, remembered by edges in steps of `grain`; the grain is cut to a quarter of the limit.
    #[must_use]
    pub fn new(idle: Option<Lifetime>, grain: Lifetime) -> Self {
        Self { idle, grain: idle.map_or(grain, |idle| grain.min(idle.quarter())) }
    }

    /// The idle limit; `None`: idleness does not end it.
    #[must_use]
    pub const fn idle(self) -> Option<Lifetime> {
        self.idle
    }

    /// How long an edge answers from memory before it says so; see [`crate::session`].
    #[must_use]
    pub const fn grain(self) -> Lifetime {
        self.grain
    }

    /// Whether a session that nobody touched for `unused` is idle: the limit has passed, and the two grains in
    /// which an edge may have used it without saying so.
    fn is_idle(self, unused: Lifetime) -> bool {
        self.idle.is_some_and(|idle| unused > idle.plus(self.grain.times(2)))
    }
}

/// One session. Stored as JSON; a test pins the shape.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Session {
    /// Over, for good: nothing brings it back.
    Ended {
        /// When that was found or decided.
        at: Timestamp,
        /// When what it has handed out is over at the latest.
        ends_at: Timestamp,
        /// Why.
        reason: EndReason,
    },
    /// Usable.
    Open {
        /// When it is over however much it is used.
        ends_at: Timestamp,
        /// The last touch.
        last_seen: Timestamp,
        /// How it keeps time, as of when it was opened: a later configuration does not change it.
        pace: Pace,
    },
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its client was deleted, or got another secret in place of the old one.
    Credential,
    /// Its user was disabled.
    Disabled,
    /// It was not used for its idle time.
    Idle,
    /// Its absolute limit passed.
    Limit,
    /// Its user has another password, or their passkeys were forgotten.
    Password,
    /// A refresh token or code of it was presented again after it was redeemed.
    Reused,
    /// One of its tokens was revoked (RFC 7009).
    Revoked,
    /// Its user has other roles.
    Roles,
    /// Its user signed out.
    SignedOut,
}

impl EndReason {
    /// Whether other sessions of the principal have ended for it as well.
    #[must_use]
    pub const fn is_of_many(self) -> bool {
        match self {
            Self::Credential | Self::Disabled | Self::Password | Self::Roles | Self::SignedOut => true,
            Self::Idle | Self::Limit | Self::Reused | Self::Revoked => false,
        }
    }
}

/// What a touch found.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Touch {
    /// In use as of now; the edge may remember that for two grains.
    Alive {
        /// The session's grain.
        grain: Lifetime,
    },
    /// Over.
    Ended(EndReason),
}

impl Session {
    /// A session that starts `now` with its first use.
    #[must_use]
    pub const fn open(now: Timestamp, pace: Pace, ends_at: Timestamp) -> Self {
        Self::Open { ends_at, last_seen: now, pace }
    }

    /// The session, over for this reason. What is over stays as it is.
    #[must_use]
    pub const fn end(self, at: Timestamp, reason: EndReason) -> Self {
        match self {
            Self::Ended { .. } => self,
            Self::Open { ends_at, .. } => Self::Ended { at, ends_at, reason },
        }
    }

    /// The next state and the answer. A clock that goes back is read as standing still. The limits
    /// themselves are still alive: a session idle for exactly its limit passes.
    #[must_use]
    pub fn touch(self, now: Timestamp) -> (Self, Touch) {
        match self {
            Self::Ended { reason, .. } => (self, Touch::Ended(reason)),
            Self::Open { ends_at, last_seen, pace } => {
                let now = now.max(last_seen);
                let reason = if now > ends_at {
                    Some(EndReason::Limit)
                } else if pace.is_idle(now.since(last_seen)) {
                    Some(EndReason::Idle)
                } else {
                    None
                };
                match reason {
                    Some(reason) => (Self::Ended { at: now, ends_at, reason }, Touch::Ended(reason)),
                    None => {
                        (Self::Open { ends_at, last_seen: now, pace }, Touch::Alive { grain: pace.grain() })
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn sliding(limit: u64, grain: u64) -> Session {
        let pace = Pace::new(Some(Lifetime::from_seconds(limit)), Lifetime::from_seconds(grain));
        Session::open(at(0), pace, at(10_000))
    }

    fn is_alive(touch: Touch) -> bool {
        matches!(touch, Touch::Alive { .. })
    }

    #[test]
    fn idle_at_the_limit_passes_and_one_millisecond_later_does_not() {
        let last = Timestamp::from_millis(1_000_000);
        let pace = Pace::new(Some(Lifetime::from_millis(1000)), Lifetime::ZERO);
        let session = Session::open(last, pace, at(10_000));
        assert!(is_alive(session.touch(Timestamp::from_millis(1_001_000)).1));
        assert_eq!(session.touch(Timestamp::from_millis(1_001_001)).1, Touch::Ended(EndReason::Idle));
    }

    #[test]
    fn the_authority_waits_two_grains_for_uses_it_was_not_told_of() {
        assert_eq!(sliding(60, 15).touch(at(90)).1, Touch::Alive { grain: Lifetime::from_seconds(15) });
        assert_eq!(sliding(60, 15).touch(at(91)).1, Touch::Ended(EndReason::Idle));
    }

    #[test]
    fn the_grain_is_at_most_a_quarter_of_the_limit() {
        let pace = Pace::new(Some(Lifetime::from_seconds(4)), Lifetime::from_seconds(15));
        assert_eq!(pace.grain(), Lifetime::from_seconds(1));
        assert_eq!(Pace::new(None, Lifetime::from_seconds(15)).grain(), Lifetime::from_seconds(15));
    }

    #[test]
    fn ended_is_absorbing() {
        let (ended, _) = sliding(60, 0).touch(at(100));
        assert_eq!(ended.touch(at(1)), (ended, Touch::Ended(EndReason::Idle)));
        assert_eq!(ended.touch(at(101)), (ended, Touch::Ended(EndReason::Idle)));
    }

    #[test]
    fn what_was_ended_stays_ended_for_the_first_reason() {
        let ended = sliding(60, 0).end(at(5), EndReason::Revoked);
        assert_eq!(ended.touch(at(6)), (ended, Touch::Ended(EndReason::Revoked)));
        assert_eq!(ended.end(at(7), EndReason::Roles), ended);
    }

    #[test]
    fn the_absolute_limit_ends_a_session_in_use() {
        let session = Session::open(at(0), Pace::new(None, Lifetime::ZERO), at(100));
        let (session, touch) = session.touch(at(100));
        assert!(is_alive(touch));
        assert_eq!(session.touch(at(101)).1, Touch::Ended(EndReason::Limit));
    }

    #[test]
    fn last_seen_never_goes_back() {
        let (session, _) = sliding(60, 0).touch(at(50));
        let (session, touch) = session.touch(at(10));
        assert!(is_alive(touch));
        assert!(is_alive(session.touch(at(110)).1), "last seen is still 50");
    }

    #[test]
    fn the_stored_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        assert_eq!(
            serde_json::to_string(&sliding(60, 15)).unwrap(),
            r#"{"state":"open","ends_at":10000000,"last_seen":0,"pace":{"idle":60000,"grain":15000}}"#
        );
        assert_eq!(
            serde_json::to_string(&sliding(60, 0).touch(at(100)).0).unwrap(),
            r#"{"state":"ended","at":100000,"ends_at":10000000,"reason":"idle"}"#
        );
        let names = |reason: EndReason| serde_json::to_string(&reason).unwrap();
        for (reason, name) in [
            (EndReason::Credential, "credential"),
            (EndReason::Disabled, "disabled"),
            (EndReason::Limit, "limit"),
            (EndReason::Password, "password"),
            (EndReason::Reused, "reused"),
            (EndReason::Revoked, "revoked"),
            (EndReason::Roles, "roles"),
            (EndReason::SignedOut, "signed_out"),
        ] {
            assert_eq!(names(reason), format!("\"{name}\""));
        }
    }
}
