//! What a token says that was verified.

use std::rc::Rc;
use std::sync::Arc;

use crate::config::{KeySource, TrustedIssuer};
use crate::error::Denied;
use crate::policy::ScopeNeed;
use crate::scope::{ScopeCatalogue, ScopeSet};
use crate::token::Claims;
use crate::uri::Issuer;

/// A genuine access token, made for us, in its time.
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub(super) issuer: Arc<TrustedIssuer>,
    pub(super) claims: Rc<Claims>,
}

impl AccessToken {
    /// Whose token it is.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer.trust.issuer
    }

    /// Whose it is, as a configuration names it: the realm, or the identifier of another issuer.
    #[must_use]
    pub fn issued_by(&self) -> &str {
        match &self.issuer.keys {
            KeySource::Realm(ring, _) => ring.realm().as_str(),
            _ => self.issuer().as_str(),
        }
    }

    /// `sub`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.claims.subject
    }

    /// `client_id`.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        self.claims.client.as_deref()
    }

    /// `scope`, as granted.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.claims.scopes
    }

    /// Whether this very scope was granted. What one scope implies of others is the deployment's policy.
    #[must_use]
    pub fn grants(&self, scope: &str) -> bool {
        scope.parse().is_ok_and(|scope| self.claims.scopes.contains(&scope))
    }

    /// Checks that all of `needs` were granted, and of what is needed `besides` as well.
    ///
    /// # Errors
    /// [`Denied::LackScope`], with everything that is needed: whoever asks for less would lack something again (RFC 6750 section 3.1).
    pub(crate) fn check_scopes(
        &self,
        needs: &[ScopeNeed],
        besides: &[ScopeNeed],
        catalogue: &ScopeCatalogue,
    ) -> Result<(), Denied> {
        let all = || needs.iter().chain(besides);
        if all().all(|need| need.is_met(self.scopes(), catalogue)) {
            return Ok(());
        }
        Err(Denied::LackScope { need: all().map(|any| any.first().clone()).collect() })
    }

    /// The roles of its subject, where its issuer says them.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.claims.roles
    }

    /// Every claim that was read.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}
