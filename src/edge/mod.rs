//! Cloudflare Workers: the only modules that name `worker`, `js_sys` and `web_sys`.
//!
//! Adapters stay too small to be wrong: they convert, and what can be decided is decided elsewhere. They run
//! nowhere but on the platform, so the end-to-end tests cover them.
#![expect(unreachable_pub, reason = "what is exported to JavaScript has to be `pub`")]

mod configured;
mod directories;
mod directory_do;
mod directory_rows;
#[cfg(feature = "harness")]
mod harness;
mod journal;
mod keyring_do;
mod keyring_rows;
mod keyrings;
mod limiter;
mod mailer;
mod object;
mod platform;
mod principal_do;
mod principals;
mod redaction;
mod request;
mod response;
mod seal;
mod signing;
mod store;
mod turns;
mod web;

use std::cell::RefCell;
use std::rc::Rc;

use worker::js_sys::{JsString, Reflect};
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{Context, Env, web_sys, worker_sys};

use crate::app::{self, App, Outcome};
use crate::encoding::{Digest, base64url};
use crate::gateway::{Came, Pass};
use crate::http::{Answer, bad_gateway, gateway_timeout, unavailable};
use crate::id::RequestId;
use crate::port::{AtOnce, Entry, Journal, random};
use crate::time::Lifetime;
use configured::config;
use journal::ConsoleJournal;
use platform::{Edge, PlatformEntropy, instant, isolate, now};
use request::{Incoming, IncomingBody, Line};

/// Decides on one request of the gateway without waiting: the one crossing of the hot path. `head` (UTF-8) has a line each for
/// method, address, `=` and the `Authorization` value (or nothing), the `Connection` value, and every header's name; `now` is in milliseconds.
/// Answers a response or a plan in the lines that `entry.js` reads, or `undefined`: then [`decide`] has to be asked.
#[wasm_bindgen]
pub fn decide_now(head: &[u8], has_body: bool, now: f64) -> JsValue {
    let decided = (|| {
        let head = str::from_utf8(head).ok()?;
        let (config, line) = config().zip(Line::read(head, has_body))?;
        let request_id = request_id()?;
        let isolate = isolate();
        let ports = AtOnce { entropy: &PlatformEntropy, isolate: &isolate, journal: &ConsoleJournal };
        let now = instant(now);
        let app = App { config, ports: &ports, bootstrap: |_| None, now, request_id: &request_id };
        let head = line.head();
        match app.at_once(&head)? {
            Outcome::Answer(answer) => Some(response::of(&with_id(answer, &request_id)).into()),
            Outcome::Forward(pass) => {
                let came = Came { origin: line.origin(), query: head.query, connection: line.connection() };
                Some(plan(*pass, came, line.names(), &request_id).into())
            }
        }
    })();
    decided.unwrap_or(JsValue::UNDEFINED)
}

/// Decides on one request, however long it takes: a response or a plan in the lines that `entry.js` reads, in turns ([`turns`]).
/// `timings`, where it is an object, is told for how many milliseconds `keys` were waited for.
///
/// # Errors
/// The platform's request has no address.
#[wasm_bindgen]
pub fn decide(
    request: web_sys::Request,
    env: Env,
    context: worker_sys::Context,
    timings: JsValue,
    number: u32,
) -> Result<JsValue, JsValue> {
    turns::start(number, decided(request, env, context, timings))
}

async fn decided(
    request: web_sys::Request,
    env: Env,
    context: worker_sys::Context,
    timings: JsValue,
) -> Result<JsValue, JsValue> {
    let now = now();
    let Some((config, request_id)) = config().zip(request_id()) else {
        let entry = Entry {
            decision: "fault",
            op: Some("start"),
            detail: Some("no configuration or no randomness"),
            ..Entry::default()
        };
        ConsoleJournal.record(&entry);
        let is_health = Incoming::read(&request)?.head().path == "/healthz";
        let answer = if is_health { app::down("start") } else { unavailable() };
        return Ok(response::of(&answer).into());
    };
    let edge = Rc::new(Edge::new(env));
    let incoming = Incoming::read(&request)?;
    let app = App { config, ports: &*edge, bootstrap, now, request_id: &request_id };
    let head = incoming.head();
    let (outcome, chore) = app.handle(&head, &mut IncomingBody::of(&request)).await;
    if timings.is_object() {
        let keys = edge.keys_waited().as_millis().to_string();
        Reflect::set(&timings, &"keys".into(), &keys.into())?;
    }
    let context = Context::new(context);
    if edge.mail().owes() {
        let edge = Rc::clone(&edge);
        context.wait_until(async move { edge.mail().deliver().await });
    }
    // Before the upstream is waited for: a caller that leaves meanwhile has used its session all the same.
    if let Some(chore) = chore {
        let (edge, request_id) = (Rc::clone(&edge), request_id.clone());
        context.wait_until(async move {
            let app = App { config, ports: &*edge, bootstrap, now, request_id: &request_id };
            let mut owed = Some(chore);
            while let Some(chore) = owed {
                owed = app.finish(chore).await;
            }
        });
    }
    match outcome {
        Outcome::Answer(answer) => Ok(response::of(&with_id(answer, &request_id)).into()),
        Outcome::Forward(pass) => {
            let (names, connection) = (incoming.names(), incoming.connection());
            let came = Came { origin: incoming.origin(), query: head.query, connection: &connection };
            Ok(plan(*pass, came, names.iter().map(String::as_str), &request_id).into())
        }
    }
}

