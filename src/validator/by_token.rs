//! What an isolate remembers about tokens, found by the whole token and by nothing less.
//!
//! Caches of verified tokens have had one class of bug in project after project: what they were looked up by
//! lacked something that the decision had depended on. So what is kept here is never a decision, and an entry
//! counts only if the whole token is the same, byte for byte.
//!
//! - An entry is found by a keyed hash of the token's end, then compared with the whole token.
//! - Bounded in entries and bytes: two generations, of which the older is dropped when the younger is full. What is
//!   used moves to the younger.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::rc::Rc;

use siphasher::sip::SipHasher13;

/// How much one generation holds. There are two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Entries.
    pub(crate) entries: usize,
    /// Bytes, of tokens and of what is kept about them.
    pub(crate) bytes: usize,
}

/// How much memory something keeps, about: a token of a few bytes can stand for a long answer.
pub(crate) trait Weigh {
    /// In bytes.
    fn weight(&self) -> usize;
}

#[derive(Debug)]
struct Entry<T> {
    token: Box<str>,
    what: Rc<T>,
    weight: usize,
}

#[derive(Debug)]
struct Generation<T> {
    entries: BTreeMap<u64, Entry<T>>,
    bytes: usize,
}

impl<T> Generation<T> {
    const fn new() -> Self {
        Self { entries: BTreeMap::new(), bytes: 0 }
    }

    fn get(&self, hash: u64, token: &str) -> Option<&Rc<T>> {
        self.entries.get(&hash).filter(|entry| are_same(&entry.token, token)).map(|entry| &entry.what)
    }

    fn add(&mut self, hash: u64, entry: Entry<T>) {
        self.bytes = self.bytes.saturating_add(entry.weight);
        if let Some(old) = self.entries.insert(hash, entry) {
            self.bytes = self.bytes.saturating_sub(old.weight);
        }
    }

    fn remove(&mut self, hash: u64) -> Option<Entry<T>> {
        let old = self.entries.remove(&hash)?;
        self.bytes = self.bytes.saturating_sub(old.weight);
        Some(old)
    }

    fn is_full(&self, limits: Limits) -> bool {
        self.entries.len() >= limits.entries || self.bytes >= limits.bytes
    }
}

/// Whether two texts are the same, eight bytes at a time: `==` compares one at a time in WebAssembly.
fn are_same(one: &str, other: &str) -> bool {
    let (ones, ones_rest) = one.as_bytes().as_chunks::<8>();
    let (others, others_rest) = other.as_bytes().as_chunks::<8>();
    ones.len() == others.len()
        && ones.iter().zip(others).all(|(a, b)| u64::from_ne_bytes(*a) == u64::from_ne_bytes(*b))
        && ones_rest == others_rest
}

/// Facts by token.
#[derive(Debug)]
pub(crate) struct ByToken<T> {
    limits: Limits,
    /// How many bytes of a token's end its hash is of.
    end: usize,
    /// The hash's key: whoever cannot read this memory cannot make tokens collide. `None`: no randomness was had,
    /// and nothing is remembered.
    key: Cell<Option<(u64, u64)>>,
    young: Generation<T>,
    old: Generation<T>,
}

impl<T: Weigh> ByToken<T> {
    /// Nothing yet. Tokens are told apart by their last `end` bytes first: where two have the same end, the later takes
    /// the other's place, and no more.
    pub(crate) const fn new(limits: Limits, end: usize) -> Self {
        Self { limits, end, key: Cell::new(None), young: Generation::new(), old: Generation::new() }
    }

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
    pub(crate) fn get(&mut self, token: &str) -> Option<Rc<T>> {
        let hash = self.hash(token)?;
        if let Some(what) = self.young.get(hash, token) {
            return Some(Rc::clone(what));
        }
        let what = Rc::clone(self.old.get(hash, token)?);
        let entry = self.old.remove(hash)?;
        self.keep(hash, entry);
        Some(what)
    }

    /// Remembers something, in place of what was known.
    pub(crate) fn put(&mut self, token: &str, what: T) {
        if let Some(hash) = self.hash(token) {
            self.old.remove(hash);
            let weight = token.len().saturating_add(what.weight());
            self.keep(hash, Entry { token: token.into(), what: Rc::new(what), weight });
        }
    }

    /// Forgets what was known of these bytes.
    pub(crate) fn remove(&mut self, token: &str) {
        if let Some(hash) = self.hash(token) {
            self.young.remove(hash);
            self.old.remove(hash);
        }
    }

