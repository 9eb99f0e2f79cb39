//! `POST /{realm}/oauth/token` (RFC 6749 section 3.2).
//!
//! 1. to 5. Who asks is found out as at every endpoint ([`super::client`]).
//! 6. `grant_type` is one that the realm serves: else 400 `unsupported_grant_type`. What belongs to it is there: else 400
//!    `invalid_request`.
//! 7. Each `resource` is one that tokens are given for (RFC 8707): else 400 `invalid_target`.
//!    A proof of possession, where one came, is one of this request (RFC 9449 section 4.3), with a nonce where the realm wants it: else 400
//!    `invalid_dpop_proof` or `use_dpop_nonce`. The access token is bound to its key.
//! 8. Only then, so that strangers learn nothing: the client may use the grant (400 `unauthorized_client`), the code, refresh
//!    token or password counts (400 `invalid_grant`), the scopes may be had (400 `invalid_scope`), the proof was not used before, and is there
//!    where the client has to prove its key (400 `invalid_dpop_proof`).
//! 9. The principal does all of it in one step; the token is signed after it. What a client was granted with its secret a moment
//!    ago may stand for a grain ([`super::standing`]): then 4. and 8. are as they were, and nobody is asked.
//!
//! Client credentials and their session are one step of the client's principal. For the other grants the client proves itself at
//! its own principal, and the code, refresh token or password is redeemed at the principal that it names, in one step there.
//!
//! A login or password that is refused is refused after [`REFUSAL`], whatever it took to find out: a principal that nobody has
//! asked before is slower than one that is in use, and that would tell who exists.
//!
//! A store or key that does not answer is 503. Every answer is `Cache-Control: no-store` (section 5.1).

use crate::config::{Config, Feature, Realm, Revocation};
use crate::dpop::Proved;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::{GrantRequest, PresentedClient, PresentedProof, Proposal, Serves, TokenRequest};
use crate::http::{Answer, ErrorCode, Form, Head, OauthError};
use crate::id::{ClientId, Locator, Login, SessionId};
use crate::oauth::client::{Stop, admit, asks, authenticated, form, source};
use crate::oauth::cors;
use crate::oauth::issue::{answer, terms};
use crate::oauth::proof::{proof_of_client, with_nonce};
use crate::oauth::standing::Wanted;
use crate::port::{Body, Limit, Ports, Principals, Timer, random};
use crate::principal::{
    self, Asks, By, ByClient, Client, GrantType, Granted, NewSession, OpenSession, Password, Question,
    RedeemCode, Refused, Rotate, SignIn,
};
use crate::scope::ScopeSet;
use crate::secret::Credential;
use crate::time::{Lifetime, Timestamp};
use crate::validator::ask_once;

/// How long it takes to hear that a login or a password is wrong: longer than Argon2id and a principal that has to be loaded.
const REFUSAL: Lifetime = Lifetime::from_millis(500);

/// Answers a token request. See the module for the order and each failure's answer.
///
/// # Errors
/// An answer that is none of what was asked for, or trouble of ours.
pub async fn token<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let mut who = None;
    let answer = Stop::settled(answered(config, ports, realm, head, body, (now, &mut who)).await)?;
    let answer = with_nonce(ports, realm, head, answer, now)?;
    Ok(cors::for_client(ports, &realm.name, head, who, answer, now).await?)
}

async fn answered<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    (now, who): (Timestamp, &mut Option<ClientId>),
) -> Result<Answer, Stop> {
    admit(ports, Limit::Token, &source(head)).await?;
    let form = form(head, body).await?;
    by_form(config, ports, realm, head, &form, (now, who)).await
}

/// What redeems a code for the realm's own console: a token request of a client that is in the same worker.
///
/// # Errors
/// As [`token`].
pub(crate) async fn redeem<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    form: &Form,
    now: Timestamp,
) -> Result<Answer, Stop> {
    admit(ports, Limit::Token, &source(head)).await?;
    by_form(config, ports, realm, head, form, (now, &mut None)).await
}

async fn by_form<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    form: &Form,
    (now, who): (Timestamp, &mut Option<ClientId>),
) -> Result<Answer, Stop> {
    let source = source(head);
    let authorization = head.headers.get("authorization");
    let serves =
        Serves { code: realm.has(Feature::GrantTypeCode), password: realm.serves(GrantType::Password) };
    let TokenRequest { client, grant, scopes, resources } =
        TokenRequest::parse(authorization.as_deref(), form, serves)?;
    *who = Some(client.client_id.clone());
    if matches!(grant, GrantRequest::Password { .. }) {
        admit(ports, Limit::Password, &source).await?;
    }
    let resources = targets(config, realm, resources)?;
    let proved = proof_of_client(ports, realm, head, now).await?;
    let wanted = wanted(realm, (&client, &grant), scopes.as_ref(), &resources).filter(|_| proved.is_none());
    if let Some(wanted) = &wanted
        && let Some((locator, granted)) = again(ports, &client.client_id, wanted, now)
    {
        return Ok(answer(ports, realm, (&client.client_id, false), (locator, &granted), None, None).await?);
    }
    let (client, asks) = asks(ports, realm, client, &source, now).await?;
    let way = Way { ports, realm, client, asks, scopes, resources, proved };
    match grant {
        GrantRequest::ClientCredentials => way.client_credentials(wanted, now).await,
        GrantRequest::AuthorizationCode { code, redirect_uri, challenge } => {
            way.authorization_code(code, redirect_uri, challenge).await
        }
        GrantRequest::Password { login, password } => way.password(login, password).await,
        GrantRequest::RefreshToken { token } => way.refresh_token(token).await,
    }
}

