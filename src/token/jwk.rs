//! JSON Web Keys (RFC 7517), public and elliptic: what a token is verified with.

use serde::{Deserialize, Serialize};

use crate::encoding::{Digest, from_base64url};
use crate::id::{KeyId, Malformed};

/// A signature algorithm (RFC 7518 section 3.1) that may be trusted. What is not here cannot be configured.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
}

impl Algorithm {
    /// The algorithm of this exact `alg` value. Never `none`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        (name == Self::Es256.name()).then_some(Self::Es256)
    }

    /// Its `alg` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
        }
    }
}

/// A public P-256 key. The key, not a token's header, says which algorithm it is for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct Jwk {
    id: Option<KeyId>,
    algorithm: Algorithm,
    x: String,
    y: String,
}

/// The members as they travel. Private ones (`d`) are unknown here and never written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Jwk"))]
pub(crate) struct Wire {
    kty: String,
    crv: String,
    x: String,
    y: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
    #[serde(default, skip_serializing)]
    d: Option<String>,
}

impl Jwk {
    /// A key from its coordinates, 32 bytes each in base64url. Checks the lengths; does **not** check that the
    /// point is on the curve: whoever imports the key does, and refuses it there.
    ///
    /// # Errors
    /// Coordinates of another length.
    pub fn p256(id: Option<KeyId>, x: String, y: String) -> Result<Self, Malformed> {
        let fits = |text: &str| from_base64url(text).is_ok_and(|bytes| bytes.len() == 32);
        (fits(&x) && fits(&y))
            .then_some(Self { id, algorithm: Algorithm::Es256, x, y })
            .ok_or(Malformed::new("P-256 key", "x and y are 32 bytes each"))
    }

    /// `kid`.
    #[must_use]
    pub const fn id(&self) -> Option<&KeyId> {
        self.id.as_ref()
    }

    /// The same key under its thumbprint as `kid`.
    ///
    /// # Errors
    /// None that a digest can cause.
    pub fn identified(mut self) -> Result<Self, Malformed> {
        self.id = Some(self.thumbprint().to_string().parse()?);
        Ok(self)
    }

    /// The algorithm it is for.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The coordinates `x` and `y` in base64url.
    #[must_use]
    pub fn coordinates(&self) -> (&str, &str) {
        (&self.x, &self.y)
    }

    /// The SHA-256 thumbprint (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> Digest {
        Digest::of(format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, self.x, self.y).as_bytes())
    }

    /// The uncompressed point (SEC 1 section 2.3.3): `04`, x, y.
    #[must_use]
    pub fn to_sec1(&self) -> Vec<u8> {
        let coordinate = |text: &str| from_base64url(text).unwrap_or_default();
        [vec![4], coordinate(&self.x), coordinate(&self.y)].concat()
    }
}

impl TryFrom<Wire> for Jwk {
    type Error = Malformed;

    fn try_from(wire: Wire) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed::new(
            "JWK",
            "kty EC, crv P-256, alg ES256 or none given, use sig or none given, no private part",
        );
        let fits = wire.kty == "EC"
            && wire.crv == "P-256"
            && wire.alg.is_none_or(|alg| alg == "ES256")
            && wire.usage.is_none_or(|usage| usage == "sig")
            && wire.d.is_none();
        if !fits {
            return Err(RULE);
        }
        let id = wire.kid.map(|kid| kid.parse()).transpose()?;
        Self::p256(id, wire.x, wire.y)
    }
}

impl From<Jwk> for Wire {
    fn from(key: Jwk) -> Self {
        Self {
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            kid: key.id.map(String::from),
            alg: Some(key.algorithm.name().to_owned()),
            usage: Some("sig".to_owned()),
            x: key.x,
            y: key.y,
            d: None,
        }
    }
}

/// A key set (RFC 7517 section 5).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// The one key that a header means: by `kid`; without a `kid`, the only key for the algorithm.
    /// Several keys that fit are no key: guessing costs a signature check each.
    #[must_use]
    pub fn find(&self, id: Option<&KeyId>, algorithm: Algorithm) -> Option<&Jwk> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithm() == algorithm && id.is_none_or(|id| key.id() == Some(id)));
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn key(id: Option<&str>) -> Jwk {
        Jwk::p256(id.map(|id| id.parse().unwrap()), X.to_owned(), Y.to_owned()).unwrap()
    }

    #[test]
    fn the_wire_shape_is_pinned() {
        // Stored in KV `jwks:{realm}` and in the keyring: a change needs a migration.
        assert_eq!(
            serde_json::to_string(&key(Some("k"))).unwrap(),
            format!(
                r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}","kid":"k","alg":"ES256","use":"sig"}}"#
            )
        );
    }

    #[test]
    fn a_key_for_something_else_is_refused() {
        let with = |extra: &str| format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"{extra}}}"#);
        assert!(serde_json::from_str::<Jwk>(&with("")).is_ok());
        for extra in [r#","alg":"ES384""#, r#","use":"enc""#, r#","d":"AA""#, r#","kid":"""#] {
            assert!(serde_json::from_str::<Jwk>(&with(extra)).is_err(), "{extra}");
        }
        assert!(serde_json::from_str::<Jwk>(&with("").replace("EC", "oct")).is_err());
        assert!(serde_json::from_str::<Jwk>(&with("").replace(X, "AA")).is_err());
    }

    #[test]
    fn attack_22_a_header_without_kid_means_the_only_key() {
        let one = JwkSet { keys: vec![key(Some("a"))] };
        assert!(one.find(None, Algorithm::Es256).is_some());
        assert!(one.find(Some(&"b".parse().unwrap()), Algorithm::Es256).is_none());
        let two = JwkSet { keys: vec![key(Some("a")), key(Some("b"))] };
        assert!(two.find(None, Algorithm::Es256).is_none());
        assert!(two.find(Some(&"b".parse().unwrap()), Algorithm::Es256).is_some());
        let same = JwkSet { keys: vec![key(Some("a")), key(Some("a"))] };
        assert!(same.find(Some(&"a".parse().unwrap()), Algorithm::Es256).is_none());
    }
}
