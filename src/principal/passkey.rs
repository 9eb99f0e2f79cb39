//! The passkeys of a person: made, used, forgotten.
//!
//! A passkey is enough by itself: it signs for nobody whom it has not recognised. A person may also want one after every password
//! (`needs_passkey`); then no password opens anything alone, neither here nor at the token endpoint.
//!
//! Whoever changes any of this has signed in a moment ago ([`FRESH`]): a browser that somebody has left open is no way to stay.
//!
//! # The signature
//!
//! Only the principal knows the key, and a step waits for nothing. So whoever asks a principal looks first what there is to verify
//! ([`unverified`]), has it verified, and says by which key ([`Question::confirm`]). The step believes that of the key that it finds then,
//! and of no other. What comes from afar says nothing of it.

use serde::{Deserialize, Serialize};

use crate::encoding::{Digest, from_base64url};
use crate::error::Fault;
use crate::grant::SignInMethod;
use crate::principal::browser::StoredBrowser;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::{Question, Refused, UserView};
use crate::session::EndReason;
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, Jwk};
use crate::webauthn::{Challenge, Made, PasskeyId, Used, fixed};

/// How long after signing in somebody may change how they sign in.
pub const FRESH: Lifetime = Lifetime::from_seconds(900);

/// Passkeys of one person: a device, a phone, a key in the drawer, and room for more.
const MAX_PASSKEYS: usize = 20;

/// The longest name that a person may give one, in characters.
pub const MAX_PASSKEY_NAME: usize = 64;

/// A challenge that is answered: it counts once.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Answered {
    /// Its digest.
    pub challenge: Digest,
    /// When it counts no more anyway.
    pub ends_at: Timestamp,
}

impl From<&Challenge> for Answered {
    fn from(challenge: &Challenge) -> Self {
        Self { challenge: challenge.digest(), ends_at: challenge.ends_at() }
    }
}

/// See [`Question::AddPasskey`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AddPasskey {
    /// The digest of what the browser is known by.
    pub browser: Digest,
    /// The passkey.
    pub made: Made,
    /// What its person calls it.
    pub name: String,
}

/// See [`Question::ChangePasskeys`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PasskeyChange {
    /// Have no password any more.
    ForgetPassword,
    /// Want a passkey after the password, or not.
    Need(bool),
    /// Forget this one.
    Remove(PasskeyId),
}

/// See [`Question::EnterPasskey`]. Asked of the principal that the passkey names, or whose password was right.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EnterPasskey {
    /// Which passkey.
    pub id: PasskeyId,
    /// What it says.
    pub used: Used,
    /// Its signature, in base64url.
    pub signature: String,
    /// What it has answered.
    pub answered: Answered,
    /// Whether the person's password was right as well.
    pub after_password: bool,
    /// The digest of what the browser will be known by.
    pub browser: Digest,
    /// The same of what it was known by, where that was this principal's.
    #[serde(default)]
    pub before: Option<Digest>,
    /// The key that the signature is by, where somebody has verified it.
    #[serde(skip)]
    verified: Option<Digest>,
}

impl EnterPasskey {
    /// A passkey that was used. Nobody has verified it yet.
    #[must_use]
    pub fn new(
        (id, used, signature): (PasskeyId, Used, String),
        (answered, after_password): (Answered, bool),
        (browser, before): (Digest, Option<Digest>),
    ) -> Self {
        Self { id, used, signature, answered, after_password, browser, before, verified: None }
    }
}

/// A passkey, as its person sees it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PasskeyView {
    /// Which.
    pub id: PasskeyId,
    /// What they call it.
    pub name: String,
    /// Since when they have it here.
    pub created_at: Timestamp,
    /// When they last signed in with it.
    pub used_at: Option<Timestamp>,
    /// Whether it may be on several devices.
    pub is_synced: bool,
}

/// A passkey as it is kept, under its name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct StoredPasskey {
    name: String,
    key: Jwk,
    counter: u32,
    is_synced: bool,
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used_at: Option<Timestamp>,
}

/// A signature that has to be verified before the question is answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unverified {
    /// By this key.
    pub key: Jwk,
    /// With this algorithm.
    pub algorithm: Algorithm,
    /// Over this.
    pub input: Vec<u8>,
    /// As JWS spells it.
    pub signature: Vec<u8>,
}

