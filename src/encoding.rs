//! Bytes as text, and the one digest: base64url (RFC 4648 section 5, no padding), hex, SHA-256.
//!
//! **In scope**: canonical encodings only; a second spelling of the same bytes is refused.
//! **Out of scope**: what the bytes mean ([`crate::secret`], [`crate::token`]).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::id::Malformed;

const BASE64URL: Malformed = Malformed::new("base64url", "use A-Z a-z 0-9 - _ without padding");

/// Encodes as base64url without padding.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Decodes base64url without padding: tokens, public keys, names.
///
/// # Errors
/// Anything that is not the canonical encoding: padding, white space, the other alphabet, set trailing bits.
pub fn from_base64url(text: &str) -> Result<Vec<u8>, Malformed> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| BASE64URL)
}

/// The same in time that does not depend on what is decoded: for secrets. Four times slower.
///
/// # Errors
/// As [`from_base64url`].
pub fn secret_from_base64url(text: &str) -> Result<Vec<u8>, Malformed> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| BASE64URL)
}

/// Encodes as base64 with padding, as HTTP Basic uses it (RFC 7617).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Decodes base64 with padding, as HTTP Basic uses it (RFC 7617).
///
/// # Errors
/// Anything that is not the canonical encoding.
pub fn from_base64(text: &str) -> Result<Vec<u8>, Malformed> {
    Base64::decode_vec(text).map_err(|_| Malformed::new("base64", "use A-Z a-z 0-9 + / with padding"))
}

/// Encodes as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().map_or('0', char::from);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

/// A text as visible ASCII, for a header's value: everything else in it is percent-encoded as UTF-8 (RFC 3986 section 2.1), and so is `%`.
#[must_use]
pub fn visible(text: &str) -> String {
    if text.bytes().all(|byte| byte != b'%' && matches!(byte, 0x21..=0x7e)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' => out.push_str("%25"),
            0x21..=0x7e => out.push(char::from(byte)),
            _ => {
                out.push('%');
                out.push_str(&hex(&[byte]).to_ascii_uppercase());
            }
        }
    }
    out
}

/// Decodes lower-case hexadecimal into exactly `N` bytes.
///
/// # Errors
/// Another length, or another character.
pub fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], Malformed> {
    let bad = || Malformed::new("hex", "use an even number of 0-9 a-f");
    let nibble = |c: u8| match c {
        b'0'..=b'9' => Some(c.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(c.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    };
    let bytes = text
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some((nibble(*high)? << 4) | nibble(*low)?),
            _ => None,
        })
        .collect::<Option<Vec<u8>>>()
        .ok_or_else(bad)?;
    bytes.try_into().map_err(|_| bad())
}

/// A SHA-256 digest. Compares in constant time; shown and stored as base64url.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Digests `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hmac_sha256::Hash::hash(bytes))
    }

    /// The raw 32 bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url(&self.0))
    }
}

impl fmt::Debug for Digest {
    /// Says nothing: a digest of a secret is what storage trusts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        base64url(&digest.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        let bytes = from_base64url(&text)?;
        bytes.try_into().map(Self).map_err(|_| Malformed::new("digest", "32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_cannot_break_out_of_its_header() {
        assert_eq!(visible("user|7"), "user|7");
        assert_eq!(visible("a\r\nX-Admin: 1"), "a%0D%0AX-Admin:%201");
        assert_eq!(visible("100% ä"), "100%25%20%C3%A4");
    }

    #[test]
    fn base64url_has_one_spelling() {
        assert_eq!(base64url(b"\xff\xfe"), "__4");
        assert_eq!(from_base64url("__4").unwrap(), b"\xff\xfe");
        for other in ["__4=", "//4", "__5", "__ 4", "__4\n", "_", "__%34"] {
            assert!(from_base64url(other).is_err(), "{other:?} is a second spelling");
        }
    }

    #[test]
    fn hex_goes_both_ways_and_refuses_the_rest() {
        assert_eq!(hex(&[0, 0xab, 0xff]), "00abff");
        assert_eq!(from_hex::<3>("00abff").unwrap(), [0, 0xab, 0xff]);
        for bad in ["00ABFF", "00abf", "00abfg", "00ab"] {
            assert!(from_hex::<3>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_never_prints_itself_in_debug() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert_eq!(format!("{digest:?}"), "Digest(..)");
    }
}
