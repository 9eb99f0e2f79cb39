//! The sessions of one principal: opened, used, ended.
//!
//! What ends all sessions of a principal, or of one of its clients, is one mark with a number: every session that was opened
//! before it is over. So it is one step however many there are, and a session that is opened after it is not touched by it.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::{GRACE, Refresh, SignInMethod};
use crate::id::{ClientId, Role, RouteId, SessionId};
use crate::principal::client::{StoredClient, Usage};
use crate::principal::cutoff::{CUTOFF_KEPT, StoredCutoffs};
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::user::Principal;
use crate::principal::{Client, Granted, SignedIn};
use crate::scope::ScopeSet;
use crate::session::{EndReason, Session, Touch};
use crate::time::{Lifetime, Timestamp};

/// A mark: every session that was opened before it is over.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Ended {
    /// Sessions with a smaller number were opened before.
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) reason: EndReason,
}

/// One session as it is kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct StoredSession {
    /// The client that its tokens were given to.
    pub(super) client_id: ClientId,
    /// Whether that client is kept here too: then the session does not outlive it.
    pub(super) own_client: bool,
    pub(super) scope: ScopeSet,
    pub(super) resources: Vec<String>,
    pub(super) seq: u64,
    pub(super) opened_at: Timestamp,
    /// When the last of what it has handed out is over.
    pub(super) needed_until: Timestamp,
    pub(super) auth_time: Option<Timestamp>,
    /// What the person proved themselves by.
    #[serde(default, skip_serializing_if = "SignInMethod::is_usual")]
    pub(super) method: SignInMethod,
    pub(super) state: Session,
    /// The thumbprint of the key that its refresh tokens are bound to (RFC 9449 section 5): those of public clients, which prove nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Digest>,
    /// Since when, where it was not so from the beginning: what was spent before was not bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key_since: Option<Timestamp>,
    /// The browser that the person was signed in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) browser: Option<Digest>,
    /// Whether its client wants to hear that it is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) tells: bool,
}

/// How long it is known why a session ended.
const TOLD_FOR: Lifetime = Lifetime::from_seconds(86_400);

/// The same, where nobody has come to hear that it fell idle; and longer than any touch is on its way.
const TOLD_IDLE: Lifetime = Lifetime::from_seconds(600);

/// Where the client of a session is kept.
#[derive(Clone, Copy)]
enum Keeper<'c> {
    /// At another principal.
    Elsewhere,
    /// Here, if it is still there.
    Here(Option<&'c StoredClient>),
}

impl StoredSession {
    /// What has ended it although it does not say so itself: an ending of its principal, or of its client where that is kept
    /// here (`own`), or that there is no such client any more.
    fn ended_by(&self, principal: &Principal, own: Keeper<'_>, now: Timestamp) -> Option<Ended> {
        let before = |ended: &Ended| self.seq < ended.seq;
        let over = |at| Some(Ended { seq: u64::MAX, at, reason: EndReason::Credential });
        if let Some(ended) = principal.ended.filter(before) {
            return Some(ended);
        }
        match own {
            Keeper::Elsewhere => None,
            Keeper::Here(None) => over(self.opened_at),
            Keeper::Here(Some(stored)) => match stored.client.expires_at {
                Some(end) if end <= now => over(end),
                _ => stored.ended.filter(before),
            },
        }
    }

    /// Whether it is alive, for whoever looks at many of them.
    pub(super) fn is_alive(&self, principal: &Principal, client: &StoredClient, now: Timestamp) -> bool {
        let own = if self.own_client { Keeper::Here(Some(client)) } else { Keeper::Elsewhere };
        self.ended_by(principal, own, now).is_none() && matches!(self.state.touch(now).1, Touch::Alive { .. })
    }
}

/// Cut-offs of single sessions: more are one of their client.
const MAX_CUT_SESSIONS: usize = 1_000;

/// The one row of its kind.
pub(super) const SELF: &str = "self";

/// How long a count is kept after the last call: a year, and a while to look at it.
const USAGE_KEPT: Lifetime = Lifetime::from_seconds(400 * 86_400);