/// What has to be verified before a question can be answered with yes, if anything.
///
/// # Errors
/// The rows cannot be read.
pub fn unverified(rows: &impl Rows, question: &Question) -> Result<Option<Unverified>, Fault> {
    let asked = match question {
        Question::EnterPasskey(asked) => asked,
        Question::OfRealm(_, question) => return unverified(rows, question),
        _ => return Ok(None),
    };
    let known: Option<StoredPasskey> = Draft::new(rows).read(Kind::Passkey, asked.id.as_str())?;
    Ok(known.and_then(|known| {
        let algorithm = known.key.algorithm()?;
        let input = from_base64url(&asked.used.input).ok()?;
        let signature = from_base64url(&asked.signature).ok()?;
        let signature = if algorithm == Algorithm::Es256 { fixed(&signature)?.to_vec() } else { signature };
        Some(Unverified { key: known.key, algorithm, input, signature })
    }))
}

impl Question {
    /// The signature was made by this key: what [`unverified`] found was verified.
    pub fn confirm(&mut self, by: &Unverified) {
        match self {
            Self::EnterPasskey(asked) => asked.verified = Some(by.key.thumbprint()),
            Self::OfRealm(_, question) => question.confirm(by),
            _ => {}
        }
    }
}

impl StoredBrowser {
    /// For how long its person may still change how they sign in.
    pub(super) fn fresh_for(&self, now: Timestamp) -> Lifetime {
        FRESH.minus(now.since(self.auth_time))
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        self.fresh_for(now) > Lifetime::ZERO
    }
}

