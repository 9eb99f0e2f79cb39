//! The person in their browsers: who is signed in where, what they allow which client, and what becomes of an authorization request.
//!
//! A browser that a person has signed in with is known by a credential in its cookie. It is no session: no token comes of it but
//! through a code, and it ends with everything that ends the person's sessions, and after [`BROWSER_LIFETIME`].
//!
//! An authorization request is considered in one step: the browser is known, the sign-in is as recent, and of such a kind, as the client wants it, the
//! transaction has not ended before, the person has allowed what is asked for or says so now; then the code is kept, and the transaction
//! has ended. So of any number of the same request, at whatever edge, one gets a code.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::{Code, SignInMethod};
use crate::id::{ClientId, UserId};
use crate::principal::logout::MOST_OWED;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::user::{Principal, User};
use crate::principal::{Answer, Ended, Password, Refused, UserView};
use crate::scope::{ScopeCatalogue, ScopeSet};
use crate::session::EndReason;
use crate::time::{Lifetime, Timestamp};

/// How long a browser stays signed in: a working day.
pub const BROWSER_LIFETIME: Lifetime = Lifetime::from_seconds(12 * 3_600);

/// How long it is remembered what a person allowed a client: a year from the last time that it counted.
const CONSENT_KEPT: Lifetime = Lifetime::from_seconds(365 * 86_400);

/// How long it is remembered that they took it back: longer than any session lasts.
pub(super) const ENDED_KEPT: Lifetime = Lifetime::from_seconds(400 * 86_400);

/// See [`crate::principal::Question::Enter`]. Asked of the principal at the place of the login, whether anybody is there or not.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Enter {
    /// As it was typed.
    pub password: Password,
    /// Where it was typed, digested: wrong attempts are counted by it.
    pub source: Digest,
    /// Random bytes, should the password's record be made anew.
    pub salt: Digest,
    /// The digest of what the browser will be known by.
    pub browser: Digest,
    /// The same of what it was known by, where that was this principal's.
    #[serde(default)]
    pub before: Option<Digest>,
}

/// See [`crate::principal::Question::Consider`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Consider {
    /// The digest of what the browser is known by.
    pub browser: Digest,
    /// Whom the client expects; `None`: whoever it is.
    pub who: Option<UserId>,
    /// A sign-in before this is too old.
    pub signed_in_since: Option<Timestamp>,
    /// A sign-in that is called otherwise does not do; `None`: any does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The digest of the transaction's name: it ends once.
    pub transaction: Digest,
    /// When the transaction is over in any case.
    pub transaction_ends: Timestamp,
    /// What the person says.
    pub says: Says,
    /// The digest of the code, should there be one.
    pub digest: Digest,
    /// Those of the scopes that are for nobody but who is on their list.
    pub internal: ScopeSet,
    /// Whether the client is the realm's own ([`crate::principal::Client::first_party`]): everything that the person may be offered is allowed.
    #[serde(default)]
    pub first_party: bool,
    /// What the client is called, for the person's own page.
    pub client_name: String,
    /// What the code would grant: everything that the client asks for.
    pub code: Box<Code>,
}

/// What a person says of what a client asks for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// This person allows this much.
    Allow(UserId, ScopeSet),
    /// This person allows nothing.
    Deny(UserId),
    /// Nothing yet; and what was said before counts.
    Silent,
    /// Nothing yet; and what was said before does not count.
    Unheard,
}

/// What becomes of an authorization request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Considered {
    /// There is a code.
    Allowed,
    /// The person has to be asked.
    Ask {
        /// Who they are.
        user: Box<UserView>,
        /// For what.
        wanted: ScopeSet,
        /// What they have not allowed this client before.
        refused: ScopeSet,
    },
    /// The person says no.
    Denied,
    /// The transaction has ended before.
    Over,
    /// Nobody is signed in here, or too long ago, or otherwise than is wanted.
    SignIn,
}

/// A browser of the person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct StoredBrowser {
    /// The endings that the principal had seen.
    pub(super) seq: u64,
    pub(super) auth_time: Timestamp,
    /// What they proved it by.
    #[serde(default, skip_serializing_if = "SignInMethod::is_usual")]
    pub(super) method: SignInMethod,
    pub(super) ends_at: Timestamp,
    /// What it was first known by, where the person has signed in there before: sessions name that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<Digest>,
}

impl StoredBrowser {
    pub(super) fn is_alive(&self, principal: &Principal, now: Timestamp) -> bool {
        now < self.ends_at && principal.ended.is_none_or(|ended| ended.seq <= self.seq)
    }
}

/// What a person has allowed a client.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct StoredConsent {
    /// What they allow.
    pub(super) scope: ScopeSet,
    /// What they were asked for, and have unticked.
    pub(super) refused: ScopeSet,
    /// When they last said so, or were last taken at their word.
    pub(super) at: Timestamp,
    /// What the client was called then.
    pub(super) name: String,
    /// Which of its sessions are over: the person has taken everything back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<Ended>,
}

