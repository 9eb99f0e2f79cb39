//! The first two states of a token.

use std::rc::Rc;
use std::sync::Arc;

use crate::check::Check;
use crate::config::{Config, KeySource, TrustedIssuer};
use crate::error::{Denied, Error};
use crate::id::{RealmName, SessionId};
use crate::json;
use crate::port::{Ports, Verifier, random};
use crate::time::Timestamp;
use crate::token::{Algorithm, Claims, Compact, Confirmation, Header, Holder, Jwk, MAX_TOKEN, issuer_of};
use crate::uri::Issuer;
use crate::validator::AccessToken;
use crate::validator::fact::Fact;
use crate::validator::{introspection, keys};

/// Verifies a token of either kind for a place that accepts `issuers`: what has two dots is a JWT
/// ([`Presented::verify`]), anything else is opaque, and the one issuer of the place that is asked about such tokens
/// is asked (RFC 7662). A token that is bound counts only for a `holder` who has proved it. Does **not** check scopes or whether a
/// session is alive.
///
/// # Errors
/// [`Error::Denied`] with the first check that fails; [`Error::Fault`] when keys or an issuer's word cannot be had.
pub async fn verify<P: Ports>(
    text: &str,
    config: &Config,
    ports: &P,
    issuers: &[Issuer],
    holder: Holder<'_>,
    now: Timestamp,
) -> Result<Verified, Error> {
    ports.begin(&[Check::Size, Check::Shape]);
    if text.len() > MAX_TOKEN {
        return Err(Denied::RejectSize.into());
    }
    if let Some(known) = Presented::known(text, ports) {
        return known.verify(config, ports, issuers, holder, now).await;
    }
    if text.matches('.').take(3).count() == 2 {
        return Presented::unknown(text, ports).await?.verify(config, ports, issuers, holder, now).await;
    }
    let mut asked = issuers.iter().filter_map(|issuer| {
        let issuer = config.trusted(issuer.as_str())?;
        Some((issuer, issuer.introspection.as_ref()?))
    });
    // A configuration with two of them for one place is refused.
    let (issuer, introspection) = asked.next().ok_or(Denied::MalformToken)?;
    ports.begin(ASKED);
    let claims = introspection::ask(ports, issuer, introspection, text, now).await?;
    look(ports, claims.confirmation).await;
    claims.confirmation.met_by(holder)?;
    Ok(Verified::new(issuer, claims, None))
}

/// The certificate of a connection is known where everything of the request is at hand, and not where nobody may wait.
async fn look<P: Ports>(ports: &P, confirmation: Confirmation) {
    if confirmation.has_certificate() {
        ports.may_wait().await;
    }
}

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
    Fresh(Compact<'a>),
    /// Before, by the same code; its signature was checked then.
    Known(Rc<Fact>),
}

