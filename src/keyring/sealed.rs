//! A key pair as it rests and travels: the private part sealed.

use serde::{Deserialize, Serialize};

use crate::id::{KeyId, Malformed};
use crate::keyring::RingName;
use crate::token::{Algorithm, Jwk};

/// A key pair whose private part only the key-encryption key opens. Has a name, and one algorithm.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(into = "Members", try_from = "Members")]
pub struct SealedKey {
    id: KeyId,
    algorithm: Algorithm,
    public: Jwk,
    sealed: String,
}

/// As it is stored.
#[derive(Clone, Deserialize, Serialize)]
struct Members {
    public: Jwk,
    sealed: String,
}

impl SealedKey {
    /// `sealed` is AES-256-GCM under `TOLLGATE_KEK`: base64url of a 12-byte nonce and the sealed private part, which is a
    /// PKCS #8 document, or the seed of an ML-DSA key.
    ///
    /// # Errors
    /// The public part has no name, no algorithm, or is a secret.
    pub fn new(public: Jwk, sealed: String) -> Result<Self, Malformed> {
        const BAD: Malformed = Malformed::new("signing key", "its public part has a `kid` and an `alg`");
        let id = public.id().cloned().ok_or(BAD)?;
        let algorithm = public.algorithm().filter(|algorithm| !algorithm.is_symmetric()).ok_or(BAD)?;
        Ok(Self { id, algorithm, public, sealed })
    }

    /// `kid`.
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// The one algorithm that it is for.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public part, under its thumbprint as `kid`.
    #[must_use]
    pub const fn public(&self) -> &Jwk {
        &self.public
    }

    /// The private part, sealed.
    #[must_use]
    pub fn sealed(&self) -> &str {
        &self.sealed
    }

    /// What the seal is bound to (AES-GCM's additional data): a key of one keyring does not open in another.
    #[must_use]
    pub fn context(realm: &RingName, public: &Jwk) -> String {
        format!("tollgate keyring 1:{realm}:{}", public.thumbprint())
    }
}

impl From<SealedKey> for Members {
    fn from(key: SealedKey) -> Self {
        Self { public: key.public, sealed: key.sealed }
    }
}

impl TryFrom<Members> for SealedKey {
    type Error = Malformed;

    fn try_from(members: Members) -> Result<Self, Malformed> {
        Self::new(members.public, members.sealed)
    }
}

impl std::fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_shape_is_pinned() {
        // Stored in the keyring's table: a change needs a migration, a line in docs/storage.md and a minor version.
        // RFC 7515 appendix A.3.
        let (x, y) =
            ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        let public = Jwk::p256(Some("k".parse().unwrap()), x, y).unwrap();
        let key = SealedKey::new(public, "c2VhbGVk".to_owned()).unwrap();
        let written = format!(
            r#"{{"public":{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","kid":"k","alg":"ES256","use":"sig"}},"sealed":"c2VhbGVk"}}"#
        );
        assert_eq!(serde_json::to_string(&key).unwrap(), written);
        assert_eq!(serde_json::from_str::<SealedKey>(&written).unwrap(), key);
        assert_eq!(
            SealedKey::context(&"test".parse().unwrap(), key.public()),
            format!("tollgate keyring 1:test:{}", key.public().thumbprint())
        );
        for without in [r#","kid":"k""#, r#","alg":"ES256""#] {
            assert!(serde_json::from_str::<SealedKey>(&written.replace(without, "")).is_err(), "{without}");
        }
    }
}
