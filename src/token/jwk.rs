//! One JSON Web Key (RFC 7517) that a signature may be checked with, and the policy that it has to meet.
//!
//! A key, not a token's header, decides what it may verify: its type and curve always, its `alg` where it names
//! one. What does not meet the policy does not become a [`Jwk`]; [`Unfit`] says why.

use serde::{Deserialize, Serialize, Serializer};

use crate::encoding::{Digest, base64url, from_base64url};
use crate::id::{KeyId, Malformed};
use crate::token::{Algorithm, Curve};

/// What a key is made of. Numbers are big-endian.
#[derive(Clone, Eq, PartialEq)]
pub enum Material {
    /// `kty` EC: a point of its curve.
    Ec {
        /// Which curve.
        curve: Curve,
        /// The first coordinate, in its fixed length.
        x: Vec<u8>,
        /// The second.
        y: Vec<u8>,
    },
    /// `kty` OKP, `crv` Ed25519.
    Ed25519([u8; 32]),
    /// `kty` AKP: an ML-DSA public key, for its one algorithm.
    MlDsa(Algorithm, Vec<u8>),
    /// `kty` oct: a shared secret.
    Oct(Vec<u8>),
    /// `kty` RSA.
    Rsa {
        /// The modulus, without leading zeros.
        n: Vec<u8>,
        /// The public exponent, without leading zeros.
        e: Vec<u8>,
    },
}

impl std::fmt::Debug for Material {
    /// The kind only: one of them is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ec { curve, .. } => curve.name(),
            Self::Ed25519(_) => "Ed25519",
            Self::MlDsa(algorithm, _) => algorithm.name(),
            Self::Oct(_) => "oct",
            Self::Rsa { .. } => "RSA",
        })
    }
}

/// Why a key is not used. Each is logged by its code, and documented in `docs/validation.md`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unfit {
    /// `alg` is unknown, or is not one for this type of key.
    Algorithm,
    /// Another key of the same type has the same `kid`: nobody can say which one a token means.
    Duplicate,
    /// An RSA exponent other than 65537.
    Exponent,
    /// A member that this type of key needs is missing, or not what it should be.
    Member,
    /// A point that does not lie on its curve.
    OffCurve,
    /// A private part in a key that everybody may read.
    Private,
    /// A point of small order (RFC 7748 section 7; signatures for it can be made without a private key).
    SmallOrder,
    /// A type or curve that verifies no signatures here.
    Type,
    /// `use` or `key_ops` is for something else.
    Usage,
    /// An RSA modulus below 2048 or above 8192 bits, an even one, or a secret shorter than 32 bytes.
    Weak,
}

impl Unfit {
    /// A stable name for logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Algorithm => "algorithm",
            Self::Duplicate => "duplicate",
            Self::Exponent => "exponent",
            Self::Member => "member",
            Self::OffCurve => "off_curve",
            Self::Private => "private",
            Self::SmallOrder => "small_order",
            Self::Type => "type",
            Self::Usage => "usage",
            Self::Weak => "weak",
        }
    }
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Algorithm => "`alg` is not one for this type of key",
            Self::Duplicate => "another key of the same type has the same `kid`",
            Self::Exponent => "the RSA exponent must be 65537",
            Self::Member => "a member that this type of key needs is missing or malformed",
            Self::OffCurve => "it is a point that does not lie on its curve",
            Self::Private => "it has a private part; publish the public one only",
            Self::SmallOrder => "it is a point of small order",
            Self::Type => "it is of a type or curve that verifies no signatures here",
            Self::Usage => "`use` or `key_ops` is for something else",
            Self::Weak => {
                "it is weaker than RSA with 2048 bits, larger than RSA with 8192, or a secret below 32 bytes"
            }
        })
    }
}

impl std::error::Error for Unfit {}

/// A key that meets the policy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Wire")]
pub struct Jwk {
    id: Option<KeyId>,
    algorithm: Option<Algorithm>,
    material: Material,
    thumbprint: Digest,
}

/// The members as they travel. Others are ignored (RFC 7517 section 4).
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename = "open")]
pub(crate) struct Wire {
    #[serde(default)]
    pub(crate) kty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) y: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) e: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) k: Option<String>,
    #[serde(rename = "pub", default, skip_serializing_if = "Option::is_none")]
    pub(crate) public: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alg: Option<String>,
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) key_ops: Option<Vec<String>>,
    #[serde(default, skip_serializing)]
    pub(crate) d: Option<String>,
    #[serde(rename = "priv", default, skip_serializing)]
    pub(crate) private: Option<String>,
}

impl Jwk {
    /// A P-256 key from its coordinates, 32 bytes each in base64url.
    ///
    /// # Errors
    /// Coordinates of another length, or of no point of the curve.
    pub fn p256(id: Option<KeyId>, x: &str, y: &str) -> Result<Self, Malformed> {
        const CURVE: Curve = Curve::P256;
        let rule = Malformed::new("P-256 key", "x and y are 32 bytes each, of a point on the curve");
        let coordinate = |text| from_base64url(text).ok().filter(|bytes| bytes.len() == 32).ok_or(rule);
        let (x, y) = (coordinate(x)?, coordinate(y)?);
        let is_point = CURVE.has_point(&x, &y);
        let material = is_point.then_some(Material::Ec { curve: CURVE, x, y }).ok_or(rule)?;
        Ok(Self::new(id, Some(CURVE.algorithm()), material))
    }