impl<R: Rows> Draft<'_, R> {
    pub(super) fn principal(&self) -> Result<Principal, Fault> {
        Ok(self.read(Kind::Principal, SELF)?.unwrap_or_default())
    }

    pub(super) fn save_principal(&self, principal: &Principal) -> Result<(), Fault> {
        self.write(Kind::Principal, SELF, principal, None)
    }

    pub(super) fn client(&self, id: &ClientId) -> Result<Option<StoredClient>, Fault> {
        self.read(Kind::Client, id.as_str())
    }

    pub(super) fn save_client(&self, client: &StoredClient) -> Result<(), Fault> {
        self.write(Kind::Client, client.client.client_id.as_str(), client, None)
    }

    pub(super) fn session(&self, local: &str) -> Result<Option<StoredSession>, Fault> {
        let stored = self.read(Kind::Session, local)?;
        if stored.is_some() { Ok(stored) } else { self.under_grant(local) }
    }

    pub(super) fn save_session(&self, local: &str, session: &StoredSession) -> Result<(), Fault> {
        // Kept as long as anything of it may be presented; and when it has ended, a while: whoever asks is told why.
        let clear_at = match session.state {
            Session::Open { ends_at, last_seen, pace } => {
                let idle = pace.idle().map_or(ends_at, |idle| {
                    last_seen.after(idle).after(pace.grain().times(2)).after(TOLD_IDLE)
                });
                ends_at.min(idle).min(session.needed_until)
            }
            // One that its grant would open again is kept as long as that.
            Session::Ended { .. } if SessionId::grant_of(local).is_some() => session.needed_until,
            Session::Ended { at, ends_at, .. } => ends_at.min(at.after(TOLD_FOR)).min(session.needed_until),
        };
        self.write(Kind::Session, local, session, Some(clear_at))
    }

    pub(super) fn save_refresh(&self, digest: &Digest, refresh: &Refresh) -> Result<(), Fault> {
        // One that is spent is told again within the grace, also at its end.
        let spent = refresh.spent.map(|spent| spent.at.after(GRACE));
        let clear_at = Some(refresh.expires_at).max(spent);
        self.write(Kind::Refresh, &digest.to_string(), refresh, clear_at)
    }

    /// What a token of a session is made of, as of now.
    pub(super) fn granted(
        &self,
        local: &str,
        session: &StoredSession,
        principal: &Principal,
        (now, lasts): (Timestamp, Lifetime),
    ) -> Result<Granted, Fault> {
        let (subject, roles) = self.speaks_for(session, principal)?;
        let cutoffs: StoredCutoffs = self.read(Kind::Cutoff, SELF)?.unwrap_or_default();
        let at = cutoffs.cutoffs.after(&session.client_id, now);
        let (ends_at, idle) = match session.state {
            Session::Open { ends_at, pace, .. } => (ends_at, pace.idle()),
            Session::Ended { at, .. } => (at, None),
        };
        Ok(Granted {
            local: local.to_owned(),
            subject,
            scope: session.scope.clone(),
            roles,
            resources: session.resources.clone(),
            at,
            expires_at: at.after(lasts).min(ends_at),
            has_refresh: true,
            idle,
            nonce: None,
            standing: None,
            // OpenID Connect Core section 12.2: an ID token of a refresh says when the person signed in, and no `nonce`.
            sign_in: session.auth_time.map(|auth_time| SignedIn {
                auth_time,
                nonce: None,
                method: session.method,
            }),
        })
    }

    /// `sub`, and the roles as of now: a client that is kept here has a part of its owner's roles, or its own where it has
    /// no owner; a client that is not has what the person has.
    pub(super) fn speaks_for(
        &self,
        session: &StoredSession,
        principal: &Principal,
    ) -> Result<(String, Vec<Role>), Fault> {
        let own = if session.own_client { self.client(&session.client_id)? } else { None };
        Ok(match (&principal.user, own) {
            (Some(user), Some(stored)) => {
                let mut roles = stored.client.roles;
                roles.retain(|role| user.roles.contains(role));
                (user.id.as_str().to_owned(), roles)
            }
            (Some(user), None) => (user.id.as_str().to_owned(), user.roles.clone()),
            (None, Some(stored)) => (session.client_id.as_str().to_owned(), stored.client.roles),
            (None, None) => (session.client_id.as_str().to_owned(), Vec::new()),
        })
    }

    /// Why a session is over although it does not say so itself.
    fn ended(
        &self,
        session: &StoredSession,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<Option<Ended>, Fault> {
        let client = if session.own_client { self.client(&session.client_id)? } else { None };
        let keeper = if session.own_client { Keeper::Here(client.as_ref()) } else { Keeper::Elsewhere };
        if let Some(ended) = session.ended_by(principal, keeper, now) {
            return Ok(Some(ended));
        }
        // Only what a person has allowed can be taken back.
        let taken_back =
            if session.auth_time.is_some() { self.taken_back(&session.client_id)? } else { None };
        Ok(taken_back.filter(|ended| session.seq < ended.seq))
    }

    /// A session that is alive at `now`, which counts as a use.
    pub(super) fn used(
        &self,
        local: &str,
        used_at: Timestamp,
    ) -> Result<(Option<StoredSession>, Touch), Fault> {
        // One that was cleared is over: it was cleared because nothing of it counted any more.
        let stored = self.read(Kind::Session, local)?;
        let session = if stored.is_some() { stored.clone() } else { self.under_grant(local)? };
        let Some(session) = session else {
            return Ok((None, Touch::Ended(EndReason::Limit)));
        };
        let (state, touch) = match self.ended(&session, &self.principal()?, used_at)? {
            Some(Ended { at, reason, .. }) => session.state.end(at, reason).touch(used_at),
            None => session.state.touch(used_at),
        };
        let next = StoredSession { state, ..session };
        if stored.is_none() && !self.makes_room()? {
            return Err(Fault::new("use session", "the principal has too many sessions"));
        }
        if stored.as_ref() != Some(&next) {
            self.save_session(local, &next)?;
        }
        Ok((Some(next).filter(|_| matches!(touch, Touch::Alive { .. })), touch))
    }

    /// Whether a session is alive, for whoever looks at many of them.
    pub(super) fn is_alive(
        &self,
        session: &StoredSession,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let is_over = self.ended(session, principal, now)?.is_some();
        Ok(!is_over && matches!(session.state.touch(now).1, Touch::Alive { .. }))
    }

    /// A session that is alive at `now`, without using it.
    pub(super) fn alive(&self, local: &str, now: Timestamp) -> Result<Option<StoredSession>, Fault> {
        let Some(session) = self.session(local)? else { return Ok(None) };
        if self.ended(&session, &self.principal()?, now)?.is_some() {
            return Ok(None);
        }
        Ok(Some(session).filter(|session| matches!(session.state.touch(now).1, Touch::Alive { .. })))
    }

    /// Ends one session.
    pub(super) fn end_session(&self, local: &str, reason: EndReason, now: Timestamp) -> Result<(), Fault> {
        let stored: Option<StoredSession> = self.read(Kind::Session, local)?;
        // One that is over because its grant does not hold is written all the same: the grant may hold again.
        let is_written = stored.is_some();
        let found = if is_written { stored } else { self.under_grant(local)? };
        let Some(session) = found else { return Ok(()) };
        let state = session.state.end(now, reason);
        if state != session.state || !is_written {
            let Session::Ended { ends_at, .. } = state else { return Ok(()) };
            let (client, needed_until) = (session.client_id.clone(), session.needed_until);
            self.save_session(local, &StoredSession { state, ..session })?;
            self.cut(now, |cutoffs| {
                if cutoffs.sessions.len() < MAX_CUT_SESSIONS {
                    // No access token lives longer, whatever its session would have.
                    let until = ends_at.min(needed_until).min(now.after(CUTOFF_KEPT));
                    cutoffs.sessions.insert(local.to_owned(), until.as_seconds());
                } else {
                    cutoffs.cut_client(client, now);
                }
            })?;
        }
        Ok(())
    }

    /// Ends every session of the principal.
    pub(super) fn end_all(
        &self,
        principal: &mut Principal,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<(), Fault> {
        // Where somebody was deleted, the row still says who they were.
        self.owe_all(&self.principal()?, |session| session.tells, now)?;
        principal.seq = principal.seq.saturating_add(1);
        principal.ended = Some(Ended { seq: principal.seq, at: now, reason });
        self.save_principal(principal)?;
        self.cut(now, |cutoffs| cutoffs.cut_all(now))
    }

    /// Ends every session of one client that is kept here.
    pub(super) fn end_client(
        &self,
        client: &mut StoredClient,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let mut principal = self.principal()?;
        principal.seq = principal.seq.saturating_add(1);
        client.ended = Some(Ended { seq: principal.seq, at: now, reason });
        self.save_principal(&principal)?;
        let id = client.client.client_id.clone();
        self.cut(now, |cutoffs| {
            cutoffs.cut_client(id, now);
        })
    }

    /// Publishes that the tokens of one client are dead.
    pub(super) fn cut_client(&self, client: ClientId, now: Timestamp) -> Result<(), Fault> {
        self.cut(now, |cutoffs| cutoffs.cut_client(client, now))
    }

    /// Changes the cut-offs. Instants never go back: what was dead stays so.
    fn cut(&self, now: Timestamp, change: impl FnOnce(&mut super::Cutoffs)) -> Result<(), Fault> {
        let stored: StoredCutoffs = self.read(Kind::Cutoff, SELF)?.unwrap_or_default();
        let mut cutoffs = stored.cutoffs.pruned(now);
        change(&mut cutoffs);
        let version = stored.version.saturating_add(1);
        self.write(Kind::Cutoff, SELF, &StoredCutoffs { cutoffs, version, published: stored.published }, None)
    }

    /// Where the last client of nobody is gone, so is the principal, when the last cut-off has nothing left to kill.
    pub(super) fn forget_nobody(&self, gone: &Client, now: Timestamp) -> Result<(), Fault> {
        let others = self.stored::<StoredClient>(Kind::Client)?;
        let is_last = others.iter().all(|(id, _)| id == gone.client_id.as_str());
        let principal = self.principal()?;
        if is_last && principal.user.is_none() {
            let clear_at = Some(now.after(CUTOFF_KEPT));
            self.write(Kind::Principal, SELF, &principal, clear_at)?;
            let cutoffs: StoredCutoffs = self.read(Kind::Cutoff, SELF)?.unwrap_or_default();
            self.write(Kind::Cutoff, SELF, &cutoffs, clear_at)?;
        }
        Ok(())
    }

    /// When the cut-offs may be cleared: never, but where nobody is left whose tokens they could kill, a day from `now`.
    pub(super) fn cutoffs_clear_at(&self, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
        let is_nobody =
            self.principal()?.user.is_none() && self.stored::<StoredClient>(Kind::Client)?.is_empty();
        Ok(is_nobody.then(|| now.after(CUTOFF_KEPT)))
    }

    /// Counts calls.
    pub(super) fn count(
        &self,
        client: &ClientId,
        usage: &[(RouteId, u32)],
        used_at: Timestamp,
    ) -> Result<(), Fault> {
        for (route, calls) in usage {
            let key = format!("{client}/{route}");
            let known: Option<Usage> = self.read(Kind::Usage, &key)?;
            let known = known.unwrap_or(Usage { count: 0, first: used_at, last: used_at });
            let count = known.count.saturating_add(u64::from(*calls));
            let last = known.last.max(used_at);
            self.write(Kind::Usage, &key, &Usage { count, last, ..known }, Some(last.after(USAGE_KEPT)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Pace;

    #[test]
    fn the_stored_shapes_are_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let at = Timestamp::from_seconds;
        let pace = Pace::new(Some(Lifetime::from_seconds(60)), Lifetime::from_seconds(15));
        let session = StoredSession {
            client_id: "c1".parse().unwrap(),
            own_client: true,
            scope: "a b".parse().unwrap(),
            resources: vec![],
            seq: 3,
            opened_at: at(1),
            needed_until: at(9),
            auth_time: None,
            method: SignInMethod::Password,
            state: Session::open(at(1), pace, at(10)),
            key: None,
            key_since: None,
            browser: None,
            tells: false,
        };
        assert_eq!(
            serde_json::to_string(&session).unwrap(),
            concat!(
                r#"{"client_id":"c1","own_client":true,"scope":"a b","resources":[],"seq":3,"opened_at":1000,"needed_until":9000,"auth_time":null,"#,
                r#""state":{"state":"open","ends_at":10000,"last_seen":1000,"pace":{"idle":60000,"grain":15000}}}"#
            )
        );
        let key = Digest::of(b"key");
        let bound = serde_json::to_string(&StoredSession { key: Some(key), ..session.clone() }).unwrap();
        assert!(bound.ends_with(&format!(r#""grain":15000}}}},"key":"{key}"}}"#)), "{bound}");
        let usage = Usage { count: 2, first: at(1), last: at(2) };
        assert_eq!(serde_json::to_string(&usage).unwrap(), r#"{"count":2,"first":1000,"last":2000}"#);
    }
}
