//! `POST /{realm}/oauth/introspect` (RFC 7662).
//!
//! 1. to 5. Who asks is found out as at every endpoint ([`super::client`]); a public client has proved nothing and is 401
//!    `invalid_client` (section 2.1: the endpoint must be protected).
//! 6. An access token counts if it is genuine, in its time, and its session is alive by its principal's word; a refresh token if it
//!    may be redeemed. Looking is no use: it keeps no session from falling idle.
//! 7. A client may ask about its own tokens; about others' only where it was registered to ([`Client::may_introspect`]), and
//!    about refresh tokens never: they are for nobody but who holds them.
//! 8. Everything else is `{"active":false}`, and nothing tells one from another (section 2.2).

use serde::Serialize;

use crate::config::{Config, Realm};
use crate::error::{Error, Fault};
use crate::grant::{PresentedClient, kept_scopes};
use crate::http::{Answer, ErrorCode, Form, Head, OauthError};
use crate::id::{Locator, Role, SessionId};
use crate::oauth::client::{Stop, admit, asks, authenticated, form, source};
use crate::port::{Body, Clients, Limit, Ports, Principals};
use crate::principal::{self, Client, GrantType, Inspected, Question, Refused, Token};
use crate::scope::ScopeSet;
use crate::secret::{Credential, Kind};
use crate::time::Timestamp;
use crate::token::{Bound, Claims, Confirmation, Holder};
use crate::validator::verify;

/// What is said of a token that counts (section 2.2).
#[derive(Serialize)]
struct Active<'a> {
    #[serde(rename = "active")]
    counts: bool,
    #[serde(skip_serializing_if = "ScopeSet::is_empty")]
    scope: &'a ScopeSet,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    exp: u64,
    iat: u64,
    sub: &'a str,
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Role]>::is_empty")]
    roles: &'a [Role],
    /// Section 6.2 of RFC 9470.
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
    /// Section 6.2 of RFC 9449.
    #[serde(rename = "cnf", skip_serializing_if = "Option::is_none")]
    bound: Option<Bound>,
}

/// The one answer about whatever does not count.
const INACTIVE: &str = r#"{"active":false}"#;

/// Who asks, and what: a client that has proved who it is.
pub(crate) struct Caller {
    /// Its record, which is exact.
    pub(crate) client: Client,
    /// Until when what it was granted is over.
    ended_at: Option<Timestamp>,
    pub(crate) form: Form,
}

/// Answers a question about a token.
///
/// # Errors
/// An answer that is none of what was asked for, or trouble of ours.
pub async fn introspect<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let caller = caller(ports, realm, head, body, now).await?;
    if caller.client.is_public() {
        return Err(crate::grant::WRONG_CLIENT.into());
    }
    let text = token_of(&caller.form)?;
    let answer = match parse(text) {
        Some((token, locator)) => refresh_token(config, ports, realm, &caller, token, locator).await?,
        None => access_token(config, ports, realm, &caller, text, now).await?,
    };
    Ok(answer.unwrap_or_else(inactive))
}

/// Who asks, and what.
pub(crate) async fn caller<P: Ports>(
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Caller, Stop> {
    let source = source(head);
    match proved(ports, realm, head, body, &source, now).await {
        // A resource server asks all day from one address: only who proves nothing is counted.
        Err(Stop::Answer(answer)) if answer.status == 401 => {
            admit(ports, Limit::Token, &source).await?;
            Err(Stop::Answer(answer))
        }
        settled => settled,
    }
}

async fn proved<P: Ports>(
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    source: &str,
    now: Timestamp,
) -> Result<Caller, Stop> {
    let form = form(head, body).await?;
    let authorization = head.headers.get("authorization");
    let presented = PresentedClient::parse(authorization.as_deref(), &form)?;
    let (client, asks) = asks(ports, realm, presented, source, now).await?;
    let (client, ended_at) = authenticated(ports, &client, asks).await?;
    Ok(Caller { client, ended_at, form })
}

pub(super) fn token_of(form: &Form) -> Result<&str, OauthError> {
    // `token_type_hint` only says where to look first (section 2.1): what a token is shows.
    form.get("token").ok_or(OauthError::new(ErrorCode::InvalidRequest, "token is missing"))
}

/// A refresh token, and the principal that it names.
pub(super) fn parse(text: &str) -> Option<(Token, Locator)> {
    let credential = Credential::parse(Kind::RefreshToken, text).ok()?;
    Some((Token::Refresh(credential.digest()), credential.locator()?))
}

fn inactive() -> Answer {
    Answer { body: INACTIVE.to_owned(), ..Answer::empty(200) }.with("Content-Type", "application/json")
}

async fn inspect<P: Ports>(ports: &P, locator: Locator, token: Token) -> Result<Option<Inspected>, Fault> {
    match ports.principals().ask(locator, &Question::Inspect(token)).await? {
        principal::Answer::Inspected(found) => Ok(found.map(|found| *found)),
        principal::Answer::Refused(Refused::NotFound) => Ok(None),
        _ => Err(principal::Answer::unexpected("introspect")),
    }
}

async fn refresh_token<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    caller: &Caller,
    token: Token,
    locator: Locator,
) -> Result<Option<Answer>, Fault> {
    let client = &caller.client;
    if !client.may(GrantType::RefreshToken) {
        return Ok(None);
    }
    let found = inspect(ports, locator, token).await?.filter(|found| found.client_id == client.client_id);
    let Some(found) = found else { return Ok(None) };
    if !is_granted_still(ports, realm, caller, &found).await? {
        return Ok(None);
    }
    let active = Active {
        counts: true,
        scope: &kept_scopes(&found.scope, &client.scope, config.scopes()),
        client_id: client.client_id.as_str(),
        token_type: None,
        exp: found.expires_at.as_seconds(),
        iat: found.opened_at.as_seconds(),
        sub: &found.subject,
        iss: realm.issuer.as_str(),
        aud: None,
        jti: None,
        roles: &found.roles,
        acr: None,
        auth_time: None,
        bound: None,
    };
    Answer::json(200, &active).map(Some)
}

