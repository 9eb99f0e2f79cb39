//! Tokens whose signature this isolate has checked: a *fact* about bytes, never a decision.
//!
//! Caches of verified tokens have had one class of bug in project after project: what they were looked up by
//! lacked something that the decision had depended on. So this one answers a single question: *did exactly
//! these bytes carry a valid signature by exactly this key, with this algorithm?* Everything else, issuer,
//! `typ`, audience, time, route, scopes, session, and whether the key is still in the issuer's set, is checked
//! on every hit by the same code that checks a new token.
//!
//! - An entry is found by a keyed hash and counts only if the whole token is the same, byte for byte.
//! - It names the key; a key that has left the set is not found there, and then there is no hit.
//! - Bounded in entries and bytes: two generations, of which the older is dropped when the younger is full.
//!
//! **Out of scope**: opaque tokens, whose facts are somebody else's and do not stay true.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::rc::Rc;

use siphasher::sip::SipHasher13;

use crate::token::{Algorithm, Claims, Header, Jwk};

/// Entries of one generation. Two of them hold the tokens that are in use; a token that is not used twice
/// while 5,000 others are seen costs a signature check again.
const ENTRIES: usize = 5_000;

/// Token bytes of one generation: 4 MB, with what is read from them about three times that; twice over below
/// a fifth of an isolate's 128 MB.
const BYTES: usize = 4_000_000;

/// What was checked, and by whom.
#[derive(Debug)]
pub(crate) struct Fact {
    token: Box<str>,
    /// The header, as read.
    pub(crate) header: Header,
    /// The claims, as read.
    pub(crate) claims: Rc<Claims>,
    algorithm: Algorithm,
    key: Jwk,
}

impl Fact {
    pub(crate) fn new(
        token: &str,
        header: Header,
        claims: Rc<Claims>,
        algorithm: Algorithm,
        key: Jwk,
    ) -> Self {
        Self { token: token.into(), header, claims, algorithm, key }
    }

    /// Whether it is about this key and algorithm.
    pub(crate) fn is_by(&self, key: &Jwk, algorithm: Algorithm) -> bool {
        self.algorithm == algorithm && self.key == *key
    }
}

#[derive(Debug, Default)]
struct Generation {
    facts: BTreeMap<u64, Rc<Fact>>,
    bytes: usize,
}

impl Generation {
    fn add(&mut self, hash: u64, fact: Rc<Fact>) {
        self.bytes = self.bytes.saturating_add(fact.token.len());
        if let Some(old) = self.facts.insert(hash, fact) {
            self.bytes = self.bytes.saturating_sub(old.token.len());
        }
    }

    fn remove(&mut self, hash: u64) {
        if let Some(old) = self.facts.remove(&hash) {
            self.bytes = self.bytes.saturating_sub(old.token.len());
        }
    }

    fn is_full(&self) -> bool {
        self.facts.len() >= ENTRIES || self.bytes >= BYTES
    }
}

/// The facts of one isolate.
#[derive(Debug, Default)]
pub struct TokenCache {
    /// The hash's key: whoever cannot read this memory cannot make tokens collide. `None`: no randomness was had,
    /// and nothing is remembered.
    key: Cell<Option<(u64, u64)>>,
    young: Generation,
    old: Generation,
}

impl TokenCache {
    /// Whether the hash has its key.
    pub(crate) fn is_keyed(&self) -> bool {
        self.key.get().is_some()
    }

    /// Gives the hash its key, once.
    pub(crate) fn set_key(&self, random: &[u8; 16]) {
        let half = |at: usize| {
            random.get(at..).and_then(|rest| rest.first_chunk::<8>()).copied().map_or(0, u64::from_le_bytes)
        };
        self.key.set(Some((half(0), half(8))));
    }

