//! Asking an issuer about a token (RFC 7662): opaque tokens, and JWTs that count only while their issuer says so.
//!
//! What an issuer says is somebody else's fact and does not stay true, so it is believed for a time: `active` for
//! the configured time and never beyond `exp`, the opposite for a shorter one. While it is believed nobody is asked;
//! of several requests with one token one asks, and the others look again every 25 ms. Audience, time and what else
//! the configuration wants are checked on every hit, by the code that checks a new answer.
//!
//! A flood of made-up tokens costs a question each, as it must, but no more than [`FLIGHTS`] at a time. After a failure
//! nobody asks about that token for a second; about no token, where the failure is not that token's, or is the third in
//! a row. Whoever may not ask hears that it is our trouble.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use litemap::LiteMap;

use crate::config::{Introspection, TrustedIssuer};
use crate::error::{Denied, Error, Fault};
use crate::json::{self, Value};
use crate::port::{Ports, Timer, Web, WebRequest, random};
use crate::time::{Lifetime, Timestamp};
use crate::token::{ClaimPath, Claims, MAX_TOKEN};
use crate::uri::Issuer;
use crate::validator::as_client::authenticate_as;
use crate::validator::by_token::{ByToken, Limits, Weigh};

const OP: &str = "introspect";

/// Two generations of these. What is forgotten is asked about again.
const LIMITS: Limits = Limits { entries: 2_000, bytes: 2_000_000 };

/// Questions to one issuer that may be under way in one isolate.
const FLIGHTS: usize = 32;

/// The longest that one question takes: [`crate::port::WEB_TIMEOUT`] and a second. One whose request was given up
/// never ends, so an older one does not count.
const FLIGHT: Lifetime = Lifetime::from_seconds(4);

/// How often whoever waits for another request's answer looks again.
const LOOK: Lifetime = Lifetime::from_millis(25);

/// How long nobody asks after a failure, about the token that failed or at all.
const PAUSE: Lifetime = Lifetime::from_seconds(1);

/// So many failures in a row are the issuer's; fewer may be about the tokens that were shown, which strangers choose.
const FAILURES: u32 = 3;

/// What this isolate has been told about tokens, and whom it is asking.
#[derive(Debug)]
pub(crate) struct Inquiries {
    /// Apart from the others, so that no flood of made-up tokens makes it forget those that are in use.
    active: ByToken<Inquiry>,
    others: ByToken<Inquiry>,
    issuers: LiteMap<Issuer, Asking>,
}

impl Inquiries {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        // Opaque tokens may end alike: all of each counts.
        Self {
            active: ByToken::new(LIMITS, usize::MAX),
            others: ByToken::new(LIMITS, usize::MAX),
            issuers: LiteMap::new(),
        }
    }

    fn get(&mut self, token: &str) -> Option<Rc<Inquiry>> {
        self.active.get(token).or_else(|| self.others.get(token))
    }

    /// Remembers it in place of what was known.
    fn put(&mut self, issuer: &Arc<TrustedIssuer>, token: &str, state: State) {
        let (keep, forget) = match state {
            State::Told { told: Told::Active(_), .. } => (&mut self.active, &mut self.others),
            _ => (&mut self.others, &mut self.active),
        };
        forget.remove(token);
        keep.put(token, Inquiry { issuer: Arc::clone(issuer), state });
    }

    fn is_keyed(&self) -> bool {
        self.active.is_keyed()
    }

    fn set_key(&self, seed: &[u8; 16]) {
        self.active.set_key(seed);
        self.others.set_key(seed);
    }
}

/// What is known about one token.
#[derive(Debug)]
struct Inquiry {
    issuer: Arc<TrustedIssuer>,
    state: State,
}

impl Weigh for Inquiry {
    fn weight(&self) -> usize {
        let claims = match &self.state {
            State::Told { told: Told::Active(claims), .. } => claims.weight(),
            State::Asking(_) | State::Failed(_) | State::Told { told: Told::Inactive, .. } => 0,
        };
        size_of::<Self>().saturating_add(claims)
    }
}

