//! What all edges share: storage, the authorities, the time. And one edge with its own memory.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use p256::ecdsa::SigningKey;
use tollgate::config::{Config, MailBy, Realm};
use tollgate::directory;
use tollgate::encoding::{Digest, base64url};
use tollgate::error::Fault;
use tollgate::id::{ClientId, Locator, Login, RealmName, UserId};
use tollgate::oauth::send_logout_token;
use tollgate::port::{
    Clients, Configurations, Counting, Cutoffs, Directory, Entropy, Entry, Journal, Letter, Limit, Limiter,
    Mailer, Ports, Principals, SharedCache, Timer, Users, Vault, Verifier, Web, WebReply, WebRequest,
};
use tollgate::principal::{
    Answer, Client, Configured, Cutoffs as Dead, Federated, Question, Refused, Told, UserPlace, client_key,
    client_name, config_name, cutoff_key, federated_name, noticed, notices, proofs_name, published, sent,
    step, unpublished, unsent, unverified, user_key, user_name,
};
use tollgate::secret::Secret;
use tollgate::software::SoftwareVerifier;
use tollgate::time::{Lifetime, Timestamp};
use tollgate::token::{Algorithm, Jwk};
use tollgate::validator::Isolate;

use super::keyrings::{FakeKeyrings, Opened};
use super::memory::Memory;
use super::shelf::Shelves;
use super::{BOOTSTRAP, Hand, operator, token_input};

/// What does not work at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Broken {
    /// KV: client records, where people are, cut-offs.
    Kv,
    /// A directory does its work, and its answer is lost.
    DirectoryAfter,
    /// A directory is not reached.
    DirectoryBefore,
    /// Randomness.
    Entropy,
    /// The counter of requests by address.
    Limiter,
    /// The keyring and its copy.
    Keyrings,
    /// Mail is not taken.
    Mailer,
    /// A principal does its work, and its answer is lost.
    PrincipalsAfter,
    /// A principal is not reached.
    PrincipalsBefore,
    /// The signing key does not open.
    Signer,
    /// Signatures cannot be checked.
    Verifier,
    /// Other people's servers do not answer.
    Web,
}

impl Broken {
    pub(crate) const ALL: [Self; 12] = [
        Self::Kv,
        Self::DirectoryAfter,
        Self::DirectoryBefore,
        Self::Limiter,
        Self::Entropy,
        Self::Keyrings,
        Self::Mailer,
        Self::PrincipalsAfter,
        Self::PrincipalsBefore,
        Self::Signer,
        Self::Verifier,
        Self::Web,
    ];
}

/// The text that every fault carries; no answer may show it.
pub(crate) const FAULT_TEXT: &str = "injected-fault-detail";

/// What guards registration by clients themselves in these tests.
pub(crate) const INITIAL: &str = "an-initial-access-token-of-these-tests";

/// What a server of somebody else's answers.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) cache_control: Option<&'static str>,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self { status: 200, cache_control: None, body: body.into() }
    }
}

/// What a server of somebody else's was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) url: String,
    pub(crate) authorization: Option<String>,
    pub(crate) form: Option<String>,
}

pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) log: RefCell<Vec<String>>,
    pub(crate) broken: Cell<Option<Broken>>,
    /// How long keys were waited for, the last time.
    pub(crate) waited_for_keys: Cell<Lifetime>,
    /// What the deployment lacks.
    pub(crate) lacks: Cell<Option<&'static str>>,
    /// A binding that it lacks.
    pub(crate) unbound: Cell<Option<&'static str>>,
    /// The deployment's first secret.
    pub(crate) bootstrap: Cell<&'static str>,
    /// The document that the deployment has.
    pub(crate) deployed: RefCell<String>,
    /// What was put in its place, and this edge has taken up.
    pub(crate) taken_up: RefCell<Option<Configured>>,
    /// How often a principal, and a keyring, was asked.
    pub(crate) asked_principals: Cell<usize>,
    pub(crate) asked_authority: Cell<usize>,
    /// How often KV was read.
    pub(crate) read_kv: Cell<usize>,
    /// Whether the authority takes for ever.
    pub(crate) hangs: Cell<bool>,
    /// How long other people's servers take for an answer.
    pub(crate) slowness: Cell<Lifetime>,
    /// How often a signature was checked.
    pub(crate) verified: Cell<usize>,
    /// How often a counter of a route was asked, by its source.
    pub(crate) counted: RefCell<BTreeMap<String, usize>>,
    /// The realms' keys.
    pub(crate) keyrings: FakeKeyrings,
    /// What other people's servers answer, by address; where nothing is said, 404.
    pub(crate) web: RefCell<BTreeMap<String, Page>>,
    /// Every question to them.
    pub(crate) asked_web: RefCell<Vec<Asked>>,
    /// Every mail: to whom, its subject, its text.
    pub(crate) mails: RefCell<Vec<[String; 3]>>,
    /// The cache of one place.
    pub(crate) shared: RefCell<BTreeMap<String, String>>,
    now: Cell<Timestamp>,
    kv: RefCell<BTreeMap<String, String>>,
    principals: RefCell<BTreeMap<Locator, Memory>>,
    directories: RefCell<BTreeMap<RealmName, Shelves>>,
    drawn: Cell<u64>,
}

