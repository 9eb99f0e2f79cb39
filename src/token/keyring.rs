//! What a realm's keyring is asked and answers. Private keys travel and rest sealed only.

use serde::{Deserialize, Serialize};

use crate::id::{KeyId, RealmName};
use crate::token::{Jwk, JwkSet};

/// What a keyring can be asked. Either question makes the realm's first key if there is none.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyringQuestion {
    /// The keys that verify.
    PublicKeys {
        /// Whose.
        realm: RealmName,
    },
    /// The key that signs.
    SigningKey {
        /// Whose.
        realm: RealmName,
    },
}

/// What a keyring answers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyringAnswer {
    /// To [`KeyringQuestion::PublicKeys`].
    PublicKeys(JwkSet),
    /// To [`KeyringQuestion::SigningKey`].
    SigningKey(SealedKey),
}

/// A key pair whose private part only the key-encryption key opens.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct SealedKey {
    /// The public part, under its thumbprint as `kid`.
    pub public: Jwk,
    /// AES-256-GCM under `TOLLGATE_KEK`: base64url of a 12-byte nonce and the sealed PKCS #8 document.
    pub sealed: String,
}

impl SealedKey {
    /// `kid`.
    #[must_use]
    pub const fn id(&self) -> Option<&KeyId> {
        self.public.id()
    }

    /// What the seal is bound to (AES-GCM's additional data): a key of one realm does not open in another.
    #[must_use]
    pub fn context(realm: &RealmName, public: &Jwk) -> String {
        format!("tollgate keyring 1:{realm}:{}", public.thumbprint())
    }
}

impl std::fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedKey({:?})", self.id())
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
        let key = SealedKey { public, sealed: "c2VhbGVk".to_owned() };
        assert_eq!(
            serde_json::to_string(&key).unwrap(),
            format!(
                r#"{{"public":{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","kid":"k","alg":"ES256","use":"sig"}},"sealed":"c2VhbGVk"}}"#
            )
        );
        assert_eq!(
            SealedKey::context(&"test".parse().unwrap(), &key.public),
            format!("tollgate keyring 1:test:{}", key.public.thumbprint())
        );
    }
}
