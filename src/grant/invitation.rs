//! What a mail says of whoever reads it: that this address is theirs, and that they may make an account with it.
//!
//! Nothing is stored for an address that nobody has proved to be theirs. So the invitation travels in the mail, sealed with a secret of
//! the deployment, and counts until somebody has the account: the place of a login takes one person in.

use crate::email::EmailAddress;
use crate::encoding::{Digest, base64url, from_base64url};
use crate::id::RealmName;
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};

/// How long a link of a mail counts that lets somebody in, or choose a password: an hour, as mail may be late (OWASP, Forgot Password).
pub const LINK_LIFETIME: Lifetime = Lifetime::from_seconds(3_600);

/// Bytes of a MAC.
const MAC: usize = 32;

/// Bytes of the time that it is of.
const TIME: usize = 8;

/// An address, and when the mail was sent to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invitation {
    /// Whom it was sent to.
    pub address: EmailAddress,
    /// When.
    pub at: Timestamp,
}

impl Invitation {
    /// What the mail carries.
    #[must_use]
    pub fn seal(&self, key: &Secret, realm: &RealmName) -> String {
        let text = [self.at.as_millis().to_be_bytes().as_slice(), self.address.as_str().as_bytes()].concat();
        base64url(&[mac(key, realm, &text).as_slice(), &text].concat())
    }

    /// What a mail carried. `None`: it is not ours, of another realm, or too old.
    #[must_use]
    pub fn open(text: &str, key: &Secret, realm: &RealmName, now: Timestamp) -> Option<Self> {
        let whole = from_base64url(text).ok()?;
        let (sum, text) = whole.split_at_checked(MAC)?;
        // Digests compare in constant time.
        if Digest::of(sum) != Digest::of(&mac(key, realm, text)) {
            return None;
        }
        let (time, address) = text.split_first_chunk::<TIME>()?;
        let at = Timestamp::from_millis(u64::from_be_bytes(*time));
        let address = std::str::from_utf8(address).ok()?.parse().ok()?;
        now.is_within(LINK_LIFETIME, at).then_some(Self { address, at })
    }
}

fn mac(key: &Secret, realm: &RealmName, text: &[u8]) -> [u8; MAC] {
    // A realm's name has no colon.
    let message = [format!("tollgate invitation 1:{realm}:").as_bytes(), text].concat();
    hmac_sha256::HMAC::mac(message, key.reveal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_of_one_address_realm_and_deployment_and_counts_an_hour() {
        let (key, realm): (_, RealmName) = (Secret::new(b"key".to_vec()), "test".parse().unwrap());
        let at = Timestamp::from_seconds(100);
        let invitation = Invitation { address: "ada@example.com".parse().unwrap(), at };
        let sealed = invitation.seal(&key, &realm);
        let open = |text: &str, key: &Secret, realm: &str, now| {
            Invitation::open(text, key, &realm.parse().unwrap(), Timestamp::from_seconds(now))
        };
        assert_eq!(open(&sealed, &key, "test", 3_700), Some(invitation));
        assert_eq!(open(&sealed, &key, "test", 3_701), None, "too late");
        assert_eq!(open(&sealed, &key, "other", 100), None, "another realm");
        assert_eq!(open(&sealed, &Secret::new(b"other".to_vec()), "test", 100), None, "another secret");
        let mut bytes = from_base64url(&sealed).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert_eq!(open(&base64url(&bytes), &key, "test", 100), None, "byte {at}");
            bytes[at] ^= 1;
        }
        for bad in ["", "AAAA", &sealed[..20]] {
            assert_eq!(open(bad, &key, "test", 100), None);
        }
    }
}
