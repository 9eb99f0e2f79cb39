//! What one isolate remembers of sessions that the authority has just confirmed.

use std::collections::BTreeMap;

use crate::id::{RouteId, SessionId};
use crate::session::EndReason;
use crate::time::{Lifetime, Timestamp};

/// Entries one isolate keeps: 20,000 of about 200 bytes, and some for the routes that are counted, are 5 MB of its 128.
const CAPACITY: usize = 20_000;

/// How long one request's question may take before another asks as well: more than a principal takes, less than a caller waits.
const FLIGHT: Lifetime = Lifetime::from_seconds(3);

/// Routes whose calls are counted for one session between two touches; calls of others are not counted.
const COUNTED_ROUTES: usize = 32;

/// What to do about a session before the request may pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ask {
    /// It has ended: nothing brings it back.
    Ended(EndReason),
    /// Ask the authority and wait for its answer.
    First,
    /// It was confirmed within the grain, or within the grain before and the authority is being told: pass.
    Nobody,
    /// It was confirmed within the grain before: pass, and tell the authority in the background.
    Later,
    /// Another request is asking: look again in a moment.
    Wait,
}

/// What an isolate knows of a session.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// The authority has counted a use, and nothing later.
    Alive {
        /// That use.
        used_at: Timestamp,
        /// When the authority was asked. The next question comes a grain later, so that there is one a grain.
        asked_at: Timestamp,
        /// Zero: every request asks.
        grain: Lifetime,
        /// Whether the touch of the second grain was asked for.
        is_told: bool,
    },
    /// It has ended, as was heard at some time.
    Ended { reason: EndReason, heard_at: Timestamp },
    /// Nothing yet.
    Nothing,
}

#[derive(Clone, Debug)]
struct Lease {
    known: Known,
    /// Since when a request asks, or tells.
    asking: Option<Timestamp>,
    /// Calls that the authority was not told of.
    usage: Vec<(RouteId, u32)>,
    /// The last of them.
    last_call: Timestamp,
}

impl Lease {
    /// Whether it is worth keeping at `now`. An end is: it saves questions about a token that somebody still tries.
    fn is_kept(&self, now: Timestamp) -> bool {
        match self.known {
            Known::Alive { used_at, grain, .. } => now <= used_at.after(grain.times(2)),
            Known::Ended { heard_at, .. } => now.is_within(ENDED_FOR, heard_at),
            Known::Nothing => self.asking.is_some_and(|since| now.is_within(FLIGHT, since)),
        }
    }
}

/// Before any call: only a request says when it came.
const NEVER: Timestamp = Timestamp::from_millis(0);

/// How long an end is remembered.
const ENDED_FOR: Lifetime = Lifetime::from_seconds(600);

/// The sessions that this isolate may answer for. See [`crate::session`] for the bound.
#[derive(Debug, Default)]
pub struct Leases(BTreeMap<SessionId, Lease>);

impl Leases {
    /// Nothing remembered.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Decides for one request at `now`. Answers [`Ask::Later`] once per grain: the caller owes the touch. Whoever hears
    /// [`Ask::First`] asks, and says what came of it: [`Self::confirm`], [`Self::end`] or [`Self::release`].
    pub fn ask(&mut self, id: &SessionId, now: Timestamp) -> Ask {
        self.make_room(id, now);
        let lease = self.0.entry(*id).or_insert(Lease {
            known: Known::Nothing,
            asking: None,
            usage: Vec::new(),
            last_call: NEVER,
        });
        match &mut lease.known {
            Known::Ended { reason, .. } => return Ask::Ended(*reason),
            Known::Alive { grain, .. } if *grain == Lifetime::ZERO => return Ask::First,
            // A clock that went back proves nothing: ask.
            Known::Alive { used_at, asked_at, grain, is_told } if *used_at <= now => {
                let is_bridged = now <= used_at.after(grain.times(2));
                if is_bridged && (*is_told || now <= asked_at.after(*grain)) {
                    return Ask::Nobody;
                }
                if is_bridged {
                    *is_told = true;
                    // Told at the end of the lease, the authority may answer after it: nobody else asks meanwhile.
                    lease.asking = Some(now);
                    return Ask::Later;
                }
            }
            Known::Alive { .. } | Known::Nothing => {}
        }
        if lease.asking.is_some_and(|since| now.is_within(FLIGHT, since)) {
            return Ask::Wait;
        }
        lease.asking = Some(now);
        Ask::First
    }