impl World {
    pub(crate) fn new(config: &str) -> Self {
        Self {
            config: Config::parse(config).unwrap(),
            deployed: RefCell::new(config.to_owned()),
            taken_up: RefCell::default(),
            log: RefCell::default(),
            broken: Cell::new(None),
            waited_for_keys: Cell::default(),
            lacks: Cell::new(None),
            unbound: Cell::new(None),
            bootstrap: Cell::new(BOOTSTRAP),
            asked_principals: Cell::new(0),
            asked_authority: Cell::new(0),
            read_kv: Cell::new(0),
            hangs: Cell::new(false),
            slowness: Cell::default(),
            verified: Cell::new(0),
            counted: RefCell::default(),
            keyrings: FakeKeyrings::default(),
            web: RefCell::default(),
            asked_web: RefCell::default(),
            mails: RefCell::default(),
            shared: RefCell::default(),
            now: Cell::new(Timestamp::from_seconds(1_800_000_000)),
            kv: RefCell::default(),
            principals: RefCell::default(),
            directories: RefCell::default(),
            drawn: Cell::new(0),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now.get()
    }

    pub(crate) fn pass(&self, span: Lifetime) {
        self.now.set(self.now.get().after(span));
    }

    pub(crate) fn edge(&self) -> Edge<'_> {
        Edge { world: self, isolate: Isolate::new(), opened: Opened::default() }
    }

    pub(super) fn check(&self, broken: Broken) -> Result<(), Fault> {
        if self.broken.get() == Some(broken) { Err(Fault::new("fake", FAULT_TEXT)) } else { Ok(()) }
    }

    /// Each realm has a first key of its own, made from its name.
    pub(crate) fn signing_key(realm: &RealmName) -> SigningKey {
        SigningKey::from_slice(Digest::of(realm.as_str().as_bytes()).bytes()).unwrap()
    }

    pub(crate) fn public_key(key: &SigningKey) -> Jwk {
        let point = key.verifying_key().to_sec1_point(false);
        let bytes = point.as_bytes();
        Jwk::p256(None, &base64url(&bytes[1..33]), &base64url(&bytes[33..]))
            .and_then(Jwk::identified)
            .unwrap()
    }
}

/// One isolate somewhere: the shared world, and what it remembers itself.
pub(crate) struct Edge<'w> {
    pub(crate) world: &'w World,
    isolate: Isolate,
    /// The signing keys that it has opened.
    pub(super) opened: Opened,
}

impl Ports for Edge<'_> {
    type Clients = World;
    type Configurations = World;
    type Cutoffs = World;
    type Directory = World;
    type Entropy = World;
    type Journal = World;
    type Keyrings = World;
    type Limiter = World;
    type Mailer = World;
    type Principals = World;
    type SharedCache = World;
    type Signer = Self;
    type Timer = World;
    type Users = World;
    type Vault = World;
    type Verifier = World;
    type Web = World;

    fn waited(&self, since: Timestamp) -> Option<Lifetime> {
        Some(self.world.now().since(since))
    }

    fn waited_for_keys(&self, waited: Lifetime) {
        self.world.waited_for_keys.set(waited);
    }

    fn lacks(&self) -> Option<&'static str> {
        self.world.lacks.get()
    }

    fn is_bound(&self, binding: &str) -> bool {
        self.world.unbound.get() != Some(binding)
    }

    fn clients(&self) -> &World {
        self.world
    }
    fn configurations(&self) -> &World {
        self.world
    }
    fn cutoffs(&self) -> &World {
        self.world
    }
    fn directory(&self) -> &World {
        self.world
    }
    fn entropy(&self) -> &World {
        self.world
    }
    fn isolate(&self) -> &Isolate {
        &self.isolate
    }
    fn journal(&self) -> &World {
        self.world
    }
    fn keyrings(&self) -> &World {
        self.world
    }
    fn limiter(&self) -> &World {
        self.world
    }
    fn mailer(&self) -> &World {
        self.world
    }
    fn principals(&self) -> &World {
        self.world
    }
    fn shared_cache(&self) -> &World {
        self.world
    }
    fn signer(&self) -> &Self {
        self
    }
    fn timer(&self) -> &World {
        self.world
    }
    fn users(&self) -> &World {
        self.world
    }
    fn vault(&self) -> &World {
        self.world
    }
    fn verifier(&self) -> &World {
        self.world
    }
    fn web(&self) -> &World {
        self.world
    }
}

