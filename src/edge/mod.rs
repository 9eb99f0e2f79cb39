//! Cloudflare Workers: the only modules that name `worker`, `js_sys` and `web_sys`.
//!
//! Adapters stay too small to be wrong: they convert, and what can be decided is decided elsewhere. They run
//! nowhere but on the platform, so the end-to-end tests cover them.

mod clients;
mod forward;
mod journal;
mod keyring_do;
mod keyrings;
mod object;
mod platform;
mod principal_do;
mod principals;
mod request;
mod response;
mod webcrypto;

use std::rc::Rc;
use std::sync::OnceLock;

use worker::{Context, Env, Result, event, web_sys};

use crate::app::{App, Outcome};
use crate::config::Config;
use crate::encoding::{Digest, base64url};
use crate::http::{Answer, bad_gateway, unavailable};
use crate::id::RequestId;
use crate::port::{Entry, Journal, random};
use journal::ConsoleJournal;
use platform::{Edge, PlatformEntropy, now};
use request::{Incoming, IncomingBody};

/// One HTTP request.
#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> Result<web_sys::Response> {
    let now = now();
    let Some((config, request_id)) = config().zip(request_id()) else {
        let entry = Entry {
            decision: "fault",
            op: Some("start"),
            detail: Some("no configuration or no randomness"),
            ..Entry::default()
        };
        ConsoleJournal.record(&entry);
        return response::of(&unavailable());
    };
    let edge = Rc::new(Edge::new(env));
    let incoming = Incoming::read(&request)?;
    let app = App { config, ports: &*edge, bootstrap, now, request_id: &request_id };
    let (outcome, chore) = app.handle(&incoming.head(), &mut IncomingBody::of(&request)).await;
    // Before the upstream is waited for: a caller that leaves meanwhile has used its session all the same.
    if let Some(chore) = chore {
        let (edge, request_id) = (Rc::clone(&edge), request_id.clone());
        context.wait_until(async move {
            App { config, ports: &*edge, bootstrap, now, request_id: &request_id }.finish(chore).await;
        });
    }
    match outcome {
        Outcome::Answer(answer) => response::of(&with_id(answer, &request_id)),
        Outcome::Forward(pass) => {
            match forward::forward(&request, &incoming, &pass, &request_id, edge.env()).await {
                Ok(response) => Ok(response),
                Err(fault) => {
                    let (id, op, detail) = (Some(&request_id), Some(fault.op()), Some(fault.detail()));
                    let target = Some(pass.route().as_str());
                    ConsoleJournal.record(&Entry {
                        request_id: id,
                        target,
                        decision: "fault",
                        op,
                        detail,
                        ..Entry::default()
                    });
                    response::of(&with_id(bad_gateway(), &request_id))
                }
            }
        }
    }
}

/// The configuration that was built in; `build.rs` has read it with the same parser.
fn config() -> Option<&'static Config> {
    static CONFIG: OnceLock<Option<Config>> = OnceLock::new();
    CONFIG.get_or_init(|| Config::parse(include_str!(env!("TOLLGATE_CONFIG_FILE"))).ok()).as_ref()
}

fn request_id() -> Option<RequestId> {
    base64url(&random::<12>(&PlatformEntropy).ok()?).parse().ok()
}

fn with_id(answer: Answer, id: &RequestId) -> Answer {
    answer.with("X-Request-Id", id.as_str())
}

/// A shorter bootstrap token could be guessed: 32 characters of base64url are 192 bits.
const MIN_BOOTSTRAP: usize = 32;

/// The digest of the secret that guards registration. Without it, or with one too short, nobody can register.
fn bootstrap(edge: &Edge) -> Option<Digest> {
    let secret = edge.env().secret("TOLLGATE_BOOTSTRAP_TOKEN").ok()?.to_string();
    (secret.len() >= MIN_BOOTSTRAP).then(|| Digest::of(secret.as_bytes()))
}