    /// Whether memory is enough for a request at `now`: [`Self::ask`] would say [`Ask::Nobody`] or [`Ask::Ended`].
    #[must_use]
    pub fn is_enough(&self, id: &SessionId, now: Timestamp) -> bool {
        self.0.get(id).is_some_and(|lease| match lease.known {
            Known::Alive { used_at, asked_at, grain, is_told } => {
                grain != Lifetime::ZERO
                    && used_at <= now
                    && now <= used_at.after(grain.times(2))
                    && (is_told || now <= asked_at.after(grain))
            }
            Known::Ended { .. } => true,
            Known::Nothing => false,
        })
    }

    /// How it ended, where it is known that it did.
    #[must_use]
    pub fn end_of(&self, id: &SessionId) -> Option<EndReason> {
        match self.0.get(id)?.known {
            Known::Ended { reason, .. } => Some(reason),
            Known::Alive { .. } | Known::Nothing => None,
        }
    }

    /// Counts a call that passes.
    pub fn count(&mut self, id: &SessionId, route: &RouteId, now: Timestamp) {
        let Some(lease) = self.0.get_mut(id) else { return };
        lease.last_call = lease.last_call.max(now);
        if let Some((_, calls)) = lease.usage.iter_mut().find(|(known, _)| known == route) {
            *calls = calls.saturating_add(1);
        } else if lease.usage.len() < COUNTED_ROUTES {
            lease.usage.push((route.clone(), 1));
        }
    }

    /// When the last call was that the authority was not told of, where there is one, the grain is over and nobody is
    /// telling it. Whoever hears this owes the touch.
    pub fn untold(&mut self, id: &SessionId, now: Timestamp) -> Option<Timestamp> {
        let lease = self.0.get_mut(id)?;
        match &mut lease.known {
            Known::Alive { asked_at, grain, is_told, .. }
                if !*is_told && !lease.usage.is_empty() && now > asked_at.after(*grain) =>
            {
                *is_told = true;
                lease.asking = Some(now);
                Some(lease.last_call)
            }
            _ => None,
        }
    }

    /// The calls that the authority is being told of now.
    pub fn take_usage(&mut self, id: &SessionId) -> Vec<(RouteId, u32)> {
        self.0.get_mut(id).map(|lease| std::mem::take(&mut lease.usage)).unwrap_or_default()
    }

    /// The authority, asked at `asked_at`, has counted a use at `used_at` and said alive.
    pub fn confirm(&mut self, id: SessionId, used_at: Timestamp, grain: Lifetime, asked_at: Timestamp) {
        let now = asked_at;
        self.make_room(&id, now);
        let fresh = Known::Alive { used_at, asked_at, grain, is_told: false };
        let lease = self.0.entry(id).or_insert(Lease {
            known: fresh,
            asking: None,
            usage: Vec::new(),
            last_call: NEVER,
        });
        lease.asking = None;
        let is_newer = match lease.known {
            Known::Alive { used_at: known, .. } => known < used_at,
            Known::Ended { .. } => false,
            Known::Nothing => true,
        };
        if is_newer {
            lease.known = fresh;
        }
    }

    /// The authority has said that it is over.
    pub fn end(&mut self, id: SessionId, reason: EndReason, now: Timestamp) {
        self.make_room(&id, now);
        let known = Known::Ended { reason, heard_at: now };
        self.0.insert(id, Lease { known, asking: None, usage: Vec::new(), last_call: NEVER });
    }

    /// The authority has not answered: the next request asks, and tells of these calls.
    pub fn release(&mut self, id: &SessionId, untold: Vec<(RouteId, u32)>) {
        if let Some(lease) = self.0.get_mut(id) {
            lease.asking = None;
            lease.usage.extend(untold);
        }
    }

