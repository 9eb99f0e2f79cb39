//! The three states of a token.

use std::rc::Rc;

use crate::config::{Config, KeySource};
use crate::error::{Denied, Error, Fault};
use crate::id::SessionId;
use crate::port::{Ports, Principals, Verifier, random};
use crate::principal::{Answer, Question};
use crate::scope::{ScopeCatalogue, ScopeSet, ScopeToken};
use crate::session::{Ask, EndReason, Touch};
use crate::time::Timestamp;
use crate::token::{Algorithm, Claims, Compact, Header, Jwk, MAX_TOKEN};
use crate::uri::Issuer;
use crate::validator::Isolate;
use crate::validator::cache::Fact;
use crate::validator::keys::realm_key;

/// A token that can be read. Nothing that it says is proved here, whatever an isolate may remember of it.
#[derive(Debug)]
pub struct Presented<'a> {
    text: &'a str,
    read: Read<'a>,
}

/// How it was read.
#[derive(Debug)]
enum Read<'a> {
    /// Now.
    Fresh { token: Compact<'a>, claims: Rc<Claims> },
    /// Before, by the same code; its signature was checked then.
    Known(Rc<Fact>),
}

impl<'a> Presented<'a> {
    /// Reads a compact JWT. Checks size, shape, encodings and the types of what is read.
    /// Does **not** check who made it, for whom, when, or whether it is genuine.
    ///
    /// # Errors
    /// The first thing that cannot be read.
    pub fn parse(text: &'a str, isolate: &Isolate) -> Result<Self, Denied> {
        if text.len() > MAX_TOKEN {
            return Err(Denied::RejectSize);
        }
        if let Some(fact) = isolate.tokens.borrow_mut().get(text) {
            return Ok(Self { text, read: Read::Known(fact) });
        }
        let token = Compact::parse(text)?;
        let claims = Rc::new(Claims::parse(token.payload())?);
        Ok(Self { text, read: Read::Fresh { token, claims } })
    }

    fn parts(&self) -> (&Header, &Rc<Claims>) {
        match &self.read {
            Read::Fresh { token, claims } => (token.header(), claims),
            Read::Known(fact) => (&fact.header, &fact.claims),
        }
    }

    /// Verifies the token for a place that accepts `issuers`. Checks `iss`, `typ`, `alg`, `aud`, `exp`, `nbf`,
    /// `iat`, `cnf`, the claims of RFC 9068, then the signature: by the key that the issuer has now, unless this
    /// isolate has checked the same bytes with the same key before. The key belongs to the issuer: nothing in
    /// the header chooses where it comes from. Does **not** check scopes or whether the session is alive.
    ///
    /// # Errors
    /// [`Error::Denied`] with the first check that fails; [`Error::Fault`] when keys cannot be had.
    pub async fn verify<P: Ports>(
        self,
        config: &Config,
        ports: &P,
        issuers: &[Issuer],
        now: Timestamp,
    ) -> Result<Verified, Error> {
        let (header, claims) = self.parts();
        let (trust, source) = config.trusted(&claims.issuer).ok_or(Denied::UntrustedIssuer)?;
        if !issuers.contains(&trust.issuer) {
            return Err(Denied::RejectIssuer.into());
        }
        let algorithm = trust.check_header(header)?;
        trust.check_claims(header, claims, now)?;
        let id = header.key.as_ref();
        let (key, session) = match source {
            KeySource::Inline(keys) => (keys.find(id, algorithm).cloned(), None),
            KeySource::Realm(realm) => {
                let sid = claims.session.as_deref().ok_or(Denied::LackClaim("sid"))?;
                let session: SessionId = sid.parse().map_err(|_| Denied::MalformClaim("sid"))?;
                (realm_key(ports, &realm.name, id, algorithm, now).await?, Some(session))
            }
        };
        let key = key.ok_or(Denied::UnknownKey)?;
        let claims = Rc::clone(claims);
        let unproved = match self.read {
            Read::Known(fact) if fact.is_by(&key, algorithm) => None,
            // The issuer has another key by now: only what it signs counts.
            Read::Known(_) => Some(Compact::parse(self.text)?),
            Read::Fresh { token, .. } => Some(token),
        };
        if let Some(token) = unproved {
            check_signature(ports, self.text, &token, &claims, key, algorithm).await?;
        }
        Ok(Verified { issuer: trust.issuer.clone(), claims, session })
    }
}