/// An access token of this realm that is genuine, in its time, and whose session is alive.
pub(super) async fn genuine<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    text: &str,
    now: Timestamp,
) -> Result<Option<(Claims, SessionId)>, Fault> {
    // What is not a JWT is no access token of ours, and nobody else is asked about it.
    if text.matches('.').count() != 2 {
        return Ok(None);
    }
    match verify(text, config, ports, std::slice::from_ref(&realm.issuer), Holder::Nobody, now).await {
        Ok(verified) => {
            let claims = verified.into_token().claims().clone();
            let session = claims.session.as_deref().and_then(|session| session.parse().ok());
            Ok(session.map(|session| (claims, session)))
        }
        Err(Error::Denied(_)) => Ok(None),
        Err(Error::Fault(fault)) => Err(fault),
    }
}

/// Whether the client of a session is still there, and was not given another secret since. Where both are kept at one principal,
/// it has looked.
async fn is_granted_still<P: Ports>(
    ports: &P,
    realm: &Realm,
    caller: &Caller,
    found: &Inspected,
) -> Result<bool, Fault> {
    let is_after = |end: Option<Timestamp>| end.is_none_or(|end| end < found.opened_at);
    if !found.is_elsewhere {
        return Ok(true);
    }
    if found.client_id == caller.client.client_id {
        return Ok(is_after(caller.ended_at));
    }
    let Some(client) = ports.clients().find(&realm.name, &found.client_id).await? else { return Ok(false) };
    match ports.principals().ask(client.locator, &Question::KnowClient(client.client_id)).await? {
        principal::Answer::Known(_, ended_at) => Ok(is_after(ended_at)),
        principal::Answer::Refused(_) => Ok(false),
        _ => Err(principal::Answer::unexpected("introspect")),
    }
}

async fn access_token<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    caller: &Caller,
    text: &str,
    now: Timestamp,
) -> Result<Option<Answer>, Fault> {
    let Some((claims, session)) = genuine(config, ports, realm, text, now).await? else {
        return Ok(None);
    };
    let owner = claims.client.as_deref().unwrap_or_default();
    if owner != caller.client.client_id.as_str() && !caller.client.may_introspect {
        return Ok(None);
    }
    let Some(found) = inspect(ports, session.locator(), Token::Access(session.local())).await? else {
        return Ok(None);
    };
    if !is_granted_still(ports, realm, caller, &found).await? {
        return Ok(None);
    }
    let bound = match claims.confirmation {
        Confirmation::Key(key) => Some(Bound { key }),
        _ => None,
    };
    let seconds = |at: Option<Timestamp>| at.map(Timestamp::as_seconds).unwrap_or_default();
    let active = Active {
        counts: true,
        scope: &claims.scopes,
        client_id: owner,
        token_type: Some(if bound.is_some() { "DPoP" } else { "Bearer" }),
        exp: seconds(claims.expires_at),
        iat: seconds(claims.issued_at),
        sub: &claims.subject,
        iss: realm.issuer.as_str(),
        aud: Some(&claims.audiences),
        jti: claims.token_id.as_deref(),
        roles: &found.roles,
        acr: claims.acr.as_deref(),
        auth_time: claims.auth_time.map(Timestamp::as_seconds),
        bound,
    };
    Answer::json(200, &active).map(Some)
}
