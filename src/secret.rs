//! Credentials that are only ever shown once: client secrets and refresh tokens.
//!
//! Text form: a kind prefix, base64url of an optional locator (32 bytes) and 256 random bits, then a
//! checksum of six characters. A wrong kind or a typing error is refused without a look-up, and a leaked
//! one can be found by its prefix. Storage sees the [`Digest`] and nothing else.
//!
//! The promise of these types is *no accidental printing*, not memory hygiene: on the edge a secret has
//! been a JavaScript string before it gets here.

use std::fmt;

use crate::encoding::{Digest, base64url, secret_from_base64url};
use crate::id::{Locator, Malformed};

/// Bytes that must not be printed.
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the bytes in.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the one place that uses them.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a [`Credential`] is for; each kind has its prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `tgs_`: a client secret. Carries no locator: the client record has it.
    ClientSecret,
    /// `tgr_`: a refresh token. Carries the locator of the principal that can redeem it.
    RefreshToken,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::ClientSecret => "tgs_",
            Self::RefreshToken => "tgr_",
        }
    }

    const fn body_bytes(self) -> usize {
        match self {
            Self::ClientSecret => 32,
            Self::RefreshToken => 64,
        }
    }
}

/// A credential that tollgate made.
pub struct Credential {
    text: String,
    locator: Option<Locator>,
}

impl Credential {
    /// A new client secret from 256 random bits.
    #[must_use]
    pub fn client_secret(random: &[u8; 32]) -> Self {
        Self::write(Kind::ClientSecret, None, random)
    }

    /// A new refresh token from 256 random bits, for the principal at `locator`.
    #[must_use]
    pub fn refresh_token(locator: Locator, random: &[u8; 32]) -> Self {
        Self::write(Kind::RefreshToken, Some(locator), random)
    }

    /// Reads a credential of `kind`. Checks prefix, length, encoding and checksum; does **not** check
    /// that it was ever issued.
    ///
    /// # Errors
    /// Anything that tollgate would not have written.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, Malformed> {
        let bad = Malformed::new("credential", "copy it whole, as it was shown");
        let rest = text.strip_prefix(kind.prefix()).ok_or(bad)?;
        let (body, sum) =
            rest.len().checked_sub(CHECKSUM_CHARS).and_then(|at| rest.split_at_checked(at)).ok_or(bad)?;
        let head = text.len().checked_sub(CHECKSUM_CHARS).and_then(|at| text.get(..at)).ok_or(bad)?;
        if checksum(head) != sum {
            return Err(bad);
        }
        let bytes = secret_from_base64url(body).map_err(|_| bad)?;
        if bytes.len() != kind.body_bytes() {
            return Err(bad);
        }
        let locator = match kind {
            Kind::ClientSecret => None,
            Kind::RefreshToken => bytes.first_chunk::<32>().copied().map(Locator::from),
        };
        Ok(Self { text: text.to_owned(), locator })
    }

    /// The text, for the one answer that shows it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What storage keeps.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }

    /// The principal that it names, where its kind carries one.
    #[must_use]
    pub const fn locator(&self) -> Option<Locator> {
        self.locator
    }

    fn write(kind: Kind, locator: Option<Locator>, random: &[u8; 32]) -> Self {
        let mut body = Vec::with_capacity(kind.body_bytes());
        if let Some(locator) = &locator {
            body.extend_from_slice(locator.bytes());
        }
        body.extend_from_slice(random);
        let mut text = format!("{}{}", kind.prefix(), base64url(&body));
        let sum = checksum(&text);
        text.push_str(&sum);
        Self { text, locator }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// Four bytes in base64url: 2^-32 of all typing errors pass, which is what a scanner needs.
const CHECKSUM_CHARS: usize = 6;

fn checksum(text: &str) -> String {
    let digest = Digest::of(text.as_bytes());
    base64url(digest.bytes().first_chunk::<4>().map_or(&[], |bytes| bytes.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_reads_back_and_knows_its_principal() {
        let locator = Locator::from([3; 32]);
        let token = Credential::refresh_token(locator, &[5; 32]);
        let read = Credential::parse(Kind::RefreshToken, token.reveal()).unwrap();
        assert_eq!(read.locator(), Some(locator));
        assert_eq!(read.digest(), token.digest());
        let secret = Credential::client_secret(&[5; 32]);
        assert!(Credential::parse(Kind::ClientSecret, secret.reveal()).is_ok());
        assert!(Credential::parse(Kind::RefreshToken, secret.reveal()).is_err(), "another kind");
    }

    #[test]
    fn one_wrong_character_is_seen_without_a_look_up() {
        let secret = Credential::client_secret(&[1; 32]);
        let text = secret.reveal();
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(bytes).unwrap();
            assert!(Credential::parse(Kind::ClientSecret, &other).is_err(), "changed at {at}");
        }
        for bad in ["", "tgs_", "tgs_AAAAAA", "tgs_ä", &text[..text.len() - 1]] {
            assert!(Credential::parse(Kind::ClientSecret, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_prints_itself() {
        assert_eq!(format!("{:?}", Credential::client_secret(&[1; 32])), "Credential(..)");
        assert_eq!(format!("{:?}", Secret::new(b"x".to_vec())), "Secret(..)");
    }
}
