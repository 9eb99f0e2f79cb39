//! Names: what realms, clients, routes, keys, sessions and requests are called.
//!
//! Every type here is made by its parser and by nothing else, so a value that exists is well formed and
//! may stand in a storage key (no `:` or `/` in any of them but [`Login`] and [`Subject`]) or in a log line.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::encoding::{base64url, from_base64url, from_hex, hex};
use crate::time::Lifetime;

/// Text that its parser refused. Names the kind and the rule, never the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed {
    what: &'static str,
    rule: &'static str,
}

impl Malformed {
    /// `what` was to be parsed; `rule` says what it has to look like.
    #[must_use]
    pub const fn new(what: &'static str, rule: &'static str) -> Self {
        Self { what, rule }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a well-formed {}: {}", self.what, self.rule)
    }
}

impl std::error::Error for Malformed {}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $max:literal, $ok:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let ok: fn(&[u8]) -> bool = $ok;
                let fits = !text.is_empty() && text.len() <= $max && ok(text.as_bytes());
                fits.then(|| Self(text.to_owned())).ok_or(Malformed::new($what, $rule))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;

            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn word(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

name!(
    /// A client's identifier (RFC 6749 section 2.2).
    ClientId, "client_id", "1 to 64 of A-Z a-z 0-9 - _", 64, word
);

name!(
    /// A key's identifier (RFC 7517 section 4.5).
    KeyId, "kid", "1 to 256 printable ASCII characters", 256, |bytes| bytes.iter().all(|b| (0x20..0x7f).contains(b))
);

name!(
    /// What a person signs in with, in the one spelling that is compared: a name, or an e-mail address. The only name that
    /// may hold `:` and `/`: where it is joined to others, it comes last.
    Login, "login", "1 to 254 visible ASCII characters, in lower case", 254,
    |bytes| bytes.iter().all(|b| (0x21..0x7f).contains(b) && !b.is_ascii_uppercase())
);

impl Login {
    /// A login that nobody can have, because nothing that is typed is it.
    #[must_use]
    pub fn nobodys() -> Self {
        Self("NOBODY".to_owned())
    }

    /// What somebody has typed: without spaces around it, in lower case.
    ///
    /// # Errors
    /// As its parser.
    pub fn typed(text: &str) -> Result<Self, Malformed> {
        text.trim().to_ascii_lowercase().parse()
    }
}

name!(
    /// The name of an outside provider that people sign in with: a path segment of its redirect URI.
    ProviderId, "provider name", "1 to 32 of a-z 0-9 -, a letter first", 32,
    |bytes| bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
);

name!(
    /// Who a person is at an outside provider: `sub` of its ID tokens (OpenID Connect Core section 2), byte for byte. Stands in no
    /// storage key but as a digest.
    Subject, "sub", "1 to 255 printable ASCII characters", 255, |bytes| bytes.iter().all(|b| (0x20..0x7f).contains(b))
);

name!(
    /// A realm's name: the path segment of its issuer.
    RealmName, "realm name", "1 to 32 of a-z 0-9 -, a letter first", 32,
    |bytes| bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
);

name!(
    /// One request's identifier, for logs and error answers.
    RequestId, "request id", "1 to 64 of A-Z a-z 0-9 - _", 64, word
);

name!(
    /// A role: a set of abilities that a principal has.
    Role, "role", "1 to 64 of A-Z a-z 0-9 - _ .", 64,
    |bytes| bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
);

name!(
    /// A route's identifier in the policy.
    RouteId, "route id", "1 to 64 of A-Z a-z 0-9 - _", 64, word
);

name!(
    /// A user's identifier, the `sub` of tokens that speak for them. Never given to anybody else.
    UserId, "user id", "1 to 64 of A-Z a-z 0-9 - _", 64, word
);

/// Where a principal's data lives: a Durable Object id. Opaque; says nothing about who it is.
#[derive(Clone, Copy, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct Locator([u8; 32]);

impl Locator {
    /// From the platform's spelling: 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// Another length or character.
    pub fn from_hex(text: &str) -> Result<Self, Malformed> {
        from_hex(text).map(Self)
    }

    /// The platform's spelling.
    #[must_use]
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// The raw 32 bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Locator {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url(&self.0))
    }
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locator({self})")
    }
}

impl FromStr for Locator {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bytes = from_base64url(text)?;
        bytes.try_into().map(Self).map_err(|_| Malformed::new("locator", "32 bytes in base64url"))
    }
}

impl TryFrom<String> for Locator {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<Locator> for String {
    fn from(locator: Locator) -> Self {
        locator.to_string()
    }
}

/// One session, the `sid` claim: the principal's locator and 128 random bits, `LOCATOR.RANDOM`; or one of those that a standing
/// grant ([`crate::principal`]) lets an edge open, `LOCATOR.GRANT.NTH`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct SessionId {
    locator: Locator,
    random: [u8; 16],
    nth: Option<Nth>,
}