impl World {
    fn read<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Fault> {
        self.check(Broken::Kv)?;
        self.read_kv.set(self.read_kv.get() + 1);
        Ok(self.kv.borrow().get(key).map(|text| serde_json::from_str(text).unwrap()))
    }

    fn write(&self, key: String, value: &impl serde::Serialize) -> Result<(), Fault> {
        self.check(Broken::Kv)?;
        self.kv.borrow_mut().insert(key, serde_json::to_string(value).unwrap());
        Ok(())
    }

    /// What an object does after its step, and its alarm: copies to KV, entries and events to the directory. What fails is done again.
    fn tell_others(&self, rows: &Memory, locator: Locator) -> Result<(), Fault> {
        if let Some(what) = unpublished(rows)? {
            self.write(cutoff_key(&what.realm, locator), &what.cutoffs)?;
            published(rows, &what, self.now())?;
        }
        let Some(news) = unsent(rows, locator)? else { return Ok(()) };
        for (key, text) in &news.copies {
            self.check(Broken::Kv)?;
            match text {
                Some(text) => self.kv.borrow_mut().insert(key.clone(), text.clone()),
                None => self.kv.borrow_mut().remove(key),
            };
        }
        let keep = self.config.realm(news.realm.as_str()).map_or(Lifetime::ZERO, |realm| realm.audit_kept);
        self.ask_directory(&news.realm, &directory::Question::Tell(news.rows(locator, keep)?))?;
        sent(rows, &news)
    }

    fn ask_directory(
        &self,
        realm: &RealmName,
        question: &directory::Question,
    ) -> Result<directory::Answer, Fault> {
        self.check(Broken::DirectoryBefore)?;
        let mut directories = self.directories.borrow_mut();
        let answer = directory::step(directories.entry(realm.clone()).or_default(), question, self.now())?;
        self.check(Broken::DirectoryAfter)?;
        Ok(answer)
    }

    /// What every principal's alarm does about what others do not know yet.
    pub(crate) fn tell_all(&self) {
        for (locator, rows) in &*self.principals.borrow() {
            self.tell_others(rows, *locator).unwrap();
        }
    }

    /// A token of a realm's operator, whatever is broken; `None`: there is no such realm.
    pub(crate) fn operators_token(&self, realm: &str) -> Option<String> {
        let realm = self.config.realm(realm)?;
        Some(self.token_of_hand(realm, &operator(realm)))
    }

    /// A token that acts for the person who signs in so, of a client of theirs.
    pub(crate) fn token_for(&self, realm: &str, login: &str, scope: &str) -> String {
        let realm = self.config.realm(realm).unwrap();
        let locator = self.place_of(&realm.name, &login.parse().unwrap()).unwrap();
        let client_id = format!("hand-{}", &locator.to_hex()[..8]);
        self.token_of_hand(realm, &Hand { locator, client_id: &client_id, scope })
    }

    fn token_of_hand(&self, realm: &Realm, hand: &Hand<'_>) -> String {
        let key = self.signing_key_of(&realm.ring);
        let mut principals = self.principals.borrow_mut();
        let rows = principals.entry(hand.locator).or_default();
        let signer = (key.algorithm(), key.id());
        let input = token_input((rows, hand), (&self.config, realm), signer, self.now());
        self.sign_with(&realm.ring.to_string(), key.id(), &input)
    }

    /// Every text that any store holds.
    pub(crate) fn stored(&self) -> Vec<String> {
        let principals = self.principals.borrow();
        let directories = self.directories.borrow();
        let rows = principals.values().flat_map(Memory::texts);
        let rows = rows.chain(directories.values().flat_map(Shelves::texts));
        rows.chain(self.kv.borrow().iter().map(|(key, text)| format!("{key} {text}"))).collect()
    }

