//! `/{realm}/federation/{id}`: the person signs in with an outside provider (OpenID Connect Core section 3.1; RFC 6749 section 4.1, where it is GitHub).
//!
//! Out ([`leave`]), by a link of the sign-in page:
//!
//! 1. The page is of a transaction of this browser: else a page, 400.
//! 2. The browser keeps the transaction ([`Trip`]) and goes to the provider, with code, PKCE S256, `state` and `nonce`; and with what the
//!    application wants to be recent (`prompt`, `max_age`).
//!
//! Back ([`come_back`]), at `/federation/{id}/callback`. Each provider has a redirect URI of its own (RFC 9700 section 4.4.2.2).
//!
//! 1. `state` is of a trip that this browser is on, to this provider: else a page, 400. The trip is over, whatever comes of it.
//! 2. `iss` is the provider's, where it is there or promised (RFC 9207 section 2.4).
//! 3. The provider has said yes, and stands by it ([`exchange`], [`github`]).
//! 4. The person's principal knows the browser from now on; where there is none, the provider's setting says whether there is one now.
//! 5. The browser goes on to `/consent`, as after a password.
//!
//! What goes wrong behind (1) is said on the sign-in page, where the person can try again, or another way. Nothing that the provider says
//! decides what somebody may do: a newcomer has no roles.

mod exchange;
mod github;

use crate::config::{Config, Protocol, Provider, Realm};
use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::{AuthorizationRequest, Bounds, Destination, Prompt, Trip};
use crate::http::{Answer, Form, Head};
use crate::oauth::{Endpoint, Stop, admit, source};
use crate::people::newcomer::new_user_id;
use crate::people::page;
use crate::people::visit::{Resumed, Visit};
use crate::port::{Entry, Journal, Limit, Ports, Principals, random};
use crate::principal::{self, EnterFederated, Federated, NewUser, Profile, Question, Refused};
use crate::secret::Credential;
use crate::time::{Lifetime, Timestamp};
use crate::validator::provider_metadata;

use exchange::Answered;

/// Whom a provider has named.
struct Named {
    who: Federated,
    /// When they signed in there.
    auth_time: Option<Timestamp>,
    /// What else it says of them, or how to hear it.
    profile: exchange::Told,
}

/// Why nobody is signed in: what the person reads, and what the log does.
struct Failed {
    status: u16,
    text: &'static str,
    reason: &'static str,
    /// What the provider did, where it is its trouble.
    fault: Option<Fault>,
}

impl Failed {
    /// The provider does not do what it should.
    fn trouble(fault: Fault) -> Self {
        let text = "does not answer as it should. Try again in a while, or sign in another way.";
        Self { status: 502, text, reason: "provider", fault: Some(fault) }
    }

    /// What came does not count.
    const fn refused(reason: &'static str) -> Self {
        let text = "sent an answer that does not count. Try again.";
        Self { status: 400, text, reason, fault: None }
    }

    const fn of_person(status: u16, text: &'static str, reason: &'static str) -> Self {
        Self { status, text, reason, fault: None }
    }
}

/// Why there is no answer of ours from the provider's.
enum Stopped {
    Failed(Failed),
    Fault(Fault),
}

