//! Standing grants, as one isolate remembers them: who was granted what, and until when it may be granted again.
//!
//! The principal has said so ([`crate::principal::Standing`]). Here is only the same question again: the same client with the
//! same secret, scopes and resources. Anything else is asked. What has ended meanwhile is ended all the same: the session of such
//! a token is refused when it is first used. So forgetting early, where this isolate hears of an end, is only for clients to hear
//! of it at the token endpoint.

use std::collections::BTreeMap;

use crate::encoding::Digest;
use crate::id::{ClientId, Locator, Nth, RealmName, SessionId};
use crate::principal::{Granted, Standing};
use crate::scope::ScopeSet;
use crate::session::EndReason;
use crate::time::Timestamp;

/// Clients that one isolate remembers grants of; a grant has about 500 bytes.
const CAPACITY: usize = 1_000;

/// Grants of one client: it asks for few things with few secrets.
const EACH: usize = 8;

/// What a client asks for, and what it proves itself by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Wanted {
    pub(super) realm: RealmName,
    pub(super) secret: Digest,
    pub(super) scopes: Option<ScopeSet>,
    pub(super) resources: Vec<String>,
}

/// One grant that stands.
#[derive(Debug)]
struct Held {
    wanted: Wanted,
    locator: Locator,
    granted: Granted,
    /// When the request came that asked the principal, by this isolate's clock.
    asked_at: Timestamp,
    /// How many sessions were opened under it.
    opened: u32,
}

impl Held {
    fn stands(&self, now: Timestamp) -> bool {
        let over = |standing: Standing| self.asked_at.after(standing.stands);
        self.asked_at <= now && self.granted.standing.is_some_and(|standing| now < over(standing))
    }

    /// The next session under it, as what a token is made of.
    fn open(&mut self, now: Timestamp) -> Option<Granted> {
        let standing = self.granted.standing?;
        let at = now.max(self.granted.at);
        let expires_at = at.after(standing.lasts).min(standing.ends_at);
        if expires_at <= at {
            return None;
        }
        let nth = Nth::new(at.since(self.granted.at), self.opened);
        self.opened = self.opened.checked_add(1)?;
        let local = SessionId::nth_of(&self.granted.local, nth);
        Some(Granted { local, at, expires_at, ..self.granted.clone() })
    }
}

/// The standing grants of one isolate.
#[derive(Debug, Default)]
pub struct StandingGrants(BTreeMap<ClientId, Vec<Held>>);

