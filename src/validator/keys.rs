//! Key sets, as one isolate knows them.
//!
//! Three tiers: what this isolate remembers; a copy near it (KV for a realm, the Cache API for everybody else);
//! the source itself (a realm's keyring, another issuer's server). The rules are the same for all:
//!
//! - A set is *fresh* for as long as its source says, within 60 s and 24 h; a realm's for its
//!   `jwks_seconds`. Until then nobody is asked. A key that has left the source verifies nothing after that time.
//! - One request asks at a time. Others use what is known, or look again every 25 ms: a promise belongs to its
//!   request, so they cannot share it.
//! - An unknown `kid` makes one request ask the source itself, at most once in 30 s.
//! - After a failure nobody asks for 5 s, then 10, 20, up to 60, each shortened by up to a half at random. A set
//!   that is known is used for an hour beyond its freshness; then, or where nothing is known, tokens are refused as
//!   our trouble.

use std::rc::Rc;
use std::sync::Arc;

use litemap::LiteMap;

use crate::config::{KeySource, TrustedIssuer};
use crate::error::Fault;
use crate::id::KeyId;
use crate::port::{Entry, Journal, Keyrings, Ports, Timer, random};
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, Jwk, JwkSet};
use crate::uri::{Issuer, WebUrl};
use crate::validator::ProviderMetadata;
use crate::validator::remote::{self, Published};

/// How long a set is used beyond its freshness when asking fails.
const STALE: Lifetime = Lifetime::from_seconds(3600);

/// A `kid` that is not there makes us ask the source, but no more often than this.
const COOL_DOWN: Lifetime = Lifetime::from_seconds(30);

/// The longest that one request may ask: for a copy ([`crate::port::CACHE_TIMEOUT`]), for metadata and for keys
/// ([`crate::port::WEB_TIMEOUT`] each), and two seconds for what stands around them. One whose request was given up
/// never ends, so an older one does not count.
const FLIGHT: Lifetime = Lifetime::from_seconds(9);

/// How often whoever waits for another request's answer looks again.
const LOOK: Lifetime = Lifetime::from_millis(25);

/// How long nobody asks after the first failure; doubled with each that follows.
const PAUSE: Lifetime = Lifetime::from_seconds(5);

/// And no longer than this.
const MAX_PAUSE: Lifetime = Lifetime::from_seconds(60);

/// Key sets by issuer. As large as the configuration.
#[derive(Debug, Default)]
pub struct KeyCache(LiteMap<Issuer, State>);

impl KeyCache {
    /// Nothing known.
    #[must_use]
    pub const fn new() -> Self {
        Self(LiteMap::new())
    }
}

/// What is known about one issuer's keys.
#[derive(Debug, Default)]
pub(super) struct State {
    known: Option<Known>,
    /// How often asking has failed in a row, and until when nobody asks again.
    failures: u32,
    paused_until: Option<Timestamp>,
    /// When the source itself was last asked for a `kid` that was not there, and answered.
    searched_at: Option<Timestamp>,
    /// When the request that is asking began.
    flight: Option<Timestamp>,
    /// Where the keys are, as the metadata said, and until when that is believed.
    pub(super) jwks_uri: Option<(WebUrl, Timestamp)>,
    /// What it says of itself where people sign in with it, and until when that is believed.
    pub(super) provider: Option<(Rc<ProviderMetadata>, Timestamp)>,
}

/// A key set and its time.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) keys: JwkSet,
    pub(super) fresh_until: Timestamp,
}

/// What a request does about an issuer's keys.
enum Step {
    Ask,
    /// Nothing new is to be had.
    Done,
    /// Asking has failed a moment ago.
    Fail,
    /// Another request is asking.
    Look,
    Use(JwkSet),
}

impl State {
    fn is_flying(&self, now: Timestamp) -> bool {
        self.flight.is_some_and(|since| now.is_within(FLIGHT, since))
    }

    fn is_paused(&self, now: Timestamp) -> bool {
        self.paused_until.is_some_and(|until| now < until && now.is_within(MAX_PAUSE, until))
    }

    fn usable(&self, now: Timestamp) -> Option<&Known> {
        self.known.as_ref().filter(|known| now <= known.fresh_until.after(STALE))
    }

    /// For whoever wants the set.
    fn step(&self, now: Timestamp) -> Step {
        match self.usable(now) {
            Some(known) if now <= known.fresh_until || self.is_flying(now) || self.is_paused(now) => {
                Step::Use(known.keys.clone())
            }
            None if self.is_flying(now) => Step::Look,
            None if self.is_paused(now) => Step::Fail,
            Some(_) | None => Step::Ask,
        }
    }

    /// For whoever wants a key that the set has not.
    fn search_step(&self, now: Timestamp) -> Step {
        if self.searched_at.is_some_and(|at| now.is_within(COOL_DOWN, at)) {
            Step::Done
        } else if self.is_flying(now) {
            Step::Look
        } else if self.is_paused(now) {
            Step::Fail
        } else {
            Step::Ask
        }
    }
}

const OP: &str = "get keys";

fn failed_before() -> Fault {
    Fault::new(OP, "asking failed a moment ago")
}

/// The key set of an issuer.
///
/// # Errors
/// Nobody answers, and nothing young enough is remembered.
pub async fn key_set<P: Ports>(ports: &P, issuer: &TrustedIssuer, now: Timestamp) -> Result<JwkSet, Fault> {
    match &issuer.keys {
        KeySource::Inline(keys) => return Ok(keys.clone()),
        KeySource::Nowhere => return Ok(JwkSet::default()),
        KeySource::Metadata(_) | KeySource::Published(_) | KeySource::Realm(..) => {}
    }
    let mut now = now;
    loop {
        match look(ports, issuer, |state| state.step(now)) {
            Step::Use(keys) => return Ok(keys),
            Step::Done | Step::Fail => return Err(failed_before()),
            Step::Look => now = pause(ports).await,
            Step::Ask => {
                ports.may_wait().await;
                return ask(ports, issuer, Tier::Nearest, now).await;
            }
        }
    }
}

