//! What the use cases ask of the platform. One port per question, not per table.
//!
//! Nothing here is `Send`: one isolate, one thread. "Not there" is `Ok(None)`; a [`Fault`] always means that
//! the answer is unknown, and the caller refuses. Two implementations exist: `edge` (Workers) and the fakes
//! of the native tests, which have a fault switch. [`AtOnce`] answers from memory or not at all.
#![expect(async_fn_in_trait, reason = "one isolate, one thread: no Send bound is wanted")]

mod at_once;
mod mail;

pub use at_once::{AtOnce, Never, poll_once};
pub use mail::{Letter, Mailer};

use serde::Serialize;

use crate::check::Check;
use crate::directory;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::{ClientId, KeyId, Locator, Login, RealmName, RequestId, UserId};
use crate::keyring::{KeyringAnswer, KeyringQuestion, RingName};
use crate::principal::{Answer, Client, Configured, Cutoffs as Dead, Federated, Question, UserPlace};
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, Jwk, JwkSet};
use crate::uri::WebUrl;
use crate::validator::Isolate;

/// Everything that one request may ask of the platform.
pub trait Ports {
    /// See [`Clients`].
    type Clients: Clients;
    /// See [`Configurations`].
    type Configurations: Configurations;
    /// See [`Cutoffs`].
    type Cutoffs: Cutoffs;
    /// See [`Directory`].
    type Directory: Directory;
    /// See [`Entropy`].
    type Entropy: Entropy;
    /// See [`Journal`].
    type Journal: Journal;
    /// See [`Keyrings`].
    type Keyrings: Keyrings;
    /// See [`Limiter`].
    type Limiter: Limiter;
    /// See [`Mailer`].
    type Mailer: Mailer;
    /// See [`Principals`].
    type Principals: Principals;
    /// See [`SharedCache`].
    type SharedCache: SharedCache;
    /// See [`Signer`].
    type Signer: Signer;
    /// See [`Timer`].
    type Timer: Timer;
    /// See [`Users`].
    type Users: Users;
    /// See [`Vault`].
    type Vault: Vault;
    /// See [`Verifier`].
    type Verifier: Verifier;
    /// See [`Web`].
    type Web: Web;

    /// The client records.
    fn clients(&self) -> &Self::Clients;
    /// The document that counts.
    fn configurations(&self) -> &Self::Configurations;
    /// Which tokens are dead.
    fn cutoffs(&self) -> &Self::Cutoffs;
    /// The realms' directories.
    fn directory(&self) -> &Self::Directory;
    /// Randomness.
    fn entropy(&self) -> &Self::Entropy;
    /// What this isolate remembers between requests.
    fn isolate(&self) -> &Isolate;
    /// The log.
    fn journal(&self) -> &Self::Journal;
    /// The realms' keyrings.
    fn keyrings(&self) -> &Self::Keyrings;
    /// How often an address may ask.
    fn limiter(&self) -> &Self::Limiter;
    /// Who sends mail.
    fn mailer(&self) -> &Self::Mailer;
    /// The principals.
    fn principals(&self) -> &Self::Principals;
    /// What the isolates of one place remember together.
    fn shared_cache(&self) -> &Self::SharedCache;
    /// The realms' private keys.
    fn signer(&self) -> &Self::Signer;
    /// Waiting.
    fn timer(&self) -> &Self::Timer;
    /// Where people are.
    fn users(&self) -> &Self::Users;
    /// The deployment's secrets.
    fn vault(&self) -> &Self::Vault;
    /// Signature checks.
    fn verifier(&self) -> &Self::Verifier;
    /// Other people's servers.
    fn web(&self) -> &Self::Web;

    /// How long it has taken since then, where there was anything to wait for: a worker's clock stands still while it computes.
    fn waited(&self, _since: Timestamp) -> Option<Lifetime> {
        None
    }

    /// Takes note of how long an issuer's keys were waited for.
    fn waited_for_keys(&self, _waited: Lifetime) {}

    /// What the deployment lacks that its realms need: the name of a binding or of a secret.
    fn lacks(&self) -> Option<&'static str> {
        None
    }

    /// Whether the deployment has a binding of this name, which a route asks for.
    fn is_bound(&self, _binding: &str) -> bool {
        true
    }

    /// Passed before anything that takes time or leaves a trace. Where a request must be decided at once
    /// ([`crate::app::App::at_once`]) it is never passed, and nothing has happened.
    async fn may_wait(&self) {}

    /// Told which checks of a request come next, in their order. Nobody listens where requests are decided for good, and nothing is compiled for it. A token that is
    /// remembered is not told of.
    fn begin(&self, _checks: &'static [Check]) {}
}

