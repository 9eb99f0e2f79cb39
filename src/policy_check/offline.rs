//! The platform as it is where nobody is asked: key sets and answers that were laid out before, sessions that are alive, and a note of everything that was asked.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::check::Check;
use crate::config::{Config, KeySource, TrustedIssuer};
use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::{ClientId, Locator, Login, RealmName};
use crate::keyring::{KeyringAnswer, KeyringQuestion, RingName};
use crate::oauth::Endpoint;
use crate::port::{
    Cutoffs, Entropy, Entry, Journal, Keyrings, Limit, Limiter, Never, Ports, Principals, SharedCache, Timer,
    Vault, Verifier, Web, WebReply, WebRequest,
};
use crate::principal::{Answer, Cutoffs as Dead, Federated, Question};
use crate::secret::Secret;
use crate::session::Touch;
use crate::software::SoftwareVerifier;
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, Jwk, JwkSet};
use crate::validator::Isolate;

const WEB: &str = "ask the web";
const PRINCIPAL: &str = "ask principal";

/// What is taken to be so, because nobody was asked.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Assumed {
    /// The issuer says that the token is active.
    Active,
    /// The caller has not called too often.
    Rate,
    /// The session is alive.
    Session,
    /// The signature is good.
    Signature,
}

impl Assumed {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Rate => "rate",
            Self::Session => "session",
            Self::Signature => "signature",
        }
    }
}

/// What stands at an address.
#[derive(Clone, Debug)]
pub(super) enum Page {
    /// A document.
    Text(String),
    /// It could not be had, and why.
    Failed(String),
}

/// What issuers say of a token that they are asked about.
#[derive(Clone, Debug)]
pub(super) enum Says {
    /// This.
    Answer(Value),
    /// What the token itself says, and that it is active: nobody was asked.
    TheSame(Value),
    /// Nothing is known.
    Nothing,
}

/// What was asked, and what was said of the decision.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The checks that were begun, in their order.
    pub(super) checks: Vec<Check>,
    /// The route that was found.
    pub(super) route: Option<String>,
    /// Why it was refused, and the claim that it is about.
    pub(super) reason: Option<String>,
    pub(super) claim: Option<String>,
    /// What of ours failed.
    pub(super) fault: Option<(String, String)>,
    /// Why keys of the set were left out.
    pub(super) left_out: Vec<String>,
    /// Addresses that were asked, and of which nothing is known.
    pub(super) unknown: BTreeSet<String>,
    /// Addresses that were asked, and could not be had.
    pub(super) failed: BTreeMap<String, String>,
    pub(super) assumed: BTreeSet<Assumed>,
}

/// The ports.
#[derive(Debug)]
pub(super) struct Offline {
    pub(super) now: Timestamp,
    pub(super) pages: BTreeMap<String, Page>,
    pub(super) says: Says,
    /// A key that takes the place of one that could not be had: what it is said to have signed counts as signed.
    pub(super) stand_in: Option<Digest>,
    /// Where the key set of each keyring is published.
    rings: BTreeMap<RingName, String>,
    isolate: Isolate,
    heard: RefCell<Heard>,
}

impl Offline {
    pub(super) fn new(config: &Config, now: Timestamp) -> Self {
        let rings = config.realms().iter().map(|realm| {
            let url = format!("{}{}", realm.issuer, Endpoint::Jwks.path());
            (realm.ring.clone(), url)
        });
        Self {
            now,
            pages: BTreeMap::new(),
            says: Says::Nothing,
            stand_in: None,
            rings: rings.collect(),
            isolate: Isolate::new(),
            heard: RefCell::default(),
        }
    }

