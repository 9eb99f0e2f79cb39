//! A person's own account: what they see of it, and what they take back.

use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::ClientId;
use crate::principal::browser::{ENDED_KEPT, StoredBrowser, StoredConsent};
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::sessions::StoredSession;
use crate::principal::user::Principal;
use crate::principal::{Ended, PasskeyView, Refused, UserView};
use crate::scope::ScopeSet;
use crate::session::EndReason;
use crate::time::{Lifetime, Timestamp};

/// What a person sees of their own account.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccountView {
    /// Who they are.
    pub user: UserView,
    /// Their passkeys.
    pub passkeys: Vec<PasskeyView>,
    /// For how long they may still change how they sign in: zero, where they have signed in here too long ago.
    pub fresh_for: Lifetime,
    /// What they allow.
    pub applications: Vec<Application>,
    /// Their browsers: since when, and whether it is this one.
    pub browsers: Vec<(Timestamp, bool)>,
}

/// What a person allows one client.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Application {
    /// Which.
    pub client_id: ClientId,
    /// What it was called when they allowed it.
    pub name: String,
    /// What they allow it.
    pub scope: ScopeSet,
    /// Since when.
    pub at: Timestamp,
    /// How many of its sessions are open.
    pub sessions: usize,
}

impl<R: Rows> Draft<'_, R> {
    /// What a person sees of their own account in a browser that is known.
    pub(super) fn account(
        &self,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Result<AccountView, Refused>, Fault> {
        let Some((this, user, principal)) = self.found(browser, now)? else {
            return Ok(Err(Refused::NotFound));
        };
        let mut sessions: LiteMap<ClientId, usize> = LiteMap::new();
        for (_, session) in self.stored::<StoredSession>(Kind::Session)? {
            if self.is_alive(&session, &principal, now)? {
                let count = sessions.entry(session.client_id).or_default();
                *count = count.saturating_add(1);
            }
        }
        let mut applications = Vec::new();
        for (id, consent) in self.stored::<StoredConsent>(Kind::Consent)? {
            let Ok(client_id) = id.parse::<ClientId>() else { continue };
            let sessions = sessions.get(&client_id).copied().unwrap_or_default();
            if !consent.scope.is_empty() {
                let StoredConsent { scope, at, name, .. } = consent;
                applications.push(Application { client_id, name, scope, at, sessions });
            }
        }
        // One line for each browser, since its last sign-in, however often its person has signed in there.
        let origin_of = |key: &str, known: &StoredBrowser| {
            known.origin.map_or(key.to_owned(), |origin| origin.to_string())
        };
        let fresh_for = this.fresh_for(now);
        let this = origin_of(&browser.to_string(), &this);
        let mut latest: LiteMap<String, Timestamp> = LiteMap::new();
        for (key, known) in self.stored::<StoredBrowser>(Kind::Browser)? {
            if known.is_alive(&principal, now) {
                let since = latest.entry(origin_of(&key, &known)).or_insert(known.auth_time);
                *since = known.auth_time.max(*since);
            }
        }
        let browsers = latest.into_iter().map(|(key, since)| (since, key == this)).collect();
        let passkeys = self.passkeys()?;
        Ok(Ok(AccountView { user: user.view(), passkeys, fresh_for, applications, browsers }))
    }

    /// The person takes back what they have allowed a client: its sessions are over.
    pub(super) fn withdraw(
        &self,
        browser: &Digest,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<Option<Refused>, Fault> {
        let Some((_, _, mut principal)) = self.found(browser, now)? else {
            return Ok(Some(Refused::NotFound));
        };
        if !self.has_allowed(&principal, client, now)? {
            return Ok(None);
        }
        self.owe_all(&principal, |session| session.client_id == *client, now)?;
        principal.seq = principal.seq.saturating_add(1);
        let ended = Ended { seq: principal.seq, at: now, reason: EndReason::Revoked };
        let consent = StoredConsent { ended: Some(ended), ..StoredConsent::none(now) };
        self.write(Kind::Consent, client.as_str(), &consent, Some(now.after(ENDED_KEPT)))?;
        self.save_principal(&principal)?;
        self.cut_client(client.clone(), now)?;
        Ok(None)
    }

    /// Whether there is anything of this client to take back. Else whoever names clients that they never saw would fill what cut-offs are written to.
    fn has_allowed(&self, principal: &Principal, client: &ClientId, now: Timestamp) -> Result<bool, Fault> {
        let consent: Option<StoredConsent> = self.read(Kind::Consent, client.as_str())?;
        if consent.is_some_and(|consent| !consent.scope.is_empty()) {
            return Ok(true);
        }
        for (_, session) in self.stored::<StoredSession>(Kind::Session)? {
            if session.client_id == *client && self.is_alive(&session, principal, now)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The person signs out everywhere, from a browser that is known.
    pub(super) fn leave_everywhere(
        &self,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<Refused>, Fault> {
        let Some((_, _, mut principal)) = self.found(browser, now)? else {
            return Ok(Some(Refused::NotFound));
        };
        self.end_all(&mut principal, EndReason::SignedOut, now)?;
        Ok(None)
    }
}
