//! Scopes (RFC 6749 section 3.3): one token, a set of them, and the catalogue that says which imply which.
//!
//! **Out of scope**: who may ask for which ([`crate::grant`]), which route needs which ([`crate::policy`]).

use std::fmt;
use std::str::FromStr;

use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::id::Malformed;

/// One `scope-token`: printable ASCII without space, `"` and `\`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct ScopeToken(String);

impl ScopeToken {
    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ScopeToken {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let fits = !text.is_empty() && text.len() <= 128;
        let fits = fits && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        fits.then(|| Self(text.to_owned()))
            .ok_or(Malformed::new("scope", "printable ASCII without space, \" and \\"))
    }
}

impl TryFrom<String> for ScopeToken {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<ScopeToken> for String {
    fn from(scope: ScopeToken) -> Self {
        scope.0
    }
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Scopes, each once, in one order. Text form: joined by single spaces.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct ScopeSet(Vec<ScopeToken>);

impl ScopeSet {
    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this very scope is in it.
    #[must_use]
    pub fn contains(&self, scope: &ScopeToken) -> bool {
        self.0.binary_search(scope).is_ok()
    }

    /// Each scope, in order.
    pub fn iter(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.iter()
    }
}

impl FromIterator<ScopeToken> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(scopes: I) -> Self {
        let mut scopes: Vec<_> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }
}

impl FromStr for ScopeSet {
    type Err = Malformed;

    /// Empty text is the empty set; double, leading or trailing spaces are refused as the grammar says.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.split(' ').map(str::parse).collect()
    }
}

impl TryFrom<String> for ScopeSet {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<ScopeSet> for String {
    fn from(scopes: ScopeSet) -> Self {
        scopes.to_string()
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

/// Every scope that a deployment knows, with what each implies, all the way down.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScopeCatalogue(LiteMap<ScopeToken, Entry>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Entry {
    implies: Vec<ScopeToken>,
    offered: bool,
    words: String,
}

impl ScopeCatalogue {
    /// From each scope, the scopes that it names as implied, and whether it is offered in public metadata.
    /// What is implied twice removed is found here; a name that stands nowhere is kept out by [`crate::config`].
    #[must_use]
    pub fn new(scopes: impl IntoIterator<Item = (ScopeToken, Vec<ScopeToken>, bool)>) -> Self {
        let (mut direct, mut offered) = (LiteMap::new_vec(), LiteMap::new_vec());
        for (scope, implies, public) in scopes {
            offered.insert(scope.clone(), public);
            direct.insert(scope, implies);
        }
        let entries = direct.keys().map(|scope| {
            let mut implies: Vec<ScopeToken> = Vec::new();
            let mut open = vec![scope];
            while let Some(next) = open.pop() {
                for below in direct.get(next).into_iter().flatten() {
                    if !implies.contains(below) {
                        implies.push(below.clone());
                        open.push(below);
                    }
                }
            }
            (
                scope.clone(),
                Entry {
                    implies,
                    offered: offered.get(scope).copied().unwrap_or(false),
                    words: String::new(),
                },
            )
        });
        Self(entries.collect())
    }

    /// With what a scope allows, in plain words.
    #[must_use]
    pub fn with_words(mut self, scope: &ScopeToken, words: impl Into<String>) -> Self {
        if let Some(entry) = self.0.get_mut(scope) {
            entry.words = words.into();
        }
        self
    }

    /// What a scope allows, in plain words: the configuration's.
    #[must_use]
    pub fn words(&self, scope: &ScopeToken) -> &str {
        self.0.get(scope).map_or("", |entry| &entry.words)
    }

    /// Whether everybody may be offered this scope: it is not internal.
    #[must_use]
    pub fn offers(&self, scope: &ScopeToken) -> bool {
        self.0.get(scope).is_some_and(|entry| entry.offered)
    }

    /// Whether the deployment has this scope.
    #[must_use]
    pub fn knows(&self, scope: &ScopeToken) -> bool {
        self.0.contains_key(scope)
    }

    /// Whether whoever holds `held` holds `need`, directly or by implication.
    #[must_use]
    pub fn covers(&self, held: &ScopeSet, need: &ScopeToken) -> bool {
        held.iter()
            .any(|scope| scope == need || self.0.get(scope).is_some_and(|entry| entry.implies.contains(need)))
    }

    /// Every scope, internal ones too.
    pub fn all(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.keys()
    }

    /// The scopes that public metadata lists: all but the internal ones.
    pub fn offered(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.iter().filter(|(_, entry)| entry.offered).map(|(scope, _)| scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> ScopeToken {
        text.parse().unwrap()
    }

    fn set(text: &str) -> ScopeSet {
        text.parse().unwrap()
    }

    #[test]
    fn a_set_has_one_order_and_no_repeats() {
        assert_eq!(set("b a b").to_string(), "a b");
        assert_eq!(set("").to_string(), "");
        for bad in [" a", "a ", "a  b", "a\tb", "a\"", "a\\", "ä"] {
            assert!(bad.parse::<ScopeSet>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn implication_goes_all_the_way_down_and_survives_a_circle() {
        let catalogue = ScopeCatalogue::new([
            (token("a"), vec![token("b")], true),
            (token("b"), vec![token("c")], true),
            (token("c"), vec![token("a")], false),
            (token("d"), vec![], true),
        ]);
        assert!(catalogue.covers(&set("a"), &token("c")));
        assert!(!catalogue.covers(&set("d"), &token("c")));
        assert!(!catalogue.covers(&set("aa"), &token("a")), "a prefix is another scope");
        assert_eq!(catalogue.offered().map(ScopeToken::as_str).collect::<Vec<_>>(), ["a", "b", "d"]);
    }
}