impl<'a> Presented<'a> {
    /// Takes a token in: as it was read before, if this isolate has checked the signature of these bytes, else as
    /// [`Self::parse`] reads it. A new token will have to be waited for, so where nobody may wait it is not read.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub async fn of<P: Ports>(text: &'a str, ports: &P) -> Result<Self, Denied> {
        match Self::known(text, ports) {
            Some(known) => Ok(known),
            None => Self::unknown(text, ports).await,
        }
    }

    fn known<P: Ports>(text: &'a str, ports: &P) -> Option<Self> {
        let fact = ports.isolate().facts.borrow_mut().get(text)?;
        Some(Self { text, read: Read::Known(fact) })
    }

    async fn unknown<P: Ports>(text: &'a str, ports: &P) -> Result<Self, Denied> {
        ports.may_wait().await;
        Self::parse(text)
    }

    /// Reads a compact JWT. Checks size, shape, encodings and the header's types.
    /// Does **not** check what it says, who made it, for whom, when, or whether it is genuine.
    ///
    /// # Errors
    /// The first thing that cannot be read.
    pub fn parse(text: &'a str) -> Result<Self, Denied> {
        if text.len() > MAX_TOKEN {
            return Err(Denied::RejectSize);
        }
        Ok(Self { text, read: Read::Fresh(Compact::parse(text)?) })
    }

    /// Verifies the token for a place that accepts `issuers`. Checks that the claims are one strict JSON object, `iss`,
    /// `typ`, `alg`, the types of the claims, `aud`, `exp`, `nbf`, `iat`, `cnf`, the claims of RFC 9068 and those that the
    /// configuration asks for, then the signature: by the key that the issuer has now, unless this isolate has checked
    /// the same bytes with the same key before. The key belongs to the issuer: nothing in the header chooses where it
    /// comes from. Does **not** check scopes or whether the session is alive.
    ///
    /// # Errors
    /// [`Error::Denied`] with the first check that fails; [`Error::Fault`] when keys cannot be had.
    pub async fn verify<P: Ports>(
        self,
        config: &Config,
        ports: &P,
        issuers: &[Issuer],
        holder: Holder<'_>,
        now: Timestamp,
    ) -> Result<Verified, Error> {
        let text = self.text;
        let token = match self.read {
            Read::Known(fact) => {
                let issuer = accepted(config, issuers, &fact.claims.issuer)?;
                if Arc::ptr_eq(&fact.issuer, issuer) {
                    return verify_known(text, &fact, ports, holder, now).await;
                }
                // It was read by the terms of another configuration.
                Compact::parse(text)?
            }
            Read::Fresh(token) => token,
        };
        let members = json::object(token.payload()).map_err(|_| Denied::MalformToken)?;
        ports.begin(&[Check::Issuer]);
        let issuer = accepted(config, issuers, issuer_of(&members)?)?;
        if let (KeySource::Nowhere, Some(introspection)) = (&issuer.keys, &issuer.introspection) {
            // Nothing that the token says is proved, so nothing of it is used but where to ask.
            ports.begin(ASKED);
            let claims = introspection::ask(ports, issuer, introspection, text, now).await?;
            look(ports, claims.confirmation).await;
            claims.confirmation.met_by(holder)?;
            return Ok(Verified::new(issuer, claims, None));
        }
        let (trust, header) = (&issuer.trust, token.header());
        ports.begin(TERMS);
        let algorithm = trust.check_header(header)?;
        let claims = Rc::new(Claims::read(&members, &trust.claims)?);
        look(ports, claims.confirmation).await;
        trust.check_claims(header, &claims, holder, now)?;
        if !trust.required.is_empty() {
            ports.begin(&[Check::Required]);
        }
        trust.check_required(&members)?;
        if matches!(issuer.keys, KeySource::Realm(..)) {
            ports.begin(&[Check::SessionName]);
        }
        let session = session_of(issuer, &claims)?;
        ports.begin(&[Check::Key]);
        let key = key_of(ports, issuer, header, algorithm, now).await?;
        check_signature(ports, issuer, text, &token, (&claims, session), key, algorithm).await?;
        confirmed(ports, issuer, text, (claims, session), holder, now).await
    }
}

/// What is checked of a token that its issuer is asked about.
const ASKED: &[Check] = &[Check::Inquiry, Check::Answer, Check::Binding];

/// What is checked of a token without a key.
const TERMS: &[Check] = &[
    Check::Type,
    Check::Algorithm,
    Check::Claims,
    Check::Audience,
    Check::Time,
    Check::Binding,
    Check::Complete,
];

/// The issuer of this name, if it counts here.
fn accepted<'c>(
    config: &'c Config,
    issuers: &[Issuer],
    name: &str,
) -> Result<&'c Arc<TrustedIssuer>, Denied> {
    let issuer = config.trusted(name).ok_or(Denied::UntrustedIssuer)?;
    if issuers.contains(&issuer.trust.issuer) { Ok(issuer) } else { Err(Denied::RejectIssuer) }
}

/// The same checks for a token whose signature is known: all but that of the signature, and of what cannot change.
async fn verify_known<P: Ports>(
    text: &str,
    fact: &Fact,
    ports: &P,
    holder: Holder<'_>,
    now: Timestamp,
) -> Result<Verified, Error> {
    let (issuer, header, claims) = (&fact.issuer, &fact.header, Rc::clone(&fact.claims));
    let algorithm = issuer.trust.check_header(header)?;
    look(ports, claims.confirmation).await;
    issuer.trust.check_claims(header, &claims, holder, now)?;
    let session = fact.session;
    let key = key_of(ports, issuer, header, algorithm, now).await?;
    if !fact.is_by(&key, algorithm) {
        // The issuer has another key by now: only what it signs counts.
        let token = Compact::parse(text)?;
        check_signature(ports, issuer, text, &token, (&claims, session), key, algorithm).await?;
    }
    confirmed(ports, issuer, text, (claims, session), holder, now).await
}