    /// Lays out a key set as the one of this issuer, wherever it publishes its keys.
    pub(super) fn publish(&mut self, issuer: &TrustedIssuer, keys: &str) {
        let page = Page::Text(keys.to_owned());
        match &issuer.keys {
            KeySource::Inline(_) | KeySource::Nowhere => {}
            KeySource::Metadata(url) => {
                let jwks_uri = format!("{url}/keys");
                let metadata = json!({ "issuer": issuer.trust.issuer, "jwks_uri": jwks_uri });
                self.pages.insert(url.as_str().to_owned(), Page::Text(metadata.to_string()));
                self.pages.insert(jwks_uri, page);
            }
            KeySource::Published(url) => drop(self.pages.insert(url.as_str().to_owned(), page)),
            KeySource::Realm(ring, _) => {
                if let Some(url) = self.rings.get(ring) {
                    self.pages.insert(url.clone(), page);
                }
            }
        }
    }

    /// What was heard.
    pub(super) fn into_heard(self) -> Heard {
        self.heard.into_inner()
    }

    pub(super) fn hear<T>(&self, what: impl FnOnce(&mut Heard) -> T) -> T {
        what(&mut self.heard.borrow_mut())
    }

    /// What stands at an address.
    fn page(&self, url: &str) -> Result<&str, Fault> {
        let why = match self.pages.get(url) {
            Some(Page::Text(text)) => return Ok(text),
            Some(Page::Failed(why)) => {
                self.hear(|heard| heard.failed.insert(url.to_owned(), why.clone()));
                why
            }
            None => {
                self.hear(|heard| heard.unknown.insert(url.to_owned()));
                "nobody is asked"
            }
        };
        Err(Fault::new(WEB, why))
    }

    fn no_place(&self) -> Fault {
        Fault::new(PRINCIPAL, format!("nobody is asked at {}", self.now.as_seconds()))
    }
}

impl Ports for Offline {
    type Clients = Never;
    type Configurations = Never;
    type Cutoffs = Self;
    type Directory = Never;
    type Entropy = Self;
    type Journal = Self;
    type Keyrings = Self;
    type Limiter = Self;
    type Mailer = Never;
    type Principals = Self;
    type SharedCache = Self;
    type Signer = Never;
    type Timer = Self;
    type Users = Never;
    type Vault = Self;
    type Verifier = Self;
    type Web = Self;