impl<R: Rows> Draft<'_, R> {
    /// Every passkey of the person, the oldest first.
    pub(super) fn passkeys(&self) -> Result<Vec<PasskeyView>, Fault> {
        let mut all = Vec::new();
        for (id, stored) in self.stored::<StoredPasskey>(Kind::Passkey)? {
            let Ok(id) = id.parse() else { continue };
            let StoredPasskey { name, created_at, used_at, is_synced, .. } = stored;
            all.push(PasskeyView { id, name, created_at, used_at, is_synced });
        }
        all.sort_by_key(|passkey| passkey.created_at);
        Ok(all)
    }

    /// Web Authentication section 7.2, from step 6 on. Whoever is not here, or is not confirmed, hears the same.
    pub(super) fn enter_passkey(
        &self,
        asked: &EnterPasskey,
        now: Timestamp,
    ) -> Result<Result<UserView, Refused>, Fault> {
        let principal = self.principal()?;
        let user = principal.user.as_ref().filter(|user| !user.disabled);
        let known: Option<StoredPasskey> = self.read(Kind::Passkey, asked.id.as_str())?;
        let Some((user, known)) = user.zip(known) else { return Ok(Err(Refused::Grant)) };
        if asked.verified != Some(known.key.thumbprint()) {
            return Ok(Err(Refused::Grant));
        }
        // One that stays on its device and counts has counted on; else there are two of it. And none begins to be on several devices.
        let counts = !known.is_synced && (known.counter, asked.used.counter) != (0, 0);
        if asked.used.is_synced != known.is_synced || counts && asked.used.counter <= known.counter {
            return Ok(Err(Refused::Copied));
        }
        if !self.answers(asked.answered, now)? {
            return Ok(Err(Refused::Replayed));
        }
        let counter = asked.used.counter;
        self.write(
            Kind::Passkey,
            asked.id.as_str(),
            &StoredPasskey { counter, used_at: Some(now), ..known },
            None,
        )?;
        let method =
            if asked.after_password { SignInMethod::PasswordAndPasskey } else { SignInMethod::Passkey };
        self.know((&asked.browser, asked.before.as_ref()), principal.seq, (now, method), now)?;
        Ok(Ok(user.view()))
    }

    /// Whether a challenge is answered for the first time.
    fn answers(&self, answered: Answered, now: Timestamp) -> Result<bool, Fault> {
        let key = format!("challenge/{}", answered.challenge);
        if answered.ends_at < now || self.read::<Timestamp>(Kind::Jti, &key)?.is_some() {
            return Ok(false);
        }
        self.write(Kind::Jti, &key, &now, Some(answered.ends_at))?;
        Ok(true)
    }

    /// The challenge is not marked as answered: nobody but this browser can send it again, and it has this passkey already, or had it a
    /// moment ago.
    pub(super) fn add_passkey(
        &self,
        asked: &AddPasskey,
        now: Timestamp,
    ) -> Result<Result<UserView, Refused>, Fault> {
        let Some((browser, user, _)) = self.found(&asked.browser, now)? else {
            return Ok(Err(Refused::NotFound));
        };
        let id = asked.made.id.as_str();
        if !browser.is_fresh(now) {
            return Ok(Err(Refused::Stale));
        }
        // Whoever is kept out at their provider is to be kept out here.
        if user.federated.is_some() {
            return Ok(Err(Refused::Elsewhere));
        }
        if self.read::<StoredPasskey>(Kind::Passkey, id)?.is_some() {
            return Ok(Err(Refused::Taken));
        }
        if self.passkeys()?.len() >= MAX_PASSKEYS {
            return Ok(Err(Refused::Full));
        }
        let Made { key, counter, is_synced, .. } = asked.made.clone();
        let stored = StoredPasskey {
            name: asked.name.clone(),
            key,
            counter,
            is_synced,
            created_at: now,
            used_at: None,
        };
        self.write(Kind::Passkey, id, &stored, None)?;
        Ok(Ok(user.view()))
    }

    /// Who the person is, where that changes something. Where the password counts for less than it did, whatever came of it alone is over: every session and browser but this one.
    pub(super) fn change_passkeys(
        &self,
        digest: &Digest,
        change: &PasskeyChange,
        now: Timestamp,
    ) -> Result<Result<Option<UserView>, Refused>, Fault> {
        let Some((browser, mut user, mut principal)) = self.found(digest, now)? else {
            return Ok(Err(Refused::NotFound));
        };
        if !browser.is_fresh(now) {
            return Ok(Err(Refused::Stale));
        }
        let passkeys = self.passkeys()?;
        let mut ends = false;
        match change {
            PasskeyChange::Remove(id) => {
                if !passkeys.iter().any(|passkey| passkey.id == *id) {
                    return Ok(Err(Refused::NotFound));
                }
                if passkeys.len() == 1 {
                    if user.password.is_none() {
                        return Ok(Err(Refused::Last));
                    }
                    user.needs_passkey = false;
                }
                self.delete(Kind::Passkey, id.as_str());
            }
            PasskeyChange::Need(_) | PasskeyChange::ForgetPassword if passkeys.is_empty() => {
                return Ok(Err(Refused::Last));
            }
            // One that works is shown by having signed in with it: else whoever has lost theirs would lose the account.
            PasskeyChange::Need(true) | PasskeyChange::ForgetPassword if !browser.method.has_passkey() => {
                return Ok(Err(Refused::Stale));
            }
            PasskeyChange::Need(needs) => {
                ends = *needs && !user.needs_passkey;
                user.needs_passkey = *needs;
            }
            PasskeyChange::ForgetPassword => ends = user.password.take().is_some(),
        }
        let view = user.view();
        let is_same = principal.user.as_ref() == Some(&user) && !matches!(change, PasskeyChange::Remove(_));
        if is_same {
            return Ok(Ok(None));
        }
        principal.user = Some(user);
        self.tell_user(&view.id, now)?;
        if ends {
            self.end_all(&mut principal, EndReason::Password, now)?;
            let this = StoredBrowser { seq: principal.seq, ..browser };
            self.write(Kind::Browser, &digest.to_string(), &this, Some(this.ends_at))?;
        } else {
            self.save_principal(&principal)?;
        }
        Ok(Ok(Some(view)))
    }

    /// Forgets every passkey.
    pub(super) fn forget_passkeys(&self) -> Result<(), Fault> {
        for (id, _) in self.stored::<StoredPasskey>(Kind::Passkey)? {
            self.delete(Kind::Passkey, &id);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let key = r#"{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let stored = StoredPasskey {
            name: "Phone".to_owned(),
            key: serde_json::from_str(key).unwrap(),
            counter: 7,
            is_synced: true,
            created_at: Timestamp::from_seconds(1),
            used_at: None,
        };
        assert_eq!(
            serde_json::to_string(&stored).unwrap(),
            concat!(
                r#"{"name":"Phone","key":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"EdDSA","use":"sig"},"#,
                r#""counter":7,"is_synced":true,"created_at":1000}"#
            )
        );
    }
}
