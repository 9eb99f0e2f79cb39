//! The elliptic curves of ECDSA, and which points lie on them.

use num_bigint::BigUint;

use crate::token::Algorithm;

/// The curve of an elliptic key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// secp256k1.
    Secp256k1,
}

impl Curve {
    pub(super) const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::Secp256k1];

    /// Its `crv` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Secp256k1 => "secp256k1",
        }
    }

    /// Bytes of one coordinate (RFC 7518 section 6.2.1.2).
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The one algorithm that uses it.
    pub(super) const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
            Self::P521 => Algorithm::Es512,
            Self::Secp256k1 => Algorithm::Es256k,
        }
    }

    /// Whether a point, in big-endian coordinates, lies on it: both are below p, and y² = x³ + ax + b modulo p
    /// (SEC 1 section 3.2.2.1). Their cofactor is 1, so that is all; the point at infinity has no coordinates.
    #[expect(clippy::arithmetic_side_effects, reason = "numbers of any size, and p is above 3")]
    pub(super) fn has_point(self, x: &[u8], y: &[u8]) -> bool {
        let Equation { p, a, b } = self.equation();
        let (x, y) = (BigUint::from_bytes_be(x), BigUint::from_bytes_be(y));
        x < p && y < p && (&y * &y) % &p == ((&x * &x + a) * &x + b) % &p
    }

    /// NIST SP 800-186 section 3.2.1, SEC 2 section 2.4.1.
    #[expect(clippy::arithmetic_side_effects, reason = "p is above 3")]
    fn equation(self) -> Equation {
        let (p, b) = match self {
            Self::P256 => (
                "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
                "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
            ),
            Self::P384 => (
                "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
                "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
            ),
            Self::P521 => (
                "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
            ),
            Self::Secp256k1 => ("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f", "07"),
        };
        let number = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap_or_default();
        let p = number(p);
        // -3 for the NIST curves.
        let a = match self {
            Self::Secp256k1 => BigUint::ZERO,
            Self::P256 | Self::P384 | Self::P521 => &p - 3_u32,
        };
        Equation { a, b: number(b), p }
    }
}

/// y² = x³ + ax + b modulo p.
struct Equation {
    p: BigUint,
    a: BigUint,
    b: BigUint,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::from_hex;

    #[test]
    fn attack_14_the_generators_lie_on_their_curves_and_on_no_other() {
        // NIST SP 800-186 section 3.2.1, SEC 2 section 2.4.1.
        let p256: ([u8; 32], [u8; 32]) = (
            from_hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296").unwrap(),
            from_hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5").unwrap(),
        );
        let p384: ([u8; 48], [u8; 48]) = (
            from_hex("aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7").unwrap(),
            from_hex("3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f").unwrap(),
        );
        let p521: ([u8; 66], [u8; 66]) = (
            from_hex("00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66").unwrap(),
            from_hex("011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650").unwrap(),
        );
        let k256: ([u8; 32], [u8; 32]) = (
            from_hex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798").unwrap(),
            from_hex("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8").unwrap(),
        );
        let points: [(&[u8], &[u8]); 4] =
            [(&p256.0, &p256.1), (&p384.0, &p384.1), (&p521.0, &p521.1), (&k256.0, &k256.1)];
        for (at, curve) in Curve::ALL.into_iter().enumerate() {
            for (other, (x, y)) in points.into_iter().enumerate() {
                assert_eq!(curve.has_point(x, y), at == other, "{curve:?} {other}");
            }
        }
        for curve in Curve::ALL {
            let (zero, full) = (vec![0; curve.bytes()], vec![0xff; curve.bytes()]);
            assert!(!curve.has_point(&zero, &zero) && !curve.has_point(&full, &full), "{curve:?}");
        }
    }
}