    /// Forgets everything, but not its key.
    #[cfg(feature = "harness")]
    pub(crate) fn clear(&mut self) {
        self.young = Generation::new();
        self.old = Generation::new();
    }

    /// Entries and bytes that are held.
    pub(crate) fn size(&self) -> (usize, usize) {
        (
            self.young.entries.len().saturating_add(self.old.entries.len()),
            self.young.bytes.saturating_add(self.old.bytes),
        )
    }

    fn keep(&mut self, hash: u64, entry: Entry<T>) {
        if self.young.is_full(self.limits) {
            self.old = std::mem::replace(&mut self.young, Generation::new());
        }
        self.young.add(hash, entry);
    }

    fn hash(&self, token: &str) -> Option<u64> {
        let (k0, k1) = self.key.get()?;
        let mut hasher = SipHasher13::new_with_keys(k0, k1);
        let bytes = token.as_bytes();
        hasher.write(bytes.get(bytes.len().saturating_sub(self.end)..).unwrap_or(bytes));
        Some(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { entries: 5_000, bytes: 4_000_000 };

    impl Weigh for u32 {
        fn weight(&self) -> usize {
            4
        }
    }

    impl Weigh for Vec<u8> {
        fn weight(&self) -> usize {
            self.len()
        }
    }

    fn keyed() -> ByToken<u32> {
        let cache = ByToken::new(LIMITS, 64);
        cache.set_key(&[7; 16]);
        cache
    }

    #[test]
    fn attack_52_only_the_very_same_bytes_hit() {
        let mut cache = keyed();
        cache.put("aaa.bbb.ccc", 1);
        assert!(cache.get("aaa.bbb.ccc").is_some());
        for other in ["aaa.bbb.ccd", "aaa.bbb.cc", "aaa.bbb.cccc", "Aaa.bbb.ccc", ""] {
            assert!(cache.get(other).is_none(), "{other}");
        }
    }

    #[test]
    fn attack_52_two_tokens_of_one_hash_are_two_tokens() {
        let mut cache = keyed();
        cache.put("one", 1);
        let hash = cache.hash("one").unwrap();
        // As if "two" had the same hash: its entry stands where "one" is looked for.
        cache.young.add(hash, Entry { token: "two".into(), what: Rc::new(2), weight: 3 });
        assert!(cache.get("one").is_none());
    }

    #[test]
    fn tokens_of_one_end_take_each_others_place_and_are_never_mixed_up() {
        let mut cache = keyed();
        let end = "e".repeat(64);
        cache.put(&format!("one{end}"), 1);
        cache.put(&format!("two{end}"), 2);
        assert!(cache.get(&format!("one{end}")).is_none());
        assert_eq!(cache.get(&format!("two{end}")).as_deref(), Some(&2));
    }

    #[test]
    fn without_randomness_nothing_is_remembered() {
        let mut cache = ByToken::new(LIMITS, 64);
        cache.put("t", 1);
        assert!(cache.get("t").is_none());
        assert_eq!(cache.size(), (0, 0));
    }

    #[test]
    fn any_number_of_tokens_stays_within_the_bound_and_what_is_used_stays() {
        let mut cache = keyed();
        cache.put("hot", 0);
        for n in 0..200_000 {
            cache.put(&format!("token-{n:0>100}"), n);
            if n % 1000 == 0 {
                assert!(cache.get("hot").is_some(), "after {n}");
            }
            let (entries, bytes) = cache.size();
            assert!(
                entries <= LIMITS.entries.saturating_mul(2)
                    && bytes <= LIMITS.bytes.saturating_mul(2).saturating_add(32_768)
            );
        }
    }

    #[test]
    fn small_tokens_with_much_behind_them_are_bounded_by_that() {
        let mut cache = ByToken::new(LIMITS, 64);
        cache.set_key(&[7; 16]);
        for n in 0..1_000 {
            cache.put(&format!("{n}"), vec![0_u8; 65_536]);
            assert!(cache.size().1 <= LIMITS.bytes.saturating_mul(2).saturating_add(131_072));
        }
        for n in 0..1_000 {
            cache.remove(&format!("{n}"));
        }
        assert_eq!(cache.size(), (0, 0));
    }

    #[test]
    fn large_tokens_are_bounded_by_their_bytes() {
        let mut cache = keyed();
        for n in 0..2_000 {
            cache.put(&format!("{n:0>16000}"), n);
            assert!(cache.size().1 <= LIMITS.bytes.saturating_mul(2).saturating_add(32_768));
        }
    }
}