/// A request's body, read at most once.
pub trait Body {
    /// The whole body, or `None` when it is longer than `limit` bytes or was cut off by its sender.
    ///
    /// # Errors
    /// The platform does not read.
    async fn read(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Fault>;
}

/// Client records: a copy that may be up to a minute old, without secrets.
pub trait Clients {
    /// The record of a client, if it is known here.
    ///
    /// # Errors
    /// The store does not answer, or holds what cannot be read.
    async fn find(&self, realm: &RealmName, client: &ClientId) -> Result<Option<Client>, Fault>;
}

/// Which document counts.
#[derive(Clone, Copy, Debug)]
pub struct Counting {
    /// The number of the version that was put in the place of the deployed document; 0: that counts.
    pub number: u64,
    /// The digest of the document that counts.
    pub digest: Digest,
}

/// The document that counts ([`crate::config`]).
pub trait Configurations {
    /// Which one that is here and now.
    ///
    /// # Errors
    /// There is none.
    fn counts(&self) -> Result<Counting, Fault>;

    /// The document that the worker was deployed with.
    ///
    /// # Errors
    /// There is none.
    fn deployed(&self) -> Result<String, Fault>;

    /// Takes what was put just now for what counts, without waiting for the copy of it.
    fn take_up(&self, configured: &Configured);
}

/// Which tokens of a principal are dead: a copy that may be up to a minute old.
pub trait Cutoffs {
    /// What is known to be dead; nothing, where nothing was published.
    ///
    /// # Errors
    /// The store does not answer, or holds what cannot be read.
    async fn find(&self, realm: &RealmName, locator: Locator) -> Result<Dead, Fault>;
}

/// The realms' directories: which clients and people there are, and what was done.
pub trait Directory {
    /// Asks a realm's directory ([`crate::directory::step`]).
    ///
    /// # Errors
    /// Whether it happened is unknown.
    async fn ask(
        &self,
        realm: &RealmName,
        question: &directory::Question,
    ) -> Result<directory::Answer, Fault>;
}

/// Randomness fit for secrets. Failing is a value, not a panic.
pub trait Entropy {
    /// Fills `buffer`.
    ///
    /// # Errors
    /// There is no randomness; `buffer` must not be used.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault>;
}

/// Fixed amounts of randomness.
///
/// # Errors
/// As [`Entropy::fill`].
pub fn random<const N: usize>(entropy: &impl Entropy) -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// The log. Entries have no field that could hold a token, a secret or a key.
pub trait Journal {
    /// Writes one entry.
    fn record(&self, entry: &Entry<'_>);
}

/// One request, or one piece of trouble, in the log.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Entry<'a> {
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a RequestId>,
    /// What was asked for: a route's id, or an endpoint's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<&'a str>,
    /// `allow`, `deny`, `answer`, `fault`, `skip` or `step`.
    pub decision: &'static str,
    /// Why, as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// The claim that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<&'a str>,
    /// Whose token lets it in, or whose endpoint answers: a realm's name, or another issuer's identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<&'a str>,
    /// The client that is let in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<&'a str>,
    /// Where the principal of its session is: opaque, and never who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<Locator>,
    /// The status of an answer of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How many milliseconds were waited for until here, where any were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// What we were doing when something of ours failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<&'a str>,
    /// How it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
}

/// The keyrings of our own realms.
pub trait Keyrings {
    /// The published copy, which may be up to a minute old; `None` when none was seen yet.
    ///
    /// # Errors
    /// The store does not answer, or holds what cannot be read.
    async fn published(&self, realm: &RingName) -> Result<Option<JwkSet>, Fault>;

    /// The exact key set, from the one authority. Makes the keyring's first key if there is none: exactly one,
    /// however many ask at once.
    ///
    /// # Errors
    /// The authority does not answer.
    async fn authority(&self, realm: &RingName) -> Result<JwkSet, Fault>;

    /// Asks the authority about its keys, or to change them. What it says happened is stored.
    ///
    /// # Errors
    /// Whether it happened is unknown.
    async fn ask(&self, question: &KeyringQuestion) -> Result<KeyringAnswer, Fault>;
}

/// How often somebody may ask: the platform's own counters, which are near and not exact.
pub trait Limiter {
    /// Whether this one may ask now. Counts.
    ///
    /// # Errors
    /// The counter does not answer.
    async fn admits(&self, limit: Limit<'_>, source: &str) -> Result<bool, Fault>;
}

/// What is limited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit<'a> {
    /// Calls of a route, by the counter of this binding: whose calls they are says the source.
    Route(&'a str),
    /// Sign-ins with a password, each of which costs a slow hash; and what has mail sent.
    Password,
    /// Token requests, registrations, and sign-ins by passkey or outside provider.
    Token,
}

/// The principals, each answering its questions one at a time ([`crate::principal::step`]).
pub trait Principals {
    /// A place for a new principal.
    ///
    /// # Errors
    /// The platform gives none.
    fn create(&self) -> Result<Locator, Fault>;

    /// The place of whoever signs in so: the same each time, whether anybody is there or not.
    ///
    /// # Errors
    /// The platform gives none.
    fn place_of(&self, realm: &RealmName, login: &Login) -> Result<Locator, Fault>;

    /// The place where marks are kept of proofs by the key of this thumbprint, whose tokens are no principal's here: the same each time,
    /// and one of [`crate::principal::KEY_PLACES`].
    ///
    /// # Errors
    /// The platform gives none.
    fn place_of_key(&self, key: &Digest) -> Result<Locator, Fault>;