/// Which session of a standing grant.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Nth {
    millis: u32,
    number: u32,
}

impl Nth {
    /// The session that was opened so long after the grant, as this one in a row.
    #[must_use]
    pub fn new(after: Lifetime, number: u32) -> Self {
        Self { millis: u32::try_from(after.as_millis()).unwrap_or(u32::MAX), number }
    }

    /// How long after the grant it was opened.
    #[must_use]
    pub fn after(self) -> Lifetime {
        Lifetime::from_millis(self.millis.into())
    }
}

impl fmt::Display for Nth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url(&[self.millis.to_be_bytes(), self.number.to_be_bytes()].concat()))
    }
}

impl FromStr for Nth {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bytes: Option<[u8; 8]> = from_base64url(text).ok().and_then(|bytes| bytes.try_into().ok());
        let halves = bytes.as_ref().and_then(|bytes| bytes.first_chunk::<4>().zip(bytes.last_chunk::<4>()));
        let (millis, number) = halves.ok_or(Malformed::new("session", "8 bytes in base64url"))?;
        Ok(Self { millis: u32::from_be_bytes(*millis), number: u32::from_be_bytes(*number) })
    }
}

impl SessionId {
    /// The session `random` of the principal at `locator`.
    #[must_use]
    pub const fn new(locator: Locator, random: [u8; 16]) -> Self {
        Self { locator, random, nth: None }
    }

    /// The session of the principal at `locator` that storage calls `local`.
    ///
    /// # Errors
    /// No storage of ours calls one so.
    pub fn named(locator: Locator, local: &str) -> Result<Self, Malformed> {
        let bad = Malformed::new("session", "16 bytes in base64url, and maybe a dot and 8 more");
        let (random, nth) = match local.split_once('.') {
            Some((random, nth)) => (random, Some(nth.parse().map_err(|_| bad)?)),
            None => (local, None),
        };
        let random = from_base64url(random).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(bad)?;
        Ok(Self { locator, random, nth })
    }

    /// The principal whose session it is.
    #[must_use]
    pub const fn locator(&self) -> Locator {
        self.locator
    }

    /// The part that tells one principal's sessions apart, as storage spells it.
    #[must_use]
    pub fn local(&self) -> String {
        let random = base64url(&self.random);
        self.nth.map_or_else(|| random.clone(), |nth| Self::nth_of(&random, nth))
    }

    /// What storage calls a session of the standing grant that it calls `grant`.
    #[must_use]
    pub fn nth_of(grant: &str, nth: Nth) -> String {
        format!("{grant}.{nth}")
    }

    /// What storage calls the standing grant that the session `local` is opened under, if it is one of those.
    #[must_use]
    pub fn grant_of(local: &str) -> Option<(&str, Nth)> {
        let (grant, nth) = local.split_once('.')?;
        Some((grant, nth.parse().ok()?))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.locator, self.local())
    }
}

impl FromStr for SessionId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = Malformed::new("sid", "a locator, a dot, the name of a session");
        let (locator, local) = text.split_once('.').ok_or(bad)?;
        Self::named(locator.parse().map_err(|_| bad)?, local).map_err(|_| bad)
    }
}

impl TryFrom<String> for SessionId {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_refuse_what_joins_storage_keys() {
        for bad in ["", "a:b", "a/b", "a b", "a\u{1f}b", "ä", "a.b"] {
            assert!(bad.parse::<ClientId>().is_err(), "{bad:?}");
            assert!(bad.parse::<RealmName>().is_err(), "{bad:?}");
            assert!(bad.parse::<RouteId>().is_err(), "{bad:?}");
        }
        assert!("1test".parse::<RealmName>().is_err());
        assert!("test-2".parse::<RealmName>().is_ok());
        assert!("x".repeat(65).parse::<ClientId>().is_err());
    }

    #[test]
    fn a_session_id_has_one_spelling() {
        let id = SessionId::new(Locator::from([7; 32]), [9; 16]);
        let nth = Nth::new(Lifetime::from_millis(14_999), 3);
        let under = SessionId::named(id.locator(), &SessionId::nth_of(&id.local(), nth)).unwrap();
        for id in [id, under] {
            assert_eq!(id.to_string().parse::<SessionId>().unwrap(), id);
            assert_eq!(Locator::from_hex(&id.locator().to_hex()).unwrap(), id.locator());
            for bad in ["", ".", &format!("{id}="), &format!("{id}.x"), &format!("{id}."), &id.local()] {
                assert!(bad.parse::<SessionId>().is_err(), "{bad}");
            }
        }
        assert_eq!(SessionId::grant_of(&under.local()), Some((id.local().as_str(), nth)));
        assert_eq!((SessionId::grant_of(&id.local()), nth.after()), (None, Lifetime::from_millis(14_999)));
    }
}
