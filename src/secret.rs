//! Credentials that are only ever shown once: client secrets, codes, refresh tokens, registration access tokens, and what a browser is
//! known by after its person has signed in.
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
    /// `tgl_`: what a browser is known by, in its cookie. Carries the locator of the person's principal.
    Browser,
    /// `tgs_`: a client secret. Carries no locator: the client record has it.
    ClientSecret,
    /// `tgc_`: an authorization code (RFC 6749 section 4.1.2). Carries the locator of the principal that granted it.
    Code,
    /// `tgo_`: a link of a mail, which counts once. Carries the locator of the principal that it is about.
    Link,
    /// `tgr_`: a refresh token. Carries the locator of the principal that can redeem it.
    RefreshToken,
    /// `tgm_`: a registration access token (RFC 7592 section 1.2). Carries no locator: the client record has it.
    Registration,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 6] =
        [Self::Browser, Self::ClientSecret, Self::Code, Self::Link, Self::RefreshToken, Self::Registration];

    /// What every credential of this kind begins with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Browser => "tgl_",
            Self::ClientSecret => "tgs_",
            Self::Code => "tgc_",
            Self::Link => "tgo_",
            Self::RefreshToken => "tgr_",
            Self::Registration => "tgm_",
        }
    }

    const fn has_locator(self) -> bool {
        matches!(self, Self::Browser | Self::Code | Self::Link | Self::RefreshToken)
    }

    const fn body_bytes(self) -> usize {
        if self.has_locator() { 64 } else { 32 }
    }

    /// How many characters a credential of this kind has: prefix, body, checksum.
    #[must_use]
    pub const fn chars(self) -> usize {
        let body: usize = if self.has_locator() { 86 } else { 43 };
        body.saturating_add(4).saturating_add(CHECKSUM_CHARS)
    }
}

/// A credential that tollgate made.
pub struct Credential {
    text: String,
    locator: Option<Locator>,
}

impl Credential {
    /// What a new browser of the person at `locator` is known by, from 256 random bits.
    #[must_use]
    pub fn browser(locator: Locator, random: &[u8; 32]) -> Self {
        Self::write(Kind::Browser, Some(locator), random)
    }

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

    /// A new authorization code from 256 random bits, at the principal at `locator`.
    #[must_use]
    pub fn code(locator: Locator, random: &[u8; 32]) -> Self {
        Self::write(Kind::Code, Some(locator), random)
    }

    /// What the link of a mail is known by, from 256 random bits, at the principal at `locator`.
    #[must_use]
    pub fn link(locator: Locator, random: &[u8; 32]) -> Self {
        Self::write(Kind::Link, Some(locator), random)
    }

    /// A new registration access token from 256 random bits.
    #[must_use]
    pub fn registration(random: &[u8; 32]) -> Self {
        Self::write(Kind::Registration, None, random)
    }

    /// The one refresh token that comes after this one. Whoever knows only the nonce, or only this token, cannot make it;
    /// whoever knows both makes the same each time, so that a successor need not be stored to be handed out again.
    #[must_use]
    pub fn successor(&self, nonce: &[u8; 32]) -> Option<Self> {
        let message = [b"tollgate refresh 1:".as_slice(), nonce].concat();
        let random = hmac_sha256::HMAC::mac(message, self.text.as_bytes());
        self.locator.map(|locator| Self::refresh_token(locator, &random))
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
        let locator =
            kind.has_locator().then(|| bytes.first_chunk::<32>().copied().map(Locator::from)).flatten();
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
    fn each_kind_has_its_own_prefix_and_length() {
        let locator = Locator::from([3; 32]);
        for (kind, made) in Kind::ALL.into_iter().zip([
            Credential::browser(locator, &[5; 32]),
            Credential::client_secret(&[5; 32]),
            Credential::code(locator, &[5; 32]),
            Credential::link(locator, &[5; 32]),
            Credential::refresh_token(locator, &[5; 32]),
            Credential::registration(&[5; 32]),
        ]) {
            assert!(made.reveal().starts_with(kind.prefix()), "{kind:?}");
            assert_eq!(made.reveal().len(), kind.chars(), "{kind:?}");
            for other in Kind::ALL {
                assert_eq!(
                    Credential::parse(other, made.reveal()).is_ok(),
                    other == kind,
                    "{kind:?} as {other:?}"
                );
            }
        }
    }

    #[test]
    fn a_token_has_one_successor_for_a_nonce() {
        let token = Credential::refresh_token(Locator::from([3; 32]), &[5; 32]);
        let next = |nonce| token.successor(&[nonce; 32]).unwrap();
        assert_eq!(next(1).reveal(), next(1).reveal());
        assert_ne!(next(1).reveal(), next(2).reveal());
        assert_ne!(next(1).reveal(), token.reveal());
        assert_eq!(next(1).locator(), token.locator());
        assert!(Credential::client_secret(&[1; 32]).successor(&[1; 32]).is_none());
    }

    #[test]
    fn nothing_prints_itself() {
        assert_eq!(format!("{:?}", Credential::client_secret(&[1; 32])), "Credential(..)");
        assert_eq!(format!("{:?}", Secret::new(b"x".to_vec())), "Secret(..)");
    }
}
