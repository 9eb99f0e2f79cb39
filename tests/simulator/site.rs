//! One isolate at one edge, and how it reaches everything else: every way takes time, and others come in between.
//!
//! Signatures are stand-ins, a digest of what is signed: others test real ones, and here thousands are made.

use std::rc::Rc;
use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use tollgate::app::App;
use tollgate::config::MailBy;
use tollgate::directory;
use tollgate::encoding::{Digest, base64url};
use tollgate::error::Fault;
use tollgate::id::SessionId;
use tollgate::id::{ClientId, KeyId, Locator, Login, RealmName, UserId};
use tollgate::keyring::{KeyringAnswer, KeyringQuestion, RingName};
use tollgate::port::{
    Clients, Configurations, Counting, Cutoffs, Directory, Entropy, Entry, Journal, Keyrings, Letter, Limit,
    Limiter, Mailer, Ports, Principals, SharedCache, Signer, Timer, Users, Vault, Verifier, Web, WebReply,
    WebRequest,
};
use tollgate::principal::{
    Answer, Client, Configured, Cutoffs as Dead, Federated, Question, UserPlace, client_key, client_name,
    config_name, cutoff_key, federated_name, proofs_name, user_key, user_name,
};
use tollgate::secret::Secret;
use tollgate::time::{Lifetime, Timestamp};
use tollgate::token::{Algorithm, Jwk, JwkSet};
use tollgate::validator::{Chore, Isolate};

use super::colo::{Colo, Touched};
use super::objects::serve;
use crate::fakes::{World, request_id};

pub(super) struct Site {
    pub(super) colo: Rc<Colo>,
    pub(super) edge: usize,
    pub(super) number: u64,
    pub(super) isolate: Rc<Isolate>,
}

impl Ports for Site {
    type Clients = Self;
    type Configurations = Self;
    type Cutoffs = Self;
    type Directory = Self;
    type Entropy = Self;
    type Journal = Self;
    type Keyrings = Self;
    type Limiter = Self;
    type Mailer = Self;
    type Principals = Self;
    type SharedCache = Self;
    type Signer = Self;
    type Timer = Self;
    type Users = Self;
    type Vault = Self;
    type Verifier = Self;
    type Web = Self;

    fn clients(&self) -> &Self {
        self
    }
    fn configurations(&self) -> &Self {
        self
    }
    fn cutoffs(&self) -> &Self {
        self
    }
    fn directory(&self) -> &Self {
        self
    }
    fn entropy(&self) -> &Self {
        self
    }
    fn isolate(&self) -> &Isolate {
        &self.isolate
    }
    fn journal(&self) -> &Self {
        self
    }
    fn keyrings(&self) -> &Self {
        self
    }
    fn limiter(&self) -> &Self {
        self
    }
    fn mailer(&self) -> &Self {
        self
    }
    fn principals(&self) -> &Self {
        self
    }
    fn shared_cache(&self) -> &Self {
        self
    }
    fn signer(&self) -> &Self {
        self
    }
    fn timer(&self) -> &Self {
        self
    }
    fn users(&self) -> &Self {
        self
    }
    fn vault(&self) -> &Self {
        self
    }
    fn verifier(&self) -> &Self {
        self
    }
    fn web(&self) -> &Self {
        self
    }

    async fn may_wait(&self) {
        self.colo.tasks.yield_now().await;
    }
}

impl Site {
    /// Does what a request left behind, and what is owed after that, as far as it is not lost.
    pub(super) async fn finish(self, chore: Chore, came_at: Timestamp) {
        let colo = &self.colo;
        let (config, now) = (colo.config, came_at);
        let app = App { config, ports: &self, bootstrap: |_| None, now, request_id: request_id() };
        let mut owed = Some(chore);
        while let Some(chore) = owed {
            if colo.chance(colo.weather.get().lost_chores) {
                return;
            }
            if colo.chance(colo.weather.get().late_chores) {
                colo.sleep(colo.tasks.rng.millis(0, 20_000)).await;
            }
            colo.tasks.yield_now().await;
            owed = app.finish(chore).await;
        }
    }

    async fn read<T: DeserializeOwned>(&self, key: String) -> Result<Option<T>, Fault> {
        self.colo.travel().await;
        let text = self.colo.kv.read(&self.colo.tasks.rng, self.edge, &key, self.colo.now());
        self.colo.tasks.yield_now().await;
        Ok(text.map(|text| serde_json::from_str(&text).unwrap()))
    }
}

impl Clients for Site {
    async fn find(&self, realm: &RealmName, client: &ClientId) -> Result<Option<Client>, Fault> {
        self.read(client_key(realm, client)).await
    }
}

impl Configurations for Site {
    fn counts(&self) -> Result<Counting, Fault> {
        Err(Fault::new("read configuration", "nobody asks in these tests"))
    }

    fn deployed(&self) -> Result<String, Fault> {
        Err(Fault::new("read configuration", "nobody asks in these tests"))
    }

    fn take_up(&self, _: &Configured) {}
}

impl Cutoffs for Site {
    async fn find(&self, realm: &RealmName, locator: Locator) -> Result<Dead, Fault> {
        Ok(self.read(cutoff_key(realm, locator)).await?.unwrap_or_default())
    }
}

impl Users for Site {
    async fn find(&self, realm: &RealmName, user: &UserId) -> Result<Option<UserPlace>, Fault> {
        self.read(user_key(realm, user)).await
    }
}

