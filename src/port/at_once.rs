//! The ports of a decision that may wait for nobody: memory, randomness, the log, and nothing else.
//!
//! Most requests bear a token that this isolate has verified, for a session that was confirmed a moment ago. They
//! are decided by the very code that decides all others, run once: where it would have to wait it stops at
//! [`Ports::may_wait`], before anything has happened, and the request goes the long way ([`crate::app::App::at_once`]).

use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::config::MailBy;
use crate::directory;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::{ClientId, KeyId, Locator, Login, RealmName, UserId};
use crate::keyring::{KeyringAnswer, KeyringQuestion, RingName};
use crate::port::{
    Body, Clients, Configurations, Counting, Cutoffs, Directory, Entropy, Journal, Keyrings, Letter, Limit,
    Limiter, Mailer, Ports, Principals, SharedCache, Signer, Timer, Users, Vault, Verifier, Web, WebReply,
    WebRequest,
};
use crate::principal::{Answer, Client, Configured, Cutoffs as Dead, Federated, Question, UserPlace};
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, Jwk, JwkSet};
use crate::validator::Isolate;

/// What a future says at its first question; `None` where it has to wait.
pub fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Ports that answer from memory or never.
#[derive(Debug)]
pub struct AtOnce<'p, E, J> {
    /// Randomness.
    pub entropy: &'p E,
    /// What this isolate remembers.
    pub isolate: &'p Isolate,
    /// The log.
    pub journal: &'p J,
}

impl<E: Entropy, J: Journal> Ports for AtOnce<'_, E, J> {
    type Clients = Never;
    type Configurations = Never;
    type Cutoffs = Never;
    type Directory = Never;
    type Entropy = E;
    type Journal = J;
    type Keyrings = Never;
    type Limiter = Never;
    type Mailer = Never;
    type Principals = Never;
    type SharedCache = Never;
    type Signer = Never;
    type Timer = Never;
    type Users = Never;
    type Vault = Never;
    type Verifier = Never;
    type Web = Never;

    fn clients(&self) -> &Never {
        &Never
    }
    fn configurations(&self) -> &Never {
        &Never
    }
    fn cutoffs(&self) -> &Never {
        &Never
    }
    fn directory(&self) -> &Never {
        &Never
    }
    fn entropy(&self) -> &E {
        self.entropy
    }
    fn isolate(&self) -> &Isolate {
        self.isolate
    }
    fn journal(&self) -> &J {
        self.journal
    }
    fn keyrings(&self) -> &Never {
        &Never
    }
    fn limiter(&self) -> &Never {
        &Never
    }
    fn mailer(&self) -> &Never {
        &Never
    }
    fn principals(&self) -> &Never {
        &Never
    }
    fn shared_cache(&self) -> &Never {
        &Never
    }
    fn signer(&self) -> &Never {
        &Never
    }
    fn timer(&self) -> &Never {
        &Never
    }
    fn users(&self) -> &Never {
        &Never
    }
    fn vault(&self) -> &Never {
        &Never
    }
    fn verifier(&self) -> &Never {
        &Never
    }
    fn web(&self) -> &Never {
        &Never
    }

    async fn may_wait(&self) {
        pending::<()>().await;
    }
}

/// Who is never reached.
#[derive(Debug)]
pub struct Never;

impl Body for Never {
    async fn read(&mut self, _: usize) -> Result<Option<Vec<u8>>, Fault> {
        pending().await
    }
}

impl Clients for Never {
    async fn find(&self, _: &RealmName, _: &ClientId) -> Result<Option<Client>, Fault> {
        pending().await
    }
}

impl Configurations for Never {
    fn counts(&self) -> Result<Counting, Fault> {
        Err(Fault::new("read configuration", "not at once"))
    }

    fn deployed(&self) -> Result<String, Fault> {
        Err(Fault::new("read configuration", "not at once"))
    }
    fn take_up(&self, _: &Configured) {}
}

impl Cutoffs for Never {
    async fn find(&self, _: &RealmName, _: Locator) -> Result<Dead, Fault> {
        pending().await
    }
}

impl Directory for Never {
    async fn ask(&self, _: &RealmName, _: &directory::Question) -> Result<directory::Answer, Fault> {
        pending().await
    }
}

impl Keyrings for Never {
    async fn published(&self, _: &RingName) -> Result<Option<JwkSet>, Fault> {
        pending().await
    }
    async fn authority(&self, _: &RingName) -> Result<JwkSet, Fault> {
        pending().await
    }
    async fn ask(&self, _: &KeyringQuestion) -> Result<KeyringAnswer, Fault> {
        pending().await
    }
}

impl Limiter for Never {
    async fn admits(&self, _: Limit<'_>, _: &str) -> Result<bool, Fault> {
        pending().await
    }
}

impl Principals for Never {
    fn create(&self) -> Result<Locator, Fault> {
        Err(Fault::new("place principal", "not at once"))
    }
    fn place_of(&self, _: &RealmName, _: &Login) -> Result<Locator, Fault> {
        Err(Fault::new("place principal", "not at once"))
    }
    fn place_of_key(&self, _: &Digest) -> Result<Locator, Fault> {
        Err(Fault::new("place principal", "not at once"))
    }
    fn place_of_client(&self, _: &RealmName, _: &ClientId) -> Result<Locator, Fault> {
        Err(Fault::new("place principal", "not at once"))
    }
    fn place_of_federated(&self, _: &RealmName, _: &Federated) -> Result<Locator, Fault> {
        Err(Fault::new("place principal", "not at once"))
    }
    fn place_of_configuration(&self, _: &RealmName) -> Result<Locator, Fault> {
        Err(Fault::new("place principal", "not at once"))
    }
    async fn ask(&self, _: Locator, _: &Question) -> Result<Answer, Fault> {
        pending().await
    }
}

impl SharedCache for Never {
    async fn read(&self, _: &str) -> Option<String> {
        pending().await
    }
    async fn write(&self, _: &str, _: &str, _: Lifetime) {
        pending::<()>().await;
    }
}

impl Signer for Never {
    async fn sign(
        &self,
        _: &RingName,
        _: &dyn Fn(Algorithm, &KeyId) -> Result<String, Fault>,
    ) -> Result<String, Fault> {
        pending().await
    }
}

impl Timer for Never {
    async fn now(&self) -> Timestamp {
        pending().await
    }
    async fn pause(&self, _: Lifetime) {
        pending::<()>().await;
    }
}

impl Users for Never {
    async fn find(&self, _: &RealmName, _: &UserId) -> Result<Option<UserPlace>, Fault> {
        pending().await
    }
}

impl Vault for Never {
    fn secret(&self, _: &str) -> Option<Secret> {
        None
    }
}

impl Verifier for Never {
    async fn verify(&self, _: &Jwk, _: Algorithm, _: &[u8], _: &[u8]) -> Result<bool, Fault> {
        pending().await
    }
}

impl Mailer for Never {
    fn send(&self, _: &MailBy, _: &Letter<'_>) -> Result<(), Fault> {
        Err(Fault::new("send mail", "not at once"))
    }
}

impl Web for Never {
    async fn ask(&self, _: &WebRequest<'_>) -> Result<WebReply, Fault> {
        pending().await
    }
}
