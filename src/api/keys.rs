//! Keys by hand: `GET /{realm}/api/v1/keys`, `POST …/keys/rotate`, `POST …/keys/promote`.
//!
//! 1. `rotate` makes the next key, which is published at once: 202 with all keys. Where one is on its way already, or
//!    there are too many, 409.
//! 2. `promote` lets the published key sign: 200 with all keys. Before every validator can have it, 409 with
//!    `Retry-After`; where none is published, 409.
//!
//! With `?for=id_tokens` each is about the keyring that signs ID tokens in RS256, where the realm has `rs256_id_tokens`.
//!
//! Refusals are problem details (RFC 9457). Instants are seconds since 1970 (`NumericDate`), rounded up where they say
//! from when on something may be done.

use serde::Serialize;

use crate::error::Fault;
use crate::http::Answer;
use crate::id::KeyId;
use crate::keyring::{KeyState, KeyringAnswer, KeyringQuestion, Listed, MOST_KEYS, Refusal, RingName};
use crate::oauth::Stop;
use crate::port::{Keyrings, Ports};
use crate::time::Timestamp;
use crate::token::Algorithm;

use super::guard::{Caller, Context};
use super::operation::Operation;
use super::request::Request;

/// The keys of a realm.
#[derive(Serialize)]
struct Keys {
    keys: Vec<Key>,
}

/// One of them.
#[derive(Serialize)]
struct Key {
    kid: KeyId,
    alg: Algorithm,
    state: &'static str,
    /// Since when it is in this state.
    since: u64,
    /// Of a published key: from when on it may be promoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    promotable_at: Option<u64>,
    /// Of a retired key: until when it verifies.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
}

impl From<Listed> for Key {
    fn from(Listed { kid, alg, state }: Listed) -> Self {
        let (state, since, promotable_at, until) = match state {
            KeyState::Active { since } => ("active", since, None, None),
            KeyState::Published { at, usable_at } => ("published", at, Some(usable_at), None),
            KeyState::Retired { at, until } => ("retired", at, None, Some(until)),
            KeyState::Staged { at } => ("staged", at, None, None),
        };
        let (promotable_at, until) = (promotable_at.map(rounded_up), until.map(rounded_up));
        Self { kid, alg, state, since: since.as_seconds(), promotable_at, until }
    }
}

/// The first whole second at which an instant has come.
const fn rounded_up(at: Timestamp) -> u64 {
    at.as_millis().div_ceil(1000)
}

impl<P: Ports> Context<'_, P> {
    /// Answers a request about a realm's keys. See the module for each refusal's answer.
    ///
    /// # Errors
    /// What is ours: the caller makes a 503 of it.
    pub(super) async fn keys(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        let realm = self.realm;
        // Which keyring: the realm's own, or, with `?for=id_tokens`, the one beside it.
        let beside = realm.terms(true).map(|_| RingName::beside(realm.name.clone()));
        let ring = match (request.query, beside) {
            (None | Some(""), _) => realm.ring.clone(),
            (Some("for=id_tokens"), Some(beside)) => beside,
            _ => {
                let detail = "There is no such keyring. Leave the query away, or write for=id_tokens where the realm has rs256_id_tokens.";
                return Ok(Answer::problem(404, "Not Found", detail));
            }
        };
        let by = Some(Box::new(self.actor(caller)));
        let (question, status) = match request.operation {
            // (1)
            Operation::RotateKey => (KeyringQuestion::Rotate { realm: ring, by }, 202),
            // (2)
            Operation::PromoteKey => (KeyringQuestion::Promote { realm: ring, by }, 200),
            _ => (KeyringQuestion::List { realm: ring }, 200),
        };
        match self.ports.keyrings().ask(&question).await? {
            KeyringAnswer::Keys(keys) => {
                Ok(Answer::json(status, &Keys { keys: keys.into_iter().map(Key::from).collect() })?)
            }
            KeyringAnswer::Refused(refusal) => Ok(refused(refusal, self.now)),
            KeyringAnswer::PublicKeys(_) | KeyringAnswer::SigningKey { .. } => {
                Err(Fault::new("ask keyring", "it answered another question").into())
            }
        }
    }
}

fn refused(refusal: Refusal, now: Timestamp) -> Answer {
    let (detail, until) = match refusal {
        Refusal::NothingPublished => {
            ("No key is published that could sign. Rotate first, and look at the list for its state.", None)
        }
        Refusal::TooEarly { at } => (
            "Not every validator can have the published key yet. Ask again when Retry-After has passed, or at promotable_at of the list.",
            Some(at),
        ),
        Refusal::TooMany { until } => {
            const { assert!(MOST_KEYS == 8) };
            ("There are 8 keys. Ask again when Retry-After has passed: then one has left.", Some(until))
        }
        Refusal::UnderWay => (
            "A rotation is under way: the next key is there already. Promote it before you rotate again.",
            None,
        ),
    };
    let answer = Answer::problem(409, "Conflict", detail);
    match until {
        // At least a second, and never too short for clocks that stand apart by less than one.
        Some(until) => {
            answer.with("Retry-After", rounded_up(until).saturating_sub(now.as_seconds()).max(1).to_string())
        }
        None => answer,
    }
}
