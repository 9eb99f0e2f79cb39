//! Who asks: client authentication at the realm's endpoints (RFC 6749 section 2.3, RFC 7523).
//!
//! 1. The address is not one that asks too often: else 429.
//! 2. The body is a form of at most [`MAX_FORM`] bytes, each parameter once but `resource`; nothing secret stands in the URL:
//!    else 400 `invalid_request`.
//! 3. The client says who it is in exactly one way: two ways 400 `invalid_request`, none 401 `invalid_client`.
//! 4. The client is known, and an assertion is its own (signature, then claims): else 401 `invalid_client`.
//! 5. Its principal agrees, in the step that does what is asked, or in one of its own. Too many wrong proofs from one place are 429.

use crate::config::Realm;
use crate::encoding::Digest;
use crate::error::{Error, Fault};
use crate::grant::{Assertion, PresentedClient, PresentedProof, WRONG_CLIENT};
use crate::http::{Answer, ErrorCode, Form, Head, OauthError, slow_down};
use crate::oauth::Endpoint;
use crate::oauth::known;
use crate::oauth::proof::INVALID_PROOF;
use crate::port::{Body, Limit, Limiter, Ports, Principals};
use crate::principal::{self, Asks, Client, Proof, Question, Refused};
use crate::time::{Lifetime, Timestamp};
use crate::token::Algorithm;
use crate::validator::Jws;

/// The largest form: a client id, an assertion, a code, every scope there is.
pub const MAX_FORM: usize = 16 * 1024;