    fn clients(&self) -> &Never {
        &Never
    }
    fn configurations(&self) -> &Never {
        &Never
    }
    fn cutoffs(&self) -> &Self {
        self
    }
    fn directory(&self) -> &Never {
        &Never
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
    fn mailer(&self) -> &Never {
        &Never
    }
    fn principals(&self) -> &Self {
        self
    }
    fn shared_cache(&self) -> &Self {
        self
    }
    fn signer(&self) -> &Never {
        &Never
    }
    fn timer(&self) -> &Self {
        self
    }
    fn users(&self) -> &Never {
        &Never
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

    fn begin(&self, checks: &'static [Check]) {
        self.hear(|heard| heard.checks.extend(checks));
    }
}

impl Limiter for Offline {
    async fn admits(&self, _: Limit<'_>, _: &str) -> Result<bool, Fault> {
        self.hear(|heard| heard.assumed.insert(Assumed::Rate));
        Ok(true)
    }
}

impl Cutoffs for Offline {
    async fn find(&self, _: &RealmName, _: Locator) -> Result<Dead, Fault> {
        self.hear(|heard| heard.assumed.insert(Assumed::Session));
        Ok(Dead::default())
    }
}

impl Entropy for Offline {
    fn fill(&self, _: &mut [u8]) -> Result<(), Fault> {
        Err(Fault::new("draw randomness", "nothing is remembered, so none is needed"))
    }
}

impl Journal for Offline {
    fn record(&self, entry: &Entry<'_>) {
        let text = |text: Option<&str>| text.map(str::to_owned);
        self.hear(|heard| match entry.decision {
            "skip" => heard.left_out.extend(text(entry.reason)),
            "fault" => {
                let fault = (entry.op.unwrap_or_default(), entry.detail.unwrap_or_default());
                heard.fault = Some((fault.0.to_owned(), fault.1.to_owned()));
                heard.route = text(entry.target);
            }
            // A preflight: the route that it asks about is found by who runs it.
            "answer" => {}
            _ => {
                heard.route = text(entry.target);
                (heard.reason, heard.claim) = (text(entry.reason), text(entry.claim));
            }
        });
    }
}

impl Keyrings for Offline {
    async fn published(&self, _: &RingName) -> Result<Option<JwkSet>, Fault> {
        Ok(None)
    }

    async fn authority(&self, ring: &RingName) -> Result<JwkSet, Fault> {
        let url = self.rings.get(ring).ok_or_else(|| Fault::new("ask keyring", "there is none"))?;
        let (keys, left_out) = JwkSet::parse(self.page(url)?.as_bytes())
            .map_err(|e| Fault::new("read key set", e.to_string()))?;
        self.hear(|heard| heard.left_out.extend(left_out.iter().map(|why| why.code().to_owned())));
        Ok(keys)
    }

    async fn ask(&self, _: &KeyringQuestion) -> Result<KeyringAnswer, Fault> {
        Err(Fault::new("ask keyring", "nobody is asked"))
    }
}

impl Principals for Offline {
    fn create(&self) -> Result<Locator, Fault> {
        Err(self.no_place())
    }
    fn place_of(&self, _: &RealmName, _: &Login) -> Result<Locator, Fault> {
        Err(self.no_place())
    }
    fn place_of_key(&self, key: &Digest) -> Result<Locator, Fault> {
        Ok(Locator::from(*key.bytes()))
    }
    fn place_of_client(&self, _: &RealmName, _: &ClientId) -> Result<Locator, Fault> {
        Err(self.no_place())
    }
    fn place_of_federated(&self, _: &RealmName, _: &Federated) -> Result<Locator, Fault> {
        Err(self.no_place())
    }
    fn place_of_configuration(&self, _: &RealmName) -> Result<Locator, Fault> {
        Err(self.no_place())
    }

    /// Every session is alive, and no proof was used before.
    async fn ask(&self, _: Locator, question: &Question) -> Result<Answer, Fault> {
        self.hear(|heard| heard.assumed.insert(Assumed::Session));
        let asked = match question {
            Question::Once { question: None, .. } => return Ok(Answer::Done),
            Question::Once { question: Some(question), .. } => question,
            other => other,
        };
        match asked {
            Question::Touch { .. } => Ok(Answer::Touched(Touch::Alive { grain: Lifetime::ZERO })),
            _ => Err(self.no_place()),
        }
    }
}

impl SharedCache for Offline {
    async fn read(&self, _: &str) -> Option<String> {
        None
    }
    async fn write(&self, _: &str, _: &str, _: Lifetime) {}
}

impl Timer for Offline {
    async fn now(&self) -> Timestamp {
        self.now
    }
    async fn pause(&self, _: Lifetime) {}
}

impl Vault for Offline {
    /// Secrets that are sent to others are sent to nobody here. Those of tollgate's own are not known.
    fn secret(&self, name: &str) -> Option<Secret> {
        (!name.starts_with("TOLLGATE_")).then(|| Secret::new(b"none".to_vec()))
    }
}

impl Verifier for Offline {
    async fn verify(
        &self,
        key: &Jwk,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<bool, Fault> {
        if self.stand_in == Some(key.thumbprint()) {
            self.hear(|heard| heard.assumed.insert(Assumed::Signature));
            return Ok(true);
        }
        SoftwareVerifier.verify(key, algorithm, input, signature).await
    }
}

impl Web for Offline {
    async fn ask(&self, request: &WebRequest<'_>) -> Result<WebReply, Fault> {
        let body = if request.form.is_some() {
            match &self.says {
                Says::Answer(answer) => answer.to_string(),
                Says::TheSame(claims) => {
                    self.hear(|heard| heard.assumed.insert(Assumed::Active));
                    claims.to_string()
                }
                Says::Nothing => return Err(Fault::new("introspect", "nobody is asked")),
            }
        } else {
            self.page(request.url.as_str())?.to_owned()
        };
        Ok(WebReply { status: 200, cache_control: None, age: None, body: body.into_bytes() })
    }
}
