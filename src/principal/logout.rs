//! Telling clients that a person is not signed in any more (OpenID Connect Back-Channel Logout 1.0): who is owed a notice, and when it is tried.
//!
//! What ends sessions of a person owes, in the same step, a notice for each that was alive and whose client wants to hear of it. The alarm
//! sends them: at once, and where nobody takes it again and again, [`TRIES`] times, four times as long after each.

use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::id::{ClientId, RealmName, UserId};
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::sessions::StoredSession;
use crate::principal::user::Principal;
use crate::time::{Lifetime, Timestamp};

/// How often it is tried: over 28 minutes, which is how long a restart, or a deployment that went wrong, may take.
const TRIES: u32 = 6;

/// After the first try.
const PAUSE: Lifetime = Lifetime::from_seconds(5);

/// By then it has been tried as often as it is, or the object was not woken for so long that nobody needs it.
const KEPT: Lifetime = Lifetime::from_seconds(86_400);

/// The most notices that one ending owes, and the most sessions that a browser's end looks at one by one: all of a step is stored in one
/// statement, whose text the platform bounds to 2 MB. An ending never depends on them.
pub(super) const MOST_OWED: usize = 1_000;

/// What one alarm sends to one client: others do not wait for one that hangs.
const TO_ONE: usize = 2;

/// What one alarm sends: each may take three seconds.
const AT_ONCE: usize = 8;

/// A client that is to hear that a session is over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// The session: [`crate::id::SessionId::local`].
    pub local: String,
    /// Whose it was.
    pub client_id: ClientId,
    /// The person.
    pub subject: UserId,
    /// Their realm.
    pub realm: RealmName,
}

/// What became of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Told {
    /// The client heard it, or said that it does not want to.
    Done,
    /// Nobody took it.
    Failed,
}

/// As it is kept, by the session.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct StoredNotice {
    client_id: ClientId,
    subject: UserId,
    tries: u32,
    due: Timestamp,
}

impl<R: Rows> Draft<'_, R> {
    /// A notice is owed for a session of the person that is about to end, where its client wants one.
    pub(super) fn owe(
        &self,
        local: &str,
        session: &StoredSession,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let Some(user) = principal.user.as_ref().filter(|_| session.tells) else { return Ok(()) };
        let notice = StoredNotice {
            client_id: session.client_id.clone(),
            subject: user.id.clone(),
            tries: 0,
            due: now,
        };
        self.write(Kind::Logout, local, &notice, Some(now.after(KEPT)))
    }

    /// The same for every session that is alive and `ends`. `principal`: as it is before they end.
    pub(super) fn owe_all(
        &self,
        principal: &Principal,
        ends: impl Fn(&StoredSession) -> bool,
        now: Timestamp,
    ) -> Result<Vec<String>, Fault> {
        let mut ended = Vec::new();
        if principal.user.is_none() {
            return Ok(ended);
        }
        for (local, session) in self.stored::<StoredSession>(Kind::Session)? {
            if ends(&session) && self.is_alive(&session, principal, now)? {
                if ended.len() < MOST_OWED {
                    self.owe(&local, &session, principal, now)?;
                }
                ended.push(local);
            }
        }
        Ok(ended)
    }
}

/// What is to be sent now, and when something is next. Sending one takes [`noticed`].
///
/// # Errors
/// The rows cannot be read.
pub fn notices(rows: &impl Rows, now: Timestamp) -> Result<(Vec<Notice>, Option<Timestamp>), Fault> {
    let draft = Draft::new(rows);
    let mut owed = draft.stored::<StoredNotice>(Kind::Logout)?;
    owed.sort_by_key(|(_, notice)| notice.due);
    let next = owed.iter().map(|(_, notice)| notice.due).min();
    let Some(realm) = draft.principal()?.realm else { return Ok((Vec::new(), None)) };
    let mut sent: LiteMap<ClientId, usize> = LiteMap::new();
    let mut is_turn = |notice: &StoredNotice| {
        let count = sent.entry(notice.client_id.clone()).or_default();
        *count = count.saturating_add(1);
        *count <= TO_ONE
    };
    let due = owed.into_iter().filter(|(_, notice)| notice.due <= now && is_turn(notice)).take(AT_ONCE);
    let due = due.map(|(local, StoredNotice { client_id, subject, .. })| Notice {
        local,
        client_id,
        subject,
        realm: realm.clone(),
    });
    Ok((due.collect(), next))
}

/// What became of one. Whether it is given up.
///
/// # Errors
/// The rows cannot be read or written: then it is sent once more.
pub fn noticed(rows: &impl Rows, notice: &Notice, told: Told, now: Timestamp) -> Result<bool, Fault> {
    let draft = Draft::new(rows);
    let Some(owed) = draft.read::<StoredNotice>(Kind::Logout, &notice.local)? else { return Ok(false) };
    let tries = owed.tries.saturating_add(1);
    let is_given_up = told == Told::Failed && tries >= TRIES;
    if told == Told::Done || is_given_up {
        draft.delete(Kind::Logout, &notice.local);
    } else {
        let due = now.after(PAUSE.times(4_u64.saturating_pow(owed.tries)));
        draft.write(
            Kind::Logout,
            &notice.local,
            &StoredNotice { tries, due, ..owed },
            Some(due.after(KEPT)),
        )?;
    }
    draft.commit()?;
    Ok(is_given_up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let notice = StoredNotice {
            client_id: "c1".parse().unwrap(),
            subject: "u1".parse().unwrap(),
            tries: 1,
            due: Timestamp::from_seconds(9),
        };
        let text = r#"{"client_id":"c1","subject":"u1","tries":1,"due":9000}"#;
        assert_eq!(serde_json::to_string(&notice).unwrap(), text);
    }
}
