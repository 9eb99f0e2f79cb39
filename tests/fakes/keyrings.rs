//! The realms' keyrings in memory. What they become is decided by [`tollgate::keyring::Keyring`], as on the edge; keys are
//! made of counted names, and the alarm rings when a test says so.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use tollgate::encoding::{Digest, base64url};
use tollgate::error::Fault;
use tollgate::id::KeyId;
use tollgate::keyring::{
    KeyState, Keyring, KeyringAnswer, KeyringQuestion, Policy, Refusal, RingName, SealedKey, Work,
    public_part,
};
use tollgate::port::{Keyrings, Signer};
use tollgate::software::MlDsa65;
use tollgate::time::{Lifetime, Timestamp};
use tollgate::token::{Algorithm, JwkSet};

use super::{Broken, Edge, World};

/// What the authorities know, and what KV holds.
#[derive(Default)]
pub(crate) struct FakeKeyrings {
    rings: RefCell<BTreeMap<RingName, Ring>>,
    /// Whether there are copies in KV, which come as late as they may. Without, every set is the authority's.
    pub(crate) has_copies: Cell<bool>,
    /// How often somebody has asked for every key.
    pub(crate) listed: Cell<usize>,
    /// Whether KV refuses to write.
    pub(crate) refuses_copies: Cell<bool>,
    /// How many keys were made and lost before those that are there.
    lost: Cell<usize>,
}

struct Ring {
    keyring: Keyring,
    /// What the copy is known to hold.
    copy: Option<Vec<KeyId>>,
    /// Each copy and when it was written.
    copies: Vec<(Timestamp, JwkSet)>,
    private: BTreeMap<KeyId, Private>,
}

enum Private {
    MlDsa(Box<MlDsa65>),
    P256(SigningKey),
    Rsa(Box<rsa::pkcs1v15::SigningKey<rsa::sha2::Sha256>>),
}

impl Private {
    fn sign(&self, input: &[u8]) -> Vec<u8> {
        match self {
            Self::MlDsa(key) => key.sign(input).unwrap(),
            Self::Rsa(key) => {
                use rsa::signature::{SignatureEncoding as _, Signer as _};
                key.sign(input).to_vec()
            }
            Self::P256(key) => {
                let signature: Signature = key.sign(input);
                signature.to_bytes().to_vec()
            }
        }
    }
}

