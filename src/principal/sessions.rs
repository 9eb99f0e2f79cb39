//! The sessions of one principal: opened, used, ended.
//!
//! What ends all sessions of a principal, or of one of its clients, is one mark with a number: every session that was opened
//! before it is over. So it is one step however many there are, and a session that is opened after it is not touched by it.

use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::id::{ClientId, Role, RouteId};
use crate::principal::client::{StoredClient, Usage};
use crate::principal::cutoff::StoredCutoffs;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::user::Principal;
use crate::principal::{Granted, NewSession, SignedIn};
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
    pub(super) auth_time: Option<Timestamp>,
    pub(super) state: Session,
}

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
        self.read(Kind::Session, local)
    }

    pub(super) fn save_session(&self, local: &str, session: &StoredSession) -> Result<(), Fault> {
        // Ended before its time, it is kept to the end of what it handed out: whoever asks is told why.
        let clear_at = match session.state {
            Session::Open { ends_at, .. } | Session::Ended { ends_at, .. } => ends_at,
        };
        self.write(Kind::Session, local, session, Some(clear_at))
    }

    /// Opens a session and says what a token of it is made of.
    pub(super) fn open(&self, opening: Opening<'_>, now: Timestamp) -> Result<Granted, Fault> {
        let Opening { client_id, own_client, new, scope, sign_in } = opening;
        let mut principal = self.principal()?;
        principal.seq = principal.seq.saturating_add(1);
        let ends_at = now.after(new.terms.session);
        let session = StoredSession {
            client_id: client_id.clone(),
            own_client,
            scope,
            resources: new.resources.clone(),
            seq: principal.seq,
            opened_at: now,
            auth_time: sign_in.as_ref().map(|sign_in| sign_in.auth_time),
            state: Session::open(now, new.terms.pace, ends_at),
        };
        self.save_principal(&principal)?;
        self.save_session(&new.local, &session)?;
        let mut granted = self.granted(&new.local, &session, &principal, now)?;
        granted.sign_in = sign_in;
        Ok(granted)
    }

    /// What a token of a session is made of, as of now.
    pub(super) fn granted(
        &self,
        local: &str,
        session: &StoredSession,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<Granted, Fault> {
        let (subject, roles) = self.speaks_for(session, principal)?;
        let cutoffs: StoredCutoffs = self.read(Kind::Cutoff, SELF)?.unwrap_or_default();
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
            at: cutoffs.cutoffs.after(&session.client_id, now),
            ends_at,
            idle,
            nonce: None,
            sign_in: None,
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
    fn ended(&self, session: &StoredSession, principal: &Principal) -> Result<Option<Ended>, Fault> {
        let before = |ended: &Ended| session.seq < ended.seq;
        if let Some(ended) = principal.ended.filter(before) {
            return Ok(Some(ended));
        }
        if !session.own_client {
            return Ok(None);
        }
        Ok(match self.client(&session.client_id)? {
            Some(stored) => stored.ended.filter(before),
            None => Some(Ended { seq: u64::MAX, at: session.opened_at, reason: EndReason::Credential }),
        })
    }

    /// A session that is alive at `now`, which counts as a use.
    pub(super) fn used(
        &self,
        local: &str,
        used_at: Timestamp,
    ) -> Result<(Option<StoredSession>, Touch), Fault> {
        // One that was cleared is over: it was cleared because its absolute limit had passed.
        let Some(session) = self.session(local)? else {
            return Ok((None, Touch::Ended(EndReason::Limit)));
        };
        let (state, touch) = match self.ended(&session, &self.principal()?)? {
            Some(Ended { at, reason, .. }) => session.state.end(at, reason).touch(used_at),
            None => session.state.touch(used_at),
        };
        let next = StoredSession { state, ..session.clone() };
        if next != session {
            self.save_session(local, &next)?;
        }
        Ok((Some(next).filter(|_| matches!(touch, Touch::Alive { .. })), touch))
    }

    /// A session that is alive at `now`, without using it.
    pub(super) fn alive(&self, local: &str, now: Timestamp) -> Result<Option<StoredSession>, Fault> {
        let Some(session) = self.session(local)? else { return Ok(None) };
        if self.ended(&session, &self.principal()?)?.is_some() {
            return Ok(None);
        }
        Ok(Some(session).filter(|session| matches!(session.state.touch(now).1, Touch::Alive { .. })))
    }

    /// Ends one session.
    pub(super) fn end_session(&self, local: &str, reason: EndReason, now: Timestamp) -> Result<(), Fault> {
        let Some(session) = self.session(local)? else { return Ok(()) };
        let state = session.state.end(now, reason);
        if state != session.state {
            let Session::Ended { ends_at, .. } = state else { return Ok(()) };
            self.save_session(local, &StoredSession { state, ..session })?;
            self.cut(now, |cutoffs| {
                cutoffs.sessions.insert(local.to_owned(), ends_at.as_seconds());
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
        principal.seq = principal.seq.saturating_add(1);
        principal.ended = Some(Ended { seq: principal.seq, at: now, reason });
        self.save_principal(principal)?;
        self.cut(now, |cutoffs| cutoffs.all = Some(now.as_seconds()))
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
            cutoffs.clients.insert(id, now.as_seconds());
        })
    }

    /// Changes the cut-offs. Instants never go back: what was dead stays so.
    fn cut(&self, now: Timestamp, change: impl FnOnce(&mut super::Cutoffs)) -> Result<(), Fault> {
        let stored: StoredCutoffs = self.read(Kind::Cutoff, SELF)?.unwrap_or_default();
        let mut cutoffs = stored.cutoffs.clone().pruned(now);
        change(&mut cutoffs);
        cutoffs.all = cutoffs.all.max(stored.cutoffs.all);
        let version = stored.version.saturating_add(1);
        self.write(Kind::Cutoff, SELF, &StoredCutoffs { cutoffs, version, ..stored }, None)
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

/// A session to be opened.
pub(super) struct Opening<'a> {
    pub(super) client_id: &'a ClientId,
    pub(super) own_client: bool,
    pub(super) new: &'a NewSession,
    pub(super) scope: ScopeSet,
    pub(super) sign_in: Option<SignedIn>,
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
            auth_time: None,
            state: Session::open(at(1), pace, at(10)),
        };
        assert_eq!(
            serde_json::to_string(&session).unwrap(),
            concat!(
                r#"{"client_id":"c1","own_client":true,"scope":"a b","resources":[],"seq":3,"opened_at":1000,"auth_time":null,"#,
                r#""state":{"state":"open","ends_at":10000,"last_seen":1000,"pace":{"idle":60000,"grain":15000}}}"#
            )
        );
        let usage = Usage { count: 2, first: at(1), last: at(2) };
        assert_eq!(serde_json::to_string(&usage).unwrap(), r#"{"count":2,"first":1000,"last":2000}"#);
    }
}
