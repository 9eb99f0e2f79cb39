//! Why a request is refused, or what becomes of it: each check in its order, and how it ended.
//!
//! The checks are those that the decision itself has begun ([`crate::check`]), and the one that failed is the one that its reason names. What stands beside them is for
//! people, and decides nothing.

mod nearest;
mod outcome;
mod steps;
mod text;
mod token;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use nearest::{Near, nearest};
use outcome::{Refusal, Sent, refusal, sent, without_token};
use steps::{Step, steps};
use token::{Seen, Shown};

use crate::check::Check;
use crate::config::Config;
use crate::error::Fault;
use crate::gateway::credential;
use crate::http::Headers as _;
use crate::policy::{Access, Route, TokenPlace};
use crate::policy_check::keys::Key;
use crate::policy_check::offline::{Assumed, Heard, Offline, Page, Says};
use crate::policy_check::run::{Asked, Ended, run};
use crate::policy_check::shown;
use crate::time::Timestamp;

/// A request, the configuration that it is judged by, and what is known of others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The document.
    pub config: String,
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// Headers by name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The token, which is put where the route looks for it first.
    #[serde(default)]
    pub token: Option<String>,
    /// When the request comes, in seconds.
    pub at: u64,
    /// The key set of the token's issuer, wherever it publishes it.
    #[serde(default)]
    pub jwks: Option<Value>,
    /// What the token's issuer answers where it is asked about the token (RFC 7662).
    #[serde(default)]
    pub introspection: Option<Value>,
    /// What stands at the addresses that were asked for ([`Needs`]).
    #[serde(default)]
    pub pages: BTreeMap<String, InputPage>,
}

/// What stands at an address.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputPage {
    /// It could not be had: why.
    Failed(String),
    /// A document.
    Text(String),
}

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Explained {
    /// The decision needs what stands elsewhere.
    Needs(Needs),
    /// What becomes of the request, and why.
    Explanation(Box<Explanation>),
}

/// Addresses that have to be asked first.
#[derive(Debug, Serialize)]
pub struct Needs {
    /// Each of them.
    pub needs: Vec<String>,
}

/// What becomes of a request, and why.
#[derive(Debug, Serialize)]
pub struct Explanation {
    method: String,
    url: String,
    /// `own`, `pass`, `refuse` or `unknown`.
    decision: &'static str,
    /// What of tollgate's own it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    own: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<Near>,
    /// Routes that it almost matches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nearest: Vec<Near>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Shown>,
    checks: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What was taken to be so, because nobody was asked: `active`, `session`, `signature`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assumed: Vec<&'static str>,
    /// The same in sentences, and what else should be known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Refusal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<Sent>,
}

/// Explains what becomes of a request.
///
/// # Errors
/// What cannot be asked so, in a sentence: everything that is wrong with the document, an address that is none.
pub fn explain(input: &Input) -> Result<Explained, String> {
    let config = Config::parse(&input.config).map_err(|errors| {
        errors.iter().map(|error| format!("error: {error}")).collect::<Vec<_>>().join("\n")
    })?;
    let url: Url =
        input.url.parse().map_err(|e| format!("URL: `{}` is no address: {e}", without_token(&input.url)))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("URL has to begin with https:// or http://".to_owned());
    }
    let headers = input.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let mut asked = Asked { method: input.method.clone(), url, headers: headers.collect(), form: None };
    let route = find(&config, input, &asked);
    if let Some(token) = &input.token {
        let first = route.and_then(|route| match &route.access {
            Access::Token { places, .. } => places.first(),
            Access::Anonymous => None,
        });
        asked.show(token, first.unwrap_or(&TokenPlace::Authorization));
    }
    let token = route.and_then(|route| token_of(route, &asked));
    let seen = Seen::read(&config, token.as_deref().or(input.token.as_deref()));
    let about = Question { config: &config, input, seen: &seen, asked: &asked };
    let decided = match about.decide(Timestamp::from_seconds(input.at))? {
        Ok(decided) => decided,
        Err(needs) => return Ok(Explained::Needs(needs)),
    };
    // A token that is too old may be not enough besides: whoever gets another should hear of it now.
    let mut in_time = None;
    if decided.heard.reason.as_deref() == Some("expire_token")
        && let Some(end) = seen.claims.as_ref().and_then(|claims| claims.expires_at)
    {
        match about.decide(Timestamp::from_millis(end.as_millis().saturating_sub(1)))? {
            Ok(before) => in_time = Some(before),
            Err(needs) => return Ok(Explained::Needs(needs)),
        }
    }
    let at = Timestamp::from_seconds(input.at);
    let about = steps::About { config: &config, route, seen: &seen, heard: &decided.heard, now: at };
    Ok(Explained::Explanation(Box::new(explanation(&about, &asked, &decided, in_time.as_ref()))))
}

