//! Nonces of ours (RFC 9449 sections 8 and 9): they bound how long somebody may have made a proof in advance.
//!
//! Nothing is stored: a nonce is the MAC of a slot of time, made with a secret of the deployment. It is the same for everybody in its
//! realm and slot, and nobody can know it before. What keeps a proof from counting twice is its mark ([`super::Mark`]), not its nonce.

use crate::encoding::{Digest, base64url};
use crate::id::RealmName;
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};

/// The header that carries one.
pub const NONCE_HEADER: &str = "DPoP-Nonce";

/// How long a slot is. A nonce is the current one for so long, and is taken for as long again: no request takes longer, and a client
/// that is busy is told another one not more than once a minute.
const SLOT: Lifetime = Lifetime::from_seconds(60);

/// How far the clocks of two edges may be apart: a nonce of the one is good at the other.
const LEEWAY: Lifetime = Lifetime::from_seconds(5);

/// Bytes of a MAC that are told: 128 bits are not guessed within two slots.
const BYTES: usize = 16;

/// The nonce of this instant.
#[must_use]
pub fn nonce(key: &Secret, realm: &RealmName, now: Timestamp) -> String {
    let slot = now.as_millis().checked_div(SLOT.as_millis()).unwrap_or_default();
    let message = format!("tollgate dpop nonce 1:{realm}:{slot}");
    let mac = hmac_sha256::HMAC::mac(message, key.reveal());
    base64url(mac.first_chunk::<BYTES>().map_or(&[], |first| first.as_slice()))
}

/// Whether this is the nonce of the current slot, or of the one before it.
#[must_use]
pub fn is_nonce(text: &str, key: &Secret, realm: &RealmName, now: Timestamp) -> bool {
    let before = Timestamp::from_millis(now.as_millis().saturating_sub(SLOT.as_millis()));
    // Digests compare in constant time.
    let given = Digest::of(text.as_bytes());
    [before, now, now.after(LEEWAY)].iter().any(|at| Digest::of(nonce(key, realm, *at).as_bytes()) == given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9449_section_9_a_nonce_is_of_its_time_realm_and_deployment() {
        let (key, other) = (Secret::new(b"key".to_vec()), Secret::new(b"other".to_vec()));
        let realm = |name: &str| name.parse::<RealmName>().unwrap();
        let at = Timestamp::from_seconds;
        let given = nonce(&key, &realm("test"), at(600));
        assert_eq!(given.len(), 22);
        assert_eq!(given, nonce(&key, &realm("test"), at(659)), "one for a slot");
        for (seconds, counts) in [(594, false), (595, true), (600, true), (719, true), (720, false)] {
            assert_eq!(is_nonce(&given, &key, &realm("test"), at(seconds)), counts, "{seconds}");
        }
        assert!(!is_nonce(&given, &key, &realm("tes"), at(600)), "another realm");
        assert!(!is_nonce(&given, &other, &realm("test"), at(600)), "another deployment");
        for other in ["", "x", &given[1..], &format!("{given}=")] {
            assert!(!is_nonce(other, &key, &realm("test"), at(600)), "{other}");
        }
    }
}
