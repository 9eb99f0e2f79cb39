//! What went wrong, by whose fault it is: [`Denied`] is theirs, [`Fault`] is ours.
//!
//! A [`Denied`] is told to the caller as one of a few constant answers ([`crate::http`] chooses them, and
//! nothing else does); its [`Denied::code`] goes to the log. A [`Fault`] is logged once, where it becomes a
//! 503, and is never described outside. Neither carries text that a caller sent.

use std::fmt;

use crate::scope::ScopeToken;
use crate::time::Lifetime;

/// A request that does not pass, or a platform that does not work.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Error {
    /// The caller's fault.
    Denied(Denied),
    /// Ours.
    Fault(Fault),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denied) => denied.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Why a request may not pass.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Denied {
    /// The session was not used for its idle time.
    ExpireIdle,
    /// `exp` has passed (RFC 7519 section 4.1.4).
    ExpireToken,
    /// The session was ended.
    EndSession,
    /// A form that is too long to look for a token in.
    ExceedForm,
    /// The caller has called the route as often as it may, for so many seconds (RFC 6585 section 4).
    ExceedRate(u64),
    /// A message that is too long to be looked into.
    ExceedMessage,
    /// From `iat` to `exp` is longer than the issuer's tokens may live.
    ExceedLifetime,
    /// Its issuer says that the token does not count, or not any more (RFC 7662 section 2.2).
    InactiveToken,
    /// The token's roles have none of the abilities by which the route shows something.
    LackAbility,
    /// The person has not signed in as the route asks for, or not as recently (RFC 9470 section 3).
    LackAuthentication(Box<SignInNeed>),
    /// The route takes bound tokens only, and this one is bound to nothing, or to something else (RFC 9449, RFC 8705).
    LackBinding,
    /// A claim that must be there is not (RFC 9068 section 2.2).
    LackClaim(&'static str),
    /// The proof of possession lacks a nonce of ours, or has an old one (RFC 9449 section 9): this is the one that counts.
    LackNonce(String),
    /// A claim that the configuration asks for is not there, or says something else.
    LackRequired(String),
    /// The token has none of the roles that the route asks for.
    LackRole,
    /// The token does not grant the scopes (RFC 6750 section 3.1).
    LackScope {
        /// Every scope that the route asks for; of several any of which would do, the first.
        need: Vec<ScopeToken>,
    },
    /// A claim has the wrong type, or says what cannot be.
    MalformClaim(&'static str),
    /// The `Authorization` header is not one bearer credential (RFC 6750 section 2.1).
    MalformCredentials,
    /// The host that it was sent to is none (RFC 9112 section 3.2).
    MalformHost,
    /// A body that is not one JSON-RPC message, on a route that looks which tool is called.
    MalformMessage,
    /// The request's target has no single normal form.
    MalformPath,
    /// Not a compact JWS, or its header or claims are not strict JSON (RFC 7515).
    MalformToken,
    /// No bearer token at all.
    MissToken,
    /// No route matches: deny by default.
    NoRoute,
    /// The route does not let this tool be called: deny by default.
    NoTool,
    /// The route looks into messages or takes fields out of answers, and whoever asks is not the one that they pass through.
    NotRedacted,
    /// Plain HTTP where the realm asks for HTTPS. A credential that was in the request has been sent in the clear.
    RefuseHttp,
    /// The token is bound to no key, and was presented as if it were (RFC 9449 section 7.1).
    RefuseUnbound,
    /// The token's `cnf` asks for a proof that was not given (RFC 7800).
    RefuseUnproven,
    /// `alg` is not one that the issuer may use (RFC 8725 section 3.1).
    RejectAlgorithm,
    /// `aud` does not name us (RFC 7519 section 4.1.3).
    RejectAudience,
    /// The header has `crit`: no extension is understood here (RFC 7515 section 4.1.11).
    RejectCritical,
    /// The issuer is trusted, but not on this route.
    RejectIssuer,
    /// The proof of possession does not count (RFC 9449 section 4.3), because of this part of it.
    RejectProof(&'static str),
    /// The signature is not the key's.
    RejectSignature,
    /// Larger than a token may be.
    RejectSize,
    /// `typ` is not an access token's (RFC 9068 section 4).
    RejectType,
    /// `nbf` or `iat` lies in the future.
    TooEarly,
    /// A `GET` or `HEAD` with a body: it means nothing, and the platform does not forward it (RFC 9110 section 9.3.1).
    UnexpectedBody,
    /// The key set of the issuer has no such key.
    UnknownKey,
    /// `iss` is nobody we trust.
    UntrustedIssuer,
}

/// What a route asks of a sign-in (RFC 9470).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SignInNeed {
    /// `acr` is one of these, where there are any.
    pub acr: Vec<String>,
    /// `auth_time` is at most so long ago.
    pub max_age: Option<Lifetime>,
}

impl Denied {
    /// A stable name for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ExpireIdle => "expire_idle",
            Self::ExpireToken => "expire_token",
            Self::EndSession => "end_session",
            Self::ExceedForm => "exceed_form",
            Self::ExceedMessage => "exceed_message",
            Self::ExceedLifetime => "exceed_lifetime",
            Self::ExceedRate(_) => "exceed_rate",
            Self::InactiveToken => "inactive_token",
            Self::LackAbility => "lack_ability",
            Self::LackAuthentication(_) => "lack_authentication",
            Self::LackBinding => "lack_binding",
            Self::LackClaim(_) => "lack_claim",
            Self::LackNonce(_) => "lack_nonce",
            Self::LackRequired(_) => "lack_required",
            Self::LackRole => "lack_role",
            Self::LackScope { .. } => "lack_scope",
            Self::MalformClaim(_) => "malform_claim",
            Self::MalformCredentials => "malform_credentials",
            Self::MalformHost => "malform_host",
            Self::MalformMessage => "malform_message",
            Self::MalformPath => "malform_path",
            Self::MalformToken => "malform_token",
            Self::MissToken => "miss_token",
            Self::NoRoute => "no_route",
            Self::NoTool => "no_tool",
            Self::NotRedacted => "not_redacted",
            Self::RefuseHttp => "refuse_http",
            Self::RefuseUnbound => "refuse_unbound",
            Self::RefuseUnproven => "refuse_unproven",
            Self::RejectAlgorithm => "reject_algorithm",
            Self::RejectAudience => "reject_audience",
            Self::RejectCritical => "reject_critical",
            Self::RejectIssuer => "reject_issuer",
            Self::RejectProof(_) => "reject_proof",
            Self::RejectSignature => "reject_signature",
            Self::RejectSize => "reject_size",
            Self::RejectType => "reject_type",
            Self::TooEarly => "too_early",
            Self::UnexpectedBody => "unexpected_body",
            Self::UnknownKey => "unknown_key",
            Self::UntrustedIssuer => "untrusted_issuer",
        }
    }

    /// Which claim it is about, for the log.
    #[must_use]
    pub fn claim(&self) -> Option<&str> {
        match self {
            Self::LackClaim(name) | Self::MalformClaim(name) | Self::RejectProof(name) => Some(name),
            Self::LackRequired(place) => Some(place),
            _ => None,
        }
    }
}

impl fmt::Display for Denied {
    /// The code, and the claim that it is about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())?;
        self.claim().map_or(Ok(()), |claim| write!(f, " `{claim}`"))
    }
}

impl std::error::Error for Denied {}

/// Trouble of our own: a store that does not answer, a key that does not open, a promise that broke.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    op: &'static str,
    detail: String,
}

impl Fault {
    /// `op` was being done; `detail` is for the log and must hold no secret.
    #[must_use]
    pub fn new(op: &'static str, detail: impl Into<String>) -> Self {
        Self { op, detail: detail.into() }
    }

    /// What was being done.
    #[must_use]
    pub const fn op(&self) -> &'static str {
        self.op
    }

    /// What went wrong, for the log.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.op, self.detail)
    }
}

impl std::error::Error for Fault {}