/// A token of ours has a session.
fn session_of(issuer: &TrustedIssuer, claims: &Claims) -> Result<Option<SessionId>, Denied> {
    let KeySource::Realm(..) = issuer.keys else {
        return Ok(None);
    };
    let sid = claims.session.as_deref().ok_or(Denied::LackClaim("sid"))?;
    sid.parse().map(Some).map_err(|_| Denied::MalformClaim("sid"))
}

async fn key_of<P: Ports>(
    ports: &P,
    issuer: &TrustedIssuer,
    header: &Header,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<Arc<Jwk>, Error> {
    let key = keys::key(ports, issuer, header.key.as_ref(), algorithm, now).await?;
    key.ok_or_else(|| Denied::UnknownKey.into())
}

/// Asks the issuer as well, where it wants to be asked.
async fn confirmed<P: Ports>(
    ports: &P,
    issuer: &Arc<TrustedIssuer>,
    text: &str,
    (claims, session): (Rc<Claims>, Option<SessionId>),
    holder: Holder<'_>,
    now: Timestamp,
) -> Result<Verified, Error> {
    let claims = match &issuer.introspection {
        None => claims,
        Some(introspection) => {
            ports.begin(&[Check::Inquiry, Check::Answer]);
            let told = introspection::ask(ports, issuer, introspection, text, now).await?;
            // The token says itself what it is bound to; the answer may repeat that, and nothing else.
            if told.confirmation != Confirmation::Bearer {
                look(ports, told.confirmation).await;
                told.confirmation.met_by(holder)?;
            }
            Rc::new(claims.confirmed_by(&told)?)
        }
    };
    Ok(Verified::new(issuer, claims, session))
}

async fn check_signature<P: Ports>(
    ports: &P,
    issuer: &Arc<TrustedIssuer>,
    text: &str,
    token: &Compact<'_>,
    (claims, session): (&Rc<Claims>, Option<SessionId>),
    key: Arc<Jwk>,
    algorithm: Algorithm,
) -> Result<(), Error> {
    ports.may_wait().await;
    ports.begin(&[Check::Signature]);
    let (input, signature) = (token.signing_input().as_bytes(), token.signature());
    if !ports.verifier().verify(&key, algorithm, input, signature).await? {
        return Err(Denied::RejectSignature.into());
    }
    let is_keyed = ports.isolate().facts.borrow().is_keyed();
    // Without randomness nothing is remembered, and nothing is worse than slower.
    let seed = if is_keyed { None } else { random(ports.entropy()).ok() };
    let mut facts = ports.isolate().facts.borrow_mut();
    if let Some(seed) = seed {
        facts.set_key(&seed);
    }
    let (header, claims, issuer) = (token.header().clone(), Rc::clone(claims), Arc::clone(issuer));
    facts.put(text, Fact { header, claims, algorithm, key, issuer, session });
    Ok(())
}

/// A genuine token, made for us, in its time. What it allows is not decided.
#[derive(Debug)]
pub struct Verified {
    token: AccessToken,
    session: Option<SessionId>,
}

impl Verified {
    fn new(issuer: &Arc<TrustedIssuer>, claims: Rc<Claims>, session: Option<SessionId>) -> Self {
        Self { token: AccessToken { issuer: Arc::clone(issuer), claims }, session }
    }

    /// Its session, where it is one of ours.
    pub(crate) const fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The realm that has issued it, where that is one of ours.
    pub(crate) fn realm(&self) -> Option<&RealmName> {
        match &self.token.issuer.keys {
            KeySource::Realm(realm, _) => Some(realm.realm()),
            _ => None,
        }
    }

    /// What it says.
    pub(crate) fn into_token(self) -> AccessToken {
        self.token
    }

    /// What it says, and its session, where it is one of ours.
    pub(super) fn into_parts(self) -> (AccessToken, Option<SessionId>) {
        (self.token, self.session)
    }
}
