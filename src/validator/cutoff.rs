//! Cut-offs, as one isolate knows them: for realms whose edges ask no principal.
//!
//! A token is dead when its principal has said so ([`crate::principal::Cutoffs`]). The copy in KV may be 60 s late, and an
//! isolate remembers it for [`KEPT`]: so late is a revocation at most.

use std::collections::BTreeMap;

use crate::config::KeySource;
use crate::error::{Denied, Error, Fault};
use crate::id::{Locator, SessionId};
use crate::port::{Cutoffs as _, Ports};
use crate::principal::Cutoffs;
use crate::time::{Lifetime, Timestamp};
use crate::validator::AccessToken;

/// How long an isolate remembers what it has read.
const KEPT: Lifetime = Lifetime::from_seconds(30);

/// Principals that one isolate remembers: most have no cut-off, which takes some 100 bytes.
const CAPACITY: usize = 10_000;

/// What an isolate remembers of cut-offs.
#[derive(Debug, Default)]
pub(crate) struct CutoffCache(BTreeMap<Locator, (Timestamp, Cutoffs)>);

impl CutoffCache {
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn find(&self, locator: Locator, now: Timestamp) -> Option<&Cutoffs> {
        self.0.get(&locator).filter(|(read_at, _)| now.is_within(KEPT, *read_at)).map(|(_, cutoffs)| cutoffs)
    }

    fn put(&mut self, locator: Locator, now: Timestamp, cutoffs: Cutoffs) {
        if self.0.len() >= CAPACITY && !self.0.contains_key(&locator) {
            self.0.retain(|_, (read_at, _)| now.is_within(KEPT, *read_at));
            if self.0.len() >= CAPACITY {
                // Forgetting costs a read, never a wrong answer.
                self.0.clear();
            }
        }
        self.0.insert(locator, (now, cutoffs));
    }
}

/// Refuses a token that its principal has declared dead.
pub(super) async fn check<P: Ports>(
    token: &AccessToken,
    session: SessionId,
    ports: &P,
    now: Timestamp,
) -> Result<(), Error> {
    let locator = session.locator();
    let issued_at = token.claims().issued_at.ok_or(Denied::LackClaim("iat"))?;
    let kills = |cutoffs: &Cutoffs| cutoffs.kill(token.client(), &session.local(), issued_at);
    let known = ports.isolate().cutoffs.borrow().find(locator, now).map(kills);
    let is_dead = if let Some(is_dead) = known {
        is_dead
    } else {
        let KeySource::Realm(realm, _) = &token.issuer.keys else {
            return Err(Fault::new("read cut-offs", "only realms have them").into());
        };
        ports.may_wait().await;
        let cutoffs = ports.cutoffs().find(realm.realm(), locator).await?;
        let is_dead = kills(&cutoffs);
        ports.isolate().cutoffs.borrow_mut().put(locator, now, cutoffs);
        is_dead
    };
    if is_dead { Err(Denied::EndSession.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_short() {
        let mut cache = CutoffCache::new();
        let at = Timestamp::from_seconds;
        for n in 0..25_000_u32 {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            cache.put(Locator::from(bytes), at(100), Cutoffs::default());
            assert!(cache.0.len() <= CAPACITY);
        }
        let locator = Locator::from([7; 32]);
        cache.put(locator, at(100), Cutoffs::default());
        assert!(cache.find(locator, at(130)).is_some());
        assert!(cache.find(locator, at(131)).is_none());
        assert!(cache.find(locator, at(60)).is_none(), "a clock that went back proves nothing");
    }
}