/// The `number`th key of a realm.
fn make(realm: &RingName, number: usize, algorithm: Algorithm) -> (SealedKey, Private) {
    let seed = match number {
        0 => Digest::of(realm.to_string().as_bytes()),
        number => Digest::of(format!("{realm} {number}").as_bytes()),
    };
    let (public, private) = match algorithm {
        Algorithm::Es256 => {
            let key = SigningKey::from_slice(seed.bytes()).unwrap();
            (World::public_key(&key), Private::P256(key))
        }
        Algorithm::MlDsa65 => {
            let key = MlDsa65::of_seed(seed.bytes()).unwrap();
            let exported = format!(r#"{{"kty":"AKP","pub":"{}"}}"#, base64url(&key.public()));
            (public_part(&exported, algorithm).unwrap(), Private::MlDsa(Box::new(key)))
        }
        Algorithm::Rs256 => {
            use rsa::traits::PublicKeyParts as _;
            let key = crate::presets::KEY.clone();
            let verifies = rsa::signature::Keypair::verifying_key(&key);
            let public: &rsa::RsaPublicKey = verifies.as_ref();
            let [n, e] = [public.n(), public.e()].map(|number| base64url(&number.to_bytes_be()));
            let exported = format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#);
            (public_part(&exported, algorithm).unwrap(), Private::Rsa(Box::new(key)))
        }
        other => panic!("no fake signs with {other:?}"),
    };
    (SealedKey::new(public, "c2VhbGVk".to_owned()).unwrap(), private)
}

impl Ring {
    fn first(realm: &RingName, number: usize, policy: &Policy, now: Timestamp) -> Self {
        let (key, private) = make(realm, number, policy.signing);
        let private = [(key.id().clone(), private)].into();
        Self { keyring: Keyring::first(key, now), copy: None, copies: Vec::new(), private }
    }

    fn stage(
        &mut self,
        realm: &RingName,
        lost: usize,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.keyring.may_stage()?;
        let (key, private) = make(realm, self.private.len() + lost, policy.signing);
        self.private.insert(key.id().clone(), private);
        self.keyring = self.keyring.clone().stage(key, now)?;
        Ok(())
    }

    fn promote(&mut self, policy: &Policy, now: Timestamp) -> Result<(), Refusal> {
        self.keyring = self.keyring.clone().promote(policy, now)?;
        Ok(())
    }
}

impl World {
    fn policy(&self, realm: &RingName) -> Policy {
        self.config.realm(realm.realm().as_str()).unwrap().terms(realm.is_beside()).unwrap()
    }

    fn with_ring<T>(&self, realm: &RingName, what: impl FnOnce(&mut Ring) -> T) -> T {
        let (lost, policy) = (self.keyrings.lost.get(), self.policy(realm));
        let mut rings = self.keyrings.rings.borrow_mut();
        what(rings.entry(realm.clone()).or_insert_with(|| Ring::first(realm, lost, &policy, self.now())))
    }

    /// Every key is gone, and the next question makes another.
    pub(crate) fn lose_keys(&self) {
        self.keyrings.lost.set(self.keyrings.lost.get() + 1);
        self.keyrings.rings.borrow_mut().clear();
    }

    /// Does what is due in each keyring that there is, as the alarm on the edge does.
    pub(crate) fn ring_alarms(&self) {
        let (now, lost) = (self.now(), self.keyrings.lost.get());
        for (realm, ring) in &mut *self.keyrings.rings.borrow_mut() {
            let policy = self.policy(realm);
            loop {
                match ring.keyring.work(ring.copy.as_deref(), &policy, now) {
                    Work::Drop => ring.keyring = ring.keyring.clone().without_ended(now),
                    Work::Make(_) => ring.stage(realm, lost, &policy, now).unwrap(),
                    Work::Promote => ring.promote(&policy, now).unwrap(),
                    Work::Rest(_) => break,
                    Work::Write(_) if self.keyrings.refuses_copies.get() => break,
                    Work::Write(keys) => {
                        let ids: Vec<KeyId> = keys.keys().map(|key| key.id().unwrap().clone()).collect();
                        ring.copies.push((now, keys));
                        ring.keyring = ring.keyring.clone().written(&ids, &policy, now);
                        ring.copy = Some(ids);
                    }
                }
            }
        }
    }

    /// Where each key of a realm stands.
    pub(crate) fn key_states(&self, realm: &str) -> Vec<(KeyId, KeyState)> {
        let realm = realm.parse().unwrap();
        self.with_ring(&realm, |ring| {
            ring.keyring.entries().map(|(key, state)| (key.id().clone(), state)).collect()
        })
    }

    /// The key that signs, whatever is broken.
    pub(crate) fn signing_key_of(&self, ring: &RingName) -> SealedKey {
        self.with_ring(ring, |ring| ring.keyring.signing_key().clone())
    }

    /// What a realm's key of this name, which there once was, signs.
    pub(crate) fn sign_with(&self, realm: &str, key: &KeyId, input: &str) -> String {
        let realm = realm.parse().unwrap();
        let signature = self.with_ring(&realm, |ring| ring.private[key].sign(input.as_bytes()));
        format!("{input}.{}", base64url(&signature))
    }
}

impl Keyrings for World {
    async fn published(&self, realm: &RingName) -> Result<Option<JwkSet>, Fault> {
        self.check(Broken::Keyrings)?;
        if !self.keyrings.has_copies.get() {
            return Ok(None);
        }
        let seen = |at: Timestamp| at.after(Policy::COPY_LATE) <= self.now();
        Ok(self.with_ring(realm, |ring| {
            ring.copies.iter().rev().find(|(at, _)| seen(*at)).map(|(_, keys)| keys.clone())
        }))
    }

    async fn authority(&self, realm: &RingName) -> Result<JwkSet, Fault> {
        self.asked_authority.set(self.asked_authority.get() + 1);
        if self.hangs.get() {
            std::future::pending::<()>().await;
        }
        self.check(Broken::Keyrings)?;
        Ok(self.with_ring(realm, |ring| ring.keyring.public_keys(self.now())))
    }

    async fn ask(&self, question: &KeyringQuestion) -> Result<KeyringAnswer, Fault> {
        let is_list = matches!(question, KeyringQuestion::List { .. });
        self.keyrings.listed.set(self.keyrings.listed.get() + usize::from(is_list));
        self.check(Broken::Keyrings)?;
        let (realm, now, lost) = (question.realm(), self.now(), self.keyrings.lost.get());
        let policy = self.policy(realm);
        Ok(self.with_ring(realm, |ring| {
            let done = match question {
                KeyringQuestion::List { .. } => Ok(()),
                KeyringQuestion::Promote { .. } => ring.promote(&policy, now),
                KeyringQuestion::Rotate { .. } => ring.stage(realm, lost, &policy, now),
                KeyringQuestion::PublicKeys { .. } => {
                    return KeyringAnswer::PublicKeys(ring.keyring.public_keys(now));
                }
                KeyringQuestion::SigningKey { .. } => {
                    let key = ring.keyring.signing_key().clone();
                    return KeyringAnswer::SigningKey { key, keep_for: policy.open_for() };
                }
            };
            match done {
                Ok(()) => KeyringAnswer::Keys(ring.keyring.list()),
                Err(refusal) => KeyringAnswer::Refused(refusal),
            }
        }))
    }
}

/// The signing keys that an edge has opened: since when, and for how long.
#[derive(Default)]
pub(crate) struct Opened(RefCell<BTreeMap<RingName, (SealedKey, Timestamp, Lifetime)>>);

impl Signer for Edge<'_> {
    async fn sign(
        &self,
        realm: &RingName,
        write: &dyn Fn(Algorithm, &KeyId) -> Result<String, Fault>,
    ) -> Result<String, Fault> {
        self.world.check(Broken::Signer)?;
        let now = self.world.now();
        self.opened.0.borrow_mut().retain(|_, (_, since, keep_for)| now.since(*since) <= *keep_for);
        let known = self.opened.0.borrow().get(realm).map(|(key, ..)| key.clone());
        let key = match known {
            Some(key) => key,
            None => match self.world.ask(&KeyringQuestion::SigningKey { realm: realm.clone() }).await? {
                KeyringAnswer::SigningKey { key, keep_for } => {
                    self.opened.0.borrow_mut().insert(realm.clone(), (key.clone(), now, keep_for));
                    key
                }
                other => panic!("{other:?}"),
            },
        };
        let input = write(key.algorithm(), key.id())?;
        Ok(self.world.sign_with(&realm.to_string(), key.id(), &input))
    }
}