/// Why a request gets nothing: an answer, or trouble of ours.
#[derive(Debug)]
pub enum Stop {
    /// What is answered instead.
    Answer(Box<Answer>),
    /// Trouble of ours.
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Answer> for Stop {
    fn from(answer: Answer) -> Self {
        Self::Answer(Box::new(answer))
    }
}

impl From<OauthError> for Stop {
    fn from(error: OauthError) -> Self {
        Self::Answer(Box::new(error.answer()))
    }
}

impl From<Refused> for Stop {
    /// The answer outside; the reason goes to the log.
    fn from(refused: Refused) -> Self {
        const fn error(code: ErrorCode, description: &'static str) -> OauthError {
            OauthError::new(code, description)
        }
        let answer = match refused {
            Refused::Full => slow_down(Lifetime::from_seconds(60)),
            Refused::Wait(wait) => slow_down(wait),
            Refused::ExpiredClient => error(ErrorCode::InvalidClient, "this client has expired").answer(),
            Refused::Changed
            | Refused::Copied
            | Refused::Elsewhere
            | Refused::Grant
            | Refused::Key
            | Refused::Last
            | Refused::NotFound
            | Refused::Reused
            | Refused::Role
            | Refused::Stale
            | Refused::Taken => {
                error(ErrorCode::InvalidGrant, "it is wrong, used up, expired or revoked; start over")
                    .answer()
            }
            Refused::NotYours => {
                error(ErrorCode::UnauthorizedClient, "the token was given to another client").answer()
            }
            Refused::Replayed => INVALID_PROOF.answer(),
            Refused::Resource => {
                error(ErrorCode::InvalidTarget, "ask only for resources of the grant").answer()
            }
            Refused::Scope => error(
                ErrorCode::InvalidScope,
                "ask only for scopes that this client, and this grant, may have",
            )
            .answer(),
            Refused::Unauthorized(_) => {
                error(ErrorCode::UnauthorizedClient, "this client may not use this grant").answer()
            }
            Refused::Unproven => {
                error(ErrorCode::InvalidDpopProof, "this client is registered to prove its key: send DPoP")
                    .answer()
            }
            Refused::WrongClient => WRONG_CLIENT.answer(),
        };
        Self::Answer(Box::new(answer.because(refused.code())))
    }
}

impl Stop {
    /// The answer, where it is one.
    ///
    /// # Errors
    /// What is ours: the caller makes a 503 of it.
    pub fn settled(result: Result<Answer, Self>) -> Result<Answer, Fault> {
        match result {
            Ok(answer) => Ok(answer),
            Err(Self::Answer(answer)) => Ok(*answer),
            Err(Self::Fault(fault)) => Err(fault),
        }
    }
}

/// Where a request comes from: an address, or the network of one.
pub(crate) fn source(head: &Head<'_>) -> String {
    crate::http::source(head.headers)
}

/// (1)
pub(crate) async fn admit<P: Ports>(ports: &P, limit: Limit<'_>, source: &str) -> Result<(), Stop> {
    if ports.limiter().admits(limit, source).await? {
        return Ok(());
    }
    Err(Stop::Answer(Box::new(slow_down(Lifetime::from_seconds(60)).because("limit"))))
}

/// (2)
pub(crate) async fn form(head: &Head<'_>, body: &mut impl Body) -> Result<Form, Stop> {
    const SECRETS: [&str; 7] =
        ["client_secret", "client_assertion", "code", "code_verifier", "password", "refresh_token", "token"];
    let has_secret = |query: &str| {
        form_urlencoded::parse(query.as_bytes()).any(|(name, _)| SECRETS.contains(&name.as_ref()))
    };
    if head.query.is_some_and(has_secret) {
        let description = "send credentials in the header or the body, never in the URL";
        return Err(OauthError::new(ErrorCode::InvalidRequest, description).into());
    }
    let bytes = body
        .read(MAX_FORM)
        .await?
        .ok_or(OauthError::new(ErrorCode::InvalidRequest, "the body is too large, or was cut off"))?;
    Ok(Form::parse(head.headers.get("content-type").as_deref(), &bytes)?)
}

/// (4): what the client's principal is asked, and where.
pub(crate) async fn asks<P: Ports>(
    ports: &P,
    realm: &Realm,
    presented: PresentedClient,
    source: &str,
    now: Timestamp,
) -> Result<(Client, Asks), Stop> {
    let PresentedClient { client_id, proof } = presented;
    let (read_at, mut client) =
        known::client(ports, &realm.name, &client_id, now).await?.ok_or(WRONG_CLIENT)?;
    let mut proved = prove(ports, realm, &client, &proof, now).await;
    // The record that is remembered may be older than the key.
    if matches!(proved, Err(Stop::Answer(_)))
        && let Some(newer) = known::newer(ports, (read_at, &client), now).await?
    {
        proved = prove(ports, realm, &newer, &proof, now).await;
        client = newer;
    }
    let source = Digest::of(format!("{}/{source}", realm.name).as_bytes());
    Ok((client, Asks { client_id, proof: proved?, source }))
}

/// A proof, as far as it can be checked before the principal is asked.
async fn prove<P: Ports>(
    ports: &P,
    realm: &Realm,
    client: &Client,
    proof: &PresentedProof,
    now: Timestamp,
) -> Result<Proof, Stop> {
    match proof {
        PresentedProof::Secret(digest) => Ok(Proof::Secret(*digest)),
        PresentedProof::Nothing if client.is_public() => Ok(Proof::Nothing),
        PresentedProof::Nothing => Err(WRONG_CLIENT.into()),
        PresentedProof::Assertion(text) => assertion(ports, realm, client, text, now).await,
    }
}

async fn assertion<P: Ports>(
    ports: &P,
    realm: &Realm,
    client: &Client,
    text: &str,
    now: Timestamp,
) -> Result<Proof, Stop> {
    let keys = client.jwks.as_ref().ok_or(WRONG_CLIENT)?;
    let jws = match Jws::verify(text, keys, &Algorithm::OF_CALLERS, ports.verifier()).await {
        Ok(jws) => jws,
        Err(Error::Denied(_)) => return Err(WRONG_CLIENT.into()),
        Err(Error::Fault(fault)) => return Err(fault.into()),
    };
    let endpoint = format!("{}{}", realm.issuer, Endpoint::Token.path());
    let (typ, audiences) = (jws.header().typ.as_deref(), [realm.issuer.as_str(), &endpoint]);
    let checked =
        Assertion::check(typ, jws.payload(), &client.client_id, audiences, now).ok_or(WRONG_CLIENT)?;
    let key = keys.find(jws.header().key.as_ref(), jws.algorithm()).ok_or(WRONG_CLIENT)?;
    Ok(Proof::Assertion { key: key.thumbprint(), jti: checked.jti, expires_at: checked.expires_at })
}

/// (5), in a step of its own: the client's record, which is exact, and until when what it was granted is over.
pub(crate) async fn authenticated<P: Ports>(
    ports: &P,
    client: &Client,
    asks: Asks,
) -> Result<(Client, Option<Timestamp>), Stop> {
    match ports.principals().ask(client.locator, &Question::Authenticate(asks)).await? {
        principal::Answer::Known(client, ended_at) => Ok((*client, ended_at)),
        // A record of a client that is not there any more.
        principal::Answer::Refused(Refused::NotFound) => Err(Refused::WrongClient.into()),
        principal::Answer::Refused(refused) => Err(refused.into()),
        _ => Err(principal::Answer::unexpected("authenticate").into()),
    }
}