/// The one key that a token's header means.
///
/// # Errors
/// As [`key_set`]; and where the source was not asked, or did not answer, so that nobody can know. A key that does
/// not exist is `Ok(None)`.
pub(super) async fn key<P: Ports>(
    ports: &P,
    issuer: &TrustedIssuer,
    id: Option<&KeyId>,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<Option<Arc<Jwk>>, Fault> {
    let find = |keys: &JwkSet| keys.find(id, algorithm).cloned();
    let keys = key_set(ports, issuer, now).await?;
    let found = find(&keys);
    if found.is_some() || matches!(issuer.keys, KeySource::Inline(_) | KeySource::Nowhere) {
        return Ok(found);
    }
    // What is known may be older than the key.
    let mut now = now;
    loop {
        match look(ports, issuer, |state| state.search_step(now)) {
            Step::Ask => {
                ports.may_wait().await;
                // To have the set may have taken a while.
                let now = ports.timer().now().await;
                return Ok(find(&ask(ports, issuer, Tier::Source, now).await?));
            }
            Step::Fail => return Err(failed_before()),
            Step::Look => now = pause(ports).await,
            Step::Done | Step::Use(_) => {
                // Perhaps somebody else's search has found it meanwhile.
                return Ok(find(&look(ports, issuer, |state| {
                    state.usable(now).map(|known| known.keys.clone()).unwrap_or_default()
                })));
            }
        }
    }
}

async fn pause<P: Ports>(ports: &P) -> Timestamp {
    ports.may_wait().await;
    ports.timer().pause(LOOK).await;
    ports.waited_for_keys(LOOK);
    ports.timer().now().await
}

fn look<P: Ports, T>(ports: &P, issuer: &TrustedIssuer, what: impl FnOnce(&State) -> T) -> T {
    match ports.isolate().keys.borrow().0.get(&issuer.trust.issuer) {
        Some(state) => what(state),
        None => what(&State::default()),
    }
}

pub(super) fn change<P: Ports, T>(
    ports: &P,
    issuer: &TrustedIssuer,
    what: impl FnOnce(&mut State) -> T,
) -> T {
    let mut cache = ports.isolate().keys.borrow_mut();
    what(cache.0.entry(issuer.trust.issuer.clone()).or_default())
}

/// From where on a set will do.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Tier {
    /// A copy will do.
    Nearest,
    /// Nothing but the source itself.
    Source,
}

/// Asks, and remembers what came of it.
async fn ask<P: Ports>(
    ports: &P,
    issuer: &TrustedIssuer,
    tier: Tier,
    now: Timestamp,
) -> Result<JwkSet, Fault> {
    let begun = ports.timer().now().await;
    change(ports, issuer, |state| state.flight = Some(now));
    let asked = match &issuer.keys {
        KeySource::Realm(realm, fresh) => {
            let copy = match tier {
                Tier::Nearest => ports.keyrings().published(realm).await.ok().flatten(),
                Tier::Source => None,
            };
            let keys = match copy {
                Some(keys) => Ok(keys),
                None => ports.keyrings().authority(realm).await,
            };
            keys.map(|keys| (Known { keys, fresh_until: now.after(*fresh) }, None))
        }
        KeySource::Metadata(url) => remote::keys(ports, issuer, Published::Metadata(url), tier, now).await,
        KeySource::Published(url) => remote::keys(ports, issuer, Published::Keys(url), tier, now).await,
        KeySource::Inline(keys) => Ok((Known { keys: keys.clone(), fresh_until: now }, None)),
        KeySource::Nowhere => Ok((Known { keys: JwkSet::default(), fresh_until: now }, None)),
    };
    // A server that hangs takes longer than the first pause: it starts when asking ends.
    let ended = ports.timer().now().await;
    ports.waited_for_keys(ended.since(begun));
    // Without randomness the pause is the longest of its kind.
    let jitter = u64::from(random::<1>(ports.entropy()).map_or(0, |[byte]| byte));
    let settled = change(ports, issuer, |state| {
        if state.flight == Some(now) {
            state.flight = None;
        }
        match asked {
            Ok((known, copy)) => {
                state.failures = 0;
                state.paused_until = None;
                if tier == Tier::Source {
                    state.searched_at = Some(now);
                }
                let keys = known.keys.clone();
                state.known = Some(known);
                Ok((keys, copy))
            }
            Err(fault) => {
                let pause = PAUSE.times(1_u64 << state.failures.min(8)).min(MAX_PAUSE);
                // Up to a half less: isolates that failed together do not all come back together.
                let less = Lifetime::from_millis(pause.as_millis().saturating_mul(jitter) / 512);
                state.failures = state.failures.saturating_add(1);
                state.paused_until = Some(ended.after(pause.minus(less)));
                let bridge = state.usable(now).filter(|_| tier == Tier::Nearest);
                Err((fault, bridge.map(|known| known.keys.clone())))
            }
        }
    });
    match settled {
        Ok((keys, copy)) => {
            if let Some(copy) = copy {
                copy.write(ports).await;
            }
            Ok(keys)
        }
        Err((fault, None)) => Err(fault),
        Err((fault, Some(keys))) => {
            // What is known bridges the outage: the request does not fail, so the fault is told here.
            ports.journal().record(&Entry {
                target: Some(issuer.trust.issuer.as_str()),
                decision: "fault",
                op: Some(fault.op()),
                detail: Some(fault.detail()),
                ..Entry::default()
            });
            Ok(keys)
        }
    }
}
