//! Claims that an upstream gets as headers of names that a route chooses.
//!
//! One encoding for all: a text is its characters, anything else its JSON text (RFC 8259) without white space. In both, what is not visible ASCII is
//! percent-encoded as UTF-8, and so is `%`; percent-decoding gives back what the token says.

use std::str::FromStr;

use crate::error::Denied;
use crate::id::Malformed;
use crate::policy::headers::{OVERRIDES, plain};
use crate::token::LONGEST_CARRIED;

/// A header, and the claim that it holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimHeader {
    /// The header.
    pub name: HeaderName,
    /// The claim's position among those that the configuration asks for ([`crate::token::ClaimMap::carried`]).
    pub claim: usize,
}

impl ClaimHeader {
    /// What the header says, of the claims that were carried.
    ///
    /// # Errors
    /// [`Denied::MalformClaim`]: it would have to be cut, and be another.
    pub fn value<'v>(&self, carried: &'v [Option<String>]) -> Result<Option<&'v str>, Denied> {
        match carried.get(self.claim).and_then(Option::as_deref) {
            Some(value) if value.len() > LONGEST_CARRIED => Err(Denied::MalformClaim("to.headers")),
            value => Ok(value),
        }
    }
}

/// The name of a header that may hold a claim, in lower case.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct HeaderName(String);

/// Headers that say how a request is to be read or sent, or hold credentials: none of them may be a claim.
const TAKEN: [&str; 13] = [
    "accept-encoding",
    "authorization",
    "cache-control",
    "connection",
    "cookie",
    "dpop",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl HeaderName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an upstream could take a header of this name for it.
    #[must_use]
    pub fn is_like(&self, name: &str) -> bool {
        plain(name) == plain(&self.0)
    }
}

impl FromStr for HeaderName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed::new(
            "header for a claim",
            "A-Z 0-9 and - of a name that says nothing else, such as X-Tenant; not content-… or x-tollgate-…",
        );
        let name = text.to_ascii_lowercase();
        let is_word = !name.is_empty()
            && name.len() <= 64
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !name.starts_with('-');
        let is_free = !TAKEN.contains(&name.as_str())
            && !OVERRIDES.contains(&name.as_str())
            && !["content-", "if-", "proxy-", "range", "sec-", "x-tollgate-", "cf-"]
                .iter()
                .any(|taken| name.starts_with(taken));
        (is_word && is_free).then_some(Self(name)).ok_or(RULE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_may_have_a_header_that_says_nothing_else() {
        for good in ["X-Tenant", "x-user-email", "Tenant2"] {
            assert_eq!(good.parse::<HeaderName>().unwrap().as_str(), good.to_ascii_lowercase());
        }
        for bad in [
            "",
            "-x",
            "x y",
            "x_y",
            "Authorization",
            "Cookie",
            "Content-Length",
            "X-Tollgate-Subject",
            "Host",
            "Range",
            "X-HTTP-Method",
            "X-Rewrite-URL",
        ] {
            assert!(bad.parse::<HeaderName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_header_is_known_in_every_spelling() {
        let name: HeaderName = "X-Tenant".parse().unwrap();
        for same in ["x-tenant", "X_Tenant", "x.tenant", "X-TENANT"] {
            assert!(name.is_like(same), "{same}");
        }
        assert!(!name.is_like("x-tenants"));
    }

    #[test]
    fn a_claim_that_is_too_long_is_refused_by_the_routes_that_carry_it() {
        let header = ClaimHeader { name: "X-Tenant".parse().unwrap(), claim: 1 };
        let said = |length: usize| vec![None, Some("a".repeat(length))];
        assert_eq!(header.value(&said(4096)).unwrap().map(str::len), Some(4096));
        assert_eq!(header.value(&said(4097)), Err(Denied::MalformClaim("to.headers")));
        assert_eq!(header.value(&[Some("other".to_owned()), None]), Ok(None));
        assert_eq!(header.value(&[]), Ok(None));
    }
}