impl StoredConsent {
    pub(super) fn none(now: Timestamp) -> Self {
        Self {
            scope: ScopeSet::default(),
            refused: ScopeSet::default(),
            at: now,
            name: String::new(),
            ended: None,
        }
    }

    /// Whether nothing of `wanted` has to be asked.
    fn answers(&self, wanted: &ScopeSet) -> bool {
        let is_known = |scope| self.scope.contains(scope) || self.refused.contains(scope);
        !(self.scope.is_empty() && self.refused.is_empty()) && wanted.iter().all(is_known)
    }

    /// What is remembered when of `wanted` this much was allowed.
    fn after(&self, wanted: &ScopeSet, allowed: &ScopeSet, name: &str, now: Timestamp) -> Self {
        let other = |held: &ScopeSet| -> Vec<_> {
            held.iter().filter(|scope| !wanted.contains(scope)).cloned().collect()
        };
        let refused = wanted.iter().filter(|scope| !allowed.contains(scope)).cloned();
        Self {
            scope: other(&self.scope).into_iter().chain(allowed.iter().cloned()).collect(),
            refused: other(&self.refused).into_iter().chain(refused).collect(),
            at: now,
            name: name.to_owned(),
            ended: self.ended,
        }
    }
}

impl<R: Rows> Draft<'_, R> {
    /// A wrong password and a login that nobody has take the same way, as in the password grant.
    /// Where the password is not enough, nothing is known yet.
    pub(super) fn enter(&self, asked: &Enter, now: Timestamp) -> Result<Result<Answer, Refused>, Fault> {
        let principal = match self.prove(asked.source, &asked.password, &asked.salt, now)? {
            Ok(principal) => principal,
            Err(refused) => return Ok(Err(refused)),
        };
        let Some(user) = &principal.user else { return Ok(Err(Refused::Grant)) };
        if user.needs_passkey {
            let passkeys = self.passkeys()?.into_iter().map(|passkey| passkey.id);
            return Ok(Ok(Answer::NeedsPasskey(passkeys.collect())));
        }
        let how = (now, SignInMethod::Password);
        self.know((&asked.browser, asked.before.as_ref()), principal.seq, how, now)?;
        Ok(Ok(Answer::User(Box::new(user.view()))))
    }

    /// Knows a browser from now on. `before`: what it was known by until now, if that was here.
    pub(super) fn know(
        &self,
        (browser, before): (&Digest, Option<&Digest>),
        seq: u64,
        (auth_time, method): (Timestamp, SignInMethod),
        now: Timestamp,
    ) -> Result<(), Fault> {
        let ends_at = now.after(BROWSER_LIFETIME);
        let origin = match before {
            Some(before) => {
                let known: Option<StoredBrowser> = self.read(Kind::Browser, &before.to_string())?;
                known.map(|known| known.origin.unwrap_or(*before))
            }
            None => None,
        };
        let stored = StoredBrowser { seq, auth_time, method, ends_at, origin };
        self.write(Kind::Browser, &browser.to_string(), &stored, Some(ends_at))
    }

    pub(super) fn leave(
        &self,
        browser: &Digest,
        who: Option<&UserId>,
        now: Timestamp,
    ) -> Result<Option<Refused>, Fault> {
        let principal = self.principal()?;
        if who.is_some_and(|who| principal.user.as_ref().is_none_or(|user| user.id != *who)) {
            return Ok(Some(Refused::NotFound));
        }
        // However often the person has signed in there.
        let known: Option<StoredBrowser> = self.read(Kind::Browser, &browser.to_string())?;
        let origin = known.and_then(|known| known.origin).unwrap_or(*browser);
        self.delete(Kind::Browser, &browser.to_string());
        self.delete(Kind::Browser, &origin.to_string());
        for (key, other) in self.stored::<StoredBrowser>(Kind::Browser)? {
            if other.origin == Some(origin) {
                self.delete(Kind::Browser, &key);
            }
        }
        // OpenID Connect Back-Channel Logout section 2.7: what came of it is over.
        let ended = self.owe_all(&principal, |session| session.browser == Some(origin), now)?;
        if ended.len() > MOST_OWED {
            self.end_all(&mut self.principal()?, EndReason::SignedOut, now)?;
        } else {
            ended.iter().try_for_each(|local| self.end_session(local, EndReason::SignedOut, now))?;
        }
        Ok(None)
    }

    /// Whether nobody has signed out of a browser.
    pub(super) fn knows_browser(&self, browser: &Digest) -> Result<bool, Fault> {
        Ok(self.read::<StoredBrowser>(Kind::Browser, &browser.to_string())?.is_some())
    }

    /// A browser that is known, and its person.
    pub(super) fn found(
        &self,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<(StoredBrowser, User, Principal)>, Fault> {
        let principal = self.principal()?;
        let browser: Option<StoredBrowser> = self.read(Kind::Browser, &browser.to_string())?;
        let browser = browser.filter(|browser| browser.is_alive(&principal, now));
        let user = principal.user.clone().filter(|user| !user.disabled);
        Ok(browser.zip(user).map(|(browser, user)| (browser, user, principal)))
    }

    /// What a client was called when the person allowed it something.
    pub(super) fn consented_name(&self, client: &ClientId) -> Result<Option<String>, Fault> {
        let consent: Option<StoredConsent> = self.read(Kind::Consent, client.as_str())?;
        Ok(consent.map(|consent| consent.name).filter(|name| !name.is_empty()))
    }

    /// What has ended the sessions of a client, because the person took back what they had allowed it.
    pub(super) fn taken_back(&self, client: &ClientId) -> Result<Option<Ended>, Fault> {
        let consent: Option<StoredConsent> = self.read(Kind::Consent, client.as_str())?;
        Ok(consent.and_then(|consent| consent.ended))
    }

    pub(super) fn consider(
        &self,
        asked: &Consider,
        catalogue: &ScopeCatalogue,
        now: Timestamp,
    ) -> Result<Considered, Fault> {
        let since = asked.signed_in_since;
        let found = self.found(&asked.browser, now)?;
        let fits = |browser: &StoredBrowser, user: &User| {
            since.is_none_or(|since| since <= browser.auth_time)
                && browser.method.is_among(asked.acr.as_deref())
                && asked.who.as_ref().is_none_or(|who| *who == user.id)
        };
        let Some((browser, user, _)) = found.filter(|(browser, user, _)| fits(browser, user)) else {
            return Ok(Considered::SignIn);
        };
        let transaction = format!("transaction/{}", asked.transaction);
        if self.read::<Timestamp>(Kind::Jti, &transaction)?.is_some() {
            return Ok(Considered::Over);
        }
        let key = asked.code.client_id.as_str();
        let known = self.read(Kind::Consent, key)?.unwrap_or_else(|| StoredConsent::none(now));
        let is_listed = |scope| catalogue.covers(&user.internal_scopes, scope);
        let is_offered = |scope| !asked.internal.contains(scope) || is_listed(scope);
        let wanted: &ScopeSet = &asked.code.scope.iter().filter(|scope| is_offered(scope)).cloned().collect();
        let of_wanted = |held: &ScopeSet| -> ScopeSet {
            wanted.iter().filter(|scope| held.contains(scope)).cloned().collect()
        };
        let deny = || {
            self.write(Kind::Jti, &transaction, &now, Some(asked.transaction_ends))?;
            Ok(Considered::Denied)
        };
        let allowed = match &asked.says {
            Says::Silent | Says::Unheard if asked.first_party => wanted.clone(),
            Says::Silent if known.answers(wanted) => of_wanted(&known.scope),
            // A page that was shown to somebody else says nothing about this person.
            Says::Allow(who, scope) if *who == user.id => of_wanted(scope),
            Says::Deny(who) if *who == user.id => return deny(),
            Says::Allow(..) | Says::Deny(_) | Says::Silent | Says::Unheard => {
                let (user, wanted) = (Box::new(user.view()), wanted.clone());
                return Ok(Considered::Ask { user, wanted, refused: known.refused });
            }
        };
        if allowed.is_empty() && !wanted.is_empty() {
            return deny();
        }
        let consent = known.after(wanted, &allowed, &asked.client_name, now);
        let kept = if consent.ended.is_some() { ENDED_KEPT } else { CONSENT_KEPT };
        self.write(Kind::Consent, key, &consent, Some(now.after(kept)))?;
        self.write(Kind::Jti, &transaction, &now, Some(asked.transaction_ends))?;
        let code = Code {
            scope: allowed,
            auth_time: browser.auth_time,
            method: browser.method,
            issued_at: now,
            browser: Some(asked.browser),
            origin: browser.origin,
            ..(*asked.code).clone()
        };
        self.write(Kind::Code, &asked.digest.to_string(), &code, Some(code.expires_at))?;
        Ok(Considered::Allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_shapes_are_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let at = Timestamp::from_seconds;
        let method = SignInMethod::Password;
        let browser = StoredBrowser { seq: 3, auth_time: at(1), method, ends_at: at(9), origin: None };
        assert_eq!(serde_json::to_string(&browser).unwrap(), r#"{"seq":3,"auth_time":1000,"ends_at":9000}"#);
        let consent = StoredConsent {
            scope: "a b".parse().unwrap(),
            refused: "c".parse().unwrap(),
            at: at(1),
            name: "Shop".to_owned(),
            ended: Some(Ended { seq: 4, at: at(2), reason: EndReason::Revoked }),
        };
        assert_eq!(
            serde_json::to_string(&consent).unwrap(),
            concat!(
                r#"{"scope":"a b","refused":"c","at":1000,"name":"Shop","#,
                r#""ended":{"seq":4,"at":2000,"reason":"revoked"}}"#
            )
        );
    }
}