    /// What is known of these very bytes.
    pub(crate) fn get(&mut self, token: &str) -> Option<Rc<Fact>> {
        let hash = self.hash(token)?;
        let same = |fact: &&Rc<Fact>| *fact.token == *token;
        if let Some(fact) = self.young.facts.get(&hash).filter(same) {
            return Some(Rc::clone(fact));
        }
        let fact = self.old.facts.get(&hash).filter(same).map(Rc::clone)?;
        self.old.remove(hash);
        self.keep(hash, Rc::clone(&fact));
        Some(fact)
    }

    /// Remembers a fact.
    pub(crate) fn put(&mut self, fact: Fact) {
        if let Some(hash) = self.hash(&fact.token) {
            self.old.remove(hash);
            self.keep(hash, Rc::new(fact));
        }
    }

    /// Entries and token bytes that are held.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (
            self.young.facts.len().saturating_add(self.old.facts.len()),
            self.young.bytes.saturating_add(self.old.bytes),
        )
    }

    fn keep(&mut self, hash: u64, fact: Rc<Fact>) {
        if self.young.is_full() {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.add(hash, fact);
    }

    fn hash(&self, token: &str) -> Option<u64> {
        let (k0, k1) = self.key.get()?;
        let mut hasher = SipHasher13::new_with_keys(k0, k1);
        hasher.write(token.as_bytes());
        Some(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(x: &str) -> Jwk {
        Jwk::p256(None, x, "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").unwrap()
    }

    fn fact(token: &str) -> Fact {
        let claims = Claims::parse(br#"{"iss":"i","sub":"s"}"#).unwrap();
        let header = Header { algorithm: Some(Algorithm::Es256), key: None, typ: None };
        Fact::new(
            token,
            header,
            Rc::new(claims),
            Algorithm::Es256,
            key("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        )
    }

    fn keyed() -> TokenCache {
        let cache = TokenCache::default();
        cache.set_key(&[7; 16]);
        cache
    }

    #[test]
    fn attack_52_only_the_very_same_bytes_hit() {
        let mut cache = keyed();
        cache.put(fact("aaa.bbb.ccc"));
        assert!(cache.get("aaa.bbb.ccc").is_some());
        for other in ["aaa.bbb.ccd", "aaa.bbb.cc", "aaa.bbb.cccc", "Aaa.bbb.ccc", ""] {
            assert!(cache.get(other).is_none(), "{other}");
        }
    }

    #[test]
    fn attack_52_two_tokens_of_one_hash_are_two_tokens() {
        let mut cache = keyed();
        cache.put(fact("one"));
        let hash = cache.hash("one").unwrap();
        // As if "two" had the same hash: its entry stands where "one" is looked for.
        cache.young.add(hash, Rc::new(fact("two")));
        assert!(cache.get("one").is_none());
    }

    #[test]
    fn a_fact_is_about_one_key_and_one_algorithm() {
        let fact = fact("t");
        assert!(fact.is_by(&key("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), Algorithm::Es256));
        assert!(!fact.is_by(&key("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEA"), Algorithm::Es256));
        assert!(!fact.is_by(&key("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), Algorithm::Es384));
    }

    #[test]
    fn without_randomness_nothing_is_remembered() {
        let mut cache = TokenCache::default();
        cache.put(fact("t"));
        assert!(cache.get("t").is_none());
        assert_eq!(cache.size(), (0, 0));
    }

    #[test]
    fn any_number_of_tokens_stays_within_the_bound_and_what_is_used_stays() {
        let mut cache = keyed();
        cache.put(fact("hot"));
        for n in 0..200_000 {
            cache.put(fact(&format!("token-{n:0>100}")));
            if n % 1000 == 0 {
                assert!(cache.get("hot").is_some(), "after {n}");
            }
            let (entries, bytes) = cache.size();
            assert!(
                entries <= ENTRIES.saturating_mul(2)
                    && bytes <= BYTES.saturating_mul(2).saturating_add(32_768)
            );
        }
    }

    #[test]
    fn large_tokens_are_bounded_by_their_bytes() {
        let mut cache = keyed();
        for n in 0..2_000 {
            cache.put(fact(&format!("{n:0>16000}")));
            assert!(cache.size().1 <= BYTES.saturating_mul(2).saturating_add(32_768));
        }
    }
}
