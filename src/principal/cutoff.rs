//! Cut-offs: "tokens that were issued until then are dead", for validators that do not ask the principal.
//!
//! The principal is the authority. KV has a copy, which is written after the step that changed it and before its answer
//! leaves; where that fails, the object's alarm writes it. `iat` counts in seconds, so a cut-off kills every token of its
//! second, and what the principal grants after it is dated into the next ([`crate::principal::Granted::at`]).

use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::id::ClientId;
use crate::time::{Lifetime, Timestamp};

/// How long an access token lives at most (`access_token_seconds` of a realm), and a little more: after that, a cut-off
/// has nothing left to kill.
pub const CUTOFF_KEPT: Lifetime = Lifetime::from_seconds(86_400 + 600);

/// How many clients are cut off one by one: more of them cut off everything, so that a cut-off can always be written.
const MOST_CLIENTS: usize = 1000;

/// How long after its end a token may still pass: the leeway of validators, clocks that differ, and a second's rounding.
pub(super) const LEEWAY: Lifetime = Lifetime::from_seconds(10);

/// Which tokens of one principal are dead. In KV under [`super::cutoff_key`]; a test pins the shape.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cutoffs {
    /// Those with an `iat` up to this, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<u64>,
    /// Those of one client, likewise.
    #[serde(default, skip_serializing_if = "LiteMap::is_empty")]
    pub clients: LiteMap<ClientId, u64>,
    /// Those of one session, and until when such tokens may live, in seconds.
    #[serde(default, skip_serializing_if = "LiteMap::is_empty")]
    pub sessions: LiteMap<String, u64>,
}

impl Cutoffs {
    /// Whether a token is dead.
    #[must_use]
    pub fn kill(&self, client: Option<&str>, session: &str, issued_at: Timestamp) -> bool {
        let issued = issued_at.as_seconds();
        let until = |end: &u64| issued <= *end;
        self.all.as_ref().is_some_and(until)
            || self.sessions.contains_key(session)
            || client.is_some_and(|name| {
                self.clients.iter().any(|(known, end)| known.as_str() == name && until(end))
            })
    }

    /// Every token of this client is dead that was issued until now.
    pub(super) fn cut_client(&mut self, client: ClientId, now: Timestamp) {
        if self.clients.len() >= MOST_CLIENTS && !self.clients.contains_key(&client) {
            return self.cut_all(now);
        }
        let end = self.clients.entry(client).or_default();
        *end = (*end).max(now.as_seconds());
    }

    /// Every token is dead that was issued until now.
    pub(super) fn cut_all(&mut self, now: Timestamp) {
        let end = self.all.unwrap_or_default().max(now.as_seconds());
        self.all = Some(end);
        self.clients.retain(|_, known| *known > end);
    }

    /// The first instant at which a token of this client may be dated.
    pub(super) fn after(&self, client: &ClientId, now: Timestamp) -> Timestamp {
        let ends = [self.all, self.clients.get(client).copied()];
        ends.into_iter().flatten().fold(now, |at, end| at.max(Timestamp::from_seconds(end.saturating_add(1))))
    }

    /// Without what has nothing left to kill.
    pub(super) fn pruned(mut self, now: Timestamp) -> Self {
        let counts = |end: u64| now <= Timestamp::from_seconds(end).after(CUTOFF_KEPT);
        self.all = self.all.filter(|end| counts(*end));
        self.clients.retain(|_, end| counts(*end));
        self.sessions.retain(|_, until| now <= Timestamp::from_seconds(*until).after(LEEWAY));
        self
    }

    /// Whether it kills nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The authority's own copy.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct StoredCutoffs {
    pub(super) cutoffs: Cutoffs,
    /// Counts changes.
    pub(super) version: u64,
    /// The last version that KV is known to have.
    pub(super) published: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn cutoffs() -> Cutoffs {
        Cutoffs {
            all: Some(100),
            clients: [("c1".parse().unwrap(), 200)].into_iter().collect(),
            sessions: [("s1".to_owned(), 300)].into_iter().collect(),
        }
    }

    #[test]
    fn a_token_of_the_second_itself_is_dead_and_one_of_the_next_is_not() {
        let cutoffs = cutoffs();
        assert!(cutoffs.kill(None, "s", at(100)) && !cutoffs.kill(None, "s", at(101)));
        assert!(cutoffs.kill(Some("c1"), "s", at(200)) && !cutoffs.kill(Some("c1"), "s", at(201)));
        assert!(!cutoffs.kill(Some("c2"), "s", at(150)));
        assert!(
            cutoffs.kill(Some("c2"), "s1", at(10_000)),
            "a session is dead whenever its token was issued"
        );
    }

    #[test]
    fn cut_offs_of_clients_take_no_more_room_than_there_is() {
        let mut cutoffs = cutoffs();
        let issued = at(400);
        for number in 0..10_000 {
            let client = format!("c{number}");
            cutoffs.cut_client(client.parse().unwrap(), issued);
            assert!(cutoffs.kill(Some(&client), "s", issued) && !cutoffs.kill(Some(&client), "s", at(401)));
            assert!(cutoffs.clients.len() <= MOST_CLIENTS);
        }
        assert!(cutoffs.kill(Some("c0"), "s", issued) && cutoffs.kill(None, "s", issued));
        cutoffs.cut_client("late".parse().unwrap(), at(500));
        cutoffs.cut_all(at(450));
        assert_eq!((cutoffs.all, cutoffs.clients.len()), (Some(450), 1), "what is later stays");
    }

    #[test]
    fn what_is_granted_after_a_cut_off_outlives_it() {
        let client = "c1".parse().unwrap();
        for now in [at(50), at(200), Timestamp::from_millis(200_999)] {
            let issued = cutoffs().after(&client, now);
            assert!(!cutoffs().kill(Some("c1"), "s", issued), "{now:?}");
        }
        assert_eq!(cutoffs().after(&client, at(500)), at(500));
    }

    #[test]
    fn what_has_nothing_left_to_kill_is_dropped() {
        assert_eq!(cutoffs().pruned(at(250)), cutoffs());
        assert_eq!(cutoffs().pruned(at(310)), cutoffs(), "a token lives for its leeway longer");
        assert!(cutoffs().pruned(at(311)).sessions.is_empty());
        assert!(cutoffs().pruned(at(200_000)).is_empty());
    }

    #[test]
    fn the_published_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        assert_eq!(
            serde_json::to_string(&cutoffs()).unwrap(),
            r#"{"all":100,"clients":{"c1":200},"sessions":{"s1":300}}"#
        );
        assert_eq!(serde_json::to_string(&Cutoffs::default()).unwrap(), "{}");
        let stored = StoredCutoffs { cutoffs: Cutoffs::default(), version: 2, published: 1 };
        assert_eq!(serde_json::to_string(&stored).unwrap(), r#"{"cutoffs":{},"version":2,"published":1}"#);
    }
}
