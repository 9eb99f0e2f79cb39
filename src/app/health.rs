//! `GET /healthz`: whether this deployment can serve, by which configuration, and how old the realms' keys are.
//!
//! It is open to everybody. So it says nothing that is not public elsewhere: names and ages of keys stand in key sets, or can be read off
//! them, and realms' names are addresses. And it costs little, however often it is asked: one isolate asks the keyrings at most once in
//! [`FRESH`], one request at a time, and uses what it knows for an hour where they do not answer.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::config::Config;
use crate::error::Fault;
use crate::http::Answer;
use crate::id::RealmName;
use crate::keyring::{KeyState, KeyringAnswer, KeyringQuestion, Listed, RingName};
use crate::policy::{Route, Upstream};
use crate::port::{Configurations, Entry, Journal, Keyrings, Ports, Timer};
use crate::time::{Lifetime, Timestamp};

/// How long what keyrings have said is told again.
const FRESH: Lifetime = Lifetime::from_seconds(60);

/// How long it is told where they do not answer.
const STALE: Lifetime = Lifetime::from_seconds(3600);

/// How long nobody asks after a failure.
const PAUSE: Lifetime = Lifetime::from_seconds(5);

/// How long another request's question counts as under way: one that was given up never ends.
const FLIGHT: Lifetime = Lifetime::from_seconds(9);

/// How often whoever waits for it looks again.
const LOOK: Lifetime = Lifetime::from_millis(25);

/// The keys of each realm.
type Rings = Vec<(RealmName, Vec<Listed>)>;

/// What an isolate remembers of the realms' keys for this.
#[derive(Debug, Default)]
pub struct KeyAges {
    known: Option<(Rc<Rings>, Timestamp)>,
    flight: Option<Timestamp>,
    failed_at: Option<Timestamp>,
}

enum Step {
    Ask,
    Look,
    Use(Option<Rc<Rings>>),
}

impl KeyAges {
    /// Nothing known.
    #[must_use]
    pub const fn new() -> Self {
        Self { known: None, flight: None, failed_at: None }
    }

    fn within(&self, span: Lifetime, now: Timestamp) -> Option<Rc<Rings>> {
        self.known.as_ref().filter(|(_, at)| now.is_within(span, *at)).map(|(rings, _)| Rc::clone(rings))
    }

    fn step(&mut self, now: Timestamp) -> Step {
        let fresh = self.within(FRESH, now);
        if fresh.is_some() {
            return Step::Use(fresh);
        }
        let stale = self.within(STALE, now);
        if self.failed_at.is_some_and(|at| now.is_within(PAUSE, at)) {
            return Step::Use(stale);
        }
        if self.flight.is_some_and(|since| now.is_within(FLIGHT, since)) {
            return if stale.is_some() { Step::Use(stale) } else { Step::Look };
        }
        self.flight = Some(now);
        Step::Ask
    }
}

