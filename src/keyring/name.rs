//! Which of a realm's keyrings: its own, or the one beside it that signs ID tokens for clients that know RS256 only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{Malformed, RealmName};

/// What the name of the second keyring ends with; no realm's name has a slash.
const BESIDE: &str = "/id-tokens";

/// A keyring's name: `REALM`, or `REALM/id-tokens`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct RingName {
    realm: RealmName,
    is_beside: bool,
}

impl RingName {
    /// The realm's own: it signs every access token.
    #[must_use]
    pub const fn own(realm: RealmName) -> Self {
        Self { realm, is_beside: false }
    }

    /// The one beside it, where the realm has [`crate::config::Feature::Rs256IdTokens`]: it signs nothing but ID tokens and logout tokens.
    #[must_use]
    pub const fn beside(realm: RealmName) -> Self {
        Self { realm, is_beside: true }
    }

    /// Whose it is.
    #[must_use]
    pub const fn realm(&self) -> &RealmName {
        &self.realm
    }

    /// Whether it is the one beside the realm's own.
    #[must_use]
    pub const fn is_beside(&self) -> bool {
        self.is_beside
    }
}

impl fmt::Display for RingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.realm, if self.is_beside { BESIDE } else { "" })
    }
}

impl FromStr for RingName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text.strip_suffix(BESIDE) {
            Some(realm) => Ok(Self::beside(realm.parse()?)),
            None => Ok(Self::own(text.parse()?)),
        }
    }
}

impl From<RingName> for String {
    fn from(name: RingName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for RingName {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_has_two_names_and_they_are_pinned() {
        // They name objects, and are stored.
        let realm: RealmName = "test".parse().unwrap();
        for (name, text) in
            [(RingName::own(realm.clone()), "test"), (RingName::beside(realm), "test/id-tokens")]
        {
            assert_eq!(name.to_string(), text);
            assert_eq!(text.parse::<RingName>().unwrap(), name);
        }
        for bad in ["", "/id-tokens", "test/", "test/id-tokens/id-tokens", "Test/id-tokens"] {
            assert!(bad.parse::<RingName>().is_err(), "{bad}");
        }
    }
}