    fn new(id: Option<KeyId>, algorithm: Option<Algorithm>, material: Material) -> Self {
        Self { id, algorithm, thumbprint: material.thumbprint(), material }
    }

    /// `kid`.
    #[must_use]
    pub const fn id(&self) -> Option<&KeyId> {
        self.id.as_ref()
    }

    /// `alg`: the one algorithm that it is for, where it names one.
    #[must_use]
    pub const fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// What it is made of.
    #[must_use]
    pub const fn material(&self) -> &Material {
        &self.material
    }

    /// The same key under its thumbprint as `kid`.
    ///
    /// # Errors
    /// None that a digest can cause.
    pub fn identified(mut self) -> Result<Self, Malformed> {
        self.id = Some(self.thumbprint().to_string().parse()?);
        Ok(self)
    }

    /// Whether it is a shared secret: whoever verifies with it can sign.
    #[must_use]
    pub const fn is_symmetric(&self) -> bool {
        matches!(self.material, Material::Oct(_))
    }

    /// Whether it may verify `algorithm`: its material can, and its `alg` does not say otherwise.
    #[must_use]
    pub fn serves(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && self.material.serves(algorithm)
    }

    /// Whether both have the same `kid` and could serve the same algorithm.
    pub(super) fn is_rival_of(&self, other: &Self) -> bool {
        self.id.is_some()
            && self.id == other.id
            && Algorithm::ALL.iter().any(|algorithm| self.serves(*algorithm) && other.serves(*algorithm))
    }

    /// Whether a signature of this many bytes can be one by this key. Anything else is refused before it is tried:
    /// a platform may call it an error of its own.
    #[must_use]
    pub fn signs_in(&self, bytes: usize) -> bool {
        match &self.material {
            // RFC 7518 section 3.4: r and s, each as long as a coordinate.
            Material::Ec { curve, .. } => bytes == curve.bytes().saturating_mul(2),
            Material::Ed25519(_) => bytes == 64,
            Material::Rsa { n, .. } => bytes == n.len(),
            // Whoever checks these here looks at the length itself.
            Material::MlDsa(..) | Material::Oct(_) => true,
        }
    }

    /// The SHA-256 thumbprint (RFC 7638, RFC 8037 section 2).
    #[must_use]
    pub const fn thumbprint(&self) -> Digest {
        self.thumbprint
    }
}

impl Material {
    fn thumbprint(&self) -> Digest {
        let members = match self {
            Material::Ec { curve, x, y } => {
                format!(
                    r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                    curve.name(),
                    base64url(x),
                    base64url(y)
                )
            }
            Material::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url(x)),
            Material::MlDsa(algorithm, public) => {
                format!(r#"{{"alg":"{}","kty":"AKP","pub":"{}"}}"#, algorithm.name(), base64url(public))
            }
            Material::Oct(k) => format!(r#"{{"k":"{}","kty":"oct"}}"#, base64url(k)),
            Material::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, base64url(e), base64url(n))
            }
        };
        Digest::of(members.as_bytes())
    }

    fn serves(&self, algorithm: Algorithm) -> bool {
        use Algorithm as A;
        match self {
            Self::Ec { curve, .. } => curve.algorithm() == algorithm,
            Self::Ed25519(_) => algorithm == A::EdDsa,
            Self::MlDsa(own, _) => *own == algorithm,
            // RFC 7518 section 3.2: a secret at least as long as the digest.
            Self::Oct(k) => match algorithm {
                A::Hs256 => k.len() >= 32,
                A::Hs384 => k.len() >= 48,
                A::Hs512 => k.len() >= 64,
                _ => false,
            },
            Self::Rsa { .. } => {
                matches!(algorithm, A::Ps256 | A::Ps384 | A::Ps512 | A::Rs256 | A::Rs384 | A::Rs512)
            }
        }
    }

    fn read(wire: &Wire, algorithm: Option<Algorithm>) -> Result<Self, Unfit> {
        let bytes = |member: &Option<String>| {
            member.as_ref().and_then(|text| from_base64url(text).ok()).ok_or(Unfit::Member)
        };
        match (wire.kty.as_str(), wire.crv.as_deref()) {
            ("EC", crv) => {
                let curve =
                    Curve::ALL.into_iter().find(|curve| Some(curve.name()) == crv).ok_or(Unfit::Type)?;
                let (x, y) = (bytes(&wire.x)?, bytes(&wire.y)?);
                if x.len() != curve.bytes() || y.len() != curve.bytes() {
                    return Err(Unfit::Member);
                }
                if curve.has_point(&x, &y) { Ok(Self::Ec { curve, x, y }) } else { Err(Unfit::OffCurve) }
            }
            ("OKP", Some("Ed25519")) => {
                let x: [u8; 32] = bytes(&wire.x)?.try_into().map_err(|_| Unfit::Member)?;
                if is_small_order(&x) { Err(Unfit::SmallOrder) } else { Ok(Self::Ed25519(x)) }
            }
            ("AKP", _) => {
                let length = match algorithm {
                    Some(Algorithm::MlDsa44) => 1312,
                    Some(Algorithm::MlDsa65) => 1952,
                    Some(Algorithm::MlDsa87) => 2592,
                    _ => return Err(Unfit::Algorithm),
                };
                let public = bytes(&wire.public)?;
                let algorithm = algorithm.filter(|_| public.len() == length).ok_or(Unfit::Member)?;
                Ok(Self::MlDsa(algorithm, public))
            }
            ("oct", _) => {
                let k = bytes(&wire.k)?;
                if k.len() < 32 { Err(Unfit::Weak) } else { Ok(Self::Oct(k)) }
            }
            ("RSA", _) => rsa(&bytes(&wire.n)?, &bytes(&wire.e)?),
            _ => Err(Unfit::Type),
        }
    }
}

