//! A person's way to an outside provider and back, within one [`Transaction`].
//!
//! Nothing is stored for it. The browser keeps the sealed transaction and a salt in a cookie, and everything that must be secret or unguessable
//! follows from them, the deployment's secret, the provider and what the browser has in the transaction's own cookie: `state` (RFC 6749
//! section 10.12), `nonce` (OpenID Connect Core section 3.1.2.1) and `code_verifier` (RFC 7636). So an answer counts in the browser that left, for
//! the transaction that it left from, and from the provider that it left for (RFC 9700 section 4.4), and for nothing else.
//!
//! A cookie and not `state` carries the transaction: `state` would show the provider what the application asked for.

use crate::encoding::{Digest, base64url, from_base64url};
use crate::grant::Transaction;
use crate::id::{ProviderId, RealmName};
use crate::pkce::Verifier;
use crate::secret::Secret;

/// The longest that a browser keeps for it: a cookie has 4,096 bytes (RFC 6265bis section 5.6), of which name and attributes need 200.
const MAX_CHARS: usize = 3_800;

/// One way to a provider and back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trip {
    salt: String,
    sealed: String,
}

/// What a trip is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// The deployment's secret.
    pub key: &'a Secret,
    /// The realm that the person left from.
    pub realm: &'a RealmName,
    /// The provider that they left for.
    pub provider: &'a ProviderId,
    /// What the browser has in the transaction's cookie.
    pub bond: &'a str,
}

impl Trip {
    /// A new one, from a page with this sealed transaction. `None`: a browser would not keep it.
    #[must_use]
    pub fn begin(random: &[u8; 16], sealed: &str) -> Option<Self> {
        let trip = Self { salt: base64url(random), sealed: sealed.to_owned() };
        (trip.cookie().len() <= MAX_CHARS).then_some(trip)
    }

    /// What the browser keeps.
    #[must_use]
    pub fn cookie(&self) -> String {
        format!("{}.{}", self.salt, self.sealed)
    }

    /// What the browser has kept. Nothing of it is proved.
    #[must_use]
    pub fn kept(text: &str) -> Option<Self> {
        let (salt, sealed) = text.split_once('.')?;
        let is_salt = from_base64url(salt).is_ok_and(|bytes| bytes.len() == 16);
        is_salt.then(|| Self { salt: salt.to_owned(), sealed: sealed.to_owned() })
    }

    /// The transaction, as the page carried it.
    #[must_use]
    pub fn sealed(&self) -> &str {
        &self.sealed
    }

    /// `state`: the transaction's name, which says where the browser keeps the trip, and what nobody else can know. `None`: the trip is of no
    /// transaction.
    #[must_use]
    pub fn state(&self, bounds: Bounds<'_>) -> Option<String> {
        Some(format!("{}.{}", Transaction::id_in(&self.sealed)?, base64url(&self.derive("state", bounds))))
    }

    /// Whether the provider has answered this trip.
    #[must_use]
    pub fn is_answered_by(&self, state: &str, bounds: Bounds<'_>) -> bool {
        // Digests compare in constant time.
        self.state(bounds).is_some_and(|own| Digest::of(own.as_bytes()) == Digest::of(state.as_bytes()))
    }

    /// The name of the transaction that a `state` is about, before anything is known to be true of it.
    #[must_use]
    pub fn transaction_of(state: &str) -> Option<&str> {
        state.split_once('.').map(|(id, _)| id).filter(|id| Transaction::is_id(id))
    }

    /// `nonce`.
    #[must_use]
    pub fn nonce(&self, bounds: Bounds<'_>) -> String {
        base64url(&self.derive("nonce", bounds))
    }

    /// `code_verifier`.
    #[must_use]
    pub fn verifier(&self, bounds: Bounds<'_>) -> Verifier {
        Verifier::from_random(&self.derive("code_verifier", bounds))
    }

    fn derive(&self, what: &str, bounds: Bounds<'_>) -> [u8; 32] {
        let Bounds { key, realm, provider, bond } = bounds;
        // None of the parts before the last has a colon.
        let message = format!("tollgate federation 1:{what}:{realm}:{provider}:{}:{bond}", self.salt);
        hmac_sha256::HMAC::mac(message, key.reveal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn attack_67_an_answer_is_for_one_browser_transaction_provider_realm_and_deployment() {
        let (key, other) = (Secret::new(b"key".to_vec()), Secret::new(b"other".to_vec()));
        let (realm, corp): (RealmName, ProviderId) = ("test".parse().unwrap(), "corp".parse().unwrap());
        let bounds = Bounds { key: &key, realm: &realm, provider: &corp, bond: "browser" };
        let sealed = |n: u8| {
            let transaction = Transaction::begin(&[n; 10], None, Timestamp::from_seconds(100));
            transaction.seal(&key, &realm, "browser").unwrap()
        };
        let trip = Trip::begin(&[1; 16], &sealed(1)).unwrap();
        let state = trip.state(bounds).unwrap();
        assert_eq!(Trip::kept(&trip.cookie()), Some(trip.clone()));
        assert_eq!(Trip::transaction_of(&state), Transaction::id_in(trip.sealed()).as_deref());
        assert!(trip.is_answered_by(&state, bounds));
        let (another, foreign) = ("other".parse().unwrap(), "tes".parse().unwrap());
        for (what, bounds) in [
            ("secret", Bounds { key: &other, ..bounds }),
            ("realm", Bounds { realm: &foreign, ..bounds }),
            ("provider", Bounds { provider: &another, ..bounds }),
            ("browser", Bounds { bond: "rowser", ..bounds }),
        ] {
            assert!(!trip.is_answered_by(&state, bounds), "{what}");
            assert_ne!(
                trip.nonce(bounds),
                trip.nonce(Bounds { key: &key, realm: &realm, provider: &corp, bond: "browser" })
            );
        }
        for (what, other) in [
            ("another trip", Trip::begin(&[2; 16], &sealed(1)).unwrap()),
            ("another transaction", Trip::begin(&[1; 16], &sealed(2)).unwrap()),
        ] {
            assert!(!other.is_answered_by(&state, bounds), "{what}");
        }
        let (nonce, verifier) = (trip.nonce(bounds), trip.verifier(bounds));
        assert!(nonce != verifier.reveal() && !state.contains(&nonce) && !state.contains(verifier.reveal()));
    }

    #[test]
    fn what_no_browser_keeps_is_none() {
        assert_eq!(Trip::begin(&[1; 16], &"x".repeat(MAX_CHARS)), None);
        for text in ["", ".", "x.y", "AAAA.y", "AAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(Trip::kept(text), None, "{text}");
        }
        for state in ["", ".", "x.y", "AAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(Trip::transaction_of(state), None, "{state}");
        }
    }
}
