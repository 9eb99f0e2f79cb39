//! Proof Key for Code Exchange (RFC 7636), method S256 only.
//!
//! **Out of scope**: `plain`; where a verifier is kept between the two requests.

use std::fmt;
use std::str::FromStr;

use crate::encoding::{Digest, base64url};
use crate::id::Malformed;

/// A `code_verifier`: 43 to 128 unreserved characters (section 4.1). A secret until it is redeemed.
pub struct Verifier(String);

impl Verifier {
    /// From 32 random bytes, as section 4.1 recommends: 43 characters.
    #[must_use]
    pub fn from_random(random: &[u8; 32]) -> Self {
        Self(base64url(random))
    }

    /// The `code_challenge`: base64url of the SHA-256 digest (section 4.2).
    #[must_use]
    pub fn challenge(&self) -> String {
        Digest::of(self.0.as_bytes()).to_string()
    }

    /// The text, for the token request.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Verifier {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        let fits = (43..=128).contains(&text.len()) && text.bytes().all(unreserved);
        fits.then(|| Self(text.to_owned()))
            .ok_or(Malformed::new("code_verifier", "43 to 128 of A-Z a-z 0-9 - . _ ~ (RFC 7636 section 4.1)"))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7636_appendix_b() {
        let verifier: Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".parse().unwrap();
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn rfc7636_section_4_1_length_and_alphabet() {
        assert_eq!(Verifier::from_random(&[0; 32]).reveal().len(), 43);
        for bad in
            ["a".repeat(42), "a".repeat(129), format!("{}=", "a".repeat(43)), format!("{} ", "a".repeat(43))]
        {
            assert!(bad.parse::<Verifier>().is_err(), "{bad}");
        }
    }
}