    /// The place of a client that nobody owns and whose id follows from the request that makes it: the same each time.
    ///
    /// # Errors
    /// The platform gives none.
    fn place_of_client(&self, realm: &RealmName, client: &ClientId) -> Result<Locator, Fault>;

    /// The place of a person of an outside provider: the same each time, whether anybody is there or not.
    ///
    /// # Errors
    /// The platform gives none.
    fn place_of_federated(&self, realm: &RealmName, who: &Federated) -> Result<Locator, Fault>;

    /// The place of the configurations that were put from this realm while the deployment runs: the same each time.
    ///
    /// # Errors
    /// The platform gives none.
    fn place_of_configuration(&self, realm: &RealmName) -> Result<Locator, Fault>;

    /// Asks the principal at `locator`. The answer is exact, and what it says happened is stored. A locator that the
    /// platform has not made is [`crate::principal::Refused::NotFound`].
    ///
    /// # Errors
    /// Whether it happened is unknown.
    async fn ask(&self, locator: Locator, question: &Question) -> Result<Answer, Fault>;
}

/// How long the shared cache may take each time: it is there to save time.
pub const CACHE_TIMEOUT: Lifetime = Lifetime::from_seconds(1);

/// A cache that all isolates of one place share, such as the Cache API. What it lacks or loses costs time only.
pub trait SharedCache {
    /// What was written under this name, if it is still there. Waits at most [`CACHE_TIMEOUT`].
    async fn read(&self, name: &str) -> Option<String>;

    /// Writes for so long. Failing is nobody's business. Waits at most [`CACHE_TIMEOUT`].
    async fn write(&self, name: &str, text: &str, keep_for: Lifetime);
}

/// Signs for a realm, with one of its keyrings.
pub trait Signer {
    /// Signs what `write` makes of the keyring's current key, and answers the compact JWS.
    ///
    /// # Errors
    /// There is no key, it does not open, or the platform does not sign.
    async fn sign(
        &self,
        realm: &RingName,
        write: &dyn Fn(Algorithm, &KeyId) -> Result<String, Fault>,
    ) -> Result<String, Fault>;
}

/// Waiting, without work.
pub trait Timer {
    /// What time it is by now, for whoever has waited: a request's own `now` is when it came.
    async fn now(&self) -> Timestamp;

    /// Resolves after about this span.
    async fn pause(&self, span: Lifetime);
}

/// Where people are: a copy that may be up to a minute old. Their principals are the authority.
pub trait Users {
    /// The place of a user, if one of this name is known here.
    ///
    /// # Errors
    /// The store does not answer, or holds what cannot be read.
    async fn find(&self, realm: &RealmName, user: &UserId) -> Result<Option<UserPlace>, Fault>;
}

/// The secrets of the deployment, by name.
pub trait Vault {
    /// The secret of this name; `None` where the deployment has none.
    fn secret(&self, name: &str) -> Option<Secret>;
}

/// Checks signatures.
pub trait Verifier {
    /// Whether `signature`, as JWS spells it (RFC 7518 section 3), is one over `input` by `key` with `algorithm`. A key that does not
    /// serve the algorithm, or that is no point of its curve, verifies nothing: `Ok(false)`.
    ///
    /// # Errors
    /// The platform cannot check.
    async fn verify(
        &self,
        key: &Jwk,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<bool, Fault>;
}

/// The longest body that is read from somebody else's server.
pub const MAX_WEB_BODY: usize = 64 * 1024;

/// How long somebody else's server may take, from the question to the end of its answer.
pub const WEB_TIMEOUT: Lifetime = Lifetime::from_seconds(3);

/// Other people's servers: key sets, metadata, introspection.
pub trait Web {
    /// Asks. Follows no redirect, reads at most [`MAX_WEB_BODY`], waits at most [`WEB_TIMEOUT`].
    ///
    /// # Errors
    /// No answer, one that is too long, or one that takes too long. A status of any kind is an answer.
    async fn ask(&self, request: &WebRequest<'_>) -> Result<WebReply, Fault>;
}

/// A question to somebody else's server: `GET`, or with a body `POST`. Its answer is wanted in JSON.
#[derive(Clone)]
pub struct WebRequest<'a> {
    /// Where.
    pub url: &'a WebUrl,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The body, in `application/x-www-form-urlencoded`.
    pub form: Option<String>,
    /// The body, in `application/json`, where there is no form.
    pub json: Option<String>,
}

impl<'a> WebRequest<'a> {
    /// A plain `GET`.
    #[must_use]
    pub const fn get(url: &'a WebUrl) -> Self {
        Self { url, authorization: None, form: None, json: None }
    }
}

impl std::fmt::Debug for WebRequest<'_> {
    /// The address only: the rest may hold credentials and tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebRequest").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// What somebody else's server answered.
#[derive(Clone, Debug)]
pub struct WebReply {
    /// The status code.
    pub status: u16,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Age`.
    pub age: Option<String>,
    /// The body, whole.
    pub body: Vec<u8>,
}
