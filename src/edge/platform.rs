//! The platform's clock and randomness, and the ports that one request works with.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use worker::{Env, js_sys};

use crate::edge::configured::GlobalConfigurations;
use crate::edge::directories::ObjectDirectories;
use crate::edge::journal::ConsoleJournal;
use crate::edge::keyrings::{KeyringSigner, ObjectKeyrings};
use crate::edge::limiter::PlatformLimiter;
use crate::edge::mailer::PlatformMailer;
use crate::edge::principals::ObjectPrincipals;
use crate::edge::seal::has_kek;
use crate::edge::store::KvCopies;
use crate::edge::web::{EnvVault, PlatformCache, PlatformTimer, PlatformWeb};
use crate::error::Fault;
use crate::port::{Entropy, Ports};
use crate::time::{Lifetime, Timestamp};
use crate::validator::Isolate;
use crate::webcrypto::{WebCryptoVerifier, crypto, fault};

/// Names of the bindings in `wrangler.toml`; a test compares them.
pub(super) const KV: &str = "TOLLGATE_KV";
pub(super) const PRINCIPAL: &str = "PRINCIPAL";
pub(super) const KEYRING: &str = "KEYRING";
pub(super) const DIRECTORY: &str = "DIRECTORY";
/// How often one address may ask for tokens; a deployment may do without.
pub(super) const TOKEN_LIMIT: &str = "TOKEN_LIMIT";
/// How often one address may try passwords; realms with the password grant need it.
pub(super) const PASSWORD_LIMIT: &str = "PASSWORD_LIMIT";
pub(super) const KEK: &str = "TOLLGATE_KEK";

/// The platform's clock. It stands still while code runs: read once per request.
#[expect(clippy::disallowed_methods, reason = "the clock adapter")]
pub(super) fn now() -> Timestamp {
    instant(js_sys::Date::now())
}

/// What `Date.now()` says, as an instant: a whole number of milliseconds of this era.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
pub(super) fn instant(millis: f64) -> Timestamp {
    Timestamp::from_millis(millis as u64)
}

/// What went wrong in the platform's crate, for the log.
pub(super) fn worker_fault(op: &'static str) -> impl Fn(worker::Error) -> Fault {
    move |error| Fault::new(op, error.to_string())
}

/// `crypto.getRandomValues`.
#[derive(Debug)]
pub(super) struct PlatformEntropy;

impl Entropy for PlatformEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
        crypto()?.get_random_values_with_u8_array(buffer).map(drop).map_err(fault("draw randomness"))
    }
}

thread_local! {
    static ISOLATE: RefCell<Rc<Isolate>> = RefCell::new(Rc::new(Isolate::new()));
}

/// Remembers nothing any more. Requests that are under way go on with what they have.
pub(super) fn forget() {
    ISOLATE.replace(Rc::new(Isolate::new()));
}

/// What this isolate remembers.
pub(super) fn isolate() -> Rc<Isolate> {
    ISOLATE.with_borrow(Rc::clone)
}

/// The ports of one request.
pub(super) struct Edge {
    env: Env,
    isolate: Rc<Isolate>,
    copies: KvCopies,
    directories: ObjectDirectories,
    keyrings: ObjectKeyrings,
    keys_waited: Cell<Lifetime>,
    limiter: PlatformLimiter,
    mailer: PlatformMailer,
    principals: ObjectPrincipals,
    signer: KeyringSigner,
    vault: EnvVault,
}

impl Edge {
    pub(super) fn new(env: Env) -> Self {
        Self {
            isolate: isolate(),
            copies: KvCopies::new(env.clone()),
            directories: ObjectDirectories::new(env.clone()),
            keyrings: ObjectKeyrings::new(env.clone()),
            keys_waited: Cell::new(Lifetime::ZERO),
            limiter: PlatformLimiter::new(env.clone()),
            mailer: PlatformMailer::new(env.clone()),
            principals: ObjectPrincipals::new(env.clone()),
            signer: KeyringSigner::new(env.clone()),
            vault: EnvVault::new(env.clone()),
            env,
        }
    }

    pub(super) const fn mail(&self) -> &PlatformMailer {
        &self.mailer
    }

    /// How long keys were waited for.
    pub(super) const fn keys_waited(&self) -> Lifetime {
        self.keys_waited.get()
    }

    pub(super) const fn env(&self) -> &Env {
        &self.env
    }
}

impl Ports for Edge {
    type Clients = KvCopies;
    type Configurations = GlobalConfigurations;
    type Cutoffs = KvCopies;
    type Directory = ObjectDirectories;
    type Entropy = PlatformEntropy;
    type Journal = ConsoleJournal;
    type Keyrings = ObjectKeyrings;
    type Limiter = PlatformLimiter;
    type Mailer = PlatformMailer;
    type Principals = ObjectPrincipals;
    type SharedCache = PlatformCache;
    type Signer = KeyringSigner;
    type Timer = PlatformTimer;
    type Users = KvCopies;
    type Vault = EnvVault;
    type Verifier = WebCryptoVerifier;
    type Web = PlatformWeb;

    fn waited(&self, since: Timestamp) -> Option<Lifetime> {
        Some(now().since(since))
    }

    fn waited_for_keys(&self, waited: Lifetime) {
        self.keys_waited.set(self.keys_waited.get().plus(waited));
    }

    fn lacks(&self) -> Option<&'static str> {
        let objects = [PRINCIPAL, KEYRING, DIRECTORY];
        let object = objects.into_iter().find(|name| self.env.durable_object(name).is_err());
        let object = object.or_else(|| self.env.kv(KV).is_err().then_some(KV));
        object.or_else(|| (!has_kek(&self.env)).then_some(KEK))
    }

    fn is_bound(&self, binding: &str) -> bool {
        js_sys::Reflect::get(&self.env, &binding.into()).is_ok_and(|bound| bound.is_object())
    }

    fn clients(&self) -> &KvCopies {
        &self.copies
    }

    fn configurations(&self) -> &GlobalConfigurations {
        &GlobalConfigurations
    }

    fn cutoffs(&self) -> &KvCopies {
        &self.copies
    }

    fn directory(&self) -> &ObjectDirectories {
        &self.directories
    }

    fn entropy(&self) -> &PlatformEntropy {
        &PlatformEntropy
    }

    fn isolate(&self) -> &Isolate {
        &self.isolate
    }

    fn journal(&self) -> &ConsoleJournal {
        &ConsoleJournal
    }

    fn keyrings(&self) -> &ObjectKeyrings {
        &self.keyrings
    }

    fn limiter(&self) -> &PlatformLimiter {
        &self.limiter
    }

    fn mailer(&self) -> &PlatformMailer {
        &self.mailer
    }

    fn principals(&self) -> &ObjectPrincipals {
        &self.principals
    }

    fn shared_cache(&self) -> &PlatformCache {
        &PlatformCache
    }

    fn signer(&self) -> &KeyringSigner {
        &self.signer
    }

    fn timer(&self) -> &PlatformTimer {
        &PlatformTimer
    }

    fn users(&self) -> &KvCopies {
        &self.copies
    }

    fn vault(&self) -> &EnvVault {
        &self.vault
    }

    fn verifier(&self) -> &WebCryptoVerifier {
        &WebCryptoVerifier
    }

    fn web(&self) -> &PlatformWeb {
        &PlatformWeb
    }
}
