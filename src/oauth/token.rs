//! `POST /{realm}/oauth/token`: client credentials (RFC 6749 section 4.4).
//!
//! 1. The body is a form of at most [`MAX_FORM`] bytes, each parameter once: else 400 `invalid_request`.
//! 2. The client authenticates in exactly one way: two ways 400 `invalid_request`, none 401 `invalid_client`.
//! 3. `grant_type` is `client_credentials`: else 400 `unsupported_grant_type`.
//! 4. The client is known and its secret is right: else 401 `invalid_client`, the same for both.
//! 5. Only then, so that strangers learn nothing: it may use the grant (400 `unauthorized_client`) and ask for
//!    the scopes (400 `invalid_scope`).
//! 6. The principal opens the session and checks the secret in one step; the token is signed after it.
//!
//! A store or key that does not answer is 503. Every answer is `Cache-Control: no-store` (section 5.1).

use serde::Serialize;

use crate::config::{Config, Realm};
use crate::encoding::base64url;
use crate::error::Fault;
use crate::grant::{TokenRequest, WRONG_CLIENT, grant_scopes};
use crate::http::{Answer, ErrorCode, Form, Head, NO_CACHE, OauthError};
use crate::id::SessionId;
use crate::port::{Body, Clients, Ports, Principals, Signer, random};
use crate::principal::{self, Authenticate, Client, GrantType, OpenSession, Opened, Question};
use crate::scope::ScopeSet;
use crate::secret::Credential;
use crate::time::{Lifetime, Timestamp};
use crate::token::{AccessClaims, access_token_input};

/// The largest form: a client id, a secret, every scope there is, and room for a signed assertion.
pub const MAX_FORM: usize = 16 * 1024;

/// A successful answer (RFC 6749 section 5.1).
#[derive(Serialize)]
struct Granted<'a> {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a ScopeSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

/// Answers a token request. See the module for the order and each failure's answer.
///
/// # Errors
/// What is ours: the caller makes a 503 of it.
pub async fn token<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Fault> {
    match grant(config, ports, realm, head, body, now).await {
        Ok(answer) => Ok(answer),
        Err(Refused::Oauth(error)) => Ok(error.answer()),
        Err(Refused::Fault(fault)) => Err(fault),
    }
}

enum Refused {
    Fault(Fault),
    Oauth(OauthError),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<OauthError> for Refused {
    fn from(error: OauthError) -> Self {
        Self::Oauth(error)
    }
}

async fn grant<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Refused> {
    // (1)
    if head.query.is_some_and(|query| query.contains("client_secret")) {
        return Err(OauthError::new(
            ErrorCode::InvalidRequest,
            "send credentials in the header or the body, never in the URL",
        )
        .into());
    }
    let bytes = body
        .read(MAX_FORM)
        .await?
        .ok_or(OauthError::new(ErrorCode::InvalidRequest, "the body is too large, or was cut off"))?;
    let form = Form::parse(head.headers.get("content-type").as_deref(), &bytes)?;
    // (2) (3)
    let authorization = head.headers.get("authorization");
    let request = TokenRequest::parse(authorization.as_deref(), &form)?;
    let asks = Authenticate { client_id: request.client.client_id, secret: request.client.secret };
    // (4)
    let client = ports.clients().find(&realm.name, &asks.client_id).await?.ok_or(WRONG_CLIENT)?;
    // (5)
    let scopes = match grant_scopes(&client, request.scopes, config.scopes()) {
        Ok(scopes) => scopes,
        Err(error) => {
            return Err(if authenticate(ports, &client, asks).await? { error } else { WRONG_CLIENT }.into());
        }
    };
    // (6)
    let session = SessionId::new(client.locator, random(ports.entropy())?);
    let refresh = if client.may(GrantType::RefreshToken) {
        Some(Credential::refresh_token(client.locator, &random(ports.entropy())?))
    } else {
        None
    };
    let open = OpenSession {
        client: asks,
        local: session.local(),
        refresh: refresh.as_ref().map(Credential::digest),
        pace: realm.pace,
        lasts: realm.session(refresh.is_some()),
    };
    match ports.principals().ask(client.locator, &Question::OpenSession(open)).await? {
        principal::Answer::Opened(Opened::Open) => {}
        principal::Answer::Opened(Opened::WrongSecret) => return Err(WRONG_CLIENT.into()),
        _ => return Err(Fault::new("open session", "the principal answered another question").into()),
    }
    let answer = Granted {
        access_token: access_token(ports, realm, &client, &scopes, session, now).await?,
        token_type: "Bearer",
        expires_in: realm.access_token.as_seconds(),
        scope: Some(&scopes).filter(|scopes| !scopes.is_empty()),
        refresh_token: refresh.as_ref().map(Credential::reveal),
    };
    Ok(Answer::json(200, &answer)?.with(NO_CACHE.0, NO_CACHE.1))
}

async fn authenticate<P: Ports>(ports: &P, client: &Client, asks: Authenticate) -> Result<bool, Fault> {
    match ports.principals().ask(client.locator, &Question::Authenticate(asks)).await? {
        principal::Answer::Authenticated(fits) => Ok(fits),
        _ => Err(Fault::new("authenticate", "the principal answered another question")),
    }
}

async fn access_token<P: Ports>(
    ports: &P,
    realm: &Realm,
    client: &Client,
    scopes: &ScopeSet,
    session: SessionId,
    now: Timestamp,
) -> Result<String, Fault> {
    let claims = AccessClaims {
        issuer: &realm.issuer,
        subject: client.client_id.as_str(),
        audience: &realm.audience,
        client_id: &client.client_id,
        issued_at: now.as_seconds(),
        expires_at: now.after(realm.access_token).as_seconds(),
        token_id: base64url(&random::<16>(ports.entropy())?),
        scope: scopes,
        session,
        idle: realm.pace.idle().map(Lifetime::as_seconds),
    };
    ports
        .signer()
        .sign(&realm.name, &|algorithm, key| {
            access_token_input(algorithm, key, &claims).map_err(|e| Fault::new("write token", e.to_string()))
        })
        .await
}
