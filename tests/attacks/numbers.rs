//! Curves as numbers: their orders and fields, and signatures made of any r and s.

use rsa::BigUint;

/// A curve of ECDSA.
pub(super) struct Curve {
    pub(super) alg: &'static str,
    /// Bytes of r, and of s.
    pub(super) length: usize,
    order: &'static str,
    field: &'static str,
}

pub(super) const CURVES: [Curve; 4] = [
    Curve {
        alg: "ES256",
        length: 32,
        order: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        field: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    },
    Curve {
        alg: "ES256K",
        length: 32,
        order: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        field: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
    },
    Curve {
        alg: "ES384",
        length: 48,
        order: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        field: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    },
    Curve {
        alg: "ES512",
        length: 66,
        order: "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        field: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    },
];

/// The order of Ed25519's base point.
pub(super) fn ed25519_order() -> BigUint {
    hex("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed")
}

pub(super) fn hex(text: &str) -> BigUint {
    BigUint::parse_bytes(text.as_bytes(), 16).unwrap()
}

/// A number in `length` bytes, big-endian.
pub(super) fn fixed(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = if *number == BigUint::from(0_u8) { Vec::new() } else { number.to_bytes_be() };
    [vec![0; length - bytes.len()], bytes].concat()
}

/// The same, little-endian.
pub(super) fn fixed_le(number: &BigUint, length: usize) -> Vec<u8> {
    fixed(number, length).into_iter().rev().collect()
}

impl Curve {
    /// Of one algorithm.
    pub(super) fn of(alg: &str) -> &'static Self {
        CURVES.iter().find(|curve| curve.alg == alg).unwrap()
    }

    pub(super) fn order(&self) -> BigUint {
        hex(self.order)
    }

    /// Numbers that are no r and no s, or hardly ever, with their names.
    pub(super) fn edges(&self) -> Vec<(&'static str, BigUint)> {
        let one = || BigUint::from(1_u8);
        let full = (one() << (self.length * 8)) - one();
        vec![
            ("0", BigUint::from(0_u8)),
            ("1", one()),
            ("n_less_1", self.order() - one()),
            ("n", self.order()),
            ("n_plus_1", self.order() + one()),
            ("p", hex(self.field)),
            ("full", full),
        ]
    }

    /// r and s as RFC 7518 section 3.4 has them.
    pub(super) fn signature(&self, r: &BigUint, s: &BigUint) -> Vec<u8> {
        [fixed(r, self.length), fixed(s, self.length)].concat()
    }

    /// r and s of a signature.
    pub(super) fn split(&self, signature: &[u8]) -> (BigUint, BigUint) {
        let (r, s) = signature.split_at(self.length);
        (BigUint::from_bytes_be(r), BigUint::from_bytes_be(s))
    }
}