/// What becomes of a request whose upstream could not be asked.
#[wasm_bindgen]
#[must_use]
pub fn not_forwarded(route: &str, id: &str, problem: &str, is_late: bool) -> JsString {
    let id = id.parse::<RequestId>().ok();
    ConsoleJournal.record(&Entry {
        request_id: id.as_ref(),
        target: Some(route),
        decision: "fault",
        op: Some("forward"),
        detail: Some(problem),
        ..Entry::default()
    });
    let answer = if is_late { gateway_timeout() } else { bad_gateway() };
    let answer = id.iter().fold(answer, with_id);
    response::of(&answer)
}

/// How a request goes on, in the lines that `entry.js` reads. No header's name or value holds a line's end.
fn plan<'n>(
    pass: Pass<'_>,
    came: Came<'_>,
    names: impl Iterator<Item = &'n str>,
    id: &RequestId,
) -> JsString {
    let route = pass.route();
    let onward = pass.onward(came, names, id);
    let timeout = onward.way.timeout.map_or(0, Lifetime::as_millis);
    let cache = if onward.may_be_cached { "1" } else { "0" };
    let is_plain = timeout == 0
        && onward.way.retries == 0
        && onward.seen.is_none()
        && onward.body.is_none()
        && onward.told.is_empty();
    let sent = if is_plain { cache.to_owned() } else { format!("{cache} {timeout} {}", onward.way.retries) };
    let mut plan =
        String::with_capacity(onward.body.as_ref().map_or(1024, |body| body.len().saturating_add(1024)));
    let binding = onward.binding.unwrap_or_default();
    for line in [binding.as_str(), "\n", &onward.url, "\n", &sent, "\n", route.as_str(), "\n", id.as_str()] {
        plan.push_str(line);
    }
    for name in onward.remove {
        plan.push_str("\n-");
        plan.push_str(&name);
    }
    for (name, value) in onward.set {
        plan.push_str("\n+");
        plan.push_str(&name);
        plan.push(' ');
        plan.push_str(&value);
    }
    if let Some(paths) = onward.seen {
        // The first line is no path: whoever sees nothing is redacted as well.
        plan.push_str("\n*");
        for path in paths {
            plan.push_str("\n*");
            plan.push_str(&path);
        }
    }
    for (name, value) in onward.told {
        plan.push_str("\n<");
        plan.push_str(name);
        plan.push(' ');
        plan.push_str(&value);
    }
    if let Some(body) = onward.body {
        // The last: it is whatever the caller sent, line ends among it.
        plan.push_str("\n=");
        plan.push_str(&body);
    }
    plan.into()
}

/// A new request's name: 96 random bits. Several are drawn, and written, at a time.
fn request_id() -> Option<RequestId> {
    const BYTES: usize = 12;
    const LETTERS: usize = 16;
    thread_local! {
        static DRAWN: RefCell<String> = const { RefCell::new(String::new()) };
    }
    DRAWN.with_borrow_mut(|drawn| {
        if drawn.is_empty() {
            *drawn = base64url(&random::<{ 32 * BYTES }>(&PlatformEntropy).ok()?);
        }
        let rest = drawn.len().checked_sub(LETTERS)?;
        let id = drawn.get(rest..)?.parse().ok();
        drawn.truncate(rest);
        id
    })
}

fn with_id(answer: Answer, id: &RequestId) -> Answer {
    answer.with("X-Request-Id", id.as_str())
}

/// A shorter bootstrap token could be guessed: 32 characters of base64url are 192 bits.
const MIN_BOOTSTRAP: usize = 32;

/// The digest of the secret that guards the management API. Without it, or with one too short, nobody can use that.
fn bootstrap(edge: &Edge) -> Option<Digest> {
    let secret = edge.env().secret("TOLLGATE_BOOTSTRAP_TOKEN").ok()?.to_string();
    (secret.len() >= MIN_BOOTSTRAP).then(|| Digest::of(secret.as_bytes()))
}