fn rsa(n: &[u8], e: &[u8]) -> Result<Material, Unfit> {
    let bare = |number: &[u8]| number.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<u8>>();
    let (n, e) = (bare(n), bare(e));
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    let zeros = n.first().map_or(0, |top| usize::try_from(top.leading_zeros()).unwrap_or(0));
    let bits = n.len().saturating_mul(8).saturating_sub(zeros);
    if !(2048..=8192).contains(&bits) || !is_odd(&n) {
        return Err(Unfit::Weak);
    }
    // 65537: common sense and, besides 3, all that `crypto.subtle` imports in `workerd`.
    if e != [1, 0, 1] {
        return Err(Unfit::Exponent);
    }
    Ok(Material::Rsa { n, e })
}

/// The points of Ed25519 whose order divides 8, in every encoding that decodes to one of them.
fn is_small_order(x: &[u8; 32]) -> bool {
    const Y_ORDER_8: [[u8; 32]; 2] = [
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
    ];
    // y without its sign bit: 0, 1, p - 1, p, p + 1 (little-endian), and the two of order 8.
    let mut y = *x;
    y[31] &= 0x7f;
    let filled = |first: u8| y[0] == first && y[1..31].iter().all(|byte| *byte == 0xff) && y[31] == 0x7f;
    let tiny = |first: u8| y[0] == first && y[1..].iter().all(|byte| *byte == 0);
    tiny(0) || tiny(1) || filled(0xec) || filled(0xed) || filled(0xee) || Y_ORDER_8.contains(&y)
}

impl TryFrom<Wire> for Jwk {
    type Error = Unfit;

    fn try_from(wire: Wire) -> Result<Self, Unfit> {
        if wire.usage.as_ref().is_some_and(|usage| usage != "sig") {
            return Err(Unfit::Usage);
        }
        if wire.key_ops.as_ref().is_some_and(|ops| !ops.iter().any(|op| op == "verify")) {
            return Err(Unfit::Usage);
        }
        if wire.d.is_some() || wire.private.is_some() {
            return Err(Unfit::Private);
        }
        let algorithm =
            wire.alg.as_deref().map(|name| Algorithm::named(name).ok_or(Unfit::Algorithm)).transpose()?;
        let material = Material::read(&wire, algorithm)?;
        if algorithm.is_some_and(|algorithm| !material.serves(algorithm)) {
            return Err(if matches!(material, Material::Oct(_)) { Unfit::Weak } else { Unfit::Algorithm });
        }
        let id = wire.kid.map(|kid| kid.parse()).transpose().map_err(|_| Unfit::Member)?;
        Ok(Self::new(id, algorithm, material))
    }
}

impl Serialize for Jwk {
    /// Public keys only: a secret is not written.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut wire = Wire {
            kid: self.id.clone().map(String::from),
            alg: self.algorithm.map(|algorithm| algorithm.name().to_owned()),
            usage: Some("sig".to_owned()),
            ..Wire::default()
        };
        match &self.material {
            Material::Ec { curve, x, y } => {
                wire.kty = String::from("EC");
                wire.crv = Some(curve.name().to_owned());
                (wire.x, wire.y) = (Some(base64url(x)), Some(base64url(y)));
            }
            Material::Ed25519(x) => {
                wire.kty = String::from("OKP");
                (wire.crv, wire.x) = (Some("Ed25519".to_owned()), Some(base64url(x)));
            }
            Material::MlDsa(_, public) => {
                wire.kty = String::from("AKP");
                wire.public = Some(base64url(public));
            }
            Material::Oct(_) => return Err(serde::ser::Error::custom("a secret key is not written")),
            Material::Rsa { n, e } => {
                wire.kty = String::from("RSA");
                (wire.n, wire.e) = (Some(base64url(n)), Some(base64url(e)));
            }
        }
        wire.serialize(serializer)
    }
}
