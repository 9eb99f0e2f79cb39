//! Addresses of mail, as people type them: the common part of RFC 5321 section 4.1.2, without what could say something else to
//! whoever sends the mail (quotes, comments, more than one address).

use std::fmt;
use std::str::FromStr;

use crate::id::Malformed;

/// RFC 5321 section 4.5.3.1.3: a path has 256 characters, two of which are its brackets.
const MAX: usize = 254;

/// RFC 5321 section 4.5.3.1.1.
const MAX_LOCAL: usize = 64;

/// RFC 1035 section 2.3.4.
const MAX_LABEL: usize = 63;

/// One address, in lower case: no provider that matters tells `Ada` from `ada`, and a person who types both is one person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// What somebody has typed: without spaces around it, in lower case.
    ///
    /// # Errors
    /// As its parser.
    pub fn typed(text: &str) -> Result<Self, Malformed> {
        text.trim().to_ascii_lowercase().parse()
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EmailAddress {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed =
            Malformed::new("e-mail address", "NAME@HOST in lower-case ASCII, such as ada@example.com");
        let (local, host) = text.split_once('@').ok_or(RULE)?;
        // RFC 5322 section 3.2.3: `dot-atom`.
        let is_atext =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
        let is_local = local.len() <= MAX_LOCAL
            && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext));
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= MAX_LABEL
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_host = host.contains('.') && host.split('.').all(is_label);
        (text.len() <= MAX && is_local && is_host).then(|| Self(text.to_owned())).ok_or(RULE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_address_and_nothing_else() {
        for good in ["ada@example.com", "a.b+c@x-y.example", "o'hara@example.co.uk", "1@2.example"] {
            assert!(good.parse::<EmailAddress>().is_ok(), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        let label = format!("a@{}.com", "b".repeat(64));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@@example.com",
            "a@b@example.com",
            "Ada@example.com",
            "ada@example.com\r\nbcc: eve@example.com",
            "ada@example.com,eve@example.com",
            "<ada@example.com>",
            "\"a\"@example.com",
            "a b@example.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "ada@.com",
            "ada@example.",
            "ada@-a.com",
            "ada@a-.com",
            "ada@[127.0.0.1]",
            "ad\u{e4}@example.com",
            "ada@ex\u{e4}mple.com",
            &long,
            &label,
        ] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad}");
        }
        assert_eq!(EmailAddress::typed(" Ada@Example.com ").unwrap().as_str(), "ada@example.com");
    }
}
