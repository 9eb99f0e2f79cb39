//! Passkeys (Web Authentication Level 3): what a browser says when one is made or used, read strictly.
//!
//! **In scope**: client data, authenticator data, public keys as COSE spells them, signatures as authenticators spell them, challenges.
//! **Out of scope**: the signature itself ([`crate::port::Verifier`]), whose passkeys there are and how often each was used
//! ([`crate::principal`]), the pages ([`crate::people`]).
//!
//! What is held against the relying party, in this order (sections 7.1 and 7.2):
//!
//! | | what | else |
//! | --- | --- | --- |
//! | 1 | client data is one JSON object of this `type` | [`Flaw::ClientData`] |
//! | 2 | its `origin` is the realm's, and the page stood in no other site's frame | [`Flaw::Origin`] |
//! | 3 | authenticator data is of this relying party | [`Flaw::RelyingParty`] |
//! | 4 | somebody was there, and has shown who they are (PIN, finger, face) | [`Flaw::Unverified`] |
//! | 5 | what is backed up may be backed up | [`Flaw::AuthenticatorData`] |
//! | 6 | made: a key of an algorithm that was asked for, and a name of 16 to 1023 bytes | [`Flaw::Key`] |
//! | 7 | used: there is a signature; whose, the principal says | [`Flaw::Signature`] |
//!
//! The challenge is for the caller: only the caller knows what it was given out for ([`Challenge::open`]).
//!
//! Attestation is not asked for (`none`), so what a passkey says of its make proves nothing and is not looked at. So the key is read from the
//! authenticator data alone, which `getAuthenticatorData()` has without the envelope of the attestation.

mod authenticator;
mod challenge;
mod client_data;
mod cose;
mod der;

pub use challenge::{Bounds, Ceremony, Challenge};
pub use cose::ALGORITHMS;
pub use der::fixed;

use serde::{Deserialize, Serialize};

use crate::encoding::{Digest, base64url, from_base64url};
use crate::id::Malformed;
use crate::token::Jwk;

use authenticator::AuthenticatorData;

/// The longest name of a passkey (section 4, credential ID).
const MAX_ID: usize = 1023;

/// The shortest (the same): 100 bits of entropy need 16 bytes in any case.
const MIN_ID: usize = 16;

/// What a passkey is called: a credential ID, 16 to 1023 bytes, in base64url.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct PasskeyId(String);

impl PasskeyId {
    fn of(bytes: &[u8]) -> Option<Self> {
        (MIN_ID..=MAX_ID).contains(&bytes.len()).then(|| Self(base64url(bytes)))
    }

    /// In base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PasskeyId {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl std::str::FromStr for PasskeyId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed::new("passkey id", "16 to 1023 bytes in base64url");
        Self::of(&from_base64url(text).map_err(|_| RULE)?).ok_or(RULE)
    }
}

impl From<PasskeyId> for String {
    fn from(id: PasskeyId) -> Self {
        id.0
    }
}

/// For whom passkeys are: a realm.
#[derive(Clone, Copy, Debug)]
pub struct RelyingParty<'a> {
    /// The origin of its pages: scheme, host, port.
    pub origin: &'a str,
    /// Its RP ID: the host of its pages.
    pub id: &'a str,
}

/// What is wrong with what a browser said. Logged by its code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flaw {
    /// Authenticator data of another shape.
    AuthenticatorData,
    /// Client data that is none, or of another type.
    ClientData,
    /// A key of another algorithm, or none.
    Key,
    /// Another site's page.
    Origin,
    /// Another site's passkey.
    RelyingParty,
    /// No signature.
    Signature,
    /// Nobody has shown the authenticator who they are.
    Unverified,
}

impl Flaw {
    /// A stable name for logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AuthenticatorData => "authenticator_data",
            Self::ClientData => "client_data",
            Self::Key => "passkey_key",
            Self::Origin => "passkey_origin",
            Self::RelyingParty => "relying_party",
            Self::Signature => "passkey_signature",
            Self::Unverified => "unverified",
        }
    }
}

/// What a browser says of a passkey that was made or used, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// `clientDataJSON`.
    pub client_data: &'a [u8],
    /// `authenticatorData`.
    pub authenticator_data: &'a [u8],
}

/// A passkey that was made (section 7.1).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Made {
    /// Its name.
    pub id: PasskeyId,
    /// Its public key, with the one algorithm that it signs with.
    pub key: Jwk,
    /// Its signature counter; 0 where it has none.
    pub counter: u32,
    /// Whether it may be on several devices.
    pub is_synced: bool,
}

/// A passkey that was used (section 7.2), but for its signature.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Used {
    /// Its signature counter; 0 where it has none.
    pub counter: u32,
    /// Whether it may be on several devices.
    pub is_synced: bool,
    /// What it has signed, in base64url: authenticator data, and the digest of client data.
    pub input: String,
}

/// Reads what `navigator.credentials.create` came to, and the challenge that it answers.
///
/// # Errors
/// The first row of the module's table that it does not meet.
pub fn made(said: &Said<'_>, party: RelyingParty<'_>) -> Result<(Made, String), Flaw> {
    let challenge = client_data::challenge(said.client_data, "webauthn.create", party.origin)?;
    let data = AuthenticatorData::read(said.authenticator_data, party.id)?;
    let (id, key) = data.attested()?;
    let id = PasskeyId::of(id).ok_or(Flaw::Key)?;
    Ok((Made { id, key, counter: data.counter, is_synced: data.is_synced }, challenge))
}

/// Reads what `navigator.credentials.get` came to, and the challenge that it answers.
///
/// # Errors
/// As [`made`].
pub fn used(said: &Said<'_>, party: RelyingParty<'_>) -> Result<(Used, String), Flaw> {
    let challenge = client_data::challenge(said.client_data, "webauthn.get", party.origin)?;
    let data = AuthenticatorData::read(said.authenticator_data, party.id)?;
    data.bare()?;
    let digest = Digest::of(said.client_data);
    let input = base64url(&[said.authenticator_data, digest.bytes().as_slice()].concat());
    Ok((Used { counter: data.counter, is_synced: data.is_synced, input }, challenge))
}
