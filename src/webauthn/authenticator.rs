//! What an authenticator says (section 6.1).

use crate::encoding::Digest;
use crate::token::Jwk;
use crate::webauthn::{Flaw, cose};

/// Bits of the flags.
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENDED: u8 = 0x80;

/// Authenticator data of this relying party, whose person was there and has shown who they are.
pub(super) struct AuthenticatorData<'a> {
    flags: u8,
    pub(super) counter: u32,
    /// Whether the passkey may be on several devices.
    pub(super) is_synced: bool,
    /// What comes behind the counter.
    rest: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    pub(super) fn read(bytes: &'a [u8], party: &str) -> Result<Self, Flaw> {
        const BAD: Flaw = Flaw::AuthenticatorData;
        let (party_hash, rest) = bytes.split_first_chunk::<32>().ok_or(BAD)?;
        let (&flags, rest) = rest.split_first().ok_or(BAD)?;
        let (counter, rest) = rest.split_first_chunk::<4>().ok_or(BAD)?;
        if party_hash != Digest::of(party.as_bytes()).bytes() {
            return Err(Flaw::RelyingParty);
        }
        let has = |bit| flags & bit != 0;
        if !(has(PRESENT) && has(VERIFIED)) {
            return Err(Flaw::Unverified);
        }
        if has(BACKED_UP) && !has(ELIGIBLE) {
            return Err(BAD);
        }
        Ok(Self { flags, counter: u32::from_be_bytes(*counter), is_synced: has(ELIGIBLE), rest })
    }

    /// The name and the key of a new passkey (section 6.5.1).
    pub(super) fn attested(&self) -> Result<(&'a [u8], Jwk), Flaw> {
        const BAD: Flaw = Flaw::AuthenticatorData;
        if self.flags & ATTESTED == 0 {
            return Err(BAD);
        }
        // Its make comes first, of which nothing is asked.
        let (_, rest) = self.rest.split_first_chunk::<16>().ok_or(BAD)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(BAD)?;
        let (id, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(BAD)?;
        let (key, rest) = cose::read(rest).ok_or(Flaw::Key)?;
        self.ends(rest)?;
        Ok((id, key))
    }

    /// Nothing but what every use says.
    pub(super) fn bare(&self) -> Result<(), Flaw> {
        if self.flags & ATTESTED != 0 {
            return Err(Flaw::AuthenticatorData);
        }
        self.ends(self.rest)
    }

    /// No extension is asked for; what comes unasked is not looked at (section 9.4), and nothing else may come.
    fn ends(&self, rest: &[u8]) -> Result<(), Flaw> {
        let is_extended = self.flags & EXTENDED != 0;
        if rest.is_empty() == is_extended { Err(Flaw::AuthenticatorData) } else { Ok(()) }
    }
}
