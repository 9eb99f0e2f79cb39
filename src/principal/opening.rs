//! A session as it begins: what it is opened for, and whether there is room for it.

use crate::error::Fault;
use crate::grant::{Code, Refresh};
use crate::id::ClientId;
use crate::principal::cutoff::LEEWAY;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::sessions::StoredSession;
use crate::principal::{Granted, NewSession, Refused, SignedIn};
use crate::scope::ScopeSet;
use crate::session::Session;
use crate::time::Timestamp;

/// Sessions and standing grants of one principal at a time: a thousandth of what an object may store, and what it can still look through.
const MAX_SESSIONS: usize = 50_000;

/// Counting takes as long as there are sessions, so it is not done for each.
const COUNTED_EVERY: u64 = 64;

/// A session to be opened.
pub(super) struct Opening<'a> {
    pub(super) client_id: &'a ClientId,
    pub(super) own_client: bool,
    pub(super) new: &'a NewSession,
    pub(super) scope: ScopeSet,
    pub(super) sign_in: Option<SignedIn>,
    /// Whether its client is one that proves nothing but that it holds a key.
    pub(super) is_public: bool,
    /// The code that it comes of.
    pub(super) code: Option<&'a Code>,
}

impl Opening<'_> {
    /// The session as it begins, with this number.
    pub(super) fn session(&self, seq: u64, now: Timestamp) -> StoredSession {
        let terms = &self.new.terms;
        let ends_at = terms.session_ends(now);
        let refresh_ends = self.new.refresh.map(|_| now.after(terms.refresh_token));
        let access_ends = now.after(terms.access_token).after(LEEWAY);
        StoredSession {
            client_id: self.client_id.clone(),
            own_client: self.own_client,
            scope: self.scope.clone(),
            resources: self.new.resources.clone(),
            seq,
            opened_at: now,
            needed_until: refresh_ends.unwrap_or(access_ends).max(access_ends),
            auth_time: self.sign_in.as_ref().map(|sign_in| sign_in.auth_time),
            method: self.sign_in.as_ref().map(|sign_in| sign_in.method).unwrap_or_default(),
            state: Session::open(now, terms.pace, ends_at),
            key: self.new.key.filter(|_| self.is_public),
            key_since: None,
            browser: self.code.and_then(|code| code.origin.or(code.browser)),
            tells: self.code.is_some_and(|code| code.tells),
        }
    }
}

impl<R: Rows> Draft<'_, R> {
    /// Opens a session and says what a token of it is made of.
    pub(super) fn open(
        &self,
        opening: Opening<'_>,
        now: Timestamp,
    ) -> Result<Result<Granted, Refused>, Fault> {
        if !self.makes_room()? {
            return Ok(Err(Refused::Full));
        }
        let principal = self.principal()?;
        let session = opening.session(principal.seq, now);
        let Opening { new, sign_in, .. } = opening;
        let terms = &new.terms;
        self.save_session(&new.local, &session)?;
        let mut granted = self.granted(&new.local, &session, &principal, (now, terms.access_token))?;
        granted.sign_in = sign_in;
        granted.has_refresh = new.refresh.is_some();
        if let Some(digest) = &new.refresh {
            let expires_at = now.after(terms.refresh_token).min(terms.session_ends(now));
            self.save_refresh(digest, &Refresh::new(new.local.clone(), expires_at))?;
        }
        Ok(Ok(granted))
    }

    /// Counts one more session or grant, with a number of its own. Whether there is room for it.
    pub(super) fn makes_room(&self) -> Result<bool, Fault> {
        let mut principal = self.principal()?;
        if principal.seq.is_multiple_of(COUNTED_EVERY) {
            let rows = self.count_of(Kind::Session)?.saturating_add(self.count_of(Kind::Grant)?);
            if rows >= MAX_SESSIONS {
                return Ok(false);
            }
        }
        principal.seq = principal.seq.saturating_add(1);
        self.save_principal(&principal)?;
        Ok(true)
    }
}
