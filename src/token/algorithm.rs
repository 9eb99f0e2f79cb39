//! Signature algorithms: RFC 7518 section 3.1, RFC 8037, RFC 8812, and ML-DSA for JOSE.

use serde::{Deserialize, Serialize};

/// An algorithm that may be trusted. What is not here cannot be configured: `none` least of all.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Algorithm {
    /// Ed25519 (RFC 8037).
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA over P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA over secp256k1 with SHA-256 (RFC 8812).
    #[serde(rename = "ES256K")]
    Es256k,
    /// ECDSA over P-384 with SHA-384.
    #[serde(rename = "ES384")]
    Es384,
    /// ECDSA over P-521 with SHA-512.
    #[serde(rename = "ES512")]
    Es512,
    /// HMAC with SHA-256.
    #[serde(rename = "HS256")]
    Hs256,
    /// HMAC with SHA-384.
    #[serde(rename = "HS384")]
    Hs384,
    /// HMAC with SHA-512.
    #[serde(rename = "HS512")]
    Hs512,
    /// Module lattices, category 2 (FIPS 204).
    #[serde(rename = "ML-DSA-44")]
    MlDsa44,
    /// Module lattices, category 3.
    #[serde(rename = "ML-DSA-65")]
    MlDsa65,
    /// Module lattices, category 5.
    #[serde(rename = "ML-DSA-87")]
    MlDsa87,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// RSASSA-PSS with SHA-384.
    #[serde(rename = "PS384")]
    Ps384,
    /// RSASSA-PSS with SHA-512.
    #[serde(rename = "PS512")]
    Ps512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    #[serde(rename = "RS384")]
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    #[serde(rename = "RS512")]
    Rs512,
}

impl Algorithm {
    /// Every algorithm there is.
    pub const ALL: [Self; 17] = [
        Self::EdDsa,
        Self::Es256,
        Self::Es256k,
        Self::Es384,
        Self::Es512,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
    ];

    /// What somebody signs with who comes with a key of their own: client assertions (RFC 7523), proofs of possession (RFC 9449). Every
    /// algorithm of RFC 7518 and RFC 8037 but the shared secrets, as the platform checks them.
    pub const OF_CALLERS: [Self; 10] = [
        Self::EdDsa,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
    ];

    /// The algorithm of this exact `alg` value. `Ed25519` is the same as `EdDSA` here (RFC 9864): no other curve is known.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Its `alg` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es256k => "ES256K",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// Whether whoever verifies can also sign: such a key may stand in a configuration, never in a key set that is fetched.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_go_both_ways() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.name());
            assert_eq!(Algorithm::named(&algorithm.name().to_ascii_lowercase()), None);
        }
        for other in ["none", "None", "NONE", "nOnE", "", "ES256 ", "HS1", "RSA-OAEP"] {
            assert_eq!(Algorithm::named(other), None, "{other:?}");
        }
    }
}