impl From<Failed> for Stopped {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Where a provider sends people back to.
fn redirect_uri(realm: &Realm, provider: &Provider) -> String {
    format!("{}{}", realm.issuer, Endpoint::ComeBack.path().replace("{id}", provider.id.as_str()))
}

fn provider<'r, P: Ports>(visit: &Visit<'_, P>, realm: &'r Realm, id: &str) -> Result<&'r Provider, Stop> {
    realm.provider(id).ok_or_else(|| {
        visit.lost(404, "There is no such way to sign in", "Go back to the application and start again.")
    })
}

/// Sends the browser to a provider.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn leave<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    id: &str,
    head: &Head<'_>,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    let provider = provider(&visit, realm, id)?;
    let form = Form::of_query(head.query.unwrap_or_default())
        .map_err(|_| visit.lost(400, "You cannot be sent there", "A parameter stands twice."))?;
    let sealed = form.get("transaction").unwrap_or_default();
    let resumed = visit.resume(sealed).await?;
    if let Some(answer) = too_often(&visit, &resumed, head).await? {
        return Ok(answer);
    }
    let endpoint = match &provider.protocol {
        Protocol::GitHub => github::AUTHORIZE.to_owned(),
        Protocol::OpenId(issuer, url) => match provider_metadata(ports, issuer, url, now).await {
            Ok(metadata) => metadata.authorization_endpoint.to_string(),
            Err(fault) => return again(&visit, &resumed, provider, &Failed::trouble(fault)),
        },
    };
    let Some(trip) = Trip::begin(&random(ports.entropy())?, sealed) else {
        let text = "The application has asked for so much that it does not fit. Sign in another way.";
        return Err(visit.lost(400, "You cannot be sent there", text));
    };
    let bounds = bounds(&visit, provider, &resumed.bond);
    let state = trip.state(bounds).ok_or_else(|| Fault::new("leave", "the trip has no transaction"))?;
    let (challenge, nonce) = (trip.verifier(bounds).challenge(), trip.nonce(bounds));
    let (redirect_uri, scope) = (redirect_uri(realm, provider), provider.scopes.to_string());
    let mut said = vec![
        ("response_type", "code"),
        ("client_id", provider.client_id.as_str()),
        ("redirect_uri", redirect_uri.as_str()),
        ("state", state.as_str()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    said.extend((!scope.is_empty()).then_some(("scope", scope.as_str())));
    let recent = resumed.transaction.request.as_ref().map(wants).unwrap_or_default();
    said.extend((!recent.0.is_empty()).then_some(("prompt", recent.0.as_str())));
    if matches!(provider.protocol, Protocol::OpenId(..)) {
        said.push(("nonce", nonce.as_str()));
        said.extend(recent.1.as_deref().map(|seconds| ("max_age", seconds)));
    }
    let destination = Destination { redirect_uri: endpoint, ..Destination::default() };
    let answer = page::see_other(destination.location(&said));
    let cookies = visit.cookies.begin_trip(&resumed.transaction.id, &trip.cookie());
    Ok(cookies.into_iter().fold(answer, |answer, cookie| answer.and("Set-Cookie", cookie)))
}

/// What an application wants to be recent, the provider has to ask for: `prompt`, `max_age`.
fn wants(request: &AuthorizationRequest) -> (String, Option<String>) {
    let prompts = [(Prompt::Login, "login"), (Prompt::SelectAccount, "select_account")];
    let wanted: Vec<_> =
        prompts.into_iter().filter(|(prompt, _)| request.wants(*prompt)).map(|(_, name)| name).collect();
    (wanted.join(" "), request.max_age.map(|age| age.as_seconds().to_string()))
}

/// Takes the browser back from a provider.
///
/// # Errors
/// As [`leave`].
pub async fn come_back<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    id: &str,
    head: &Head<'_>,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    let provider = provider(&visit, realm, id)?;
    let form = Form::of_query(head.query.unwrap_or_default())
        .map_err(|_| visit.lost(400, "You could not be signed in", "A parameter stands twice."))?;
    let (trip, resumed) = returned(&visit, provider, &form).await?;
    let answer = match too_often(&visit, &resumed, head).await? {
        Some(answer) => answer,
        None => match entered(&visit, provider, (&trip, &resumed), &form).await {
            Ok(browser) => {
                let next = format!("{}/consent?transaction={}", page::base(realm), trip.sealed());
                page::see_other(next).and("Set-Cookie", visit.cookies.remember(browser.reveal()))
            }
            Err(Stopped::Failed(failed)) => again(&visit, &resumed, provider, &failed)?,
            Err(Stopped::Fault(fault)) => return Err(fault.into()),
        },
    };
    Ok(answer.and("Set-Cookie", visit.cookies.end_trip(&resumed.transaction.id)))
}

fn bounds<'a, P: Ports>(visit: &'a Visit<'_, P>, provider: &'a Provider, bond: &'a str) -> Bounds<'a> {
    Bounds { key: visit.key(), realm: &visit.realm.name, provider: &provider.id, bond }
}

async fn too_often<P: Ports>(
    visit: &Visit<'_, P>,
    resumed: &Resumed,
    head: &Head<'_>,
) -> Result<Option<Answer>, Stop> {
    match admit(visit.ports, Limit::Token, &source(head)).await {
        Ok(()) => Ok(None),
        Err(Stop::Answer(_)) => {
            let text = "Too many attempts. Try again in a minute.";
            visit.sign_in(429, resumed.flow(), resumed.own(), ("", Some(text))).map(Some)
        }
        Err(fault) => Err(fault),
    }
}

/// Back (1)
async fn returned<P: Ports>(
    visit: &Visit<'_, P>,
    provider: &Provider,
    form: &Form,
) -> Result<(Trip, Resumed), Stop> {
    let lost = || {
        let text = "It is too old, was used before, or belongs to another browser. Go back to the application and start again.";
        visit.lost(400, "This answer does not count", text)
    };
    let state = form.get("state").ok_or_else(lost)?;
    let id = Trip::transaction_of(state).ok_or_else(lost)?;
    let trip = visit.cookies.trip(id).and_then(Trip::kept).ok_or_else(lost)?;
    let bond = visit.cookies.bond(id).ok_or_else(lost)?;
    if !trip.is_answered_by(state, bounds(visit, provider, bond)) {
        return Err(lost());
    }
    let resumed = visit.resume(trip.sealed()).await?;
    Ok((trip, resumed))
}

/// Back (2) to (4): what the browser is known by from now on.
async fn entered<P: Ports>(
    visit: &Visit<'_, P>,
    provider: &Provider,
    (trip, resumed): (&Trip, &Resumed),
    form: &Form,
) -> Result<Credential, Stopped> {
    let bounds = bounds(visit, provider, &resumed.bond);
    let redirect_uri = redirect_uri(visit.realm, provider);
    let (nonce, verifier) = (trip.nonce(bounds), trip.verifier(bounds));
    let answered = Answered { form, redirect_uri: &redirect_uri, nonce: &nonce, verifier: &verifier };
    let named = match &provider.protocol {
        Protocol::GitHub => github::named(visit, provider, answered).await?,
        Protocol::OpenId(issuer, url) => exchange::named(visit, provider, (issuer, url), answered).await?,
    };
    // OpenID Connect Core section 3.1.2.1: who was asked with `max_age` says `auth_time`. GitHub is not asked, and says nothing.
    let wants_time = resumed.transaction.request.as_ref().is_some_and(|request| request.max_age.is_some());
    if wants_time && named.auth_time.is_none() && matches!(provider.protocol, Protocol::OpenId(..)) {
        let text = "does not say when you signed in there, which the application wants to know. Sign in another way.";
        return Err(Failed::of_person(400, text, "auth_time").into());
    }
    enter(visit, provider, named).await
}

/// Back (4). Whoever is known already is asked for once; a newcomer's principal is asked again, with what the provider says of them.
async fn enter<P: Ports>(
    visit: &Visit<'_, P>,
    provider: &Provider,
    named: Named,
) -> Result<Credential, Stopped> {
    let (ports, realm) = (visit.ports, visit.realm);
    let Named { who, auth_time, profile } = named;
    let locator = ports.principals().place_of_federated(&realm.name, &who)?;
    let browser = Credential::browser(locator, &random(ports.entropy())?);
    let digest = browser.digest();
    // It says whole seconds: the end of that second is no later than the truth allows.
    let auth_time = auth_time.map(|at| at.after(Lifetime::from_millis(999)));
    let mut enter = EnterFederated {
        who: who.clone(),
        browser: digest,
        before: visit.known_before(locator),
        auth_time,
        newcomer: None,
    };
    let ask = async |enter: &EnterFederated| {
        let question = visit.told(Question::EnterFederated(Box::new(enter.clone())));
        ports.principals().ask(locator, &question).await
    };
    let mut answer = ask(&enter).await?;
    let is_unknown = matches!(answer, principal::Answer::Refused(Refused::NotFound));
    if is_unknown && provider.sign_up {
        let profile = profile.tell(ports, &who).await?;
        enter.newcomer = Some(Box::new(newcomer(visit, who, profile)?));
        answer = ask(&enter).await?;
    }
    match answer {
        principal::Answer::User(_) => {}
        principal::Answer::Refused(Refused::NotFound) => {
            let text = "has told who you are, but nobody here belongs to that account. Ask whoever runs this service, or sign in another way.";
            return Err(Failed::of_person(403, text, Refused::NotFound.code()).into());
        }
        principal::Answer::Refused(refused) => {
            let text =
                "has told who you are, but that account may not sign in here. Ask whoever runs this service.";
            return Err(Failed::of_person(403, text, refused.code()).into());
        }
        _ => return Err(principal::Answer::unexpected("enter").into()),
    }
    Ok(browser)
}

/// Somebody who signs in for the first time: with a number of their own, and nothing that they may do.
fn newcomer<P: Ports>(visit: &Visit<'_, P>, who: Federated, profile: Profile) -> Result<NewUser, Fault> {
    Ok(NewUser {
        id: new_user_id(visit.ports.entropy())?,
        login: None,
        realm: visit.realm.name.clone(),
        roles: Vec::new(),
        password: None,
        browser: None,
        // There is no password that it could be for.
        salt: Digest::of(&[]),
        profile,
        internal_scopes: crate::scope::ScopeSet::default(),
        federated: Some(who),
    })
}

/// The sign-in page again, with what has happened.
fn again<P: Ports>(
    visit: &Visit<'_, P>,
    resumed: &Resumed,
    provider: &Provider,
    failed: &Failed,
) -> Result<Answer, Stop> {
    if let Some(fault) = &failed.fault {
        visit.ports.journal().record(&Entry {
            target: Some(provider.issuer.as_str()),
            decision: "fault",
            op: Some(fault.op()),
            detail: Some(fault.detail()),
            ..Entry::default()
        });
    }
    let text = format!("{} {}", provider.label, failed.text);
    let answer = visit.sign_in(failed.status, resumed.flow(), resumed.own(), ("", Some(&text)))?;
    Ok(answer.because(failed.reason))
}