async fn check_signature<P: Ports>(
    ports: &P,
    text: &str,
    token: &Compact<'_>,
    claims: &Rc<Claims>,
    key: Jwk,
    algorithm: Algorithm,
) -> Result<(), Error> {
    if !ports.verifier().verify(&key, algorithm, token).await? {
        return Err(Denied::RejectSignature.into());
    }
    let mut tokens = ports.isolate().tokens.borrow_mut();
    if !tokens.is_keyed() {
        // Without randomness nothing is remembered, and nothing is worse than slower.
        if let Ok(random) = random(ports.entropy()) {
            tokens.set_key(&random);
        }
    }
    tokens.put(Fact::new(text, token.header().clone(), Rc::clone(claims), algorithm, key));
    Ok(())
}

/// A genuine token, made for us, in its time. What it allows is not decided.
#[derive(Debug)]
pub struct Verified {
    issuer: Issuer,
    claims: Rc<Claims>,
    session: Option<SessionId>,
}

impl Verified {
    /// Decides whether the token may do what needs all of `need`. Checks scopes (with what they imply), then
    /// that the session is alive: from memory within the grain, else by asking the principal.
    /// Does **not** check the route or the request.
    ///
    /// # Errors
    /// [`Denied::LackScope`], [`Denied::ExpireIdle`], [`Denied::EndSession`]; a [`Fault`] when the session's
    /// state cannot be had.
    pub async fn authorize<P: Ports>(
        self,
        need: &[ScopeToken],
        catalogue: &ScopeCatalogue,
        ports: &P,
        now: Timestamp,
    ) -> Result<(Authorized, Option<Chore>), Error> {
        if !need.iter().all(|scope| catalogue.covers(&self.claims.scopes, scope)) {
            return Err(Denied::LackScope { need: need.to_vec() }.into());
        }
        let chore = match self.session {
            None => None,
            Some(session) => use_session(session, ports, now).await?,
        };
        Ok((Authorized { issuer: self.issuer, claims: self.claims }, chore))
    }
}

async fn use_session<P: Ports>(
    session: SessionId,
    ports: &P,
    now: Timestamp,
) -> Result<Option<Chore>, Error> {
    let ask = ports.isolate().leases.borrow_mut().ask(&session, now);
    match ask {
        Ask::Nobody => Ok(None),
        Ask::Later => Ok(Some(Chore::Touch { session, used_at: now })),
        Ask::First => match touch(session, ports, now).await? {
            Touch::Alive { .. } => Ok(None),
            Touch::Ended(EndReason::Idle) => Err(Denied::ExpireIdle.into()),
            Touch::Ended(EndReason::Limit) => Err(Denied::EndSession.into()),
        },
    }
}

async fn touch<P: Ports>(session: SessionId, ports: &P, used_at: Timestamp) -> Result<Touch, Fault> {
    let question = Question::Touch { local: session.local(), used_at };
    let Answer::Touched(touch) = ports.principals().ask(session.locator(), &question).await? else {
        return Err(Fault::new("touch", "the principal answered another question"));
    };
    let mut leases = ports.isolate().leases.borrow_mut();
    match touch {
        Touch::Alive { grain } => leases.confirm(session, used_at, grain, used_at),
        Touch::Ended(_) => leases.forget(&session),
    }
    Ok(touch)
}

/// A token that may do what was asked. Only this may be forwarded.
#[derive(Debug)]
pub struct Authorized {
    issuer: Issuer,
    claims: Rc<Claims>,
}

impl Authorized {
    /// Whose token it is.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
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
}

/// Work that a request leaves behind, to be done after its answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Chore {
    /// Tell the principal that a session was used.
    Touch {
        /// Which.
        session: SessionId,
        /// When. The lease that comes of it starts here, however late it is confirmed.
        used_at: Timestamp,
    },
}

/// Does a chore. What fails here is asked again, and waited for, when the lease has run out.
///
/// # Errors
/// For the log only.
pub async fn run_chore<P: Ports>(chore: Chore, ports: &P) -> Result<(), Fault> {
    let Chore::Touch { session, used_at } = chore;
    touch(session, ports, used_at).await.map(drop)
}
