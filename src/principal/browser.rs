//! The person in their browsers: who is signed in where, what they allow which client, and what becomes of an authorization request.
//!
//! A browser that a person has signed in with is known by a credential in its cookie. It is no session: no token comes of it but
//! through a code, and it ends with everything that ends the person's sessions, and after [`BROWSER_LIFETIME`].
//!
//! An authorization request is considered in one step: the browser is known, the sign-in is as recent as the client wants it, the
//! transaction has not ended before, the person has allowed what is asked for or says so now; then the code is kept, and the transaction
//! has ended. So of any number of the same request, at whatever edge, one gets a code.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::Code;
use crate::id::UserId;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::{Password, Refused, UserView};
use crate::scope::ScopeSet;
use crate::time::{Lifetime, Timestamp};

/// How long a browser stays signed in: a working day.
pub const BROWSER_LIFETIME: Lifetime = Lifetime::from_seconds(12 * 3_600);

/// How long it is remembered what a person allowed a client: a year from the last time that it counted.
const CONSENT_KEPT: Lifetime = Lifetime::from_seconds(365 * 86_400);

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
}

/// See [`crate::principal::Question::Consider`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Consider {
    /// The digest of what the browser is known by.
    pub browser: Digest,
    /// A sign-in before this is too old.
    pub signed_in_since: Option<Timestamp>,
    /// The digest of the transaction's name: it ends once.
    pub transaction: Digest,
    /// When the transaction is over in any case.
    pub transaction_ends: Timestamp,
    /// What the person says.
    pub says: Says,
    /// The digest of the code, should there be one.
    pub digest: Digest,
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
    /// The person has to be asked. With what they have not allowed this client before.
    Ask(Box<UserView>, ScopeSet),
    /// The person says no.
    Denied,
    /// The transaction has ended before.
    Over,
    /// Nobody is signed in here, or too long ago.
    SignIn,
}

/// A browser of the person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct StoredBrowser {
    /// The endings that the principal had seen.
    pub(super) seq: u64,
    pub(super) auth_time: Timestamp,
    pub(super) ends_at: Timestamp,
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
}

impl StoredConsent {
    fn none(now: Timestamp) -> Self {
        Self { scope: ScopeSet::default(), refused: ScopeSet::default(), at: now }
    }

    /// Whether nothing of `wanted` has to be asked.
    fn answers(&self, wanted: &ScopeSet) -> bool {
        let is_known = |scope| self.scope.contains(scope) || self.refused.contains(scope);
        !(self.scope.is_empty() && self.refused.is_empty()) && wanted.iter().all(is_known)
    }

    /// What is remembered when of `wanted` this much was allowed.
    fn after(&self, wanted: &ScopeSet, allowed: &ScopeSet, now: Timestamp) -> Self {
        let other = |held: &ScopeSet| -> Vec<_> {
            held.iter().filter(|scope| !wanted.contains(scope)).cloned().collect()
        };
        let refused = wanted.iter().filter(|scope| !allowed.contains(scope)).cloned();
        Self {
            scope: other(&self.scope).into_iter().chain(allowed.iter().cloned()).collect(),
            refused: other(&self.refused).into_iter().chain(refused).collect(),
            at: now,
        }
    }
}

impl<R: Rows> Draft<'_, R> {
    /// A wrong password and a login that nobody has take the same way, as in the password grant.
    pub(super) fn enter(&self, asked: &Enter, now: Timestamp) -> Result<Result<UserView, Refused>, Fault> {
        let principal = match self.prove(asked.source, &asked.password, &asked.salt, now)? {
            Ok(principal) => principal,
            Err(refused) => return Ok(Err(refused)),
        };
        let Some(user) = &principal.user else { return Ok(Err(Refused::Grant)) };
        let ends_at = now.after(BROWSER_LIFETIME);
        let browser = StoredBrowser { seq: principal.seq, auth_time: now, ends_at };
        self.write(Kind::Browser, &asked.browser.to_string(), &browser, Some(ends_at))?;
        Ok(Ok(user.view()))
    }

    pub(super) fn leave(&self, browser: &Digest, who: Option<&UserId>) -> Result<Option<Refused>, Fault> {
        let user = self.principal()?.user;
        if who.is_some_and(|who| user.is_none_or(|user| user.id != *who)) {
            return Ok(Some(Refused::NotFound));
        }
        self.delete(Kind::Browser, &browser.to_string());
        Ok(None)
    }

    pub(super) fn consider(&self, asked: &Consider, now: Timestamp) -> Result<Considered, Fault> {
        let principal = self.principal()?;
        let browser: Option<StoredBrowser> = self.read(Kind::Browser, &asked.browser.to_string())?;
        let is_alive = |browser: &StoredBrowser| {
            now < browser.ends_at
                && principal.ended.is_none_or(|ended| ended.seq <= browser.seq)
                && asked.signed_in_since.is_none_or(|since| since <= browser.auth_time)
        };
        let user = principal.user.filter(|user| !user.disabled);
        let Some((browser, user)) = browser.filter(is_alive).zip(user) else {
            return Ok(Considered::SignIn);
        };
        let transaction = format!("transaction/{}", asked.transaction);
        if self.read::<Timestamp>(Kind::Jti, &transaction)?.is_some() {
            return Ok(Considered::Over);
        }
        let key = asked.code.client_id.as_str();
        let known = self.read(Kind::Consent, key)?.unwrap_or_else(|| StoredConsent::none(now));
        let wanted = &asked.code.scope;
        let of_wanted = |held: &ScopeSet| -> ScopeSet {
            wanted.iter().filter(|scope| held.contains(scope)).cloned().collect()
        };
        let deny = || {
            self.write(Kind::Jti, &transaction, &now, Some(asked.transaction_ends))?;
            Ok(Considered::Denied)
        };
        let allowed = match &asked.says {
            Says::Silent if known.answers(wanted) => of_wanted(&known.scope),
            // A page that was shown to somebody else says nothing about this person.
            Says::Allow(who, scope) if *who == user.id => of_wanted(scope),
            Says::Deny(who) if *who == user.id => return deny(),
            Says::Allow(..) | Says::Deny(_) | Says::Silent | Says::Unheard => {
                return Ok(Considered::Ask(Box::new(user.view()), known.refused));
            }
        };
        if allowed.is_empty() && !wanted.is_empty() {
            return deny();
        }
        let consent = known.after(wanted, &allowed, now);
        self.write(Kind::Consent, key, &consent, Some(now.after(CONSENT_KEPT)))?;
        self.write(Kind::Jti, &transaction, &now, Some(asked.transaction_ends))?;
        let code =
            Code { scope: allowed, auth_time: browser.auth_time, issued_at: now, ..(*asked.code).clone() };
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
        let browser = StoredBrowser { seq: 3, auth_time: at(1), ends_at: at(9) };
        assert_eq!(serde_json::to_string(&browser).unwrap(), r#"{"seq":3,"auth_time":1000,"ends_at":9000}"#);
        let consent =
            StoredConsent { scope: "a b".parse().unwrap(), refused: "c".parse().unwrap(), at: at(1) };
        assert_eq!(serde_json::to_string(&consent).unwrap(), r#"{"scope":"a b","refused":"c","at":1000}"#);
    }
}
