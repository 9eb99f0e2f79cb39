//! Tokens for tests: each of its issuer's kind, signed by a key that was made for the issuer.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use crate::config::document::TestTokenDocument;
use crate::config::{Config, KeySource, TrustedIssuer};
use crate::encoding::{Digest, base64url};
use crate::error::Fault;
use crate::id::{Locator, SessionId};
use crate::policy_check::keys::Key;
use crate::policy_check::offline::{Offline, Says};
use crate::time::{Lifetime, Timestamp};
use crate::token::{ClaimPath, JwkSet, Wanted};
use crate::uri::Issuer;

/// When tests take place: 15 January 2027, 08:00 UTC.
pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// How long a token lives, where a test does not say and its issuer lets it.
const LIFE: Lifetime = Lifetime::from_seconds(300);

/// Who tokens speak for, the client that they were given to, and what else has to have a name.
const SOMEBODY: &str = "policy-test";

/// An opaque token.
const OPAQUE: &str = "policy-test-token";

/// The keys of all issuers, made when they are asked for.
#[derive(Default)]
pub(super) struct Keys(RefCell<BTreeMap<Issuer, Rc<Key>>>);

impl Keys {
    /// A configuration whose inline keys are ours.
    pub(super) fn take_over(&self, config: Config) -> Result<Config, Fault> {
        config.with_inline_keys(|issuer| {
            let key = self.of(issuer, &issuer.trust.algorithms)?;
            Ok([key.public().clone()].into_iter().collect::<JwkSet>())
        })
    }

    fn of(&self, issuer: &TrustedIssuer, algorithms: &[crate::token::Algorithm]) -> Result<Rc<Key>, Fault> {
        let name = &issuer.trust.issuer;
        if let Some(key) = self.0.borrow().get(name) {
            return Ok(Rc::clone(key));
        }
        let key = Rc::new(Key::for_one_of(algorithms)?);
        self.0.borrow_mut().insert(name.clone(), Rc::clone(&key));
        Ok(key)
    }

    /// Makes a token, and lays out whatever shows that it is genuine.
    pub(super) fn issue(
        &self,
        (config, issuer): (&Config, &TrustedIssuer),
        wanted: &TestTokenDocument,
        ports: &mut Offline,
    ) -> Result<String, Fault> {
        let mut claims = claims(issuer, wanted);
        if issuer.introspection.is_some() {
            let mut answer = claims.clone();
            answer.entry("active").or_insert(Value::Bool(true));
            ports.says = Says::Answer(Value::Object(answer));
        }
        claims.remove("active");
        let algorithms = match &issuer.keys {
            KeySource::Nowhere => return Ok(OPAQUE.to_owned()),
            KeySource::Realm(ring, _) => {
                config.realm(ring.realm().as_str()).map(|realm| vec![realm.keys.signing])
            }
            _ => None,
        };
        let key = self.of(issuer, algorithms.as_deref().unwrap_or(&issuer.trust.algorithms))?;
        if !key.public().is_symmetric() {
            ports.publish(issuer, &json!({ "keys": [key.public()] }).to_string());
        }
        let mut header = json!({ "alg": key.algorithm().name(), "kid": key.public().id() });
        if let (Some(typ), Some(members)) = (issuer.trust.types.first(), header.as_object_mut()) {
            members.insert("typ".to_owned(), json!(typ.to_string()));
        }
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let input = format!("{}.{}", part(&header), part(&Value::Object(claims)));
        let signature = key.sign(input.as_bytes())?;
        Ok(format!("{input}.{}", base64url(&signature)))
    }
}

/// What a good token of this issuer says, and then what the test wants changed.
fn claims(issuer: &TrustedIssuer, wanted: &TestTokenDocument) -> Map<String, Value> {
    let (trust, mut claims) = (&issuer.trust, Map::new());
    let life = trust.max_lifetime.map_or(LIFE, |longest| longest.min(LIFE));
    let life = i64::try_from(life.as_seconds()).unwrap_or(i64::MAX);
    let now = i64::try_from(NOW.as_seconds()).unwrap_or(i64::MAX);
    let expires_at = now.saturating_add(wanted.expires_in.unwrap_or(life));
    let issued_at = now.min(expires_at.saturating_sub(life));
    claims.insert("iss".to_owned(), json!(trust.issuer));
    claims.insert("iat".to_owned(), json!(issued_at));
    claims.insert("exp".to_owned(), json!(expires_at));
    claims.insert("jti".to_owned(), json!(SOMEBODY));
    if let KeySource::Realm(..) = issuer.keys {
        let locator = Locator::from(*Digest::of(trust.issuer.as_str().as_bytes()).bytes());
        claims.insert("sid".to_owned(), json!(SessionId::new(locator, [0; 16])));
    }
    let mut say = |places: &[ClaimPath], value: Option<Value>| {
        if let (Some(place), Some(value)) = (places.first(), value) {
            put(&mut claims, place.steps(), value);
        }
    };
    say(&trust.claims.audience, trust.audiences.first().map(|audience| json!(audience)));
    say(&trust.claims.subject, Some(json!(SOMEBODY)));
    say(&trust.claims.client, Some(json!(SOMEBODY)));
    say(&trust.claims.scope, (!wanted.scope.is_empty()).then(|| json!(wanted.scope)));
    say(&trust.claims.roles, (!wanted.roles.is_empty()).then(|| json!(wanted.roles)));
    for required in &trust.required {
        let value = match &required.wanted {
            Wanted::Anything => Some(json!(SOMEBODY)),
            Wanted::Flag(flag) => Some(json!(flag)),
            Wanted::OneOf(texts) => texts.first().map(|text| json!(text)),
        };
        say(std::slice::from_ref(&required.path), value);
    }
    claims.extend(wanted.claims.clone());
    claims.retain(|name, _| !wanted.without.contains(name));
    claims
}

/// Puts a claim where it belongs, unless something stands there.
fn put(claims: &mut Map<String, Value>, steps: &[String], value: Value) {
    match steps {
        [] => {}
        [last] => drop(claims.entry(last.clone()).or_insert(value)),
        [first, rest @ ..] => {
            let within = claims.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Some(members) = within.as_object_mut() {
                put(members, rest, value);
            }
        }
    }
}