    /// Says that every principal has so many more rows.
    pub(crate) fn crowd(&self, more: usize) {
        self.principals.borrow().values().for_each(|principal| principal.crowd(more));
    }

    /// What every principal's alarm does about notices that are due.
    pub(crate) fn tell(&self) {
        let edge = self.edge();
        let locators: Vec<Locator> = self.principals.borrow().keys().copied().collect();
        for locator in locators {
            let due = notices(&self.principals.borrow()[&locator], self.now()).unwrap().0;
            for notice in due {
                let sent = send_logout_token(&self.config, &edge, (locator, &notice), self.now());
                let told = super::run(sent).unwrap_or(Told::Failed);
                noticed(&self.principals.borrow()[&locator], &notice, told, self.now()).unwrap();
            }
        }
    }

    /// What every principal's alarm does.
    pub(crate) fn clear(&self) {
        for principal in self.principals.borrow().values() {
            principal.clear(self.now());
        }
        for directory in self.directories.borrow().values() {
            directory.clear(self.now());
        }
    }
}

impl Clients for World {
    async fn find(&self, realm: &RealmName, client: &ClientId) -> Result<Option<Client>, Fault> {
        self.read(&client_key(realm, client))
    }
}

impl Configurations for World {
    fn counts(&self) -> Result<Counting, Fault> {
        let digest = Digest::of(self.deployed.borrow().as_bytes());
        Ok(Counting { number: self.taken_up.borrow().as_ref().map_or(0, |put| put.number), digest })
    }

    fn deployed(&self) -> Result<String, Fault> {
        Ok(self.deployed.borrow().clone())
    }

    fn take_up(&self, configured: &Configured) {
        self.taken_up.replace(Some(configured.clone()));
    }
}

impl Cutoffs for World {
    async fn find(&self, realm: &RealmName, locator: Locator) -> Result<Dead, Fault> {
        Ok(self.read(&cutoff_key(realm, locator))?.unwrap_or_default())
    }
}

impl Users for World {
    async fn find(&self, realm: &RealmName, user: &UserId) -> Result<Option<UserPlace>, Fault> {
        self.read(&user_key(realm, user))
    }
}

impl Limiter for World {
    async fn admits(&self, limit: Limit<'_>, source: &str) -> Result<bool, Fault> {
        self.check(Broken::Limiter)?;
        if let Limit::Route(binding) = limit {
            let mut counted = self.counted.borrow_mut();
            let count = counted.entry(format!("{binding} {source}")).or_default();
            *count += 1;
            return Ok(*count <= 2);
        }
        Ok(source != "192.0.2.66")
    }
}

impl Directory for World {
    async fn ask(
        &self,
        realm: &RealmName,
        question: &directory::Question,
    ) -> Result<directory::Answer, Fault> {
        self.ask_directory(realm, question)
    }
}