/// What a deployment says that cannot serve. `reason` is a stable code.
#[must_use]
pub fn down(reason: &'static str) -> Answer {
    let version = env!("CARGO_PKG_VERSION");
    let body = format!(r#"{{"status":"unavailable","version":"{version}","reason":"{reason}"}}"#);
    let answer = Answer { body, ..Answer::empty(503) }.with("Content-Type", "application/json");
    answer.with("Retry-After", "5").because(reason)
}

/// Answers with 200 where the deployment can serve, else with 503.
pub(super) async fn health<P: Ports>(config: &Config, ports: &P, now: Timestamp) -> Result<Answer, Fault> {
    if let Some(name) = ports.lacks().filter(|_| !config.realms().is_empty()) {
        tell(ports, &Fault::new("check deployment", name));
        return Ok(down("incomplete"));
    }
    // Everything else is served: whoever balances loads must not take it away because of one route.
    let status = match unbound(config, ports) {
        Some(name) => {
            tell(ports, &Fault::new("check deployment", name));
            "degraded"
        }
        None => "ok",
    };
    let Some(rings) = rings(config, ports, now).await else { return Ok(down("no_keys")) };
    let counts = ports.configurations().counts()?;
    let (version, number, digest) = (env!("CARGO_PKG_VERSION"), counts.number, counts.digest);
    // Names of realms, digests and algorithms have no character that JSON would escape.
    let realms: Vec<String> =
        rings.iter().map(|(realm, keys)| format!(r#""{realm}":{{"keys":[{}]}}"#, told(keys, now))).collect();
    let body = format!(
        r#"{{"status":"{status}","version":"{version}","configuration":{{"version":{number},"digest":"{digest}"}},"realms":{{{}}}}}"#,
        realms.join(",")
    );
    Ok(Answer { body, ..Answer::empty(200) }.with("Content-Type", "application/json"))
}

/// A binding that a route asks for, and that is not there: its upstream, or the counter of its limit.
fn unbound<'c, P: Ports>(config: &'c Config, ports: &P) -> Option<&'c str> {
    let named = |route: &'c Route| {
        let service = match &route.to {
            Upstream::Service(binding) => Some(binding.as_str()),
            Upstream::Url(_) => None,
        };
        service.into_iter().chain(route.limit.as_ref().map(|limit| limit.binding.as_str()))
    };
    // Many routes have the same.
    let named: BTreeSet<&str> = config.routes().iter().flat_map(named).collect();
    named.into_iter().find(|binding| !ports.is_bound(binding))
}

/// What may be said of keys; nothing of one that nobody has seen.
fn told(keys: &[Listed], now: Timestamp) -> String {
    let told = keys.iter().filter_map(|key| {
        let (state, since) = match key.state {
            KeyState::Active { since } => ("active", since),
            KeyState::Published { at, .. } => ("published", at),
            KeyState::Retired { at, .. } => ("retired", at),
            KeyState::Staged { .. } => return None,
        };
        let kid = serde_json::to_string(key.kid.as_str()).ok()?;
        let (alg, age) = (key.alg.name(), now.since(since).as_seconds());
        Some(format!(r#"{{"kid":{kid},"alg":"{alg}","state":"{state}","age_seconds":{age}}}"#))
    });
    told.collect::<Vec<_>>().join(",")
}

/// The realms' keys; `None`: nobody says, and nothing young enough is remembered.
async fn rings<P: Ports>(config: &Config, ports: &P, now: Timestamp) -> Option<Rc<Rings>> {
    let mut now = now;
    loop {
        let step = ports.isolate().key_ages.borrow_mut().step(now);
        match step {
            Step::Use(rings) => return rings,
            Step::Look => {
                ports.timer().pause(LOOK).await;
                now = ports.timer().now().await;
            }
            Step::Ask => {
                let asked = ask(config, ports).await;
                now = ports.timer().now().await;
                let mut ages = ports.isolate().key_ages.borrow_mut();
                ages.flight = None;
                match asked {
                    Ok(rings) => ages.known = Some((Rc::new(rings), now)),
                    Err(fault) => {
                        ages.failed_at = Some(now);
                        tell(ports, &fault);
                    }
                }
            }
        }
    }
}

async fn ask<P: Ports>(config: &Config, ports: &P) -> Result<Rings, Fault> {
    let mut rings = Rings::new();
    for realm in config.realms() {
        let beside = config.beside(&realm.name).map(|_| RingName::beside(realm.name.clone()));
        let mut keys = Vec::new();
        for ring in [Some(realm.ring.clone()), beside].into_iter().flatten() {
            match ports.keyrings().ask(&KeyringQuestion::List { realm: ring }).await? {
                KeyringAnswer::Keys(more) => keys.extend(more),
                _ => return Err(Fault::new("ask keyring", "it answered another question")),
            }
        }
        rings.push((realm.name.clone(), keys));
    }
    Ok(rings)
}

fn tell<P: Ports>(ports: &P, fault: &Fault) {
    ports.journal().record(&Entry {
        target: Some("healthz"),
        decision: "fault",
        op: Some(fault.op()),
        detail: Some(fault.detail()),
        ..Entry::default()
    });
}