    fn make_room(&mut self, id: &SessionId, now: Timestamp) {
        if self.0.len() >= CAPACITY && !self.0.contains_key(id) {
            self.0.retain(|_, lease| lease.is_kept(now));
            if self.0.len() >= CAPACITY {
                // Forgetting costs one question more, never a wrong answer.
                self.0.clear();
            }
        }
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
        leases.release(&id, Vec::new());
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
        leases.confirm(id, at(120), GRAIN, at(120));
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
    fn while_a_background_touch_is_on_its_way_the_others_wait_for_it_and_not_for_ever() {
        let mut leases = Leases::new();
        let id = session(0);
        leases.confirm(id, at(100), GRAIN, at(100));
        assert_eq!(leases.ask(&id, at(130)), Ask::Later);
        assert_eq!(leases.ask(&id, at(131)), Ask::Wait, "one touch a grain");
        leases.confirm(id, at(130), GRAIN, at(132));
        assert_eq!(leases.ask(&id, at(132)), Ask::Nobody);
        assert_eq!(leases.ask(&id, at(160)), Ask::Later);
        assert_eq!(leases.ask(&id, at(163)), Ask::Wait);
        assert_eq!(leases.ask(&id, at(164)), Ask::First, "it was lost");
    }

    #[test]
    fn strict_mode_asks_every_time_and_nobody_waits() {
        let mut leases = Leases::new();
        assert_eq!(leases.ask(&session(0), at(100)), Ask::First);
        leases.confirm(session(0), at(100), Lifetime::ZERO, at(100));
        for _ in 0..3 {
            assert!(!leases.is_enough(&session(0), at(100)));
            assert_eq!(leases.ask(&session(0), at(100)), Ask::First);
        }
    }

    #[test]
    fn while_one_asks_the_others_wait_and_not_for_ever() {
        let mut leases = Leases::new();
        let id = session(0);
        assert_eq!(leases.ask(&id, at(100)), Ask::First);
        assert_eq!(leases.ask(&id, at(100)), Ask::Wait);
        assert_eq!(leases.ask(&id, at(103)), Ask::Wait);
        assert_eq!(leases.ask(&id, at(104)), Ask::First, "whoever asked was given up");
        leases.release(&id, Vec::new());
        assert_eq!(leases.ask(&id, at(104)), Ask::First, "there was no answer");
        leases.confirm(id, at(104), GRAIN, at(104));
        assert_eq!(leases.ask(&id, at(104)), Ask::Nobody);
    }

    #[test]
    fn what_has_ended_is_not_asked_about_again_and_never_comes_back() {
        let mut leases = Leases::new();
        leases.confirm(session(0), at(100), GRAIN, at(100));
        assert_eq!(leases.ask(&session(0), at(99)), Ask::First, "a clock that goes back proves nothing");
        leases.end(session(0), EndReason::Roles, at(100));
        assert!(leases.is_enough(&session(0), at(100)));
        for now in [100, 105, 100_000] {
            assert_eq!(leases.ask(&session(0), at(now)), Ask::Ended(EndReason::Roles));
        }
        leases.confirm(session(0), at(200), GRAIN, at(200));
        assert_eq!(
            leases.ask(&session(0), at(200)),
            Ask::Ended(EndReason::Roles),
            "an older answer that comes late"
        );
    }

    #[test]
    fn calls_are_counted_by_route_until_they_are_told() {
        let mut leases = Leases::new();
        let id = session(0);
        let route = |n: usize| format!("r{n}").parse::<RouteId>().unwrap();
        leases.count(&id, &route(1), at(100));
        assert!(leases.take_usage(&id).is_empty(), "a session that is not known here");
        leases.confirm(id, at(100), GRAIN, at(100));
        for n in [1, 2, 1] {
            leases.count(&id, &route(n), at(100));
        }
        assert_eq!(leases.take_usage(&id), [(route(1), 2), (route(2), 1)]);
        assert!(leases.take_usage(&id).is_empty());
        for n in 0..100 {
            leases.count(&id, &route(n), at(100));
        }
        assert_eq!(leases.take_usage(&id).len(), COUNTED_ROUTES);
    }

    #[test]
    fn calls_that_nobody_tells_of_are_owed_once() {
        let mut leases = Leases::new();
        let (id, route) = (session(0), "r".parse::<RouteId>().unwrap());
        leases.confirm(id, at(100), GRAIN, at(100));
        assert_eq!(leases.untold(&id, at(116)), None, "there are none");
        leases.count(&id, &route, at(107));
        leases.count(&id, &route, at(105));
        assert_eq!(leases.untold(&id, at(115)), None, "the grain is not over");
        assert_eq!(leases.untold(&id, at(116)), Some(at(107)));
        assert_eq!(leases.untold(&id, at(117)), None, "somebody tells");
        assert_eq!(leases.ask(&id, at(120)), Ask::Nobody, "and nobody else has to");
        leases.confirm(id, at(107), GRAIN, at(116));
        assert_eq!(leases.ask(&id, at(131)), Ask::Nobody, "one question a grain");
        assert_eq!(leases.ask(&id, at(132)), Ask::Later);
        leases.confirm(id, at(108), GRAIN, at(133));
        assert_eq!(leases.ask(&id, at(138)), Ask::Nobody, "never beyond two grains after the use");
        assert_eq!(leases.ask(&id, at(139)), Ask::First);
        let other = session(1);
        assert_eq!(leases.ask(&other, at(100)), Ask::First, "by a request that came at 95");
        leases.confirm(other, at(95), GRAIN, at(100));
        leases.count(&other, &route, at(96));
        assert_eq!(
            leases.untold(&other, at(116)),
            Some(at(96)),
            "when a request came, not when one was told"
        );
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
