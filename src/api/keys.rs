//! Keys by hand: `GET /{realm}/api/v1/keys`, `POST …/keys/rotate`, `POST …/keys/promote`.
//!
//! 1. The bearer token is the bootstrap token: else 401.
//! 2. `rotate` makes the next key, which is published at once: 202 with all keys. Where one is on its way already, or
//!    there are too many, 409.
//! 3. `promote` lets the published key sign: 200 with all keys. Before every validator can have it, 409 with
//!    `Retry-After`; where none is published, 409.
//!
//! With `?for=id_tokens` each is about the keyring that signs ID tokens in RS256, where the realm has `rs256_id_tokens`.
//!
//! Refusals are problem details (RFC 9457). Instants are seconds since 1970 (`NumericDate`), rounded up where they say
//! from when on something may be done.

use serde::Serialize;

use crate::config::Realm;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::http::{Answer, Head};
use crate::id::KeyId;
use crate::keyring::{KeyState, KeyringAnswer, KeyringQuestion, Listed, MOST_KEYS, Refusal, RingName};
use crate::port::{Keyrings, Ports};
use crate::time::Timestamp;
use crate::token::Algorithm;

use super::guard::admit;

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeysRequest {
    /// All keys.
    List,
    /// Let the published key sign.
    Promote,
    /// Make the next key.
    Rotate,
}

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

/// Answers a request about a realm's keys. See the module for the order and each refusal's answer.
///
/// # Errors
/// What is ours: the caller makes a 503 of it.
pub async fn keys<P: Ports>(
    ports: &P,
    realm: &Realm,
    bootstrap: Option<Digest>,
    head: &Head<'_>,
    request: KeysRequest,
    now: Timestamp,
) -> Result<Answer, Fault> {
    // (1)
    if let Err(answer) = admit(ports, bootstrap, head, "keys") {
        return Ok(answer);
    }
    // Which keyring: the realm's own, or, with `?for=id_tokens`, the one beside it.
    let (own, beside) = (realm.ring.clone(), realm.terms(true).map(|_| RingName::beside(realm.name.clone())));
    let realm = match (head.query, beside) {
        (None | Some(""), _) => own,
        (Some("for=id_tokens"), Some(beside)) => beside,
        _ => {
            let detail = "There is no such keyring. Leave the query away, or write for=id_tokens where the realm has rs256_id_tokens.";
            return Ok(Answer::problem(404, "Not Found", detail));
        }
    };
    let (question, status) = match request {
        KeysRequest::List => (KeyringQuestion::List { realm }, 200),
        // (2)
        KeysRequest::Rotate => (KeyringQuestion::Rotate { realm }, 202),
        // (3)
        KeysRequest::Promote => (KeyringQuestion::Promote { realm }, 200),
    };
    match ports.keyrings().ask(&question).await? {
        KeyringAnswer::Keys(keys) => {
            Answer::json(status, &Keys { keys: keys.into_iter().map(Key::from).collect() })
        }
        KeyringAnswer::Refused(refusal) => Ok(refused(refusal, now)),
        KeyringAnswer::PublicKeys(_) | KeyringAnswer::SigningKey { .. } => {
            Err(Fault::new("ask keyring", "it answered another question"))
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
