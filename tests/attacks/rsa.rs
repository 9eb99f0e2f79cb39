//! RSA by its definition (RFC 8017): blocks are made by hand, so that they can be made wrong.

use rsa::BigUint;
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use serde_json::Value;

use super::keys::bytes;

#[derive(Clone, Copy)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// That of `RS256`, `PS256` and so on.
    pub(super) fn of_algorithm(alg: &str) -> Self {
        match &alg[2..] {
            "256" => Self::Sha256,
            "384" => Self::Sha384,
            "512" => Self::Sha512,
            _ => panic!("{alg} is none of RSA"),
        }
    }

    pub(super) fn digest(self, input: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(input).to_vec(),
            Self::Sha384 => Sha384::digest(input).to_vec(),
            Self::Sha512 => Sha512::digest(input).to_vec(),
        }
    }

    pub(super) const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// What stands before a digest in a `DigestInfo` (RFC 8017 section 9.2, note 1).
    pub(super) const fn prefix(self) -> [u8; 19] {
        let (whole, id, digest) = match self {
            Self::Sha256 => (0x31, 1, 0x20),
            Self::Sha384 => (0x41, 2, 0x30),
            Self::Sha512 => (0x51, 3, 0x40),
        };
        [
            0x30, whole, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, id, 0x05,
            0x00, 0x04, digest,
        ]
    }

    /// MGF1 (RFC 8017 appendix B.2.1).
    fn mask(self, seed: &[u8], length: usize) -> Vec<u8> {
        let blocks = (0_u32..).map(|n| self.digest(&[seed, &n.to_be_bytes()].concat()));
        blocks.flatten().take(length).collect()
    }
}

pub(super) struct Rsa {
    pub(super) n: BigUint,
    pub(super) e: BigUint,
    d: BigUint,
}

impl Rsa {
    pub(super) fn new(jwk: &Value) -> Self {
        Self::of(["n", "e", "d"].map(|member| bytes(jwk, member)))
    }

    pub(super) fn of([n, e, d]: [Vec<u8>; 3]) -> Self {
        let number = |bytes: Vec<u8>| BigUint::from_bytes_be(&bytes);
        Self { n: number(n), e: number(e), d: number(d) }
    }

    pub(super) fn length(&self) -> usize {
        self.n.to_bytes_be().len()
    }

    /// The number as a signature of this key has it: in its full length.
    pub(super) fn filled(&self, number: &BigUint) -> Vec<u8> {
        let bytes = number.to_bytes_be();
        [vec![0; self.length() - bytes.len()], bytes].concat()
    }

    /// RSASP1 (RFC 8017 section 5.2.1) of whatever a block says.
    pub(super) fn raw(&self, block: &[u8]) -> Vec<u8> {
        let number = BigUint::from_bytes_be(block);
        assert!(number < self.n);
        self.filled(&number.modpow(&self.d, &self.n))
    }

    /// RSASSA-PKCS1-v1_5.
    pub(super) fn v15(&self, hash: Hash, input: &[u8]) -> Vec<u8> {
        let info = [hash.prefix().as_slice(), &hash.digest(input)].concat();
        self.raw(&self.v15_block(&[0, 1], &info))
    }

    /// `head`, as many 0xff as there is room for, a zero, `tail`.
    pub(super) fn v15_block(&self, head: &[u8], tail: &[u8]) -> Vec<u8> {
        let room = self.length() - head.len() - tail.len() - 1;
        [head, &vec![0xff; room], &[0], tail].concat()
    }

    /// RSASSA-PSS with a salt as long as the digest. It is always the same: nobody has to keep this key safe.
    pub(super) fn pss(&self, hash: Hash, input: &[u8]) -> Vec<u8> {
        self.raw(&self.pss_block(hash, hash, &vec![0x5a; hash.length()], input))
    }

    /// EMSA-PSS (RFC 8017 section 9.1.1).
    pub(super) fn pss_block(&self, hash: Hash, mgf: Hash, salt: &[u8], input: &[u8]) -> Vec<u8> {
        let digest = hash.digest(&[&[0; 8], hash.digest(input).as_slice(), salt].concat());
        let room = self.length() - digest.len() - 1;
        let mut data = [vec![0; room - salt.len() - 1], vec![1], salt.to_vec()].concat();
        for (byte, mask) in data.iter_mut().zip(mgf.mask(&digest, room)) {
            *byte ^= mask;
        }
        // The modulus of every key here has a whole number of bytes, so the block is one bit shorter.
        data[0] &= 0x7f;
        [data, digest, vec![0xbc]].concat()
    }
}

/// The cube root, rounded up.
pub(super) fn cube_root(number: &BigUint) -> BigUint {
    let mut root = BigUint::from(0_u8);
    for bit in (0..=number.bits() / 3 + 1).rev() {
        let more = &root + (BigUint::from(1_u8) << bit);
        if &more * &more * &more <= *number {
            root = more;
        }
    }
    root + BigUint::from(1_u8)
}
