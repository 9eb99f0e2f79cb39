//! What a realm's keyring is asked and answers.

use serde::{Deserialize, Serialize};

use crate::directory::{Actor, Event, Target, TargetKind};
use crate::id::KeyId;
use crate::keyring::{KeyState, Keyring, Refusal, RingName, SealedKey};
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, JwkSet};

/// What a keyring can be asked. Each question makes the keyring's first key if there is none.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyringQuestion {
    /// Every key and its state.
    List {
        /// Whose.
        realm: RingName,
    },
    /// Lets the key that is published sign from now on.
    Promote {
        /// Whose.
        realm: RingName,
        /// On whose behalf.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Box<Actor>>,
    },
    /// The keys that verify.
    PublicKeys {
        /// Whose.
        realm: RingName,
    },
    /// Makes the next key, to be published at once.
    Rotate {
        /// Whose.
        realm: RingName,
        /// On whose behalf.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Box<Actor>>,
    },
    /// The key that signs.
    SigningKey {
        /// Whose.
        realm: RingName,
    },
}

impl KeyringQuestion {
    /// What was done on somebody's behalf, where something was.
    #[must_use]
    pub fn event(&self, at: Timestamp) -> Option<Event> {
        let (realm, by, verb) = match self {
            Self::Promote { realm, by } => (realm, by.as_deref()?, "promote"),
            Self::Rotate { realm, by } => (realm, by.as_deref()?, "rotate"),
            Self::List { .. } | Self::PublicKeys { .. } | Self::SigningKey { .. } => return None,
        };
        let target = Target { kind: TargetKind::Keys, id: realm.to_string(), name: None };
        Some(Event {
            id: format!("{realm}.{verb}.{}", at.as_millis()),
            at,
            actor: by.clone(),
            action: format!("{}.{verb}", TargetKind::Keys.name()),
            target,
            changes: Vec::new(),
        })
    }

    /// Whose keyring is asked.
    #[must_use]
    pub const fn realm(&self) -> &RingName {
        let (Self::List { realm }
        | Self::Promote { realm, .. }
        | Self::PublicKeys { realm }
        | Self::Rotate { realm, .. }
        | Self::SigningKey { realm }) = self;
        realm
    }
}

/// What a keyring answers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyringAnswer {
    /// To [`KeyringQuestion::List`]; to [`KeyringQuestion::Rotate`] and [`KeyringQuestion::Promote`], where it was done.
    Keys(Vec<Listed>),
    /// To [`KeyringQuestion::PublicKeys`].
    PublicKeys(JwkSet),
    /// To [`KeyringQuestion::Rotate`] and [`KeyringQuestion::Promote`], where it was not.
    Refused(Refusal),
    /// To [`KeyringQuestion::SigningKey`].
    SigningKey {
        /// The key.
        key: SealedKey,
        /// How long it may sign before this is asked again. The keyring counts on it.
        keep_for: Lifetime,
    },
}

/// What may be said of a key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Listed {
    /// `kid`.
    pub kid: KeyId,
    /// `alg`.
    pub alg: Algorithm,
    /// Where it stands.
    #[serde(flatten)]
    pub state: KeyState,
}

impl Keyring {
    /// What may be said of each key, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        self.entries()
            .map(|(key, state)| Listed { kid: key.id().clone(), alg: key.algorithm(), state })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn the_questions_are_pinned() {
        // They travel between versions of the worker while one replaces the other.
        let realm: RingName = "test".parse().unwrap();
        for (question, written) in [
            (KeyringQuestion::List { realm: realm.clone() }, "list"),
            (KeyringQuestion::Promote { realm: realm.clone(), by: None }, "promote"),
            (KeyringQuestion::PublicKeys { realm: realm.clone() }, "public_keys"),
            (KeyringQuestion::Rotate { realm: realm.clone(), by: None }, "rotate"),
            (KeyringQuestion::SigningKey { realm: realm.clone() }, "signing_key"),
        ] {
            let want = format!(r#"{{"{written}":{{"realm":"test"}}}}"#);
            assert_eq!(serde_json::to_string(&question).unwrap(), want);
            assert_eq!(question.realm(), &realm);
        }
    }

    #[test]
    fn the_answers_are_pinned() {
        let public = Jwk::p256(
            Some("k".parse().unwrap()),
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        )
        .unwrap();
        let members = serde_json::to_string(&public).unwrap();
        let key = SealedKey::new(public.clone(), "c2VhbGVk".to_owned()).unwrap();
        let listed = Listed {
            kid: "k".parse().unwrap(),
            alg: Algorithm::Es256,
            state: KeyState::Active { since: Timestamp::from_seconds(1_800_000_000) },
        };
        for (answer, want) in [
            (
                KeyringAnswer::Keys(vec![listed]),
                r#"{"keys":[{"kid":"k","alg":"ES256","state":"active","since":1800000000000}]}"#.to_owned(),
            ),
            (
                KeyringAnswer::PublicKeys([public].into_iter().collect()),
                format!(r#"{{"public_keys":{{"keys":[{members}]}}}}"#),
            ),
            (
                KeyringAnswer::Refused(Refusal::TooEarly { at: Timestamp::from_seconds(1_800_000_000) }),
                r#"{"refused":{"too_early":{"at":1800000000000}}}"#.to_owned(),
            ),
            (KeyringAnswer::Refused(Refusal::UnderWay), r#"{"refused":"under_way"}"#.to_owned()),
            (
                KeyringAnswer::SigningKey { key, keep_for: Lifetime::from_seconds(300) },
                format!(
                    r#"{{"signing_key":{{"key":{{"public":{members},"sealed":"c2VhbGVk"}},"keep_for":300000}}}}"#
                ),
            ),
        ] {
            let written = serde_json::to_string(&answer).unwrap();
            assert_eq!(written, want);
            let read: KeyringAnswer = serde_json::from_str(&written).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), want);
        }
    }

    use crate::token::Jwk;
}