impl Directory for Site {
    async fn ask(&self, _: &RealmName, question: &directory::Question) -> Result<directory::Answer, Fault> {
        panic!("{question:?}: lists are tested elsewhere")
    }
}

impl Entropy for Site {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
        for chunk in buffer.chunks_mut(32) {
            chunk.copy_from_slice(&self.colo.random().bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl Journal for Site {
    fn record(&self, _: &Entry<'_>) {}
}

impl Mailer for Site {
    fn send(&self, _: &MailBy, _: &Letter<'_>) -> Result<(), Fault> {
        Err(Fault::new("send mail", "nobody writes to anybody here"))
    }
}

impl Limiter for Site {
    async fn admits(&self, _: Limit<'_>, _: &str) -> Result<bool, Fault> {
        self.colo.tasks.yield_now().await;
        Ok(true)
    }
}

impl Principals for Site {
    fn create(&self) -> Result<Locator, Fault> {
        tollgate::port::random(self).map(Locator::from)
    }

    fn place_of(&self, realm: &RealmName, login: &Login) -> Result<Locator, Fault> {
        Ok(Locator::from(*Digest::of(user_name(realm, login).as_bytes()).bytes()))
    }

    fn place_of_key(&self, key: &Digest) -> Result<Locator, Fault> {
        Ok(Locator::from(*Digest::of(proofs_name(key).as_bytes()).bytes()))
    }

    fn place_of_client(&self, realm: &RealmName, client: &ClientId) -> Result<Locator, Fault> {
        Ok(Locator::from(*Digest::of(client_name(realm, client).as_bytes()).bytes()))
    }

    fn place_of_configuration(&self, realm: &RealmName) -> Result<Locator, Fault> {
        Ok(Locator::from(*Digest::of(config_name(realm).as_bytes()).bytes()))
    }

    fn place_of_federated(&self, realm: &RealmName, who: &Federated) -> Result<Locator, Fault> {
        Ok(Locator::from(*Digest::of(federated_name(realm, who).as_bytes()).bytes()))
    }

    async fn ask(&self, locator: Locator, question: &Question) -> Result<Answer, Fault> {
        if let Question::Touch { local, .. } = question {
            let session = SessionId::named(locator, local).unwrap();
            let (edge, isolate, asked_at) = (self.edge, self.number, self.colo.now());
            let touched = Touched { isolate, session, asked_at, edge };
            self.colo.touches.borrow_mut().push(touched);
        }
        let served = self.colo.tasks.spawn(None, serve(Rc::clone(&self.colo), locator, question.clone()));
        served.join().await.unwrap()
    }
}

/// The one key of a realm.
static KEY: LazyLock<Jwk> =
    LazyLock::new(|| World::public_key(&World::signing_key(&"idle".parse().unwrap())));

impl Keyrings for Site {
    async fn published(&self, _: &RingName) -> Result<Option<JwkSet>, Fault> {
        self.colo.travel().await;
        Ok(Some(std::iter::once(KEY.clone()).collect()))
    }

    async fn authority(&self, realm: &RingName) -> Result<JwkSet, Fault> {
        self.published(realm).await.map(Option::unwrap)
    }

    async fn ask(&self, question: &KeyringQuestion) -> Result<KeyringAnswer, Fault> {
        panic!("{question:?}: rotations are tested elsewhere")
    }
}

/// In the place of a signature.
fn stand_in(input: &[u8]) -> [u8; 64] {
    let half = Digest::of(input);
    let mut whole = [0; 64];
    whole[..32].copy_from_slice(half.bytes());
    whole[32..].copy_from_slice(half.bytes());
    whole
}

/// A token of a realm's operator, at once.
pub(super) fn operators_token(colo: &Colo, realm: &str) -> Option<String> {
    let realm = colo.config.realm(realm)?;
    let signer = (Algorithm::Es256, KEY.id().unwrap());
    let input = colo.objects.with_rows(crate::fakes::operators_place(realm), |rows| {
        let hand = crate::fakes::operator(realm);
        crate::fakes::token_input((rows, &hand), (colo.config, realm), signer, colo.now())
    });
    Some(format!("{input}.{}", base64url(&stand_in(input.as_bytes()))))
}

impl Signer for Site {
    async fn sign(
        &self,
        _: &RingName,
        write: &dyn Fn(Algorithm, &KeyId) -> Result<String, Fault>,
    ) -> Result<String, Fault> {
        self.colo.tasks.yield_now().await;
        let input = write(Algorithm::Es256, KEY.id().unwrap())?;
        Ok(format!("{input}.{}", base64url(&stand_in(input.as_bytes()))))
    }
}

impl Verifier for Site {
    async fn verify(&self, _: &Jwk, _: Algorithm, input: &[u8], signature: &[u8]) -> Result<bool, Fault> {
        self.colo.tasks.yield_now().await;
        Ok(signature == stand_in(input))
    }
}

impl SharedCache for Site {
    async fn read(&self, _: &str) -> Option<String> {
        None
    }

    async fn write(&self, _: &str, _: &str, _: Lifetime) {}
}

impl Timer for Site {
    async fn now(&self) -> Timestamp {
        self.colo.now()
    }

    async fn pause(&self, span: Lifetime) {
        self.colo.sleep(span).await;
    }
}

impl Vault for Site {
    fn secret(&self, _: &str) -> Option<Secret> {
        None
    }
}

impl Web for Site {
    async fn ask(&self, request: &WebRequest<'_>) -> Result<WebReply, Fault> {
        panic!("{request:?}: there is nobody else here")
    }
}
