//! What one isolate remembers of sessions that the authority has just confirmed.

use std::collections::BTreeMap;

use crate::id::SessionId;
use crate::time::{Lifetime, Timestamp};

/// Entries one isolate keeps: 20,000 of about 150 bytes are 3 MB of its 128.
const CAPACITY: usize = 20_000;

/// What to do about a session before the request may pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ask {
    /// Ask the authority and wait for its answer.
    First,
    /// It was confirmed within the grain, or within the grain before and the authority is being told: pass.
    Nobody,
    /// It was confirmed within the grain before: pass, and tell the authority in the background.
    Later,
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    /// The use that was confirmed: the authority has counted it, and nothing later.
    used_at: Timestamp,
    grain: Lifetime,
    /// Whether the touch of the second grain was asked for.
    is_told: bool,
}

impl Lease {
    const fn ends_at(&self) -> Timestamp {
        self.used_at.after(self.grain.times(2))
    }
}

/// The sessions that this isolate may answer for. See [`crate::session`] for the bound.
#[derive(Debug, Default)]
pub struct Leases(BTreeMap<SessionId, Lease>);

impl Leases {
    /// Nothing remembered.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Decides for one request at `now`. Answers [`Ask::Later`] once per grain: the caller owes the touch.
    pub fn ask(&mut self, id: &SessionId, now: Timestamp) -> Ask {
        let Some(lease) = self.0.get_mut(id) else {
            return Ask::First;
        };
        // A clock that went back proves nothing: ask.
        if now < lease.used_at || now > lease.ends_at() || lease.grain == Lifetime::ZERO {
            return Ask::First;
        }
        if now <= lease.used_at.after(lease.grain) || lease.is_told {
            return Ask::Nobody;
        }
        lease.is_told = true;
        Ask::Later
    }

    /// Whether memory is enough for a request at `now`: [`Self::ask`] would say [`Ask::Nobody`].
    #[must_use]
    pub fn is_enough(&self, id: &SessionId, now: Timestamp) -> bool {
        self.0.get(id).is_some_and(|lease| {
            lease.grain != Lifetime::ZERO
                && lease.used_at <= now
                && (now <= lease.used_at.after(lease.grain) || (lease.is_told && now <= lease.ends_at()))
        })
    }

    /// The authority has counted a use at `used_at` and said alive.
    pub fn confirm(&mut self, id: SessionId, used_at: Timestamp, grain: Lifetime, now: Timestamp) {
        if grain == Lifetime::ZERO {
            return;
        }
        if self.0.len() >= CAPACITY && !self.0.contains_key(&id) {
            self.0.retain(|_, lease| now <= lease.ends_at());
            if self.0.len() >= CAPACITY {
                // Forgetting costs one question more, never a wrong answer.
                self.0.clear();
            }
        }
        let lease = Lease { used_at, grain, is_told: false };
        self.0
            .entry(id)
            .and_modify(|known| {
                if known.used_at < used_at {
                    *known = lease;
                }
            })
            .or_insert(lease);
    }

    /// The authority said ended: the next request asks, and is told why.
    pub fn forget(&mut self, id: &SessionId) {
        self.0.remove(id);
    }

    /// How many sessions are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Locator;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn session(n: u32) -> SessionId {
        let mut random = [0; 16];
        random[..4].copy_from_slice(&n.to_be_bytes());
        SessionId::new(Locator::from([1; 32]), random)
    }

    const GRAIN: Lifetime = Lifetime::from_seconds(15);

    #[test]
    fn a_grain_from_memory_then_one_background_touch_then_ask() {
        let mut leases = Leases::new();
        let id = session(0);
        let ask = |leases: &mut Leases, now| {
            let is_enough = leases.is_enough(&id, at(now));
            let ask = leases.ask(&id, at(now));
            assert_eq!(is_enough, ask == Ask::Nobody, "{now}");
            ask
        };
        assert_eq!(ask(&mut leases, 100), Ask::First);
        leases.confirm(id, at(100), GRAIN, at(100));
        assert_eq!(ask(&mut leases, 99), Ask::First);
        assert_eq!(ask(&mut leases, 115), Ask::Nobody);
        assert_eq!(ask(&mut leases, 116), Ask::Later);
        assert_eq!(ask(&mut leases, 117), Ask::Nobody, "one touch a grain");
        assert_eq!(ask(&mut leases, 130), Ask::Nobody);
        assert_eq!(ask(&mut leases, 131), Ask::First, "the background touch never came back");
    }

    #[test]
    fn a_confirmed_background_touch_starts_a_new_lease_from_when_it_was_sent() {
        let mut leases = Leases::new();
        let id = session(0);
        leases.confirm(id, at(100), GRAIN, at(100));
        assert_eq!(leases.ask(&id, at(120)), Ask::Later);
        leases.confirm(id, at(120), GRAIN, at(125));
        assert_eq!(leases.ask(&id, at(135)), Ask::Nobody);
        assert_eq!(leases.ask(&id, at(136)), Ask::Later);
        leases.confirm(id, at(101), GRAIN, at(136));
        assert_eq!(
            leases.ask(&id, at(150)),
            Ask::Nobody,
            "a late answer to an older question changes nothing"
        );
    }

    #[test]
    fn strict_mode_remembers_nothing() {
        let mut leases = Leases::new();
        leases.confirm(session(0), at(100), Lifetime::ZERO, at(100));
        assert!(leases.is_empty());
        assert_eq!(leases.ask(&session(0), at(100)), Ask::First);
    }

    #[test]
    fn an_ended_session_and_a_clock_that_goes_back_ask() {
        let mut leases = Leases::new();
        leases.confirm(session(0), at(100), GRAIN, at(100));
        assert_eq!(leases.ask(&session(0), at(99)), Ask::First);
        leases.forget(&session(0));
        assert_eq!(leases.ask(&session(0), at(100)), Ask::First);
    }

    #[test]
    fn memory_is_bounded() {
        let mut leases = Leases::new();
        for n in 0..50_000 {
            leases.confirm(session(n), at(100), GRAIN, at(100));
            assert!(leases.len() <= CAPACITY);
        }
        assert_eq!(leases.ask(&session(49_999), at(101)), Ask::Nobody);
    }
}