/// Everything that the ways of the grants have in common.
struct Way<'a, P> {
    ports: &'a P,
    realm: &'a Realm,
    /// What KV says of the client.
    client: Client,
    asks: Asks,
    scopes: Option<ScopeSet>,
    resources: Vec<String>,
    /// The proof of possession that came with the request.
    proved: Option<Proved>,
}

/// (7): the resources asked for, in one order; the realm's own audience stands for all of them.
pub(crate) fn targets(config: &Config, realm: &Realm, asked: Vec<String>) -> Result<Vec<String>, OauthError> {
    let mut resources = asked;
    resources.sort();
    resources.dedup();
    let is_known = |name: &String| {
        *name == realm.audience || config.resources().iter().any(|one| one.id.as_str() == name)
    };
    if !resources.iter().all(is_known) {
        let description = "ask for resources that tokens of this realm are given for";
        return Err(OauthError::new(ErrorCode::InvalidTarget, description));
    }
    if resources.contains(&realm.audience) {
        resources = vec![realm.audience.clone()];
    }
    Ok(resources)
}

/// What a standing grant may answer ([`super::standing`]), where whoever checks its tokens asks about their sessions.
fn wanted(
    realm: &Realm,
    (client, grant): (&PresentedClient, &GrantRequest),
    scopes: Option<&ScopeSet>,
    resources: &[String],
) -> Option<Wanted> {
    let (GrantRequest::ClientCredentials, PresentedProof::Secret(secret)) = (grant, &client.proof) else {
        return None;
    };
    (realm.revocation == Revocation::Ask).then(|| Wanted {
        realm: realm.name.clone(),
        secret: *secret,
        scopes: scopes.cloned(),
        resources: resources.to_vec(),
    })
}

/// Opens a session under a grant that stands.
fn again<P: Ports>(
    ports: &P,
    client: &ClientId,
    wanted: &Wanted,
    now: Timestamp,
) -> Option<(Locator, Granted)> {
    ports.isolate().standing.borrow_mut().open(client, wanted, now)
}

