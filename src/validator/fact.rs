//! Tokens whose signature this isolate has checked: a *fact* about bytes, never a decision.
//!
//! It says: exactly these bytes carried a valid signature by exactly this key, with this algorithm, and read by the
//! terms of this issuer they say this. Everything else, `typ`, audience, time, route, scopes, session, and whether
//! the key is still in the issuer's set, is checked on every hit by the same code that checks a new token.

use std::rc::Rc;
use std::sync::Arc;

use crate::config::TrustedIssuer;
use crate::id::SessionId;
use crate::token::{Algorithm, Claims, Header, Jwk};
use crate::validator::by_token::{ByToken, Limits, Weigh};

/// Two generations of these hold the tokens that are in use; a token that is not used twice while 5,000 others are
/// seen, or 8 MB of them, costs a signature check again. `tests/e2e/memory.test.mjs` holds what comes of it below 32 MiB.
const LIMITS: Limits = Limits { entries: 5_000, bytes: 8_000_000 };

/// What was checked, and by whom.
#[derive(Debug)]
pub(crate) struct Fact {
    /// The header, as read.
    pub(crate) header: Header,
    /// The claims, as read by the issuer's terms.
    pub(crate) claims: Rc<Claims>,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: Arc<Jwk>,
    /// The issuer's entry of the configuration, as it was then.
    pub(crate) issuer: Arc<TrustedIssuer>,
    /// The session that it names, where it is of one of our realms.
    pub(crate) session: Option<SessionId>,
}

impl Fact {
    /// Whether it is about this key and algorithm.
    pub(crate) fn is_by(&self, key: &Arc<Jwk>, algorithm: Algorithm) -> bool {
        self.algorithm == algorithm && (Arc::ptr_eq(&self.key, key) || self.key == *key)
    }
}

impl Weigh for Fact {
    fn weight(&self) -> usize {
        let names = self.header.key.as_ref().map_or(0, |key| key.as_str().len());
        let typ = self.header.typ.as_ref().map_or(0, String::len);
        size_of::<Self>().saturating_add(names).saturating_add(typ).saturating_add(self.claims.weight())
    }
}

/// The facts of one isolate.
pub(crate) type Facts = ByToken<Fact>;

impl Facts {
    /// None yet.
    pub(crate) const fn none() -> Self {
        // The end is where the signature is, and no two tokens that were verified have the same.
        Self::new(LIMITS, 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KeySource;
    use crate::token::{JwkSet, Trust};

    #[test]
    fn a_fact_is_about_one_key_and_one_algorithm() {
        let key = |x: &str, y: &str| Arc::new(Jwk::p256(None, x, y).unwrap());
        // RFC 7515 appendix A.3, RFC 7517 appendix A.1.
        let (ours, other) = (
            key("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
            key("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"),
        );
        let issuer = TrustedIssuer {
            trust: Trust::new("https://issuer.example".parse().unwrap(), vec![], vec![]),
            keys: KeySource::Inline(JwkSet::default()),
            introspection: None,
            revocation: None,
        };
        let fact = Fact {
            header: Header { algorithm: Some(Algorithm::Es256), key: None, typ: None },
            claims: Rc::new(Claims::parse(br#"{"iss":"i","sub":"s"}"#).unwrap()),
            algorithm: Algorithm::Es256,
            key: Arc::clone(&ours),
            issuer: Arc::new(issuer),
            session: None,
        };
        assert!(fact.is_by(&ours, Algorithm::Es256));
        assert!(
            fact.is_by(&Arc::new((*ours).clone()), Algorithm::Es256),
            "the set was fetched again, unchanged"
        );
        assert!(!fact.is_by(&other, Algorithm::Es256));
        assert!(!fact.is_by(&ours, Algorithm::Es384));
    }
}
