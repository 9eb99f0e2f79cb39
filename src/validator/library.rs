//! The validator on its own: for another Rust worker, or natively.

use std::sync::Arc;

use crate::config::{Config, KeySource, TrustedIssuer};
use crate::error::{Error, Fault};
use crate::port::{Entropy, Entry, Journal, Never, Ports, Verifier};
use crate::time::Timestamp;
use crate::token::{Holder, JwkSet, Trust};
use crate::uri::Issuer;
use crate::validator::{AccessToken, Isolate, Presented};

/// Validates JWT access tokens of the issuers that it was told of.
///
/// **Checks**, cheap first: size (16 KiB), shape, canonical base64url, one strict JSON object each for header and
/// claims; no `crit` and no `b64`; `iss` is one of the issuers, byte for byte; `typ` and `alg` are among those of the
/// issuer (RFC 8725 sections 3.1, 3.11; by default `at+jwt`, RFC 9068 section 4); the types of all claims (a wrong type is
/// an error, never "absent"); `aud` names us; `exp`, which must be there, `nbf` and `iat` within the issuer's leeway; the
/// lifetime and further claims where the terms ask for them; that an `at+jwt` has the claims of RFC 9068 section 2.2;
/// and the signature, with the key that the issuer has and `kid` names.
///
/// **Does not check** scopes or roles (ask the [`AccessToken`]), whether the token was revoked or its session ended, nor
/// whether `jti` was seen before. A token that is bound to a key (`cnf`) is refused: a proof cannot be given here.
///
/// **Does not fetch** keys: hand them in with [`Self::trust`], again whenever they change. A key that is gone verifies
/// nothing from then on, not even a token that was verified before.
///
/// Signatures are checked by a [`Verifier`]: `tollgate::software::SoftwareVerifier` (feature `jwt`), or
/// `tollgate::webcrypto::WebCryptoVerifier` (feature `webcrypto`) where there is `crypto.subtle`. The first never waits,
/// so outside of an executor [`crate::port::poll_once`] is enough.
///
/// ```
/// use tollgate::port::poll_once;
/// use tollgate::software::SoftwareVerifier;
/// use tollgate::time::Timestamp;
/// use tollgate::token::{Algorithm, JwkSet, Trust};
/// use tollgate::Validator;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let vectors: serde_json::Value = serde_json::from_str(include_str!("../../tests/vectors/algorithms.json"))?;
/// # let vector = vectors.as_array().unwrap().iter().find(|vector| vector["alg"] == "ES256").unwrap();
/// # let published = serde_json::json!({ "keys": [vector["key"]] }).to_string().into_bytes();
/// # let token = vector["token"].as_str().unwrap();
/// // What the issuer publishes; keys that are weak or for something else are left out, each with its reason.
/// let (keys, left_out) = JwkSet::parse(&published)?;
/// assert!(left_out.is_empty());
///
/// let mut validator = Validator::new(SoftwareVerifier);
/// validator.trust(
///     Trust::new(
///         "https://vectors.example/ES256".parse()?,
///         vec!["https://vectors.example".to_owned()],
///         vec![Algorithm::Es256],
///     ),
///     keys,
/// );
/// let now = Timestamp::from_seconds(1_800_000_000);
/// let token = poll_once(validator.validate(token, now)).expect("software does not wait").expect("it is valid");
/// assert_eq!(token.subject(), "vectors");
/// assert!(token.grants("vectors:read"));
/// # Ok(())
/// # }
/// ```
///
/// `examples/validate.rs` is a whole program.
#[derive(Debug)]
pub struct Validator<V> {
    verifier: V,
    config: Config,
    isolate: Isolate,
}

impl<V: Verifier> Validator<V> {
    /// Trusts nobody yet, and remembers nothing.
    #[must_use]
    pub fn new(verifier: V) -> Self {
        Self { verifier, config: Config::of_issuers(Vec::new()), isolate: Isolate::new() }
    }

    /// Remembers tokens whose signature was verified: the same bytes again cost no second check, and everything else
    /// is checked again. At most 10,000 tokens or 8 MB of them. `seed` must be random: whoever knows it can make tokens
    /// collide, which costs time, never a wrong answer.
    #[must_use]
    pub fn remembering(self, seed: &[u8; 16]) -> Self {
        self.isolate.facts.borrow_mut().set_key(seed);
        self
    }

    /// Trusts an issuer on these terms, with these keys; in place of what was said of this issuer before.
    pub fn trust(&mut self, trust: Trust, keys: JwkSet) {
        let mut issuers = self.config.issuers().to_vec();
        issuers.retain(|known| known.trust.issuer != trust.issuer);
        let keys = KeySource::Inline(keys);
        issuers.push(Arc::new(TrustedIssuer { trust, keys, introspection: None, revocation: None }));
        self.config = Config::of_issuers(issuers);
    }

    /// Trusts an issuer no more.
    pub fn distrust(&mut self, issuer: &Issuer) {
        let mut issuers = self.config.issuers().to_vec();
        issuers.retain(|known| known.trust.issuer != *issuer);
        self.config = Config::of_issuers(issuers);
    }

    /// Validates a token at `now`.
    ///
    /// # Errors
    /// [`Error::Denied`] with the first check that fails; [`Error::Fault`] when the platform cannot check signatures.
    pub async fn validate(&self, token: &str, now: Timestamp) -> Result<AccessToken, Error> {
        let ports = Alone { isolate: &self.isolate, verifier: &self.verifier };
        let issuers: Vec<Issuer> =
            self.config.issuers().iter().map(|known| known.trust.issuer.clone()).collect();
        let presented = Presented::of(token, &ports).await?;
        Ok(presented.verify(&self.config, &ports, &issuers, Holder::Bearer, now).await?.into_token())
    }
}

/// The ports of whoever has a verifier and nothing else.
struct Alone<'v, V> {
    isolate: &'v Isolate,
    verifier: &'v V,
}

impl<V: Verifier> Ports for Alone<'_, V> {
    type Clients = Never;
    type Configurations = Never;
    type Cutoffs = Never;
    type Directory = Never;
    type Entropy = Nothing;
    type Journal = Nothing;
    type Keyrings = Never;
    type Limiter = Never;
    type Mailer = Never;
    type Principals = Never;
    type SharedCache = Never;
    type Signer = Never;
    type Timer = Never;
    type Users = Never;
    type Vault = Never;
    type Verifier = V;
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
    fn entropy(&self) -> &Nothing {
        &Nothing
    }
    fn isolate(&self) -> &Isolate {
        self.isolate
    }
    fn journal(&self) -> &Nothing {
        &Nothing
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
    fn verifier(&self) -> &V {
        self.verifier
    }
    fn web(&self) -> &Never {
        &Never
    }
}

/// No randomness, and no log.
struct Nothing;

impl Entropy for Nothing {
    fn fill(&self, _: &mut [u8]) -> Result<(), Fault> {
        Err(Fault::new("draw randomness", "none was handed in"))
    }
}

impl Journal for Nothing {
    fn record(&self, _: &Entry<'_>) {}
}