/// What is to be decided.
struct Question<'q> {
    config: &'q Config,
    input: &'q Input,
    seen: &'q Seen<'q>,
    asked: &'q Asked,
}

/// What was decided.
struct Decided {
    ended: Ended,
    heard: Heard,
    /// Why the key could not be had, where another took its place.
    no_key: Option<String>,
}

impl Question<'_> {
    /// The decision; or what has to be had first. Where no key can be had, it goes on as if it had been.
    fn decide(&self, now: Timestamp) -> Result<Result<Decided, Needs>, String> {
        let ports = ports(self.config, self.input, self.seen, now);
        let ended = run(self.config, &ports, self.asked);
        let heard = ports.into_heard();
        if !heard.unknown.is_empty() {
            return Ok(Err(Needs { needs: heard.unknown.into_iter().collect() }));
        }
        if !matches!(ended, Ended::Unknown) || heard.failed.is_empty() {
            return Ok(Ok(Decided { ended, heard, no_key: None }));
        }
        let failed: Vec<_> = heard.failed.iter().map(|(url, why)| format!("{url}: {why}")).collect();
        let mut ports = self::ports(self.config, self.input, self.seen, now);
        if !lay_out_stand_in(&mut ports, self.seen).map_err(|fault| fault.to_string())? {
            return Ok(Ok(Decided { ended, heard, no_key: None }));
        }
        let ended = run(self.config, &ports, self.asked);
        Ok(Ok(Decided { ended, heard: ports.into_heard(), no_key: Some(failed.join("; ")) }))
    }
}

/// The route of a request, token or not.
fn find<'c>(config: &'c Config, input: &Input, asked: &Asked) -> Option<&'c Route> {
    let ports = Offline::new(config, Timestamp::from_seconds(input.at));
    let _ = run(config, &ports, asked);
    let id = ports.into_heard().route?;
    config.routes().iter().find(|route| route.id.as_str() == id)
}

/// The token that the request has where the route looks for one.
fn token_of(route: &Route, asked: &Asked) -> Option<String> {
    let Access::Token { places, .. } = &route.access else { return None };
    let authorization = asked.get("authorization");
    let target = asked.target(authorization.as_deref())?;
    let found = credential::find(places, &target, asked.form.as_deref()).ok()?;
    Some(found.token.into_owned())
}

/// What is known of others.
fn ports(config: &Config, input: &Input, seen: &Seen<'_>, now: Timestamp) -> Offline {
    let mut ports = Offline::new(config, now);
    for (url, page) in &input.pages {
        let page = match page {
            InputPage::Failed(why) => Page::Failed(why.clone()),
            InputPage::Text(text) => Page::Text(text.clone()),
        };
        ports.pages.insert(url.clone(), page);
    }
    if let (Some(issuer), Some(jwks)) = (seen.issuer, &input.jwks) {
        ports.publish(issuer, &jwks.to_string());
    }
    ports.says = match (&input.introspection, seen.members()) {
        (Some(answer), _) => Says::Answer(answer.clone()),
        (None, Some(mut members)) => {
            members.insert("active".to_owned(), Value::Bool(true));
            // What the token is bound to it says itself.
            members.remove("cnf");
            Says::TheSame(Value::Object(members))
        }
        (None, None) => Says::Nothing,
    };
    ports
}