impl Entropy for World {
    /// Never the same twice, and the same in every run.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
        self.check(Broken::Entropy)?;
        for chunk in buffer.chunks_mut(32) {
            self.drawn.set(self.drawn.get() + 1);
            let random = Digest::of(&self.drawn.get().to_be_bytes());
            chunk.copy_from_slice(&random.bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl Journal for World {
    fn record(&self, entry: &Entry<'_>) {
        self.log.borrow_mut().push(serde_json::to_string(entry).unwrap());
    }
}

impl Principals for World {
    fn create(&self) -> Result<Locator, Fault> {
        self.check(Broken::PrincipalsBefore)?;
        let locator = Locator::from(tollgate::port::random(self)?);
        self.principals.borrow_mut().insert(locator, Memory::default());
        Ok(locator)
    }

    fn place_of(&self, realm: &RealmName, login: &Login) -> Result<Locator, Fault> {
        self.check(Broken::PrincipalsBefore)?;
        let locator = Locator::from(*Digest::of(user_name(realm, login).as_bytes()).bytes());
        self.principals.borrow_mut().entry(locator).or_default();
        Ok(locator)
    }

    fn place_of_key(&self, key: &Digest) -> Result<Locator, Fault> {
        self.check(Broken::PrincipalsBefore)?;
        let locator = Locator::from(*Digest::of(proofs_name(key).as_bytes()).bytes());
        self.principals.borrow_mut().entry(locator).or_default();
        Ok(locator)
    }

    fn place_of_client(&self, realm: &RealmName, client: &ClientId) -> Result<Locator, Fault> {
        self.check(Broken::PrincipalsBefore)?;
        let locator = Locator::from(*Digest::of(client_name(realm, client).as_bytes()).bytes());
        self.principals.borrow_mut().entry(locator).or_default();
        Ok(locator)
    }

    fn place_of_configuration(&self, realm: &RealmName) -> Result<Locator, Fault> {
        self.check(Broken::PrincipalsBefore)?;
        let locator = Locator::from(*Digest::of(config_name(realm).as_bytes()).bytes());
        self.principals.borrow_mut().entry(locator).or_default();
        Ok(locator)
    }

    fn place_of_federated(&self, realm: &RealmName, who: &Federated) -> Result<Locator, Fault> {
        self.check(Broken::PrincipalsBefore)?;
        let locator = Locator::from(*Digest::of(federated_name(realm, who).as_bytes()).bytes());
        self.principals.borrow_mut().entry(locator).or_default();
        Ok(locator)
    }

    async fn ask(&self, locator: Locator, question: &Question) -> Result<Answer, Fault> {
        self.asked_principals.set(self.asked_principals.get() + 1);
        self.check(Broken::PrincipalsBefore)?;
        let mut question = question.clone();
        let what = match self.principals.borrow().get(&locator) {
            Some(rows) => unverified(rows, &question)?,
            None => return Ok(Answer::Refused(Refused::NotFound)),
        };
        if let Some(what) = what
            && self.verify(&what.key, what.algorithm, &what.input, &what.signature).await?
        {
            question.confirm(&what);
        }
        let principals = self.principals.borrow();
        let Some(rows) = principals.get(&locator) else {
            return Ok(Answer::Refused(Refused::NotFound));
        };
        let (answer, _) = step(rows, self.config.scopes(), &question, self.now())?;
        // What fails now the alarm does.
        let _ = self.tell_others(rows, locator);
        self.check(Broken::PrincipalsAfter)?;
        Ok(answer)
    }
}

impl Verifier for World {
    async fn verify(
        &self,
        key: &Jwk,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<bool, Fault> {
        self.check(Broken::Verifier)?;
        self.verified.set(self.verified.get() + 1);
        SoftwareVerifier.verify(key, algorithm, input, signature).await
    }
}

impl SharedCache for World {
    async fn read(&self, name: &str) -> Option<String> {
        self.shared.borrow().get(name).cloned()
    }

    async fn write(&self, name: &str, text: &str, _keep_for: Lifetime) {
        self.shared.borrow_mut().insert(name.to_owned(), text.to_owned());
    }
}

impl Timer for World {
    async fn now(&self) -> Timestamp {
        self.now.get()
    }

    async fn pause(&self, span: Lifetime) {
        self.pass(span);
    }
}

impl Vault for World {
    fn secret(&self, name: &str) -> Option<Secret> {
        let text = match name {
            "INTROSPECTION_SECRET" => "s3cret/+",
            "CORP_SECRET" | "GITHUB_SECRET" => "pr0vider/+",
            "TOLLGATE_INITIAL_ACCESS_TOKEN" => INITIAL,
            "TOLLGATE_KEK" => "a-key-encryption-key-of-these-tests",
            _ => return None,
        };
        Some(Secret::new(text.as_bytes().to_vec()))
    }
}

impl Mailer for World {
    fn send(&self, _: &MailBy, letter: &Letter<'_>) -> Result<(), Fault> {
        self.check(Broken::Mailer)?;
        let mail = [letter.to.as_str().to_owned(), letter.subject.to_owned(), letter.text.to_owned()];
        self.mails.borrow_mut().push(mail);
        Ok(())
    }
}

impl Web for World {
    async fn ask(&self, request: &WebRequest<'_>) -> Result<WebReply, Fault> {
        self.asked_web.borrow_mut().push(Asked {
            url: request.url.to_string(),
            authorization: request.authorization.clone(),
            form: request.form.clone(),
        });
        if self.hangs.get() {
            std::future::pending::<()>().await;
        }
        self.pass(self.slowness.get());
        self.check(Broken::Web)?;
        let page = self.web.borrow().get(request.url.as_str()).cloned();
        let page = page.unwrap_or(Page { status: 404, cache_control: None, body: String::new() });
        Ok(WebReply {
            status: page.status,
            cache_control: page.cache_control.map(str::to_owned),
            age: None,
            body: page.body.into_bytes(),
        })
    }
}