impl<P: Ports> Way<'_, P> {
    async fn client_credentials(self, wanted: Option<Wanted>, now: Timestamp) -> Result<Answer, Stop> {
        let locator = self.client.locator;
        let (session, refresh) = self.session(&self.client, locator)?;
        // What stands is answered without the client's record, which says how its ID tokens are signed.
        let may_stand = wanted.is_some() && refresh.is_none() && !self.client.rs256_id_tokens;
        let (client, scopes) = (self.asks.clone(), self.scopes.clone());
        let open = OpenSession { client, scopes, session, may_stand };
        let mut granted = self.ask(locator, Question::OpenSession(Box::new(open))).await??;
        if let (Some(wanted), Some(_)) = (wanted, granted.standing) {
            let mut known = self.ports.isolate().standing.borrow_mut();
            let first = known.begin(&self.client.client_id, wanted, (locator, granted), now);
            granted = first.ok_or(Refused::ExpiredClient)?;
        }
        self.answer(&self.client, (locator, &granted), refresh.as_ref()).await
    }

    async fn password(self, login: Option<Login>, password: Password) -> Result<Answer, Stop> {
        let (client, _) = self.authenticated(GrantType::Password).await?;
        // What nobody can have is looked for all the same: a login of the shape takes the same time.
        let login = login.unwrap_or_else(Login::nobodys);
        let locator = self.ports.principals().place_of(&self.realm.name, &login)?;
        let (session, refresh) = self.session(&client, locator)?;
        let salt = Digest::of(&random::<32>(self.ports.entropy())?);
        let (scopes, source) = (self.scopes.clone(), self.asks.source);
        let sign_in = SignIn { client: client.clone(), password, source, scopes, session, salt };
        let started = self.ports.timer().now().await;
        let asked = self.ask(locator, Question::SignIn(Box::new(sign_in))).await?;
        if asked == Err(Refused::Grant) {
            take_as_long(self.ports, started).await;
        }
        let granted = asked?;
        self.answer(&client, (locator, &granted), refresh.as_ref()).await
    }

    async fn authorization_code(
        self,
        code: Option<Credential>,
        redirect_uri: Option<String>,
        challenge: Option<Digest>,
    ) -> Result<Answer, Stop> {
        let (client, by) = self.authenticated(GrantType::AuthorizationCode).await?;
        let (code, locator) = placed(code)?;
        let (session, refresh) = self.session(&client, locator)?;
        let redeem = RedeemCode { client: by, code: code.digest(), redirect_uri, challenge, session };
        let granted = self.ask(locator, Question::RedeemCode(Box::new(redeem))).await??;
        self.answer(&client, (locator, &granted), refresh.as_ref()).await
    }

    async fn refresh_token(self, token: Option<Credential>) -> Result<Answer, Stop> {
        let here = |token: &Credential| token.locator() == Some(self.client.locator);
        // Where both are kept at one principal, one step does both.
        let (client, by) = if token.as_ref().is_some_and(here) {
            (self.client.clone(), By::Asks(self.asks.clone()))
        } else {
            let (client, by) = self.authenticated(GrantType::RefreshToken).await?;
            (client, By::Known(by))
        };
        let (token, locator) = placed(token)?;
        // The nonce that is in force comes back: this one, or that of whoever was first.
        let nonce = Digest::of(&random::<32>(self.ports.entropy())?);
        let next = |nonce: &Digest| {
            token.successor(nonce.bytes()).ok_or_else(|| Fault::new("rotate", "the token names no principal"))
        };
        let rotate = Rotate {
            client: by,
            token: token.digest(),
            proposal: Proposal { nonce, successor: next(&nonce)?.digest() },
            terms: terms(self.realm, &client),
            scopes: self.scopes.clone(),
            resources: self.resources.clone(),
            key: self.key(),
        };
        let granted = self.ask(locator, Question::Rotate(Box::new(rotate))).await??;
        let nonce = granted.nonce.ok_or_else(|| principal::Answer::unexpected("rotate"))?;
        let refresh = next(&nonce)?;
        self.answer(&client, (locator, &granted), Some(&refresh)).await
    }

    /// (5) (8): the client's exact record, and what it comes to at another principal.
    async fn authenticated(&self, grant: GrantType) -> Result<(Client, ByClient), Stop> {
        let (client, ended_at) = authenticated(self.ports, &self.client, self.asks.clone()).await?;
        if !client.may(grant) {
            return Err(Refused::Unauthorized(grant).into());
        }
        if client.must_prove && self.proved.is_none() {
            return Err(Refused::Unproven.into());
        }
        let by = ByClient {
            client_id: client.client_id.clone(),
            scope: client.scope.clone(),
            ended_at,
            is_public: client.is_public(),
        };
        Ok((client, by))
    }

    /// A session to be, and the refresh token that goes with it where the client is registered for one.
    fn session(&self, client: &Client, locator: Locator) -> Result<(NewSession, Option<Credential>), Stop> {
        let local = SessionId::new(locator, random(self.ports.entropy())?).local();
        let with_refresh = client.may(GrantType::RefreshToken);
        let refresh = if with_refresh {
            Some(Credential::refresh_token(locator, &random(self.ports.entropy())?))
        } else {
            None
        };
        let session = NewSession {
            local,
            terms: terms(self.realm, client),
            refresh: refresh.as_ref().map(Credential::digest),
            resources: self.resources.clone(),
            key: self.key(),
        };
        Ok((session, refresh))
    }

    /// The thumbprint of the key that the caller has proved to hold.
    fn key(&self) -> Option<Digest> {
        self.proved.as_ref().map(|proved| proved.key)
    }

    async fn answer(
        &self,
        client: &Client,
        granted: (Locator, &Granted),
        refresh: Option<&Credential>,
    ) -> Result<Answer, Stop> {
        let to = (&client.client_id, client.rs256_id_tokens);
        Ok(answer(self.ports, self.realm, to, granted, refresh, self.key()).await?)
    }

    /// In the step that keeps the mark of the proof, where one came.
    async fn ask(&self, locator: Locator, question: Question) -> Result<Result<Granted, Refused>, Fault> {
        let proof = self.proved.as_ref().map(|proved| proved.mark);
        match ask_once(self.ports, locator, proof, question).await? {
            principal::Answer::Granted(granted) => Ok(Ok(*granted)),
            principal::Answer::Refused(refused) => Ok(Err(refused)),
            _ => Err(principal::Answer::unexpected("grant")),
        }
    }
}

/// Waits until what began at `started` has taken [`REFUSAL`].
pub(crate) async fn take_as_long<P: Ports>(ports: &P, started: Timestamp) {
    let spent_at = ports.timer().now().await;
    ports.timer().pause(started.after(REFUSAL).since(spent_at)).await;
}

/// A credential and the principal that it names. What tollgate cannot have made is not looked up.
fn placed(credential: Option<Credential>) -> Result<(Credential, Locator), Refused> {
    credential
        .and_then(|credential| credential.locator().map(|locator| (credential, locator)))
        .ok_or(Refused::Grant)
}