#[derive(Debug)]
enum State {
    /// A request that began then is asking.
    Asking(Timestamp),
    /// Asking failed then.
    Failed(Timestamp),
    Told {
        told: Told,
        at: Timestamp,
        believed_until: Timestamp,
    },
}

/// What an issuer says about a token.
#[derive(Clone, Debug)]
enum Told {
    Active(Rc<Claims>),
    Inactive,
}

/// Why an issuer did not say.
struct Trouble {
    fault: Fault,
    /// Whether any other token would have met it as well.
    is_general: bool,
}

#[derive(Debug, Default)]
struct Asking {
    since: Vec<Timestamp>,
    failures: u32,
    paused_until: Option<Timestamp>,
}

/// What a request does about a token.
enum Step {
    Ask,
    Fail,
    Look,
    Use(Told),
}

/// What `issuer` says about `token`, now or a moment ago. Checks that it is active, its audience and time, and
/// what the configuration asks for besides. Does **not** check scopes, nor `cnf`.
///
/// # Errors
/// [`Error::Denied`] with what is wrong; [`Error::Fault`] when the issuer does not say.
pub(super) async fn ask<P: Ports>(
    ports: &P,
    issuer: &Arc<TrustedIssuer>,
    introspection: &Introspection,
    token: &str,
    now: Timestamp,
) -> Result<Rc<Claims>, Error> {
    if token.len() > MAX_TOKEN {
        return Err(Denied::RejectSize.into());
    }
    let inquiries = &ports.isolate().inquiries;
    let mut at = now;
    let told = loop {
        match step(inquiries, issuer, token, now, at) {
            Step::Use(told) => break told,
            Step::Fail => return Err(Fault::new(OP, "asking failed a moment ago").into()),
            Step::Look => {
                ports.may_wait().await;
                ports.timer().pause(LOOK).await;
                at = ports.timer().now().await;
            }
            Step::Ask => {
                ports.may_wait().await;
                // To have the keys may have taken a while.
                let at = ports.timer().now().await;
                begin(ports, issuer, token, at)?;
                let told = question(ports, issuer, introspection, token).await;
                let times = (at, ports.timer().now().await);
                break end(inquiries, issuer, introspection, token, times, told)?;
            }
        }
    };
    let Told::Active(claims) = told else {
        return Err(Denied::InactiveToken.into());
    };
    issuer.trust.check_answer(&claims, now)?;
    Ok(claims)
}

/// For a request that came at `came`, now.
fn step(
    inquiries: &RefCell<Inquiries>,
    issuer: &Arc<TrustedIssuer>,
    token: &str,
    came: Timestamp,
    now: Timestamp,
) -> Step {
    let known = inquiries.borrow_mut().get(token);
    match known.as_deref().filter(|known| Arc::ptr_eq(&known.issuer, issuer)).map(|known| &known.state) {
        // What was said while the request waited is as good as an answer of its own.
        Some(State::Told { told, at, believed_until })
            if now < *believed_until || (now > came && *at >= came) =>
        {
            Step::Use(told.clone())
        }
        Some(State::Asking(since)) if now.is_within(FLIGHT, *since) => Step::Look,
        Some(State::Failed(at)) if now.is_within(PAUSE, *at) => Step::Fail,
        _ => Step::Ask,
    }
}

/// Notes that somebody asks, if anybody may.
fn begin<P: Ports>(ports: &P, issuer: &Arc<TrustedIssuer>, token: &str, now: Timestamp) -> Result<(), Fault> {
    let is_keyed = ports.isolate().inquiries.borrow().is_keyed();
    // Without randomness nothing is remembered: every request asks.
    let seed = if is_keyed { None } else { random(ports.entropy()).ok() };
    let mut inquiries = ports.isolate().inquiries.borrow_mut();
    if let Some(seed) = seed {
        inquiries.set_key(&seed);
    }
    let asking = inquiries.issuers.entry(issuer.trust.issuer.clone()).or_default();
    if asking.paused_until.is_some_and(|until| now < until && now.is_within(PAUSE, until)) {
        return Err(Fault::new(OP, "asking failed a moment ago"));
    }
    asking.since.retain(|since| now.is_within(FLIGHT, *since));
    if asking.since.len() >= FLIGHTS {
        return Err(Fault::new(OP, "enough questions are under way"));
    }
    asking.since.push(now);
    inquiries.put(issuer, token, State::Asking(now));
    Ok(())
}