impl StandingGrants {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Opens a session under a grant that is remembered: where its principal is, and what a token is made of.
    pub(super) fn open(
        &mut self,
        client: &ClientId,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Option<(Locator, Granted)> {
        let held = self.0.get_mut(client)?;
        let one = held.iter_mut().find(|one| one.wanted == *wanted && one.stands(now))?;
        Some((one.locator, one.open(now)?))
    }

    /// Remembers a grant that stands, for which a request came `now`, and opens its first session.
    pub(super) fn begin(
        &mut self,
        client: &ClientId,
        wanted: Wanted,
        (locator, granted): (Locator, Granted),
        now: Timestamp,
    ) -> Option<Granted> {
        let mut new = Held { wanted, locator, granted, asked_at: now, opened: 0 };
        let first = new.open(now);
        if !self.0.contains_key(client) && self.0.len() >= CAPACITY {
            self.0.retain(|_, held| held.iter().any(|one| one.stands(now)));
            if self.0.len() >= CAPACITY {
                // Forgetting costs a question, never a wrong answer.
                self.0.clear();
            }
        }
        let held = self.0.entry(client.clone()).or_default();
        held.retain(|one| one.stands(now) && one.wanted != new.wanted);
        if held.len() >= EACH {
            held.remove(0);
        }
        held.push(new);
        first
    }

    /// The client has changed.
    pub(super) fn forget(&mut self, client: &ClientId) {
        self.0.remove(client);
    }

    /// A session of the principal at `locator` was found to have ended so.
    pub(crate) fn hear(&mut self, locator: Locator, reason: EndReason) {
        if reason.is_of_many() {
            self.0.retain(|_, held| {
                held.retain(|one| one.locator != locator);
                !held.is_empty()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Lifetime;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn wanted(secret: &[u8], scopes: &str) -> Wanted {
        Wanted {
            realm: "test".parse().unwrap(),
            secret: Digest::of(secret),
            scopes: Some(scopes.parse().unwrap()),
            resources: Vec::new(),
        }
    }

    fn client(n: usize) -> ClientId {
        format!("c{n}").parse().unwrap()
    }

    const PLACE: [u8; 32] = [1; 32];

    fn granted(granted_at: u64) -> (Locator, Granted) {
        let standing = Standing {
            stands: Lifetime::from_seconds(15),
            lasts: Lifetime::from_seconds(300),
            ends_at: at(1_310),
        };
        let granted = Granted {
            local: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            subject: "c1".to_owned(),
            scope: "a".parse().unwrap(),
            roles: Vec::new(),
            resources: Vec::new(),
            at: at(granted_at),
            expires_at: at(granted_at).after(Lifetime::from_seconds(300)),
            has_refresh: false,
            idle: None,
            nonce: None,
            sign_in: None,
            standing: Some(standing),
        };
        (Locator::from(PLACE), granted)
    }

    #[test]
    fn the_same_question_is_answered_as_long_as_the_grant_stands_and_each_time_with_another_session() {
        let mut known = StandingGrants::new();
        let one = wanted(b"right", "a");
        let first = known.begin(&client(1), one.clone(), granted(1_001), at(1_000)).unwrap();
        let (_, again) = known.open(&client(1), &one, at(1_001)).unwrap();
        assert_ne!(first.local, again.local, "each has a session of its own");
        assert_eq!((first.at, first.expires_at), (at(1_001), at(1_301)));
        let (_, late) = known.open(&client(1), &one, at(1_014)).unwrap();
        assert_eq!(late.expires_at, at(1_310), "it ends with the session");
        let (grant, nth) = SessionId::grant_of(&late.local).unwrap();
        assert_eq!((grant, nth.after()), (granted(1_001).1.local.as_str(), Lifetime::from_seconds(13)));
        assert!(known.open(&client(1), &one, at(1_015)).is_none(), "it stands for its grain");
    }

    #[test]
    fn another_secret_scope_realm_or_client_is_asked() {
        let mut known = StandingGrants::new();
        let one = wanted(b"right", "a");
        known.begin(&client(1), one.clone(), granted(1_000), at(1_000));
        let other_realm = Wanted { realm: "other".parse().unwrap(), ..one.clone() };
        let other_resource = Wanted { resources: vec!["https://api.example".to_owned()], ..one.clone() };
        let others = [wanted(b"wrong", "a"), wanted(b"right", "a b"), other_realm, other_resource];
        assert!(others.iter().all(|wanted| known.open(&client(1), wanted, at(1_001)).is_none()));
        assert!(known.open(&client(2), &one, at(1_001)).is_none());
        assert!(known.open(&client(1), &one, at(1_001)).is_some());
    }

    #[test]
    fn nothing_is_dated_before_the_principal_dates_it() {
        let mut known = StandingGrants::new();
        let first = known.begin(&client(1), wanted(b"right", "a"), granted(1_002), at(1_000)).unwrap();
        assert_eq!(
            (first.at, SessionId::grant_of(&first.local).unwrap().1),
            (at(1_002), Nth::new(Lifetime::ZERO, 0))
        );
        let mut over = granted(1_310);
        over.1.at = at(1_310);
        assert!(
            known.begin(&client(1), wanted(b"right", "b"), over, at(1_000)).is_none(),
            "nothing is left of it"
        );
    }

    #[test]
    fn what_ends_many_sessions_and_what_changes_a_client_makes_it_forget() {
        let mut known = StandingGrants::new();
        let one = wanted(b"right", "a");
        let begin = |known: &mut StandingGrants| {
            known.begin(&client(1), one.clone(), granted(1_000), at(1_000));
        };
        begin(&mut known);
        known.hear(Locator::from(PLACE), EndReason::Idle);
        known.hear(Locator::from([9; 32]), EndReason::Roles);
        assert!(known.open(&client(1), &one, at(1_001)).is_some());
        known.hear(Locator::from(PLACE), EndReason::Roles);
        assert!(known.open(&client(1), &one, at(1_001)).is_none());
        begin(&mut known);
        known.forget(&client(1));
        assert!(known.open(&client(1), &one, at(1_001)).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let mut known = StandingGrants::new();
        for n in 0..2_500 {
            known.begin(&client(n), wanted(b"right", "a"), granted(1_000), at(1_000));
            assert!(known.0.len() <= CAPACITY);
        }
        for n in 0..20 {
            let wanted = wanted(&[n], "a");
            known.begin(&client(1), wanted.clone(), granted(1_000), at(1_000));
            known.begin(&client(1), wanted, granted(1_000), at(1_000));
            assert_eq!(known.0[&client(1)].len(), EACH.min(usize::from(n) + 1));
        }
    }
}
