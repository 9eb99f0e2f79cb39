//! What a verified token may do: the last two states of a token.

use crate::check::Check;
use crate::config::Revocation;
use crate::dpop::Proved;
use crate::error::{Denied, Error};
use crate::id::{Locator, RouteId, SessionId};
use crate::policy::{Binding, ScopeNeed, StepUp};
use crate::port::{Ports, Principals};
use crate::scope::ScopeCatalogue;
use crate::time::Timestamp;
use crate::validator::session::{Chore, known_end, use_session, use_session_once};
use crate::validator::{AccessToken, Verified, cutoff, use_once};

/// What a route asks of a token.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    /// The resource that it belongs to (RFC 8707), if any.
    pub resource: Option<&'a str>,
    /// All of these.
    pub scopes: &'a [ScopeNeed],
    /// What implies what.
    pub catalogue: &'a ScopeCatalogue,
    /// How the person has to have signed in.
    pub step_up: &'a StepUp,
    /// What the token has to be bound to; `None`: it need not be.
    pub binding: Option<Binding>,
}

impl Verified {
    /// Decides whether the token may do what needs all of `need`. Checks the resource, what it is bound to, scopes (with what they imply), how and when the
    /// person signed in. Does **not** check whether its session is alive, nor the request. Nothing is asked for, and nothing used up.
    ///
    /// # Errors
    /// [`Denied::RejectAudience`], [`Denied::LackBinding`], [`Denied::LackScope`], [`Denied::LackAuthentication`].
    pub fn permit<P: Ports>(self, need: &Need<'_>, ports: &P, now: Timestamp) -> Result<Permitted, Denied> {
        let (token, session) = self.into_parts();
        if session.is_some() {
            ports.begin(&[Check::Resource]);
            check_resource(&token, need)?;
        }
        if let Some(binding) = need.binding {
            ports.begin(&[Check::Bound]);
            if !binding.is_met(token.claims.confirmation) {
                return Err(Denied::LackBinding);
            }
        }
        if !need.scopes.is_empty() {
            ports.begin(&[Check::Scopes]);
        }
        token.check_scopes(need.scopes, &[], need.catalogue)?;
        if need.step_up.asks() {
            ports.begin(&[Check::SignIn]);
        }
        need.step_up.check(&token.claims, token.issuer.trust.leeway, now)?;
        Ok(Permitted { token, session })
    }
}

/// A token of ours that is for some resources only counts at their routes (RFC 8707 section 2).
fn check_resource(token: &AccessToken, need: &Need<'_>) -> Result<(), Denied> {
    let Some(everywhere) = token.issuer.trust.audiences.first() else { return Ok(()) };
    let is_here = |resource: &str| token.claims.audiences.iter().any(|one| one == resource);
    let counts = is_here(everywhere) || need.resource.is_some_and(is_here);
    if counts { Ok(()) } else { Err(Denied::RejectAudience) }
}

/// A token that would be allowed what was asked. Whether its session is alive is not known, and a proof of possession is not used up.
#[derive(Debug)]
pub struct Permitted {
    token: AccessToken,
    session: Option<SessionId>,
}

impl Permitted {
    /// The token.
    #[must_use]
    pub const fn token(&self) -> &AccessToken {
        &self.token
    }

    /// Checks that nobody has told this isolate that the session has ended: what asks nobody, and uses nothing. One that passes may have ended all the same.
    ///
    /// # Errors
    /// [`Denied::ExpireIdle`], [`Denied::EndSession`].
    pub fn check_known_end<P: Ports>(&self, ports: &P) -> Result<(), Denied> {
        self.session.as_ref().map_or(Ok(()), |session| known_end(session, ports))
    }

    /// Checks that the session is alive: from memory within the grain, else by asking the principal; or by its cut-offs, where its realm says so.
    /// `proof`, the proof of possession that came with the token, is used up in the step that asks about the session: what is refused before that
    /// leaves no mark.
    ///
    /// # Errors
    /// [`Denied::RejectProof`], [`Denied::ExpireIdle`], [`Denied::EndSession`]; a fault when the session's state cannot be had.
    pub async fn authorize<P: Ports>(
        self,
        route: &RouteId,
        proof: Option<&Proved>,
        ports: &P,
        now: Timestamp,
    ) -> Result<(Authorized, Option<Chore>), Error> {
        if self.session.is_some() {
            ports.begin(&[Check::Session]);
        }
        let chore = match (self.session, self.token.issuer.revocation, proof) {
            (Some(session), Some(Revocation::Cutoff), proof) => {
                cutoff::check(&self.token, session, ports, now).await?;
                if let Some(proof) = proof {
                    use_once(ports, session.locator(), proof.mark).await?;
                }
                None
            }
            (Some(session), _, None) => use_session(session, route, ports, now).await?,
            (Some(session), _, Some(proof)) => {
                use_session_once(session, route, proof.mark, ports, now).await?;
                None
            }
            (None, _, Some(proof)) => {
                use_once(ports, ports.principals().place_of_key(&proof.key)?, proof.mark).await?;
                None
            }
            (None, _, None) => None,
        };
        Ok((Authorized { token: self.token, session: self.session }, chore))
    }
}

/// A token that may do what was asked. Only this may be forwarded.
#[derive(Debug)]
pub struct Authorized {
    token: AccessToken,
    session: Option<SessionId>,
}

impl Authorized {
    /// The token.
    #[must_use]
    pub const fn token(&self) -> &AccessToken {
        &self.token
    }

    /// Where the principal of its session is, for a token of ours.
    #[must_use]
    pub fn principal(&self) -> Option<Locator> {
        self.session.map(|session| session.locator())
    }
}