/// Notes what came of it.
fn end(
    inquiries: &RefCell<Inquiries>,
    issuer: &Arc<TrustedIssuer>,
    introspection: &Introspection,
    token: &str,
    (began, ended): (Timestamp, Timestamp),
    told: Result<Told, Trouble>,
) -> Result<Told, Fault> {
    let mut inquiries = inquiries.borrow_mut();
    let asking = inquiries.issuers.entry(issuer.trust.issuer.clone()).or_default();
    if let Some(ours) = asking.since.iter().position(|since| *since == began) {
        asking.since.swap_remove(ours);
    }
    let told = match told {
        Ok(told) => told,
        Err(Trouble { fault, is_general }) => {
            asking.failures = asking.failures.saturating_add(1);
            if is_general || asking.failures >= FAILURES {
                asking.paused_until = Some(ended.after(PAUSE));
            }
            inquiries.put(issuer, token, State::Failed(ended));
            return Err(fault);
        }
    };
    asking.failures = 0;
    asking.paused_until = None;
    let believed_until = match &told {
        Told::Active(claims) => {
            let until = began.after(introspection.positive);
            claims.expires_at.map_or(until, |expires_at| until.min(expires_at))
        }
        Told::Inactive => began.after(introspection.negative),
    };
    inquiries.put(issuer, token, State::Told { told: told.clone(), at: ended, believed_until });
    Ok(told)
}

async fn question<P: Ports>(
    ports: &P,
    issuer: &TrustedIssuer,
    introspection: &Introspection,
    token: &str,
) -> Result<Told, Trouble> {
    let general = |fault| Trouble { fault, is_general: true };
    let perhaps = |fault| Trouble { fault, is_general: false };
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token).append_pair("token_type_hint", "access_token");
    let client = (introspection.client_id.as_str(), introspection.secret_name.as_str());
    let authorization =
        authenticate_as(ports, client, introspection.authentication, &mut form, OP).map_err(general)?;
    let request =
        WebRequest { authorization, form: Some(form.finish()), ..WebRequest::get(&introspection.endpoint) };
    let reply = ports.web().ask(&request).await.map_err(perhaps)?;
    let fault = || Fault::new(OP, format!("status {}", reply.status));
    match reply.status {
        200 => told(issuer, &reply.body).map_err(|problem| perhaps(Fault::new(OP, problem))),
        // Our credentials, too many questions, or nobody behind the door.
        401 | 403 | 429 | 502..=504 => Err(general(fault())),
        _ => Err(perhaps(fault())),
    }
}

/// RFC 7662 section 2.2. An answer that cannot be read is our trouble: the token may be good.
fn told(issuer: &TrustedIssuer, answer: &[u8]) -> Result<Told, String> {
    let mut members = json::object(answer).map_err(|_| "it is no strict JSON object".to_owned())?;
    match members.get("active") {
        Some(Value::Bool(false)) => return Ok(Told::Inactive),
        Some(Value::Bool(true)) => {}
        _ => return Err("it does not say whether the token is active".to_owned()),
    }
    let name = issuer.trust.issuer.as_str();
    if members.get("iss").is_some_and(|iss| iss.as_text() != Some(name)) {
        // Somebody else's token, at an endpoint that serves both.
        return Ok(Told::Inactive);
    }
    members.set("iss", Value::Text(name.into()));
    // A bearer token, or one that needs a proof: nothing else has a meaning here.
    let is_bearer = members
        .get("token_type")
        .is_none_or(|kind| kind.as_text().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")));
    if !is_bearer || issuer.trust.check_required(&members).is_err() {
        return Ok(Told::Inactive);
    }
    let mut map = issuer.trust.claims.clone();
    // A client that acts for itself may have no `sub` in an answer.
    map.subject.push(ClaimPath::member("client_id"));
    let claims = Claims::read(&members, &map)
        .map_err(|denied| format!("{} {}", denied.code(), denied.claim().unwrap_or_default()))?;
    Ok(Told::Active(Rc::new(claims)))
}
