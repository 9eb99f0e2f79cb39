//! Codes for tests: `POST /{realm}/_harness/code`. Feature `harness`: never in an artefact that is deployed.
//!
//! 1. The bearer token is the bootstrap token: else 401.
//! 2. The body says whose code it is and what it grants: else 400.
//! 3. The principal of that login keeps the code, as it will for the authorization endpoint. 200 with `code`.

use serde::Deserialize;
use serde_json::json;

use crate::config::Realm;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::{CODE_LIFETIME, Code, SignInMethod};
use crate::http::{Answer, Head, bearer};
use crate::id::{ClientId, Login};
use crate::port::{Body, Ports, Principals, random};
use crate::principal::{self, Question};
use crate::scope::ScopeSet;
use crate::secret::Credential;
use crate::time::{Lifetime, Timestamp};

/// The path below the realm.
pub(super) const CODE: &str = "/_harness/code";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    login: String,
    client_id: ClientId,
    redirect_uri: String,
    code_challenge: Digest,
    scope: ScopeSet,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    nonce: Option<String>,
    /// How long it counts; by default as long as any.
    #[serde(default)]
    seconds: Option<u64>,
}

pub(super) async fn code<P: Ports>(
    ports: &P,
    realm: &Realm,
    bootstrap: Option<Digest>,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Fault> {
    // (1)
    let authorization = head.headers.get("authorization");
    let given = bearer(authorization.as_deref()).ok().map(|token| Digest::of(token.as_bytes()));
    if bootstrap.is_none() || given != bootstrap {
        return Ok(Answer::empty(401));
    }
    // (2)
    let bytes = body.read(16 * 1024).await?.unwrap_or_default();
    let wanted = serde_json::from_slice::<Wanted>(&bytes).ok();
    let Some((wanted, login)) = wanted.and_then(|wanted| {
        let login = Login::typed(&wanted.login).ok()?;
        Some((wanted, login))
    }) else {
        return Ok(Answer::empty(400));
    };
    // (3)
    let locator = ports.principals().place_of(&realm.name, &login)?;
    let credential = Credential::code(locator, &random(ports.entropy())?);
    let code = Code {
        client_id: wanted.client_id,
        redirect_uri: wanted.redirect_uri,
        challenge: wanted.code_challenge,
        scope: wanted.scope,
        resources: wanted.resources,
        nonce: wanted.nonce,
        auth_time: now,
        method: SignInMethod::Password,
        issued_at: now,
        expires_at: now.after(wanted.seconds.map_or(CODE_LIFETIME, Lifetime::from_seconds)),
        redeemed: None,
        key: None,
        browser: None,
        origin: None,
        tells: false,
    };
    let question = Question::IssueCode { digest: credential.digest(), code: Box::new(code) };
    match ports.principals().ask(locator, &question).await? {
        principal::Answer::Done => Answer::json(200, &json!({ "code": credential.reveal() })),
        principal::Answer::Refused(_) => Ok(Answer::empty(404)),
        _ => Err(principal::Answer::unexpected("grant")),
    }
}