/// Lays out a key that counts as the token's, where it names an issuer and an algorithm that could have one.
fn lay_out_stand_in(ports: &mut Offline, seen: &Seen<'_>) -> Result<bool, Fault> {
    let (Some(issuer), Some(header)) = (seen.issuer, &seen.header) else { return Ok(false) };
    let Some(algorithm) = header.algorithm.filter(|algorithm| !algorithm.is_symmetric()) else {
        return Ok(false);
    };
    let key = Key::stand_in(algorithm, header.key.as_ref().map(crate::id::KeyId::as_str))?;
    ports.stand_in = Some(key.thumbprint());
    ports.publish(issuer, &serde_json::json!({ "keys": [key] }).to_string());
    Ok(true)
}

fn explanation(
    about: &steps::About<'_>,
    asked: &Asked,
    decided: &Decided,
    in_time: Option<&Decided>,
) -> Explanation {
    let heard = about.heard;
    let (decision, own, answer, upstream) = match &decided.ended {
        Ended::Own(own) => ("own", Some(own.clone()), None, None),
        Ended::Pass(onward) => ("pass", None, None, Some(sent(onward))),
        Ended::Refuse(answer) => ("refuse", None, Some(refusal(answer)), None),
        Ended::Unknown => ("unknown", None, None, None),
    };
    let is_refused = decision == "refuse";
    let fault = heard.fault.as_ref().map(|(op, detail)| format!("{op}: {}", shown(detail)));
    let reason = match decision {
        "refuse" => heard.reason.clone(),
        "unknown" => fault,
        _ => None,
    };
    let is_lost = about.route.is_none() && reason.as_deref() == Some("no_route");
    Explanation {
        method: shown(&asked.method),
        url: without_token(asked.url.as_str()),
        decision,
        own,
        route: about.route.map(Near::of),
        nearest: if is_lost { nearest(about.config, asked) } else { Vec::new() },
        token: about.seen.shown(about.now),
        checks: if decision == "own" { Vec::new() } else { steps(about, is_refused) },
        reason,
        assumed: heard.assumed.iter().map(|assumed| assumed.name()).collect(),
        remarks: remarks(about, decided, in_time),
        answer,
        upstream,
    }
}

fn remarks(about: &steps::About<'_>, decided: &Decided, in_time: Option<&Decided>) -> Vec<String> {
    let heard = about.heard;
    let mut remarks: Vec<String> = Vec::new();
    for assumed in &heard.assumed {
        remarks.push(match assumed {
            Assumed::Active => "the issuer was not asked about the token: goes on as if it had said that it is active, and else the same as the token".to_owned(),
            Assumed::Session => "nobody was asked whether its session is alive: goes on as if it was".to_owned(),
            Assumed::Rate => "the counter of the route was not asked: goes on as if the caller had not called too often".to_owned(),
            Assumed::Signature => {
                let why = decided.no_key.as_deref().unwrap_or_default();
                format!("the signature was not checked: goes on as if it was good ({})", shown(why))
            }
        });
    }
    let is_proved = heard.checks.iter().any(|check| *check > Check::Signature);
    if about.seen.header.is_some() && matches!(decided.ended, Ended::Refuse(_)) && !is_proved {
        remarks.push("what the token says is not proved: it was refused before that".to_owned());
    }
    if let Some(in_time) = in_time {
        remarks.push(match &in_time.ended {
            Ended::Pass(_) => "before it expired it would have passed".to_owned(),
            Ended::Refuse(_) => {
                let reason = in_time.heard.reason.as_deref().unwrap_or_default();
                format!("before it expired it would have been refused as well: {reason}")
            }
            Ended::Own(_) | Ended::Unknown => {
                "what would have become of it before it expired cannot be said here".to_owned()
            }
        });
    }
    remarks.extend(heard.left_out.iter().map(|why| format!("a key of the issuer's set was left out: {why}")));
    remarks
}
